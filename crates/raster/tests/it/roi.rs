//! Greedy retrieval of windows from saliency maps.

use lobule_raster::{ErrorKind, Image, RoiConfig, retrieve_rois};
use proptest::prelude::*;

fn corners(maps: &[Image<f32>], input: (usize, usize), config: RoiConfig) -> Vec<(usize, usize)> {
    let rois = retrieve_rois(maps, input, config).unwrap();
    assert!(rois.iter().all(|r| r.rows == config.side
        && r.cols == config.side
        && r.row_end() <= input.0
        && r.col_end() <= input.1));
    rois.iter().map(|r| (r.row, r.col)).collect()
}

#[test]
fn boxes_are_taken_by_mass_and_leave_nothing_behind() {
    // Two peaks; a box of 2 × 2 cells around the second holds more than the single brighter cell.
    let map = Image::from_fn(6, 6, |row, col| match (row, col) {
        (0, 0) => 1.0,
        (3..=4, 3..=4) => 0.5,
        _ => 0.0,
    });
    let config = RoiConfig { count: 3, side: 20 };
    let got = corners(std::slice::from_ref(&map), (60, 60), config);
    assert_eq!(got, [(30, 30), (0, 0), (0, 0)]);
}

#[test]
fn classes_count_alike_whatever_their_range() {
    let faint = Image::from_fn(
        4,
        4,
        |row, col| {
            if (row, col) == (3, 3) { 0.011 } else { 0.010 }
        },
    );
    let strong = Image::from_fn(4, 4, |row, col| match (row, col) {
        (0, 1) => 0.9,
        (2, 0) => 0.8,
        _ => 0.0,
    });
    let flat = Image::filled(4, 4, 0.7);
    let config = RoiConfig { count: 3, side: 64 };
    let got = corners(&[faint, strong, flat], (256, 256), config);
    assert_eq!(got, [(0, 64), (192, 192), (128, 0)]);
}

#[test]
fn windows_stay_inside_where_cells_and_pixels_do_not_match() {
    let map = Image::from_fn(7, 5, |row, col| (row * col) as f32);
    let config = RoiConfig { count: 4, side: 30 };
    let got = corners(&[map], (100, 90), config);
    assert_eq!(got[0], (70, 54));
}

#[test]
fn what_cannot_be_searched_is_an_error() {
    let map = Image::filled(4, 4, 0.5);
    let ok = RoiConfig { count: 1, side: 16 };
    let cases = [
        (vec![], (64, 64), ok),
        (vec![Image::filled(0, 4, 0.5)], (64, 64), ok),
        (vec![map.clone(), Image::filled(4, 5, 0.5)], (64, 64), ok),
        (vec![Image::filled(4, 4, f32::NAN)], (64, 64), ok),
        (vec![map.clone()], (64, 64), RoiConfig { count: 0, ..ok }),
        (vec![map.clone()], (64, 64), RoiConfig { side: 0, ..ok }),
        (vec![map.clone()], (64, 64), RoiConfig { side: 65, ..ok }),
        (vec![map], (0, 64), ok),
    ];
    for (i, (maps, input, config)) in cases.into_iter().enumerate() {
        let error = retrieve_rois(&maps, input, config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Saliency, "case {i}");
    }
}

proptest! {
    /// Taken boxes hold less and less, and scaling a map changes nothing.
    #[test]
    fn masses_fall_and_affine_maps_change_nothing(
        values in prop::collection::vec(0_u8..50, 48),
        scale in 1_u8..8,
    ) {
        let map = Image::from_pixels(8, 6, values.iter().map(|&v| f32::from(v)).collect()).unwrap();
        let bent = map.map(|v| v * f32::from(scale) + 3.0);
        let config = RoiConfig { count: 5, side: 20 };
        let got = corners(std::slice::from_ref(&map), (80, 60), config);
        prop_assert_eq!(&got, &corners(&[bent], (80, 60), config));
        let least = values.iter().min().copied().map_or(0.0, f32::from);
        let mut left = map.map(|v| v - least);
        let mut last = f32::INFINITY;
        for (row, col) in got {
            let cells = (row / 10..row / 10 + 2).flat_map(|r| (col / 10..col / 10 + 2).map(move |c| (r, c)));
            let mass: f32 = cells.clone().map(|(r, c)| left.at(r, c)).sum();
            prop_assert!(mass <= last);
            last = mass;
            cells.for_each(|(r, c)| left.set(r, c, 0.0));
        }
    }
}
