//! Which objects are mammograms, and what they were made from.

use dicom_dictionary_std::{tags, uids};
use lobule_exam::{Medium, PresentationIntent, Warning, WarningKind};

use super::{Coverage, Origin};
use crate::content::{
    SECONDARY_CAPTURE, body_part_words, described_class, is_synthetic, names_breast, printable,
};
use crate::dataset::Dataset;
use crate::{Error, ErrorKind};

pub(crate) const TOMOSYNTHESIS: [&str; 3] = [
    uids::BREAST_TOMOSYNTHESIS_IMAGE_STORAGE,
    uids::BREAST_PROJECTION_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION,
    uids::BREAST_PROJECTION_X_RAY_IMAGE_STORAGE_FOR_PROCESSING,
];
/// Radiographs that may be of anything.
pub(crate) const RADIOGRAPHS: [(&str, PresentationIntent); 3] = [
    (
        uids::COMPUTED_RADIOGRAPHY_IMAGE_STORAGE,
        PresentationIntent::NotStated,
    ),
    (
        uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION,
        PresentationIntent::Presentation,
    ),
    (
        uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PROCESSING,
        PresentationIntent::Processing,
    ),
];

/// What the class of the object, and Image Type, tell.
pub(super) struct Class {
    pub(super) intent: PresentationIntent,
    pub(super) origin: Origin,
    pub(super) coverage: Coverage,
}

fn other(what: &str) -> Error {
    let message = format!("expected a mammogram, got {what}");
    Error::new(ErrorKind::OtherModality, message)
}

fn tomosynthesis(what: &str) -> Error {
    let message = format!("expected one picture of a breast, got {what}");
    Error::new(ErrorKind::Tomosynthesis, message)
}

/// Refuses what is not a mammogram, as far as it is stated.
pub(super) fn judge(data: &Dataset) -> Result<Class, Error> {
    let modality = data.text(tags::MODALITY).unwrap_or_default();
    let uid = data.text(tags::SOP_CLASS_UID).unwrap_or_default();
    let stated = match uid.as_str() {
        uids::MEDIA_STORAGE_DIRECTORY_STORAGE => {
            let message = "expected an image, got a directory of other files (DICOMDIR)";
            return Err(Error::new(ErrorKind::NoPixels, message));
        }
        uids::DIGITAL_MAMMOGRAPHY_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION => {
            (PresentationIntent::Presentation, Origin::Exposure)
        }
        uids::DIGITAL_MAMMOGRAPHY_X_RAY_IMAGE_STORAGE_FOR_PROCESSING => {
            (PresentationIntent::Processing, Origin::Exposure)
        }
        uid if TOMOSYNTHESIS.contains(&uid) => return Err(tomosynthesis("a tomosynthesis")),
        // Scanners of the first generation stored the slices so.
        uids::CT_IMAGE_STORAGE if modality == "MG" => {
            return Err(tomosynthesis("a slice of a tomosynthesis"));
        }
        "" if modality == "MG" => (PresentationIntent::NotStated, Origin::Scan),
        uid => general(uid, &modality, data)?,
    };
    let image_type = data.texts(tags::IMAGE_TYPE);
    let is_of = |word: &str| image_type.iter().any(|value| value.contains(word));
    let generated = is_of("GENERATED_2D") || is_of("TOMO");
    Ok(Class {
        intent: intent(data).unwrap_or(stated.0),
        origin: match generated {
            true => Origin::GeneratedFromTomosynthesis,
            false => stated.1,
        },
        coverage: match data.text(tags::PARTIAL_VIEW).as_deref() {
            Some("YES") => Coverage::Partial,
            _ => Coverage::Whole,
        },
    })
}

fn intent(data: &Dataset) -> Option<PresentationIntent> {
    match data.text(tags::PRESENTATION_INTENT_TYPE)?.as_str() {
        "FOR PRESENTATION" => Some(PresentationIntent::Presentation),
        "FOR PROCESSING" => Some(PresentationIntent::Processing),
        _ => None,
    }
}

