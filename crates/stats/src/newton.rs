//! Maximum of a concave log likelihood by Newton's method with step halving.
//!
//! Owns: the iteration, and telling a maximum from a likelihood that rises for ever. Does not own:
//! any likelihood; columns are expected to be standardized.

use crate::matrix::{Cholesky, dot};
use crate::{Error, ErrorKind};

/// Five to eight steps are usual.
const MAX_STEPS: usize = 60;
/// A shorter step gains nothing that rounding leaves visible.
const MAX_HALVINGS: usize = 30;
/// Squared Newton decrement (squared step in standard errors) at which the fit is done.
const CONVERGED: f64 = 1e-20;
/// Below it, a decrement that falls no further is rounding.
const ROUNDING: f64 = 1e-12;
/// Newton's method converges quadratically to a maximum, but on a likelihood that rises for ever
/// it gains a constant share each step: decrements that fall slower than this are counted.
const SLOW: f64 = 0.1;
/// Where quadratic convergence has begun, if it ever will.
const NEAR: f64 = 0.1;
/// So many slow steps in sequence give the rising likelihood away.
const MAX_SLOW_STEPS: usize = 3;
/// Information of a standardized column, per event, that is only rounding.
const NO_INFORMATION: f64 = 1e-11;
/// A log likelihood may fall by this share of itself through rounding.
const SLACK: f64 = 1e-12;

/// A log likelihood, its gradient and its negative second derivatives (lower triangle).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Derivatives {
    pub(crate) log_likelihood: f64,
    pub(crate) gradient: Vec<f64>,
    pub(crate) information: Vec<f64>,
}

impl Derivatives {
    pub(crate) fn zero(size: usize) -> Derivatives {
        Derivatives {
            log_likelihood: 0.0,
            gradient: vec![0.0; size],
            information: vec![0.0; size * size],
        }
    }

    /// Where the parameters are out of all bounds.
    pub(crate) fn impossible(size: usize) -> Derivatives {
        Derivatives {
            log_likelihood: f64::NEG_INFINITY,
            ..Derivatives::zero(size)
        }
    }
}

/// The maximum, and where the search began.
pub(crate) struct Maximum {
    pub(crate) parameters: Vec<f64>,
    pub(crate) start: Derivatives,
    pub(crate) end: Derivatives,
    /// Of the information at the start and at the end.
    pub(crate) start_factor: Cholesky,
    pub(crate) end_factor: Cholesky,
}

/// Climbs from zero.
pub(crate) fn maximize(
    size: usize,
    n_events: usize,
    evaluate: impl Fn(&[f64]) -> Derivatives,
) -> Result<Maximum, Error> {
    let mut parameters = vec![0.0; size];
    let start = evaluate(&parameters);
    let start_factor = start_factor(&start, size, n_events)?;
    let (mut current, mut factor) = (start.clone(), start_factor.clone());
    let mut pace = Pace::default();
    for _ in 0..MAX_STEPS {
        let step = factor.solve(&current.gradient);
        let decrement = dot(&step, &current.gradient);
        if pace.is_done(decrement)? {
            return Ok(Maximum {
                parameters,
                start,
                end: current,
                start_factor,
                end_factor: factor,
            });
        }
        (parameters, current) = climb(&parameters, &step, &current, &evaluate)?;
        factor = Cholesky::new(&current.information, size).map_err(|_| rises_for_ever())?;
    }
    Err(rises_for_ever())
}

fn start_factor(start: &Derivatives, size: usize, n_events: usize) -> Result<Cholesky, Error> {
    let least = NO_INFORMATION * n_events as f64;
    let empty = (0..size).find(|&k| start.information[k * size + k] <= least);
    let singular = match empty {
        Some(column) => Err(column),
        None => Cholesky::new(&start.information, size).map_err(|singular| singular.column),
    };
    singular.map_err(|column| {
        Error::new(
            ErrorKind::ZeroVariance,
            format!(
                "expected columns that vary among those at risk and not together, got column \
                 {column} constant or a combination of the columns before it"
            ),
        )
    })
}

fn rises_for_ever() -> Error {
    Error::new(
        ErrorKind::NoFit,
        "expected a likelihood with a maximum, got one that rises as a coefficient grows without \
         bound (a column separates the events)",
    )
}

/// How fast the decrement falls.
#[derive(Default)]
struct Pace {
    last: Option<f64>,
    slow_steps: usize,
}

impl Pace {
    /// Whether the fit is done; an error when it never will be.
    fn is_done(&mut self, decrement: f64) -> Result<bool, Error> {
        let slow = self.last.is_some_and(|last| decrement > SLOW * last);
        if decrement <= CONVERGED || (slow && decrement < ROUNDING) {
            return Ok(true);
        }
        let counts = slow && decrement < NEAR;
        self.slow_steps = if counts { self.slow_steps + 1 } else { 0 };
        self.last = Some(decrement);
        if self.slow_steps >= MAX_SLOW_STEPS || decrement.is_nan() {
            return Err(rises_for_ever());
        }
        Ok(false)
    }
}

/// The Newton step, halved until the likelihood does not fall.
fn climb(
    from: &[f64],
    step: &[f64],
    current: &Derivatives,
    evaluate: &impl Fn(&[f64]) -> Derivatives,
) -> Result<(Vec<f64>, Derivatives), Error> {
    let floor = current.log_likelihood - SLACK * current.log_likelihood.abs();
    let mut length = 1.0;
    for _ in 0..MAX_HALVINGS {
        let to: Vec<f64> = from.iter().zip(step).map(|(b, s)| b + length * s).collect();
        let there = evaluate(&to);
        if there.log_likelihood >= floor {
            return Ok((to, there));
        }
        length /= 2.0;
    }
    Err(rises_for_ever())
}
