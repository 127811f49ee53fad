//! Replays the seeds of the fuzz target `picture`.

#[path = "../../../../fuzz/checks/picture.rs"]
mod check;
#[path = "../../../../fuzz/checks/memory.rs"]
mod memory;
#[path = "../../../../fuzz/checks/replay.rs"]
mod replay;

#[test]
fn the_seeds_and_their_damaged_forms_are_read_or_refused() {
    let folders = ["../../fuzz/corpus-seeds/picture"];
    replay::replay(&folders, check::MOST_BYTES, check::run);
}
