//! Isotonic regression.

use super::Calibrator;
use crate::cases::{Ranking, check_probabilities};
use crate::{Error, ErrorKind};

/// Isotonic calibration: the rising step function nearest to the truth, by pooling adjacent
/// violators.
///
/// Method: cases with equal scores are pooled, then neighbouring blocks while the share of
/// diseased cases does not rise; a block gives its share at its lowest and highest score, and
/// lines join the blocks. Symbols: `clip` c, in 0..½: shares are kept in `c..=1 − c`, because a
/// block of five healthy cases does not prove a probability of 0.
/// Result: [`Calibrator::Isotonic`], never falling; a score that ranks backwards gives a constant.
/// Ayer et al. 1955, doi:10.1214/aoms/1177728423; Zadrozny & Elkan 2002,
/// doi:10.1145/775047.775151.
///
/// ```
/// use lobule_stats::calibration::{Calibrator, fit_isotonic};
/// let scores = [0.1, 0.2, 0.3, 0.4, 0.5];
/// let truth = [false, true, false, true, true];
/// let expected = Calibrator::Isotonic {
///     x: vec![0.1, 0.2, 0.3, 0.4, 0.5],
///     y: vec![0.01, 0.5, 0.5, 0.99, 0.99],
/// };
/// assert_eq!(fit_isotonic(&scores, &truth, 0.01)?, expected);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// Those of the inputs ([`ErrorKind::OutOfRange`] for scores outside 0..=1 or a clip outside
/// 0..½).
pub fn fit_isotonic(scores: &[f64], truth: &[bool], clip: f64) -> Result<Calibrator, Error> {
    check_probabilities(scores, truth)?;
    if !(0.0..0.5).contains(&clip) {
        return Err(Error::new(
            ErrorKind::OutOfRange,
            format!("expected a clip of at least 0 and below 0.5, got {clip}"),
        ));
    }
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for block in pool_adjacent_violators(scores, truth) {
        let share = block.share().clamp(clip, 1.0 - clip);
        x.push(block.lowest);
        y.push(share);
        if block.highest > block.lowest {
            x.push(block.highest);
            y.push(share);
        }
    }
    Ok(Calibrator::Isotonic { x, y })
}

#[derive(Debug, Clone, Copy)]
struct Block {
    lowest: f64,
    highest: f64,
    positives: usize,
    total: usize,
}

impl Block {
    fn share(&self) -> f64 {
        self.positives as f64 / self.total as f64
    }

    /// Whether the share is at least that of the block to the right, in integers.
    fn violates(&self, right: &Block) -> bool {
        self.positives as u128 * right.total as u128 >= right.positives as u128 * self.total as u128
    }

    fn merge(&self, right: &Block) -> Block {
        Block {
            lowest: self.lowest,
            highest: right.highest,
            positives: self.positives + right.positives,
            total: self.total + right.total,
        }
    }
}

fn pool_adjacent_violators(scores: &[f64], truth: &[bool]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for run in Ranking::ascending(scores).runs() {
        let score = scores[run[0]];
        let mut block = Block {
            lowest: score,
            highest: score,
            positives: run.iter().filter(|&&case| truth[case]).count(),
            total: run.len(),
        };
        while let Some(left) = blocks.pop_if(|left| left.violates(&block)) {
            block = left.merge(&block);
        }
        blocks.push(block);
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores, truths, and the points expected of them.
    type Case<'a> = (&'a [f64], &'a [u8], &'a [f64], &'a [f64]);

    #[test]
    fn pooling_follows_the_hand_case() {
        let cases: [Case; 4] = [
            // Perfect order: two blocks.
            (
                &[0.1, 0.2, 0.8],
                &[0, 0, 1],
                &[0.1, 0.2, 0.8],
                &[0.0, 0.0, 1.0],
            ),
            // Backwards: one block.
            (&[0.1, 0.2, 0.8], &[1, 0, 0], &[0.1, 0.8], &[1.0 / 3.0; 2]),
            // Ties are one block from the start.
            (&[0.3, 0.3, 0.9], &[0, 1, 1], &[0.3, 0.9], &[0.5, 1.0]),
            // A late violator is pooled back over two blocks.
            (
                &[0.1, 0.2, 0.3, 0.4, 0.5],
                &[0, 1, 1, 0, 0],
                &[0.1, 0.2, 0.5],
                &[0.0, 0.5, 0.5],
            ),
        ];
        for (scores, truth, x, y) in cases {
            let truth: Vec<bool> = truth.iter().map(|&t| t == 1).collect();
            let expected = Calibrator::Isotonic {
                x: x.to_vec(),
                y: y.to_vec(),
            };
            let got = fit_isotonic(scores, &truth, 0.0).unwrap();
            assert_eq!(got, expected);
            got.check().unwrap();
        }
    }

    #[test]
    fn clips_outside_their_range_are_refused() {
        for clip in [-0.1, 0.5, f64::NAN] {
            let error = fit_isotonic(&[0.1, 0.2], &[false, true], clip).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfRange);
        }
    }
}
