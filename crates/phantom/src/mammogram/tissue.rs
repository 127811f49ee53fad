//! What a place in a breast adds to the picture.
//!
//! Owns: where gland lies (the same in both views), fat, strands, muscle. Does not own: lesions
//! (`body`), skin and the curve of the picture (`view`). Values were chosen by eye: 0 is black,
//! 1 white.

use lobule_exam::View;
use lobule_raster::Image;

use super::Density;
use super::shape::Shape;
use super::texture::power_law;
use crate::noise::{Noise, Purpose, Stream};
use crate::tissue::ramp;

/// The exponent of the texture's spectrum: Burgess, Jacobson and Judy (2001),
/// doi:10.1118/1.1355308.
pub(super) const EXPONENT: f64 = 3.0;

/// The glandular part of one breast: lobes, the same in both views.
pub(super) struct Gland {
    lobes: Vec<Lobe>,
    /// Thickness of the fat below the skin, in mm.
    fat: f32,
}

/// Where a lobe lies behind the nipple, and from the nipple line in either view, in mm.
struct Lobe {
    depth: f32,
    outward: f32,
    upward: f32,
    radius: f32,
    weight: f32,
}

impl Gland {
    /// `person` is shared by both breasts, `side` is not.
    pub(super) fn new(
        density: Density,
        breast_depth: f64,
        person: &mut Stream,
        side: &mut Stream,
    ) -> Gland {
        // Number, reach in depth (shares), spread across (share of the depth), radius (mm), weight.
        let (n, reach, spread, radius, weight) = match density {
            Density::Fatty => (4, 0.42, 0.20, [7.0, 12.0], 0.40),
            Density::Scattered => (7, 0.62, 0.34, [9.0, 17.0], 0.62),
            Density::Heterogeneous => (10, 0.74, 0.44, [13.0, 22.0], 0.95),
            Density::Dense => (14, 0.86, 0.56, [18.0, 28.0], 1.40),
        };
        let depth = breast_depth as f32;
        let lobes = (0..n).map(|_| {
            let mut value = |low, high, jitter: f32| {
                person.between(low, high) + jitter * side.between(-1.0, 1.0)
            };
            let at = value(0.14, reach, 0.03);
            // Lobes spread out like a cone behind the nipple.
            let across = spread * depth * (0.35 + at);
            Lobe {
                depth: at * depth,
                outward: value(-across, across * 1.3, 4.0),
                upward: value(-across, across * 1.3, 4.0),
                radius: value(radius[0], radius[1], 1.5),
                weight: weight * value(0.6, 1.2, 0.1),
            }
        });
        Gland {
            lobes: lobes.collect(),
            fat: person.between(3.0, 7.0),
        }
    }

    /// How much gland there is to be expected, 0..1.
    fn envelope(&self, view: View, depth: f32, up: f32, inside: f32) -> f32 {
        let sum: f32 = self
            .lobes
            .iter()
            .map(|lobe| {
                let across = match view {
                    View::Mlo => lobe.upward,
                    _ => lobe.outward,
                };
                let (d, a) = ((depth - lobe.depth) / 1.25, up - across);
                let squared = (d * d + a * a) / (lobe.radius * lobe.radius);
                match squared < 6.0 {
                    true => lobe.weight * (-squared).exp(),
                    false => 0.0,
                }
            })
            .sum();
        (1.0 - (-2.2 * sum).exp()) * ramp(inside, 0.5 * self.fat, 2.2 * self.fat)
    }
}

/// The tissue of one breast in one view.
pub(super) struct Tissue<'a> {
    gland: &'a Gland,
    view: View,
    coarse: Image<f32>,
    fine: Image<f32>,
    strands: Noise,
    mesh: Noise,
    bends: Noise,
    presence: Noise,
}

/// What a place adds.
pub(super) struct Signal {
    /// Brightness before skin, thickness and curve.
    pub(super) bright: f32,
    /// Share of gland.
    pub(super) gland: f32,
    /// Share of muscle.
    pub(super) muscle: f32,
}

