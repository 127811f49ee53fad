//! Nuclei: drawn ones of known size, and fields with boxes where they are at hand.

use std::path::Path;

use lobule_raster::{
    ErrorKind, Image, Limits, NuclearVariation, NucleiConfig, StainConfig, find_nuclei, fit_stains,
    read_picture,
};

const TISSUE: [u8; 3] = [226, 178, 212];
const NUCLEUS: [u8; 3] = [105, 72, 152];

/// Ellipses (row, column, half axes) in microns on even tissue.
fn drawn(ellipses: &[(f64, f64, f64, f64)], side_um: f64, mpp: f64) -> Image<[u8; 3]> {
    let side = (side_um / mpp) as usize;
    Image::from_fn(side, side, |row, col| {
        let (y, x) = ((row as f64 + 0.5) * mpp, (col as f64 + 0.5) * mpp);
        let inside = |&(r, c, a, b): &(f64, f64, f64, f64)| ((y - r) / a).hypot((x - c) / b) <= 1.0;
        match ellipses.iter().any(inside) {
            true => NUCLEUS,
            false => TISSUE,
        }
    })
}

#[test]
fn sizes_are_those_drawn_at_any_resolution() {
    let ellipses = [
        (25.0, 25.0, 4.0, 4.0),
        (25.0, 70.0, 4.0, 7.0),
        (70.0, 40.0, 6.0, 6.0),
    ];
    for mpp in [0.25, 0.4, 0.5] {
        let tile = drawn(&ellipses, 100.0, mpp);
        let nuclei = find_nuclei(&tile, None, mpp, &NucleiConfig::default()).unwrap();
        assert_eq!(nuclei.all.len(), 3, "{mpp}");
        for (row, col, a, b) in ellipses {
            let near = |n: &&lobule_raster::Nucleus| {
                (n.center.row * mpp - row).hypot(n.center.col * mpp - col) < 1.0
            };
            let found = nuclei.all.iter().find(near).expect("each is found");
            let area = std::f64::consts::PI * a * b;
            assert!(
                (found.area_um2 / area - 1.0).abs() < 0.2,
                "{mpp}: {found:?}"
            );
            assert!((found.elongation - b / a).abs() < 0.15);
            assert!(found.is_measurable());
        }
    }
}

#[test]
fn touching_nuclei_are_cut_and_those_at_the_edge_do_not_count() {
    let ellipses = [
        (50.0, 44.0, 5.0, 5.0),
        (50.0, 53.0, 5.0, 5.0),
        (2.0, 20.0, 5.0, 5.0),
    ];
    let tile = drawn(&ellipses, 100.0, 0.5);
    let nuclei = find_nuclei(&tile, None, 0.5, &NucleiConfig::default()).unwrap();
    assert_eq!(nuclei.all.len(), 3);
    assert_eq!(nuclei.all.iter().filter(|n| n.is_cut).count(), 1);
    assert_eq!(nuclei.all.iter().filter(|n| n.is_measurable()).count(), 2);
    let labeled = |label: u32| {
        nuclei
            .labels
            .pixels()
            .iter()
            .filter(|l| **l == label)
            .count()
    };
    for (label, nucleus) in (1..).zip(&nuclei.all) {
        assert_eq!(labeled(label) as f64 * 0.25, nucleus.area_um2);
    }
}

#[test]
fn tiles_without_nuclei_have_none_and_coarse_ones_are_refused() {
    let config = NucleiConfig::default();
    for tile in [
        Image::filled(80, 80, TISSUE),
        Image::filled(80, 80, [255; 3]),
        Image::filled(80, 80, [0; 3]),
        Image::filled(0, 0, [0; 3]),
        Image::filled(1, 3, NUCLEUS),
    ] {
        let nuclei = find_nuclei(&tile, None, 0.5, &config).unwrap();
        assert_eq!(nuclei.all.len(), 0);
    }
    for mpp in [0.0, -0.5, f64::NAN, 0.61] {
        let refused = find_nuclei(&Image::filled(8, 8, TISSUE), None, mpp, &config).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
    }
}

#[test]
fn boxed_nuclei_are_found_and_their_sizes_agree() {
    let Some(root) = std::env::var_os("LOBULE_DATA") else {
        println!("skipped: nuclei of boxed fields (LOBULE_DATA is not set)");
        return;
    };
    let root = Path::new(&root).join("brecahad30");
    let picture = read_picture(&root.join("images/Case_10-08.jpg"), &Limits::default()).unwrap();
    let picture = picture.to_rgb();
    let stains = fit_stains(picture.pixels(), &StainConfig::default()).unwrap();
    // 0.25 µm per pixel is what the project takes for these files.
    let nuclei = find_nuclei(&picture, Some(&stains), 0.25, &NucleiConfig::default()).unwrap();
    let table = std::fs::read_to_string(root.join("annotations/Case_10-08.csv")).unwrap();
    let (mut boxed, mut hit) = (0, 0);
    for line in table.lines().filter(|l| l.starts_with("Tumor_nuclei,")) {
        let cells: Vec<f64> = line
            .split(',')
            .skip(1)
            .map(|c| c.parse().unwrap())
            .collect();
        let inside = |n: &lobule_raster::Nucleus| {
            (n.center.col - cells[0]).abs() < cells[2] / 2.0
                && (n.center.row - cells[1]).abs() < cells[3] / 2.0
        };
        boxed += 1;
        hit += usize::from(nuclei.all.iter().any(inside));
    }
    println!("{hit} of {boxed} boxed nuclei found");
    assert!(boxed > 100 && hit as f64 > 0.85 * f64::from(boxed));
    let measurable = nuclei.all.iter().filter(|n| n.is_measurable());
    let sizes: Vec<(f64, f64)> = measurable.map(|n| (n.area_um2, n.elongation)).collect();
    let variation = NuclearVariation::of(&sizes).unwrap();
    println!("{variation:?}");
    assert!((50.0..110.0).contains(&variation.median_um2));
}
