//! A slide that OpenSlide alone knows (`golden/make_trestle.py`), and one that both read.

use lobule_exam::PixelBox;
use lobule_slide::{
    SlideFormat, SlideKind, SlideLimits, TileKey, open_slide, read_region, slide_kind,
};

use crate::golden::{golden, opened};

#[test]
fn a_slide_of_another_maker_is_read_by_open_slide() {
    let path = golden("trestle.tif");
    assert!(matches!(slide_kind(&path), SlideKind::Slide(_)));
    let slide = opened(&path);
    let facts = slide.facts();
    assert_eq!(facts.format, SlideFormat::OtherMaker);
    assert!(facts.notes[0].contains("trestle"), "{:?}", facts.notes);
    assert_eq!(facts.mpp.as_ref().unwrap().microns(), 0.5);
    assert_eq!(facts.magnification, Some(20.0));
    let sizes: Vec<_> = facts
        .levels
        .iter()
        .map(|l| (l.rows, l.cols, l.downsample))
        .collect();
    assert_eq!(sizes, [(96, 160, 1.0), (48, 80, 2.0)]);
    for (level, step) in [(0, 1), (1, 2)] {
        let at = &facts.levels[level];
        let pixels = read_region(&*slide, level, PixelBox::whole(at.rows, at.cols)).unwrap();
        for row in 0..at.rows {
            for col in 0..at.cols {
                let (r, c) = (row * step, col * step);
                let drawn = [r * 2, c * 3, r + c].map(|v| v as u8);
                assert_eq!(pixels.at(row, col), drawn, "level {level}, {row}, {col}");
            }
        }
    }
    let beyond = TileKey {
        level: 2,
        row: 0,
        col: 0,
    };
    assert!(slide.read_tile(beyond).is_err());
}

#[test]
fn files_that_are_read_without_it_stay_so_and_damaged_ones_are_refused() {
    assert_eq!(
        opened(&golden("jpeg_aperio.svs")).facts().format,
        SlideFormat::Aperio
    );
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.tif");
    let bytes = std::fs::read(golden("trestle.tif")).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let refused = open_slide(&cut, &SlideLimits::default());
    let text = refused.map(|s| s.facts().format).unwrap_err().to_string();
    assert!(text.contains("cut.tif"), "{text}");
}
