//! Competing risks: the chance of one kind of event while others may come first.

use super::censoring::CensoringCurve;
use super::follow_up::{FollowUp, Labels, check_times};
use super::kaplan_meier::greenwood_term;
use crate::cases::{Ranking, check_lengths};
use crate::{Confidence, Error, ErrorKind, Interval};

/// One time per subject, and the kind of event that ends it.
///
/// ```
/// use lobule_stats::survival::CompetingFollowUp;
/// let follow_up = CompetingFollowUp::new(&[2.0, 3.0, 5.0], &[1, 0, 2])?;
/// assert_eq!((follow_up.n_subjects(), follow_up.n_events(2)), (3, 1));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CompetingFollowUp {
    times: Vec<f64>,
    causes: Vec<usize>,
}

impl CompetingFollowUp {
    /// Times ≥ 0 in any one unit; causes from 1, and 0 for a censored time.
    ///
    /// ```
    /// # use lobule_stats::survival::CompetingFollowUp;
    /// assert!(CompetingFollowUp::new(&[f64::NAN], &[1]).is_err());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`], or
    /// [`ErrorKind::OutOfRange`] for a negative time.
    pub fn new(times: &[f64], causes: &[usize]) -> Result<CompetingFollowUp, Error> {
        check_lengths("causes", causes.len(), "times", times.len())?;
        check_times(times)?;
        Ok(CompetingFollowUp {
            times: times.to_vec(),
            causes: causes.to_vec(),
        })
    }

    /// Subjects.
    ///
    /// ```
    /// # use lobule_stats::survival::CompetingFollowUp;
    /// assert_eq!(CompetingFollowUp::new(&[2.0], &[1])?.n_subjects(), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_subjects(&self) -> usize {
        self.times.len()
    }

    /// Subjects with an event of a cause; of cause 0, the censored.
    ///
    /// ```
    /// # use lobule_stats::survival::CompetingFollowUp;
    /// assert_eq!(CompetingFollowUp::new(&[2.0, 3.0], &[1, 0])?.n_events(0), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_events(&self, cause: usize) -> usize {
        self.causes.iter().filter(|&&other| other == cause).count()
    }

    /// The follow-up to an event of one cause, ended by any other as if censored: what cause-specific
    /// hazards ([`super::fit_cox`], [`super::log_rank`]) are estimated from.
    ///
    /// ```
    /// # use lobule_stats::survival::CompetingFollowUp;
    /// let follow_up = CompetingFollowUp::new(&[2.0, 3.0, 5.0], &[1, 0, 2])?;
    /// assert_eq!(follow_up.cause_specific(2).events(), [false, false, true]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn cause_specific(&self, cause: usize) -> FollowUp {
        let events: Vec<bool> = self.causes.iter().map(|&c| c == cause && c > 0).collect();
        FollowUp::new(&self.times, &events).expect("the times were checked")
    }

    pub(super) fn times(&self) -> &[f64] {
        &self.times
    }

    pub(super) fn causes(&self) -> &[usize] {
        &self.causes
    }

    pub(super) fn censoring(&self) -> CensoringCurve {
        CensoringCurve::of(&self.times, |i| self.causes[i] > 0)
    }

    pub(super) fn check_cause(&self, cause: usize) -> Result<(), Error> {
        if cause > 0 {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::OutOfRange,
            "expected a cause from 1, got 0, which stands for censored times",
        ))
    }

    fn subset(&self, subjects: &[usize]) -> CompetingFollowUp {
        CompetingFollowUp {
            times: subjects.iter().map(|&i| self.times[i]).collect(),
            causes: subjects.iter().map(|&i| self.causes[i]).collect(),
        }
    }
}

/// The cumulative incidence of one cause.
///
/// ```
/// use lobule_stats::survival::{CompetingFollowUp, CumulativeIncidence};
/// let follow_up = CompetingFollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[1, 2, 0, 1])?;
/// let incidence = CumulativeIncidence::new(&follow_up, 1)?;
/// assert_eq!(incidence.incidence_at(1.0), 0.25);
/// assert_eq!(incidence.incidence_at(4.0), 0.75);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CumulativeIncidence {
    steps: Vec<IncidenceStep>,
}

