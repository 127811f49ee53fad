//! From a file's first bytes to its reader. Formats of other makers are left to the OpenSlide library,
//! with the feature `openslide`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::dicom::DicomSlide;
use crate::error::io;
use crate::picture::PictureSlide;
use crate::tiff::TiffSlide;
use crate::{Error, ErrorKind, TileSource};

#[cfg(not(feature = "openslide"))]
const OTHER_FORMAT: &str = "expected a TIFF, SVS, DICOM, JPEG or PNG file, got bytes of another format \
    (slides of other makers need a build with the feature openslide)";
#[cfg(feature = "openslide")]
const OTHER_FORMAT: &str =
    "expected a TIFF, SVS, DICOM, JPEG or PNG file or one that OpenSlide knows, got another";

/// Bounds checked before memory is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlideLimits {
    /// Most pixels of one stored tile or strip, and of a slide that is one picture.
    pub max_tile_pixels: u64,
    /// Most tiles of one level.
    pub max_tiles: u64,
}

impl Default for SlideLimits {
    fn default() -> SlideLimits {
        SlideLimits {
            max_tile_pixels: 64 << 20,
            max_tiles: 16 << 20,
        }
    }
}

/// Opens a slide: TIFF, BigTIFF, SVS, OME-TIFF, DICOM, or one JPEG or PNG picture, told apart by
/// content; with the feature `openslide` also what that library alone knows. A DICOM slide is all files of the
/// series in the file's folder.
///
/// # Errors
/// `Io`, `Format` for other files, `Damaged`, `Unsupported` or `TooLarge` where no level can be
/// read. The error names the file.
///
/// ```no_run
/// use lobule_slide::{SlideLimits, TileKey, open_slide};
/// let slide = open_slide("slide.svs".as_ref(), &SlideLimits::default())?;
/// println!("{} levels, {:?} µm per pixel", slide.facts().levels.len(), slide.facts().mpp);
/// let corner = slide.read_tile(TileKey { level: 0, row: 0, col: 0 })?;
/// # Ok::<(), lobule_slide::Error>(())
/// ```
pub fn open_slide(path: &Path, limits: &SlideLimits) -> Result<Box<dyn TileSource>, Error> {
    open(path, limits).map_err(|e| e.in_file(path))
}

fn open(path: &Path, limits: &SlideLimits) -> Result<Box<dyn TileSource>, Error> {
    let mut file = File::open(path).map_err(io)?;
    if !file.metadata().map_err(io)?.is_file() {
        let message = "expected a file, got a folder or a device";
        return Err(Error::new(ErrorKind::Io, message));
    }
    #[cfg(feature = "openslide")]
    if let Some(maker) = crate::other_makers::maker_of(path) {
        let slide = crate::other_makers::OtherMakersSlide::open(path, &maker, limits)?;
        return Ok(Box::new(slide));
    }
    let mut first = Vec::new();
    file.by_ref().take(8).read_to_end(&mut first).map_err(io)?;
    match *first.as_slice() {
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => {
            Ok(Box::new(TiffSlide::open(path, file, limits)?))
        }
        [0xFF, 0xD8, 0xFF, ..] | [0x89, b'P', b'N', b'G', ..] => {
            Ok(Box::new(PictureSlide::open(path, limits)?))
        }
        _ if lobule_dicomio::is_dicom(path) => Ok(Box::new(DicomSlide::open(path, limits)?)),
        _ => Err(Error::new(ErrorKind::Format, OTHER_FORMAT)),
    }
}
