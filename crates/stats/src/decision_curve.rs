//! Decision curves: what acting on a probability is worth, against acting on everyone or no one.
//!
//! Owns: net benefit over threshold probabilities ([`decision_curve`], [`net_benefit`]) and its
//! relatives, interventions avoided and standardized net benefit. Does not own: the choice of a
//! threshold, which is a matter of what a missed cancer weighs against a needless biopsy, and
//! calibration ([`crate::calibration`]), on which the whole method rests.
//!
//! Vickers & Elkin 2006, doi:10.1177/0272989X06295361.
//!
//! ```
//! use lobule_stats::decision_curve::decision_curve;
//! let probabilities = [0.05, 0.1, 0.2, 0.6, 0.7, 0.9];
//! let truth = [false, false, false, false, true, true];
//! let curve = decision_curve(&probabilities, &truth, &[0.25])?;
//! // Two found of six, one needless at odds of 1 to 3.
//! assert!((curve[0].model - (2.0 / 6.0 - 1.0 / 6.0 / 3.0)).abs() < 1e-15);
//! assert!(curve[0].model > curve[0].treat_all);
//! # Ok::<(), lobule_stats::Error>(())
//! ```

use crate::cases::check_probabilities;
use crate::operating::ConfusionTable;
use crate::prevalence::Prevalence;
use crate::roc::Roc;
use crate::{Error, ErrorKind};

/// The worth of three strategies at one threshold probability. Treating no one is worth 0.
///
/// ```
/// use lobule_stats::decision_curve::decision_curve;
/// let point = decision_curve(&[0.1, 0.9], &[false, true], &[0.5])?[0];
/// assert_eq!((point.model, point.treat_all), (0.5, 0.0));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecisionPoint {
    /// pₜ: who would act at this probability and not below holds a needless action to be worth
    /// `pₜ / (1 − pₜ)` of a missed case.
    pub threshold: f64,
    /// Net benefit of acting where the probability is at least pₜ.
    pub model: f64,
    /// Net benefit of acting on every case.
    pub treat_all: f64,
    /// π, the share of diseased cases: the largest net benefit there can be.
    pub prevalence: f64,
    /// Cases on which the model acts.
    pub n_flagged: usize,
}

impl DecisionPoint {
    /// Net actions spared by the model, per case, at no loss of found cases.
    ///
    /// Formula: `(NB − NBₐ) (1 − pₜ) / pₜ`. Symbols: NB, NBₐ the net benefits of the model and of
    /// acting on everyone. Range: at most `1 − π`; negative where the model is worse than acting
    /// on everyone. Vickers & Elkin 2006, doi:10.1177/0272989X06295361.
    ///
    /// ```
    /// # use lobule_stats::decision_curve::decision_curve;
    /// let point = decision_curve(&[0.1, 0.9], &[false, true], &[0.2])?[0];
    /// assert!((point.net_interventions_avoided() - 0.5).abs() < 1e-15);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn net_interventions_avoided(&self) -> f64 {
        (self.model - self.treat_all) * (1.0 - self.threshold) / self.threshold
    }

    /// Net benefit as a share of what perfect knowledge would bring.
    ///
    /// Formula: `NB / π`. Range: at most 1, 0 for acting on no one.
    /// Kerr, Brown, Zhu, Janes 2016, doi:10.1200/JCO.2015.65.5654.
    ///
    /// ```
    /// # use lobule_stats::decision_curve::decision_curve;
    /// let point = decision_curve(&[0.1, 0.9], &[false, true], &[0.2])?[0];
    /// assert_eq!(point.standardized(), 1.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn standardized(&self) -> f64 {
        self.model / self.prevalence
    }
}

