//! The form in which a manifest holds the calibration of `stats`.

use lobule_stats::calibration::Calibrator;
use serde::{Deserialize, Serialize};

/// How the scores of one class become probabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Share of the class among the breasts that the map was fitted on, strictly between 0 and 1.
    /// The probabilities hold at this prevalence.
    pub prevalence: f64,
    /// The map itself.
    #[serde(with = "CalibratorForm")]
    pub map: Calibrator,
}

/// The file's words for a [`Calibrator`]. A class that is not calibrated is left out instead of
/// mapped to itself.
#[derive(Serialize, Deserialize)]
#[serde(
    remote = "Calibrator",
    tag = "kind",
    rename_all = "lowercase",
    deny_unknown_fields
)]
enum CalibratorForm {
    #[serde(skip)]
    Identity,
    Logistic {
        slope: f64,
        intercept: f64,
    },
    Isotonic {
        x: Vec<f64>,
        y: Vec<f64>,
    },
}
