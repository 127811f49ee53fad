//! Mammograms: drawn ones with known truth, and real ones where they are at hand.

use std::path::{Path, PathBuf};

use lobule_exam::{BreastOrientation, ImageSide, PixelBox, Point, Spacing, View};
use lobule_raster::{
    Breast, ErrorKind, Image, Limits, MammogramConfig, MammogramHints, OrientationSource, Outside,
    Pectoral, Polarity, Scale, Standardization, find_breast, read_picture,
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
        let input = breast.to_input(&config).unwrap();
        input.chw.iter().copied().fold(f32::MIN, f32::max)
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
        let input = breast.to_input(config).unwrap();
        assert_eq!(input.chw.len(), config.rows * config.cols);
        let highest = input.chw.iter().copied().fold(f32::MIN, f32::max);
        let bright = input
            .chw
            .iter()
            .enumerate()
            .filter(|(_, v)| **v > 0.9 * highest);
        let (mut n, mut row, mut col) = (0.0, 0.0, 0.0);
        for (i, _) in bright {
            n += 1.0;
            row += (i / input.cols) as f64;
            col += (i % input.cols) as f64;
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
    let input = breast.to_input(&config).unwrap();
    let n = input.chw.len() as f64;
    let mean = input.chw.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let square = input.chw.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / n;
    assert!(mean.abs() < 1e-4 && (square - 1.0).abs() < 1e-4);
    assert!(input.breast_kept > 0.999 && input.warnings.is_empty());
    let native = MammogramConfig {
        scale: Scale::Native,
        ..config.clone()
    };
    let cut = breast.to_input(&native).unwrap();
    assert!(cut.breast_kept < 0.6 && cut.warnings.len() == 1);
    let unknown = MammogramConfig {
        scale: Scale::PixelMm(0.2),
        ..config.clone()
    };
    assert_eq!(breast.to_input(&unknown).unwrap().warnings.len(), 1);
    for bad in [0.0, -1.0, f64::NAN] {
        let config = MammogramConfig {
            scale: Scale::PixelMm(bad),
            ..config.clone()
        };
        assert_eq!(
            breast.to_input(&config).unwrap_err().kind(),
            ErrorKind::Config
        );
    }
    let empty = MammogramConfig { rows: 0, ..config };
    assert_eq!(
        breast.to_input(&empty).unwrap_err().kind(),
        ErrorKind::Config
    );
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

/// With `LOBULE_KEEP_PICTURES` the steps are written there, for a person to look at.
fn keep_for_viewing(file: &Path, image: &Image<u16>, breast: &Breast) {
    let Some(folder) = std::env::var_os("LOBULE_KEEP_PICTURES") else {
        return;
    };
    let config = MammogramConfig {
        rows: 1024,
        cols: 640,
        ..MammogramConfig::default()
    };
    let mut pictures = breast.debug_pictures(image);
    pictures.push(("input", breast.to_input(&config).unwrap().debug_picture()));
    let stem = file.file_stem().unwrap().to_string_lossy();
    for (step, picture) in pictures {
        let head = format!("P6 {} {} 255\n", picture.cols(), picture.rows()).into_bytes();
        let bytes = [head, picture.pixels().iter().flatten().copied().collect()].concat();
        let name = format!("{stem}-{step}.ppm");
        std::fs::write(Path::new(&folder).join(name), bytes).unwrap();
    }
}

struct Row {
    file: PathBuf,
    /// What the table's column for the side holds.
    side: String,
    view: Option<View>,
    mask: Option<PathBuf>,
}

fn table(set: &str, mask: Option<usize>, side: Option<usize>, view: Option<usize>) -> Vec<Row> {
    let Some(root) = std::env::var_os("LOBULE_DATA") else {
        println!("skipped: measurements on {set} (LOBULE_DATA is not set)");
        return Vec::new();
    };
    let root = Path::new(&root).join(set);
    let text = std::fs::read_to_string(root.join("labels.csv")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let cell = |idx: Option<usize>| idx.and_then(|i| cells.get(i)).copied().unwrap_or_default();
        let view = cell(view).rsplit(['-', '_']).next().unwrap_or_default();
        Row {
            file: root.join(cells[0]),
            side: cell(side).to_owned(),
            view: view.parse().ok(),
            mask: Some(cell(mask))
                .filter(|m| !m.is_empty())
                .map(|m| root.join(m)),
        }
    };
    text.lines().skip(1).map(row).collect()
}

/// Share of the lesion outside of the breast's mask.
fn lesion_outside(lesion: &Image<u8>, breast: &Breast) -> f64 {
    let mask_from_image = breast.image_from_mask.inverse().unwrap();
    let (mut all, mut outside) = (0.0, 0.0);
    for row in 0..lesion.rows() {
        for (col, _) in lesion
            .row(row)
            .iter()
            .enumerate()
            .filter(|(_, v)| **v > 127)
        {
            let p = mask_from_image.apply(Point {
                row: row as f64,
                col: col as f64,
            });
            let inside = breast.mask.at(
                (p.row.round().max(0.0) as usize).min(breast.mask.rows() - 1),
                (p.col.round().max(0.0) as usize).min(breast.mask.cols() - 1),
            );
            all += 1.0;
            outside += f64::from(u8::from(!inside));
        }
    }
    outside / f64::max(all, 1.0)
}

/// Measures a set: (images, wrong sides, lesions of which more than 5 % lie outside, muscles).
fn measure(rows: &[Row], chest_of: impl Fn(&str) -> Option<ImageSide>) -> [usize; 4] {
    let mut counts = [0; 4];
    for row in rows {
        let image = read_picture(&row.file, &Limits::default())
            .unwrap()
            .luma16();
        let hints = MammogramHints {
            view: row.view,
            ..MammogramHints::default()
        };
        let name = row.file.display();
        let breast = match find_breast(&image, &hints) {
            Ok(breast) => breast,
            Err(e) => panic!("{name}: {e}"),
        };
        keep_for_viewing(&row.file, &image, &breast);
        counts[0] += 1;
        if chest_of(&row.side).is_some_and(|chest| chest != breast.orientation.chest()) {
            println!("{name}: chest at {:?}", breast.orientation.chest());
            counts[1] += 1;
        }
        if let Some(mask) = &row.mask {
            let lesion = read_picture(mask, &Limits::default()).unwrap().luma();
            // Some masks are drawn on another frame than that of their image.
            let fits = (lesion.rows(), lesion.cols()) == (image.rows(), image.cols());
            let outside = lesion_outside(&lesion, &breast);
            if fits && outside > 0.05 {
                println!("{name}: {outside:.3} of the lesion outside");
                counts[2] += 1;
            }
        }
        counts[3] += usize::from(matches!(breast.pectoral, Pectoral::Found(_)));
        for warning in &breast.warnings {
            println!("{name}: {}", warning.message);
        }
    }
    println!("images, wrong sides, lesions cut, muscles found: {counts:?}");
    counts
}

/// A right breast's chest wall is on the right of the picture, as scanners store it.
fn usual(side: &str) -> Option<ImageSide> {
    match side {
        "R" => Some(ImageSide::Right),
        "L" => Some(ImageSide::Left),
        _ => None,
    }
}

#[test]
fn digital_views_with_lesions() {
    let rows = table("cesm_dm", Some(4), Some(5), Some(6));
    if rows.is_empty() {
        return;
    }
    let [n, wrong, cut, _] = measure(&rows, usual);
    assert!(n > 250 && wrong <= n / 50 && cut <= n / 50);
}

#[test]
fn film_scans() {
    let mut rows = table("mini_mias", None, Some(5), None);
    if rows.is_empty() {
        return;
    }
    for row in &mut rows {
        row.view = Some(View::Mlo);
    }
    let [n, wrong, ..] = measure(&rows, usual);
    assert!(n > 200 && wrong <= n / 50);
}

#[test]
fn full_size_views() {
    let rows = table("nyu_samples", Some(4), None, Some(5));
    let [_, _, cut, _] = measure(&rows, usual);
    assert_eq!(cut, 0);
}
