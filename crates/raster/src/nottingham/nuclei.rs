//! Nuclei of a tile stained with haematoxylin and eosin, one by one.
//!
//! Owns: which pixels are nuclei ([`find_nuclei`]), each nucleus' size and shape ([`Nucleus`]). Does not
//! own: what they say about a tumor (`components`), which of them divide (`mitosis`).

use lobule_exam::Point;

use super::appearance::Layers;
use super::shape::Gathered;
use super::watershed::split;
use crate::morphology::box_mean;
use crate::parts::connected_parts;
use crate::tissue::{DENSITY_STEPS, otsu};
use crate::{Error, ErrorKind, Image, Stains};

/// How nuclei are found. Lengths in microns, so that any of [`MEASURABLE_MPP`] will do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NucleiConfig {
    /// Half the width of the mean that haematoxylin is smoothed with.
    pub smooth_um: f64,
    /// Half the width of the neighbourhood that the threshold follows.
    pub around_um: f64,
    /// How far the threshold follows the neighbourhood's mean instead of the tile's own: 0 to 1.
    pub local: f64,
    /// Threshold as a factor of what these two give.
    pub strictness: f64,
    /// The threshold's range, haematoxylin in shares of the slide's largest.
    pub thresholds: [f64; 2],
    /// Two nuclei are cut apart where the waist between them is narrower than the smaller one by this share.
    pub waist: f64,
    /// The smallest nucleus, in square microns.
    pub least_um2: f64,
    /// The thinnest nucleus: its ellipse's shorter axis.
    pub least_width_um: f64,
    /// The least share of its convex hull that a nucleus fills.
    pub least_solidity: f64,
    /// The largest nucleus, in square microns: more is a clump that could not be cut.
    pub most_um2: f64,
}

/// Microns per pixel of tiles that can be measured: coarser ones show no nuclei well enough, finer ones than
/// any microscope resolves cost much and show no more.
pub const MEASURABLE_MPP: [f64; 2] = [0.1, 0.6];

impl Default for NucleiConfig {
    /// Chosen by eye on four fields; `docs/experiments/nottingham-components.md` compares 108 others.
    fn default() -> NucleiConfig {
        NucleiConfig {
            smooth_um: 0.5,
            around_um: 12.0,
            local: 0.6,
            strictness: 1.1,
            thresholds: [0.15, 0.7],
            waist: 0.2,
            least_um2: 25.0,
            least_width_um: 3.0,
            least_solidity: 0.5,
            most_um2: 600.0,
        }
    }
}

/// A nucleus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nucleus {
    /// Mean of its pixels, in the tile.
    pub center: Point,
    /// First row, first column, last row, last column.
    pub bounds: [usize; 4],
    /// Its area, in square microns.
    pub area_um2: f64,
    /// Longer by shorter axis of the ellipse of equal second moments, from 1.
    pub elongation: f64,
    /// Share of its convex hull that it fills, up to 1.
    pub solidity: f64,
    /// Whether the tile's edge may cut it: its size and shape count for nothing.
    pub is_cut: bool,
}

/// The nuclei of a tile.
#[derive(Debug, Clone, PartialEq)]
pub struct Nuclei {
    /// Those with the widest inside first.
    pub all: Vec<Nucleus>,
    /// For each pixel 0, or one more than the nucleus it belongs to.
    pub labels: Image<u32>,
}

impl Nuclei {
    /// The nucleus that a label stands for.
    pub(super) fn of_label(&self, label: u32) -> Option<&Nucleus> {
        self.all.get((label as usize).checked_sub(1)?)
    }
}

impl Nucleus {
    /// Whether it touches neither the upper nor the left edge: so tiles side by side count it once.
    pub(super) fn is_counted(&self) -> bool {
        self.bounds[0] > 0 && self.bounds[1] > 0
    }
}

/// Finds the nuclei of a tile.
///
/// Haematoxylin by the slide's stains ([`Stains::REFERENCE`] where they cannot be told apart), in shares of its
/// largest amount; smoothed; above a threshold between Otsu's of the tile and the mean around; holes
/// filled; what touches cut at waists by a watershed of the distance to the edge.
///
/// # Errors
/// `Config` for microns per pixel that are not 0.1 to 0.6.
///
/// ```
/// use lobule_raster::{Image, NucleiConfig, find_nuclei};
/// let disc = |row: usize, col: usize| (row as f64 - 50.0).hypot(col as f64 - 60.0) < 8.0;
/// let tile = Image::from_fn(100, 120, |r, c| if disc(r, c) { [90_u8, 60, 150] } else { [230, 190, 220] });
/// let nuclei = find_nuclei(&tile, None, 0.5, &NucleiConfig::default())?;
/// assert_eq!(nuclei.all.len(), 1);
/// assert!((nuclei.all[0].area_um2 - 50.0).abs() < 8.0);
/// # Ok::<(), lobule_raster::Error>(())
/// ```
pub fn find_nuclei(
    tile: &Image<[u8; 3]>,
    stains: Option<&Stains>,
    mpp: f64,
    config: &NucleiConfig,
) -> Result<Nuclei, Error> {
    checked(mpp)?;
    let layers = Layers::of(tile, stains.unwrap_or(&Stains::REFERENCE));
    Ok(nuclei_in(&layers, mpp, config))
}

