//! Thresholds by what they are to achieve: a reader's rates, a workload, a predictive value.
//!
//! All are chosen on the cases of the curve. What they then do on the same cases is flattered;
//! take the threshold to other cases, or bootstrap the choice with its result.

use super::Roc;
use super::curve::check_target;
use crate::operating::{ConfusionTable, OperatingPoint};
use crate::prevalence::Prevalence;
use crate::{Error, ErrorKind};

impl Roc {
    /// The highest threshold at which the score is at least as sensitive as a reader: the reader's
    /// workload and false positives can then be compared at no loss of cancers.
    ///
    /// The reader's decisions may be on other cases; on the same cases the comparison is one of
    /// counts, without rounding. Degenerate: as [`Roc::at_sensitivity`], which it calls with the
    /// reader's rate.
    ///
    /// ```
    /// use lobule_stats::{operating::ConfusionTable, roc::Roc};
    /// let truth = [false, true, false, true];
    /// let reader = ConfusionTable::from_flags(&[true, true, false, false], &truth)?;
    /// let point = Roc::new(&[0.1, 0.4, 0.8, 0.9], &truth)?.at_reader_sensitivity(&reader)?;
    /// assert_eq!((point.threshold, point.table.false_positives), (0.9, 0));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Undefined`] when the reader has no diseased case or flags none of them: every
    /// threshold is then as sensitive.
    pub fn at_reader_sensitivity(&self, reader: &ConfusionTable) -> Result<OperatingPoint, Error> {
        match reader.sensitivity() {
            Some(rate) if rate.successes() > 0 => self.at_sensitivity(rate.value()),
            _ => Err(cannot_match("true positives")),
        }
    }

    /// The lowest threshold at which the score is at least as specific as a reader, so that as
    /// many diseased cases as possible are found at no more false alarms; see
    /// [`Roc::at_reader_sensitivity`].
    ///
    /// ```
    /// use lobule_stats::{operating::ConfusionTable, roc::Roc};
    /// let truth = [false, true, false, true];
    /// let reader = ConfusionTable::from_flags(&[true, true, false, false], &truth)?;
    /// let point = Roc::new(&[0.1, 0.4, 0.8, 0.9], &truth)?.at_reader_specificity(&reader)?;
    /// assert_eq!((point.threshold, point.table.true_positives), (0.4, 2));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Undefined`] when the reader has no healthy case or flags all of them.
    pub fn at_reader_specificity(&self, reader: &ConfusionTable) -> Result<OperatingPoint, Error> {
        match reader.specificity() {
            Some(rate) if rate.successes() > 0 => self.at_specificity(rate.value()),
            _ => Err(cannot_match("true negatives")),
        }
    }

    /// The lowest observed score as a threshold that flags no more than a share of all cases: a
    /// recall rate, or the capacity of the next examination. Where the cases tied at the highest
    /// score are already too many, the threshold is the next number above it and flags nothing.
    ///
    /// Formula: the smallest c with `#{s ≥ c} / N ≤ target`. Symbols: s the scores of all N cases.
    /// The rate depends on the prevalence among the cases; in an enriched set it is not that of
    /// screening.
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// let roc = Roc::new(&[0.1, 0.4, 0.8, 0.9], &[false, true, false, true])?;
    /// assert_eq!(roc.at_flagged_rate(0.6)?.threshold, 0.8);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] when the target is not in (0, 1].
    pub fn at_flagged_rate(&self, target: f64) -> Result<OperatingPoint, Error> {
        check_target("flagged rate", target)?;
        let n_cases = (self.n_positive + self.n_negative) as f64;
        let (threshold, tp, fp) = self
            .flagged()
            .take_while(|&(_, tp, fp)| (tp + fp) as f64 / n_cases <= target)
            .last()
            .unwrap_or(self.nothing_flagged());
        Ok(self.operating_point(threshold, tp, fp))
    }

