//! A lesion in one view.
//!
//! Owns: its outline, and what it adds to the picture. Does not own: where it lies (`shape`).

use std::f32::consts::TAU;

use lobule_exam::View;

use super::{LesionKind, LesionPlan};
use crate::noise::{Purpose, Stream};
use crate::tissue::ramp;

/// Directions at which the outline is known.
const DIRECTIONS: usize = 180;

/// A lesion as it is projected. Lengths in mm, places from its middle as (row, col).
pub(super) struct Body {
    kind: LesionKind,
    radii: Vec<f32>,
    reach: f32,
    spicules: Vec<Spicule>,
    specks: Vec<Speck>,
}

struct Spicule {
    angle: f32,
    bend: f32,
    from: f32,
    to: f32,
    width: f32,
    bright: f32,
}

struct Speck {
    at: [f32; 2],
    radius: f32,
    bright: f32,
}

impl Body {
    pub(super) fn new(plan: &LesionPlan, view: View, inwards: [f64; 2], seed: u64) -> Body {
        let radius = plan.diameter_mm as f32 / 2.0;
        let view_seed = seed ^ if view == View::Mlo { 0x55 } else { 0 };
        let stream = &mut Stream::new(view_seed, Purpose::Lesion);
        let radii = outline(plan.kind, radius, stream);
        let spicules = match plan.kind {
            LesionKind::Spiculated => (0..20).map(|_| spicule(radius, stream)).collect(),
            _ => Vec::new(),
        };
        // Specks are bodies in the breast: the same ones in both views.
        let stream = &mut Stream::new(seed, Purpose::Lesion);
        let n_specks = match plan.kind {
            LesionKind::Cluster => 8 + (stream.between(0.0, 9.0) as usize),
            LesionKind::Calcified => 3 + (stream.between(0.0, 3.0) as usize),
            _ => 0,
        };
        let specks = (0..n_specks).map(|_| speck(plan.kind, radius, view, inwards, stream));
        let specks: Vec<Speck> = specks.collect();
        let farthest = spicules
            .iter()
            .map(|s: &Spicule| s.to)
            .fold(radius, f32::max);
        Body {
            kind: plan.kind,
            radii,
            reach: 1.5 * farthest + 2.0,
            spicules,
            specks,
        }
    }

    /// Nothing is added farther than this from the middle.
    pub(super) fn reach(&self) -> f32 {
        self.reach
    }

    /// The corners of the outline.
    pub(super) fn corners(&self) -> impl Iterator<Item = [f64; 2]> + '_ {
        self.radii.iter().enumerate().map(|(i, &radius)| {
            let angle = TAU * i as f32 / DIRECTIONS as f32;
            [angle.sin(), angle.cos()].map(|share| f64::from(radius * share))
        })
    }

    pub(super) fn contains(&self, row: f32, col: f32) -> bool {
        row.hypot(col) <= self.radius(row, col)
    }

    fn radius(&self, row: f32, col: f32) -> f32 {
        let turn = (row.atan2(col) / TAU).rem_euclid(1.0);
        self.radii[(turn * DIRECTIONS as f32) as usize % DIRECTIONS]
    }

    /// What is added at a place; details smaller than a pixel of `spacing` mm are widened and
    /// weakened.
    pub(super) fn added(&self, row: f32, col: f32, spacing: f32) -> f32 {
        let share = row.hypot(col) / self.radius(row, col);
        let dome = (1.0 - share * share).max(0.0);
        let mass = match self.kind {
            LesionKind::Spiculated => 0.25 * dome.powf(0.85) + 0.06 * (1.0 - ramp(share, 0.4, 1.5)),
            LesionKind::Indistinct => 0.22 * (1.0 - ramp(share, 0.25, 1.3)),
            LesionKind::Oval => 0.17 * dome.powf(0.4),
            LesionKind::Calcified => 0.11 * dome.powf(0.45),
            LesionKind::Cluster => 0.012 * (1.0 - ramp(share, 0.3, 1.3)),
        };
        let spicules = self.spicules.iter().map(|s| s.at(row, col, spacing));
        let specks = self.specks.iter().map(|s| s.at(row, col, spacing));
        mass + spicules.fold(0.0, f32::max) + specks.fold(0.0, f32::max)
    }
}

