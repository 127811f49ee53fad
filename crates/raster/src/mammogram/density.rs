//! Area-based percent density: which share of the breast is dense tissue.
//!
//! 1. The breast without the pectoral muscle (where its line was found) and without the skin's
//!    rim, on a grid of 256 rows; brightness counts from the background.
//! 2. The breast gets thinner towards the skin, and darker for that alone. As in Bick et al.,
//!    Radiographics 16 (1996) 1403–1411, doi:10.1148/radiographics.16.6.8946544, brightness is
//!    followed over the distance from the skin, and what the rim lacks is added; here by the lower
//!    quartile at each distance, so that the correction follows fat.
//! 3. Dense is what is brighter than Otsu's threshold (IEEE Trans. SMC 9 (1979) 62–66,
//!    doi:10.1109/TSMC.1979.4310076). It parts a breast of fat alone, too, so dense tissue must
//!    also be brighter by a fifth than the fat below the skin.
//!
//! The share has no reference to be measured against here: nobody outlined dense tissue in the
//! images at hand. [`DENSITY_NOTE`] says what was measured instead.

use lobule_exam::{Affine, Point};

use super::mask::otsu;
use super::{Breast, Pectoral, PectoralLine};
use crate::Image;
use crate::distance::distance_to;

/// Rows of the grid.
const GRID_ROWS: usize = 256;
/// Squares of the grid next to the skin that are left out.
const SKIN: f32 = 4.0;
/// The rim reaches this far, as a share of the square root of the breast's area …
const RIM_SHARE: f64 = 0.25;
/// … and is followed in so many steps, each of more than so many squares.
const STEPS: usize = 24;
const LEAST_STEP: usize = 20;
/// Fat is looked for this far below the skin, as a share of the square root of the area.
const FAT_SHARE: f64 = 0.1;
/// Its level, and that of the rim: this quantile.
const FAT_QUANTILE: f64 = 0.25;
/// Dense tissue is brighter than fat by this factor.
const ABOVE_FAT: f64 = 1.2;
/// Fewer squares of tissue are no breast to be measured.
const LEAST_TISSUE: usize = 400;

/// What a share of dense tissue is worth, in words for its readers.
pub const DENSITY_NOTE: &str = "The share of dense tissue is a rough measure, counted over the \
    breast without skin and, where its edge was found, without the pectoral muscle. Nobody \
    outlined dense tissue in the images it was tried on, so its error is not known. What is known: \
    CC and MLO of one breast differed by up to 13 points in 95 % of 126 digital pairs, the two \
    breasts of one woman by up to 15 points on 126 pairs of films. Shares of different kinds of \
    image (film, makers' processing) cannot be compared.";

/// How dense a breast is in one view.
#[derive(Debug, Clone, PartialEq)]
pub struct Density {
    /// Share of the area that is dense, in 0..=1.
    pub share: f64,
    /// What [`DensityClassifier`](super::DensityClassifier) judges by, in the order of
    /// [`Density::FEATURES`].
    pub features: [f64; 5],
    /// The dense squares of a grid over the laid breast.
    pub dense: Image<bool>,
    /// Takes a point of that grid to the original image.
    pub image_from_dense: Affine,
}

impl Density {
    /// Names of the features: the share; the middle half's width, the upper and the lower part's
    /// reach (5 % to median to 95 %), each over the median; the brightness of the 95 % quantile,
    /// from the background, where 1 is the whole range of values.
    pub const FEATURES: [&'static str; 5] = [
        "share",
        "middle_half",
        "upper_reach",
        "lower_reach",
        "bright",
    ];
}