/// Radiographs and captures: they have to say that they show a breast, by modality or body part.
fn general(
    uid: &str,
    modality: &str,
    data: &Dataset,
) -> Result<(PresentationIntent, Origin), Error> {
    let radiograph = RADIOGRAPHS.iter().find(|(known, _)| *known == uid);
    let is_capture = SECONDARY_CAPTURE.contains(&uid);
    if radiograph.is_none() && !is_capture {
        return Err(other(&described_class(uid, modality)));
    }
    let fits = matches!(modality, "MG" | "RG" | "CR" | "DX" | "OT" | "");
    let parts = body_part_words(data);
    match parts.first() {
        _ if !fits => {
            return Err(other(&format!(
                "an image of modality {}",
                printable(modality)
            )));
        }
        Some(part) if !names_breast(part) => {
            let message = format!("expected the breast, got body part {}", printable(part));
            return Err(Error::new(ErrorKind::OtherBodyPart, message));
        }
        None if modality != "MG" => {
            return Err(other("a radiograph that does not say what it shows"));
        }
        _ => {}
    }
    match radiograph {
        Some(&(_, intent)) if uid != uids::COMPUTED_RADIOGRAPHY_IMAGE_STORAGE => {
            Ok((intent, Origin::Exposure))
        }
        _ => Ok((PresentationIntent::NotStated, Origin::Scan)),
    }
}

/// What the picture was taken on, as far as it is stated: a film by Detector Type (PS3.3 C.8.11.4),
/// Conversion Type (C.8.6.1), the modality RG (C.7.3.1.1.1) or the spacing on a scanned medium; a
/// detector by Detector Type or by the class of the object. Computed radiography and captures may
/// be either.
pub(super) fn medium(data: &Dataset, class: &Class) -> Option<Medium> {
    let says = |tag, words: &[&str]| {
        let stated = data.text(tag);
        stated.is_some_and(|word| words.contains(&word.as_str()))
    };
    let is_film = says(tags::DETECTOR_TYPE, &["FILM"])
        || says(tags::CONVERSION_TYPE, &["DF"])
        || says(tags::MODALITY, &["RG"])
        || data.raw(tags::NOMINAL_SCANNED_PIXEL_SPACING).is_some();
    let detectors = ["DIRECT", "SCINTILLATOR", "STORAGE"];
    match is_film {
        true => Some(Medium::Film),
        false if class.origin != Origin::Scan => Some(Medium::Digital),
        false => says(tags::DETECTOR_TYPE, &detectors).then_some(Medium::Digital),
    }
}

/// Several frames in a mammogram are slices or projections.
pub(super) fn check_frames(frames: usize) -> Result<(), Error> {
    match frames {
        1 => Ok(()),
        n => Err(tomosynthesis(&format!(
            "{n} frames: a tomosynthesis or another series"
        ))),
    }
}

/// Says what a user should know of the class.
pub(super) fn warn(class: &Class, data: &Dataset, warnings: &mut Vec<Warning>) {
    let mut push = |kind, message: &str| {
        warnings.push(Warning {
            kind,
            message: message.to_owned(),
        });
    };
    if class.intent == PresentationIntent::Processing {
        let message = "the image is for processing: contrast is not that of the readable image";
        push(WarningKind::DoubtfulContent, message);
    }
    if class.origin == Origin::GeneratedFromTomosynthesis {
        let message = "the image was computed from a tomosynthesis";
        push(WarningKind::DoubtfulContent, message);
    }
    if class.coverage == Coverage::Partial {
        let message = "the image shows a part of the breast only (partial view)";
        push(WarningKind::DoubtfulContent, message);
    }
    if is_synthetic(data) {
        let message = "the image is synthetic: it shows no patient";
        push(WarningKind::Synthetic, message);
    }
}
