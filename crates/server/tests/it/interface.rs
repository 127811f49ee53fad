//! Lists, jobs, changes as they happen, exports, encryption.

use std::io::{Cursor, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lobule_dicomio::read_keys;
use lobule_server::{Config, Exposure, Reading, Role, Server, Usable, add_account};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value;

use crate::web::{Answer, Client};
use crate::{Scripted, deliver, done, instance, instance_of, start, wait_for};

fn stop(server: Server) {
    server.stop();
    server.wait();
}

/// Studies of the answer, by their keys.
fn keys(answer: &Answer) -> Vec<String> {
    let answer = answer.json();
    let studies = answer["studies"].as_array().unwrap().clone();
    studies
        .iter()
        .map(|s| s["study_uid"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn studies_are_filtered_ordered_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir.path().join("data"), "", |call, _, _| match call {
        1 => Ok(Reading {
            score: Some(0.2),
            ..done()
        }),
        2 => Ok(Reading {
            score: Some(0.9),
            flagged: true,
            ..done()
        }),
        _ => Ok(Reading {
            score: None,
            usable: Usable::No("<b>nothing</b>".to_owned()),
            ..done()
        }),
    });
    let mut uids = Vec::new();
    for study in ["one", "two", "three"] {
        let file = instance_of(dir.path(), study, 1);
        deliver(&server, std::slice::from_ref(&file));
        uids.push(read_keys(&file).unwrap().study_uid);
        let client = Client::new(server.http_address());
        let began = Instant::now();
        let over = |client: &Client| {
            let all = client.get("/api/v1/studies").json();
            let all = all["studies"].as_array().unwrap().clone();
            all.len() == uids.len()
                && all
                    .iter()
                    .all(|s| s["state"] == "done" || s["state"] == "failed")
        };
        while !over(&client) {
            assert!(began.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let client = Client::new(server.http_address());
    let [one, two, three] = [0, 1, 2].map(|i| uids[i].clone());
    for (query, expected, total) in [
        ("", vec![&two, &one, &three], 3),
        ("?order=arrival", vec![&three, &two, &one], 3),
        ("?state=failed", vec![&three], 1),
        ("?flagged=true", vec![&two], 1),
        ("?flagged=false&limit=1", vec![&one], 2),
        ("?offset=2", vec![&three], 3),
        ("?modality=US", vec![&two, &one, &three], 3),
        ("?modality=MG", vec![], 0),
        (&format!("?q={}", &one[5..20]), vec![&one], 1),
        ("?q=%25", vec![], 0),
        ("?q=_", vec![], 0),
        ("?q='%20OR%201=1%20--", vec![], 0),
    ] {
        let answer = client.get(&format!("/api/v1/studies{query}"));
        assert_eq!(
            keys(&answer),
            expected.into_iter().cloned().collect::<Vec<_>>(),
            "{query}"
        );
        assert_eq!(answer.json()["total"], total, "{query}");
    }
    for query in [
        "?limit=x",
        "?state=over",
        "?order=name",
        "?flagged=maybe",
        "?nothing=1",
        "?limit=-1",
    ] {
        let answer = client.get(&format!("/api/v1/studies{query}"));
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (400, Some("application/problem+json")),
            "{query}"
        );
    }
    let jobs = client.get("/api/v1/jobs?state=failed").json();
    assert_eq!(
        (jobs[0]["study_uid"].as_str(), jobs[0]["reason"].as_str()),
        (Some(three.as_str()), Some("<b>nothing</b>"))
    );
    assert_eq!(jobs.as_array().unwrap().len(), 1);
    let study = client.get(&format!("/api/v1/studies/{three}")).json();
    assert_eq!(
        (
            study["jobs"][0]["kind"].as_str(),
            study["jobs"][0]["state"].as_str()
        ),
        (Some("assess"), Some("failed"))
    );
    assert_eq!(
        client
            .ask("POST", &format!("/api/v1/studies/{one}/assess"))
            .status,
        202
    );
    assert_eq!(
        client.ask("POST", "/api/v1/studies/1.2.3/assess").status,
        404
    );
    stop(server);
}

#[test]
fn changes_are_told_as_they_happen() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir.path().join("data"), "", |_, _, _| Ok(done()));
    let mut stream = TcpStream::connect(server.http_address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    write!(
        stream,
        "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    .unwrap();
    let file = instance(dir.path(), 1);
    let uid = read_keys(&file).unwrap().study_uid;
    let mut heard = String::new();
    let mut hear = |stream: &mut TcpStream, word: &str| {
        let mut block = [0; 4096];
        while !heard.contains(word) {
            let read = stream.read(&mut block).unwrap();
            assert!(read > 0, "{heard}");
            heard += &String::from_utf8_lossy(&block[..read]);
        }
        heard.clone()
    };
    hear(&mut stream, "changes of studies");
    deliver(&server, std::slice::from_ref(&file));
    let heard_all = hear(&mut stream, "\"state\":\"done\"");
    assert!(
        heard_all.contains("text/event-stream") && heard_all.contains("event: study"),
        "{heard_all}"
    );
    assert!(
        heard_all.contains(&format!("\"uid\":\"{uid}\"")),
        "{heard_all}"
    );
    assert!(heard_all.contains("\"state\":\"arriving\""), "{heard_all}");
    let client = Client::new(server.http_address());
    assert_eq!(
        client
            .ask("DELETE", &format!("/api/v1/studies/{uid}"))
            .status,
        204
    );
    hear(&mut stream, "\"state\":\"deleted\"");
    stop(server);
}

#[test]
fn an_export_holds_no_identifier() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = start(&data, "", |_, files, out| {
        let named = &files[0].instance_uid;
        let reason = format!("see {named}, which has no pixels");
        let exam = serde_json::json!({ "exam": "x", "file": named, "reason": reason });
        let assessment = serde_json::json!({ "exams": [exam] });
        std::fs::write(out.join("assessment.json"), assessment.to_string()).unwrap();
        Ok(done())
    });
    let file = instance_of(dir.path(), "one", 1);
    let keys = read_keys(&file).unwrap();
    let (uid, instance) = (keys.study_uid, keys.instance_uid);
    deliver(&server, std::slice::from_ref(&file));
    wait_for(&server, "\"state\":\"done\"");
    add_account(
        &data,
        "researcher",
        Role::Researcher,
        "correct horse battery",
    )
    .unwrap();
    let client = Client::new(server.http_address()).basic("researcher", "correct horse battery");
    let export = format!("/api/v1/studies/{uid}/export");
    let answer = client.get(&export);
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/zip")),
        "{}",
        answer.head
    );
    let mut archive = zip::ZipArchive::new(Cursor::new(&answer.body)).unwrap();
    let mut whole: Vec<(String, Vec<u8>)> = Vec::new();
    for at in 0..archive.len() {
        let mut one = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        one.read_to_end(&mut bytes).unwrap();
        whole.push((one.name().unwrap().into_owned(), bytes));
    }
    let names: Vec<&str> = whole.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["images/0001.dcm", "assessment.json", "export.json"]);
    let holds = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|w| w == word.as_bytes());
    for (name, bytes) in &whole {
        for word in [uid.as_str(), &instance, "SYNTHETIC^PHANTOM", "instances/"] {
            assert!(!holds(bytes, word), "{name}: {word}");
        }
    }
    assert!(holds(&whole[1].1, "see images/0001.dcm, which"));
    let copy = dir.path().join("copy.dcm");
    std::fs::write(&copy, &whole[0].1).unwrap();
    assert_ne!(read_keys(&copy).unwrap().study_uid, uid);
    // The same names again, another day.
    let again = client.get(&format!("{export}?dates=shift"));
    let mut archive = zip::ZipArchive::new(Cursor::new(&again.body)).unwrap();
    let mut account = String::new();
    archive
        .by_name("export.json")
        .unwrap()
        .read_to_string(&mut account)
        .unwrap();
    let (account, first): (Value, Value) = (
        serde_json::from_str(&account).unwrap(),
        serde_json::from_slice(&whole[2].1).unwrap(),
    );
    assert_eq!(
        account["images"][0]["instance_uid"],
        first["images"][0]["instance_uid"]
    );
    assert_eq!(
        (account["dates"].as_str(), first["dates"].as_str()),
        (Some("shift"), Some("remove"))
    );
    assert_eq!(client.get(&format!("{export}?dates=keep")).status, 400);
    assert_eq!(client.get("/api/v1/studies/1.2.3/export").status, 404);
    stop(server);
}

