//! What every part of the programming interface needs: JSON, errors as RFC 9457 problems; and whether the
//! service lives.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};

use crate::Error;
use crate::server::Shared;

/// Until the body of a small request is there.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// What went wrong, for the one who asked; what is inside stays in the log.
pub(super) struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
    /// Seconds after which another try makes sense.
    retry_after: Option<u64>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem {
            status,
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// Asks for patience.
    pub(super) fn later(status: StatusCode, detail: &'static str, wait: Duration) -> Problem {
        Problem {
            retry_after: Some(wait.as_secs().max(1)),
            ..Problem::new(status, detail)
        }
    }

    pub(super) fn unknown_study() -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            "expected a study that has arrived, got an unknown one",
        )
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        tracing::error!(%error, "a request could not be answered");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "something went wrong inside: the log says what",
        )
    }
}

/// A problem of RFC 9457.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    let body = serde_json::json!({
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
    });
    let kind = [(CONTENT_TYPE, "application/problem+json")];
    (status, kind, body.to_string()).into_response()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = problem(self.status, &self.detail);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// The database is asked on a thread that may wait.
pub(super) async fn ask<T: Send + 'static>(
    shared: &Arc<Shared>,
    question: impl FnOnce(&Shared) -> Result<T, Error> + Send + 'static,
) -> Result<T, Problem> {
    let shared = Arc::clone(shared);
    let answer = tokio::task::spawn_blocking(move || question(&shared)).await;
    let broke = |_| Error::data("a question to the database broke");
    Ok(answer.map_err(broke).and_then(|answer| answer)?)
}

pub(super) async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "expected a known address")
}

/// The process is alive.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// The service takes work: its database answers and nothing asked it to stop.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Result<&'static str, Problem> {
    if shared.stop.is_asked() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the service is stopping",
        ));
    }
    ask(&shared, |shared| shared.database.counts()).await?;
    Ok("ready\n")
}

pub(super) async fn metrics(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let text = ask(&shared, |shared| {
        shared
            .metrics
            .text(&shared.database, shared.listener.counters())
    });
    let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, text.await?).into_response())
}

/// The body of a request as JSON; what is wrong with it is said.
pub(super) struct Given<T>(pub(super) T);

impl<T: serde::de::DeserializeOwned, S: Send + Sync> FromRequest<S> for Given<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Given<T>, Problem> {
        let read =
            tokio::time::timeout(BODY_TIMEOUT, Json::<T>::from_request(request, state)).await;
        let slow = || {
            Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "expected the whole request sooner",
            )
        };
        let wrong = |e: JsonRejection| Problem::new(e.status(), e.body_text());
        let Json(value) = read.map_err(|_| slow())?.map_err(wrong)?;
        Ok(Given(value))
    }
}
