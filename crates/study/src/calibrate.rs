//! Calibration: whether a probability can be believed, what to do about it, and what decisions at
//! it are worth.
//!
//! Owns: the choice and order of analyses, their results and document. Does not own: the
//! statistics (`lobule_stats::calibration`, `decision_curve`).
//!
//! ```
//! use lobule_study::calibrate::{Config, run};
//! use lobule_study::table::{ReadConfig, Study};
//! # let folder = tempfile::tempdir().unwrap();
//! # let file = folder.path().join("t.csv");
//! # std::fs::write(&file, "case,truth,score\n1,0,.1\n2,0,.4\n3,1,.35\n4,1,.8\n5,0,.2\n").unwrap();
//! let study = Study::read(&file, &ReadConfig::default())?;
//! let result = run(study.scores()?, &Config::default())?;
//! let brier = result.scores[0].before.value().unwrap().brier;
//! assert!((brier - 0.1345).abs() < 1e-12);
//! # Ok::<(), lobule_study::Error>(())
//! ```

use lobule_report::chart::{Chart, Curve, LineChart, Mark, Marks, Strip, Tone};
use lobule_report::document::{Block, Cell, Document, Section};
use lobule_stats::Confidence;
use lobule_stats::calibration::{
    Binning, Calibrator, brier_score, calibration_in_the_large, calibration_line,
    expected_calibration_error, fit_isotonic, fit_platt, fit_temperature, log_loss, reliability,
};
use lobule_stats::decision_curve::decision_curve;
use serde::Serialize;

use crate::Error;
use crate::page::{
    About, estimate, figure, found, number, percent, provenance, table, text, warning,
};
use crate::standalone::rated;
use crate::table::{Input, ScoreTable};
use crate::value::{Estimate, Found, Share};

/// How probabilities are brought to agree with the truth.
///
/// ```
/// use lobule_study::calibrate::Recalibration;
/// assert_ne!(Recalibration::Platt, Recalibration::None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Recalibration {
    /// Not at all.
    None,
    /// Slope and intercept on the logit.
    Platt,
    /// Slope alone.
    Temperature,
    /// A rising step function, probabilities kept this far from 0 and 1.
    Isotonic {
        /// In 0..0.5.
        clip: f64,
    },
}

/// What is analysed and how.
///
/// ```
/// use lobule_study::calibrate::Config;
/// assert_eq!(Config::default().thresholds.len(), 50);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Of the reliability diagram and the expected calibration error.
    pub binning: Binning,
    /// What is fitted.
    pub recalibration: Recalibration,
    /// Threshold probabilities of the decision curve.
    pub thresholds: Vec<f64>,
    /// Of every interval.
    pub confidence: Confidence,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            binning: Binning::EqualMass(10),
            recalibration: Recalibration::Platt,
            thresholds: (0..50)
                .map(|step| 0.005 + f64::from(step) / 100.0)
                .collect(),
            confidence: Confidence::NINETY_FIVE,
        }
    }
}

/// The result of [`run`].
///
/// ```
/// use lobule_study::calibrate::Calibrate;
/// fn n(result: &Calibrate) -> usize { result.scores.len() }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibrate {
    /// The table.
    pub input: Input,
    /// Cases with a truth.
    pub n_cases: usize,
    /// Cases with the disease.
    pub n_positive: usize,
    /// What cases are clustered in, and how many of them; no interval here counts on it.
    pub clusters: Option<(String, usize)>,
    /// 1 − α.
    pub confidence: f64,
    /// One per score.
    pub scores: Vec<ScoreCalibration>,
}

/// The calibration of one score.
///
/// ```
/// use lobule_study::calibrate::ScoreCalibration;
/// fn name(row: &ScoreCalibration) -> &str { &row.name }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreCalibration {
    /// Whose.
    pub name: String,
    /// Cases scored.
    pub n_cases: usize,
    /// Of them with the disease.
    pub n_positive: usize,
    /// As the table has it.
    pub before: Found<Measures>,
    /// What was fitted, on all cases.
    pub parameters: Option<Found<Parameters>>,
    /// After it, on the cases of the fit.
    pub after: Option<Found<Measures>>,
}

