//! The breast placed in the network's input.

use lobule_exam::{Affine, Crop, CropMethod, Point, Warning, WarningKind};

use super::{Breast, covers, doubtful};
use crate::distance::distance_to;
use crate::{Error, ErrorKind, Image, NetworkInput};

/// What lies this many pixels of the mask's grid beside the breast is left as it is.
const RIM_KEPT: f32 = 4.0;
/// From this share of the breast outside the input on, the user is warned.
const CUT_WARNED: f64 = 0.01;

/// How a mammogram becomes a network's input. Travels inside the model package.
#[derive(Debug, Clone, PartialEq)]
pub struct MammogramConfig {
    /// Rows of the network's input.
    pub rows: usize,
    /// Columns of the network's input.
    pub cols: usize,
    /// Size of the breast in the input.
    pub scale: Scale,
    /// What is shown beside the breast.
    pub outside: Outside,
    /// How values are standardized.
    pub standardization: Standardization,
}

/// How large a breast is shown. Rows and columns are always scaled alike in the breast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// As large as the input allows.
    Fit,
    /// Pixel by pixel; what does not fit is cut off where least of the breast is lost.
    Native,
    /// Pixels of a given size; what does not fit is cut off likewise. Fits, with a warning, where
    /// the image's own size of a pixel is not known.
    PixelMm(f64),
}

/// What is shown beside the breast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// What the image shows there.
    Kept,
    /// Background: labels and clips vanish.
    Background,
}

/// How values are standardized: `(value − mean) / standard deviation`, with the population's
/// standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standardization {
    /// Over the whole input.
    Input,
    /// Over the breast.
    Breast,
}

impl Default for MammogramConfig {
    /// The input of Shen et al., Med Image Anal 68 (2021) 101908, doi:10.1016/j.media.2020.101908.
    fn default() -> MammogramConfig {
        MammogramConfig {
            rows: 2944,
            cols: 1920,
            scale: Scale::Fit,
            outside: Outside::Background,
            standardization: Standardization::Input,
        }
    }
}

/// A breast placed in the input, before its values are standardized.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedBreast {
    /// Brightness, of the input's size.
    pub gray: Image<u16>,
    /// Mean of the values that count for the standardization.
    pub mean: f64,
    /// Their standard deviation, above zero.
    pub deviation: f64,
    /// Takes a point of the input to the original image.
    pub image_from_input: Affine,
    /// Share of the breast that lies inside the input, in 0..=1.
    pub breast_kept: f64,
    /// What the user should know besides what [`Breast::warnings`] holds.
    pub warnings: Vec<Warning>,
    mask: Image<bool>,
    mask_from_input: Affine,
}

impl PlacedBreast {
    /// Whether a point of the input belongs to the breast.
    pub fn is_breast(&self, p: Point) -> bool {
        covers(&self.mask, self.mask_from_input.apply(p))
    }

    /// The network's input: `(value − mean) / deviation`.
    pub fn standardized(&self) -> Vec<f32> {
        let pixels = self.gray.pixels().iter();
        pixels.map(|&v| self.standard(v)).collect()
    }

    pub(super) fn standard(&self, v: u16) -> f32 {
        ((f64::from(v) - self.mean) / self.deviation) as f32
    }
}

impl Breast {
    /// What a network of the placed breast's configuration is given.
    pub fn network_input(&self, placed: &PlacedBreast) -> NetworkInput {
        NetworkInput {
            chw: placed.standardized(),
            rows: placed.gray.rows(),
            cols: placed.gray.cols(),
            image_from_input: placed.image_from_input,
            crop: Crop {
                window: self.window,
                method: CropMethod::Breast,
                painted_pixels: 0,
            },
            warnings: placed.warnings.clone(),
        }
    }

