//! Concordance of a risk score with the order of events: Harrell's and Uno's C.

use super::censoring::CensoringCurve;
use super::follow_up::{FollowUp, Labels};
use crate::cases::{check_finite, check_lengths};
use crate::{Confidence, Error, ErrorKind, Interval};

/// How concordance is counted.
///
/// ```
/// use lobule_stats::survival::ConcordanceConfig;
/// assert!(ConcordanceConfig::default().strata.is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConcordanceConfig<'a> {
    /// One label per subject: pairs are formed within strata only.
    pub strata: Option<&'a [usize]>,
    /// One label per subject: the standard error allows for dependence within clusters.
    pub clusters: Option<&'a [usize]>,
}

/// A concordance and the pairs it rests on (weighted pairs for [`uno_concordance`]).
///
/// ```
/// use lobule_stats::survival::{ConcordanceConfig, FollowUp, concordance};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0], &[true, true, false])?;
/// let c = concordance(&follow_up, &[0.9, 0.4, 0.4], &ConcordanceConfig::default())?;
/// assert_eq!((c.concordant, c.tied_risk, c.estimate), (2.0, 1.0, 2.5 / 3.0));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Concordance {
    /// C: the chance that of two subjects the one with the earlier event has the higher risk.
    pub estimate: f64,
    /// By the infinitesimal jackknife.
    pub standard_error: f64,
    /// Pairs whose earlier event has the higher risk.
    pub concordant: f64,
    /// Pairs whose earlier event has the lower risk.
    pub discordant: f64,
    /// Pairs of one risk whose order of times is known.
    pub tied_risk: f64,
    /// Pairs of two events of one time, with different risks. They do not enter C.
    pub tied_time: f64,
    /// Pairs of two events of one time and one risk. They do not enter C.
    pub tied_both: f64,
}

impl Concordance {
    /// `C ± z s`, cut at 0 and 1.
    ///
    /// ```
    /// # use lobule_stats::{Confidence, survival::{ConcordanceConfig, FollowUp, concordance}};
    /// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0], &[true, true, false])?;
    /// let c = concordance(&follow_up, &[0.9, 0.4, 0.4], &ConcordanceConfig::default())?;
    /// assert!(c.interval(Confidence::NINETY_FIVE).contains(c.estimate));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn interval(&self, confidence: Confidence) -> Interval {
        let half_width = confidence.z() * self.standard_error;
        Interval::around(self.estimate, half_width).clamp(0.0, 1.0)
    }
}

/// Harrell's C.
///
/// A pair is comparable when one subject has the event at a time that the other is known to have
/// passed: a later time, or a censoring at that time. Formula: `C = (P + ½ T) / (P + Q + T)`;
/// `s² = Σ over clusters of (Σ over their subjects of (pᵢ + ½ tᵢ − C nᵢ) / (P + Q + T))²`. Symbols: P,
/// Q, T concordant, discordant and risk-tied comparable pairs; pᵢ, tᵢ, nᵢ the concordant, the tied and
/// all comparable pairs of subject i. Degenerate: no comparable pair is an error; equal risks give ½
/// with standard error 0. Cost n log n by a binary indexed tree over the ranks of the risks.
/// Harrell et al. 1982, doi:10.1001/jama.1982.03320430047030; Therneau & Watson 2015, Mayo Clinic
/// technical report 85 (no DOI).
///
/// ```
/// use lobule_stats::survival::{ConcordanceConfig, FollowUp, concordance};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true, false, true, false])?;
/// let c = concordance(&follow_up, &[4.0, 3.0, 1.0, 2.0], &ConcordanceConfig::default())?;
/// assert_eq!((c.estimate, c.discordant), (0.75, 1.0));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`]; [`ErrorKind::Undefined`] without a comparable
/// pair.
pub fn concordance(
    follow_up: &FollowUp,
    risks: &[f64],
    config: &ConcordanceConfig<'_>,
) -> Result<Concordance, Error> {
    let weights = vec![1.0; follow_up.n_subjects()];
    weighted(follow_up, risks, &weights, config)
}