impl Spicule {
    fn at(&self, row: f32, col: f32, spacing: f32) -> f32 {
        let (sin, cos) = self.angle.sin_cos();
        let along = col * cos + row * sin;
        if along < self.from || along > self.to {
            return 0.0;
        }
        let share = (along - self.from) / (self.to - self.from);
        let beside = row * cos - col * sin - self.bend * share * share;
        let width = self.width * (1.3 - 0.8 * share);
        let shown = width.max(0.6 * spacing);
        let profile = (-(beside / shown).powi(2)).exp();
        // Out of the core, not on it.
        let emerging = ramp(share, 0.0, 0.45);
        self.bright * profile * emerging * (width / shown) * (1.0 - share).powf(0.6)
    }
}

impl Speck {
    fn at(&self, row: f32, col: f32, spacing: f32) -> f32 {
        let shown = self.radius.max(0.65 * spacing);
        let far = ((row - self.at[0]).powi(2) + (col - self.at[1]).powi(2)) / (shown * shown);
        if far > 4.0 {
            return 0.0;
        }
        self.bright * (-far * far).exp() * (self.radius / shown)
    }
}

/// Radii by direction.
fn outline(kind: LesionKind, radius: f32, stream: &mut Stream) -> Vec<f32> {
    let (aspect, waves, size) = match kind {
        LesionKind::Spiculated => (stream.between(0.75, 0.95), 3..=9, 0.17),
        LesionKind::Indistinct => (stream.between(0.85, 1.0), 2..=5, 0.07),
        LesionKind::Cluster => (stream.between(0.7, 0.95), 2..=3, 0.05),
        _ => (stream.between(0.65, 0.85), 2..=4, 0.04),
    };
    let lean = stream.between(0.0, TAU);
    let waves: Vec<[f32; 3]> = waves
        .map(|order: i32| {
            let height = size * stream.between(0.3, 1.0) / (order as f32 / 2.0);
            [order as f32, height, stream.between(0.0, TAU)]
        })
        .collect();
    let at = |i: usize| {
        let angle = TAU * i as f32 / DIRECTIONS as f32;
        let (sin, cos) = (angle - lean).sin_cos();
        let bumps: f32 = waves
            .iter()
            .map(|[n, h, phase]| h * (n * angle + phase).cos())
            .sum();
        radius / cos.hypot(sin / aspect) * (1.0 + bumps)
    };
    (0..DIRECTIONS).map(at).collect()
}

fn spicule(radius: f32, stream: &mut Stream) -> Spicule {
    Spicule {
        angle: stream.between(0.0, TAU),
        bend: stream.between(-1.5, 1.5),
        from: 0.3 * radius,
        to: radius * (1.25 + 1.1 * stream.between(0.0, 1.0).powi(2)),
        width: stream.between(0.28, 0.5),
        bright: stream.between(0.11, 0.20),
    }
}

/// Placed in depth, outwards and upwards; a view sees the depth and one of the others.
fn speck(
    kind: LesionKind,
    radius: f32,
    view: View,
    inwards: [f64; 2],
    stream: &mut Stream,
) -> Speck {
    let share = match kind {
        LesionKind::Cluster => 0.85,
        _ => 0.45,
    };
    let mut offset = || share * radius * stream.between(-1.0, 1.0) * 0.8;
    let [depth, outward, upward] = [offset(), offset(), offset()];
    let up = match view {
        View::Mlo => upward,
        _ => outward,
    };
    let (radius, bright) = match kind {
        LesionKind::Cluster => (stream.between(0.13, 0.30), stream.between(0.35, 0.85)),
        _ => (stream.between(0.8, 1.7), stream.between(0.35, 0.55)),
    };
    let [in_row, in_col] = inwards.map(|share| share as f32);
    Speck {
        at: [depth * in_row + up * in_col, depth * in_col - up * in_row],
        radius,
        bright,
    }
}
