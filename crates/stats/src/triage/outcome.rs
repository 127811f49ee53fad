//! What a rule does to the cases, beside the readers alone.

use super::{Pathway, Screening, TriageRule};
use crate::operating::ConfusionTable;
use crate::proportion::{PairedProportions, Proportion};
use crate::{Confidence, Interval};

/// Counts under a rule and under the readers alone on the same cases. Intervals hold for
/// independent cases, one exam per woman.
///
/// ```
/// use lobule_stats::{Confidence, triage::{Screening, ScreeningColumns, TriageRule}};
/// let screening = Screening::new(&ScreeningColumns {
///     truth: &[false, false, false, true],
///     ai_scores: &[0.1, 0.2, 0.6, 0.9],
///     first_reader: &[true, false, true, true],
///     ..ScreeningColumns::default()
/// })?;
/// let outcome = screening.apply(TriageRule::RuleOut { below: 0.5 })?;
/// assert_eq!(outcome.detections_per_thousand(), 250.0);
/// assert_eq!(outcome.positive_predictive_value_1().map(|p| p.value()), Some(0.5));
/// let fewer_recalls = outcome.recall_pairs();
/// assert_eq!(fewer_recalls.difference()?, -0.25);
/// assert!(fewer_recalls.interval(Confidence::NINETY_FIVE)?.contains(-0.25));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TriageOutcome {
    /// The rule applied.
    pub rule: TriageRule,
    /// Recalls of cancers: first by the rule, second by the readers alone.
    pub cancers: PairedProportions,
    /// Recalls of cases without cancer, likewise.
    pub healthy: PairedProportions,
    /// Looks of a human at a case, arbitrations included.
    pub human_readings: usize,
    /// The same for the readers alone.
    pub usual_readings: usize,
    /// Cases that no human reads.
    pub n_unread: usize,
    /// Of the recalled, those with biopsy recommended; `None` where that was not recorded.
    pub biopsies_recommended: Option<WorkUp>,
    /// Of the recalled, those with a biopsy performed; `None` where that was not recorded.
    pub biopsies_performed: Option<WorkUp>,
}

/// A step after the recall, among the cases that a rule recalls.
///
/// ```
/// use lobule_stats::triage::WorkUp;
/// let work_up = WorkUp { cancers: 3, others: 9, unknown: 2 };
/// assert_eq!(work_up.positive_predictive_value().map(|p| p.value()), Some(0.25));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkUp {
    /// Recalled, the step taken, cancer.
    pub cancers: usize,
    /// Recalled, the step taken, no cancer.
    pub others: usize,
    /// Recalled, and whether the step would have been taken is not known.
    pub unknown: usize,
}

impl WorkUp {
    /// Cancers of all cases with the step; cases where it is not known are left out, so that the
    /// figure is partial unless [`WorkUp::unknown`] is 0. `None` without cases.
    ///
    /// ```
    /// # use lobule_stats::triage::WorkUp;
    /// assert_eq!(WorkUp::default().positive_predictive_value(), None);
    /// ```
    pub fn positive_predictive_value(&self) -> Option<Proportion> {
        Proportion::new(self.cancers, self.cancers + self.others).ok()
    }

    fn add(&mut self, step: Option<bool>, cancer: bool) {
        match (step, cancer) {
            (Some(true), true) => self.cancers += 1,
            (Some(true), false) => self.others += 1,
            (None, _) => self.unknown += 1,
            (Some(false), _) => {}
        }
    }
}

impl TriageOutcome {
    pub(super) fn new(rule: TriageRule, screening: &Screening) -> TriageOutcome {
        let recorded =
            |column: &Option<Vec<Option<bool>>>| column.as_ref().map(|_| WorkUp::default());
        TriageOutcome {
            rule,
            cancers: NO_PAIRS,
            healthy: NO_PAIRS,
            human_readings: 0,
            usual_readings: 0,
            n_unread: 0,
            biopsies_recommended: recorded(&screening.biopsy_recommended),
            biopsies_performed: recorded(&screening.biopsy_performed),
        }
    }

