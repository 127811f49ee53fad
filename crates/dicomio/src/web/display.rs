//! What a viewer has to know of an image before its pixels.

use std::path::Path;

use dicom_dictionary_std::tags;
use lobule_exam::{Laterality, Side};
use lobule_raster::Limits;

use crate::Error;
use crate::content::printable;
use crate::dataset;
use crate::gray::{Modality, StatedVoi};
use crate::layout::{Layout, Photometric};
use crate::mammogram::gray::stated_voi;
use crate::mammogram::{view, wanted};
use crate::syntax::Codec;

/// How an image is to be shown. Holds no identifier of a patient.
#[derive(Debug, Clone, PartialEq)]
pub struct DisplayFacts {
    /// Number of frames.
    pub frames: usize,
    /// Rows of a frame.
    pub rows: usize,
    /// Columns of a frame.
    pub cols: usize,
    /// Modality as written.
    pub modality: String,
    /// The breast, where it is stated: `L` or `R`.
    pub laterality: Option<&'static str>,
    /// The mammographic projection, where it is stated.
    pub view: Option<String>,
    /// Samples of a pixel of a decoded frame.
    pub samples: usize,
    /// Bits of such a sample: 8 or 16.
    pub bits: u32,
    /// Whether the samples have a sign.
    pub signed: bool,
    /// What they mean, as Photometric Interpretation has it.
    pub photometric: &'static str,
    /// From samples to the values a window is for: `slope · sample + intercept`. None where it is
    /// a table.
    pub rescale: Option<(f64, f64)>,
    /// The window that the image states for itself. None where it states a table, or nothing.
    pub window: Option<DisplayWindow>,
    /// Whether a table is stated instead of a window.
    pub has_voi_table: bool,
}

/// A window with its function, as VOI LUT Function has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DisplayWindow {
    /// Its center.
    pub center: f64,
    /// Its width.
    pub width: f64,
    /// `LINEAR`, `LINEAR_EXACT` or `SIGMOID`.
    pub function: &'static str,
}

/// Reads how an image is to be shown.
///
/// # Errors
/// When the file cannot be read, or holds no pixels that are read here.
pub fn read_display_facts(file: &Path, limits: &Limits) -> Result<DisplayFacts, Error> {
    let read = || -> Result<DisplayFacts, Error> {
        let header = dataset::read_file(file, &wanted())?;
        let layout = Layout::read(&header, limits)?;
        let data = &header.dataset;
        // What is wrong with a file was said when it was read for the assessment.
        let warnings = &mut Vec::new();
        let voi = stated_voi(data, warnings);
        let modality = Modality::read(data, warnings);
        Ok(DisplayFacts {
            frames: layout.frames,
            rows: layout.rows,
            cols: layout.cols,
            modality: printable(&data.text(tags::MODALITY).unwrap_or_default()),
            laterality: match crate::content::side(data, warnings) {
                Side::Known(Laterality::Left) => Some("L"),
                Side::Known(Laterality::Right) => Some("R"),
                Side::Unknown => None,
            },
            view: view::read(data, warnings).view.map(|view| view.to_string()),
            samples: layout.samples,
            bits: layout.bits_allocated,
            signed: layout.signed,
            photometric: decoded_photometric(&layout),
            rescale: match modality {
                Modality::Line { slope, intercept } => Some((slope, intercept)),
                Modality::Table(_) => None,
            },
            has_voi_table: matches!(voi, Some(StatedVoi::Table(_))),
            window: match voi {
                Some(StatedVoi::Window(window)) => Some(DisplayWindow {
                    center: window.center,
                    width: window.width,
                    function: window.shape.term(),
                }),
                _ => None,
            },
        })
    };
    read().map_err(|e| e.in_file(file))
}

/// What samples of a decoded frame mean: colors that were compressed are red, green and blue.
fn decoded_photometric(layout: &Layout) -> &'static str {
    let is_compressed = layout.codec != Codec::Native;
    match layout.photometric {
        Photometric::Monochrome1 => "MONOCHROME1",
        Photometric::Monochrome2 => "MONOCHROME2",
        Photometric::Palette => "PALETTE COLOR",
        Photometric::Rgb | Photometric::Ybr2000 => "RGB",
        Photometric::YbrFull | Photometric::YbrFull422 if is_compressed => "RGB",
        Photometric::YbrFull422 if layout.is_subsampled() => "YBR_FULL_422",
        Photometric::YbrFull | Photometric::YbrFull422 => "YBR_FULL",
    }
}
