//! The Kaplan–Meier curve with Greenwood's variance.

use super::follow_up::{FollowUp, Labels};
use crate::{Confidence, Error, ErrorKind, Interval};

/// Survival estimates this near to a level are at it: the product of many fractions is rounded.
const AT_LEVEL: f64 = 1e-8;

/// The Kaplan–Meier curve of one group.
///
/// Formula: `S(t) = Π over event times tⱼ ≤ t of (1 − dⱼ / nⱼ)`. Symbols as in [`FollowUp`].
/// Degenerate: without events S is 1 throughout; it stays at its last value after the last time,
/// and is 0 from the last time on when that is an event of all who are left.
/// Kaplan & Meier 1958, doi:10.1080/01621459.1958.10501452.
///
/// ```
/// use lobule_stats::survival::{FollowUp, KaplanMeier};
/// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0, 2.0, 4.0], &[true, true, false, true])?);
/// assert_eq!(curve.survival_at(0.5), 1.0);
/// assert_eq!(curve.survival_at(2.0), 0.5);
/// assert_eq!(curve.survival_at(9.0), 0.0);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KaplanMeier {
    n_subjects: usize,
    steps: Vec<SurvivalStep>,
}

/// A distinct time of a curve.
///
/// ```
/// use lobule_stats::survival::{FollowUp, KaplanMeier};
/// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0, 2.0], &[false, true, false])?);
/// let step = curve.steps()[1];
/// assert_eq!((step.at_risk, step.events, step.censored), (2, 1, 1));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalStep {
    /// The time t.
    pub time: f64,
    /// Subjects with a time of t or more, n(t).
    pub at_risk: usize,
    /// Events at t, d(t).
    pub events: usize,
    /// Censored at t.
    pub censored: usize,
    /// S(t).
    pub survival: f64,
    /// Greenwood's sum `Σ over tⱼ ≤ t of dⱼ / (nⱼ (nⱼ − dⱼ))`: the variance of ln S(t), infinite
    /// where S(t) = 0.
    pub greenwood: f64,
}

/// The scale on which an interval for S(t) is symmetric.
///
/// Formulas, with g Greenwood's sum and z the normal quantile: plain `S ± z S √g`; log
/// `S exp(± z √g)`; log-log `S ^ exp(± z √g / ln S)`.
/// Borgan & Liestøl 1990, <https://www.jstor.org/stable/4616153>.
///
/// ```
/// use lobule_stats::{Confidence, survival::{FollowUp, KaplanMeier, SurvivalScale}};
/// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0, 3.0], &[true, false, false])?);
/// let upper = |scale| curve.interval_at(1.0, Confidence::NINETY_FIVE, scale).map(|i| i.upper);
/// assert_eq!(upper(SurvivalScale::Log), Some(1.0));
/// assert!(upper(SurvivalScale::LogLog) < Some(1.0));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SurvivalScale {
    /// Cut at 0 and 1.
    Plain,
    /// Cut at 1.
    Log,
    /// Inside (0, 1), and nearest its level in small groups.
    LogLog,
}

/// A row of the table under a figure of survival curves.
///
/// ```
/// use lobule_stats::survival::{FollowUp, KaplanMeier};
/// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0, 3.0], &[true, false, true])?);
/// let row = curve.risk_table(&[2.0])[0];
/// assert_eq!((row.at_risk, row.events, row.censored), (2, 1, 1));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RiskTableRow {
    /// The time asked for, t.
    pub time: f64,
    /// Subjects with a time of t or more.
    pub at_risk: usize,
    /// Events up to t, t included.
    pub events: usize,
    /// Censored up to t, t included.
    pub censored: usize,
}

/// A quantile of the survival time and its interval; `None` where the curve, or its limit, never
/// comes down to the level.
///
/// ```
/// use lobule_stats::{Confidence, survival::{FollowUp, KaplanMeier, SurvivalScale}};
/// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0, 3.0], &[true, false, false])?);
/// let median = curve.median(Confidence::NINETY_FIVE, SurvivalScale::LogLog);
/// assert_eq!(median.estimate, None);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalQuantile {
    /// The time by which the stated share has had the event.
    pub estimate: Option<f64>,
    /// The lower limit.
    pub lower: Option<f64>,
    /// The upper limit.
    pub upper: Option<f64>,
}

