//! One resampling from a level to a resolution that is no level.

use lobule_exam::PixelBox;

use crate::source::{Rgb, read_region};
use crate::{Error, TileSource};

use lobule_raster::Image;

/// What one pixel takes from a line: the first source pixel and the weights from there, of sum 1.
struct Tap {
    from: usize,
    weights: Vec<f32>,
}

/// Reads `place`, in pixels that span `scale` pixels of the level each, with outer edges kept: pixel
/// i covers the level from `i·scale` to `(i + 1)·scale`.
///
/// A coarser pixel is the mean over what it covers; a finer one (`scale < 1`) is interpolated
/// linearly between the two nearest centres.
pub(crate) fn resample(
    source: &dyn TileSource,
    level: usize,
    place: PixelBox,
    scale: f64,
) -> Result<Rgb, Error> {
    let down = taps(place.row, place.rows, scale);
    let across = taps(place.col, place.cols, scale);
    let (row, rows) = extent(&down);
    let (col, cols) = extent(&across);
    let window = PixelBox {
        row,
        col,
        rows,
        cols,
    };
    let region = read_region(source, level, window)?;
    let mut narrow = Vec::with_capacity(rows * place.cols);
    for line in (0..rows).map(|r| region.row(r)) {
        narrow.extend(across.iter().map(|tap| {
            let pixels = &line[tap.from - col..][..tap.weights.len()];
            mean(pixels.iter().map(|p| p.map(f32::from)), &tap.weights)
        }));
    }
    let mut pixels = Vec::with_capacity(place.area());
    for tap in &down {
        let start = (tap.from - row) * place.cols;
        for c in 0..place.cols {
            let column = narrow[start + c..].iter().step_by(place.cols).copied();
            let value = mean(column, &tap.weights);
            pixels.push(value.map(|v| v.round().clamp(0.0, 255.0) as u8));
        }
    }
    Ok(
        Image::from_pixels(place.rows, place.cols, pixels)
            .expect("one pixel for each of the place"),
    )
}

fn mean(pixels: impl Iterator<Item = [f32; 3]>, weights: &[f32]) -> [f32; 3] {
    pixels.zip(weights).fold([0.0; 3], |sum, (pixel, &weight)| {
        [0, 1, 2].map(|c| sum[c] + pixel[c] * weight)
    })
}

fn extent(taps: &[Tap]) -> (usize, usize) {
    let from = taps.first().map_or(0, |tap| tap.from);
    let to = taps.iter().map(|tap| tap.from + tap.weights.len()).max();
    (from, to.unwrap_or(from) - from)
}

fn taps(first: usize, count: usize, scale: f64) -> Vec<Tap> {
    let tap = if scale >= 1.0 { covered } else { between };
    (first..first + count)
        .map(|pixel| tap(pixel, scale))
        .collect()
}

/// The share of each source pixel in the length that a pixel covers.
fn covered(pixel: usize, scale: f64) -> Tap {
    let (start, end) = (pixel as f64 * scale, (pixel + 1) as f64 * scale);
    let (from, to) = (start.floor() as usize, end.ceil() as usize);
    let share = |i: usize| (end.min((i + 1) as f64) - start.max(i as f64)) / scale;
    Tap {
        from,
        weights: (from..to.max(from + 1)).map(|i| share(i) as f32).collect(),
    }
}

fn between(pixel: usize, scale: f64) -> Tap {
    let center = ((pixel as f64 + 0.5) * scale - 0.5).max(0.0);
    let from = center.floor();
    let second = (center - from) as f32;
    Tap {
        from: from as usize,
        weights: vec![1.0 - second, second],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coarser_pixel_is_the_mean_of_what_it_covers() {
        let of = |pixel, scale| {
            let tap = covered(pixel, scale);
            (tap.from, tap.weights)
        };
        assert_eq!(of(3, 2.0), (6, vec![0.5, 0.5]));
        assert_eq!(of(1, 1.5), (1, vec![1.0 / 3.0, 2.0 / 3.0]));
        assert_eq!(of(0, 1.0), (0, vec![1.0]));
        for scale in [1.02, 1.7, 3.3] {
            for pixel in 0..200 {
                let sum: f32 = covered(pixel, scale).weights.iter().sum();
                assert!((sum - 1.0).abs() < 1e-5, "{pixel} at {scale}: {sum}");
            }
        }
    }
}
