//! A patient's identity, for display on explicit request and for nothing else.

use std::fmt;
use std::path::Path;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_encoding::text::{SpecificCharacterSet, TextCodec};

use crate::Error;
use crate::dataset::{self, Dataset};

/// Who and when. It is not part of [`Instance`](crate::Instance), and its `Debug` form shows
/// nothing, so that it cannot slip into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct DisplayIdentity {
    /// Patient ID; empty when the file has none.
    pub patient_id: String,
    /// Patient's Name as written, with its `^`; empty when the file has none.
    pub patient_name: String,
    /// Study Date, `YYYYMMDD` as written; empty when the file has none.
    pub study_date: String,
}

impl fmt::Debug for DisplayIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DisplayIdentity(redacted)")
    }
}

/// Reads who a file is of.
///
/// # Errors
/// When the file cannot be read or is not DICOM.
pub fn read_identity(path: &Path) -> Result<DisplayIdentity, Error> {
    let wanted = [
        tags::SPECIFIC_CHARACTER_SET,
        tags::PATIENT_ID,
        tags::PATIENT_NAME,
        tags::STUDY_DATE,
    ];
    let header = dataset::read_file(path, &wanted).map_err(|e| e.in_file(path))?;
    let text = |tag| decoded(&header.dataset, tag);
    Ok(DisplayIdentity {
        patient_id: text(tags::PATIENT_ID),
        patient_name: text(tags::PATIENT_NAME),
        study_date: text(tags::STUDY_DATE),
    })
}

/// A text in the file's character set; as Latin-1 where that set is unknown. Control characters
/// are left out.
pub(crate) fn decoded(data: &Dataset, tag: Tag) -> String {
    let charset = Charset::of(&data.texts(tags::SPECIFIC_CHARACTER_SET));
    let text = charset.decode(data.raw(tag).unwrap_or_default());
    let shown: String = text.chars().filter(|c| !c.is_control()).collect();
    shown.trim().to_owned()
}

/// How texts of a data set are encoded.
#[derive(Clone)]
pub(crate) struct Charset(Option<SpecificCharacterSet>);

impl Charset {
    /// The set of the values of Specific Character Set. The first value is empty where a later one
    /// only extends the default.
    pub(crate) fn of(stated: &[String]) -> Charset {
        let named = stated.iter().find(|name| !name.is_empty());
        Charset(named.and_then(|name| SpecificCharacterSet::from_code(name)))
    }

    /// A text; as Latin-1 where the set is unknown or does not fit.
    pub(crate) fn decode(&self, raw: &[u8]) -> String {
        let decoded = self.0.as_ref().and_then(|codec| codec.decode(raw).ok());
        decoded.unwrap_or_else(|| raw.iter().map(|&b| char::from(b)).collect())
    }
}
