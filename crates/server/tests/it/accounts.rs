//! Who may do what: accounts, sessions, foreign pages, the audit log.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use lobule_dicomio::read_keys;
use lobule_server::{Role, Server, add_account, read_audit, remove_account, set_password};

use crate::web::Client;
use crate::{deliver, done, instance, start, wait_for};

const PASSWORD: &str = "correct horse battery";

/// A service with an account of each role and a study that was read.
fn with_accounts(dir: &Path, config: &str) -> (Server, String) {
    let data = dir.join("data");
    let server = start(&data, config, |_, _, out| {
        std::fs::write(out.join("report.html"), "report").unwrap();
        let assessment = r#"{"exams":[{"modality":"ultrasound","breasts":[{"breast":"left","images":[{"findings":[{}]}]}]}]}"#;
        std::fs::write(out.join("assessment.json"), assessment).unwrap();
        Ok(done())
    });
    let file = instance(dir, 1);
    deliver(&server, std::slice::from_ref(&file));
    wait_for(&server, "\"state\":\"done\"");
    for role in Role::ALL {
        add_account(&data, role.name(), role, PASSWORD).unwrap();
    }
    (server, read_keys(&file).unwrap().study_uid)
}

fn stop(server: Server) {
    server.stop();
    server.wait();
}

#[test]
fn without_accounts_this_machine_needs_no_login() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir.path().join("data"), "", |_, _, _| Ok(done()));
    let client = Client::new(server.http_address());
    let session = client.get("/api/v1/session").json();
    assert_eq!(
        (session["role"].as_str(), session["open"].as_bool()),
        (Some("admin"), Some(true))
    );
    assert_eq!(
        client
            .with("Host", "evil.example")
            .get("/api/v1/studies")
            .status,
        421
    );
    assert_eq!(client.with("Host", "evil.example").get("/").status, 421);
    stop(server);
}

#[test]
fn with_accounts_everything_needs_a_login_and_the_right_role() {
    let dir = tempfile::tempdir().unwrap();
    let (server, uid) = with_accounts(dir.path(), "");
    let client = Client::new(server.http_address());
    let study = format!("/api/v1/studies/{uid}");
    let finding = format!("{study}/reviews/left%2F0%2F0");
    let judgement = r#"{"decision":"accepted","comment":"clear"}"#;
    // Status for nobody, researcher, radiologist, admin.
    let cases = [
        ("GET", "/health", "", [200, 200, 200, 200]),
        ("GET", "/metrics", "", [401, 200, 200, 200]),
        ("GET", "/api/v1/studies", "", [401, 200, 200, 200]),
        ("GET", "/api/v1/jobs", "", [401, 200, 200, 200]),
        ("GET", "/api/v1/models", "", [401, 200, 200, 200]),
        ("GET", study.as_str(), "", [401, 200, 200, 200]),
        (
            "GET",
            &format!("{study}/assessment"),
            "",
            [401, 200, 200, 200],
        ),
        (
            "GET",
            &format!("/studies/{uid}/report.html"),
            "",
            [401, 200, 200, 200],
        ),
        ("GET", &format!("{study}/reviews"), "", [401, 200, 200, 200]),
        ("PUT", &finding, judgement, [401, 403, 204, 204]),
        ("DELETE", &finding, "", [401, 403, 204, 404]),
        ("POST", &format!("{study}/retry"), "", [401, 403, 409, 409]),
        ("POST", "/api/v1/demo", "", [401, 403, 404, 404]),
        ("DELETE", "/api/v1/studies/1.2.3", "", [401, 403, 403, 404]),
        ("GET", "/dicomweb/studies", "", [401, 403, 200, 200]),
        ("POST", "/dicomweb/studies", "{}", [401, 403, 415, 415]),
        ("GET", "/api/v1/nowhere", "", [404, 404, 404, 404]),
    ];
    for (method, path, body, expected) in cases {
        let names = [None, Some("researcher"), Some("radiologist"), Some("admin")];
        for (name, expected) in names.into_iter().zip(expected) {
            let who = name.map_or(client.clone(), |name| client.basic(name, PASSWORD));
            let answer = match body {
                "" => who.ask(method, path),
                body => who.send(method, path, body),
            };
            assert_eq!(
                answer.status, expected,
                "{method} {path} {name:?}: {answer:?}"
            );
        }
    }
    stop(server);
}

