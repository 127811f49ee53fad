//! From scores to probabilities, and how far the probabilities can be believed.
//!
//! Owns: the map [`Calibrator`] and its fits ([`fit_temperature`], [`fit_platt`],
//! [`fit_isotonic`]), and the measures of calibration ([`calibration_line`],
//! [`calibration_in_the_large`], [`brier_score`], [`log_loss`], [`reliability`],
//! [`expected_calibration_error`]). Does not own: cross-fitting (who fits on which fold), change of
//! prevalence ([`crate::prevalence`]).
//!
//! Scores are probabilities-to-be in 0..=1. Where a map takes their logit they are kept
//! [`LOGIT_MARGIN`] away from 0 and 1; the measures keep claims only 2⁻⁵² away, so that what a
//! nearly certain claim costs is counted.
//!
//! ```
//! use lobule_stats::calibration::{brier_score, fit_platt};
//! let scores = [0.05, 0.1, 0.2, 0.15, 0.3, 0.25, 0.1, 0.4];
//! let truth = [false, false, true, false, true, false, false, true];
//! let calibrator = fit_platt(&scores, &truth)?;
//! let probabilities: Vec<f64> = scores.iter().map(|&score| calibrator.apply(score)).collect();
//! assert!(brier_score(&probabilities, &truth)? < brier_score(&scores, &truth)?);
//! # Ok::<(), lobule_stats::Error>(())
//! ```

mod fit;
mod isotonic;
mod logistic;
mod measures;
mod reliability;

pub use fit::{fit_platt, fit_temperature};
pub use isotonic::fit_isotonic;
pub use measures::{
    CalibrationLine, brier_score, calibration_in_the_large, calibration_line, log_loss,
};
pub use reliability::{Binning, ReliabilityBin, expected_calibration_error, reliability};

use crate::{Error, ErrorKind};

/// Scores are kept this far from 0 and 1 before a map takes their logit.
///
/// ```
/// assert_eq!(lobule_stats::calibration::LOGIT_MARGIN, 1e-6);
/// ```
pub const LOGIT_MARGIN: f64 = 1e-6;

/// A map from a score in 0..=1 to a probability in 0..=1 that never turns the order around.
///
/// ```
/// use lobule_stats::calibration::Calibrator;
/// let halved_odds = Calibrator::Logistic { slope: 1.0, intercept: 0.5_f64.ln() };
/// assert!((halved_odds.apply(0.5) - 1.0 / 3.0).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Calibrator {
    /// The score is the probability.
    Identity,
    /// `p = 1 / (1 + exp(−(slope · logit s + intercept)))`, `logit s = ln(s / (1 − s))`.
    /// Temperature scaling is `slope = 1/T, intercept = 0`; Platt's scaling fits both.
    Logistic {
        /// Above zero.
        slope: f64,
        /// In logits.
        intercept: f64,
    },
    /// Straight lines through the points (x, y), constant outside them.
    Isotonic {
        /// Scores, strictly increasing.
        x: Vec<f64>,
        /// Probabilities, never decreasing, as many.
        y: Vec<f64>,
    },
}

impl Calibrator {
    /// The probability that belongs to a score.
    ///
    /// Range: 0..=1; scores outside 0..=1 are brought inside, NaN stays NaN. A logistic map rises
    /// strictly for scores between [`LOGIT_MARGIN`] and 1 − [`LOGIT_MARGIN`] (as far as f64 can
    /// tell them apart) and is constant beyond, so that no score becomes a certainty; an isotonic
    /// map has level stretches. Degenerate: an isotonic map without points gives NaN;
    /// [`Calibrator::check`] refuses such a map.
    ///
    /// ```
    /// use lobule_stats::calibration::Calibrator;
    /// let steps = Calibrator::Isotonic { x: vec![0.2, 0.4], y: vec![0.1, 0.5] };
    /// assert_eq!(steps.apply(0.0), 0.1);
    /// assert!((steps.apply(0.3) - 0.3).abs() < 1e-15);
    /// assert_eq!(Calibrator::Identity.apply(0.7), 0.7);
    /// ```
    pub fn apply(&self, score: f64) -> f64 {
        let score = score.clamp(0.0, 1.0);
        match self {
            Calibrator::Identity => score,
            Calibrator::Logistic { slope, intercept } => {
                sigmoid(slope * logit(score, LOGIT_MARGIN) + intercept)
            }
            Calibrator::Isotonic { x, y } => interpolate(x, y, score),
        }
    }

