//! An axis: its words, its range, its scale.

/// One axis of a chart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// What is measured, with its unit.
    pub label: String,
    /// Lowest and highest value; found from the data when absent. Data outside is clipped.
    pub range: Option<(f64, f64)>,
    /// How values become places.
    pub scale: Scale,
    /// How tick labels are written.
    pub ticks: TickFormat,
}

/// How values become places on an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Equal steps.
    #[default]
    Linear,
    /// Equal ratios; values that are not positive are not drawn.
    Log,
}

/// How tick labels are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TickFormat {
    /// Plain numbers.
    #[default]
    Number,
    /// Shares as percent: 0.2 is written 20 %.
    Percent,
    /// Numbers without their sign, for an axis that counts both ways.
    Unsigned,
}

impl Axis {
    /// An axis whose range is found from the data.
    pub fn new(label: impl Into<String>) -> Axis {
        Axis {
            label: label.into(),
            ..Axis::default()
        }
    }

    /// An axis from `lower` to `upper`.
    pub fn ranged(label: impl Into<String>, lower: f64, upper: f64) -> Axis {
        Axis {
            range: Some((lower, upper)),
            ..Axis::new(label)
        }
    }

    /// An axis from 0 to 1.
    pub fn unit(label: impl Into<String>) -> Axis {
        Axis::ranged(label, 0.0, 1.0)
    }
}

/// Multiples of 1, 2 or 5 times a power of ten inside `lower..=upper`, about `wanted` of them;
/// none when the range is not finite or empty.
pub(crate) fn round_values(lower: f64, upper: f64, wanted: usize) -> Vec<f64> {
    let span = upper - lower;
    if !span.is_finite() || span <= 0.0 || wanted == 0 {
        return Vec::new();
    }
    let step = round_step(span / wanted as f64);
    let (first, last) = ((lower / step - 1e-9).ceil(), (upper / step + 1e-9).floor());
    if !(0.0..=1000.0).contains(&(last - first)) {
        return Vec::new();
    }
    let count = (last - first) as usize;
    (0..=count)
        .map(|i| tidy((first + i as f64) * step, step))
        .collect()
}

/// The least of 1, 2, 5, 10 times a power of ten that is not below `rough`.
fn round_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|f| f * power >= rough * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// Removes the dust of the multiplication, so that 0.30000000000000004 is 0.3.
fn tidy(value: f64, step: f64) -> f64 {
    let digits = decimals(step);
    match digits {
        0 => value.round(),
        _ => format!("{value:.digits$}").parse().unwrap_or(value),
    }
}

/// Digits after the point that tell multiples of `step` apart.
pub(crate) fn decimals(step: f64) -> usize {
    (-(step.abs() * (1.0 + 1e-9)).log10().floor()).clamp(0.0, 12.0) as usize
}
