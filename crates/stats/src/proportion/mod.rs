//! Proportions and their intervals.
//!
//! Owns: one proportion ([`Proportion`]: Wilson, Clopper–Pearson) and two on the same cases
//! ([`PairedProportions`]: Newcombe's interval, McNemar's tests). Does not own: proportions of
//! clustered cases (bootstrap them, [`crate::bootstrap`]).
//!
//! ```
//! use lobule_stats::{Confidence, proportion::Proportion};
//! let sensitivity = Proportion::new(45, 50)?;
//! let interval = sensitivity.wilson(Confidence::NINETY_FIVE);
//! assert_eq!(format!("{:.3}-{:.3}", interval.lower, interval.upper), "0.786-0.957");
//! # Ok::<(), lobule_stats::Error>(())
//! ```

mod paired;

pub use paired::{McNemar, PairedProportions};

use crate::distribution::beta_quantile;
use crate::{Confidence, Error, ErrorKind, Interval};

/// `successes` of `total` independent cases; the total is above zero.
///
/// ```
/// use lobule_stats::proportion::Proportion;
/// assert_eq!(Proportion::new(3, 4)?.value(), 0.75);
/// assert!(Proportion::new(0, 0).is_err());
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proportion {
    successes: usize,
    total: usize,
}

impl Proportion {
    /// A count of cases among all cases.
    ///
    /// ```
    /// use lobule_stats::proportion::Proportion;
    /// assert!(Proportion::new(5, 4).is_err());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Empty`] when the total is zero, [`ErrorKind::OutOfRange`] when there are more
    /// successes than cases.
    pub fn new(successes: usize, total: usize) -> Result<Proportion, Error> {
        if total == 0 {
            return Err(Error::new(
                ErrorKind::Empty,
                "expected at least one case under a proportion, got none",
            ));
        }
        if successes > total {
            return Err(Error::new(
                ErrorKind::OutOfRange,
                format!("expected at most {total} of {total} cases, got {successes}"),
            ));
        }
        Ok(Proportion { successes, total })
    }

    /// The cases counted.
    ///
    /// ```
    /// # use lobule_stats::proportion::Proportion;
    /// assert_eq!(Proportion::new(3, 4)?.successes(), 3);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn successes(self) -> usize {
        self.successes
    }

    /// All cases.
    ///
    /// ```
    /// # use lobule_stats::proportion::Proportion;
    /// assert_eq!(Proportion::new(3, 4)?.total(), 4);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn total(self) -> usize {
        self.total
    }

    /// `successes / total`, in 0..=1.
    ///
    /// ```
    /// # use lobule_stats::proportion::Proportion;
    /// assert_eq!(Proportion::new(1, 8)?.value(), 0.125);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn value(self) -> f64 {
        self.successes as f64 / self.total as f64
    }

    /// Wilson's score interval.
    ///
    /// Formula: `(p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)`.
    /// Symbols: p the proportion, n the total, z the normal quantile of 1 − α/2.
    /// Range: inside 0..=1, exactly 0 below no successes and 1 above successes only.
    /// Wilson 1927, doi:10.1080/01621459.1927.10502953.
    ///
    /// ```
    /// use lobule_stats::{Confidence, proportion::Proportion};
    /// let none = Proportion::new(0, 20)?.wilson(Confidence::NINETY_FIVE);
    /// assert_eq!(none.lower, 0.0);
    /// assert!((none.upper - 0.161125158052819).abs() < 1e-12);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn wilson(self, confidence: Confidence) -> Interval {
        let (p, n, z) = (self.value(), self.total as f64, confidence.z());
        let center = p + z * z / (2.0 * n);
        let half_width = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        let shrink = 1.0 + z * z / n;
        self.with_exact_ends(Interval::around(center / shrink, half_width / shrink))
    }

    /// Clopper and Pearson's "exact" interval: coverage is never below the level, so it is wider
    /// than Wilson's.
    ///
    /// Formula: `lower = B(α/2; k, n − k + 1)`, `upper = B(1 − α/2; k + 1, n − k)`.
    /// Symbols: B(q; a, b) the q-quantile of the beta distribution, k the successes, n the total.
    /// Range: inside 0..=1; lower is 0 when k = 0, upper is 1 when k = n.
    /// Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404.
    ///
    /// ```
    /// use lobule_stats::{Confidence, proportion::Proportion};
    /// let all = Proportion::new(20, 20)?.clopper_pearson(Confidence::NINETY_FIVE);
    /// assert!((all.lower - 0.831566529016915).abs() < 1e-12);
    /// assert_eq!(all.upper, 1.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn clopper_pearson(self, confidence: Confidence) -> Interval {
        let (k, n, tail) = (self.successes as f64, self.total as f64, confidence.tail());
        let lower = match self.successes {
            0 => 0.0,
            _ => beta_quantile(tail, k, n - k + 1.0),
        };
        let upper = match self.total - self.successes {
            0 => 1.0,
            _ => 1.0 - beta_quantile(tail, n - k, k + 1.0),
        };
        Interval { lower, upper }
    }

    /// Rounding must not leave 1e-17 where the limit is known to be 0 or 1.
    fn with_exact_ends(self, interval: Interval) -> Interval {
        let Interval { lower, upper } = interval.clamp(0.0, 1.0);
        Interval {
            lower: if self.successes == 0 { 0.0 } else { lower },
            upper: if self.successes == self.total {
                1.0
            } else {
                upper
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_hold_the_proportion_and_mirror_it() {
        for (successes, total) in [(0, 1), (1, 1), (3, 10), (10, 10), (44, 44_755)] {
            let proportion = Proportion::new(successes, total).unwrap();
            let mirrored = Proportion::new(total - successes, total).unwrap();
            for method in [Proportion::wilson, Proportion::clopper_pearson] {
                let interval = method(proportion, Confidence::NINETY_FIVE);
                let other = method(mirrored, Confidence::NINETY_FIVE);
                assert!(interval.contains(proportion.value()));
                assert!((interval.lower - (1.0 - other.upper)).abs() < 1e-12);
            }
        }
    }
}
