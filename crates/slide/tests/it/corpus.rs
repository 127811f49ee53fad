//! Replays the seeds of the fuzz target `slide`.

#[path = "../../../../fuzz/checks/slide.rs"]
mod check;
#[path = "../../../../fuzz/checks/memory.rs"]
mod memory;
#[path = "../../../../fuzz/checks/replay.rs"]
mod replay;

#[test]
fn the_seeds_and_their_damaged_forms_are_read_or_refused() {
    let folders = [
        "../../fuzz/corpus-seeds/slide",
        "tests/golden",
        "tests/golden_dicom/sparse",
        "tests/golden_dicom/jpeg",
    ];
    replay::replay(&folders, check::MOST_BYTES, check::run);
}
