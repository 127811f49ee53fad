//! Searches (QIDO-RS).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use lobule_dicomio::web::{Fact, Field, Level, Query, match_object};

use super::{Parts, Refused, accepted, address, base, blocking, json_type, target, warn};
use crate::database::Match;
use crate::server::Shared;

pub(super) async fn studies(
    state: State<Arc<Shared>>,
    query: RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    answer(state, Level::Study, None, query, headers).await
}

pub(super) async fn all_series(
    state: State<Arc<Shared>>,
    query: RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    answer(state, Level::Series, None, query, headers).await
}

pub(super) async fn all_instances(
    state: State<Arc<Shared>>,
    query: RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    answer(state, Level::Instance, None, query, headers).await
}

pub(super) async fn series(
    state: State<Arc<Shared>>,
    Path(parts): Parts,
    query: RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    answer(state, Level::Series, Some(&parts), query, headers).await
}

pub(super) async fn instances(
    state: State<Arc<Shared>>,
    Path(parts): Parts,
    query: RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    answer(state, Level::Instance, Some(&parts), query, headers).await
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    level: Level,
    parts: Option<&BTreeMap<String, String>>,
    RawQuery(text): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let content_type = json_type(&accepted(&headers, text.as_deref()))?;
    let query = Query::parse(level, text.as_deref().unwrap_or_default());
    let mut query = query.map_err(|e| Refused::of_request(&e))?;
    if let Some(parts) = parts {
        query = within(query, parts)?;
    }
    let mut remarks = query.remarks.clone();
    let base = base(&shared, &headers);
    let found = blocking(move || Ok(shared.database.search(level, &query)?)).await?;
    if found.more {
        remarks.push("There are additional results that can be requested".to_owned());
    }
    if found.only_newest {
        let remark =
            "Only the newest were searched: give three characters without a wildcard between them";
        remarks.push(remark.to_owned());
    }
    let mut response = match found.matches.is_empty() {
        true => StatusCode::NO_CONTENT.into_response(),
        false => {
            let objects: Vec<String> = found
                .matches
                .iter()
                .map(|m| object(level, m, &base))
                .collect();
            let body = format!("[{}]", objects.join(","));
            ([(CONTENT_TYPE, content_type)], body).into_response()
        }
    };
    warn(&mut response, &base, &remarks);
    Ok(response)
}

fn within(query: Query, parts: &BTreeMap<String, String>) -> Result<Query, Refused> {
    let target = target(parts)?;
    let asked = |field| {
        query
            .conditions
            .iter()
            .any(|condition| condition.field == field)
    };
    if asked(Field::StudyUid) || (target.series.is_some() && asked(Field::SeriesUid)) {
        return Err(Refused::bad(
            "expected no identifier that the address has already",
        ));
    }
    let query = query.within(Field::StudyUid, &target.study);
    Ok(match &target.series {
        Some(series) => query.within(Field::SeriesUid, series),
        None => query,
    })
}

fn object(level: Level, found: &Match, base: &str) -> String {
    let url = address(
        base,
        &found.study_uid,
        &found.series_uid,
        &found.instance_uid,
    );
    let mut facts = vec![Fact::RetrieveUrl(url)];
    match level {
        Level::Study => facts.extend([
            Fact::ModalitiesInStudy(found.modalities.clone()),
            Fact::SeriesOfStudy(found.n_series),
            Fact::InstancesOfStudy(found.n_instances),
        ]),
        Level::Series => facts.push(Fact::InstancesOfSeries(found.n_series_instances)),
        Level::Instance => facts.push(Fact::TransferSyntax(found.syntax_uid.clone())),
    }
    match_object(&[&found.study, &found.series, &found.instance], &facts)
}
