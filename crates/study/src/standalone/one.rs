//! One score: its areas, thresholds, groups and distribution.

use lobule_stats::bootstrap::{BootstrapConfig, bootstrap};
use lobule_stats::operating::{ConfusionTable, OperatingPoint};
use lobule_stats::roc::{AucScale, Roc};
use serde::Serialize;

use super::{Config, ThresholdRule};
use crate::Error;
use crate::table::{Group, ScoreTable, Series};
use crate::value::{Decisions, Estimate, Found};

/// The analysis of one score.
///
/// ```
/// use lobule_study::standalone::Score;
/// fn name(score: &Score) -> &str { &score.name }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Whose.
    pub name: String,
    /// Cases scored.
    pub n_cases: usize,
    /// Of them with the disease.
    pub n_positive: usize,
    /// DeLong on the logit scale, by cluster where cases are clustered (Obuchowski 1997).
    pub auc: Found<Estimate>,
    /// Average precision with a percentile bootstrap interval by cluster.
    pub average_precision: Found<Estimate>,
    /// What each threshold does.
    pub operating: Vec<OperatingRow>,
    /// The area in every group of cases.
    pub subgroups: Vec<Subgroup>,
    /// (1 − specificity, sensitivity).
    pub roc: Vec<(f64, f64)>,
    /// (sensitivity, positive predictive value).
    pub precision_recall: Vec<(f64, f64)>,
    /// The scores by truth.
    pub histogram: ScoreHistogram,
}

/// A threshold and what it does.
///
/// ```
/// use lobule_study::standalone::OperatingRow;
/// fn rule(row: &OperatingRow) -> &str { &row.rule }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OperatingRow {
    /// How the threshold was chosen.
    pub rule: String,
    /// Whether it was chosen on the cases that it is judged on.
    pub chosen_here: bool,
    /// What it does.
    pub decisions: Found<Decisions>,
}

/// The area in a group of cases.
///
/// ```
/// use lobule_study::standalone::Subgroup;
/// fn label(group: &Subgroup) -> &str { &group.label }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subgroup {
    /// The column.
    pub column: String,
    /// The group.
    pub label: String,
    /// Its cases.
    pub n_cases: usize,
    /// Of them with the disease.
    pub n_positive: usize,
    /// As for all cases.
    pub auc: Found<Estimate>,
}

/// Counts of scores in equal bins.
///
/// ```
/// use lobule_study::standalone::ScoreHistogram;
/// fn n(histogram: &ScoreHistogram) -> usize { histogram.healthy.len() }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreHistogram {
    /// The range of the bins.
    pub range: (f64, f64),
    /// Cases without the disease, by bin.
    pub healthy: Vec<usize>,
    /// Cases with it.
    pub diseased: Vec<usize>,
}

/// A score with its cases.
pub(crate) struct Rated {
    pub(crate) name: String,
    pub(crate) series: Series,
}

impl Rated {
    pub(crate) fn roc(&self) -> Result<Roc, Error> {
        Ok(Roc::new(&self.series.ratings, &self.series.truth)?)
    }
}

/// The algorithms, or everyone where there are none.
pub(crate) fn rated(table: &ScoreTable) -> Result<Vec<Rated>, Error> {
    let alone = !table.algorithms().is_empty();
    let places: Vec<(usize, usize)> = table
        .places()
        .filter(|&(_, reader)| !alone || table.is_algorithm(reader))
        .collect();
    let (first_m, first_r) = places[0];
    let one_reader = places.iter().all(|place| place.1 == first_r);
    let one_modality = places.iter().all(|place| place.0 == first_m);
    let name = |(modality, reader): (usize, usize)| {
        let (how, who) = (
            table.modalities().name(modality),
            table.readers().name(reader),
        );
        match (one_reader, one_modality) {
            (true, false) => how.to_owned(),
            (_, true) => who.to_owned(),
            (false, false) => format!("{who}, {how}"),
        }
    };
    let all = places.into_iter().filter_map(|place| {
        Some(Rated {
            name: name(place),
            series: table.series(place.0, place.1)?,
        })
    });
    Ok(all.collect())
}

pub(super) fn score(table: &ScoreTable, rated: &Rated, config: &Config) -> Result<Score, Error> {
    let roc = rated.roc();
    let series = &rated.series;
    let empty = Vec::new;
    Ok(Score {
        name: rated.name.clone(),
        n_cases: series.cases.len(),
        n_positive: series.truth.iter().filter(|&&present| present).count(),
        auc: Found::from(area(table, series, config)),
        average_precision: Found::from(average_precision(table, series, config)),
        operating: config
            .thresholds
            .iter()
            .map(|&rule| OperatingRow {
                rule: rule.words(),
                chosen_here: !matches!(rule, ThresholdRule::Fixed(_)),
                decisions: Found::from(
                    roc.as_ref()
                        .map_err(Clone::clone)
                        .and_then(|roc| operating_point(table, roc, rule))
                        .map(|point| Decisions::new(&point, config.confidence)),
                ),
            })
            .collect(),
        subgroups: subgroups(table, series, config),
        roc: roc.as_ref().map_or_else(|_| empty(), roc_points),
        precision_recall: roc.as_ref().map_or_else(|_| empty(), precision_recall),
        histogram: histogram(series, config.n_bins),
    })
}

fn area(table: &ScoreTable, series: &Series, config: &Config) -> Result<Estimate, Error> {
    let roc = Roc::new(&series.ratings, &series.truth)?;
    let interval = match table.clusters() {
        None => roc.auc_interval(config.confidence, AucScale::Logit)?,
        Some(_) => {
            let clusters = table.clusters_of(&series.cases)?;
            roc.auc_interval_by_cluster(&clusters, config.confidence, AucScale::Logit)?
        }
    };
    Ok(Estimate::new(roc.auc(), interval))
}