    /// Places the breast in an input of any size: chest wall at column 0, the middle of the
    /// breast's height in the middle; background around. The values stay 16 bits a pixel until
    /// [`PlacedBreast::standardized`], for those who keep many.
    ///
    /// Resampled by [`Image::resized`].
    ///
    /// # Errors
    /// When the configured input is empty or its scale not finite and above zero, and when the
    /// values to standardize by are all equal.
    pub fn place(&self, config: &MammogramConfig) -> Result<PlacedBreast, Error> {
        if config.rows == 0 || config.cols == 0 {
            let message = "expected an input of at least one pixel, got none";
            return Err(Error::new(ErrorKind::Config, message));
        }
        let mut warnings = Vec::new();
        let factors = self.factors(config, &mut warnings)?;
        let size = |n: usize, factor: f64| (n as f64 * factor).round().max(1.0) as usize;
        let (rows, cols) = (
            size(self.gray.rows(), factors.0),
            size(self.gray.cols(), factors.1),
        );
        check_size(rows, cols)?;
        let gray = match config.outside {
            Outside::Kept => self.gray.clone(),
            Outside::Background => self.without_surroundings(),
        };
        let scaled = gray.resized(rows, cols)?;
        let gray_from_scaled = Affine::resample(
            self.gray.rows() as f64 / rows as f64,
            self.gray.cols() as f64 / cols as f64,
        );
        let offsets = self.offsets(&gray_from_scaled, (rows, cols), config);
        let scaled_from_input = Affine::translate(offsets.0 as f64, offsets.1 as f64);
        let gray_from_input = gray_from_scaled.compose(&scaled_from_input);
        let gray = place(&scaled, offsets, config, self.background);
        drop(scaled);
        let (mean, deviation) = self.moments(&gray, &gray_from_input, config)?;
        let image_from_input = self.image_from_gray.compose(&gray_from_input);
        let breast_kept = self.share_inside(&image_from_input, config);
        if breast_kept < 1.0 - CUT_WARNED {
            let cut = (1.0 - breast_kept) * 100.0;
            warnings.push(doubtful(format!(
                "{cut:.0} % of the breast lie outside the input"
            )));
        }
        Ok(PlacedBreast {
            gray,
            mean,
            deviation,
            image_from_input,
            breast_kept,
            warnings,
            mask: self.mask.clone(),
            mask_from_input: self.mask_from_gray().compose(&gray_from_input),
        })
    }

    /// Pixels of the input per pixel of the crop, down and across.
    fn factors(
        &self,
        config: &MammogramConfig,
        warnings: &mut Vec<Warning>,
    ) -> Result<(f64, f64), Error> {
        let fit = || {
            let down = config.rows as f64 / self.gray.rows() as f64;
            let across = config.cols as f64 / self.gray.cols() as f64;
            (down.min(across), down.min(across))
        };
        match (config.scale, self.spacing) {
            (Scale::Fit, _) => Ok(fit()),
            (Scale::Native, _) => Ok((1.0, 1.0)),
            (Scale::PixelMm(mm), _) if !(mm.is_finite() && mm > 0.0) => {
                let message = format!("expected pixels of more than 0 mm, got {mm}");
                Err(Error::new(ErrorKind::Config, message))
            }
            (Scale::PixelMm(_), None) => {
                warnings.push(Warning {
                    kind: WarningKind::UnknownSpacing,
                    message: "the size of a pixel is not known: the breast was fitted".to_owned(),
                });
                Ok(fit())
            }
            (Scale::PixelMm(mm), Some(spacing)) => {
                let (down, across) = (spacing.row_mm() / mm, spacing.col_mm() / mm);
                match self.orientation.chest().is_across() {
                    true => Ok((down, across)),
                    false => Ok((across, down)),
                }
            }
        }
    }

    /// The crop with background wherever the breast is not near.
    fn without_surroundings(&self) -> Image<u16> {
        let distances = distance_to(&self.mask);
        let to_grid = self.mask_from_gray();
        let last = ((self.mask.rows() - 1) as f64, (self.mask.cols() - 1) as f64);
        let mut gray = self.gray.clone();
        let cols = gray.cols();
        for (row, line) in gray.pixels_mut().chunks_exact_mut(cols).enumerate() {
            for (col, v) in line.iter_mut().enumerate() {
                let p = to_grid.apply(Point {
                    row: row as f64,
                    col: col as f64,
                });
                let (r, c) = (
                    p.row.round().clamp(0.0, last.0),
                    p.col.round().clamp(0.0, last.1),
                );
                if distances.at(r as usize, c as usize) > RIM_KEPT {
                    *v = self.background;
                }
            }
        }
        gray
    }

