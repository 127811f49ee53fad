//! Draws curves and points over two axes.

use super::legend::{Legend, Sample, reference_stroke};
use super::palette::{INK, Look, Looks, SOFT};
use super::plane::{Mapping, Plane, y_room};
use super::room::Room;
use super::svg::{Anchor, Area, At, Fill, Stroke, Svg, at};
use super::text::{self, Face};
use super::thin::thinned;
use super::{COLUMN, SMALL, looks_beside, soft, style};
use crate::chart::{
    Axis, BandPoint, Curve, Frame, Join, LegendPlace, LineChart, Mark, Reference, Strip, Weight,
};

const TOP: f64 = 7.0;
const RIGHT: f64 = 9.0;
/// Tick labels and the name of the horizontal axis.
const BENEATH: f64 = 28.0;
const STRIP: f64 = 30.0;
const STRIP_GAP: f64 = 7.0;
/// Size of the words beside a point.
const POINT_LABEL: f64 = 6.4;

/// Draws the chart and returns its width and height.
pub(super) fn draw(svg: &mut Svg, chart: &LineChart) -> (f64, f64) {
    let plane = plane_of(chart);
    let mut looks = looks_beside(
        chart
            .curves
            .iter()
            .map(|c| c.tone)
            .chain(chart.marks.iter().map(|m| m.tone)),
    );
    let curves: Vec<DrawnCurve> = chart
        .curves
        .iter()
        .map(|curve| DrawnCurve::of(&plane, curve, &mut looks))
        .collect();
    let marks: Vec<Look> = chart
        .marks
        .iter()
        .map(|marks| looks.of(marks.tone))
        .collect();
    let mut room = taken_room(&plane, chart, &curves);
    svg.clipped(with_rim(plane.area), |svg| {
        draw_curves(svg, &plane, chart, &curves)
    });
    draw_axes(svg, &plane, chart);
    label_references(svg, &plane, &chart.references, &mut room);
    for (marks, look) in chart.marks.iter().zip(&marks) {
        draw_marks(svg, &plane, &marks.points, *look);
    }
    label_marks(svg, &plane, chart, &mut room);
    let bottom = bottom_of(&plane, chart);
    let legend = legend_of(chart, &curves, &marks);
    let height = place_legend(svg, &plane, chart, &legend, room, bottom);
    (COLUMN, height)
}

fn plane_of(chart: &LineChart) -> Plane {
    let points = || chart.curves.iter().flat_map(|c| &c.points);
    let bands = || chart.curves.iter().flat_map(|c| &c.band);
    let marks = || chart.marks.iter().flat_map(|m| &m.points);
    let ends = |interval: Option<(f64, f64)>| interval.into_iter().flat_map(|(a, b)| [a, b]);
    let xs = points().map(|p| p.0).chain(bands().map(|b| b.x));
    let xs = xs.chain(marks().flat_map(|m| ends(m.x_interval).chain([m.x])));
    let ys = points()
        .map(|p| p.1)
        .chain(bands().flat_map(|b| [b.lower, b.upper]));
    let ys = ys.chain(marks().flat_map(|m| ends(m.y_interval).chain([m.y])));
    let ys = ys.chain(chart.references.iter().filter_map(|r| match r {
        Reference::Horizontal(y, _) => Some(*y),
        Reference::Diagonal | Reference::Vertical(..) => None,
    }));
    let (x, y) = (Mapping::of(&chart.x, xs), Mapping::of(&chart.y, ys));
    let left = y_room(y, &chart.y, 200.0);
    let width = COLUMN - left - RIGHT;
    let height = match chart.frame {
        Frame::Square => width,
        Frame::Wide => (width * 0.66).round(),
    };
    let area = Area {
        x: left,
        y: TOP,
        width,
        height,
    };
    Plane { area, x, y }
}

/// Lines on the edge of the area show in full.
pub(super) fn with_rim(area: Area) -> Area {
    Area {
        x: area.x - 1.2,
        y: area.y - 1.2,
        width: area.width + 2.4,
        height: area.height + 2.4,
    }
}

/// A curve in places of the drawing.
struct DrawnCurve {
    look: Look,
    weight: Weight,
    runs: Vec<Vec<At>>,
    bands: Vec<Vec<At>>,
}

impl DrawnCurve {
    fn of(plane: &Plane, curve: &Curve, looks: &mut Looks) -> DrawnCurve {
        DrawnCurve {
            look: looks.of(curve.tone),
            weight: curve.weight,
            runs: runs_of(plane, &curve.points, curve.join),
            bands: bands_of(plane, &curve.band, curve.join),
        }
    }