/// The net benefit of a probability and of acting on everyone, over threshold probabilities.
///
/// Formula: `NB = TP / N − FP / N · pₜ / (1 − pₜ)`, cases flagged where the probability is at least
/// pₜ; acting on everyone flags all N, acting on no one is worth 0. Range: at most π, without a
/// lower bound. The probabilities must be calibrated for the curve to mean anything; with one case
/// per patient drawn from the population itself the prevalence is right too.
/// Vickers & Elkin 2006, doi:10.1177/0272989X06295361.
///
/// ```
/// use lobule_stats::decision_curve::decision_curve;
/// let thresholds: Vec<f64> = (1..20).map(|percent| f64::from(percent) / 100.0).collect();
/// let curve = decision_curve(&[0.02, 0.1, 0.4], &[false, false, true], &thresholds)?;
/// assert!(curve.iter().all(|point| point.model >= point.treat_all.max(0.0)));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`],
/// [`ErrorKind::SingleClass`] by the cases; [`ErrorKind::OutOfRange`] for a probability outside
/// 0..=1 or a threshold outside (0, 1).
pub fn decision_curve(
    probabilities: &[f64],
    truth: &[bool],
    thresholds: &[f64],
) -> Result<Vec<DecisionPoint>, Error> {
    let counts = check_probabilities(probabilities, truth)?;
    let roc = Roc::new(probabilities, truth)?;
    let everyone = ConfusionTable {
        true_positives: counts.positives,
        false_positives: counts.negatives,
        ..ConfusionTable::default()
    };
    let point = |&threshold: &f64| {
        let table = roc.at_threshold(threshold)?.table;
        Ok(DecisionPoint {
            threshold,
            model: net_benefit(&table, threshold)?,
            treat_all: net_benefit(&everyone, threshold)?,
            prevalence: counts.positives as f64 / truth.len() as f64,
            n_flagged: table.true_positives + table.false_positives,
        })
    };
    thresholds.iter().map(point).collect()
}

/// The net benefit of any decisions, a reader's for instance, at a threshold probability; formula
/// and source as in [`decision_curve`].
///
/// ```
/// use lobule_stats::{decision_curve::net_benefit, operating::ConfusionTable};
/// let reader = ConfusionTable {
///     true_positives: 8, false_negatives: 2, false_positives: 20, true_negatives: 70,
/// };
/// assert!((net_benefit(&reader, 0.2)? - (0.08 - 0.2 / 4.0)).abs() < 1e-15);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Empty`] for a table without cases, [`ErrorKind::OutOfRange`] for a threshold
/// outside (0, 1).
pub fn net_benefit(table: &ConfusionTable, threshold: f64) -> Result<f64, Error> {
    let odds = odds_of(threshold)?;
    let Some(n_cases) = Some(table.total()).filter(|&n| n > 0) else {
        return Err(Error::new(
            ErrorKind::Empty,
            "expected decisions on at least one case, got none",
        ));
    };
    let share = |count: usize| count as f64 / n_cases as f64;
    Ok(share(table.true_positives) - share(table.false_positives) * odds)
}

/// The net benefit of decisions where the disease has another prevalence than among the cases, as
/// it has when diseased cases were collected on purpose.
///
/// Formula: `NB = Se π − (1 − Sp)(1 − π) pₜ / (1 − pₜ)`. Symbols: Se, Sp the table's sensitivity and
/// specificity, π the prevalence. At the table's own prevalence it is [`net_benefit`].
/// Vickers, Van Calster, Steyerberg 2016, doi:10.1136/bmj.i6.
///
/// ```
/// use lobule_stats::{decision_curve::net_benefit_at, operating::ConfusionTable};
/// use lobule_stats::prevalence::Prevalence;
/// let reader = ConfusionTable {
///     true_positives: 8, false_negatives: 2, false_positives: 20, true_negatives: 80,
/// };
/// let rare = net_benefit_at(&reader, 0.02, Prevalence::new(0.01)?)?;
/// assert!((rare - (0.008 - 0.2 * 0.99 / 49.0)).abs() < 1e-15);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::SingleClass`] for a table without one of the classes, [`ErrorKind::OutOfRange`]
/// for a threshold outside (0, 1).
pub fn net_benefit_at(
    table: &ConfusionTable,
    threshold: f64,
    prevalence: Prevalence,
) -> Result<f64, Error> {
    let odds = odds_of(threshold)?;
    let (Some(sensitivity), Some(false_alarms)) =
        (table.sensitivity(), table.false_positive_rate())
    else {
        return Err(Error::new(
            ErrorKind::SingleClass,
            "expected a table with both classes, got one without",
        ));
    };
    let (share, rest) = (prevalence.value(), 1.0 - prevalence.value());
    Ok(sensitivity.value() * share - false_alarms.value() * rest * odds)
}

