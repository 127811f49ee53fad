//! The page of an evaluation: figures with intervals, ROC curve, reliability, thresholds.

use askama::Template;

use super::Foot;
use crate::chart::{Chart, Curve, LineChart, Mark, Marks};
use crate::{Error, NOTICE, RunInfo};

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
    roc: String,
    reliability: Option<String>,
    foot: Foot,
}

impl EvaluationPage {
    /// The page as HTML.
    ///
    /// # Errors
    /// When it cannot be rendered.
    pub fn render(&self, info: &RunInfo) -> Result<String, Error> {
        let roc = roc_chart(&self.roc);
        let reliability = reliability_chart(&self.reliability);
        let page = Page {
            notice: NOTICE,
            page: self,
            roc: roc.to_inline_svg("Receiver operating characteristic curve", "roc-"),
            reliability: reliability
                .map(|chart| chart.to_inline_svg("Reliability diagram", "reliability-")),
            foot: Foot::of(info),
        };
        page.render().map_err(Error::format)
    }
}

fn roc_chart(curve: &RocCurve) -> Chart {
    Chart::Lines(LineChart {
        curves: vec![Curve::line("", curve.points.clone())],
        ..LineChart::roc()
    })
}

/// Each bin as a point with its number of cases; none without bins.
fn reliability_chart(bins: &[ReliabilityBin]) -> Option<Chart> {
    let point = |bin: &ReliabilityBin| Mark {
        label: bin.n_cases.to_string(),
        ..Mark::at(bin.predicted, bin.observed)
    };
    let chart = LineChart {
        marks: vec![Marks {
            points: bins.iter().map(point).collect(),
            ..Marks::default()
        }],
        ..LineChart::reliability()
    };
    (!bins.is_empty()).then_some(Chart::Lines(chart))
}
