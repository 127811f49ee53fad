//! DICOM over the web (PS3.18): STOW-RS, QIDO-RS and WADO-RS below `/dicomweb`.
//!
//! Owns: addresses, statuses, headers and the flow of bytes, with bounds on all of them. Does not
//! own: what is read and written (`dicomio::web`), what is found (`database`), who may ask.
//!
//! | address below `/dicomweb` | GET | POST |
//! |---|---|---|
//! | `/studies`, `/series`, `/instances`, `/studies/{s}/series`, … | search | store, at `/studies` and `/studies/{s}` |
//! | `/studies/{s}`, `…/series/{e}`, `…/instances/{i}` | files | |
//! | `…/metadata` of each of them | DICOM JSON | |
//! | `…/instances/{i}/frames/{list}` | frames | |
//! | `…/rendered` of an instance and its frames, `…/thumbnail` of everything | pictures | |
//! | `…/instances/{i}/bulkdata/{way}` | long values | |

mod frames;
mod instances;
mod pictures;
mod retrieve;
mod search;
mod store;
mod stream;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Path};
use axum::http::header::{ACCEPT, HOST, WARNING};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use lobule_dicomio::web::{MediaRange, is_uid, parse_accept};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::api::problem;
use super::guard::is_local;
use crate::Error;
use crate::database::{Kept, Target};
use crate::server::Shared;

pub(super) use instances::instances;

/// Frames, pictures and metadata that are made at once: each may take the memory of a large image.
static DECODING: Semaphore = Semaphore::const_new(4);
/// Answers that hold a frame while it is sent.
static SENDING: Semaphore = Semaphore::const_new(32);

/// The routes below `/dicomweb`.
pub(super) fn routes() -> Router<Arc<Shared>> {
    const INSTANCE: &str = "/studies/{study}/series/{series}/instances/{instance}";
    let of_instance = |rest: &str| format!("{INSTANCE}{rest}");
    Router::new()
        .route("/studies", get(search::studies).post(store::store))
        .route("/series", get(search::all_series))
        .route("/instances", get(search::all_instances))
        .route(
            "/studies/{study}",
            get(retrieve::files).post(store::store_in),
        )
        .route("/studies/{study}/metadata", get(retrieve::metadata))
        .route("/studies/{study}/thumbnail", get(pictures::thumbnail))
        .route("/studies/{study}/series", get(search::series))
        .route("/studies/{study}/instances", get(search::instances))
        .route("/studies/{study}/series/{series}", get(retrieve::files))
        .route(
            "/studies/{study}/series/{series}/metadata",
            get(retrieve::metadata),
        )
        .route(
            "/studies/{study}/series/{series}/thumbnail",
            get(pictures::thumbnail),
        )
        .route(
            "/studies/{study}/series/{series}/instances",
            get(search::instances),
        )
        .route(INSTANCE, get(retrieve::files))
        .route(&of_instance("/metadata"), get(retrieve::metadata))
        .route(&of_instance("/rendered"), get(pictures::rendered))
        .route(&of_instance("/thumbnail"), get(pictures::thumbnail))
        .route(&of_instance("/bulkdata/{*way}"), get(retrieve::bulk_data))
        .route(&of_instance("/frames/{frames}"), get(frames::frames))
        .route(
            &of_instance("/frames/{frames}/rendered"),
            get(pictures::rendered),
        )
        .route(
            &of_instance("/frames/{frames}/thumbnail"),
            get(pictures::thumbnail),
        )
}

/// Why a request is not answered with what it asks for.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    detail: String,
}

impl Refused {
    fn new(status: StatusCode, detail: impl Into<String>) -> Refused {
        Refused {
            status,
            detail: detail.into(),
        }
    }

    fn bad(detail: impl Into<String>) -> Refused {
        Refused::new(StatusCode::BAD_REQUEST, detail)
    }

    fn unknown() -> Refused {
        Refused::new(
            StatusCode::NOT_FOUND,
            "expected something that is here, got an unknown address",
        )
    }

    fn not_acceptable() -> Refused {
        let detail = "expected a media type that can be sent, got none in Accept";
        Refused::new(StatusCode::NOT_ACCEPTABLE, detail)
    }

    /// A request that cannot be read.
    fn of_request(error: &lobule_dicomio::Error) -> Refused {
        let status = match error.kind() {
            lobule_dicomio::ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        Refused::new(status, error.reason())
    }

    /// An instance that is not what is asked for: without pixels, or damaged.
    fn of_file(error: &lobule_dicomio::Error) -> Refused {
        use lobule_dicomio::ErrorKind::{Io, NoPixels, TooLarge};
        match error.kind() {
            Io => {
                tracing::error!(reason = error.reason(), "a kept file cannot be read");
                Refused::inside()
            }
            NoPixels => Refused::new(StatusCode::NOT_ACCEPTABLE, error.reason()),
            TooLarge => Refused::new(StatusCode::PAYLOAD_TOO_LARGE, error.reason()),
            _ => Refused::new(StatusCode::NOT_ACCEPTABLE, error.reason()),
        }
    }

    fn inside() -> Refused {
        let detail = "something went wrong inside: the log says what";
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        tracing::error!(%error, "a request could not be answered");
        Refused::inside()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        problem(self.status, &self.detail)
    }
}

/// Work that may wait or take long, on a thread for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| {
        tracing::error!("answering a request broke: please report this");
        Err(Refused::inside())
    })
}

