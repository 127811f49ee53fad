//! Images of a breast whose header says where they belong, but whose pixels cannot be read.

use std::path::Path;

use dicom_dictionary_std::tags;
use lobule_exam::{Modality, Side, View};
use lobule_raster::Limits;

use crate::dataset::{self, Dataset};
use crate::header::exam_key;
use crate::keys::PatientKey;
use crate::layout::Layout;
use crate::result::ResultSource;
use crate::{content, mammogram};

/// What the header of such an image says. Holds no identifier of a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableImage {
    /// Opaque key of the exam: the same for all files of one study.
    pub exam_key: String,
    /// As in [`Instance::patient_key`](crate::Instance::patient_key).
    pub patient_key: Option<PatientKey>,
    /// What it was made with.
    pub modality: Modality,
    /// The breast, where it is stated without contradiction.
    pub side: Side,
    /// A mammogram's projection, where it is stated.
    pub view: Option<View>,
}

/// Where a file belongs that [`read_header`](crate::read_header) and
/// [`read_mammogram_header`](crate::read_mammogram_header) refuse for its pixels: they are cut
/// short, not there, too large, or encoded in a way that is not read here. None of every other
/// file: what is no image of a breast, what would not be assessed anyway, what says too little of
/// itself for a result to be attached to it.
pub fn read_unreadable(path: &Path, limits: &Limits) -> Option<UnreadableImage> {
    let header = dataset::read_file(path, &mammogram::wanted()).ok()?;
    if Layout::read(&header, limits).is_ok() {
        return None;
    }
    let data = &header.dataset;
    let (modality, side, view) = sonogram(data).or_else(|| mammogram(data))?;
    ResultSource::read(path, "").ok()?;
    Some(UnreadableImage {
        exam_key: exam_key(data, path, &mut Vec::new()),
        patient_key: PatientKey::of(data),
        modality,
        side,
        view,
    })
}

type Place = (Modality, Side, Option<View>);

/// A capture that states a mammographic view is none, as where pixels can be read.
fn sonogram(data: &Dataset) -> Option<Place> {
    content::check_class(data).ok()?;
    let side = |tag| data.word(tag).map_or(0, usize::from);
    let judged = content::judge(data, side(tags::ROWS), side(tags::COLUMNS)).ok()?;
    let is_open = judged.modality == crate::Modality::Other && judged.regions.is_empty();
    let is_mammogram = is_open && mammogram(data).is_some_and(|(.., view)| view.is_some());
    (!is_mammogram).then_some((Modality::Ultrasound, judged.side, None))
}

fn mammogram(data: &Dataset) -> Option<Place> {
    let (side, view) = mammogram::place(data)?;
    Some((Modality::Mammography, side, view))
}
