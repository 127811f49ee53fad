//! Measures of probabilities against what happened.

use super::logistic::{Free, fit};
use super::logit;
use crate::cases::{check_cases, check_finite, check_lengths, check_range};
use crate::{Confidence, Error, ErrorKind, Interval};

/// Claims are kept this far from 0 and 1, so that a certain mistake costs much but not everything.
const CERTAIN: f64 = f64::EPSILON;

/// The logistic line through calibration space. Slope 1 and intercept 0 are ideal; a slope below 1
/// means claims that are too extreme.
///
/// ```
/// use lobule_stats::{Confidence, calibration::calibration_line};
/// let probabilities = [0.1, 0.1, 0.4, 0.4, 0.6, 0.6, 0.9, 0.9];
/// let truth = [false, true, false, true, true, false, true, true];
/// let line = calibration_line(&probabilities, &truth, Confidence::NINETY_FIVE)?;
/// assert!(line.slope_interval.contains(line.slope));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationLine {
    /// Factor on the logit of the claimed probability.
    pub slope: f64,
    /// Logit of the share where the claim is ½.
    pub intercept: f64,
    /// Wald's interval for the slope.
    pub slope_interval: Interval,
    /// Wald's interval for the intercept.
    pub intercept_interval: Interval,
}

/// Calibration slope and intercept, fitted together.
///
/// Formula: logistic regression `logit P(t = 1) = intercept + slope · logit p`, by maximum
/// likelihood; intervals `± z(1 − α/2)` standard errors from the inverse information. Symbols: t
/// the truth, p the claimed probability, kept 2⁻⁵² away from 0 and 1.
/// Cases must be independent; bootstrap the slope otherwise. Cox 1958,
/// doi:10.1093/biomet/45.3-4.562; Van Calster et al. 2016, doi:10.1016/j.jclinepi.2015.12.005.
///
/// ```
/// use lobule_stats::{Confidence, calibration::calibration_line};
/// // Claims of 10 % and 90 % that hold for 1 and 3 of 4: slope ln 3 / ln 9.
/// let probabilities = [0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9];
/// let truth = [true, false, false, false, true, true, true, false];
/// let line = calibration_line(&probabilities, &truth, Confidence::NINETY_FIVE)?;
/// assert!((line.slope - 0.5).abs() < 1e-9 && line.intercept.abs() < 1e-9);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// Those of the inputs ([`ErrorKind::OutOfRange`] outside 0..=1); [`ErrorKind::NoFit`] when the
/// classes are separated or the probabilities are all the same.
pub fn calibration_line(
    probabilities: &[f64],
    truth: &[bool],
    confidence: Confidence,
) -> Result<CalibrationLine, Error> {
    let (logits, targets) = logits_and_targets(probabilities, truth)?;
    check_overlap(&logits, truth)?;
    let fit = fit(&logits, &targets, Free::Both)?;
    let around =
        |value: f64, variance: f64| Interval::around(value, confidence.z() * variance.sqrt());
    Ok(CalibrationLine {
        slope: fit.slope,
        intercept: fit.intercept,
        slope_interval: around(fit.slope, fit.slope_variance),
        intercept_interval: around(fit.intercept, fit.intercept_variance),
    })
}

/// Calibration-in-the-large: how far claims are off on the whole, in logits.
///
/// Formula: the a of `logit P(t = 1) = a + logit p`, by maximum likelihood. Symbols as in
/// [`calibration_line`]. Range: all reals; 0 when the claims add up to the diseased cases,
/// negative when they claim too much. Van Calster et al. 2016,
/// doi:10.1016/j.jclinepi.2015.12.005.
///
/// ```
/// use lobule_stats::calibration::calibration_in_the_large;
/// // Claims of one half where a quarter is diseased: logit(1/4) − logit(1/2) = −ln 3.
/// let a = calibration_in_the_large(&[0.5; 4], &[true, false, false, false])?;
/// assert!((a + 3_f64.ln()).abs() < 1e-9);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// Those of the inputs ([`ErrorKind::OutOfRange`] outside 0..=1).
pub fn calibration_in_the_large(probabilities: &[f64], truth: &[bool]) -> Result<f64, Error> {
    let (logits, targets) = logits_and_targets(probabilities, truth)?;
    Ok(fit(&logits, &targets, Free::Intercept)?.intercept)
}

