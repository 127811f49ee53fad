//! Reads what a file says of itself, without its pixels.
//!
//! Owns: [`Instance`], [`StatedPlace`]. Does not own: judging the content (`content`), opaque keys (`keys`).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use lobule_exam::{PixelBox, Side, Spacing, Warning, WarningKind};
use lobule_raster::Limits;

use crate::dataset::{self, Dataset};
use crate::keys::{PatientKey, study_key};
use crate::layout::Layout;
use crate::render::Renderer;
use crate::{Error, content};

/// What the header of an ultrasound image says. Holds no identifier of a patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// The file.
    pub file: PathBuf,
    /// Opaque key of the exam: the same for all files of one study.
    pub exam_key: String,
    /// The same for all files with one Patient ID; absent where it is not stated.
    pub patient_key: Option<PatientKey>,
    /// The breast, where the standard attributes state it.
    pub side: Side,
    /// What the file says made the picture.
    pub modality: Modality,
    /// Number of frames, at least 1.
    pub frames: usize,
    /// Rows of a frame.
    pub rows: usize,
    /// Columns of a frame.
    pub cols: usize,
    /// Size of a pixel inside the largest region.
    pub spacing: Option<Spacing>,
    /// Where the file says that B-mode is, inside the image; empty when it does not say.
    pub regions: Vec<PixelBox>,
    /// Whether the tags speak of colour Doppler.
    pub color_doppler: ColorDoppler,
    /// Number of the image within its series, for a stable order.
    pub instance_number: Option<i64>,
    /// Tolerated deviations.
    pub warnings: Vec<Warning>,
}

/// The modalities that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Modality {
    /// Ultrasound.
    Ultrasound,
    /// A capture that does not say ultrasound but shows signs of it.
    Other,
}

/// Whether the tags speak of colour Doppler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColorDoppler {
    /// They do.
    Stated,
    /// They do not; the pixels may still be coloured.
    NotStated,
}

/// Elements that are read from a file. Identifiers are not among them, save the study's and the
/// patient's, which are hashed at once.
pub(crate) const WANTED: &[Tag] = &[
    tags::IMAGE_TYPE,
    tags::SOP_CLASS_UID,
    tags::MODALITY,
    tags::MANUFACTURER,
    tags::STUDY_DESCRIPTION,
    tags::SERIES_DESCRIPTION,
    tags::ANATOMIC_REGION_SEQUENCE,
    tags::CONTENT_QUALIFICATION,
    tags::BODY_PART_EXAMINED,
    tags::PROTOCOL_NAME,
    tags::SEQUENCE_OF_ULTRASOUND_REGIONS,
    tags::PATIENT_ID,
    tags::STUDY_INSTANCE_UID,
    tags::INSTANCE_NUMBER,
    tags::LATERALITY,
    tags::IMAGE_LATERALITY,
    tags::SAMPLES_PER_PIXEL,
    tags::PHOTOMETRIC_INTERPRETATION,
    tags::PLANAR_CONFIGURATION,
    tags::NUMBER_OF_FRAMES,
    tags::ROWS,
    tags::COLUMNS,
    tags::ULTRASOUND_COLOR_DATA_PRESENT,
    tags::PIXEL_SPACING,
    tags::BITS_ALLOCATED,
    tags::BITS_STORED,
    tags::HIGH_BIT,
    tags::PIXEL_REPRESENTATION,
    tags::WINDOW_CENTER,
    tags::WINDOW_WIDTH,
    tags::RESCALE_INTERCEPT,
    tags::RESCALE_SLOPE,
    tags::VOILUT_FUNCTION,
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::MODALITY_LUT_SEQUENCE,
    tags::VOILUT_SEQUENCE,
    tags::PRESENTATION_LUT_SHAPE,
];

/// Whether a file is DICOM: it has the preamble, or starts with an element that makes sense.
/// A file that cannot be opened is not.
pub fn is_dicom(path: &Path) -> bool {
    let mut first = Vec::new();
    let read = File::open(path).and_then(|file| file.take(132).read_to_end(&mut first));
    read.is_ok() && dataset::looks_like_dicom(&first)
}

/// Reads the header of a breast ultrasound image: everything up to the pixel data.
///
/// # Errors
/// When the file cannot be read, is damaged, larger than `limits` or encoded in a way that is not
/// read here, and when it says that it is anything else than B-mode ultrasound of the breast.
/// [`ErrorKind::OwnResult`](crate::ErrorKind::OwnResult) names results of this project.
pub fn read_header(path: &Path, limits: &Limits) -> Result<Instance, Error> {
    read_instance(path, limits).map_err(|e| e.in_file(path))
}

fn read_instance(path: &Path, limits: &Limits) -> Result<Instance, Error> {
    let header = dataset::read_file(path, WANTED)?;
    let data = &header.dataset;
    content::refuse_own_result(data)?;
    content::check_class(data)?;
    let layout = Layout::read(&header, limits)?;
    let mut content = content::judge(data, layout.rows, layout.cols)?;
    content.warnings.extend(layout.warnings.iter().cloned());
    // Built once without use: what is wrong with the tables is said before pixels are read.
    Renderer::new(&layout, data, &mut content.warnings)?;
    let exam_key = exam_key(data, path, &mut content.warnings);
    Ok(Instance {
        file: path.to_owned(),
        exam_key,
        patient_key: PatientKey::of(data),
        side: content.side,
        modality: content.modality,
        frames: layout.frames,
        rows: layout.rows,
        cols: layout.cols,
        spacing: content.spacing,
        regions: content.regions,
        color_doppler: content.color_doppler,
        instance_number: instance_number(data),
        warnings: content.warnings,
    })
}

pub(crate) fn instance_number(data: &Dataset) -> Option<i64> {
    data.text(tags::INSTANCE_NUMBER)?.parse().ok()
}

/// `exam-` and 12 hexadecimal digits of the SHA-256 of the study's identifier. A file without one
/// is an exam of its own, named after its path.
pub(crate) fn exam_key(data: &Dataset, path: &Path, warnings: &mut Vec<Warning>) -> String {
    let seed = data.text(tags::STUDY_INSTANCE_UID).unwrap_or_else(|| {
        warnings.push(Warning {
            kind: WarningKind::Repaired,
            message: "the study is not identified: the file is taken as an exam of its own"
                .to_owned(),
        });
        path.to_string_lossy().into_owned()
    });
    study_key(&seed)
}

/// Where a file belongs by its own header, whatever it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedPlace {
    /// Opaque key of the exam.
    pub exam_key: String,
    /// As in [`Instance::patient_key`].
    pub patient_key: Option<PatientKey>,
    /// The breast.
    pub side: Side,
}

/// Reads where a file belongs, also one that [`read_header`] refuses; nothing where the study is not
/// stated or the file cannot be read.
pub fn read_place(path: &Path) -> Option<StatedPlace> {
    let wanted = [
        tags::PATIENT_ID,
        tags::STUDY_INSTANCE_UID,
        tags::LATERALITY,
        tags::IMAGE_LATERALITY,
        tags::ANATOMIC_REGION_SEQUENCE,
    ];
    let data = dataset::read_file_head(path, &wanted).ok()?.dataset;
    Some(StatedPlace {
        exam_key: study_key(&data.text(tags::STUDY_INSTANCE_UID)?),
        patient_key: PatientKey::of(&data),
        side: content::side(&data, &mut Vec::new()),
    })
}
