//! Tiles against what OpenSlide and tifffile make of the same files (`golden/make_golden.py`).

use std::path::{Path, PathBuf};

use lobule_exam::PixelBox;
use lobule_slide::{Rgb, SlideFormat, SlideLimits, TileSource, open_slide, read_region};

pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

pub(crate) fn opened(path: &Path) -> Box<dyn TileSource> {
    open_slide(path, &SlideLimits::default()).unwrap()
}

/// Where the real slides are that cannot be kept here.
pub(crate) fn fixtures() -> Option<PathBuf> {
    let folder =
        std::env::var_os("LOBULE_DATA").map(|data| PathBuf::from(data).join("wsi_fixtures"));
    folder.filter(|folder| folder.is_dir())
}

/// One line of `expected.tsv` or `real.tsv`.
struct Part<'a> {
    file: &'a str,
    level: usize,
    window: PixelBox,
    /// All cells of the line.
    cells: Vec<&'a str>,
}

fn parts(text: &str) -> Vec<Part<'_>> {
    text.lines()
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let number = |i: usize| cells[i].parse().unwrap();
            Part {
                file: cells[0],
                level: number(1),
                window: PixelBox {
                    row: number(2),
                    col: number(3),
                    rows: number(4),
                    cols: number(5),
                },
                cells,
            }
        })
        .collect()
}

/// Largest and mean absolute difference of two images of one size.
fn difference(a: &Rgb, b: &Rgb) -> (u8, f64) {
    assert_eq!((a.rows(), a.cols()), (b.rows(), b.cols()));
    let both = a
        .pixels()
        .as_flattened()
        .iter()
        .zip(b.pixels().as_flattened());
    let differences: Vec<u8> = both.map(|(a, b)| a.abs_diff(*b)).collect();
    let sum: f64 = differences.iter().map(|&d| f64::from(d)).sum();
    (
        differences.iter().copied().max().unwrap_or(0),
        sum / differences.len() as f64,
    )
}

#[test]
fn every_encoding_agrees_with_independent_readers() {
    let text = std::fs::read_to_string(golden("expected.tsv")).unwrap();
    let parts = parts(&text);
    assert!(parts.len() > 25);
    for part in &parts {
        let slide = opened(&golden(part.file));
        let got = read_region(&*slide, part.level, part.window).unwrap();
        let expected = image::open(golden("expected").join(part.cells[6]))
            .unwrap()
            .to_rgb8();
        let expected = expected.pixels().map(|p| p.0).collect();
        let expected = Rgb::from_pixels(part.window.rows, part.window.cols, expected).unwrap();
        let (largest, mean) = difference(&got, &expected);
        let (most, most_mean) = tolerance(part.file);
        assert!(
            largest <= most && mean <= most_mean,
            "{} level {}: largest difference {largest}, mean {mean:.3}",
            part.file,
            part.level
        );
    }
}

#[test]
fn real_slides_agree_with_independent_readers() {
    let text = std::fs::read_to_string(golden("real.tsv")).unwrap();
    let parts = parts(&text);
    let Some(folder) = fixtures() else {
        eprintln!(
            "skipped: {} parts of real slides, LOBULE_DATA is not set",
            parts.len()
        );
        return;
    };
    for part in &parts {
        let slide = opened(&folder.join(part.file));
        let got = read_region(&*slide, part.level, part.window).unwrap();
        let (most, _) = tolerance(part.file);
        let lattice = (0..64).flat_map(|i| got.at(4 + i / 8 * 8, 4 + i % 8 * 8));
        let expected = (0..192).map(|i| u8::from_str_radix(&part.cells[6][2 * i..2 * i + 2], 16));
        for (got, expected) in lattice.zip(expected) {
            assert!(got.abs_diff(expected.unwrap()) <= most, "{}", part.file);
        }
        for c in 0..3 {
            let sum: f64 = got.pixels().iter().map(|p| f64::from(p[c])).sum();
            let mean = sum / got.pixels().len() as f64;
            let expected: f64 = part.cells[8 + c].parse().unwrap();
            assert!(
                (mean - expected).abs() < 0.02,
                "{}: {mean} {expected}",
                part.file
            );
        }
    }
}

/// Without loss nothing may differ. Decoders of JPEG may round otherwise, and interpolate reduced
/// colour differences otherwise; those of JPEG 2000 with loss and of YCbCr may round otherwise.
fn tolerance(file: &str) -> (u8, f64) {
    match file {
        _ if file.contains("jpeg") || file.starts_with("CMU") => (4, 0.6),
        _ if file.contains("j2k_ycc") || file.starts_with("tcga") => (1, 0.1),
        _ => (0, 0.0),
    }
}

#[test]
fn aperio_files_state_their_scale_and_their_label_is_left_out() {
    let slide = opened(&golden("j2k_rgb.svs"));
    let facts = slide.facts();
    assert_eq!(facts.format, SlideFormat::Aperio);
    assert_eq!(facts.mpp.as_ref().unwrap().microns(), 0.499);
    assert_eq!(facts.magnification, Some(20.0));
    let steps: Vec<f64> = facts.levels.iter().map(|level| level.downsample).collect();
    assert_eq!(steps, [1.0, 2.0]);
    let names: Vec<&str> = facts.left_out.iter().map(|image| &*image.name).collect();
    assert_eq!(names, ["thumbnail", "label", "macro"]);
}

#[test]
fn other_tiffs_state_their_scale_by_tags_or_by_ome() {
    let deflate = opened(&golden("deflate.tif"));
    // 2000 pixels per millimetre.
    assert!((deflate.facts().mpp.as_ref().unwrap().microns() - 0.5).abs() < 1e-6);
    assert_eq!(deflate.facts().levels.len(), 3);
    let ome = opened(&golden("ome.ome.tif"));
    assert_eq!(ome.facts().format, SlideFormat::OmeTiff);
    assert_eq!(ome.facts().mpp.as_ref().unwrap().microns(), 0.5);
    let gray = opened(&golden("gray16.tif"));
    assert!(gray.facts().mpp.is_err());
}

#[test]
fn a_picture_is_a_slide_of_one_level() {
    let folder = tempfile::tempdir().unwrap();
    let truth = image::RgbImage::from_fn(300, 270, |x, y| {
        image::Rgb([x as u8, y as u8, (x ^ y) as u8])
    });
    let file = folder.path().join("field.png");
    truth.save(&file).unwrap();
    let slide = opened(&file);
    let level = &slide.facts().levels[0];
    assert_eq!(
        (
            level.rows,
            level.cols,
            level.tiles_down(),
            level.tiles_across()
        ),
        (270, 300, 2, 2)
    );
    let window = PixelBox {
        row: 250,
        col: 250,
        rows: 30,
        cols: 60,
    };
    let region = read_region(&*slide, 0, window).unwrap();
    assert_eq!(region.at(0, 0), truth.get_pixel(250, 250).0);
    assert_eq!(region.at(19, 49), truth.get_pixel(299, 269).0);
    assert_eq!(region.at(20, 0), [255; 3], "below the slide is glass");
}