/// The parameters of a calibration, as a model package takes them.
///
/// ```
/// use lobule_study::calibrate::Parameters;
/// let platt = Parameters::Logistic { slope: 1.2, intercept: -0.3 };
/// assert_ne!(platt, Parameters::Identity);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "method")]
pub enum Parameters {
    /// The score is the probability.
    Identity,
    /// `p = σ(slope · logit s + intercept)`.
    Logistic {
        /// Above 0.
        slope: f64,
        /// In logits.
        intercept: f64,
    },
    /// Straight lines through the points.
    Isotonic {
        /// Scores.
        x: Vec<f64>,
        /// Probabilities.
        y: Vec<f64>,
    },
}

/// How far probabilities agree with the truth.
///
/// ```
/// use lobule_study::calibrate::Measures;
/// fn brier(measures: &Measures) -> f64 { measures.brier }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measures {
    /// Mean squared error.
    pub brier: f64,
    /// Mean negative log-likelihood; `None` where a probability of 0 or 1 was wrong.
    pub log_loss: Option<f64>,
    /// Of the bins below.
    pub expected_calibration_error: f64,
    /// Observed minus predicted, as a shift in logits.
    pub in_the_large: Found<f64>,
    /// 1 is ideal, below is overconfident.
    pub slope: Found<Estimate>,
    /// 0 is ideal.
    pub intercept: Found<Estimate>,
    /// Reliability.
    pub bins: Vec<Bin>,
    /// Net benefit.
    pub decisions: Vec<NetBenefit>,
}

/// A bin of the reliability diagram.
///
/// ```
/// use lobule_study::calibrate::Bin;
/// fn n(bin: &Bin) -> usize { bin.observed.total }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// Lowest probability in it.
    pub lowest: f64,
    /// Highest.
    pub highest: f64,
    /// Mean.
    pub mean_probability: f64,
    /// Diseased cases.
    pub observed: Share,
}

/// The net benefit at a threshold probability.
///
/// ```
/// use lobule_study::calibrate::NetBenefit;
/// let point = NetBenefit { threshold: 0.1, model: 0.08, treat_all: 0.05 };
/// assert!(point.model > point.treat_all);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NetBenefit {
    /// Cases are flagged from here on.
    pub threshold: f64,
    /// Of the score.
    pub model: f64,
    /// Of flagging everyone; flagging no one has 0.
    pub treat_all: f64,
}

/// Analyses every algorithm of the table, or every reader where there is no algorithm. Scores must
/// be probabilities; what they do not allow is said in the result.
///
/// # Errors
/// None for a table that was read; kept for what the configuration may refuse.
pub fn run(table: &ScoreTable, config: &Config) -> Result<Calibrate, Error> {
    let scores = rated(table)?.into_iter().map(|rated| {
        let (scores, truth) = (&rated.series.ratings, &rated.series.truth);
        let fitted = fit(scores, truth, config.recalibration);
        let after = fitted.as_ref().map(|fitted| {
            let applied = fitted
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|calibrator| {
                    let after: Vec<f64> = scores.iter().map(|&s| calibrator.apply(s)).collect();
                    measures(&after, truth, config)
                });
            Found::from(applied)
        });
        ScoreCalibration {
            n_cases: scores.len(),
            n_positive: truth.iter().filter(|&&present| present).count(),
            before: Found::from(measures(scores, truth, config)),
            parameters: fitted.map(|fitted| Found::from(fitted.map(parameters))),
            after,
            name: rated.name,
        }
    });
    Ok(Calibrate {
        input: table.input().clone(),
        n_cases: table.cases().len(),
        clusters: table
            .clusters()
            .map(|c| (c.name().to_owned(), c.labels().len())),
        n_positive: table.n_positive(),
        confidence: config.confidence.level(),
        scores: scores.collect(),
    })
}

fn fit(
    scores: &[f64],
    truth: &[bool],
    recalibration: Recalibration,
) -> Option<Result<Calibrator, Error>> {
    let fitted = match recalibration {
        Recalibration::None => return None,
        Recalibration::Platt => fit_platt(scores, truth),
        Recalibration::Temperature => fit_temperature(scores, truth),
        Recalibration::Isotonic { clip } => fit_isotonic(scores, truth, clip),
    };
    Some(fitted.map_err(Error::from))
}

fn parameters(calibrator: Calibrator) -> Parameters {
    match calibrator {
        Calibrator::Identity => Parameters::Identity,
        Calibrator::Logistic { slope, intercept } => Parameters::Logistic { slope, intercept },
        Calibrator::Isotonic { x, y } => Parameters::Isotonic { x, y },
    }
}

