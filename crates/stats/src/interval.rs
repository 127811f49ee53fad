//! Confidence levels and intervals.

use crate::distribution::normal_quantile;
use crate::{Error, ErrorKind};

/// A two-sided confidence level 1 − α, strictly between 0 and 1.
///
/// ```
/// use lobule_stats::Confidence;
/// assert_eq!(Confidence::new(0.95)?, Confidence::NINETY_FIVE);
/// assert!(Confidence::new(95.0).is_err());
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence(f64);

impl Confidence {
    /// The usual 95 %.
    ///
    /// ```
    /// assert_eq!(lobule_stats::Confidence::NINETY_FIVE.level(), 0.95);
    /// ```
    pub const NINETY_FIVE: Confidence = Confidence(0.95);

    /// A level between 0 and 1.
    ///
    /// ```
    /// assert_eq!(lobule_stats::Confidence::new(0.9)?.level(), 0.9);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] outside (0, 1).
    pub fn new(level: f64) -> Result<Confidence, Error> {
        if level > 0.0 && level < 1.0 {
            return Ok(Confidence(level));
        }
        Err(Error::new(
            ErrorKind::OutOfRange,
            format!("expected a confidence level between 0 and 1, got {level}"),
        ))
    }

    /// The level 1 − α.
    ///
    /// ```
    /// assert_eq!(lobule_stats::Confidence::NINETY_FIVE.level(), 0.95);
    /// ```
    pub fn level(self) -> f64 {
        self.0
    }

    /// α / 2, the probability left out on each side.
    pub(crate) fn tail(self) -> f64 {
        (1.0 - self.0) / 2.0
    }

    /// z of 1 − α / 2.
    pub(crate) fn z(self) -> f64 {
        -normal_quantile(self.tail())
    }
}

/// A closed interval, `lower ≤ upper`.
///
/// ```
/// use lobule_stats::Interval;
/// let interval = Interval { lower: 0.7, upper: 0.9 };
/// assert!(interval.contains(0.8));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower limit.
    pub lower: f64,
    /// The upper limit.
    pub upper: f64,
}

impl Interval {
    /// Whether the value lies between the limits, limits included.
    ///
    /// ```
    /// use lobule_stats::Interval;
    /// assert!(!Interval { lower: 0.7, upper: 0.9 }.contains(0.95));
    /// ```
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }

    /// `center ± half_width`.
    pub(crate) fn around(center: f64, half_width: f64) -> Interval {
        Interval {
            lower: center - half_width,
            upper: center + half_width,
        }
    }

    /// Both limits brought into `lower..=upper`.
    pub(crate) fn clamp(self, lower: f64, upper: f64) -> Interval {
        Interval {
            lower: self.lower.clamp(lower, upper),
            upper: self.upper.clamp(lower, upper),
        }
    }
}
