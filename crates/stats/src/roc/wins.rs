//! Wins of each case over those of the other class, counted in whole numbers.
//!
//! Owns: [`WinCounts`], from which areas and placements follow exactly. Does not own: their variances.

use crate::levels::Levels;

/// What every case wins, by level of score. A win counts 2, a tie 1.
pub(crate) struct WinCounts {
    levels: Levels,
    /// Healthy and diseased cases of each level.
    pub(crate) counts: Vec<[usize; 2]>,
    /// What a healthy and a diseased case of each level win.
    of_level: Vec<[usize; 2]>,
    /// The sum over either class.
    total: u128,
}

impl WinCounts {
    /// Of finite scores and as many truths.
    pub(crate) fn count(scores: &[f64], truth: &[bool]) -> WinCounts {
        let levels = Levels::of(scores);
        let mut counts = vec![[0; 2]; levels.count()];
        for (level, &present) in levels.of_case().zip(truth) {
            counts[level][usize::from(present)] += 1;
        }
        let n_positive: usize = counts.iter().map(|count| count[1]).sum();
        let (mut below, mut total) = ([0; 2], 0);
        let of_level = counts.iter().map(|&[negatives, positives]| {
            let positives_not_below = n_positive - below[1];
            let wins = [
                2 * positives_not_below - positives,
                2 * below[0] + negatives,
            ];
            total += positives as u128 * wins[1] as u128;
            below = [below[0] + negatives, below[1] + positives];
            wins
        });
        WinCounts {
            of_level: of_level.collect(),
            levels,
            counts,
            total,
        }
    }

    /// The area, 2 m n being the wins there are.
    pub(crate) fn auc(&self, n_positive: usize, n_negative: usize) -> f64 {
        self.total as f64 / (2.0 * n_positive as f64 * n_negative as f64)
    }

    /// The sum of the wins of either class.
    pub(crate) fn total(&self) -> f64 {
        self.total as f64
    }

    /// `value(wins, truth)` of each case, found once per level and class.
    pub(crate) fn values(&self, truth: &[bool], value: impl Fn(f64, usize) -> f64) -> Vec<f64> {
        let of_level = self.of_level.iter();
        let of_level: Vec<[f64; 2]> = of_level
            .map(|wins| [0, 1].map(|class| value(wins[class] as f64, class)))
            .collect();
        // Indexed by truth: a branch on it would be guessed wrong for every other case.
        let cases = self.levels.of_case().zip(truth);
        cases
            .map(|(level, &present)| of_level[level][usize::from(present)])
            .collect()
    }

    /// The level of each case, lowest score first.
    pub(crate) fn levels(&self) -> &Levels {
        &self.levels
    }
}
