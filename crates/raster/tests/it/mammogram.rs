//! Mammograms: drawn ones with known truth, and real ones where they are at hand.

mod real;

use lobule_exam::{BreastOrientation, ImageSide, PixelBox, Point, Spacing, View};
use lobule_raster::{
    Breast, ErrorKind, Image, MammogramConfig, MammogramHints, OrientationSource, Outside,
    Pectoral, Polarity, Scale, Standardization, find_breast,
};

const ROWS: usize = 600;
const COLS: usize = 420;

/// Noise without a generator: the same for the same pixel.
fn noise(row: usize, col: usize, top: u64) -> u64 {
    let mut x = (row as u64) << 32 | col as u64;
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (x ^ (x >> 31)) % top
}

fn is_breast(row: usize, col: usize) -> bool {
    let (r, c) = ((row as f64 - 310.0) / 240.0, col as f64 / 260.0);
    r.hypot(c) < 1.0
}

/// A half ellipse at the left edge, a bright muscle in its upper corner if asked for by `View`.
fn drawn(view: View, background: u16) -> Image<u16> {
    Image::from_fn(ROWS, COLS, |row, col| {
        let grain = noise(row, col, 1500) as u16;
        if !is_breast(row, col) {
            return background + grain / 20;
        }
        let muscle = view == View::Mlo && col as f64 / 150.0 + row as f64 / 380.0 < 1.0;
        if muscle {
            45_000 + grain
        } else {
            22_000 + grain * 4
        }
    })
}

fn paint(image: &mut Image<u16>, bounds: PixelBox, value: u16) {
    for row in bounds.row..bounds.row_end() {
        for col in bounds.col..bounds.col_end() {
            image.set(row, col, value);
        }
    }
}

fn mirrored(image: &Image<u16>) -> Image<u16> {
    Image::from_fn(image.rows(), image.cols(), |r, c| {
        image.at(r, image.cols() - 1 - c)
    })
}

/// The share of pixels in which the mask and the drawn breast agree, by intersection over union.
fn overlap(breast: &Breast, truth: impl Fn(usize, usize) -> bool) -> f64 {
    let (mut both, mut any) = (0.0, 0.0);
    for row in 0..breast.mask.rows() {
        for col in 0..breast.mask.cols() {
            let p = breast.image_from_mask.apply(Point {
                row: row as f64,
                col: col as f64,
            });
            let (drawn, found) = (
                truth(p.row.max(0.0) as usize, p.col.max(0.0) as usize),
                breast.mask.at(row, col),
            );
            both += f64::from(u8::from(drawn && found));
            any += f64::from(u8::from(drawn || found));
        }
    }
    both / any
}

fn plain(image: &Image<u16>) -> Breast {
    find_breast(image, &MammogramHints::default()).unwrap()
}

#[test]
fn the_breast_is_found_whatever_surrounds_it() {
    let clean = drawn(View::Cc, 0);
    let mut labeled = clean.clone();
    let label = PixelBox {
        row: 40,
        col: 340,
        rows: 40,
        cols: 60,
    };
    paint(&mut labeled, label, 65_000);
    let mut framed = drawn(View::Cc, 2_000);
    paint(
        &mut framed,
        PixelBox {
            row: 0,
            col: 0,
            rows: 14,
            cols: COLS,
        },
        65_000,
    );
    paint(
        &mut framed,
        PixelBox {
            row: ROWS - 9,
            col: 0,
            rows: 9,
            cols: COLS,
        },
        65_000,
    );
    paint(
        &mut framed,
        PixelBox {
            row: 0,
            col: COLS - 12,
            rows: ROWS,
            cols: 12,
        },
        65_000,
    );
    let inverted = clean.map(|v| 65_535 - v);
    let cases = [
        ("clean", clean, Polarity::AsGiven),
        ("grey background", drawn(View::Cc, 9_000), Polarity::AsGiven),
        ("label", labeled, Polarity::AsGiven),
        ("white border", framed, Polarity::AsGiven),
        ("inverted", inverted, Polarity::Inverted),
        (
            "dark",
            drawn(View::Cc, 0).map(|v| v / 16),
            Polarity::AsGiven,
        ),
    ];
    for (name, image, polarity) in cases {
        let breast = plain(&image);
        assert_eq!(breast.polarity, polarity, "{name}");
        let iou = overlap(&breast, is_breast);
        assert!(iou > 0.97, "{name}: {iou}");
        assert_eq!(breast.orientation.chest(), ImageSide::Left, "{name}");
        assert_eq!(
            breast.orientation_source,
            OrientationSource::Pixels,
            "{name}"
        );
        let mirror = plain(&mirrored(&image));
        assert_eq!(mirror.orientation.chest(), ImageSide::Right, "{name}");
    }
}

#[test]
fn a_slanted_border_below_the_breast_is_no_part_of_it() {
    // The breast runs down to the border, so that the two are one bright part.
    let truth = |row: usize, col: usize| is_breast(row, col) || (row > 300 && col < 60);
    let image = Image::from_fn(ROWS, COLS, |row, col| {
        let border = row >= 584 + col / 40;
        match (border, truth(row, col)) {
            (true, _) => 65_000,
            (_, true) => 22_000 + noise(row, col, 6_000) as u16,
            (_, false) => noise(row, col, 80) as u16,
        }
    });
    let breast = plain(&image);
    let iou = overlap(&breast, truth);
    assert!(iou > 0.96, "{iou}");
    assert!(breast.window.col_end() < 290, "{:?}", breast.window);
}