    /// Refuses a map that would not keep the order or leave 0..=1: for maps that were read from a
    /// file. The fits of this module pass.
    ///
    /// ```
    /// use lobule_stats::calibration::Calibrator;
    /// assert!(Calibrator::Logistic { slope: -1.0, intercept: 0.0 }.check().is_err());
    /// assert!(Calibrator::Identity.check().is_ok());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`], saying what was expected.
    pub fn check(&self) -> Result<(), Error> {
        let (fine, expected) = match self {
            Calibrator::Identity => (true, ""),
            Calibrator::Logistic { slope, intercept } => (
                slope.is_finite() && *slope > 0.0 && intercept.is_finite(),
                "expected a finite slope above 0 and a finite intercept",
            ),
            Calibrator::Isotonic { x, y } => (
                is_isotonic(x, y),
                "expected as many rising probabilities as strictly rising scores, all in 0..=1",
            ),
        };
        if fine {
            return Ok(());
        }
        Err(Error::new(ErrorKind::OutOfRange, expected))
    }
}

fn is_isotonic(x: &[f64], y: &[f64]) -> bool {
    !x.is_empty()
        && x.len() == y.len()
        && x.iter().chain(y).all(|v| (0.0..=1.0).contains(v))
        && x.windows(2).all(|w| w[0] < w[1])
        && y.windows(2).all(|w| w[0] <= w[1])
}

fn interpolate(x: &[f64], y: &[f64], at: f64) -> f64 {
    if at.is_nan() {
        return at;
    }
    let right = x.partition_point(|&v| v <= at);
    let value = |i: usize| y.get(i).copied().unwrap_or(f64::NAN);
    if right == 0 || right == x.len() {
        return value(right.saturating_sub(1));
    }
    let (low, high) = (value(right - 1), value(right));
    let share = (at - x[right - 1]) / (x[right] - x[right - 1]);
    // The upper end is met exactly, so that rounding cannot break the order.
    (low + share * (high - low)).min(high)
}

/// `ln(p / (1 − p))`, p kept away from 0 and 1 by a margin.
fn logit(p: f64, margin: f64) -> f64 {
    let p = p.clamp(margin, 1.0 - margin);
    p.ln() - (-p).ln_1p()
}

pub(crate) fn sigmoid(v: f64) -> f64 {
    1.0 / (1.0 + (-v).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_give_the_hand_computed_probabilities() {
        let logistic = |slope, intercept| Calibrator::Logistic { slope, intercept };
        let isotonic = Calibrator::Isotonic {
            x: vec![0.2, 0.4, 0.8],
            y: vec![0.1, 0.1, 0.5],
        };
        let cases = [
            (Calibrator::Identity, 1.2, 1.0),
            (logistic(1.0, 0.0), 0.3, 0.3),
            (logistic(2.0, 0.0), 0.75, 0.9),
            (logistic(1.0, 3_f64.ln()), 0.5, 0.75),
            (logistic(1.0, 0.0), 0.0, LOGIT_MARGIN),
            (isotonic.clone(), 0.3, 0.1),
            (isotonic.clone(), 0.6, 0.3),
            (isotonic.clone(), 1.0, 0.5),
        ];
        for (map, score, expected) in cases {
            let got = map.apply(score);
            assert!((got - expected).abs() < 1e-12, "{map:?} {score}: {got}");
        }
        assert!(isotonic.apply(f64::NAN).is_nan());
    }

    #[test]
    fn broken_maps_are_refused_and_do_not_panic() {
        let isotonic = |x: &[f64], y: &[f64]| Calibrator::Isotonic {
            x: x.to_vec(),
            y: y.to_vec(),
        };
        let logistic = |slope, intercept| Calibrator::Logistic { slope, intercept };
        for bad in [
            logistic(0.0, 0.0),
            logistic(1.0, f64::NAN),
            isotonic(&[], &[]),
            isotonic(&[0.1, 0.7], &[0.1]),
            isotonic(&[0.1], &[0.1, 0.2]),
            isotonic(&[0.1, 0.1], &[0.1, 0.2]),
            isotonic(&[0.1, 0.2], &[0.2, 0.1]),
            isotonic(&[0.1], &[f64::NAN]),
        ] {
            assert_eq!(bad.check().unwrap_err().kind(), ErrorKind::OutOfRange);
            for score in [0.0, 0.1, 0.5, 1.0, f64::NAN] {
                bad.apply(score);
            }
        }
        assert!(isotonic(&[0.5], &[0.5]).check().is_ok());
    }
}
