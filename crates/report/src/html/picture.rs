//! Pictures inside pages, as data URIs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType as PngFilter, PngEncoder};
use image::imageops::{self, FilterType};
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use lobule_exam::{FindingClass, PixelBox, Point, SaliencyMap};
use lobule_raster::{Image, Picture};

use crate::color_map::{heat_color, heat_cover};
use crate::{Error, Surroundings};

/// Longest side of a picture inside a page.
const LONGEST: usize = 960;
/// Longest side of a breast inside a page.
const LONGEST_BREAST: usize = 1200;
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

/// The box around a breast as JPEG, at most 1200 pixels on its longest side.
pub(crate) fn breast_uri(gray: Image<u8>) -> Result<String, Error> {
    encode_gray(gray, LONGEST_BREAST)
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
    let Picture::Rgb8(image) = picture else {
        return encode_gray(picture.luma(), LONGEST);
    };
    let (rows, cols) = smaller(image.rows(), image.cols(), LONGEST);
    rgb_uri(&resized_rgb(image, rows, cols)?)
}

/// A picture in color in another size.
pub(crate) fn resized_rgb(
    picture: &Image<[u8; 3]>,
    rows: usize,
    cols: usize,
) -> Result<Image<[u8; 3]>, Error> {
    if (picture.rows(), picture.cols()) == (rows, cols) {
        return Ok(picture.clone());
    }
    let bytes = picture.pixels().as_flattened().to_vec();
    let buffer = RgbImage::from_raw(side(picture.cols())?, side(picture.rows())?, bytes)
        .ok_or_else(|| Error::format("expected as many bytes as pixels"))?;
    let small = imageops::resize(&buffer, side(cols)?, side(rows)?, FilterType::Triangle);
    let pixels = small.pixels().map(|p| p.0).collect();
    Image::from_pixels(rows, cols, pixels)
        .ok_or_else(|| Error::format("expected as many pixels as rows and columns"))
}

/// A picture in color as JPEG, as large as it is.
pub(crate) fn rgb_uri(image: &Image<[u8; 3]>) -> Result<String, Error> {
    let (rows, cols) = (image.rows(), image.cols());
    jpeg_uri(
        image.pixels().as_flattened(),
        rows,
        cols,
        ExtendedColorType::Rgb8,
    )
}

fn encode_gray(image: Image<u8>, longest: usize) -> Result<String, Error> {
    let (rows, cols) = smaller(image.rows(), image.cols(), longest);
    let small = image.resized_to_show(rows, cols);
    let small = small.map_err(Error::format)?;
    jpeg_uri(small.pixels(), rows, cols, ExtendedColorType::L8)
}

/// The malignant map as a transparent PNG whose edges are the grid's outer edges; an empty map is
/// one clear pixel.
pub(crate) fn overlay_uri(map: &SaliencyMap) -> Result<String, Error> {
    let drawn = |nodes: usize| (nodes * OVERLAY_FACTOR).max(1);
    let (rows, cols) = (drawn(map.rows), drawn(map.cols));
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

/// SVG's matrix from the overlay's edges, in grid units, to the picture's edges, in pixels: both
/// count from the outer corner, half a unit from the first centre.
pub(super) fn overlay_transform(map: &SaliencyMap) -> String {
    let [r, c] = map.image_from_grid.matrix;
    let edge = |m: [f64; 3]| m[2] + 0.5 - 0.5 * (m[0] + m[1]);
    format!(
        "matrix({:.6} {:.6} {:.6} {:.6} {:.4} {:.4})",
        c[1],
        r[1],
        c[0],
        r[0],
        edge(c),
        edge(r)
    )
}

fn smaller(rows: usize, cols: usize, longest: usize) -> (usize, usize) {
    let factor = (longest as f64 / rows.max(cols).max(1) as f64).min(1.0);
    let side = |n: usize| ((n as f64 * factor).round() as usize).max(1);
    (side(rows), side(cols))
}

fn jpeg_uri(
    bytes: &[u8],
    rows: usize,
    cols: usize,
    color: ExtendedColorType,
) -> Result<String, Error> {
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY)
        .encode(bytes, side(cols)?, side(rows)?, color)
        .map_err(Error::format)?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(out)))
}

fn side(n: usize) -> Result<u32, Error> {
    u32::try_from(n).map_err(|_| Error::format(format!("expected a shorter side, got {n} pixels")))
}
