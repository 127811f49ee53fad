//! Properties of synthetic mammograms, against the finder of the breast and by their truth.

use std::fs;
use std::path::Path;

use lobule_dicomio::{read_mammogram, read_mammogram_header};
use lobule_exam::{FindingClass, ImageSide, Laterality, Point, Side, View, WarningKind};
use lobule_phantom::mammogram::{
    Density, ExamPlan, LesionKind, LesionPlan, MammogramExam, MammogramView, Medium, TrainingPlan,
    render_exam, training_exam, training_exams, write_demo_exam, write_training_set,
};
use lobule_raster::{
    Breast, Image, Limits, MammogramHints, Pectoral, Picture, find_breast, read_picture,
};

use crate::assert_one_whole_exam;

fn coarse(medium: Medium) -> ExamPlan {
    ExamPlan {
        spacing_mm: 0.5,
        medium,
        ..ExamPlan::default()
    }
}

fn found(view: &MammogramView) -> Breast {
    let hints = MammogramHints {
        view: Some(view.view),
        orientation: None,
        spacing: Some(view.spacing),
    };
    find_breast(&view.image, &hints).unwrap()
}

/// Twice the common pixels over the sum of both, on the grid of the mask that was found.
fn dice(breast: &Breast, truth: &Image<bool>) -> f64 {
    let (mut both, mut sum) = (0.0, 0.0);
    for row in 0..breast.mask.rows() {
        for col in 0..breast.mask.cols() {
            let at = |i: usize| i as f64;
            let p = breast.image_from_mask.apply(Point {
                row: at(row),
                col: at(col),
            });
            let inside = |v: f64, n: usize| (v.round().max(0.0) as usize).min(n - 1);
            let drawn = truth.at(inside(p.row, truth.rows()), inside(p.col, truth.cols()));
            let (drawn, found) = (f64::from(u8::from(drawn)), breast.mask.at(row, col));
            let found = f64::from(u8::from(found));
            both += drawn * found;
            sum += drawn + found;
        }
    }
    2.0 * both / sum
}

/// With `LOBULE_KEEP_PICTURES` the pictures are written there, for a person to look at.
fn keep_for_viewing(name: &str, exam: &MammogramExam) {
    let Some(folder) = std::env::var_os("LOBULE_KEEP_PICTURES") else {
        return;
    };
    for view in &exam.views {
        let head = format!("P5 {} {} 255\n", view.image.cols(), view.image.rows()).into_bytes();
        let pixels = view.image.pixels().iter().map(|v| (v >> 8) as u8).collect();
        let file = format!("{name}-{}-{}.pgm", Side::Known(view.side), view.view);
        fs::write(Path::new(&folder).join(file), [head, pixels].concat()).unwrap();
    }
}

#[test]
fn exams_for_viewing() {
    if std::env::var_os("LOBULE_KEEP_PICTURES").is_none() {
        println!("skipped: pictures to look at (LOBULE_KEEP_PICTURES is not set)");
        return;
    }
    let kinds = [
        [LesionKind::Spiculated, LesionKind::Oval],
        [LesionKind::Cluster, LesionKind::Calcified],
        [LesionKind::Indistinct, LesionKind::Cluster],
        [LesionKind::Spiculated, LesionKind::Calcified],
    ];
    let start = std::time::Instant::now();
    for (i, density) in Density::ALL.into_iter().enumerate() {
        for medium in [Medium::Digital, Medium::Film] {
            let [left, right] = kinds[i];
            let lesions = vec![
                LesionPlan::typical(Laterality::Left, left),
                LesionPlan::typical(Laterality::Right, right),
            ];
            let plan = ExamPlan {
                density,
                medium,
                lesions,
                ..ExamPlan::default()
            };
            let exam = render_exam(&plan, 40 + i as u64);
            keep_for_viewing(&format!("{}-{medium:?}", density.name()), &exam);
        }
    }
    println!("{:?} an exam", start.elapsed() / 8);
}

