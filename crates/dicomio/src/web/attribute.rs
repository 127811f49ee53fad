//! The attributes that searches know: what is kept of each instance, and what can be matched.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};

/// What a search is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Studies.
    Study,
    /// Series.
    Series,
    /// Instances.
    Instance,
}

/// An attribute that can be matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Study Instance UID.
    StudyUid,
    /// Study Date.
    StudyDate,
    /// Study Time.
    StudyTime,
    /// Accession Number.
    AccessionNumber,
    /// Modalities in Study.
    ModalitiesInStudy,
    /// Referring Physician's Name.
    ReferringPhysician,
    /// Patient's Name.
    PatientName,
    /// Patient ID.
    PatientId,
    /// Study ID.
    StudyId,
    /// Study Description.
    StudyDescription,
    /// Series Instance UID.
    SeriesUid,
    /// Modality.
    Modality,
    /// Series Number.
    SeriesNumber,
    /// SOP Instance UID.
    InstanceUid,
    /// SOP Class UID.
    ClassUid,
    /// Instance Number.
    InstanceNumber,
}

/// How values of a field are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Uid,
    Code,
    Text,
    Name,
    Date,
    Time,
    Number,
}

/// Field, tag, level, how it is compared.
const FIELDS: [(Field, Tag, Level, Kind); 16] = {
    use Field::*;
    use Level::{Instance, Series, Study};
    [
        (StudyUid, tags::STUDY_INSTANCE_UID, Study, Kind::Uid),
        (StudyDate, tags::STUDY_DATE, Study, Kind::Date),
        (StudyTime, tags::STUDY_TIME, Study, Kind::Time),
        (AccessionNumber, tags::ACCESSION_NUMBER, Study, Kind::Text),
        (
            ModalitiesInStudy,
            tags::MODALITIES_IN_STUDY,
            Study,
            Kind::Code,
        ),
        (
            ReferringPhysician,
            tags::REFERRING_PHYSICIAN_NAME,
            Study,
            Kind::Name,
        ),
        (PatientName, tags::PATIENT_NAME, Study, Kind::Name),
        (PatientId, tags::PATIENT_ID, Study, Kind::Text),
        (StudyId, tags::STUDY_ID, Study, Kind::Text),
        (StudyDescription, tags::STUDY_DESCRIPTION, Study, Kind::Text),
        (SeriesUid, tags::SERIES_INSTANCE_UID, Series, Kind::Uid),
        (Modality, tags::MODALITY, Series, Kind::Code),
        (SeriesNumber, tags::SERIES_NUMBER, Series, Kind::Number),
        (InstanceUid, tags::SOP_INSTANCE_UID, Instance, Kind::Uid),
        (ClassUid, tags::SOP_CLASS_UID, Instance, Kind::Uid),
        (
            InstanceNumber,
            tags::INSTANCE_NUMBER,
            Instance,
            Kind::Number,
        ),
    ]
};

impl Field {
    /// The level it belongs to.
    pub fn level(self) -> Level {
        self.row().2
    }

    pub(super) fn kind(self) -> Kind {
        self.row().3
    }

    pub(super) fn of(tag: Tag) -> Option<Field> {
        let row = FIELDS.iter().find(|row| row.1 == tag);
        row.map(|row| row.0)
    }

    fn row(self) -> &'static (Field, Tag, Level, Kind) {
        let row = FIELDS.iter().find(|row| row.0 == self);
        row.expect("every field has a row")
    }
}

/// What is kept of the study, as the first instance of it states it.
pub(super) const OF_STUDY: &[(Tag, VR)] = &[
    (tags::SPECIFIC_CHARACTER_SET, VR::CS),
    (tags::STUDY_DATE, VR::DA),
    (tags::STUDY_TIME, VR::TM),
    (tags::ACCESSION_NUMBER, VR::SH),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN),
    (tags::TIMEZONE_OFFSET_FROM_UTC, VR::SH),
    (tags::STUDY_DESCRIPTION, VR::LO),
    (tags::PATIENT_NAME, VR::PN),
    (tags::PATIENT_ID, VR::LO),
    (tags::ISSUER_OF_PATIENT_ID, VR::LO),
    (tags::PATIENT_BIRTH_DATE, VR::DA),
    (tags::PATIENT_SEX, VR::CS),
    (tags::PATIENT_AGE, VR::AS),
    (tags::STUDY_INSTANCE_UID, VR::UI),
    (tags::STUDY_ID, VR::SH),
];

