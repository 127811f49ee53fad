//! The two stains of a histology slide, and giving every slide the same ones.
//!
//! Owns: Macenko's estimate of haematoxylin and eosin ([`fit_stains`]) and the normalisation to
//! reference stains ([`Stains::normalize`]). Does not own: which pixels are tissue (`tissue`).

use crate::tissue::DENSITY_STEPS;
use crate::{ColorStatistics, Error, ErrorKind, Image};

/// How stains are estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StainConfig {
    /// Light without tissue, in grey levels.
    pub white: f64,
    /// Pixels whose optical density (natural logarithm, mean of the channels) is below this are left
    /// out.
    pub least_density: f64,
    /// The percentile of the angles, from either end, that is taken as a stain: 1 is robust.
    pub percentile: f64,
    /// Fewest stained pixels.
    pub least_pixels: usize,
}

impl Default for StainConfig {
    /// White 240, density 0.15, percentile 1, at least 1000 pixels.
    fn default() -> StainConfig {
        StainConfig {
            white: 240.0,
            least_density: 0.15,
            percentile: 1.0,
            least_pixels: 1000,
        }
    }
}

/// Optical densities of pure stains, red, green, blue, each of length 1, and how much of each there
/// is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stains {
    /// Haematoxylin's direction.
    pub hematoxylin: [f64; 3],
    /// Eosin's direction.
    pub eosin: [f64; 3],
    /// The 99th percentile of each concentration, in that order.
    pub most: [f64; 2],
    /// Light without tissue, in grey levels.
    pub white: f64,
    /// Colors of the stained pixels, for the normalisation that asks for no stains.
    pub colors: ColorStatistics,
}

/// Stains nearer to each other than this angle cannot be told apart.
const LEAST_ANGLE_DEGREES: f64 = 5.0;
/// The percentile that stands for the largest concentration.
const TOP_PERCENTILE: f64 = 99.0;

impl Stains {
    /// A slide of ordinary haematoxylin and eosin, to which others are brought: the directions of
    /// Ruifrok and Johnston (Anal Quant Cytol Histol 2001;23:291), densities of a typical slide.
    pub const REFERENCE: Stains = Stains {
        hematoxylin: [0.650, 0.704, 0.286],
        eosin: [0.092_5, 0.954, 0.283],
        most: [1.9, 1.0],
        white: 240.0,
        colors: ColorStatistics::REFERENCE,
    };

    /// How much of each stain a pixel holds, by least squares; may be slightly below 0.
    pub fn concentrations(&self, pixel: [u8; 3]) -> [f64; 2] {
        unmix(self.hematoxylin, self.eosin, density(pixel, self.white))
    }

    /// Haematoxylin and eosin of every pixel in shares of their largest amounts, and the mean optical density in
    /// shares of that of the largest haematoxylin; `1 / DENSITY_STEPS` each, below 0 is 0, two and above is
    /// 255.
    pub(crate) fn layers_of(&self, tile: &Image<[u8; 3]>) -> [Image<u8>; 3] {
        // All three are linear: what a density of one in each channel gives, then a table per channel.
        let unit = |c: usize| [0, 1, 2].map(|i| if i == c { 1.0 } else { 0.0 });
        let darkest = self.most[0] * self.hematoxylin.iter().sum::<f64>();
        let weights = |c: usize| {
            let [h, e] = unmix(self.hematoxylin, self.eosin, unit(c));
            [h / self.most[0], e / self.most[1], 1.0 / darkest]
        };
        let weights = [0, 1, 2].map(weights);
        [0, 1, 2].map(|layer| {
            let table = |c: usize| -> [f32; 256] {
                let steps = weights[c][layer] * DENSITY_STEPS;
                std::array::from_fn(|v| (density_of(v as u8, self.white) * steps) as f32)
            };
            let [r, g, b] = [0, 1, 2].map(table);
            tile.map(|p| {
                let sum = r[usize::from(p[0])] + g[usize::from(p[1])] + b[usize::from(p[2])];
                // Rounds and holds to 0..=255.
                (sum + 0.5) as u8
            })
        })
    }

