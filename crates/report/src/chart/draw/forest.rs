//! Draws estimates with intervals, row by row.

use super::legend::reference_stroke;
use super::palette::{INK, Look};
use super::plane::{Mapping, Plane};
use super::svg::{Anchor, Area, At, Fill, Stroke, Svg, TextStyle, at};
use super::text::{self, Face};
use super::{COLUMN, COLUMN_AND_HALF, PAGE, SMALL, bold, soft, style};
use crate::chart::{ForestPlot, ForestRow, RowKind};

const ROW: f64 = 12.5;
const INDENT: f64 = 7.0;
const GAP: f64 = 11.0;
const LONGEST_LABEL: f64 = 175.0;
const LONGEST_CELL: f64 = 125.0;
/// The plotting area is at least and at best so wide.
const PLOT: (f64, f64) = (85.0, 150.0);

/// Draws the chart and returns its width and height.
pub(super) fn draw(svg: &mut Svg, chart: &ForestPlot) -> (f64, f64) {
    let layout = Layout::of(chart);
    let plane = layout.plane(chart);
    layout.draw_headings(svg, chart);
    if let Some(reference) = chart.reference.filter(|v| plane.x.holds(*v)) {
        if let Some(x) = plane.place_x(reference) {
            svg.line(
                at(x, plane.area.y),
                at(x, plane.area.bottom()),
                reference_stroke(),
            );
        }
    }
    for (at_row, row) in chart.rows.iter().enumerate() {
        let y = plane.area.y + ROW * (at_row as f64 + 0.5);
        layout.draw_row(svg, &plane, row, y);
    }
    plane.draw_x_axis(svg, chart.axis.ticks);
    let below = draw_directions(svg, chart, &plane);
    let named = Plane {
        area: Area {
            height: plane.area.height + below,
            ..plane.area
        },
        ..plane
    };
    named.draw_x_name(svg, &chart.axis.label);
    (layout.width, named.area.bottom() + 28.0)
}

/// The row's estimate in words, for the description.
pub(super) fn words(row: &ForestRow) -> Option<String> {
    let ForestRow::Estimate {
        label,
        estimate,
        lower,
        upper,
        ..
    } = row
    else {
        return None;
    };
    let [estimate, lower, upper] = [estimate, lower, upper].map(|v| crate::document::number(*v, 3));
    Some(format!("{label} {estimate} ({lower} to {upper})"))
}

/// Where the columns stand.
struct Layout {
    width: f64,
    label: f64,
    indent: f64,
    top: f64,
    plot: f64,
    cells: Vec<f64>,
}

impl Layout {
    fn of(chart: &ForestPlot) -> Layout {
        let has_headings = chart
            .rows
            .iter()
            .any(|row| matches!(row, ForestRow::Heading(_)));
        let indent = if has_headings { INDENT } else { 0.0 };
        let label = label_width(chart, indent);
        let cells = cell_widths(chart);
        let texts = label + GAP + cells.iter().map(|w| w + GAP).sum::<f64>();
        let fits = |width: &f64| texts + PLOT.1 <= *width;
        let width = [COLUMN, COLUMN_AND_HALF, PAGE]
            .into_iter()
            .find(fits)
            .unwrap_or(PAGE);
        let has_heads = !chart.columns.is_empty() || !chart.label_heading.is_empty();
        Layout {
            width: width.max(texts + PLOT.0),
            label,
            indent,
            top: if has_heads { ROW + 5.0 } else { 4.0 },
            plot: (width - texts).max(PLOT.0),
            cells,
        }
    }

    fn plane(&self, chart: &ForestPlot) -> Plane {
        let area = Area {
            x: self.label + GAP,
            y: self.top,
            width: self.plot - 6.0,
            height: ROW * chart.rows.len().max(1) as f64,
        };
        let values = chart.rows.iter().flat_map(|row| match row {
            ForestRow::Heading(_) => [f64::NAN; 3],
            ForestRow::Estimate {
                estimate,
                lower,
                upper,
                ..
            } => [*estimate, *lower, *upper],
        });
        let x = Mapping::of(&chart.axis, values.chain(chart.reference));
        let y = Mapping::of(&crate::chart::Axis::unit(""), std::iter::empty());
        Plane { area, x, y }
    }

    /// Left edges of the columns of text.
    fn cell_places(&self) -> impl Iterator<Item = (f64, f64)> {
        let mut x = self.label + GAP + self.plot + 4.0;
        self.cells.iter().map(move |width| {
            let place = (x, *width);
            x += width + GAP;
            place
        })
    }

    fn draw_headings(&self, svg: &mut Svg, chart: &ForestPlot) {
        if self.top < ROW {
            return;
        }
        let y = ROW / 2.0 + 1.0;
        let write = |svg: &mut Svg, x: f64, words: &str, room: f64| {
            let words = text::cut(words, room, SMALL, Face::Bold);
            svg.text(at(x, y), &words, bold(SMALL, Anchor::Start));
        };
        write(svg, 2.0, &chart.label_heading, self.label);
        for ((x, width), words) in self.cell_places().zip(&chart.columns) {
            write(svg, x, words, width + GAP - 2.0);
        }
        let rule = Stroke::solid(INK, 0.5);
        svg.line(at(2.0, ROW + 2.0), at(self.width - 2.0, ROW + 2.0), rule);
    }

