//! Synthetic exams on request.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;

use super::api::{Problem, ask};
use super::caller::Caller;
use crate::database::Entry;
use crate::server::{Began, Shared, begin_demo};
use crate::time::now;

pub(super) async fn send(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, Problem> {
    match begin_demo(&shared) {
        Began::Yes => {
            ask(&shared, move |shared| {
                let entry = Entry::by(&caller.name, "demo.send", "");
                shared.database.enter(&entry, now())
            })
            .await?;
            Ok(StatusCode::ACCEPTED)
        }
        Began::IsRunning => Err(Problem::new(
            StatusCode::CONFLICT,
            "the synthetic exams are being sent already",
        )),
        Began::HasNone => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "this service has no synthetic exams",
        )),
    }
}
