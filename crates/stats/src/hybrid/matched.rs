//! A score beside a reader, at the reader's own sensitivity or specificity.

use crate::Error;
#[cfg(doc)]
use crate::ErrorKind;
use crate::cases::check_cases;
use crate::operating::{OperatingPoint, check_threshold};
use crate::roc::Roc;

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

/// A reader's decisions beside those of another score at a specificity no lower.
///
/// ```
/// use lobule_stats::hybrid::compare_at_specificity;
/// let truth = [false, true, true];
/// let result = compare_at_specificity(&[1.0, 1.0, 4.0], &[0.1, 0.2, 0.3], &truth, 4.0)?;
/// assert_eq!(result.reader.table.true_positives, 1);
/// assert_eq!(result.other.table.true_positives, 2);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpecificityMatched {
    /// The reader at the threshold given.
    pub reader: OperatingPoint,
    /// The other score at its lowest threshold with at most the reader's false positives.
    pub other: OperatingPoint,
}

impl SpecificityMatched {
    /// Relative change of the diseased cases found.
    ///
    /// Formula: `(Se₂ − Se₁) / Se₁ = TP₂ / TP₁ − 1`. Symbols: Se₁ the reader's, Se₂ the other
    /// score's sensitivity, TP the counts. Range: −1 (none found) upwards; `None` when the reader
    /// finds none.
    ///
    /// ```
    /// # use lobule_stats::hybrid::compare_at_specificity;
    /// let truth = [false, true, true];
    /// let result = compare_at_specificity(&[1.0, 1.0, 4.0], &[0.1, 0.2, 0.3], &truth, 4.0)?;
    /// assert_eq!(result.detection_change(), Some(1.0));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn detection_change(&self) -> Option<f64> {
        let (before, after) = (self.reader.table, self.other.table);
        relative_change(before.true_positives, after.true_positives)
    }

    /// Relative change of the diseased cases missed, `FN₂ / FN₁ − 1`; `None` when the reader misses
    /// none.
    ///
    /// ```
    /// # use lobule_stats::hybrid::compare_at_specificity;
    /// let truth = [false, true, true];
    /// let result = compare_at_specificity(&[1.0, 1.0, 4.0], &[0.1, 0.2, 0.3], &truth, 4.0)?;
    /// assert_eq!(result.miss_change(), Some(-1.0));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn miss_change(&self) -> Option<f64> {
        let (before, after) = (self.reader.table, self.other.table);
        relative_change(before.false_negatives, after.false_negatives)
    }
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
    let other = Roc::new(scores, truth)?.at_reader_sensitivity(&reader.table)?;
    Ok(SensitivityMatched { reader, other })
}

/// Any score against a reader, at the lowest of its thresholds that flags at most as many healthy
/// cases as the reader does.
///
/// ```
/// use lobule_stats::hybrid::compare_at_specificity;
/// let truth = [false, false, true];
/// let result = compare_at_specificity(&[1.0, 3.0, 2.0], &[0.5, 0.4, 0.5], &truth, 3.0)?;
/// assert_eq!(result.other.threshold, 0.5);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`] or
/// [`ErrorKind::SingleClass`] by the inputs; [`ErrorKind::OutOfRange`] when the reader's threshold
/// is NaN; [`ErrorKind::Undefined`] when the reader flags every healthy case, since every threshold
/// is then as specific.
pub fn compare_at_specificity(
    reader_scores: &[f64],
    scores: &[f64],
    truth: &[bool],
    reader_threshold: f64,
) -> Result<SpecificityMatched, Error> {
    check_cases(scores, truth)?;
    check_threshold(reader_threshold)?;
    let reader = Roc::new(reader_scores, truth)?.at_threshold(reader_threshold)?;
    let other = Roc::new(scores, truth)?.at_reader_specificity(&reader.table)?;
    Ok(SpecificityMatched { reader, other })
}

fn relative_change(before: usize, after: usize) -> Option<f64> {
    (before > 0).then(|| after as f64 / before as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    /// Five healthy and four diseased cases; the reader flags from category 4 on.
    const READER: [f64; 9] = [1.0, 2.0, 3.0, 4.0, 5.0, 2.0, 3.0, 4.0, 5.0];
    const MODEL: [f64; 9] = [0.1, 0.2, 0.6, 0.3, 0.7, 0.2, 0.6, 0.8, 0.9];
    const TRUTH: [bool; 9] = [false, false, false, false, false, true, true, true, true];

    #[test]
    fn the_reader_is_matched_at_the_own_specificity() {
        let result = compare_at_specificity(&READER, &MODEL, &TRUTH, 4.0).unwrap();
        let reader = result.reader.table;
        assert_eq!((reader.true_positives, reader.false_positives), (2, 2));
        // From 0.6 on the model flags two healthy cases (0.6, 0.7) and three diseased ones.
        assert_eq!(result.other.threshold, 0.6);
        let model = result.other.table;
        assert_eq!((model.true_positives, model.false_positives), (3, 2));
        assert_eq!(result.detection_change(), Some(0.5));
        assert_eq!(result.miss_change(), Some(-0.5));
    }

    #[test]
    fn what_cannot_be_matched_is_refused() {
        let error = compare_at_specificity(&READER, &MODEL, &TRUTH, 1.0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Undefined);
        let error = compare_at_specificity(&READER, &MODEL, &TRUTH, f64::NAN).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfRange);
        let finds_nothing = compare_at_specificity(&READER, &MODEL, &TRUTH, 6.0).unwrap();
        assert_eq!(finds_nothing.detection_change(), None);
    }
}