/// `pₜ / (1 − pₜ)`.
fn odds_of(threshold: f64) -> Result<f64, Error> {
    if threshold > 0.0 && threshold < 1.0 {
        return Ok(threshold / (1.0 - threshold));
    }
    Err(Error::new(
        ErrorKind::OutOfRange,
        format!("expected a threshold probability between 0 and 1, got {threshold}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBABILITIES: [f64; 5] = [0.1, 0.3, 0.3, 0.6, 0.8];
    const TRUTH: [bool; 5] = [false, false, true, false, true];

    #[test]
    fn net_benefits_are_those_computed_by_hand() {
        // (pₜ, TP, FP, odds): all flagged, then from 0.3, from 0.6, none.
        let cases = [
            (0.1, 2.0, 3.0, 1.0 / 9.0),
            (0.3, 2.0, 2.0, 3.0 / 7.0),
            (0.5, 1.0, 1.0, 1.0),
            (0.9, 0.0, 0.0, 9.0),
        ];
        for (threshold, tp, fp, odds) in cases {
            let point = decision_curve(&PROBABILITIES, &TRUTH, &[threshold]).unwrap()[0];
            let (model, all) = (tp / 5.0 - fp / 5.0 * odds, 0.4 - 0.6 * odds);
            assert!((point.model - model).abs() < 1e-14, "{threshold}");
            assert!((point.treat_all - all).abs() < 1e-14, "{threshold}");
            // Actions spared: false positives less of everyone's, less missed cases at their odds.
            let spared = (3.0 - fp) / 5.0 - (2.0 - tp) / 5.0 / odds;
            assert!((point.net_interventions_avoided() - spared).abs() < 1e-14);
            assert!((point.standardized() - model / 0.4).abs() < 1e-14);
        }
    }

    #[test]
    fn the_own_prevalence_is_the_tables() {
        let table = ConfusionTable::at_threshold(&PROBABILITIES, &TRUTH, 0.3).unwrap();
        let own = Prevalence::new(0.4).unwrap();
        let (plain, at) = (net_benefit(&table, 0.2), net_benefit_at(&table, 0.2, own));
        assert!((plain.unwrap() - at.unwrap()).abs() < 1e-15);
    }

    #[test]
    fn what_has_no_net_benefit_is_refused() {
        let kind = |p: &[f64], t: f64| decision_curve(p, &TRUTH, &[t]).unwrap_err().kind();
        for threshold in [0.0, 1.0, -0.1, f64::NAN, f64::INFINITY] {
            assert_eq!(kind(&PROBABILITIES, threshold), ErrorKind::OutOfRange);
        }
        assert_eq!(kind(&[0.1, 0.2, 0.3, 0.4, 1.5], 0.5), ErrorKind::OutOfRange);
        assert_eq!(kind(&[0.1], 0.5), ErrorKind::Mismatch);
        let none = ConfusionTable::default();
        assert_eq!(
            net_benefit(&none, 0.5).unwrap_err().kind(),
            ErrorKind::Empty
        );
        let half = Prevalence::new(0.5).unwrap();
        let error = net_benefit_at(&none, 0.5, half).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SingleClass);
        assert_eq!(decision_curve(&PROBABILITIES, &TRUTH, &[]).unwrap(), []);
    }
}
