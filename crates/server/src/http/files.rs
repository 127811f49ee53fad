//! Files of a study's result: its pages and pictures.

use std::path::{Component, Path as FilePath};
use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::api::{Problem, ask};
use super::caller::{Caller, note_a_look};
use crate::Error;
use crate::server::Shared;

/// Longest file that is served: reports carry their pictures.
const MAX_BYTES: u64 = 512 << 20;
/// A report is shown as a page of no origin: what it runs can reach neither the service nor another
/// report. Its only script moves the overlay.
const REPORT_POLICY: &str = "sandbox allow-scripts allow-top-navigation-by-user-activation; \
    default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What may be asked for.
const KINDS: [(&str, &str); 4] = [
    ("html", "text/html; charset=utf-8"),
    ("png", "image/png"),
    ("json", "application/json"),
    ("csv", "text/csv; charset=utf-8"),
];

pub(super) async fn result_file(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path((uid, file)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let missing = || Problem::new(StatusCode::NOT_FOUND, "expected a file of a study's result");
    let kind = kind_of(&file).ok_or_else(missing)?;
    let bytes = ask(&shared, move |shared| {
        let found = read(shared, &uid, &file)?;
        if found.is_some() && file == "report.html" {
            note_a_look(shared, &caller, &uid)?;
        }
        Ok(found)
    });
    let bytes = bytes.await?.ok_or_else(missing)?;
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, REPORT_POLICY),
    ];
    Ok((headers, bytes).into_response())
}

/// The content type of a file below a folder; none where the path leads anywhere else.
fn kind_of(file: &str) -> Option<&'static str> {
    let path = FilePath::new(file);
    let is_plain = |c: Component<'_>| matches!(c, Component::Normal(_));
    if !path.components().all(is_plain) || file.contains(['\\', '\0', ':']) {
        return None;
    }
    let ending = path.extension()?.to_str()?;
    let found = KINDS.iter().find(|(known, _)| *known == ending);
    found.map(|(_, kind)| *kind)
}

/// The bytes of a file of a study's result; none where there is no such file.
pub(super) fn read(shared: &Shared, uid: &str, file: &str) -> Result<Option<Vec<u8>>, Error> {
    let result = shared.database.study(uid)?.and_then(|study| study.result);
    let Some(result) = result else {
        return Ok(None);
    };
    let path = shared.store.result(&result).join(file);
    let is_servable = std::fs::symlink_metadata(&path)
        .is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_BYTES);
    match is_servable {
        true => std::fs::read(&path)
            .map(Some)
            .map_err(|e| Error::io(&path, &e)),
        false => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_below_the_folder_are_named() {
        for (file, expected) in [
            ("report.html", true),
            ("exams/exam-1/report.html", true),
            ("../lobule.db", false),
            ("exams/../../x.html", false),
            ("/etc/passwd.html", false),
            ("dicom/exam-1/sc.dcm", false),
            ("..\\x.html", false),
            ("report", false),
        ] {
            assert_eq!(kind_of(file).is_some(), expected, "{file}");
        }
    }
}
