//! Pictures to look at, kept where `LOBULE_KEEP` says.

use std::path::PathBuf;

use lobule_exam::PixelBox;
use lobule_phantom::slide::{Scanner, SlidePlan, Stain, SyntheticSlide, write_tiff};
use lobule_slide::{SlideLimits, SurveyConfig, open_slide, read_region, survey};

use super::{saved, spoiled};

fn kept() -> Option<PathBuf> {
    let folder = std::env::var_os("LOBULE_KEEP").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: 1 set of pictures, LOBULE_KEEP is not set");
    }
    folder
}

#[test]
fn slides_to_look_at() {
    let Some(folder) = kept() else { return };
    for (name, grade, stain, scanner) in [
        ("g1", 1.0, Stain::COMMON, Scanner::NEUTRAL),
        ("g2", 2.0, Stain::COMMON, Scanner::NEUTRAL),
        ("g3", 3.0, Stain::COMMON, Scanner::NEUTRAL),
        ("g3-violet-cool", 3.0, Stain::VIOLET, Scanner::COOL),
        ("g1-pink-warm", 1.0, Stain::PINK, Scanner::WARM),
    ] {
        let plan = SlidePlan {
            grade,
            stain,
            scanner,
            ..SlidePlan::default()
        };
        let slide = SyntheticSlide::new(plan, 7);
        let window = PixelBox {
            row: 1700,
            col: 1500,
            rows: 800,
            cols: 1000,
        };
        let start = std::time::Instant::now();
        saved(&slide.draw(window), &folder.join(format!("{name}.png")));
        eprintln!("{name}: {:?}", start.elapsed());
    }
    let slide = spoiled();
    let file = folder.join("spoiled.tif");
    write_tiff(&slide, &file).unwrap();
    let read = open_slide(&file, &SlideLimits::default()).unwrap();
    let level = &read.facts().levels[2];
    let whole = read_region(&*read, 2, PixelBox::whole(level.rows, level.cols)).unwrap();
    saved(&whole, &folder.join("overview.png"));
    let found = survey(&*read, &SurveyConfig::default()).unwrap();
    saved(&found.qc_picture(), &folder.join("qc.png"));
    for (name, row, col) in [("pen", 900, 300), ("fold", 2000, 1700), ("blur", 700, 2000)] {
        let window = PixelBox {
            row,
            col,
            rows: 600,
            cols: 800,
        };
        saved(&slide.draw(window), &folder.join(format!("{name}.png")));
    }
}
