//! The restricted mean survival time and its comparison.

use super::kaplan_meier::KaplanMeier;
use crate::distribution::two_sided_normal;
use crate::{Confidence, Error, ErrorKind, Interval};

/// What lies beyond the last time of a curve that has not come down to 0.
///
/// ```
/// use lobule_stats::survival::{BeyondFollowUp, FollowUp, KaplanMeier, restricted_mean};
/// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0], &[true, false])?);
/// assert!(restricted_mean(&curve, 4.0, BeyondFollowUp::Refuse).is_err());
/// assert_eq!(restricted_mean(&curve, 4.0, BeyondFollowUp::HoldLast)?.estimate, 2.5);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeyondFollowUp {
    /// Unknown: a horizon there is an error.
    Refuse,
    /// Taken to be level, which is optimistic: for tables that put several groups on one horizon.
    HoldLast,
}

/// A restricted mean survival time.
///
/// ```
/// use lobule_stats::{Confidence, survival::*};
/// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0, 3.0], &[true, true, false])?);
/// let mean = restricted_mean(&curve, 3.0, BeyondFollowUp::Refuse)?;
/// assert!(mean.interval(Confidence::NINETY_FIVE).contains(2.0));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestrictedMean {
    /// τ, the horizon.
    pub horizon: f64,
    /// The mean time lived up to τ.
    pub estimate: f64,
    /// Its standard error.
    pub standard_error: f64,
}

impl RestrictedMean {
    /// `estimate ± z s`, cut at 0 and τ.
    ///
    /// ```
    /// use lobule_stats::{Confidence, survival::RestrictedMean};
    /// let mean = RestrictedMean { horizon: 5.0, estimate: 4.0, standard_error: 1.0 };
    /// assert_eq!(mean.interval(Confidence::NINETY_FIVE).upper, 5.0);
    /// ```
    pub fn interval(&self, confidence: Confidence) -> Interval {
        Interval::around(self.estimate, confidence.z() * self.standard_error)
            .clamp(0.0, self.horizon)
    }
}

/// The comparison of two restricted means.
///
/// ```
/// use lobule_stats::{Confidence, survival::{RestrictedMean, compare_restricted_means}};
/// let mean = |estimate| RestrictedMean { horizon: 5.0, estimate, standard_error: 0.3 };
/// let comparison =
///     compare_restricted_means(&mean(4.0), &mean(2.0), Confidence::NINETY_FIVE)?;
/// assert_eq!((comparison.difference, comparison.ratio), (2.0, 2.0));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestrictedMeanComparison {
    /// First minus second.
    pub difference: f64,
    /// Of the difference.
    pub standard_error: f64,
    /// For the difference.
    pub interval: Interval,
    /// Two-sided, of a difference of 0.
    pub p_value: f64,
    /// First over second.
    pub ratio: f64,
    /// For the ratio, symmetric on the log scale.
    pub ratio_interval: Interval,
    /// Two-sided, of a ratio of 1.
    pub ratio_p_value: f64,
}

/// The mean of min(T, τ): the area under the Kaplan–Meier curve up to τ.
///
/// Formula: `μ = ∫₀^τ S(t) dt`, `Var μ = Σ over tⱼ ≤ τ of (∫ from tⱼ to τ of S)² dⱼ / (nⱼ (nⱼ − dⱼ))`.
/// Symbols as in [`super::FollowUp`], S the [`KaplanMeier`] curve. Degenerate: no events before τ
/// give τ with standard error 0. A curve that reached 0 is known to any τ.
/// Royston & Parmar 2013, doi:10.1186/1471-2288-13-152.
///
/// ```
/// use lobule_stats::survival::{BeyondFollowUp, FollowUp, KaplanMeier, restricted_mean};
/// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0, 3.0], &[true; 3])?);
/// let mean = restricted_mean(&curve, 3.0, BeyondFollowUp::Refuse)?;
/// assert!((mean.estimate - 2.0).abs() < 1e-15);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::OutOfRange`] for a horizon that is not above 0, or lies beyond follow-up under
/// [`BeyondFollowUp::Refuse`].
pub fn restricted_mean(
    curve: &KaplanMeier,
    horizon: f64,
    beyond: BeyondFollowUp,
) -> Result<RestrictedMean, Error> {
    check_horizon(curve, horizon, beyond)?;
    let (mut right, mut area, mut variance) = (horizon, 0.0, 0.0);
    // From the horizon back: the area right of each event time is what its variance needs.
    for step in curve.steps().iter().rev().filter(|s| s.time <= horizon) {
        area += step.survival * (right - step.time);
        right = step.time;
        if step.events > 0 && area > 0.0 {
            variance +=
                area * area * super::kaplan_meier::greenwood_term(step.events, step.at_risk);
        }
    }
    Ok(RestrictedMean {
        horizon,
        estimate: area + right,
        standard_error: variance.sqrt(),
    })
}

