//! How a second classification splits the groups of a first.

use super::chi_square::ChiSquareTest;
use super::cox::{Covariates, CoxConfig, fit_cox};
use super::follow_up::{FollowUp, Labels};
use super::kaplan_meier::{KaplanMeier, SurvivalScale};
use super::log_rank::{LogRankConfig, log_rank};
use crate::{Confidence, Error, ErrorKind, Interval};

/// What the cells of a re-stratification report.
///
/// ```
/// use lobule_stats::{Confidence, survival::{RestratificationConfig, SurvivalScale}};
/// let config = RestratificationConfig::at(5.0);
/// assert_eq!((config.confidence, config.scale), (Confidence::NINETY_FIVE, SurvivalScale::LogLog));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestratificationConfig {
    /// The time at which survival is read, above 0.
    pub horizon: f64,
    /// Of all intervals.
    pub confidence: Confidence,
    /// Of the intervals for survival.
    pub scale: SurvivalScale,
}

impl RestratificationConfig {
    /// 95 % intervals at a horizon, those for survival on the log-log scale.
    ///
    /// ```
    /// # use lobule_stats::survival::RestratificationConfig;
    /// assert_eq!(RestratificationConfig::at(5.0).horizon, 5.0);
    /// ```
    pub fn at(horizon: f64) -> RestratificationConfig {
        RestratificationConfig {
            horizon,
            confidence: Confidence::NINETY_FIVE,
            scale: SurvivalScale::LogLog,
        }
    }
}

/// A group of the first classification.
///
/// ```
/// # use lobule_stats::survival::{FollowUp, RestratificationConfig, restratify};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
/// let groups = restratify(&follow_up, &[7; 4], &[0, 1, 0, 1], &RestratificationConfig::at(2.5))?;
/// assert_eq!((groups[0].label, groups[0].n_subjects, groups[0].cells.len()), (7, 4, 2));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RestratifiedGroup {
    /// The label in the first classification.
    pub label: usize,
    /// Its subjects.
    pub n_subjects: usize,
    /// Its events.
    pub n_events: usize,
    /// The cells, by rising label in the second classification; empty ones are left out.
    pub cells: Vec<RestratifiedCell>,
    /// The log-rank test of the cells; `None` where there is nothing to compare.
    pub test: Option<ChiSquareTest>,
}

/// Subjects of one group in the first and one in the second classification.
///
/// ```
/// # use lobule_stats::survival::{FollowUp, RestratificationConfig, restratify};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
/// let groups = restratify(&follow_up, &[7; 4], &[0, 1, 0, 1], &RestratificationConfig::at(2.5))?;
/// assert_eq!(groups[0].cells[1].survival, Some(0.5));
/// assert_eq!(groups[0].cells[0].hazard_ratio, None);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestratifiedCell {
    /// The label in the second classification.
    pub label: usize,
    /// Its subjects.
    pub n_subjects: usize,
    /// Its events.
    pub n_events: usize,
    /// Survival at the horizon; `None` where follow-up ends before.
    pub survival: Option<f64>,
    /// For the survival; `None` also where survival is 0.
    pub survival_interval: Option<Interval>,
    /// Against the group's first cell; `None` for that cell and where it or this one has no event.
    pub hazard_ratio: Option<HazardRatio>,
}

/// A hazard ratio with its interval.
///
/// ```
/// use lobule_stats::{Interval, survival::HazardRatio};
/// let interval = Interval { lower: 1.1, upper: 3.6 };
/// let ratio = HazardRatio { estimate: 2.0, interval, p_value: 0.02 };
/// assert!(ratio.interval.contains(ratio.estimate));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HazardRatio {
    /// exp β.
    pub estimate: f64,
    /// For exp β.
    pub interval: Interval,
    /// Wald's, two-sided, of a ratio of 1.
    pub p_value: f64,
}