#[test]
fn a_session_needs_its_token_for_every_change_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let (server, uid) = with_accounts(dir.path(), "");
    let client = Client::new(server.http_address());
    let assess = format!("/api/v1/studies/{uid}/assess");
    let answer = client.log_in("Radiologist", PASSWORD);
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    for word in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert!(
        !answer
            .text()
            .contains(cookie.split(['=', ';']).nth(1).unwrap())
    );
    let cookie = cookie.split(';').next().unwrap();
    let csrf = answer.json()["csrf"].as_str().unwrap().to_owned();
    let browser = client.with("Cookie", cookie);
    assert_eq!(browser.get("/api/v1/session").json()["name"], "radiologist");
    assert_eq!(browser.ask("POST", &assess).status, 403, "no token");
    assert_eq!(
        browser
            .with("X-CSRF-Token", &"0".repeat(64))
            .ask("POST", &assess)
            .status,
        403
    );
    let page = browser.with("X-CSRF-Token", &csrf);
    for foreign in [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
    ] {
        assert_eq!(
            page.with(foreign.0, foreign.1).ask("POST", &assess).status,
            403,
            "{foreign:?}"
        );
    }
    assert_eq!(page.ask("POST", &assess).status, 202);
    // Another session's token is no good.
    let other = client.log_in("admin", PASSWORD).json()["csrf"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        browser
            .with("X-CSRF-Token", &other)
            .ask("POST", &assess)
            .status,
        403
    );
    assert_eq!(page.ask("DELETE", "/api/v1/session").status, 204);
    assert_eq!(browser.get("/api/v1/session").status, 401);
    for wrong in [
        "lobule_session=",
        "lobule_session=x",
        &format!("lobule_session={}", "f".repeat(64)),
    ] {
        assert_eq!(
            client.with("Cookie", wrong).get("/api/v1/studies").status,
            401,
            "{wrong}"
        );
    }
    stop(server);
}

#[test]
fn sessions_expire_and_go_with_their_account() {
    let dir = tempfile::tempdir().unwrap();
    let (server, _) = with_accounts(dir.path(), "");
    let data = dir.path().join("data");
    let client = Client::new(server.http_address());
    let radiologist = client.logged_in("radiologist", PASSWORD);
    let researcher = client.logged_in("researcher", PASSWORD);
    assert_eq!(radiologist.get("/api/v1/studies").status, 200);
    set_password(&data, "radiologist", "another good password").unwrap();
    assert_eq!(radiologist.get("/api/v1/studies").status, 401);
    assert_eq!(
        client
            .basic("radiologist", PASSWORD)
            .get("/api/v1/studies")
            .status,
        401
    );
    remove_account(&data, "researcher").unwrap();
    assert_eq!(researcher.get("/api/v1/studies").status, 401);
    // Long ago.
    let admin = client.logged_in("admin", PASSWORD);
    assert_eq!(admin.get("/api/v1/studies").status, 200);
    age_sessions(&data);
    assert_eq!(admin.get("/api/v1/studies").status, 401);
    stop(server);
}

/// Makes every session a day old, as the clock would.
fn age_sessions(data: &Path) {
    let database = rusqlite::Connection::open(data.join("lobule.db")).unwrap();
    database.busy_timeout(Duration::from_secs(10)).unwrap();
    let day = 86_400_000;
    let sql = "UPDATE session SET opened_at = opened_at - ?1, seen_at = seen_at - ?1";
    database.execute(sql, [day]).unwrap();
}

#[test]
fn wrong_passwords_are_slowed_down_and_known() {
    let dir = tempfile::tempdir().unwrap();
    let (server, _) = with_accounts(dir.path(), "");
    let client = Client::new(server.http_address());
    for _ in 0..5 {
        assert_eq!(client.log_in("admin", "wrong").status, 401);
    }
    let answer = client.log_in("admin", PASSWORD);
    assert_eq!(answer.status, 429, "{answer:?}");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(
        client
            .basic("admin", PASSWORD)
            .get("/api/v1/studies")
            .status,
        429
    );
    // Others go on, and after the wait so does the name.
    assert_eq!(client.log_in("researcher", PASSWORD).status, 200);
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(client.log_in("admin", PASSWORD).status, 200);
    for body in [
        "",
        "{}",
        "[]",
        r#"{"name":"admin"}"#,
        r#"{"name":1,"password":[]}"#,
    ] {
        let status = client.send("POST", "/api/v1/session", body).status;
        assert!(matches!(status, 400 | 422), "{body}: {status}");
    }
    let huge = format!(r#"{{"name":"admin","password":"{}"}}"#, "x".repeat(1 << 20));
    assert_eq!(client.send("POST", "/api/v1/session", &huge).status, 413);
    let foreign = client.with("Origin", "http://evil.example");
    assert_eq!(foreign.log_in("admin", PASSWORD).status, 403);
    stop(server);
    let mut refused = 0;
    read_audit(&dir.path().join("data"), &mut |row| {
        refused += usize::from(row.action == "session.refused");
        assert!(!row.detail.contains("wrong"), "{row:?}");
    })
    .unwrap();
    assert_eq!(refused, 5);
}

#[test]
fn programs_are_asked_for_a_password_and_browsers_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let (server, _) = with_accounts(dir.path(), "");
    let client = Client::new(server.http_address());
    let program = client.get("/api/v1/studies");
    assert!(
        program
            .header("www-authenticate")
            .is_some_and(|value| value.starts_with("Basic"))
    );
    let browser = client.with("Sec-Fetch-Mode", "cors").get("/api/v1/studies");
    assert_eq!(
        (browser.status, browser.header("www-authenticate")),
        (401, None)
    );
    for name in [
        "x-content-type-options",
        "content-security-policy",
        "referrer-policy",
        "cache-control",
    ] {
        assert!(browser.header(name).is_some(), "{name}: {browser:?}");
    }
    stop(server);
}