    /// The highest threshold below which enough cases are healthy: what rule-out needs, leaving as
    /// many cases alone as the target allows.
    ///
    /// Formula: the largest c, an observed score or the next number above all, with
    /// `NPV(c) ≥ target` and at least one case below c. Symbols: NPV(c) the share of healthy cases
    /// among those with `s < c`, or at another prevalence
    /// [`ConfusionTable::negative_predictive_value_at`]. NPV need not fall as c rises; the largest
    /// c counts even where a smaller one misses the target.
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// let roc = Roc::new(&[0.1, 0.2, 0.4, 0.8, 0.9], &[false, false, true, false, true])?;
    /// assert_eq!(roc.at_negative_predictive_value(0.9, None)?.threshold, 0.4);
    /// assert_eq!(roc.at_negative_predictive_value(0.7, None)?.threshold, 0.9);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] when the target is not in (0, 1], [`ErrorKind::Undefined`] when
    /// no threshold reaches it.
    pub fn at_negative_predictive_value(
        &self,
        target: f64,
        prevalence: Option<Prevalence>,
    ) -> Result<OperatingPoint, Error> {
        check_target("negative predictive value", target)?;
        let nothing = std::iter::once(self.nothing_flagged());
        nothing
            .chain(self.flagged())
            .map(|(threshold, tp, fp)| self.operating_point(threshold, tp, fp))
            .find(|point| negative_value(&point.table, prevalence) >= Some(target))
            .ok_or_else(|| out_of_reach("negative", target))
    }

    /// The lowest threshold from which on enough cases are diseased, so that as many as possible
    /// are flagged while each flag still means something.
    ///
    /// Formula: the smallest observed score c with `PPV(c) ≥ target`. Symbols: PPV(c) the share of
    /// diseased cases among those with `s ≥ c`, or at another prevalence
    /// [`ConfusionTable::positive_predictive_value_at`]. PPV need not rise with c; the smallest c
    /// counts even where a larger one misses the target.
    ///
    /// ```
    /// use lobule_stats::{prevalence::Prevalence, roc::Roc};
    /// let roc = Roc::new(&[0.1, 0.2, 0.4, 0.8, 0.9], &[false, false, true, false, true])?;
    /// assert_eq!(roc.at_positive_predictive_value(0.6, None)?.threshold, 0.4);
    /// let screening = Some(Prevalence::new(0.01)?);
    /// assert_eq!(roc.at_positive_predictive_value(0.6, screening)?.threshold, 0.9);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] when the target is not in (0, 1], [`ErrorKind::Undefined`] when
    /// no threshold reaches it.
    pub fn at_positive_predictive_value(
        &self,
        target: f64,
        prevalence: Option<Prevalence>,
    ) -> Result<OperatingPoint, Error> {
        check_target("positive predictive value", target)?;
        self.flagged()
            .map(|(threshold, tp, fp)| self.operating_point(threshold, tp, fp))
            .filter(|point| positive_value(&point.table, prevalence) >= Some(target))
            .last()
            .ok_or_else(|| out_of_reach("positive", target))
    }
}

fn negative_value(table: &ConfusionTable, prevalence: Option<Prevalence>) -> Option<f64> {
    match prevalence {
        None => Some(table.negative_predictive_value()?.value()),
        Some(prevalence) => table.negative_predictive_value_at(prevalence),
    }
}

fn positive_value(table: &ConfusionTable, prevalence: Option<Prevalence>) -> Option<f64> {
    match prevalence {
        None => Some(table.positive_predictive_value()?.value()),
        Some(prevalence) => table.positive_predictive_value_at(prevalence),
    }
}

fn cannot_match(what: &str) -> Error {
    Error::new(
        ErrorKind::Undefined,
        format!("expected a reader with {what} to match, got none"),
    )
}