/// A distinct time of a cumulative incidence.
///
/// ```
/// use lobule_stats::survival::{CompetingFollowUp, CumulativeIncidence};
/// let follow_up = CompetingFollowUp::new(&[1.0, 2.0, 2.0], &[1, 2, 1])?;
/// let step = CumulativeIncidence::new(&follow_up, 1)?.steps()[1];
/// assert_eq!((step.at_risk, step.events, step.competing), (2, 1, 1));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IncidenceStep {
    /// The time t.
    pub time: f64,
    /// Subjects with a time of t or more.
    pub at_risk: usize,
    /// Events of the cause at t.
    pub events: usize,
    /// Events of other causes at t.
    pub competing: usize,
    /// F(t).
    pub incidence: f64,
    /// Of F(t).
    pub standard_error: f64,
}

impl CumulativeIncidence {
    /// The Aalen–Johansen estimate for one cause.
    ///
    /// Formula: `F(t) = Σ over tⱼ ≤ t of S(tⱼ−) aⱼ / nⱼ`, with variance
    /// `Σ (F(t) − F(tⱼ))² dⱼ / (nⱼ (nⱼ − dⱼ)) + Σ S(tⱼ−)² aⱼ (nⱼ − aⱼ) / nⱼ³
    /// − 2 Σ (F(t) − F(tⱼ)) S(tⱼ−) aⱼ / nⱼ²`. Symbols: aⱼ events of the cause, dⱼ of any cause, nⱼ at
    /// risk, S the Kaplan–Meier curve of the events of any cause. Degenerate: with one cause only,
    /// F = 1 − S with Greenwood's variance; a cause without events has F = 0. Aalen & Johansen 1978
    /// (JSTOR 4615704); the variance by the delta method, Marubini & Valsecchi 1995, Analysing
    /// Survival Data from Clinical Trials, section 10.2 (ISBN 0471939870).
    ///
    /// ```
    /// # use lobule_stats::survival::{CompetingFollowUp, CumulativeIncidence};
    /// let follow_up = CompetingFollowUp::new(&[1.0, 2.0], &[1, 2])?;
    /// assert!(CumulativeIncidence::new(&follow_up, 0).is_err());
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] for cause 0.
    pub fn new(follow_up: &CompetingFollowUp, cause: usize) -> Result<CumulativeIncidence, Error> {
        follow_up.check_cause(cause)?;
        let (mut at_risk, mut survival, mut sums) = (follow_up.n_subjects(), 1.0, Sums::default());
        let mut steps = Vec::new();
        for run in Ranking::ascending(&follow_up.times).runs() {
            let count = |wanted: &dyn Fn(usize) -> bool| {
                run.iter().filter(|&&i| wanted(follow_up.causes[i])).count()
            };
            let events = count(&|c| c == cause);
            let competing = count(&|c| c != cause && c > 0);
            sums.add(survival, events, events + competing, at_risk);
            survival *= (at_risk - events - competing) as f64 / at_risk as f64;
            steps.push(IncidenceStep {
                time: follow_up.times[run[0]],
                at_risk,
                events,
                competing,
                incidence: sums.incidence,
                standard_error: sums.variance().sqrt(),
            });
            at_risk -= run.len();
        }
        Ok(CumulativeIncidence { steps })
    }

    /// One curve per distinct label, labels rising.
    ///
    /// ```
    /// # use lobule_stats::survival::{CompetingFollowUp, CumulativeIncidence};
    /// let follow_up = CompetingFollowUp::new(&[1.0, 2.0], &[1, 2])?;
    /// let curves = CumulativeIncidence::by_group(&follow_up, 1, &[5, 4])?;
    /// assert_eq!((curves[0].0, curves[1].1.incidence_at(1.0)), (4, 1.0));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`]; [`ErrorKind::OutOfRange`] for cause 0.
    pub fn by_group(
        follow_up: &CompetingFollowUp,
        cause: usize,
        groups: &[usize],
    ) -> Result<Vec<(usize, CumulativeIncidence)>, Error> {
        let labels = Labels::new("groups", groups, follow_up.n_subjects())?;
        let curve = |(&label, members): (&usize, Vec<usize>)| {
            let curve = CumulativeIncidence::new(&follow_up.subset(&members), cause)?;
            Ok((label, curve))
        };
        labels
            .names
            .iter()
            .zip(labels.members())
            .map(curve)
            .collect()
    }

    /// The distinct times, rising.
    ///
    /// ```
    /// # use lobule_stats::survival::{CompetingFollowUp, CumulativeIncidence};
    /// let follow_up = CompetingFollowUp::new(&[1.0, 2.0], &[1, 2])?;
    /// assert_eq!(CumulativeIncidence::new(&follow_up, 1)?.steps().len(), 2);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn steps(&self) -> &[IncidenceStep] {
        &self.steps
    }

    /// F(t), the events at t included.
    ///
    /// ```
    /// # use lobule_stats::survival::{CompetingFollowUp, CumulativeIncidence};
    /// let follow_up = CompetingFollowUp::new(&[1.0, 2.0], &[1, 2])?;
    /// assert_eq!(CumulativeIncidence::new(&follow_up, 1)?.incidence_at(0.5), 0.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn incidence_at(&self, time: f64) -> f64 {
        self.last_step(time).map_or(0.0, |step| step.incidence)
    }

    /// The standard error of F(t).
    ///
    /// ```
    /// # use lobule_stats::survival::{CompetingFollowUp, CumulativeIncidence};
    /// let follow_up = CompetingFollowUp::new(&[1.0, 2.0], &[1, 2])?;
    /// let incidence = CumulativeIncidence::new(&follow_up, 1)?;
    /// assert!((incidence.standard_error_at(1.0) - 0.125_f64.sqrt()).abs() < 1e-15);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn standard_error_at(&self, time: f64) -> f64 {
        self.last_step(time).map_or(0.0, |step| step.standard_error)
    }

    /// The interval for F(t) on the log-log scale, `F ^ exp(± z s / (F ln F))`: inside (0, 1); the
    /// point itself where F is 0 or 1.
    ///
    /// ```
    /// # use lobule_stats::{Confidence, survival::{CompetingFollowUp, CumulativeIncidence}};
    /// let follow_up = CompetingFollowUp::new(&[1.0, 2.0, 3.0], &[1, 2, 0])?;
    /// let incidence = CumulativeIncidence::new(&follow_up, 1)?;
    /// assert!(incidence.interval_at(2.0, Confidence::NINETY_FIVE).contains(1.0 / 3.0));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn interval_at(&self, time: f64, confidence: Confidence) -> Interval {
        let (value, error) = (self.incidence_at(time), self.standard_error_at(time));
        if value <= 0.0 || value >= 1.0 {
            return Interval::around(value, 0.0);
        }
        let power = confidence.z() * error / (value * value.ln());
        Interval {
            lower: value.powf((-power).exp()),
            upper: value.powf(power.exp()),
        }
    }

    fn last_step(&self, time: f64) -> Option<&IncidenceStep> {
        let after = self.steps.partition_point(|step| step.time <= time);
        after.checked_sub(1).map(|last| &self.steps[last])
    }
}

/// The incidence and the sums of its variance, ordered by powers of F(t).
#[derive(Default)]
struct Sums {
    incidence: f64,
    constant: f64,
    linear: f64,
    square: f64,
}

impl Sums {
    fn add(&mut self, survival: f64, events: usize, all_events: usize, at_risk: usize) {
        let (a, n) = (events as f64, at_risk as f64);
        self.incidence += survival * a / n;
        // When all who are at risk have an event, F stays, and both its terms are 0 for good.
        if all_events < at_risk {
            let (f, spread) = (self.incidence, greenwood_term(all_events, at_risk));
            let cross = survival * a / (n * n);
            self.square += spread;
            self.linear -= 2.0 * (f * spread + cross);
            self.constant += f * f * spread + 2.0 * f * cross;
        }
        self.constant += survival * survival * a * (n - a) / (n * n * n);
    }

    fn variance(&self) -> f64 {
        let f = self.incidence;
        (self.constant + f * (self.linear + f * self.square)).max(0.0)
    }
}