/// Uno's C up to a time τ: Harrell's with each pair weighted by the inverse squared chance of not
/// being censored before its event, so that it does not depend on the censoring.
///
/// Formula: as [`concordance`], each pair with event at Tᵢ < τ counting `Ĝ(Tᵢ−)⁻²`, other pairs
/// nothing. Symbols: Ĝ the Kaplan–Meier curve of the censoring times, with events before
/// censorings of the same time. The standard error takes Ĝ as known. Degenerate: as
/// [`concordance`]; τ should lie where Ĝ is not yet small. Uno et al. 2011, doi:10.1002/sim.4154.
///
/// ```
/// use lobule_stats::survival::{ConcordanceConfig, FollowUp, uno_concordance};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true, false, true, true])?;
/// let c = uno_concordance(&follow_up, &[3.0, 2.0, 1.0, 4.0], 3.5, &ConcordanceConfig::default())?;
/// // Three pairs of weight 1 with the first event, one of (3/2)² with the second.
/// assert!((c.estimate - 2.0 / 5.25).abs() < 1e-12);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// As [`concordance`]; [`ErrorKind::OutOfRange`] when τ is not above 0 (it may be infinite).
pub fn uno_concordance(
    follow_up: &FollowUp,
    risks: &[f64],
    horizon: f64,
    config: &ConcordanceConfig<'_>,
) -> Result<Concordance, Error> {
    if horizon.is_nan() || horizon <= 0.0 {
        return Err(Error::new(
            ErrorKind::OutOfRange,
            format!("expected a horizon above 0, got {horizon}"),
        ));
    }
    let censoring = CensoringCurve::new(follow_up);
    let weight = |&time: &f64| {
        if time < horizon {
            censoring.before(time).powi(-2)
        } else {
            0.0
        }
    };
    let weights: Vec<f64> = follow_up.times().iter().map(weight).collect();
    weighted(follow_up, risks, &weights, config)
}

/// Concordance in which the pairs of an event count as much as its subject's weight.
fn weighted(
    follow_up: &FollowUp,
    risks: &[f64],
    weights: &[f64],
    config: &ConcordanceConfig<'_>,
) -> Result<Concordance, Error> {
    let n_subjects = follow_up.n_subjects();
    check_lengths("risks", risks.len(), "subjects", n_subjects)?;
    check_finite(risks)?;
    let strata = Labels::optional("strata", config.strata, n_subjects)?;
    let clusters = config.clusters;
    let clusters = clusters.map(|labels| Labels::new("clusters", labels, n_subjects));
    let clusters = clusters.transpose()?;
    let mut counts = Counts::new(n_subjects);
    for members in strata.members() {
        let weight = |&i: &usize| {
            if follow_up.events()[i] {
                weights[i]
            } else {
                0.0
            }
        };
        let stratum = Stratum {
            follow_up: follow_up.subset(&members),
            ranks: ranks(&members.iter().map(|&i| risks[i]).collect::<Vec<f64>>()),
            weights: members.iter().map(weight).collect(),
            members,
        };
        counts.add(&stratum);
    }
    counts.concordance(clusters.as_ref())
}

struct Stratum {
    members: Vec<usize>,
    follow_up: FollowUp,
    /// Of the risks, from 0; equal risks share a rank.
    ranks: Vec<usize>,
    /// 0 for the censored.
    weights: Vec<f64>,
}

/// Ranks 0, 1, … of the distinct values.
pub(super) fn ranks(values: &[f64]) -> Vec<usize> {
    let mut ranks = vec![0; values.len()];
    for (rank, run) in crate::cases::Ranking::ascending(values).runs().enumerate() {
        for &i in run {
            ranks[i] = rank;
        }
    }
    ranks
}

/// Comparable pairs, in all and of each subject.
struct Counts {
    concordant: f64,
    discordant: f64,
    tied_risk: f64,
    tied_time: f64,
    tied_both: f64,
    /// `pᵢ + ½ tᵢ` and `nᵢ`.
    of_subject: Vec<[f64; 2]>,
}

impl Counts {
    fn new(n_subjects: usize) -> Counts {
        Counts {
            concordant: 0.0,
            discordant: 0.0,
            tied_risk: 0.0,
            tied_time: 0.0,
            tied_both: 0.0,
            of_subject: vec![[0.0; 2]; n_subjects],
        }
    }

    fn add(&mut self, stratum: &Stratum) {
        let ranking = stratum.follow_up.ranking();
        let runs: Vec<&[usize]> = ranking.runs().collect();
        let size = stratum.ranks.iter().max().map_or(0, |most| most + 1);
        let mut later = Tree::new(size);
        for run in runs.iter().rev() {
            self.add_events(stratum, run, &mut later);
        }
        let mut earlier = Tree::new(size);
        for run in runs {
            self.add_survivors(stratum, run, &mut earlier);
        }
    }

