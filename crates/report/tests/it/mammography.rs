//! The page of a mammography exam: drawn breasts always, real ones where they are at hand.

mod real;

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lobule_exam::{
    Affine, Assessment, BreastAssessment, BreastOrientation, ClassScores, Crop, CropMethod,
    Finding, FindingClass, ImageAssessment, ImageSide, Laterality, Lesion, MammogramFacts,
    Modality, PixelBox, Point, Polygon, SaliencyMap, Side, Skipped, Spacing, View, Warning,
    WarningKind,
};
use lobule_raster::{Image, Picture};
use lobule_report::{ExamRecord, Folder, HeatMapLabel, Layout, Pages, Surroundings, heat_map};

use super::{EVIL, write};

const RIGHT: Side = Side::Known(Laterality::Right);
const LEFT: Side = Side::Known(Laterality::Left);

/// A lesion as truth or imagination has it.
#[derive(Clone, Copy)]
struct Spot {
    center: Point,
    radius: f64,
    score: f64,
    number: usize,
}

/// One image with its picture.
#[derive(Clone)]
struct Made {
    side: Side,
    image: ImageAssessment,
    picture: Option<Picture>,
}

fn circle(spot: &Spot) -> Polygon {
    let point = |i: i32| {
        let angle = f64::from(i) / 32.0 * std::f64::consts::TAU;
        Point {
            row: spot.center.row + spot.radius * angle.sin(),
            col: spot.center.col + spot.radius * angle.cos(),
        }
    };
    Polygon {
        points: (0..32).map(point).collect(),
    }
}

fn bounds_of(polygon: &Polygon) -> PixelBox {
    let rows = polygon.points.iter().map(|p| p.row);
    let cols = polygon.points.iter().map(|p| p.col);
    let low = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::MAX, f64::min).max(0.0);
    let (row, col) = (low(&mut rows.clone()), low(&mut cols.clone()));
    let (last_row, last_col) = (rows.fold(0.0, f64::max), cols.fold(0.0, f64::max));
    PixelBox {
        row: row as usize,
        col: col as usize,
        rows: (last_row - row) as usize + 1,
        cols: (last_col - col) as usize + 1,
    }
}

fn finding(spot: &Spot, spacing: Option<Spacing>) -> Finding {
    let outline = circle(spot);
    Finding {
        class: FindingClass::Malignant,
        score: spot.score / 100.0,
        bounds: bounds_of(&outline),
        longest_axis_mm: spacing.map(|s| outline.longest_axis_mm(s)),
        lesion: Some(Lesion {
            score: spot.score,
            number: spot.number,
        }),
        outline,
    }
}

fn saliency(window: PixelBox, spots: &[Spot]) -> SaliencyMap {
    let (rows, cols) = (46, 30);
    let fit = Affine::resample(
        window.rows as f64 / rows as f64,
        window.cols as f64 / cols as f64,
    );
    let image_from_grid = Affine::translate(window.row as f64, window.col as f64).compose(&fit);
    let value = |i: usize| {
        let p = image_from_grid.apply(Point {
            row: (i / cols) as f64,
            col: (i % cols) as f64,
        });
        let peak = |s: &Spot| {
            let d = (p.row - s.center.row).hypot(p.col - s.center.col) / (1.3 * s.radius);
            s.score / 100.0 * (-d * d).exp()
        };
        (0.02 + spots.iter().map(peak).fold(0.0, f64::max)).min(1.0) as f32
    };
    SaliencyMap {
        rows,
        cols,
        benign: vec![0.05; rows * cols],
        malignant: (0..rows * cols).map(value).collect(),
        image_from_grid,
    }
}

fn scores(malignant: f64) -> ClassScores {
    ClassScores {
        benign: 0.2,
        malignant,
    }
}

/// An image of facts, with lesions.
fn made(
    name: &str,
    side: Side,
    picture: Picture,
    window: PixelBox,
    facts: MammogramFacts,
    spacing: Option<Spacing>,
    spots: &[Spot],
) -> Made {
    let score = spots.iter().map(|s| s.score).fold(2.3, f64::max) / 100.0;
    Made {
        side,
        image: ImageAssessment {
            file: name.into(),
            frame: 0,
            rows: picture.rows(),
            cols: picture.cols(),
            spacing,
            crop: Crop {
                window,
                method: CropMethod::Breast,
                painted_pixels: 0,
            },
            image_from_input: Affine::IDENTITY,
            attention: 0.5,
            rank: 1,
            scores: scores(score),
            probabilities: Some(scores(score)),
            saliency: saliency(window, spots),
            findings: spots.iter().map(|s| finding(s, spacing)).collect(),
            mammogram: Some(facts),
            warnings: Vec::new(),
        },
        picture: Some(picture),
    }
}