/// Splits each group of a first classification by a second: subjects, events, survival at a horizon
/// and the hazard ratio against the group's first cell, with the log-rank test of the cells.
///
/// A second classification that adds something shows cells of one group whose survival differs.
/// Formulas: [`KaplanMeier`] per cell; [`fit_cox`] with Efron's rule within a group, one indicator
/// per cell but the first; [`log_rank`]. Degenerate: a cell without events has a hazard ratio of 0
/// without an interval, reported as `None`; it takes no part in the fit of the others, which is the
/// limit of the likelihood. Kaplan & Meier 1958, doi:10.1080/01621459.1958.10501452; Cox 1972,
/// doi:10.1111/j.2517-6161.1972.tb00899.x.
///
/// ```
/// use lobule_stats::survival::{FollowUp, RestratificationConfig, restratify};
/// let follow_up = FollowUp::new(&[1.0, 4.0, 2.0, 3.0, 5.0, 6.0], &[true; 6])?;
/// let (clinical, model) = ([0, 0, 0, 0, 1, 1], [1, 0, 1, 0, 0, 0]);
/// let groups = restratify(&follow_up, &clinical, &model, &RestratificationConfig::at(2.0))?;
/// assert_eq!(groups[0].cells[0].survival, Some(1.0));
/// assert_eq!(groups[1].test, None);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Mismatch`]; [`ErrorKind::OutOfRange`] for a horizon that is not above 0.
pub fn restratify(
    follow_up: &FollowUp,
    first: &[usize],
    second: &[usize],
    config: &RestratificationConfig,
) -> Result<Vec<RestratifiedGroup>, Error> {
    let n_subjects = follow_up.n_subjects();
    let groups = Labels::new("first labels", first, n_subjects)?;
    Labels::new("second labels", second, n_subjects)?;
    if !(config.horizon.is_finite() && config.horizon > 0.0) {
        return Err(Error::new(
            ErrorKind::OutOfRange,
            format!("expected a horizon above 0, got {}", config.horizon),
        ));
    }
    let group = |(&label, members): (&usize, Vec<usize>)| {
        let own: Vec<usize> = members.iter().map(|&i| second[i]).collect();
        split(label, &follow_up.subset(&members), &own, config)
    };
    groups
        .names
        .iter()
        .zip(groups.members())
        .map(group)
        .collect()
}

fn split(
    label: usize,
    follow_up: &FollowUp,
    second: &[usize],
    config: &RestratificationConfig,
) -> Result<RestratifiedGroup, Error> {
    let curves = KaplanMeier::by_group(follow_up, second)?;
    let mut cells: Vec<RestratifiedCell> = curves
        .iter()
        .map(|(label, curve)| cell(*label, curve, config))
        .collect();
    add_hazard_ratios(&mut cells, follow_up, second, config.confidence);
    let comparison = log_rank(follow_up, second, &LogRankConfig::default());
    Ok(RestratifiedGroup {
        label,
        n_subjects: follow_up.n_subjects(),
        n_events: follow_up.n_events(),
        cells,
        test: comparison.ok().map(|comparison| comparison.test),
    })
}

fn cell(label: usize, curve: &KaplanMeier, config: &RestratificationConfig) -> RestratifiedCell {
    let survival = curve.survival_at(config.horizon);
    let known = curve.at_risk_at(config.horizon) > 0 || survival == 0.0;
    let interval = curve.interval_at(config.horizon, config.confidence, config.scale);
    RestratifiedCell {
        label,
        n_subjects: curve.n_subjects(),
        n_events: curve.steps().iter().map(|step| step.events).sum(),
        survival: known.then_some(survival),
        survival_interval: interval.filter(|_| known),
        hazard_ratio: None,
    }
}

fn add_hazard_ratios(
    cells: &mut [RestratifiedCell],
    follow_up: &FollowUp,
    second: &[usize],
    confidence: Confidence,
) {
    let Some((reference, others)) = cells.split_first_mut() else {
        return;
    };
    let mut others: Vec<&mut RestratifiedCell> =
        others.iter_mut().filter(|cell| cell.n_events > 0).collect();
    if reference.n_events == 0 || others.is_empty() {
        return;
    }
    let labels: Vec<usize> = others.iter().map(|cell| cell.label).collect();
    let compared = |&i: &usize| second[i] == reference.label || labels.contains(&second[i]);
    let members: Vec<usize> = (0..second.len()).filter(compared).collect();
    let rows = members.iter().flat_map(|&i| {
        let own = second[i];
        labels.iter().map(move |&label| f64::from(label == own))
    });
    let fit = Covariates::from_rows(rows.collect(), labels.len())
        .and_then(|rows| fit_cox(&follow_up.subset(&members), &rows, &CoxConfig::default()));
    // Cells that never share a risk set have no ratio.
    let Ok(fit) = fit else { return };
    for (cell, term) in others.iter_mut().zip(fit.terms(confidence)) {
        cell.hazard_ratio = Some(HazardRatio {
            estimate: term.hazard_ratio,
            interval: term.interval,
            p_value: term.p_value,
        });
    }
}
