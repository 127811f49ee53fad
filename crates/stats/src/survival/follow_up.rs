//! Times to an event or to the end of follow-up, and labels of groups.

use crate::cases::{Ranking, check_lengths};
use crate::{Error, ErrorKind};

/// One time per subject, and whether it ends with the event or is censored.
///
/// Symbols used in this module: Tᵢ the time of subject i, δᵢ 1 for an event and 0 for a censored
/// time; at a time t, n(t) subjects are at risk (Tᵢ ≥ t) and d(t) of them have the event. Where an
/// event and a censoring share a time, the event comes first: the censored subject is still at
/// risk. Times are equal only when they are the same number: round them first if they were
/// computed.
///
/// ```
/// use lobule_stats::survival::FollowUp;
/// let follow_up = FollowUp::new(&[5.0, 8.0, 8.0], &[true, false, true])?;
/// assert_eq!((follow_up.n_subjects(), follow_up.n_events()), (3, 2));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FollowUp {
    times: Vec<f64>,
    events: Vec<bool>,
}

impl FollowUp {
    /// Times ≥ 0, in any one unit and order; `true` for an event.
    ///
    /// ```
    /// use lobule_stats::survival::FollowUp;
    /// let error = FollowUp::new(&[1.0, -2.0], &[true, false]).unwrap_err();
    /// assert_eq!(error.to_string(), "expected times at or above 0, got -2 for subject 1");
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`], or
    /// [`ErrorKind::OutOfRange`] for a negative time.
    pub fn new(times: &[f64], events: &[bool]) -> Result<FollowUp, Error> {
        check_lengths("event flags", events.len(), "times", times.len())?;
        check_times(times)?;
        Ok(FollowUp {
            times: times.to_vec(),
            events: events.to_vec(),
        })
    }

    /// Subjects, at least one.
    ///
    /// ```
    /// # use lobule_stats::survival::FollowUp;
    /// assert_eq!(FollowUp::new(&[3.0], &[false])?.n_subjects(), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_subjects(&self) -> usize {
        self.times.len()
    }

    /// Subjects with the event.
    ///
    /// ```
    /// # use lobule_stats::survival::FollowUp;
    /// assert_eq!(FollowUp::new(&[3.0], &[false])?.n_events(), 0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_events(&self) -> usize {
        self.events.iter().filter(|&&event| event).count()
    }

    /// The times, in the order given.
    ///
    /// ```
    /// # use lobule_stats::survival::FollowUp;
    /// assert_eq!(FollowUp::new(&[3.0, 1.0], &[false, true])?.times(), [3.0, 1.0]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Whether each time ends with the event, in the order given.
    ///
    /// ```
    /// # use lobule_stats::survival::FollowUp;
    /// assert_eq!(FollowUp::new(&[3.0, 1.0], &[false, true])?.events(), [false, true]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn events(&self) -> &[bool] {
        &self.events
    }

    /// The longest time.
    ///
    /// ```
    /// # use lobule_stats::survival::FollowUp;
    /// assert_eq!(FollowUp::new(&[3.0, 1.0], &[false, true])?.last_time(), 3.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn last_time(&self) -> f64 {
        self.times.iter().copied().fold(0.0, f64::max)
    }

    /// Subjects by rising time, in runs of equal time.
    pub(crate) fn ranking(&self) -> Ranking {
        Ranking::ascending(&self.times)
    }

    /// The subjects named, which are some of these.
    pub(crate) fn subset(&self, subjects: &[usize]) -> FollowUp {
        FollowUp {
            times: subjects.iter().map(|&i| self.times[i]).collect(),
            events: subjects.iter().map(|&i| self.events[i]).collect(),
        }
    }
}

/// Finite times at or above zero, and at least one.
pub(crate) fn check_times(times: &[f64]) -> Result<(), Error> {
    if times.is_empty() {
        return Err(Error::new(
            ErrorKind::Empty,
            "expected at least one subject, got none",
        ));
    }
    let wrong = |time: &f64| !time.is_finite() || *time < 0.0;
    let Some(subject) = times.iter().position(wrong) else {
        return Ok(());
    };
    let time = times[subject];
    let (kind, what) = if time.is_finite() {
        (ErrorKind::OutOfRange, "times at or above 0")
    } else {
        (ErrorKind::NotFinite, "finite times")
    };
    Err(Error::new(
        kind,
        format!("expected {what}, got {time} for subject {subject}"),
    ))
}

/// Labels of subjects as ranks 0, 1, … of the distinct labels, in rising order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Labels {
    /// The distinct labels, rising.
    pub(crate) names: Vec<usize>,
    /// The rank of each subject's label.
    pub(crate) ranks: Vec<usize>,
}

impl Labels {
    /// One label per subject.
    pub(crate) fn new(what: &str, labels: &[usize], n_subjects: usize) -> Result<Labels, Error> {
        check_lengths(what, labels.len(), "subjects", n_subjects)?;
        let mut names = labels.to_vec();
        names.sort_unstable();
        names.dedup();
        let rank = |label| names.binary_search(label).expect("every label was taken");
        let ranks = labels.iter().map(rank).collect();
        Ok(Labels { names, ranks })
    }

    /// As [`Labels::new`], and one label for all where there are none.
    pub(crate) fn optional(
        what: &str,
        labels: Option<&[usize]>,
        n_subjects: usize,
    ) -> Result<Labels, Error> {
        match labels {
            Some(labels) => Labels::new(what, labels, n_subjects),
            None => Ok(Labels {
                names: vec![0],
                ranks: vec![0; n_subjects],
            }),
        }
    }

    /// The subjects of each label, in their order.
    pub(crate) fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.names.len()];
        for (subject, &rank) in self.ranks.iter().enumerate() {
            members[rank].push(subject);
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_follow_up_is_refused_by_kind() {
        let cases: [(&[f64], &[bool], ErrorKind); 5] = [
            (&[], &[], ErrorKind::Empty),
            (&[1.0], &[], ErrorKind::Mismatch),
            (&[f64::NAN], &[true], ErrorKind::NotFinite),
            (&[f64::INFINITY], &[true], ErrorKind::NotFinite),
            (&[-1.0], &[true], ErrorKind::OutOfRange),
        ];
        for (times, events, kind) in cases {
            assert_eq!(FollowUp::new(times, events).unwrap_err().kind(), kind);
        }
    }

    #[test]
    fn labels_become_ranks() {
        let labels = Labels::new("groups", &[7, 3, 7], 3).unwrap();
        assert_eq!(
            (labels.names.as_slice(), labels.ranks.as_slice()),
            (&[3, 7][..], &[1, 0, 1][..])
        );
        assert_eq!(labels.members(), [vec![1], vec![0, 2]]);
        assert!(Labels::new("groups", &[1], 2).is_err());
    }
}