/// Refuses what is not [`MEASURABLE_MPP`].
pub(super) fn checked(mpp: f64) -> Result<(), Error> {
    let [finest, coarsest] = MEASURABLE_MPP;
    match (finest..=coarsest).contains(&mpp) {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Config,
            format!("expected {finest} to {coarsest} microns per pixel, got {mpp}"),
        )),
    }
}

pub(super) fn nuclei_in(layers: &Layers, mpp: f64, config: &NucleiConfig) -> Nuclei {
    let mask = stained(&layers.hematoxylin, mpp, config);
    let labels = split(&mask, config.waist as f32, (LEAST_WAIST_UM / mpp) as f32);
    gather(&labels, mpp, config)
}

/// Steps of haematoxylin in a byte: [`otsu`]'s.
const STEPS: f64 = DENSITY_STEPS;
/// No waist is seen that is narrower by less.
const LEAST_WAIST_UM: f64 = 0.4;
/// Holes of nuclei are no larger: pale chromatin.
const LARGEST_HOLE_UM2: f64 = 20.0;

/// Pixels with much haematoxylin.
fn stained(amounts: &Image<u8>, mpp: f64, config: &NucleiConfig) -> Image<bool> {
    let radius = |microns: f64| ((microns / mpp).round() as usize).max(1);
    let smooth = box_mean(amounts, radius(config.smooth_um));
    let around = box_mean(amounts, radius(config.around_um));
    let whole = otsu(amounts);
    let [least, most] = config.thresholds;
    let mut mask = Image::from_fn(amounts.rows(), amounts.cols(), |row, col| {
        let near = f64::from(around.at(row, col)) / STEPS;
        let threshold = config.strictness * (whole + config.local * (near - whole));
        f64::from(smooth.at(row, col)) / STEPS > threshold.clamp(least, most)
    });
    fill_holes(&mut mask, (LARGEST_HOLE_UM2 / (mpp * mpp)) as usize);
    mask
}

/// Fills what is enclosed and small. Holes at the edge stay: they may be open.
fn fill_holes(mask: &mut Image<bool>, most_pixels: usize) {
    let (rows, cols) = (mask.rows(), mask.cols());
    for part in connected_parts(&mask.map(|inside| !inside)) {
        let b = part.bounds();
        let is_inside = b.row > 0 && b.col > 0 && b.row_end() < rows && b.col_end() < cols;
        if is_inside && part.pixels() <= most_pixels {
            part.paint(mask);
        }
    }
}

/// Measures pieces and leaves out those that are no nuclei by size and shape.
fn gather(labels: &Image<u32>, mpp: f64, config: &NucleiConfig) -> Nuclei {
    let most = labels.pixels().iter().copied().max().unwrap_or(0) as usize;
    let mut pieces = vec![Gathered::default(); most + 1];
    for row in 0..labels.rows() {
        for (col, &label) in labels.row(row).iter().enumerate() {
            if label != 0 {
                pieces[label as usize].add(row, col);
            }
        }
    }
    let (mut all, mut renamed) = (Vec::new(), vec![0_u32; most + 1]);
    for (label, piece) in (0_u32..).zip(&pieces) {
        if let Some(nucleus) = measured(piece, labels, mpp, config) {
            all.push(nucleus);
            renamed[label as usize] = all.len() as u32;
        }
    }
    let labels = labels.map(|label| renamed[label as usize]);
    Nuclei { all, labels }
}

fn measured(
    piece: &Gathered,
    labels: &Image<u32>,
    mpp: f64,
    config: &NucleiConfig,
) -> Option<Nucleus> {
    let area_um2 = piece.pixels as f64 * mpp * mpp;
    let [longer, shorter] = piece.axes();
    let solidity = piece.solidity();
    let is_nucleus = (config.least_um2..=config.most_um2).contains(&area_um2)
        && shorter * mpp >= config.least_width_um
        && solidity >= config.least_solidity;
    if !is_nucleus {
        return None;
    }
    let (bounds, (row, col)) = (piece.bounds(), piece.center());
    let [top, left, bottom, right] = bounds;
    Some(Nucleus {
        center: Point { row, col },
        bounds,
        area_um2,
        elongation: longer / shorter,
        solidity,
        is_cut: top == 0 || left == 0 || bottom + 1 >= labels.rows() || right + 1 >= labels.cols(),
    })
}
