//! Writing of synthetic mammograms.
//!
//! Owns: mammograms made up for demonstrations and tests, and their elements. Does not own: what
//! is drawn (`phantom`), what numbers are stored (`stored`).

use std::io::Write;
use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, VR, dicom_value};
use dicom_dictionary_std::{tags, uids};
use dicom_encoding::encode::EncoderFor;
use dicom_encoding::encode::explicit_le::ExplicitVRLittleEndianEncoder;
use dicom_object::{FileMetaTable, FileMetaTableBuilder, InMemDicomObject};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use lobule_exam::{Laterality, SCREENING_VIEWS, Side, Spacing, View};
use lobule_raster::Image;

use super::stored::put_sequence;
use super::{
    MammogramEncoding, NativeSyntax, ObjectKind, derived_uid, put_people, put_str, put_u16,
    refused, side_code,
};
use crate::mammogram::view::code_of;
use crate::{Error, ErrorKind};

/// A mammogram that is not of a patient. The picture of a left breast has the chest wall at its
/// left edge, that of a right one at its right edge, with the head, in cranio-caudal views the
/// outer side, at the top.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticMammogram {
    /// Brightness: 0 = black, 65535 = white.
    pub image: Image<u16>,
    /// The breast.
    pub side: Laterality,
    /// Cranio-caudal or medio-lateral oblique.
    pub view: View,
    /// Size of a pixel, as at the detector.
    pub spacing: Spacing,
    /// Images of one seed belong to one study: its unique identifier is made from the seed alone.
    pub study_seed: String,
    /// Number of the image within its study; together with the seed it makes the image's identity.
    pub instance_number: u32,
    /// How it is stored.
    pub encoding: MammogramEncoding,
}

/// Writes a mammogram that shows the given brightness, as exactly as its bits allow.
///
/// # Errors
/// When the image is empty or larger than DICOM allows, the view is neither of the two of
/// screening, or the file cannot be written.
///
/// ```
/// use lobule_dicomio::{MammogramEncoding, SyntheticMammogram, write_mammogram};
/// use lobule_exam::{Laterality, Spacing, View};
/// use lobule_raster::Image;
/// let mammogram = SyntheticMammogram {
///     image: Image::filled(40, 60, 9000_u16),
///     side: Laterality::Left,
///     view: View::Cc,
///     spacing: Spacing::new(0.1, 0.1).expect("positive"),
///     study_seed: "example".to_owned(),
///     instance_number: 1,
///     encoding: MammogramEncoding::default(),
/// };
/// let folder = tempfile::tempdir().expect("a folder for temporary files");
/// write_mammogram(&folder.path().join("a.dcm"), &mammogram).expect("a plain image");
/// ```
pub fn write_mammogram(path: &Path, mammogram: &SyntheticMammogram) -> Result<(), Error> {
    write(path, mammogram).map_err(|e| e.in_file(path))
}

fn write(path: &Path, mammogram: &SyntheticMammogram) -> Result<(), Error> {
    let object = dataset(mammogram)?;
    let (syntax, deflated) = match mammogram.encoding.syntax {
        NativeSyntax::ImplicitLittle => (uids::IMPLICIT_VR_LITTLE_ENDIAN, false),
        NativeSyntax::ExplicitLittle => (uids::EXPLICIT_VR_LITTLE_ENDIAN, false),
        NativeSyntax::ExplicitBig => (crate::syntax::EXPLICIT_VR_BIG_ENDIAN, false),
        NativeSyntax::Deflated => (uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, true),
    };
    let uid_of = |tag| object.get(tag).and_then(|e| e.to_str().ok());
    let meta = FileMetaTableBuilder::new()
        .media_storage_sop_class_uid(uid_of(tags::SOP_CLASS_UID).unwrap_or_default())
        .media_storage_sop_instance_uid(uid_of(tags::SOP_INSTANCE_UID).unwrap_or_default())
        .transfer_syntax(syntax);
    if deflated {
        let meta = meta.build().map_err(|e| refused(&e))?;
        return write_deflated(path, &meta, &object);
    }
    let object = object.with_meta(meta).map_err(|e| refused(&e))?;
    object.write_to_file(path).map_err(|e| refused(&e))
}

