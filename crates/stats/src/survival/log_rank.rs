//! The log-rank test and its weighted family.

use super::chi_square::{ChiSquareTest, too_few_groups};
use super::follow_up::{FollowUp, Labels};
use crate::multiplicity::holm;
use crate::{Error, ErrorKind};

/// How groups are compared.
///
/// ```
/// use lobule_stats::survival::LogRankConfig;
/// let peto = LogRankConfig { rho: 1.0, ..LogRankConfig::default() };
/// assert!(peto.strata.is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LogRankConfig<'a> {
    /// One label per subject: groups are compared within strata only, and the differences summed.
    pub strata: Option<&'a [usize]>,
    /// The power ρ of the weight `S(t−)^ρ`: 0 for the log-rank test, 1 for Peto and Peto's
    /// modification of Wilcoxon's test, which looks more at early events.
    pub rho: f64,
}

/// The comparison of groups.
///
/// ```
/// use lobule_stats::survival::{FollowUp, LogRankConfig, log_rank};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
/// let comparison = log_rank(&follow_up, &[0, 0, 1, 1], &LogRankConfig::default())?;
/// assert_eq!(comparison.groups[0].observed, 2.0);
/// assert!((comparison.groups[0].expected - 5.0 / 6.0).abs() < 1e-15);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LogRank {
    /// Groups by rising label.
    pub groups: Vec<LogRankGroup>,
    /// All groups against the hypothesis of one common hazard.
    pub test: ChiSquareTest,
}

/// Observed and expected events of a group.
///
/// ```
/// use lobule_stats::survival::{FollowUp, LogRankConfig, log_rank};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0], &[true; 3])?;
/// let comparison = log_rank(&follow_up, &[4, 4, 9], &LogRankConfig::default())?;
/// assert_eq!((comparison.groups[1].label, comparison.groups[1].n_subjects), (9, 1));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogRankGroup {
    /// The group's label.
    pub label: usize,
    /// Its subjects.
    pub n_subjects: usize,
    /// O: its events, weighted by S(t−)^ρ.
    pub observed: f64,
    /// E: the events it would have if the hazard were that of its stratum, weighted alike.
    pub expected: f64,
}

/// Two groups of several.
///
/// ```
/// use lobule_stats::survival::{FollowUp, LogRankConfig, pairwise_log_rank};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[true; 6])?;
/// let pairs = pairwise_log_rank(&follow_up, &[0, 0, 1, 1, 2, 2], &LogRankConfig::default())?;
/// assert_eq!((pairs[1].first, pairs[1].second), (0, 2));
/// assert!(pairs.iter().all(|pair| pair.holm_p_value >= pair.test.p_value));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairwiseLogRank {
    /// The lower label.
    pub first: usize,
    /// The higher label.
    pub second: usize,
    /// The test on the subjects of the two groups alone.
    pub test: ChiSquareTest,
    /// Its p-value among those of all pairs, by [`holm`].
    pub holm_p_value: f64,
}

/// The log-rank test of k groups, stratified or weighted where asked.
///
/// Formula: `X² = uᵀ V⁻¹ u` over all groups but one, with `uᵢ = Oᵢ − Eᵢ = Σ w (dᵢ − d nᵢ / n)` and
/// `Vᵢⱼ = Σ w² d (n − d) / (n − 1) · nᵢ / n · (1{i=j} − nⱼ / n)`, sums over the event times of each
/// stratum. Symbols: d and n events and subjects at risk in the stratum, dᵢ and nᵢ those of group i,
/// w = S(t−)^ρ with S the stratum's Kaplan–Meier curve. Degrees of freedom: groups with an
/// expectation, less one. Degenerate: groups that are never at risk at an event take no part.
/// Mantel 1966 (PubMed 5910392); Harrington & Fleming 1982, doi:10.1093/biomet/69.3.553.
///
/// ```
/// use lobule_stats::survival::{FollowUp, LogRankConfig, log_rank};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true, true, false, true])?;
/// let comparison = log_rank(&follow_up, &[0, 1, 0, 1], &LogRankConfig::default())?;
/// assert_eq!(comparison.test.degrees_of_freedom, 1);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Mismatch`]; [`ErrorKind::OutOfRange`] for a ρ that is negative or not finite;
/// [`ErrorKind::TooFew`] with fewer than two groups at risk at an event;
/// [`ErrorKind::ZeroVariance`] when no event time leaves a choice between groups.
pub fn log_rank(
    follow_up: &FollowUp,
    groups: &[usize],
    config: &LogRankConfig<'_>,
) -> Result<LogRank, Error> {
    check_rho(config.rho)?;
    let n_subjects = follow_up.n_subjects();
    let labels = Labels::new("groups", groups, n_subjects)?;
    let strata = Labels::optional("strata", config.strata, n_subjects)?;
    let mut sums = Sums::new(labels.names.len());
    for members in strata.members() {
        let ranks: Vec<usize> = members.iter().map(|&i| labels.ranks[i]).collect();
        sums.add_stratum(&follow_up.subset(&members), &ranks, config.rho);
    }
    let test = sums.test()?;
    let group = |(rank, members): (usize, Vec<usize>)| LogRankGroup {
        label: labels.names[rank],
        n_subjects: members.len(),
        observed: sums.observed[rank],
        expected: sums.expected[rank],
    };
    let groups = labels
        .members()
        .into_iter()
        .enumerate()
        .map(group)
        .collect();
    Ok(LogRank { groups, test })
}

