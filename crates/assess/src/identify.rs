//! What a file is, by its content.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use lobule_dicomio::{ErrorKind, Instance, Mammogram, PatientKey, UnreadableImage};
use lobule_exam::Side;
use lobule_raster::Limits;

/// What a file holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// PNG, JPEG, TIFF, BMP or PGM.
    Picture,
    /// A DICOM sonogram whose header was read.
    Sonogram(Box<Instance>),
    /// A DICOM mammogram whose header was read.
    Mammogram(Box<Mammogram>),
    /// A DICOM image of a breast whose pixels cannot be read, and why.
    Unreadable(UnreadableImage, String),
}

impl Content {
    /// The breast that the file itself states.
    pub(crate) fn side(&self) -> Side {
        match self {
            Content::Picture => Side::Unknown,
            Content::Sonogram(instance) => instance.side,
            Content::Mammogram(mammogram) => mammogram.side,
            Content::Unreadable(image, _) => image.side,
        }
    }

    /// Opaque keys of the study and the patient that the file itself states.
    pub(crate) fn study(&self) -> Option<(&str, Option<&PatientKey>)> {
        match self {
            Content::Picture => None,
            Content::Sonogram(one) => Some((&one.exam_key, one.patient_key.as_ref())),
            Content::Mammogram(one) => Some((&one.exam_key, one.patient_key.as_ref())),
            Content::Unreadable(one, _) => Some((&one.exam_key, one.patient_key.as_ref())),
        }
    }
}

/// What a file is; a known ending is taken at its word, so that an empty or broken picture is
/// refused with the reader's reason.
pub(crate) fn identify(path: &Path) -> Result<Content, String> {
    let ending = path
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    let ending = ending.as_deref().unwrap_or_default();
    if matches!(ending, "dcm" | "dicom" | "ima") || lobule_dicomio::is_dicom(path) {
        return identify_dicom(path).or_else(|reason| {
            let image = lobule_dicomio::read_unreadable(path, &Limits::default());
            match image {
                Some(image) => Ok(Content::Unreadable(image, reason)),
                None => Err(reason),
            }
        });
    }
    let pictures = ["png", "jpg", "jpeg", "tif", "tiff", "bmp", "pgm"];
    if pictures.contains(&ending) || is_picture(path) {
        return Ok(Content::Picture);
    }
    match ending {
        "csv" => Err("a table inside a folder is not read; name a manifest itself".to_owned()),
        _ => Err("expected DICOM, PNG, JPEG, TIFF, BMP or PGM, got something else".to_owned()),
    }
}

/// Each reader tells what is not its own; what neither takes is refused in both names.
fn identify_dicom(path: &Path) -> Result<Content, String> {
    let limits = Limits::default();
    let foreign = |e: &lobule_dicomio::Error| e.kind() == ErrorKind::OtherModality;
    match lobule_dicomio::read_header(path, &limits) {
        Ok(instance) => {
            return Ok(match mammogram_of_capture(&instance, path) {
                Some(mammogram) => Content::Mammogram(Box::new(mammogram)),
                None => Content::Sonogram(Box::new(instance)),
            });
        }
        Err(error) if foreign(&error) => {}
        Err(error) => return Err(error.reason().to_owned()),
    }
    match lobule_dicomio::read_mammogram_header(path, &limits) {
        Ok(mammogram) => Ok(Content::Mammogram(Box::new(mammogram))),
        Err(error) => {
            let reason = error.reason();
            let got = reason.strip_prefix("expected a mammogram, ");
            Err(match got.filter(|_| foreign(&error)) {
                Some(got) => format!("expected breast ultrasound or a mammogram, {got}"),
                None => reason.to_owned(),
            })
        }
    }
}

/// A capture of a breast that does not say ultrasound is a mammogram where it states a mammographic view and
/// no region of a sonogram.
fn mammogram_of_capture(instance: &Instance, path: &Path) -> Option<Mammogram> {
    let is_open =
        instance.modality == lobule_dicomio::Modality::Other && instance.regions.is_empty();
    let read = || lobule_dicomio::read_mammogram_header(path, &Limits::default()).ok();
    is_open
        .then(read)?
        .filter(|mammogram| mammogram.view.is_some())
}

fn is_picture(path: &Path) -> bool {
    let mut start = Vec::new();
    let opened = File::open(path).and_then(|f| f.take(8).read_to_end(&mut start));
    let known: [&[u8]; 6] = [
        b"\x89PNG",
        b"\xff\xd8\xff",
        b"II*\0",
        b"MM\0*",
        b"BM",
        b"P5",
    ];
    opened.is_ok() && known.iter().any(|magic| start.starts_with(magic))
}
