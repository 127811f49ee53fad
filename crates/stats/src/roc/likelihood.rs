//! Likelihood ratios of a decision.

use crate::operating::ConfusionTable;
use crate::{Confidence, Interval};

/// How much a flag raises, and its absence lowers, the odds of disease.
///
/// ```
/// use lobule_stats::{operating::ConfusionTable, roc::LikelihoodRatios};
/// let table = ConfusionTable {
///     true_positives: 8, false_negatives: 2, false_positives: 10, true_negatives: 90,
/// };
/// let ratios = LikelihoodRatios::of(&table).expect("both classes, some flagged, some not");
/// assert!((ratios.positive - 8.0).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LikelihoodRatios {
    /// `LR⁺ = Se / (1 − Sp)`; +∞ when no healthy case is flagged.
    pub positive: f64,
    /// `LR⁻ = (1 − Se) / Sp`; +∞ when every healthy case is flagged.
    pub negative: f64,
    ln_errors: [f64; 2],
}

impl LikelihoodRatios {
    /// The ratios of a 2 × 2 table.
    ///
    /// Formula: `LR⁺ = Se / (1 − Sp)`, `LR⁻ = (1 − Se) / Sp`. Symbols: Se, Sp sensitivity and
    /// specificity. Range: 0..=∞. `None` without a case of each class, or where a ratio is 0 / 0
    /// because all cases or none are flagged.
    /// Deeks & Altman 2004, doi:10.1136/bmj.329.7458.168.
    ///
    /// ```
    /// use lobule_stats::{operating::ConfusionTable, roc::LikelihoodRatios};
    /// assert_eq!(LikelihoodRatios::of(&ConfusionTable::default()), None);
    /// ```
    pub fn of(table: &ConfusionTable) -> Option<LikelihoodRatios> {
        let [tp, fn_, fp, tn] = [
            table.true_positives,
            table.false_negatives,
            table.false_positives,
            table.true_negatives,
        ]
        .map(|count| count as f64);
        let (m, n) = (tp + fn_, fp + tn);
        if m == 0.0 || n == 0.0 || tp + fp == 0.0 || fn_ + tn == 0.0 {
            return None;
        }
        let ln_error = |a: f64, b: f64| (1.0 / a - 1.0 / m + 1.0 / b - 1.0 / n).sqrt();
        Some(LikelihoodRatios {
            positive: (tp / m) / (fp / n),
            negative: (fn_ / m) / (tn / n),
            ln_errors: [ln_error(tp, fp), ln_error(fn_, tn)],
        })
    }

    /// The interval of LR⁺, symmetric on the log scale.
    ///
    /// Formula: `exp(ln LR⁺ ± z √(1/TP − 1/m + 1/FP − 1/n))`. Symbols: m, n diseased and healthy
    /// cases. `None` when TP or FP is 0, where the log has no finite error.
    /// Simel et al. 1991, doi:10.1016/0895-4356(91)90128-V.
    ///
    /// ```
    /// use lobule_stats::{Confidence, operating::ConfusionTable, roc::LikelihoodRatios};
    /// let table = ConfusionTable {
    ///     true_positives: 8, false_negatives: 2, false_positives: 10, true_negatives: 90,
    /// };
    /// let ratios = LikelihoodRatios::of(&table).expect("defined");
    /// let interval = ratios.positive_interval(Confidence::NINETY_FIVE).expect("finite");
    /// assert!(interval.lower > 4.0 && interval.upper < 16.0);
    /// ```
    pub fn positive_interval(&self, confidence: Confidence) -> Option<Interval> {
        ln_interval(self.positive, self.ln_errors[0], confidence)
    }

    /// The interval of LR⁻; formula and source as in [`LikelihoodRatios::positive_interval`] with
    /// FN and TN in place of TP and FP.
    ///
    /// ```
    /// use lobule_stats::{Confidence, operating::ConfusionTable, roc::LikelihoodRatios};
    /// let table = ConfusionTable {
    ///     true_positives: 8, false_negatives: 2, false_positives: 10, true_negatives: 90,
    /// };
    /// let ratios = LikelihoodRatios::of(&table).expect("defined");
    /// let interval = ratios.negative_interval(Confidence::NINETY_FIVE).expect("finite");
    /// assert!(interval.contains(0.2 / 0.9));
    /// ```
    pub fn negative_interval(&self, confidence: Confidence) -> Option<Interval> {
        ln_interval(self.negative, self.ln_errors[1], confidence)
    }
}

fn ln_interval(ratio: f64, ln_error: f64, confidence: Confidence) -> Option<Interval> {
    let limits = Interval::around(ratio.ln(), confidence.z() * ln_error);
    ln_error.is_finite().then(|| Interval {
        lower: limits.lower.exp(),
        upper: limits.upper.exp(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_computed_table_and_empty_cells() {
        let table = |tp, fn_, fp, tn| ConfusionTable {
            true_positives: tp,
            false_negatives: fn_,
            false_positives: fp,
            true_negatives: tn,
        };
        // LR⁺ 4, ln error √(1/40 − 1/50 + 1/20 − 1/100) = 0.2121320.
        let ratios = LikelihoodRatios::of(&table(40, 10, 20, 80)).unwrap();
        let interval = ratios.positive_interval(Confidence::NINETY_FIVE).unwrap();
        assert!((ratios.negative - 0.25).abs() < 1e-15);
        assert!((interval.lower - 4.0 * (-0.415_771_147_f64).exp()).abs() < 1e-7);
        let perfect = LikelihoodRatios::of(&table(5, 0, 0, 5)).unwrap();
        assert_eq!((perfect.positive, perfect.negative), (f64::INFINITY, 0.0));
        assert_eq!(perfect.positive_interval(Confidence::NINETY_FIVE), None);
        assert_eq!(LikelihoodRatios::of(&table(5, 0, 5, 0)), None);
    }
}
