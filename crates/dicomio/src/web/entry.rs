//! What a search knows of an instance: read once, when it arrives.

use std::path::Path;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::attribute::{OF_INSTANCE, OF_SERIES, OF_STUDY};
use super::query::{comparable_time, folded_name};
use super::value;
use crate::dataset::{self, Dataset};
use crate::identity::{Charset, decoded};
use crate::keys::keys_of;
use crate::{Error, InstanceKeys};

/// Longest value that is kept of an attribute.
const MAX_KEPT: usize = 1024;

/// What is kept of an instance so that searches find and show it. It identifies the patient: its
/// `Debug` form shows the identifiers of the instance alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it belongs.
    pub keys: InstanceKeys,
    /// The transfer syntax it is kept in.
    pub syntax_uid: String,
    /// Of the study.
    pub study: StudyEntry,
    /// Of the series.
    pub series: SeriesEntry,
    /// Of the instance itself.
    pub instance: InstanceEntry,
}

/// What a study is found by, and what is shown of it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct StudyEntry {
    /// Patient's Name in lower case.
    pub patient_name: String,
    /// Patient ID.
    pub patient_id: String,
    /// Referring Physician's Name in lower case.
    pub referring_physician: String,
    /// Study Date, as written.
    pub date: String,
    /// Study Time, in a form that can be compared.
    pub time: String,
    /// Accession Number.
    pub accession_number: String,
    /// Study ID.
    pub id: String,
    /// Study Description.
    pub description: String,
    /// Attributes in the DICOM JSON model, a line each.
    pub attributes: String,
}

/// What a series is found by, and what is shown of it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SeriesEntry {
    /// Series Number.
    pub number: Option<i64>,
    /// Attributes in the DICOM JSON model, a line each.
    pub attributes: String,
}

/// What an instance is found by, and what is shown of it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct InstanceEntry {
    /// Instance Number.
    pub number: Option<i64>,
    /// Attributes in the DICOM JSON model, a line each.
    pub attributes: String,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({})", self.keys.instance_uid)
    }
}

/// Reads what searches know of a file; its elements are walked up to the pixel data.
///
/// # Errors
/// As [`read_keys`](crate::read_keys).
pub fn read_entry(file: &Path) -> Result<Entry, Error> {
    let kept = [OF_STUDY, OF_SERIES, OF_INSTANCE].concat();
    let wanted: Vec<Tag> = kept.iter().map(|(tag, _)| *tag).collect();
    let read = || -> Result<Entry, Error> {
        let header = dataset::read_file(file, &wanted)?;
        let data = header.dataset;
        Ok(Entry {
            keys: keys_of(&data)?,
            syntax_uid: header.syntax_uid,
            study: study(&data),
            series: SeriesEntry {
                number: number(&data, tags::SERIES_NUMBER),
                attributes: lines(&data, OF_SERIES),
            },
            instance: InstanceEntry {
                number: number(&data, tags::INSTANCE_NUMBER),
                attributes: lines(&data, OF_INSTANCE),
            },
        })
    };
    read().map_err(|e| e.in_file(file))
}

fn study(data: &Dataset) -> StudyEntry {
    let text = |tag| {
        let text = decoded(data, tag);
        text.chars().take(MAX_KEPT).collect::<String>()
    };
    let time = text(tags::STUDY_TIME);
    StudyEntry {
        patient_name: folded_name(&text(tags::PATIENT_NAME)),
        patient_id: text(tags::PATIENT_ID),
        referring_physician: folded_name(&text(tags::REFERRING_PHYSICIAN_NAME)),
        date: text(tags::STUDY_DATE).replace('.', ""),
        time: match time.is_empty() {
            true => time,
            false => comparable_time(&time),
        },
        accession_number: text(tags::ACCESSION_NUMBER),
        id: text(tags::STUDY_ID),
        description: text(tags::STUDY_DESCRIPTION),
        attributes: lines(data, OF_STUDY),
    }
}

fn number(data: &Dataset, tag: Tag) -> Option<i64> {
    data.text(tag)?.parse().ok()
}

/// Attributes that are there, a line each, in the order of their tags. A value that is far too long
/// for its attribute is left out.
fn lines(data: &Dataset, kept: &[(Tag, VR)]) -> String {
    let charset = Charset::of(&data.texts(tags::SPECIFIC_CHARACTER_SET));
    let mut out = Vec::new();
    for &(tag, vr) in kept {
        if !data.elements.contains_key(&tag) {
            continue;
        }
        if !out.is_empty() {
            out.push(b'\n');
        }
        let raw = data.raw(tag).unwrap_or_default();
        let raw = if raw.len() > MAX_KEPT { &[] } else { raw };
        value::begin(&mut out, tag, vr);
        value::value(&mut out, vr, raw, data.is_big_endian(), &charset);
        out.push(b'}');
    }
    String::from_utf8_lossy(&out).into_owned()
}
