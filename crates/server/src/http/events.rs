//! Changes of studies as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

use super::api::Problem;
use crate::database::Change;
use crate::server::Shared;

/// Listeners at once: each holds a connection.
const LISTENERS: usize = 32;
/// A stream ends before its connection does; a browser asks again.
const LIFE: Duration = Duration::from_secs(110);
/// How long a browser waits until it asks again.
const RETRY: Duration = Duration::from_secs(1);
/// Something is sent at least this often.
const ALIVE: Duration = Duration::from_secs(15);

pub(super) async fn stream(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    if shared.events.listeners() >= LISTENERS {
        let text = "too many listen for changes at once";
        return Err(Problem::later(StatusCode::SERVICE_UNAVAILABLE, text, ALIVE));
    }
    let events = changes(shared.events.listen());
    let alive = KeepAlive::new().interval(ALIVE);
    Ok(Sse::new(events).keep_alive(alive).into_response())
}

fn changes(receiver: Receiver<Change>) -> impl Stream<Item = Result<Event, Infallible>> {
    let hello = Event::default().retry(RETRY).comment("changes of studies");
    let state = (receiver, Instant::now() + LIFE, Some(hello));
    unfold(state, |(mut receiver, end, hello)| async move {
        if let Some(hello) = hello {
            return Some((Ok(hello), (receiver, end, None)));
        }
        loop {
            match timeout_at(end, receiver.recv()).await {
                Ok(Ok(change)) => return Some((Ok(event(&change)), (receiver, end, None))),
                // Who was too slow goes on with what is there.
                Ok(Err(RecvError::Lagged(_))) => {}
                Ok(Err(RecvError::Closed)) | Err(_) => return None,
            }
        }
    })
}

fn event(change: &Change) -> Event {
    let event = Event::default().event("study");
    event.json_data(change).unwrap_or_default()
}
