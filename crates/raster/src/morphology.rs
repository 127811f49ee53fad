//! Minimum, maximum and mean over neighbourhoods.
//!
//! Owns: grey-scale erosion, dilation and opening along one direction, and box means. Windows are
//! clipped at the image's edges. Does not own: what they are used for.

use crate::Image;

/// The direction of a line of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Along a row.
    Across,
    /// Along a column.
    Down,
}

/// Smallest value within `radius` pixels along a direction.
pub(crate) fn erode(image: &Image<u8>, direction: Direction, radius: usize) -> Image<u8> {
    slide(image, direction, radius, u8::min)
}

/// Largest value within `radius` pixels along a direction.
pub(crate) fn dilate(image: &Image<u8>, direction: Direction, radius: usize) -> Image<u8> {
    slide(image, direction, radius, u8::max)
}

/// Erosion, then dilation: removes what is brighter and not longer than `2 · radius` pixels.
pub(crate) fn open(image: &Image<u8>, direction: Direction, radius: usize) -> Image<u8> {
    dilate(&erode(image, direction, radius), direction, radius)
}

/// Combines each pixel with its neighbours of either side, one distance after the other: the
/// inner loops run over whole lines, so that they become vector instructions.
fn slide(
    image: &Image<u8>,
    direction: Direction,
    radius: usize,
    combine: impl Fn(u8, u8) -> u8,
) -> Image<u8> {
    let (rows, cols) = (image.rows(), image.cols());
    let mut out = image.clone();
    for distance in 1..=radius {
        match direction {
            Direction::Across if distance < cols => {
                for row in 0..rows {
                    let source = image.row(row);
                    let target = &mut out.pixels_mut()[row * cols..(row + 1) * cols];
                    merge(&mut target[distance..], source, &combine);
                    merge(target, &source[distance..], &combine);
                }
            }
            Direction::Down if distance < rows => {
                let shift = distance * cols;
                merge(&mut out.pixels_mut()[shift..], image.pixels(), &combine);
                merge(out.pixels_mut(), &image.pixels()[shift..], &combine);
            }
            _ => break,
        }
    }
    out
}

fn merge(target: &mut [u8], source: &[u8], combine: &impl Fn(u8, u8) -> u8) {
    for (t, &s) in target.iter_mut().zip(source) {
        *t = combine(*t, s);
    }
}

/// Mean over the square of a radius around each pixel.
pub(crate) fn box_mean(image: &Image<u8>, radius: usize) -> Image<f32> {
    let (rows, cols) = (image.rows(), image.cols());
    let sum = box_sum(&image.map(u32::from), radius);
    let widths: Vec<f32> = (0..cols)
        .map(|col| 1.0 / clipped_length(col, radius, cols) as f32)
        .collect();
    let mut mean = Vec::with_capacity(rows * cols);
    for row in 0..rows {
        let factor = 1.0 / clipped_length(row, radius, rows) as f32;
        let line = sum.row(row).iter().zip(&widths);
        mean.extend(line.map(|(&s, &w)| s as f32 * w * factor));
    }
    Image::from_pixels(rows, cols, mean).expect("one line per row")
}

/// Length of `at − radius ..= at + radius` inside `0..len`.
pub(crate) fn clipped_length(at: usize, radius: usize, len: usize) -> usize {
    (at + radius + 1).min(len) - at.saturating_sub(radius)
}

/// Pixel by pixel from two images of one size.
pub(crate) fn zip<A: Copy, B: Copy, T: Copy>(
    a: &Image<A>,
    b: &Image<B>,
    f: impl Fn(A, B) -> T,
) -> Image<T> {
    debug_assert_eq!((a.rows(), a.cols()), (b.rows(), b.cols()));
    let pixels = a.pixels().iter().zip(b.pixels());
    let pixels = pixels.map(|(&a, &b)| f(a, b)).collect();
    Image::from_pixels(a.rows(), a.cols(), pixels).expect("two images of one size")
}

/// Sum over the square of a radius around each pixel. Sums wrap around, differences are exact as
/// long as one square's sum fits.
pub(crate) fn box_sum(image: &Image<u32>, radius: usize) -> Image<u32> {
    let (rows, cols) = (image.rows(), image.cols());
    let mut across = Vec::with_capacity(rows * cols);
    let mut prefix = vec![0_u32; cols + 2 * radius + 1];
    for row in 0..rows {
        let mut total = 0_u32;
        for (slot, &v) in prefix[radius + 1..].iter_mut().zip(image.row(row)) {
            total = total.wrapping_add(v);
            *slot = total;
        }
        prefix[radius + cols + 1..].fill(total);
        let ends = prefix[2 * radius + 1..].iter().zip(&prefix);
        across.extend(ends.map(|(to, &from)| to.wrapping_sub(from)));
    }
    sum_down(&across, rows, cols, radius)
}

fn sum_down(across: &[u32], rows: usize, cols: usize, radius: usize) -> Image<u32> {
    let line = |row: usize| &across[row * cols..(row + 1) * cols];
    let mut running = vec![0_u32; cols];
    let mut out = Vec::with_capacity(rows * cols);
    for row in 0..radius.min(rows) {
        add(&mut running, line(row), u32::wrapping_add);
    }
    for row in 0..rows {
        if row + radius < rows {
            add(&mut running, line(row + radius), u32::wrapping_add);
        }
        if row > radius {
            add(&mut running, line(row - radius - 1), u32::wrapping_sub);
        }
        out.extend_from_slice(&running);
    }
    Image::from_pixels(rows, cols, out).expect("one line per row")
}

fn add(running: &mut [u32], line: &[u32], combine: impl Fn(u32, u32) -> u32) {
    for (sum, &v) in running.iter_mut().zip(line) {
        *sum = combine(*sum, v);
    }
}
