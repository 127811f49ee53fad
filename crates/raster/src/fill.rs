//! Filling of masked pixels.
//!
//! Owns: putting likely tissue where marks were. Does not own: which pixels those are (`marks`).
//!
//! A masked pixel becomes the mean of the unmasked pixels around it plus the speckle of a place
//! nearby: `fill(p) = mean(p) + (image(q) − mean(q))` with `q` a fixed number of columns beside
//! `p`. Without the second part, smooth patches would give the marks away.

use crate::Image;
use crate::morphology::box_sum;

/// Radius of the mean's square.
const MEAN_RADIUS: usize = 5;

/// Columns from which speckle is taken, tried in turn.
const SHIFTS: [isize; 10] = [9, -9, 14, -14, 20, -20, 28, -28, 40, -40];

/// Replaces the masked pixels.
pub(crate) fn fill(gray: &mut Image<u8>, mask: &Image<bool>) {
    let mean = unmasked_mean(gray, mask);
    let source = gray.clone();
    for row in 0..gray.rows() {
        for col in 0..gray.cols() {
            if mask.at(row, col) {
                let value = mean.at(row, col) + speckle(&source, &mean, mask, row, col);
                gray.set(row, col, value.round().clamp(0.0, 255.0) as u8);
            }
        }
    }
}

/// The deviation from the mean at the first unmasked place beside a pixel, scaled to the
/// pixel's own brightness: speckle is multiplicative.
fn speckle(gray: &Image<u8>, mean: &Image<f32>, mask: &Image<bool>, row: usize, col: usize) -> f32 {
    let place = SHIFTS
        .iter()
        .filter_map(|&shift| col.checked_add_signed(shift))
        .find(|&c| c < gray.cols() && !mask.at(row, c));
    place.map_or(0.0, |c| {
        let there = mean.at(row, c);
        let factor = (mean.at(row, col) / there.max(1.0)).min(1.0);
        factor * (f32::from(gray.at(row, c)) - there)
    })
}

/// Mean of the unmasked pixels in the square around each pixel; wider squares where all are masked.
fn unmasked_mean(gray: &Image<u8>, mask: &Image<bool>) -> Image<f32> {
    let visible = mask.map(|m| u32::from(!m));
    let values = Image::from_fn(gray.rows(), gray.cols(), |row, col| {
        u32::from(gray.at(row, col)) * visible.at(row, col)
    });
    let mut mean = Image::filled(gray.rows(), gray.cols(), 0.0_f32);
    let mut missing = Image::filled(gray.rows(), gray.cols(), true);
    let mut radius = MEAN_RADIUS;
    while missing.pixels().contains(&true) && radius < 4 * gray.rows().max(gray.cols()) {
        let (sum, count) = (box_sum(&values, radius), box_sum(&visible, radius));
        for i in 0..gray.pixels().len() {
            if missing.pixels()[i] && count.pixels()[i] > 0 {
                mean.pixels_mut()[i] = sum.pixels()[i] as f32 / count.pixels()[i] as f32;
                missing.pixels_mut()[i] = false;
            }
        }
        radius *= 2;
    }
    mean
}
