//! The door: scores, truth and probabilities are checked here before anything is computed.
//!
//! Owns: the checks that every statistic shares, and the order of the cases by score. Does not
//! own: any statistic.

use crate::{Error, ErrorKind};

/// Cases of each class, both above zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClassCounts {
    pub(crate) positives: usize,
    pub(crate) negatives: usize,
}

/// Finite scores, as many as truths, both classes present.
pub(crate) fn check_cases(scores: &[f64], truth: &[bool]) -> Result<ClassCounts, Error> {
    check_lengths("truths", truth.len(), "scores", scores.len())?;
    check_finite(scores)?;
    let positives = truth.iter().filter(|&&present| present).count();
    let negatives = truth.len() - positives;
    if positives == 0 || negatives == 0 {
        return Err(Error::new(
            ErrorKind::SingleClass,
            format!("expected both classes, got {positives} positive and {negatives} negative"),
        ));
    }
    Ok(ClassCounts {
        positives,
        negatives,
    })
}

/// As [`check_cases`], and every score in 0..=1.
pub(crate) fn check_probabilities(
    probabilities: &[f64],
    truth: &[bool],
) -> Result<ClassCounts, Error> {
    let counts = check_cases(probabilities, truth)?;
    check_range(probabilities)?;
    Ok(counts)
}

/// Every value in 0..=1.
pub(crate) fn check_range(probabilities: &[f64]) -> Result<(), Error> {
    let outside = |p: &f64| !(0.0..=1.0).contains(p);
    match probabilities.iter().position(outside) {
        None => Ok(()),
        Some(case) => Err(Error::new(
            ErrorKind::OutOfRange,
            format!(
                "expected probabilities in 0..=1, got {} for case {case}",
                probabilities[case]
            ),
        )),
    }
}

/// Every score finite, and at least one.
pub(crate) fn check_finite(scores: &[f64]) -> Result<(), Error> {
    if scores.is_empty() {
        return Err(Error::new(
            ErrorKind::Empty,
            "expected at least one case, got none",
        ));
    }
    match scores.iter().position(|score| !score.is_finite()) {
        None => Ok(()),
        Some(case) => Err(Error::new(
            ErrorKind::NotFinite,
            format!(
                "expected finite scores, got {} for case {case}",
                scores[case]
            ),
        )),
    }
}

/// As many of one thing as of the other.
pub(crate) fn check_lengths(
    what: &str,
    n_what: usize,
    reference: &str,
    n_reference: usize,
) -> Result<(), Error> {
    if n_what == n_reference {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Mismatch,
        format!("expected as many {what} as {reference} ({n_reference}), got {n_what}"),
    ))
}

/// The cases by rising score, cut into runs of equal score.
pub(crate) struct Ranking {
    order: Vec<usize>,
    run_ends: Vec<usize>,
}

impl Ranking {
    /// Sorts finite scores. Ties keep the order of the cases.
    pub(crate) fn ascending(scores: &[f64]) -> Ranking {
        let mut keyed: Vec<(f64, usize)> = scores.iter().copied().zip(0..).collect();
        keyed.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let run_ends = (1..=keyed.len())
            .filter(|&end| end == keyed.len() || keyed[end].0 != keyed[end - 1].0)
            .collect();
        let order = keyed.into_iter().map(|(_, case)| case).collect();
        Ranking { order, run_ends }
    }

    /// The runs of equal score, lowest score first.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &[usize]> {
        let starts = std::iter::once(0).chain(self.run_ends.iter().copied());
        starts
            .zip(&self.run_ends)
            .map(|(start, &end)| &self.order[start..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_hold_equal_scores_in_rising_order() {
        let ranking = Ranking::ascending(&[0.5, -1.0, 0.5, 0.0, -0.0]);
        let runs: Vec<&[usize]> = ranking.runs().collect();
        assert_eq!(runs, [&[1][..], &[4, 3], &[0, 2]]);
        assert_eq!(Ranking::ascending(&[]).runs().count(), 0);
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_kind() {
        let cases = [
            (check_cases(&[], &[]).map(drop), ErrorKind::Empty),
            (check_cases(&[1.0], &[]).map(drop), ErrorKind::Mismatch),
            (
                check_cases(&[f64::INFINITY, 1.0], &[true, false]).map(drop),
                ErrorKind::NotFinite,
            ),
            (
                check_cases(&[1.0, 2.0], &[true, true]).map(drop),
                ErrorKind::SingleClass,
            ),
            (
                check_probabilities(&[1.0, 2.0], &[true, false]).map(drop),
                ErrorKind::OutOfRange,
            ),
        ];
        for (result, kind) in cases {
            assert_eq!(result.unwrap_err().kind(), kind);
        }
    }
}
