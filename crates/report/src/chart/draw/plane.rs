//! The plotting area: from values to places, and the axes around it.

use super::palette::INK;
use super::svg::{Anchor, Area, At, Stroke, Svg, at};
use super::text::{self, Face};
use super::{LARGE, SMALL, style};
use crate::chart::axis::{decimals, round_values};
use crate::chart::{Axis, Scale, TickFormat};

/// Length of a tick.
const TICK: f64 = 2.8;
/// Width of axes and ticks.
const THIN: f64 = 0.6;

/// From values of one axis to 0..=1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mapping {
    lower: f64,
    upper: f64,
    scale: Scale,
}

impl Mapping {
    /// The range the axis asks for, else that of `values` with a little air.
    pub(super) fn of(axis: &Axis, values: impl Iterator<Item = f64>) -> Mapping {
        let usable = |v: f64| v.is_finite() && (axis.scale == Scale::Linear || v > 0.0);
        let asked = axis.range.filter(|&(a, b)| usable(a) && usable(b) && a < b);
        let found = || extent(values.filter(|v| usable(*v)), axis.scale);
        let (lower, upper) = asked.unwrap_or_else(found);
        Mapping {
            lower,
            upper,
            scale: axis.scale,
        }
    }

    /// The share of the way from the lower to the upper end; none for what cannot be placed.
    pub(super) fn share(self, value: f64) -> Option<f64> {
        let share = match self.scale {
            Scale::Linear => (value - self.lower) / (self.upper - self.lower),
            Scale::Log => (value / self.lower).ln() / (self.upper / self.lower).ln(),
        };
        (value.is_finite() && share.is_finite()).then_some(share)
    }

    pub(super) fn holds(self, value: f64) -> bool {
        self.share(value)
            .is_some_and(|s| (-1e-9..=1.0 + 1e-9).contains(&s))
    }

    pub(super) fn ends(self) -> (f64, f64) {
        (self.lower, self.upper)
    }

    /// Values that bear ticks, about `wanted`.
    pub(super) fn ticks(self, wanted: usize) -> Vec<f64> {
        match self.scale {
            Scale::Linear => round_values(self.lower, self.upper, wanted),
            Scale::Log => log_ticks(self.lower, self.upper, wanted),
        }
    }
}

fn extent(values: impl Iterator<Item = f64>, scale: Scale) -> (f64, f64) {
    let widen = |(low, high): (f64, f64), v: f64| (low.min(v), high.max(v));
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), widen);
    match scale {
        _ if low > high => match scale {
            Scale::Linear => (0.0, 1.0),
            Scale::Log => (0.5, 2.0),
        },
        Scale::Log => (low / 1.15, high * 1.15),
        Scale::Linear => {
            let air = match high - low {
                span if span > 0.0 => span * 0.05,
                _ => (high.abs() * 0.1).max(0.5),
            };
            let floor = if low >= 0.0 { 0.0 } else { f64::NEG_INFINITY };
            ((low - air).max(floor), high + air)
        }
    }
}

/// 1, 2, 5 in each power of ten; powers alone where those would be too many; round values where
/// the axis spans less than a power.
fn log_ticks(lower: f64, upper: f64, wanted: usize) -> Vec<f64> {
    let powers = lower.log10().floor() as i32..=upper.log10().ceil() as i32;
    let inside = |v: &f64| (lower * (1.0 - 1e-9)..=upper * (1.0 + 1e-9)).contains(v);
    let ticks = |factors: &[f64]| -> Vec<f64> {
        let all = powers
            .clone()
            .flat_map(|p| factors.iter().map(move |f| f * 10f64.powi(p)));
        all.filter(inside).collect()
    };
    let fine = ticks(&[1.0, 2.0, 5.0]);
    match fine.len() {
        0..=2 => round_values(lower, upper, wanted),
        n if n <= wanted + 2 => fine,
        _ => ticks(&[1.0]),
    }
}

/// The plotting area.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plane {
    pub area: Area,
    pub x: Mapping,
    pub y: Mapping,
}

impl Plane {
    pub(super) fn place(&self, x: f64, y: f64) -> Option<At> {
        Some(at(self.place_x(x)?, self.place_y(y)?))
    }

    pub(super) fn place_x(&self, x: f64) -> Option<f64> {
        Some(self.area.x + held(self.x.share(x)?) * self.area.width)
    }

    pub(super) fn place_y(&self, y: f64) -> Option<f64> {
        Some(self.area.bottom() - held(self.y.share(y)?) * self.area.height)
    }

    pub(super) fn holds(&self, x: f64, y: f64) -> bool {
        self.x.holds(x) && self.y.holds(y)
    }

    /// The horizontal axis, its ticks and their labels.
    pub(super) fn draw_x_axis(&self, svg: &mut Svg, format: TickFormat) {
        self.draw_x_ticks(svg, &self.x_ticks(), Some(format));
    }

    /// The horizontal axis with ticks at `values`; without labels when there is no format.
    pub(super) fn draw_x_ticks(&self, svg: &mut Svg, values: &[f64], format: Option<TickFormat>) {
        let line = Stroke::solid(INK, THIN);
        let bottom = self.area.bottom();
        svg.line(at(self.area.x, bottom), at(self.area.right(), bottom), line);
        for (value, words) in values
            .iter()
            .zip(labels(values, format.unwrap_or_default()))
        {
            let Some(x) = self.place_x(*value) else {
                continue;
            };
            svg.line(at(x, bottom), at(x, bottom + TICK), line);
            if format.is_some() {
                svg.text(
                    at(x, bottom + TICK + 5.6),
                    &words,
                    style(SMALL, Anchor::Middle),
                );
            }
        }
    }

    fn x_ticks(&self) -> Vec<f64> {
        self.x.ticks((self.area.width / 36.0) as usize)
    }

