//! An image in memory.

use ::image::imageops;
use ::image::{ImageBuffer, Luma};
use fast_image_resize::images::TypedImage;
use fast_image_resize::pixels::{F32, U8};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use lobule_exam::PixelBox;

use crate::{Error, ErrorKind};

/// A row-major image of one value per pixel (`u8`, `u16`, `f32`, `bool`, `[u8; 3]`, …).
#[derive(Debug, Clone, PartialEq)]
pub struct Image<T> {
    rows: usize,
    cols: usize,
    pixels: Vec<T>,
}

impl<T: Copy> Image<T> {
    /// Wraps pixels in row-major order; `None` unless there are exactly `rows · cols` of them.
    pub fn from_pixels(rows: usize, cols: usize, pixels: Vec<T>) -> Option<Image<T>> {
        (rows.checked_mul(cols)? == pixels.len()).then_some(Image { rows, cols, pixels })
    }

    /// An image of one value.
    pub fn filled(rows: usize, cols: usize, value: T) -> Image<T> {
        Image {
            rows,
            cols,
            pixels: vec![value; rows * cols],
        }
    }

    /// An image whose pixel at (row, col) is `value(row, col)`.
    pub fn from_fn(rows: usize, cols: usize, mut value: impl FnMut(usize, usize) -> T) -> Image<T> {
        let mut pixels = Vec::with_capacity(rows * cols);
        for row in 0..rows {
            pixels.extend((0..cols).map(|col| value(row, col)));
        }
        Image { rows, cols, pixels }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All pixels, row by row.
    pub fn pixels(&self) -> &[T] {
        &self.pixels
    }

    /// All pixels, row by row, to write to.
    pub fn pixels_mut(&mut self) -> &mut [T] {
        &mut self.pixels
    }

    /// The pixels, given away.
    pub fn into_pixels(self) -> Vec<T> {
        self.pixels
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[T] {
        &self.pixels[row * self.cols..(row + 1) * self.cols]
    }

    /// The pixel at (row, col), which must lie inside.
    pub fn at(&self, row: usize, col: usize) -> T {
        self.pixels[row * self.cols + col]
    }

    /// Writes the pixel at (row, col), which must lie inside.
    pub fn set(&mut self, row: usize, col: usize, value: T) {
        self.pixels[row * self.cols + col] = value;
    }

    /// The part inside a window; what sticks out of the image is left away.
    pub fn crop(&self, window: PixelBox) -> Image<T> {
        let inside = window.intersect(PixelBox::whole(self.rows, self.cols));
        let mut pixels = Vec::with_capacity(inside.area());
        for row in inside.row..inside.row_end() {
            pixels.extend_from_slice(&self.row(row)[inside.col..inside.col_end()]);
        }
        Image {
            rows: inside.rows,
            cols: inside.cols,
            pixels,
        }
    }

    /// The image with each value replaced.
    pub fn map<U: Copy>(&self, f: impl Fn(T) -> U) -> Image<U> {
        Image {
            rows: self.rows,
            cols: self.cols,
            pixels: self.pixels.iter().map(|&v| f(v)).collect(),
        }
    }
}

/// A number that images are resampled in.
pub trait Sample: Copy {
    /// The pixels of an image of `from` columns and rows in `to` columns and rows, by the triangle
    /// filter; none where the library refuses these sizes.
    fn resampled(pixels: Vec<Self>, from: [u32; 2], to: [u32; 2]) -> Option<Vec<Self>>;
}

/// By the library that the shipped model of ultrasound was trained with: sums in another order fall to
/// the other side where a value lies half way between two of the 256 steps, which moves scores by 0.02.
impl Sample for u8 {
    fn resampled(pixels: Vec<u8>, from: [u32; 2], to: [u32; 2]) -> Option<Vec<u8>> {
        let buffer: ImageBuffer<Luma<u8>, Vec<u8>> =
            ImageBuffer::from_raw(from[0], from[1], pixels)?;
        let scaled = imageops::resize(&buffer, to[0], to[1], imageops::FilterType::Triangle);
        Some(scaled.into_raw())
    }
}

/// By a faster one; half a step of 65,536 is nothing.
impl Sample for u16 {
    fn resampled(pixels: Vec<u16>, from: [u32; 2], to: [u32; 2]) -> Option<Vec<u16>> {
        let values = pixels.into_iter().map(|v| F32::new(v.into())).collect();
        let scaled = fast::<F32>(values, from, to)?;
        Some(scaled.pixels().iter().map(|v| (v.0 + 0.5) as u16).collect())
    }
}

fn fast<P: PixelTrait>(
    pixels: Vec<P>,
    from: [u32; 2],
    to: [u32; 2],
) -> Option<TypedImage<'static, P>> {
    let source = TypedImage::from_pixels(from[0], from[1], pixels).ok()?;
    let mut scaled = TypedImage::new(to[0], to[1]);
    let triangle = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    let done = Resizer::new().resize_typed(&source, &mut scaled, &triangle);
    done.ok().map(|()| scaled)
}

impl<T: Sample> Image<T> {
    /// The image in another size: triangle filter, widened when shrinking, by the half-pixel
    /// convention of [`Affine::resample`](lobule_exam::Affine::resample).
    ///
    /// ```
    /// # fn main() -> Result<(), lobule_raster::Error> {
    /// let image = lobule_raster::Image::filled(4, 6, 9_u8);
    /// assert_eq!(image.resized(2, 3)?.pixels(), [9; 6]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a side has 2³² pixels or more.
    pub fn resized(self, rows: usize, cols: usize) -> Result<Image<T>, Error> {
        if (self.rows, self.cols) == (rows, cols) {
            return Ok(self);
        }
        self.by(rows, cols, T::resampled)
    }
}

impl<T: Copy> Image<T> {
    fn by(
        self,
        rows: usize,
        cols: usize,
        resampled: impl Fn(Vec<T>, [u32; 2], [u32; 2]) -> Option<Vec<T>>,
    ) -> Result<Image<T>, Error> {
        let too_large = || {
            let message = "expected fewer than 2³² pixels a side";
            Error::new(ErrorKind::TooLarge, message)
        };
        let side = |n: usize| u32::try_from(n).map_err(|_| too_large());
        let from = [side(self.cols)?, side(self.rows)?];
        let pixels = resampled(self.pixels, from, [side(cols)?, side(rows)?]);
        let pixels = pixels.ok_or_else(too_large)?;
        Image::from_pixels(rows, cols, pixels).ok_or_else(too_large)
    }
}

impl Image<u8> {
    /// The image in another size for people to look at: as [`Image::resized`], up to one step of 255
    /// beside it, in a fraction of the time. Not for a network.
    ///
    /// # Errors
    /// As [`Image::resized`].
    pub fn resized_to_show(self, rows: usize, cols: usize) -> Result<Image<u8>, Error> {
        self.by(rows, cols, |pixels, from, to| {
            let pixels = pixels.into_iter().map(U8::new).collect();
            let scaled = fast::<U8>(pixels, from, to)?;
            Some(scaled.pixels().iter().map(|v| v.0).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the image library's own filter of that name, whose order of sums differs.
    #[test]
    fn resampling_is_the_triangle_filter() {
        let image = Image::from_fn(37, 53, |r, c| (r * 7919 + c * 104_729 + r * c * 31) as u16);
        let buffer: ::image::ImageBuffer<::image::Luma<u16>, Vec<u16>> =
            ::image::ImageBuffer::from_raw(53, 37, image.pixels().to_vec()).unwrap();
        for (rows, cols) in [(20, 30), (64, 41), (37, 90), (1, 1), (5, 200)] {
            let triangle = ::image::imageops::FilterType::Triangle;
            let expected = ::image::imageops::resize(&buffer, cols, rows, triangle);
            let got = image.clone().resized(rows as usize, cols as usize).unwrap();
            let pairs = got.pixels().iter().zip(expected.as_raw());
            let most = pairs.map(|(a, b)| a.abs_diff(*b)).max();
            assert!(most <= Some(1), "{rows} × {cols}: {most:?}");
        }
    }

    #[test]
    fn pictures_to_look_at_are_one_step_away_at_most() {
        let image = Image::from_fn(37, 53, |r, c| (r * 7919 + c * 104_729 + r * c * 31) as u8);
        for (rows, cols) in [(20, 30), (64, 41), (37, 53), (1, 1), (5, 200)] {
            let exact = image.clone().resized(rows, cols).unwrap();
            let shown = image.clone().resized_to_show(rows, cols).unwrap();
            let pairs = exact.pixels().iter().zip(shown.pixels());
            let most = pairs.map(|(a, b)| a.abs_diff(*b)).max();
            assert!(most <= Some(1), "{rows} × {cols}: {most:?}");
        }
    }

    #[test]
    fn nothing_is_resized_to_nothing_of_another_size() {
        for (rows, cols) in [(0, 4), (4, 0), (0, 0)] {
            let empty = Image::<u8>::filled(rows, cols, 7);
            if let Ok(resized) = empty.resized(3, 5) {
                assert_eq!((resized.rows(), resized.cols()), (3, 5));
            }
        }
        let none = Image::filled(3, 5, 7_u8).resized(0, 2).unwrap();
        assert_eq!((none.rows(), none.cols(), none.pixels().len()), (0, 2, 0));
    }
}
