//! Two proportions on the same cases.

use super::Proportion;
use crate::cases::check_lengths;
use crate::distribution::{beta_cdf, two_sided_normal};
use crate::{Confidence, Error, ErrorKind, Interval};

/// How two yes/no results agree on the same independent cases.
///
/// ```
/// use lobule_stats::{Confidence, proportion::PairedProportions};
/// let reader = [true, true, false, false, true];
/// let model = [true, false, true, false, true];
/// let pairs = PairedProportions::from_outcomes(&reader, &model)?;
/// assert_eq!((pairs.both, pairs.only_first, pairs.only_second, pairs.neither), (2, 1, 1, 1));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairedProportions {
    /// Cases where both results are yes (a).
    pub both: usize,
    /// Cases where only the first is yes (b).
    pub only_first: usize,
    /// Cases where only the second is yes (c).
    pub only_second: usize,
    /// Cases where neither is yes (d).
    pub neither: usize,
}

/// The result of McNemar's test.
///
/// ```
/// use lobule_stats::proportion::PairedProportions;
/// let pairs = PairedProportions { both: 794, only_first: 150, only_second: 86, neither: 570 };
/// assert!((pairs.mcnemar().statistic - 64.0 * 64.0 / 236.0).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// χ² with one degree of freedom, without continuity correction.
    pub statistic: f64,
    /// Two-sided, from χ².
    pub p_value: f64,
    /// Two-sided, from the binomial distribution of the discordant cases.
    pub exact_p_value: f64,
}

impl PairedProportions {
    /// Counts the four cells.
    ///
    /// ```
    /// # use lobule_stats::proportion::PairedProportions;
    /// assert!(PairedProportions::from_outcomes(&[true], &[]).is_err());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] for slices of different length, [`ErrorKind::Empty`] for none.
    pub fn from_outcomes(first: &[bool], second: &[bool]) -> Result<PairedProportions, Error> {
        check_lengths("second outcomes", second.len(), "first", first.len())?;
        let count = |a: bool, b: bool| {
            let pairs = first.iter().zip(second);
            pairs.filter(|&(&x, &y)| (x, y) == (a, b)).count()
        };
        let pairs = PairedProportions {
            both: count(true, true),
            only_first: count(true, false),
            only_second: count(false, true),
            neither: count(false, false),
        };
        pairs.check()?;
        Ok(pairs)
    }

    /// The first proportion minus the second, `(b − c) / n`.
    ///
    /// ```
    /// # use lobule_stats::proportion::PairedProportions;
    /// let pairs = PairedProportions { both: 5, only_first: 3, only_second: 1, neither: 1 };
    /// assert_eq!(pairs.difference()?, 0.2);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Empty`] when all four cells are zero.
    pub fn difference(&self) -> Result<f64, Error> {
        let total = self.check()?;
        Ok((self.only_first as f64 - self.only_second as f64) / total as f64)
    }

    /// Newcombe's interval for the difference (his method 10): Wilson's limits of the two
    /// proportions, combined with their correlation φ.
    ///
    /// Formula: `lower = Δ − √(u₁² − 2φu₁v₂ + v₂²)`, `upper = Δ + √(v₁² − 2φv₁u₂ + u₂²)`.
    /// Symbols: Δ the difference p₁ − p₂; uᵢ = pᵢ − lᵢ and vᵢ = hᵢ − pᵢ the distances to Wilson's
    /// limits lᵢ, hᵢ; φ = (ad − bc) / √((a+b)(c+d)(a+c)(b+d)) with ad − bc lowered by n/2, but
    /// not below 0, when it is positive; φ = 0 when a margin is empty.
    /// Range: inside −1..=1. Newcombe 1998,
    /// doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C.
    ///
    /// ```
    /// use lobule_stats::{Confidence, proportion::PairedProportions};
    /// let pairs = PairedProportions { both: 36, only_first: 12, only_second: 2, neither: 0 };
    /// let interval = pairs.interval(Confidence::NINETY_FIVE)?;
    /// assert_eq!(format!("{:.4} {:.4}", interval.lower, interval.upper), "0.0569 0.3404");
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Empty`] when all four cells are zero.
    pub fn interval(&self, confidence: Confidence) -> Result<Interval, Error> {
        let total = self.check()?;
        let first = Proportion::new(self.both + self.only_first, total)?;
        let second = Proportion::new(self.both + self.only_second, total)?;
        let (below_first, above_first) = distances(first, confidence);
        let (below_second, above_second) = distances(second, confidence);
        let phi = self.correlation();
        let reach = |u: f64, v: f64| (u * u - 2.0 * phi * u * v + v * v).max(0.0).sqrt();
        let difference = first.value() - second.value();
        let interval = Interval {
            lower: difference - reach(below_first, above_second),
            upper: difference + reach(above_first, below_second),
        };
        Ok(interval.clamp(-1.0, 1.0))
    }

    /// McNemar's test of equal proportions.
    ///
    /// Formula: `χ² = (b − c)² / (b + c)`; exact: `min(1, 2 P(X ≤ min(b, c)))` with X binomial
    /// (b + c, ½). Symbols: b and c the discordant counts. Degenerate: no discordant case gives
    /// χ² = 0 and both p = 1. McNemar 1947, doi:10.1007/BF02295996.
    ///
    /// ```
    /// # use lobule_stats::proportion::PairedProportions;
    /// let agree = PairedProportions { both: 5, only_first: 0, only_second: 0, neither: 5 };
    /// assert_eq!(agree.mcnemar().p_value, 1.0);
    /// ```
    pub fn mcnemar(&self) -> McNemar {
        let (b, c) = (self.only_first as f64, self.only_second as f64);
        if b + c == 0.0 {
            return McNemar {
                statistic: 0.0,
                p_value: 1.0,
                exact_p_value: 1.0,
            };
        }
        let z = (b - c) / (b + c).sqrt();
        McNemar {
            statistic: z * z,
            p_value: two_sided_normal(z),
            // P(X ≤ k) of Binomial(n, ½) is I_½(n − k, k + 1).
            exact_p_value: (2.0 * beta_cdf(0.5, b.max(c), b.min(c) + 1.0)).min(1.0),
        }
    }

    fn check(&self) -> Result<usize, Error> {
        match self.both + self.only_first + self.only_second + self.neither {
            0 => Err(Error::new(
                ErrorKind::Empty,
                "expected at least one pair of outcomes, got none",
            )),
            total => Ok(total),
        }
    }

    /// Newcombe's φ with its continuity correction.
    fn correlation(&self) -> f64 {
        let [a, b, c, d] =
            [self.both, self.only_first, self.only_second, self.neither].map(|n| n as f64);
        let margins = (a + b) * (c + d) * (a + c) * (b + d);
        if margins == 0.0 {
            return 0.0;
        }
        let excess = a * d - b * c;
        let corrected = if excess > 0.0 {
            (excess - (a + b + c + d) / 2.0).max(0.0)
        } else {
            excess
        };
        corrected / margins.sqrt()
    }
}

/// From a proportion down and up to its Wilson limits.
fn distances(proportion: Proportion, confidence: Confidence) -> (f64, f64) {
    let limits = proportion.wilson(confidence);
    let value = proportion.value();
    (value - limits.lower, limits.upper - value)
}
