//! Estimates with their errors, and what is asked of differences.

use crate::distribution::{two_sided_normal, two_sided_student, two_sided_student_quantile};
use crate::{Confidence, Error, ErrorKind, Interval};

/// From here on Student's distribution is expanded around the normal one (Abramowitz & Stegun
/// 26.7.5 and 26.7.8, errors of order 1/ν²), as its beta function loses digits.
const NEARLY_NORMAL: f64 = 1e6;

/// A mean figure, or a difference of two, with its error.
///
/// ```
/// use lobule_stats::{Confidence, mrmc::Contrast};
/// let difference = Contrast::new(0.05, 0.02, Some(12.0), Confidence::NINETY_FIVE);
/// assert!((difference.statistic - 2.5).abs() < 1e-12);
/// assert!(difference.p_value < 0.05);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Of Student's distribution; `None` for the normal distribution.
    pub degrees_of_freedom: Option<f64>,
    /// Estimate over standard error: t, or z without degrees of freedom.
    pub statistic: f64,
    /// Two-sided, against 0.
    pub p_value: f64,
    /// `estimate ± q SE`, not cut; q the quantile of the distribution.
    pub interval: Interval,
}

/// The answer to a one-sided question about a difference.
///
/// ```
/// use lobule_stats::{Confidence, mrmc::Contrast};
/// let difference = Contrast::new(-0.01, 0.01, None, Confidence::NINETY_FIVE);
/// let answer = difference.non_inferiority(0.05)?;
/// assert!(answer.p_value < 0.001);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarginTest {
    /// The margin asked about, above 0.
    pub margin: f64,
    /// The t or z of the (less favourable) side.
    pub statistic: f64,
    /// One-sided.
    pub p_value: f64,
}

impl Contrast {
    /// An estimate with a standard error: t = estimate / SE, p = P(|T| ≥ |t|), interval
    /// estimate ± q(1 − α/2) SE, of Student's distribution or (without degrees of freedom) the
    /// normal one. Degenerate: an estimate of 0 has statistic 0 and p 1 whatever its error; one
    /// without error is infinitely far from 0.
    ///
    /// ```
    /// use lobule_stats::{Confidence, mrmc::Contrast};
    /// let same = Contrast::new(0.0, 0.0, None, Confidence::NINETY_FIVE);
    /// assert_eq!((same.statistic, same.p_value), (0.0, 1.0));
    /// ```
    pub fn new(
        estimate: f64,
        standard_error: f64,
        degrees_of_freedom: Option<f64>,
        confidence: Confidence,
    ) -> Contrast {
        let statistic = if estimate == 0.0 {
            0.0
        } else {
            estimate / standard_error
        };
        let quantile = quantile(confidence, degrees_of_freedom);
        let half_width = if standard_error == 0.0 {
            0.0
        } else {
            quantile * standard_error
        };
        Contrast {
            estimate,
            standard_error,
            degrees_of_freedom,
            statistic,
            p_value: two_sided(statistic, degrees_of_freedom),
            interval: Interval::around(estimate, half_width),
        }
    }

    /// Whether the first is not worse than the second by a margin: tests `θ₁ − θ₂ ≤ −δ` against
    /// `> −δ`.
    ///
    /// Formula: `t = (d + δ) / SE`, p = P(T ≥ t). Symbols: d the difference (higher is better),
    /// δ the margin, fixed before the data are seen. Equivalent to the lower limit of the
    /// interval of level 1 − 2p lying at −δ.
    /// Chen, Petrick, Sahiner 2012, doi:10.1016/j.acra.2012.04.011.
    ///
    /// ```
    /// use lobule_stats::{Confidence, mrmc::Contrast};
    /// let worse = Contrast::new(-0.06, 0.02, Some(9.0), Confidence::NINETY_FIVE);
    /// assert!(worse.non_inferiority(0.05)?.p_value > 0.5);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] for a margin that is not above 0, [`ErrorKind::ZeroVariance`] for
    /// a difference without error.
    pub fn non_inferiority(&self, margin: f64) -> Result<MarginTest, Error> {
        self.check_margin(margin)?;
        Ok(self.above(margin, (self.estimate + margin) / self.standard_error))
    }

