//! Algorithms alone: areas, operating points, subgroups, comparisons.
//!
//! Owns: the choice and order of analyses, their results and document. Does not own: the
//! statistics (`lobule_stats::roc`).
//!
//! ```
//! use lobule_study::standalone::{Config, run};
//! use lobule_study::table::{ReadConfig, Study};
//! # let folder = tempfile::tempdir().unwrap();
//! # let file = folder.path().join("t.csv");
//! # std::fs::write(&file, "case,truth,score\n1,0,.1\n2,0,.4\n3,1,.35\n4,1,.8\n5,0,.2\n").unwrap();
//! let study = Study::read(&file, &ReadConfig::default())?;
//! let result = run(study.scores()?, &Config::default())?;
//! assert!((result.scores[0].auc.value().unwrap().estimate - 5.0 / 6.0).abs() < 1e-12);
//! # Ok::<(), lobule_study::Error>(())
//! ```

mod document;
mod one;

use lobule_stats::Confidence;
use lobule_stats::roc::{compare_paired, compare_paired_by_cluster};
use serde::Serialize;

pub use document::document;
pub use one::{OperatingRow, Score, ScoreHistogram, Subgroup};

use crate::Error;
use crate::table::{Input, ScoreTable};
use crate::value::{Difference, Found};
pub(crate) use one::rated;

use one::Rated;

/// How a threshold is chosen.
///
/// ```
/// use lobule_study::standalone::ThresholdRule;
/// assert_eq!(ThresholdRule::Sensitivity(0.9).words(), "sensitivity of at least 0.9");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum ThresholdRule {
    /// Given, not chosen on these cases.
    Fixed(f64),
    /// The highest threshold with at least this sensitivity.
    Sensitivity(f64),
    /// The lowest threshold with at least this specificity.
    Specificity(f64),
    /// As many cases flagged as this share, at most.
    FlaggedRate(f64),
    /// At least this negative predictive value, at the prevalence of the table.
    NegativePredictiveValue(f64),
    /// At least this positive predictive value, at the prevalence of the table.
    PositivePredictiveValue(f64),
    /// The sensitivity of all readers' decisions at this rating, pooled.
    ReaderSensitivity(f64),
    /// The specificity of all readers' decisions at this rating, pooled.
    ReaderSpecificity(f64),
}

impl ThresholdRule {
    /// The rule for people.
    pub fn words(self) -> String {
        match self {
            ThresholdRule::Fixed(at) => format!("fixed at {at}"),
            ThresholdRule::Sensitivity(at) => format!("sensitivity of at least {at}"),
            ThresholdRule::Specificity(at) => format!("specificity of at least {at}"),
            ThresholdRule::FlaggedRate(at) => format!("at most a share of {at} flagged"),
            ThresholdRule::NegativePredictiveValue(at) => format!("NPV of at least {at}"),
            ThresholdRule::PositivePredictiveValue(at) => format!("PPV of at least {at}"),
            ThresholdRule::ReaderSensitivity(at) => {
                format!("the readers' pooled sensitivity at rating ≥ {at}")
            }
            ThresholdRule::ReaderSpecificity(at) => {
                format!("the readers' pooled specificity at rating ≥ {at}")
            }
        }
    }
}

/// What is analysed and how.
///
/// ```
/// use lobule_study::standalone::Config;
/// assert_eq!(Config::default().n_replicates, 1000);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Of every interval.
    pub confidence: Confidence,
    /// Thresholds, in the order of the table.
    pub thresholds: Vec<ThresholdRule>,
    /// Of the interval of average precision; 0 for none.
    pub n_replicates: usize,
    /// Of the bootstrap.
    pub seed: u64,
    /// Of the histograms.
    pub n_bins: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            confidence: Confidence::NINETY_FIVE,
            thresholds: vec![
                ThresholdRule::Sensitivity(0.9),
                ThresholdRule::Specificity(0.9),
            ],
            n_replicates: 1000,
            seed: 1,
            n_bins: 20,
        }
    }
}

