//! Values of results: estimates, differences, shares, in the words of the JSON files.
//!
//! Owns: the serialized form of what `lobule_stats` returns. Does not own: how it is computed.

use lobule_stats::mrmc::{Contrast, MarginTest};
use lobule_stats::operating::OperatingPoint;
use lobule_stats::proportion::Proportion;
use lobule_stats::roc::AucComparison;
use lobule_stats::survival::ChiSquareTest;
use lobule_stats::{Confidence, Interval};
use serde::Serialize;

use crate::Error;

/// A number with its interval.
///
/// ```
/// use lobule_study::Estimate;
/// let auc = Estimate { estimate: 0.87, lower: 0.81, upper: 0.92 };
/// assert!(auc.lower < auc.estimate);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimate.
    pub estimate: f64,
    /// Lower limit.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
}

impl Estimate {
    pub(crate) fn new(estimate: f64, interval: Interval) -> Estimate {
        Estimate {
            estimate,
            lower: interval.lower,
            upper: interval.upper,
        }
    }
}

/// A difference (or other contrast) with its test against 0.
///
/// ```
/// use lobule_study::Difference;
/// let none = Difference {
///     estimate: 0.0, standard_error: 0.1, degrees_of_freedom: None,
///     statistic: 0.0, p_value: 1.0, lower: -0.2, upper: 0.2,
/// };
/// assert_eq!(none.p_value, 1.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Of Student's distribution; `None` for the normal one.
    pub degrees_of_freedom: Option<f64>,
    /// t or z.
    pub statistic: f64,
    /// Two-sided.
    pub p_value: f64,
    /// Lower limit.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
}

impl From<&Contrast> for Difference {
    fn from(contrast: &Contrast) -> Difference {
        Difference {
            estimate: contrast.estimate,
            standard_error: contrast.standard_error,
            degrees_of_freedom: contrast.degrees_of_freedom,
            statistic: contrast.statistic,
            p_value: contrast.p_value,
            lower: contrast.interval.lower,
            upper: contrast.interval.upper,
        }
    }
}

impl From<&AucComparison> for Difference {
    fn from(comparison: &AucComparison) -> Difference {
        Difference {
            estimate: comparison.difference,
            standard_error: comparison.standard_error,
            degrees_of_freedom: comparison.degrees_of_freedom,
            statistic: comparison.statistic,
            p_value: comparison.p_value,
            lower: comparison.interval.lower,
            upper: comparison.interval.upper,
        }
    }
}

/// A one-sided test against a margin.
///
/// ```
/// use lobule_study::Margin;
/// let answer = Margin { margin: 0.05, statistic: 2.4, p_value: 0.01 };
/// assert!(answer.p_value < 0.025);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Margin {
    /// The margin, fixed beforehand.
    pub margin: f64,
    /// t or z.
    pub statistic: f64,
    /// One-sided.
    pub p_value: f64,
}

impl From<MarginTest> for Margin {
    fn from(test: MarginTest) -> Margin {
        Margin {
            margin: test.margin,
            statistic: test.statistic,
            p_value: test.p_value,
        }
    }
}

/// A count out of a total, with Wilson's interval.
///
/// ```
/// use lobule_study::Share;
/// let share = Share { count: 9, total: 10, estimate: 0.9, lower: 0.6, upper: 0.98 };
/// assert_eq!(share.count, 9);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// How many.
    pub count: usize,
    /// Of how many.
    pub total: usize,
    /// Their ratio.
    pub estimate: f64,
    /// Lower limit.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
}

impl Share {
    pub(crate) fn new(proportion: Proportion, confidence: Confidence) -> Share {
        let interval = proportion.wilson(confidence);
        Share {
            count: proportion.successes(),
            total: proportion.total(),
            estimate: proportion.value(),
            lower: interval.lower,
            upper: interval.upper,
        }
    }
}

/// What a threshold does: the 2 × 2 table and its shares.
///
/// ```
/// use lobule_study::Decisions;
/// fn miss(decisions: &Decisions) -> usize { decisions.false_negatives }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decisions {
    /// Cases are flagged from here on; `None` above every score.
    pub threshold: Option<f64>,
    /// Diseased and flagged.
    pub true_positives: usize,
    /// Diseased and not flagged.
    pub false_negatives: usize,
    /// Healthy and flagged.
    pub false_positives: usize,
    /// Healthy and not flagged.
    pub true_negatives: usize,
    /// Flagged among the diseased.
    pub sensitivity: Option<Share>,
    /// Not flagged among the healthy.
    pub specificity: Option<Share>,
    /// Diseased among the flagged.
    pub positive_predictive_value: Option<Share>,
    /// Healthy among the others.
    pub negative_predictive_value: Option<Share>,
    /// Flagged of all.
    pub flagged: Option<Share>,
}

impl Decisions {
    pub(crate) fn new(point: &OperatingPoint, confidence: Confidence) -> Decisions {
        let table = &point.table;
        let share = |proportion: Option<Proportion>| proportion.map(|p| Share::new(p, confidence));
        Decisions {
            threshold: point.threshold.is_finite().then_some(point.threshold),
            true_positives: table.true_positives,
            false_negatives: table.false_negatives,
            false_positives: table.false_positives,
            true_negatives: table.true_negatives,
            sensitivity: share(table.sensitivity()),
            specificity: share(table.specificity()),
            positive_predictive_value: share(table.positive_predictive_value()),
            negative_predictive_value: share(table.negative_predictive_value()),
            flagged: share(table.flagged_rate()),
        }
    }
}

/// A χ² test.
///
/// ```
/// use lobule_study::ChiSquare;
/// let test = ChiSquare { statistic: 21.1, degrees_of_freedom: 2, p_value: 2.6e-5 };
/// assert_eq!(test.degrees_of_freedom, 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ChiSquare {
    /// χ².
    pub statistic: f64,
    /// Degrees of freedom.
    pub degrees_of_freedom: usize,
    /// P(X ≥ χ²).
    pub p_value: f64,
}

impl From<&ChiSquareTest> for ChiSquare {
    fn from(test: &ChiSquareTest) -> ChiSquare {
        ChiSquare {
            statistic: test.statistic,
            degrees_of_freedom: test.degrees_of_freedom,
            p_value: test.p_value,
        }
    }
}

/// A result, or why the data do not allow it.
///
/// ```
/// use lobule_study::Found;
/// let none: Found<f64> = Found::Refused("expected both classes, got one".into());
/// assert!(none.value().is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Found<T> {
    /// The result.
    Value(T),
    /// The reason.
    Refused(String),
}

impl<T> Found<T> {
    /// The result, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Found::Value(value) => Some(value),
            Found::Refused(_) => None,
        }
    }
}

impl<T, E: Into<Error>> From<Result<T, E>> for Found<T> {
    fn from(result: Result<T, E>) -> Found<T> {
        match result {
            Ok(value) => Found::Value(value),
            Err(error) => Found::Refused(error.into().to_string()),
        }
    }
}
