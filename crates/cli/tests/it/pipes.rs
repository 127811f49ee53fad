//! Programs that print end quietly when nobody reads; the service goes on.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::serve::{QUICK, Service};
use crate::{expect_code, lobule, model, save};

/// The number of the signal by which Unix ends who writes to a pipe that nobody reads.
const SIGPIPE: i32 = 13;

/// Runs with a standard output that is closed at the other end.
fn unread(args: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_lobule"));
    command.env_remove("LOBULE_MODEL").args(args);
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn();
    child.unwrap().wait_with_output().unwrap()
}

#[test]
fn what_prints_ends_quietly_when_nobody_reads() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (picture, out, data) = (at("picture.png"), at("out"), at("data"));
    save(Path::new(&picture), (90.0, 120.0), 20);
    let model = model().display().to_string();
    let cohort = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/study/cohort.csv");
    let cohort = cohort.display().to_string();
    Service::start(Path::new(&data), QUICK).kill();
    // Its log holds something.
    let chosen = lobule(&[&"service", &"model", &"activate", &model, &"--data", &data]);
    expect_code(&chosen, 0);
    for args in [
        &["slide", "info", &picture][..],
        &["slide", "info", &picture, "--json"],
        &[
            "slide",
            "survey",
            &picture,
            "--mpp",
            "0.5",
            "--out",
            &at("survey.png"),
        ],
        &["model", "list"],
        &["model", "show", &model],
        &["model", "verify", &model],
        &["engine", "list"],
        &["service", "audit", "--data", &data],
        &["service", "model", "list", "--data", &data],
        &[
            "study",
            "survival",
            &cohort,
            "--time",
            "years",
            "--out",
            &at("study"),
        ],
        &[
            "phantom",
            "cohort",
            "--form",
            "tables",
            "--out",
            &at("cohort"),
        ],
        &[
            "assess", &picture, "--model", &model, "--engine", "rten", "--quiet", "--out", &out,
        ],
    ] {
        let output = unread(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(SIGPIPE), "{args:?}: {errors}");
        assert!(!errors.contains("panicked"), "{args:?}: {errors}");
    }
    // What had to be written was written before.
    assert!(Path::new(&out).join("report.html").is_file());
}

#[test]
fn a_service_that_nobody_reads_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let service = Service::start(&dir.path().join("data"), QUICK);
    let signalled = Command::new("kill")
        .args(["-PIPE", &service.id().to_string()])
        .status();
    assert!(signalled.unwrap().success());
    // A peer that hangs up before it has its answer.
    for _ in 0..20 {
        let mut peer = std::net::TcpStream::connect(&service.http).unwrap();
        std::io::Write::write_all(
            &mut peer,
            b"GET /assets/index.js HTTP/1.1\r\nHost: localhost\r\n\r\n",
        )
        .unwrap();
    }
    assert_eq!(service.ask("GET", "/health", "").0, 200);
    service.terminate();
}
