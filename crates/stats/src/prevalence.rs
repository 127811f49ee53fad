//! How common the disease is, and what a change of it does to a probability.
//!
//! Owns: [`Prevalence`] and [`rebase`]. Does not own: predictive values at a prevalence
//! ([`crate::operating`]).
//!
//! ```
//! use lobule_stats::prevalence::{Prevalence, rebase};
//! let (training, screening) = (Prevalence::new(0.3)?, Prevalence::new(0.006)?);
//! let p = rebase(0.8, training, screening)?;
//! assert!(p < 0.06);
//! # Ok::<(), lobule_stats::Error>(())
//! ```

use crate::{Error, ErrorKind};

/// A share of diseased cases, strictly between 0 and 1.
///
/// ```
/// use lobule_stats::prevalence::Prevalence;
/// assert!(Prevalence::new(0.006).is_ok());
/// assert!(Prevalence::new(0.0).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prevalence(f64);

impl Prevalence {
    /// A share between 0 and 1.
    ///
    /// ```
    /// use lobule_stats::prevalence::Prevalence;
    /// assert_eq!(Prevalence::new(0.25)?.value(), 0.25);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] outside (0, 1): at 0 or 1 the odds say nothing.
    pub fn new(share: f64) -> Result<Prevalence, Error> {
        if share > 0.0 && share < 1.0 {
            return Ok(Prevalence(share));
        }
        Err(Error::new(
            ErrorKind::OutOfRange,
            format!("expected a prevalence between 0 and 1, got {share}"),
        ))
    }

    /// The share.
    ///
    /// ```
    /// use lobule_stats::prevalence::Prevalence;
    /// assert_eq!(Prevalence::new(0.5)?.value(), 0.5);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn value(self) -> f64 {
        self.0
    }
}

/// Takes a probability from the prevalence it was calibrated at to another.
///
/// Formula: `p' / (1 − p') = p / (1 − p) · (π' / (1 − π')) / (π / (1 − π))`.
/// Symbols: p the probability at prevalence π (`from`), p' the result at prevalence π' (`to`).
/// Range: 0..=1; 0 and 1 stay what they are, and `from = to` changes nothing. Holds where only the
/// prevalence differs and the scores within each class are distributed alike; a population with
/// another case mix (larger lesions, other scanners) needs a new calibration.
/// Saerens, Latinne, Decaestecker 2002, doi:10.1162/089976602753284446.
///
/// ```
/// use lobule_stats::prevalence::{Prevalence, rebase};
/// let p = rebase(0.5, Prevalence::new(0.5)?, Prevalence::new(0.01)?)?;
/// assert!((p - 0.01).abs() < 1e-15);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::OutOfRange`] when the probability is outside 0..=1 or NaN.
pub fn rebase(probability: f64, from: Prevalence, to: Prevalence) -> Result<f64, Error> {
    if !(0.0..=1.0).contains(&probability) {
        return Err(Error::new(
            ErrorKind::OutOfRange,
            format!("expected a probability in 0..=1, got {probability}"),
        ));
    }
    let present = probability * to.0 / from.0;
    let absent = (1.0 - probability) * (1.0 - to.0) / (1.0 - from.0);
    Ok(present / (present + absent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rebasing_multiplies_the_odds_and_can_be_undone() {
        let share = |p| Prevalence::new(p).unwrap();
        // Odds 1/4 times (1/9) / (1) = 1/36.
        let p = rebase(0.2, share(0.5), share(0.1)).unwrap();
        assert!((p - 1.0 / 37.0).abs() < 1e-15);
        for p in [0.0, 1e-9, 0.3, 0.99, 1.0] {
            let there = rebase(p, share(0.3), share(0.006)).unwrap();
            let back = rebase(there, share(0.006), share(0.3)).unwrap();
            assert!((back - p).abs() < 1e-13, "{p}: {back}");
        }
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        let half = Prevalence::new(0.5).unwrap();
        for bad in [-0.1, 1.1, f64::NAN] {
            assert!(rebase(bad, half, half).is_err());
            assert!(Prevalence::new(bad).is_err());
        }
    }
}
