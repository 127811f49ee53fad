//! Stains: golden values of numpy (`golden_stain/make_golden.py`), planted stains, degenerate slides.

use std::path::{Path, PathBuf};

use lobule_raster::{
    ColorStatistics, ErrorKind, Image, Limits, StainConfig, Stains, fit_stains, read_picture,
};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden_stain")
        .join(name)
}

fn rgb(name: &str) -> Image<[u8; 3]> {
    read_picture(&golden(name), &Limits::default())
        .unwrap()
        .to_rgb()
}

/// Both compute in double precision; ranks and eigenvectors are the same.
const SAME_ESTIMATE: f64 = 1e-8;

#[test]
fn the_estimate_and_the_normalized_tile_are_those_of_numpy() {
    let text = std::fs::read_to_string(golden("expected.tsv")).unwrap();
    assert_eq!(text.lines().count(), 3);
    for line in text.lines() {
        let (name, numbers) = line.split_once('\t').unwrap();
        let expected: Vec<f64> = numbers.split('\t').map(|n| n.parse().unwrap()).collect();
        let tile = rgb(&format!("{name}.png"));
        let stains = fit_stains(tile.pixels(), &StainConfig::default()).unwrap();
        let got = [&stains.hematoxylin[..], &stains.eosin, &stains.most].concat();
        for (got, expected) in got.iter().zip(&expected) {
            assert!(
                (got - expected).abs() < SAME_ESTIMATE,
                "{name}: {got} {expected}"
            );
        }
        let normalized = stains.normalize(&tile, &Stains::REFERENCE);
        let recolored = stains.colors.normalize(&tile, &ColorStatistics::REFERENCE);
        for (got, by) in [(normalized, "normalized"), (recolored, "reinhard")] {
            let expected = rgb(&format!("{name}_{by}.png"));
            let values = expected.pixels().as_flattened();
            let pairs = got.pixels().as_flattened().iter().zip(values);
            let most = pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(most <= 1, "{name}, {by}: {most}");
        }
    }
}

#[test]
fn an_even_color_is_moved_and_its_noise_is_not_blown_up() {
    let tile = Image::from_fn(16, 16, |r, c| [150, 90, 160 + ((r + c) % 2) as u8]);
    let own = ColorStatistics::of(tile.pixels().iter().copied());
    let moved = own.normalize(&tile, &ColorStatistics::REFERENCE);
    let values = moved.pixels().as_flattened();
    assert!(
        values.iter().all(|&v| v > 0 && v < 255),
        "{:?}",
        moved.at(0, 0)
    );
    let far = moved
        .at(0, 0)
        .iter()
        .zip(moved.at(0, 1))
        .map(|(a, b)| a.abs_diff(b))
        .max();
    assert!(far <= Some(8), "{far:?}");
}

#[test]
fn planted_stains_are_found() {
    let plain = ([0.650, 0.704, 0.286], [0.0925, 0.954, 0.283]);
    let blue = ([0.75, 0.60, 0.28], [0.20, 0.90, 0.38]);
    let pale = ([0.58, 0.72, 0.38], [0.10, 0.85, 0.52]);
    for (name, (h, e)) in [("plain", plain), ("blue", blue), ("pale", pale)] {
        let tile = rgb(&format!("{name}.png"));
        let stains = fit_stains(tile.pixels(), &StainConfig::default()).unwrap();
        for (got, planted) in [(stains.hematoxylin, h), (stains.eosin, e)] {
            let length = planted.iter().map(|v: &f64| v * v).sum::<f64>().sqrt();
            let cosine: f64 = got.iter().zip(planted).map(|(a, b)| a * b / length).sum();
            assert!(
                cosine.acos().to_degrees() < 6.0,
                "{name}: {got:?} {planted:?}"
            );
        }
    }
}

#[test]
fn a_normalized_slide_has_the_reference_stains() {
    let tile = rgb("pale.png");
    let stains = fit_stains(tile.pixels(), &StainConfig::default()).unwrap();
    let again = stains.normalize(&tile, &Stains::REFERENCE);
    let refitted = fit_stains(again.pixels(), &StainConfig::default()).unwrap();
    let before = distance(&stains);
    assert!(
        distance(&refitted) < before / 3.0,
        "{} {before}",
        distance(&refitted)
    );
}

fn distance(stains: &Stains) -> f64 {
    let reference = &Stains::REFERENCE;
    let pairs = stains
        .hematoxylin
        .iter()
        .chain(&stains.eosin)
        .zip(reference.hematoxylin.iter().chain(&reference.eosin));
    pairs.map(|(a, b)| (a - b).abs()).sum()
}

#[test]
fn slides_without_two_stains_are_refused() {
    let glass = vec![[250_u8; 3]; 5000];
    let one: Vec<[u8; 3]> = (0..5000)
        .map(|i| pixel([0.65, 0.70, 0.29], 0.5 + f64::from(i) / 4000.0))
        .collect();
    let flat = vec![[120_u8, 80, 140]; 5000];
    for (name, pixels) in [
        ("glass", glass),
        ("one", one),
        ("flat", flat),
        ("none", Vec::new()),
    ] {
        let error = fit_stains(&pixels, &StainConfig::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Stain, "{name}: {error}");
    }
    let config = StainConfig {
        percentile: 50.0,
        ..StainConfig::default()
    };
    assert_eq!(
        fit_stains(&[], &config).unwrap_err().kind(),
        ErrorKind::Config
    );
}

fn pixel(direction: [f64; 3], amount: f64) -> [u8; 3] {
    direction.map(|d| (240.0 * (-d * amount).exp()).round() as u8)
}
