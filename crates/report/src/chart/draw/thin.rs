//! Fewer points for the same picture.

use super::svg::At;

/// Farthest that a removed point may lie from the drawn line, in points: a third of a pixel at 500
/// dots per inch.
const TOLERANCE: f64 = 0.05;

/// Removes points that cannot be seen: each lies within [`TOLERANCE`] of the line that remains.
///
/// From the last kept point, the directions in which a straight line would pass all points since
/// are kept as an interval (Sklansky & Gonzalez, "Fast polygonal approximation of digitized
/// curves", Pattern Recognition 1980, <https://doi.org/10.1016/0031-3203(80)90031-X>); one pass,
/// whatever the number of points.
pub(super) fn thinned(points: &[At]) -> Vec<At> {
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    let mut kept = vec![first];
    let mut cone = Cone::at(first);
    let mut previous = first;
    for &point in &points[1..] {
        if !cone.takes(point) {
            kept.push(previous);
            cone = Cone::at(previous);
            cone.takes(point);
        }
        previous = point;
    }
    if points.len() > 1 {
        kept.push(last);
    }
    kept
}

/// The directions in which a line from `apex` passes all points seen so far.
struct Cone {
    apex: At,
    reach: f64,
    axis: f64,
    low: f64,
    high: f64,
}

impl Cone {
    fn at(apex: At) -> Cone {
        Cone {
            apex,
            reach: 0.0,
            axis: 0.0,
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
        }
    }

    /// Narrows the cone by a point, or refuses it when the line to it would miss an earlier one.
    fn takes(&mut self, point: At) -> bool {
        let (dx, dy) = (point.x - self.apex.x, point.y - self.apex.y);
        let distance = dx.hypot(dy);
        if distance <= TOLERANCE {
            return self.reach <= TOLERANCE;
        }
        if self.reach <= TOLERANCE {
            self.axis = dy.atan2(dx);
        }
        let off = turned(dy.atan2(dx) - self.axis);
        if distance < self.reach - TOLERANCE || off < self.low || off > self.high {
            return false;
        }
        let half = (TOLERANCE / distance).asin();
        self.low = self.low.max(off - half);
        self.high = self.high.min(off + half);
        self.reach = self.reach.max(distance);
        true
    }
}

/// An angle in −π..=π.
fn turned(angle: f64) -> f64 {
    let turn = std::f64::consts::TAU;
    angle - turn * (angle / turn).round()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::draw::svg::at;

    fn distance(point: At, from: At, to: At) -> f64 {
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let (px, py) = (point.x - from.x, point.y - from.y);
        let along = ((px * dx + py * dy) / (dx * dx + dy * dy).max(1e-12)).clamp(0.0, 1.0);
        (px - along * dx).hypot(py - along * dy)
    }

    fn farthest(points: &[At], kept: &[At]) -> f64 {
        let nearest = |p: &At| {
            let each = kept.windows(2).map(|w| distance(*p, w[0], w[1]));
            each.fold(f64::INFINITY, f64::min)
        };
        points.iter().map(nearest).fold(0.0, f64::max)
    }

    #[test]
    fn a_thinned_curve_looks_the_same() {
        let staircase = |i: usize| {
            at(
                (i / 2) as f64 * 0.02,
                -((i.div_ceil(2)) as f64 * 0.02).sqrt(),
            )
        };
        let spiral = |i: usize| {
            let t = i as f64 / 300.0;
            at(t * t.cos(), t * t.sin())
        };
        let zigzag = |i: usize| at((i % 7) as f64, (i % 11) as f64);
        let shapes: [&dyn Fn(usize) -> At; 3] = [&staircase, &spiral, &zigzag];
        for shape in shapes {
            let points: Vec<At> = (0..5000).map(shape).collect();
            let kept = thinned(&points);
            assert!(kept.len() <= points.len());
            assert!(farthest(&points, &kept) <= 2.0 * TOLERANCE);
        }
        let straight: Vec<At> = (0..1000).map(|i| at(i as f64, 2.0 * i as f64)).collect();
        assert_eq!(thinned(&straight).len(), 2);
        assert!(thinned(&[]).is_empty());
        assert_eq!(thinned(&[at(1.0, 1.0)]).len(), 1);
    }
}
