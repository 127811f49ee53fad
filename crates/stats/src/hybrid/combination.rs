//! The formulas that make one score of two.

use super::logistic::LogisticCombination;
use crate::cases::{check_cases, check_finite, check_lengths};
use crate::roc::Roc;
use crate::{Error, ErrorKind};

/// How a reader's score and an algorithm's become one.
///
/// All but the logistic one first bring each score onto 0..=1 by its own smallest and largest value
/// among the cases, so that neither unit counts; a constant score becomes 0.
///
/// ```
/// use lobule_stats::hybrid::Combination;
/// let (reader, ai) = ([1.0, 3.0, 5.0], [0.0, 0.8, 1.0]);
/// let weighted = Combination::Weighted { ai_weight: 0.25 };
/// assert_eq!(weighted.scores(&reader, &ai)?, [0.0, 0.575, 1.0]);
/// assert_eq!(Combination::Maximum.scores(&reader, &ai)?, [0.0, 0.8, 1.0]);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Combination {
    /// `½ r + ½ a`, [`mean_of_rescaled`]. Shen et al. 2021, doi:10.1038/s41467-021-26023-2.
    Mean,
    /// `(1 − w) r + w a`.
    Weighted {
        /// w, the share of the algorithm, 0..=1: 0 is the reader alone, 1 the algorithm alone.
        ai_weight: f64,
    },
    /// `max(r, a)`: suspicious when either is.
    Maximum,
    /// A probability from coefficients found elsewhere. Where they were fitted on these very
    /// cases, [`super::cross_fitted_logistic`] is the honest score.
    Logistic(LogisticCombination),
}

impl Combination {
    /// The combined score of every case; only its order means anything, except for
    /// [`Combination::Logistic`]. Range: 0..=1.
    ///
    /// ```
    /// use lobule_stats::hybrid::Combination;
    /// assert_eq!(Combination::Mean.scores(&[2.0, 4.0], &[0.0, 0.3])?, [0.0, 1.0]);
    /// assert!(Combination::Weighted { ai_weight: 1.5 }.scores(&[2.0], &[0.0]).is_err());
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`] or [`ErrorKind::NotFinite`] by the scores or
    /// coefficients; [`ErrorKind::OutOfRange`] for a weight outside 0..=1.
    pub fn scores(&self, reader_scores: &[f64], ai_scores: &[f64]) -> Result<Vec<f64>, Error> {
        check_pair(reader_scores, ai_scores)?;
        let rescaled = rescale(reader_scores).zip(rescale(ai_scores));
        match self {
            Combination::Mean => mean_of_rescaled(reader_scores, ai_scores),
            Combination::Weighted { ai_weight } => {
                let w = check_weight(*ai_weight)?;
                Ok(rescaled.map(|(r, a)| (1.0 - w) * r + w * a).collect())
            }
            Combination::Maximum => Ok(rescaled.map(|(r, a)| r.max(a)).collect()),
            Combination::Logistic(fit) => {
                fit.check()?;
                let pairs = reader_scores.iter().zip(ai_scores);
                Ok(pairs.map(|(&r, &a)| fit.probability(r, a)).collect())
            }
        }
    }
}

/// The area of the weighted mean at one weight.
///
/// ```
/// use lobule_stats::hybrid::hybrid_by_weight;
/// let truth = [false, true, false, true];
/// let areas = hybrid_by_weight(&[1., 2., 3., 4.], &[1., 3., 2., 4.], &truth, &[0.0, 1.0])?;
/// assert_eq!((areas[0].auc, areas[1].auc), (0.75, 1.0));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HybridAtWeight {
    /// The share of the algorithm.
    pub ai_weight: f64,
    /// [`Roc::auc`] of [`Combination::Weighted`].
    pub auc: f64,
}

