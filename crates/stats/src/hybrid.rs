//! Reader and algorithm combined, and what the combination spares at the reader's sensitivity.
//!
//! Owns: the mean of rescaled scores ([`mean_of_rescaled`]) and the comparison at the reader's own
//! sensitivity ([`hybrid_at_sensitivity`], [`compare_at_sensitivity`]), the kind of figure that is
//! quoted as "false positives −37 %, biopsies −28 %" (Shen et al. 2021,
//! doi:10.1038/s41467-021-26023-2). Does not own: a trial. This is a simulation on recorded
//! scores: it assumes that a reader with the algorithm would act as the formula does, and it
//! chooses the threshold on the cases it is judged on.
//!
//! ```
//! use lobule_stats::hybrid::hybrid_at_sensitivity;
//! let bi_rads = [2.0, 3.0, 4.0, 4.0, 4.0, 5.0];
//! let model = [0.1, 0.2, 0.2, 0.3, 0.8, 0.9];
//! let truth = [false, false, false, false, true, true];
//! let result = hybrid_at_sensitivity(&bi_rads, &model, &truth, 4.0)?;
//! assert_eq!(result.false_positive_change(), Some(-1.0));
//! assert_eq!(result.flagged_change(), Some(-0.5));
//! # Ok::<(), lobule_stats::Error>(())
//! ```

use crate::cases::{check_cases, check_finite, check_lengths};
use crate::operating::{OperatingPoint, check_threshold};
use crate::roc::Roc;
use crate::{Error, ErrorKind};

/// A reader's decisions beside those of another score at a sensitivity no lower.
///
/// ```
/// use lobule_stats::hybrid::compare_at_sensitivity;
/// let truth = [false, false, true];
/// let result = compare_at_sensitivity(&[1.0, 4.0, 4.0], &[0.1, 0.2, 0.3], &truth, 4.0)?;
/// assert_eq!(result.reader.table.false_positives, 1);
/// assert_eq!(result.other.table.false_positives, 0);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SensitivityMatched {
    /// The reader at the threshold given.
    pub reader: OperatingPoint,
    /// The other score at its highest threshold with at least the reader's true positives.
    pub other: OperatingPoint,
}

impl SensitivityMatched {
    /// Relative change of the false-positive rate.
    ///
    /// Formula: `(FPR₂ − FPR₁) / FPR₁ = FP₂ / FP₁ − 1`. Symbols: FPR₁ the reader's, FPR₂ the other
    /// score's share of healthy cases flagged, FP the counts. Range: −1 (none left) upwards;
    /// `None` when the reader has no false positive.
    ///
    /// ```
    /// # use lobule_stats::hybrid::compare_at_sensitivity;
    /// let truth = [false, false, true];
    /// let same = compare_at_sensitivity(&[1.0, 4.0, 4.0], &[1.0, 4.0, 4.0], &truth, 4.0)?;
    /// assert_eq!(same.false_positive_change(), Some(0.0));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn false_positive_change(&self) -> Option<f64> {
        let (before, after) = (self.reader.table, self.other.table);
        relative_change(before.false_positives, after.false_positives)
    }

    /// Relative change of the share of all cases flagged: of biopsies where the reader's threshold
    /// is "biopsy", of recalls where it is "recall".
    ///
    /// Formula: `(TP₂ + FP₂) / (TP₁ + FP₁) − 1`, symbols as above; it depends on the prevalence
    /// among the cases. Range: above −1; `None` when the reader flags nothing.
    ///
    /// ```
    /// # use lobule_stats::hybrid::compare_at_sensitivity;
    /// let truth = [false, false, true];
    /// let result = compare_at_sensitivity(&[1.0, 4.0, 4.0], &[0.1, 0.2, 0.3], &truth, 4.0)?;
    /// assert_eq!(result.flagged_change(), Some(-0.5));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn flagged_change(&self) -> Option<f64> {
        let flagged = |point: OperatingPoint| {
            let table = point.table;
            table.true_positives + table.false_positives
        };
        relative_change(flagged(self.reader), flagged(self.other))
    }
}

/// The equal-weight mean of reader and algorithm, thresholded at the reader's own sensitivity.
///
/// Method: (1) the reader flags cases with `reader_score ≥ reader_threshold`, giving TP₁ true
/// positives; (2) both scores are brought onto 0..=1 by their own smallest and largest value among
/// these cases and averaged ([`mean_of_rescaled`]); (3) the hybrid's threshold is its highest
/// value that flags at least TP₁ diseased cases. Because of ties the hybrid may find more.
/// Independent of the units of either score, but not of their shape: an algorithm whose scores
/// crowd near 0 weighs less. Degenerate: a constant score becomes 0 and leaves the other alone.
///
/// ```
/// use lobule_stats::hybrid::hybrid_at_sensitivity;
/// let truth = [false, true, false, true];
/// let result = hybrid_at_sensitivity(&[3.0, 4.0, 4.0, 5.0], &[0.1, 0.7, 0.2, 0.9], &truth, 4.0)?;
/// assert_eq!(result.other.table.false_positives, 0);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// Those of [`compare_at_sensitivity`].
pub fn hybrid_at_sensitivity(
    reader_scores: &[f64],
    ai_scores: &[f64],
    truth: &[bool],
    reader_threshold: f64,
) -> Result<SensitivityMatched, Error> {
    let hybrid = mean_of_rescaled(reader_scores, ai_scores)?;
    compare_at_sensitivity(reader_scores, &hybrid, truth, reader_threshold)
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
    check_lengths("second scores", second.len(), "first", first.len())?;
    check_finite(first)?;
    check_finite(second)?;
    let rescaled = rescale(first).zip(rescale(second));
    Ok(rescaled.map(|(a, b)| f64::midpoint(a, b)).collect())
}