/// The head as it is, the data set deflated without a head of its own (PS3.5 A.5).
fn write_deflated(
    path: &Path,
    meta: &FileMetaTable,
    object: &InMemDicomObject,
) -> Result<(), Error> {
    let mut plain = Vec::new();
    object
        .write_dataset(
            &mut plain,
            EncoderFor::new(ExplicitVRLittleEndianEncoder::default()),
        )
        .map_err(|e| refused(&e))?;
    let mut bytes = [&[0; 128][..], b"DICM"].concat();
    meta.write(&mut bytes).map_err(|e| refused(&e))?;
    let mut deflate = DeflateEncoder::new(bytes, Compression::default());
    let written = deflate.write_all(&plain).and_then(|()| deflate.finish());
    let mut bytes = written.map_err(|e| refused(&e))?;
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    std::fs::write(path, bytes).map_err(|e| refused(&e))
}

fn dataset(mammogram: &SyntheticMammogram) -> Result<InMemDicomObject, Error> {
    let mut object = InMemDicomObject::new_empty();
    let uid = |what: &str| derived_uid(&format!("{}/{what}", mammogram.study_seed));
    let number = mammogram.instance_number.to_string();
    let instance_uid = uid(&format!("image {number}"));
    put_people(&mut object, "synthetic mammography phantom", &uid);
    put_str(&mut object, tags::SOP_INSTANCE_UID, VR::UI, &instance_uid);
    put_str(&mut object, tags::INSTANCE_NUMBER, VR::IS, &number);
    // Both images of one exposure name it.
    let exposure = format!("exposure {:?} {}", mammogram.side, mammogram.view);
    put_str(
        &mut object,
        tags::IRRADIATION_EVENT_UID,
        VR::UI,
        &uid(&exposure),
    );
    put_kind(&mut object, mammogram.encoding.object);
    put_position(&mut object, mammogram)?;
    put_spacing(&mut object, mammogram);
    put_pixels(&mut object, mammogram)?;
    Ok(object)
}

