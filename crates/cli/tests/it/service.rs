//! `lobule service` as an administrator uses it, beside a running service.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use lobule_dicomio::dimse::send;

use crate::model;
use crate::serve::{QUICK, Service, sonogram};

const PASSWORD: &str = "correct horse battery\n";

fn run(arguments: &[&str], data: &Path, input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lobule"))
        .arg("service")
        .args(arguments)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments ends without reading.
    match child.stdin.take().unwrap().write_all(input.as_bytes()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => panic!("{e}"),
        _ => {}
    }
    child.wait_with_output().unwrap()
}

#[track_caller]
pub(crate) fn done(arguments: &[&str], data: &Path, input: &str) -> String {
    let output = run(arguments, data, input);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(arguments: &[&str], data: &Path, input: &str, code: i32, word: &str) {
    let output = run(arguments, data, input);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
    assert!(errors.contains(word), "{arguments:?}: {errors}");
}

#[test]
fn accounts_are_made_listed_and_removed_and_the_log_knows() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    refused(
        &["user", "add", "ann", "--role", "king"],
        &data,
        PASSWORD,
        2,
        "radiologist",
    );
    refused(
        &["user", "add", "ann", "--role", "admin"],
        &data,
        "short\n",
        2,
        "12",
    );
    refused(
        &["user", "add", "a b", "--role", "admin"],
        &data,
        PASSWORD,
        2,
        "name",
    );
    refused(
        &["audit"],
        &dir.path().join("nowhere"),
        "",
        7,
        "data folder",
    );
    done(&["user", "add", "ann", "--role", "admin"], &data, PASSWORD);
    done(
        &["user", "add", "ben", "--role", "researcher"],
        &data,
        PASSWORD,
    );
    refused(
        &["user", "add", "Ann", "--role", "admin"],
        &data,
        PASSWORD,
        2,
        "new name",
    );
    refused(&["user", "remove", "ann"], &data, "", 2, "last");
    done(
        &["user", "password", "ben"],
        &data,
        "another good password\n",
    );
    let listed = done(&["user", "list"], &data, "");
    let names: Vec<&str> = listed
        .lines()
        .map(|line| line.split('\t').next().unwrap())
        .collect();
    assert_eq!(names, ["ann", "ben"]);
    assert!(!listed.contains("argon2"));
    done(&["user", "remove", "ben"], &data, "");
    let log = done(&["audit"], &data, "");
    let actions: Vec<&str> = log
        .lines()
        .map(|line| line.split('\t').nth(3).unwrap())
        .collect();
    assert_eq!(
        actions,
        [
            "account.add",
            "account.add",
            "account.password",
            "account.remove"
        ]
    );
    assert!(
        !log.contains("password\n") && !log.contains("horse"),
        "{log}"
    );
    refused(&["audit", "--expect", "0000"], &data, "", 7, "cut off");
}

#[test]
fn models_are_chosen_while_the_service_runs_and_accounts_close_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let service = Service::start(&data, QUICK);
    let package = model();
    let copy = dir.path().join("package");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(&package).unwrap().flatten() {
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    let folder = copy.to_str().unwrap();
    refused(
        &["model", "rollback", "ultrasound"],
        &data,
        "",
        2,
        "activated",
    );
    refused(&["model", "activate", "nowhere"], &data, "", 2, "nowhere");
    done(&["model", "activate", folder], &data, "");
    done(&["model", "shadow", folder], &data, "");
    let listed = done(&["model", "list"], &data, "");
    assert!(
        listed.contains("active\tultrasound") && listed.contains("shadow\tultrasound"),
        "{listed}"
    );
    let file = sonogram(dir.path(), "one", 1);
    assert!(send(&service.remote(), std::slice::from_ref(&file)).unwrap()[0].is_taken());
    assert_eq!(service.wait_for(1)[0]["state"], "done");
    // One model beside itself. A row stands from when the shadow begins; its score comes with the end.
    let began = std::time::Instant::now();
    let compared: serde_json::Value = loop {
        let (_, _, compared) = service.ask("GET", "/api/v1/models/comparison", "");
        let compared: serde_json::Value = serde_json::from_str(&compared).unwrap();
        if compared[0]["shadow_score"].is_number() {
            break compared;
        }
        assert!(began.elapsed() < crate::serve::PATIENCE, "{compared}");
        std::thread::sleep(std::time::Duration::from_millis(200));
    };
    assert_eq!(done(&["model", "compare"], &data, "").lines().count(), 2);
    assert_eq!(
        compared[0]["score"], compared[0]["shadow_score"],
        "{compared}"
    );
    let (_, _, models) = service.ask("GET", "/api/v1/models", "");
    assert!(
        models.contains("\"role\":\"active\"") && models.contains("\"role\":\"shadow\""),
        "{models}"
    );
    done(&["model", "rollback", "ultrasound"], &data, "");
    done(&["model", "unshadow", "ultrasound"], &data, "");
    assert_eq!(done(&["model", "list"], &data, ""), "");

    let out = dir.path().join("backup");
    let copied = done(&["backup", "--out", out.to_str().unwrap()], &data, "");
    assert!(copied.starts_with("1 instances, 2 results"), "{copied}");

    assert_eq!(service.ask("GET", "/api/v1/studies", "").0, 200);
    done(&["user", "add", "ann", "--role", "admin"], &data, PASSWORD);
    assert_eq!(service.ask("GET", "/api/v1/studies", "").0, 401);
    // ann:correct horse battery
    let basic = "Authorization: Basic YW5uOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==\r\n";
    assert_eq!(service.ask("GET", "/api/v1/studies", basic).0, 200);
    service.kill();
}