fn exam(made: Vec<Made>) -> ExamRecord {
    let breast = |side: Side| {
        let images: Vec<ImageAssessment> = made
            .iter()
            .filter(|m| m.side == side)
            .map(|m| m.image.clone())
            .collect();
        let worst = images
            .iter()
            .map(|i| i.scores.malignant)
            .fold(0.0, f64::max);
        let has = |view| {
            let mut views = images.iter().filter_map(|i| i.mammogram.as_ref()?.view);
            views.any(|v| v == view)
        };
        let missing = [View::Cc, View::Mlo].into_iter().filter(|v| !has(*v));
        (!images.is_empty()).then(|| BreastAssessment {
            side,
            scores: scores(worst),
            probabilities: Some(scores(worst)),
            flagged: worst >= 0.31,
            missing_views: missing.collect(),
            images: images.clone(),
        })
    };
    let sides = [LEFT, RIGHT, Side::Unknown];
    let pictures = sides.iter().flat_map(|side| {
        let of_side = made.iter().filter(move |m| m.side == *side);
        of_side.map(|m| m.picture.clone())
    });
    ExamRecord {
        pictures: pictures.collect(),
        assessment: Assessment {
            exam: "exam-0".into(),
            modality: Modality::Mammography,
            breasts: sides.into_iter().filter_map(breast).collect(),
            warnings: Vec::new(),
        },
        steps: Vec::new(),
        skipped: Vec::new(),
        identity: Vec::new(),
    }
}

fn page(record: &ExamRecord) -> String {
    let layout = Layout {
        pages: Pages::OneExam,
        ..Layout::default()
    };
    let dir = write(layout, std::slice::from_ref(record));
    fs::read_to_string(dir.path().join("report.html")).unwrap()
}

/// A half ellipse at one edge of an upright picture, brighter at its upper end.
fn drawn(side: Side, view: View, spots: &[Spot], spacing: Option<Spacing>) -> Made {
    let (rows, cols) = (300, 200);
    let chest = if side == RIGHT {
        ImageSide::Right
    } else {
        ImageSide::Left
    };
    let from_chest = |col: usize| if side == RIGHT { cols - 1 - col } else { col };
    let picture = Picture::Gray8(Image::from_fn(rows, cols, |row, col| {
        let (r, c) = ((row as f64 - 150.0) / 130.0, from_chest(col) as f64 / 150.0);
        match r.hypot(c) < 1.0 {
            true => (180 - row / 3 + (row * 31 + col * 17) % 23) as u8,
            false => 3,
        }
    }));
    let point = |i: i32| {
        let angle = f64::from(i) / 40.0 * std::f64::consts::PI;
        let col = 150.0 * angle.sin();
        Point {
            row: 150.0 - 130.0 * angle.cos(),
            col: if side == RIGHT { 199.0 - col } else { col },
        }
    };
    let facts = MammogramFacts {
        view: Some(view),
        orientation: BreastOrientation::new(chest, Some(ImageSide::Top)).unwrap(),
        breast: Polygon {
            points: (0..=40).map(point).collect(),
        },
        pectoral: None,
        density: Some(0.23),
        density_classes: Err("not looked at".to_owned()),
        windows: Vec::new(),
    };
    let window = PixelBox {
        row: 15,
        col: if side == RIGHT { 45 } else { 0 },
        rows: 270,
        cols: 155,
    };
    let name = format!("{side}-{view}.png");
    made(&name, side, picture, window, facts, spacing, spots)
}

fn spot(row: f64, col: f64, score: f64, number: usize) -> Spot {
    Spot {
        center: Point { row, col },
        radius: 14.0,
        score,
        number,
    }
}

fn half_mm() -> Option<Spacing> {
    Spacing::new(0.5, 0.5).ok()
}

