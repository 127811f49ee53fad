//! The page that lists several exams, most suspicious first.

use askama::Template;
use lobule_exam::Skipped;

use super::exam::{is_mammography, is_synthetic};
use super::{Foot, percent};
use crate::{Error, ExamRecord, ModelStatus, NOTICE, RunInfo};

/// One line of the worklist.
#[derive(Debug, Clone)]
pub(crate) struct WorklistRow {
    exam: String,
    link: String,
    suspicion: f64,
    malignant: String,
    benign: String,
    breast: String,
    flagged: bool,
    is_synthetic: bool,
    is_mammography: bool,
    images: usize,
    warnings: usize,
}

#[derive(Debug, Template)]
#[template(path = "worklist.html")]
struct Worklist<'a> {
    notice: &'static str,
    title: &'static str,
    rows: Vec<WorklistRow>,
    flagged: usize,
    is_synthetic: bool,
    /// Whether any of the models is one: an exam's line does not say which model made it.
    is_demonstration: bool,
    is_calibrated: bool,
    skipped: &'a [Skipped],
    foot: Foot,
    further: Vec<Foot>,
}

impl WorklistRow {
    /// The exam's line shows its most suspicious breast.
    pub(crate) fn of(record: &ExamRecord, link: String) -> WorklistRow {
        let exam = &record.assessment;
        let shown = |b: &lobule_exam::BreastAssessment| b.probabilities.unwrap_or(b.scores);
        let worst = exam
            .breasts
            .iter()
            .max_by(|a, b| shown(a).malignant.total_cmp(&shown(b).malignant));
        let images = exam.breasts.iter().flat_map(|b| &b.images);
        let noted: usize = images.clone().map(|i| i.warnings.len()).sum();
        WorklistRow {
            exam: exam.exam.clone(),
            link,
            suspicion: worst.map_or(f64::NEG_INFINITY, |b| shown(b).malignant),
            malignant: worst.map_or(String::new(), |b| percent(shown(b).malignant)),
            benign: worst.map_or(String::new(), |b| percent(shown(b).benign)),
            breast: worst.map_or(String::new(), |b| b.side.to_string()),
            flagged: exam.breasts.iter().any(|b| b.flagged),
            is_synthetic: is_synthetic(record),
            is_mammography: is_mammography(record),
            images: images.count(),
            warnings: noted + exam.warnings.len(),
        }
    }
}

/// Renders the worklist: by falling suspicion, then by name.
pub(crate) fn worklist_page(
    models: &[RunInfo],
    mut rows: Vec<WorklistRow>,
    skipped: &[Skipped],
) -> Result<String, Error> {
    rows.sort_by(|a, b| {
        let by_suspicion = b.suspicion.total_cmp(&a.suspicion);
        by_suspicion.then_with(|| a.exam.cmp(&b.exam))
    });
    let mut feet = models.iter().map(Foot::of);
    let foot = feet.next();
    let page = Worklist {
        notice: NOTICE,
        title: title_of(&rows),
        flagged: rows.iter().filter(|r| r.flagged).count(),
        is_synthetic: rows.iter().any(|r| r.is_synthetic),
        is_demonstration: models
            .iter()
            .any(|m| m.model.status == ModelStatus::Demonstration),
        is_calibrated: models
            .iter()
            .all(|m| m.calibration != crate::Calibration::None),
        rows,
        skipped,
        foot: foot.ok_or_else(|| Error::format("expected a model, got none"))?,
        further: feet.collect(),
    };
    page.render().map_err(Error::format)
}

fn title_of(rows: &[WorklistRow]) -> &'static str {
    let mammography = rows.iter().filter(|row| row.is_mammography).count();
    match mammography {
        0 => "Breast ultrasound worklist",
        n if n == rows.len() => "Mammography worklist",
        _ => "Breast imaging worklist",
    }
}
