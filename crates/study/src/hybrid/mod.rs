//! Reader and algorithm combined: what is spared at each reader's own sensitivity, what is found
//! at each reader's own specificity, and the area at every weight.
//!
//! Owns: the choice and order of analyses, their results and document. Does not own: the
//! statistics (`lobule_stats::hybrid`). It simulates on recorded scores and is no trial.
//!
//! ```
//! use lobule_study::hybrid::{Config, run};
//! use lobule_study::table::{ReadConfig, Study, WideColumns};
//! # let folder = tempfile::tempdir().unwrap();
//! # let file = folder.path().join("t.csv");
//! # std::fs::write(&file, "case,truth,R1,AI\n1,0,2,.1\n2,0,3,.2\n3,0,4,.2\n4,0,4,.3\n5,1,4,.8\n\
//! #     6,1,5,.9\n").unwrap();
//! let wide = WideColumns { readers: vec!["R1".into()], algorithms: vec!["AI".into()] };
//! let study = Study::read(&file, &ReadConfig { wide: Some(wide), ..ReadConfig::default() })?;
//! let result = run(study.scores()?, &Config::at(4.0))?;
//! let reader = &result.algorithms[0].readers[0];
//! assert_eq!((reader.false_positive_change, reader.flagged_change), (Some(-1.0), Some(-0.5)));
//! # Ok::<(), lobule_study::Error>(())
//! ```

mod change;
mod document;

use std::sync::atomic::{AtomicUsize, Ordering};

use lobule_stats::hybrid::{
    Combination, Folds, compare_at_sensitivity, compare_at_specificity, cross_fitted_logistic,
    hybrid_by_weight,
};
use lobule_stats::operating::OperatingPoint;
use lobule_stats::roc::Roc;
use lobule_stats::{Clusters, Confidence};
use serde::Serialize;

pub use document::document;

use self::change::{Change, mean_changes};
use crate::Error;
use crate::table::{Input, ScoreTable, Series};
use crate::value::{Decisions, Estimate, Found};

/// How reader and algorithm are combined.
///
/// ```
/// use lobule_study::hybrid::Blend;
/// assert_eq!(Blend::Mean.words(), "mean of both, each on 0 to 1");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Blend {
    /// Equal weights, each score on 0..=1 by its own range.
    Mean,
    /// The algorithm's weight in 0..=1.
    Weighted(f64),
    /// The larger of both.
    Maximum,
    /// Logistic regression of the truth on both, each cluster judged by a fit without it.
    Logistic {
        /// Parts that the clusters are dealt onto.
        n_folds: usize,
    },
}

impl Blend {
    /// The combination for people.
    pub fn words(self) -> String {
        match self {
            Blend::Mean => "mean of both, each on 0 to 1".into(),
            Blend::Weighted(w) => format!("weighted mean, {w} of the algorithm"),
            Blend::Maximum => "the larger of both, each on 0 to 1".into(),
            Blend::Logistic { n_folds } => {
                format!("logistic regression, cross-fitted over {n_folds} folds")
            }
        }
    }
}

/// What is held at the reader's own.
///
/// ```
/// use lobule_study::hybrid::Held;
/// assert_ne!(Held::Sensitivity, Held::Specificity);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// At least as many cancers found; what counts is who is spared.
    Sensitivity,
    /// At most as many healthy cases flagged; what counts is who is found.
    Specificity,
}

/// What is analysed and how.
///
/// ```
/// use lobule_study::hybrid::Config;
/// assert_eq!(Config::at(4.0).threshold, 4.0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Readers flag from this rating on.
    pub threshold: f64,
    /// How scores are combined.
    pub blend: Blend,
    /// What is held.
    pub held: Held,
    /// Weights of the algorithm at which the area is told.
    pub weights: Vec<f64>,
    /// Of every interval.
    pub confidence: Confidence,
    /// Of the intervals of means, drawn by cluster; 0 for none.
    pub n_replicates: usize,
    /// Of the bootstrap and of folds.
    pub seed: u64,
}