#[test]
fn what_was_done_is_in_the_audit_log_without_identifiers() {
    let dir = tempfile::tempdir().unwrap();
    let (server, uid) = with_accounts(dir.path(), "");
    let client = Client::new(server.http_address());
    let radiologist = client.logged_in("radiologist", PASSWORD);
    let study = format!("/api/v1/studies/{uid}");
    let finding = format!("{study}/reviews/left%2F0%2F0");
    let comment = "Jane Doe <script>";
    let judgement = serde_json::json!({ "decision": "rejected", "comment": comment }).to_string();
    assert_eq!(radiologist.send("PUT", &finding, &judgement).status, 204);
    let unknown = format!("{study}/reviews/left%2F0%2F7");
    assert_eq!(radiologist.send("PUT", &unknown, &judgement).status, 404);
    let reviews = radiologist.get(&format!("{study}/reviews")).json();
    assert_eq!(reviews[0]["comment"], comment);
    assert_eq!(
        (
            reviews[0]["reviewer"].as_str(),
            reviews[0]["current"].as_bool()
        ),
        (Some("radiologist"), Some(true))
    );
    assert_eq!(radiologist.ask("DELETE", &finding).status, 204);
    assert_eq!(
        radiologist
            .get(&format!("{study}/reviews"))
            .json()
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let history = radiologist
        .get(&format!("{study}/reviews?history=true"))
        .json();
    assert_eq!(history.as_array().unwrap().len(), 2);
    assert_eq!(radiologist.get(&format!("{study}/assessment")).status, 200);
    let admin = client.logged_in("admin", PASSWORD);
    for _ in 0..3 {
        assert_eq!(
            admin
                .get(&format!("/dicomweb/studies/{uid}/metadata"))
                .status,
            200
        );
    }
    assert_eq!(admin.ask("DELETE", &study).status, 204);
    assert_eq!(admin.get(&study).status, 404);
    stop(server);
    let data = dir.path().join("data");
    let mut actions = Vec::new();
    let last = read_audit(&data, &mut |row| {
        let whole = format!("{row:?}");
        assert!(!whole.contains(&uid) && !whole.contains("Jane"), "{whole}");
        actions.push(row.action.clone());
    });
    let looks = actions
        .iter()
        .filter(|action| *action == "study.look")
        .count();
    assert_eq!(looks, 2, "one of each reader");
    assert_eq!(last.unwrap().len(), 64);
    for action in [
        "account.add",
        "session.open",
        "review",
        "study.look",
        "study.delete",
    ] {
        assert!(actions.iter().any(|a| a == action), "{action}: {actions:?}");
    }
    // Nothing of the study is left.
    for folder in ["results", "work", "incoming"] {
        assert_eq!(
            std::fs::read_dir(data.join(folder)).unwrap().count(),
            0,
            "{folder}"
        );
    }
    let files = std::fs::read_dir(data.join("instances")).unwrap();
    assert!(
        files
            .flatten()
            .all(|folder| std::fs::read_dir(folder.path()).unwrap().count() == 0)
    );
}

#[test]
fn slow_and_oversized_bodies_do_not_stop_the_service() {
    let dir = tempfile::tempdir().unwrap();
    let (server, _) = with_accounts(dir.path(), "");
    let slow: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = TcpStream::connect(server.http_address()).unwrap();
            let head = "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n{";
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    let client = Client::new(server.http_address());
    let began = Instant::now();
    assert_eq!(client.log_in("admin", PASSWORD).status, 200);
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
    let mut first = slow.into_iter().next().unwrap();
    first
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let mut answer = String::new();
    let _ = first.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    stop(server);
}