/// The name in a file is replaced by one of the same length.
#[test]
fn script_in_a_patient_s_name_is_a_name() {
    const SCRIPT: &str = "<script>x</script";
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = start(&data, "", |_, _, out| {
        std::fs::write(out.join("report.html"), "report").unwrap();
        Ok(done())
    });
    let file = instance_of(dir.path(), "one", 1);
    let mut bytes = std::fs::read(&file).unwrap();
    let name = b"SYNTHETIC^PHANTOM";
    let at = bytes.windows(name.len()).position(|w| w == name).unwrap();
    bytes[at..at + SCRIPT.len()].copy_from_slice(SCRIPT.as_bytes());
    std::fs::write(&file, bytes).unwrap();
    let uid = read_keys(&file).unwrap().study_uid;
    deliver(&server, std::slice::from_ref(&file));
    wait_for(&server, "\"state\":\"done\"");
    let client = Client::new(server.http_address());
    let named = client.get("/dicomweb/studies?includefield=PatientName");
    assert!(named.text().contains(SCRIPT), "{named:?}");
    assert_eq!(named.header("content-type"), Some("application/dicom+json"));
    assert_eq!(named.header("x-content-type-options"), Some("nosniff"));
    for path in [
        "/",
        "/api/v1/studies",
        &format!("/api/v1/studies/{uid}"),
        "/api/v1/jobs",
        "/metrics",
    ] {
        let answer = client.get(path);
        assert!(
            answer.status == 200 && !answer.text().contains("<script>x"),
            "{path}: {answer:?}"
        );
    }
    stop(server);
}