impl Config {
    /// Equal weights at the readers' own sensitivity.
    pub fn at(threshold: f64) -> Config {
        Config {
            threshold,
            blend: Blend::Mean,
            held: Held::Sensitivity,
            weights: (0..=20).map(|step| f64::from(step) / 20.0).collect(),
            confidence: Confidence::NINETY_FIVE,
            n_replicates: 1000,
            seed: 1,
        }
    }
}

/// The result of [`run`].
///
/// ```
/// use lobule_study::hybrid::Hybrid;
/// fn n(result: &Hybrid) -> usize { result.algorithms.len() }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hybrid {
    /// The table.
    pub input: Input,
    /// Cases with a truth.
    pub n_cases: usize,
    /// Cases with the disease.
    pub n_positive: usize,
    /// What cases are clustered in, and how many of them.
    pub clusters: Option<(String, usize)>,
    /// Readers flag from here on.
    pub threshold: f64,
    /// How scores are combined.
    pub blend: String,
    /// What the bootstrap does anew in every replicate.
    pub redone: &'static str,
    /// What is held.
    pub held: Held,
    /// 1 − α.
    pub confidence: f64,
    /// Replicates and seed.
    pub bootstrap: (usize, u64),
    /// One per algorithm.
    pub algorithms: Vec<WithAlgorithm>,
}

/// Every reader with one algorithm.
///
/// ```
/// use lobule_study::hybrid::WithAlgorithm;
/// fn spared(row: &WithAlgorithm) -> Option<f64> {
///     Some(row.false_positive_change.value()?.estimate)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WithAlgorithm {
    /// The algorithm.
    pub algorithm: String,
    /// Reader by reader.
    pub readers: Vec<ReaderHybrid>,
    /// Readers whom the data refuse, and why.
    pub refused: Vec<(String, String)>,
    /// Mean over readers of the relative change of false positives; its interval is over cases.
    pub false_positive_change: Found<Estimate>,
    /// The same of flagged cases (biopsies, recalls).
    pub flagged_change: Found<Estimate>,
    /// The same of cancers found.
    pub detection_change: Found<Estimate>,
    /// By weight of the algorithm.
    pub weights: Vec<AtWeight>,
}

/// A reader with an algorithm.
///
/// ```
/// use lobule_study::hybrid::ReaderHybrid;
/// fn auc(row: &ReaderHybrid) -> (f64, f64) { (row.reader_auc, row.hybrid_auc) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReaderHybrid {
    /// Who, with the modality where there are several.
    pub reader: String,
    /// Area of the reader.
    pub reader_auc: f64,
    /// Area of the hybrid.
    pub hybrid_auc: f64,
    /// The reader's own decisions.
    pub alone: Decisions,
    /// The hybrid's, at the threshold that holds the reader's rate.
    pub hybrid: Decisions,
    /// The algorithm's alone, held likewise.
    pub algorithm: Decisions,
    /// (FP − FP of the reader) / FP of the reader; `None` for a reader without any.
    pub false_positive_change: Option<f64>,
    /// The same of all flagged cases.
    pub flagged_change: Option<f64>,
    /// The same of true positives.
    pub detection_change: Option<f64>,
}

/// Areas at one weight.
///
/// ```
/// use lobule_study::hybrid::AtWeight;
/// let reader_alone = AtWeight { weight: 0.0, mean_auc: 0.8, lowest: 0.7, highest: 0.9 };
/// assert!(reader_alone.lowest <= reader_alone.mean_auc);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AtWeight {
    /// Of the algorithm.
    pub weight: f64,
    /// Mean over readers.
    pub mean_auc: f64,
    /// Of the reader with the lowest.
    pub lowest: f64,
    /// Of the reader with the highest.
    pub highest: f64,
}

/// A reader's and an algorithm's scores of the same cases.
#[derive(Default)]
struct Both {
    /// Empty for cases drawn again.
    reader: String,
    cases: Vec<usize>,
    own: Vec<f64>,
    ai: Vec<f64>,
    truth: Vec<bool>,
}

