//! What all objects have in common: patient, study, series, equipment, identifiers, references.

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use lobule_exam::{BreastAssessment, Side, threshold_words};

use super::codes::Code;
use super::request::Assessed;
use super::{NOTICE, Outcome, ResultKind, ResultRequest, ResultSource};
use crate::Error;
use crate::dataset::Dataset;
pub(super) use crate::write::put_items;
use crate::write::{derived_uid, put_sequence, put_str, put_u16, side_code};

/// Attributes of patient and study that are copied as they are (PS3.3 C.7.1.1, C.7.2.1, C.7.2.2),
/// with the ones that have to be there even when empty.
pub(super) const COPIED: &[(Tag, VR, Presence)] = &[
    (tags::STUDY_DATE, VR::DA, Presence::Always),
    (tags::STUDY_TIME, VR::TM, Presence::Always),
    (tags::ACCESSION_NUMBER, VR::SH, Presence::Always),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN, Presence::Always),
    (tags::STUDY_DESCRIPTION, VR::LO, Presence::WhereStated),
    (tags::PATIENT_NAME, VR::PN, Presence::Always),
    (tags::PATIENT_ID, VR::LO, Presence::Always),
    (tags::ISSUER_OF_PATIENT_ID, VR::LO, Presence::WhereStated),
    (tags::PATIENT_BIRTH_DATE, VR::DA, Presence::Always),
    (tags::PATIENT_SEX, VR::CS, Presence::Always),
    (tags::PATIENT_AGE, VR::AS, Presence::WhereStated),
    (tags::STUDY_ID, VR::SH, Presence::Always),
];

/// Whether an attribute that the source lacks is written, empty.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Always,
    WhereStated,
}

/// What tells one object from the others of its kind.
pub(super) struct Place<'a> {
    pub(super) kind: ResultKind,
    /// The breast that the series is of; unknown for a whole exam.
    pub(super) side: Side,
    /// From 1 within the kind.
    pub(super) number: usize,
    /// Which image or region; empty for the only object of its kind.
    pub(super) detail: &'a str,
}

/// An object with all that does not depend on its kind's content.
pub(super) fn envelope(
    request: &ResultRequest<'_>,
    place: &Place<'_>,
) -> Result<InMemDicomObject, Error> {
    let study = request.study()?;
    let mut object = InMemDicomObject::new_empty();
    put_copied(&mut object, &study.data);
    put_str(&mut object, tags::STUDY_INSTANCE_UID, VR::UI, &study.study);
    put_series(&mut object, request, place);
    put_equipment(&mut object, request);
    let number = place.number.to_string();
    let detail = format!("object {number} {}", place.detail);
    for (tag, vr, text) in [
        (tags::SOP_CLASS_UID, VR::UI, place.kind.class()),
        (
            tags::SOP_INSTANCE_UID,
            VR::UI,
            &uid(request, place.kind.name(), &detail),
        ),
        (tags::INSTANCE_NUMBER, VR::IS, &number),
        (tags::INSTANCE_CREATION_DATE, VR::DA, request.moment.date()),
        (tags::INSTANCE_CREATION_TIME, VR::TM, request.moment.time()),
    ] {
        put_str(&mut object, tag, vr, text);
    }
    Ok(object)
}

fn put_copied(object: &mut InMemDicomObject, data: &Dataset) {
    let sets = data.texts(tags::SPECIFIC_CHARACTER_SET).join("\\");
    if !sets.is_empty() {
        put_str(object, tags::SPECIFIC_CHARACTER_SET, VR::CS, &sets);
    }
    for &(tag, vr, presence) in COPIED {
        match data.raw(tag) {
            Some(raw) => put_raw(object, tag, vr, raw),
            None if presence == Presence::Always => put_str(object, tag, vr, ""),
            None => {}
        }
    }
}

/// The bytes of a text as they are: its character set is copied with it.
fn put_raw(object: &mut InMemDicomObject, tag: Tag, vr: VR, raw: &[u8]) {
    let mut bytes = raw.to_vec();
    if bytes.len() % 2 == 1 {
        bytes.push(b' ');
    }
    let value = match vr {
        // Bytes of these would be written as numbers.
        VR::DS | VR::IS => PrimitiveValue::from(String::from_utf8_lossy(raw).into_owned()),
        _ => PrimitiveValue::from(bytes),
    };
    object.put(DataElement::new(tag, vr, value));
}

