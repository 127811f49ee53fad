//! What an algorithm in the reading room would have changed: rule-out, second reader, decision
//! referral, safety net.
//!
//! Owns: which columns of the table are which decision, the rules' results and document. Does not
//! own: the statistics (`lobule_stats::triage`). It simulates on recorded decisions.
//!
//! The table gives decisions as ratings: readers recall at `recall_threshold` and above; the
//! columns of an arbiter and of biopsies are 0 and 1, empty where there was none. Each reader of
//! `first_readers` reads the whole table as if alone, and results are told for each and as their
//! mean.
//!
//! ```
//! use lobule_stats::triage::TriageRule;
//! use lobule_study::table::{ReadConfig, Study, WideColumns};
//! use lobule_study::triage::{Config, run};
//! # let folder = tempfile::tempdir().unwrap();
//! # let file = folder.path().join("t.csv");
//! # std::fs::write(&file, "case,truth,R1,AI\n1,0,0,.1\n2,0,1,.2\n3,0,0,.3\n4,0,1,.6\n5,1,1,.7\n\
//! #     6,1,0,.9\n").unwrap();
//! let wide = WideColumns { readers: vec!["R1".into()], algorithms: vec!["AI".into()] };
//! let study = Study::read(&file, &ReadConfig { wide: Some(wide), ..ReadConfig::default() })?;
//! let config = Config { rules: vec![TriageRule::RuleOut { below: 0.5 }], ..Config::at(1.0) };
//! let result = run(study.scores()?, &config)?;
//! assert_eq!(result.algorithms[0].rules[1].readers[0].reading_saved, 0.5);
//! # Ok::<(), lobule_study::Error>(())
//! ```

mod document;

use lobule_stats::Confidence;
use lobule_stats::proportion::{PairedProportions, Proportion};
use lobule_stats::triage::{
    Arbitration, SafetyNet, Screening, ScreeningColumns, TriageOutcome, TriageRule, triage_curve,
};
use serde::Serialize;

pub use document::document;

use crate::Error;
use crate::table::{Input, ScoreTable};
use crate::value::{Decisions, Estimate, Found, Share};

/// What is simulated and how.
///
/// ```
/// use lobule_study::triage::Config;
/// assert!(Config::at(1.0).rules.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Readers recall from this rating on.
    pub recall_threshold: f64,
    /// Readers who read first; empty: every person but those named below.
    pub first_readers: Vec<String>,
    /// The reader of every case after the first.
    pub second_reader: Option<String>,
    /// Who decides where the two disagree.
    pub arbiter: Option<String>,
    /// Whether a biopsy was recommended.
    pub biopsy_recommended: Option<String>,
    /// Whether a biopsy was done.
    pub biopsy_performed: Option<String>,
    /// The rules; the readers alone always stand first.
    pub rules: Vec<TriageRule>,
    /// How many rule-out thresholds the triage curve has.
    pub n_curve: usize,
    /// Of every interval.
    pub confidence: Confidence,
}

impl Config {
    /// Recall from a rating on, no rules.
    pub fn at(recall_threshold: f64) -> Config {
        Config {
            recall_threshold,
            first_readers: Vec::new(),
            second_reader: None,
            arbiter: None,
            biopsy_recommended: None,
            biopsy_performed: None,
            rules: Vec::new(),
            n_curve: 50,
            confidence: Confidence::NINETY_FIVE,
        }
    }
}

/// The result of [`run`].
///
/// ```
/// use lobule_study::triage::Triage;
/// fn n(result: &Triage) -> usize { result.algorithms.len() }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Triage {
    /// The table.
    pub input: Input,
    /// Cases with a truth.
    pub n_cases: usize,
    /// Cases with the disease.
    pub n_positive: usize,
    /// What cases are clustered in, and how many of them.
    pub clusters: Option<(String, usize)>,
    /// Readers recall from here on.
    pub recall_threshold: f64,
    /// 1 − α.
    pub confidence: f64,
    /// One per algorithm.
    pub algorithms: Vec<WithAlgorithm>,
}

/// The rules with one algorithm.
///
/// ```
/// use lobule_study::triage::WithAlgorithm;
/// fn name(with: &WithAlgorithm) -> &str { &with.algorithm }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WithAlgorithm {
    /// The algorithm.
    pub algorithm: String,
    /// The readers alone, then the rules.
    pub rules: Vec<RuleResult>,
    /// Rule-out at rising thresholds, mean over readers.
    pub curve: Vec<CurvePoint>,
}

