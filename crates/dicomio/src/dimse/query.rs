//! Asking an archive for the other studies of a patient, and having one sent (PS3.4 annex C, study root).
//!
//! Owns: the question and what is made of its answers. Does not own: which of the studies are worth
//! having (the caller), receiving them: an archive sends to the listener.
//!
//! Who the patient is never leaves this room: it is read from a file of the patient's and compared with
//! what comes back, because an archive that passes over a key answers with everybody's studies.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Instant;

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};

use super::accept::Context;
use super::association::{Association, Remote, refused};
use super::command::{Elements, find_request, move_request, read_implicit, status};
use super::is_uid;
use super::transport::protocol;
use super::wire::Opened;
use crate::content::printable;
use crate::dataset::{self, Dataset};
use crate::{Error, ErrorKind};

/// The class of the question.
pub(super) const FIND: &str = uids::STUDY_ROOT_QUERY_RETRIEVE_INFORMATION_MODEL_FIND;
/// The class of the request to send.
pub(super) const MOVE: &str = uids::STUDY_ROOT_QUERY_RETRIEVE_INFORMATION_MODEL_MOVE;
/// Every archive has to take it.
pub(super) const SYNTAX: &str = uids::IMPLICIT_VR_LITTLE_ENDIAN;
/// Of a text, what a question would take for something else than itself (PS3.4 C.2.2.2).
const WILDCARDS: [u8; 3] = [b'*', b'?', b'\\'];
/// An archive that finds somebody else for so many answers does not understand the question.
const MOST_OF_OTHERS: usize = 1000;

/// A study of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundStudy {
    /// Study Instance UID.
    pub study_uid: String,
    /// Study Date, `YYYYMMDD`; empty where it is not known.
    pub date: String,
    /// What its series were made with, by DICOM's codes; empty where the archive does not say.
    pub modalities: Vec<String>,
    /// Instances it has, where the archive says.
    pub instances: Option<u64>,
}

/// The studies of one patient in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PatientStudies {
    /// The date of the study that was asked about, `YYYYMMDD`; empty where it is not known.
    pub own_date: String,
    /// All but that one, in the order of the answers.
    pub others: Vec<FoundStudy>,
    /// Answers about somebody else, which were passed over.
    pub of_others: usize,
}

/// How many instances of a study were sent, by the archive's count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moved {
    /// With success or a warning.
    pub completed: u16,
    /// Not taken by the destination.
    pub failed: u16,
}

/// Asks for the studies of the patient whom a file is of (C-FIND); after `most` of them no more are
/// waited for.
///
/// # Errors
/// [`ErrorKind::Malformed`] when the file does not say who the patient is in a way that can be asked
/// for, else as [`echo`](super::echo).
pub fn find_studies(remote: &Remote, of: &Path, most: usize) -> Result<PatientStudies, Error> {
    let question = Question::of_file(of)?;
    ask(
        Association::request(remote, &[find_context()])?,
        &question,
        most,
        remote,
    )
}

/// As [`find_studies`], over a stream that is open: answers are read from it.
///
/// # Errors
/// As [`find_studies`].
pub fn find_studies_over(
    stream: impl Read + Write,
    remote: &Remote,
    of: &Path,
    most: usize,
) -> Result<PatientStudies, Error> {
    let question = Question::of_file(of)?;
    let wire = Box::new(Opened(stream));
    let association = Association::over(wire, remote, &[find_context()])?;
    ask(association, &question, most, remote)
}

/// Has an archive send a study to the title `destination`, which it has to know (C-MOVE). A study of
/// more than `most` instances is broken off.
///
/// # Errors
/// As [`echo`](super::echo), and where the archive says that it failed.
pub fn move_study(
    remote: &Remote,
    study_uid: &str,
    destination: &str,
    most: u16,
) -> Result<Moved, Error> {
    let context = Context {
        class: MOVE.to_owned(),
        syntax: SYNTAX.to_owned(),
    };
    let mut association = Association::request(remote, &[context])?;
    let number = association.number_of(MOVE, SYNTAX)?;
    let mut identifier = Elements::default();
    identifier.text(tags::QUERY_RETRIEVE_LEVEL, "STUDY", b' ');
    identifier.text(tags::STUDY_INSTANCE_UID, study_uid, b'\0');
    association.command(number, move_request(1, MOVE, destination))?;
    let length = identifier.bytes.len() as u64;
    association.data(number, &mut &identifier.bytes[..], length)?;
    let until = Instant::now() + remote.limits.message;
    loop {
        let answer = association.answer(until)?;
        let operations = answer.operations;
        let taken = operations.completed.saturating_add(operations.with_warning);
        let all = taken.saturating_add(operations.remaining);
        if all > most {
            association.abort();
            return Err(protocol(format!(
                "expected a study of at most {most} instances, got {all}"
            )));
        }
        if status::PENDING.contains(&answer.status) {
            continue;
        }
        let moved = Moved {
            completed: taken,
            failed: operations.failed,
        };
        let is_warning = answer.status & 0xF000 == 0xB000;
        return match answer.status == status::SUCCESS || (is_warning && taken > 0) {
            true => association.release().map(|()| moved),
            false => Err(failed(answer.status)),
        };
    }
}

