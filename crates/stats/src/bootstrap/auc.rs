//! The area under the ROC curve, sorted once and reweighted per replicate.

use super::{BootstrapConfig, BootstrapEstimate, Clusters, run};
use crate::Error;
use crate::cases::{Ranking, check_cases, check_lengths};

/// Clustered bootstrap of the area under the ROC curve.
///
/// The same replicates as [`super::bootstrap`] of [`crate::roc::Roc::auc`], bit for bit, but the
/// cases are sorted once and a replicate is one pass of integer sums over them: cost n per
/// replicate, and n log n in all for the leave-one-out areas of BCa.
///
/// ```
/// use lobule_stats::bootstrap::{BootstrapConfig, BootstrapInterval, Clusters, bootstrap_auc};
/// let scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.35, 0.65];
/// let truth = [false, true, false, true, false, true, false, true, false, true];
/// let patients = [1, 1, 2, 2, 3, 3, 4, 4, 5, 6];
/// let clusters = Clusters::from_labels(&patients)?;
/// let config = BootstrapConfig {
///     interval: BootstrapInterval::Bca,
///     ..BootstrapConfig::with_seed(11)
/// };
/// let result = bootstrap_auc(&scores, &truth, &clusters, &config)?;
/// assert!(result.interval.contains(result.estimate));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// Those of [`crate::roc::Roc::new`] and [`super::bootstrap`], and
/// [`crate::ErrorKind::Mismatch`] when clusters and scores count different cases.
pub fn bootstrap_auc(
    scores: &[f64],
    truth: &[bool],
    clusters: &Clusters,
    config: &BootstrapConfig,
) -> Result<BootstrapEstimate, Error> {
    let sorted = SortedCases::new(scores, truth, clusters)?;
    let [estimate] = run(
        clusters,
        config,
        || (),
        |(), weights| [sorted.auc(weights)],
        || {
            let areas = sorted.without_each_cluster(clusters).into_iter();
            areas.map(|area| [area]).collect()
        },
    )?;
    estimate
}

/// Clustered bootstrap of the difference of two areas on the same cases, first minus second. Both
/// scores see the same draws.
///
/// ```
/// use lobule_stats::bootstrap::{BootstrapConfig, Clusters, bootstrap_auc_difference};
/// let truth = [false, true, false, true, false, true, false, true];
/// let a = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
/// let b = [0.2, 0.1, 0.3, 0.5, 0.4, 0.6, 0.8, 0.7];
/// let clusters = Clusters::singletons(8)?;
/// let config = BootstrapConfig::with_seed(11);
/// let result = bootstrap_auc_difference(&a, &b, &truth, &clusters, &config)?;
/// assert_eq!(result.estimate, 0.0625);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// Those of [`bootstrap_auc`].
pub fn bootstrap_auc_difference(
    first: &[f64],
    second: &[f64],
    truth: &[bool],
    clusters: &Clusters,
    config: &BootstrapConfig,
) -> Result<BootstrapEstimate, Error> {
    let first = SortedCases::new(first, truth, clusters)?;
    let second = SortedCases::new(second, truth, clusters)?;
    let difference = |a: Option<f64>, b: Option<f64>| [a.zip(b).map(|(a, b)| a - b)];
    let [estimate] = run(
        clusters,
        config,
        || (),
        |(), weights| difference(first.auc(weights), second.auc(weights)),
        || {
            let pairs = first.without_each_cluster(clusters);
            let others = second.without_each_cluster(clusters);
            let both = pairs.into_iter().zip(others);
            both.map(|(a, b)| difference(a, b)).collect()
        },
    )?;
    estimate
}

/// The cases by rising score, with what a reweighted area needs of each.
struct SortedCases {
    cases: Vec<SortedCase>,
}

#[derive(Clone, Copy)]
struct SortedCase {
    cluster: u32,
    positive: bool,
    /// Whether the next case has a higher score.
    ends_run: bool,
}

/// Weighted counts of a pass over sorted cases: twice the pairs won (ties ½), and the classes.
#[derive(Clone, Copy, Default)]
struct Wins {
    doubled: u64,
    positives: u64,
    negatives: u64,
    run_positives: u64,
    run_negatives: u64,
}

impl Wins {
    fn add(&mut self, positive: bool, weight: u64) {
        if positive {
            self.run_positives += weight;
        } else {
            self.run_negatives += weight;
        }
    }

    fn end_run(&mut self) {
        self.doubled += self.run_positives * (2 * self.negatives + self.run_negatives);
        self.positives += self.run_positives;
        self.negatives += self.run_negatives;
        (self.run_positives, self.run_negatives) = (0, 0);
    }

    fn auc(&self) -> Option<f64> {
        let pairs = self.positives as f64 * self.negatives as f64;
        (pairs > 0.0).then(|| self.doubled as f64 / (2.0 * pairs))
    }
}

