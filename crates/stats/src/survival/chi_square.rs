//! The chi-squared test that the survival statistics share.

use statrs::function::gamma::gamma_ur;

use crate::distribution::two_sided_normal;
use crate::matrix::Cholesky;
use crate::{Error, ErrorKind};

/// A statistic with a chi-squared distribution when its hypothesis holds.
///
/// Formula: `p = Q(ν / 2, X² / 2)`. Symbols: X² the statistic, ν its degrees of freedom, Q the upper
/// regularized incomplete gamma function (DLMF 8.2.4, <https://dlmf.nist.gov/8.2>). Degenerate: a
/// statistic of 0 has p 1.
///
/// ```
/// use lobule_stats::survival::ChiSquareTest;
/// let test = ChiSquareTest::new(3.841_458_820_694_124, 1);
/// assert!((test.p_value - 0.05).abs() < 1e-9);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquareTest {
    /// X².
    pub statistic: f64,
    /// ν.
    pub degrees_of_freedom: usize,
    /// The chance of a statistic this large or larger.
    pub p_value: f64,
}

impl ChiSquareTest {
    /// The test of a statistic ≥ 0 with at least one degree of freedom.
    ///
    /// ```
    /// # use lobule_stats::survival::ChiSquareTest;
    /// assert_eq!(ChiSquareTest::new(0.0, 3).p_value, 1.0);
    /// ```
    pub fn new(statistic: f64, degrees_of_freedom: usize) -> ChiSquareTest {
        ChiSquareTest {
            statistic,
            degrees_of_freedom,
            p_value: upper_tail(statistic, degrees_of_freedom),
        }
    }

    /// Whether groups have the events that are expected: `dᵀ V⁻¹ d` over all groups but one of
    /// those that expect any, `d` observed less expected, `V` their covariance (row-major, by all
    /// groups).
    pub(super) fn of_groups(
        observed_and_expected: &[(f64, f64)],
        covariance: &[f64],
    ) -> Result<ChiSquareTest, Error> {
        let n_groups = observed_and_expected.len();
        let present: Vec<usize> = (0..n_groups)
            .filter(|&k| observed_and_expected[k].1 > 0.0)
            .collect();
        let Some((_, free)) = present.split_last().filter(|(_, free)| !free.is_empty()) else {
            return Err(too_few_groups(present.len()));
        };
        let difference = |&k: &usize| observed_and_expected[k].0 - observed_and_expected[k].1;
        let differences: Vec<f64> = free.iter().map(difference).collect();
        let row = |&k: &usize| free.iter().map(move |&l| covariance[k * n_groups + l]);
        let covariance: Vec<f64> = free.iter().flat_map(row).collect();
        let factor = Cholesky::new(&covariance, free.len()).map_err(|_| {
            let text =
                "expected events while several groups are at risk, got none that compare them";
            Error::new(ErrorKind::ZeroVariance, text)
        })?;
        let statistic = factor.quadratic_form(&differences);
        Ok(ChiSquareTest::new(statistic, free.len()))
    }
}

pub(super) fn too_few_groups(n_groups: usize) -> Error {
    Error::new(
        ErrorKind::TooFew,
        format!("expected at least 2 groups at risk at an event, got {n_groups}"),
    )
}

fn upper_tail(statistic: f64, degrees_of_freedom: usize) -> f64 {
    if statistic.is_nan() {
        return f64::NAN;
    }
    if statistic <= 0.0 || degrees_of_freedom == 0 {
        return 1.0;
    }
    match degrees_of_freedom {
        1 => two_sided_normal(statistic.sqrt()),
        2 => (-statistic / 2.0).exp(),
        more => gamma_ur(more as f64 / 2.0, statistic / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_degrees_of_freedom_have_a_closed_form() {
        for statistic in [0.1, 3.0, 20.0, 120.0_f64] {
            let half = statistic / 2.0;
            let closed = (-half).exp() * (1.0 + half);
            let got = ChiSquareTest::new(statistic, 4).p_value;
            assert!(
                (got / closed - 1.0).abs() < 1e-11,
                "{statistic}: {got} {closed}"
            );
        }
    }
}