fn failed(status: u16) -> Error {
    let reason = match status {
        0xA701 | 0xA702 => ": it is out of resources",
        0xA801 => ": it does not know the title it was to send to",
        0xA900 => ": it does not understand the identifier",
        _ => "",
    };
    refused(format!(
        "expected success, got status {status:#06x}{reason}"
    ))
}

fn find_context() -> Context {
    Context {
        class: FIND.to_owned(),
        syntax: SYNTAX.to_owned(),
    }
}

fn ask(
    mut association: Association<'_>,
    question: &Question,
    most: usize,
    remote: &Remote,
) -> Result<PatientStudies, Error> {
    let number = association.number_of(FIND, SYNTAX)?;
    association.command(number, find_request(1, FIND))?;
    let identifier = question.identifier();
    association.data(number, &mut &identifier[..], identifier.len() as u64)?;
    let until = Instant::now() + remote.limits.message;
    let mut found = PatientStudies {
        own_date: question.date.clone(),
        ..PatientStudies::default()
    };
    loop {
        let answer = association.answer(until)?;
        if !status::PENDING.contains(&answer.status) {
            return match answer.status {
                status::SUCCESS => association.release().map(|()| found),
                other => Err(failed(other)),
            };
        }
        question.enter(&read_implicit(&answer.data)?, &mut found)?;
        if found.others.len() >= most {
            // The rest is not wanted; an abort is the one end that every archive keeps to.
            association.abort();
            return Ok(found);
        }
        if found.of_others > MOST_OF_OTHERS {
            association.abort();
            return Err(protocol(
                "expected studies of one patient, got those of others",
            ));
        }
    }
}

/// Whom a question is about, as their file writes it.
struct Question {
    character_set: Vec<u8>,
    patient: Vec<u8>,
    issuer: Vec<u8>,
    birth_date: Vec<u8>,
    study_uid: String,
    date: String,
}

impl Question {
    fn of_file(path: &Path) -> Result<Question, Error> {
        let wanted = [
            tags::SPECIFIC_CHARACTER_SET,
            tags::STUDY_DATE,
            tags::PATIENT_ID,
            tags::ISSUER_OF_PATIENT_ID,
            tags::PATIENT_BIRTH_DATE,
            tags::STUDY_INSTANCE_UID,
        ];
        let header = dataset::read_file_head(path, &wanted).map_err(|e| e.in_file(path))?;
        let data = &header.dataset;
        let patient = trimmed(data, tags::PATIENT_ID);
        if patient.is_empty() || patient.iter().any(|b| WILDCARDS.contains(b)) {
            let message = "expected a Patient ID that can be asked for, got none";
            return Err(Error::new(ErrorKind::Malformed, message).in_file(path));
        }
        let set = trimmed(data, tags::SPECIFIC_CHARACTER_SET);
        Ok(Question {
            character_set: set,
            patient,
            issuer: trimmed(data, tags::ISSUER_OF_PATIENT_ID),
            birth_date: trimmed(data, tags::PATIENT_BIRTH_DATE),
            study_uid: data.text(tags::STUDY_INSTANCE_UID).unwrap_or_default(),
            date: date(data),
        })
    }

    fn identifier(&self) -> Vec<u8> {
        let mut set = Elements::default();
        if !self.character_set.is_empty() {
            set.value(tags::SPECIFIC_CHARACTER_SET, &self.character_set, b' ');
        }
        set.text(tags::STUDY_DATE, "", b' ');
        set.text(tags::QUERY_RETRIEVE_LEVEL, "STUDY", b' ');
        set.text(tags::MODALITIES_IN_STUDY, "", b' ');
        set.value(tags::PATIENT_ID, &self.patient, b' ');
        set.text(tags::ISSUER_OF_PATIENT_ID, "", b' ');
        set.text(tags::PATIENT_BIRTH_DATE, "", b' ');
        set.text(tags::STUDY_INSTANCE_UID, "", b'\0');
        set.text(tags::NUMBER_OF_STUDY_RELATED_INSTANCES, "", b' ');
        set.bytes
    }