#[test]
fn a_strip_along_the_edge_alone_is_no_breast() {
    let strip = |height: usize, width: usize| {
        Image::from_fn(ROWS, COLS, |row, col| match row < height && col < width {
            true => 22_000 + noise(row, col, 6_000) as u16,
            false => noise(row, col, 80) as u16,
        })
    };
    let found = |image| find_breast(&image, &MammogramHints::default());
    // Large enough for a breast but for its shape.
    let error = found(strip(21, 350)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBreast);
    assert!(found(strip(60, 350)).is_ok());
    // A speck beside the strip is left over when it is cut.
    let mut speck = strip(21, 350);
    paint(
        &mut speck,
        PixelBox {
            row: 21,
            col: 340,
            rows: 15,
            cols: 30,
        },
        24_000,
    );
    assert_eq!(found(speck).unwrap_err().kind(), ErrorKind::NoBreast);
}

#[test]
fn the_background_is_measured_and_fills_what_lies_around() {
    let mut image = drawn(View::Cc, 9_000);
    paint(
        &mut image,
        PixelBox {
            row: 75,
            col: 255,
            rows: 30,
            cols: 20,
        },
        65_000,
    );
    let breast = plain(&image);
    assert!(
        (9_000..9_100).contains(&breast.background),
        "{}",
        breast.background
    );
    assert!(
        breast.gray.pixels().contains(&65_000),
        "the label is in the crop"
    );
    let highest = |outside| {
        let config = MammogramConfig {
            rows: breast.gray.rows(),
            cols: breast.gray.cols(),
            scale: Scale::Native,
            outside,
            standardization: Standardization::Breast,
        };
        let input = breast.place(&config).unwrap().standardized();
        input.iter().copied().fold(f32::MIN, f32::max)
    };
    assert!(highest(Outside::Kept) > 10.0 && highest(Outside::Background) < 4.0);
}

#[test]
fn what_holds_no_breast_is_refused() {
    let mut speck = Image::filled(ROWS, COLS, 0_u16);
    paint(
        &mut speck,
        PixelBox {
            row: 9,
            col: 9,
            rows: 12,
            cols: 12,
        },
        60_000,
    );
    let cases = [
        Image::filled(0, 0, 0),
        Image::filled(20, 500, 7),
        Image::filled(ROWS, COLS, 0),
        Image::filled(ROWS, COLS, 65_535),
        speck,
    ];
    for image in cases {
        let error = find_breast(&image, &MammogramHints::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoBreast, "{error}");
    }
}

#[test]
fn a_picture_without_background_is_taken_whole_with_a_warning() {
    let image = Image::from_fn(300, 280, |r, c| {
        20_000 + (r * 60 + c * 40) as u16 + noise(r, c, 6_000) as u16
    });
    let breast = plain(&image);
    assert!(breast.mask.pixels().iter().all(|&m| m));
    assert!(!breast.warnings.is_empty());
}

#[test]
fn the_stated_orientation_counts_unless_the_pixels_contradict_it() {
    let image = drawn(View::Cc, 0);
    let hints = |chest, upper| MammogramHints {
        orientation: BreastOrientation::new(chest, upper),
        ..MammogramHints::default()
    };
    let upside_down = hints(ImageSide::Left, Some(ImageSide::Bottom));
    let breast = find_breast(&image, &upside_down).unwrap();
    assert_eq!(breast.orientation_source, OrientationSource::Stated);
    let first = breast.image_from_gray.apply(Point { row: 0.0, col: 0.0 });
    assert_eq!(first.row, breast.window.row_end() as f64 - 1.0);
    let wrong = hints(ImageSide::Right, Some(ImageSide::Top));
    let breast = find_breast(&image, &wrong).unwrap();
    assert_eq!(
        breast.orientation_source,
        OrientationSource::PixelsAgainstStated
    );
    assert_eq!(breast.orientation.chest(), ImageSide::Left);
    assert_eq!(breast.orientation.upper(), Some(ImageSide::Top));
    assert!(!breast.warnings.is_empty());
}

