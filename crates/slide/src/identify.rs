//! Which files are slides, before any pixel is read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use lobule_dicomio::{SlideImageKind, is_dicom, read_slide_header};
use lobule_raster::Limits;

use crate::{SlideFormat, SlideLimits, open_slide};

/// No slide scanner's finest pixels are larger, in microns; those of printed pages (72 to 2400 per inch)
/// are.
const SCANNERS_MPP: f64 = 5.0;

/// What a file is among slides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlideKind {
    /// A slide, with a key that all files of one slide share.
    Slide(String),
    /// A picture: a slide only where the user says so, and how large its pixels are.
    Picture,
    /// Something else.
    Other,
}

/// Tells slides from pictures and from everything else. Whole-slide objects of DICOM and TIFF files of
/// Aperio and OME are slides; other TIFF files are where they hold several levels or state microns per
/// pixel as scanners have them.
///
/// ```
/// use lobule_slide::{SlideKind, slide_kind};
/// assert_eq!(slide_kind("Cargo.toml".as_ref()), SlideKind::Other);
/// ```
pub fn slide_kind(path: &Path) -> SlideKind {
    let own = || SlideKind::Slide(path.display().to_string());
    #[cfg(feature = "openslide")]
    if crate::other_makers::maker_of(path).is_some() {
        return own();
    }
    let mut first = Vec::new();
    let read = File::open(path).and_then(|f| f.take(4).read_to_end(&mut first));
    match *first.as_slice() {
        _ if read.is_err() => SlideKind::Other,
        [b'I', b'I', 42 | 43, 0] | [b'M', b'M', 0, 42 | 43] => match is_plain_tiff(path) {
            true => SlideKind::Picture,
            false => own(),
        },
        [0xFF, 0xD8, 0xFF, _] | [0x89, b'P', b'N', b'G'] => SlideKind::Picture,
        _ if is_dicom(path) => dicom_kind(path),
        _ => SlideKind::Other,
    }
}

/// One level of unknown resolution. A damaged file counts as plain unless its name says that it is a
/// slide, which is then refused where it is read, with the reason.
fn is_plain_tiff(path: &Path) -> bool {
    let Ok(slide) = open_slide(path, &SlideLimits::default()) else {
        return path
            .extension()
            .is_none_or(|e| !e.eq_ignore_ascii_case("svs"));
    };
    let facts = slide.facts();
    let is_fine = facts
        .mpp
        .as_ref()
        .is_ok_and(|mpp| mpp.microns() <= SCANNERS_MPP);
    facts.format == SlideFormat::Tiff && facts.levels.len() == 1 && !is_fine
}

fn dicom_kind(path: &Path) -> SlideKind {
    match read_slide_header(path, &Limits::default()) {
        Ok(header) if header.kind == SlideImageKind::Volume => {
            let folder = path.parent().unwrap_or(Path::new(""));
            SlideKind::Slide(format!("{}#{}", folder.display(), header.series_key))
        }
        Ok(_) | Err(_) => SlideKind::Other,
    }
}