    /// The tile as it would look with the stains of `target`: concentrations are scaled by the ratio
    /// of the largest ones and drawn with the other directions. Negative concentrations count as 0.
    ///
    /// ```
    /// use lobule_raster::{Image, Stains};
    /// let tile = Image::filled(2, 2, [150_u8, 90, 160]);
    /// let same = Stains::REFERENCE.normalize(&tile, &Stains::REFERENCE);
    /// let glass = Image::filled(2, 2, [255_u8; 3]);
    /// assert!(Stains::REFERENCE.normalize(&glass, &Stains::REFERENCE).at(0, 0)[1] >= 240);
    /// assert_eq!((same.rows(), same.cols()), (2, 2));
    /// ```
    pub fn normalize(&self, tile: &Image<[u8; 3]>, target: &Stains) -> Image<[u8; 3]> {
        // One entry for each grey level: logarithms are what costs.
        let densities: Vec<f64> = (0..=255).map(|v| density_of(v, self.white)).collect();
        let scale = [0, 1].map(|i| target.most[i] / self.most[i]);
        tile.map(|pixel| {
            let amounts = unmix(
                self.hematoxylin,
                self.eosin,
                pixel.map(|v| densities[usize::from(v)]),
            );
            let [h, e] = [0, 1].map(|i| (amounts[i] * scale[i]).max(0.0));
            [0, 1, 2].map(|c| {
                let density = target.hematoxylin[c] * h + target.eosin[c] * e;
                (target.white * (-density).exp()).round().clamp(0.0, 255.0) as u8
            })
        })
    }
}

/// Estimates the stains of a slide from pixels of its tissue.
///
/// Optical densities `d = −ln((v + 1) / white)` of a mixture of two stains lie in a plane: that of
/// the two largest eigenvectors of their covariance. In it, the extreme angles (at `percentile` from
/// either end) are the pure stains; haematoxylin is the one with more red density (Macenko et al.,
/// ISBI 2009:1107, doi 10.1109/ISBI.2009.5193250). Concentrations are found by least squares.
///
/// # Errors
/// `Config` for settings out of range; `Stain` for fewer stained pixels than asked for, for one
/// stain alone or two that cannot be told apart, and for directions that no dye has. Such a slide
/// should be left as it is, and said to be.
pub fn fit_stains(pixels: &[[u8; 3]], config: &StainConfig) -> Result<Stains, Error> {
    check(config)?;
    let is_stained = |d: &[f64; 3]| d.iter().sum::<f64>() / 3.0 >= config.least_density;
    let (tissue, stained): (Vec<[u8; 3]>, Vec<[f64; 3]>) = pixels
        .iter()
        .map(|&pixel| (pixel, density(pixel, config.white)))
        .filter(|(_, density)| is_stained(density))
        .unzip();
    if stained.len() < config.least_pixels.max(2) {
        return Err(refused(format!(
            "expected at least {} stained pixels, got {}",
            config.least_pixels,
            stained.len()
        )));
    }
    let (first, second) = plane(&stained);
    let mut angles: Vec<f64> = stained
        .iter()
        .map(|d| dot(*d, second).atan2(dot(*d, first)))
        .collect();
    angles.sort_by(f64::total_cmp);
    let low = percentile(&angles, config.percentile);
    let high = percentile(&angles, 100.0 - config.percentile);
    if (high - low).to_degrees() < LEAST_ANGLE_DEGREES {
        let apart = (high - low).to_degrees();
        return Err(refused(format!(
            "expected stains at least {LEAST_ANGLE_DEGREES} degrees apart, got {apart:.1}"
        )));
    }
    let direction =
        |angle: f64| [0, 1, 2].map(|c| first[c] * angle.cos() + second[c] * angle.sin());
    let (a, b) = (direction(low), direction(high));
    let (hematoxylin, eosin) = if a[0] > b[0] { (a, b) } else { (b, a) };
    // Noise may tip a direction slightly below zero in one channel; no dye gives light.
    if [hematoxylin, eosin].iter().flatten().any(|&v| v < -0.1) {
        return Err(refused(
            "expected two dyes that take light away, got others",
        ));
    }
    let most = most_of(&stained, hematoxylin, eosin);
    if most.iter().any(|&m| m < config.least_density) {
        return Err(refused(format!(
            "expected two stains, got concentrations of {most:?}"
        )));
    }
    Ok(Stains {
        hematoxylin,
        eosin,
        most,
        white: config.white,
        colors: ColorStatistics::of(tissue.into_iter()),
    })
}

