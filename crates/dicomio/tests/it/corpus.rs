//! Replays the seeds of the fuzz target `dicom`, and the golden files.

#[path = "../../../../fuzz/checks/dicom.rs"]
mod check;
#[path = "../../../../fuzz/checks/memory.rs"]
mod memory;
#[path = "../../../../fuzz/checks/replay.rs"]
mod replay;

#[test]
fn the_seeds_and_their_damaged_forms_are_read_or_refused() {
    let folders = ["../../fuzz/corpus-seeds/dicom", "tests/golden"];
    replay::replay(&folders, check::MOST_BYTES, check::run);
}