    /// Whether the two differ by less than a margin: two one-sided tests, of which the less
    /// favourable counts.
    ///
    /// Formula: `t = (δ − |d|) / SE`, p = P(T ≥ t). Symbols as in [`Contrast::non_inferiority`].
    /// Schuirmann 1987, doi:10.1007/BF01068419; Chen, Petrick, Sahiner 2012,
    /// doi:10.1016/j.acra.2012.04.011.
    ///
    /// ```
    /// use lobule_stats::{Confidence, mrmc::Contrast};
    /// let close = Contrast::new(0.001, 0.01, Some(20.0), Confidence::NINETY_FIVE);
    /// assert!(close.equivalence(0.05)?.p_value < 0.001);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Contrast::non_inferiority`].
    pub fn equivalence(&self, margin: f64) -> Result<MarginTest, Error> {
        self.check_margin(margin)?;
        Ok(self.above(margin, (margin - self.estimate.abs()) / self.standard_error))
    }

    fn above(&self, margin: f64, statistic: f64) -> MarginTest {
        let tail = two_sided(statistic, self.degrees_of_freedom) / 2.0;
        MarginTest {
            margin,
            statistic,
            p_value: if statistic >= 0.0 { tail } else { 1.0 - tail },
        }
    }

    fn check_margin(&self, margin: f64) -> Result<(), Error> {
        if margin.is_nan() || margin <= 0.0 {
            let text = format!("expected a margin above 0, got {margin}");
            return Err(Error::new(ErrorKind::OutOfRange, text));
        }
        if self.standard_error > 0.0 {
            return Ok(());
        }
        let text = format!(
            "expected a difference with variance, got {} without",
            self.estimate
        );
        Err(Error::new(ErrorKind::ZeroVariance, text))
    }

    /// The same with the interval brought into `lower..=upper`.
    pub(crate) fn cut(mut self, lower: f64, upper: f64) -> Contrast {
        self.interval = self.interval.clamp(lower, upper);
        self
    }
}

/// P(|T| ≥ |t|).
pub(crate) fn two_sided(statistic: f64, degrees_of_freedom: Option<f64>) -> f64 {
    match degrees_of_freedom {
        _ if statistic.is_infinite() => 0.0,
        Some(df) if df < NEARLY_NORMAL => two_sided_student(statistic, df),
        Some(df) => {
            let shrink = (1.0 - 0.25 / df) / (1.0 + 0.5 * statistic * statistic / df).sqrt();
            two_sided_normal(statistic * shrink)
        }
        None => two_sided_normal(statistic),
    }
}

/// The t with P(|T| ≥ t) = α.
fn quantile(confidence: Confidence, degrees_of_freedom: Option<f64>) -> f64 {
    let z = confidence.z();
    match degrees_of_freedom {
        Some(df) if df < NEARLY_NORMAL => two_sided_student_quantile(1.0 - confidence.level(), df),
        Some(df) => z + z * (z * z + 1.0) / (4.0 * df),
        None => z,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_agree_with_interval_limits() {
        // A lower 95 % limit at −δ is a one-sided p of 0.025.
        let difference = Contrast::new(0.01, 0.02, Some(11.3), Confidence::NINETY_FIVE);
        let margin = -difference.interval.lower;
        let p = difference.non_inferiority(margin).unwrap().p_value;
        assert!((p - 0.025).abs() < 1e-12);
        let upper = difference.interval.upper;
        assert!((difference.equivalence(upper).unwrap().p_value - 0.025).abs() < 1e-12);
        assert!(difference.equivalence(0.005).unwrap().p_value > 0.5);
    }

    #[test]
    fn many_degrees_of_freedom_join_smoothly() {
        for (below, above) in [(0.999_999e6, 1e6), (1e12, f64::INFINITY)] {
            let p = |df| two_sided(2.3, Some(df));
            assert!((p(below) / p(above) - 1.0).abs() < 1e-9, "{below}");
            let q = |df| quantile(Confidence::NINETY_FIVE, Some(df));
            assert!((q(below) / q(above) - 1.0).abs() < 1e-9, "{below}");
        }
    }

    #[test]
    fn margins_must_be_positive_and_differences_uncertain() {
        let certain = Contrast::new(0.01, 0.0, None, Confidence::NINETY_FIVE);
        assert_eq!(certain.p_value, 0.0);
        let kind = |result: Result<MarginTest, Error>| result.unwrap_err().kind();
        assert_eq!(kind(certain.equivalence(0.1)), ErrorKind::ZeroVariance);
        assert_eq!(kind(certain.non_inferiority(0.0)), ErrorKind::OutOfRange);
    }
}
