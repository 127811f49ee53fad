//! The models in use, and what a shadow made of studies beside the active one.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Json, Response};

use super::api::{Problem, ask};
use crate::server::Shared;

pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Response {
    Json(shared.models.shown()).into_response()
}

pub(super) async fn comparison(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let rows = ask(&shared, |shared| shared.database.comparison());
    Ok(Json(rows.await?).into_response())
}
