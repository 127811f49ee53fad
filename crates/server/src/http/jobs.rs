//! Jobs: what waits, what runs, and what has failed, with the reason.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Json, Response};
use serde::Deserialize;

use super::api::{Problem, ask};
use super::studies::{Queried, understood};
use crate::database::JobState;
use crate::server::Shared;

/// Most jobs of one answer.
const MOST: u32 = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    state: JobState,
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    query: Queried<Wanted>,
) -> Result<Response, Problem> {
    let Wanted { state } = understood(query)?;
    let jobs = ask(&shared, move |shared| shared.database.jobs(state, MOST));
    Ok(Json(jobs.await?).into_response())
}
