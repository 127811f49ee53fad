//! The coarse grid on which the breast is looked for.

use lobule_exam::Affine;

use crate::{Error, ErrorKind, Image};

/// Longest side of the grid, about a third of a millimetre per pixel.
const LONGEST_SIDE: usize = 640;
/// Least difference of brightness, of 1, between the brightest and the darkest thousandth.
const LEAST_CONTRAST: f32 = 0.004;

/// Means over squares of `factor × factor` pixels, stretched to 0..=1.
pub(super) struct Grid {
    pub(super) means: Image<f32>,
    pub(super) factor: usize,
    pub(super) image_rows: usize,
    pub(super) image_cols: usize,
    /// What 0 and 1 stand for, of 65535.
    low: f32,
    high: f32,
}

impl Grid {
    pub(super) fn of(image: &Image<u16>) -> Result<Grid, Error> {
        let (rows, cols) = (image.rows(), image.cols());
        if rows.min(cols) < 32 {
            let message = format!("expected at least 32 pixels a side, got {rows} × {cols}");
            return Err(Error::new(ErrorKind::NoBreast, message));
        }
        let factor = rows.max(cols).div_ceil(LONGEST_SIDE);
        let means = block_means(image, factor);
        let mut sorted = means.pixels().to_vec();
        sorted.sort_unstable_by(f32::total_cmp);
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
        let (low, high) = (at(0.001), at(0.999));
        if high - low < LEAST_CONTRAST * 65535.0 {
            let message = "expected a breast, got a picture of one brightness";
            return Err(Error::new(ErrorKind::NoBreast, message));
        }
        Ok(Grid {
            means: means.map(|v| ((v - low) / (high - low)).clamp(0.0, 1.0)),
            factor,
            image_rows: rows,
            image_cols: cols,
            low,
            high,
        })
    }

    /// The brightness, of 65535, that a stretched value stands for.
    pub(super) fn brightness(&self, value: f32) -> u16 {
        (self.low + value * (self.high - self.low)).round() as u16
    }

    pub(super) fn image_from_grid(&self) -> Affine {
        Affine::resample(self.factor as f64, self.factor as f64)
    }
}

/// The last squares of a line are as small as the image leaves them.
fn block_means(image: &Image<u16>, factor: usize) -> Image<f32> {
    let (rows, cols) = (image.rows().div_ceil(factor), image.cols().div_ceil(factor));
    let mut out = Vec::with_capacity(rows * cols);
    for row in 0..rows {
        let lines = row * factor..((row + 1) * factor).min(image.rows());
        let mut sums = vec![0_u64; cols];
        for line in lines.clone() {
            for (sum, block) in sums.iter_mut().zip(image.row(line).chunks(factor)) {
                *sum += block.iter().map(|&v| u64::from(v)).sum::<u64>();
            }
        }
        for (col, sum) in sums.iter().enumerate() {
            let width = factor.min(image.cols() - col * factor);
            out.push(*sum as f32 / (width * lines.len()) as f32);
        }
    }
    Image::from_pixels(rows, cols, out).expect("one mean per square")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_cover_the_image_to_its_edges() {
        let image = Image::from_fn(5, 4, |row, col| (row * 10 + col) as u16);
        let means = block_means(&image, 3);
        assert_eq!((means.rows(), means.cols()), (2, 2));
        assert_eq!(means.pixels(), [11.0, 13.0, 36.0, 38.0]);
    }
}
