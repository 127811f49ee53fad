//! Copies of images without what identifies the patient: the Basic Profile of PS3.15, annex E.
//!
//! Owns: what becomes of each attribute (table E.1-1, `table.tsv`), unique identifiers and
//! pseudonyms that are the same for the same key, what is painted over. Does not own: where copies
//! go, who may have them.
//!
//! Attributes that the dictionary does not know, private ones, overlays and curves are dropped; so
//! are names of persons that the table does not list. Dates go, or are moved by as many days for
//! all files of a patient (Retain Longitudinal Temporal Information With Modified Dates Option).
//! What is burnt into the pixels:
//!
//! - of an ultrasound image, everything around the sonogram is made black, and marks inside it are
//!   painted over (Clean Pixel Data Option, by an algorithm: it can miss some);
//! - a mammogram of a detector carries none, unless it says so; a scan of a film may show a label.
//!   Those are refused, as is everything else, with the reason.
//!
//! ```no_run
//! use lobule_dicomio::{Dates, Deidentifier, deidentify};
//! let by = Deidentifier { key: [7; 32], dates: Dates::Remove };
//! let copy = deidentify("image.dcm".as_ref(), &by)?;
//! std::fs::write("copy.dcm", copy.bytes)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clean;
mod pixels;
mod pseudonym;
mod table;

use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use lobule_raster::Limits;

use crate::write::{put_items, put_str, refused};
use crate::{Error, ErrorKind, dataset};

use clean::{Cleaning, cleaned};
use pixels::{Burnt, cleaned_pixels};
use pseudonym::Pseudonyms;

/// Most bytes before the pixel data.
const MAX_HEADER_BYTES: u64 = 64 << 20;
/// The profile, as every copy names it (Long String: 64 characters).
const METHOD: &str = "Lobule: PS3.15 Basic Profile, table E.1-1";

/// What becomes of dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dates {
    /// They go.
    Remove,
    /// They are moved into the past, by 1 to 3650 days, as many for all files of a patient. Times
    /// of day stay; dates that describe the patient go.
    Shift,
}

/// How copies are made. The same key gives the same pseudonyms and identifiers; without it they
/// cannot be led back.
#[derive(Clone)]
pub struct Deidentifier {
    /// A secret.
    pub key: [u8; 32],
    /// What becomes of dates.
    pub dates: Dates,
}

/// A copy without what identifies the patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deidentified {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its new SOP Instance UID.
    pub instance_uid: String,
    /// Its new Study Instance UID.
    pub study_uid: String,
    /// Pixels that were made black or painted over, in all frames.
    pub painted: u64,
}

/// Makes a copy of an image.
///
/// # Errors
/// When the file cannot be read, or its pixels may show who the patient is and that cannot be
/// helped: the reason says so.
pub fn deidentify(path: &Path, by: &Deidentifier) -> Result<Deidentified, Error> {
    copy(path, by).map_err(|e| e.in_file(path))
}

fn copy(path: &Path, by: &Deidentifier) -> Result<Deidentified, Error> {
    let header = dataset::read_file(path, &[])?;
    let offset = header.pixel_data.map(|pixels| pixels.offset);
    let offset = offset.ok_or_else(|| {
        Error::new(
            ErrorKind::NoPixels,
            "expected an image, got an object without pixels",
        )
    })?;
    if offset > MAX_HEADER_BYTES {
        let message =
            format!("expected at most {MAX_HEADER_BYTES} bytes before the pixels, got {offset}");
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    let data = dataset::read_kept(path, &table::is_kept)?;
    let pixels = cleaned_pixels(path, &Limits::default())?;
    let pseudonyms = Pseudonyms::of(&data, &by.key);
    let cleaning = Cleaning {
        pseudonyms: &pseudonyms,
        dates: by.dates,
        is_signed: data.word(tags::PIXEL_REPRESENTATION) == Some(1),
    };
    let mut object = cleaned(&data, &cleaning)?;
    put_patient(&mut object, &pseudonyms);
    put_account(&mut object, by.dates, pixels.burnt);
    let painted = pixels.painted;
    pixels.put_into(&mut object);
    finish(object, painted)
}

fn put_patient(object: &mut InMemDicomObject, pseudonyms: &Pseudonyms) {
    put_str(object, tags::PATIENT_NAME, VR::PN, &pseudonyms.patient);
    put_str(object, tags::PATIENT_ID, VR::LO, &pseudonyms.patient);
}

/// What was done, in the file itself (PS3.15 E.1.1, E.3).
fn put_account(object: &mut InMemDicomObject, dates: Dates, burnt: Burnt) {
    let mut codes = vec![code("113100", "Basic Application Confidentiality Profile")];
    if burnt == Burnt::PaintedOver {
        codes.push(code("113101", "Clean Pixel Data Option"));
        put_str(object, tags::BURNED_IN_ANNOTATION, VR::CS, "NO");
    }
    let temporal = match dates {
        Dates::Remove => "REMOVED",
        Dates::Shift => {
            let meaning = "Retain Longitudinal Temporal Information Modified Dates Option";
            codes.push(code("113107", meaning));
            "MODIFIED"
        }
    };
    put_str(object, tags::PATIENT_IDENTITY_REMOVED, VR::CS, "YES");
    put_str(object, tags::DEIDENTIFICATION_METHOD, VR::LO, METHOD);
    put_str(
        object,
        tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED,
        VR::CS,
        temporal,
    );
    put_items(object, tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE, codes);
}

fn code(value: &str, meaning: &str) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    put_str(&mut item, tags::CODE_VALUE, VR::SH, value);
    put_str(&mut item, tags::CODING_SCHEME_DESIGNATOR, VR::SH, "DCM");
    put_str(&mut item, tags::CODE_MEANING, VR::LO, meaning);
    item
}

fn finish(object: InMemDicomObject, painted: u64) -> Result<Deidentified, Error> {
    let text = |tag| {
        let element = object.get(tag).and_then(|e| e.to_str().ok());
        element
            .map(|text| text.trim_end_matches(['\0', ' ']).to_owned())
            .unwrap_or_default()
    };
    let (class, instance_uid) = (text(tags::SOP_CLASS_UID), text(tags::SOP_INSTANCE_UID));
    let study_uid = text(tags::STUDY_INSTANCE_UID);
    let meta = FileMetaTableBuilder::new()
        .media_storage_sop_class_uid(class)
        .media_storage_sop_instance_uid(instance_uid.as_str())
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN);
    let file = object.with_meta(meta).map_err(|e| refused(&e))?;
    let mut bytes = Vec::new();
    file.write_all(&mut bytes).map_err(|e| refused(&e))?;
    Ok(Deidentified {
        bytes,
        instance_uid,
        study_uid,
        painted,
    })
}

/// An element of bytes that are written as they are.
fn element(tag: dicom_core::Tag, vr: VR, bytes: Vec<u8>) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, vr, PrimitiveValue::from(bytes))
}
