//! Draws counts by bins.

use super::legend::{Legend, Sample, reference_stroke};
use super::lines::{label_references, reference_line, with_rim};
use super::palette::Look;
use super::plane::{Mapping, Plane, y_room};
use super::room::Room;
use super::svg::{Area, At, Fill, Stroke, Svg, at};
use super::{COLUMN, looks_beside};
use crate::chart::{Axis, Histogram, HistogramGroup, HistogramLayout, Reference, TickFormat};

const RIGHT: f64 = 9.0;
const BENEATH: f64 = 28.0;

/// Draws the chart and returns its width and height.
pub(super) fn draw(svg: &mut Svg, chart: &Histogram) -> (f64, f64) {
    let (y_axis, plane) = plane_of(chart);
    let mut looks = looks_beside(chart.groups.iter().map(|g| g.tone));
    let looks: Vec<Look> = chart.groups.iter().map(|g| looks.of(g.tone)).collect();
    let mut room = Room::of(plane.area);
    let mut legend = Legend::default();
    svg.clipped(with_rim(plane.area), |svg| {
        for (at_group, (group, look)) in chart.groups.iter().zip(&looks).enumerate() {
            let sign = sign_of(chart.layout, at_group);
            draw_group(svg, &plane, chart, group, *look, sign, &mut room);
            legend.add(Sample::Box(*look), &group.label);
        }
        let references = chart
            .references
            .iter()
            .filter(|r| matches!(r, Reference::Vertical(..)));
        for (from, to) in references.filter_map(|r| reference_line(&plane, r)) {
            svg.line(from, to, reference_stroke());
        }
    });
    plane.draw_y_axis(svg, &y_axis, 0.0);
    plane.draw_x_axis(svg, chart.x.ticks);
    plane.draw_x_name(svg, &chart.x.label);
    let vertical: Vec<Reference> = chart
        .references
        .iter()
        .filter(|r| matches!(r, Reference::Vertical(..)))
        .cloned()
        .collect();
    label_references(svg, &plane, &vertical, &mut room);
    for (from, to) in vertical.iter().filter_map(|r| reference_line(&plane, r)) {
        room.take_path(&[from, to]);
    }
    let bottom = plane.area.bottom() + BENEATH;
    (COLUMN, place_legend(svg, &plane, &legend, &room, bottom))
}

fn place_legend(svg: &mut Svg, plane: &Plane, legend: &Legend, room: &Room, bottom: f64) -> f64 {
    if legend.is_empty() || legend.draw_inside(svg, plane.area, room) {
        return bottom;
    }
    let area = Area {
        y: bottom + 1.0,
        width: plane.area.width + RIGHT - 1.0,
        ..plane.area
    };
    legend.draw_beneath(svg, area);
    bottom + legend.height_beneath(area.width)
}

fn sign_of(layout: HistogramLayout, at_group: usize) -> f64 {
    match (layout, at_group) {
        (HistogramLayout::Mirrored, 1) => -1.0,
        _ => 1.0,
    }
}

fn plane_of(chart: &Histogram) -> (Axis, Plane) {
    let finite = |g: &HistogramGroup| {
        let heights = g.heights.iter().copied().filter(|h| h.is_finite());
        heights.fold(0.0, f64::max)
    };
    let most = chart.groups.iter().map(finite).fold(0.0, f64::max);
    let upper = if most > 0.0 { most * 1.06 } else { 1.0 };
    let lower = match chart.layout {
        HistogramLayout::Overlaid => 0.0,
        HistogramLayout::Mirrored => -upper,
    };
    let y_axis = Axis {
        ticks: TickFormat::Unsigned,
        ..Axis::ranged(chart.y_label.clone(), lower, upper)
    };
    let y = Mapping::of(&y_axis, std::iter::empty());
    let x = Mapping::of(&chart.x, chart.edges.iter().copied());
    let left = y_room(y, &y_axis, 130.0);
    let area = Area {
        x: left,
        y: 7.0,
        width: COLUMN - left - RIGHT,
        height: 140.0,
    };
    (y_axis, Plane { area, x, y })
}

fn draw_group(
    svg: &mut Svg,
    plane: &Plane,
    chart: &Histogram,
    group: &HistogramGroup,
    look: Look,
    sign: f64,
    room: &mut Room,
) {
    let mut rim: Vec<At> = Vec::new();
    for (edges, &height) in chart.edges.windows(2).zip(&group.heights) {
        let corners = (
            plane.place(edges[0], sign * height),
            plane.place(edges[1], 0.0),
        );
        let (Some(top), Some(base)) = corners else {
            continue;
        };
        let bar = Area {
            x: top.x.min(base.x),
            y: top.y.min(base.y),
            width: (base.x - top.x).abs(),
            height: (base.y - top.y).abs(),
        };
        room.take(bar);
        if height != 0.0 {
            svg.rect(bar, bar_fill(look));
        }
        if rim.is_empty() {
            rim.push(at(top.x, base.y));
        }
        rim.extend([top, at(base.x, top.y)]);
    }
    if let (Some(last), Some(base)) = (rim.last().copied(), plane.place_y(0.0)) {
        rim.push(at(last.x, base));
    }
    svg.polyline(&rim, Stroke::solid(look.color(), 0.8));
}

pub(super) fn bar_fill(look: Look) -> Fill {
    Fill {
        color: look.color(),
        opacity: 0.32,
    }
}

pub(super) fn outline(area: Area) -> [At; 5] {
    let (left, right, top, low) = (area.x, area.right(), area.y, area.bottom());
    [
        at(left, top),
        at(right, top),
        at(right, low),
        at(left, low),
        at(left, top),
    ]
}
