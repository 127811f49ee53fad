//! Replays the seeds of a fuzz target and damaged forms of each, without a fuzzer.
//!
//! The damage is the same on every run: cuts at even distances, and bytes changed, left out and
//! repeated by a small generator of numbers; `LOBULE_CORPUS_ROUNDS=1000` goes on with other damage
//! for longer. Folders that are not there, or empty, fail. A seed whose name starts with
//! `valid` must be read; what must become of any other is up to the target's check.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::memory::within;

/// Cut forms of each seed.
const CUTS: usize = 12;
/// Changed forms of each seed.
const CHANGES: usize = 30;
/// Longest time for one input, without optimization.
const LONGEST: Duration = Duration::from_secs(10);

/// Runs a check on every file below `folders` (relative to the crate that replays) and on its
/// damaged forms.
pub fn replay(folders: &[&str], most_bytes: usize, check: fn(&[u8], &Path) -> bool) {
    let scratch = tempfile::tempdir().expect("a folder for temporary files can be made");
    let begin = Instant::now();
    let run = |name: String, bytes: &[u8]| {
        let before = worked_since(begin);
        let work = || within(most_bytes, || check(bytes, scratch.path()));
        let outcome = catch_unwind(AssertUnwindSafe(work));
        let was_read = outcome.unwrap_or_else(|_| panic!("{name}"));
        let took = worked_since(begin).saturating_sub(before);
        assert!(took < LONGEST, "{name} took {took:?}");
        was_read
    };
    for file in folders.iter().flat_map(|folder| files(folder)) {
        let name = file.display();
        let bytes = fs::read(&file).expect("a seed can be read");
        let was_read = run(name.to_string(), &bytes);
        let is_valid = file
            .file_name()
            .is_some_and(|n| n.as_encoded_bytes().starts_with(b"valid"));
        assert!(was_read || !is_valid, "expected {name} to be read");
        for cut in (0..CUTS).map(|i| bytes.len() * i / CUTS) {
            run(format!("{name} cut to {cut}"), &bytes[..cut]);
        }
        for i in 0..CHANGES * rounds() {
            run(format!("{name} changed {i}"), &damaged(&bytes, i as u64));
        }
    }
}

/// For how long this thread has worked: a busy machine must not fail a test. The time that has
/// passed where the system does not tell.
fn worked_since(begin: Instant) -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let worked = told.and_then(|text| text.split(' ').next()?.parse().ok());
    worked.map_or_else(|| begin.elapsed(), Duration::from_nanos)
}

fn rounds() -> usize {
    let stated = std::env::var("LOBULE_CORPUS_ROUNDS").ok();
    stated.map_or(1, |rounds| rounds.parse().expect("a number of rounds"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.expect("an entry can be read").path());
    // Answers and scripts lie beside the seeds where those serve other tests as well.
    let other = ["bin", "json", "py"].map(std::ffi::OsStr::new);
    let is_seed =
        |path: &PathBuf| path.is_file() && !path.extension().is_some_and(|e| other.contains(&e));
    let mut files: Vec<PathBuf> = paths.filter(is_seed).collect();
    assert!(!files.is_empty(), "expected seeds in {}", folder.display());
    files.sort();
    files
}

/// One to four places are changed: a byte made another one, the least, the greatest or one bit
/// different, or a few bytes left out or repeated.
fn damaged(bytes: &[u8], number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut damaged = bytes.to_vec();
    for _ in 0..1 + next(&mut state) % 4 {
        if damaged.is_empty() {
            break;
        }
        let at = next(&mut state) as usize % damaged.len();
        let end = damaged.len().min(at + 1 + next(&mut state) as usize % 16);
        match next(&mut state) % 8 {
            0 => damaged[at] = 0,
            1 => damaged[at] = 0xFF,
            2 | 3 => damaged[at] ^= 1 << (next(&mut state) % 8),
            4 => drop(damaged.drain(at..end)),
            5 => damaged.extend_from_within(at..end),
            6 => {
                let repeated = damaged[at..end].to_vec();
                damaged.splice(at..at, repeated);
            }
            _ => damaged[at] = next(&mut state) as u8,
        }
    }
    damaged
}

/// Knuth's linear congruential generator.
fn next(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6364136223846793005)
        .wrapping_add(1442695040888963407);
    *state >> 33
}
