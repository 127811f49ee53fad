//! Reading PNG, JPEG, TIFF, BMP and binary graymaps (PGM), told apart by their content.
//!
//! Owns: opening a picture file, the limits checked before memory is taken, and the reduction to
//! [`Picture`]'s three forms. Does not own: DICOM files (`dicomio`), what a picture shows
//! ([`crate::find_sonogram`]).
//!
//! ```no_run
//! use lobule_raster::{Limits, read_picture};
//! let picture = read_picture("breast.png".as_ref(), &Limits::default())?;
//! println!("{} × {}", picture.rows(), picture.cols());
//! # Ok::<(), lobule_raster::Error>(())
//! ```

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use ::image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};

use crate::tiff::{self, Palette};
use crate::{Error, ErrorKind, Image, Picture};

/// Bounds checked before memory is taken.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most pixels of one picture.
    pub max_pixels: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_pixels: 64 << 20,
        }
    }
}

/// Most bytes that one decoded pixel takes (RGB and alpha of 16 bits each).
const MAX_BYTES_PER_PIXEL: u64 = 8;

/// What a file may hold besides its pixels: headers, profiles, thumbnails.
const FILE_SLACK_BYTES: u64 = 16 << 20;

/// The channels of an RGB picture differ by no more than this in a picture that is grey: what
/// rounding in a JPEG's colour conversion leaves.
const GRAY_TOLERANCE: u8 = 2;

/// Decodes a picture file.
///
/// Grey stays grey, of 8 or 16 bits; RGB becomes 8-bit, and grey where its channels are equal;
/// palettes are looked up; alpha is laid over black; an orientation stated by the file is applied.
///
/// # Errors
/// When the file cannot be read, is no such picture, is damaged, or is larger than `limits`.
pub fn read_picture(path: &Path, limits: &Limits) -> Result<Picture, Error> {
    let bytes = read_bytes(path, limits).map_err(|e| e.in_file(path))?;
    decode(&bytes, limits).map_err(|e| e.in_file(path))
}

/// The whole file, if it can be a picture within the limits.
fn read_bytes(path: &Path, limits: &Limits) -> Result<Vec<u8>, Error> {
    let io = |e: std::io::Error| Error::new(ErrorKind::Io, format!("cannot be read: {e}"));
    let file = File::open(path).map_err(io)?;
    let about = file.metadata().map_err(io)?;
    if !about.is_file() {
        let message = "expected a file, got a folder or a device";
        return Err(Error::new(ErrorKind::Io, message));
    }
    let most = max_decoded_bytes(limits).saturating_add(FILE_SLACK_BYTES);
    if about.len() > most {
        let message = format!("expected at most {most} bytes, got {}", about.len());
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

fn max_decoded_bytes(limits: &Limits) -> u64 {
    limits.max_pixels.saturating_mul(MAX_BYTES_PER_PIXEL)
}

/// Decodes the bytes of a file.
fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, Error> {
    let format = guess_format(bytes)?;
    if format == ImageFormat::Tiff {
        return decode_tiff(bytes, limits);
    }
    decode_as(format, bytes, limits)
}

fn decode_tiff(bytes: &[u8], limits: &Limits) -> Result<Picture, Error> {
    if tiff::claims_more(bytes) {
        let message = "expected a TIFF file that holds its tables, got one that claims longer ones";
        return Err(Error::new(ErrorKind::Format, message));
    }
    let Some(palette) = Palette::of(bytes)? else {
        return decode_as(ImageFormat::Tiff, bytes, limits);
    };
    match decode_as(ImageFormat::Tiff, &palette.indices, limits)? {
        Picture::Gray8(indices) => Ok(gray_if_gray(palette.look_up(&indices))),
        _ => Err(Error::new(
            ErrorKind::Format,
            "expected a palette with indices of 8 bits, got others",
        )),
    }
}

fn decode_as(format: ImageFormat, bytes: &[u8], limits: &Limits) -> Result<Picture, Error> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(decoder_limits(limits));
    let mut decoder = reader.into_decoder().map_err(|e| refuse(format, &e))?;
    check_size(decoder.dimensions(), limits)?;
    if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) {
        let message = "expected a whole JPEG file, got one that ends too early";
        return Err(Error::new(ErrorKind::Format, message));
    }
    let orientation = decoder.orientation().ok();
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(|e| refuse(format, &e))?;
    if let Some(orientation) = orientation {
        decoded.apply_orientation(orientation);
    }
    into_picture(decoded)
}

fn decoder_limits(limits: &Limits) -> ::image::Limits {
    let mut bounds = ::image::Limits::no_limits();
    bounds.max_alloc = Some(max_decoded_bytes(limits).saturating_add(FILE_SLACK_BYTES));
    bounds
}

fn check_size((cols, rows): (u32, u32), limits: &Limits) -> Result<(), Error> {
    if rows == 0 || cols == 0 {
        let message = "expected at least one pixel, got none";
        return Err(Error::new(ErrorKind::Format, message));
    }
    if u64::from(cols) * u64::from(rows) <= limits.max_pixels {
        return Ok(());
    }
    let message = format!(
        "expected at most {} pixels, got {rows} rows of {cols}",
        limits.max_pixels
    );
    Err(Error::new(ErrorKind::TooLarge, message))
}

/// The format by the first bytes, whatever the file's name says.
fn guess_format(bytes: &[u8]) -> Result<ImageFormat, Error> {
    use ImageFormat::{Bmp, Jpeg, Png, Pnm, Tiff};
    match ::image::guess_format(bytes) {
        Ok(format @ (Png | Jpeg | Tiff | Bmp)) => Ok(format),
        Ok(Pnm) if bytes.starts_with(b"P5") => Ok(Pnm),
        _ => Err(Error::new(
            ErrorKind::Format,
            format!(
                "expected a PNG, JPEG, TIFF, BMP, PGM or DICOM file, got {}",
                describe(bytes)
            ),
        )),
    }
}

