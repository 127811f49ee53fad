//! Real mammograms, where they are at hand.

use std::path::{Path, PathBuf};

use lobule_exam::{ImageSide, Point, View};
use lobule_raster::{
    Breast, Image, Limits, MammogramConfig, MammogramHints, Pectoral, find_breast, read_picture,
};

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
    pictures.push(("input", breast.place(&config).unwrap().debug_picture()));
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