#[test]
fn a_bright_point_is_found_again_in_every_input() {
    let spot = Point {
        row: 400.0,
        col: 120.0,
    };
    let mut image = drawn(View::Cc, 0);
    paint(
        &mut image,
        PixelBox {
            row: 396,
            col: 116,
            rows: 9,
            cols: 9,
        },
        65_535,
    );
    let config = |rows, cols, scale| MammogramConfig {
        rows,
        cols,
        scale,
        ..MammogramConfig::default()
    };
    let configs = [
        config(512, 512, Scale::Fit),
        config(1024, 640, Scale::Fit),
        config(2944, 1920, Scale::Native),
        config(300, 200, Scale::Native),
        config(400, 300, Scale::PixelMm(0.15)),
        config(64, 300, Scale::Fit),
    ];
    for (mirror, config) in configs.iter().flat_map(|c| [(false, c), (true, c)]) {
        let (image, spot) = match mirror {
            false => (image.clone(), spot),
            true => {
                let col = COLS as f64 - 1.0 - spot.col;
                (mirrored(&image), Point { row: spot.row, col })
            }
        };
        let hints = MammogramHints {
            spacing: Spacing::new(0.1, 0.1).ok(),
            ..MammogramHints::default()
        };
        let breast = find_breast(&image, &hints).unwrap();
        let input = breast.place(config).unwrap();
        let values = input.standardized();
        assert_eq!(values.len(), config.rows * config.cols);
        let highest = values.iter().copied().fold(f32::MIN, f32::max);
        let bright = values.iter().enumerate();
        let bright = bright.filter(|(_, v)| **v > 0.9 * highest);
        let (mut n, mut row, mut col) = (0.0, 0.0, 0.0);
        for (i, _) in bright {
            n += 1.0;
            row += (i / config.cols) as f64;
            col += (i % config.cols) as f64;
        }
        let found = input.image_from_input.apply(Point {
            row: row / n,
            col: col / n,
        });
        let off = (found.row - spot.row).hypot(found.col - spot.col);
        // A pixel of the smallest input covers eight of the image.
        let tolerance = if config.rows < 100 { 6.0 } else { 1.0 };
        assert!(off < tolerance, "{config:?}: {off}");
        let back = input.image_from_input.inverse().unwrap();
        let there = back.apply(spot);
        let again = input.image_from_input.apply(there);
        assert!((again.row - spot.row).abs() < 1e-9 && (again.col - spot.col).abs() < 1e-9);
    }
}

#[test]
fn inputs_are_standardized_and_what_is_cut_is_said() {
    let breast = plain(&drawn(View::Cc, 0));
    let config = MammogramConfig {
        rows: 256,
        cols: 160,
        ..MammogramConfig::default()
    };
    let input = breast.place(&config).unwrap();
    let values = input.standardized();
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let square = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / n;
    assert!(mean.abs() < 1e-4 && (square - 1.0).abs() < 1e-4);
    assert!(input.breast_kept > 0.999 && input.warnings.is_empty());
    let native = MammogramConfig {
        scale: Scale::Native,
        ..config.clone()
    };
    let cut = breast.place(&native).unwrap();
    assert!(cut.breast_kept < 0.6 && cut.warnings.len() == 1);
    let unknown = MammogramConfig {
        scale: Scale::PixelMm(0.2),
        ..config.clone()
    };
    assert_eq!(breast.place(&unknown).unwrap().warnings.len(), 1);
    for bad in [0.0, -1.0, f64::NAN] {
        let config = MammogramConfig {
            scale: Scale::PixelMm(bad),
            ..config.clone()
        };
        assert_eq!(breast.place(&config).unwrap_err().kind(), ErrorKind::Config);
    }
    let empty = MammogramConfig { rows: 0, ..config };
    assert_eq!(breast.place(&empty).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn what_lies_beside_the_film_is_no_breast() {
    // A breast cut off by the film's upper edge.
    let whole = drawn(View::Cc, 0);
    let image = whole.crop(PixelBox {
        row: ROWS / 2,
        col: 0,
        rows: ROWS / 2,
        cols: COLS,
    });
    let breast = plain(&image);
    let place = |rows| {
        let config = MammogramConfig {
            rows,
            cols: COLS,
            scale: Scale::Native,
            outside: Outside::Kept,
            standardization: Standardization::Breast,
        };
        breast.place(&config).unwrap()
    };
    let (low, high) = (place(breast.gray.rows()), place(3 * breast.gray.rows()));
    assert_eq!((low.mean, low.deviation), (high.mean, high.deviation));
    let at = |row: usize| {
        high.is_breast(Point {
            row: row as f64,
            col: 20.0,
        })
    };
    assert!(at(breast.gray.rows() + 9) && !at(breast.gray.rows() - 9) && !at(0));
}

#[test]
fn the_pectoral_line_is_found_where_there_is_one() {
    let hints = MammogramHints {
        view: Some(View::Mlo),
        ..MammogramHints::default()
    };
    for mirror in [false, true] {
        let image = drawn(View::Mlo, 0);
        let image = if mirror { mirrored(&image) } else { image };
        let Pectoral::Found(line) = find_breast(&image, &hints).unwrap().pectoral else {
            panic!("expected the muscle");
        };
        // The drawn edge runs through row = 380·(1 − col/150).
        for p in [line.top, line.chest] {
            let col = if mirror {
                COLS as f64 - 1.0 - p.col
            } else {
                p.col
            };
            let off = col / 150.0 + p.row / 380.0 - 1.0;
            assert!(off.abs() < 0.12, "{p:?}: {off}");
        }
    }
    let without = find_breast(&drawn(View::Cc, 0), &hints).unwrap();
    assert_eq!(without.pectoral, Pectoral::NotFound);
    assert_eq!(plain(&drawn(View::Mlo, 0)).pectoral, Pectoral::NotLookedFor);
}