/// A rule for every first reader.
///
/// ```
/// use lobule_study::triage::RuleResult;
/// fn mean_saved(rule: &RuleResult) -> f64 {
///     rule.readers.iter().map(|r| r.reading_saved).sum::<f64>() / rule.readers.len() as f64
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleResult {
    /// The rule in words.
    pub rule: String,
    /// By first reader.
    pub readers: Vec<Outcome>,
    /// Readers whom the data refuse, and why.
    pub refused: Vec<(String, String)>,
}

/// What a rule does with one first reader.
///
/// ```
/// use lobule_study::triage::Outcome;
/// fn missed(outcome: &Outcome) -> usize { outcome.cancers_missed }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Who reads first.
    pub reader: String,
    /// Recalled or not, by truth.
    pub decisions: Decisions,
    /// Cancers found per 1,000 cases of the table.
    pub detections_per_thousand: Estimate,
    /// Recalled of all.
    pub recall_rate: Share,
    /// Cancers of the recalled.
    pub ppv1: Option<Share>,
    /// Cancers of the biopsies recommended.
    pub ppv2: Option<Share>,
    /// Cancers of the biopsies done.
    pub ppv3: Option<Share>,
    /// Looks of readers at cases.
    pub human_readings: usize,
    /// 1 − readings / readings of the readers alone.
    pub reading_saved: f64,
    /// Cancers that the readers alone find and the rule does not.
    pub cancers_missed: usize,
    /// Cancers that the rule finds and the readers alone do not.
    pub cancers_gained: usize,
    /// Sensitivity of the rule minus that of the readers alone.
    pub sensitivity_difference: Found<PairedDifference>,
    /// The same of specificity.
    pub specificity_difference: Found<PairedDifference>,
    /// The same of the recall rate.
    pub recall_difference: Found<PairedDifference>,
}

/// A difference of paired shares.
///
/// ```
/// use lobule_study::triage::PairedDifference;
/// fn p(difference: &PairedDifference) -> f64 { difference.exact_p_value }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairedDifference {
    /// The rule minus the readers alone.
    pub difference: Estimate,
    /// McNemar's exact test.
    pub exact_p_value: f64,
}

/// Rule-out at one threshold.
///
/// ```
/// use lobule_study::triage::CurvePoint;
/// fn saved(point: &CurvePoint) -> f64 { point.reading_saved }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Cases below are not read.
    pub threshold: f64,
    /// Mean share of readings saved.
    pub reading_saved: f64,
    /// Mean sensitivity.
    pub sensitivity: f64,
    /// Mean specificity.
    pub specificity: f64,
}

/// Decisions by case; `None` where a reader did not decide.
type Column = Vec<Option<f64>>;

/// Applies the rules with every algorithm of the table.
///
/// # Errors
/// [`crate::ErrorKind::Config`] without readers or algorithms, or for a name that no reader has.
pub fn run(table: &ScoreTable, config: &Config) -> Result<Triage, Error> {
    let algorithms: Vec<(usize, usize)> = table
        .places()
        .filter(|&(_, reader)| table.is_algorithm(reader))
        .collect();
    if algorithms.is_empty() {
        return Err(Error::config("expected an algorithm, got readers alone"));
    }
    let firsts = first_readers(table, config)?;
    let clusters = table.clusters();
    Ok(Triage {
        input: table.input().clone(),
        n_cases: table.cases().len(),
        n_positive: table.n_positive(),
        clusters: clusters.map(|c| (c.name().to_owned(), c.labels().len())),
        recall_threshold: config.recall_threshold,
        confidence: config.confidence.level(),
        algorithms: algorithms
            .iter()
            .map(|&place| with_algorithm(table, &firsts, place, config))
            .collect::<Result<_, Error>>()?,
    })
}

