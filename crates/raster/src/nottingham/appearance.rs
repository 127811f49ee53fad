//! A tile as amounts of stain, and how a piece of it looks in them.
//!
//! Owns: the amounts ([`Layers`]), what is measured of a piece and its surroundings ([`FEATURES`]). Does not
//! own: what follows from it (`mitosis`).

use lobule_exam::PixelBox;

use super::Nucleus;
use crate::morphology::{Direction, dilate, erode};
use crate::tissue::DENSITY_STEPS;
use crate::{Image, Stains};

/// Width of the surroundings.
const RING_UM: f64 = 2.0;
/// Less density, in shares of the largest haematoxylin's, is an empty place: a halo.
const EMPTY: f64 = 0.15;

/// What is measured of a piece; see [`DarkPieces::FEATURES`](super::DarkPieces::FEATURES).
pub(super) const FEATURES: [&str; 12] = [
    "log_area",
    "elongation",
    "solidity",
    "hematoxylin",
    "hematoxylin_spread",
    "darkness_tenth",
    "darkness_ninetieth",
    "hematoxylin_contrast",
    "darkness_contrast",
    "eosin_around",
    "empty_around",
    "edge",
];

/// A tile as amounts, [`DENSITY_STEPS`] to one.
pub(super) struct Layers {
    pub(super) hematoxylin: Image<u8>,
    eosin: Image<u8>,
    pub(super) darkness: Image<u8>,
}

impl Layers {
    pub(super) fn of(tile: &Image<[u8; 3]>, stains: &Stains) -> Layers {
        let [hematoxylin, eosin, darkness] = stains.layers_of(tile);
        Layers {
            hematoxylin,
            eosin,
            darkness,
        }
    }

    /// The features of the piece with a label.
    pub(super) fn features(
        &self,
        labels: &Image<u32>,
        label: u32,
        nucleus: &Nucleus,
        mpp: f64,
    ) -> [f64; FEATURES.len()] {
        let radius = ((RING_UM / mpp).round() as usize).max(1);
        let window = window_around(nucleus.bounds, radius, labels);
        let own = labels.crop(window).map(|l| u8::from(l == label));
        let grown = square(&own, radius, dilate);
        let inner = square(&own, 1, erode);
        let (mut inside, mut ring, mut edge) = (Sums::default(), Sums::default(), Sums::default());
        let mut darkness = Vec::new();
        for row in 0..own.rows() {
            for col in 0..own.cols() {
                let at = (window.row + row, window.col + col);
                if own.at(row, col) == 1 {
                    self.add(&mut inside, at);
                    darkness.push(self.darkness.at(at.0, at.1));
                    if inner.at(row, col) == 0 {
                        edge.add([self.slope(at), 0.0, 0.0]);
                    }
                } else if grown.at(row, col) == 1 && labels.at(at.0, at.1) == 0 {
                    self.add(&mut ring, at);
                }
            }
        }
        darkness.sort_unstable();
        let percentile = |percent: usize| {
            let at = darkness.len().saturating_sub(1) * percent / 100;
            darkness
                .get(at)
                .map_or(0.0, |&v| f64::from(v) / DENSITY_STEPS)
        };
        [
            nucleus.area_um2.ln(),
            nucleus.elongation,
            nucleus.solidity,
            inside.mean(0),
            inside.spread(0),
            percentile(10),
            percentile(90),
            inside.mean(0) - ring.mean(0),
            inside.mean(2) - ring.mean(2),
            ring.mean(1),
            ring.empty_share(),
            edge.mean(0) / mpp,
        ]
    }

    fn add(&self, sums: &mut Sums, (row, col): (usize, usize)) {
        let layers = [&self.hematoxylin, &self.eosin, &self.darkness];
        sums.add(layers.map(|layer| f64::from(layer.at(row, col)) / DENSITY_STEPS));
    }

    /// How much darkness changes per pixel.
    fn slope(&self, (row, col): (usize, usize)) -> f64 {
        let dark = &self.darkness;
        let at = |r: usize, c: usize| f64::from(dark.at(r, c)) / DENSITY_STEPS;
        let (below, right) = (
            (row + 1).min(dark.rows() - 1),
            (col + 1).min(dark.cols() - 1),
        );
        let down = at(below, col) - at(row.saturating_sub(1), col);
        let across = at(row, right) - at(row, col.saturating_sub(1));
        0.5 * down.hypot(across)
    }
}

/// The window of a piece and what lies `radius` around it.
pub(super) fn window_around(
    [top, left, bottom, right]: [usize; 4],
    radius: usize,
    labels: &Image<u32>,
) -> PixelBox {
    let (row, col) = (top.saturating_sub(radius), left.saturating_sub(radius));
    PixelBox {
        row,
        col,
        rows: (bottom + radius + 1).min(labels.rows()) - row,
        cols: (right + radius + 1).min(labels.cols()) - col,
    }
}

/// Grown or shrunk by a square.
pub(super) fn square(
    mask: &Image<u8>,
    radius: usize,
    line: fn(&Image<u8>, Direction, usize) -> Image<u8>,
) -> Image<u8> {
    line(
        &line(mask, Direction::Across, radius),
        Direction::Down,
        radius,
    )
}

/// Sums of haematoxylin, eosin and darkness over pixels.
#[derive(Default)]
struct Sums {
    n: f64,
    sums: [f64; 3],
    squares: [f64; 3],
    empty: f64,
}

impl Sums {
    fn add(&mut self, amounts: [f64; 3]) {
        self.n += 1.0;
        for (i, amount) in amounts.into_iter().enumerate() {
            self.sums[i] += amount;
            self.squares[i] += amount * amount;
        }
        self.empty += f64::from(u8::from(amounts[2] < EMPTY));
    }

    /// 0 without pixels.
    fn mean(&self, i: usize) -> f64 {
        self.sums[i] / self.n.max(1.0)
    }

    fn spread(&self, i: usize) -> f64 {
        let mean = self.mean(i);
        (self.squares[i] / self.n.max(1.0) - mean * mean)
            .max(0.0)
            .sqrt()
    }

    fn empty_share(&self) -> f64 {
        self.empty / self.n.max(1.0)
    }
}
