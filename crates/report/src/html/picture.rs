//! Pictures inside pages, as data URIs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType as PngFilter, PngEncoder};
use image::imageops::{self, FilterType};
use image::{ExtendedColorType, ImageBuffer, ImageEncoder, Luma, Rgb};
use lobule_exam::{FindingClass, PixelBox, Point, SaliencyMap};
use lobule_raster::{Image, Picture};

use crate::color_map::{heat_color, heat_cover};
use crate::{Error, Surroundings};

/// Longest side of a picture inside a page.
const LONGEST: usize = 960;
/// Brightness of hidden surroundings.
const FLAT: u8 = 36;
const JPEG_QUALITY: u8 = 88;
/// Overlay pixels per node of the saliency grid; the browser smooths the rest.
const OVERLAY_FACTOR: usize = 4;

pub(crate) fn encode_png(
    bytes: &[u8],
    rows: usize,
    cols: usize,
    color: ExtendedColorType,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let (width, height) = (side(cols)?, side(rows)?);
    PngEncoder::new_with_quality(&mut out, CompressionType::Fast, PngFilter::Adaptive)
        .write_image(bytes, width, height, color)
        .map_err(Error::format)?;
    Ok(out)
}

/// The whole picture as JPEG, at most 960 pixels on its longest side. Hidden surroundings are
/// painted flat before anything is encoded: names burnt into the margin do not reach the page.
pub(crate) fn picture_uri(
    picture: &Picture,
    window: PixelBox,
    surroundings: Surroundings,
) -> Result<String, Error> {
    let hidden = match surroundings {
        Surroundings::Hide => Some(only_inside(picture, window)),
        Surroundings::Show => None,
    };
    encode_picture(hidden.as_ref().unwrap_or(picture))
}

fn only_inside(picture: &Picture, window: PixelBox) -> Picture {
    fn paint<T: Copy>(image: &Image<T>, window: PixelBox, flat: T) -> Image<T> {
        let rows = window.row..window.row_end();
        let cols = window.col..window.col_end();
        Image::from_fn(image.rows(), image.cols(), |row, col| {
            match rows.contains(&row) && cols.contains(&col) {
                true => image.at(row, col),
                false => flat,
            }
        })
    }
    match picture {
        Picture::Rgb8(image) => Picture::Rgb8(paint(image, window, [FLAT; 3])),
        other => Picture::Gray8(paint(&other.luma(), window, FLAT)),
    }
}

fn encode_picture(picture: &Picture) -> Result<String, Error> {
    let (rows, cols) = smaller(picture.rows(), picture.cols());
    let bytes = match picture {
        Picture::Rgb8(image) => {
            let buffer: ImageBuffer<Rgb<u8>, _> = buffer(image, image.pixels().concat())?;
            let small = imageops::resize(&buffer, side(cols)?, side(rows)?, FilterType::Triangle);
            encode_jpeg(small.as_raw(), rows, cols, ExtendedColorType::Rgb8)?
        }
        gray => {
            let image = gray.luma();
            let buffer: ImageBuffer<Luma<u8>, _> = buffer(&image, image.pixels().to_vec())?;
            let small = imageops::resize(&buffer, side(cols)?, side(rows)?, FilterType::Triangle);
            encode_jpeg(small.as_raw(), rows, cols, ExtendedColorType::L8)?
        }
    };
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes)))
}

/// The malignant map as a transparent PNG whose edges are the grid's outer edges.
pub(crate) fn overlay_uri(map: &SaliencyMap) -> Result<String, Error> {
    let (rows, cols) = (map.rows * OVERLAY_FACTOR, map.cols * OVERLAY_FACTOR);
    let mut bytes = Vec::with_capacity(rows * cols * 4);
    let node = |at: usize| (at as f64 + 0.5) / OVERLAY_FACTOR as f64 - 0.5;
    for row in 0..rows {
        for col in 0..cols {
            let at = Point {
                row: node(row),
                col: node(col),
            };
            let value = map.value_at(FindingClass::Malignant, at);
            bytes.extend(heat_color(value));
            bytes.push((heat_cover(value) * 255.0).round() as u8);
        }
    }
    let png = encode_png(&bytes, rows, cols, ExtendedColorType::Rgba8)?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(png)))
}

fn smaller(rows: usize, cols: usize) -> (usize, usize) {
    let factor = (LONGEST as f64 / rows.max(cols).max(1) as f64).min(1.0);
    let side = |n: usize| ((n as f64 * factor).round() as usize).max(1);
    (side(rows), side(cols))
}

fn buffer<T: Copy, P: image::Pixel<Subpixel = u8>>(
    image: &Image<T>,
    bytes: Vec<u8>,
) -> Result<ImageBuffer<P, Vec<u8>>, Error> {
    ImageBuffer::from_raw(side(image.cols())?, side(image.rows())?, bytes)
        .ok_or_else(|| Error::format("expected as many bytes as pixels"))
}

fn encode_jpeg(
    bytes: &[u8],
    rows: usize,
    cols: usize,
    color: ExtendedColorType,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY)
        .encode(bytes, side(cols)?, side(rows)?, color)
        .map_err(Error::format)?;
    Ok(out)
}

fn side(n: usize) -> Result<u32, Error> {
    u32::try_from(n).map_err(|_| Error::format(format!("expected a shorter side, got {n} pixels")))
}
