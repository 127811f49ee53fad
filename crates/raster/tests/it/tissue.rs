//! Tissue from afar: glass, pen, folds, blur, on drawn slides.

use lobule_raster::{ErrorKind, Image, TissueClass, TissueConfig, find_tissue, sharpness};

use TissueClass::{Fold, Glass, Pen, Tissue};

/// What a density of the two stains looks like.
fn stained(hematoxylin: f64, eosin: f64) -> [u8; 3] {
    let (h, e) = ([0.650, 0.704, 0.286], [0.0925, 0.954, 0.283]);
    [0, 1, 2].map(|c| (245.0 * (-(h[c] * hematoxylin + e[c] * eosin)).exp()) as u8)
}

fn grain(row: usize, col: usize) -> u8 {
    ((row * 7919) ^ (col * 104_729) ^ (row * col * 31)) as u8 % 6
}

/// 240 × 320 pixels of 8 µm: tissue in the middle with dense nuclei, a fold and pens.
fn slide(row: usize, col: usize) -> [u8; 3] {
    let (y, x) = (row as f64, col as f64);
    let is_tissue = ((y - 120.0) / 80.0).hypot((x - 160.0) / 110.0) < 1.0;
    let base = match () {
        _ if (20..24).contains(&row) && (30..290).contains(&col) => [30, 110, 60],
        _ if (215..219).contains(&row) && (30..290).contains(&col) => [25, 25, 28],
        _ if (220..224).contains(&row) && (30..290).contains(&col) => [30, 60, 190],
        _ if is_tissue && (110..122).contains(&row) && (80..240).contains(&col) => {
            stained(0.75, 1.35)
        }
        _ if (y - 150.0).hypot(x - 160.0) < 14.0 => stained(1.6, 0.2),
        _ if is_tissue => stained(0.25, 0.45),
        _ => [244, 243, 245],
    };
    base.map(|v: u8| v.saturating_sub(grain(row, col)))
}

#[test]
fn pen_and_folds_are_told_from_tissue() {
    let map = find_tissue(&Image::from_fn(240, 320, slide), &TissueConfig::default()).unwrap();
    let cases = [
        ((5, 5), Glass),
        ((100, 160), Tissue),
        ((150, 160), Tissue),
        ((116, 160), Fold),
        ((22, 100), Pen),
        ((217, 100), Pen),
        ((222, 100), Pen),
    ];
    for ((row, col), expected) in cases {
        assert_eq!(
            map.classes.at(row, col),
            expected,
            "row {row}, column {col}"
        );
    }
    let true_tissue = std::f64::consts::PI * 80.0 * 110.0;
    let found = (map.count(Tissue) + map.count(Fold)) as f64 / true_tissue;
    assert!((0.95..1.08).contains(&found), "{found}");
}

#[test]
fn slides_of_one_thing_have_no_other() {
    let judged = |f: fn(usize, usize) -> [u8; 3]| {
        find_tissue(&Image::from_fn(200, 200, f), &TissueConfig::default()).unwrap()
    };
    let glass = judged(|r, c| [246 - grain(r, c), 244 - grain(c, r), 246]);
    assert_eq!(glass.count(Glass), 200 * 200);
    let pale = judged(|r, c| stained(0.1, 0.3 + f64::from(grain(r, c)) / 60.0));
    assert_eq!(pale.count(Tissue), 200 * 200);
    let ink = judged(|_, _| [20, 90, 50]);
    assert_eq!(ink.count(Pen), 200 * 200);
    let dirt = judged(|r, c| {
        if r < 5 && c < 5 {
            stained(1.0, 1.0)
        } else {
            [244; 3]
        }
    });
    assert_eq!(dirt.count(Glass), 200 * 200);
}

#[test]
fn blurred_tiles_are_less_sharp() {
    let nuclei = Image::from_fn(200, 200, |row, col| {
        let (y, x) = ((row % 25) as f64 - 12.0, (col % 25) as f64 - 12.0);
        if y.hypot(x) < 6.0 {
            stained(1.2, 0.1)
        } else {
            stained(0.1, 0.4)
        }
    });
    let blurred = Image::from_fn(200, 200, |row, col| {
        let near = |at: usize| at.saturating_sub(4)..(at + 5).min(200);
        let pixels = near(row).flat_map(|r| near(col).map(move |c| (r, c)));
        let (n, sum) = pixels.fold((0.0, [0.0; 3]), |(n, sum), (r, c)| {
            let p = nuclei.at(r, c);
            (n + 1.0, [0, 1, 2].map(|i| sum[i] + f64::from(p[i])))
        });
        sum.map(|v| (v / n).round() as u8)
    });
    let (sharp, soft) = (sharpness(&nuclei), sharpness(&blurred));
    assert!(sharp > 0.5 && soft < 0.03, "{sharp} {soft}");
    let pale = nuclei.map(|p| p.map(|v| 200 + v / 5));
    assert!(
        (sharpness(&pale) / sharp - 1.0).abs() < 0.1,
        "contrast does not count"
    );
    assert_eq!(sharpness(&Image::filled(50, 50, [90; 3])), 0.0);
    assert_eq!(sharpness(&Image::filled(2, 50, [90; 3])), 0.0);
}

#[test]
fn impossible_settings_are_refused() {
    for mpp in [0.0, -8.0, f64::NAN, 1000.0] {
        let config = TissueConfig {
            mpp,
            ..TissueConfig::default()
        };
        let error = find_tissue(&Image::filled(9, 9, [0; 3]), &config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
    let empty = Image::filled(0, 0, [0; 3]);
    assert_eq!(
        find_tissue(&empty, &TissueConfig::default())
            .unwrap()
            .count(Tissue),
        0
    );
}
