//! What the phantoms promise: truth that fits the pixels, physics of the right sign, repeatable
//! files that say what they are.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod encodings;
mod mammogram;
mod slide;

use std::fs;
use std::path::Path;

use lobule_dicomio::{Mammogram, read_frames, read_header, set_aside};
use lobule_exam::{FindingClass, Laterality, PixelBox, Side, arrange_views};
use lobule_phantom::{
    Calcifications, Callipers, Composition, ImagePlan, Layout, Lesion, LesionKind, LesionPlan,
    PhantomImage, Transducer, render, render_cine, write_demo_exams, write_training_set,
};
use lobule_raster::{Image, Limits};

const KINDS: [LesionKind; 3] = [LesionKind::Cyst, LesionKind::Solid, LesionKind::Malignant];

/// Nothing is set aside, missing or repeated.
fn assert_one_whole_exam(mammograms: &[Mammogram]) {
    let placed: Vec<_> = mammograms.iter().map(Mammogram::placed).collect();
    let reasons = set_aside(&placed);
    assert!(reasons.iter().all(Option::is_none), "{reasons:?}");
    let places: Vec<_> = placed.iter().map(|m| m.place).collect();
    let exams = arrange_views(&places);
    let [exam] = &exams[..] else {
        panic!("expected one exam")
    };
    for breast in &exam.breasts {
        assert!(breast.missing_views().is_empty() && breast.repeated_views().is_empty());
    }
}

fn plan(kind: LesionKind) -> ImagePlan {
    let lesion = LesionPlan {
        calcifications: Calcifications::None,
        ..LesionPlan::typical(kind)
    };
    ImagePlan {
        layout: Layout::Bare {
            rows: 309,
            cols: 320,
        },
        lesion: Some(lesion),
        ..ImagePlan::default()
    }
}

fn lesion(phantom: &PhantomImage) -> &Lesion {
    phantom.lesion.as_ref().expect("planned")
}

fn mean(image: &Image<u8>, pixels: impl Iterator<Item = (usize, usize)>) -> f64 {
    let (n, sum) = pixels.fold((0.0, 0.0), |(n, sum), (row, col)| {
        (n + 1.0, sum + f64::from(image.at(row, col)))
    });
    assert!(n > 0.0, "nothing to average");
    sum / n
}

fn pixels_of(window: PixelBox) -> impl Iterator<Item = (usize, usize)> {
    let cols = move |row| (window.col..window.col_end()).map(move |col| (row, col));
    (window.row..window.row_end()).flat_map(cols)
}

#[test]
fn a_lesion_is_darker_than_what_surrounds_it() {
    for kind in KINDS {
        for seed in 1..=4 {
            let phantom = render(&plan(kind), seed);
            let mask = &lesion(&phantom).mask;
            let bounds = lesion(&phantom).bounds().expect("inside the picture");
            let inside = mean(
                &phantom.screen,
                pixels_of(bounds).filter(|&(r, c)| mask.at(r, c)),
            );
            let beside = PixelBox {
                col: bounds.col - 40,
                cols: 30,
                ..bounds
            };
            let around = mean(&phantom.screen, pixels_of(beside));
            assert!(
                inside + 25.0 < around,
                "{kind:?} {seed}: {inside} against {around}"
            );
        }
    }
}

/// Compared with the same breast without the lesion, pixel by pixel.
#[test]
fn tissue_behind_is_brighter_after_a_cyst_and_darker_after_a_malignant_lesion() {
    for (kind, sign) in [(LesionKind::Cyst, 1.0), (LesionKind::Malignant, -1.0)] {
        for seed in 1..=4 {
            let phantom = render(&plan(kind), seed);
            let without = ImagePlan {
                lesion: None,
                ..plan(kind)
            };
            let bounds = lesion(&phantom).bounds().expect("inside the picture");
            let behind = PixelBox {
                row: bounds.row_end() + 6,
                col: bounds.col + bounds.cols / 3,
                rows: 40,
                cols: bounds.cols / 3,
            };
            let change = mean(&phantom.screen, pixels_of(behind))
                - mean(&render(&without, seed).screen, pixels_of(behind));
            assert!(sign * change > 8.0, "{kind:?} {seed}: {change}");
        }
    }
}