/// The log-rank test of every pair of groups, each on its own subjects, with Holm's correction over
/// the pairs. Formula: [`log_rank`] and [`holm`]. Holm 1979 (JSTOR 4615733).
///
/// ```
/// use lobule_stats::survival::{FollowUp, LogRankConfig, pairwise_log_rank};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
/// let pairs = pairwise_log_rank(&follow_up, &[0, 1, 0, 1], &LogRankConfig::default())?;
/// assert_eq!(pairs[0].holm_p_value, pairs[0].test.p_value);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// As [`log_rank`], for the first pair that has no test.
pub fn pairwise_log_rank(
    follow_up: &FollowUp,
    groups: &[usize],
    config: &LogRankConfig<'_>,
) -> Result<Vec<PairwiseLogRank>, Error> {
    let labels = Labels::new("groups", groups, follow_up.n_subjects())?;
    Labels::optional("strata", config.strata, follow_up.n_subjects())?;
    let names = &labels.names;
    let mut pairs = Vec::new();
    for (rank, &first) in names.iter().enumerate() {
        for &second in &names[rank + 1..] {
            let test = pair_test(follow_up, groups, config, [first, second])?;
            pairs.push(PairwiseLogRank {
                first,
                second,
                test,
                holm_p_value: 1.0,
            });
        }
    }
    correct(&mut pairs)?;
    Ok(pairs)
}

fn correct(pairs: &mut [PairwiseLogRank]) -> Result<(), Error> {
    if pairs.is_empty() {
        return Err(too_few_groups(1));
    }
    let p_values: Vec<f64> = pairs.iter().map(|pair| pair.test.p_value).collect();
    for (pair, p_value) in pairs.iter_mut().zip(holm(&p_values)?) {
        pair.holm_p_value = p_value;
    }
    Ok(())
}

fn pair_test(
    follow_up: &FollowUp,
    groups: &[usize],
    config: &LogRankConfig<'_>,
    pair: [usize; 2],
) -> Result<ChiSquareTest, Error> {
    let in_pair = |&i: &usize| pair.contains(&groups[i]);
    let members: Vec<usize> = (0..groups.len()).filter(in_pair).collect();
    let of_members =
        |labels: &[usize]| -> Vec<usize> { members.iter().map(|&i| labels[i]).collect() };
    let strata = config.strata.map(of_members);
    let config = LogRankConfig {
        strata: strata.as_deref(),
        rho: config.rho,
    };
    let pair = log_rank(&follow_up.subset(&members), &of_members(groups), &config)?;
    Ok(pair.test)
}

pub(super) fn check_rho(rho: f64) -> Result<(), Error> {
    if rho.is_finite() && rho >= 0.0 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::OutOfRange,
        format!("expected a power at or above 0, got {rho}"),
    ))
}

/// Observed and expected events and the covariance of their differences.
struct Sums {
    n_groups: usize,
    observed: Vec<f64>,
    expected: Vec<f64>,
    covariance: Vec<f64>,
}

impl Sums {
    fn new(n_groups: usize) -> Sums {
        Sums {
            n_groups,
            observed: vec![0.0; n_groups],
            expected: vec![0.0; n_groups],
            covariance: vec![0.0; n_groups * n_groups],
        }
    }

    fn add_stratum(&mut self, follow_up: &FollowUp, ranks: &[usize], rho: f64) {
        let mut at_risk = vec![0.0; self.n_groups];
        for &rank in ranks {
            at_risk[rank] += 1.0;
        }
        let mut survival = 1.0_f64;
        for run in follow_up.ranking().runs() {
            let weight = survival.powf(rho);
            let total: f64 = at_risk.iter().sum();
            let mut events = 0.0;
            for &i in run.iter().filter(|&&i| follow_up.events()[i]) {
                events += 1.0;
                self.observed[ranks[i]] += weight;
            }
            if events > 0.0 {
                self.add_time(&at_risk, total, events, weight);
            }
            survival *= (total - events) / total;
            for &i in run {
                at_risk[ranks[i]] -= 1.0;
            }
        }
    }

    fn add_time(&mut self, at_risk: &[f64], total: f64, events: f64, weight: f64) {
        let spread = if total > 1.0 {
            weight * weight * events * (total - events) / (total - 1.0)
        } else {
            0.0
        };
        for i in 0..self.n_groups {
            let share = at_risk[i] / total;
            self.expected[i] += weight * events * share;
            for (j, other) in at_risk.iter().enumerate() {
                let same = if i == j { 1.0 } else { 0.0 };
                self.covariance[i * self.n_groups + j] += spread * share * (same - other / total);
            }
        }
    }

    fn test(&self) -> Result<ChiSquareTest, Error> {
        let observed = self.observed.iter().copied();
        let both: Vec<(f64, f64)> = observed.zip(self.expected.iter().copied()).collect();
        ChiSquareTest::of_groups(&both, &self.covariance)
    }
}
