//! The preparation and its way back.

use lobule_exam::{PixelBox, Point};
use lobule_raster::{ErrorKind, Image, Picture, PrepareConfig, prepare};
use proptest::prelude::*;

use crate::screens::{Noise, Shape, draw_echoes};

/// Rounding of a few double operations on coordinates below 10⁴.
const POINT_TOLERANCE: f64 = 1e-9;

fn echoes(rows: usize, cols: usize) -> Picture {
    let mut gray = Image::filled(rows, cols, 0_u8);
    draw_echoes(
        &mut gray,
        PixelBox::whole(rows, cols),
        Shape::Linear,
        &mut Noise(4),
    );
    Picture::Gray8(gray)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn points_go_there_and_back(
        rows in 40_usize..400,
        cols in 40_usize..400,
        (r, c) in (0.0..1.0, 0.0..1.0),
        side in 32_usize..300,
    ) {
        let config = PrepareConfig { rows: side, cols: side + 16, ..PrepareConfig::default() };
        let region = PixelBox { row: 3, col: 5, rows: rows - 4, cols: cols - 7 };
        let input = prepare(&echoes(rows, cols), &[region], &config).unwrap();
        let input_from_image = input.image_from_input.inverse().unwrap();
        let image = Point { row: r * rows as f64, col: c * cols as f64 };
        let back = input.image_from_input.apply(input_from_image.apply(image));
        prop_assert!((back.row - image.row).abs() < POINT_TOLERANCE);
        prop_assert!((back.col - image.col).abs() < POINT_TOLERANCE);
    }

    #[test]
    fn letterboxing_keeps_the_shape(rows in 40_usize..600, cols in 40_usize..600) {
        let input = prepare(&echoes(rows, cols), &[], &PrepareConfig::default()).unwrap();
        let [[per_row, _, _], [_, per_col, _]] = input.image_from_input.matrix;
        // The scaled sides are rounded to whole pixels, the shorter one may have as few as 15.
        prop_assert!((per_row / per_col - 1.0).abs() < 0.05, "{per_row} and {per_col}");
    }
}

#[test]
fn a_bright_square_is_where_the_transform_says() {
    let mut gray = echoes(200, 300).luma().map(|v| v / 3);
    for row in 90..130 {
        (210..250).for_each(|col| gray.set(row, col, 200 + (row + col) as u8 % 20));
    }
    let config = PrepareConfig {
        paint_marks: false,
        ..PrepareConfig::default()
    };
    let input = prepare(&Picture::Gray8(gray), &[], &config).unwrap();
    let input_from_image = input.image_from_input.inverse().unwrap();
    let (mut sum, mut row_sum, mut col_sum) = (0.0, 0.0, 0.0);
    for (idx, &v) in input.chw.iter().enumerate() {
        let weight = f64::from(v > 0.4);
        sum += weight;
        row_sum += weight * (idx / input.cols) as f64;
        col_sum += weight * (idx % input.cols) as f64;
    }
    let center = input_from_image.apply(Point {
        row: 109.5,
        col: 229.5,
    });
    assert!((row_sum / sum - center.row).abs() < 0.5 && (col_sum / sum - center.col).abs() < 0.5);
}

#[test]
fn an_empty_input_is_an_error() {
    let config = PrepareConfig {
        rows: 0,
        ..PrepareConfig::default()
    };
    let error = prepare(&echoes(64, 64), &[], &config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSonogram);
}
