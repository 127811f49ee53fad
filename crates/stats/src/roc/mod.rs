//! The empirical ROC curve: area, variance, curve, thresholds, comparisons.
//!
//! Owns: [`Roc`], sorted once when made, and the tests of two areas ([`compare_paired`],
//! [`compare_paired_by_cluster`], [`compare_unpaired`]), partial areas ([`RateRange`]),
//! [`LikelihoodRatios`] and the search for a threshold: at a sensitivity ([`Roc::at_sensitivity`])
//! or specificity, at a reader's own ([`Roc::at_reader_sensitivity`]), at a share of cases flagged
//! ([`Roc::at_flagged_rate`]), at a predictive value ([`Roc::at_negative_predictive_value`]). Does
//! not own: the 2 × 2 table ([`crate::operating`]), resampled areas ([`crate::bootstrap`]).
//!
//! ```
//! use lobule_stats::roc::Roc;
//! let roc = Roc::new(&[1.0, 2.0, 3.0, 4.0], &[false, true, false, true])?;
//! assert_eq!(roc.auc(), 0.75);
//! assert_eq!(roc.at_specificity(1.0)?.threshold, 4.0);
//! # Ok::<(), lobule_stats::Error>(())
//! ```

mod clustered;
mod compare;
mod curve;
mod likelihood;
mod partial;
mod targets;
mod wins;

pub use clustered::compare_paired_by_cluster;
pub use compare::{AucComparison, compare_paired, compare_unpaired};
pub use curve::RocPoint;
pub use likelihood::LikelihoodRatios;
pub use partial::RateRange;
pub(crate) use wins::WinCounts;

use crate::cases::check_cases;
use crate::{Confidence, Error, ErrorKind, Interval};

/// The empirical ROC curve of one score on independent cases.
///
/// ```
/// use lobule_stats::roc::Roc;
/// let roc = Roc::new(&[0.2, 0.7, 0.7], &[false, false, true])?;
/// assert_eq!((roc.n_positive(), roc.n_negative()), (1, 2));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Roc {
    truth: Vec<bool>,
    placements: Vec<f64>,
    /// Distinct scores, highest first.
    steps: Vec<Step>,
    n_positive: usize,
    n_negative: usize,
    auc: f64,
}

/// The cases that share one score.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    score: f64,
    positives: usize,
    negatives: usize,
}

/// The scale on which an interval for the area is symmetric.
///
/// ```
/// use lobule_stats::{Confidence, roc::{AucScale, Roc}};
/// let roc = Roc::new(&[0.1, 0.3, 0.2, 0.4, 0.5], &[false, false, true, true, true])?;
/// let upper = |scale| Ok(roc.auc_interval(Confidence::NINETY_FIVE, scale)?.upper);
/// assert!(upper(AucScale::Logit)? < upper(AucScale::Plain)?);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AucScale {
    /// `A ± z s`, cut at 0 and 1.
    Plain,
    /// `logit A ± z s / (A (1 − A))`, taken back: inside (0, 1), and nearer its level when the
    /// area is high. Qin & Hotilovac 2008, doi:10.1177/0962280207087173.
    Logit,
}

impl Roc {
    /// Sorts the cases and counts, for each, the cases of the other class that it beats (ties ½).
    /// Cost n log n. Sun & Xu 2014, doi:10.1109/LSP.2014.2337313, in one pass over the runs of
    /// equal score.
    ///
    /// ```
    /// use lobule_stats::roc::Roc;
    /// assert!(Roc::new(&[0.2, 0.4], &[true, true]).is_err());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`] or
    /// [`ErrorKind::SingleClass`].
    pub fn new(scores: &[f64], truth: &[bool]) -> Result<Roc, Error> {
        let counts = check_cases(scores, truth)?;
        let wins = WinCounts::count(scores, truth);
        let others = [counts.positives, counts.negatives].map(|count| 2.0 * count as f64);
        Ok(Roc {
            truth: truth.to_vec(),
            placements: wins.values(truth, |won, class| won / others[class]),
            steps: steps(scores, &wins),
            n_positive: counts.positives,
            n_negative: counts.negatives,
            auc: wins.auc(counts.positives, counts.negatives),
        })
    }

