//! Studies: the list, one of them, its assessment, having it read again, deleting it.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Redirect, Response};
use serde::{Deserialize, Serialize};

use super::api::{Problem, ask};
use super::caller::{Caller, note_a_look};
use super::files;
use crate::database::{
    Asked, Delivery, Entry, FetchRow, Filter, JobRow, Order, Retried, State as StudyState, StudyRow,
};
use crate::server::Shared;
use crate::time::now;

/// Most rows of one answer.
const MOST: u32 = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default = "usual_limit")]
    limit: u32,
    #[serde(default)]
    offset: u32,
    state: Option<StudyState>,
    modality: Option<String>,
    flagged: Option<bool>,
    q: Option<String>,
    #[serde(default)]
    order: Order,
}

fn usual_limit() -> u32 {
    100
}

#[derive(Serialize)]
struct Studies {
    studies: Vec<StudyRow>,
    total: u64,
}

pub(super) type Queried<T> = Result<Query<T>, QueryRejection>;

/// A query that was understood.
pub(super) fn understood<T>(query: Queried<T>) -> Result<T, Problem> {
    let wrong = |e: QueryRejection| Problem::new(StatusCode::BAD_REQUEST, e.body_text());
    Ok(query.map_err(wrong)?.0)
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    query: Queried<Wanted>,
) -> Result<Response, Problem> {
    let wanted = understood(query)?;
    let filter = Filter {
        limit: wanted.limit.min(MOST),
        offset: wanted.offset,
        state: wanted.state,
        modality: wanted.modality,
        flagged: wanted.flagged,
        text: wanted.q.filter(|q| !q.is_empty()),
        order: wanted.order,
    };
    let found = ask(&shared, move |shared| {
        Ok(Studies {
            studies: shared.database.studies(&filter)?,
            total: shared.database.count(&filter)?,
        })
    });
    Ok(Json(found.await?).into_response())
}

#[derive(Serialize)]
struct OneStudy {
    #[serde(flatten)]
    study: StudyRow,
    deliveries: Vec<Delivery>,
    jobs: Vec<JobRow>,
    /// The fetching of earlier studies, where any were asked for.
    priors: Option<FetchRow>,
    /// Address of the report.
    report: Option<String>,
}

pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    Path(uid): Path<String>,
) -> Result<Response, Problem> {
    let found = ask(&shared, move |shared| {
        let Some(study) = shared.database.study(&uid)? else {
            return Ok(None);
        };
        let report = study.result.is_some().then(|| report_of(&study.uid));
        Ok(Some(OneStudy {
            deliveries: shared.database.deliveries(study.id)?,
            jobs: shared.database.jobs_of(study.id)?,
            priors: shared.database.fetching(study.id)?,
            report,
            study,
        }))
    });
    let study = found.await?.ok_or_else(Problem::unknown_study)?;
    Ok(Json(study).into_response())
}

/// Identifiers are digits and dots: nothing has to be escaped.
pub(super) fn report_of(uid: &str) -> String {
    format!("/studies/{uid}/report.html")
}

pub(super) async fn assessment(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(uid): Path<String>,
) -> Result<Response, Problem> {
    let found = ask(&shared, move |shared| {
        let found = files::read(shared, &uid, "assessment.json")?;
        if found.is_some() {
            note_a_look(shared, &caller, &uid)?;
        }
        Ok(found)
    });
    let missing = || Problem::new(StatusCode::NOT_FOUND, "expected a study with a result");
    let bytes = found.await?.ok_or_else(missing)?;
    Ok(([(CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// Puts a study into the queue, whatever was made of it before.
pub(super) async fn assess(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(uid): Path<String>,
) -> Result<StatusCode, Problem> {
    let asked = ask(&shared, move |shared| {
        let key = lobule_dicomio::study_key(&uid);
        let entry = Entry::by(&caller.name, "study.assess", &key);
        shared.database.ask_again(&uid, &entry, now())
    });
    match asked.await? {
        Asked::Queued => Ok(StatusCode::ACCEPTED),
        Asked::Running => Err(Problem::new(
            StatusCode::CONFLICT,
            "expected a study that waits or is done, got one that is being read",
        )),
        Asked::Unknown => Err(Problem::unknown_study()),
    }
}

/// Tries again what has failed. A page's form is led back to the page.
pub(super) async fn retry(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(uid): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let retried = ask(&shared, move |shared| {
        let key = lobule_dicomio::study_key(&uid);
        let entry = Entry::by(&caller.name, "study.retry", &key);
        shared.database.retry(&uid, &entry, now())
    });
    match retried.await? {
        Retried::Queued => Ok(match accepts_pages(&headers) {
            true => Redirect::to("/").into_response(),
            false => StatusCode::ACCEPTED.into_response(),
        }),
        Retried::NothingFailed => Err(Problem::new(
            StatusCode::CONFLICT,
            "expected a study of which something has failed",
        )),
        Retried::Unknown => Err(Problem::unknown_study()),
    }
}

fn accepts_pages(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(uid): Path<String>,
) -> Result<StatusCode, Problem> {
    let deleted = ask(&shared, move |shared| {
        let key = lobule_dicomio::study_key(&uid);
        let entry = Entry::by(&caller.name, "study.delete", &key);
        let deleted = crate::keeping::delete(&shared.store, &shared.database, &uid, entry)?;
        if deleted {
            tracing::info!(exam = %key, "study deleted");
            shared.events.deleted(&uid);
        }
        Ok(deleted)
    });
    match deleted.await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::unknown_study()),
    }
}