impl Both {
    fn drawn(&self, places: &[usize]) -> Both {
        Both {
            reader: String::new(),
            cases: places.iter().map(|&at| self.cases[at]).collect(),
            own: places.iter().map(|&at| self.own[at]).collect(),
            ai: places.iter().map(|&at| self.ai[at]).collect(),
            truth: places.iter().map(|&at| self.truth[at]).collect(),
        }
    }
}

/// The same with the scores combined.
struct Combined {
    both: Both,
    hybrid: Vec<f64>,
}

/// Combines every reader with every algorithm of the table.
///
/// # Errors
/// [`crate::ErrorKind::Config`] without readers or algorithms.
pub fn run(table: &ScoreTable, config: &Config) -> Result<Hybrid, Error> {
    run_watched(table, config, &|_, _| ())
}

/// [`run`], which tells `watch` after every step of its bootstraps how many are done, and of how
/// many: for each algorithm one step for the cases as they are and one per replicate. `watch` is
/// called from several threads.
///
/// # Errors
/// Those of [`run`].
pub fn run_watched(
    table: &ScoreTable,
    config: &Config,
    watch: &(dyn Fn(usize, usize) + Sync),
) -> Result<Hybrid, Error> {
    let (people, algorithms): (Vec<_>, Vec<_>) = table
        .places()
        .partition(|&(_, reader)| !table.is_algorithm(reader));
    if people.is_empty() || algorithms.is_empty() {
        let text = format!(
            "expected readers and algorithms, got {} and {}",
            people.len(),
            algorithms.len()
        );
        return Err(Error::config(text));
    }
    let clusters = table.clusters();
    let steps = match config.n_replicates {
        0 => 0,
        n => n + 1,
    };
    let (done, total) = (AtomicUsize::new(0), algorithms.len() * steps);
    let tick = || watch(done.fetch_add(1, Ordering::Relaxed) + 1, total);
    Ok(Hybrid {
        input: table.input().clone(),
        n_cases: table.cases().len(),
        n_positive: table.n_positive(),
        clusters: clusters.map(|c| (c.name().to_owned(), c.labels().len())),
        threshold: config.threshold,
        blend: config.blend.words(),
        redone: match config.blend {
            Blend::Logistic { .. } => "the combination and the thresholds",
            _ => "the thresholds",
        },
        held: config.held,
        confidence: config.confidence.level(),
        bootstrap: (config.n_replicates, config.seed),
        algorithms: algorithms
            .iter()
            .map(|&place| with_algorithm(table, &people, place, config, &tick))
            .collect::<Result<_, Error>>()?,
    })
}

