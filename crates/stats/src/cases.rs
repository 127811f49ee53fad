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
    // Looked at all together first, which is several times faster.
    if scores
        .iter()
        .fold(true, |all, score| all & score.is_finite())
    {
        return Ok(());
    }
    let case = scores.iter().position(|score| !score.is_finite());
    let case = case.expect("one of the scores is not finite");
    let text = format!(
        "expected finite scores, got {} for case {case}",
        scores[case]
    );
    Err(Error::new(ErrorKind::NotFinite, text))
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
        let order = order_of(scores);
        // Written first and counted then: a branch would be guessed wrong too often.
        let (mut run_ends, mut n_runs) = (vec![order.len(); order.len()], 0);
        for (pair, end) in order.windows(2).zip(1..) {
            run_ends[n_runs] = end;
            n_runs += usize::from(scores[pair[0]] != scores[pair[1]]);
        }
        if !order.is_empty() {
            run_ends[n_runs] = order.len();
            run_ends.truncate(n_runs + 1);
        }
        Ranking { order, run_ends }
    }

    /// How many runs there are.
    pub(crate) fn n_runs(&self) -> usize {
        self.run_ends.len()
    }

    /// Each case with the number of its run, lowest score first.
    pub(crate) fn cases(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut next = 0;
        self.order.iter().zip(1..).map(move |(&case, end)| {
            let run = next;
            next += usize::from(self.run_ends[run] == end);
            (case, run)
        })
    }

    /// The runs of equal score, lowest score first.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &[usize]> {
        let starts = std::iter::once(0).chain(self.run_ends.iter().copied());
        starts
            .zip(&self.run_ends)
            .map(|(start, &end)| &self.order[start..end])
    }
}

/// The cases by rising score, then by index. Sorting whole numbers is several times faster than
/// sorting pairs, so a case's index takes the lowest bits of its score; scores that differ only there
/// are then put in order among themselves.
fn order_of(scores: &[f64]) -> Vec<usize> {
    let index_bits = (scores.len().next_power_of_two() - 1) as u64;
    let keys = scores.iter().zip(0..);
    let mut keys: Vec<u64> = keys
        .map(|(&score, case)| rising_bits(score) & !index_bits | case)
        .collect();
    keys.sort_unstable();
    let case = |key: u64| (key & index_bits) as usize;
    let near = |a: &u64, b: &u64| (a ^ b) & !index_bits == 0;
    let hidden =
        |pair: &[u64]| near(&pair[0], &pair[1]) & (scores[case(pair[0])] != scores[case(pair[1])]);
    if keys.windows(2).fold(false, |any, pair| any | hidden(pair)) {
        for near in keys.chunk_by_mut(near) {
            near.sort_by_key(|&key| rising_bits(scores[case(key)]));
        }
    }
    keys.into_iter().map(case).collect()
}

/// Whole numbers in the order of the finite scores; 0 and −0 are one.
fn rising_bits(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    let sign = 1 << 63;
    if bits & sign == 0 { bits | sign } else { !bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_hold_equal_scores_in_rising_order() {
        let ranking = Ranking::ascending(&[0.5, -1.0, 0.5, 0.0, -0.0]);
        let runs: Vec<&[usize]> = ranking.runs().collect();
        assert_eq!(runs, [&[1][..], &[3, 4], &[0, 2]]);
        assert_eq!(Ranking::ascending(&[]).runs().count(), 0);
    }

    #[test]
    fn scores_that_differ_in_their_last_bits_are_told_apart() {
        let near = |steps: u64| f64::from_bits(1.0_f64.to_bits() + steps);
        let scores: Vec<f64> = [3, 1, 2, 1, 0, 9].map(near).to_vec();
        let both: Vec<f64> = scores.iter().flat_map(|&v| [v, -v]).collect();
        for scores in [scores, both] {
            let mut expected: Vec<usize> = (0..scores.len()).collect();
            expected.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
            assert_eq!(order_of(&scores), expected);
        }
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
