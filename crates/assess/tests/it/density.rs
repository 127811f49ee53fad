//! Density classes from files to breasts and exams: which images get one, and what is said of others.

use std::path::{Path, PathBuf};

use lobule_assess::{Options, assess, collect};
use lobule_dicomio::{MammogramEncoding, ObjectKind};
use lobule_exam::{Assessment, BreastAssessment, DensityClasses, Laterality, Medium, Side};
use lobule_phantom::mammogram::{Density, ExamPlan, render_exam, write_dicom_exam};

use crate::ONE_GRAPH;
use crate::mammography::{assessor, manifest};

/// A drawn exam as DICOM objects of a kind.
fn drawn(folder: &Path, density: Density, object: ObjectKind) -> Vec<PathBuf> {
    let plan = ExamPlan {
        spacing_mm: 0.4,
        density,
        ..ExamPlan::default()
    };
    let encoding = MammogramEncoding {
        object,
        ..MammogramEncoding::default()
    };
    write_dicom_exam(folder, "drawn", &render_exam(&plan, 5), encoding).unwrap()
}

fn assessed(paths: &[PathBuf]) -> Assessment {
    let inputs = collect(paths).unwrap();
    assert!(inputs.skipped.is_empty(), "{:?}", inputs.skipped);
    let manifest = manifest(ONE_GRAPH, 0.5);
    let mut exams = Vec::new();
    let mut assessor = assessor(&manifest, Options::default());
    assess(&inputs, &mut assessor, |exam| {
        assert!(exam.skipped.is_empty(), "{:?}", exam.skipped);
        exams.push(exam.assessment);
        Ok(())
    })
    .unwrap();
    assert_eq!(exams.len(), 1);
    exams.remove(0)
}

fn of_kind(density: Density, object: ObjectKind) -> Assessment {
    let folder = tempfile::tempdir().unwrap();
    drawn(folder.path(), density, object);
    assessed(&[folder.path().to_owned()])
}

fn classes(breast: &BreastAssessment) -> DensityClasses {
    breast.density_classes().unwrap().unwrap()
}

fn reason(breast: &BreastAssessment) -> String {
    breast.density_classes().unwrap().unwrap_err()
}

fn names(classes: &DensityClasses) -> Vec<&str> {
    classes.classes.iter().map(|class| class.name).collect()
}

#[test]
fn a_digital_breast_has_the_mean_class_of_its_views() {
    let exam = of_kind(Density::Heterogeneous, ObjectKind::ForPresentation);
    for breast in &exam.breasts {
        let classes = classes(breast);
        assert_eq!(classes.medium, Medium::Digital);
        assert_eq!(names(&classes), ["A-B", "C-D"]);
        assert_eq!(classes.letters.len(), 4);
        let of_view = |at: usize| {
            let facts = breast.images[at].mammogram.as_ref().unwrap();
            facts.density_classes.as_ref().unwrap().classes[1].probability
        };
        let mean = (of_view(0) + of_view(1)) / 2.0;
        assert!((classes.classes[1].probability - mean).abs() < 1e-12);
        for list in [&classes.classes, &classes.letters] {
            let sum: f64 = list.iter().map(|class| class.probability).sum();
            assert!((sum - 1.0).abs() < 1e-9);
        }
    }
    let (side, densest) = exam.densest_breast().unwrap();
    let dense = |breast: &BreastAssessment| classes(breast).classes[1].probability;
    let most = exam.breasts.iter().map(dense).fold(0.0, f64::max);
    assert_eq!(densest.classes[1].probability, most);
    let of_side = exam.breasts.iter().find(|b| b.side == side).unwrap();
    assert_eq!(classes(of_side), densest);
}

#[test]
fn film_is_judged_on_oblique_views_alone() {
    let dense = of_kind(Density::Dense, ObjectKind::SecondaryCapture);
    let of_oblique = |exam: &Assessment| {
        let breast = &exam.breasts[0];
        let [cc, mlo] = &breast.images[..] else {
            panic!("two views")
        };
        let said = |image: &lobule_exam::ImageAssessment| {
            image.mammogram.as_ref().unwrap().density_classes.clone()
        };
        let no_cc = said(cc).unwrap_err();
        assert_eq!(
            no_cc,
            "the classes of film images were learnt on no CC views"
        );
        let own = said(mlo).unwrap();
        assert_eq!(classes(breast), own);
        assert_eq!((own.medium, own.letters.len()), (Medium::Film, 0));
        assert_eq!(names(&own), ["fatty", "glandular", "dense"]);
        own.classes[0].probability
    };
    let fatty = of_kind(Density::Fatty, ObjectKind::SecondaryCapture);
    assert!(of_oblique(&fatty) > of_oblique(&dense));
}

#[test]
fn what_is_not_known_gets_no_class_and_a_reason() {
    for (object, expected) in [
        (
            ObjectKind::ComputedRadiography,
            "nothing states whether it is a scan of a film or a digital image",
        ),
        (
            ObjectKind::ForProcessing,
            "the image is for processing, not for reading: the classes were learnt on no such images",
        ),
    ] {
        let exam = of_kind(Density::Scattered, object);
        for breast in &exam.breasts {
            assert_eq!(reason(breast), expected);
            let facts = breast.images[0].mammogram.as_ref().unwrap();
            assert!(
                facts.density.is_some(),
                "the share is measured all the same"
            );
        }
        assert_eq!(exam.densest_breast(), None);
    }
}

#[test]
fn a_manifest_states_the_medium_of_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let exam = render_exam(
        &ExamPlan {
            spacing_mm: 0.4,
            ..ExamPlan::default()
        },
        7,
    );
    for view in &exam.views {
        let (rows, cols) = (view.image.rows() as u32, view.image.cols() as u32);
        let pixels = view.image.pixels().to_vec();
        let picture: image::ImageBuffer<image::Luma<u16>, _> =
            image::ImageBuffer::from_raw(cols, rows, pixels).unwrap();
        let name = format!("{}-{}.png", Side::Known(view.side), view.view);
        picture.save(folder.path().join(name)).unwrap();
    }
    let manifest = folder.path().join("manifest.csv");
    let write = |left: &str, right: &str| {
        let text = format!(
            "exam,breast,file,view,medium\n\
             a,left,left-CC.png,CC,{left}\na,left,left-MLO.png,MLO,{left}\n\
             a,right,right-MLO.png,MLO,{right}\n"
        );
        std::fs::write(&manifest, text).unwrap();
    };
    let paths = [manifest.clone()];
    let of = |exam: &Assessment, side: Laterality| {
        let side = Side::Known(side);
        exam.breasts
            .iter()
            .find(|b| b.side == side)
            .unwrap()
            .clone()
    };
    write("Digital", "film");
    let mixed = assessed(&paths);
    assert_eq!(
        classes(&of(&mixed, Laterality::Left)).medium,
        Medium::Digital
    );
    assert_eq!(classes(&of(&mixed, Laterality::Right)).medium, Medium::Film);
    assert_eq!(mixed.densest_breast(), None, "media are not compared");
    write("digital", "");
    let exam = assessed(&paths);
    assert!(reason(&of(&exam, Laterality::Right)).starts_with("nothing states whether"));
    assert_eq!(
        exam.densest_breast().unwrap().0,
        Side::Known(Laterality::Left)
    );
    write("paper", "");
    let refused = collect(&paths).unwrap_err().to_string();
    let expected = "line 2, column `medium`: expected film or digital, got `paper`";
    assert!(refused.contains(expected), "{refused}");
}
