//! The record of a run: one line per epoch, one row per predicted image.

use std::path::Path;

use lobule_exam::Point;
use lobule_package::{Predictions, Truth};
use serde::{Deserialize, Serialize};

use crate::{Case, Error, ErrorKind, Label};

/// One pass over the training bags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// From 1.
    pub epoch: usize,
    /// Mean training loss.
    pub loss: f64,
    /// AUROC of the malignant score on the inner groups, if both outcomes occur there.
    pub inner_auroc: Option<f64>,
    /// Loss on the inner groups.
    pub inner_loss: Option<f64>,
    /// Wall time.
    pub seconds: f64,
}

/// The network's word on one image that it was not trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The image.
    pub case: Case,
    /// The fold that was left out, if folds were drawn.
    pub fold: Option<usize>,
    /// Name of its bag within the set.
    pub bag: String,
    /// The image's own scores: benign, malignant.
    pub image_scores: [f64; 2],
    /// Its share of the bag's attention.
    pub attention: f64,
    /// The bag's scores: benign, malignant.
    pub bag_scores: [f64; 2],
    /// Where each class's saliency is highest, in the original image.
    pub peaks: [Point; 2],
}

/// Columns that training adds to a package's predictions.
const EXTRA_COLUMNS: [&str; 9] = [
    "bag_benign_score",
    "bag_malignant_score",
    "benign_peak_row",
    "benign_peak_col",
    "malignant_peak_row",
    "malignant_peak_col",
    "device",
    "birads",
    "histology",
];

/// Writes predictions in the form of a package's `predictions.csv`, with further columns for the
/// bag's scores, the peaks of the saliency maps and the labels' own `device`, `birads` and
/// `histology`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_predictions(file: &Path, predictions: &[Prediction]) -> Result<(), Error> {
    let table = Predictions {
        extra_columns: EXTRA_COLUMNS.map(str::to_owned).to_vec(),
        rows: predictions.iter().map(row).collect(),
    };
    let output = std::fs::File::create(file).map_err(|e| Error::io(file, e))?;
    table
        .to_csv(output, file)
        .map_err(|e| Error::new(ErrorKind::Io, e.to_string()))
}

fn row(p: &Prediction) -> lobule_package::Prediction {
    let extra = |name: &str| p.case.extra.get(name).cloned().unwrap_or_default();
    let [benign, malignant] = p.bag_scores.map(|score| score.to_string());
    let [benign_peak, malignant_peak] = p
        .peaks
        .map(|peak| [format!("{:.1}", peak.row), format!("{:.1}", peak.col)]);
    lobule_package::Prediction {
        set: p.case.set.clone(),
        case: p.case.name.clone(),
        bag: p.bag.clone(),
        patient: p.case.group.clone(),
        fold: p.fold.map(|fold| fold.to_string()).unwrap_or_default(),
        label: match p.case.label {
            Label::Normal => Truth::Normal,
            Label::Benign => Truth::Benign,
            Label::Malignant => Truth::Malignant,
        },
        benign_score: p.image_scores[0],
        malignant_score: p.image_scores[1],
        malignant_probability: None,
        attention: p.attention,
        extra: [
            vec![benign, malignant],
            benign_peak.to_vec(),
            malignant_peak.to_vec(),
        ]
        .concat()
        .into_iter()
        .chain(["device", "birads", "histology"].map(extra))
        .collect(),
    }
}