/// Any score against a reader, at the highest of its thresholds that finds at least as many
/// diseased cases as the reader does.
///
/// ```
/// use lobule_stats::hybrid::compare_at_sensitivity;
/// let truth = [false, true, true];
/// let result = compare_at_sensitivity(&[1.0, 2.0, 3.0], &[0.5, 0.4, 0.9], &truth, 3.0)?;
/// assert_eq!(result.other.threshold, 0.9);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`] or
/// [`ErrorKind::SingleClass`] by the inputs; [`ErrorKind::OutOfRange`] when the reader's threshold
/// is NaN; [`ErrorKind::Undefined`] when the reader flags no diseased case, since every threshold
/// is then as sensitive.
pub fn compare_at_sensitivity(
    reader_scores: &[f64],
    scores: &[f64],
    truth: &[bool],
    reader_threshold: f64,
) -> Result<SensitivityMatched, Error> {
    check_cases(scores, truth)?;
    check_threshold(reader_threshold)?;
    let reader = Roc::new(reader_scores, truth)?.at_threshold(reader_threshold)?;
    if reader.table.true_positives == 0 {
        return Err(Error::new(
            ErrorKind::Undefined,
            format!("expected a reader with true positives at {reader_threshold}, got none"),
        ));
    }
    let roc = Roc::new(scores, truth)?;
    // The same division on both sides, so the comparison of rates is one of counts.
    let target = reader.table.true_positives as f64 / roc.n_positive() as f64;
    let other = roc.at_sensitivity(target)?;
    Ok(SensitivityMatched { reader, other })
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

fn relative_change(before: usize, after: usize) -> Option<f64> {
    (before > 0).then(|| after as f64 / before as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight healthy and four diseased cases; the reader flags from category 4 on.
    const READER: [f64; 12] = [2.0, 3.0, 3.0, 4.0, 4.0, 4.0, 4.0, 5.0, 3.0, 4.0, 5.0, 5.0];
    const MODEL: [f64; 12] = [0.0, 0.1, 0.5, 0.1, 0.2, 0.3, 0.6, 0.2, 0.7, 0.8, 0.9, 1.0];
    const TRUTH: [bool; 12] = [
        false, false, false, false, false, false, false, false, true, true, true, true,
    ];

    #[test]
    fn the_table_computed_by_hand_comes_out() {
        let result = hybrid_at_sensitivity(&READER, &MODEL, &TRUTH, 4.0).unwrap();
        let reader = result.reader.table;
        assert_eq!((reader.true_positives, reader.false_positives), (3, 5));
        // The diseased hybrid scores are 0.517, 0.733, 0.95 and 1; three must be found, and of the
        // healthy ones only (4, 0.6) gives 0.633 and (5, 0.2) gives 0.6: both stay below 0.733.
        let hybrid = result.other.table;
        assert_eq!((hybrid.true_positives, hybrid.false_positives), (3, 0));
        assert!((result.other.threshold - (2.0 / 3.0 + 0.8) / 2.0).abs() < 1e-15);
        assert_eq!(result.false_positive_change(), Some(-1.0));
        assert_eq!(result.flagged_change(), Some(3.0 / 8.0 - 1.0));
    }

    #[test]
    fn units_of_the_scores_do_not_matter_and_huge_ones_are_fine() {
        let expected = mean_of_rescaled(&READER, &MODEL).unwrap();
        let huge: Vec<f64> = MODEL.iter().map(|s| (2.0 * s - 1.0) * f64::MAX).collect();
        let got = mean_of_rescaled(&READER, &huge).unwrap();
        for (a, b) in got.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-12);
        }
    }

    #[test]
    fn a_reader_who_finds_nothing_cannot_be_matched() {
        let error = hybrid_at_sensitivity(&READER, &MODEL, &TRUTH, 6.0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Undefined);
        let error = hybrid_at_sensitivity(&READER, &MODEL[1..], &TRUTH, 4.0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Mismatch);
    }

    #[test]
    fn a_reader_without_false_positives_has_no_relative_change() {
        let result = compare_at_sensitivity(&MODEL, &MODEL, &TRUTH, 0.7).unwrap();
        assert_eq!(result.false_positive_change(), None);
        assert_eq!(result.flagged_change(), Some(0.0));
    }
}
