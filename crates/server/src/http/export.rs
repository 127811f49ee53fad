//! A study without what identifies its patient, as a ZIP archive.
//!
//! ```text
//! images/0001.dcm    de-identified copies, in the order of arrival
//! assessment.json    the result, with the names of the copies
//! export.json        what was done, and what was left out and why
//! ```

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use lobule_dicomio::{Dates, Deidentifier, deidentify, study_key};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::api::{Problem, ask};
use super::caller::Caller;
use super::files;
use super::studies::{Queried, understood};
use crate::Error;
use crate::database::{Entry, StudyRow};
use crate::server::Shared;
use crate::time::now;

/// Name of the secret from which pseudonyms are made.
const KEY: &str = "deidentification";
/// The name of an image that is not in the archive.
const LEFT_OUT: &str = "(left out)";
/// Bytes that are sent at once.
const BLOCK: usize = 1 << 18;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Moved {
    #[default]
    Remove,
    Shift,
}

impl From<Moved> for Dates {
    fn from(moved: Moved) -> Dates {
        match moved {
            Moved::Remove => Dates::Remove,
            Moved::Shift => Dates::Shift,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    dates: Moved,
}

pub(super) async fn export(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(uid): Path<String>,
    query: Queried<Wanted>,
) -> Result<Response, Problem> {
    let Wanted { dates } = understood(query)?;
    let Ok(_place) = shared.doors.exports.try_acquire() else {
        let text = "too many studies are being exported at once";
        let wait = std::time::Duration::from_secs(5);
        return Err(Problem::later(StatusCode::SERVICE_UNAVAILABLE, text, wait));
    };
    let made = ask(&shared, move |shared| {
        let Some(study) = shared.database.study(&uid)? else {
            return Ok(None);
        };
        let made = pack(shared, &study, dates)?;
        let entry = Entry::by(&caller.name, "study.export", &study.key)
            .with("images", made.images)
            .with("left_out", made.left_out);
        shared.database.enter(&entry, now())?;
        Ok(Some(made))
    });
    let made = made.await?.ok_or_else(Problem::unknown_study)?;
    if made.images == 0 {
        let reason = made.reason.unwrap_or_else(|| "it has no images".to_owned());
        let text = format!("expected an image that can be de-identified, got none: {reason}");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, text));
    }
    let name = format!("attachment; filename=\"{}.zip\"", made.name);
    let headers = [
        (CONTENT_TYPE, "application/zip".to_owned()),
        (CONTENT_DISPOSITION, name),
        (CONTENT_LENGTH, made.bytes.to_string()),
    ];
    Ok((headers, streamed(made.file)).into_response())
}

/// An archive, at its first byte.
struct Made {
    file: File,
    bytes: u64,
    /// The study, by the hash of its new identifier.
    name: String,
    images: usize,
    left_out: usize,
    /// Why the first one was left out.
    reason: Option<String>,
}

/// What was done, for whoever gets the archive.
#[derive(Serialize)]
struct Account {
    notice: &'static str,
    profile: &'static str,
    dates: Moved,
    images: Vec<Image>,
    left_out: Vec<LeftOut>,
}

impl Account {
    fn new(dates: Moved) -> Account {
        Account {
            notice: "Research use only. Marks inside the images were painted over by an algorithm: look before you share.",
            profile: "DICOM PS3.15, Basic Application Level Confidentiality Profile",
            dates,
            images: Vec::new(),
            left_out: Vec::new(),
        }
    }
}

#[derive(Serialize)]
struct Image {
    file: String,
    instance_uid: String,
    /// Pixels that were made black or painted over.
    painted: u64,
}

#[derive(Serialize)]
struct LeftOut {
    /// By the order of arrival, from 1.
    number: usize,
    reason: String,
}

fn pack(shared: &Shared, study: &StudyRow, dates: Moved) -> Result<Made, Error> {
    let file = tempfile::tempfile_in(shared.store.incoming()).map_err(failed)?;
    let mut archive = ZipWriter::new(file);
    let copied = copy_images(shared, study, dates, &mut archive)?;
    if let Some(bytes) = files::read(shared, &study.uid, "assessment.json")? {
        let mut assessment: Value = serde_json::from_slice(&bytes).map_err(failed)?;
        rename(&mut assessment, &copied.names, &study.key, &copied.study);
        add(&mut archive, "assessment.json", &pretty(&assessment)?)?;
    }
    let account = copied.account;
    add(&mut archive, "export.json", &pretty(&account)?)?;
    let mut file = archive.finish().map_err(failed)?;
    let bytes = file.seek(SeekFrom::End(0)).map_err(failed)?;
    file.rewind().map_err(failed)?;
    Ok(Made {
        file,
        bytes,
        name: copied.study,
        images: account.images.len(),
        left_out: account.left_out.len(),
        reason: account.left_out.into_iter().next().map(|one| one.reason),
    })
}

