//! The figures of an evaluation.

use std::path::Path;

use lobule_report::{EvaluationPage, Figure, ReliabilityBin, RocCurve, ThresholdRow};
use lobule_stats::bootstrap::{BootstrapConfig, Clusters, bootstrap_auc};
use lobule_stats::calibration::{
    Binning, brier_score, calibration_line, expected_calibration_error, reliability,
};
use lobule_stats::operating::ConfusionTable;
use lobule_stats::proportion::Proportion;
use lobule_stats::roc::{AucScale, Roc};
use lobule_stats::{Confidence, Error, Interval};

use super::cases::{Case, Truth};
use crate::failure::Failure;
use crate::setup::Ready;

/// The bootstrap is the same in every run.
const SEED: u64 = 1;
const BINS: Binning = Binning::EqualMass(10);
const SENSITIVITIES: [f64; 3] = [0.90, 0.95, 0.98];
const SPECIFICITIES: [f64; 2] = [0.90, 0.95];

/// Truth beside what the model says, one entry per breast.
struct Columns {
    truth: Vec<bool>,
    scores: Vec<f64>,
    probabilities: Option<Vec<f64>>,
    clusters: Vec<String>,
}

impl Columns {
    fn of<'a>(cases: impl Iterator<Item = &'a Case> + Clone) -> Columns {
        Columns {
            truth: cases.clone().map(|c| c.truth == Truth::Malignant).collect(),
            scores: cases.clone().map(|c| c.score).collect(),
            probabilities: cases.clone().map(|c| c.probability).collect(),
            clusters: cases.map(|c| c.cluster.clone()).collect(),
        }
    }

    /// What thresholds are set on.
    fn decided(&self) -> &[f64] {
        self.probabilities.as_deref().unwrap_or(&self.scores)
    }

    fn counts(&self) -> String {
        let malignant = self.truth.iter().filter(|t| **t).count();
        format!(
            "{malignant} malignant, {} others",
            self.truth.len() - malignant
        )
    }
}

/// Everything that the page and the tables show.
pub(crate) fn evaluation(
    cases: &[Case],
    ready: &Ready,
    manifest: &Path,
) -> Result<EvaluationPage, Failure> {
    let all = Columns::of(cases.iter());
    let roc = Roc::new(all.decided(), &all.truth).map_err(|e| {
        Failure::no_input(format!(
            "expected breasts with and without malignancy to compare, got: {e}"
        ))
    })?;
    let mut figures = vec![auroc("AUROC, malignant against the rest", &all).map_err(failed)?];
    if cases.iter().any(|c| c.truth == Truth::Normal) {
        let lesions = Columns::of(cases.iter().filter(|c| c.truth != Truth::Normal));
        figures.extend(auroc("AUROC, malignant against benign", &lesions));
    }
    let (mut bins, mut notes) = (Vec::new(), Vec::new());
    match &all.probabilities {
        Some(probabilities) => {
            figures.extend(calibration(probabilities, &all, &mut notes).map_err(failed)?);
            bins = reliability_bins(probabilities, &all).map_err(failed)?;
        }
        None => notes.push("The model is NOT calibrated: thresholds are on its score.".to_owned()),
    }
    let corner = |p: lobule_stats::roc::RocPoint| (1.0 - p.specificity, p.sensitivity);
    Ok(EvaluationPage {
        title: manifest.display().to_string(),
        figures,
        roc: RocCurve {
            points: roc.points().into_iter().map(corner).collect(),
        },
        reliability: bins,
        thresholds: thresholds(&roc, &all, ready).map_err(failed)?,
        notes,
    })
}

fn failed(error: Error) -> Failure {
    Failure::unexpected(error.to_string())
}

/// DeLong where every breast is a cluster of its own, else the clustered bootstrap. A set too small
/// for an interval has none, and says why.
fn auroc(name: &str, columns: &Columns) -> Result<Figure, Error> {
    let roc = Roc::new(&columns.scores, &columns.truth)?;
    let clusters = Clusters::from_labels(&columns.clusters)?;
    let (interval, method) = if clusters.n_clusters() == columns.truth.len() {
        let interval = roc.auc_interval(Confidence::NINETY_FIVE, AucScale::Logit);
        (interval.map(words).unwrap_or_default(), "DeLong".to_owned())
    } else {
        let config = BootstrapConfig::with_seed(SEED);
        match bootstrap_auc(&columns.scores, &columns.truth, &clusters, &config) {
            Ok(estimate) => {
                let n = clusters.n_clusters();
                let method = format!("bootstrap over {n} patients");
                (words(estimate.interval), method)
            }
            Err(e) => (String::new(), format!("no interval: {e}")),
        }
    };
    Ok(Figure {
        name: name.to_owned(),
        value: format!("{:.3}", roc.auc()),
        interval,
        basis: format!("{}; {method}", columns.counts()),
    })
}

