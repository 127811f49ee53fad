//! Writing of synthetic images.
//!
//! Owns: the two kinds of DICOM image that this project makes up, for demonstrations and tests.
//! Every file says so: in the patient's name, the series' description and the manufacturer.
//! Does not own: what is drawn (`phantom`), results for an archive.

mod mammogram;
mod stored;
mod ultrasound;

pub use mammogram::{SyntheticMammogram, write_mammogram};
pub(crate) use stored::put_sequence;
pub use stored::{
    MammogramEncoding, NativeSyntax, ObjectKind, StoredDisplay, StoredPadding, StoredPolarity,
    StoredSign,
};
pub use ultrasound::{Frames, SyntheticUltrasound, write_ultrasound};

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use lobule_exam::{Laterality, Side};
use sha2::{Digest, Sha256};

use crate::error::one_line;
use crate::{Error, ErrorKind};

/// The manufacturer that every synthetic image names.
pub(crate) const MANUFACTURER: &str = "Lobule phantom";

/// A unique identifier under the UUID root (`2.25.`), made from a text by SHA-256.
pub(crate) fn derived_uid(seed: &str) -> String {
    let digest = Sha256::digest(seed.as_bytes());
    let number = digest[..16]
        .iter()
        .fold(0_u128, |n, &byte| n << 8 | u128::from(byte));
    format!("2.25.{number}")
}

/// What the file says of patient, study and series: nothing but that it is synthetic.
fn put_people(object: &mut InMemDicomObject, series: &str, uid: &dyn Fn(&str) -> String) {
    for (tag, vr, text) in [
        (tags::PATIENT_NAME, VR::PN, "SYNTHETIC^PHANTOM"),
        (tags::PATIENT_ID, VR::LO, "SYNTHETIC"),
        (tags::PATIENT_BIRTH_DATE, VR::DA, ""),
        (tags::PATIENT_SEX, VR::CS, ""),
        (tags::STUDY_INSTANCE_UID, VR::UI, uid("study").as_str()),
        (tags::STUDY_DATE, VR::DA, ""),
        (tags::STUDY_TIME, VR::TM, ""),
        (tags::STUDY_ID, VR::SH, ""),
        (tags::STUDY_DESCRIPTION, VR::LO, "synthetic exam"),
        (tags::ACCESSION_NUMBER, VR::SH, ""),
        (tags::REFERRING_PHYSICIAN_NAME, VR::PN, ""),
        (tags::SERIES_INSTANCE_UID, VR::UI, uid("series").as_str()),
        (tags::SERIES_NUMBER, VR::IS, "1"),
        (tags::SERIES_DESCRIPTION, VR::LO, series),
        (tags::MANUFACTURER, VR::LO, MANUFACTURER),
        (tags::BODY_PART_EXAMINED, VR::CS, "BREAST"),
    ] {
        put_str(object, tag, vr, text);
    }
}

pub(crate) fn side_code(side: Side) -> &'static str {
    match side {
        Side::Known(Laterality::Left) => "L",
        Side::Known(Laterality::Right) => "R",
        Side::Unknown => "",
    }
}

pub(crate) fn refused(e: &dyn std::error::Error) -> Error {
    Error::new(ErrorKind::Write, one_line(e))
}

pub(crate) fn put_str(object: &mut InMemDicomObject, tag: Tag, vr: VR, text: &str) {
    object.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
}

pub(crate) fn put_items(object: &mut InMemDicomObject, tag: Tag, items: Vec<InMemDicomObject>) {
    object.put(DataElement::new(tag, VR::SQ, DataSetSequence::from(items)));
}

pub(crate) fn put_u16(object: &mut InMemDicomObject, tag: Tag, value: u16) {
    object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_depend_on_the_seed_alone_and_fit_dicom() {
        assert_eq!(derived_uid("a"), derived_uid("a"));
        assert_ne!(derived_uid("a"), derived_uid("b"));
        assert!(derived_uid("a").len() <= 64);
    }
}
