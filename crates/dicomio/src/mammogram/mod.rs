//! Mammograms: what a file says of itself, and its grey values as a reader would see them.
//!
//! Owns: [`Mammogram`], which objects are mammograms, [`read_mammogram`], pairs of one exposure
//! ([`set_aside`]). Does not own: the breast in the pixels (`raster`), the places of views in an
//! exam (`exam`).
//!
//! ```no_run
//! use lobule_dicomio::{read_mammogram, read_mammogram_header, set_aside};
//! use lobule_raster::Limits;
//! let limits = Limits::default();
//! let mammogram = read_mammogram_header("image.dcm".as_ref(), &limits)?;
//! if set_aside(&[mammogram.placed()]) == [None] {
//!     let gray = read_mammogram(&mammogram, &limits)?;
//!     println!("{:?}", gray.applied);
//! }
//! # Ok::<(), lobule_dicomio::Error>(())
//! ```

pub(crate) mod class;
pub(crate) mod gray;
mod group;
mod position;
pub(crate) mod view;

pub use gray::{
    AppliedLuts, GrayMammogram, Inversion, ModalityStep, Padding, VoiStep, WindowFunction,
    read_mammogram,
};
pub use group::{PlacedMammogram, SetAside, set_aside};
pub use position::SpacingSource;

use std::path::{Path, PathBuf};

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use lobule_exam::{
    BreastOrientation, Implant, Medium, PresentationIntent, Side, Spacing, View, ViewModifier,
    Warning,
};
use lobule_raster::Limits;

use crate::Error;
use crate::dataset::{self, Dataset};
use crate::header::{WANTED, exam_key, instance_number};
use crate::keys::PatientKey;
use crate::layout::Layout;
use group::Links;

/// What the header of a mammogram says. Holds no identifier of a patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Mammogram {
    /// The file.
    pub file: PathBuf,
    /// Opaque key of the exam: the same for all files of one study.
    pub exam_key: String,
    /// As in [`Instance::patient_key`](crate::Instance::patient_key).
    pub patient_key: Option<PatientKey>,
    /// The breast, where it is stated without contradiction.
    pub side: Side,
    /// The projection, where it is stated.
    pub view: Option<View>,
    /// How the projection departs from its standard form, ascending.
    pub modifiers: Vec<ViewModifier>,
    /// What the values are made for.
    pub intent: PresentationIntent,
    /// Whether the breast holds an implant.
    pub implant: Implant,
    /// What the picture was made from.
    pub origin: Origin,
    /// What it was taken on, where that is stated.
    pub medium: Option<Medium>,
    /// How much of the breast the picture was meant to show.
    pub coverage: Coverage,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Size of a pixel in the breast, or at the detector: see `spacing_source`.
    pub spacing: Option<Spacing>,
    /// Where the spacing was taken from; absent together with it.
    pub spacing_source: Option<SpacingSource>,
    /// How the breast lies in the picture, from Patient Orientation.
    pub orientation: Option<BreastOrientation>,
    /// Number of the image within its series, for a stable order.
    pub instance_number: Option<i64>,
    /// Why the image is not to be assessed, as far as its own header tells.
    pub set_aside: Option<SetAside>,
    /// Tolerated deviations.
    pub warnings: Vec<Warning>,
    /// What ties it to other images of the exposure.
    pub(crate) links: Links,
}

/// What a mammogram was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// One exposure of a detector.
    Exposure,
    /// A scan of a film, or a capture.
    Scan,
    /// Computed from a tomosynthesis.
    GeneratedFromTomosynthesis,
}

/// How much of a breast a picture was meant to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coverage {
    /// As much as one exposure can.
    Whole,
    /// One part of a breast too large for the detector.
    Partial,
}