fn put_kind(object: &mut InMemDicomObject, kind: ObjectKind) {
    let (class, modality, intent) = match kind {
        ObjectKind::ForPresentation => (
            uids::DIGITAL_MAMMOGRAPHY_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION,
            "MG",
            "FOR PRESENTATION",
        ),
        ObjectKind::ForProcessing => (
            uids::DIGITAL_MAMMOGRAPHY_X_RAY_IMAGE_STORAGE_FOR_PROCESSING,
            "MG",
            "FOR PROCESSING",
        ),
        ObjectKind::DigitalRadiography => (
            uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION,
            "DX",
            "FOR PRESENTATION",
        ),
        ObjectKind::ComputedRadiography => (uids::COMPUTED_RADIOGRAPHY_IMAGE_STORAGE, "CR", ""),
        ObjectKind::SecondaryCapture => (uids::SECONDARY_CAPTURE_IMAGE_STORAGE, "OT", ""),
    };
    put_str(object, tags::SOP_CLASS_UID, VR::UI, class);
    put_str(object, tags::MODALITY, VR::CS, modality);
    if !intent.is_empty() {
        put_str(object, tags::PRESENTATION_INTENT_TYPE, VR::CS, intent);
    }
    if kind == ObjectKind::SecondaryCapture {
        put_str(object, tags::CONVERSION_TYPE, VR::CS, "DF");
    }
    let image_type = match kind {
        ObjectKind::ForProcessing => dicom_value!(Strs, ["ORIGINAL", "PRIMARY"]),
        _ => dicom_value!(Strs, ["DERIVED", "PRIMARY"]),
    };
    object.put(DataElement::new(tags::IMAGE_TYPE, VR::CS, image_type));
    put_str(object, tags::DERIVATION_DESCRIPTION, VR::ST, "synthetic");
    put_str(object, tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00");
    put_str(object, tags::BURNED_IN_ANNOTATION, VR::CS, "YES");
    put_str(object, tags::QUALITY_CONTROL_IMAGE, VR::CS, "NO");
    put_str(object, tags::BREAST_IMPLANT_PRESENT, VR::CS, "NO");
    put_str(object, tags::PARTIAL_VIEW, VR::CS, "NO");
}

/// Side, view (PS3.16 CID 4014) and the directions of a row and of a column (PS3.3 C.7.6.1.1.1).
fn put_position(object: &mut InMemDicomObject, m: &SyntheticMammogram) -> Result<(), Error> {
    let side = side_code(Side::Known(m.side));
    put_str(object, tags::IMAGE_LATERALITY, VR::CS, side);
    put_str(object, tags::VIEW_POSITION, VR::CS, &m.view.to_string());
    if !SCREENING_VIEWS.contains(&m.view) {
        let message = format!("expected a view of screening, CC or MLO, got {}", m.view);
        return Err(Error::new(ErrorKind::Write, message));
    }
    let (code, meaning) = code_of(m.view);
    let mut item = InMemDicomObject::new_empty();
    put_str(&mut item, tags::CODE_VALUE, VR::SH, code);
    put_str(&mut item, tags::CODING_SCHEME_DESIGNATOR, VR::SH, "SCT");
    put_str(&mut item, tags::CODE_MEANING, VR::LO, meaning);
    put_sequence(object, tags::VIEW_CODE_SEQUENCE, item);
    let orientation = match (m.side, m.view) {
        (Laterality::Left, View::Cc) => ["A", "R"],
        (Laterality::Right, View::Cc) => ["P", "L"],
        (Laterality::Left, _) => ["A", "FR"],
        (Laterality::Right, _) => ["P", "FL"],
    };
    let orientation = PrimitiveValue::Strs(orientation.map(str::to_owned).as_slice().into());
    object.put(DataElement::new(
        tags::PATIENT_ORIENTATION,
        VR::CS,
        orientation,
    ));
    Ok(())
}

fn put_spacing(object: &mut InMemDicomObject, m: &SyntheticMammogram) {
    let tag = match m.encoding.object {
        ObjectKind::SecondaryCapture => tags::NOMINAL_SCANNED_PIXEL_SPACING,
        _ => tags::IMAGER_PIXEL_SPACING,
    };
    let pair = [m.spacing.row_mm(), m.spacing.col_mm()].map(|mm| mm.to_string());
    let value = PrimitiveValue::Strs(pair.as_slice().into());
    object.put(DataElement::new(tag, VR::DS, value));
}

fn put_pixels(object: &mut InMemDicomObject, m: &SyntheticMammogram) -> Result<(), Error> {
    let side = |n: usize| {
        let fits = u16::try_from(n).ok().filter(|&n| n > 0);
        fits.ok_or_else(|| {
            let message = format!("expected 1 to 65535 pixels a side, got {n}");
            Error::new(ErrorKind::Write, message)
        })
    };
    put_u16(object, tags::ROWS, side(m.image.rows())?);
    put_u16(object, tags::COLUMNS, side(m.image.cols())?);
    m.encoding.put(object);
    let shown = m.image.pixels().iter().enumerate();
    let words = shown.map(|(i, &v)| m.encoding.stored(v, i));
    let (vr, value) = match m.encoding.bits_allocated() {
        8 => {
            let mut bytes: Vec<u8> = words.map(|v| v as u8).collect();
            // Values of elements have an even length.
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            (VR::OB, PrimitiveValue::from(bytes))
        }
        _ => (VR::OW, PrimitiveValue::U16(words.collect())),
    };
    object.put(DataElement::new(tags::PIXEL_DATA, vr, value));
    Ok(())
}