impl Breast {
    /// Measures how dense the breast is. None where less tissue is left than can be measured.
    ///
    /// The share depends on the look of the image: film and the maker's processing shift it.
    /// Compare it within one kind of image only.
    ///
    /// ```
    /// use lobule_raster::{Image, MammogramHints, find_breast};
    /// // A half disc of fat with a bright core.
    /// let image = Image::from_fn(400, 320, |row, col| {
    ///     let away = |r: f64, c: f64| (row as f64 - r).hypot(col as f64 - c);
    ///     let grain = (row * col % 97 * 10) as u16;
    ///     match (away(200.0, 0.0) < 180.0, away(200.0, 40.0) < 60.0) {
    ///         (false, _) => 300,
    ///         (_, true) => 40_000 + grain,
    ///         (_, false) => 20_000 + grain,
    ///     }
    /// });
    /// let breast = find_breast(&image, &MammogramHints::default())?;
    /// let density = breast.percent_density().expect("a breast");
    /// assert!((0.1..0.3).contains(&density.share));
    /// # Ok::<(), lobule_raster::Error>(())
    /// ```
    pub fn percent_density(&self) -> Option<Density> {
        let field = Field::of(self);
        let places = field.tissue_places();
        if places.len() < LEAST_TISSUE {
            return None;
        }
        let corrected = field.corrected(&places);
        let inner: Vec<usize> = places
            .iter()
            .copied()
            .filter(|&i| field.depth.pixels()[i] > SKIN)
            .collect();
        let values = Sorted::of(inner.iter().map(|&i| corrected[i]))?;
        let threshold = threshold(&field, &corrected, &inner, &values);
        let mut dense = Image::filled(field.values.rows(), field.values.cols(), false);
        for &i in inner.iter().filter(|&&i| corrected[i] > threshold) {
            dense.pixels_mut()[i] = true;
        }
        let n_dense = dense.pixels().iter().filter(|&&m| m).count();
        let share = n_dense as f64 / inner.len() as f64;
        let [q5, q25, median, q75, q95] = [0.05, 0.25, 0.5, 0.75, 0.95].map(|q| values.at(q));
        let relative = |value: f64| value / median.max(1e-3);
        Some(Density {
            share,
            features: [
                share,
                relative(q75 - q25),
                relative(q95 - median),
                relative(median - q5),
                q95,
            ],
            dense,
            image_from_dense: field.image_from_field,
        })
    }
}

/// The laid breast on the coarse grid.
struct Field {
    /// From the background, of 1.
    values: Image<f64>,
    tissue: Image<bool>,
    /// Distance from the skin in squares; the chest wall and the picture's edges are no skin.
    depth: Image<f32>,
    image_from_field: Affine,
}

impl Field {
    fn of(breast: &Breast) -> Field {
        let gray = &breast.gray;
        let rows = gray.rows().clamp(1, GRID_ROWS);
        let factor = gray.rows() as f64 / rows as f64;
        let cols = ((gray.cols() as f64 / factor).round() as usize).clamp(1, gray.cols().max(1));
        let gray_from_field = Affine::resample(factor, gray.cols() as f64 / cols as f64);
        let to_grid = breast.mask_from_gray().compose(&gray_from_field);
        let mask = Image::from_fn(rows, cols, |r, c| {
            breast.mask_at(&to_grid, r as f64, c as f64)
        });
        let outside = Image::from_fn(rows, cols, |r, c| {
            let last = mask.row(r).iter().rposition(|&m| m);
            !mask.at(r, c) && last.is_none_or(|last| c > last)
        });
        let image_from_field = breast.image_from_gray.compose(&gray_from_field);
        let tissue = Image::from_fn(rows, cols, |r, c| {
            let p = image_from_field.apply(Point {
                row: r as f64,
                col: c as f64,
            });
            mask.at(r, c) && !is_muscle(&breast.pectoral, p)
        });
        let background = f64::from(breast.background);
        let means = block_means(gray, rows, cols);
        Field {
            values: means.map(|v| (v - background) / f64::from(u16::MAX)),
            tissue,
            depth: distance_to(&outside),
            image_from_field,
        }
    }

    fn tissue_places(&self) -> Vec<usize> {
        let tissue = self.tissue.pixels().iter().enumerate();
        tissue.filter(|(_, t)| **t).map(|(i, _)| i).collect()
    }

    /// The values with what the thin rim lacks added; meaningful at the given places.
    fn corrected(&self, places: &[usize]) -> Vec<f64> {
        let reach = RIM_SHARE * (places.len() as f64).sqrt();
        let mut steps: Vec<Vec<f64>> = vec![Vec::new(); STEPS];
        let mut deep = Vec::new();
        let depth = |i: usize| f64::from(self.depth.pixels()[i]);
        for &i in places {
            let value = self.values.pixels()[i];
            match (depth(i) / reach * STEPS as f64) as usize {
                step if step < STEPS => steps[step].push(value),
                _ => deep.push(value),
            }
        }
        let quartile = |values: Vec<f64>, least: usize| {
            let enough = values.len() > least;
            Sorted::of(values.into_iter().filter(|_| enough)).map(|v| v.at(FAT_QUANTILE))
        };
        let known: Vec<(f64, f64)> = steps
            .into_iter()
            .enumerate()
            .filter_map(|(i, values)| Some((i as f64 + 0.5, quartile(values, LEAST_STEP)?)))
            .collect();
        let profile = rising(known);
        let plateau = quartile(deep, 2 * LEAST_STEP)
            .or(profile.last().map(|p| p.1))
            .unwrap_or(0.0);
        let mut corrected = self.values.pixels().to_vec();
        for &i in places.iter().filter(|&&i| depth(i) < reach) {
            let expected = interpolate(&profile, depth(i) / reach * STEPS as f64);
            corrected[i] += expected.map_or(0.0, |v| (plateau - v).max(0.0));
        }
        corrected
    }
}

