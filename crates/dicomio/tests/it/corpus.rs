//! Replays the seeds of the fuzz targets `dicom` and `web`, with the golden files, and `dimse`.

#[path = "../../../../fuzz/checks/dicom.rs"]
mod check;
#[path = "../../../../fuzz/checks/dimse.rs"]
mod conversation;
#[path = "../../../../fuzz/checks/memory.rs"]
mod memory;
#[path = "../../../../fuzz/checks/replay.rs"]
mod replay;
#[path = "../../../../fuzz/checks/web.rs"]
mod web;

#[test]
fn the_seeds_and_their_damaged_forms_are_read_or_refused() {
    let folders = [
        "../../fuzz/corpus-seeds/dicom",
        "tests/golden",
        "tests/golden_mammogram",
    ];
    replay::replay(&folders, check::MOST_BYTES, check::run);
}

#[test]
fn what_comes_over_the_web_is_read_or_refused() {
    let folders = ["../../fuzz/corpus-seeds/web", "tests/golden_web"];
    replay::replay(&folders, web::MOST_BYTES, web::run);
}

#[test]
fn conversations_and_their_damaged_forms_come_to_an_end() {
    let folders = ["../../fuzz/corpus-seeds/dimse"];
    replay::replay(&folders, conversation::MOST_BYTES, conversation::run);
}
