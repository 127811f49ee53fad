//! Permutation tests of paired measurements.
//!
//! Owns: the exchange of the two members of pairs ([`permutation_test`]), and the area under the
//! ROC curve by it ([`permutation_auc_test`]). Does not own: the statistic.
//!
//! ```
//! use lobule_stats::permutation::{PermutationConfig, permutation_test};
//! let differences = [0.4, 0.1, 0.3, -0.1, 0.5, 0.2, 0.3, 0.4];
//! let mean = |exchanged: &[bool]| {
//!     let signed = differences.iter().zip(exchanged).map(|(d, &e)| if e { -d } else { *d });
//!     signed.sum::<f64>() / 8.0
//! };
//! let test = permutation_test(8, &PermutationConfig::with_seed(1), mean)?;
//! assert!(test.p_value < 0.05);
//! # Ok::<(), lobule_stats::Error>(())
//! ```

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;

use crate::cases::{Ranking, check_cases};
use crate::roc::Roc;
use crate::{Error, ErrorKind};

/// More permutations than this gain nothing.
const MAX_PERMUTATIONS: usize = 10_000_000;
/// Statistics this much (relative) below the observed one are equal but for rounding.
const TIE: f64 = 1e-12;

/// How many permutations, and from which seed.
///
/// ```
/// use lobule_stats::permutation::PermutationConfig;
/// assert_eq!(PermutationConfig::with_seed(5).n_permutations, 10_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermutationConfig {
    /// 1 to 10⁷; 10,000 by default. Where there are no more permutations than this, all are
    /// visited once and the test is exact.
    pub n_permutations: usize,
    /// Of the ChaCha generator. The same seed gives the same result on any number of threads.
    pub seed: u64,
}

impl PermutationConfig {
    /// The defaults, with a seed.
    ///
    /// ```
    /// # use lobule_stats::permutation::PermutationConfig;
    /// assert_eq!(PermutationConfig::with_seed(5).seed, 5);
    /// ```
    pub fn with_seed(seed: u64) -> PermutationConfig {
        PermutationConfig {
            n_permutations: 10_000,
            seed,
        }
    }
}

/// The result of a permutation test.
///
/// ```
/// use lobule_stats::permutation::{PermutationConfig, permutation_test};
/// let test = permutation_test(3, &PermutationConfig::with_seed(1), |_| 1.0)?;
/// assert_eq!((test.p_value, test.n_permutations), (1.0, 8));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PermutationTest {
    /// On the pairs as they are.
    pub statistic: f64,
    /// Two-sided.
    pub p_value: f64,
    /// Visited.
    pub n_permutations: usize,
    /// Whether all permutations were visited.
    pub is_exact: bool,
}

/// Exchanges the members of each pair with probability ½ and asks how often the statistic is as
/// far from 0 as it is without exchanges.
///
/// Formula: `p = (1 + #{|T*| ≥ |T|}) / (1 + B)` over B random permutations, or
/// `p = #{|T*| ≥ |T|} / 2ⁿ` over all. Symbols: T the statistic, which must be 0 on average when the
/// members of pairs are exchangeable; n pairs. The statistic gets one flag per pair, `true` where
/// its members are exchanged. Degenerate: a constant statistic has p 1.
/// Phipson & Smyth 2010, doi:10.2202/1544-6115.1585.
///
/// ```
/// use lobule_stats::{ErrorKind, permutation::{PermutationConfig, permutation_test}};
/// let config = PermutationConfig { n_permutations: 0, seed: 1 };
/// let error = permutation_test(4, &config, |_| 0.0).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::OutOfRange);
/// ```
///
/// # Errors
/// [`ErrorKind::Empty`] without pairs, [`ErrorKind::OutOfRange`] for a number of permutations
/// outside 1..=10⁷, [`ErrorKind::Undefined`] by a statistic that is not finite.
pub fn permutation_test<F>(
    n_pairs: usize,
    config: &PermutationConfig,
    statistic: F,
) -> Result<PermutationTest, Error>
where
    F: Fn(&[bool]) -> f64 + Sync,
{
    check(n_pairs, config)?;
    let observed = finite(statistic(&vec![false; n_pairs]))?;
    let is_exact = n_pairs < 32 && 1_usize << n_pairs <= config.n_permutations;
    let n_permutations = if is_exact {
        1 << n_pairs
    } else {
        config.n_permutations
    };
    let as_far = |flags: &mut Vec<bool>, permutation: usize| {
        match is_exact {
            true => (0..n_pairs).for_each(|pair| flags[pair] = permutation >> pair & 1 == 1),
            false => draw(config.seed, permutation as u64, flags),
        }
        let value = finite(statistic(flags))?;
        Ok(usize::from(value.abs() >= observed.abs() * (1.0 - TIE)))
    };
    let flags = || vec![false; n_pairs];
    let counts = (0..n_permutations).into_par_iter().map_init(flags, as_far);
    let n_as_far = counts.sum::<Result<usize, Error>>()? as f64;
    Ok(PermutationTest {
        statistic: observed,
        p_value: match is_exact {
            true => n_as_far / n_permutations as f64,
            false => (1.0 + n_as_far) / (1.0 + n_permutations as f64),
        },
        n_permutations,
        is_exact,
    })
}