    fn draw(&self, svg: &mut Svg) {
        let stroke = self.look.stroke(self.weight);
        for run in &self.runs {
            match run[..] {
                [alone] => svg.circle(alone, 1.4, Fill::solid(self.look.color())),
                _ => svg.polyline(run, stroke),
            }
        }
    }
}

/// The curve's points without gaps, one run between gaps, thinned to what can be seen.
pub(super) fn runs_of(plane: &Plane, points: &[(f64, f64)], join: Join) -> Vec<Vec<At>> {
    let places: Vec<Option<At>> = points.iter().map(|&(x, y)| plane.place(x, y)).collect();
    let runs = places.split(Option::is_none).filter(|run| !run.is_empty());
    let joined = |run: &[Option<At>]| {
        let run: Vec<At> = run.iter().flatten().copied().collect();
        thinned(&join_points(run, join))
    };
    runs.map(joined).collect()
}

fn join_points(points: Vec<At>, join: Join) -> Vec<At> {
    if join == Join::Straight {
        return points;
    }
    let mut stepped = Vec::with_capacity(points.len() * 2);
    for point in points {
        if let Some(previous) = stepped.last().copied() {
            let previous: At = previous;
            stepped.push(at(point.x, previous.y));
        }
        stepped.push(point);
    }
    stepped
}

/// Outlines of the band, one for each run without gaps.
pub(super) fn bands_of(plane: &Plane, band: &[BandPoint], join: Join) -> Vec<Vec<At>> {
    let places = |b: &BandPoint| Some((plane.place(b.x, b.lower)?, plane.place(b.x, b.upper)?));
    let places: Vec<Option<(At, At)>> = band.iter().map(places).collect();
    let runs = places.split(Option::is_none).filter(|run| run.len() > 1);
    let outline = |run: &[Option<(At, At)>]| {
        let (lower, upper): (Vec<At>, Vec<At>) = run.iter().flatten().copied().unzip();
        let mut outline = thinned(&join_points(upper, join));
        outline.extend(thinned(&join_points(lower, join)).into_iter().rev());
        outline
    };
    runs.map(outline).collect()
}

/// What curves, bands and points take.
fn taken_room(plane: &Plane, chart: &LineChart, curves: &[DrawnCurve]) -> Room {
    let mut room = Room::of(plane.area);
    for curve in curves {
        curve
            .runs
            .iter()
            .chain(&curve.bands)
            .for_each(|run| room.take_path(run));
    }
    for mark in chart.marks.iter().flat_map(|m| &m.points) {
        if let Some(center) = visible(plane, mark) {
            room.take(around(center, 3.5));
            for (from, to) in interval_lines(plane, mark, center) {
                room.take_path(&[from, to]);
            }
        }
    }
    room
}

pub(super) fn around(center: At, radius: f64) -> Area {
    Area {
        x: center.x - radius,
        y: center.y - radius,
        width: 2.0 * radius,
        height: 2.0 * radius,
    }
}

fn visible(plane: &Plane, mark: &Mark) -> Option<At> {
    plane
        .holds(mark.x, mark.y)
        .then(|| plane.place(mark.x, mark.y))?
}

/// The intervals of a point as lines, held inside the area.
fn interval_lines(plane: &Plane, mark: &Mark, center: At) -> Vec<(At, At)> {
    let area = plane.area;
    let across = mark.x_interval.and_then(|(a, b)| {
        let x = |v: f64| Some(plane.place_x(v)?.clamp(area.x, area.right()));
        Some((at(x(a)?, center.y), at(x(b)?, center.y)))
    });
    let along = mark.y_interval.and_then(|(a, b)| {
        let y = |v: f64| Some(plane.place_y(v)?.clamp(area.y, area.bottom()));
        Some((at(center.x, y(a)?), at(center.x, y(b)?)))
    });
    across.into_iter().chain(along).collect()
}

fn draw_curves(svg: &mut Svg, plane: &Plane, chart: &LineChart, curves: &[DrawnCurve]) {
    for curve in curves {
        for band in &curve.bands {
            svg.polygon(band, curve.look.band());
        }
    }
    for reference in &chart.references {
        if let Some((from, to)) = reference_line(plane, reference) {
            svg.line(from, to, reference_stroke());
        }
    }
    for weight in [Weight::Faint, Weight::Regular, Weight::Strong] {
        for curve in curves.iter().filter(|curve| curve.weight == weight) {
            curve.draw(svg);
        }
    }
}