/// Waits until frames may be held for an answer.
async fn sending() -> Result<SemaphorePermit<'static>, Refused> {
    SENDING.acquire().await.map_err(|_| Refused::inside())
}

/// Does work that takes memory in its turn, on a thread that may wait. A slow client waits for its
/// own answer alone: nothing is sent meanwhile.
fn in_turn<T>(work: impl FnOnce() -> T) -> T {
    let turn = tokio::runtime::Handle::current().block_on(DECODING.acquire());
    let done = work();
    drop(turn);
    done
}

/// Parameters of a path by their names.
type Parts = Path<BTreeMap<String, String>>;

/// What a path names. Nothing but digits and dots is looked for.
fn target(parts: &BTreeMap<String, String>) -> Result<Target, Refused> {
    let uid = |name: &str| match parts.get(name) {
        Some(uid) if is_uid(uid) => Ok(Some(uid.clone())),
        Some(_) => Err(Refused::bad(format!(
            "expected a unique identifier of the {name}"
        ))),
        None => Ok(None),
    };
    Ok(Target {
        study: uid("study")?.ok_or_else(Refused::unknown)?,
        series: uid("series")?,
        instance: uid("instance")?,
    })
}

/// A request for something that is kept: what it names and what its client takes.
struct Asked {
    shared: Arc<Shared>,
    target: Target,
    /// The path's parameters by their names.
    parts: BTreeMap<String, String>,
    query: String,
    ranges: Vec<MediaRange>,
    /// The address of this service as the client knows it.
    base: String,
}

impl FromRequestParts<Arc<Shared>> for Asked {
    type Rejection = Refused;

    async fn from_request_parts(
        head: &mut axum::http::request::Parts,
        shared: &Arc<Shared>,
    ) -> Result<Asked, Refused> {
        let unreadable = |_| Refused::bad("expected an address that can be read");
        let path = Parts::from_request_parts(head, shared).await;
        let Path(parts) = path.map_err(unreadable)?;
        let query = head.uri.query();
        Ok(Asked {
            target: target(&parts)?,
            ranges: accepted(&head.headers, query),
            base: base(shared, &head.headers),
            query: query.unwrap_or_default().to_owned(),
            shared: Arc::clone(shared),
            parts,
        })
    }
}

/// What there is of a target.
async fn kept(shared: &Arc<Shared>, target: Target) -> Result<Vec<Kept>, Refused> {
    let shared = Arc::clone(shared);
    let found = blocking(move || Ok(shared.database.objects(&target)?)).await?;
    match found.is_empty() {
        true => Err(Refused::unknown()),
        false => Ok(found),
    }
}

/// The one that an address with an instance names.
async fn kept_one(shared: &Arc<Shared>, target: Target) -> Result<Kept, Refused> {
    let mut found = kept(shared, target).await?;
    found.pop().ok_or_else(Refused::unknown)
}

/// What the client takes: the parameter `accept` stands before the header (PS3.18 8.3.3.1).
fn accepted(headers: &HeaderMap, query: Option<&str>) -> Vec<MediaRange> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let stated = pairs
        .filter(|(name, _)| name == "accept")
        .map(|(_, value)| value.into_owned());
    let stated: Vec<String> = stated.collect();
    if !stated.is_empty() {
        return parse_accept(&stated.join(","));
    }
    let headers = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    parse_accept(&headers.collect::<Vec<_>>().join(","))
}

/// The address of this service as the client knows it. Some clients leave the port away; on this
/// machine it is known.
fn base(shared: &Shared, headers: &HeaderMap) -> String {
    let scheme = match shared.config.http.tls {
        Some(_) => "https",
        None => "http",
    };
    let host = headers.get(HOST).and_then(|value| value.to_str().ok());
    let is_plain = |host: &&str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]_".contains(&b);
        host.bytes().all(plain)
    };
    let Some(host) = host.filter(is_plain) else {
        return "/dicomweb".to_owned();
    };
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.ends_with(']'));
    match is_local(headers) && !has_port {
        true => format!("{scheme}://{host}:{}/dicomweb", shared.http_address.port()),
        false => format!("{scheme}://{host}/dicomweb"),
    }
}

fn address(base: &str, study: &str, series: &str, instance: &str) -> String {
    let mut address = format!("{base}/studies/{study}");
    if !series.is_empty() {
        address.push_str(&format!("/series/{series}"));
    }
    if !instance.is_empty() {
        address.push_str(&format!("/instances/{instance}"));
    }
    address
}

/// Says beside an answer what it is not. Remarks hold names of attributes and nothing of a request.
fn warn(response: &mut Response, base: &str, remarks: &[String]) {
    for remark in remarks {
        if let Ok(value) = HeaderValue::from_str(&format!("299 {base} \"{remark}\"")) {
            response.headers_mut().append(WARNING, value);
        }
    }
}

/// The media type of DICOM JSON that a client takes: some ask for plain JSON.
fn json_type(ranges: &[MediaRange]) -> Result<&'static str, Refused> {
    let offered = [lobule_dicomio::web::DICOM_JSON, "application/json"];
    lobule_dicomio::web::single_form(ranges, &offered).ok_or_else(Refused::not_acceptable)
}