#[test]
fn masks_outlines_and_regions_fit_together() {
    for (transducer, kind) in [
        (Transducer::Linear, LesionKind::Malignant),
        (Transducer::Linear, LesionKind::Solid),
        (Transducer::Curved, LesionKind::Malignant),
    ] {
        let planned = ImagePlan {
            transducer,
            ..plan(kind)
        };
        let console = ImagePlan {
            layout: ImagePlan::default().layout,
            ..planned
        };
        let phantom = render(&console, 2);
        let found = lesion(&phantom);
        let bounds = found.bounds().expect("inside the picture");
        assert_eq!(found.mask.rows(), phantom.screen.rows());
        assert_eq!(
            bounds,
            bounds.intersect(phantom.region),
            "the mask lies in the region"
        );
        let area = found.mask.pixels().iter().filter(|&&inside| inside).count() as f64;
        let ratio = found.outline.area() / area;
        assert!(
            (ratio - 1.0).abs() < 0.04,
            "{transducer:?} {kind:?}: {ratio}"
        );
        let width = LesionPlan::typical(kind).width_mm;
        let longest = found.outline.longest_axis_mm(phantom.spacing);
        assert!(
            longest > 0.9 * width && longest < 2.2 * width,
            "{longest} mm"
        );
    }
    assert_eq!(
        lesion(&render(&plan(LesionKind::Solid), 1)).class,
        FindingClass::Benign
    );
}

#[test]
fn one_seed_gives_one_picture() {
    let console = ImagePlan {
        lesion: Some(LesionPlan::typical(LesionKind::Malignant)),
        callipers: Callipers::OnLesion,
        composition: Composition::Dense,
        side: Side::Known(Laterality::Right),
        ..ImagePlan::default()
    };
    assert_eq!(render(&console, 5), render(&console, 5));
    assert_ne!(render(&console, 5).screen, render(&console, 6).screen);
}

#[test]
fn a_cine_loop_slides_over_one_piece_of_tissue() {
    let frames = render_cine(&plan(LesionKind::Cyst), 3, 9);
    let left = |i: usize| lesion(&frames[i]).bounds().expect("inside").col;
    let step = left(0) - left(1);
    assert!(step > 0 && left(1) - left(2) == step);
    for col in 0..300 - step {
        assert_eq!(
            frames[1].screen.at(150, col),
            frames[0].screen.at(150, col + step)
        );
    }
}

#[test]
fn odd_plans_draw_something() {
    let base = plan(LesionKind::Solid);
    let layouts = [
        Layout::Bare { rows: 0, cols: 0 },
        Layout::Console { rows: 64, cols: 64 },
    ];
    for layout in layouts {
        for transducer in [Transducer::Linear, Transducer::Curved] {
            let odd = ImagePlan {
                layout,
                transducer,
                depth_mm: f64::INFINITY,
                looks: 0,
                callipers: Callipers::OnLesion,
                ..base.clone()
            };
            assert!(render(&odd, 0).screen.pixels().iter().any(|&v| v > 0));
        }
    }
    assert!(render_cine(&base, 0, 0).is_empty());
}

#[test]
fn demo_exams_read_back_with_their_truth() {
    let folder = tempfile::tempdir().unwrap();
    let exams = write_demo_exams(folder.path(), 3).unwrap();
    assert_eq!(exams.len(), 3);
    for exam in &exams {
        let keys: Vec<String> = exam.images.iter().map(check_image).collect();
        assert!(
            keys.iter().all(|key| *key == keys[0]),
            "one study: {keys:?}"
        );
        assert!(exam.name.contains("synthetic"));
    }
    let truth = fs::read_to_string(folder.path().join("truth.csv")).unwrap();
    assert!(truth.lines().next().unwrap().contains("SYNTHETIC"));
    let n_images: usize = exams.iter().map(|exam| exam.images.len()).sum();
    assert_eq!(truth.lines().count(), n_images + 2);
    assert!(truth.contains(",malignant-like,malignant,") && truth.contains(",none,normal,"));
}