fn check_horizon(curve: &KaplanMeier, horizon: f64, beyond: BeyondFollowUp) -> Result<(), Error> {
    let last = curve.steps().last().expect("a curve has a subject");
    let known = horizon <= last.time || last.survival == 0.0 || beyond == BeyondFollowUp::HoldLast;
    if horizon.is_finite() && horizon > 0.0 && known {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::OutOfRange,
        format!(
            "expected a horizon above 0 and within follow-up (to {}), got {horizon}",
            last.time
        ),
    ))
}

/// Compares the restricted means of two independent groups.
///
/// Formula: `z = (μ₁ − μ₂) / √(s₁² + s₂²)`; ratio `μ₁ / μ₂` with
/// `z = ln(μ₁ / μ₂) / √(s₁² / μ₁² + s₂² / μ₂²)` and interval on the log scale. Symbols: μᵢ, sᵢ the
/// means and their standard errors at one τ. Degenerate: a difference of 0 has p 1.
/// Royston & Parmar 2013, doi:10.1186/1471-2288-13-152.
///
/// ```
/// use lobule_stats::{Confidence, survival::{RestrictedMean, compare_restricted_means}};
/// let mean = |estimate| RestrictedMean { horizon: 5.0, estimate, standard_error: 0.3 };
/// let same = compare_restricted_means(&mean(3.0), &mean(3.0), Confidence::NINETY_FIVE)?;
/// assert_eq!((same.p_value, same.ratio_p_value), (1.0, 1.0));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Mismatch`] for unequal horizons, [`ErrorKind::ZeroVariance`] when neither mean has
/// a variance or a mean is 0.
pub fn compare_restricted_means(
    first: &RestrictedMean,
    second: &RestrictedMean,
    confidence: Confidence,
) -> Result<RestrictedMeanComparison, Error> {
    if first.horizon != second.horizon {
        return Err(Error::new(
            ErrorKind::Mismatch,
            format!(
                "expected one horizon, got {} and {}",
                first.horizon, second.horizon
            ),
        ));
    }
    let relative = |mean: &RestrictedMean| mean.standard_error / mean.estimate;
    let standard_error = first.standard_error.hypot(second.standard_error);
    let log_error = relative(first).hypot(relative(second));
    if !(standard_error > 0.0 && log_error.is_finite()) {
        return Err(Error::new(
            ErrorKind::ZeroVariance,
            "expected restricted means above 0 with a variance, got none",
        ));
    }
    let (difference, ratio) = (
        first.estimate - second.estimate,
        first.estimate / second.estimate,
    );
    let z = confidence.z();
    Ok(RestrictedMeanComparison {
        difference,
        standard_error,
        interval: Interval::around(difference, z * standard_error),
        p_value: two_sided_normal(difference / standard_error),
        ratio,
        ratio_interval: Interval {
            lower: ratio * (-z * log_error).exp(),
            upper: ratio * (z * log_error).exp(),
        },
        ratio_p_value: two_sided_normal(ratio.ln() / log_error),
    })
}
