//! Holes in the tissue of a tile: lumina of tubules, fat cells, cracks.
//!
//! Owns: holes one by one ([`find_lumina`]), which of them are like a tubule's ([`Lumen::is_tubular`]), the area of
//! these with the cells around them. Does not own: the measures of a tile (`components`).

use lobule_exam::Point;

use super::appearance::{Layers, square, window_around};
use super::nuclei::{Nuclei, checked};
use super::shape::Gathered;
use crate::morphology::{box_mean, dilate};
use crate::parts::connected_parts;
use crate::tissue::DENSITY_STEPS;
use crate::{Error, ErrorKind, Image, Stains};

/// Less mean optical density, in shares of the largest haematoxylin's, lets the light through.
const EMPTY: f64 = 0.12;
/// Half the width of the mean that it is smoothed with.
const SMOOTH_UM: f64 = 0.5;
/// Smaller holes are vacuoles and gaps.
const LEAST_UM2: f64 = 80.0;
/// The cells around a lumen reach this far.
pub(super) const RIM_UM: f64 = 10.0;

/// A hole in the tissue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lumen {
    /// Mean of its pixels, in the tile.
    pub center: Point,
    /// Its area, in square microns.
    pub area_um2: f64,
    /// Longer by shorter axis of the ellipse of equal second moments, from 1.
    pub elongation: f64,
    /// Share of its convex hull that it fills, up to 1.
    pub solidity: f64,
    /// Share of nuclei within 10 µm of it.
    pub nuclei_rim: f64,
    /// Share of other empty places within 10 µm of it.
    pub empty_rim: f64,
}

impl Lumen {
    /// Whether it is like the lumen of a tubule: round enough to be no crack, with nuclei around it, without
    /// other holes beside it as fat has, and no larger than 2500 µm².
    ///
    /// The bounds were set by hand: 22 annotated tubules, most of one case, are too few to fit any.
    pub fn is_tubular(&self) -> bool {
        self.area_um2 <= 2500.0
            && self.elongation <= 3.0
            && self.solidity >= 0.7
            && self.nuclei_rim >= 0.15
            && self.empty_rim < 0.06
    }
}

/// The holes of a tile.
#[derive(Debug, Clone, PartialEq)]
pub struct Lumina {
    /// In reading order of their first pixels.
    pub all: Vec<Lumen>,
    /// For each pixel 0, or one more than the hole it belongs to.
    pub labels: Image<u32>,
    /// Pixels that let the light through, in holes or not.
    pub empty: Image<bool>,
}

/// Finds the holes of a tile whose nuclei are known.
///
/// # Errors
/// `Config` for microns per pixel that are not 0.1 to 0.6, or nuclei of another tile.
pub fn find_lumina(
    tile: &Image<[u8; 3]>,
    nuclei: &Nuclei,
    stains: Option<&Stains>,
    mpp: f64,
) -> Result<Lumina, Error> {
    checked(mpp)?;
    let got = (nuclei.labels.rows(), nuclei.labels.cols());
    if (tile.rows(), tile.cols()) != got {
        let message = format!("expected the nuclei of the same tile, got {got:?} rows, columns");
        return Err(Error::new(ErrorKind::Config, message));
    }
    let layers = Layers::of(tile, stains.unwrap_or(&Stains::REFERENCE));
    Ok(lumina_in(&layers, nuclei, mpp))
}

pub(super) fn lumina_in(layers: &Layers, nuclei: &Nuclei, mpp: f64) -> Lumina {
    let radius = |microns: f64| ((microns / mpp).round() as usize).max(1);
    let empty =
        box_mean(&layers.darkness, radius(SMOOTH_UM)).map(|v| f64::from(v) < EMPTY * DENSITY_STEPS);
    let least = (LEAST_UM2 / (mpp * mpp)).ceil() as usize;
    let mut labels = Image::filled(empty.rows(), empty.cols(), 0_u32);
    let mut all = Vec::new();
    let parts = connected_parts(&empty);
    for part in parts.iter().filter(|part| part.pixels() >= least) {
        let mut piece = Gathered::default();
        let label = all.len() as u32 + 1;
        for run in &part.runs {
            for col in run.from..run.to {
                piece.add(run.row, col);
                labels.set(run.row, col, label);
            }
        }
        let [longer, shorter] = piece.axes();
        let area_um2 = piece.pixels as f64 * mpp * mpp;
        let (nuclei_rim, empty_rim) = rim(&piece, label, radius(RIM_UM), nuclei, &labels, &empty);
        let (row, col) = piece.center();
        all.push(Lumen {
            center: Point { row, col },
            area_um2,
            elongation: longer / shorter,
            solidity: piece.solidity(),
            nuclei_rim,
            empty_rim,
        });
    }
    Lumina { all, labels, empty }
}

impl Lumina {
    /// Pixels of tubules (lumina that are like theirs, and what is stained within 10 µm), and of all tissue
    /// with these lumina.
    pub(super) fn tubules_and_tissue(&self, mpp: f64) -> (usize, usize) {
        let radius = ((RIM_UM / mpp).round() as usize).max(1);
        let lumen = self.labels.map(|l| u8::from(self.is_tubular(l)));
        let near = square(&lumen, radius, dilate);
        let (mut tubules, mut tissue) = (0, 0);
        for ((&lumen, &near), &empty) in lumen
            .pixels()
            .iter()
            .zip(near.pixels())
            .zip(self.empty.pixels())
        {
            let is_tissue = lumen == 1 || !empty;
            tissue += usize::from(is_tissue);
            tubules += usize::from(is_tissue && near == 1);
        }
        (tubules, tissue)
    }

    /// Whether a label is that of a lumen like a tubule's.
    pub(super) fn is_tubular(&self, label: u32) -> bool {
        let index = (label as usize).checked_sub(1);
        index
            .and_then(|i| self.all.get(i))
            .is_some_and(Lumen::is_tubular)
    }
}

/// Shares of nuclei and of other empty places in what lies within `radius` pixels of a hole.
fn rim(
    piece: &Gathered,
    label: u32,
    radius: usize,
    nuclei: &Nuclei,
    labels: &Image<u32>,
    empty: &Image<bool>,
) -> (f64, f64) {
    let window = window_around(piece.bounds(), radius, labels);
    let own = labels.crop(window).map(|l| u8::from(l == label));
    let grown = square(&own, radius, dilate);
    let (mut n, mut of_nuclei, mut of_empty) = (0_usize, 0_usize, 0_usize);
    for row in 0..own.rows() {
        for col in 0..own.cols() {
            if own.at(row, col) == 1 || grown.at(row, col) == 0 {
                continue;
            }
            let (r, c) = (window.row + row, window.col + col);
            n += 1;
            of_nuclei += usize::from(nuclei.labels.at(r, c) != 0);
            of_empty += usize::from(empty.at(r, c));
        }
    }
    let share = |count: usize| count as f64 / n.max(1) as f64;
    (share(of_nuclei), share(of_empty))
}
