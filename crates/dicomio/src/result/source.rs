//! What a result takes over from the images it is of.

use std::fmt;
use std::path::{Path, PathBuf};

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::Error;
use crate::dataset::{self, Dataset, malformed};

/// The header of an image that a result is of. Its `Debug` form shows the name alone.
#[derive(Clone)]
pub struct ResultSource {
    pub(super) name: String,
    pub(super) file: PathBuf,
    pub(super) data: Dataset,
    pub(super) study: String,
    pub(super) series: String,
    pub(super) class: String,
    pub(super) instance: String,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) frames: usize,
}

impl fmt::Debug for ResultSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResultSource({})", self.name)
    }
}

/// What is read of a source, beside what [`envelope::COPIED`](super::envelope::COPIED) copies.
const WANTED: &[Tag] = &[
    tags::SPECIFIC_CHARACTER_SET,
    tags::SOP_CLASS_UID,
    tags::SOP_INSTANCE_UID,
    tags::STUDY_INSTANCE_UID,
    tags::SERIES_INSTANCE_UID,
    tags::INSTANCE_NUMBER,
    tags::MODALITY,
    tags::ROWS,
    tags::COLUMNS,
    tags::NUMBER_OF_FRAMES,
    tags::PATIENT_ORIENTATION,
    tags::BURNED_IN_ANNOTATION,
    tags::LOSSY_IMAGE_COMPRESSION,
    tags::LOSSY_IMAGE_COMPRESSION_RATIO,
    tags::LOSSY_IMAGE_COMPRESSION_METHOD,
    tags::PIXEL_SPACING,
    tags::PHOTOMETRIC_INTERPRETATION,
    tags::BITS_STORED,
    tags::PIXEL_REPRESENTATION,
    tags::PRESENTATION_LUT_SHAPE,
    tags::RESCALE_INTERCEPT,
    tags::RESCALE_SLOPE,
    tags::RESCALE_TYPE,
    tags::MODALITY_LUT_SEQUENCE,
    tags::WINDOW_CENTER,
    tags::WINDOW_WIDTH,
    tags::WINDOW_CENTER_WIDTH_EXPLANATION,
    tags::VOILUT_FUNCTION,
    tags::VOILUT_SEQUENCE,
];

impl ResultSource {
    /// Reads a source's header. `name` is what the assessment calls the file; errors call it the
    /// same.
    ///
    /// # Errors
    /// When the file cannot be read, is not DICOM, holds no image, or does not say which image
    /// of which series and study it is: a result could not be attached to it.
    pub fn read(path: &Path, name: &str) -> Result<ResultSource, Error> {
        read(path, name).map_err(|e| e.in_file(Path::new(name)))
    }

    pub(super) fn modality(&self) -> String {
        self.data.text(tags::MODALITY).unwrap_or_default()
    }
}

fn read(path: &Path, name: &str) -> Result<ResultSource, Error> {
    let copied = super::envelope::COPIED.iter().map(|&(tag, ..)| tag);
    let wanted: Vec<Tag> = WANTED.iter().copied().chain(copied).collect();
    let data = dataset::read_file(path, &wanted)?.dataset;
    let side = |tag| data.word(tag).map(usize::from).filter(|&n| n > 0);
    let frames = data
        .text(tags::NUMBER_OF_FRAMES)
        .and_then(|n| n.parse().ok());
    Ok(ResultSource {
        name: name.to_owned(),
        file: path.to_owned(),
        study: identifier(&data, tags::STUDY_INSTANCE_UID, "study")?,
        series: identifier(&data, tags::SERIES_INSTANCE_UID, "series")?,
        class: identifier(&data, tags::SOP_CLASS_UID, "class")?,
        instance: identifier(&data, tags::SOP_INSTANCE_UID, "image")?,
        rows: side(tags::ROWS).ok_or_else(|| malformed("expected an image, got no rows"))?,
        cols: side(tags::COLUMNS).ok_or_else(|| malformed("expected an image, got no columns"))?,
        frames: frames.filter(|&n| n > 0).unwrap_or(1),
        data,
    })
}

/// A unique identifier; its form is checked, because it is written again.
fn identifier(data: &Dataset, tag: Tag, what: &str) -> Result<String, Error> {
    let text = data.text(tag).unwrap_or_default();
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if text.is_empty() || text.len() > 64 || !plain {
        let message =
            format!("expected the unique identifier of its {what}, got none that is valid");
        return Err(malformed(message));
    }
    Ok(text)
}