fn put_series(object: &mut InMemDicomObject, request: &ResultRequest<'_>, place: &Place<'_>) {
    let side = side_code(place.side);
    let series = uid(request, place.kind.name(), &format!("series {side}"));
    let description = format!("{} ({})", place.kind.title(), "AI, research use only");
    for (tag, vr, text) in [
        (tags::MODALITY, VR::CS, place.kind.modality()),
        (tags::SERIES_INSTANCE_UID, VR::UI, series.as_str()),
        (
            tags::SERIES_NUMBER,
            VR::IS,
            &series_number(place).to_string(),
        ),
        (tags::SERIES_DATE, VR::DA, request.moment.date()),
        (tags::SERIES_TIME, VR::TM, request.moment.time()),
        (tags::SERIES_DESCRIPTION, VR::LO, &ascii(&description, 64)),
    ] {
        put_str(object, tag, vr, text);
    }
    // A report's series has no laterality (PS3.3 C.17.1); an unknown one is stated as empty.
    if !place.kind.is_document() {
        put_str(object, tags::BODY_PART_EXAMINED, VR::CS, "BREAST");
        put_str(object, tags::LATERALITY, VR::CS, side);
    }
}

/// Results stand behind the images of an archive that sorts by number.
fn series_number(place: &Place<'_>) -> usize {
    let side = match side_code(place.side) {
        "L" => 1,
        "R" => 2,
        _ => 0,
    };
    9000 + 10 * place.kind as usize + side
}

fn put_equipment(object: &mut InMemDicomObject, request: &ResultRequest<'_>) {
    let run = request.run;
    let model = format!("{} {}", run.model_name, run.model_version);
    let versions = [
        format!("lobule {}", run.program_version),
        format!("model {model}"),
        run.model_digest.clone(),
    ];
    for (tag, text) in [
        (tags::MANUFACTURER, "Lobule".to_owned()),
        (tags::MANUFACTURER_MODEL_NAME, ascii(&model, 64)),
        (tags::DEVICE_SERIAL_NUMBER, ascii(&run.model_digest, 16)),
    ] {
        put_str(object, tag, VR::LO, &text);
    }
    let versions = versions.map(|text| ascii(&text, 64));
    let value = PrimitiveValue::Strs(versions.as_slice().into());
    object.put(DataElement::new(tags::SOFTWARE_VERSIONS, VR::LO, value));
}

/// A unique identifier of this run: see the head of [`super`].
pub(super) fn uid(request: &ResultRequest<'_>, kind: &str, detail: &str) -> String {
    let run = request.run;
    let mut inputs: Vec<&str> = request
        .sources
        .iter()
        .map(|s| s.instance.as_str())
        .collect();
    inputs.sort_unstable();
    let placed = placed(request);
    let point = run.operating_point.as_ref();
    let point = point.map(|p| format!("{} {:?}", p.name, p.threshold));
    // A run that failed may succeed later.
    let failure = match request.outcome {
        Outcome::Assessed(_) => None,
        Outcome::Failed { reason, .. } => Some(reason),
    };
    let notes = request.notes();
    derived_uid(&format!(
        "lobule result\n{inputs:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{point:?}\n{failure:?}\n{:?}\n{placed:?}\n{notes:?}\n{:?}\n{kind}\n{detail}",
        run.model_name,
        run.model_version,
        run.model_digest,
        run.program_version,
        run.prevalence,
        run.engine,
    ))
}

/// What each image was taken for: a manifest may say otherwise than the image.
fn placed(request: &ResultRequest<'_>) -> Vec<String> {
    let images = request.images().unwrap_or_default();
    let place = |i: &Assessed<'_>| {
        let (side, view, spacing) = (i.breast.side, i.image.view(), i.image.spacing);
        let facts = i.image.mammogram.as_ref();
        // The medium, or why there is no density class.
        let medium = facts.map(|facts| facts.density_classes.as_ref().map(|of| of.medium));
        format!("{} {side:?} {view:?} {spacing:?} {medium:?}", image_key(i))
    };
    let mut placed: Vec<String> = images.iter().map(place).collect();
    placed.sort_unstable();
    placed
}

/// At most so many signs of plain ASCII: right in every character set, and no separator of values.
pub(super) fn ascii(text: &str, most: usize) -> String {
    let plain = |c: char| match c {
        '\\' => '/',
        '×' => 'x',
        '–' => '-',
        '“' | '”' => '"',
        '’' => '\'',
        ' '..='~' => c,
        _ => '?',
    };
    text.chars().map(plain).take(most).collect()
}

