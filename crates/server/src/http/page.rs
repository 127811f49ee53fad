//! The page: a document, scripts and a style, built from `viewer/` and embedded.
//!
//! Owns: which files there are, their types, the policy that they run under. Does not own: what the
//! page shows, which is the script's; that the files are a build of their sources is a test of
//! `cli`.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::api::Problem;

/// Scripts and styles of the page's own, no others; no `eval`, no frame, no form to elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' blob: data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// A file of the build.
struct Embedded {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! embedded {
    ($name:literal, $kind:literal) => {
        Embedded {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!("../../../../viewer/dist/", $name)),
        }
    };
}

const DOCUMENT: Embedded = embedded!("index.html", "text/html; charset=utf-8");
const ASSETS: [Embedded; 3] = [
    embedded!("assets/index.css", "text/css; charset=utf-8"),
    embedded!("assets/index.js", "text/javascript; charset=utf-8"),
    embedded!("assets/page.js", "text/javascript; charset=utf-8"),
];

pub(super) async fn document(headers: HeaderMap) -> Response {
    let mut response = send(&DOCUMENT, &headers);
    let policy = HeaderValue::from_static(POLICY);
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, policy);
    response
}

pub(super) async fn asset(
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = format!("assets/{file}");
    let found = ASSETS.iter().find(|asset| asset.name == name);
    let missing = || Problem::new(StatusCode::NOT_FOUND, "expected a file of the page");
    Ok(send(found.ok_or_else(missing)?, &headers))
}

/// The file, or that the browser has it already: it keeps files, and asks each time whether they hold.
fn send(file: &Embedded, headers: &HeaderMap) -> Response {
    let tag = tag_of(file.bytes);
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let about = [
        (ETAG, tag.clone()),
        (CACHE_CONTROL, "no-cache".to_owned()),
        (CONTENT_TYPE, file.kind.to_owned()),
    ];
    match known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag)) {
        true => (StatusCode::NOT_MODIFIED, about).into_response(),
        false => (about, file.bytes).into_response(),
    }
}

fn tag_of(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let hex: String = digest[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path as FilePath;

    use super::*;

    /// A file that the build wrote and nobody serves would be missed by the page.
    #[test]
    fn every_file_of_the_build_is_embedded() {
        let dist = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../../viewer/dist");
        let mut built: Vec<String> = ["", "assets/"]
            .into_iter()
            .flat_map(|below| {
                let entries = fs::read_dir(dist.join(below))
                    .unwrap()
                    .map(|entry| entry.unwrap());
                let files = entries.filter(|entry| entry.path().is_file());
                let name =
                    move |entry: fs::DirEntry| format!("{below}{}", entry.file_name().display());
                files.map(name).collect::<Vec<_>>()
            })
            .collect();
        built.sort();
        let mut served: Vec<&str> = ASSETS.iter().map(|asset| asset.name).collect();
        served.push(DOCUMENT.name);
        served.sort_unstable();
        assert_eq!(built, served);
    }

    #[test]
    fn the_document_needs_nothing_that_its_policy_forbids() {
        let document = std::str::from_utf8(DOCUMENT.bytes).unwrap();
        assert!(document.contains("src=\"/assets/index.js\""), "{document}");
        assert!(
            document.contains("Research use only. Not for diagnosis."),
            "{document}"
        );
        for word in ["http://", "https://", "onload=", "<style", "style=\""] {
            assert!(!document.contains(word), "{word}: {document}");
        }
        // A script between its tags would have to be allowed by name.
        let scripts = document.matches("<script").count();
        assert_eq!(
            scripts,
            document.matches("></script>").count(),
            "{document}"
        );
    }

    #[test]
    fn a_file_that_the_browser_has_is_not_sent_again() {
        let first = send(&DOCUMENT, &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        let tag = first.headers()[ETAG].clone();
        let headers = HeaderMap::from_iter([(IF_NONE_MATCH, tag)]);
        assert_eq!(send(&DOCUMENT, &headers).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(send(&ASSETS[0], &headers).status(), StatusCode::OK);
    }
}