impl<'a> Tissue<'a> {
    pub(super) fn new(
        gland: &'a Gland,
        view: View,
        (rows, cols): (usize, usize),
        spacing_mm: f64,
        seed: u64,
    ) -> Tissue<'a> {
        let stream = &mut Stream::new(seed, Purpose::Speckle);
        let [coarse, fine] = power_law(rows, cols, spacing_mm, EXPONENT, stream);
        let stream = &mut Stream::new(seed, Purpose::Anatomy);
        Tissue {
            gland,
            view,
            coarse,
            fine,
            strands: Noise::new(stream, [6.0, 4.2]),
            mesh: Noise::new(stream, [3.6, 3.6]),
            bends: Noise::new(stream, [9.0, 9.0]),
            presence: Noise::new(stream, [8.0, 8.0]),
        }
    }

    /// At a pixel, whose place is (row, col) in mm, `inside` mm below the skin.
    pub(super) fn at(
        &self,
        pixel: (usize, usize),
        place: [f64; 2],
        inside: f32,
        shape: &Shape,
    ) -> Signal {
        let [depth, up] = shape.frame(place[0], place[1]).map(|mm| mm as f32);
        let coarse = self.coarse.at(pixel.0, pixel.1);
        let fine = self.fine.at(pixel.0, pixel.1);
        let envelope = self.gland.envelope(self.view, depth, up, inside);
        let gland = ramp(
            1.75 * envelope - 0.9 + 0.34 * coarse + 0.18 * fine,
            -0.95,
            1.0,
        );
        let strands = self.strands(depth, up, envelope);
        let grain = (0.024 + 0.045 * gland) * fine + (0.018 + 0.03 * gland) * coarse;
        let tissue = 0.225 + 0.31 * gland + grain + strands;
        let before = shape.before_muscle(place[0], place[1]) as f32;
        let muscle = 1.0 - ramp(before, -1.6, 1.2);
        let thick = (-before / 60.0).clamp(0.0, 1.0);
        let muscle_bright = 0.60 + 0.16 * thick + 0.03 * coarse + 0.02 * fine + 0.3 * strands;
        Signal {
            bright: tissue + (muscle_bright - tissue) * muscle,
            gland,
            muscle,
        }
    }

    /// Ducts and ligaments: thin lines, most of them towards the nipple.
    fn strands(&self, depth: f32, up: f32, envelope: f32) -> f32 {
        let far = depth.hypot(up).max(1.0);
        let bend = 1.1 * self.bends.at(depth, up);
        // Along the ray from the nipple, and across it.
        const SHRINK: f32 = 0.45;
        const SPREAD: f32 = 46.0;
        let (along, across) = (far * SHRINK, up.atan2(depth + 4.0) * SPREAD + bend);
        let slope = self.strands.slope(along, across);
        let gradient = (slope.by_depth * SHRINK).hypot(slope.by_lateral * SPREAD / far);
        let radial = line(slope.value, gradient, 0.40);
        let slope = self.mesh.slope(depth + bend, up - bend);
        let mesh = line(slope.value, slope.by_depth.hypot(slope.by_lateral), 0.27);
        let here = ramp(self.presence.at(depth * 1.6, up * 1.6), -1.2, 1.2);
        let there = ramp(
            self.presence.at(depth * 1.8 + 90.0, up * 1.8 + 50.0),
            -0.8,
            1.6,
        );
        (0.17 * radial * here + 0.11 * mesh * there) * (0.6 + 0.5 * envelope)
    }
}

/// A line of even width (mm) along a field's zero level.
fn line(value: f32, gradient: f32, width: f32) -> f32 {
    let distance = value.abs() / gradient.max(0.02) / width;
    if distance > 2.5 {
        return 0.0;
    }
    (-distance * distance).exp()
}
