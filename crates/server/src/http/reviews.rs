//! What readers say of findings: accepted or rejected, with a comment.

use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde::Deserialize;
use serde_json::Value;

use super::api::{Given, Problem, ask};
use super::caller::Caller;
use super::files;
use super::studies::{Queried, understood};
use crate::Error;
use crate::database::{Decision, Entry, Judged, StudyRow};
use crate::server::Shared;
use crate::time::now;

/// Longest comment, in bytes.
const MAX_COMMENT: usize = 4096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    history: bool,
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Path(uid): Path<String>,
    query: Queried<Wanted>,
) -> Result<Response, Problem> {
    let Wanted { history } = understood(query)?;
    let found = ask(&shared, move |shared| {
        let Some(study) = shared.database.study(&uid)? else {
            return Ok(None);
        };
        let reviews = match history {
            true => shared.database.all_reviews(study.id)?,
            false => shared.database.reviews(study.id)?,
        };
        Ok(Some(reviews))
    });
    Ok(Json(found.await?.ok_or_else(Problem::unknown_study)?).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Judgement {
    decision: Decision,
    #[serde(default)]
    comment: String,
}

pub(super) async fn put(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path((uid, finding)): Path<(String, String)>,
    Given(Judgement { decision, comment }): Given<Judgement>,
) -> Result<StatusCode, Problem> {
    if comment.len() > MAX_COMMENT {
        let text = format!("expected a comment of at most {MAX_COMMENT} bytes");
        return Err(Problem::new(StatusCode::BAD_REQUEST, text));
    }
    enter(shared, caller, uid, finding, Some(decision), comment).await
}

pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path((uid, finding)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    enter(shared, caller, uid, finding, None, String::new()).await
}

/// What entering a review came to.
enum Entered {
    Done,
    UnknownStudy,
    UnknownFinding,
}

async fn enter(
    shared: Arc<Shared>,
    caller: Caller,
    uid: String,
    finding: String,
    decision: Option<Decision>,
    comment: String,
) -> Result<StatusCode, Problem> {
    let entered = ask(&shared, move |shared| {
        let Some(study) = shared.database.study(&uid)? else {
            return Ok(Entered::UnknownStudy);
        };
        // An old review can be taken back although its finding is gone.
        if decision.is_some() && !has_finding(shared, &study, &finding)? {
            return Ok(Entered::UnknownFinding);
        }
        let judged = Judged {
            finding: &finding,
            decision,
            comment: &comment,
            reviewer: &caller.name,
        };
        // The comment stays with the study and goes with it: it may name somebody.
        let word = decision.map_or("withdrawn", Decision::name);
        let entry = Entry::by(&caller.name, "review", &study.key)
            .with("finding", finding.as_str())
            .with("decision", word);
        let result = study.result.as_deref().unwrap_or_default();
        let database = &shared.database;
        Ok(
            match database.judge(study.id, result, &judged, &entry, now())? {
                true => Entered::Done,
                false => Entered::UnknownFinding,
            },
        )
    });
    match entered.await? {
        Entered::Done => Ok(StatusCode::NO_CONTENT),
        Entered::UnknownStudy => Err(Problem::unknown_study()),
        Entered::UnknownFinding => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "expected a finding of the study's result: {breast}/{image index}/{finding index}",
        )),
    }
}

fn has_finding(shared: &Shared, study: &StudyRow, finding: &str) -> Result<bool, Error> {
    let Some(bytes) = files::read(shared, &study.uid, "assessment.json")? else {
        return Ok(false);
    };
    let wrong = |e| Error::data(format!("the assessment of {}: {e}", study.key));
    let assessment: Value = serde_json::from_slice(&bytes).map_err(wrong)?;
    Ok(names_a_finding(&assessment, finding))
}

/// Whether `{breast}/{image index}/{finding index}` is in an assessment; `{modality}/` before it tells exams of
/// one study apart.
fn names_a_finding(assessment: &Value, finding: &str) -> bool {
    let parts: Vec<&str> = finding.split('/').collect();
    let (modality, breast, image, number) = match parts[..] {
        [breast, image, number] => (None, breast, image, number),
        [modality, breast, image, number] => (Some(modality), breast, image, number),
        _ => return false,
    };
    let (Some(image), Some(number)) = (index(image), index(number)) else {
        return false;
    };
    let of = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let exams = of(assessment, "exams").into_iter();
    let mut breasts = exams
        .filter(|exam| modality.is_none_or(|modality| exam["modality"] == modality))
        .flat_map(|exam| of(&exam, "breasts"))
        .filter(|one| one["breast"] == breast);
    breasts.any(|one| one["images"][image]["findings"].get(number).is_some())
}

/// A number has one name.
fn index(text: &str) -> Option<usize> {
    let number: usize = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_named_by_their_places() {
        let assessment = serde_json::json!({ "exams": [
            { "modality": "ultrasound", "breasts": [
                { "breast": "left", "images": [{ "findings": [] }, { "findings": [{}, {}] }] },
            ] },
        ] });
        for (name, expected) in [
            ("left/1/0", true),
            ("left/1/1", true),
            ("ultrasound/left/1/1", true),
            ("mammography/left/1/1", false),
            ("left/0/0", false),
            ("left/1/2", false),
            ("left/1/01", false),
            ("left/+1/0", false),
            ("right/1/0", false),
            ("left/1", false),
            ("", false),
            ("../../x", false),
        ] {
            assert_eq!(names_a_finding(&assessment, name), expected, "{name}");
        }
        assert!(!names_a_finding(&Value::Null, "left/0/0"));
    }
}