fn measures(scores: &[f64], truth: &[bool], config: &Config) -> Result<Measures, Error> {
    let line = calibration_line(scores, truth, config.confidence);
    let slope = line
        .as_ref()
        .map(|line| Estimate::new(line.slope, line.slope_interval));
    let intercept = line
        .as_ref()
        .map(|line| Estimate::new(line.intercept, line.intercept_interval));
    let bins = reliability(scores, truth, config.binning)?;
    let decisions = decision_curve(scores, truth, &config.thresholds)?;
    Ok(Measures {
        brier: brier_score(scores, truth)?,
        log_loss: log_loss(scores, truth).ok().filter(|loss| loss.is_finite()),
        expected_calibration_error: expected_calibration_error(scores, truth, config.binning)?,
        in_the_large: Found::from(calibration_in_the_large(scores, truth)),
        slope: Found::from(slope.map_err(Clone::clone)),
        intercept: Found::from(intercept.map_err(Clone::clone)),
        bins: bins
            .iter()
            .map(|bin| Bin {
                lowest: bin.lowest,
                highest: bin.highest,
                mean_probability: bin.mean_probability,
                observed: Share::new(bin.observed, config.confidence),
            })
            .collect(),
        decisions: decisions
            .iter()
            .map(|point| NetBenefit {
                threshold: point.threshold,
                model: point.model,
                treat_all: point.treat_all,
            })
            .collect(),
    })
}

/// The report: measures before and after, reliability, decision curves, parameters.
///
/// ```
/// use lobule_study::calibrate::{Calibrate, document};
/// fn title(result: &Calibrate) -> String {
///     document(result, &lobule_study::About::default()).title
/// }
/// ```
pub fn document(result: &Calibrate, about: &About) -> Document {
    let mut sections = vec![measure_section(result)];
    let scores = result.scores.iter().enumerate();
    sections.extend(scores.filter_map(|(index, score)| score_section(score, index)));
    let settings = [("Confidence level", percent(result.confidence))];
    let summary = result.scores.iter().map(|score| match &score.before {
        Found::Value(before) => format!(
            "{}: Brier score {:.4}, expected calibration error {:.4}, slope {}.",
            score.name,
            before.brier,
            before.expected_calibration_error,
            found(&before.slope, estimate).words()
        ),
        Found::Refused(reason) => format!("{}: {reason}.", score.name),
    });
    Document {
        title: "Calibration".into(),
        summary: summary.collect(),
        sections,
        provenance: provenance(about, &result.input, &settings),
    }
}

fn measure_section(result: &Calibrate) -> Section {
    let row = |name: &str, when: &str, found_measures: &Found<Measures>| -> Vec<Cell> {
        let mut cells = vec![name.into(), when.into()];
        match found_measures {
            Found::Value(m) => cells.extend([
                number(m.brier, 4),
                crate::page::or_missing(m.log_loss, "infinite", |loss| number(loss, 4)),
                number(m.expected_calibration_error, 4),
                found(&m.in_the_large, |&shift| number(shift, 3)),
                found(&m.slope, estimate),
                found(&m.intercept, estimate),
            ]),
            Found::Refused(reason) => {
                let missing = || Cell::Missing(reason.clone());
                cells.extend(std::iter::repeat_with(missing).take(6));
            }
        }
        cells
    };
    let mut rows = Vec::new();
    for score in &result.scores {
        rows.push(row(&score.name, "as given", &score.before));
        if let Some(after) = &score.after {
            rows.push(row(&score.name, "recalibrated, same cases", after));
        }
    }
    let columns = [
        ("score", "Score"),
        ("when", "When"),
        ("brier", "Brier score"),
        ("log_loss", "Log loss"),
        ("ece", "ECE"),
        ("in_the_large", "In the large (logits)"),
        ("slope", "Slope (CI)"),
        ("intercept", "Intercept (CI)"),
    ];
    let caption = format!(
        "Calibration, n = {} cases, {} with the disease. A slope below 1 is overconfidence; ECE is \
         over the bins of the reliability diagram. Intervals of slope and intercept are Wald's.",
        result.n_cases, result.n_positive
    );
    let mut blocks = vec![table("calibration", caption, &columns, rows)];
    if let Some((name, n)) = &result.clusters {
        blocks.push(warning(format!(
            "Intervals take cases as independent, though they are clustered in {n} values of \
             `{name}`."
        )));
    }
    if result.scores.iter().any(|score| score.after.is_some()) {
        blocks.push(warning(
            "Recalibration was fitted on the cases it is shown on: judge it on others.",
        ));
    }
    Section {
        title: "Measures".into(),
        blocks,
    }
}

