//! Nuclei: drawn ones of known size, and fields with boxes where they are at hand.

use std::path::Path;

use lobule_raster::{
    ComponentFigures, DarkPieces, ErrorKind, Image, Limits, MitosisClassifier, NucleiConfig,
    StainConfig, TileMark, find_dark_pieces, find_lumina, find_nuclei, fit_stains, mark_components,
    measure_components, nuclear_variation, read_picture,
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
fn tubules_and_what_looks_like_a_mitosis_are_measured_and_marked() {
    // A lumen of 10 µm radius, twelve nuclei around it; a crack; a dark ragged plate.
    let around = (0..12).map(|i| {
        let (sin, cos) = (f64::from(i) * std::f64::consts::TAU / 12.0).sin_cos();
        (40.0 + 15.0 * sin, 40.0 + 15.0 * cos, 2.8, 2.8)
    });
    let nuclei: Vec<(f64, f64, f64, f64)> = around.collect();
    let tissue = drawn(&nuclei, 100.0, 0.5);
    let tile = Image::from_fn(200, 200, |row, col| {
        let (y, x) = ((row as f64 + 0.5) * 0.5, (col as f64 + 0.5) * 0.5);
        let is_crack = (80.0..84.0).contains(&y) && (10.0..90.0).contains(&x);
        let plate = ((y - 80.0) / 2.0).hypot((x - 95.0) / 2.0) < 1.0;
        match (y - 40.0).hypot(x - 40.0) {
            from if from < 10.0 => [245; 3],
            _ if is_crack => [245; 3],
            _ if plate => [40, 25, 60],
            _ => tissue.at(row, col),
        }
    });
    let found = find_nuclei(&tile, None, 0.5, &NucleiConfig::default()).unwrap();
    let lumina = find_lumina(&tile, &found, None, 0.5).unwrap();
    assert_eq!(lumina.all.len(), 2);
    let tubular: Vec<bool> = lumina.all.iter().map(|l| l.is_tubular()).collect();
    assert_eq!(tubular, [true, false], "{:?}", lumina.all);
    let lumen = std::f64::consts::PI * 100.0;
    assert!((lumina.all[0].area_um2 / lumen - 1.0).abs() < 0.1);
    let components = measure_components(&tile, None, 0.5).unwrap();
    // The lumen grown by a square of 10 µm: between the disc of 20 µm and the square around it.
    let (least, most) = (4.0 * lumen, 4.0 * lumen * 4.0 / std::f64::consts::PI);
    assert!(
        (least..most).contains(&components.tubules_um2),
        "{components:?}"
    );
    assert!(
        (9300.0..9800.0).contains(&components.tissue_um2),
        "{components:?}"
    );
    assert!(components.nuclei >= 12);
    let marks = mark_components(&tile, None, 0.5).unwrap();
    assert!((59..64).any(|col| marks.at(80, col) == TileMark::Lumen));
    assert_eq!(marks.at(80, 80), TileMark::None);
    assert!(marks.pixels().contains(&TileMark::Nucleus));
    let other = Image::filled(3, 3, TISSUE);
    let refused = find_lumina(&other, &found, None, 0.5).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config);
}

#[test]
fn dark_pieces_are_darker_than_ordinary_nuclei() {
    let with = |color: [u8; 3]| {
        let tile = Image::from_fn(80, 80, |row, col| {
            let inside = ((row as f64 - 40.0) / 5.0).hypot((col as f64 - 40.0) / 12.0) <= 1.0;
            if inside { color } else { TISSUE }
        });
        find_dark_pieces(&tile, None, 0.5).unwrap()
    };
    let (dark, pale) = (with([30, 18, 55]), with([120, 90, 160]));
    assert_eq!((dark.pieces.all.len(), pale.pieces.all.len()), (1, 0));
    let features = dark.features[0];
    let of = |name: &str| {
        features[DarkPieces::FEATURES
            .iter()
            .position(|f| *f == name)
            .unwrap()]
    };
    assert!((of("log_area") - dark.pieces.all[0].area_um2.ln()).abs() < 1e-9);
    assert!((of("elongation") - 2.4).abs() < 0.2);
    assert!(of("hematoxylin") > 1.0 && of("hematoxylin_contrast") > 0.8);
    assert!((0.0..=1.0).contains(&of("empty_around")) && of("edge") > 0.2);
    assert!(of("darkness_tenth") <= of("darkness_ninetieth"));
    let probability = MitosisClassifier::built_in().probability(&features);
    assert!((0.0..=1.0).contains(&probability));
}

#[test]
fn the_figures_that_are_built_in_have_counts_and_intervals() {
    let figures = ComponentFigures::built_in();
    for text in [
        &figures.nuclei,
        &figures.median_area,
        &figures.size_variation,
        &figures.large_share,
        &figures.elongation,
        &figures.mitoses,
        &figures.tubules,
    ] {
        assert!(text.contains("95 % interval"), "{text}");
        assert!(text.contains("fields") || text.contains(" of "), "{text}");
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
    let variation = nuclear_variation(&sizes).unwrap();
    println!("{variation:?}");
    assert!((50.0..110.0).contains(&variation.median_um2));
}