/// A number with six decimals at most, as text: far below any noise, and within 16 signs.
pub(super) fn decimal(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Writes content date and time.
pub(super) fn put_content_moment(object: &mut InMemDicomObject, request: &ResultRequest<'_>) {
    put_str(object, tags::CONTENT_DATE, VR::DA, request.moment.date());
    put_str(object, tags::CONTENT_TIME, VR::TM, request.moment.time());
}

/// Writes a code as the only item of a sequence (PS3.3 table 8.8-1).
pub(super) fn put_code(object: &mut InMemDicomObject, tag: Tag, code: Code) {
    put_sequence(object, tag, code.item());
}

/// Writes several texts as the values of one element.
pub(super) fn put_texts(object: &mut InMemDicomObject, tag: Tag, vr: VR, texts: &[String]) {
    object.put(DataElement::new(
        tag,
        vr,
        PrimitiveValue::Strs(texts.into()),
    ));
}

/// Copies an element of the source where it is stated.
pub(super) fn copy(object: &mut InMemDicomObject, source: &ResultSource, tag: Tag, vr: VR) {
    if let Some(raw) = source.data.raw(tag) {
        put_raw(object, tag, vr, raw);
    }
}

/// Refers to an image, and to the frame of one with several.
pub(super) fn image_reference(source: &ResultSource, frame: Option<usize>) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    put_str(
        &mut item,
        tags::REFERENCED_SOP_CLASS_UID,
        VR::UI,
        &source.class,
    );
    put_str(
        &mut item,
        tags::REFERENCED_SOP_INSTANCE_UID,
        VR::UI,
        &source.instance,
    );
    if let Some(frame) = frame.filter(|_| source.frames > 1) {
        let number = (frame + 1).to_string();
        put_str(&mut item, tags::REFERENCED_FRAME_NUMBER, VR::IS, &number);
    }
    item
}

/// What tells an image's object from others: the image and its frame.
pub(super) fn image_key(assessed: &Assessed<'_>) -> String {
    format!(
        "{} frame {}",
        assessed.source.instance, assessed.image.frame
    )
}

/// The elements of an image's pixels.
pub(super) struct Pixels {
    pub(super) rows: u16,
    pub(super) cols: u16,
    pub(super) samples: u16,
    pub(super) bits: u16,
    pub(super) photometric: &'static str,
    pub(super) bytes: Vec<u8>,
}

pub(super) fn put_pixels(object: &mut InMemDicomObject, mut pixels: Pixels) {
    put_str(
        object,
        tags::PHOTOMETRIC_INTERPRETATION,
        VR::CS,
        pixels.photometric,
    );
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, pixels.samples),
        (tags::ROWS, pixels.rows),
        (tags::COLUMNS, pixels.cols),
        (tags::BITS_ALLOCATED, pixels.bits),
        (tags::BITS_STORED, pixels.bits),
        (tags::HIGH_BIT, pixels.bits - 1),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        put_u16(object, tag, value);
    }
    if pixels.samples > 1 {
        put_u16(object, tags::PLANAR_CONFIGURATION, 0);
    }
    pixels
        .bytes
        .resize(pixels.bytes.len().next_multiple_of(2), 0);
    let value = PrimitiveValue::from(pixels.bytes);
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, value));
}

/// The account of the run that every object carries: model, operating point, limits of its use.
pub(super) fn account(request: &ResultRequest<'_>) -> String {
    let run = request.run;
    let point = match &run.operating_point {
        Some(p) => format!("operating point {} at {}", p.name, of_100(p.threshold)),
        None => "no operating point".to_owned(),
    };
    let research_use = match run.research_use.as_str() {
        "" => String::new(),
        words => format!(". {words}"),
    };
    format!(
        "{NOTICE}. Lobule {}, model {} {}, {point}{research_use}",
        run.program_version, run.model_name, run.model_version
    )
}

/// A threshold on the scale of the breasts' and lesions' scores.
fn of_100(threshold: f64) -> String {
    format!("{} of 100", threshold_words(100.0 * threshold))
}

/// What the operating point says of a breast.
pub(super) fn decision(request: &ResultRequest<'_>, breast: &BreastAssessment) -> String {
    let flagged = if breast.flagged {
        "FLAGGED"
    } else {
        "not flagged"
    };
    match &request.run.operating_point {
        Some(p) => format!(
            "{flagged} at the operating point {} ({})",
            p.name,
            of_100(p.threshold)
        ),
        None => "no operating point".to_owned(),
    }
}
