//! Drawing of charts. Units are points (1/72 inch); a column of a journal is 255 of them wide.

mod forest;
mod histogram;
mod legend;
mod lines;
mod palette;
mod plane;
mod raster;
mod room;
mod survival;
mod svg;
mod text;
mod thin;

pub(super) use raster::png;

use super::{Chart, Tone};
use palette::{INK, SOFT};
use svg::{Anchor, Svg, TextStyle};
use text::Face;

/// One column: 90 mm.
const COLUMN: f64 = 255.0;
/// One and a half columns: 140 mm.
const COLUMN_AND_HALF: f64 = 397.0;
/// Two columns: 180 mm.
const PAGE: f64 = 510.0;
const MM_PER_POINT: f64 = 90.0 / COLUMN;

/// Size of tick labels, legends and cells.
const SMALL: f64 = 7.0;
/// Size of the names of axes.
const LARGE: f64 = 7.8;

/// The chart as SVG; `prefix` keeps its ids apart from others on a page.
pub(super) fn svg(chart: &Chart, title: &str, prefix: &str) -> String {
    let mut svg = Svg::new(prefix);
    let (width, height) = match chart {
        Chart::Lines(chart) => lines::draw(&mut svg, chart),
        Chart::Forest(chart) => forest::draw(&mut svg, chart),
        Chart::Histogram(chart) => histogram::draw(&mut svg, chart),
        Chart::Survival(chart) => survival::draw(&mut svg, chart),
    };
    svg.finish(width, height, title, &description(chart))
}

/// What the chart shows, for who cannot see it.
fn description(chart: &Chart) -> String {
    match chart {
        Chart::Lines(chart) => {
            let curves = chart.curves.iter().map(|c| c.label.as_str());
            let marks = chart.marks.iter().map(|m| m.label.as_str());
            let drawn = listed(curves.chain(marks));
            format!("{} against {}.{drawn}", chart.y.label, chart.x.label)
        }
        Chart::Forest(chart) => {
            let rows = chart.rows.iter().filter_map(forest::words);
            format!(
                "Estimates with intervals of {}.{}",
                chart.axis.label,
                listed_owned(rows)
            )
        }
        Chart::Histogram(chart) => {
            let groups = chart.groups.iter().map(|g| g.label.as_str());
            format!("{} by {}.{}", chart.y_label, chart.x.label, listed(groups))
        }
        Chart::Survival(chart) => {
            let curves = chart.curves.iter().map(|c| c.label.as_str());
            format!(
                "{} against {}.{}",
                chart.y.label,
                chart.time,
                listed(curves)
            )
        }
    }
}

fn listed<'a>(labels: impl Iterator<Item = &'a str>) -> String {
    listed_owned(labels.map(str::to_owned))
}

fn listed_owned(labels: impl Iterator<Item = String>) -> String {
    let named: Vec<String> = labels
        .filter(|label| !label.trim().is_empty())
        .take(60)
        .collect();
    match named.is_empty() {
        true => String::new(),
        false => format!(" Shown: {}.", named.join("; ")),
    }
}

fn style(size: f64, anchor: Anchor) -> TextStyle {
    TextStyle {
        size,
        face: Face::Regular,
        anchor,
        color: INK,
    }
}

fn soft(size: f64, anchor: Anchor) -> TextStyle {
    TextStyle {
        color: SOFT,
        ..style(size, anchor)
    }
}

fn bold(size: f64, anchor: Anchor) -> TextStyle {
    TextStyle {
        face: Face::Bold,
        ..style(size, anchor)
    }
}

fn looks_beside(tones: impl Iterator<Item = Tone>) -> palette::Looks {
    palette::Looks::beside(tones)
}