#[test]
fn four_views_hang_right_before_left_and_cc_above_mlo() {
    let lesion = [spot(100.0, 140.0, 87.0, 1)];
    let record = exam(vec![
        drawn(LEFT, View::Mlo, &[], half_mm()),
        drawn(LEFT, View::Cc, &[], half_mm()),
        drawn(RIGHT, View::Mlo, &lesion, half_mm()),
        drawn(RIGHT, View::Cc, &lesion, half_mm()),
    ]);
    let page = page(&record);
    let places: Vec<usize> = ["RCC", "LCC", "RMLO", "LMLO"]
        .iter()
        .map(|letters| page.find(&format!("<b>{letters}</b>")).unwrap())
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    for needed in [
        "Research use only. Not for diagnosis. Three films.",
        "87<span class=\"of\"> of 100</span>",
        "probability of malignancy 87 %",
        "Flagged: at or above the operating point “balanced” (31)",
        ">1 · 87</text>",
        "CC, MLO",
        "14 mm",
        "CC: outer, 25 mm from the nipple line; 46 mm behind the breast&#39;s tip",
        "MLO: upper, 25 mm from the nipple line",
        "All at the same scale.",
        "no lesion outlined",
        "chosen so: 95 % sensitivity out of fold.",
        "23 % of the area",
    ] {
        assert!(page.contains(needed), "{needed}");
    }
    assert!(!page.contains("not assessed") && !page.contains("Other and repeated"));
    assert!(!page.contains("http://") && !page.contains("https://"));
}

/// At a low prevalence thresholds lie below one of 100: they have to be readable.
#[test]
fn a_low_threshold_is_said_with_its_digits() {
    let mut info = super::info();
    info.model.modality = Modality::Mammography;
    info.operating_point.as_mut().unwrap().threshold = 0.005_345;
    let layout = Layout {
        pages: Pages::OneExam,
        ..Layout::default()
    };
    let dir = tempfile::tempdir().unwrap();
    let mut folder = Folder::create(dir.path(), vec![info], layout).unwrap();
    let spots = [spot(90.0, 150.0, 44.0, 1)];
    folder
        .add(&exam(vec![drawn(RIGHT, View::Mlo, &spots, None)]))
        .unwrap();
    let page = fs::read_to_string(folder.finish(&[]).unwrap()).unwrap();
    for needed in [
        "the operating point “balanced” (0.53)",
        "A breast is flagged from 0.53 on",
        "“balanced”, threshold 0.53 %",
    ] {
        assert!(page.contains(needed), "{needed}");
    }
}

#[test]
fn what_is_missing_repeated_or_unclear_is_said() {
    let mut repeated = drawn(RIGHT, View::Mlo, &[], None);
    repeated.image.rank = 2;
    let mut lost = drawn(LEFT, View::Cc, &[], None);
    lost.picture = None;
    let facts = lost.image.mammogram.as_mut().unwrap();
    facts.orientation = BreastOrientation::new(ImageSide::Left, None).unwrap();
    let mut record = exam(vec![
        drawn(RIGHT, View::Mlo, &[spot(90.0, 150.0, 44.0, 1)], None),
        repeated,
        lost,
        drawn(Side::Unknown, View::Cc, &[], None),
    ]);
    for breast in &mut record.assessment.breasts {
        breast.probabilities = None;
    }
    let page = page(&record);
    for needed in [
        "RCC not assessed",
        "Not assessed: RCC",
        "Not assessed: LMLO",
        "NOT at the same scale",
        "Other and repeated views",
        "Breast of unknown side",
        "a score, NOT a calibrated probability",
        "The scores are NOT calibrated",
        "not known: the size of a pixel is not stated",
        "The picture was not kept",
        "The upper end is not stated",
        "upper side of the nipple line; back third",
    ] {
        assert!(page.contains(needed), "{needed}");
    }
    assert_eq!(page.matches("<b>RMLO</b>").count(), 2);
    let one = exam(vec![drawn(LEFT, View::Cc, &[], half_mm())]);
    let one = self::page(&one);
    assert!(one.contains("Not assessed: the exam holds no usable image of it."));
    assert!(one.contains("RCC not assessed") && one.contains("LMLO not assessed"));
}

/// The mean brightness of a square of the page's only picture, in pixels of its crop.
fn on_page(page: &str, (row, col): (u32, u32)) -> f64 {
    let uri = text_between(page, "data:image/jpeg;base64,", "\"");
    let jpeg = STANDARD.decode(uri).unwrap();
    let shown = image::load_from_memory(&jpeg).unwrap().to_luma8();
    let square = image::imageops::crop_imm(&shown, col, row, 8, 8).to_image();
    square.pixels().map(|p| f64::from(p[0])).sum::<f64>() / 64.0
}

