//! Density classes in the document.

use lobule_exam::{Assessment, BreastAssessment, DensityClass, DensityClasses, Medium};
use lobule_raster::DensityClassifier;
use serde::Serialize;

use super::rounded;

/// Those of an image, or why it has none.
#[derive(Serialize)]
pub(super) struct ClassesOut<'a> {
    medium: Option<&'static str>,
    classes: Vec<ClassOut>,
    letters_experimental: Vec<ClassOut>,
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct ClassOut {
    name: &'static str,
    probability: f64,
}

impl ClassOut {
    fn of(class: &DensityClass) -> ClassOut {
        ClassOut {
            name: class.name,
            probability: rounded(class.probability),
        }
    }
}

impl<'a> ClassesOut<'a> {
    pub(super) fn of(classes: Result<&DensityClasses, &'a String>) -> ClassesOut<'a> {
        let list = |of: fn(&DensityClasses) -> &Vec<DensityClass>| {
            let known = classes.iter().flat_map(|known| of(known));
            known.map(ClassOut::of).collect()
        };
        ClassesOut {
            medium: classes.ok().map(|known| known.medium.name()),
            classes: list(|known| &known.classes),
            letters_experimental: list(|known| &known.letters),
            reason: classes.err().map(String::as_str),
        }
    }
}

/// Those of a breast: the mean over its images.
#[derive(Serialize)]
pub(super) struct BreastClassesOut {
    class: Option<&'static str>,
    probability: Option<f64>,
    medium: Option<&'static str>,
    classes: Vec<ClassOut>,
    letters_experimental: Vec<ClassOut>,
    measured: Option<&'static str>,
    measured_letters: Option<&'static str>,
    licence: Option<&'static str>,
    reason: Option<String>,
}

impl BreastClassesOut {
    /// None where the breast has no mammogram.
    pub(super) fn of(breast: &BreastAssessment) -> Option<BreastClassesOut> {
        let classes = breast.density_classes()?;
        let ClassesOut {
            medium,
            classes: all,
            letters_experimental,
            reason,
        } = ClassesOut::of(classes.as_ref());
        let known = classes.as_ref().ok();
        let class = known.and_then(DensityClasses::class);
        let by = known.map(|known| DensityClassifier::of(known.medium));
        let letters = DensityClassifier::letters_experimental();
        let has_letters = known.is_some_and(|known| known.medium == Medium::Digital);
        Some(BreastClassesOut {
            class: class.map(|class| class.name),
            probability: class.map(|class| rounded(class.probability)),
            medium,
            classes: all,
            letters_experimental,
            measured: by.map(DensityClassifier::measured),
            measured_letters: has_letters.then(|| letters.measured()),
            licence: by.map(DensityClassifier::licence),
            reason: reason.map(str::to_owned),
        })
    }
}

/// The exam's density class: that of its densest breast.
#[derive(Serialize)]
pub(super) struct ExamClassOut {
    breast: String,
    class: &'static str,
    probability: f64,
    medium: &'static str,
}

impl ExamClassOut {
    pub(super) fn of(exam: &Assessment) -> Option<ExamClassOut> {
        let (side, classes) = exam.densest_breast()?;
        let class = classes.class()?;
        Some(ExamClassOut {
            breast: side.to_string(),
            class: class.name,
            probability: rounded(class.probability),
            medium: classes.medium.name(),
        })
    }
}
