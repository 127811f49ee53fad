//! Scores as whole numbers in the same order: all that counting wins needs to know of them.
//!
//! Owns: [`Levels`], found by counting where scores lie on a scale of not too many points, as
//! ratings of readers do, else by sorting. Does not own: the order of the cases ([`Ranking`]).

use crate::cases::Ranking;

/// Points of a scale at most, evenly spaced from the lowest score to the highest; a scale of
/// hundredths has ten units.
const POINTS: usize = 1024;
/// For fewer scores, sorting is faster than looking at so many points.
const MIN_SCORES: usize = 128;

/// Numbers from 0 without gaps, equal for equal scores and higher for higher ones.
pub(crate) struct Levels {
    of_case: Vec<u32>,
    count: usize,
}

impl Levels {
    /// Of finite scores, fewer than 2³².
    pub(crate) fn of(scores: &[f64]) -> Levels {
        on_scale(scores).unwrap_or_else(|| ranked(scores))
    }

    /// The level of each case.
    pub(crate) fn of_case(&self) -> impl Iterator<Item = usize> {
        self.of_case.iter().map(|&level| level as usize)
    }

    /// How many levels there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

/// `None` where one point of the scale would hold different scores.
fn on_scale(scores: &[f64]) -> Option<Levels> {
    if scores.len() < MIN_SCORES {
        return None;
    }
    let ends = |(low, high): (f64, f64), &score: &f64| (low.min(score), high.max(score));
    let (low, high) = scores.iter().fold((scores[0], scores[0]), ends);
    let points_per_unit = (POINTS - 1) as f64 / (high - low);
    if !points_per_unit.is_finite() {
        return None;
    }
    // No branch but the last: on data, they would be guessed wrong too often.
    let (mut held, mut shared) = (vec![f64::NAN; POINTS], false);
    let point = |&score: &f64| {
        let point = (((score - low) * points_per_unit) as usize).min(POINTS - 1);
        shared |= (held[point] < score) | (held[point] > score);
        held[point] = score;
        point as u32
    };
    let mut of_case: Vec<u32> = scores.iter().map(point).collect();
    if shared {
        return None;
    }
    let (mut level_of, mut count) = (vec![0; POINTS], 0);
    for (level, score) in level_of.iter_mut().zip(held) {
        *level = count;
        count += u32::from(!score.is_nan());
    }
    for point in &mut of_case {
        *point = level_of[*point as usize];
    }
    let count = count as usize;
    Some(Levels { of_case, count })
}

fn ranked(scores: &[f64]) -> Levels {
    let ranking = Ranking::ascending(scores);
    let mut of_case = vec![0; scores.len()];
    for (case, run) in ranking.cases() {
        of_case[case] = run as u32;
    }
    Levels {
        of_case,
        count: ranking.n_runs(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scores: &[f64]) {
        let levels = Levels::of(scores);
        let mut distinct = scores.to_vec();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        assert_eq!(levels.count(), distinct.len());
        for (level, &score) in levels.of_case().zip(scores) {
            assert_eq!(distinct[level], score);
        }
    }

    #[test]
    fn levels_are_those_of_the_sorted_scores() {
        let of = |value: fn(usize) -> f64| (0..500).map(value).collect::<Vec<f64>>();
        check(&of(|case| (case * 7 % 101) as f64));
        check(&of(|case| (case * 7 % 1001) as f64 / 100.0 - 5.0));
        check(&of(|case| (case as f64).sin()));
        check(&of(|case| (case as f64 * 0.3).exp()));
        check(&of(|_| 2.5));
        check(&of(|case| if case == 0 { f64::MAX } else { -f64::MAX }));
        check(&of(|case| (case % 3) as f64 * f64::from_bits(1)));
        check(&[3.0, -1.0, 3.0]);
        assert_eq!(Levels::of(&[]).count(), 0);
    }

    #[test]
    fn both_ways_are_taken() {
        let hundredths: Vec<f64> = (0..500).map(|case| (case % 9) as f64 / 100.0).collect();
        assert!(on_scale(&hundredths).is_some());
        let crowded: Vec<f64> = (0..500).map(|case| (case as f64).exp2()).collect();
        assert!(on_scale(&crowded).is_none());
    }
}
