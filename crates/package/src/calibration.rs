//! From a network's score to a probability.

use serde::{Deserialize, Serialize};

/// Scores are kept this far from 0 and 1 before their logit is taken.
const SCORE_MARGIN: f64 = 1e-6;

/// How the scores of one class become probabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Share of the class among the breasts that the map was fitted on, strictly between 0 and 1.
    /// The probabilities hold at this prevalence; [`rebase`] takes them to another.
    pub prevalence: f64,
    /// The map itself.
    pub map: CalibrationMap,
}

/// A monotone map from a score in 0..=1 to a probability in 0..=1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum CalibrationMap {
    /// Platt's logistic calibration of the score's logit:
    /// `p = 1 / (1 + exp(−(slope · ln(s / (1 − s)) + intercept)))`, with `s` kept 10⁻⁶ away from
    /// 0 and 1.
    Logistic {
        /// Above zero.
        slope: f64,
        /// In logits.
        intercept: f64,
    },
    /// Straight lines through the points `(x, y)`, constant outside them.
    Isotonic {
        /// Scores, strictly increasing.
        x: Vec<f64>,
        /// Probabilities in 0..=1, never decreasing.
        y: Vec<f64>,
    },
}

impl CalibrationMap {
    /// The probability that belongs to a score. Scores outside 0..=1 are brought inside; a NaN
    /// stays one.
    pub fn probability(&self, score: f64) -> f64 {
        match self {
            CalibrationMap::Logistic { slope, intercept } => {
                let s = score.clamp(SCORE_MARGIN, 1.0 - SCORE_MARGIN);
                sigmoid(slope * logit(s) + intercept)
            }
            CalibrationMap::Isotonic { x, y } => interpolate(x, y, score),
        }
    }

    /// Says what is wrong with the map, if anything.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        match self {
            CalibrationMap::Logistic { slope, intercept } => {
                let fine = slope.is_finite() && *slope > 0.0 && intercept.is_finite();
                (!fine).then_some("expected a finite slope above 0 and a finite intercept")
            }
            CalibrationMap::Isotonic { x, y } => {
                let fine = !x.is_empty()
                    && x.len() == y.len()
                    && x.iter().chain(y).all(|v| (0.0..=1.0).contains(v))
                    && x.windows(2).all(|w| w[0] < w[1])
                    && y.windows(2).all(|w| w[0] <= w[1]);
                (!fine)
                    .then_some("expected as many y (rising) as x (strictly rising), all in 0..=1")
            }
        }
    }
}

/// Takes a probability from the prevalence it was calibrated at to another (prior shift, Bayes):
/// the odds are multiplied by the ratio of the two prevalences' odds.
///
/// `odds' = odds · (to / (1 − to)) / (from / (1 − from))`; all arguments in 0..=1, the
/// prevalences strictly inside. Saerens, Latinne, Decaestecker 2002,
/// doi:10.1162/089976602753284446.
///
/// ```
/// let p = lobule_package::rebase(0.5, 0.5, 0.01);
/// assert!((p - 0.01).abs() < 1e-12);
/// ```
pub fn rebase(probability: f64, from: f64, to: f64) -> f64 {
    let present = probability * to / from;
    let absent = (1.0 - probability) * (1.0 - to) / (1.0 - from);
    present / (present + absent)
}

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

fn sigmoid(v: f64) -> f64 {
    1.0 / (1.0 + (-v).exp())
}

fn interpolate(x: &[f64], y: &[f64], at: f64) -> f64 {
    if at.is_nan() {
        return at;
    }
    let right = x.partition_point(|&v| v <= at);
    match (right.checked_sub(1), x.get(right)) {
        (None, _) => y.first().copied().unwrap_or(f64::NAN),
        (Some(left), None) => y[left],
        (Some(left), Some(_)) => {
            let share = (at - x[left]) / (x[right] - x[left]);
            y[left] + share * (y[right] - y[left])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_give_the_hand_computed_probabilities() {
        let logistic = |slope, intercept| CalibrationMap::Logistic { slope, intercept };
        let isotonic = CalibrationMap::Isotonic {
            x: vec![0.2, 0.4, 0.8],
            y: vec![0.1, 0.1, 0.5],
        };
        let cases = [
            (&logistic(1.0, 0.0), 0.3, 0.3),
            (&logistic(2.0, 0.0), 0.75, 0.9), // odds 3² = 9
            (&logistic(1.0, 3f64.ln()), 0.5, 0.75),
            (&logistic(1.0, 0.0), 0.0, SCORE_MARGIN),
            (&isotonic, 0.0, 0.1),
            (&isotonic, 0.3, 0.1),
            (&isotonic, 0.6, 0.3),
            (&isotonic, 0.8, 0.5),
            (&isotonic, 1.0, 0.5),
        ];
        for (map, score, expected) in cases {
            let got = map.probability(score);
            assert!((got - expected).abs() < 1e-12, "{map:?} {score}: {got}");
        }
        assert!(isotonic.probability(f64::NAN).is_nan());
    }

    #[test]
    fn broken_maps_are_named() {
        let isotonic = |x: &[f64], y: &[f64]| CalibrationMap::Isotonic {
            x: x.to_vec(),
            y: y.to_vec(),
        };
        for bad in [
            CalibrationMap::Logistic {
                slope: 0.0,
                intercept: 0.0,
            },
            CalibrationMap::Logistic {
                slope: 1.0,
                intercept: f64::NAN,
            },
            isotonic(&[], &[]),
            isotonic(&[0.1], &[0.1, 0.2]),
            isotonic(&[0.1, 0.1], &[0.1, 0.2]),
            isotonic(&[0.1, 0.2], &[0.2, 0.1]),
            isotonic(&[0.1], &[f64::NAN]),
        ] {
            assert!(bad.problem().is_some(), "{bad:?}");
        }
        assert!(isotonic(&[0.5], &[0.5]).problem().is_none());
    }

    #[test]
    fn rebasing_there_and_back_changes_nothing() {
        for p in [0.0, 0.1, 0.5, 0.99, 1.0] {
            let back = rebase(rebase(p, 0.3, 0.006), 0.006, 0.3);
            assert!((back - p).abs() < 1e-12, "{p}: {back}");
        }
    }
}
