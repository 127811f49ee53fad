//! The OpenAPI document, made of the table of endpoints. `docs/openapi.json` is the one of this version.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::endpoints::{Answer, Endpoint, Verb, endpoints};
use crate::accounts::{Right, Role};

/// Changes where a program that uses the interface could notice: the second number where something is
/// added, the first where something goes.
const VERSION: &str = "1.1.0";
const SCHEMAS: &str = include_str!("schemas.json");

pub(super) async fn show() -> Response {
    ([(CONTENT_TYPE, "application/json")], text()).into_response()
}

/// The document as it is written to the file.
fn text() -> String {
    let text = serde_json::to_string_pretty(&document()).expect("JSON can be written as text");
    text + "\n"
}

fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for one in endpoints() {
        let path = one.path.replace("{*", "{");
        let at = paths.entry(path).or_insert_with(|| json!({}));
        at[one.verb.name()] = operation(&one);
    }
    let schemas: Value = serde_json::from_str(SCHEMAS).expect("the schemas are JSON");
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Lobule",
            "version": VERSION,
            "description": "Studies, results, reviews. Research use only. Not for diagnosis. \
                While there are no accounts and the service listens to its own machine alone, nobody has to log in. \
                Changes made with a session's cookie carry its token in X-CSRF-Token; programs use HTTP Basic.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": super::caller::COOKIE_NAME },
                "basic": { "type": "http", "scheme": "basic" },
            },
            "responses": {
                "Problem": {
                    "description": "What went wrong (RFC 9457).",
                    "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
                },
            },
        },
    })
}

fn operation(one: &Endpoint) -> Value {
    let (status, answer) = answer(one.answer);
    let problem = json!({ "$ref": "#/components/responses/Problem" });
    let mut operation = json!({
        "operationId": id(one),
        "summary": one.about,
        "description": who(one.right),
        "security": security(one.right),
        "responses": { status.to_string(): answer, "default": problem },
    });
    let parameters = parameters(one);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = one.body {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": reference(body) } },
        });
    }
    operation
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn answer(answer: Answer) -> (u16, Value) {
    let of = |kind: &str, schema: Value| json!({ "description": "Done.", "content": { kind: { "schema": schema } } });
    match answer {
        Answer::Json(status, schema) => (status, of("application/json", reference(schema))),
        Answer::Of(status, kind) => (status, of(kind, json!({}))),
        Answer::Empty(status) => (status, json!({ "description": "Done." })),
    }
}

fn parameters(one: &Endpoint) -> Vec<Value> {
    let in_path = one.path.split(['{', '}']).skip(1).step_by(2).map(|name| {
        let name = name.trim_start_matches('*');
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    });
    let in_query = one.query.iter().map(|(name, schema)| {
        let schema: Value = serde_json::from_str(schema).expect("schemas of parameters are JSON");
        json!({ "name": name, "in": "query", "schema": schema })
    });
    in_path.chain(in_query).collect()
}

fn security(right: Right) -> Value {
    match right {
        Right::Nothing => json!([]),
        _ => json!([{ "session": [] }, { "basic": [] }]),
    }
}

fn who(right: Right) -> String {
    let may = Role::ALL.into_iter().filter(|role| role.may(right));
    match right {
        Right::Nothing => "For everybody.".to_owned(),
        _ => format!(
            "For {}.",
            may.map(Role::name).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// A name for programs: `get_api_v1_studies_uid`.
fn id(one: &Endpoint) -> String {
    let Endpoint { verb, path, .. } = one;
    let words = path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let words: Vec<&str> = [Verb::name(*verb)].into_iter().chain(words).collect();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// With LOBULE_WRITE_GOLDEN=1 the file is written anew.
    #[test]
    fn the_document_in_docs_is_the_one_of_this_version() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        if std::env::var_os("LOBULE_WRITE_GOLDEN").is_some() {
            std::fs::write(&file, text()).unwrap();
        }
        let golden = std::fs::read_to_string(&file).unwrap();
        assert!(
            golden == text(),
            "docs/openapi.json differs: raise VERSION, and run with LOBULE_WRITE_GOLDEN=1"
        );
    }

    #[test]
    fn every_name_is_used_once_and_every_schema_is_there() {
        let ids: BTreeSet<String> = endpoints().iter().map(id).collect();
        assert_eq!(ids.len(), endpoints().len());
        let document = document();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
