//! Pictures of instances as a person would see them (WADO-RS rendered, thumbnail).

use std::collections::BTreeMap;
use std::path::PathBuf;

use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use lobule_dicomio::web::{
    FrameReader, PictureFormat, Rendering, find_document, render_picture, single_form,
};

use super::frames::frame_list;
use super::stream::streamed;
use super::{Asked, Refused, blocking, in_turn, kept, kept_one, warn};

const PDF: &str = "application/pdf";
const PICTURES: [&str; 2] = ["image/jpeg", "image/png"];
const PICTURES_AND_PDF: [&str; 3] = ["image/jpeg", "image/png", PDF];
/// Instances of a study that are tried for its thumbnail.
const TRIED: usize = 20;

/// A frame, or the first one of an instance, or the document that an instance holds.
pub(super) async fn rendered(asked: Asked) -> Result<Response, Refused> {
    let (media_type, rendering) = wanted(&asked, &PICTURES_AND_PDF, Rendering::default())?;
    let takes_pdf = single_form(&asked.ranges, &[PDF]).is_some();
    let frame = frame_of(&asked.parts)?;
    let one = kept_one(&asked.shared, asked.target).await?;
    let path = one.place.path(&asked.shared.store);
    if takes_pdf && let Some(document) = document(path.clone()).await? {
        return Ok(document);
    }
    if media_type == PDF {
        return Err(Refused::not_acceptable());
    }
    let (picture, frames) = picture(path, frame.unwrap_or(0), rendering, media_type).await?;
    let mut response = ([(CONTENT_TYPE, media_type)], picture).into_response();
    if frame.is_none() && frames > 1 {
        let remark = format!("This is the first of {frames} frames");
        warn(&mut response, &asked.base, &[remark]);
    }
    Ok(response)
}

/// A small picture of a frame, an instance, or of the first picture of a series or study.
pub(super) async fn thumbnail(asked: Asked) -> Result<Response, Refused> {
    let (media_type, rendering) = wanted(&asked, &PICTURES, Rendering::thumbnail())?;
    let frame = frame_of(&asked.parts)?.unwrap_or(0);
    let mut last = Refused::not_acceptable();
    for one in kept(&asked.shared, asked.target).await?.iter().take(TRIED) {
        let path = one.place.path(&asked.shared.store);
        match picture(path, frame, rendering.clone(), media_type).await {
            Ok((picture, _)) => return Ok(([(CONTENT_TYPE, media_type)], picture).into_response()),
            Err(refused) => last = refused,
        }
    }
    Err(last)
}

/// The media type to send, and how the picture is to look.
fn wanted(
    asked: &Asked,
    offered: &[&'static str],
    usual: Rendering,
) -> Result<(&'static str, Rendering), Refused> {
    let media_type = single_form(&asked.ranges, offered).ok_or_else(Refused::not_acceptable)?;
    let rendering = usual.with(&asked.query);
    Ok((media_type, rendering.map_err(|e| Refused::of_request(&e))?))
}

/// One frame is named, from 1, or none.
fn frame_of(parts: &BTreeMap<String, String>) -> Result<Option<usize>, Refused> {
    let Some(text) = parts.get("frames") else {
        return Ok(None);
    };
    match frame_list(text)?[..] {
        [frame] => Ok(Some(frame)),
        _ => Err(Refused::bad("expected one frame for a picture")),
    }
}

/// The picture, and how many frames there are.
async fn picture(
    path: PathBuf,
    frame: usize,
    rendering: Rendering,
    media_type: &'static str,
) -> Result<(Vec<u8>, usize), Refused> {
    let format = PictureFormat::of(media_type).ok_or_else(Refused::not_acceptable)?;
    blocking(move || {
        let limits = Default::default();
        let frames = FrameReader::open(&path, &limits)
            .map_err(|e| Refused::of_file(&e))?
            .frames();
        if frame >= frames {
            return Err(Refused::unknown());
        }
        let picture = in_turn(|| render_picture(&path, frame, &rendering, format, &limits));
        Ok((picture.map_err(|e| Refused::of_file(&e))?, frames))
    })
    .await
}

async fn document(path: PathBuf) -> Result<Option<Response>, Refused> {
    let found = blocking(move || find_document(&path, PDF).map_err(|e| Refused::of_file(&e)));
    Ok(found.await?.map(|mut document| {
        let length = document.left().to_string();
        let body = streamed(move |out| out.all(&mut document));
        (
            [(CONTENT_TYPE, PDF.to_owned()), (CONTENT_LENGTH, length)],
            body,
        )
            .into_response()
    }))
}