#[test]
fn the_openapi_document_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir.path().join("data"), "", |_, _, _| Ok(done()));
    let document = Client::new(server.http_address())
        .get("/api/v1/openapi.json")
        .json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    for (path, verb) in [
        ("/api/v1/session", "post"),
        ("/api/v1/studies/{uid}/reviews/{finding}", "put"),
        ("/api/v1/studies/{uid}/export", "get"),
    ] {
        assert!(paths[path][verb].is_object(), "{verb} {path}");
    }
    stop(server);
}

/// Whether a value is what a schema of the document says, as far as the document's own words go.
fn fits(document: &Value, schema: &Value, value: &Value) -> bool {
    if let Some(name) = schema["$ref"].as_str() {
        return fits(document, document.pointer(&name[1..]).unwrap(), value);
    }
    let is = |kind: &Value| match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    };
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(is),
        Value::Null => true,
        kind => is(kind),
    };
    let list = |name: &str| schema[name].as_array().cloned().unwrap_or_default();
    let required = list("required");
    let known = schema["properties"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    kind && (schema["enum"].is_null() || list("enum").contains(value))
        && list("allOf").iter().all(|one| fits(document, one, value))
        && required
            .iter()
            .all(|name| value.get(name.as_str().unwrap()).is_some())
        && known
            .iter()
            .all(|(name, one)| value.get(name).is_none_or(|v| fits(document, one, v)))
        && (schema["items"].is_null()
            || value
                .as_array()
                .is_some_and(|all| all.iter().all(|v| fits(document, &schema["items"], v))))
}

#[test]
fn answers_are_what_the_document_says() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir.path().join("data"), "", |_, _, out| {
        let assessment =
            r#"{"exams":[{"breasts":[{"breast":"left","images":[{"findings":[{}]}]}]}]}"#;
        std::fs::write(out.join("assessment.json"), assessment).unwrap();
        Ok(done())
    });
    let file = instance(dir.path(), 1);
    deliver(&server, std::slice::from_ref(&file));
    wait_for(&server, "\"state\":\"done\"");
    let uid = read_keys(&file).unwrap().study_uid;
    let client = Client::new(server.http_address());
    let finding = format!("/api/v1/studies/{uid}/reviews/left%2F0%2F0");
    assert_eq!(
        client
            .send("PUT", &finding, r#"{"decision":"accepted"}"#)
            .status,
        204
    );
    let document = client.get("/api/v1/openapi.json").json();
    let mut checked = 0;
    for (path, verbs) in document["paths"].as_object().unwrap() {
        let content = &verbs["get"]["responses"]["200"]["content"]["application/json"];
        if content["schema"]["$ref"].is_null() {
            continue;
        }
        let answer = client.get(&path.replace("{uid}", &uid));
        assert_eq!(answer.status, 200, "{path}");
        assert!(
            fits(&document, &content["schema"], &answer.json()),
            "{path}: {}",
            answer.text()
        );
        checked += 1;
    }
    assert!(checked >= 8, "{checked}");
    let problem = client.get("/api/v1/studies/1.2.3");
    let schema = &document["components"]["schemas"]["Problem"];
    assert!(
        fits(&document, schema, &problem.json()),
        "{}",
        problem.text()
    );
    assert!(!fits(&document, schema, &serde_json::json!({ "title": 1 })));
    stop(server);
}

/// Made by `tls/make.sh`.
fn tls_files() -> (std::path::PathBuf, std::path::PathBuf) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls");
    (folder.join("certificate.pem"), folder.join("key.pem"))
}

#[test]
fn the_page_is_encrypted_where_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (certificate, key) = tls_files();
    let text = format!(
        "[dicom]\nport = 0\n[http]\nport = 0\nlisten = \"0.0.0.0\"\n[http.tls]\ncertificate = {certificate:?}\nkey = {key:?}\n"
    );
    let start = || {
        let config = Config::parse(&text).unwrap();
        let reader = Scripted::new(|_, _, _| Ok(done()));
        Server::start(config, Exposure::Guarded, &data, Box::new(reader))
    };
    let refused = start().err().unwrap().to_string();
    assert!(refused.contains("account"), "{refused}");
    add_account(&data, "ann", Role::Admin, "correct horse battery").unwrap();
    let server = start().unwrap();
    let port = server.http_address().port();
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(&certificate).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, socket);
    let body = r#"{"name":"ann","password":"correct horse battery"}"#;
    write!(
        stream,
        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nOrigin: https://localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("; Secure") && answer.contains("strict-transport-security"),
        "{answer}"
    );
    // Plain requests and garbage are ended, and the service goes on.
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        &[0x16, 3, 1, 0xFF, 0xFF],
        &[0; 600],
    ] {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(15)))
            .unwrap();
        socket.write_all(bytes).unwrap();
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest);
        assert!(!rest.starts_with(b"HTTP"));
    }
    stop(server);
}