fn check(config: &StainConfig) -> Result<(), Error> {
    let is_fine = (1.0..=256.0).contains(&config.white)
        && (0.0..50.0).contains(&config.percentile)
        && config.least_density > 0.0;
    match is_fine {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Config,
            format!(
                "expected white in 1..=256, a percentile below 50, a density above 0, got {config:?}"
            ),
        )),
    }
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Stain, message)
}

fn density(pixel: [u8; 3], white: f64) -> [f64; 3] {
    pixel.map(|v| density_of(v, white))
}

/// One is added so that black has a density. Never below 0.
fn density_of(value: u8, white: f64) -> f64 {
    (white / (f64::from(value) + 1.0)).ln().max(0.0)
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Solves `[h e]·x ≈ d` by the normal equations.
fn unmix(h: [f64; 3], e: [f64; 3], d: [f64; 3]) -> [f64; 2] {
    let (hh, he, ee) = (dot(h, h), dot(h, e), dot(e, e));
    let (hd, ed) = (dot(h, d), dot(e, d));
    let determinant = hh * ee - he * he;
    [
        (ee * hd - he * ed) / determinant,
        (hh * ed - he * hd) / determinant,
    ]
}

fn most_of(stained: &[[f64; 3]], h: [f64; 3], e: [f64; 3]) -> [f64; 2] {
    let amounts: Vec<[f64; 2]> = stained.iter().map(|d| unmix(h, e, *d)).collect();
    [0, 1].map(|i| {
        let mut of_stain: Vec<f64> = amounts.iter().map(|a| a[i]).collect();
        of_stain.sort_by(f64::total_cmp);
        percentile(&of_stain, TOP_PERCENTILE)
    })
}

/// Linear between the two nearest ranks, as numpy's default.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let at = percent / 100.0 * (sorted.len() - 1) as f64;
    let (below, share) = (at.floor() as usize, at.fract());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + share * (sorted[above] - sorted[below])
}

/// The two eigenvectors of the covariance with the largest eigenvalues; the first one points to
/// where densities are, so that no angle is near the cut of `atan2`.
fn plane(stained: &[[f64; 3]]) -> ([f64; 3], [f64; 3]) {
    let n = stained.len() as f64;
    let mean = [0, 1, 2].map(|c| stained.iter().map(|d| d[c]).sum::<f64>() / n);
    let mut covariance = [[0.0; 3]; 3];
    for d in stained {
        let off = [0, 1, 2].map(|c| d[c] - mean[c]);
        for (row, line) in covariance.iter_mut().enumerate() {
            (0..3).for_each(|col| line[col] += off[row] * off[col] / (n - 1.0));
        }
    }
    let mut pairs = eigen(covariance);
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let turned = |v: [f64; 3]| {
        if v.iter().sum::<f64>() < 0.0 {
            v.map(|x| -x)
        } else {
            v
        }
    };
    (turned(pairs[0].1), pairs[1].1)
}

/// Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's rotations (Golub and Van Loan,
/// Matrix Computations, 8.5).
fn eigen(mut a: [[f64; 3]; 3]) -> [(f64, [f64; 3]); 3] {
    let mut vectors = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    for _ in 0..50 {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if a[p][q] == 0.0 {
                continue;
            }
            let ratio = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
            let tangent = ratio.signum() / (ratio.abs() + ratio.hypot(1.0));
            let cosine = 1.0 / tangent.hypot(1.0);
            let sine = tangent * cosine;
            for row in &mut a {
                (row[p], row[q]) = (
                    cosine * row[p] - sine * row[q],
                    sine * row[p] + cosine * row[q],
                );
            }
            let (of_p, of_q) = (a[p], a[q]);
            a[p] = [0, 1, 2].map(|k| cosine * of_p[k] - sine * of_q[k]);
            a[q] = [0, 1, 2].map(|k| sine * of_p[k] + cosine * of_q[k]);
            for row in &mut vectors {
                (row[p], row[q]) = (
                    cosine * row[p] - sine * row[q],
                    sine * row[p] + cosine * row[q],
                );
            }
        }
    }
    [0, 1, 2].map(|i| (a[i][i], [vectors[0][i], vectors[1][i], vectors[2][i]]))
}
