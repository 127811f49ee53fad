//! Draws step curves over time and the numbers at risk beneath.

use super::legend::{Legend, Sample};
use super::lines::{bands_of, runs_of, with_rim};
use super::palette::Look;
use super::plane::{Mapping, Plane, y_room};
use super::room::Room;
use super::svg::{Anchor, Area, At, Stroke, Svg, at};
use super::text::{self, Face};
use super::{COLUMN, COLUMN_AND_HALF, SMALL, bold, looks_beside, style};
use crate::chart::{Axis, Join, SurvivalCurve, SurvivalPlot, TickFormat, Weight};

const TOP: f64 = 7.0;
const BENEATH: f64 = 28.0;
const ROW: f64 = 10.0;
const SAMPLE: f64 = 15.0;
/// Half the height of a tick of censoring.
const CENSORED: f64 = 2.2;

/// Draws the chart and returns its width and height.
pub(super) fn draw(svg: &mut Svg, chart: &SurvivalPlot) -> (f64, f64) {
    let (width, plane) = plane_of(chart);
    let mut looks = looks_beside(chart.curves.iter().map(|c| c.tone));
    let curves: Vec<Drawn> = chart
        .curves
        .iter()
        .map(|curve| Drawn::of(&plane, curve, looks.of(curve.tone)))
        .collect();
    let mut room = Room::of(plane.area);
    svg.clipped(with_rim(plane.area), |svg| {
        curves.iter().for_each(|curve| curve.draw_band(svg));
        curves.iter().for_each(|curve| curve.draw_line(svg));
    });
    for curve in &curves {
        curve
            .bands
            .iter()
            .chain(&curve.runs)
            .for_each(|run| room.take_path(run));
    }
    plane.draw_y_axis(svg, &chart.y, axis_left(chart, &plane));
    match chart.times.is_empty() {
        true => plane.draw_x_axis(svg, TickFormat::Number),
        false => plane.draw_x_ticks(svg, &chart.times, Some(TickFormat::Number)),
    }
    plane.draw_x_name(svg, &chart.time);
    draw_note(svg, &plane, &chart.note, &mut room);
    let bottom = plane.area.bottom() + BENEATH;
    let height = match has_table(chart) {
        true => draw_table(svg, &plane, chart, &curves, bottom),
        false => draw_legend(svg, &plane, chart, &curves, &room, bottom),
    };
    (width, height)
}

fn has_table(chart: &SurvivalPlot) -> bool {
    !chart.times.is_empty() && chart.curves.iter().any(|c| !c.at_risk.is_empty())
}

fn plane_of(chart: &SurvivalPlot) -> (f64, Plane) {
    let steps = || chart.curves.iter().flat_map(|c| &c.steps);
    let bands = || chart.curves.iter().flat_map(|c| &c.band);
    let ys = steps()
        .map(|s| s.1)
        .chain(bands().flat_map(|b| [b.lower, b.upper]));
    let y = Mapping::of(&chart.y, ys);
    let x = Mapping::of(&time_axis(chart), std::iter::empty());
    let labels = label_room(chart);
    let width = match labels {
        n if n > 62.0 => COLUMN_AND_HALF,
        _ => COLUMN,
    };
    let left = y_room(y, &chart.y, 150.0).max(labels);
    let plot = width - left - 14.0;
    let area = Area {
        x: left,
        y: TOP,
        width: plot,
        height: (plot * 0.68).round(),
    };
    (width, Plane { area, x, y })
}

fn time_axis(chart: &SurvivalPlot) -> Axis {
    let steps = chart.curves.iter().flat_map(|c| &c.steps).map(|s| s.0);
    let censored = chart.curves.iter().flat_map(|c| &c.censored).copied();
    let all = steps.chain(censored).chain(chart.times.iter().copied());
    let last = all.filter(|t| t.is_finite()).fold(0.0, f64::max);
    Axis::ranged("", 0.0, if last > 0.0 { last } else { 1.0 })
}

/// Room for the labels of the table at the left of the curves.
fn label_room(chart: &SurvivalPlot) -> f64 {
    if !has_table(chart) {
        return 0.0;
    }
    let widths = chart
        .curves
        .iter()
        .map(|c| text::width(&c.label, SMALL, Face::Regular));
    let widest = widths.fold(0.0, f64::max).min(120.0);
    // Half a count stands to the left of the first tick.
    widest + SAMPLE + 4.0 + 14.0
}

/// The vertical axis keeps its name near, however wide the table's labels are.
fn axis_left(chart: &SurvivalPlot, plane: &Plane) -> f64 {
    plane.area.x - y_room(plane.y, &chart.y, plane.area.height)
}

/// A curve in places of the drawing.
struct Drawn {
    look: Look,
    runs: Vec<Vec<At>>,
    bands: Vec<Vec<At>>,
    censored: Vec<At>,
}

impl Drawn {
    fn of(plane: &Plane, curve: &SurvivalCurve, look: Look) -> Drawn {
        let steps = extended(plane, curve);
        Drawn {
            look,
            runs: runs_of(plane, &steps, Join::Steps),
            bands: bands_of(plane, &curve.band, Join::Steps),
            censored: censored_places(plane, curve, &steps),
        }
    }