/// Brier's score, the mean squared error of probabilities.
///
/// Formula: `Σ (pᵢ − tᵢ)² / n`. Symbols: p the probability, t the truth (0 or 1). Range: 0 (ideal)
/// to 1; a constant ½ gives ¼. One class alone is allowed.
/// Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
///
/// ```
/// use lobule_stats::calibration::brier_score;
/// assert_eq!(brier_score(&[0.5, 1.0], &[true, true])?, 0.125);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`],
/// [`ErrorKind::OutOfRange`].
pub fn brier_score(probabilities: &[f64], truth: &[bool]) -> Result<f64, Error> {
    mean_over_cases(probabilities, truth, |p, present| {
        (p - f64::from(present)).powi(2)
    })
}

/// The mean logarithmic loss, in nats.
///
/// Formula: `−Σ (tᵢ ln pᵢ + (1 − tᵢ) ln(1 − pᵢ)) / n`. Symbols as in [`brier_score`]; p is kept
/// 2⁻⁵² away from 0 and 1, so one case costs 36.04 at most. Range: 0 or more; a constant ½ gives
/// ln 2. Good 1952, doi:10.1111/j.2517-6161.1952.tb00104.x.
///
/// ```
/// use lobule_stats::calibration::log_loss;
/// assert!((log_loss(&[0.5, 0.5], &[true, false])? - 2_f64.ln()).abs() < 1e-15);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// As [`brier_score`].
pub fn log_loss(probabilities: &[f64], truth: &[bool]) -> Result<f64, Error> {
    mean_over_cases(probabilities, truth, |p, present| {
        let p = p.clamp(CERTAIN, 1.0 - CERTAIN);
        if present { -p.ln() } else { -(-p).ln_1p() }
    })
}

fn mean_over_cases(
    probabilities: &[f64],
    truth: &[bool],
    loss: impl Fn(f64, bool) -> f64,
) -> Result<f64, Error> {
    check_lengths("truths", truth.len(), "probabilities", probabilities.len())?;
    check_finite(probabilities)?;
    check_range(probabilities)?;
    let losses = probabilities
        .iter()
        .zip(truth)
        .map(|(&p, &present)| loss(p, present));
    Ok(losses.sum::<f64>() / truth.len() as f64)
}

fn logits_and_targets(
    probabilities: &[f64],
    truth: &[bool],
) -> Result<(Vec<f64>, Vec<f64>), Error> {
    check_cases(probabilities, truth)?;
    check_range(probabilities)?;
    let logits = probabilities.iter().map(|&p| logit(p, CERTAIN)).collect();
    let targets = truth.iter().map(|&present| f64::from(present)).collect();
    Ok((logits, targets))
}

/// The likelihood has a finite maximum where the classes overlap (Albert & Anderson 1984,
/// doi:10.1093/biomet/71.1.1).
fn check_overlap(logits: &[f64], truth: &[bool]) -> Result<(), Error> {
    let range = |class: bool| {
        let members = logits
            .iter()
            .zip(truth)
            .filter(|&(_, &present)| present == class);
        members.fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(low, high), (&v, _)| (low.min(v), high.max(v)),
        )
    };
    let ((low_healthy, high_healthy), (low_diseased, high_diseased)) = (range(false), range(true));
    if high_healthy > low_diseased && high_diseased > low_healthy {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::NoFit,
        "expected overlapping classes, got probabilities that separate them",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separated_or_constant_probabilities_have_no_line() {
        let truth = [false, false, true, true];
        let cases = [
            [0.1, 0.2, 0.8, 0.9],
            [0.9, 0.8, 0.2, 0.1],
            [0.1, 0.5, 0.5, 0.9],
            [0.3, 0.3, 0.3, 0.3],
        ];
        for probabilities in cases {
            let line = calibration_line(&probabilities, &truth, Confidence::NINETY_FIVE);
            assert_eq!(
                line.unwrap_err().kind(),
                ErrorKind::NoFit,
                "{probabilities:?}"
            );
        }
    }

    #[test]
    fn certain_mistakes_cost_much_but_not_everything() {
        let loss = log_loss(&[0.0], &[true]).unwrap();
        assert!((loss - 52.0 * 2_f64.ln()).abs() < 1e-12);
        assert_eq!(brier_score(&[0.0], &[true]).unwrap(), 1.0);
    }
}