#[test]
fn the_breast_is_found_and_lies_as_drawn() {
    let (mut obliques, mut muscles) = (0, 0);
    let mut failures = Vec::new();
    for seed in 0..6 {
        for medium in [Medium::Digital, Medium::Film] {
            let plan = ExamPlan {
                density: Density::ALL[seed as usize % 4],
                ..coarse(medium)
            };
            for view in render_exam(&plan, seed).views {
                let breast = found(&view);
                let share = dice(&breast, &view.breast);
                if share < 0.95 {
                    failures.push(format!(
                        "{seed} {medium:?} {:?} {}: Dice {share:.3}",
                        view.side, view.view
                    ));
                }
                let chest = match view.side {
                    Laterality::Left => ImageSide::Left,
                    Laterality::Right => ImageSide::Right,
                };
                if breast.orientation.chest() != chest {
                    failures.push(format!(
                        "{seed} {medium:?} {:?} {}: mirrored",
                        view.side, view.view
                    ));
                }
                if let Some(ends) = view.pectoral {
                    obliques += 1;
                    muscles += usize::from(is_near(&breast, ends));
                }
            }
        }
    }
    println!("muscle found on {muscles} of {obliques}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(muscles * 4 >= obliques * 3, "{muscles} of {obliques}");
}

/// Whether the line that was found lies within 10 mm of the drawn one's ends.
fn is_near(breast: &Breast, ends: [Point; 2]) -> bool {
    let Pectoral::Found(line) = breast.pectoral else {
        return false;
    };
    let mm = breast.spacing.unwrap().row_mm();
    let (d_row, d_col) = (line.chest.row - line.top.row, line.chest.col - line.top.col);
    let length = d_row.hypot(d_col);
    ends.iter().all(|end| {
        let (row, col) = (end.row - line.top.row, end.col - line.top.col);
        (row * d_col - col * d_row).abs() / length * mm < 10.0
    })
}

/// Depth behind the nipple by the truth of the picture alone: along the rows in views from above,
/// by the distances from the muscle's edge in oblique ones.
fn depth_mm(view: &MammogramView, place: Point) -> f64 {
    let mm = view.spacing.row_mm();
    let Some([top, chest]) = view.pectoral else {
        return (place.col - view.nipple.col).abs() * mm;
    };
    let (d_row, d_col) = (chest.row - top.row, chest.col - top.col);
    let from_edge = |p: Point| {
        let (row, col) = (p.row - top.row, p.col - top.col);
        (row * d_col - col * d_row) / d_row.hypot(d_col) * mm
    };
    (from_edge(view.nipple) - from_edge(place)).abs()
}

#[test]
fn a_lesion_lies_equally_deep_in_both_views_and_inside_the_breast() {
    for seed in 0..8 {
        let corner = |share: f64| LesionPlan {
            depth: 0.15 + 0.1 * seed as f64,
            outward: share,
            upward: -share,
            diameter_mm: 8.0 + 3.0 * seed as f64,
            ..LesionPlan::typical(Laterality::Left, LesionKind::ALL[seed as usize % 5])
        };
        let right = LesionPlan {
            side: Laterality::Right,
            ..corner(-1.0)
        };
        let plan = ExamPlan {
            lesions: vec![corner(1.0), right, corner(-0.4)],
            ..coarse(Medium::Digital)
        };
        let exam = render_exam(&plan, seed);
        for view in &exam.views {
            let numbers: Vec<usize> = view.lesions.iter().map(|lesion| lesion.number).collect();
            let expected: &[usize] = match view.side {
                Laterality::Left => &[0, 2],
                Laterality::Right => &[1],
            };
            assert_eq!(numbers, expected);
            for lesion in &view.lesions {
                let seen = depth_mm(view, lesion.center);
                assert!(
                    (seen - lesion.depth_mm).abs() < 0.1,
                    "{seen} {}",
                    lesion.depth_mm
                );
                let both = lesion.mask.pixels().iter().zip(view.breast.pixels());
                let outside = both
                    .filter(|(lesion, breast)| **lesion && !**breast)
                    .count();
                assert_eq!(outside, 0, "{seed} {} {:?}", view.view, lesion.kind);
                let bounds = lesion.bounds();
                assert!(bounds.contains(lesion.center) && lesion.longest_mm < 60.0);
            }
        }
        // The same lesion, the same depth.
        let depth = |view: usize, i: usize| exam.views[view].lesions[i].depth_mm;
        assert_eq!(depth(1, 0), depth(3, 0));
        assert_eq!(depth(0, 0), depth(2, 0));
    }
}

#[test]
fn masses_stand_out_from_what_surrounds_them() {
    let mut all = Vec::new();
    for kind in LesionKind::ALL {
        let ratios: Vec<f64> = (0..4)
            .flat_map(|seed| contrast_to_noise(kind, seed))
            .collect();
        let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
        println!("{}: contrast to noise {mean:.1}", kind.name());
        let least = match kind {
            // Specks alone are bright.
            LesionKind::Cluster => 0.0,
            _ => 0.8,
        };
        assert!(mean > least, "{kind:?}: {ratios:?}");
        all.push(mean);
    }
    assert!(
        all[0] > all[3],
        "a spiculated core is brighter than an oval mass"
    );
}

/// Mean of the lesion's middle less that of a ring around it, over the ring's deviation, by view.
fn contrast_to_noise(kind: LesionKind, seed: u64) -> Vec<f64> {
    let plan = ExamPlan {
        density: Density::Fatty,
        lesions: vec![LesionPlan::typical(Laterality::Left, kind)],
        ..coarse(Medium::Digital)
    };
    let exam = render_exam(&plan, seed);
    let with_lesion = exam.views.iter().filter(|view| !view.lesions.is_empty());
    with_lesion
        .map(|view| {
            let lesion = &view.lesions[0];
            let radius = lesion.longest_mm / 2.0 / view.spacing.row_mm();
            let ring = values(view, lesion.center, 1.6 * radius..2.3 * radius);
            let inside = values(view, lesion.center, 0.0..0.45 * radius);
            let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
            let (around, middle) = (mean(&ring), mean(&inside));
            let squares: Vec<f64> = ring.iter().map(|v| (v - around).powi(2)).collect();
            (middle - around) / mean(&squares).sqrt()
        })
        .collect()
}

/// Brightness of the pixels whose distance from a point is in a range.
fn values(view: &MammogramView, center: Point, range: std::ops::Range<f64>) -> Vec<f64> {
    let mut found = Vec::new();
    for row in 0..view.image.rows() {
        for col in 0..view.image.cols() {
            let far = (row as f64 - center.row).hypot(col as f64 - center.col);
            if range.contains(&far) {
                found.push(f64::from(view.image.at(row, col)));
            }
        }
    }
    found
}

#[test]
fn clusters_hold_specks_brighter_than_all_around() {
    for seed in 0..4 {
        let plan = ExamPlan {
            spacing_mm: 0.2,
            density: Density::Fatty,
            lesions: vec![LesionPlan::typical(Laterality::Right, LesionKind::Cluster)],
            ..ExamPlan::default()
        };
        for view in &render_exam(&plan, seed).views {
            for lesion in &view.lesions {
                let radius = lesion.longest_mm / 2.0 / view.spacing.row_mm();
                let most = |values: Vec<f64>| values.into_iter().fold(0.0, f64::max);
                let ring = most(values(view, lesion.center, 1.3 * radius..2.0 * radius));
                let inside = most(values(view, lesion.center, 0.0..radius));
                assert!(inside > ring, "{seed} {}: {inside} {ring}", view.view);
            }
        }
    }
}

#[test]
fn density_grows_as_asked_and_seeds_repeat() {
    let shares = Density::ALL.map(|density| {
        let plan = ExamPlan {
            density,
            spacing_mm: 1.0,
            ..ExamPlan::default()
        };
        let exams = (0..3).map(|seed| render_exam(&plan, seed));
        let shares: Vec<f64> = exams.flat_map(|e| e.views).map(|v| v.dense_share).collect();
        shares.iter().sum::<f64>() / shares.len() as f64
    });
    println!("dense shares {shares:.2?}");
    assert!(shares.is_sorted(), "{shares:?}");
    assert!(shares[0] < 0.15 && shares[3] > 0.5, "{shares:?}");
    let plan = ExamPlan {
        spacing_mm: 1.0,
        medium: Medium::Film,
        ..ExamPlan::default()
    };
    let image = |seed| render_exam(&plan, seed).views.swap_remove(2).image;
    assert!(image(3) == image(3));
    assert!(image(3) != image(4));
}

#[test]
fn wild_plans_are_held_to_what_can_be_drawn() {
    let lesion = LesionPlan {
        diameter_mm: f64::INFINITY,
        depth: f64::NAN,
        outward: f64::NEG_INFINITY,
        upward: 1e300,
        ..LesionPlan::typical(Laterality::Left, LesionKind::Spiculated)
    };
    let plan = ExamPlan {
        spacing_mm: f64::INFINITY,
        lesions: vec![lesion; 3],
        ..ExamPlan::default()
    };
    let exam = render_exam(&plan, 1);
    assert_eq!(plan.size(), (120, 90));
    assert_eq!(exam.views[1].lesions.len(), 3);
    assert_eq!(exam.class(Laterality::Left), Some(FindingClass::Malignant));
    assert_eq!(exam.class(Laterality::Right), None);
}

#[test]
fn a_training_set_is_written_as_it_is_drawn() {
    let plan = TrainingPlan {
        seed: 9,
        n_exams: 6,
        spacing_mm: 1.5,
        medium: None,
    };
    assert_eq!(training_exams(plan).len(), 6);
    let folder = tempfile::tempdir().unwrap();
    let written = write_training_set(folder.path(), plan).unwrap();
    assert_eq!(written.len(), 24);
    let malignant = |view: &&lobule_phantom::mammogram::WrittenView| view.label == "malignant";
    assert_eq!(written.iter().filter(malignant).count(), 4);
    let fifth = training_exam(&plan, 5);
    let last = &written[23];
    let picture = read_picture(&folder.path().join(&last.file), &Limits::default()).unwrap();
    let Picture::Gray16(image) = picture else {
        panic!("expected 16 bits")
    };
    assert!(image == fifth.views[3].image);
    let manifest = fs::read_to_string(folder.path().join("manifest.csv")).unwrap();
    assert_eq!(manifest.lines().count(), 25);
    assert!(
        manifest
            .lines()
            .skip(1)
            .all(|line| line.ends_with(",synthetic"))
    );
    let lesions = fs::read_to_string(folder.path().join("lesions.csv")).unwrap();
    assert!(lesions.lines().count() > 8);
    let masked = written.iter().find(|view| view.mask.is_some()).unwrap();
    let mask = folder.path().join(masked.mask.as_ref().unwrap());
    let mask = read_picture(&mask, &Limits::default()).unwrap();
    assert!(mask.luma().pixels().contains(&255));
}

#[test]
fn the_demonstration_is_four_synthetic_views_of_one_exam() {
    let folder = tempfile::tempdir().unwrap();
    let demo = write_demo_exam(folder.path(), 1).unwrap();
    keep_for_viewing("demo", &demo.exam);
    let read = |file: &std::path::PathBuf| read_mammogram_header(file, &Limits::default()).unwrap();
    let mammograms: Vec<_> = demo.files.iter().map(read).collect();
    assert_one_whole_exam(&mammograms);
    for (mammogram, drawn) in mammograms.iter().zip(&demo.exam.views) {
        assert_eq!(mammogram.side, Side::Known(drawn.side));
        assert_eq!(mammogram.view, Some(drawn.view));
        assert_eq!(mammogram.spacing, Some(drawn.spacing));
        let kinds: Vec<WarningKind> = mammogram.warnings.iter().map(|w| w.kind).collect();
        assert_eq!(kinds, [WarningKind::Synthetic]);
        let stated = mammogram.orientation.unwrap();
        let chest = match drawn.side {
            Laterality::Left => ImageSide::Left,
            Laterality::Right => ImageSide::Right,
        };
        assert_eq!(
            (stated.chest(), stated.upper()),
            (chest, Some(ImageSide::Top))
        );
        let gray = read_mammogram(mammogram, &Limits::default()).unwrap();
        assert!(gray.image == drawn.image);
    }
    assert_eq!(demo.exam.views[0].view, View::Cc);
    let truth = fs::read_to_string(folder.path().join("truth-mammogram.csv")).unwrap();
    assert!(truth.starts_with("# SYNTHETIC"));
    assert_eq!(truth.lines().count(), 2 + 6);
}
