//! Finding the sonogram.

use lobule_exam::{CropMethod, PixelBox, WarningKind};
use lobule_raster::{ErrorKind, Image, Picture, find_sonogram, paint_over_marks};
use proptest::prelude::*;

use crate::screens::{Noise, Shape, draw_echoes, draw_text, screen};

fn a_box(row: usize, col: usize, rows: usize, cols: usize) -> PixelBox {
    PixelBox {
        row,
        col,
        rows,
        cols,
    }
}

/// Most pixels by which a side of a found window may be off.
const SIDE_TOLERANCE: usize = 8;

#[test]
fn sonograms_are_found_on_full_screens() {
    for (shape, window) in [
        (Shape::Linear, a_box(48, 120, 380, 440)),
        (Shape::Linear, a_box(30, 90, 400, 480)),
        (Shape::Fan, a_box(40, 100, 390, 480)),
        (Shape::Linear, a_box(120, 200, 200, 240)),
    ] {
        let picture = Picture::Gray8(screen(window, shape, 7));
        let found = find_sonogram(&picture, &[]).unwrap();
        assert_eq!(found.method, CropMethod::Pixels);
        for (got, expected) in [
            (found.window.row, window.row),
            (found.window.col, window.col),
            (found.window.row_end(), window.row_end()),
            (found.window.col_end(), window.col_end()),
        ] {
            assert!(
                got.abs_diff(expected) <= SIDE_TOLERANCE,
                "{shape:?}: expected {window:?}, got {:?}",
                found.window
            );
        }
    }
}

#[test]
fn text_that_touches_the_echoes_is_cut_off() {
    let window = a_box(120, 100, 240, 440);
    let mut gray = Image::filled(480, 640, 0_u8);
    draw_echoes(&mut gray, window, Shape::Linear, &mut Noise(5));
    // Fading echoes are dark below; the lower text stands below bright ones.
    (300..360)
        .for_each(|row| (100..540).for_each(|col| gray.set(row, col, gray.at(row - 150, col))));
    for row in (72..120).chain(360..400).step_by(8) {
        draw_text(&mut gray, row, 110, 20);
        draw_text(&mut gray, row, 440, 12);
    }
    let found = find_sonogram(&Picture::Gray8(gray), &[]).unwrap().window;
    let off = |got: usize, expected: usize| got.abs_diff(expected) > SIDE_TOLERANCE;
    assert!(
        !off(found.row, 120) && !off(found.row_end(), 360),
        "{found:?}"
    );
}

#[test]
fn a_cropped_sonogram_is_left_whole() {
    for shape in [Shape::Linear, Shape::Fan] {
        let mut gray = Image::filled(260, 320, 0_u8);
        let whole = PixelBox::whole(260, 320);
        draw_echoes(&mut gray, whole, shape, &mut Noise(3));
        let found = find_sonogram(&Picture::Gray8(gray), &[]).unwrap();
        assert_eq!(
            (found.window, found.method),
            (whole, CropMethod::Whole),
            "{shape:?}"
        );
    }
}

#[test]
fn regions_come_first() {
    let mut gray = Image::filled(400, 600, 0_u8);
    draw_echoes(
        &mut gray,
        PixelBox::whole(400, 600),
        Shape::Linear,
        &mut Noise(5),
    );
    let picture = Picture::Gray8(gray);
    let left = a_box(20, 10, 300, 280);
    let cases: [(&[PixelBox], PixelBox, usize); 6] = [
        (&[left], left, 0),
        (&[left, a_box(30, 20, 40, 50)], left, 0),
        (
            &[left, a_box(20, 290, 300, 270)],
            a_box(20, 10, 300, 550),
            0,
        ),
        (&[left, a_box(20, 320, 300, 250)], left, 1),
        (
            &[a_box(300, 500, 900, usize::MAX)],
            a_box(300, 500, 100, 100),
            0,
        ),
        (
            &[a_box(5, 5, 10, 10), a_box(999, 0, 50, 50)],
            PixelBox::whole(400, 600),
            0,
        ),
    ];
    for (regions, expected, warnings) in cases {
        let found = find_sonogram(&picture, regions).unwrap();
        assert_eq!(found.window, expected, "{regions:?}");
        assert_eq!(found.warnings.len(), warnings, "{regions:?}");
    }
}

