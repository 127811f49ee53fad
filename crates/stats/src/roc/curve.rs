//! Points of the curve, thresholds, average precision.

use super::Roc;
use crate::operating::{ConfusionTable, OperatingPoint, check_threshold};
use crate::proportion::Proportion;
use crate::{Error, ErrorKind};

/// One corner of the empirical curve.
///
/// ```
/// use lobule_stats::roc::Roc;
/// let roc = Roc::new(&[1.0, 2.0], &[false, true])?;
/// let sensitivities: Vec<f64> = roc.points().iter().map(|p| p.sensitivity).collect();
/// assert_eq!(sensitivities, [0.0, 1.0, 1.0]);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// Cases with a score of at least this are flagged; +∞ at the first point.
    pub threshold: f64,
    /// Flagged diseased cases of all diseased cases.
    pub sensitivity: f64,
    /// Healthy cases left alone of all healthy cases.
    pub specificity: f64,
}

impl Roc {
    /// The corners of the curve, from nothing flagged (threshold +∞) to everything flagged; one
    /// per distinct score and one more. Neighbours are joined by straight lines, whose area is
    /// [`Roc::auc`].
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// let roc = Roc::new(&[1.0, 1.0, 2.0], &[false, true, true])?;
    /// assert_eq!(roc.points().len(), 3);
    /// assert_eq!(roc.points()[1].specificity, 1.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn points(&self) -> Vec<RocPoint> {
        let rate = |count: usize, total: usize| count as f64 / total as f64;
        let nothing = (f64::INFINITY, 0, 0);
        std::iter::once(nothing)
            .chain(self.flagged())
            .map(|(threshold, tp, fp)| RocPoint {
                threshold,
                sensitivity: rate(tp, self.n_positive),
                specificity: rate(self.n_negative - fp, self.n_negative),
            })
            .collect()
    }

    /// The decisions at a threshold: a case is flagged when `score ≥ threshold`.
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// let roc = Roc::new(&[0.1, 0.4, 0.4, 0.9], &[false, false, true, true])?;
    /// assert_eq!(roc.at_threshold(0.4)?.table.false_positives, 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] for NaN.
    pub fn at_threshold(&self, threshold: f64) -> Result<OperatingPoint, Error> {
        check_threshold(threshold)?;
        let flagged = self
            .flagged()
            .take_while(|&(score, _, _)| score >= threshold);
        let (_, tp, fp) = flagged.last().unwrap_or_default();
        Ok(self.operating_point(threshold, tp, fp))
    }

    /// The highest observed score that reaches the sensitivity as a threshold, so that as few
    /// healthy cases as possible are flagged. The sensitivity got is at least the target, more
    /// where cases are tied or the target is no multiple of 1/m.
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// let roc = Roc::new(&[0.1, 0.4, 0.8, 0.9], &[false, true, false, true])?;
    /// assert_eq!(roc.at_sensitivity(0.6)?.threshold, 0.4);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] when the target is not in (0, 1].
    pub fn at_sensitivity(&self, target: f64) -> Result<OperatingPoint, Error> {
        check_target("sensitivity", target)?;
        let reached = |tp: usize| tp as f64 / self.n_positive as f64 >= target;
        let (threshold, tp, fp) = self
            .flagged()
            .find(|&(_, tp, _)| reached(tp))
            .expect("the lowest score flags every case, and m / m = 1 reaches any target");
        Ok(self.operating_point(threshold, tp, fp))
    }

    /// The lowest observed score that keeps the specificity as a threshold, so that as many
    /// diseased cases as possible are flagged. Where even the highest score loses too many healthy
    /// cases, the threshold is the next number above it and flags nothing.
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// let roc = Roc::new(&[0.1, 0.4, 0.8, 0.9], &[false, true, false, true])?;
    /// assert_eq!(roc.at_specificity(0.5)?.threshold, 0.4);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] when the target is not in (0, 1].
    pub fn at_specificity(&self, target: f64) -> Result<OperatingPoint, Error> {
        check_target("specificity", target)?;
        let n = self.n_negative;
        let kept = |fp: usize| (n - fp) as f64 / n as f64 >= target;
        let (threshold, tp, fp) = self
            .flagged()
            .take_while(|&(_, _, fp)| kept(fp))
            .last()
            .unwrap_or(self.nothing_flagged());
        Ok(self.operating_point(threshold, tp, fp))
    }

    /// The sensitivity at [`Roc::at_specificity`]. Its Wilson interval takes the threshold as
    /// given; where the threshold is chosen on the same cases, bootstrap the whole choice.
    ///
    /// ```
    /// use lobule_stats::{Confidence, roc::Roc};
    /// let roc = Roc::new(&[0.1, 0.4, 0.8, 0.9], &[false, true, false, true])?;
    /// let sensitivity = roc.sensitivity_at_specificity(1.0)?;
    /// assert_eq!(sensitivity.value(), 0.5);
    /// assert!(sensitivity.wilson(Confidence::NINETY_FIVE).contains(0.5));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] when the target is not in (0, 1].
    pub fn sensitivity_at_specificity(&self, target: f64) -> Result<Proportion, Error> {
        let point = self.at_specificity(target)?;
        Proportion::new(point.table.true_positives, self.n_positive)
    }

    /// The specificity at [`Roc::at_sensitivity`]; the remark on intervals there holds here.
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// let roc = Roc::new(&[0.1, 0.4, 0.8, 0.9], &[false, true, false, true])?;
    /// assert_eq!(roc.specificity_at_sensitivity(1.0)?.value(), 0.5);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] when the target is not in (0, 1].
    pub fn specificity_at_sensitivity(&self, target: f64) -> Result<Proportion, Error> {
        let point = self.at_sensitivity(target)?;
        Proportion::new(point.table.true_negatives, self.n_negative)
    }

    /// Average precision, the step-wise area under the precision–recall curve.
    ///
    /// Formula: `Σₖ (Rₖ − Rₖ₋₁) Pₖ` over the distinct scores from the highest. Symbols: Rₖ the
    /// sensitivity and Pₖ the precision (PPV) when scores from the k-th on are flagged, R₀ = 0.
    /// Range: (0, 1]; a constant score gives the prevalence. Not the trapezoid under the curve,
    /// which is too high (Davis & Goadrich 2006, doi:10.1145/1143844.1143874).
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// let roc = Roc::new(&[4.0, 3.0, 2.0, 1.0], &[true, false, true, false])?;
    /// assert_eq!(roc.average_precision(), 0.5 * 1.0 + 0.5 * 2.0 / 3.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn average_precision(&self) -> f64 {
        let weighted = self
            .steps
            .iter()
            .zip(self.flagged())
            .map(|(step, (_, tp, fp))| step.positives as f64 * tp as f64 / (tp + fp) as f64);
        weighted.sum::<f64>() / self.n_positive as f64
    }

    /// (threshold, true positives, false positives), from the highest score down.
    pub(super) fn flagged(&self) -> impl Iterator<Item = (f64, usize, usize)> {
        self.steps.iter().scan((0, 0), |(tp, fp), step| {
            *tp += step.positives;
            *fp += step.negatives;
            Some((step.score, *tp, *fp))
        })
    }

    /// The lowest threshold above all scores.
    pub(super) fn nothing_flagged(&self) -> (f64, usize, usize) {
        (self.steps[0].score.next_up(), 0, 0)
    }

    pub(super) fn operating_point(&self, threshold: f64, tp: usize, fp: usize) -> OperatingPoint {
        OperatingPoint {
            threshold,
            table: ConfusionTable {
                true_positives: tp,
                false_negatives: self.n_positive - tp,
                false_positives: fp,
                true_negatives: self.n_negative - fp,
            },
        }
    }
}

