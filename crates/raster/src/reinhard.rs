//! The colors of a slide's tissue as mean and spread, and giving every slide the same ones.
//!
//! Owns: Reinhard's transfer of color ([`ColorStatistics`]). Does not own: which pixels are tissue (`stain`).

use crate::Image;

/// Mean and standard deviation of pixels in the color space lαβ of Ruderman et al. (J Opt Soc Am A
/// 1998;15:2036): l is achromatic, α yellow to blue, β red to green; logarithms to base 10 of pixels 1 to 256.
///
/// Reinhard et al., IEEE Comput Graph Appl 2001;21(5):34, doi 10.1109/38.946629.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColorStatistics {
    /// Means of l, α, β.
    pub mean: [f64; 3],
    /// Standard deviations of l, α, β, with the population's divisor.
    pub deviation: [f64; 3],
}

/// Cones' answers to red, green, blue, as Reinhard et al. print them.
const CONES: [[f64; 3]; 3] = [
    [0.3811, 0.5783, 0.0402],
    [0.1967, 0.7244, 0.0782],
    [0.0241, 0.1288, 0.8444],
];
/// Colors are spread by no more: an even color is moved, its noise not blown up.
const MOST_SPREAD: f64 = 4.0;

impl ColorStatistics {
    /// A slide of ordinary haematoxylin and eosin, to which others are brought: the stained pixels of BCSS's
    /// regions `1008`, `1015` and `1019` (CC0), means over the three, rounded.
    pub const REFERENCE: ColorStatistics = ColorStatistics {
        mean: [3.73, -0.096, 0.029],
        deviation: [0.197, 0.0355, 0.0128],
    };

    /// Those of some pixels; of none, zeros.
    pub fn of(pixels: impl ExactSizeIterator<Item = [u8; 3]> + Clone) -> ColorStatistics {
        let n = pixels.len().max(1) as f64;
        let mut mean = [0.0; 3];
        for color in pixels.clone().map(perceived) {
            (0..3).for_each(|i| mean[i] += color[i] / n);
        }
        let mut variance = [0.0; 3];
        for color in pixels.map(perceived) {
            (0..3).for_each(|i| variance[i] += (color[i] - mean[i]).powi(2) / n);
        }
        ColorStatistics {
            mean,
            deviation: variance.map(f64::sqrt),
        }
    }

    /// The tile with the means and spreads of `target`, as if the slide it is of had them; spread at most
    /// fourfold.
    ///
    /// ```
    /// use lobule_raster::{ColorStatistics, Image};
    /// let tile = Image::from_fn(8, 8, |r, c| [(150 + 8 * r) as u8, (80 + 9 * c) as u8, 170]);
    /// let own = ColorStatistics::of(tile.pixels().iter().copied());
    /// assert_eq!(own.normalize(&tile, &own), tile);
    /// ```
    pub fn normalize(&self, tile: &Image<[u8; 3]>, target: &ColorStatistics) -> Image<[u8; 3]> {
        let light = inverse(CONES);
        let scale = [0, 1, 2].map(|i| (target.deviation[i] / self.deviation[i]).min(MOST_SPREAD));
        tile.map(|pixel| {
            let color = perceived(pixel);
            let [l, a, b] =
                [0, 1, 2].map(|i| (color[i] - self.mean[i]) * scale[i] + target.mean[i]);
            let (l, a, b) = (l / 3_f64.sqrt(), a / 6_f64.sqrt(), b / 2_f64.sqrt());
            let cones = [l + a + b, l + a - b, l - 2.0 * a].map(|log| 10_f64.powf(log));
            times(light, cones).map(|v| (v - 1.0).round().clamp(0.0, 255.0) as u8)
        })
    }
}

/// l, α, β of a pixel.
fn perceived(pixel: [u8; 3]) -> [f64; 3] {
    let [long, middle, short] = times(CONES, pixel.map(|v| f64::from(v) + 1.0)).map(f64::log10);
    [
        (long + middle + short) / 3_f64.sqrt(),
        (long + middle - 2.0 * short) / 6_f64.sqrt(),
        (long - middle) / 2_f64.sqrt(),
    ]
}

fn times(matrix: [[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| (0..3).map(|i| row[i] * vector[i]).sum())
}

/// By cofactors.
fn inverse(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let cofactor = |r: usize, c: usize| {
        let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant: f64 = (0..3).map(|c| m[0][c] * cofactor(0, c)).sum();
    [0, 1, 2].map(|r| [0, 1, 2].map(|c| cofactor(c, r) / determinant))
}
