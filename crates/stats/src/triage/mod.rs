//! What an algorithm in the reading room would have changed, simulated on recorded decisions.
//!
//! Owns: the table of screened cases with truth, algorithm's score and readers' decisions
//! ([`Screening`]), the rules by which an algorithm takes part ([`TriageRule`]: rule-out, second
//! reader, decision referral, safety net, risk-adapted reading), what each rule does beside the
//! readers alone ([`Screening::apply`] → [`TriageOutcome`]), and the same over thresholds
//! ([`triage_curve`]). Does not own: the choice of thresholds ([`crate::roc`]), patients with
//! several exams (bootstrap them, [`crate::bootstrap`]).
//!
//! This is no trial. Readers are taken to decide as recorded, though they read otherwise when they
//! know of an algorithm, or when the easy cases are gone. A cancer counts as found when its case is
//! recalled; that the recall leads to it, and that what only the algorithm recalls is a cancer at
//! the time of the exam, are assumptions. Truth must come with follow-up of all cases, or cancers
//! that only the algorithm finds cannot count.
//!
//! ```
//! use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
//! let screening = Screening::new(&ScreeningColumns {
//!     truth: &[false, false, false, false, true, true],
//!     ai_scores: &[0.1, 0.2, 0.3, 0.6, 0.7, 0.9],
//!     first_reader: &[false, true, false, true, true, false],
//!     ..ScreeningColumns::default()
//! })?;
//! let outcome = screening.apply(TriageRule::RuleOut { below: 0.5 })?;
//! assert_eq!((outcome.cancers_missed(), outcome.table().false_positives), (0, 1));
//! assert_eq!(outcome.reading_saved(), 0.5);
//! # Ok::<(), lobule_stats::Error>(())
//! ```

mod outcome;
mod rule;

pub use outcome::{TriageOutcome, WorkUp};
pub use rule::{Arbitration, SafetyNet, TriageRule, triage_curve};

use crate::cases::{check_finite, check_lengths};
use crate::{Error, ErrorKind};

/// One value per case and column; columns that were not recorded are left out.
///
/// ```
/// use lobule_stats::triage::ScreeningColumns;
/// assert!(ScreeningColumns::default().second_reader.is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ScreeningColumns<'a> {
    /// Cancer, by pathology or within the follow-up.
    pub truth: &'a [bool],
    /// Higher is more suspicious.
    pub ai_scores: &'a [f64],
    /// Whether the first reader recalls.
    pub first_reader: &'a [bool],
    /// Whether the second reader recalls, where all cases are read twice.
    pub second_reader: Option<&'a [bool]>,
    /// Whether a third reader recalls; `None` for cases that were not put before one.
    pub arbiter: Option<&'a [Option<bool>]>,
    /// Whether biopsy was, or would be, recommended; `None` where it is not known.
    pub biopsy_recommended: Option<&'a [Option<bool>]>,
    /// Whether a biopsy was performed; `None` where it is not known.
    pub biopsy_performed: Option<&'a [Option<bool>]>,
}

/// Screened cases with everything that the rules need.
///
/// The readers alone decide in the way that their columns allow: one reader decides; two readers
/// recall when either does; with an arbiter, the arbiter decides where the two disagree. A human
/// reading is one look of one reader at one case.
///
/// ```
/// use lobule_stats::triage::{Screening, ScreeningColumns};
/// let screening = Screening::new(&ScreeningColumns {
///     truth: &[false, true],
///     ai_scores: &[0.1, 0.9],
///     first_reader: &[true, true],
///     second_reader: Some(&[false, true]),
///     arbiter: Some(&[Some(false), None]),
///     ..ScreeningColumns::default()
/// })?;
/// assert_eq!((screening.n_cases(), screening.usual_readings()), (2, 5));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Screening {
    truth: Vec<bool>,
    ai_scores: Vec<f64>,
    first_reader: Vec<bool>,
    second_reader: Option<Vec<bool>>,
    arbiter: Option<Vec<Option<bool>>>,
    biopsy_recommended: Option<Vec<Option<bool>>>,
    biopsy_performed: Option<Vec<Option<bool>>>,
}

/// What happens to one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pathway {
    recalled: bool,
    readings: usize,
}

impl Pathway {
    fn unread(recalled: bool) -> Pathway {
        Pathway {
            recalled,
            readings: 0,
        }
    }
}

