//! The ways in which an algorithm takes part, and what each does with a case.

use super::{Pathway, Screening, TriageOutcome};
use crate::operating::check_threshold;
use crate::{Error, ErrorKind};

/// How an algorithm takes part. "Usual" means what the readers alone do ([`Screening`]).
///
/// ```
/// use lobule_stats::triage::TriageRule;
/// let rule = TriageRule::DecisionReferral { below: 0.2, from: 0.98 };
/// assert_ne!(rule, TriageRule::ReadersAlone);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum TriageRule {
    /// The algorithm takes no part.
    ReadersAlone,
    /// Cases with a score below the threshold are read by no one and count as negative; the others
    /// as usual.
    RuleOut {
        /// Scores of at least this are read.
        below: f64,
    },
    /// The algorithm reads beside the first reader, in place of the second where there is one. It
    /// recalls at its threshold and counts for no human reading.
    SecondReader {
        /// The algorithm recalls from here on.
        from: f64,
        /// What follows when it and the reader disagree.
        arbitration: Arbitration,
    },
    /// The algorithm decides where it is sure, negative below the first threshold and recalled
    /// from the second on; cases between are read as usual. Leibig et al. 2022,
    /// doi:10.1016/S2589-7500(22)00070-X.
    DecisionReferral {
        /// Scores below are negative.
        below: f64,
        /// Scores from here on are recalled. Not below `below`; equal to it, the algorithm is
        /// alone. +∞ leaves rule-out.
        from: f64,
    },
    /// All cases are read as usual; where that says normal and the algorithm is suspicious, there
    /// is a second chance.
    SafetyNet {
        /// The algorithm is suspicious from here on.
        from: f64,
        /// What the second chance is.
        action: SafetyNet,
    },
    /// Cases with a score below the threshold are read by the first reader alone, the others as
    /// usual by two. Lång et al. 2023, doi:10.1016/S1470-2045(23)00298-X, without what the readers
    /// there saw of the algorithm.
    RiskAdapted {
        /// Scores of at least this are read twice.
        double_from: f64,
    },
}

/// What follows when the first reader and the algorithm disagree.
///
/// ```
/// use lobule_stats::triage::{Arbitration, TriageRule};
/// let rule = TriageRule::SecondReader { from: 0.9, arbitration: Arbitration::EitherRecalls };
/// assert!(matches!(rule, TriageRule::SecondReader { .. }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arbitration {
    /// The case is recalled.
    EitherRecalls,
    /// The arbiter's recorded decision holds, for one more human reading. Where arbiters saw only
    /// cases on which two humans disagreed, it is missing for others, which is an error.
    Arbiter,
    /// The second human reader's decision holds, for one more human reading.
    SecondReader,
}

/// What happens to a case that the readers find normal and the algorithm suspicious.
///
/// ```
/// use lobule_stats::triage::{SafetyNet, TriageRule};
/// let rule = TriageRule::SafetyNet { from: 0.98, action: SafetyNet::Recall };
/// assert!(matches!(rule, TriageRule::SafetyNet { .. }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SafetyNet {
    /// It is recalled.
    Recall,
    /// The arbiter reads it once more, and decides.
    Reread,
}

impl TriageRule {
    pub(super) fn check(&self) -> Result<(), Error> {
        match *self {
            TriageRule::ReadersAlone => Ok(()),
            TriageRule::RuleOut { below: threshold }
            | TriageRule::SecondReader {
                from: threshold, ..
            }
            | TriageRule::SafetyNet {
                from: threshold, ..
            }
            | TriageRule::RiskAdapted {
                double_from: threshold,
            } => check_threshold(threshold),
            TriageRule::DecisionReferral { below, from } if below <= from => Ok(()),
            TriageRule::DecisionReferral { below, from } => Err(Error::new(
                ErrorKind::OutOfRange,
                format!("expected a lower and an upper threshold, got {below} and {from}"),
            )),
        }
    }

