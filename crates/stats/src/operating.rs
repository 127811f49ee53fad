//! What a threshold decides: the 2 × 2 table and its rates.
//!
//! Owns: [`ConfusionTable`] and [`OperatingPoint`]. A case is flagged when `score ≥ threshold`.
//! Does not own: the search for a threshold, which needs the sorted scores
//! ([`crate::roc::Roc::at_sensitivity`] and its neighbours), and what a threshold is worth
//! ([`crate::decision_curve`]).
//!
//! ```
//! use lobule_stats::{Confidence, operating::ConfusionTable};
//! let scores = [0.1, 0.4, 0.4, 0.8, 0.9];
//! let truth = [false, false, true, false, true];
//! let table = ConfusionTable::at_threshold(&scores, &truth, 0.4)?;
//! let sensitivity = table.sensitivity().expect("two positive cases");
//! assert_eq!(sensitivity.value(), 1.0);
//! assert!(sensitivity.wilson(Confidence::NINETY_FIVE).lower > 0.3);
//! # Ok::<(), lobule_stats::Error>(())
//! ```

use crate::cases::{check_finite, check_lengths};
use crate::prevalence::Prevalence;
use crate::proportion::Proportion;
use crate::{Error, ErrorKind};

/// A threshold and what it does on the cases it was looked up on.
///
/// ```
/// use lobule_stats::roc::Roc;
/// let roc = Roc::new(&[0.1, 0.4, 0.8, 0.9], &[false, true, false, true])?;
/// let point = roc.at_sensitivity(0.5)?;
/// assert_eq!(point.threshold, 0.9);
/// assert_eq!(point.table.false_positives, 0);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingPoint {
    /// Cases with a score of at least this are flagged.
    pub threshold: f64,
    /// The decisions against the truth.
    pub table: ConfusionTable,
}

/// Decisions against truth. A rate whose denominator is zero is `None`.
///
/// ```
/// use lobule_stats::operating::ConfusionTable;
/// let table = ConfusionTable {
///     true_positives: 8, false_negatives: 2, false_positives: 5, true_negatives: 85,
/// };
/// assert_eq!(table.specificity().expect("90 negatives").total(), 90);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConfusionTable {
    /// Diseased and flagged.
    pub true_positives: usize,
    /// Diseased and not flagged.
    pub false_negatives: usize,
    /// Healthy and flagged.
    pub false_positives: usize,
    /// Healthy and not flagged.
    pub true_negatives: usize,
}

impl ConfusionTable {
    /// Flags every case with `score ≥ threshold` and counts. One class alone is allowed: the rates
    /// of the other are then `None`.
    ///
    /// ```
    /// use lobule_stats::operating::ConfusionTable;
    /// let table = ConfusionTable::at_threshold(&[0.2, 0.5], &[false, true], 0.5)?;
    /// assert_eq!((table.true_positives, table.true_negatives), (1, 1));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`] by the scores, and
    /// [`ErrorKind::OutOfRange`] for a threshold that is NaN. ±∞ flag nothing and everything.
    pub fn at_threshold(
        scores: &[f64],
        truth: &[bool],
        threshold: f64,
    ) -> Result<ConfusionTable, Error> {
        check_lengths("truths", truth.len(), "scores", scores.len())?;
        check_finite(scores)?;
        check_threshold(threshold)?;
        let flagged = scores.iter().map(|&score| score >= threshold);
        Ok(count(flagged.zip(truth.iter().copied())))
    }

    /// Counts decisions made elsewhere, by a reader for instance.
    ///
    /// ```
    /// use lobule_stats::operating::ConfusionTable;
    /// let table = ConfusionTable::from_flags(&[true, true], &[false, true])?;
    /// assert_eq!((table.true_positives, table.false_positives), (1, 1));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] for slices of different length, [`ErrorKind::Empty`] for none.
    pub fn from_flags(flagged: &[bool], truth: &[bool]) -> Result<ConfusionTable, Error> {
        check_lengths("truths", truth.len(), "flags", flagged.len())?;
        if flagged.is_empty() {
            return Err(Error::new(
                ErrorKind::Empty,
                "expected at least one case, got none",
            ));
        }
        Ok(count(flagged.iter().copied().zip(truth.iter().copied())))
    }