/// Elements read in addition to those of ultrasound.
const FURTHER_WANTED: &[Tag] = &[
    tags::SOP_INSTANCE_UID,
    tags::ACQUISITION_DATE,
    tags::ACQUISITION_TIME,
    tags::PRESENTATION_INTENT_TYPE,
    tags::SOURCE_IMAGE_SEQUENCE,
    tags::IRRADIATION_EVENT_UID,
    tags::SPATIAL_RESOLUTION,
    tags::VIEW_POSITION,
    tags::VIEW_CODE_SEQUENCE,
    tags::PATIENT_ORIENTATION,
    tags::IMAGER_PIXEL_SPACING,
    tags::NOMINAL_SCANNED_PIXEL_SPACING,
    tags::PIXEL_SPACING_CALIBRATION_TYPE,
    tags::ESTIMATED_RADIOGRAPHIC_MAGNIFICATION_FACTOR,
    tags::BREAST_IMPLANT_PRESENT,
    tags::PARTIAL_VIEW,
    tags::QUALITY_CONTROL_IMAGE,
    tags::DETECTOR_TYPE,
    tags::CONVERSION_TYPE,
    tags::PIXEL_PADDING_VALUE,
    tags::PIXEL_PADDING_RANGE_LIMIT,
    tags::WINDOW_CENTER_WIDTH_EXPLANATION,
];

/// Everything that is read of a mammogram before its pixels.
pub(crate) fn wanted() -> Vec<Tag> {
    [WANTED, FURTHER_WANTED].concat()
}

/// Reads the header of a mammogram: digital, or a scan of a film as computed or digital
/// radiography or as a secondary capture.
///
/// # Errors
/// When the file cannot be read, is damaged, larger than `limits` or encoded in a way that is not
/// read here, and when it says that it is no mammogram.
/// [`ErrorKind::Tomosynthesis`](crate::ErrorKind::Tomosynthesis) names tomosynthesis,
/// [`ErrorKind::OwnResult`](crate::ErrorKind::OwnResult) results of this project.
pub fn read_mammogram_header(path: &Path, limits: &Limits) -> Result<Mammogram, Error> {
    read(path, limits).map_err(|e| e.in_file(path))
}

/// The view of a mammogram by its usual letters, `CC` or `MLO`; none of anything else.
pub fn read_view(path: &Path) -> Option<String> {
    let header = read_mammogram_header(path, &Limits::default()).ok()?;
    header.view.map(|view| view.to_string())
}

fn read(path: &Path, limits: &Limits) -> Result<Mammogram, Error> {
    let header = dataset::read_file(path, &wanted())?;
    let data = &header.dataset;
    crate::content::refuse_own_result(data)?;
    let class = class::judge(data)?;
    let layout = Layout::read(&header, limits)?;
    class::check_frames(layout.frames)?;
    gray::check(&layout)?;
    let mut warnings = layout.warnings.clone();
    let side = crate::content::side(data, &mut warnings);
    let found = view::read(data, &mut warnings);
    class::warn(&class, data, &mut warnings);
    let size = position::spacing(data, &mut warnings);
    let exam_key = exam_key(data, path, &mut warnings);
    Ok(Mammogram {
        file: path.to_owned(),
        exam_key,
        patient_key: PatientKey::of(data),
        side,
        view: found.view,
        set_aside: group::stated(data, &found),
        implant: implant(data, &found.modifiers),
        modifiers: found.modifiers,
        intent: class.intent,
        origin: class.origin,
        medium: class::medium(data, &class),
        coverage: class.coverage,
        rows: layout.rows,
        cols: layout.cols,
        spacing: size.map(|(spacing, _)| spacing),
        spacing_source: size.map(|(_, source)| source),
        orientation: position::orientation(data, side, found.view),
        instance_number: instance_number(data),
        warnings,
        links: Links::read(data),
    })
}

/// The breast and view of one picture of a breast that is to be assessed, without its pixels; none of
/// what is something else.
pub(crate) fn place(data: &Dataset) -> Option<(Side, Option<View>)> {
    let mut unsaid = Vec::new();
    class::judge(data).ok()?;
    let frames = data.text(tags::NUMBER_OF_FRAMES);
    let found = view::read(data, &mut unsaid);
    let is_one = frames.is_none_or(|n| n == "1") && group::stated(data, &found).is_none();
    is_one.then(|| (crate::content::side(data, &mut unsaid), found.view))
}

fn implant(data: &Dataset, modifiers: &[ViewModifier]) -> Implant {
    match data.text(tags::BREAST_IMPLANT_PRESENT).as_deref() {
        Some("YES") => Implant::Present,
        _ if modifiers.contains(&ViewModifier::ImplantDisplaced) => Implant::Present,
        Some("NO") => Implant::Absent,
        _ => Implant::NotStated,
    }
}