/// What is kept of the series, as its first instance states it.
pub(super) const OF_SERIES: &[(Tag, VR)] = &[
    (tags::SERIES_DATE, VR::DA),
    (tags::SERIES_TIME, VR::TM),
    (tags::MODALITY, VR::CS),
    (tags::MANUFACTURER, VR::LO),
    (tags::SERIES_DESCRIPTION, VR::LO),
    (tags::MANUFACTURER_MODEL_NAME, VR::LO),
    (tags::BODY_PART_EXAMINED, VR::CS),
    (tags::PROTOCOL_NAME, VR::LO),
    (tags::SERIES_INSTANCE_UID, VR::UI),
    (tags::SERIES_NUMBER, VR::IS),
    (tags::LATERALITY, VR::CS),
    (tags::PERFORMED_PROCEDURE_STEP_START_DATE, VR::DA),
    (tags::PERFORMED_PROCEDURE_STEP_START_TIME, VR::TM),
];

/// What is kept of the instance.
pub(super) const OF_INSTANCE: &[(Tag, VR)] = &[
    (tags::IMAGE_TYPE, VR::CS),
    (tags::SOP_CLASS_UID, VR::UI),
    (tags::SOP_INSTANCE_UID, VR::UI),
    (tags::ACQUISITION_DATE, VR::DA),
    (tags::CONTENT_DATE, VR::DA),
    (tags::ACQUISITION_TIME, VR::TM),
    (tags::CONTENT_TIME, VR::TM),
    (tags::VIEW_POSITION, VR::CS),
    (tags::INSTANCE_NUMBER, VR::IS),
    (tags::IMAGE_LATERALITY, VR::CS),
    (tags::SAMPLES_PER_PIXEL, VR::US),
    (tags::PHOTOMETRIC_INTERPRETATION, VR::CS),
    (tags::NUMBER_OF_FRAMES, VR::IS),
    (tags::ROWS, VR::US),
    (tags::COLUMNS, VR::US),
    (tags::BITS_ALLOCATED, VR::US),
    (tags::BITS_STORED, VR::US),
];

/// An attribute as a query names it: a keyword, eight hexadecimal digits, or several of them with
/// dots between, for an attribute inside sequences. None where there is no such attribute.
pub(super) fn named(name: &str) -> Option<Named> {
    let mut parts = name.split('.');
    let first = single(parts.next()?)?;
    let rest: Option<Vec<Tag>> = parts.map(single).collect();
    match rest?.is_empty() {
        true => Some(Named::Plain(first)),
        false => Some(Named::Nested),
    }
}

/// An attribute that is named in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Plain(Tag),
    /// Inside a sequence.
    Nested,
}

fn single(name: &str) -> Option<Tag> {
    let is_tag = name.len() == 8 && name.bytes().all(|b| b.is_ascii_hexdigit());
    if is_tag {
        let group = u16::from_str_radix(&name[..4], 16).ok()?;
        let element = u16::from_str_radix(&name[4..], 16).ok()?;
        return Some(Tag(group, element));
    }
    let plain = name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric());
    let found = plain.then(|| StandardDataDictionary.by_name(name))?;
    found.map(|entry| entry.tag())
}

/// What a message calls an attribute: its keyword, or its digits where it is private.
pub(super) fn shown(tag: Tag) -> String {
    match StandardDataDictionary.by_tag(tag) {
        Some(entry) => entry.alias().to_owned(),
        None => digits(tag),
    }
}

/// Eight upper-case hexadecimal digits.
pub(super) fn digits(tag: Tag) -> String {
    format!("{:04X}{:04X}", tag.group(), tag.element())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_named_in_three_ways() {
        for (name, expected) in [
            ("PatientName", Some(Named::Plain(tags::PATIENT_NAME))),
            ("00100010", Some(Named::Plain(tags::PATIENT_NAME))),
            ("0020000d", Some(Named::Plain(tags::STUDY_INSTANCE_UID))),
            ("00400275.00401001", Some(Named::Nested)),
            (
                "RequestAttributesSequence.RequestedProcedureID",
                Some(Named::Nested),
            ),
            ("patientname", None),
            ("PatientName.", None),
            ("", None),
            ("1' OR '1'='1", None),
        ] {
            assert_eq!(named(name), expected, "{name}");
        }
    }

    #[test]
    fn everything_kept_is_in_the_order_of_its_tags() {
        for kept in [OF_STUDY, OF_SERIES, OF_INSTANCE] {
            assert!(kept.is_sorted_by_key(|(tag, _)| *tag));
        }
    }
}
