//! Pages: self-contained HTML, every string escaped by the templates.

mod evaluation;
mod exam;
mod mammography;
mod picture;
mod ultrasound;
mod worklist;

pub use evaluation::{EvaluationPage, Figure, ReliabilityBin, RocCurve, ThresholdRow};
pub(crate) use exam::ExamPage;
pub(crate) use picture::{encode_png, resized_rgb, rgb_uri};
pub(crate) use worklist::{WorklistRow, worklist_page};

use lobule_exam::threshold_words;

use crate::{Calibration, ModelStatus, RunInfo};

/// The foot of every page: what the numbers were made with.
#[derive(Debug, Clone)]
pub(crate) struct Foot {
    pub(crate) program_version: String,
    pub(crate) model: String,
    pub(crate) digest: String,
    pub(crate) engine: String,
    pub(crate) calibration: String,
    pub(crate) operating_point: Option<String>,
    pub(crate) is_demonstration: bool,
    pub(crate) research_use: String,
}

impl Foot {
    pub(crate) fn of(info: &RunInfo) -> Foot {
        let model = &info.model;
        let members = match model.members {
            1 => "one network".to_owned(),
            n => format!("mean of {n} networks"),
        };
        Foot {
            program_version: info.program_version.clone(),
            model: format!("{} {} ({members})", model.name, model.version),
            digest: model.digest.clone(),
            engine: model.engine.clone(),
            calibration: calibration_text(info.calibration),
            operating_point: info.operating_point.as_ref().map(|p| {
                format!(
                    "“{}”, threshold {}: {}",
                    p.name,
                    threshold_percent(p.threshold),
                    p.chosen_by
                )
            }),
            is_demonstration: model.status == ModelStatus::Demonstration,
            research_use: model.words_beyond_notice().to_owned(),
        }
    }
}

fn calibration_text(calibration: Calibration) -> String {
    match calibration {
        Calibration::None => {
            "NOT calibrated: the numbers are scores of the network, not probabilities".to_owned()
        }
        Calibration::AtPrevalence(at) => format!(
            "probabilities hold where {} of breasts are malignant, as in the calibration data",
            percent(at)
        ),
        Calibration::Rebased { from, to } => format!(
            "probabilities re-based to {} malignant breasts (calibrated at {})",
            percent(to),
            percent(from)
        ),
    }
}

/// A share as a reader wants it: two digits, and never a false 0 % or 100 %.
pub(crate) fn percent(share: f64) -> String {
    let value = share * 100.0;
    match value {
        v if v.is_nan() => "–".to_owned(),
        v if v > 0.0 && v < 0.1 => "< 0.1 %".to_owned(),
        v if v < 100.0 && v > 99.9 => "> 99.9 %".to_owned(),
        v if !(10.0..=99.0).contains(&v) => format!("{} %", trimmed(v)),
        v => format!("{v:.0} %"),
    }
}

/// A threshold as a share, with as many digits as it takes to compare with it.
pub(crate) fn threshold_percent(share: f64) -> String {
    format!("{} %", threshold_words(100.0 * share))
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn percentages_never_claim_certainty() {
        let cases = [
            (0.0, "0 %"),
            (0.0004, "< 0.1 %"),
            (0.025, "2.5 %"),
            (0.02, "2 %"),
            (0.237, "24 %"),
            (0.994, "99.4 %"),
            (0.9996, "> 99.9 %"),
            (1.0, "100 %"),
        ];
        for (share, text) in cases {
            assert_eq!(percent(share), text);
        }
    }
}