fn words(interval: Interval) -> String {
    format!("{:.3} to {:.3}", interval.lower, interval.upper)
}

/// Slope and intercept where they exist, expected calibration error, Brier score.
fn calibration(
    probabilities: &[f64],
    columns: &Columns,
    notes: &mut Vec<String>,
) -> Result<Vec<Figure>, Error> {
    let figure = |name: &str, value: f64, interval: String| Figure {
        name: name.to_owned(),
        value: format!("{value:.3}"),
        interval,
        basis: columns.counts(),
    };
    let mut figures = Vec::new();
    match calibration_line(probabilities, &columns.truth, Confidence::NINETY_FIVE) {
        Ok(line) => {
            let slope_interval = words(line.slope_interval);
            figures.push(figure(
                "Calibration slope (ideal 1)",
                line.slope,
                slope_interval,
            ));
            let intercept_interval = words(line.intercept_interval);
            figures.push(figure(
                "Calibration intercept (ideal 0)",
                line.intercept,
                intercept_interval,
            ));
        }
        Err(e) => notes.push(format!("No calibration slope: {e}.")),
    }
    let ece = expected_calibration_error(probabilities, &columns.truth, BINS)?;
    figures.push(figure(
        "Expected calibration error, 10 bins of equal mass",
        ece,
        String::new(),
    ));
    let brier = brier_score(probabilities, &columns.truth)?;
    figures.push(figure("Brier score", brier, String::new()));
    Ok(figures)
}

fn reliability_bins(
    probabilities: &[f64],
    columns: &Columns,
) -> Result<Vec<ReliabilityBin>, Error> {
    let bins = reliability(probabilities, &columns.truth, BINS)?;
    let shown = |bin: lobule_stats::calibration::ReliabilityBin| ReliabilityBin {
        predicted: bin.mean_probability,
        observed: bin.observed.value(),
        n_cases: bin.observed.total(),
    };
    Ok(bins.into_iter().map(shown).collect())
}

fn thresholds(roc: &Roc, columns: &Columns, ready: &Ready) -> Result<Vec<ThresholdRow>, Error> {
    let mut rows = Vec::new();
    if let Some(point) = ready.judgement.operating_point() {
        let table =
            ConfusionTable::at_threshold(columns.decided(), &columns.truth, point.threshold)?;
        rows.push(row(
            format!("the package's “{}”", point.name),
            point.threshold,
            &table,
        ));
    }
    for target in SENSITIVITIES {
        let point = roc.at_sensitivity(target)?;
        rows.push(row(
            format!("sensitivity ≥ {:.0} %", target * 100.0),
            point.threshold,
            &point.table,
        ));
    }
    for target in SPECIFICITIES {
        let point = roc.at_specificity(target)?;
        rows.push(row(
            format!("specificity ≥ {:.0} %", target * 100.0),
            point.threshold,
            &point.table,
        ));
    }
    Ok(rows)
}

fn row(rule: String, threshold: f64, table: &ConfusionTable) -> ThresholdRow {
    let rate = |proportion: Option<Proportion>| {
        proportion.map_or("–".to_owned(), |p| {
            let interval = p.wilson(Confidence::NINETY_FIVE);
            let (value, lower, upper) = (p.value(), interval.lower, interval.upper);
            format!(
                "{value:.3} ({lower:.3} to {upper:.3}; {}/{})",
                p.successes(),
                p.total()
            )
        })
    };
    ThresholdRow {
        rule,
        threshold,
        sensitivity: rate(table.sensitivity()),
        specificity: rate(table.specificity()),
        ppv: rate(table.positive_predictive_value()),
        npv: rate(table.negative_predictive_value()),
        flagged: rate(table.flagged_rate()),
    }
}
