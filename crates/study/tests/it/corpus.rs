//! Replays the seeds of the fuzz target `study_table`.

#[path = "../../../../fuzz/checks/study_table.rs"]
mod check;
#[path = "../../../../fuzz/checks/memory.rs"]
mod memory;
#[path = "../../../../fuzz/checks/replay.rs"]
mod replay;

#[test]
fn the_seeds_and_their_damaged_forms_are_read_or_refused() {
    let folders = ["../../fuzz/corpus-seeds/study_table"];
    replay::replay(&folders, check::MOST_BYTES, check::run);
}