    pub(super) fn add(&mut self, screening: &Screening, case: usize, usual: Pathway, now: Pathway) {
        let cancer = screening.truth[case];
        let pairs = match cancer {
            true => &mut self.cancers,
            false => &mut self.healthy,
        };
        *match (now.recalled, usual.recalled) {
            (true, true) => &mut pairs.both,
            (true, false) => &mut pairs.only_first,
            (false, true) => &mut pairs.only_second,
            (false, false) => &mut pairs.neither,
        } += 1;
        self.human_readings += now.readings;
        self.usual_readings += usual.readings;
        self.n_unread += usize::from(now.readings == 0);
        if now.recalled {
            let steps = [
                (
                    &mut self.biopsies_recommended,
                    &screening.biopsy_recommended,
                ),
                (&mut self.biopsies_performed, &screening.biopsy_performed),
            ];
            for (counts, column) in steps {
                if let (Some(counts), Some(column)) = (counts, column) {
                    counts.add(column[case], cancer);
                }
            }
        }
    }

    /// The rule's recalls against the truth.
    ///
    /// ```
    /// # use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// # let screening = Screening::new(&ScreeningColumns {
    /// #     truth: &[false, true], ai_scores: &[0.1, 0.9], first_reader: &[true, true],
    /// #     ..ScreeningColumns::default()
    /// # })?;
    /// let outcome = screening.apply(TriageRule::RuleOut { below: 0.5 })?;
    /// assert_eq!(outcome.table().true_negatives, 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn table(&self) -> ConfusionTable {
        ConfusionTable {
            true_positives: self.cancers.both + self.cancers.only_first,
            false_negatives: self.cancers.only_second + self.cancers.neither,
            false_positives: self.healthy.both + self.healthy.only_first,
            true_negatives: self.healthy.only_second + self.healthy.neither,
        }
    }

    /// The readers' recalls against the truth.
    ///
    /// ```
    /// # use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// # let screening = Screening::new(&ScreeningColumns {
    /// #     truth: &[false, true], ai_scores: &[0.1, 0.9], first_reader: &[true, true],
    /// #     ..ScreeningColumns::default()
    /// # })?;
    /// let outcome = screening.apply(TriageRule::RuleOut { below: 0.5 })?;
    /// assert_eq!(outcome.readers_table().false_positives, 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn readers_table(&self) -> ConfusionTable {
        ConfusionTable {
            true_positives: self.cancers.both + self.cancers.only_second,
            false_negatives: self.cancers.only_first + self.cancers.neither,
            false_positives: self.healthy.both + self.healthy.only_second,
            true_negatives: self.healthy.only_first + self.healthy.neither,
        }
    }

    /// Cancers recalled of all cases: the cancer detection rate as a share.
    ///
    /// ```
    /// # use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// # let screening = Screening::new(&ScreeningColumns {
    /// #     truth: &[false, true], ai_scores: &[0.1, 0.9], first_reader: &[true, true],
    /// #     ..ScreeningColumns::default()
    /// # })?;
    /// let outcome = screening.apply(TriageRule::ReadersAlone)?;
    /// assert_eq!(outcome.detection_rate().value(), 0.5);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn detection_rate(&self) -> Proportion {
        self.of_all(self.table().true_positives)
    }

    /// [`TriageOutcome::detection_rate`] times 1,000, as it is quoted.
    ///
    /// ```
    /// # use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// # let screening = Screening::new(&ScreeningColumns {
    /// #     truth: &[false, true], ai_scores: &[0.1, 0.9], first_reader: &[true, true],
    /// #     ..ScreeningColumns::default()
    /// # })?;
    /// let outcome = screening.apply(TriageRule::ReadersAlone)?;
    /// assert_eq!(outcome.detections_per_thousand(), 500.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn detections_per_thousand(&self) -> f64 {
        1000.0 * self.detection_rate().value()
    }

    /// Wilson's interval of [`TriageOutcome::detections_per_thousand`].
    ///
    /// ```
    /// # use lobule_stats::{Confidence, triage::{Screening, ScreeningColumns, TriageRule}};
    /// # let screening = Screening::new(&ScreeningColumns {
    /// #     truth: &[false, true], ai_scores: &[0.1, 0.9], first_reader: &[true, true],
    /// #     ..ScreeningColumns::default()
    /// # })?;
    /// let outcome = screening.apply(TriageRule::ReadersAlone)?;
    /// let interval = outcome.detections_per_thousand_interval(Confidence::NINETY_FIVE);
    /// assert!(interval.contains(500.0) && interval.upper < 1000.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn detections_per_thousand_interval(&self, confidence: Confidence) -> Interval {
        let interval = self.detection_rate().wilson(confidence);
        Interval {
            lower: 1000.0 * interval.lower,
            upper: 1000.0 * interval.upper,
        }
    }

    /// Recalled cases of all cases.
    ///
    /// ```
    /// # use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// # let screening = Screening::new(&ScreeningColumns {
    /// #     truth: &[false, true], ai_scores: &[0.1, 0.9], first_reader: &[true, true],
    /// #     ..ScreeningColumns::default()
    /// # })?;
    /// let outcome = screening.apply(TriageRule::ReadersAlone)?;
    /// assert_eq!(outcome.recall_rate().value(), 1.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn recall_rate(&self) -> Proportion {
        let table = self.table();
        self.of_all(table.true_positives + table.false_positives)
    }

    /// Cancers not recalled of all cases: what stands in for interval cancers where follow-up
    /// brought the missed ones to light.
    ///
    /// ```
    /// # use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// # let screening = Screening::new(&ScreeningColumns {
    /// #     truth: &[false, true], ai_scores: &[0.1, 0.4], first_reader: &[true, true],
    /// #     ..ScreeningColumns::default()
    /// # })?;
    /// let outcome = screening.apply(TriageRule::RuleOut { below: 0.5 })?;
    /// assert_eq!(outcome.missed_rate().value(), 0.5);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn missed_rate(&self) -> Proportion {
        self.of_all(self.table().false_negatives)
    }

    /// PPV1: cancers of the recalled; `None` when none is.
    ///
    /// ```
    /// # use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// # let screening = Screening::new(&ScreeningColumns {
    /// #     truth: &[false, true], ai_scores: &[0.1, 0.9], first_reader: &[true, true],
    /// #     ..ScreeningColumns::default()
    /// # })?;
    /// let outcome = screening.apply(TriageRule::ReadersAlone)?;
    /// assert_eq!(outcome.positive_predictive_value_1().map(|p| p.value()), Some(0.5));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn positive_predictive_value_1(&self) -> Option<Proportion> {
        self.table().positive_predictive_value()
    }

    /// PPV2: cancers of the recalled with biopsy recommended; `None` where that was not recorded
    /// or there are none. See [`WorkUp::positive_predictive_value`] for cases where it is unknown.
    ///
    /// ```
    /// # use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// let screening = Screening::new(&ScreeningColumns {
    ///     truth: &[false, true, false], ai_scores: &[0.1, 0.9, 0.8],
    ///     first_reader: &[true, true, true],
    ///     biopsy_recommended: Some(&[Some(false), Some(true), Some(true)]),
    ///     ..ScreeningColumns::default()
    /// })?;
    /// let outcome = screening.apply(TriageRule::ReadersAlone)?;
    /// assert_eq!(outcome.positive_predictive_value_2().map(|p| p.value()), Some(0.5));
    /// assert_eq!(outcome.positive_predictive_value_3(), None);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn positive_predictive_value_2(&self) -> Option<Proportion> {
        self.biopsies_recommended?.positive_predictive_value()
    }

    /// PPV3: cancers of the recalled with a biopsy performed; the rest as for PPV2.
    ///
    /// ```
    /// # use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// let screening = Screening::new(&ScreeningColumns {
    ///     truth: &[false, true], ai_scores: &[0.1, 0.9], first_reader: &[true, true],
    ///     biopsy_performed: Some(&[Some(false), Some(true)]),
    ///     ..ScreeningColumns::default()
    /// })?;
    /// let outcome = screening.apply(TriageRule::ReadersAlone)?;
    /// assert_eq!(outcome.positive_predictive_value_3().map(|p| p.value()), Some(1.0));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn positive_predictive_value_3(&self) -> Option<Proportion> {
        self.biopsies_performed?.positive_predictive_value()
    }

    /// Cancers that the readers alone recall and the rule does not.
    ///
    /// ```
    /// # use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// # let screening = Screening::new(&ScreeningColumns {
    /// #     truth: &[false, true], ai_scores: &[0.1, 0.4], first_reader: &[true, true],
    /// #     ..ScreeningColumns::default()
    /// # })?;
    /// let outcome = screening.apply(TriageRule::RuleOut { below: 0.5 })?;
    /// assert_eq!((outcome.cancers_missed(), outcome.cancers_gained()), (1, 0));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn cancers_missed(&self) -> usize {
        self.cancers.only_second
    }

    /// Cancers that the rule recalls and the readers alone do not.
    ///
    /// ```
    /// # use lobule_stats::triage::{SafetyNet, Screening, ScreeningColumns, TriageRule};
    /// # let screening = Screening::new(&ScreeningColumns {
    /// #     truth: &[false, true], ai_scores: &[0.1, 0.9], first_reader: &[true, false],
    /// #     ..ScreeningColumns::default()
    /// # })?;
    /// let net = TriageRule::SafetyNet { from: 0.5, action: SafetyNet::Recall };
    /// assert_eq!(screening.apply(net)?.cancers_gained(), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn cancers_gained(&self) -> usize {
        self.cancers.only_first
    }

    /// Human readings saved, as a share of those of the readers alone; negative when the rule
    /// costs readings.
    ///
    /// ```
    /// # use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// # let screening = Screening::new(&ScreeningColumns {
    /// #     truth: &[false, true], ai_scores: &[0.1, 0.9], first_reader: &[true, true],
    /// #     ..ScreeningColumns::default()
    /// # })?;
    /// let outcome = screening.apply(TriageRule::RuleOut { below: 0.5 })?;
    /// assert_eq!(outcome.reading_saved(), 0.5);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn reading_saved(&self) -> f64 {
        1.0 - self.human_readings as f64 / self.usual_readings as f64
    }

    /// Recalls of all cases, first by the rule, second by the readers alone: for the paired
    /// difference of recall rates. That of sensitivities is [`TriageOutcome::cancers`].
    ///
    /// ```
    /// # use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// # let screening = Screening::new(&ScreeningColumns {
    /// #     truth: &[false, true], ai_scores: &[0.1, 0.9], first_reader: &[true, true],
    /// #     ..ScreeningColumns::default()
    /// # })?;
    /// let outcome = screening.apply(TriageRule::RuleOut { below: 0.5 })?;
    /// assert_eq!(outcome.recall_pairs().only_second, 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn recall_pairs(&self) -> PairedProportions {
        PairedProportions {
            both: self.cancers.both + self.healthy.both,
            only_first: self.cancers.only_first + self.healthy.only_first,
            only_second: self.cancers.only_second + self.healthy.only_second,
            neither: self.cancers.neither + self.healthy.neither,
        }
    }

    /// Cancers found among all cases, likewise: for the paired difference of detection rates.
    ///
    /// ```
    /// # use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// # let screening = Screening::new(&ScreeningColumns {
    /// #     truth: &[false, true], ai_scores: &[0.1, 0.9], first_reader: &[true, true],
    /// #     ..ScreeningColumns::default()
    /// # })?;
    /// let outcome = screening.apply(TriageRule::RuleOut { below: 0.5 })?;
    /// assert_eq!(outcome.detection_pairs().difference()?, 0.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn detection_pairs(&self) -> PairedProportions {
        PairedProportions {
            neither: self.n_cases()
                - self.cancers.both
                - self.cancers.only_first
                - self.cancers.only_second,
            ..self.cancers
        }
    }

    /// Healthy cases left alone, likewise: for the paired difference of specificities.
    ///
    /// ```
    /// # use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// # let screening = Screening::new(&ScreeningColumns {
    /// #     truth: &[false, true], ai_scores: &[0.1, 0.9], first_reader: &[true, true],
    /// #     ..ScreeningColumns::default()
    /// # })?;
    /// let outcome = screening.apply(TriageRule::RuleOut { below: 0.5 })?;
    /// assert_eq!(outcome.specificity_pairs().difference()?, 1.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn specificity_pairs(&self) -> PairedProportions {
        PairedProportions {
            both: self.healthy.neither,
            only_first: self.healthy.only_second,
            only_second: self.healthy.only_first,
            neither: self.healthy.both,
        }
    }

    fn n_cases(&self) -> usize {
        self.table().total()
    }

    fn of_all(&self, count: usize) -> Proportion {
        Proportion::new(count, self.n_cases())
            .expect("a screening has cases, and counts are of them")
    }
}

const NO_PAIRS: PairedProportions = PairedProportions {
    both: 0,
    only_first: 0,
    only_second: 0,
    neither: 0,
};