    pub(super) fn draw_x_name(&self, svg: &mut Svg, name: &str) {
        let middle = self.area.x + self.area.width / 2.0;
        let room = self.area.width + 30.0;
        let words = text::cut(name, room, LARGE, Face::Regular);
        let y = self.area.bottom() + TICK + 17.0;
        svg.text(at(middle, y), &words, style(LARGE, Anchor::Middle));
    }

    /// The vertical axis, its ticks, their labels, its name at `left`.
    pub(super) fn draw_y_axis(&self, svg: &mut Svg, axis: &Axis, left: f64) {
        let line = Stroke::solid(INK, THIN);
        let x = self.area.x;
        svg.line(at(x, self.area.y), at(x, self.area.bottom()), line);
        let ticks = y_ticks(self.y, self.area.height);
        for (value, words) in ticks.iter().zip(labels(&ticks, axis.ticks)) {
            let Some(y) = self.place_y(*value) else {
                continue;
            };
            svg.line(at(x - TICK, y), at(x, y), line);
            svg.text(at(x - TICK - 2.0, y), &words, style(SMALL, Anchor::End));
        }
        let words = text::cut(&axis.label, self.area.height + 24.0, LARGE, Face::Regular);
        let middle = self.area.y + self.area.height / 2.0;
        svg.upward_text(at(left + 5.0, middle), &words, style(LARGE, Anchor::Middle));
    }
}

fn y_ticks(y: Mapping, height: f64) -> Vec<f64> {
    y.ticks(((height / 24.0) as usize).clamp(2, 7))
}

/// Room for the name, tick labels and ticks of a vertical axis.
pub(super) fn y_room(y: Mapping, axis: &Axis, height: f64) -> f64 {
    let words = labels(&y_ticks(y, height), axis.ticks);
    let widths = words.iter().map(|w| text::width(w, SMALL, Face::Regular));
    let name = if axis.label.trim().is_empty() {
        2.0
    } else {
        13.0
    };
    widths.fold(8.0, f64::max) + TICK + 2.0 + name
}

/// Places far outside are held where SVG can still clip them.
fn held(share: f64) -> f64 {
    share.clamp(-40.0, 41.0)
}

/// Tick labels with equal digits.
pub(super) fn labels(values: &[f64], format: TickFormat) -> Vec<String> {
    let percent = format == TickFormat::Percent;
    let factor = if percent { 100.0 } else { 1.0 };
    let gaps = values
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs() * factor);
    let step = gaps.fold(f64::INFINITY, f64::min);
    let digits = if step.is_finite() {
        needed(values, factor, decimals(step))
    } else {
        2
    };
    let words = |value: &f64| {
        let signed = value * factor;
        let shown = if format == TickFormat::Unsigned {
            signed.abs()
        } else {
            signed
        };
        let number = crate::document::number(shown, digits);
        if percent {
            format!("{number} %")
        } else {
            number
        }
    };
    match is_geometric(values) {
        true => values.iter().map(|v| short(v * factor, percent)).collect(),
        false => values.iter().map(words).collect(),
    }
}

/// No more digits than the values have.
fn needed(values: &[f64], factor: f64, digits: usize) -> usize {
    let exact = |n: usize| {
        let power = 10f64.powi(n as i32);
        values.iter().all(|v| {
            let scaled = v * factor * power;
            (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1.0)
        })
    };
    (0..=digits).find(|n| exact(*n)).unwrap_or(digits + 1)
}

fn is_geometric(values: &[f64]) -> bool {
    values.len() > 2
        && values[0] > 0.0
        && values[values.len() - 1] / values[0] >= 20.0
        && (values[1] / values[0] - values[2] / values[1]).abs() < 0.8
        && values[1] / values[0] > 1.5
        && values[2] / values[1] > 1.5
}

fn short(value: f64, percent: bool) -> String {
    let text = match value {
        v if (1e-4..1e6).contains(&v) => format!("{}", (v * 1e6).round() / 1e6),
        v => format!("{v:e}"),
    };
    if percent { format!("{text} %") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(axis: &Axis, values: &[f64]) -> Vec<String> {
        let mapping = Mapping::of(axis, values.iter().copied());
        labels(&mapping.ticks(5), axis.ticks)
    }

    #[test]
    fn ticks_are_round() {
        let unit = Axis::unit("");
        assert_eq!(
            ticks(&unit, &[]),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        let percent = Axis {
            ticks: TickFormat::Percent,
            ..Axis::ranged("", 0.0, 0.05)
        };
        assert_eq!(
            ticks(&percent, &[]),
            ["0 %", "1 %", "2 %", "3 %", "4 %", "5 %"]
        );
        let ratio = Axis {
            scale: Scale::Log,
            ..Axis::ranged("", 0.1, 10.0)
        };
        assert_eq!(
            ticks(&ratio, &[]),
            ["0.1", "0.2", "0.5", "1", "2", "5", "10"]
        );
    }

    #[test]
    fn any_values_give_a_range() {
        for values in [
            vec![],
            vec![f64::NAN, f64::INFINITY],
            vec![3.0],
            vec![0.0, 0.0],
            vec![-1e300, 1e300],
            vec![1e-300, 2e-300],
        ] {
            for scale in [Scale::Linear, Scale::Log] {
                let axis = Axis {
                    scale,
                    ..Axis::new("")
                };
                let mapping = Mapping::of(&axis, values.iter().copied());
                let (low, high) = mapping.ends();
                assert!(low < high, "{values:?} {low} {high}");
                assert!(mapping.ticks(6).len() < 400);
                for value in [f64::NAN, f64::NEG_INFINITY] {
                    assert_eq!(mapping.share(value), None);
                }
            }
        }
    }
}