/// Returns the key of the image's exam.
fn check_image(image: &lobule_phantom::DemoImage) -> String {
    let limits = Limits::default();
    let instance = read_header(&image.file, &limits).expect("a header");
    assert_eq!((instance.side, instance.frames), (image.side, image.frames));
    assert_eq!(instance.regions, [ImagePlan::default().layout.region()]);
    let spacing = instance.spacing.expect("written").row_mm();
    assert!((spacing - 38.0 / instance.regions[0].rows as f64).abs() < 1e-6);
    let pictures = read_frames(&instance, &[0], &limits).expect("pixels");
    let gray = pictures[0].luma();
    assert_eq!((gray.rows(), gray.cols()), (600, 800));
    assert!(says_synthetic(&gray), "{}", image.file.display());
    let bytes = fs::read(&image.file).expect("a file").to_ascii_lowercase();
    assert!(bytes.windows(9).any(|window| window == b"synthetic"));
    instance.exam_key
}

/// Whether the letters of `SYNTHETIC` stand at the top, as dots of a plain picture's letters.
fn says_synthetic(gray: &Image<u8>) -> bool {
    let reference = render(&ImagePlan::default(), 0).screen;
    let word = PixelBox {
        row: 10,
        col: 100,
        rows: 14,
        cols: 9 * 12,
    };
    reference.crop(word).pixels().contains(&214) && reference.crop(word) == gray.crop(word)
}

#[test]
fn training_sets_are_complete_and_repeatable() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [cases, again] = [0, 1].map(|i| write_training_set(folders[i].path(), 6, 4).unwrap());
    assert_eq!(cases, again);
    assert_eq!(cases.len(), 12);
    for case in &cases {
        let read = |folder: &Path| fs::read(folder.join(&case.file)).unwrap();
        assert_eq!(read(folders[0].path()), read(folders[1].path()));
        assert_eq!(case.mask.is_some(), case.label != "normal");
        let picture = image::open(folders[0].path().join(&case.file))
            .unwrap()
            .into_luma8();
        assert!(picture.width() <= 128 && picture.height() <= 128);
        if let Some(mask) = &case.mask {
            let mask = image::open(folders[0].path().join(mask))
                .unwrap()
                .into_luma8();
            assert_eq!(mask.dimensions(), picture.dimensions());
            assert!(mask.pixels().any(|p| p.0[0] == 255));
        }
    }
    let manifest = fs::read_to_string(folders[0].path().join("manifest.csv")).unwrap();
    assert!(manifest.starts_with("exam,breast,file,label,mask\nsynthetic-0000,left,images/synth"));
    let rows: Vec<&str> = manifest.lines().skip(1).collect();
    assert!(rows.len() == 12 && rows.iter().all(|row| row.contains("synthetic")));
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    fs::write(&taken, "").unwrap();
    for error in [
        write_demo_exams(&taken, 1).unwrap_err(),
        write_training_set(&taken, 1, 1).unwrap_err(),
    ] {
        assert_eq!(error.kind(), lobule_phantom::ErrorKind::Io);
        assert!(error.to_string().contains("taken"), "{error}");
    }
}

#[test]
fn numbers_that_are_none_are_held_to_their_bounds() {
    let lesion = LesionPlan {
        width_mm: f64::INFINITY,
        depth_mm: f64::NAN,
        lateral_mm: f64::NEG_INFINITY,
        ..LesionPlan::typical(LesionKind::Malignant)
    };
    let odd = ImagePlan {
        depth_mm: f64::NAN,
        dynamic_range_db: f64::NAN,
        lesion: Some(lesion),
        callipers: Callipers::OnLesion,
        ..ImagePlan::default()
    };
    let phantom = render(&odd, 1);
    assert!(phantom.screen.pixels().iter().any(|&v| v > 0));
    assert_eq!(phantom.spacing.row_mm(), 20.0 / phantom.region.rows as f64);
}
