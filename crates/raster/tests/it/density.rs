//! Percent density: drawn breasts with a known share, and film scans where they are at hand.

use std::path::Path;

use lobule_exam::View;
use lobule_raster::{
    Density, DensityClassifier, Image, Limits, MammogramHints, find_breast, read_picture,
};

const ROWS: usize = 600;
const COLS: usize = 420;

/// A half disc of fat that gets darker towards the skin, with a bright disc of a radius in it.
fn drawn(radius: f64, brightness: f64) -> Image<u16> {
    Image::from_fn(ROWS, COLS, |row, col| {
        let away = |c: f64| (row as f64 - 300.0).hypot(col as f64 - c);
        let from_skin = 260.0 - away(0.0);
        if from_skin < 0.0 {
            return 0;
        }
        let thin = (from_skin / 60.0).min(1.0).sqrt();
        let grain = ((row * 7919 + col * 104_729 + row * col * 31) % 900) as f64;
        let tissue = if away(90.0) < radius {
            38_000.0
        } else {
            20_000.0
        };
        ((tissue * thin + grain) * brightness) as u16
    })
}

fn density(image: &Image<u16>) -> Density {
    let breast = find_breast(image, &MammogramHints::default()).unwrap();
    breast.percent_density().unwrap()
}

/// The disc's share of the half disc without the skin's rim, four of 256 rows of the window.
fn expected(radius: f64) -> f64 {
    let inner: f64 = 260.0 - 4.0 * 540.0 / 256.0;
    radius.powi(2) / (0.5 * inner.powi(2))
}

#[test]
fn the_share_is_that_of_the_bright_disc() {
    for radius in [40.0, 60.0, 90.0] {
        let share = density(&drawn(radius, 1.0)).share;
        assert!((share - expected(radius)).abs() < 0.03, "{radius}: {share}");
    }
}

#[test]
fn fat_alone_is_not_dense_though_its_rim_is_dark() {
    let share = density(&drawn(0.0, 1.0)).share;
    assert!(share < 0.05, "{share}");
}

#[test]
fn neither_exposure_nor_side_counts() {
    let image = drawn(70.0, 1.0);
    let share = density(&image).share;
    let dark = density(&drawn(70.0, 0.4)).share;
    let mirrored = Image::from_fn(ROWS, COLS, |r, c| image.at(r, COLS - 1 - c));
    let mirrored = density(&mirrored).share;
    assert!((share - dark).abs() < 0.02 && (share - mirrored).abs() < 0.01);
}

#[test]
fn a_breast_without_pixels_to_measure_has_no_density() {
    let mut breast = find_breast(&drawn(70.0, 1.0), &MammogramHints::default()).unwrap();
    breast.mask = breast.mask.map(|_| false);
    assert_eq!(breast.percent_density(), None);
    breast.gray = Image::filled(0, 0, 0);
    assert_eq!(breast.percent_density(), None);
}

#[test]
fn every_classifier_says_what_it_is() {
    let density = density(&drawn(70.0, 1.0));
    let all = [
        (
            DensityClassifier::film(),
            vec!["fatty", "glandular", "dense"],
        ),
        (DensityClassifier::digital(), vec!["A-B", "C-D"]),
        (
            DensityClassifier::letters_experimental(),
            vec!["A", "B", "C", "D"],
        ),
    ];
    for (classifier, names) in all {
        let classes = classifier.probabilities(&density);
        let found: Vec<&str> = classes.iter().map(|c| c.name).collect();
        assert_eq!(found, names);
        let sum: f64 = classes.iter().map(|c| c.probability).sum();
        assert!((sum - 1.0).abs() < 1e-9);
        let best = classifier.classify(&density);
        assert!(classes.iter().all(|c| c.probability <= best.probability));
        assert!(classifier.measured().contains("by patient"));
        assert!(!classifier.licence().is_empty() && !classifier.images().is_empty());
    }
    assert!(DensityClassifier::film().licence().contains("research"));
}

#[test]
fn film_scans_called_dense_have_larger_shares() {
    let Some(root) = std::env::var_os("LOBULE_DATA") else {
        println!("skipped: density of film scans (LOBULE_DATA is not set)");
        return;
    };
    let root = Path::new(&root).join("mini_mias");
    let table = std::fs::read_to_string(root.join("labels.csv")).unwrap();
    let hints = MammogramHints {
        view: Some(View::Mlo),
        ..MammogramHints::default()
    };
    let mut shares = [Vec::new(), Vec::new()];
    for line in table.lines().skip(1).step_by(4) {
        let cells: Vec<&str> = line.split(',').collect();
        let class = match cells[4] {
            "F" => 0,
            "D" => 1,
            _ => continue,
        };
        let image = read_picture(&root.join(cells[0]), &Limits::default()).unwrap();
        let breast = find_breast(&image.luma16(), &hints).unwrap();
        shares[class].push(breast.percent_density().unwrap().share);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let [fatty, dense] = [mean(&shares[0]), mean(&shares[1])];
    println!("mean shares: fatty {fatty:.2}, dense {dense:.2}");
    assert!(dense > fatty + 0.1);
}