pub(super) fn reference_line(plane: &Plane, reference: &Reference) -> Option<(At, At)> {
    let area = plane.area;
    match reference {
        Reference::Diagonal => Some((plane.place(0.0, 0.0)?, plane.place(1.0, 1.0)?)),
        Reference::Horizontal(value, _) => {
            let y = plane.y.holds(*value).then(|| plane.place_y(*value))??;
            Some((at(area.x, y), at(area.right(), y)))
        }
        Reference::Vertical(value, _) => {
            let x = plane.x.holds(*value).then(|| plane.place_x(*value))??;
            Some((at(x, area.bottom()), at(x, area.y)))
        }
    }
}

/// Words at the end of each reference, where there is room.
pub(super) fn label_references(
    svg: &mut Svg,
    plane: &Plane,
    references: &[Reference],
    room: &mut Room,
) {
    for reference in references {
        let Some((from, to)) = reference_line(plane, reference) else {
            continue;
        };
        let (Reference::Horizontal(_, words) | Reference::Vertical(_, words)) = reference else {
            continue;
        };
        let words = text::cut(words, plane.area.width * 0.6, SMALL, Face::Regular);
        let width = text::width(&words, SMALL, Face::Regular) + 2.0;
        let box_at = |x: f64, y: f64| Area {
            x,
            y,
            width,
            height: 8.5,
        };
        let places = match reference {
            Reference::Horizontal(..) => [
                box_at(to.x - width - 1.0, to.y - 9.5),
                box_at(from.x + 3.0, to.y - 9.5),
                box_at(to.x - width - 1.0, to.y + 1.0),
                box_at(from.x + 3.0, to.y + 1.0),
            ],
            _ => [
                box_at(to.x + 3.0, to.y + 0.5),
                box_at(to.x - width - 2.0, to.y + 0.5),
                box_at(to.x + 3.0, from.y - 11.0),
                box_at(to.x - width - 2.0, from.y - 11.0),
            ],
        };
        let share = |area: &Area| room.taken_share(*area);
        let best = places
            .into_iter()
            .min_by(|a, b| share(a).total_cmp(&share(b)));
        if let Some(best) = best.filter(|area| !words.is_empty() && share(area) < 0.5) {
            let place = at(best.x + 1.0, best.y + 4.25);
            svg.haloed_text(place, &words, soft(SMALL, Anchor::Start));
            room.take(best);
        }
    }
}

fn draw_axes(svg: &mut Svg, plane: &Plane, chart: &LineChart) {
    plane.draw_y_axis(svg, &chart.y, 0.0);
    let Some(strip) = &chart.strip else {
        plane.draw_x_axis(svg, chart.x.ticks);
        plane.draw_x_name(svg, &chart.x.label);
        return;
    };
    let ticks = plane.x.ticks((plane.area.width / 36.0) as usize);
    plane.draw_x_ticks(svg, &ticks, None);
    let beneath = strip_plane(plane, strip);
    draw_strip(svg, &beneath, strip);
    beneath.draw_x_axis(svg, chart.x.ticks);
    beneath.draw_x_name(svg, &chart.x.label);
}

fn strip_plane(plane: &Plane, strip: &Strip) -> Plane {
    let counts = strip.bins.iter().map(|bin| bin.2).filter(|n| n.is_finite());
    let most = counts.fold(0.0, f64::max).max(1.0);
    let area = Area {
        y: plane.area.bottom() + STRIP_GAP,
        height: STRIP,
        ..plane.area
    };
    let y = Mapping::of(&Axis::ranged("", 0.0, most), std::iter::empty());
    Plane {
        area,
        x: plane.x,
        y,
    }
}

fn draw_strip(svg: &mut Svg, plane: &Plane, strip: &Strip) {
    let fill = Fill {
        color: SOFT,
        opacity: 0.45,
    };
    svg.clipped(plane.area, |svg| {
        for &(left, right, n) in &strip.bins {
            let corners = (plane.place(left, n), plane.place(right, 0.0));
            let (Some(top), Some(low)) = corners else {
                continue;
            };
            let area = Area {
                x: top.x + 0.4,
                y: top.y,
                width: low.x - top.x - 0.8,
                height: low.y - top.y,
            };
            svg.rect(area, fill);
        }
    });
    let (_, most) = plane.y.ends();
    let area = plane.area;
    let thin = Stroke::solid(INK, 0.6);
    svg.line(at(area.x, area.y), at(area.x, area.bottom()), thin);
    for (value, y) in [(0.0, area.bottom()), (most, area.y)] {
        svg.line(at(area.x - 2.8, y), at(area.x, y), thin);
        let words = crate::document::number(value, 0);
        svg.text(at(area.x - 4.8, y), &words, style(SMALL, Anchor::End));
    }
    let name = text::cut(&strip.label, STRIP + 12.0, SMALL, Face::Regular);
    let place = at(5.0, area.y + STRIP / 2.0);
    svg.upward_text(place, &name, style(SMALL, Anchor::Middle));
}