impl KaplanMeier {
    /// Sorts the times once, n log n.
    ///
    /// ```
    /// # use lobule_stats::survival::{FollowUp, KaplanMeier};
    /// let curve = KaplanMeier::new(&FollowUp::new(&[3.0], &[false])?);
    /// assert_eq!(curve.survival_at(3.0), 1.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn new(follow_up: &FollowUp) -> KaplanMeier {
        let n_subjects = follow_up.n_subjects();
        let (mut at_risk, mut survival, mut greenwood) = (n_subjects, 1.0, 0.0);
        let mut steps = Vec::new();
        for run in follow_up.ranking().runs() {
            let events = run.iter().filter(|&&i| follow_up.events()[i]).count();
            let left = at_risk - events;
            survival *= left as f64 / at_risk as f64;
            greenwood += greenwood_term(events, at_risk);
            steps.push(SurvivalStep {
                time: follow_up.times()[run[0]],
                at_risk,
                events,
                censored: run.len() - events,
                survival,
                greenwood,
            });
            at_risk -= run.len();
        }
        KaplanMeier { n_subjects, steps }
    }

    /// One curve per distinct label, labels rising.
    ///
    /// ```
    /// # use lobule_stats::survival::{FollowUp, KaplanMeier};
    /// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0], &[true, true, false])?;
    /// let curves = KaplanMeier::by_group(&follow_up, &[2, 1, 2])?;
    /// assert_eq!(curves[1].0, 2);
    /// assert_eq!(curves[1].1.survival_at(1.0), 0.5);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] when there is not one label per subject.
    pub fn by_group(
        follow_up: &FollowUp,
        groups: &[usize],
    ) -> Result<Vec<(usize, KaplanMeier)>, Error> {
        let labels = Labels::new("groups", groups, follow_up.n_subjects())?;
        let curve = |members: Vec<usize>| KaplanMeier::new(&follow_up.subset(&members));
        let curves = labels.members().into_iter().map(curve);
        Ok(labels.names.iter().copied().zip(curves).collect())
    }

    /// Subjects.
    ///
    /// ```
    /// # use lobule_stats::survival::{FollowUp, KaplanMeier};
    /// assert_eq!(KaplanMeier::new(&FollowUp::new(&[3.0], &[true])?).n_subjects(), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_subjects(&self) -> usize {
        self.n_subjects
    }

    /// The distinct times, of events and of censorings, rising.
    ///
    /// ```
    /// # use lobule_stats::survival::{FollowUp, KaplanMeier};
    /// let curve = KaplanMeier::new(&FollowUp::new(&[3.0, 1.0], &[true, false])?);
    /// assert_eq!(curve.steps()[0].time, 1.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn steps(&self) -> &[SurvivalStep] {
        &self.steps
    }

    /// S(t): right-continuous, the events at t included.
    ///
    /// ```
    /// # use lobule_stats::survival::{FollowUp, KaplanMeier};
    /// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0], &[true, false])?);
    /// assert_eq!(curve.survival_at(1.0), 0.5);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn survival_at(&self, time: f64) -> f64 {
        self.last_step(time).map_or(1.0, |step| step.survival)
    }

    /// Greenwood's standard error of S(t).
    ///
    /// Formula: `S(t) √g`. Symbols: g Greenwood's sum, see [`SurvivalStep::greenwood`]. Degenerate: 0
    /// where S(t) is 1 or 0. Greenwood 1926, Reports on Public Health and Medical Subjects 33 (no
    /// DOI).
    ///
    /// ```
    /// # use lobule_stats::survival::{FollowUp, KaplanMeier};
    /// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0], &[true, false])?);
    /// assert!((curve.standard_error_at(1.0) - 0.125_f64.sqrt()).abs() < 1e-15);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn standard_error_at(&self, time: f64) -> f64 {
        match self.last_step(time) {
            Some(step) if step.survival > 0.0 => step.survival * step.greenwood.sqrt(),
            _ => 0.0,
        }
    }

    /// The pointwise interval for S(t); `None` where S(t) = 0, which has no variance. Where S(t) = 1
    /// it is the point 1. Formulas: [`SurvivalScale`].
    ///
    /// ```
    /// # use lobule_stats::{Confidence, survival::{FollowUp, KaplanMeier, SurvivalScale}};
    /// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0], &[true, true])?);
    /// let interval = |t| curve.interval_at(t, Confidence::NINETY_FIVE, SurvivalScale::Plain);
    /// assert_eq!(interval(0.0).map(|i| i.lower), Some(1.0));
    /// assert!(interval(1.0).is_some_and(|i| i.contains(0.5)));
    /// assert_eq!(interval(2.0), None);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn interval_at(
        &self,
        time: f64,
        confidence: Confidence,
        scale: SurvivalScale,
    ) -> Option<Interval> {
        match self.last_step(time) {
            Some(step) => step.interval(confidence.z(), scale),
            None => Some(Interval::around(1.0, 0.0)),
        }
    }

    /// Subjects with a time of t or more.
    ///
    /// ```
    /// # use lobule_stats::survival::{FollowUp, KaplanMeier};
    /// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0], &[true, true])?);
    /// assert_eq!(curve.at_risk_at(2.0), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn at_risk_at(&self, time: f64) -> usize {
        let next = self.steps.partition_point(|step| step.time < time);
        self.steps.get(next).map_or(0, |step| step.at_risk)
    }

    /// Numbers at risk, events and censorings so far at each time, for the table under a figure.
    ///
    /// ```
    /// # use lobule_stats::survival::{FollowUp, KaplanMeier};
    /// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0], &[true, true])?);
    /// let at_risk: Vec<usize> = curve.risk_table(&[0.0, 2.0]).iter().map(|r| r.at_risk).collect();
    /// assert_eq!(at_risk, [2, 1]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn risk_table(&self, times: &[f64]) -> Vec<RiskTableRow> {
        let row = |&time: &f64| {
            let past = self.steps.iter().take_while(|step| step.time <= time);
            let (events, censored) = past.fold((0, 0), |(events, censored), step| {
                (events + step.events, censored + step.censored)
            });
            RiskTableRow {
                time,
                at_risk: self.at_risk_at(time),
                events,
                censored,
            }
        };
        times.iter().map(row).collect()
    }

    /// The time by which a share p of the subjects has had the event, with Brookmeyer and Crowley's
    /// interval.
    ///
    /// Formula: the smallest t with `S(t) ≤ 1 − p`; where the curve runs level at exactly 1 − p, the
    /// middle of that stretch, which ends at the next event or at the last time. The limits are the
    /// same crossings of the lower and the upper limit of S. Degenerate: `None` where there is no
    /// crossing. Brookmeyer & Crowley 1982, doi:10.2307/2530286.
    ///
    /// ```
    /// # use lobule_stats::{Confidence, survival::{FollowUp, KaplanMeier, SurvivalScale}};
    /// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?);
    /// let first = curve.quantile(0.2, Confidence::NINETY_FIVE, SurvivalScale::Log)?;
    /// assert_eq!(first.estimate, Some(1.0));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] when p lies outside 0..=1.
    pub fn quantile(
        &self,
        share: f64,
        confidence: Confidence,
        scale: SurvivalScale,
    ) -> Result<SurvivalQuantile, Error> {
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::new(
                ErrorKind::OutOfRange,
                format!("expected a share in 0..=1, got {share}"),
            ));
        }
        Ok(self.crossings(1.0 - share, confidence.z(), scale))
    }

    /// The median survival time: [`KaplanMeier::quantile`] at one half.
    ///
    /// ```
    /// # use lobule_stats::{Confidence, survival::{FollowUp, KaplanMeier, SurvivalScale}};
    /// let curve = KaplanMeier::new(&FollowUp::new(&[1.0, 2.0, 3.0], &[true; 3])?);
    /// let median = curve.median(Confidence::NINETY_FIVE, SurvivalScale::LogLog);
    /// assert_eq!(median.estimate, Some(2.0));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn median(&self, confidence: Confidence, scale: SurvivalScale) -> SurvivalQuantile {
        self.crossings(0.5, confidence.z(), scale)
    }

    fn crossings(&self, level: f64, z: f64, scale: SurvivalScale) -> SurvivalQuantile {
        let limits = |step: &SurvivalStep| step.interval(z, scale);
        SurvivalQuantile {
            estimate: self.crossing(level, |step| Some(step.survival)),
            lower: self.crossing(level, |step| limits(step).map(|limit| limit.lower)),
            upper: self.crossing(level, |step| limits(step).map(|limit| limit.upper)),
        }
    }

    /// Where a falling curve comes down to the level.
    fn crossing(&self, level: f64, value: impl Fn(&SurvivalStep) -> Option<f64>) -> Option<f64> {
        let reaches = |step: &&SurvivalStep| value(step).is_some_and(|v| v <= level + AT_LEVEL);
        let falls_below = |step: &&SurvivalStep| value(step).is_some_and(|v| v < level - AT_LEVEL);
        let first = self.steps.iter().find(reaches)?;
        if falls_below(&first) || level <= AT_LEVEL {
            return Some(first.time);
        }
        let end = self.steps.iter().find(falls_below).or(self.steps.last())?;
        Some(f64::midpoint(first.time, end.time))
    }

    /// The last step at or before a time.
    pub(crate) fn last_step(&self, time: f64) -> Option<&SurvivalStep> {
        let after = self.steps.partition_point(|step| step.time <= time);
        after.checked_sub(1).map(|last| &self.steps[last])
    }

    /// S just before a time.
    pub(crate) fn survival_before(&self, time: f64) -> f64 {
        let reached = self.steps.partition_point(|step| step.time < time);
        reached
            .checked_sub(1)
            .map_or(1.0, |last| self.steps[last].survival)
    }
}