fn with_algorithm(
    table: &ScoreTable,
    people: &[(usize, usize)],
    (modality, algorithm): (usize, usize),
    config: &Config,
    tick: &(dyn Fn() + Sync),
) -> Result<WithAlgorithm, Error> {
    let missing = || Error::config("expected ratings, got none");
    let scores = table.series(modality, algorithm).ok_or_else(missing)?;
    let several = people.iter().any(|place| place.0 != people[0].0);
    let (mut kept, mut readers, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for &(how, who) in people {
        let name = match several {
            true => format!(
                "{}, {}",
                table.readers().name(who),
                table.modalities().name(how)
            ),
            false => table.readers().name(who).to_owned(),
        };
        let own = table.series(how, who).ok_or_else(missing)?;
        let both = shared_cases(name, &own, &scores);
        match reader_hybrid(table, &both, config) {
            Ok((row, hybrid)) => {
                readers.push(row);
                kept.push(Combined { both, hybrid });
            }
            Err(error) => refused.push((both.reader.clone(), error.to_string())),
        }
    }
    let [false_positives, flagged, detections] = mean_changes(table, &kept, config, tick)?;
    Ok(WithAlgorithm {
        algorithm: table.readers().name(algorithm).to_owned(),
        false_positive_change: Found::from(false_positives),
        flagged_change: Found::from(flagged),
        detection_change: Found::from(detections),
        weights: by_weight(&kept, config)?,
        readers,
        refused,
    })
}

fn shared_cases(reader: String, own: &Series, ai: &Series) -> Both {
    let mut both = Both {
        reader,
        ..Both::default()
    };
    for (at, case) in own.cases.iter().enumerate() {
        if let Ok(other) = ai.cases.binary_search(case) {
            both.cases.push(*case);
            both.own.push(own.ratings[at]);
            both.ai.push(ai.ratings[other]);
            both.truth.push(own.truth[at]);
        }
    }
    both
}

/// The cases' clusters, each case its own where there are none: a case drawn twice stays in one.
fn clusters_of(table: &ScoreTable, cases: &[usize]) -> Result<Clusters, Error> {
    match table.clusters() {
        Some(_) => table.clusters_of(cases),
        None => Ok(Clusters::from_labels(cases)?),
    }
}

fn blended(table: &ScoreTable, both: &Both, config: &Config) -> Result<Vec<f64>, Error> {
    let combination = match config.blend {
        Blend::Mean => Combination::Mean,
        Blend::Weighted(ai_weight) => Combination::Weighted { ai_weight },
        Blend::Maximum => Combination::Maximum,
        Blend::Logistic { n_folds } => {
            let clusters = clusters_of(table, &both.cases)?;
            let folds = Folds::Random {
                n_folds,
                seed: config.seed,
            };
            let scores = cross_fitted_logistic(&both.own, &both.ai, &both.truth, &clusters, folds);
            return Ok(scores?);
        }
    };
    Ok(combination.scores(&both.own, &both.ai)?)
}

/// The reader's point, and that of other scores at the rate that is held.
fn matched(
    own: &[f64],
    scores: &[f64],
    truth: &[bool],
    config: &Config,
) -> Result<(OperatingPoint, OperatingPoint), Error> {
    Ok(match config.held {
        Held::Sensitivity => {
            let result = compare_at_sensitivity(own, scores, truth, config.threshold)?;
            (result.reader, result.other)
        }
        Held::Specificity => {
            let result = compare_at_specificity(own, scores, truth, config.threshold)?;
            (result.reader, result.other)
        }
    })
}

/// The row of a reader, and the combined scores that it was made of.
fn reader_hybrid(
    table: &ScoreTable,
    both: &Both,
    config: &Config,
) -> Result<(ReaderHybrid, Vec<f64>), Error> {
    let hybrid = blended(table, both, config)?;
    let (alone, with) = matched(&both.own, &hybrid, &both.truth, config)?;
    let (_, algorithm) = matched(&both.own, &both.ai, &both.truth, config)?;
    let row = ReaderHybrid {
        reader: both.reader.clone(),
        reader_auc: Roc::new(&both.own, &both.truth)?.auc(),
        hybrid_auc: Roc::new(&hybrid, &both.truth)?.auc(),
        false_positive_change: Change::FalsePositives.between(&alone, &with),
        flagged_change: Change::Flagged.between(&alone, &with),
        detection_change: Change::Detections.between(&alone, &with),
        alone: Decisions::new(&alone, config.confidence),
        hybrid: Decisions::new(&with, config.confidence),
        algorithm: Decisions::new(&algorithm, config.confidence),
    };
    Ok((row, hybrid))
}

fn by_weight(kept: &[Combined], config: &Config) -> Result<Vec<AtWeight>, Error> {
    let curves = kept.iter().map(|Combined { both, .. }| {
        let areas = hybrid_by_weight(&both.own, &both.ai, &both.truth, &config.weights)?;
        Ok(areas.iter().map(|point| point.auc).collect())
    });
    let curves = curves.collect::<Result<Vec<Vec<f64>>, Error>>()?;
    if curves.is_empty() {
        return Ok(Vec::new());
    }
    let at = |(index, &weight): (usize, &f64)| {
        let areas = curves.iter().map(|curve| curve[index]);
        AtWeight {
            weight,
            mean_auc: areas.clone().sum::<f64>() / curves.len() as f64,
            lowest: areas.clone().fold(f64::INFINITY, f64::min),
            highest: areas.fold(f64::NEG_INFINITY, f64::max),
        }
    };
    Ok(config.weights.iter().enumerate().map(at).collect())
}