    /// What the rule does with a case that is usually treated as given.
    pub(super) fn pathway(
        &self,
        screening: &Screening,
        case: usize,
        usual: Pathway,
    ) -> Result<Pathway, Error> {
        let score = screening.ai_scores[case];
        match *self {
            TriageRule::RuleOut { below } if score < below => Ok(Pathway::unread(false)),
            TriageRule::ReadersAlone | TriageRule::RuleOut { .. } => Ok(usual),
            TriageRule::DecisionReferral { below, .. } if score < below => {
                Ok(Pathway::unread(false))
            }
            TriageRule::DecisionReferral { from, .. } if score >= from => Ok(Pathway::unread(true)),
            TriageRule::DecisionReferral { .. } => Ok(usual),
            TriageRule::SecondReader { from, arbitration } => {
                beside_first_reader(screening, case, score >= from, arbitration)
            }
            TriageRule::SafetyNet { from, .. } if usual.recalled || score < from => Ok(usual),
            TriageRule::SafetyNet { action, .. } => second_chance(screening, case, usual, action),
            TriageRule::RiskAdapted { double_from } => {
                need_second_reader(screening, case)?;
                if score >= double_from {
                    return Ok(usual);
                }
                Ok(Pathway {
                    recalled: screening.first_reader[case],
                    readings: 1,
                })
            }
        }
    }
}

fn beside_first_reader(
    screening: &Screening,
    case: usize,
    ai_recalls: bool,
    arbitration: Arbitration,
) -> Result<Pathway, Error> {
    let first = screening.first_reader[case];
    if first == ai_recalls {
        return Ok(Pathway {
            recalled: first,
            readings: 1,
        });
    }
    let (recalled, readings) = match arbitration {
        Arbitration::EitherRecalls => (true, 1),
        Arbitration::Arbiter => (screening.arbitrate(case)?, 2),
        Arbitration::SecondReader => (need_second_reader(screening, case)?, 2),
    };
    Ok(Pathway { recalled, readings })
}

fn second_chance(
    screening: &Screening,
    case: usize,
    usual: Pathway,
    action: SafetyNet,
) -> Result<Pathway, Error> {
    Ok(match action {
        SafetyNet::Recall => Pathway {
            recalled: true,
            ..usual
        },
        SafetyNet::Reread => Pathway {
            recalled: screening.arbitrate(case)?,
            readings: usual.readings + 1,
        },
    })
}

fn need_second_reader(screening: &Screening, case: usize) -> Result<bool, Error> {
    let second_reader = screening.second_reader.as_ref();
    second_reader
        .map(|decisions| decisions[case])
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Design,
                "expected a second reader for this rule, got none",
            )
        })
}

/// The outcome of a rule at each threshold, in the order given: what a triage curve is drawn from
/// (cancers missed against readings saved, for instance). The threshold to use must come from
/// other cases, or its figures are flattered.
///
/// ```
/// use lobule_stats::triage::{Screening, ScreeningColumns, TriageRule, triage_curve};
/// let screening = Screening::new(&ScreeningColumns {
///     truth: &[false, false, true],
///     ai_scores: &[0.1, 0.4, 0.3],
///     first_reader: &[false, true, true],
///     ..ScreeningColumns::default()
/// })?;
/// let rule_out = |below| TriageRule::RuleOut { below };
/// let curve = triage_curve(&screening, &[0.2, 0.35], rule_out)?;
/// let missed: Vec<usize> = curve.iter().map(|outcome| outcome.cancers_missed()).collect();
/// assert_eq!(missed, [0, 1]);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// Those of [`Screening::apply`].
pub fn triage_curve(
    screening: &Screening,
    thresholds: &[f64],
    rule: impl Fn(f64) -> TriageRule,
) -> Result<Vec<TriageOutcome>, Error> {
    let outcomes = thresholds
        .iter()
        .map(|&threshold| screening.apply(rule(threshold)));
    outcomes.collect()
}