fn score_section(score: &ScoreCalibration, index: usize) -> Option<Section> {
    let before = score.before.value()?;
    let stem = format!("_{}", index + 1);
    let after = score.after.as_ref().and_then(Found::value);
    let mut blocks = vec![reliability_figure(score, before, after, &stem)];
    blocks.push(decision_figure(score, before, after, &stem));
    match &score.parameters {
        Some(Found::Value(parameters)) => blocks.push(text(words(parameters))),
        Some(Found::Refused(reason)) => {
            blocks.push(warning(format!("Not recalibrated: {reason}.")));
        }
        None => {}
    }
    Some(Section {
        title: score.name.clone(),
        blocks,
    })
}

fn words(parameters: &Parameters) -> String {
    match parameters {
        Parameters::Identity => "The score is the probability.".into(),
        Parameters::Logistic { slope, intercept } => format!(
            "Recalibrated probability: σ({slope:.6} · logit(score) {} {:.6}); exact numbers stand \
             in the JSON file.",
            if *intercept < 0.0 { "−" } else { "+" },
            intercept.abs()
        ),
        Parameters::Isotonic { x, .. } => format!(
            "Recalibrated probability: isotonic through {} points; exact numbers stand in the JSON \
             file.",
            x.len()
        ),
    }
}

fn reliability_figure(
    score: &ScoreCalibration,
    before: &Measures,
    after: Option<&Measures>,
    stem: &str,
) -> Block {
    let marks = |label: &str, measures: &Measures, slot: usize| Marks {
        label: label.into(),
        points: measures
            .bins
            .iter()
            .map(|bin| Mark {
                y_interval: Some((bin.observed.lower, bin.observed.upper)),
                ..Mark::at(bin.mean_probability, bin.observed.estimate)
            })
            .collect(),
        tone: Tone::Slot(slot),
    };
    let mut chart = LineChart::reliability();
    chart.marks.push(marks("as given", before, 0));
    if let Some(after) = after {
        chart.marks.push(marks("recalibrated", after, 1));
    }
    chart.strip = Some(Strip {
        label: "Cases".into(),
        bins: before
            .bins
            .iter()
            .map(|bin| (bin.lowest, bin.highest, bin.observed.total as f64))
            .collect(),
    });
    let caption = format!(
        "{}: observed share against mean probability in {} bins with Wilson intervals, which take \
         cases as independent, n = {}.",
        score.name,
        before.bins.len(),
        score.n_cases
    );
    figure(&format!("reliability{stem}"), caption, Chart::Lines(chart))
}

fn decision_figure(
    score: &ScoreCalibration,
    before: &Measures,
    after: Option<&Measures>,
    stem: &str,
) -> Block {
    let highest = before
        .decisions
        .iter()
        .map(|p| p.threshold)
        .fold(0.1, f64::max);
    let mut chart = LineChart::decision(highest, score.n_positive as f64 / score.n_cases as f64);
    let line = |label: &str, slot: usize, points: Vec<(f64, f64)>| Curve {
        tone: Tone::Slot(slot),
        ..Curve::line(label, points)
    };
    let model = |m: &Measures| m.decisions.iter().map(|p| (p.threshold, p.model)).collect();
    chart.curves.push(line("as given", 0, model(before)));
    if let Some(after) = after {
        chart.curves.push(line("recalibrated", 1, model(after)));
    }
    let all = before.decisions.iter().map(|p| (p.threshold, p.treat_all));
    chart.curves.push(Curve {
        tone: Tone::Gray,
        ..Curve::line("flag everyone", all.collect())
    });
    chart
        .references
        .push(lobule_report::chart::Reference::Horizontal(
            0.0,
            "flag no one".into(),
        ));
    let caption = format!(
        "{}: net benefit by threshold probability (Vickers and Elkin 2006), n = {}.",
        score.name, score.n_cases
    );
    figure(&format!("decision{stem}"), caption, Chart::Lines(chart))
}