    /// All cases.
    ///
    /// ```
    /// # use lobule_stats::operating::ConfusionTable;
    /// assert_eq!(ConfusionTable::default().total(), 0);
    /// ```
    pub fn total(&self) -> usize {
        self.positives() + self.negatives()
    }

    /// Flagged diseased cases of all diseased cases: `TP / (TP + FN)`.
    ///
    /// ```
    /// # use lobule_stats::operating::ConfusionTable;
    /// let table = ConfusionTable { true_positives: 3, false_negatives: 1, ..Default::default() };
    /// assert_eq!(table.sensitivity().map(|p| p.value()), Some(0.75));
    /// assert_eq!(table.specificity(), None);
    /// ```
    pub fn sensitivity(&self) -> Option<Proportion> {
        Proportion::new(self.true_positives, self.positives()).ok()
    }

    /// Healthy cases left alone of all healthy cases: `TN / (TN + FP)`.
    ///
    /// ```
    /// # use lobule_stats::operating::ConfusionTable;
    /// let table = ConfusionTable { true_negatives: 3, false_positives: 1, ..Default::default() };
    /// assert_eq!(table.specificity().map(|p| p.value()), Some(0.75));
    /// ```
    pub fn specificity(&self) -> Option<Proportion> {
        Proportion::new(self.true_negatives, self.negatives()).ok()
    }

    /// Healthy cases flagged of all healthy cases, `FP / (FP + TN)` = 1 − specificity.
    ///
    /// ```
    /// # use lobule_stats::operating::ConfusionTable;
    /// let table = ConfusionTable { true_negatives: 3, false_positives: 1, ..Default::default() };
    /// assert_eq!(table.false_positive_rate().map(|p| p.value()), Some(0.25));
    /// ```
    pub fn false_positive_rate(&self) -> Option<Proportion> {
        Proportion::new(self.false_positives, self.negatives()).ok()
    }

    /// Flagged cases of all cases, `(TP + FP) / n`: the recall or biopsy rate, as the flag means.
    ///
    /// ```
    /// # use lobule_stats::operating::ConfusionTable;
    /// let table = ConfusionTable { true_positives: 1, true_negatives: 4, ..Default::default() };
    /// assert_eq!(table.flagged_rate().map(|p| p.value()), Some(0.2));
    /// ```
    pub fn flagged_rate(&self) -> Option<Proportion> {
        Proportion::new(self.true_positives + self.false_positives, self.total()).ok()
    }

    /// Positive predictive value among these cases, `TP / (TP + FP)`; holds at their prevalence.
    ///
    /// ```
    /// # use lobule_stats::operating::ConfusionTable;
    /// let table = ConfusionTable { true_positives: 1, false_positives: 3, ..Default::default() };
    /// assert_eq!(table.positive_predictive_value().map(|p| p.value()), Some(0.25));
    /// ```
    pub fn positive_predictive_value(&self) -> Option<Proportion> {
        let flagged = self.true_positives + self.false_positives;
        Proportion::new(self.true_positives, flagged).ok()
    }

    /// Negative predictive value among these cases, `TN / (TN + FN)`; holds at their prevalence.
    ///
    /// ```
    /// # use lobule_stats::operating::ConfusionTable;
    /// let table = ConfusionTable { true_negatives: 9, false_negatives: 1, ..Default::default() };
    /// assert_eq!(table.negative_predictive_value().map(|p| p.value()), Some(0.9));
    /// ```
    pub fn negative_predictive_value(&self) -> Option<Proportion> {
        let left_alone = self.true_negatives + self.false_negatives;
        Proportion::new(self.true_negatives, left_alone).ok()
    }

