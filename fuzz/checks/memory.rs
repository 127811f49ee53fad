//! How much memory a check takes: a counting allocator, for the fuzz targets and the replay alike.
//!
//! Counts what one thread takes from Rust's allocator. Does not see what a C-style decoder takes
//! from `malloc`; libFuzzer's `-malloc_limit_mb` does.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

/// Runs `work`.
///
/// # Panics
/// When it ever holds more than `most_bytes`.
pub fn within<T>(most_bytes: usize, work: impl FnOnce() -> T) -> T {
    let before = HELD.get();
    MOST.set(before);
    let result = work();
    let taken = MOST.get() - before;
    assert!(
        taken <= most_bytes as isize,
        "expected at most {most_bytes} bytes of memory, got {taken}"
    );
    result
}

/// A folder for the files of one target in one process.
#[allow(dead_code, reason = "the replay has a temporary folder of its own")]
pub fn scratch_folder(target: &str) -> std::path::PathBuf {
    let name = format!("lobule-fuzz-{target}-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).expect("a folder for temporary files can be made");
    folder
}

/// A thread that ends has no counters any more; then nothing is counted.
fn count(change: isize) {
    let held = HELD.try_with(|held| {
        held.set(held.get() + change);
        held.get()
    });
    let _ = MOST.try_with(|most| most.set(most.get().max(held.unwrap_or(0))));
}

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size as isize - layout.size() as isize);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(at, layout, new_size) }
    }
}
