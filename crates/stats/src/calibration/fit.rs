//! Temperature scaling and Platt's scaling.

use super::logistic::{Free, fit};
use super::{Calibrator, LOGIT_MARGIN, logit};
use crate::cases::check_probabilities;
use crate::{Error, ErrorKind};

/// Temperature scaling: the one factor on the logits that makes the truth most likely.
///
/// Formula: `p = σ(logit(s) / T)`, T minimizing `−Σ tᵢ ln pᵢ + (1 − tᵢ) ln(1 − pᵢ)`. Symbols: s the
/// score, t the truth (0 or 1), σ the logistic function. Result: `Logistic { slope: 1/T,
/// intercept: 0 }`. The order of scores is kept, and ½ stays ½: where the prevalence is off, use
/// [`fit_platt`]. Guo, Pleiss, Sun, Weinberger 2017, doi:10.48550/arXiv.1706.04599.
///
/// ```
/// use lobule_stats::calibration::{Calibrator, fit_temperature};
/// // Claims of 90 % and 10 % that hold for three of four: logits are to shrink by ln 3 / ln 9.
/// let scores = [0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1];
/// let truth = [true, true, true, false, false, false, false, true];
/// let calibrator = fit_temperature(&scores, &truth)?;
/// assert!((calibrator.apply(0.9) - 0.75).abs() < 1e-9);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// Those of the inputs ([`ErrorKind::OutOfRange`] for scores outside 0..=1);
/// [`ErrorKind::NoFit`] when ½ separates the classes, so that no temperature is cold enough;
/// [`ErrorKind::NotIncreasing`] when the best factor is not above zero.
pub fn fit_temperature(scores: &[f64], truth: &[bool]) -> Result<Calibrator, Error> {
    check_probabilities(scores, truth)?;
    let logits: Vec<f64> = scores
        .iter()
        .map(|&score| logit(score, LOGIT_MARGIN))
        .collect();
    let towards_truth = |(&logit, &present): (&f64, &bool)| if present { logit } else { -logit };
    let gains = || logits.iter().zip(truth).map(towards_truth);
    if gains().all(|gain| gain >= 0.0) {
        return Err(Error::new(
            ErrorKind::NoFit,
            "expected a score of 0.5 between overlapping classes, got no case on the wrong side",
        ));
    }
    // The derivative at slope 0 is half the sum of the gains; the loss is convex.
    if gains().sum::<f64>() <= 0.0 {
        return Err(not_increasing());
    }
    let targets: Vec<f64> = truth.iter().map(|&present| f64::from(present)).collect();
    let fit = fit(&logits, &targets, Free::Slope)?;
    calibrator(fit.slope, fit.intercept)
}

/// Platt's scaling on the logit: slope and intercept by logistic regression on smoothed targets,
/// so that separated classes have a finite fit too.
///
/// Formula: `p = σ(a logit(s) + b)`, (a, b) minimizing `−Σ tᵢ ln pᵢ + (1 − tᵢ) ln(1 − pᵢ)` with
/// `t = (m + 1)/(m + 2)` for the m diseased and `t = 1/(n + 2)` for the n healthy cases. Symbols:
/// s the score, σ the logistic function. Newton's method with a line search. Platt 1999, in
/// *Advances in Large Margin Classifiers*, MIT Press, 61–74; Lin, Lin, Weng 2007,
/// doi:10.1007/s10994-007-5018-6.
///
/// ```
/// use lobule_stats::calibration::{Calibrator, fit_platt};
/// let calibrator = fit_platt(&[0.1, 0.2, 0.7, 0.9], &[false, false, true, true])?;
/// assert!(matches!(calibrator, Calibrator::Logistic { .. }));
/// // Four cases do not prove more than this.
/// assert!(calibrator.apply(0.9) < 0.9);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// Those of the inputs ([`ErrorKind::OutOfRange`] for scores outside 0..=1);
/// [`ErrorKind::NoFit`] for a constant score; [`ErrorKind::NotIncreasing`] when healthy cases score
/// higher.
pub fn fit_platt(scores: &[f64], truth: &[bool]) -> Result<Calibrator, Error> {
    let counts = check_probabilities(scores, truth)?;
    let (m, n) = (counts.positives as f64, counts.negatives as f64);
    let target = |present: bool| {
        if present {
            (m + 1.0) / (m + 2.0)
        } else {
            1.0 / (n + 2.0)
        }
    };
    let targets: Vec<f64> = truth.iter().map(|&present| target(present)).collect();
    let logits: Vec<f64> = scores
        .iter()
        .map(|&score| logit(score, LOGIT_MARGIN))
        .collect();
    let fit = fit(&logits, &targets, Free::Both)?;
    calibrator(fit.slope, fit.intercept)
}

fn calibrator(slope: f64, intercept: f64) -> Result<Calibrator, Error> {
    if slope > 0.0 {
        return Ok(Calibrator::Logistic { slope, intercept });
    }
    Err(not_increasing())
}

fn not_increasing() -> Error {
    Error::new(
        ErrorKind::NotIncreasing,
        "expected higher scores in diseased cases, got a fit that turns the order around",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_that_say_the_opposite_are_refused() {
        let scores = [0.9, 0.8, 0.4, 0.3];
        let truth = [false, false, true, true];
        for fit in [fit_platt, fit_temperature] {
            let error = fit(&scores, &truth).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotIncreasing);
        }
    }

    #[test]
    fn what_has_no_fit_is_refused() {
        let truth = [false, false, true, true];
        let separated = fit_temperature(&[0.1, 0.2, 0.8, 0.9], &truth).unwrap_err();
        let constant = fit_platt(&[0.3; 4], &truth).unwrap_err();
        for error in [separated, constant] {
            assert_eq!(error.kind(), ErrorKind::NoFit);
        }
    }

    #[test]
    fn saturated_scores_have_a_finite_fit() {
        let scores = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
        let truth = [false, false, true, true, true, false];
        for fit in [fit_platt, fit_temperature] {
            fit(&scores, &truth).unwrap().check().unwrap();
        }
    }
}