    /// The first row and column of the scaled crop that the input shows; negative where there is
    /// room around it.
    fn offsets(
        &self,
        gray_from_scaled: &Affine,
        (rows, cols): (usize, usize),
        config: &MammogramConfig,
    ) -> (i64, i64) {
        let to_grid = self.mask_from_gray().compose(gray_from_scaled);
        const SAMPLES: usize = 128;
        let across = |row: usize| {
            let at = |i: usize| (i as f64 + 0.5) / SAMPLES as f64 * cols as f64 - 0.5;
            (0..SAMPLES)
                .filter(|&i| self.mask_at(&to_grid, row as f64, at(i)))
                .count()
        };
        let down = |col: usize| {
            let at = |i: usize| (i as f64 + 0.5) / SAMPLES as f64 * rows as f64 - 0.5;
            (0..SAMPLES)
                .filter(|&i| self.mask_at(&to_grid, at(i), col as f64))
                .count()
        };
        let row = match rows > config.rows {
            true => fullest((0..rows).map(across), config.rows),
            false => -(((config.rows - rows) / 2) as i64),
        };
        let col = match cols > config.cols {
            true => fullest((0..cols).map(down), config.cols),
            false => 0,
        };
        (row, col)
    }

    /// Mean and standard deviation of the values that count.
    fn moments(
        &self,
        gray: &Image<u16>,
        gray_from_input: &Affine,
        config: &MammogramConfig,
    ) -> Result<(f64, f64), Error> {
        let to_grid = self.mask_from_gray().compose(gray_from_input);
        let counts = |i: usize| match config.standardization {
            Standardization::Input => true,
            Standardization::Breast => {
                let (row, col) = (i / config.cols, i % config.cols);
                self.mask_at(&to_grid, row as f64, col as f64)
            }
        };
        let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for (_, &v) in gray.pixels().iter().enumerate().filter(|(i, _)| counts(*i)) {
            let v = f64::from(v);
            n += 1.0;
            sum += v;
            squares += v * v;
        }
        let mean = sum / n;
        let deviation = (squares / n - mean * mean).max(0.0).sqrt();
        if deviation.is_nan() || deviation <= 0.0 {
            let message = "expected differences of brightness, got one value";
            return Err(Error::new(ErrorKind::NoBreast, message));
        }
        Ok((mean, deviation))
    }

    fn share_inside(&self, image_from_input: &Affine, config: &MammogramConfig) -> f64 {
        let Some(input_from_image) = image_from_input.inverse() else {
            return 0.0;
        };
        let input_from_mask = input_from_image.compose(&self.image_from_mask);
        let input = lobule_exam::PixelBox::whole(config.rows, config.cols);
        let (mut all, mut inside) = (0.0, 0.0);
        for row in 0..self.mask.rows() {
            for (col, _) in self.mask.row(row).iter().enumerate().filter(|(_, m)| **m) {
                all += 1.0;
                let p = input_from_mask.apply(Point {
                    row: row as f64,
                    col: col as f64,
                });
                inside += f64::from(u8::from(input.contains(p)));
            }
        }
        inside / f64::max(all, 1.0)
    }
}

/// Where the window of a length that sums up the most begins; the first of equals.
fn fullest(profile: impl Iterator<Item = usize>, length: usize) -> i64 {
    let mut sums = vec![0];
    for n in profile {
        sums.push(sums[sums.len() - 1] + n);
    }
    let mut best = (0, 0);
    for start in 0..sums.len() - length {
        let sum = sums[start + length] - sums[start];
        if sum > best.0 {
            best = (sum, start);
        }
    }
    best.1 as i64
}

fn check_size(rows: usize, cols: usize) -> Result<(), Error> {
    const MOST: u64 = 256 << 20;
    if (rows as u64).saturating_mul(cols as u64) <= MOST {
        return Ok(());
    }
    let message = format!("expected at most {MOST} pixels after scaling, got {rows} × {cols}");
    Err(Error::new(ErrorKind::TooLarge, message))
}

fn place(
    scaled: &Image<u16>,
    offsets: (i64, i64),
    config: &MammogramConfig,
    background: u16,
) -> Image<u16> {
    let mut out = Image::filled(config.rows, config.cols, background);
    for (row, line) in out.pixels_mut().chunks_exact_mut(config.cols).enumerate() {
        let source = row as i64 + offsets.0;
        let Ok(source) = usize::try_from(source) else {
            continue;
        };
        if source >= scaled.rows() {
            break;
        }
        let from = offsets.1.max(0) as usize;
        for (out, &v) in line.iter_mut().zip(&scaled.row(source)[from..]) {
            *out = v;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fullest_window_is_found_and_the_first_of_equals_taken() {
        assert_eq!(fullest([0, 1, 5, 5, 1, 0].into_iter(), 2), 2);
        assert_eq!(fullest([3, 3, 3].into_iter(), 2), 0);
        assert_eq!(fullest([0, 0, 7].into_iter(), 3), 0);
    }
}