fn bottom_of(plane: &Plane, chart: &LineChart) -> f64 {
    let strip = match chart.strip {
        Some(_) => STRIP + STRIP_GAP,
        None => 0.0,
    };
    plane.area.bottom() + strip + BENEATH
}

fn draw_marks(svg: &mut Svg, plane: &Plane, marks: &[Mark], look: Look) {
    for mark in marks {
        let Some(center) = visible(plane, mark) else {
            continue;
        };
        svg.titled(&mark.label, |svg| {
            for (from, to) in interval_lines(plane, mark, center) {
                svg.line(from, to, Stroke::solid(look.color(), 0.7));
            }
            look.draw_marker(svg, center);
        });
    }
}

/// Words beside the points, each in the freest place; left out where they would lie on others.
fn label_marks(svg: &mut Svg, plane: &Plane, chart: &LineChart, room: &mut Room) {
    for mark in chart.marks.iter().flat_map(|m| &m.points) {
        let Some(center) = visible(plane, mark).filter(|_| !mark.label.trim().is_empty()) else {
            continue;
        };
        let words = text::cut(
            &mark.label,
            plane.area.width * 0.35,
            POINT_LABEL,
            Face::Regular,
        );
        let width = text::width(&words, POINT_LABEL, Face::Regular);
        let places = label_places(center, width);
        let share = |area: &Area| room.taken_share(*area);
        let best = places
            .into_iter()
            .min_by(|a, b| share(a).total_cmp(&share(b)));
        if let Some(best) = best.filter(|area| share(area) < 0.3) {
            let place = at(best.x, best.y + best.height / 2.0);
            svg.haloed_text(place, &words, style(POINT_LABEL, Anchor::Start));
            room.take(best);
        }
    }
}

/// Beside, above and beneath a point; the first is the best when all are free.
fn label_places(center: At, width: f64) -> Vec<Area> {
    let height = 7.0;
    let middle = center.y - height / 2.0;
    let (above, below) = (center.y - height - 3.6, center.y + 3.6);
    let (right, left) = (center.x + 4.2, center.x - 4.2 - width);
    let corners = [
        (right, middle),
        (right - 1.0, above + 1.0),
        (right - 1.0, below - 1.0),
        (left, middle),
        (center.x - width / 2.0, above),
        (center.x - width / 2.0, below),
        (left + 1.0, above + 1.0),
        (left + 1.0, below - 1.0),
    ];
    let area = |(x, y): (f64, f64)| Area {
        x,
        y,
        width,
        height,
    };
    corners.into_iter().map(area).collect()
}

fn legend_of(chart: &LineChart, curves: &[DrawnCurve], marks: &[Look]) -> Legend {
    let mut legend = Legend::default();
    for (curve, drawn) in chart.curves.iter().zip(curves) {
        let sample = Sample::Line {
            look: drawn.look,
            weight: drawn.weight,
            with_band: !drawn.bands.is_empty(),
        };
        legend.add(sample, &curve.label);
    }
    for (marks, look) in chart.marks.iter().zip(marks) {
        legend.add(Sample::Marker(*look), &marks.label);
    }
    legend
}

/// Draws the legend and returns the height of the whole drawing.
fn place_legend(
    svg: &mut Svg,
    plane: &Plane,
    chart: &LineChart,
    legend: &Legend,
    mut room: Room,
    bottom: f64,
) -> f64 {
    if legend.is_empty() || chart.legend == LegendPlace::Hidden {
        return bottom;
    }
    for (from, to) in chart
        .references
        .iter()
        .filter_map(|r| reference_line(plane, r))
    {
        room.take_path(&[from, to]);
    }
    let inside = chart.legend == LegendPlace::Auto && legend.draw_inside(svg, plane.area, &room);
    if inside {
        return bottom;
    }
    let area = Area {
        x: plane.area.x,
        y: bottom + 1.0,
        width: plane.area.width + RIGHT - 1.0,
        height: 0.0,
    };
    legend.draw_beneath(svg, area);
    bottom + legend.height_beneath(area.width)
}
