//! Every address of the programming interface in one table: what it needs, what it takes, what it
//! answers. The routes and the OpenAPI document are both made of it.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::caller::require;
use super::{
    api, demo, dicomweb, events, export, files, jobs, models, openapi, page, reviews, session,
    studies,
};
use crate::accounts::Right;
use crate::server::Shared;

/// Longest body of a request; studies are taken in elsewhere.
const MAX_BODY: usize = 64 << 10;

/// How an address is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

impl Verb {
    pub(super) fn name(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::Post => "post",
            Verb::Put => "put",
            Verb::Delete => "delete",
        }
    }

    fn filter(self) -> MethodFilter {
        match self {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
            Verb::Put => MethodFilter::PUT,
            Verb::Delete => MethodFilter::DELETE,
        }
    }
}

/// What comes back: a status and what is in it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    /// JSON of a schema.
    Json(u16, &'static str),
    /// Of a content type.
    Of(u16, &'static str),
    /// Nothing.
    Empty(u16),
}

/// A parameter after the question mark: its name, and its schema as JSON.
pub(super) type Parameter = (&'static str, &'static str);

pub(super) struct Endpoint {
    pub(super) verb: Verb,
    pub(super) path: &'static str,
    pub(super) right: Right,
    pub(super) about: &'static str,
    pub(super) query: &'static [Parameter],
    /// Schema of the body.
    pub(super) body: Option<&'static str>,
    pub(super) answer: Answer,
    router: MethodRouter<Arc<Shared>>,
}

impl Endpoint {
    fn taking(self, body: &'static str) -> Endpoint {
        Endpoint {
            body: Some(body),
            ..self
        }
    }

    fn asked(self, query: &'static [Parameter]) -> Endpoint {
        Endpoint { query, ..self }
    }
}

fn at<H, T>(
    verb: Verb,
    path: &'static str,
    right: Right,
    handler: H,
    answer: Answer,
    about: &'static str,
) -> Endpoint
where
    H: Handler<T, Arc<Shared>>,
    T: 'static,
{
    Endpoint {
        verb,
        path,
        right,
        about,
        query: &[],
        body: None,
        answer,
        router: on(verb.filter(), handler),
    }
}

const COUNT: &str = r#"{"type":"integer","minimum":0,"maximum":4294967295}"#;
const TEXT: &str = r#"{"type":"string"}"#;
const LIST: &[Parameter] = &[
    ("limit", COUNT),
    ("offset", COUNT),
    ("state", r##"{"$ref":"#/components/schemas/State"}"##),
    ("modality", TEXT),
    ("flagged", r#"{"type":"boolean"}"#),
    ("q", TEXT),
    ("order", r#"{"enum":["suspicion","arrival"]}"#),
];
const JOBS: &[Parameter] = &[(
    "state",
    r#"{"enum":["queued","running","done","failed"],"default":"failed"}"#,
)];
const HISTORY: &[Parameter] = &[("history", r#"{"type":"boolean","default":false}"#)];
const EXPORT: &[Parameter] = &[("dates", r#"{"enum":["remove","shift"],"default":"remove"}"#)];

/// All of them.
#[rustfmt::skip]
pub(super) fn endpoints() -> Vec<Endpoint> {
    use Answer::{Empty, Json, Of};
    use Right::{Administer, Assess, Export, Nothing, Read, Review};
    use Verb::{Delete, Get, Post, Put};
    vec![
        at(Get, "/health", Nothing, api::health, Of(200, "text/plain"), "The process lives."),
        at(Get, "/ready", Nothing, api::ready, Of(200, "text/plain"), "The service takes work."),
        at(Get, "/metrics", Read, api::metrics, Of(200, "text/plain"), "Counters in Prometheus' format."),
        at(Get, "/api/v1/openapi.json", Nothing, openapi::show, Of(200, "application/json"), "This document."),
        at(Post, "/api/v1/session", Nothing, session::open, Json(200, "Session"), "Logs in; the answer sets a cookie.").taking("Credentials"),
        at(Get, "/api/v1/session", Nothing, session::show, Json(200, "Session"), "Who is logged in."),
        at(Delete, "/api/v1/session", Nothing, session::close, Empty(204), "Logs out."),
        at(Get, "/api/v1/studies", Read, studies::list, Json(200, "Studies"), "Studies; `q` is part of a key or identifier.").asked(LIST),
        at(Get, "/api/v1/studies/{uid}", Read, studies::one, Json(200, "StudyWithJobs"), "A study, its jobs and the sending of its result."),
        at(Delete, "/api/v1/studies/{uid}", Administer, studies::delete, Empty(204), "Deletes a study with its files and results."),
        at(Get, "/api/v1/studies/{uid}/assessment", Read, studies::assessment, Of(200, "application/json"), "What the active model found: `assessment.json`."),
        at(Get, "/api/v1/studies/{uid}/instances", Read, dicomweb::instances, Json(200, "Instances"), "Images of a study, as a viewer needs to know them; their pixels come from DICOMweb."),
        at(Post, "/api/v1/studies/{uid}/assess", Assess, studies::assess, Empty(202), "Has a study read, again or at once."),
        at(Post, "/api/v1/studies/{uid}/retry", Assess, studies::retry, Empty(202), "Tries again what has failed of a study."),
        at(Get, "/api/v1/studies/{uid}/reviews", Read, reviews::list, Json(200, "Reviews"), "What readers say of the findings; with `history`, all they ever said.").asked(HISTORY),
        at(Put, "/api/v1/studies/{uid}/reviews/{finding}", Review, reviews::put, Empty(204), "Accepts or rejects a finding, named `{breast}/{image index}/{finding index}` as one segment, the slashes as %2F: the places, from 0, in `breasts`, `images` and `findings` of the assessment.").taking("Judgement"),
        at(Delete, "/api/v1/studies/{uid}/reviews/{finding}", Review, reviews::delete, Empty(204), "Takes a review back."),
        at(Get, "/api/v1/studies/{uid}/export", Export, export::export, Of(200, "application/zip"), "The study without what identifies the patient (PS3.15 Basic Profile).").asked(EXPORT),
        at(Get, "/api/v1/jobs", Read, jobs::list, Json(200, "Jobs"), "Jobs in a state, the newest 1000.").asked(JOBS),
        at(Get, "/api/v1/models", Read, models::list, Json(200, "Models"), "Active and shadow models."),
        at(Get, "/api/v1/models/comparison", Read, models::comparison, Json(200, "Comparison"), "What the shadow made of studies beside the active model."),
        at(Get, "/api/v1/events", Read, events::stream, Of(200, "text/event-stream"), "Server-sent events: `event: study`, its data a Change. The stream ends after a while; a browser asks again by itself."),
        at(Post, "/api/v1/demo", Assess, demo::send, Empty(202), "Sends synthetic exams to the service itself."),
        at(Get, "/studies/{uid}/{*file}", Read, files::result_file, Of(200, "text/html"), "Pages, pictures and tables of a study's result."),
        // It shows studies.
        at(Get, "/", Nothing, page::document, Of(200, "text/html"), "The page."),
        at(Get, "/assets/{file}", Nothing, page::asset, Of(200, "text/javascript"), "Scripts and style of the page."),
    ]
}

pub(super) fn routes() -> Router<Arc<Shared>> {
    let none = Router::new();
    let all = endpoints().into_iter().fold(none, |routes, one| {
        let guarded = one
            .router
            .route_layer(from_fn_with_state(one.right, require));
        routes.route(one.path, guarded)
    });
    all.layer(DefaultBodyLimit::max(MAX_BODY))
}