impl Screening {
    /// Checks the columns. Cases of one class alone are allowed: rates of the other are then
    /// `None`.
    ///
    /// ```
    /// use lobule_stats::{ErrorKind, triage::{Screening, ScreeningColumns}};
    /// let error = Screening::new(&ScreeningColumns::default()).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Empty);
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Empty`] without cases, [`ErrorKind::NotFinite`] by a score,
    /// [`ErrorKind::Mismatch`] by columns of different length, [`ErrorKind::Design`] for an arbiter
    /// without two readers to disagree, or without a decision where they do.
    pub fn new(columns: &ScreeningColumns<'_>) -> Result<Screening, Error> {
        check_finite(columns.ai_scores)?;
        let n_cases = columns.ai_scores.len();
        let lengths = [
            ("truths", Some(columns.truth.len())),
            ("first readings", Some(columns.first_reader.len())),
            ("second readings", columns.second_reader.map(<[bool]>::len)),
            ("arbitrations", columns.arbiter.map(<[_]>::len)),
            (
                "recommended biopsies",
                columns.biopsy_recommended.map(<[_]>::len),
            ),
            (
                "performed biopsies",
                columns.biopsy_performed.map(<[_]>::len),
            ),
        ];
        for (what, length) in lengths {
            check_lengths(what, length.unwrap_or(n_cases), "scores", n_cases)?;
        }
        let screening = Screening {
            truth: columns.truth.to_vec(),
            ai_scores: columns.ai_scores.to_vec(),
            first_reader: columns.first_reader.to_vec(),
            second_reader: columns.second_reader.map(<[bool]>::to_vec),
            arbiter: columns.arbiter.map(<[_]>::to_vec),
            biopsy_recommended: columns.biopsy_recommended.map(<[_]>::to_vec),
            biopsy_performed: columns.biopsy_performed.map(<[_]>::to_vec),
        };
        for case in 0..n_cases {
            screening.usual(case)?;
        }
        Ok(screening)
    }

    /// The number of cases.
    ///
    /// ```
    /// use lobule_stats::triage::{Screening, ScreeningColumns};
    /// let columns = ScreeningColumns {
    ///     truth: &[true], ai_scores: &[0.5], first_reader: &[true],
    ///     ..ScreeningColumns::default()
    /// };
    /// assert_eq!(Screening::new(&columns)?.n_cases(), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_cases(&self) -> usize {
        self.truth.len()
    }

    /// The human readings that the readers alone spend, arbitrations included.
    ///
    /// ```
    /// use lobule_stats::triage::{Screening, ScreeningColumns};
    /// let columns = ScreeningColumns {
    ///     truth: &[true], ai_scores: &[0.5], first_reader: &[true],
    ///     second_reader: Some(&[false]),
    ///     ..ScreeningColumns::default()
    /// };
    /// assert_eq!(Screening::new(&columns)?.usual_readings(), 2);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn usual_readings(&self) -> usize {
        let readings = (0..self.n_cases()).map(|case| self.usual_of_checked(case).readings);
        readings.sum()
    }

    /// What a rule does, beside the readers alone.
    ///
    /// ```
    /// use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule};
    /// let screening = Screening::new(&ScreeningColumns {
    ///     truth: &[false, true], ai_scores: &[0.1, 0.9], first_reader: &[true, false],
    ///     ..ScreeningColumns::default()
    /// })?;
    /// let alone = screening.apply(TriageRule::ReadersAlone)?;
    /// assert_eq!(alone.recall_rate().value(), 0.5);
    /// let referral = TriageRule::DecisionReferral { below: 0.5, from: 0.8 };
    /// assert_eq!(screening.apply(referral)?.cancers_gained(), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] by a threshold that is NaN or thresholds in the wrong order,
    /// [`ErrorKind::Design`] when the rule needs a reader or an arbitration that was not recorded.
    pub fn apply(&self, rule: TriageRule) -> Result<TriageOutcome, Error> {
        rule.check()?;
        let mut outcome = TriageOutcome::new(rule, self);
        for case in 0..self.n_cases() {
            let usual = self.usual_of_checked(case);
            let pathway = rule.pathway(self, case, usual)?;
            outcome.add(self, case, usual, pathway);
        }
        Ok(outcome)
    }

    /// What the readers alone do.
    fn usual(&self, case: usize) -> Result<Pathway, Error> {
        let first = self.first_reader[case];
        let Some(second_reader) = &self.second_reader else {
            return match self.arbiter {
                None => Ok(Pathway {
                    recalled: first,
                    readings: 1,
                }),
                Some(_) => Err(Error::new(
                    ErrorKind::Design,
                    "expected a second reader beside an arbiter, got none",
                )),
            };
        };
        let second = second_reader[case];
        if self.arbiter.is_none() || first == second {
            return Ok(Pathway {
                recalled: first || second,
                readings: 2,
            });
        }
        Ok(Pathway {
            recalled: self.arbitrate(case)?,
            readings: 3,
        })
    }

    fn usual_of_checked(&self, case: usize) -> Pathway {
        self.usual(case)
            .expect("every case was tried when the table was made")
    }

    fn arbitrate(&self, case: usize) -> Result<bool, Error> {
        let decision = self.arbiter.as_ref().and_then(|arbiter| arbiter[case]);
        decision.ok_or_else(|| {
            Error::new(
                ErrorKind::Design,
                format!("expected an arbiter's decision on case {case}, got none"),
            )
        })
    }
}