fn average_precision(
    table: &ScoreTable,
    series: &Series,
    config: &Config,
) -> Result<Estimate, Error> {
    let roc = Roc::new(&series.ratings, &series.truth)?;
    if config.n_replicates == 0 {
        let estimate = roc.average_precision();
        return Ok(Estimate {
            estimate,
            lower: f64::NAN,
            upper: f64::NAN,
        });
    }
    let statistic = |cases: &[usize]| {
        let ratings: Vec<f64> = cases.iter().map(|&case| series.ratings[case]).collect();
        let truth: Vec<bool> = cases.iter().map(|&case| series.truth[case]).collect();
        Roc::new(&ratings, &truth)
            .ok()
            .map(|roc| roc.average_precision())
    };
    let settings = BootstrapConfig {
        n_replicates: config.n_replicates,
        confidence: config.confidence,
        interval: lobule_stats::bootstrap::BootstrapInterval::Percentile,
        ..BootstrapConfig::with_seed(config.seed)
    };
    let result = bootstrap(&table.clusters_of(&series.cases)?, &settings, statistic)?;
    Ok(Estimate::new(result.estimate, result.interval))
}

fn operating_point(
    table: &ScoreTable,
    roc: &Roc,
    rule: ThresholdRule,
) -> Result<OperatingPoint, Error> {
    Ok(match rule {
        ThresholdRule::Fixed(at) => roc.at_threshold(at)?,
        ThresholdRule::Sensitivity(at) => roc.at_sensitivity(at)?,
        ThresholdRule::Specificity(at) => roc.at_specificity(at)?,
        ThresholdRule::FlaggedRate(at) => roc.at_flagged_rate(at)?,
        ThresholdRule::NegativePredictiveValue(at) => roc.at_negative_predictive_value(at, None)?,
        ThresholdRule::PositivePredictiveValue(at) => roc.at_positive_predictive_value(at, None)?,
        ThresholdRule::ReaderSensitivity(at) => roc.at_reader_sensitivity(&pooled(table, at)?)?,
        ThresholdRule::ReaderSpecificity(at) => roc.at_reader_specificity(&pooled(table, at)?)?,
    })
}

/// The decisions of all people, added up.
fn pooled(table: &ScoreTable, threshold: f64) -> Result<ConfusionTable, Error> {
    let people = table
        .places()
        .filter(|&(_, reader)| !table.is_algorithm(reader));
    let mut tables = Vec::new();
    for (modality, reader) in people {
        if let Some(series) = table.series(modality, reader) {
            let decided = ConfusionTable::at_threshold(&series.ratings, &series.truth, threshold);
            tables.push(decided?);
        }
    }
    if tables.is_empty() {
        return Err(Error::config(
            "expected readers to match, got algorithms alone",
        ));
    }
    let total = |count: fn(&ConfusionTable) -> usize| tables.iter().map(count).sum();
    Ok(ConfusionTable {
        true_positives: total(|t| t.true_positives),
        false_negatives: total(|t| t.false_negatives),
        false_positives: total(|t| t.false_positives),
        true_negatives: total(|t| t.true_negatives),
    })
}

fn subgroups(table: &ScoreTable, series: &Series, config: &Config) -> Vec<Subgroup> {
    let of_group = |group: &Group, label: usize| {
        let mut part = Series {
            cases: Vec::new(),
            ratings: Vec::new(),
            truth: Vec::new(),
        };
        for (at, &case) in series.cases.iter().enumerate() {
            if group.holds(case, label) {
                part.cases.push(case);
                part.ratings.push(series.ratings[at]);
                part.truth.push(series.truth[at]);
            }
        }
        Subgroup {
            column: group.name().to_owned(),
            label: group.labels().name(label).to_owned(),
            n_cases: part.cases.len(),
            n_positive: part.truth.iter().filter(|&&present| present).count(),
            auc: Found::from(area(table, &part, config)),
        }
    };
    let groups = table.groups().iter();
    groups
        .flat_map(|group| (0..group.labels().len()).map(move |label| of_group(group, label)))
        .collect()
}

fn roc_points(roc: &Roc) -> Vec<(f64, f64)> {
    let points = roc.points();
    points
        .iter()
        .map(|point| (1.0 - point.specificity, point.sensitivity))
        .collect()
}

fn precision_recall(roc: &Roc) -> Vec<(f64, f64)> {
    let (positive, negative) = (roc.n_positive() as f64, roc.n_negative() as f64);
    let points = roc.points();
    let precision = points.iter().filter_map(|point| {
        let hits = point.sensitivity * positive;
        let flagged = hits + (1.0 - point.specificity) * negative;
        (flagged > 0.5).then(|| (point.sensitivity, hits / flagged))
    });
    precision.collect()
}

fn histogram(series: &Series, n_bins: usize) -> ScoreHistogram {
    let lowest = series.ratings.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = series
        .ratings
        .iter()
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    let range = match lowest >= 0.0 && highest <= 1.0 {
        true => (0.0, 1.0),
        false if lowest < highest => (lowest, highest),
        false => (lowest - 0.5, lowest + 0.5),
    };
    let n_bins = n_bins.max(1);
    let mut histogram = ScoreHistogram {
        range,
        healthy: vec![0; n_bins],
        diseased: vec![0; n_bins],
    };
    for (rating, &present) in series.ratings.iter().zip(&series.truth) {
        let share = (rating - range.0) / (range.1 - range.0);
        let bin = ((share * n_bins as f64) as usize).min(n_bins - 1);
        match present {
            true => histogram.diseased[bin] += 1,
            false => histogram.healthy[bin] += 1,
        }
    }
    histogram
}
