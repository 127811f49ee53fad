//! Random numbers by address: what a place looks like depends on the seed and the place alone.
//!
//! Owns: the hash, the smooth field over it, points on a jittered grid. The streams of
//! `crate::noise` cost too much to start for each of a slide's million nuclei.

use std::f32::consts::TAU;
use std::ops::RangeInclusive;

/// What random numbers are for; each purpose has its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Outline = 1,
    OutlineDetail,
    Zone,
    Fat,
    FatCell,
    Nest,
    Gland,
    Nucleus,
    Spindle,
    Lymphocyte,
    Infiltrate,
    Warp,
    Fiber,
    FiberBundle,
    Cytoplasm,
    Chromatin,
    Thickness,
    Fold,
    Look,
    Patient,
    Censoring,
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, doi 10.1145/2660193.2660195).
fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn hash(seed: u64, purpose: Purpose, x: i32, y: i32) -> u64 {
    let place = u64::from(x as u32) << 32 | u64::from(y as u32);
    mixed(
        mixed(seed.wrapping_add(GOLDEN.wrapping_mul(purpose as u64))) ^ place.wrapping_mul(GOLDEN),
    )
}

/// Independent numbers that belong to one address.
#[derive(Debug, Clone)]
pub(super) struct Draws(u64);

impl Draws {
    pub(super) fn at(seed: u64, purpose: Purpose, x: i32, y: i32) -> Draws {
        Draws(hash(seed, purpose, x, y))
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mixed(self.0)
    }

    /// Evenly in 0..1, never 1.
    pub(super) fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// The same in double precision, never 0.
    pub(super) fn open_unit(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Standard normal (Box and Muller, doi 10.1214/aoms/1177706645).
    pub(super) fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (TAU * self.unit()).cos()
    }
}

/// A smooth field in −1..1 with knots at whole numbers: cubic steps between hashed values.
pub(super) fn field(seed: u64, purpose: Purpose, x: f32, y: f32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (ix, iy) = (fx as i32, fy as i32);
    let step = |t: f32| t * t * (3.0 - 2.0 * t);
    let (tx, ty) = (step(x - fx), step(y - fy));
    let knot =
        |x: i32, y: i32| (hash(seed, purpose, x, y) >> 40) as f32 / (1_u64 << 23) as f32 - 1.0;
    let line = |y: i32| {
        let (left, right) = (knot(ix, y), knot(ix.wrapping_add(1), y));
        left + tx * (right - left)
    };
    let (above, below) = (line(iy), line(iy.wrapping_add(1)));
    above + ty * (below - above)
}

/// One point in each cell of a square grid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scatter {
    pub(super) seed: u64,
    pub(super) purpose: Purpose,
    pub(super) pitch: f32,
    /// Largest shift from the middle of the cell along each axis, in pitches.
    pub(super) jitter: f32,
}

impl Scatter {
    /// The point of a cell, and its further draws.
    pub(super) fn point(&self, i: i32, j: i32) -> (f32, f32, Draws) {
        let mut draws = Draws::at(self.seed, self.purpose, i, j);
        let mut along =
            |cell: i32| (cell as f32 + 0.5 + draws.between(-self.jitter, self.jitter)) * self.pitch;
        let (x, y) = (along(i), along(j));
        (x, y, draws)
    }

    /// The cells whose points may lie within `reach` of an interval.
    pub(super) fn cells(&self, from: f32, to: f32, reach: f32) -> RangeInclusive<i32> {
        let cell = |v: f32| (v / self.pitch).floor() as i32;
        let shift = (self.jitter - 0.5).max(0.0) * self.pitch;
        cell(from - reach - shift)..=cell(to + reach + shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_even_and_normal_and_belong_to_their_address() {
        let n = 20_000;
        let (mut sum, mut squares, mut even) = (0.0, 0.0, 0.0);
        for i in 0..n {
            let mut draws = Draws::at(3, Purpose::Nucleus, i, -i);
            even += draws.unit();
            let value = draws.normal();
            sum += value;
            squares += value * value;
        }
        let n = n as f32;
        assert!((even / n - 0.5).abs() < 0.01, "{}", even / n);
        assert!((sum / n).abs() < 0.03 && (squares / n - 1.0).abs() < 0.03);
        let bits = |seed, purpose, x| Draws::at(seed, purpose, x, 0).bits();
        assert_eq!(bits(1, Purpose::Nest, 2), bits(1, Purpose::Nest, 2));
        assert_ne!(bits(1, Purpose::Nest, 2), bits(1, Purpose::Gland, 2));
        assert_ne!(bits(1, Purpose::Nest, 2), bits(2, Purpose::Nest, 2));
        assert_ne!(bits(1, Purpose::Nest, 2), bits(1, Purpose::Nest, -2));
    }

    #[test]
    fn fields_go_through_their_knots_without_jumps() {
        let at = |x, y| field(9, Purpose::Fat, x, y);
        for (x, y) in [(0.0, 0.0), (-3.0, 7.0), (5.0, -2.0)] {
            assert!((at(x, y) - at(x + 1e-4, y - 1e-4)).abs() < 1e-3);
            assert!(at(x, y).abs() <= 1.0);
        }
    }

    #[test]
    fn points_stay_in_their_cells() {
        let scatter = Scatter {
            seed: 1,
            purpose: Purpose::Nest,
            pitch: 10.0,
            jitter: 0.4,
        };
        for i in -20..20 {
            let (x, _, _) = scatter.point(i, 3);
            assert_eq!((x / 10.0).floor() as i32, i);
        }
        assert_eq!(scatter.cells(-1.0, 21.0, 5.0), -1..=2);
    }
}
