//! Replays the seeds of the fuzz targets `assess_manifest` and `assess_slide`.

#[path = "../../../../fuzz/checks/assess_manifest.rs"]
mod manifest;
#[path = "../../../../fuzz/checks/memory.rs"]
mod memory;
#[path = "../../../../fuzz/checks/replay.rs"]
mod replay;
#[path = "../../../../fuzz/checks/assess_slide.rs"]
mod slide;

use std::fs;
use std::path::Path;

#[test]
fn the_seeds_and_their_damaged_forms_are_read_or_refused() {
    let folders = ["../../fuzz/corpus-seeds/assess_manifest"];
    replay::replay(&folders, manifest::MOST_BYTES, manifest::run);
}

#[test]
fn slides_and_their_damaged_forms_are_assessed_or_refused() {
    let folders = [
        "../../fuzz/corpus-seeds/assess_slide",
        "../../fuzz/corpus-seeds/slide",
    ];
    replay::replay(&folders, slide::MOST_BYTES, slide::run);
}

/// Else the fuzzer would never come as far.
#[test]
fn seeds_of_slides_reach_the_networks() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus-seeds/assess_slide");
    let folder = tempfile::tempdir().unwrap();
    // Where a tile is lost, the slide from afar is lost around it.
    for (name, taken, unreadable) in [("valid_tissue.tif", 4, 0), ("valid_lost_tile.tif", 0, 4)] {
        let bytes = fs::read(seeds.join(name)).unwrap();
        let assessment = slide::assessed(&bytes, folder.path()).unwrap().assessment;
        let counts = &assessment.counts;
        assert_eq!(
            (counts.taken, counts.unreadable),
            (taken, unreadable),
            "{name}: {counts:?}"
        );
        assert_eq!(counts.tumor, taken, "{name}");
    }
}
