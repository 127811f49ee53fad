//! Colors, dashes and markers that stay apart in print and for every eye.

use super::svg::{Area, At, Fill, Stroke, Svg, at};
use crate::chart::{Tone, Weight};

/// Axes, ticks and words.
pub(super) const INK: &str = "#1a1a1a";
/// References and secondary words.
pub(super) const SOFT: &str = "#6b6b6b";
/// The tone [`Tone::Gray`].
const GRAY: &str = "#8a8a8a";

/// Okabe and Ito's colors without yellow, which is too light on white.
const COLORS: [&str; 7] = [
    "#0072b2", "#d55e00", "#009e73", "#a3568a", "#e69f00", "#56b4e9", "#333333",
];
/// Five patterns against seven colors: the pairs repeat only after 35.
const DASHES: [&str; 5] = ["", "5 1.8", "1.3 1.5", "6 1.6 1.3 1.6", "3 1.3"];

/// A tone that has been given its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Slot(usize),
    Gray,
}

/// Hands out looks in order.
#[derive(Debug, Default)]
pub(super) struct Looks {
    next: usize,
    taken: Vec<usize>,
}

impl Looks {
    /// Looks that leave the slots of `tones` to those who asked for them.
    pub(super) fn beside(tones: impl Iterator<Item = Tone>) -> Looks {
        let slots = tones.filter_map(|tone| match tone {
            Tone::Slot(slot) => Some(slot),
            Tone::Next | Tone::Gray => None,
        });
        Looks {
            next: 0,
            taken: slots.collect(),
        }
    }

    pub(super) fn of(&mut self, tone: Tone) -> Look {
        match tone {
            Tone::Gray => Look::Gray,
            Tone::Slot(slot) => Look::Slot(slot),
            Tone::Next => {
                while self.taken.contains(&self.next) {
                    self.next += 1;
                }
                self.next += 1;
                Look::Slot(self.next - 1)
            }
        }
    }
}

impl Look {
    pub(super) fn color(self) -> &'static str {
        match self {
            Look::Slot(slot) => COLORS[slot % COLORS.len()],
            Look::Gray => GRAY,
        }
    }

    pub(super) fn stroke(self, weight: Weight) -> Stroke {
        let width = match weight {
            Weight::Regular => 1.1,
            Weight::Strong => 1.9,
            Weight::Faint => 0.5,
        };
        let dash = match (self, weight) {
            (Look::Slot(slot), Weight::Regular) => DASHES[slot % DASHES.len()],
            _ => "",
        };
        Stroke {
            color: self.color(),
            width,
            dash,
        }
    }

    pub(super) fn band(self) -> Fill {
        Fill {
            color: self.color(),
            opacity: 0.16,
        }
    }

    pub(super) fn draw_marker(self, svg: &mut Svg, center: At) {
        let fill = Fill::solid(self.color());
        let shape = match self {
            Look::Gray => 0,
            Look::Slot(slot) => slot % 5,
        };
        let corner = |(dx, dy): (f64, f64)| at(center.x + dx, center.y + dy);
        let corners: &[(f64, f64)] = match shape {
            0 => return svg.circle(center, 2.3, fill),
            1 => &[(-2.1, -2.1), (2.1, -2.1), (2.1, 2.1), (-2.1, 2.1)],
            2 => &[(0.0, -2.8), (2.6, 1.9), (-2.6, 1.9)],
            3 => &[(0.0, -3.0), (2.7, 0.0), (0.0, 3.0), (-2.7, 0.0)],
            _ => &[(0.0, 2.8), (2.6, -1.9), (-2.6, -1.9)],
        };
        let points: Vec<At> = corners.iter().copied().map(corner).collect();
        svg.marker(&points, fill);
    }

    /// A short piece of line, with its band, as in a legend.
    pub(super) fn draw_sample(self, svg: &mut Svg, area: Area, weight: Weight, with_band: bool) {
        let middle = area.y + area.height / 2.0;
        if with_band {
            svg.rect(area, self.band());
        }
        let (from, to) = (at(area.x, middle), at(area.right(), middle));
        svg.line(from, to, self.stroke(weight));
    }
}
