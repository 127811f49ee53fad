//! Logistic regression on one variable, by Newton's method.
//!
//! Owns: the maximum of the likelihood of `logit μ = slope · x + intercept` with one or both of
//! them free. Does not own: what the variable means, nor whether a maximum exists: callers exclude
//! separated classes first, because the iteration would run off to infinity.

use crate::{Error, ErrorKind};

/// Newton's method converges quadratically on this convex problem; about ten steps are usual.
const MAX_STEPS: usize = 100;
/// Squared Newton decrement (twice the likelihood still to gain) at which the fit is done.
const CONVERGED: f64 = 1e-20;
/// Below it full steps are safe, and the gain drowns in rounding.
const NO_LINE_SEARCH: f64 = 1e-6;

/// Which parameters are fitted; the other keeps its starting value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Free {
    Both,
    Slope,
    Intercept,
}

/// The parameters at the maximum and the diagonal of the inverse information (0 where not free).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fit {
    pub(super) slope: f64,
    pub(super) intercept: f64,
    pub(super) slope_variance: f64,
    pub(super) intercept_variance: f64,
}

/// Fits by maximum likelihood, from slope 1 and intercept 0. Targets lie in 0..=1.
pub(super) fn fit(x: &[f64], targets: &[f64], free: Free) -> Result<Fit, Error> {
    let (mut slope, mut intercept) = (1.0, 0.0);
    for _ in 0..MAX_STEPS {
        let slopes = Derivatives::at(slope, intercept, x, targets).restrict(free);
        let step = slopes.newton_step()?;
        if step.decrement <= CONVERGED {
            return Ok(Fit {
                slope: slope + step.slope,
                intercept: intercept + step.intercept,
                slope_variance: step.slope_variance,
                intercept_variance: step.intercept_variance,
            });
        }
        let length = match step.decrement {
            d if d < NO_LINE_SEARCH => 1.0,
            _ => line_search(slope, intercept, &step, x, targets),
        };
        slope += length * step.slope;
        intercept += length * step.intercept;
    }
    Err(Error::new(
        ErrorKind::NoFit,
        format!("expected a fit within {MAX_STEPS} steps, got slope {slope} still moving"),
    ))
}

/// Gradient and information of the log likelihood.
#[derive(Debug, Clone, Copy, Default)]
struct Derivatives {
    slope: f64,
    intercept: f64,
    slope_slope: f64,
    slope_intercept: f64,
    intercept_intercept: f64,
}

struct Step {
    slope: f64,
    intercept: f64,
    decrement: f64,
    slope_variance: f64,
    intercept_variance: f64,
}

impl Derivatives {
    fn at(slope: f64, intercept: f64, x: &[f64], targets: &[f64]) -> Derivatives {
        let mut sum = Derivatives::default();
        for (&x, &target) in x.iter().zip(targets) {
            let mean = super::sigmoid(slope * x + intercept);
            let weight = mean * (1.0 - mean);
            sum.slope += (target - mean) * x;
            sum.intercept += target - mean;
            sum.slope_slope += weight * x * x;
            sum.slope_intercept += weight * x;
            sum.intercept_intercept += weight;
        }
        sum
    }

    /// A fixed parameter has no gradient, no covariance, and any information but zero.
    fn restrict(self, free: Free) -> Derivatives {
        match free {
            Free::Both => self,
            Free::Slope => Derivatives {
                intercept: 0.0,
                slope_intercept: 0.0,
                intercept_intercept: f64::INFINITY,
                ..self
            },
            Free::Intercept => Derivatives {
                slope: 0.0,
                slope_intercept: 0.0,
                slope_slope: f64::INFINITY,
                ..self
            },
        }
    }

    /// Solves the 2 × 2 system by elimination: the information of each parameter left when the
    /// other is fitted too.
    fn newton_step(&self) -> Result<Step, Error> {
        let cross = self.slope_intercept;
        let slope_left = self.slope_slope - cross * cross / self.intercept_intercept;
        let intercept_left = self.intercept_intercept - cross * cross / self.slope_slope;
        let usable = |left: f64, of: f64| left > f64::EPSILON * of || left.is_infinite();
        let solvable = usable(slope_left, self.slope_slope)
            && usable(intercept_left, self.intercept_intercept);
        if !solvable {
            return Err(Error::new(
                ErrorKind::NoFit,
                "expected scores that determine a slope and an intercept, got too little spread",
            ));
        }
        let slope = (self.slope - cross / self.intercept_intercept * self.intercept) / slope_left;
        let intercept = (self.intercept - cross / self.slope_slope * self.slope) / intercept_left;
        Ok(Step {
            slope,
            intercept,
            decrement: slope * self.slope + intercept * self.intercept,
            slope_variance: 1.0 / slope_left,
            intercept_variance: 1.0 / intercept_left,
        })
    }
}

/// Halves the step until the loss falls by a fair part of what the slope promises (Armijo).
fn line_search(slope: f64, intercept: f64, step: &Step, x: &[f64], targets: &[f64]) -> f64 {
    let loss_at = |length: f64| {
        let (slope, intercept) = (
            slope + length * step.slope,
            intercept + length * step.intercept,
        );
        loss(slope, intercept, x, targets)
    };
    let start = loss_at(0.0);
    let falls = |length: &f64| loss_at(*length) <= start - 1e-4 * length * step.decrement;
    let lengths = std::iter::successors(Some(1.0), |length| Some(length / 2.0));
    lengths.take(30).find(falls).unwrap_or(0.0)
}

/// The negative log likelihood, `Σ ln(1 + exp η) − t η`, without overflow.
fn loss(slope: f64, intercept: f64, x: &[f64], targets: &[f64]) -> f64 {
    let terms = x.iter().zip(targets).map(|(&x, &target)| {
        let eta = slope * x + intercept;
        eta.max(0.0) + (-eta.abs()).exp().ln_1p() - target * eta
    });
    terms.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_groups_have_a_closed_form() {
        // x = 0: 1 of 4, x = 1: 3 of 4. The fit meets both shares: logits ∓ ln 3.
        let x = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        let targets = [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0];
        let fit = fit(&x, &targets, Free::Both).unwrap();
        let ln3 = 3_f64.ln();
        assert!((fit.intercept + ln3).abs() < 1e-12);
        assert!((fit.slope - 2.0 * ln3).abs() < 1e-12);
        // Variances of a log odds ratio: sums of reciprocal counts.
        assert!((fit.intercept_variance - (1.0 + 1.0 / 3.0)).abs() < 1e-9);
        assert!((fit.slope_variance - 2.0 * (1.0 + 1.0 / 3.0)).abs() < 1e-9);
    }

    #[test]
    fn fixed_parameters_stay() {
        let x = [-1.0, 0.5, 1.0, 2.0];
        let targets = [0.0, 1.0, 0.0, 1.0];
        let slope_only = fit(&x, &targets, Free::Slope).unwrap();
        assert_eq!(
            (slope_only.intercept, slope_only.intercept_variance),
            (0.0, 0.0)
        );
        let intercept_only = fit(&x, &targets, Free::Intercept).unwrap();
        assert_eq!(
            (intercept_only.slope, intercept_only.slope_variance),
            (1.0, 0.0)
        );
    }

    #[test]
    fn a_constant_variable_determines_nothing() {
        let error = fit(&[2.0; 4], &[0.0, 1.0, 0.0, 1.0], Free::Both).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoFit);
    }
}
