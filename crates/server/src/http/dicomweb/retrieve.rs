//! Files, metadata and long values (WADO-RS).

use std::sync::Arc;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use lobule_dicomio::web::{
    DICOM, FoundBulkData, OCTETS, Packaging, Pixels, file_form, find_bulk_data, open_whole,
    single_form, write_metadata,
};

use super::frames::all_frames;
use super::stream::{Broken, Out, Parts as Framing, broken, streamed};
use super::{Asked, Refused, address, blocking, in_turn, json_type, kept, kept_one};
use crate::database::Kept;
use crate::server::Shared;

/// Files of a study, a series, or one, as they are kept. Those in a transfer syntax that the client
/// does not take are left out; the status says so.
pub(super) async fn files(asked: Asked) -> Result<Response, Refused> {
    let Asked {
        shared,
        target,
        ranges,
        base,
        ..
    } = asked;
    let is_one = target.instance.is_some();
    let all = kept(&shared, target).await?;
    let n_all = all.len();
    let form = |one: &Kept| file_form(&ranges, &one.syntax_uid);
    let fitting: Vec<(Kept, Packaging)> = all
        .into_iter()
        .filter_map(|one| form(&one).map(|form| (one, form)))
        .collect();
    match &fitting[..] {
        [] => Err(Refused::not_acceptable()),
        [(one, Packaging::Single)] if is_one => single(&shared, one).await,
        _ if fitting.iter().any(|(_, form)| *form == Packaging::Single) => {
            // Several files do not fit into a single part.
            Err(Refused::not_acceptable())
        }
        _ => {
            let status = match fitting.len() == n_all {
                true => StatusCode::OK,
                false => StatusCode::PARTIAL_CONTENT,
            };
            Ok(several(shared, fitting, base, status))
        }
    }
}

async fn single(shared: &Arc<Shared>, one: &Kept) -> Result<Response, Refused> {
    let path = one.place.path(&shared.store);
    let mut file = blocking(move || open_whole(&path).map_err(|e| Refused::of_file(&e))).await?;
    let length = file.left();
    let content_type = format!("{DICOM}; transfer-syntax={}", one.syntax_uid);
    let body = streamed(move |out| out.all(&mut file));
    Ok((
        [
            (CONTENT_TYPE, content_type),
            (CONTENT_LENGTH, length.to_string()),
        ],
        body,
    )
        .into_response())
}

fn several(
    shared: Arc<Shared>,
    files: Vec<(Kept, Packaging)>,
    base: String,
    status: StatusCode,
) -> Response {
    let framing = Framing::new();
    let content_type = framing.content_type(DICOM);
    let body = streamed(move |out| {
        for (one, _) in &files {
            let content_type = format!("{DICOM}; transfer-syntax={}", one.syntax_uid);
            out.text(&framing.head(&content_type, &address_of(&base, one)))?;
            let file = open_whole(&one.place.path(&shared.store));
            out.all(&mut file.map_err(|e| broken(&e))?)?;
        }
        out.text(&framing.end())
    });
    (status, [(CONTENT_TYPE, content_type)], body).into_response()
}

fn address_of(base: &str, one: &Kept) -> String {
    address(base, &one.study_uid, &one.series_uid, &one.uid)
}

/// The data sets of a study, a series or an instance without their long values.
pub(super) async fn metadata(asked: Asked) -> Result<Response, Refused> {
    let content_type = json_type(&asked.ranges)?;
    let Asked {
        shared,
        target,
        base,
        ..
    } = asked;
    let all = kept(&shared, target).await?;
    let body = streamed(move |out| {
        for (number, one) in all.iter().enumerate() {
            out.text(if number == 0 { "[" } else { "," })?;
            let bulk_data = format!("{}/bulkdata", address_of(&base, one));
            let path = one.place.path(&shared.store);
            let written = in_turn(|| write_metadata(&path, &bulk_data));
            out.bytes(written.map_err(|e| broken(&e))?)?;
        }
        out.text("]")
    });
    Ok(([(CONTENT_TYPE, content_type)], body).into_response())
}

/// A long value that metadata names.
pub(super) async fn bulk_data(asked: Asked) -> Result<Response, Refused> {
    let Asked {
        shared,
        target,
        parts,
        ranges,
        base,
        ..
    } = asked;
    let way = parts.get("way").cloned().unwrap_or_default();
    let in_parts = ranges.iter().any(|range| range.takes_parts(OCTETS));
    let alone = single_form(&ranges, &[OCTETS]).is_some();
    let first_is_parts = ranges.first().is_some_and(|range| !range.takes(OCTETS));
    if !in_parts && !alone {
        return Err(Refused::not_acceptable());
    }
    let one = kept_one(&shared, target).await?;
    let location = format!("{}/bulkdata/{way}", address_of(&base, &one));
    let path = one.place.path(&shared.store);
    let searched = path.clone();
    let found = blocking(move || find_bulk_data(&searched, &way).map_err(|e| Refused::of_file(&e)));
    match found.await?.ok_or_else(Refused::unknown)? {
        FoundBulkData::Frames if in_parts => all_frames(path, location, Pixels::Stored).await,
        FoundBulkData::Frames => Err(Refused::not_acceptable()),
        FoundBulkData::Value(mut value) if alone && !(in_parts && first_is_parts) => {
            let length = value.left().to_string();
            let body = streamed(move |out| out.all(&mut value));
            Ok((
                [(CONTENT_TYPE, OCTETS.to_owned()), (CONTENT_LENGTH, length)],
                body,
            )
                .into_response())
        }
        FoundBulkData::Value(mut value) => {
            let write = move |out: &Out| out.all(&mut value);
            Ok(one_part(OCTETS, &location, write))
        }
    }
}

/// An answer of one part.
fn one_part(
    media_type: &'static str,
    location: &str,
    write: impl FnOnce(&Out) -> Result<(), Broken> + Send + 'static,
) -> Response {
    let framing = Framing::new();
    let content_type = framing.content_type(media_type);
    let head = framing.head(media_type, location);
    let body: Body = streamed(move |out| {
        out.text(&head)?;
        write(out)?;
        out.text(&framing.end())
    });
    ([(CONTENT_TYPE, content_type)], body).into_response()
}