    /// Positive predictive value where the disease has another prevalence.
    ///
    /// Formula: `Se π / (Se π + (1 − Sp)(1 − π))`. Symbols: Se, Sp the table's sensitivity and
    /// specificity, π the prevalence. Range: 0..=1; `None` when a class is missing or nothing is
    /// flagged. Holds while Se and Sp do. Altman & Bland 1994, doi:10.1136/bmj.309.6947.102.
    ///
    /// ```
    /// # use lobule_stats::operating::ConfusionTable;
    /// use lobule_stats::prevalence::Prevalence;
    /// let table = ConfusionTable {
    ///     true_positives: 9, false_negatives: 1, false_positives: 1, true_negatives: 9,
    /// };
    /// let ppv = table.positive_predictive_value_at(Prevalence::new(0.1)?);
    /// assert!((ppv.expect("both classes") - 0.5).abs() < 1e-12);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn positive_predictive_value_at(&self, prevalence: Prevalence) -> Option<f64> {
        let flagged_diseased = self.sensitivity()?.value() * prevalence.value();
        let flagged_healthy = self.false_positive_rate()?.value() * (1.0 - prevalence.value());
        share(flagged_diseased, flagged_healthy)
    }

    /// Negative predictive value where the disease has another prevalence.
    ///
    /// Formula: `Sp (1 − π) / (Sp (1 − π) + (1 − Se) π)`; symbols, range and source as in
    /// [`ConfusionTable::positive_predictive_value_at`], `None` when everything is flagged.
    ///
    /// ```
    /// # use lobule_stats::operating::ConfusionTable;
    /// use lobule_stats::prevalence::Prevalence;
    /// let table = ConfusionTable {
    ///     true_positives: 9, false_negatives: 1, false_positives: 1, true_negatives: 9,
    /// };
    /// let npv = table.negative_predictive_value_at(Prevalence::new(0.9)?);
    /// assert!((npv.expect("both classes") - 0.5).abs() < 1e-12);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn negative_predictive_value_at(&self, prevalence: Prevalence) -> Option<f64> {
        let missed_rate = Proportion::new(self.false_negatives, self.positives()).ok()?;
        let healthy_left = self.specificity()?.value() * (1.0 - prevalence.value());
        share(healthy_left, missed_rate.value() * prevalence.value())
    }

    fn positives(&self) -> usize {
        self.true_positives + self.false_negatives
    }

    fn negatives(&self) -> usize {
        self.false_positives + self.true_negatives
    }
}

pub(crate) fn check_threshold(threshold: f64) -> Result<(), Error> {
    if threshold.is_nan() {
        return Err(Error::new(
            ErrorKind::OutOfRange,
            "expected a threshold, got NaN",
        ));
    }
    Ok(())
}

fn count(flagged_and_truth: impl Iterator<Item = (bool, bool)>) -> ConfusionTable {
    let mut table = ConfusionTable::default();
    for pair in flagged_and_truth {
        match pair {
            (true, true) => table.true_positives += 1,
            (false, true) => table.false_negatives += 1,
            (true, false) => table.false_positives += 1,
            (false, false) => table.true_negatives += 1,
        }
    }
    table
}

fn share(part: f64, rest: f64) -> Option<f64> {
    (part + rest > 0.0).then(|| part / (part + rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_at_the_threshold_is_flagged() {
        let truth = [false, true, true];
        let cases = [
            (f64::NEG_INFINITY, (2, 1)),
            (0.5, (2, 0)),
            (0.500001, (1, 0)),
            (f64::INFINITY, (0, 0)),
        ];
        for (threshold, expected) in cases {
            let table = ConfusionTable::at_threshold(&[0.1, 0.5, 0.9], &truth, threshold).unwrap();
            assert_eq!((table.true_positives, table.false_positives), expected);
            assert_eq!(table.total(), 3);
        }
        let nan = ConfusionTable::at_threshold(&[0.1], &[true], f64::NAN).unwrap_err();
        assert_eq!(nan.kind(), ErrorKind::OutOfRange);
    }

    #[test]
    fn predictive_values_at_the_own_prevalence_are_the_tables() {
        let table = ConfusionTable {
            true_positives: 26,
            false_negatives: 15,
            false_positives: 14,
            true_negatives: 58,
        };
        let own = Prevalence::new(41.0 / 113.0).unwrap();
        let ppv = table.positive_predictive_value_at(own).unwrap();
        let npv = table.negative_predictive_value_at(own).unwrap();
        assert!((ppv - 26.0 / 40.0).abs() < 1e-14);
        assert!((npv - 58.0 / 73.0).abs() < 1e-14);
    }

    #[test]
    fn rates_without_cases_are_none() {
        let nothing_flagged = ConfusionTable {
            false_negatives: 2,
            true_negatives: 3,
            ..ConfusionTable::default()
        };
        let half = Prevalence::new(0.5).unwrap();
        assert_eq!(nothing_flagged.positive_predictive_value(), None);
        assert_eq!(nothing_flagged.positive_predictive_value_at(half), None);
        assert_eq!(ConfusionTable::default().flagged_rate(), None);
    }
}
