//! Instances that are sent (STOW-RS).
//!
//! Bytes go from the connection to a file as they come: a few pieces wait in between, and an
//! instance is told to be taken when it is on the disk, as over the DICOM network. What was taken
//! before a message broke off stays.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use lobule_dicomio::web::{
    DICOM, Event, Failure, MediaRange, Multipart, PartHead, Reason, Taken, Upload, UploadConfig,
    parse_media_type, store_answer,
};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::{Instant, timeout_at};

use super::{Parts, Refused, accepted, address, base, blocking, json_type, target};
use crate::arrivals::Arrivals;
use crate::http::caller::Peer;
use crate::server::Shared;

/// Longest message: several instances of the largest size that is taken.
const MOST_BYTES: u64 = 64 << 30;
/// Longest wait for more of a message.
const IDLE: Duration = Duration::from_secs(30);
/// Pieces that wait to be written.
const WAITING: usize = 8;
/// Stands for a peer whose address is not known.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Where a message came from, and to which address.
struct Origin {
    base: String,
    peer: IpAddr,
}

/// What became of a message.
#[derive(Default)]
struct Outcome {
    taken: Vec<Taken>,
    failed: Vec<Failure>,
    /// Study of what was taken or, failing that, of the address.
    study: Option<String>,
}

pub(super) async fn store(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refused> {
    receive(shared, None, request).await
}

pub(super) async fn store_in(
    State(shared): State<Arc<Shared>>,
    Path(parts): Parts,
    request: Request,
) -> Result<Response, Refused> {
    let study = target(&parts)?.study;
    receive(shared, Some(study), request).await
}

async fn receive(
    shared: Arc<Shared>,
    study: Option<String>,
    request: Request,
) -> Result<Response, Refused> {
    let (head, body) = request.into_parts();
    let content_type = json_type(&accepted(&head.headers, head.uri.query()))?;
    let multipart = multipart(&head.headers)?;
    let base = base(&shared, &head.headers);
    let config = UploadConfig {
        spool: shared.store.incoming(),
        most_bytes: shared.config.limits().instance_bytes,
        study_uid: study,
    };
    let (sender, pieces) = channel(WAITING);
    let until = Instant::now() + shared.config.limits().message;
    let origin = Origin {
        base: base.clone(),
        peer: head.extensions.get::<Peer>().map_or(UNKNOWN, |peer| peer.0),
    };
    let taking = tokio::spawn(blocking(move || {
        take(&shared, &config, multipart, pieces, &origin)
    }));
    let passed = pass_on(body, &sender, until).await;
    drop(sender);
    let outcome = taking.await.map_err(|_| Refused::inside())?;
    passed?;
    Ok(answer(outcome?, &base, content_type))
}

/// The kind of message that is taken.
fn multipart(headers: &HeaderMap) -> Result<Multipart, Refused> {
    let unsupported = |detail: &str| Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
    let stated = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let stated = stated.and_then(parse_media_type).unwrap_or_default();
    if stated.essence != "multipart/related" || !matches!(stated.part.as_str(), "" | DICOM) {
        return Err(unsupported(
            "expected multipart/related with parts of application/dicom",
        ));
    }
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    let length = length.and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length > MOST_BYTES) {
        return Err(too_large());
    }
    Multipart::new(&stated.boundary).map_err(|e| Refused::of_request(&e))
}