    fn draw_row(&self, svg: &mut Svg, plane: &Plane, row: &ForestRow, y: f64) {
        let (label, cells, kind) = match row {
            ForestRow::Heading(words) => {
                let words = text::cut(words, self.label, SMALL, Face::Bold);
                return svg.text(at(2.0, y), &words, bold(SMALL, Anchor::Start));
            }
            ForestRow::Estimate {
                label, cells, kind, ..
            } => (label, cells, *kind),
        };
        svg.titled(label, |svg| {
            let style = row_style(kind);
            let words = text::cut(label, self.label - self.indent, SMALL, style.face);
            svg.text(at(2.0 + self.indent, y), &words, style);
            for ((x, width), words) in self.cell_places().zip(cells) {
                let words = text::cut(words, width + 2.0, SMALL, style.face);
                svg.text(at(x, y), &words, style);
            }
            draw_estimate(svg, plane, row, y);
        });
    }
}

fn row_style(kind: RowKind) -> TextStyle {
    match kind {
        RowKind::Single => style(SMALL, Anchor::Start),
        RowKind::Summary => bold(SMALL, Anchor::Start),
    }
}

fn label_width(chart: &ForestPlot, indent: f64) -> f64 {
    let widths = chart.rows.iter().map(|row| match row {
        ForestRow::Heading(words) => text::width(words, SMALL, Face::Bold),
        ForestRow::Estimate { label, kind, .. } => {
            indent + text::width(label, SMALL, row_style(*kind).face)
        }
    });
    let heading = text::width(&chart.label_heading, SMALL, Face::Bold);
    widths.fold(heading, f64::max).clamp(24.0, LONGEST_LABEL) + 2.0
}

fn cell_widths(chart: &ForestPlot) -> Vec<f64> {
    let heads = chart
        .columns
        .iter()
        .map(|words| text::width(words, SMALL, Face::Bold));
    let mut widths: Vec<f64> = heads.collect();
    for row in &chart.rows {
        let ForestRow::Estimate { cells, kind, .. } = row else {
            continue;
        };
        widths.resize(widths.len().max(cells.len()), 0.0);
        for (width, words) in widths.iter_mut().zip(cells) {
            *width = width.max(text::width(words, SMALL, row_style(*kind).face));
        }
    }
    widths.iter().map(|width| width.min(LONGEST_CELL)).collect()
}

fn draw_estimate(svg: &mut Svg, plane: &Plane, row: &ForestRow, y: f64) {
    let ForestRow::Estimate {
        estimate,
        lower,
        upper,
        kind,
        ..
    } = row
    else {
        return;
    };
    let Some(center) = plane.place_x(*estimate) else {
        return;
    };
    let look = Look::Slot(0);
    let ends = plane
        .place_x(*lower)
        .zip(plane.place_x(*upper))
        .filter(|(a, b)| a <= b);
    match (kind, ends) {
        (RowKind::Summary, Some((left, right))) => {
            let area = plane.area;
            let held = |x: f64| x.clamp(area.x, area.right());
            let corners = [
                at(held(left), y),
                at(held(center), y - 3.6),
                at(held(right), y),
                at(held(center), y + 3.6),
            ];
            svg.marker(&corners, Fill::solid(look.color()));
        }
        (_, ends) => {
            if let Some((left, right)) = ends {
                draw_interval(svg, plane.area, look, left, right, y);
            }
            if plane.x.holds(*estimate) {
                let corners = [(-2.3, -2.3), (2.3, -2.3), (2.3, 2.3), (-2.3, 2.3)];
                let corners = corners.map(|(dx, dy)| at(center + dx, y + dy));
                svg.marker(&corners, Fill::solid(look.color()));
            }
        }
    }
}

/// A line between the limits; an arrow where a limit lies outside.
fn draw_interval(svg: &mut Svg, area: Area, look: Look, left: f64, right: f64, y: f64) {
    let (from, to) = (left.max(area.x), right.min(area.right()));
    if from > to {
        return;
    }
    svg.line(at(from, y), at(to, y), Stroke::solid(look.color(), 1.0));
    let arrow = |tip: f64, back: f64| -> [At; 3] {
        [at(tip, y), at(tip + back, y - 2.2), at(tip + back, y + 2.2)]
    };
    if left < area.x - 0.01 {
        svg.polygon(&arrow(area.x, 4.0), Fill::solid(look.color()));
    }
    if right > area.right() + 0.01 {
        svg.polygon(&arrow(area.right(), -4.0), Fill::solid(look.color()));
    }
}

/// Words at both sides of the reference, and the height they take.
fn draw_directions(svg: &mut Svg, chart: &ForestPlot, plane: &Plane) -> f64 {
    let Some((below, above)) = &chart.directions else {
        return 0.0;
    };
    let middle = chart
        .reference
        .filter(|v| plane.x.holds(*v))
        .and_then(|v| plane.place_x(v));
    let middle = middle.unwrap_or(plane.area.x + plane.area.width / 2.0);
    let y = plane.area.bottom() + 19.0;
    let room = plane.area.width;
    let words = text::cut(&format!("← {below}"), room, SMALL, Face::Regular);
    svg.text(at(middle - 4.0, y), &words, soft(SMALL, Anchor::End));
    let words = text::cut(&format!("{above} →"), room, SMALL, Face::Regular);
    svg.text(at(middle + 4.0, y), &words, soft(SMALL, Anchor::Start));
    9.0
}
