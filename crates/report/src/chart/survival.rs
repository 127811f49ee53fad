//! What a chart of curves over time holds.

use super::{Axis, BandPoint, Tone};

/// Kaplan–Meier curves, or cumulative incidences, as steps over time, with the numbers at risk
/// beneath, aligned to the time axis.
///
/// ```
/// use lobule_report::chart::{SurvivalCurve, SurvivalPlot, time_ticks};
///
/// let plot = SurvivalPlot {
///     times: time_ticks(60.0),
///     curves: vec![SurvivalCurve {
///         label: "Low score".into(),
///         steps: vec![(0.0, 1.0), (12.5, 0.98), (30.0, 0.95)],
///         at_risk: vec![210, 205, 180, 160, 90, 40, 12],
///         ..SurvivalCurve::default()
///     }],
///     ..SurvivalPlot::survival("Months since examination")
/// };
/// assert_eq!(plot.times, [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SurvivalPlot {
    /// Name of the time axis, with its unit. Its range runs to the last of `times`, or of the
    /// data.
    pub time: String,
    /// Vertical axis.
    pub y: Axis,
    /// Ticks of the time axis, at which the numbers at risk are given; see [`time_ticks`].
    pub times: Vec<f64>,
    /// One curve per group.
    pub curves: Vec<SurvivalCurve>,
    /// Words inside the chart, for example the test that compares the groups.
    pub note: String,
}

/// The curve of one group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SurvivalCurve {
    /// The group.
    pub label: String,
    /// Times and the values reached there, in order; level in between, and until the last
    /// censoring or tick.
    pub steps: Vec<(f64, f64)>,
    /// Its confidence band, as steps; none when empty.
    pub band: Vec<BandPoint>,
    /// Times of censoring, ticked on the curve.
    pub censored: Vec<f64>,
    /// Numbers at risk at each of the plot's `times`; blank where the list is shorter.
    pub at_risk: Vec<u64>,
    /// Color and dash pattern.
    pub tone: Tone,
}

impl SurvivalPlot {
    /// Survival from 0 to 1 over time.
    pub fn survival(time: impl Into<String>) -> SurvivalPlot {
        SurvivalPlot {
            time: time.into(),
            y: Axis::unit("Survival probability"),
            ..SurvivalPlot::default()
        }
    }

    /// Cumulative incidence over time, from 0 to what the curves reach.
    pub fn incidence(time: impl Into<String>) -> SurvivalPlot {
        SurvivalPlot {
            time: time.into(),
            y: Axis::new("Cumulative incidence"),
            ..SurvivalPlot::default()
        }
    }
}

/// Round times from 0 to `longest`, five to ten of them; empty unless `longest` is positive and
/// finite.
///
/// ```
/// use lobule_report::chart::time_ticks;
/// assert_eq!(time_ticks(3650.0), [0.0, 500.0, 1000.0, 1500.0, 2000.0, 2500.0, 3000.0, 3500.0]);
/// assert!(time_ticks(f64::NAN).is_empty());
/// ```
pub fn time_ticks(longest: f64) -> Vec<f64> {
    super::axis::round_values(0.0, longest, 8)
}
