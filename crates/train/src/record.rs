//! The record of a run: one line per epoch, one row per predicted image.

use std::path::Path;

use lobule_exam::Point;
use lobule_package::{Modality, Predictions, Truth};
use serde::{Deserialize, Serialize};

use crate::{Case, Error, ErrorKind, Label, LesionFacts, MapMark};

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
    /// The network's attention logit, comparable between images of one network.
    pub attention_logit: f64,
    /// Where each class's saliency is highest, in the original image.
    pub peaks: [Point; 2],
    /// Where the malignant map stands out, highest first.
    pub marks: Vec<MapMark>,
    /// What the lesion's outline says, where there is one.
    pub lesion: Option<LesionOutcome>,
}

/// A prediction held against the lesion's outline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LesionOutcome {
    /// What baselines know.
    pub facts: LesionFacts,
    /// Whether the peak of the benign and of the malignant map lies in the lesion.
    pub peaks_inside: [bool; 2],
    /// Whether the place that most training lesions cover lies in it.
    pub fixed_point_inside: bool,
}

/// Columns that training adds to a package's predictions.
const EXTRA_COLUMNS: [&str; 7] = [
    "bag_malignant_score",
    "attention_logit",
    "lesion_area_share",
    "lesion_mean_gray",
    "benign_peak_inside",
    "malignant_peak_inside",
    "fixed_point_inside",
];

/// Columns of the labels that are kept for subgroups.
fn label_columns(modality: Modality) -> &'static [&'static str] {
    match modality {
        Modality::Ultrasound => &["half", "device", "birads", "histology"],
        Modality::Mammography => &["view", "device", "birads", "density", "lesion"],
        Modality::Histology => &[],
    }
}

/// Writes predictions in the form of a package's `predictions.csv`, with further columns for the
/// bag's score, the attention, the lesion (empty without an outline) and the labels' own columns.
///
/// # Errors
/// When the file cannot be written.
pub fn write_predictions(
    file: &Path,
    predictions: &[Prediction],
    modality: Modality,
) -> Result<(), Error> {
    let labels = label_columns(modality);
    let columns = EXTRA_COLUMNS.iter().chain(labels);
    let table = Predictions {
        extra_columns: columns.map(|&name| name.to_owned()).collect(),
        rows: predictions.iter().map(|p| row(p, labels)).collect(),
    };
    let output = std::fs::File::create(file).map_err(|e| Error::io(file, e))?;
    table
        .to_csv(output, file)
        .map_err(|e| Error::new(ErrorKind::Io, e.to_string()))
}

fn row(p: &Prediction, labels: &[&str]) -> lobule_package::Prediction {
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
        extra: extra_values(p, labels),
    }
}

/// The values of [`EXTRA_COLUMNS`] and of the labels' columns.
fn extra_values(p: &Prediction, labels: &[&str]) -> Vec<String> {
    let numbers = [p.bag_scores[1], p.attention_logit].map(|v| v.to_string());
    let lesion = p.lesion.map_or_else(Default::default, |lesion| {
        [
            format!("{:.6}", lesion.facts.area_share),
            format!("{:.3}", lesion.facts.mean_gray),
            yes_or_no(lesion.peaks_inside[0]),
            yes_or_no(lesion.peaks_inside[1]),
            yes_or_no(lesion.fixed_point_inside),
        ]
    });
    let label = |name: &str| p.case.extra.get(name).cloned().unwrap_or_default();
    let labels = labels.iter().map(|name| label(name));
    numbers.into_iter().chain(lesion).chain(labels).collect()
}

fn yes_or_no(value: bool) -> String {
    if value { "yes".into() } else { "no".into() }
}