/// First bytes of files that end up among pictures, and what they are called.
const OTHER_FILES: [(&[u8], &str); 8] = [
    (b"GIF8", "a GIF file"),
    (b"%PDF", "a PDF file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"RIFF", "a WebP or video file"),
    (b"\x00\x00\x00\x0cjP", "a JPEG 2000 file"),
    (b"<svg", "an SVG file"),
    (b"\x89PNG", "a damaged PNG file"),
];

/// What unreadable bytes are, in words.
fn describe(bytes: &[u8]) -> &'static str {
    if bytes.is_empty() {
        return "an empty file";
    }
    if bytes.get(128..132) == Some(b"DICM") {
        return "a DICOM file where a picture was expected";
    }
    let known = OTHER_FILES
        .iter()
        .find(|(start, _)| bytes.starts_with(start));
    let head = &bytes[..bytes.len().min(512)];
    match known {
        Some((_, name)) => name,
        None if head.iter().all(|&b| b >= 0x20 || b.is_ascii_whitespace()) => "a text file",
        None => "bytes of an unknown format",
    }
}

/// Whether an end-of-image marker follows the last start of scan. The decoder itself fills up
/// what is missing, which would be scored silently.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    match (last(0xd9), last(0xda)) {
        (Some(end), Some(scan)) => end > scan,
        _ => false,
    }
}

/// The decoder's complaint in this crate's words.
fn refuse(format: ImageFormat, error: &ImageError) -> Error {
    let name = format.extensions_str().first().unwrap_or(&"picture");
    match error {
        ImageError::Limits(_) => Error::new(
            ErrorKind::TooLarge,
            format!("expected a picture within the memory limit, got a larger {name} file"),
        ),
        ImageError::Unsupported(why) => Error::new(
            ErrorKind::Format,
            format!("expected 8 or 16 bits of grey, RGB or palette, got {why}"),
        ),
        other => Error::new(
            ErrorKind::Format,
            format!("expected a whole {name} file, got a truncated or damaged one ({other})"),
        ),
    }
}

/// Reduces what a decoder gives to the three forms of [`Picture`].
fn into_picture(decoded: DynamicImage) -> Result<Picture, Error> {
    let (rows, cols) = (decoded.height() as usize, decoded.width() as usize);
    match decoded {
        DynamicImage::ImageLuma8(b) => wrap(rows, cols, b.into_raw()).map(Picture::Gray8),
        DynamicImage::ImageLuma16(b) => wrap(rows, cols, b.into_raw()).map(Picture::Gray16),
        DynamicImage::ImageLumaA8(b) => {
            let pixels = b.pixels().map(|p| over_black8(p.0[0], p.0[1])).collect();
            wrap(rows, cols, pixels).map(Picture::Gray8)
        }
        DynamicImage::ImageLumaA16(b) => {
            let pixels = b.pixels().map(|p| over_black16(p.0[0], p.0[1])).collect();
            wrap(rows, cols, pixels).map(Picture::Gray16)
        }
        DynamicImage::ImageRgb8(b) => rgb(rows, cols, b.pixels().map(|p| p.0).collect()),
        DynamicImage::ImageRgba8(b) => {
            let flat = |[r, g, b, a]: [u8; 4]| [r, g, b].map(|v| over_black8(v, a));
            rgb(rows, cols, b.pixels().map(|p| flat(p.0)).collect())
        }
        DynamicImage::ImageRgb16(b) => {
            rgb(rows, cols, b.pixels().map(|p| p.0.map(high_byte)).collect())
        }
        DynamicImage::ImageRgba16(b) => {
            let flat = |[r, g, b, a]: [u16; 4]| [r, g, b].map(|v| high_byte(over_black16(v, a)));
            rgb(rows, cols, b.pixels().map(|p| flat(p.0)).collect())
        }
        _ => Err(Error::new(
            ErrorKind::Format,
            "expected 8 or 16 bits per channel, got floating-point pixels",
        )),
    }
}

fn wrap<T: Copy>(rows: usize, cols: usize, pixels: Vec<T>) -> Result<Image<T>, Error> {
    Image::from_pixels(rows, cols, pixels)
        .ok_or_else(|| Error::new(ErrorKind::Format, "expected as many pixels as stated"))
}

/// RGB, or grey where the channels say the same.
fn rgb(rows: usize, cols: usize, pixels: Vec<[u8; 3]>) -> Result<Picture, Error> {
    wrap(rows, cols, pixels).map(gray_if_gray)
}

fn gray_if_gray(image: Image<[u8; 3]>) -> Picture {
    let spread = |p: &[u8; 3]| p.iter().max().zip(p.iter().min()).map_or(0, |(a, b)| a - b);
    let is_gray = image.pixels().iter().all(|p| spread(p) <= GRAY_TOLERANCE);
    let picture = Picture::Rgb8(image);
    match is_gray {
        true => Picture::Gray8(picture.luma()),
        false => picture,
    }
}

fn over_black8(value: u8, alpha: u8) -> u8 {
    ((u32::from(value) * u32::from(alpha) + 127) / 255) as u8
}

fn over_black16(value: u16, alpha: u16) -> u16 {
    ((u64::from(value) * u64::from(alpha) + 32_767) / 65_535) as u16
}

fn high_byte(value: u16) -> u8 {
    (value >> 8) as u8
}
