//! Filling of masked pixels.
//!
//! Owns: putting likely tissue where marks were. Does not own: which pixels those are (`marks`).
//!
//! A masked pixel becomes the mean of the unmasked pixels around it plus the speckle of a place
//! nearby: `fill(p) = mean(p) + (image(q) − mean(q))` with `q` a fixed number of columns beside
//! `p`. Without the second part, smooth patches would give the marks away.

use crate::Image;
use crate::morphology::{box_sum, zip};

/// Radius of the mean's square.
const MEAN_RADIUS: usize = 5;

/// Columns from which speckle is taken, tried in turn.
const SHIFTS: [isize; 10] = [9, -9, 14, -14, 20, -20, 28, -28, 40, -40];

/// Speckle deviates from the mean by no more than this share of it; more is a piece of a mark
/// or of a bright interface.
const MAX_DEVIATION: f32 = 0.6;

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
        let (here, there) = (mean.at(row, col), mean.at(row, c).max(1.0));
        let deviation = (f32::from(gray.at(row, c)) - there) / there;
        here.min(there) * deviation.clamp(-MAX_DEVIATION, MAX_DEVIATION)
    })
}

/// Mean of the unmasked pixels in the square around each pixel. Where all are masked, the square
/// is doubled until it holds one; 0 where the whole image is masked.
fn unmasked_mean(gray: &Image<u8>, mask: &Image<bool>) -> Image<f32> {
    let visible = mask.map(|m| u32::from(!m));
    let values = zip(gray, &visible, |v, visible| u32::from(v) * visible);
    let mut radius = MEAN_RADIUS;
    let mut mean = mean_within(&values, &visible, radius);
    while radius < gray.rows().max(gray.cols()) && mean.pixels().iter().any(|m| m.is_nan()) {
        radius *= 2;
        let wider = mean_within(&values, &visible, radius);
        mean = zip(&mean, &wider, |m, wider| if m.is_nan() { wider } else { m });
    }
    mean.map(|m| if m.is_nan() { 0.0 } else { m })
}

/// Mean of the visible values in the square of a radius; NaN where there are none.
fn mean_within(values: &Image<u32>, visible: &Image<u32>, radius: usize) -> Image<f32> {
    let (sum, count) = (box_sum(values, radius), box_sum(visible, radius));
    zip(&sum, &count, |sum, count| sum as f32 / count as f32)
}