    /// Diseased cases, m.
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// assert_eq!(Roc::new(&[1.0, 2.0, 3.0], &[true, false, false])?.n_positive(), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_positive(&self) -> usize {
        self.n_positive
    }

    /// Healthy cases, n.
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// assert_eq!(Roc::new(&[1.0, 2.0, 3.0], &[true, false, false])?.n_negative(), 2);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_negative(&self) -> usize {
        self.n_negative
    }

    /// The empirical area under the curve: the chance that a diseased case scores above a healthy
    /// one, ties counting half.
    ///
    /// Formula: `A = Σᵢ Σⱼ ψ(xᵢ, yⱼ) / (m n)`, `ψ = 1, ½, 0` for `xᵢ >, =, < yⱼ`.
    /// Symbols: x the m diseased scores, y the n healthy scores. Range: 0..=1, ½ for a constant
    /// score; counted in integers, so exact but for one division.
    /// Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747.
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// assert_eq!(Roc::new(&[1.0, 1.0, 2.0], &[false, true, true])?.auc(), 0.75);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn auc(&self) -> f64 {
        self.auc
    }

    /// For each case in the order given, the share of the other class that it is on the right
    /// side of (ties ½): DeLong's structural components V₁₀ of diseased and V₀₁ of healthy cases.
    /// In 0..=1; their mean over either class is the area.
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// let roc = Roc::new(&[1.0, 2.0, 3.0], &[false, true, false])?;
    /// assert_eq!(roc.placements(), [1.0, 0.5, 0.0]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn placements(&self) -> &[f64] {
        &self.placements
    }

    /// DeLong's variance of the area.
    ///
    /// Formula: `Var A = S₁₀ / m + S₀₁ / n`. Symbols: S₁₀, S₀₁ the sample variances (divisors
    /// m − 1 and n − 1) of the [`Roc::placements`] of diseased and healthy cases.
    /// Range: 0 or more; 0 when the classes do not overlap or all scores are equal.
    /// DeLong, DeLong, Clarke-Pearson 1988, doi:10.2307/2531595.
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// let roc = Roc::new(&[1.0, 2.0, 3.0, 4.0], &[false, true, false, true])?;
    /// assert_eq!(roc.auc_variance()?, 0.125);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::TooFew`] with fewer than two cases of a class.
    pub fn auc_variance(&self) -> Result<f64, Error> {
        self.auc_covariance(self)
    }

    /// DeLong's covariance of the areas of two scores on the same cases; symbols and source as in
    /// [`Roc::auc_variance`], with sample covariances in place of variances.
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// let truth = [false, true, false, true];
    /// let a = Roc::new(&[1.0, 2.0, 3.0, 4.0], &truth)?;
    /// let reversed = Roc::new(&[4.0, 3.0, 2.0, 1.0], &truth)?;
    /// assert_eq!(a.auc_covariance(&reversed)?, -0.125);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] when the truths differ, [`ErrorKind::TooFew`] with fewer than two
    /// cases of a class.
    pub fn auc_covariance(&self, other: &Roc) -> Result<f64, Error> {
        self.check_same_cases(other)?;
        let products = self.placements.iter().zip(&other.placements);
        self.class_sum(products.map(|(a, b)| (a - self.auc) * (b - other.auc)))
    }

    /// DeLong's confidence interval for the area.
    ///
    /// Formula: see [`AucScale`]; s² is [`Roc::auc_variance`], z the normal quantile of 1 − α/2.
    /// Range: inside 0..=1. Cases must be independent; for several cases of a patient see
    /// [`Roc::auc_interval_by_cluster`] and [`crate::bootstrap::bootstrap_auc`].
    /// Too narrow where few cases overlap: with 20 diseased and 180 healthy cases at an area of 0.97
    /// a 95 % interval held the truth in 90 % (logit) and 82 % (plain) of 2,000 simulated samples, at
    /// 0.70 in 95 % and 93 %.
    ///
    /// ```
    /// use lobule_stats::{Confidence, roc::{AucScale, Roc}};
    /// let roc = Roc::new(&[0.1, 0.3, 0.2, 0.4], &[false, false, true, true])?;
    /// let interval = roc.auc_interval(Confidence::NINETY_FIVE, AucScale::Plain)?;
    /// assert!(interval.lower < 0.75 && interval.upper == 1.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::TooFew`], and [`ErrorKind::ZeroVariance`] when the classes do not overlap or
    /// the score is constant: an interval of width zero would claim a certainty that is not there.
    pub fn auc_interval(&self, confidence: Confidence, scale: AucScale) -> Result<Interval, Error> {
        interval_of(self.auc, self.auc_variance()?, confidence, scale)
    }

    fn check_same_cases(&self, other: &Roc) -> Result<(), Error> {
        if self.truth == other.truth {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Mismatch,
            format!(
                "expected two scores on the same cases, got {} and {} cases with different truth",
                self.truth.len(),
                other.truth.len()
            ),
        ))
    }

    /// `Σ over diseased / (m (m − 1)) + Σ over healthy / (n (n − 1))` of one term per case.
    fn class_sum(&self, terms: impl Iterator<Item = f64>) -> Result<f64, Error> {
        let (m, n) = (self.n_positive, self.n_negative);
        need_two_of_each(m, n)?;
        let mut sums = [0.0, 0.0];
        for (term, &present) in terms.zip(&self.truth) {
            sums[usize::from(present)] += term;
        }
        let scale = |count: usize| count as f64 * (count - 1) as f64;
        Ok(sums[1] / scale(m) + sums[0] / scale(n))
    }
}

/// A variance needs as many.
pub(crate) fn need_two_of_each(positives: usize, negatives: usize) -> Result<(), Error> {
    if positives >= 2 && negatives >= 2 {
        return Ok(());
    }
    let text = format!(
        "expected at least 2 cases of each class, got {positives} positive, {negatives} negative"
    );
    Err(Error::new(ErrorKind::TooFew, text))
}

/// Highest score first.
fn steps(scores: &[f64], wins: &WinCounts) -> Vec<Step> {
    let steps = wins.counts.iter().map(|&[negatives, positives]| Step {
        score: 0.0,
        positives,
        negatives,
    });
    let mut steps: Vec<Step> = steps.collect();
    for (level, &score) in wins.levels().of_case().zip(scores) {
        steps[level].score = score;
    }
    steps.reverse();
    steps
}

fn interval_of(
    auc: f64,
    variance: f64,
    confidence: Confidence,
    scale: AucScale,
) -> Result<Interval, Error> {
    if variance <= 0.0 {
        return Err(Error::new(
            ErrorKind::ZeroVariance,
            format!("expected an area with variance, got {auc} without"),
        ));
    }
    let half_width = confidence.z() * variance.sqrt();
    Ok(match scale {
        AucScale::Plain => Interval::around(auc, half_width).clamp(0.0, 1.0),
        AucScale::Logit => logit_interval(auc, half_width),
    })
}

fn logit_interval(auc: f64, half_width: f64) -> Interval {
    let logit = (auc / (1.0 - auc)).ln();
    let limits = Interval::around(logit, half_width / (auc * (1.0 - auc)));
    let back = |v: f64| 1.0 / (1.0 + (-v).exp());
    Interval {
        lower: back(limits.lower),
        upper: back(limits.upper),
    }
}
