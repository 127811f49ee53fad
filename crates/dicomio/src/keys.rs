//! The identifiers an archive files an instance under.

use std::fmt;
use std::path::Path;

use dicom_dictionary_std::tags;
use sha2::{Digest, Sha256};

use crate::content::printable;
use crate::dataset::{self, Dataset};
use crate::dimse::is_uid;
use crate::{Error, ErrorKind};

/// Which study, series and object a file belongs to. Identifiers are digits and dots, at most 64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceKeys {
    /// Study Instance UID.
    pub study_uid: String,
    /// Series Instance UID.
    pub series_uid: String,
    /// SOP Instance UID.
    pub instance_uid: String,
    /// SOP Class UID.
    pub class_uid: String,
    /// Modality as written; letters, digits and a few signs.
    pub modality: String,
}

/// Reads the identifiers of a file; its elements are walked up to the pixel data.
///
/// # Errors
/// When the file cannot be read, is not DICOM, or one of the identifiers is missing or none.
pub fn read_keys(path: &Path) -> Result<InstanceKeys, Error> {
    let wanted = [
        tags::STUDY_INSTANCE_UID,
        tags::SERIES_INSTANCE_UID,
        tags::SOP_INSTANCE_UID,
        tags::SOP_CLASS_UID,
        tags::MODALITY,
    ];
    let header = dataset::read_file_head(path, &wanted);
    let keys = header.and_then(|header| keys_of(&header.dataset));
    keys.map_err(|e| e.in_file(path))
}

/// The identifiers of a data set that was read.
pub(crate) fn keys_of(data: &Dataset) -> Result<InstanceKeys, Error> {
    let uid = |tag, name: &str| {
        let text = data.text(tag).unwrap_or_default();
        match is_uid(&text) {
            true => Ok(text),
            false => {
                let message = format!("expected a unique identifier as {name}, got something else");
                Err(Error::new(ErrorKind::Malformed, message))
            }
        }
    };
    Ok(InstanceKeys {
        study_uid: uid(tags::STUDY_INSTANCE_UID, "Study Instance UID")?,
        series_uid: uid(tags::SERIES_INSTANCE_UID, "Series Instance UID")?,
        instance_uid: uid(tags::SOP_INSTANCE_UID, "SOP Instance UID")?,
        class_uid: uid(tags::SOP_CLASS_UID, "SOP Class UID")?,
        modality: printable(&data.text(tags::MODALITY).unwrap_or_default()),
    })
}

/// What a study is called where its identifier may not stand: `exam-` and 12 hexadecimal digits of
/// the SHA-256 of the identifier. Assessments bear the same name.
pub fn study_key(study_uid: &str) -> String {
    let digest = Sha256::digest(study_uid.as_bytes());
    let digits: String = digest[..6].iter().map(|b| format!("{b:02x}")).collect();
    format!("exam-{digits}")
}

/// Tells a patient from others by the Patient ID. It can be compared and nothing else: of an
/// identifier with few signs, a hash that is written down gives the identifier away.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatientKey([u8; 32]);

impl fmt::Debug for PatientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientKey(redacted)")
    }
}

impl PatientKey {
    /// None where the Patient ID is empty. Its issuer is no part of it: some images of a study state it,
    /// others do not.
    pub(crate) fn of(data: &Dataset) -> Option<PatientKey> {
        let text = data.raw(tags::PATIENT_ID)?;
        let is_sign = |byte: &u8| !matches!(byte, b' ' | 0);
        let start = text.iter().position(is_sign)?;
        let end = text.iter().rposition(is_sign)?;
        Some(PatientKey(Sha256::digest(&text[start..=end]).into()))
    }
}