/// Tests whether two scores on the same cases have the same area, by exchanging their ranks case
/// by case.
///
/// Each score is replaced by its midranks, so that two scales can be exchanged; the statistic is
/// the difference of the areas. Formula and degenerate cases as in [`permutation_test`].
/// Bandos, Rockette, Gur 2005, doi:10.1002/sim.2149.
///
/// ```
/// use lobule_stats::permutation::{PermutationConfig, permutation_auc_test};
/// let truth = [false, true, false, true];
/// let (a, b) = ([1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0]);
/// let test = permutation_auc_test(&a, &b, &truth, &PermutationConfig::with_seed(1))?;
/// assert_eq!(test.p_value, 1.0);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// As [`permutation_test`] and [`Roc::new`].
pub fn permutation_auc_test(
    first: &[f64],
    second: &[f64],
    truth: &[bool],
    config: &PermutationConfig,
) -> Result<PermutationTest, Error> {
    check_cases(first, truth)?;
    check_cases(second, truth)?;
    let (a, b) = (midranks(first), midranks(second));
    let difference = |exchanged: &[bool]| {
        let pick = |one: &[f64], other: &[f64]| -> Vec<f64> {
            let pairs = one.iter().zip(other).zip(exchanged);
            pairs
                .map(|((&x, &y), &exchanged)| if exchanged { y } else { x })
                .collect()
        };
        let area = |scores: Vec<f64>| Roc::new(&scores, truth).map_or(f64::NAN, |roc| roc.auc());
        area(pick(&a, &b)) - area(pick(&b, &a))
    };
    permutation_test(truth.len(), config, difference)
}

/// Ranks from 1, ties sharing the mean of theirs.
fn midranks(scores: &[f64]) -> Vec<f64> {
    let (mut ranks, mut before) = (vec![0.0; scores.len()], 0.0);
    for run in Ranking::ascending(scores).runs() {
        let rank = before + (run.len() as f64 + 1.0) / 2.0;
        run.iter().for_each(|&case| ranks[case] = rank);
        before += run.len() as f64;
    }
    ranks
}

/// Fair coins from the permutation's own stream.
fn draw(seed: u64, permutation: u64, flags: &mut [bool]) {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(permutation);
    for chunk in flags.chunks_mut(64) {
        let bits = generator.next_u64();
        for (bit, flag) in chunk.iter_mut().enumerate() {
            *flag = bits >> bit & 1 == 1;
        }
    }
}

fn check(n_pairs: usize, config: &PermutationConfig) -> Result<(), Error> {
    if n_pairs == 0 {
        return Err(Error::new(ErrorKind::Empty, "expected pairs, got none"));
    }
    let n = config.n_permutations;
    if (1..=MAX_PERMUTATIONS).contains(&n) {
        return Ok(());
    }
    let text = format!("expected 1 to {MAX_PERMUTATIONS} permutations, got {n}");
    Err(Error::new(ErrorKind::OutOfRange, text))
}

fn finite(value: f64) -> Result<f64, Error> {
    if value.is_finite() {
        return Ok(value);
    }
    let text = format!("expected a finite statistic, got {value}");
    Err(Error::new(ErrorKind::Undefined, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four differences of one sign: 2 of 16 sign patterns are as extreme.
    #[test]
    fn small_tests_are_exact() {
        let differences = [1.0, 2.0, 3.0, 4.0];
        let sum = |exchanged: &[bool]| -> f64 {
            let signed = differences.iter().zip(exchanged);
            signed.map(|(d, &e)| if e { -d } else { *d }).sum()
        };
        let test = permutation_test(4, &PermutationConfig::with_seed(1), sum).unwrap();
        assert_eq!((test.p_value, test.is_exact), (2.0 / 16.0, true));
        let config = PermutationConfig {
            n_permutations: 15,
            seed: 1,
        };
        assert!(!permutation_test(4, &config, sum).unwrap().is_exact);
    }

    #[test]
    fn drawn_permutations_come_near_the_exact_answer() {
        let differences: Vec<f64> = (0..13).map(|i| f64::from(i * i % 7) - 2.2).collect();
        let sum = |exchanged: &[bool]| -> f64 {
            let signed = differences.iter().zip(exchanged);
            signed.map(|(d, &e)| if e { -d } else { *d }).sum()
        };
        let p = |n_permutations| {
            let config = PermutationConfig {
                n_permutations,
                seed: 3,
            };
            permutation_test(13, &config, sum).unwrap().p_value
        };
        // Four standard errors of a share of 8,000.
        assert!((p(8_192) - p(8_000)).abs() < 4.0 * (0.25_f64 / 8_000.0).sqrt());
        assert_eq!(p(8_000), p(8_000));
    }
}