impl SurvivalStep {
    fn interval(&self, z: f64, scale: SurvivalScale) -> Option<Interval> {
        if self.survival <= 0.0 {
            return None;
        }
        if self.greenwood == 0.0 {
            return Some(Interval::around(1.0, 0.0));
        }
        let (survival, half_width) = (self.survival, z * self.greenwood.sqrt());
        let limits = match scale {
            SurvivalScale::Plain => Interval::around(survival, survival * half_width),
            SurvivalScale::Log => Interval {
                lower: survival * (-half_width).exp(),
                upper: survival * half_width.exp(),
            },
            SurvivalScale::LogLog => {
                let power = half_width / survival.ln();
                Interval {
                    lower: survival.powf((-power).exp()),
                    upper: survival.powf(power.exp()),
                }
            }
        };
        Some(limits.clamp(0.0, 1.0))
    }
}

/// `d / (n (n − d))`.
pub(crate) fn greenwood_term(events: usize, at_risk: usize) -> f64 {
    if events == 0 {
        return 0.0;
    }
    events as f64 / (at_risk as f64 * (at_risk - events) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_stretch_is_halved_and_the_last_one_ends_with_follow_up() {
        let curve = |events: [bool; 4]| {
            KaplanMeier::new(&FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &events).unwrap())
        };
        let median = |events| {
            curve(events)
                .median(Confidence::NINETY_FIVE, SurvivalScale::Plain)
                .estimate
        };
        assert_eq!(median([true, true, true, true]), Some(2.5));
        assert_eq!(median([true, true, false, false]), Some(3.0));
        assert_eq!(median([true, false, false, false]), None);
        let all = curve([true; 4])
            .quantile(1.0, Confidence::NINETY_FIVE, SurvivalScale::Log)
            .unwrap();
        assert_eq!(
            (all.estimate, all.lower, all.upper),
            (Some(4.0), None, None)
        );
    }

    #[test]
    fn censorings_come_after_events_of_the_same_time() {
        let follow_up = FollowUp::new(&[2.0, 2.0, 2.0], &[false, true, false]).unwrap();
        assert_eq!(KaplanMeier::new(&follow_up).survival_at(2.0), 2.0 / 3.0);
    }
}
