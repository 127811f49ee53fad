//! DICOM slides: levels, concatenations, sparse tiles, JPEG against wsidicom (`golden_dicom/make_golden.py`).

use std::path::{Path, PathBuf};

use lobule_exam::PixelBox;
use lobule_slide::{ErrorKind, Rgb, SlideFormat, SlideLimits, TileSource, open_slide, read_region};

use crate::golden::{fixtures, opened};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden_dicom")
        .join(name)
}

fn picture(name: &str) -> Rgb {
    let picture = image::open(golden(name)).unwrap().to_rgb8();
    let (cols, rows) = picture.dimensions();
    let pixels = picture.pixels().map(|p| p.0).collect();
    Rgb::from_pixels(rows as usize, cols as usize, pixels).unwrap()
}

fn whole(slide: &dyn TileSource, level: usize) -> Rgb {
    let facts = &slide.facts().levels[level];
    read_region(slide, level, PixelBox::whole(facts.rows, facts.cols)).unwrap()
}

#[test]
fn a_series_is_one_slide_whichever_file_is_named() {
    for name in [
        "parts/a.dcm",
        "parts/b.dcm",
        "parts/c.dcm",
        "parts/label.dcm",
    ] {
        let slide = opened(&golden(name));
        let facts = slide.facts();
        assert_eq!(facts.format, SlideFormat::Dicom);
        assert!((facts.mpp.as_ref().unwrap().microns() - 0.5).abs() < 1e-9);
        let sizes: Vec<_> = facts
            .levels
            .iter()
            .map(|l| (l.rows, l.cols, l.downsample))
            .collect();
        assert_eq!(sizes, [(100, 140, 1.0), (50, 70, 2.0)]);
        let left: Vec<_> = facts.left_out.iter().map(|image| &*image.name).collect();
        assert_eq!(left, ["label"]);
        assert!(facts.levels.iter().all(|level| level.absent_tiles == 0));
        assert_eq!(whole(&*slide, 0), picture("field.png"), "{name}");
        assert_eq!(whole(&*slide, 1), picture("half.png"), "{name}");
    }
}

#[test]
fn sparse_tiles_that_are_missing_are_glass() {
    let slide = opened(&golden("sparse/a.dcm"));
    assert_eq!(slide.facts().levels[0].absent_tiles, 1);
    let (got, field) = (whole(&*slide, 0), picture("field.png"));
    for row in 0..100 {
        for col in 0..140 {
            let expected = if row < 64 && col >= 128 {
                [255; 3]
            } else {
                field.at(row, col)
            };
            assert_eq!(got.at(row, col), expected, "row {row}, column {col}");
        }
    }
}

#[test]
fn jpeg_tiles_agree_with_wsidicom() {
    let (got, expected) = (
        whole(&*opened(&golden("jpeg/a.dcm")), 0),
        picture("jpeg.png"),
    );
    let pairs = got
        .pixels()
        .as_flattened()
        .iter()
        .zip(expected.pixels().as_flattened());
    // Decoders round otherwise.
    let differences: Vec<u8> = pairs.map(|(a, b)| a.abs_diff(*b)).collect();
    let most = differences.iter().max().unwrap();
    let sum: f64 = differences.iter().map(|&d| f64::from(d)).sum();
    let mean = sum / differences.len() as f64;
    assert!(*most <= 3 && mean < 0.5, "{most} {mean}");
}

#[test]
fn truncated_and_other_objects_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.dcm");
    let bytes = std::fs::read(golden("sparse/a.dcm")).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 3000]).unwrap();
    let error = open_slide(&file, &SlideLimits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
    let alone = folder.path().join("label.dcm");
    std::fs::copy(golden("parts/label.dcm"), &alone).unwrap();
    std::fs::remove_file(&file).unwrap();
    let error = open_slide(&alone, &SlideLimits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}

#[test]
fn a_faulty_real_file_is_read_with_notes() {
    let Some(folder) = fixtures() else {
        eprintln!("skipped: a real DICOM slide, LOBULE_DATA is not set");
        return;
    };
    let slide = opened(&folder.join("pathml_small_dicom.dcm"));
    let facts = slide.facts();
    assert_eq!((facts.levels[0].rows, facts.levels[0].cols), (2638, 3236));
    assert!(
        facts.mpp.as_ref().unwrap_err().contains("square"),
        "{:?}",
        facts.mpp
    );
    assert_eq!(facts.notes.len(), 3, "{:?}", facts.notes);
    let window = PixelBox {
        row: 1200,
        col: 1400,
        rows: 700,
        cols: 700,
    };
    read_region(&*slide, 0, window).unwrap();
}
