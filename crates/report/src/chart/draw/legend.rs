//! Legends: beside the data in a free corner, or beneath the chart.

use super::palette::{INK, Look};
use super::room::Room;
use super::svg::{Anchor, Area, Stroke, Svg, at};
use super::text::{self, Face};
use super::{SMALL, style};
use crate::chart::Weight;

const SAMPLE: f64 = 17.0;
const GAP: f64 = 4.5;
const LINE: f64 = 9.4;
/// A label is broken into at most so many lines.
const LINES: usize = 3;

/// What stands before a label.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sample {
    Line {
        look: Look,
        weight: Weight,
        with_band: bool,
    },
    Marker(Look),
    Box(Look),
}

/// The entries of a legend.
#[derive(Debug, Default)]
pub(super) struct Legend {
    entries: Vec<(Sample, String)>,
}

impl Legend {
    /// Adds an entry, unless it has no words or stands there already.
    pub(super) fn add(&mut self, sample: Sample, label: &str) {
        if !label.trim().is_empty() {
            self.entries.push((sample, label.to_owned()));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn lines(&self, room: f64) -> Vec<Vec<String>> {
        let labels = self.entries.iter();
        labels
            .map(|(_, label)| text::wrapped(label, room, SMALL, LINES))
            .collect()
    }

    /// Draws it in a free corner of `area` if there is one.
    pub(super) fn draw_inside(&self, svg: &mut Svg, area: Area, room: &Room) -> bool {
        for share in [0.72, 0.5, 0.4] {
            let lines = self.lines(area.width * share - SAMPLE - GAP);
            let width = SAMPLE + GAP + widest(&lines) + 2.0;
            let height = height(&lines);
            if height > area.height * 0.6 {
                continue;
            }
            if let Some(corner) = room.free_corner(width, height) {
                self.draw_column(svg, &lines, 0..self.entries.len(), corner.x, corner.y);
                return true;
            }
        }
        false
    }

    /// Height beneath a chart of this width.
    pub(super) fn height_beneath(&self, width: f64) -> f64 {
        if self.is_empty() {
            return 0.0;
        }
        let (lines, columns) = self.columns(width);
        let heights = columns.iter().map(|range| height(&lines[range.clone()]));
        heights.fold(0.0, f64::max) + 4.0
    }

    /// Draws it beneath a chart, in as many columns as fit.
    pub(super) fn draw_beneath(&self, svg: &mut Svg, area: Area) {
        let (lines, columns) = self.columns(area.width);
        let step = area.width / columns.len().max(1) as f64;
        for (at_column, range) in columns.into_iter().enumerate() {
            let x = area.x + at_column as f64 * step;
            self.draw_column(svg, &lines, range, x, area.y);
        }
    }

    /// Lines of each entry and the entries of each column.
    fn columns(&self, width: f64) -> (Vec<Vec<String>>, Vec<std::ops::Range<usize>>) {
        let natural = widest(&self.lines(f64::INFINITY)) + SAMPLE + GAP + 10.0;
        let n_entries = self.entries.len().max(1);
        let n = ((width / natural) as usize).clamp(1, n_entries);
        let each = n_entries.div_ceil(n);
        let n = n_entries.div_ceil(each);
        let lines = self.lines(width / n as f64 - SAMPLE - GAP - 2.0);
        let ends = |i: usize| (i * each)..((i + 1) * each).min(self.entries.len());
        (lines, (0..n).map(ends).collect())
    }

    fn draw_column(
        &self,
        svg: &mut Svg,
        lines: &[Vec<String>],
        entries: std::ops::Range<usize>,
        x: f64,
        top: f64,
    ) {
        let mut y = top;
        for (i, words) in lines
            .iter()
            .enumerate()
            .take(entries.end)
            .skip(entries.start)
        {
            let (sample, label) = &self.entries[i];
            svg.titled(label, |svg| {
                let area = Area {
                    x,
                    y: y + 1.6,
                    width: SAMPLE,
                    height: LINE - 3.2,
                };
                sample.draw(svg, area);
                for (line, words) in words.iter().enumerate() {
                    let place = at(x + SAMPLE + GAP, y + LINE * (line as f64 + 0.5));
                    svg.text(place, words, style(SMALL, Anchor::Start));
                }
            });
            y += LINE * words.len() as f64;
        }
    }
}

impl Sample {
    fn draw(self, svg: &mut Svg, area: Area) {
        let middle = at(area.x + area.width / 2.0, area.y + area.height / 2.0);
        match self {
            Sample::Line {
                look,
                weight,
                with_band,
            } => look.draw_sample(svg, area, weight, with_band),
            Sample::Marker(look) => look.draw_marker(svg, middle),
            Sample::Box(look) => {
                let small = Area {
                    x: area.right() - 10.0,
                    width: 10.0,
                    ..area
                };
                svg.rect(small, super::histogram::bar_fill(look));
                let corners = super::histogram::outline(small);
                svg.polyline(&corners, Stroke::solid(look.color(), 0.7));
            }
        }
    }
}

fn widest(lines: &[Vec<String>]) -> f64 {
    let widths = lines
        .iter()
        .flatten()
        .map(|line| text::width(line, SMALL, Face::Regular));
    widths.fold(0.0, f64::max)
}

fn height(lines: &[Vec<String>]) -> f64 {
    LINE * lines.iter().map(Vec::len).sum::<usize>() as f64
}

/// A frame-colored thin line, as of a reference.
pub(super) fn reference_stroke() -> Stroke {
    Stroke {
        color: INK,
        width: 0.5,
        dash: "2 2",
    }
}