    fn draw_band(&self, svg: &mut Svg) {
        for band in &self.bands {
            svg.polygon(band, self.look.band());
        }
    }

    fn draw_line(&self, svg: &mut Svg) {
        for run in &self.runs {
            svg.polyline(run, self.look.stroke(Weight::Regular));
        }
        let tick = Stroke::solid(self.look.color(), 0.7);
        for place in &self.censored {
            svg.line(
                at(place.x, place.y - CENSORED),
                at(place.x, place.y + CENSORED),
                tick,
            );
        }
    }
}

/// The steps, held level until the last censoring.
fn extended(plane: &Plane, curve: &SurvivalCurve) -> Vec<(f64, f64)> {
    let mut steps = curve.steps.clone();
    let (_, end) = plane.x.ends();
    let censored = curve.censored.iter().copied().filter(|t| t.is_finite());
    let last = censored.fold(f64::NEG_INFINITY, f64::max).min(end);
    if let Some(&(time, value)) = steps.last().filter(|(time, _)| last > *time) {
        debug_assert!(time <= last);
        steps.push((last, value));
    }
    steps
}

/// Ticks of censoring on the curve, once per place that can be told apart.
fn censored_places(plane: &Plane, curve: &SurvivalCurve, steps: &[(f64, f64)]) -> Vec<At> {
    let mut times: Vec<f64> = curve
        .censored
        .iter()
        .copied()
        .filter(|t| t.is_finite())
        .collect();
    times.sort_by(f64::total_cmp);
    let mut places: Vec<At> = Vec::new();
    for time in times {
        let reached = steps.partition_point(|step| step.0 <= time);
        let value = reached.checked_sub(1).map(|i| steps[i].1);
        let Some(place) = value.and_then(|v| plane.place(time, v)) else {
            continue;
        };
        let is_new = places
            .last()
            .is_none_or(|p| place.x - p.x > 0.4 || (place.y - p.y).abs() > 0.4);
        if is_new {
            places.push(place);
        }
    }
    places
}

/// Words in a free corner, or nowhere.
fn draw_note(svg: &mut Svg, plane: &Plane, note: &str, room: &mut Room) {
    if note.trim().is_empty() {
        return;
    }
    let lines = text::wrapped(note, plane.area.width * 0.6, SMALL, 3);
    let widths = lines
        .iter()
        .map(|line| text::width(line, SMALL, Face::Regular));
    let width = widths.fold(0.0, f64::max) + 2.0;
    let height = 9.4 * lines.len() as f64 + 2.0;
    let free = room.free_corner(width, height);
    let corner = free.unwrap_or(Area {
        x: plane.area.x + 5.0,
        y: plane.area.bottom() - height - 4.0,
        width,
        height,
    });
    for (i, line) in lines.iter().enumerate() {
        let place = at(corner.x, corner.y + 9.4 * (i as f64 + 0.5));
        svg.haloed_text(place, line, style(SMALL, Anchor::Start));
    }
    room.take(corner);
}

/// Numbers at risk under their times; the labels with their lines are the legend.
fn draw_table(
    svg: &mut Svg,
    plane: &Plane,
    chart: &SurvivalPlot,
    curves: &[Drawn],
    top: f64,
) -> f64 {
    let mut y = top + ROW / 2.0;
    svg.text(at(2.0, y), "Number at risk", bold(SMALL, Anchor::Start));
    for (curve, drawn) in chart.curves.iter().zip(curves) {
        y += ROW;
        let sample = Area {
            x: 2.0,
            y: y - 3.0,
            width: SAMPLE,
            height: 6.0,
        };
        drawn
            .look
            .draw_sample(svg, sample, Weight::Regular, !drawn.bands.is_empty());
        let room = plane.area.x - SAMPLE - 16.0;
        let words = text::cut(&curve.label, room, SMALL, Face::Regular);
        svg.titled(&curve.label, |svg| {
            svg.text(
                at(2.0 + SAMPLE + 3.0, y),
                &words,
                style(SMALL, Anchor::Start),
            );
        });
        for (time, n) in chart.times.iter().zip(&curve.at_risk) {
            if let Some(x) = plane.x.holds(*time).then(|| plane.place_x(*time)).flatten() {
                svg.text(at(x, y), &n.to_string(), style(SMALL, Anchor::Middle));
            }
        }
    }
    y + ROW / 2.0 + 3.0
}

fn draw_legend(
    svg: &mut Svg,
    plane: &Plane,
    chart: &SurvivalPlot,
    curves: &[Drawn],
    room: &Room,
    bottom: f64,
) -> f64 {
    let mut legend = Legend::default();
    for (curve, drawn) in chart.curves.iter().zip(curves) {
        let sample = Sample::Line {
            look: drawn.look,
            weight: Weight::Regular,
            with_band: !drawn.bands.is_empty(),
        };
        legend.add(sample, &curve.label);
    }
    if legend.is_empty() || legend.draw_inside(svg, plane.area, room) {
        return bottom;
    }
    let area = Area {
        y: bottom + 1.0,
        ..plane.area
    };
    legend.draw_beneath(svg, area);
    bottom + legend.height_beneath(area.width)
}