fn first_readers(table: &ScoreTable, config: &Config) -> Result<Vec<(usize, usize)>, Error> {
    let others = [
        &config.second_reader,
        &config.arbiter,
        &config.biopsy_recommended,
        &config.biopsy_performed,
    ];
    let others = others.into_iter().flatten().map(|name| table.reader(name));
    let others = others.collect::<Result<Vec<usize>, Error>>()?;
    let named = config.first_readers.iter().map(|name| table.reader(name));
    let named = named.collect::<Result<Vec<usize>, Error>>()?;
    let is_first = |reader: usize| match named.is_empty() {
        true => !table.is_algorithm(reader) && !others.contains(&reader),
        false => named.contains(&reader),
    };
    let firsts: Vec<(usize, usize)> = table.places().filter(|place| is_first(place.1)).collect();
    match firsts.is_empty() {
        true => Err(Error::config("expected a first reader, got none")),
        false => Ok(firsts),
    }
}

fn with_algorithm(
    table: &ScoreTable,
    firsts: &[(usize, usize)],
    place: (usize, usize),
    config: &Config,
) -> Result<WithAlgorithm, Error> {
    let scores = column(table, place);
    let mut rules = vec![TriageRule::ReadersAlone];
    rules.extend(&config.rules);
    let mut results: Vec<RuleResult> = rules
        .iter()
        .map(|&rule| RuleResult {
            rule: rule_words(rule),
            readers: Vec::new(),
            refused: Vec::new(),
        })
        .collect();
    let mut screenings = Vec::new();
    for &first in firsts {
        let name = table.readers().name(first.1).to_owned();
        let screening = screening(table, first, &scores, config);
        for (rule, result) in rules.iter().zip(&mut results) {
            let outcome = screening
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|screening| {
                    let applied = screening.apply(*rule)?;
                    outcome(&name, &applied, config)
                });
            match outcome {
                Ok(outcome) => result.readers.push(outcome),
                Err(error) => result.refused.push((name.clone(), error.to_string())),
            }
        }
        screenings.extend(screening);
    }
    Ok(WithAlgorithm {
        algorithm: table.readers().name(place.1).to_owned(),
        rules: results,
        curve: curve(&screenings, &scores, config)?,
    })
}

fn column(table: &ScoreTable, (modality, reader): (usize, usize)) -> Column {
    let mut column = vec![None; table.cases().len()];
    if let Some(series) = table.series(modality, reader) {
        for (case, rating) in series.cases.into_iter().zip(series.ratings) {
            column[case] = Some(rating);
        }
    }
    column
}

/// The column of a reader by name, in the first modality where there are ratings.
fn named_column(table: &ScoreTable, name: &Option<String>) -> Result<Option<Column>, Error> {
    let Some(name) = name else {
        return Ok(None);
    };
    let reader = table.reader(name)?;
    let place = table.places().find(|place| place.1 == reader);
    Ok(place.map(|place| column(table, place)))
}

/// The cases that both the first reader and the algorithm have, as a screened population.
fn screening(
    table: &ScoreTable,
    first: (usize, usize),
    scores: &Column,
    config: &Config,
) -> Result<Screening, Error> {
    let first = column(table, first);
    let cases: Vec<usize> = (0..scores.len())
        .filter(|&case| first[case].is_some() && scores[case].is_some())
        .collect();
    let recalls = |rating: f64| rating >= config.recall_threshold;
    let flags = |column: Column| -> Vec<Option<bool>> {
        cases
            .iter()
            .map(|&case| column[case].map(|flag| flag >= 0.5))
            .collect()
    };
    let second = named_column(table, &config.second_reader)?;
    let second = second.map(|column| -> Result<Vec<bool>, Error> {
        let decided = cases.iter().map(|&case| {
            let name = table.cases().name(case);
            let text = format!("expected a second reading of case `{name}`, got none");
            column[case].map(recalls).ok_or_else(|| Error::config(text))
        });
        decided.collect()
    });
    let second = second.transpose()?;
    let arbiter = named_column(table, &config.arbiter)?.map(|column| -> Vec<Option<bool>> {
        cases
            .iter()
            .map(|&case| column[case].map(recalls))
            .collect()
    });
    let recommended = named_column(table, &config.biopsy_recommended)?.map(flags);
    let performed = named_column(table, &config.biopsy_performed)?.map(flags);
    let truth: Vec<bool> = cases.iter().map(|&case| table.truth()[case]).collect();
    let ai_scores: Vec<f64> = cases.iter().filter_map(|&case| scores[case]).collect();
    let first: Vec<bool> = cases
        .iter()
        .filter_map(|&case| first[case].map(recalls))
        .collect();
    Ok(Screening::new(&ScreeningColumns {
        truth: &truth,
        ai_scores: &ai_scores,
        first_reader: &first,
        second_reader: second.as_deref(),
        arbiter: arbiter.as_deref(),
        biopsy_recommended: recommended.as_deref(),
        biopsy_performed: performed.as_deref(),
    })?)
}