/// The hybrid at every weight: the area of [`Combination::Weighted`] for each share of the
/// algorithm, in the order given. The ends are the reader's and the algorithm's own areas. A weight
/// picked because it is best here is flattered; only weights fixed beforehand are not.
///
/// ```
/// use lobule_stats::hybrid::hybrid_by_weight;
/// let truth = [false, true, false, true, false];
/// let (reader, ai) = ([1.0, 2.0, 3.0, 4.0, 1.0], [0.2, 0.9, 0.1, 0.4, 0.5]);
/// let weights: Vec<f64> = (0..=10).map(|tenth| f64::from(tenth) / 10.0).collect();
/// let areas = hybrid_by_weight(&reader, &ai, &truth, &weights)?;
/// assert!(areas[5].auc > areas[0].auc && areas[5].auc > areas[10].auc);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`] or
/// [`ErrorKind::SingleClass`] by the inputs; [`ErrorKind::OutOfRange`] for a weight outside 0..=1.
pub fn hybrid_by_weight(
    reader_scores: &[f64],
    ai_scores: &[f64],
    truth: &[bool],
    ai_weights: &[f64],
) -> Result<Vec<HybridAtWeight>, Error> {
    check_cases(reader_scores, truth)?;
    let at = |&ai_weight: &f64| {
        let scores = Combination::Weighted { ai_weight }.scores(reader_scores, ai_scores)?;
        let auc = Roc::new(&scores, truth)?.auc();
        Ok(HybridAtWeight { ai_weight, auc })
    };
    ai_weights.iter().map(at).collect()
}

/// The mean of two scores after each has been brought onto 0..=1.
///
/// Formula: `½ (a − min a)/(max a − min a) + ½ (b − min b)/(max b − min b)`, minima and maxima over
/// the cases given. Range: 0..=1. Degenerate: a constant score counts as 0 for every case.
///
/// ```
/// use lobule_stats::hybrid::mean_of_rescaled;
/// assert_eq!(mean_of_rescaled(&[2.0, 4.0, 6.0], &[0.0, 1.0, 1.0])?, [0.0, 0.75, 1.0]);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`] or [`ErrorKind::NotFinite`].
pub fn mean_of_rescaled(first: &[f64], second: &[f64]) -> Result<Vec<f64>, Error> {
    check_pair(first, second)?;
    let rescaled = rescale(first).zip(rescale(second));
    Ok(rescaled.map(|(a, b)| f64::midpoint(a, b)).collect())
}

pub(super) fn check_pair(first: &[f64], second: &[f64]) -> Result<(), Error> {
    check_lengths("second scores", second.len(), "first", first.len())?;
    check_finite(first)?;
    check_finite(second)
}

fn check_weight(weight: f64) -> Result<f64, Error> {
    if (0.0..=1.0).contains(&weight) {
        return Ok(weight);
    }
    Err(Error::new(
        ErrorKind::OutOfRange,
        format!("expected a weight in 0..=1, got {weight}"),
    ))
}

fn rescale(scores: &[f64]) -> impl Iterator<Item = f64> {
    let low = scores.iter().copied().fold(f64::INFINITY, f64::min);
    let high = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Halved first, so that the range of huge scores stays finite.
    let range = high / 2.0 - low / 2.0;
    scores.iter().map(move |&score| {
        if range > 0.0 {
            (score / 2.0 - low / 2.0) / range
        } else {
            0.0
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const READER: [f64; 4] = [1.0, 2.0, 4.0, 5.0];
    const AI: [f64; 4] = [0.4, 0.0, 0.8, 0.6];

    fn near(got: &[f64], expected: [f64; 4]) {
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-15, "{got} {expected}");
        }
    }

    #[test]
    fn combinations_are_those_computed_by_hand() {
        // Rescaled: reader 0, ¼, ¾, 1; algorithm ½, 0, 1, ¾.
        let of = |combination: Combination| combination.scores(&READER, &AI).unwrap();
        near(&of(Combination::Mean), [0.25, 0.125, 0.875, 0.875]);
        near(&of(Combination::Maximum), [0.5, 0.25, 1.0, 1.0]);
        let weighted = |ai_weight| of(Combination::Weighted { ai_weight });
        near(&weighted(0.0), [0.0, 0.25, 0.75, 1.0]);
        near(&weighted(0.2), [0.1, 0.2, 0.8, 0.95]);
        near(&weighted(1.0), [0.5, 0.0, 1.0, 0.75]);
        assert_eq!(weighted(0.5), of(Combination::Mean));
    }

    #[test]
    fn bad_weights_and_scores_are_refused() {
        for ai_weight in [-0.1, 1.1, f64::NAN] {
            let error = Combination::Weighted { ai_weight }
                .scores(&READER, &AI)
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfRange);
        }
        let kind = |r: &[f64], a: &[f64]| Combination::Maximum.scores(r, a).unwrap_err().kind();
        assert_eq!(kind(&[], &[]), ErrorKind::Empty);
        assert_eq!(kind(&READER, &AI[1..]), ErrorKind::Mismatch);
        assert_eq!(kind(&[f64::NAN], &[1.0]), ErrorKind::NotFinite);
        let error = hybrid_by_weight(&READER, &AI, &[true; 4], &[0.5]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SingleClass);
    }
}