/// Towards the corner that the pectoral line cuts off.
fn is_muscle(pectoral: &Pectoral, p: Point) -> bool {
    let Pectoral::Found(PectoralLine {
        top, chest, corner, ..
    }) = pectoral
    else {
        return false;
    };
    let side = |q: Point| {
        (chest.row - top.row) * (q.col - top.col) - (chest.col - top.col) * (q.row - top.row)
    };
    side(p) * side(*corner) > 0.0
}

fn threshold(field: &Field, corrected: &[f64], inner: &[usize], values: &Sorted) -> f64 {
    let (low, high) = (values.at(0.01), values.at(0.995));
    let range = (high - low).max(1e-9);
    let stretched: Vec<f32> = inner
        .iter()
        .map(|&i| ((corrected[i] - low) / range).clamp(0.0, 1.0) as f32)
        .collect();
    let two_classes = low + f64::from(otsu(&stretched)) * range;
    let below_skin = (FAT_SHARE * (inner.len() as f64).sqrt()).max(2.0 * f64::from(SKIN));
    let near = inner
        .iter()
        .filter(|&&i| f64::from(field.depth.pixels()[i]) < below_skin);
    let fat = Sorted::of(near.map(|&i| corrected[i]));
    let fat = fat.map_or(0.0, |fat| fat.at(FAT_QUANTILE));
    two_classes.max(ABOVE_FAT * fat)
}

/// The same profile without falls: brightness rises from the skin inwards.
fn rising(mut profile: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let mut highest = f64::NEG_INFINITY;
    for (_, value) in &mut profile {
        highest = highest.max(*value);
        *value = highest;
    }
    profile
}

/// Between neighbours, and the nearest beyond the ends; none without points.
fn interpolate(profile: &[(f64, f64)], at: f64) -> Option<f64> {
    let after = profile.partition_point(|p| p.0 <= at);
    match (after.checked_sub(1).map(|i| profile[i]), profile.get(after)) {
        (Some(a), Some(b)) => Some(a.1 + (at - a.0) / (b.0 - a.0) * (b.1 - a.1)),
        (Some(a), None) => Some(a.1),
        (None, b) => b.map(|b| b.1),
    }
}

/// Values in order, at least one.
struct Sorted(Vec<f64>);

impl Sorted {
    fn of(values: impl Iterator<Item = f64>) -> Option<Sorted> {
        let mut values: Vec<f64> = values.collect();
        values.sort_unstable_by(f64::total_cmp);
        (!values.is_empty()).then_some(Sorted(values))
    }

    fn at(&self, quantile: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * quantile) as usize]
    }
}

fn block_means(gray: &Image<u16>, rows: usize, cols: usize) -> Image<f64> {
    let span = |i: usize, n: usize, of: usize| i * of / n..((i + 1) * of / n).min(of);
    Image::from_fn(rows, cols, |r, c| {
        let across = span(c, cols, gray.cols());
        let lines = span(r, rows, gray.rows());
        let n = (across.len() * lines.len()).max(1);
        let sum = |line: usize| {
            let pixels = &gray.row(line)[across.clone()];
            pixels.iter().map(|&v| u64::from(v)).sum::<u64>()
        };
        lines.map(sum).sum::<u64>() as f64 / n as f64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_followed_between_its_points() {
        let profile = rising(vec![(0.5, 1.0), (1.5, 3.0), (2.5, 2.0)]);
        let at = |x| interpolate(&profile, x).unwrap();
        assert_eq!([at(0.0), at(1.0), at(2.0), at(9.0)], [1.0, 2.0, 3.0, 3.0]);
        assert_eq!(interpolate(&[], 1.0), None);
    }

    #[test]
    fn means_cover_every_pixel_once() {
        let gray = Image::from_fn(7, 5, |r, c| (r * 5 + c) as u16);
        let means = block_means(&gray, 3, 2);
        assert_eq!(means.at(0, 0), 12.0 / 4.0);
        assert_eq!(block_means(&gray, 7, 5).at(6, 4), 34.0);
    }
}