fn too_large() -> Refused {
    let detail = format!("expected a message of at most {MOST_BYTES} bytes");
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

/// Hands the body on, piece by piece, within its bounds.
async fn pass_on(
    mut body: Body,
    to: &tokio::sync::mpsc::Sender<Bytes>,
    until: Instant,
) -> Result<(), Refused> {
    let slow = |_| Refused::new(StatusCode::REQUEST_TIMEOUT, "expected the message to go on");
    let mut passed = 0;
    loop {
        let next =
            std::future::poll_fn(|context| std::pin::Pin::new(&mut body).poll_frame(context));
        let patience = until.min(Instant::now() + IDLE);
        let Some(frame) = timeout_at(patience, next).await.map_err(slow)? else {
            return Ok(());
        };
        let frame = frame.map_err(|_| Refused::bad("expected the rest of the message"))?;
        let Ok(bytes) = frame.into_data() else {
            continue;
        };
        passed += bytes.len() as u64;
        if passed > MOST_BYTES {
            return Err(too_large());
        }
        // Whoever takes them has stopped where the message makes no sense, and says so.
        if to.send(bytes).await.is_err() {
            return Ok(());
        }
    }
}

fn take(
    shared: &Shared,
    config: &UploadConfig,
    mut multipart: Multipart,
    mut pieces: Receiver<Bytes>,
    origin: &Origin,
) -> Result<Outcome, Refused> {
    let disk = &shared.config.disk;
    let arrivals = Arrivals::new(&shared.store, &shared.database, &shared.metrics, disk);
    let mut outcome = Outcome {
        study: config.study_uid.clone(),
        ..Outcome::default()
    };
    let mut upload = None;
    while let Some(piece) = pieces.blocking_recv() {
        let pushed = multipart.push(&piece, &mut |event| match event {
            Event::Begin(head) => upload = Some(begin(config, &head)),
            Event::Content(bytes) => {
                if let Some(Ok(upload)) = &mut upload {
                    upload.write(bytes);
                }
            }
            Event::End => {
                if let Some(begun) = upload.take() {
                    enter(&arrivals, begun, origin, &mut outcome);
                }
            }
        });
        pushed.map_err(|e| Refused::of_request(&e))?;
    }
    multipart.finish().map_err(|e| Refused::of_request(&e))?;
    match outcome.taken.is_empty() && outcome.failed.is_empty() {
        true => Err(Refused::bad("expected a part with an instance, got none")),
        false => Ok(outcome),
    }
}

/// A part without a media type is taken for what the message is of.
fn begin<'a>(config: &'a UploadConfig, head: &PartHead) -> Result<Upload<'a>, Failure> {
    let is_dicom = |stated: &MediaRange| stated.essence == DICOM;
    match head.media_type.as_ref().is_none_or(is_dicom) {
        true => Ok(Upload::begin(config)),
        false => Err(Failure {
            instance: None,
            reason: Reason::CannotUnderstand,
            text: "expected a part of application/dicom".to_owned(),
        }),
    }
}

fn enter(
    arrivals: &Arrivals<'_>,
    upload: Result<Upload<'_>, Failure>,
    origin: &Origin,
    outcome: &mut Outcome,
) {
    let base = &origin.base;
    let entered = upload
        .and_then(|upload| upload.finish(origin.peer))
        .and_then(|received| {
            let keys = received.keys.clone();
            match arrivals.take(received) {
                Ok(()) => Ok(keys),
                Err(refusal) => Err(Failure::refused(
                    &refusal,
                    &keys.class_uid,
                    &keys.instance_uid,
                )),
            }
        });
    match entered {
        Ok(keys) => {
            outcome.taken.push(Taken {
                url: address(base, &keys.study_uid, &keys.series_uid, &keys.instance_uid),
                class_uid: keys.class_uid,
                instance_uid: keys.instance_uid,
            });
            outcome.study.get_or_insert(keys.study_uid);
        }
        Err(failure) => {
            tracing::warn!(reason = %failure.text, "an instance over the web refused");
            outcome.failed.push(failure);
        }
    }
}

fn answer(outcome: Outcome, base: &str, content_type: &'static str) -> Response {
    let Outcome {
        taken,
        failed,
        study,
    } = outcome;
    let no_room = failed
        .iter()
        .any(|failure| failure.reason == Reason::OutOfResources);
    let status = match (taken.is_empty(), failed.is_empty()) {
        (_, true) => StatusCode::OK,
        (false, false) => StatusCode::ACCEPTED,
        (true, false) if no_room => StatusCode::SERVICE_UNAVAILABLE,
        (true, false) => StatusCode::CONFLICT,
    };
    let study = study.map(|study| address(base, &study, "", ""));
    let body = store_answer(study.as_deref(), &taken, &failed).to_string();
    (status, [(CONTENT_TYPE, content_type)], body).into_response()
}