pub(super) fn check_target(what: &str, target: f64) -> Result<(), Error> {
    if target > 0.0 && target <= 1.0 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::OutOfRange,
        format!("expected a target {what} above 0 and at most 1, got {target}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f64; 6] = [0.1, 0.2, 0.2, 0.6, 0.6, 0.9];
    const TRUTH: [bool; 6] = [false, false, true, true, false, true];

    #[test]
    fn thresholds_follow_the_tie_rule() {
        let roc = Roc::new(&SCORES, &TRUTH).unwrap();
        let by_sensitivity = [(0.3, 0.9, 1, 0), (0.34, 0.6, 2, 1), (1.0, 0.2, 3, 2)];
        for (target, threshold, tp, fp) in by_sensitivity {
            let point = roc.at_sensitivity(target).unwrap();
            assert_eq!(point, roc.operating_point(threshold, tp, fp), "{target}");
            assert_eq!(point, roc.at_threshold(threshold).unwrap());
        }
        let by_specificity = [(1.0, 0.9, 1, 0), (0.6, 0.6, 2, 1), (0.3, 0.2, 3, 2)];
        for (target, threshold, tp, fp) in by_specificity {
            let point = roc.at_specificity(target).unwrap();
            assert_eq!(point, roc.operating_point(threshold, tp, fp), "{target}");
        }
    }

    #[test]
    fn a_specificity_out_of_reach_flags_nothing() {
        let roc = Roc::new(&[0.9, 0.9], &[false, true]).unwrap();
        let point = roc.at_specificity(0.5).unwrap();
        assert!(point.threshold > 0.9);
        assert_eq!(point, roc.at_threshold(point.threshold).unwrap());
        assert_eq!(point.table.true_positives, 0);
    }

    #[test]
    fn targets_outside_their_range_are_refused() {
        let roc = Roc::new(&SCORES, &TRUTH).unwrap();
        for bad in [0.0, -0.1, 1.1, f64::NAN] {
            assert!(roc.at_sensitivity(bad).is_err());
            assert!(roc.at_specificity(bad).is_err());
        }
        assert!(roc.at_threshold(f64::NAN).is_err());
    }

    #[test]
    fn the_trapezoids_under_the_points_are_the_area() {
        let roc = Roc::new(&SCORES, &TRUTH).unwrap();
        let points = roc.points();
        let area: f64 = points
            .windows(2)
            .map(|w| {
                let width = w[0].specificity - w[1].specificity;
                width * f64::midpoint(w[0].sensitivity, w[1].sensitivity)
            })
            .sum();
        assert!((area - roc.auc()).abs() < 1e-15);
    }
}
