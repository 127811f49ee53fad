//! Lesions: an outline and what lies in and around it.
//!
//! Owns: the shape in millimetres and its effect on scattering and on the beam; shadows and
//! enhancement follow from the loss along the beam. Does not own: the mask in pixels (`render`).

use std::f32::consts::{PI, TAU};

use crate::noise::{Noise, Purpose, Stream};
use crate::tissue::{Tissue, ramp};
use crate::{Calcifications, LesionKind, LesionPlan};

/// Directions at which the outline is known.
const DIRECTIONS: usize = 720;

/// A lesion in the tissue. Lengths in mm.
pub(crate) struct Body {
    plan: LesionPlan,
    radii: Vec<f32>,
    /// Longest radius.
    reach: f32,
    grain: Noise,
    specks: Vec<[f32; 2]>,
}

/// Where a place lies with respect to the outline.
struct Offset {
    /// Beyond the outline along the radius, in mm; below zero inside.
    beyond: f32,
    /// The outline's direction there: −1 faces the transducer, 1 faces away, 0 faces sideways.
    facing: f32,
}

impl Body {
    pub(crate) fn new(plan: LesionPlan, seed: u64) -> Body {
        let stream = &mut Stream::new(seed, Purpose::Lesion);
        let radii = outline(&plan, stream);
        let reach = radii.iter().copied().fold(0.0, f32::max);
        let grain = Noise::new(stream, [0.7, 0.9]);
        let n_specks = match plan.calcifications {
            Calcifications::None => 0,
            Calcifications::Present => 10,
        };
        let specks = (0..n_specks).map(|_| speck(&plan, stream)).collect();
        Body {
            plan,
            radii,
            reach,
            grain,
            specks,
        }
    }

    /// The corners of the outline: (depth, lateral) in mm.
    pub(crate) fn corners(&self) -> impl Iterator<Item = [f32; 2]> + '_ {
        self.radii
            .iter()
            .step_by(2)
            .enumerate()
            .map(|(i, &radius)| {
                let angle = TAU * (2 * i) as f32 / DIRECTIONS as f32;
                let [depth, lateral] = self.center();
                [depth + radius * angle.sin(), lateral + radius * angle.cos()]
            })
    }

    pub(crate) fn contains(&self, depth: f32, lateral: f32) -> bool {
        self.offset(depth, lateral)
            .is_some_and(|offset| offset.beyond <= 0.0)
    }

    /// Changes the tissue at a place.
    pub(crate) fn change(&self, tissue: &mut Tissue, depth: f32, lateral: f32) {
        let Some(offset) = self.offset(depth, lateral) else {
            return;
        };
        let grain = self.grain.at(depth, lateral);
        match self.plan.kind {
            LesionKind::Cyst => cyst(tissue, &offset, grain),
            LesionKind::Solid => solid(tissue, &offset, grain),
            LesionKind::Malignant => malignant(tissue, &offset, grain),
        }
        let near = |speck: &[f32; 2]| (depth - speck[0]).hypot(lateral - speck[1]) < 0.11;
        if self.specks.iter().any(near) {
            tissue.echo_db = -16.0;
        }
    }

    fn center(&self) -> [f32; 2] {
        [self.plan.depth_mm as f32, self.plan.lateral_mm as f32]
    }

    /// None farther than 4 mm away.
    fn offset(&self, depth: f32, lateral: f32) -> Option<Offset> {
        let [center_depth, center_lateral] = self.center();
        let (down, right) = (depth - center_depth, lateral - center_lateral);
        let distance = down.hypot(right);
        if distance > self.reach + 4.0 {
            return None;
        }
        let turn = (down.atan2(right) / TAU).rem_euclid(1.0);
        let radius = self.radii[(turn * DIRECTIONS as f32) as usize % DIRECTIONS];
        let aspect = height_over_width(self.plan.kind);
        let (normal_down, normal_right) = (down / (aspect * aspect), right);
        Some(Offset {
            beyond: distance - radius,
            facing: normal_down / normal_down.hypot(normal_right).max(1e-3),
        })
    }
}

/// Echo-free but for haze below the near wall; the wall shines where it lies flat, and its sides
/// bend the beam away.
fn cyst(tissue: &mut Tissue, offset: &Offset, grain: f32) {
    let near_wall = ramp(-offset.facing, 0.2, 1.0) * (offset.beyond / 0.9).min(0.0).exp();
    let inside = -60.0 + 15.0 * near_wall + grain;
    fill(tissue, offset, inside, -0.75, 0.12);
    rim(tissue, offset, 9.0);
    edge_shadow(tissue, offset, 1.3);
}

/// Evenly dark, with a thin capsule.
fn solid(tissue: &mut Tissue, offset: &Offset, grain: f32) {
    fill(tissue, offset, -45.5 + 1.1 * grain, -0.16, 0.18);
    rim(tissue, offset, 7.0);
    edge_shadow(tissue, offset, 0.8);
}

/// Dark and uneven inside, weakening the beam; a bright uneven halo that fades outwards.
fn malignant(tissue: &mut Tissue, offset: &Offset, grain: f32) {
    if offset.beyond > 0.0 {
        let behind = ramp(offset.facing, 0.1, 0.7);
        let halo = (1.0 - behind) * (-(offset.beyond / 1.3).powi(2)).exp() * (0.7 + 0.3 * grain);
        let bright = (-22.5 - tissue.echo_db).max(0.0);
        tissue.echo_db += bright * halo.clamp(0.0, 1.0);
    }
    let ragged = Offset {
        beyond: offset.beyond + 0.28 * grain,
        ..*offset
    };
    fill(tissue, &ragged, -43.5 + 2.6 * grain, 1.0 + 0.3 * grain, 0.6);
}

