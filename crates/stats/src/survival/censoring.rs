//! The chance of not being censored, for weights.

use super::follow_up::FollowUp;

/// Ĝ: the Kaplan–Meier curve of the censoring times. Where events and censorings share a time the
/// events come first, so that their subjects are no longer at risk of being censored.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CensoringCurve {
    times: Vec<f64>,
    /// Ĝ from each time on.
    values: Vec<f64>,
}

impl CensoringCurve {
    pub(super) fn new(follow_up: &FollowUp) -> CensoringCurve {
        CensoringCurve::of(follow_up.times(), |i| follow_up.events()[i])
    }

    /// `ended(i)` where the time of subject i ends with an event, of any kind.
    pub(super) fn of(times: &[f64], ended: impl Fn(usize) -> bool) -> CensoringCurve {
        let ranking = crate::cases::Ranking::ascending(times);
        let mut curve = CensoringCurve {
            times: Vec::new(),
            values: Vec::new(),
        };
        let (mut left, mut value) = (times.len(), 1.0);
        for run in ranking.runs() {
            let events = run.iter().filter(|&&i| ended(i)).count();
            let censored = run.len() - events;
            if censored > 0 {
                let at_risk = (left - events) as f64;
                value *= (at_risk - censored as f64) / at_risk;
                curve.times.push(times[run[0]]);
                curve.values.push(value);
            }
            left -= run.len();
        }
        curve
    }

    /// Ĝ(t).
    pub(super) fn at(&self, time: f64) -> f64 {
        self.after(self.times.partition_point(|&t| t <= time))
    }

    /// Ĝ(t−), above 0 up to the last time of the follow-up.
    pub(super) fn before(&self, time: f64) -> f64 {
        self.after(self.times.partition_point(|&t| t < time))
    }

    fn after(&self, n_times: usize) -> f64 {
        n_times.checked_sub(1).map_or(1.0, |last| self.values[last])
    }
}