impl SortedCases {
    fn new(scores: &[f64], truth: &[bool], clusters: &Clusters) -> Result<SortedCases, Error> {
        check_cases(scores, truth)?;
        check_lengths(
            "cases in clusters",
            clusters.n_cases(),
            "scores",
            scores.len(),
        )?;
        let numbers = clusters.number_of_case();
        let ranking = Ranking::ascending(scores);
        let cases = ranking.runs().flat_map(|run| {
            let last = run.len() - 1;
            let (numbers, position) = (&numbers, 0..);
            position.zip(run).map(move |(i, &case)| SortedCase {
                cluster: numbers[case],
                positive: truth[case],
                ends_run: i == last,
            })
        });
        Ok(SortedCases {
            cases: cases.collect(),
        })
    }

    fn auc(&self, weights: &[u32]) -> Option<f64> {
        let mut wins = Wins::default();
        for case in &self.cases {
            wins.add(case.positive, u64::from(weights[case.cluster as usize]));
            if case.ends_run {
                wins.end_run();
            }
        }
        wins.auc()
    }

    /// The area without each cluster: all wins, less those of its cases against all others, plus
    /// those among its own cases, which were taken away twice.
    fn without_each_cluster(&self, clusters: &Clusters) -> Vec<Option<f64>> {
        let own = self.wins_within(clusters.n_clusters());
        let (total, involving) = self.wins_involving(clusters.n_clusters());
        let without = |(own, involving): (&Wins, &u64)| Wins {
            doubled: total.doubled + own.doubled - involving,
            positives: total.positives - own.positives,
            negatives: total.negatives - own.negatives,
            ..Wins::default()
        };
        let remaining = own.iter().zip(&involving).map(without);
        remaining.map(|wins| wins.auc()).collect()
    }

    /// Twice the wins among the cases of each cluster.
    fn wins_within(&self, n_clusters: usize) -> Vec<Wins> {
        let mut own = vec![Wins::default(); n_clusters];
        for run in self.runs() {
            for case in run {
                own[case.cluster as usize].add(case.positive, 1);
            }
            for case in run {
                own[case.cluster as usize].end_run();
            }
        }
        own
    }

    /// Twice all wins, and for each cluster twice the wins that one of its cases has part in; a
    /// pair inside the cluster counts two times.
    fn wins_involving(&self, n_clusters: usize) -> (Wins, Vec<u64>) {
        let mut total = Wins::default();
        let n_positive = self.cases.iter().filter(|case| case.positive).count() as u64;
        let mut involving = vec![0; n_clusters];
        for run in self.runs() {
            let before = total;
            for case in run {
                total.add(case.positive, 1);
            }
            total.end_run();
            let positive = before.negatives + total.negatives;
            let negative = 2 * n_positive - before.positives - total.positives;
            for case in run {
                involving[case.cluster as usize] += if case.positive { positive } else { negative };
            }
        }
        (total, involving)
    }

    fn runs(&self) -> impl Iterator<Item = &[SortedCase]> {
        self.cases.split_inclusive(|case| case.ends_run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::{BootstrapInterval, bootstrap};
    use crate::roc::Roc;

    const SCORES: [f64; 12] = [0.1, 0.5, 0.3, 0.3, 0.9, 0.5, 0.2, 0.8, 0.4, 0.5, 0.7, 0.6];
    const PATIENTS: [u8; 12] = [1, 1, 2, 2, 2, 3, 4, 5, 5, 6, 7, 8];

    fn truth() -> Vec<bool> {
        [0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1]
            .map(|t| t == 1)
            .to_vec()
    }

    fn auc_of(cases: &[usize]) -> Option<f64> {
        let truth = truth();
        let scores: Vec<f64> = cases.iter().map(|&case| SCORES[case]).collect();
        let truth: Vec<bool> = cases.iter().map(|&case| truth[case]).collect();
        Roc::new(&scores, &truth).ok().map(|roc| roc.auc())
    }

    #[test]
    fn the_fast_area_is_the_general_one_bit_for_bit() {
        let clusters = Clusters::from_labels(&PATIENTS).unwrap();
        for interval in [BootstrapInterval::Percentile, BootstrapInterval::Bca] {
            let config = BootstrapConfig {
                n_replicates: 400,
                interval,
                ..BootstrapConfig::with_seed(3)
            };
            let fast = bootstrap_auc(&SCORES, &truth(), &clusters, &config).unwrap();
            let general = bootstrap(&clusters, &config, auc_of).unwrap();
            assert_eq!(fast, general);
        }
    }

    #[test]
    fn areas_without_a_cluster_are_areas_of_the_rest() {
        let clusters = Clusters::from_labels(&PATIENTS).unwrap();
        let sorted = SortedCases::new(&SCORES, &truth(), &clusters).unwrap();
        let got = sorted.without_each_cluster(&clusters);
        for (cluster, area) in clusters.members().zip(got) {
            let rest: Vec<usize> = (0..12).filter(|case| !cluster.contains(case)).collect();
            assert_eq!(area, auc_of(&rest));
        }
    }
}
