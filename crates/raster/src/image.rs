//! An image in memory.

use lobule_exam::PixelBox;

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