/// The inside's values, with a margin that is `blur` mm wide.
fn fill(tissue: &mut Tissue, offset: &Offset, echo_db: f32, loss: f32, blur: f32) {
    let inside = 1.0 - ramp(offset.beyond, -blur, blur);
    tissue.echo_db += (echo_db - tissue.echo_db) * inside;
    tissue.loss_db_per_mm += (loss - tissue.loss_db_per_mm) * inside;
}

fn rim(tissue: &mut Tissue, offset: &Offset, gain_db: f32) {
    let flat = offset.facing * offset.facing;
    let line = (-((offset.beyond - 0.15) / 0.16).powi(2)).exp();
    tissue.echo_db += gain_db * line * (0.15 + 0.85 * flat * flat);
}

fn edge_shadow(tissue: &mut Tissue, offset: &Offset, loss: f32) {
    let sideways = ramp(1.0 - offset.facing.abs(), 0.5, 0.9);
    let line = (-(offset.beyond / 0.5).powi(2)).exp();
    tissue.loss_db_per_mm += loss * line * sideways;
}

fn height_over_width(kind: LesionKind) -> f32 {
    match kind {
        LesionKind::Cyst => 0.66,
        LesionKind::Solid => 0.55,
        LesionKind::Malignant => 1.35,
    }
}

/// Radii by direction, clockwise from the right.
fn outline(plan: &LesionPlan, stream: &mut Stream) -> Vec<f32> {
    let half_width = plan.width_mm as f32 / 2.0;
    let half_height = half_width * height_over_width(plan.kind);
    let lean = match plan.kind {
        LesionKind::Malignant => stream.between(-0.15, 0.15),
        _ => stream.between(-0.10, 0.10),
    };
    let bumps = Bumps::new(plan.kind, stream);
    (0..DIRECTIONS)
        .map(|i| TAU * i as f32 / DIRECTIONS as f32)
        .map(|angle| {
            let (sin, cos) = (angle - lean).sin_cos();
            let ellipse = 1.0 / (cos / half_width).hypot(sin / half_height);
            ellipse * bumps.factor(angle)
        })
        .collect()
}

/// What makes an outline depart from an ellipse.
struct Bumps {
    /// Order, size and phase of each wave.
    waves: Vec<[f32; 3]>,
    /// Direction, height and half width of each spicule.
    spicules: Vec<[f32; 3]>,
}

impl Bumps {
    fn new(kind: LesionKind, stream: &mut Stream) -> Bumps {
        let (waves, n_spicules) = match kind {
            LesionKind::Cyst => (2..=3, 0),
            LesionKind::Solid => (2..=4, 0),
            LesionKind::Malignant => (3..=11, 9),
        };
        let size = |order: i32| match kind {
            LesionKind::Malignant => 0.20 / (order as f32).powf(0.9),
            _ => 0.055 / order as f32,
        };
        let mut wave = |order: i32| {
            let share = stream.between(0.4, 1.0);
            [order as f32, share * size(order), stream.between(0.0, TAU)]
        };
        let waves = waves.map(&mut wave).collect();
        let mut spicule = |_| {
            let direction = stream.between(0.0, TAU);
            let upright = 0.4 + 0.6 * direction.sin().abs();
            let height = 0.08 + 0.45 * stream.between(0.0, 1.0).powi(2);
            [direction, upright * height, stream.between(0.08, 0.20)]
        };
        Bumps {
            waves,
            spicules: (0..n_spicules).map(&mut spicule).collect(),
        }
    }

    fn factor(&self, angle: f32) -> f32 {
        let waves = self.waves.iter();
        let waves: f32 = waves
            .map(|[order, size, phase]| size * (order * angle + phase).cos())
            .sum();
        let spicules = self.spicules.iter().map(|[direction, height, half_width]| {
            let apart = ((angle - direction + PI).rem_euclid(TAU) - PI).abs();
            height * (1.0 - apart / half_width).max(0.0).powf(1.3)
        });
        1.0 + waves + spicules.sum::<f32>()
    }
}

fn speck(plan: &LesionPlan, stream: &mut Stream) -> [f32; 2] {
    let angle = stream.between(0.0, TAU);
    let radius = 0.27 * plan.width_mm as f32 * stream.between(0.0, 1.0).sqrt();
    let [down, right] = [radius * angle.sin(), radius * angle.cos()];
    [plan.depth_mm as f32 + down, plan.lateral_mm as f32 + right]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_as_their_kind_says() {
        let kinds = [
            (LesionKind::Cyst, false),
            (LesionKind::Solid, false),
            (LesionKind::Malignant, true),
        ];
        for (i, seed) in (0..45).enumerate() {
            let (kind, taller) = kinds[i % 3];
            let body = Body::new(LesionPlan::typical(kind), seed);
            let extent = |axis: usize| {
                let along = body.corners().map(|corner| corner[axis]);
                let (low, high) =
                    along.fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(v), h.max(v)));
                high - low
            };
            assert_eq!(extent(0) > extent(1), taller, "{kind:?} {seed}");
            assert!(body.contains(15.0, 0.0) && !body.contains(15.0, 14.0));
        }
    }
}
