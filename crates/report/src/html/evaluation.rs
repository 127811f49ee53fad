//! The page of an evaluation: figures with intervals, ROC curve, reliability, thresholds.

use askama::Template;

use super::Foot;
use crate::{Error, NOTICE, RunInfo};

/// Side of a plot's square, in SVG units.
const SIDE: f64 = 300.0;

/// What an evaluation shows. Numbers arrive computed; this only words and draws them.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationPage {
    /// What was evaluated, in one line.
    pub title: String,
    /// Named figures.
    pub figures: Vec<Figure>,
    /// The ROC curve.
    pub roc: RocCurve,
    /// Bins of the reliability diagram; empty when the scores are not calibrated.
    pub reliability: Vec<ReliabilityBin>,
    /// Thresholds to choose from.
    pub thresholds: Vec<ThresholdRow>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// One figure with its interval and how it was computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
    /// 95 % interval; empty when there is none.
    pub interval: String,
    /// Counts and method.
    pub basis: String,
}

/// Corners of a ROC curve from (0, 0) to (1, 1).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RocCurve {
    /// (1 − specificity, sensitivity), in order.
    pub points: Vec<(f64, f64)>,
}

/// One bin of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// Mean predicted probability.
    pub predicted: f64,
    /// Share of malignant cases.
    pub observed: f64,
    /// Cases in the bin.
    pub n_cases: usize,
}

/// What a threshold would do.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdRow {
    /// Why it is listed.
    pub rule: String,
    /// Threshold on the probability (or score).
    pub threshold: f64,
    /// Sensitivity, worded with its interval.
    pub sensitivity: String,
    /// Specificity, worded with its interval.
    pub specificity: String,
    /// Positive predictive value at the evaluated prevalence.
    pub ppv: String,
    /// Negative predictive value at the evaluated prevalence.
    pub npv: String,
    /// Share of cases flagged.
    pub flagged: String,
}

#[derive(Debug, Template)]
#[template(path = "evaluation.html")]
struct Page<'a> {
    notice: &'static str,
    page: &'a EvaluationPage,
    roc_points: String,
    bins: Vec<Dot>,
    foot: Foot,
}

#[derive(Debug)]
struct Dot {
    x: String,
    y: String,
    radius: String,
    words: String,
}

impl EvaluationPage {
    /// The page as HTML.
    ///
    /// # Errors
    /// When it cannot be rendered.
    pub fn render(&self, info: &RunInfo) -> Result<String, Error> {
        let corners = self.roc.points.iter();
        let roc: Vec<String> = corners
            .map(|&(fpr, tpr)| format!("{:.1},{:.1}", fpr * SIDE, (1.0 - tpr) * SIDE))
            .collect();
        let largest = self
            .reliability
            .iter()
            .map(|b| b.n_cases)
            .max()
            .unwrap_or(1);
        let page = Page {
            notice: NOTICE,
            page: self,
            roc_points: roc.join(" "),
            bins: self
                .reliability
                .iter()
                .map(|b| Dot::of(b, largest))
                .collect(),
            foot: Foot::of(info),
        };
        page.render().map_err(Error::format)
    }
}

impl Dot {
    fn of(bin: &ReliabilityBin, largest: usize) -> Dot {
        let share = bin.n_cases as f64 / largest.max(1) as f64;
        Dot {
            x: format!("{:.1}", bin.predicted * SIDE),
            y: format!("{:.1}", (1.0 - bin.observed) * SIDE),
            radius: format!("{:.1}", 3.0 + 6.0 * share.sqrt()),
            words: format!(
                "predicted {:.2}, observed {:.2}, {} cases",
                bin.predicted, bin.observed, bin.n_cases
            ),
        }
    }
}
