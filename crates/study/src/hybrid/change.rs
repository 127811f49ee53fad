//! What changes where a hybrid replaces the reader: counts before and after, their mean over
//! readers, its interval.
//!
//! Does not own: the combination and its threshold (the parent module).

use lobule_stats::bootstrap::{BootstrapConfig, BootstrapInterval, bootstrap_several};
use lobule_stats::operating::OperatingPoint;

use super::{Blend, Combined, Config, blended, matched};
use crate::Error;
use crate::table::ScoreTable;
use crate::value::Estimate;

/// What is counted before and after.
#[derive(Clone, Copy)]
pub(super) enum Change {
    FalsePositives,
    Flagged,
    Detections,
}

impl Change {
    const ALL: [Change; 3] = [Change::FalsePositives, Change::Flagged, Change::Detections];

    fn count(self, point: &OperatingPoint) -> usize {
        let table = &point.table;
        match self {
            Change::FalsePositives => table.false_positives,
            Change::Flagged => table.false_positives + table.true_positives,
            Change::Detections => table.true_positives,
        }
    }

    pub(super) fn between(self, before: &OperatingPoint, after: &OperatingPoint) -> Option<f64> {
        let (before, after) = (self.count(before) as f64, self.count(after) as f64);
        (before > 0.0).then(|| (after - before) / before)
    }
}

/// Means over readers, with intervals over clusters of cases; readers are fixed. In every replicate
/// thresholds are chosen anew, once for all changes, and a logistic combination is fitted anew; the
/// other combinations are made once.
pub(super) fn mean_changes(
    table: &ScoreTable,
    kept: &[Combined],
    config: &Config,
    tick: &(dyn Fn() + Sync),
) -> Result<[Result<Estimate, Error>; 3], Error> {
    let n_cases = table.cases().len();
    let places: Vec<Vec<Option<usize>>> = kept
        .iter()
        .map(|combined| {
            let mut places = vec![None; n_cases];
            for (at, &case) in combined.both.cases.iter().enumerate() {
                places[case] = Some(at);
            }
            places
        })
        .collect();
    let all: Vec<usize> = (0..n_cases).collect();
    let means = |cases: &[usize]| -> [Option<f64>; 3] {
        let mut points = Vec::new();
        for (Combined { both, hybrid }, places) in kept.iter().zip(&places) {
            let drawn: Vec<usize> = cases.iter().filter_map(|&case| places[case]).collect();
            let both = both.drawn(&drawn);
            let with = match config.blend {
                Blend::Logistic { .. } if cases != all => blended(table, &both, config),
                _ => Ok(drawn.iter().map(|&at| hybrid[at]).collect()),
            };
            let point = with.and_then(|with| matched(&both.own, &with, &both.truth, config));
            match point {
                Ok(pair) => points.push(pair),
                Err(_) => return [None; 3],
            }
        }
        Change::ALL.map(|change| {
            let changes = points
                .iter()
                .filter_map(|(before, after)| change.between(before, after));
            let changes: Vec<f64> = changes.collect();
            (!changes.is_empty()).then(|| changes.iter().sum::<f64>() / changes.len() as f64)
        })
    };
    let undefined = || Error::config("expected a reader who flags cases, got none");
    let plain = means(&all);
    if config.n_replicates == 0 || plain.iter().all(Option::is_none) {
        return Ok(plain.map(|estimate| {
            let (lower, upper) = (f64::NAN, f64::NAN);
            let estimate = estimate.ok_or_else(undefined)?;
            Ok(Estimate {
                estimate,
                lower,
                upper,
            })
        }));
    }
    let settings = BootstrapConfig {
        n_replicates: config.n_replicates,
        confidence: config.confidence,
        interval: BootstrapInterval::Percentile,
        ..BootstrapConfig::with_seed(config.seed)
    };
    let counted = |cases: &[usize]| {
        let found = means(cases);
        tick();
        found
    };
    let drawn = bootstrap_several(&table.clusters_of(&all)?, &settings, counted)?;
    let mut drawn = drawn.into_iter();
    Ok(plain.map(|estimate| {
        let estimate = estimate.ok_or_else(undefined)?;
        let result = drawn.next().expect("one result per change");
        Ok(Estimate::new(estimate, result?.interval))
    }))
}
