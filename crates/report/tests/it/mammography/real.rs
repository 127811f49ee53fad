//! A real exam on the page, where it is at hand.

use std::fs;
use std::path::Path;

use lobule_exam::{
    Affine, BreastOrientation, CloseLook, ImageSide, MammogramFacts, Point, Polygon, Side, Spacing,
    View,
};
use lobule_raster::{Image, Limits, MammogramHints, Pectoral, Picture, find_breast, read_picture};

use super::{Made, Spot, exam, made, page, spot};

/// A real view, with its lesions from the drawn mask where there is one.
fn real(root: &Path, name: &str, spacing: Option<Spacing>, spots: &[Spot]) -> Made {
    let picture = read_picture(&root.join(format!("images/{name}.png")), &Limits::default());
    let gray = picture.unwrap().luma16();
    let (side, view) = name.rsplit('_').next().unwrap().split_once('-').unwrap();
    let side: Side = side.parse().unwrap();
    let view: View = view.parse().unwrap();
    let hints = MammogramHints {
        view: Some(view),
        ..MammogramHints::default()
    };
    let breast = find_breast(&gray, &hints).unwrap();
    let chest = breast.orientation.chest();
    let spots: Vec<Spot> = spots.iter().map(|spot| on_mask(root, name, spot)).collect();
    let looks = spots.iter().map(|s| {
        let (r, c) = (s.center.row, s.center.col);
        let corner = |(row, col): (f64, f64)| Point {
            row: r + row,
            col: c + col,
        };
        let corners = [
            (-128.0, -128.0),
            (-128.0, 128.0),
            (128.0, 128.0),
            (128.0, -128.0),
        ];
        CloseLook {
            outline: Polygon {
                points: corners.map(corner).to_vec(),
            },
            attention: 0.4,
        }
    });
    let facts = MammogramFacts {
        view: Some(view),
        orientation: BreastOrientation::new(chest, Some(ImageSide::Top)).unwrap(),
        breast: outline_of(&breast.mask, &breast.image_from_mask),
        pectoral: match breast.pectoral {
            Pectoral::Found(line) => Some([line.top, line.chest]),
            _ => None,
        },
        density: breast.percent_density().map(|d| d.share),
        density_classes: Err("not looked at".to_owned()),
        windows: looks.collect(),
    };
    let file = format!("{name}.png");
    let picture = Picture::Gray8(breast.displayed(&gray));
    made(&file, side, picture, breast.window, facts, spacing, &spots)
}

/// The spot moved onto the drawn lesion, where there is one.
fn on_mask(root: &Path, name: &str, spot: &Spot) -> Spot {
    let path = root.join(format!("masks/{name}.png"));
    let Ok(mask) = read_picture(&path, &Limits::default()) else {
        return *spot;
    };
    let mask = mask.luma();
    let (mut n, mut row, mut col) = (0.0, 0.0, 0.0);
    for r in 0..mask.rows() {
        for c in (0..mask.cols()).filter(|&c| mask.at(r, c) > 127) {
            n += 1.0;
            row += r as f64;
            col += c as f64;
        }
    }
    Spot {
        center: Point {
            row: row / n,
            col: col / n,
        },
        radius: 1.4 * (n / std::f64::consts::PI).sqrt(),
        ..*spot
    }
}

/// First and last pixel of each row of the mask.
fn outline_of(mask: &Image<bool>, image_from_mask: &Affine) -> Polygon {
    let ends = |row: usize| {
        let line = mask.row(row);
        let first = line.iter().position(|&m| m)?;
        Some((row, first, line.iter().rposition(|&m| m)?))
    };
    let rows: Vec<_> = (0..mask.rows()).filter_map(ends).collect();
    let point = |(row, col): (usize, usize)| {
        image_from_mask.apply(Point {
            row: row as f64,
            col: col as f64,
        })
    };
    let down = rows.iter().map(|&(row, _, last)| point((row, last)));
    let up = rows
        .iter()
        .rev()
        .map(|&(row, first, _)| point((row, first)));
    Polygon {
        points: down.chain(up).collect(),
    }
}

#[test]
fn a_real_exam_hangs() {
    let Some(root) = std::env::var_os("LOBULE_DATA") else {
        println!("skipped: the page of a real exam (LOBULE_DATA is not set)");
        return;
    };
    let root = Path::new(&root).join("nyu_samples");
    let spacing = Spacing::new(0.07, 0.07).ok();
    let at = |row, col, score, number| Spot {
        radius: 90.0,
        ..spot(row, col, score, number)
    };
    let views = |spacing| {
        vec![
            real(&root, "gmic0_L-CC", spacing, &[at(900.0, 500.0, 8.0, 1)]),
            real(&root, "gmic0_L-MLO", spacing, &[]),
            real(&root, "gmic0_R-CC", spacing, &[at(900.0, 500.0, 62.0, 1)]),
            real(&root, "gmic0_R-MLO", spacing, &[at(900.0, 500.0, 48.0, 1)]),
        ]
    };
    let four = views(spacing);
    let mut again = four[3].clone();
    again.image.rank = 2;
    let pages = [
        ("four", four.clone()),
        ("no-spacing", views(None)),
        ("right-only", four[2..].to_vec()),
        ("no-cc", vec![four[1].clone(), four[3].clone()]),
        ("repeated", [four.clone(), vec![again]].concat()),
        ("no-findings", vec![four[1].clone()]),
    ];
    for (name, made) in pages {
        let page = page(&exam(made));
        assert!(page.len() < 3_000_000, "{name}: {} bytes", page.len());
        if let Some(to) = std::env::var_os("LOBULE_KEEP") {
            fs::write(
                Path::new(&to).join(format!("mammography-{name}.html")),
                page,
            )
            .unwrap();
        }
    }
}