fn outcome(reader: &str, applied: &TriageOutcome, config: &Config) -> Result<Outcome, Error> {
    let confidence = config.confidence;
    let share = |proportion: Option<Proportion>| proportion.map(|p| Share::new(p, confidence));
    let point = lobule_stats::operating::OperatingPoint {
        threshold: config.recall_threshold,
        table: applied.table(),
    };
    let per_thousand = applied.detections_per_thousand_interval(confidence);
    Ok(Outcome {
        reader: reader.to_owned(),
        decisions: Decisions::new(&point, confidence),
        detections_per_thousand: Estimate::new(applied.detections_per_thousand(), per_thousand),
        recall_rate: Share::new(applied.recall_rate(), confidence),
        ppv1: share(applied.positive_predictive_value_1()),
        ppv2: share(applied.positive_predictive_value_2()),
        ppv3: share(applied.positive_predictive_value_3()),
        human_readings: applied.human_readings,
        reading_saved: applied.reading_saved(),
        cancers_missed: applied.cancers_missed(),
        cancers_gained: applied.cancers_gained(),
        sensitivity_difference: Found::from(paired(&applied.detection_pairs(), confidence)),
        specificity_difference: Found::from(paired(&applied.specificity_pairs(), confidence)),
        recall_difference: Found::from(paired(&applied.recall_pairs(), confidence)),
    })
}

fn paired(pairs: &PairedProportions, confidence: Confidence) -> Result<PairedDifference, Error> {
    let interval = pairs.interval(confidence)?;
    Ok(PairedDifference {
        difference: Estimate::new(pairs.difference()?, interval),
        exact_p_value: pairs.mcnemar().exact_p_value,
    })
}

/// Rule-out at thresholds that leave equal shares of the scores below.
fn curve(
    screenings: &[Screening],
    scores: &Column,
    config: &Config,
) -> Result<Vec<CurvePoint>, Error> {
    let mut sorted: Vec<f64> = scores.iter().flatten().copied().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    if screenings.is_empty() || sorted.is_empty() || config.n_curve == 0 {
        return Ok(Vec::new());
    }
    let at = |step: usize| sorted[(step * sorted.len() / config.n_curve).min(sorted.len() - 1)];
    let mut thresholds: Vec<f64> = (0..config.n_curve).map(at).collect();
    thresholds.dedup();
    let mut points: Vec<CurvePoint> = thresholds
        .iter()
        .map(|&threshold| CurvePoint {
            threshold,
            reading_saved: 0.0,
            sensitivity: 0.0,
            specificity: 0.0,
        })
        .collect();
    let n = screenings.len() as f64;
    for screening in screenings {
        let outcomes = triage_curve(screening, &thresholds, |below| TriageRule::RuleOut {
            below,
        })?;
        for (point, outcome) in points.iter_mut().zip(&outcomes) {
            let table = outcome.table();
            let rate = |share: Option<Proportion>| share.map_or(f64::NAN, Proportion::value);
            point.reading_saved += outcome.reading_saved() / n;
            point.sensitivity += rate(table.sensitivity()) / n;
            point.specificity += rate(table.specificity()) / n;
        }
    }
    Ok(points)
}

fn rule_words(rule: TriageRule) -> String {
    match rule {
        TriageRule::ReadersAlone => "readers alone".into(),
        TriageRule::RuleOut { below } => format!("rule-out below {below}"),
        TriageRule::SecondReader { from, arbitration } => {
            let then = match arbitration {
                Arbitration::EitherRecalls => "either recalls",
                Arbitration::Arbiter => "an arbiter decides",
                Arbitration::SecondReader => "the second reader decides",
            };
            format!("algorithm as second reader from {from}, {then}")
        }
        TriageRule::DecisionReferral { below, from } => {
            format!("decision referral: negative below {below}, recalled from {from}")
        }
        TriageRule::SafetyNet { from, action } => {
            let then = match action {
                SafetyNet::Recall => "recalled",
                SafetyNet::Reread => "read again",
            };
            format!("safety net from {from}, {then}")
        }
        TriageRule::RiskAdapted { double_from } => {
            format!("double reading from {double_from} only")
        }
        _ => "rule".into(),
    }
}