fn out_of_reach(which: &str, target: f64) -> Error {
    Error::new(
        ErrorKind::Undefined,
        format!("expected a threshold with a {which} predictive value of {target}, got none"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten cases, two of them tied at 0.6; from above (tp, fp): 0.9 (1, 0), 0.8 (2, 0),
    /// 0.7 (2, 1), 0.6 (3, 2), 0.4 (3, 3), 0.3 (4, 3), 0.2 (4, 4), 0.1 (4, 5), 0.0 (4, 6).
    const SCORES: [f64; 10] = [0.9, 0.8, 0.7, 0.6, 0.6, 0.4, 0.3, 0.2, 0.1, 0.0];
    const TRUTH: [bool; 10] = [
        true, true, false, true, false, false, true, false, false, false,
    ];

    fn roc() -> Roc {
        Roc::new(&SCORES, &TRUTH).unwrap()
    }

    #[test]
    fn shares_of_flagged_cases_are_kept() {
        let above = 0.9_f64.next_up();
        let cases = [
            (0.05, above, 0),
            (0.1, 0.9, 1),
            (0.4, 0.7, 3),
            (0.5, 0.6, 5),
            (1.0, 0.0, 10),
        ];
        for (target, threshold, flagged) in cases {
            let point = roc().at_flagged_rate(target).unwrap();
            assert_eq!(point.threshold, threshold, "{target}");
            let rate = point.table.flagged_rate().unwrap();
            assert_eq!((rate.successes(), rate.total()), (flagged, 10));
        }
    }

    #[test]
    fn predictive_values_are_reached_as_far_out_as_possible() {
        // NPV from below: c = 0.1 … 0.3: 1; 0.4: 3/4; 0.6: 4/5; 0.7: 5/7; 0.8: 6/8; 0.9: 6/9.
        let negative = [
            (1.0, 0.3),
            (0.8, 0.6),
            (0.75, 0.8),
            (0.6, 0.9_f64.next_up()),
        ];
        for (target, threshold) in negative {
            let point = roc().at_negative_predictive_value(target, None).unwrap();
            assert_eq!(point.threshold, threshold, "NPV {target}");
        }
        // PPV from above: 1, 1, 2/3, 3/5, 3/6, 4/7, 4/8, 4/9, 4/10.
        let positive = [(1.0, 0.8), (0.6, 0.6), (0.55, 0.3), (0.4, 0.0)];
        for (target, threshold) in positive {
            let point = roc().at_positive_predictive_value(target, None).unwrap();
            assert_eq!(point.threshold, threshold, "PPV {target}");
        }
    }

    #[test]
    fn the_own_prevalence_changes_nothing_and_a_low_one_moves_the_threshold() {
        let own = Some(Prevalence::new(0.4).unwrap());
        let rare = Some(Prevalence::new(0.01).unwrap());
        let threshold = |p| {
            roc()
                .at_negative_predictive_value(0.79, p)
                .unwrap()
                .threshold
        };
        assert_eq!((threshold(own), threshold(None)), (0.6, 0.6));
        // Se ½, Sp 1 at 0.8: the NPV at 1 % is 0.99 / 0.995 and suffices far above.
        assert_eq!(threshold(rare), 0.9_f64.next_up());
    }

    #[test]
    fn a_reader_is_matched_from_the_side_that_costs_nothing() {
        let flags = [
            true, false, true, true, true, false, true, false, false, false,
        ];
        let reader = ConfusionTable::from_flags(&flags, &TRUTH).unwrap();
        let point = roc().at_reader_sensitivity(&reader).unwrap();
        assert_eq!((point.threshold, point.table.false_positives), (0.6, 2));
        let point = roc().at_reader_specificity(&reader).unwrap();
        assert_eq!((point.threshold, point.table.true_positives), (0.6, 3));
        let idle = ConfusionTable::from_flags(&[false; 10], &TRUTH).unwrap();
        let eager = ConfusionTable::from_flags(&[true; 10], &TRUTH).unwrap();
        for error in [
            roc().at_reader_sensitivity(&idle).unwrap_err(),
            roc().at_reader_specificity(&eager).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Undefined);
        }
    }

    #[test]
    fn what_cannot_be_reached_is_said() {
        let upside_down = Roc::new(&[3.0, 2.0, 1.0], &[false, true, true]).unwrap();
        let kind = |result: Result<OperatingPoint, Error>| result.unwrap_err().kind();
        let npv = upside_down.at_negative_predictive_value(0.5, None);
        assert_eq!(kind(npv), ErrorKind::Undefined);
        let ppv = upside_down.at_positive_predictive_value(0.7, None);
        assert_eq!(kind(ppv), ErrorKind::Undefined);
        for target in [0.0, 1.1, f64::NAN] {
            for result in [
                roc().at_flagged_rate(target),
                roc().at_negative_predictive_value(target, None),
                roc().at_positive_predictive_value(target, None),
            ] {
                assert_eq!(kind(result), ErrorKind::OutOfRange);
            }
        }
    }
}
