//! The one preparation that training and inference share.
//!
//! Two steps: [`crop_sonogram`] takes the sonogram out of a picture, once per image; [`prepare`]
//! also resamples it to the network's input. Every step keeps the transform back to the image.

use lobule_exam::{Affine, Crop, PixelBox, Warning};

use crate::{Error, ErrorKind, Image, Picture, find_sonogram, paint_over_marks};

/// How a picture becomes the network's input. Travels inside the model package.
#[derive(Debug, Clone, PartialEq)]
pub struct PrepareConfig {
    /// Rows of the network's input.
    pub rows: usize,
    /// Columns of the network's input.
    pub cols: usize,
    /// Subtracted from the 8-bit brightness.
    pub mean: f32,
    /// Divides the difference; above zero.
    pub std: f32,
    /// Whether burnt-in marks are painted over ([`paint_over_marks`]).
    pub paint_marks: bool,
}

impl Default for PrepareConfig {
    fn default() -> PrepareConfig {
        PrepareConfig {
            rows: 224,
            cols: 224,
            mean: 127.0,
            std: 128.0,
            paint_marks: true,
        }
    }
}

/// A sonogram taken out of its picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// 8-bit brightness inside the crop's window.
    pub gray: Image<u8>,
    /// Where it was taken from.
    pub crop: Crop,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

/// The network's input and the way back.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkInput {
    /// One channel, `rows × cols`, row-major, standardised.
    pub chw: Vec<f32>,
    /// Rows of the input.
    pub rows: usize,
    /// Columns of the input.
    pub cols: usize,
    /// Takes a point of the input to the original image.
    pub image_from_input: Affine,
    /// Where the sonogram was taken from.
    pub crop: Crop,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

/// Finds the sonogram, crops to it and, if configured, paints over burnt-in marks.
///
/// `regions` are the file's own ultrasound regions, in pixels of the picture; none means that the
/// window is found from the pixels.
///
/// # Errors
/// When the picture holds no sonogram or is something else.
pub fn crop_sonogram(
    picture: &Picture,
    regions: &[PixelBox],
    config: &PrepareConfig,
) -> Result<Prepared, Error> {
    let sonogram = find_sonogram(picture, regions)?;
    let mut gray = picture.luma().crop(sonogram.window);
    let painted_pixels = if config.paint_marks {
        paint_over_marks(&mut gray)
    } else {
        0
    };
    let crop = Crop {
        window: sonogram.window,
        method: sonogram.method,
        painted_pixels,
    };
    Ok(Prepared {
        gray,
        crop,
        warnings: sonogram.warnings,
    })
}

/// From a picture to the network's input: crop, then fit into the input without distortion
/// (aspect ratio kept, centred, black around), then standardise.
///
/// # Errors
/// As [`crop_sonogram`].
pub fn prepare(
    picture: &Picture,
    regions: &[PixelBox],
    config: &PrepareConfig,
) -> Result<NetworkInput, Error> {
    crop_sonogram(picture, regions, config)?.into_input(config)
}

impl Prepared {
    /// Resamples the cropped sonogram to the network's input ([`Image::resized`]).
    ///
    /// # Errors
    /// When the crop or the configured input is empty.
    pub fn into_input(self, config: &PrepareConfig) -> Result<NetworkInput, Error> {
        let (rows, cols) = (self.gray.rows(), self.gray.cols());
        if rows == 0 || cols == 0 || config.rows == 0 || config.cols == 0 {
            return Err(Error::new(
                ErrorKind::NoSonogram,
                format!("expected pixels, got a crop of {rows} × {cols}"),
            ));
        }
        let place = fit(rows, cols, config.rows, config.cols);
        let small = self.gray.resized(place.rows, place.cols)?;
        let pad = (0.0 - config.mean) / config.std;
        let mut chw = vec![pad; config.rows * config.cols];
        for row in 0..place.rows {
            let start = (place.row + row) * config.cols + place.col;
            for (out, &v) in chw[start..start + place.cols]
                .iter_mut()
                .zip(small.row(row))
            {
                *out = (f32::from(v) - config.mean) / config.std;
            }
        }
        let window = self.crop.window;
        let crop_from_input = Affine::resample(
            rows as f64 / place.rows as f64,
            cols as f64 / place.cols as f64,
        )
        .compose(&Affine::translate(-(place.row as f64), -(place.col as f64)));
        Ok(NetworkInput {
            chw,
            rows: config.rows,
            cols: config.cols,
            image_from_input: Affine::translate(window.row as f64, window.col as f64)
                .compose(&crop_from_input),
            crop: self.crop,
            warnings: self.warnings,
        })
    }
}

/// The largest centred box of the given shape's aspect ratio inside `into_rows × into_cols`.
fn fit(rows: usize, cols: usize, into_rows: usize, into_cols: usize) -> PixelBox {
    let factor = (into_rows as f64 / rows as f64).min(into_cols as f64 / cols as f64);
    let scaled = |n: usize, most: usize| ((n as f64 * factor).round() as usize).clamp(1, most);
    let (r, c) = (scaled(rows, into_rows), scaled(cols, into_cols));
    PixelBox {
        row: (into_rows - r) / 2,
        col: (into_cols - c) / 2,
        rows: r,
        cols: c,
    }
}
