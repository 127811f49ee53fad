//! From replicates to an interval.

use super::undefined;
use crate::distribution::{normal_cdf, normal_quantile};
use crate::{Confidence, Error, Interval};

/// The outer quantiles of sorted values.
pub(super) fn percentile(sorted: &[f64], confidence: Confidence) -> Interval {
    Interval {
        lower: quantile(sorted, confidence.tail()),
        upper: quantile(sorted, 1.0 - confidence.tail()),
    }
}

/// Efron's bias-corrected and accelerated interval.
pub(super) fn bca(
    estimate: f64,
    sorted: &[f64],
    without_each: &[Option<f64>],
    confidence: Confidence,
) -> Result<Interval, Error> {
    let bias = bias(estimate, sorted)?;
    let acceleration = acceleration(without_each)?;
    let limit = |z: f64| {
        let moved = bias + z;
        let share = normal_cdf(bias + moved / (1.0 - acceleration * moved));
        quantile(sorted, share)
    };
    let (low, high) = (limit(-confidence.z()), limit(confidence.z()));
    // A wild acceleration can swap them.
    Ok(Interval {
        lower: low.min(high),
        upper: low.max(high),
    })
}

/// z₀: where the estimate lies among its replicates.
fn bias(estimate: f64, sorted: &[f64]) -> Result<f64, Error> {
    let below = sorted.partition_point(|&value| value < estimate) as f64;
    let up_to = sorted.partition_point(|&value| value <= estimate) as f64;
    let bias = normal_quantile(f64::midpoint(below, up_to) / sorted.len() as f64);
    if bias.is_finite() {
        return Ok(bias);
    }
    Err(undefined(
        "of the bias correction: all replicates lie on one side of the estimate",
    ))
}

fn acceleration(without_each: &[Option<f64>]) -> Result<f64, Error> {
    let values: Option<Vec<f64>> = without_each.iter().copied().collect();
    let values = values.ok_or_else(|| undefined("when one of the clusters is left out"))?;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let power = |p: i32| values.iter().map(|v| (mean - v).powi(p)).sum::<f64>();
    let scale = power(2).powf(1.5);
    Ok(if scale > 0.0 {
        power(3) / (6.0 * scale)
    } else {
        0.0
    })
}

/// Linear interpolation between order statistics, type 7 of Hyndman & Fan.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let weight = position - below as f64;
    sorted[below] + weight * (sorted[above] - sorted[below])
}

/// With divisor n − 1; 0 for a single value.
pub(super) fn standard_deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (squares / (n - 1.0).max(1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_between_the_ordered_values() {
        let values = [1.0, 2.0, 4.0, 8.0];
        for (share, expected) in [(0.0, 1.0), (1.0, 8.0), (0.5, 3.0), (0.9, 6.8)] {
            assert!((quantile(&values, share) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn without_bias_and_skewness_bca_is_percentile() {
        let values: Vec<f64> = (-100..=100).map(f64::from).collect();
        let symmetric: Vec<Option<f64>> = (-3..=3).map(|v| Some(f64::from(v))).collect();
        let level = Confidence::NINETY_FIVE;
        let got = bca(0.0, &values, &symmetric, level).unwrap();
        let expected = percentile(&values, level);
        assert!((got.lower - expected.lower).abs() < 1e-9);
        assert!((got.upper - expected.upper).abs() < 1e-9);
    }

    #[test]
    fn the_acceleration_follows_its_formula() {
        // Deviations from the mean 2: 2, 1, 0, −3; cubes sum to −18, squares to 14.
        let values = [0.0, 1.0, 2.0, 5.0].map(Some);
        let expected = -18.0 / (6.0 * 14.0_f64.powf(1.5));
        assert!((acceleration(&values).unwrap() - expected).abs() < 1e-15);
        assert_eq!(acceleration(&[Some(1.0), Some(1.0)]).unwrap(), 0.0);
    }

    #[test]
    fn bca_is_refused_where_it_is_undefined() {
        let level = Confidence::NINETY_FIVE;
        assert!(bca(9.0, &[1.0, 2.0], &[Some(1.0), Some(2.0)], level).is_err());
        assert!(bca(1.5, &[1.0, 2.0], &[Some(1.0), None], level).is_err());
    }
}
