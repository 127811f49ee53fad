//! Frames of an instance (WADO-RS).

use std::path::PathBuf;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use lobule_dicomio::web::{FrameForm, FrameReader, OCTETS, Packaging, Pixels, frame_form};

use super::stream::{Parts as Framing, broken, streamed};
use super::{Asked, Refused, address, blocking, in_turn, kept_one, sending};

/// Most frames of one request.
const MOST_FRAMES: usize = 1000;

/// Frames by their numbers, from 1, with commas between.
pub(super) async fn frames(asked: Asked) -> Result<Response, Refused> {
    let Asked {
        shared,
        target,
        parts,
        ranges,
        base,
        ..
    } = asked;
    let list = frame_list(parts.get("frames").map_or("", String::as_str))?;
    let one = kept_one(&shared, target).await?;
    let path = one.place.path(&shared.store);
    let own = address(&base, &one.study_uid, &one.series_uid, &one.uid);
    let permit = sending().await?;
    let opened = blocking(move || {
        let mut reader = open(path)?;
        if list.iter().any(|&frame| frame >= reader.frames()) {
            return Err(Refused::unknown());
        }
        let form =
            frame_form(&ranges, reader.stored_syntax()).ok_or_else(Refused::not_acceptable)?;
        if form.packaging == Packaging::Single && list.len() > 1 {
            return Err(Refused::bad(
                "expected one frame for an answer of a single part",
            ));
        }
        // What cannot be decoded is said by the status.
        let first = in_turn(|| reader.read(list[0], form.pixels));
        let first = first.map_err(|e| Refused::of_file(&e))?;
        Ok((reader, form, first, list))
    });
    let (mut reader, form, first, list) = opened.await?;
    if form.packaging == Packaging::Single {
        return Ok(([(CONTENT_TYPE, form.content_type())], first).into_response());
    }
    let (framing, content_type) = framing(&form);
    let body = streamed(move |out| {
        let _permit = permit;
        let mut first = Some(first);
        for frame in list {
            let bytes = match first.take() {
                Some(bytes) => bytes,
                None => in_turn(|| reader.read(frame, form.pixels)).map_err(|e| broken(&e))?,
            };
            let location = format!("{own}/frames/{}", frame + 1);
            out.text(&framing.head(&form.content_type(), &location))?;
            out.bytes(bytes)?;
        }
        out.text(&framing.end())
    });
    Ok(([(CONTENT_TYPE, content_type)], body).into_response())
}

/// All frames of an instance, as bulk data.
pub(super) async fn all_frames(
    path: PathBuf,
    location: String,
    pixels: Pixels,
) -> Result<Response, Refused> {
    let permit = sending().await?;
    let mut reader = blocking(move || open(path)).await?;
    let form = FrameForm {
        packaging: Packaging::Parts,
        pixels,
        media_type: OCTETS,
        transfer_syntax: reader.stored_syntax().to_owned(),
    };
    let (framing, content_type) = framing(&form);
    let body = streamed(move |out| {
        let _permit = permit;
        for frame in 0..reader.frames() {
            let bytes = in_turn(|| reader.read(frame, form.pixels)).map_err(|e| broken(&e))?;
            out.text(&framing.head(&form.content_type(), &location))?;
            out.bytes(bytes)?;
        }
        out.text(&framing.end())
    });
    Ok(([(CONTENT_TYPE, content_type)], body).into_response())
}

fn framing(form: &FrameForm) -> (Framing, String) {
    let framing = Framing::new();
    let content_type = framing.content_type(form.media_type);
    (framing, content_type)
}

fn open(path: PathBuf) -> Result<FrameReader, Refused> {
    let reader = FrameReader::open(&path, &Default::default());
    reader.map_err(|e| Refused::of_file(&e))
}

/// Frames from 0 on.
pub(super) fn frame_list(text: &str) -> Result<Vec<usize>, Refused> {
    let number = |part: &str| part.parse::<usize>().ok()?.checked_sub(1);
    let list: Option<Vec<usize>> = text.split(',').take(MOST_FRAMES + 1).map(number).collect();
    match list {
        Some(list) if list.len() <= MOST_FRAMES => Ok(list),
        Some(_) => Err(Refused::bad(format!(
            "expected at most {MOST_FRAMES} frames"
        ))),
        None => Err(Refused::bad(
            "expected numbers of frames from 1, with commas between",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_numbers_from_one() {
        for (text, expected) in [
            ("1", Some(vec![0])),
            ("3,1", Some(vec![2, 0])),
            ("0", None),
            ("", None),
            ("1,", None),
            ("-1", None),
            ("1;drop", None),
        ] {
            assert_eq!(frame_list(text).ok(), expected, "{text}");
        }
        assert!(frame_list(&vec!["1"; 2000].join(",")).is_err());
    }
}
