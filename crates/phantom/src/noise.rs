//! Seeded random numbers and smooth random fields.
//!
//! Owns: one independent stream of numbers per [`Purpose`], so that adding a draw to one part of
//! a picture leaves the others as they were. Does not own: what the numbers are used for.

use std::f32::consts::TAU;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Anatomy = 1,
    Lesion = 2,
    Speckle = 3,
    Plan = 4,
}

/// A stream of random numbers.
pub(crate) struct Stream(ChaCha8Rng);

impl Stream {
    pub(crate) fn new(seed: u64, purpose: Purpose) -> Stream {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(purpose as u64);
        Stream(rng)
    }

    /// Evenly between two values.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.0.random::<f32>()
    }

    /// Two independent standard normal values (Box and Muller), 10.1214/aoms/1177706645.
    pub(crate) fn normal_pair(&mut self) -> [f32; 2] {
        let radius = (-2.0 * (1.0 - self.0.random::<f32>()).ln()).sqrt();
        let (sin, cos) = (TAU * self.0.random::<f32>()).sin_cos();
        [radius * cos, radius * sin]
    }
}

/// Knots along each axis; the field repeats after as many.
const KNOTS: usize = 128;
/// A cubic B-spline of unit white noise has a variance near 0.48² over both axes.
const UNIT_VARIANCE: f32 = 2.08;

/// A smooth random field over (depth, lateral) in mm, mean 0, variance about 1: cubic B-splines
/// over normal values on a grid of cells.
pub(crate) struct Noise {
    knots: Vec<f32>,
    cells_per_mm: [f32; 2],
}

/// Value and slopes (per mm of depth, per mm sideways) of a field.
pub(crate) struct Slope {
    pub(crate) value: f32,
    pub(crate) by_depth: f32,
    pub(crate) by_lateral: f32,
}

impl Noise {
    /// `cell_mm`: distance of the knots in depth and sideways; details are about twice as large.
    pub(crate) fn new(stream: &mut Stream, cell_mm: [f32; 2]) -> Noise {
        let pairs = std::iter::repeat_with(|| stream.normal_pair());
        Noise {
            knots: pairs.take(KNOTS * KNOTS / 2).flatten().collect(),
            cells_per_mm: cell_mm.map(|mm| 1.0 / mm),
        }
    }

    pub(crate) fn at(&self, depth: f32, lateral: f32) -> f32 {
        let (row, down) = cell(depth * self.cells_per_mm[0]);
        let (col, right) = cell(lateral * self.cells_per_mm[1]);
        UNIT_VARIANCE * self.weighted(row, col, weights(down), weights(right))
    }

    /// The field along one line, for boundaries between layers.
    pub(crate) fn along(&self, lateral: f32) -> f32 {
        self.at(0.37, lateral)
    }

    pub(crate) fn slope(&self, depth: f32, lateral: f32) -> Slope {
        let (row, down) = cell(depth * self.cells_per_mm[0]);
        let (col, right) = cell(lateral * self.cells_per_mm[1]);
        let (wd, wr) = (weights(down), weights(right));
        let scale = |per_mm: f32| UNIT_VARIANCE * per_mm;
        Slope {
            value: UNIT_VARIANCE * self.weighted(row, col, wd, wr),
            by_depth: scale(self.cells_per_mm[0]) * self.weighted(row, col, slopes(down), wr),
            by_lateral: scale(self.cells_per_mm[1]) * self.weighted(row, col, wd, slopes(right)),
        }
    }

    fn weighted(&self, row: usize, col: usize, down: [f32; 4], right: [f32; 4]) -> f32 {
        let mut sum = 0.0;
        for (r, down) in down.iter().enumerate() {
            let start = ((row + r) % KNOTS) * KNOTS;
            let line = &self.knots[start..start + KNOTS];
            let across: f32 = (0..4).map(|c| right[c] * line[(col + c) % KNOTS]).sum();
            sum += down * across;
        }
        sum
    }
}

/// The knot below a coordinate, wrapped, and the way from it to the next, in 0..1.
fn cell(coordinate: f32) -> (usize, f32) {
    let floor = coordinate.floor();
    (
        (floor as i64).rem_euclid(KNOTS as i64) as usize,
        coordinate - floor,
    )
}

fn weights(t: f32) -> [f32; 4] {
    let u = 1.0 - t;
    [
        u * u * u / 6.0,
        (4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0,
        (4.0 - 6.0 * u * u + 3.0 * u * u * u) / 6.0,
        t * t * t / 6.0,
    ]
}

fn slopes(t: f32) -> [f32; 4] {
    let u = 1.0 - t;
    [
        -u * u / 2.0,
        (-4.0 * t + 3.0 * t * t) / 2.0,
        (4.0 * u - 3.0 * u * u) / 2.0,
        t * t / 2.0,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_standard_smooth_and_know_their_slope() {
        let noise = Noise::new(&mut Stream::new(1, Purpose::Anatomy), [0.7, 2.0]);
        let values: Vec<f32> = (0..40_000)
            .map(|i| noise.at((i / 200) as f32 * 0.43, (i % 200) as f32 * 1.27))
            .collect();
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / values.len() as f32;
        assert!(
            mean.abs() < 0.05 && (variance - 1.0).abs() < 0.1,
            "{mean} {variance}"
        );
        let (depth, lateral, step) = (12.3, -7.7, 1e-2);
        let slope = noise.slope(depth, lateral);
        let by_depth = (noise.at(depth + step, lateral) - noise.at(depth - step, lateral)) / 0.02;
        let by_lateral = (noise.at(depth, lateral + step) - noise.at(depth, lateral - step)) / 0.02;
        assert_eq!(slope.value, noise.at(depth, lateral));
        assert!(
            (slope.by_depth - by_depth).abs() < 1e-2,
            "{} {by_depth}",
            slope.by_depth
        );
        assert!((slope.by_lateral - by_lateral).abs() < 1e-2);
    }

    #[test]
    fn streams_repeat_and_differ_by_purpose() {
        let draw = |seed, purpose| Stream::new(seed, purpose).normal_pair();
        assert_eq!(draw(3, Purpose::Lesion), draw(3, Purpose::Lesion));
        assert_ne!(draw(3, Purpose::Lesion), draw(3, Purpose::Speckle));
        assert_ne!(draw(3, Purpose::Lesion), draw(4, Purpose::Lesion));
    }
}
