//! The page of one exam: which page shows it, and what all of them share.

use lobule_exam::{ImageAssessment, Laterality, Modality, Side, Skipped, Warning};

use super::mammography::MammographyPage;
use super::ultrasound::UltrasoundPage;
use crate::{Error, ExamRecord, RunInfo, Surroundings, heat_color};

/// The page of an exam, ready to be rendered.
#[derive(Debug, Clone)]
pub(crate) enum ExamPage {
    Ultrasound(UltrasoundPage),
    Mammography(MammographyPage),
}

impl ExamPage {
    /// Mammograms are laid out as they are read.
    pub(crate) fn of(
        info: &RunInfo,
        record: &ExamRecord,
        surroundings: Surroundings,
    ) -> Result<ExamPage, Error> {
        match is_mammography(record) {
            true => MammographyPage::of(info, record, surroundings).map(ExamPage::Mammography),
            false => UltrasoundPage::of(info, record, surroundings).map(ExamPage::Ultrasound),
        }
    }

    /// The page with all inputs of the run that were not used.
    pub(crate) fn with_skipped(mut self, skipped: &[Skipped]) -> ExamPage {
        let head = match &mut self {
            ExamPage::Ultrasound(page) => &mut page.head,
            ExamPage::Mammography(page) => &mut page.head,
        };
        head.skipped = skipped.to_vec();
        self
    }

    pub(crate) fn render_page(&self) -> Result<String, Error> {
        use askama::Template as _;
        match self {
            ExamPage::Ultrasound(page) => page.render(),
            ExamPage::Mammography(page) => page.render(),
        }
        .map_err(Error::format)
    }
}

/// What every page of an exam shows beside its breasts.
#[derive(Debug, Clone)]
pub(super) struct ExamHead {
    pub(super) exam: String,
    pub(super) is_synthetic: bool,
    pub(super) identity: Vec<(String, String)>,
    pub(super) warnings: Vec<String>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) legend: Vec<String>,
}

impl ExamHead {
    pub(super) fn of(record: &ExamRecord) -> ExamHead {
        ExamHead {
            exam: record.assessment.exam.clone(),
            is_synthetic: is_synthetic(record),
            identity: record.identity.clone(),
            warnings: messages(&record.assessment.warnings),
            skipped: record.skipped.clone(),
            legend: legend(),
        }
    }
}

pub(crate) fn is_synthetic(record: &ExamRecord) -> bool {
    record.assessment.is_synthetic()
}

pub(crate) fn is_mammography(record: &ExamRecord) -> bool {
    record.assessment.modality == Modality::Mammography
}

pub(super) fn name_of(image: &ImageAssessment) -> String {
    match image.frame {
        0 => image.file.clone(),
        frame => format!("{}, frame {}", image.file, frame + 1),
    }
}

pub(super) fn side_title(side: Side) -> &'static str {
    match side {
        Side::Known(Laterality::Left) => "Left breast",
        Side::Known(Laterality::Right) => "Right breast",
        Side::Unknown => "Breast of unknown side",
    }
}

/// Whether the operating point is reached; `worded` says a threshold in the page's own scale.
pub(super) fn verdict(info: &RunInfo, flagged: bool, worded: impl Fn(f64) -> String) -> String {
    let Some(point) = &info.operating_point else {
        return "No operating point: nothing is flagged".to_owned();
    };
    let (word, relation) = match flagged {
        true => ("Flagged", "at or above"),
        false => ("Not flagged", "below"),
    };
    let threshold = worded(point.threshold);
    format!(
        "{word}: {relation} the operating point “{}” ({threshold})",
        point.name
    )
}

pub(super) fn messages(warnings: &[Warning]) -> Vec<String> {
    warnings.iter().map(|w| w.message.clone()).collect()
}

/// Width of a bar, in percent.
pub(super) fn width(share: f64) -> String {
    format!("{:.1}", share.clamp(0.0, 1.0) * 100.0)
}

/// The color scale from 0 to 1.
fn legend() -> Vec<String> {
    let color = |i: u32| {
        let [r, g, b] = heat_color(f64::from(i) / 10.0);
        format!("#{r:02x}{g:02x}{b:02x}")
    };
    (0..=10).map(color).collect()
}
