//! Runs `checks/assess_slide.rs` on what libFuzzer makes up.

#![no_main]

#[path = "../checks/assess_slide.rs"]
mod check;
#[path = "../checks/memory.rs"]
mod memory;

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    // libFuzzer's hook ends the process at a panic that is caught as well; the one it replaced
    // only prints. A panic that leaves the closure still ends the process.
    init: drop(std::panic::take_hook()),
    |bytes: &[u8]| {
        let folder = memory::scratch_folder("assess_slide");
        memory::within(check::MOST_BYTES, || check::run(bytes, &folder));
    }
);
