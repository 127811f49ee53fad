//! Tests of two areas.

use super::Roc;
use crate::distribution::{two_sided_normal, two_sided_student, two_sided_student_quantile};
use crate::{Confidence, Error, ErrorKind, Interval};

/// The comparison of two areas.
///
/// ```
/// use lobule_stats::{Confidence, roc::{Roc, compare_paired}};
/// let truth = [false, false, true, true, true];
/// let a = Roc::new(&[0.1, 0.3, 0.2, 0.4, 0.5], &truth)?;
/// let b = Roc::new(&[0.2, 0.3, 0.1, 0.4, 0.25], &truth)?;
/// let comparison = compare_paired(&a, &b, Confidence::NINETY_FIVE)?;
/// assert!(comparison.interval.contains(comparison.difference));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AucComparison {
    /// Area of the first score.
    pub first: f64,
    /// Area of the second score.
    pub second: f64,
    /// First minus second.
    pub difference: f64,
    /// Standard error of the difference.
    pub standard_error: f64,
    /// Difference over standard error: z, or t where there are degrees of freedom.
    pub statistic: f64,
    /// Of Student's distribution; `None` for the normal distribution.
    pub degrees_of_freedom: Option<f64>,
    /// Two-sided.
    pub p_value: f64,
    /// For the difference; cut at −1 and 1.
    pub interval: Interval,
}

/// DeLong's test of two scores on the same cases.
///
/// Formula: `z = (A₁ − A₂) / s`, `s² = Var A₁ + Var A₂ − 2 Cov(A₁, A₂)`, computed from the case by
/// case differences of placements so that it is never negative; p from the normal distribution,
/// interval `A₁ − A₂ ± z(1 − α/2) s`. Symbols as in [`Roc::auc_variance`].
/// Degenerate: scores that order the cases alike give statistic 0, p 1 and an interval of
/// width 0. DeLong et al. 1988, doi:10.2307/2531595.
///
/// ```
/// use lobule_stats::{Confidence, roc::{Roc, compare_paired}};
/// let truth = [false, true, false, true];
/// let a = Roc::new(&[1.0, 2.0, 3.0, 4.0], &truth)?;
/// let b = Roc::new(&[1.0, 4.0, 9.0, 16.0], &truth)?;
/// assert_eq!(compare_paired(&a, &b, Confidence::NINETY_FIVE)?.p_value, 1.0);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Mismatch`] when the truths differ, [`ErrorKind::TooFew`] with fewer than two cases
/// of a class, [`ErrorKind::ZeroVariance`] when unequal areas have a difference without variance.
pub fn compare_paired(
    first: &Roc,
    second: &Roc,
    confidence: Confidence,
) -> Result<AucComparison, Error> {
    first.check_same_cases(second)?;
    let difference = first.auc - second.auc;
    let pairs = first.placements.iter().zip(&second.placements);
    let variance = first.class_sum(pairs.map(|(a, b)| (a - b - difference).powi(2)))?;
    compare(first.auc, second.auc, variance, None, confidence)
}

/// DeLong's test of two scores on different, independent cases.
///
/// Formula: `t = (A₁ − A₂) / s`, `s² = V₁ + V₂`, with Welch's degrees of freedom
/// `ν = (V₁ + V₂)² / (V₁² / (N₁ − 1) + V₂² / (N₂ − 1))`. Symbols: Vᵢ [`Roc::auc_variance`], Nᵢ all
/// cases of sample i. Degenerate: equal areas without variance give statistic 0 and p 1.
/// DeLong et al. 1988, doi:10.2307/2531595; Welch 1947, doi:10.1093/biomet/34.1-2.28.
///
/// ```
/// use lobule_stats::{Confidence, roc::{Roc, compare_unpaired}};
/// let a = Roc::new(&[1.0, 2.0, 3.0, 4.0], &[false, true, false, true])?;
/// let b = Roc::new(&[3.0, 2.0, 1.0, 4.0, 5.0], &[false, true, false, true, false])?;
/// let comparison = compare_unpaired(&a, &b, Confidence::NINETY_FIVE)?;
/// assert!(comparison.p_value > 0.5);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::TooFew`] with fewer than two cases of a class, [`ErrorKind::ZeroVariance`] when
/// unequal areas both lack variance.
pub fn compare_unpaired(
    first: &Roc,
    second: &Roc,
    confidence: Confidence,
) -> Result<AucComparison, Error> {
    let (v1, v2) = (first.auc_variance()?, second.auc_variance()?);
    let per_degree = |v: f64, roc: &Roc| v * v / (roc.truth.len() - 1) as f64;
    let scale = per_degree(v1, first) + per_degree(v2, second);
    let degrees_of_freedom = (scale > 0.0).then(|| (v1 + v2).powi(2) / scale);
    compare(
        first.auc,
        second.auc,
        v1 + v2,
        degrees_of_freedom,
        confidence,
    )
}

pub(super) fn compare(
    first: f64,
    second: f64,
    variance: f64,
    degrees_of_freedom: Option<f64>,
    confidence: Confidence,
) -> Result<AucComparison, Error> {
    let (difference, standard_error) = (first - second, variance.sqrt());
    if standard_error == 0.0 && difference != 0.0 {
        return Err(Error::new(
            ErrorKind::ZeroVariance,
            format!("expected a difference with variance, got {difference} without"),
        ));
    }
    let statistic = if difference == 0.0 {
        0.0
    } else {
        difference / standard_error
    };
    let quantile = match degrees_of_freedom {
        Some(df) => two_sided_student_quantile(1.0 - confidence.level(), df),
        None => confidence.z(),
    };
    Ok(AucComparison {
        first,
        second,
        difference,
        standard_error,
        statistic,
        degrees_of_freedom,
        p_value: match degrees_of_freedom {
            Some(df) => two_sided_student(statistic, df),
            None => two_sided_normal(statistic),
        },
        interval: Interval::around(difference, quantile * standard_error).clamp(-1.0, 1.0),
    })
}