#[test]
fn a_label_beside_the_breast_is_hidden() {
    // White where a label lies: in the crop's lower outer corner, far from the breast.
    let mut labelled = drawn(LEFT, View::Cc, &[], half_mm());
    labelled.image.crop.window = PixelBox::whole(300, 200);
    labelled.image.saliency.malignant.fill(0.0);
    let Some(Picture::Gray8(picture)) = &mut labelled.picture else {
        panic!("drawn in grey");
    };
    for (row, col) in (280..300).flat_map(|r| (180..200).map(move |c| (r, c))) {
        picture.set(row, col, 255);
    }
    let (label, breast) = ((286, 186), (146, 40));
    let brightness = |made: &Made, surroundings, at| {
        let layout = Layout {
            pages: Pages::OneExam,
            surroundings,
            ..Layout::default()
        };
        let dir = write(layout, &[exam(vec![made.clone()])]);
        on_page(
            &fs::read_to_string(dir.path().join("report.html")).unwrap(),
            at,
        )
    };
    // The heat map draws 300 × 200 pixels one by one.
    let drawn_at = |made: &Made, (row, col): (u32, u32)| {
        let picture = made.picture.as_ref().unwrap();
        let map = heat_map(picture, &made.image, HeatMapLabel::Clinical).unwrap();
        map.at(row as usize + 4, col as usize + 4)[1]
    };
    assert!(brightness(&labelled, Surroundings::Show, label) > 240.0);
    assert!(brightness(&labelled, Surroundings::Hide, label) < 8.0);
    assert!(brightness(&labelled, Surroundings::Hide, breast) > 80.0);
    assert!(drawn_at(&labelled, label) < 8 && drawn_at(&labelled, breast) > 80);
    // Nothing is shown where no outline says what is breast.
    let facts = labelled.image.mammogram.as_mut().unwrap();
    facts.breast.points.truncate(2);
    for at in [label, breast] {
        assert!(brightness(&labelled, Surroundings::Hide, at) < 8.0);
        assert!(drawn_at(&labelled, at) < 8);
    }
}

#[test]
fn no_string_of_a_file_reaches_the_page_unescaped() {
    let mut evil = drawn(LEFT, View::Cc, &[spot(1.0, 1.0, f64::NAN, 0)], half_mm());
    evil.image.file = EVIL.into();
    evil.image.warnings = vec![Warning {
        kind: WarningKind::Synthetic,
        message: EVIL.into(),
    }];
    let facts = evil.image.mammogram.as_mut().unwrap();
    facts.breast.points.clear();
    facts.density = Some(f64::NAN);
    evil.image.crop.window.rows = 0;
    evil.image.saliency.rows = 0;
    let mut record = exam(vec![evil]);
    record.assessment.exam = EVIL.into();
    record.identity = vec![(EVIL.into(), EVIL.into())];
    record.skipped = vec![Skipped::new(EVIL, EVIL).of(EVIL, LEFT)];
    let page = page(&record);
    assert!(!page.contains("<script>alert"));
    assert!(page.contains("SYNTHETIC"));
}

#[test]
fn a_breast_is_turned_to_hang_whatever_way_it_lies() {
    // The same bright upper end in every picture: after turning, all pages' matrices must take
    // the corner at the head and the chest wall to the same place.
    let sides = [
        ImageSide::Left,
        ImageSide::Right,
        ImageSide::Top,
        ImageSide::Bottom,
    ];
    let pairs = sides
        .iter()
        .flat_map(|&c| sides.iter().map(move |&u| (c, u)));
    for (chest, upper) in pairs {
        let Some(orientation) = BreastOrientation::new(chest, Some(upper)) else {
            continue;
        };
        for side in [LEFT, RIGHT] {
            let mut made = drawn(side, View::Cc, &[], half_mm());
            let facts = made.image.mammogram.as_mut().unwrap();
            facts.orientation = orientation;
            let corner = |edge: ImageSide, first: f64, last: f64| match edge {
                ImageSide::Left | ImageSide::Top => first,
                ImageSide::Right | ImageSide::Bottom => last,
            };
            let window = made.image.crop.window;
            let across = if chest.is_across() { chest } else { upper };
            let down = if chest.is_across() { upper } else { chest };
            let x = corner(across, window.col as f64, window.col_end() as f64);
            let y = corner(down, window.row as f64, window.row_end() as f64);
            let page = page(&exam(vec![made]));
            let text = page.split("<g transform=\"matrix(").nth(1).unwrap();
            let m: Vec<f64> = text
                .split(')')
                .next()
                .unwrap()
                .split(' ')
                .map(|n| n.parse().unwrap())
                .collect();
            let shown = (m[0] * x + m[2] * y + m[4], m[1] * x + m[3] * y + m[5]);
            let width: f64 = text_between(&page, "viewBox=\"0 0 ", " ").parse().unwrap();
            let at_chest = if side == RIGHT { width } else { 0.0 };
            assert!(
                (shown.0 - at_chest).abs() < 1e-3 && shown.1.abs() < 1e-3,
                "{side} {chest:?} {upper:?}: {shown:?}"
            );
        }
    }
}

fn text_between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split(from).nth(1).unwrap().split(to).next().unwrap()
}