    /// Whether an answer is about the patient: the number agrees, and nothing contradicts it.
    fn is_answered_by(&self, data: &Dataset) -> bool {
        let agrees = |tag, own: &[u8]| {
            let other = trimmed(data, tag);
            own.is_empty() || other.is_empty() || own == other
        };
        trimmed(data, tags::PATIENT_ID) == self.patient
            && agrees(tags::ISSUER_OF_PATIENT_ID, &self.issuer)
            && agrees(tags::PATIENT_BIRTH_DATE, &self.birth_date)
    }

    fn enter(&self, data: &Dataset, found: &mut PatientStudies) -> Result<(), Error> {
        if !self.is_answered_by(data) {
            found.of_others += 1;
            return Ok(());
        }
        let study_uid = data.text(tags::STUDY_INSTANCE_UID).unwrap_or_default();
        if !is_uid(&study_uid) {
            return Err(protocol("expected the identifier of a study"));
        }
        let is_known = found.others.iter().any(|one| one.study_uid == study_uid);
        if study_uid == self.study_uid || is_known {
            return Ok(());
        }
        let modalities = data.texts(tags::MODALITIES_IN_STUDY);
        let written = modalities.iter().filter(|text| !text.is_empty());
        let count = data.text(tags::NUMBER_OF_STUDY_RELATED_INSTANCES);
        found.others.push(FoundStudy {
            date: date(data),
            modalities: written.map(|text| printable(text)).collect(),
            instances: count.and_then(|text| text.parse().ok()),
            study_uid,
        });
        Ok(())
    }
}

/// A value without the spaces around it.
fn trimmed(data: &Dataset, tag: Tag) -> Vec<u8> {
    let raw = data.raw(tag).unwrap_or_default();
    let is_space = |b: &u8| matches!(b, b' ' | 0);
    let start = raw.iter().position(|b| !is_space(b)).unwrap_or(raw.len());
    let end = raw
        .iter()
        .rposition(|b| !is_space(b))
        .map_or(start, |at| at + 1);
    raw[start..end].to_vec()
}

/// A date as it should be written; what is written otherwise is not known.
fn date(data: &Dataset) -> String {
    let text = data.text(tags::STUDY_DATE).unwrap_or_default();
    match text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        true => text,
        false => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        Question {
            character_set: Vec::new(),
            patient: b"P1".to_vec(),
            issuer: Vec::new(),
            birth_date: b"19600102".to_vec(),
            study_uid: "1.2".to_owned(),
            date: "20260101".to_owned(),
        }
    }

    fn answer(patient: &str, born: &str, study: &str) -> Dataset {
        let mut set = Elements::default();
        set.text(tags::STUDY_DATE, "20240101", b' ');
        set.text(tags::MODALITIES_IN_STUDY, "MG\\SR", b' ');
        set.text(tags::PATIENT_ID, patient, b' ');
        set.text(tags::PATIENT_BIRTH_DATE, born, b' ');
        set.text(tags::STUDY_INSTANCE_UID, study, b'\0');
        set.text(tags::NUMBER_OF_STUDY_RELATED_INSTANCES, "4", b' ');
        read_implicit(&set.bytes).unwrap()
    }

    #[test]
    fn only_other_studies_of_the_same_patient_are_found() {
        let mut found = PatientStudies::default();
        for (patient, born, study) in [
            ("P1", "19600102", "1.3"),
            ("P1 ", "", "1.4"),
            ("P1", "", "1.2"),
            ("P1", "", "1.4"),
            ("P2", "19600102", "1.5"),
            ("P1", "19700102", "1.6"),
            ("", "", "1.7"),
        ] {
            let data = answer(patient, born, study);
            question().enter(&data, &mut found).unwrap();
        }
        let studies: Vec<&str> = found.others.iter().map(|s| s.study_uid.as_str()).collect();
        assert_eq!(studies, ["1.3", "1.4"]);
        assert_eq!((found.of_others, found.others[0].instances), (3, Some(4)));
        assert_eq!(found.others[0].modalities, ["MG", "SR"]);
        let path = answer("P1", "", "../1");
        assert!(question().enter(&path, &mut found).is_err());
    }

    #[test]
    fn the_question_is_read_as_it_was_written() {
        let data = read_implicit(&question().identifier()).unwrap();
        assert_eq!(data.text(tags::PATIENT_ID).as_deref(), Some("P1"));
        assert_eq!(
            data.text(tags::QUERY_RETRIEVE_LEVEL).as_deref(),
            Some("STUDY")
        );
        assert!(data.elements.contains_key(&tags::STUDY_INSTANCE_UID));
    }
}