/// The result of [`run`].
///
/// ```
/// use lobule_study::standalone::Standalone;
/// fn best(result: &Standalone) -> Option<f64> {
///     let areas = result.scores.iter().filter_map(|s| Some(s.auc.value()?.estimate));
///     areas.reduce(f64::max)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standalone {
    /// The table.
    pub input: Input,
    /// Cases with a truth.
    pub n_cases: usize,
    /// Cases with the disease.
    pub n_positive: usize,
    /// What cases are clustered in, and how many of them.
    pub clusters: Option<(String, usize)>,
    /// 1 − α.
    pub confidence: f64,
    /// Replicates and seed of the bootstrap.
    pub bootstrap: (usize, u64),
    /// One per algorithm, or per reader where there is no algorithm.
    pub scores: Vec<Score>,
    /// Pairs of scores.
    pub comparisons: Vec<Comparison>,
}

/// Two scores on the same cases.
///
/// ```
/// use lobule_study::standalone::Comparison;
/// fn p(row: &Comparison) -> Option<f64> { row.holm_p_value }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// First area minus second.
    pub difference: Found<Difference>,
    /// Adjusted by Holm over the pairs.
    pub holm_p_value: Option<f64>,
}

/// Analyses every algorithm of the table, or every reader in every modality where the table has
/// no algorithm.
///
/// # Errors
/// [`crate::ErrorKind::Config`] for a share outside 0..=1. What the data do not allow is said in
/// the result.
pub fn run(table: &ScoreTable, config: &Config) -> Result<Standalone, Error> {
    let rated = rated(table)?;
    let clusters = table.clusters();
    Ok(Standalone {
        input: table.input().clone(),
        n_cases: table.cases().len(),
        n_positive: table.n_positive(),
        clusters: clusters.map(|c| (c.name().to_owned(), c.labels().len())),
        confidence: config.confidence.level(),
        bootstrap: (config.n_replicates, config.seed),
        scores: rated
            .iter()
            .map(|rated| one::score(table, rated, config))
            .collect::<Result<_, Error>>()?,
        comparisons: comparisons(table, &rated, config)?,
    })
}

fn comparisons(
    table: &ScoreTable,
    rated: &[Rated],
    config: &Config,
) -> Result<Vec<Comparison>, Error> {
    let pairs = (0..rated.len()).flat_map(|a| (a + 1..rated.len()).map(move |b| (a, b)));
    let mut rows: Vec<Comparison> = pairs
        .map(|(a, b)| Comparison {
            first: rated[a].name.clone(),
            second: rated[b].name.clone(),
            difference: Found::from(compare(table, &rated[a], &rated[b], config)),
            holm_p_value: None,
        })
        .collect();
    let tested = |row: &Comparison| row.difference.value().map(|d| d.p_value);
    let p: Vec<f64> = rows.iter().filter_map(tested).collect();
    let mut adjusted = lobule_stats::multiplicity::holm(&p)
        .unwrap_or_default()
        .into_iter();
    for row in rows.iter_mut().filter(|row| tested(row).is_some()) {
        row.holm_p_value = adjusted.next();
    }
    Ok(rows)
}

fn compare(
    table: &ScoreTable,
    first: &Rated,
    second: &Rated,
    config: &Config,
) -> Result<Difference, Error> {
    if first.series.cases != second.series.cases {
        return Err(Error::config(
            "expected scores of the same cases, got different ones",
        ));
    }
    let (a, b) = (first.roc()?, second.roc()?);
    let compared = match table.clusters() {
        None => compare_paired(&a, &b, config.confidence)?,
        Some(_) => {
            let clusters = table.clusters_of(&first.series.cases)?;
            compare_paired_by_cluster(&a, &b, &clusters, config.confidence)?
        }
    };
    Ok(Difference::from(&compared))
}
