//! Reader and algorithm combined, and what the combination spares at the reader's own rates.
//!
//! Owns: ways to combine two scores ([`Combination`]: equal or any weights, the maximum, a logistic
//! regression, which [`fit_logistic_combination`] and [`cross_fitted_logistic`] fit), the area at
//! every weight ([`hybrid_by_weight`]), and the comparison at the reader's own sensitivity
//! ([`hybrid_at_sensitivity`], [`compare_at_sensitivity`]) or specificity
//! ([`compare_at_specificity`]), the kind of figure that is quoted as "false positives −37 %,
//! biopsies −28 %" (Shen et al. 2021, doi:10.1038/s41467-021-26023-2). Does not own: a trial. This
//! is a simulation on recorded scores: it assumes that a reader with the algorithm would act as the
//! formula does, and it chooses the threshold on the cases it is judged on.
//!
//! ```
//! use lobule_stats::hybrid::{Combination, compare_at_specificity, hybrid_at_sensitivity};
//! let bi_rads = [2.0, 3.0, 4.0, 4.0, 4.0, 5.0];
//! let model = [0.1, 0.2, 0.2, 0.3, 0.8, 0.9];
//! let truth = [false, false, false, false, true, true];
//! let result = hybrid_at_sensitivity(&bi_rads, &model, &truth, 4.0)?;
//! assert_eq!(result.false_positive_change(), Some(-1.0));
//! assert_eq!(result.flagged_change(), Some(-0.5));
//!
//! let maximum = Combination::Maximum.scores(&bi_rads, &model)?;
//! let result = compare_at_specificity(&bi_rads, &maximum, &truth, 5.0)?;
//! assert_eq!(result.detection_change(), Some(1.0));
//! # Ok::<(), lobule_stats::Error>(())
//! ```

mod combination;
mod logistic;
mod matched;

pub use combination::{Combination, HybridAtWeight, hybrid_by_weight, mean_of_rescaled};
pub use logistic::{Folds, LogisticCombination, cross_fitted_logistic, fit_logistic_combination};
pub use matched::{
    SensitivityMatched, SpecificityMatched, compare_at_sensitivity, compare_at_specificity,
};

use crate::Error;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

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