#[test]
fn pictures_without_a_sonogram_are_refused() {
    let mut text = Image::filled(480, 640, 0_u8);
    (0..20).for_each(|line| draw_text(&mut text, 10 + 20 * line, 20, 70));
    for gray in [
        Image::filled(1, 1, 9),
        Image::filled(0, 0, 9),
        Image::filled(31, 400, 90),
        Image::filled(480, 640, 0),
        Image::filled(480, 640, 200),
        text,
    ] {
        let size = (gray.rows(), gray.cols());
        let error = find_sonogram(&Picture::Gray8(gray), &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSonogram, "{size:?}: {error}");
    }
}

#[test]
fn a_color_photograph_is_refused() {
    let mut noise = Noise(11);
    let photo = Image::from_fn(200, 300, |row, _| {
        let v = (80.0 + 100.0 * noise.next()) as u8;
        if row < 100 {
            [v / 3, v / 2, v]
        } else {
            [v / 4, v, v / 3]
        }
    });
    let error = find_sonogram(&Picture::Rgb8(photo), &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotUltrasound);
}

#[test]
fn a_doppler_box_is_marked() {
    let mut gray = Image::filled(240, 320, 0_u8);
    draw_echoes(
        &mut gray,
        PixelBox::whole(240, 320),
        Shape::Linear,
        &mut Noise(2),
    );
    let rgb = Image::from_fn(240, 320, |row, col| {
        let flow = row.abs_diff(120) < 20 && col.abs_diff(160) < 30;
        if flow {
            [220, 40, 20]
        } else {
            [gray.at(row, col); 3]
        }
    });
    let found = find_sonogram(&Picture::Rgb8(rgb), &[]).unwrap();
    let kinds: Vec<_> = found.warnings.iter().map(|w| w.kind).collect();
    assert_eq!(kinds, [WarningKind::ColorDoppler]);
}

/// Smooth tissue of rows that differ, with a little noise.
fn tissue(rows: usize, cols: usize) -> Image<u8> {
    let mut noise = Noise(1);
    Image::from_fn(rows, cols, |row, _| {
        (60.0 + 20.0 * (row as f64 / 17.0).sin() + 14.0 * noise.next()) as u8
    })
}

#[test]
fn crosses_and_letters_are_painted_over_and_interfaces_are_not() {
    let mut gray = tissue(280, 320);
    for (row, col) in [(100, 90), (140, 220)] {
        for i in 0..9 {
            gray.set(row + i, col + 4, 250);
            gray.set(row + 4, col + i, 250);
        }
    }
    draw_text(&mut gray, 230, 100, 8);
    for col in 40..280 {
        gray.set(180, col, 200);
        gray.set(181, col, 200);
    }
    let painted = paint_over_marks(&mut gray);
    assert!((100..2200).contains(&painted), "{painted} pixels");
    for (idx, &v) in gray.pixels().iter().enumerate() {
        let row = idx / 320;
        assert!(
            v < 150 || (179..=182).contains(&row),
            "{v} left in row {row}"
        );
    }
    let kept = gray.row(180)[40..280].iter().filter(|&&v| v == 200).count();
    assert!(kept > 230, "{kept} of 240 pixels of the interface left");
}

#[test]
fn painting_leaves_unmarked_tissue_alone() {
    let gray = tissue(200, 300);
    let mut painted = gray.clone();
    assert_eq!(paint_over_marks(&mut painted), 0);
    assert_eq!(painted, gray);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_picture_panics(
        rows in 0_usize..90,
        cols in 0_usize..90,
        seed: u64,
        step in 1_u64..255,
    ) {
        let mut noise = Noise(seed);
        let gray = Image::from_fn(rows, cols, |_, _| {
            (255.0 * noise.next()) as u8 / step as u8 * step as u8
        });
        let mut painted = gray.clone();
        prop_assert!(paint_over_marks(&mut painted) <= rows * cols);
        prop_assert_eq!((painted.rows(), painted.cols()), (rows, cols));
        if let Ok(found) = find_sonogram(&Picture::Gray8(gray), &[]) {
            prop_assert!(found.window.row_end() <= rows && found.window.col_end() <= cols);
            prop_assert!(found.window.rows >= 32 && found.window.cols >= 32);
        }
    }
}
