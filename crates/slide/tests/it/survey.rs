//! Looking slides over: tissue, pen, fold, blur, glass and damage, on drawn slides.

use std::path::{Path, PathBuf};

use lobule_slide::{
    ErrorKind, GridConfig, GridKey, SlideLimits, Survey, SurveyConfig, open_slide, survey,
};

use crate::golden::golden;

/// What a density of the two stains looks like.
fn stained(hematoxylin: f64, eosin: f64) -> [u8; 3] {
    let (h, e) = ([0.650, 0.704, 0.286], [0.0925, 0.954, 0.283]);
    [0, 1, 2].map(|c| (245.0 * (-(h[c] * hematoxylin + e[c] * eosin)).exp()) as u8)
}

/// 600 × 900 pixels of 4 µm: tissue on the left two thirds with nuclei, out of focus from column 300
/// on; a fold in rows 240 to 330, a pen on the right.
fn drawn(row: usize, col: usize) -> [u8; 3] {
    let (y, x) = ((row % 10) as f64 - 4.5, (col % 10) as f64 - 4.5);
    match () {
        _ if col >= 600 && (700..720).contains(&col) => [25, 60, 190],
        _ if col >= 600 => [244; 3],
        _ if col < 300 && (240..330).contains(&row) => stained(0.9, 1.3),
        _ if col < 300 && y.hypot(x) < 2.5 => stained(1.1, 0.1),
        _ if col < 300 => stained(0.1, 0.45),
        // Slow waves: nothing has an edge.
        _ => stained(
            0.25 + 0.1 * (col as f64 / 40.0).sin(),
            0.4 + 0.1 * (row as f64 / 50.0).cos(),
        ),
    }
}

fn saved(folder: &Path, pixel: fn(usize, usize) -> [u8; 3]) -> PathBuf {
    let picture =
        image::RgbImage::from_fn(900, 600, |x, y| image::Rgb(pixel(y as usize, x as usize)));
    let file = folder.join("slide.png");
    picture.save(&file).unwrap();
    file
}

fn config() -> SurveyConfig {
    SurveyConfig {
        grid: GridConfig {
            side: 60,
            overlap: 0,
            mpp: 4.0,
        },
        finest_mpp: Some(4.0),
        ..SurveyConfig::default()
    }
}

fn looked_over(pixel: fn(usize, usize) -> [u8; 3]) -> Survey {
    let folder = tempfile::tempdir().unwrap();
    let slide = open_slide(&saved(folder.path(), pixel), &SlideLimits::default()).unwrap();
    survey(&*slide, &config()).unwrap()
}

#[test]
fn each_square_has_a_verdict_with_its_reason() {
    let survey = looked_over(drawn);
    assert_eq!(survey.verdicts.len(), 150);
    let verdict = |row, col| survey.verdicts[&GridKey { row, col }].name();
    assert_eq!(verdict(1, 1), "taken");
    assert_eq!(verdict(4, 2), "fold");
    assert_eq!(verdict(2, 7), "blur");
    assert_eq!(verdict(5, 11), "pen");
    assert_eq!(verdict(5, 14), "glass");
    assert!(
        survey.taken().iter().all(|key| key.col < 5),
        "{:?}",
        survey.taken()
    );
    assert!(survey.taken().len() >= 35);
    let picture = survey.qc_picture();
    assert_eq!((picture.rows(), picture.cols()), (300, 450));
    // The corner of a taken square, and of a blurred one.
    assert_eq!(picture.at(30, 30), [0, 140, 60]);
    assert_eq!(picture.at(60, 210), [0, 70, 220]);
    if let Some(folder) = std::env::var_os("LOBULE_KEEP") {
        let pixels = picture.pixels().as_flattened().to_vec();
        let file = PathBuf::from(folder).join("survey.png");
        image::RgbImage::from_raw(450, 300, pixels)
            .unwrap()
            .save(file)
            .unwrap();
    }
}

#[test]
fn slides_of_glass_or_pen_have_nothing_to_take() {
    assert_eq!(looked_over(|_, _| [245; 3]).count("glass"), 150);
    assert_eq!(looked_over(|_, _| [20, 90, 50]).count("pen"), 150);
}

#[test]
fn squares_of_lost_tiles_are_unreadable_and_others_are_judged() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read(golden("strips_plain.tif")).unwrap();
    bytes.truncate(bytes.len() - 200);
    let file = folder.path().join("cut.tif");
    std::fs::write(&file, bytes).unwrap();
    let slide = open_slide(&file, &SlideLimits::default()).unwrap();
    let config = SurveyConfig {
        grid: GridConfig {
            side: 20,
            overlap: 0,
            mpp: 4.0,
        },
        ..config()
    };
    let survey = survey(&*slide, &config).unwrap();
    assert_eq!(survey.count("unreadable"), 14, "{:?}", survey.verdicts);
}

#[test]
fn without_a_scale_nothing_is_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let slide = open_slide(&saved(folder.path(), drawn), &SlideLimits::default()).unwrap();
    let unstated = SurveyConfig {
        finest_mpp: None,
        ..config()
    };
    assert_eq!(
        survey(&*slide, &unstated).unwrap_err().kind(),
        ErrorKind::NoScale
    );
}