/// What came of a study's images.
struct Copied {
    account: Account,
    /// Names of the copies by the identifiers of their sources.
    names: HashMap<String, String>,
    /// The study, by the hash of its new identifier.
    study: String,
}

fn copy_images(
    shared: &Shared,
    study: &StudyRow,
    dates: Moved,
    archive: &mut ZipWriter<File>,
) -> Result<Copied, Error> {
    let by = Deidentifier {
        key: shared.database.secret(KEY)?,
        dates: dates.into(),
    };
    let mut copied = Copied {
        account: Account::new(dates),
        names: HashMap::new(),
        study: String::new(),
    };
    for (at, content) in shared.database.contents(study.id)?.into_iter().enumerate() {
        match deidentify(&shared.store.instance(&content.sha256), &by) {
            Ok(copy) => {
                let file = format!("images/{:04}.dcm", at + 1);
                add(archive, &file, &copy.bytes)?;
                copied.study = study_key(&copy.study_uid);
                copied.names.insert(content.uid, file.clone());
                copied.account.images.push(Image {
                    file,
                    instance_uid: copy.instance_uid,
                    painted: copy.painted,
                });
            }
            Err(error) => {
                copied.names.insert(content.uid, LEFT_OUT.to_owned());
                copied.account.left_out.push(LeftOut {
                    number: at + 1,
                    reason: error.reason().to_owned(),
                });
            }
        }
    }
    Ok(copied)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::data(format!("export: {error}"))
}

fn pretty(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec_pretty(value).map_err(failed)
}

fn add(archive: &mut ZipWriter<File>, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let added = archive
        .start_file(name, options)
        .map_err(std::io::Error::from);
    let added = added.and_then(|()| archive.write_all(bytes));
    added.map_err(failed)
}

/// Files are named as in the archive, the study by its new identifier; pictures are not in it.
fn rename(value: &mut Value, names: &HashMap<String, String>, old: &str, new: &str) {
    match value {
        Value::Object(members) => {
            members.remove("heat_map");
            members
                .values_mut()
                .for_each(|one| rename(one, names, old, new));
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|one| rename(one, names, old, new)),
        Value::String(text) if text == old => *text = new.to_owned(),
        Value::String(text) => *text = renamed(text, names),
        _ => {}
    }
}

/// Files go by the identifiers of identified images: these do not go out.
fn renamed(text: &str, names: &HashMap<String, String>) -> String {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let mut all = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c| !is_part(c)) {
        // Without the sign that ends it, and without the full stop of a sentence.
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_digit());
        all += names.get(word).map_or(word, String::as_str);
        all += &piece[word.len()..];
    }
    all
}

fn streamed(file: File) -> Body {
    Body::from_stream(unfold(Some(file), |file| async {
        let mut file = file?;
        let read = tokio::task::spawn_blocking(move || {
            let mut block = vec![0; BLOCK];
            let read = file.read(&mut block);
            (
                file,
                read.map(|n| {
                    block.truncate(n);
                    Bytes::from(block)
                }),
            )
        });
        match read.await {
            Ok((_, Ok(block))) if block.is_empty() => None,
            Ok((file, Ok(block))) => Some((Ok(block), Some(file))),
            Ok((_, Err(error))) => Some((Err(error), None)),
            Err(error) => Some((Err(std::io::Error::other(error)), None)),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assessment_names_the_copies() {
        let names = [("1.2.3", "images/0001.dcm"), ("1.2.31", LEFT_OUT)];
        let names = names.map(|(uid, name)| (uid.to_owned(), name.to_owned()));
        let mut value = serde_json::json!({
            "exam": "exam-1",
            "file": "1.2.3",
            "heat_map": "heat/x.png",
            "skipped": ["1.2.31", "see 1.2.3, and 1.2.31.", "plain", "version 1.1", "1.2.3é"],
        });
        rename(&mut value, &HashMap::from(names), "exam-1", "exam-2");
        let expected = serde_json::json!({
            "exam": "exam-2",
            "file": "images/0001.dcm",
            "skipped": ["(left out)", "see images/0001.dcm, and (left out).", "plain", "version 1.1", "images/0001.dcmé"],
        });
        assert_eq!(value, expected);
    }
}