    /// Falling times: each event against those known to have outlived it.
    fn add_events(&mut self, stratum: &Stratum, run: &[usize], later: &mut Tree) {
        let events = stratum.follow_up.events();
        let (died, censored): (Vec<usize>, Vec<usize>) = run.iter().partition(|&&i| events[i]);
        for i in censored {
            later.add(stratum.ranks[i], 1.0);
        }
        for &i in &died {
            let (below, equal) = later.below_and_at(stratum.ranks[i]);
            let above = (later.total - below - equal).max(0.0);
            let weight = stratum.weights[i];
            self.concordant += weight * below;
            self.discordant += weight * above;
            self.tied_risk += weight * equal;
            self.credit(
                stratum,
                i,
                weight * (below + equal / 2.0),
                weight * later.total,
            );
        }
        self.add_tied_events(stratum, &died);
        for i in died {
            later.add(stratum.ranks[i], 1.0);
        }
    }

    fn add_tied_events(&mut self, stratum: &Stratum, died: &[usize]) {
        let Some(&first) = died.first() else { return };
        let weight = stratum.weights[first];
        let mut ranks: Vec<usize> = died.iter().map(|&i| stratum.ranks[i]).collect();
        ranks.sort_unstable();
        let pairs = |n: usize| (n * (n - 1) / 2) as f64;
        let both: f64 = ranks.chunk_by(|a, b| a == b).map(|c| pairs(c.len())).sum();
        self.tied_both += weight * both;
        self.tied_time += weight * (pairs(died.len()) - both);
    }

    /// Rising times: each subject against the events it is known to have outlived.
    fn add_survivors(&mut self, stratum: &Stratum, run: &[usize], earlier: &mut Tree) {
        let events = stratum.follow_up.events();
        let (died, censored): (Vec<usize>, Vec<usize>) = run.iter().partition(|&&i| events[i]);
        for &i in &died {
            self.credit_survivor(stratum, i, earlier);
        }
        for i in died {
            earlier.add(stratum.ranks[i], stratum.weights[i]);
        }
        for i in censored {
            self.credit_survivor(stratum, i, earlier);
        }
    }

    fn credit_survivor(&mut self, stratum: &Stratum, i: usize, earlier: &Tree) {
        let (below, equal) = earlier.below_and_at(stratum.ranks[i]);
        let above = earlier.total - below - equal;
        self.credit(stratum, i, above + equal / 2.0, earlier.total);
    }

    fn credit(&mut self, stratum: &Stratum, i: usize, won: f64, pairs: f64) {
        let own = &mut self.of_subject[stratum.members[i]];
        own[0] += won;
        own[1] += pairs;
    }

    fn concordance(&self, clusters: Option<&Labels>) -> Result<Concordance, Error> {
        let pairs = self.concordant + self.discordant + self.tied_risk;
        if pairs <= 0.0 {
            return Err(Error::new(
                ErrorKind::Undefined,
                "expected a pair of subjects whose order of events is known, got none",
            ));
        }
        let estimate = (self.concordant + self.tied_risk / 2.0) / pairs;
        let influence = self
            .of_subject
            .iter()
            .map(|[won, n]| (won - estimate * n) / pairs);
        let variance: f64 = match clusters {
            None => influence.map(|v| v * v).sum(),
            Some(clusters) => {
                let mut sums = vec![0.0; clusters.names.len()];
                for (value, &cluster) in influence.zip(&clusters.ranks) {
                    sums[cluster] += value;
                }
                sums.iter().map(|v| v * v).sum()
            }
        };
        Ok(Concordance {
            estimate,
            standard_error: variance.sqrt(),
            concordant: self.concordant,
            discordant: self.discordant,
            tied_risk: self.tied_risk,
            tied_time: self.tied_time,
            tied_both: self.tied_both,
        })
    }
}

/// Sums of weights by rank, each prefix in log n. Fenwick 1994, doi:10.1002/spe.4380240306.
struct Tree {
    /// Node k (from 1) sums the `k & −k` ranks that end with k.
    nodes: Vec<f64>,
    at: Vec<f64>,
    total: f64,
}

impl Tree {
    fn new(size: usize) -> Tree {
        Tree {
            nodes: vec![0.0; size + 1],
            at: vec![0.0; size],
            total: 0.0,
        }
    }

    fn add(&mut self, rank: usize, weight: f64) {
        self.total += weight;
        self.at[rank] += weight;
        let mut node = rank + 1;
        while node < self.nodes.len() {
            self.nodes[node] += weight;
            node += node & node.wrapping_neg();
        }
    }

    /// The weight of lower ranks, and of this rank.
    fn below_and_at(&self, rank: usize) -> (f64, f64) {
        let (mut sum, mut node) = (0.0, rank);
        while node > 0 {
            sum += self.nodes[node];
            node &= node - 1;
        }
        (sum, self.at[rank])
    }
}
