//! The service with a reader that does what a test asks of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accounts;
mod dicomweb;
mod interface;
mod keeping;
mod web;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lobule_dicomio::dimse::{NetworkLimits, Remote, send};
use lobule_dicomio::{Frames, SyntheticUltrasound, read_keys, write_ultrasound};
use lobule_exam::{PixelBox, Side, Spacing};
use lobule_raster::Image;
use lobule_server::{Config, Exposure, Reading, Server, StudyFile, StudyReader, Usable};

type Script = dyn FnMut(u32, &[StudyFile], &Path) -> Result<Reading, String> + Send;

/// Calls a closure with the number of the attempt, from 1.
struct Scripted {
    calls: u32,
    script: Box<Script>,
}

impl Scripted {
    fn new(
        script: impl FnMut(u32, &[StudyFile], &Path) -> Result<Reading, String> + Send + 'static,
    ) -> Scripted {
        Scripted {
            calls: 0,
            script: Box::new(script),
        }
    }
}

impl StudyReader for Scripted {
    fn read(&mut self, files: &[StudyFile], out: &Path) -> Result<Reading, String> {
        self.calls += 1;
        (self.script)(self.calls, files, out)
    }
}

fn start(
    data: &Path,
    config: &str,
    script: impl FnMut(u32, &[StudyFile], &Path) -> Result<Reading, String> + Send + 'static,
) -> Server {
    let ports = "[dicom]\nport = 0\n[http]\nport = 0\n[study]\ncomplete_after_secs = 1\nretry_after_secs = 1\n";
    start_as(data, &format!("{ports}{config}"), script)
}

/// With a whole configuration.
fn start_as(
    data: &Path,
    config: &str,
    script: impl FnMut(u32, &[StudyFile], &Path) -> Result<Reading, String> + Send + 'static,
) -> Server {
    let config = Config::parse(config).unwrap();
    let reader = Scripted::new(script);
    Server::start(config, Exposure::Guarded, data, Box::new(reader)).unwrap()
}

fn done() -> Reading {
    Reading {
        score: Some(0.25),
        flagged: false,
        synthetic: true,
        usable: Usable::Yes,
    }
}

fn instance(folder: &Path, number: u32) -> PathBuf {
    instance_of(folder, "study", number)
}

/// A sonogram of a study.
fn instance_of(folder: &Path, study: &str, number: u32) -> PathBuf {
    let path = folder.join(format!("{study}-{number}.dcm"));
    let image = SyntheticUltrasound {
        frames: Frames::Gray(vec![Image::from_fn(64, 64, |r, c| {
            60 + ((c * 7919) ^ (r * 104_729)) as u8 % 80 + number as u8
        })]),
        side: Side::Unknown,
        spacing: Spacing::new(0.1, 0.1).unwrap(),
        region: PixelBox {
            row: 0,
            col: 0,
            rows: 64,
            cols: 64,
        },
        study_seed: study.to_owned(),
        instance_number: number,
    };
    write_ultrasound(&path, &image).unwrap();
    path
}

fn deliver(server: &Server, files: &[PathBuf]) {
    let remote = Remote {
        address: server.dicom_address().to_string(),
        ae_title: "LOBULE".to_owned(),
        calling_ae_title: "TEST".to_owned(),
        tls: None,
        limits: NetworkLimits::default(),
    };
    let sent = send(&remote, files).unwrap();
    assert!(sent.iter().all(|one| one.status == 0), "{sent:?}");
}

fn ask(server: &Server, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(server.http_address()).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[track_caller]
fn wait_for(server: &Server, word: &str) -> String {
    let began = Instant::now();
    loop {
        let answer = ask(server, "GET", "/api/v1/studies");
        if answer.contains(word) {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{answer}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn errors_and_panics_are_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir.path().join("data"), "", |call, _, _| match call {
        1 => Err("no luck".to_owned()),
        2 => panic!("a bug"),
        _ => Ok(done()),
    });
    deliver(&server, &[instance(dir.path(), 1)]);
    wait_for(&server, "no luck");
    let answer = wait_for(&server, "\"state\":\"done\"");
    assert!(answer.contains("\"reason\":null"), "{answer}");
    server.stop();
    server.wait();
}

#[test]
fn files_go_by_their_identifiers_and_a_reason_tells_no_place_of_the_machine() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let files = [instance(dir.path(), 1), instance(dir.path(), 2)];
    let (say, said) = std::sync::mpsc::channel();
    let server = start(&data, "", move |_, files, _| {
        say.send(files.to_vec()).unwrap();
        Ok(done())
    });
    deliver(&server, &files);
    wait_for(&server, "\"state\":\"done\"");
    let got = said.recv().unwrap();
    let named = files.each_ref().map(|f| read_keys(f).unwrap().instance_uid);
    assert_eq!(
        got.iter().map(|f| &f.instance_uid).collect::<Vec<_>>(),
        named.each_ref()
    );
    for (file, sent) in got.iter().zip(&files) {
        assert_eq!(read_keys(&file.path).unwrap(), read_keys(sent).unwrap());
    }
    // No result can be made any more.
    std::fs::remove_dir(data.join("work")).unwrap();
    std::fs::write(data.join("work"), "").unwrap();
    deliver(&server, &[instance_of(dir.path(), "other", 1)]);
    wait_for(&server, "expected a file of the service, got: ");
    for path in ["/api/v1/studies", "/api/v1/jobs"] {
        let answer = ask(&server, "GET", path);
        let place = dir.path().to_string_lossy();
        assert!(
            !answer.contains(place.as_ref()) && !answer.contains("work/"),
            "{answer}"
        );
    }
    server.stop();
    server.wait();
}

#[test]
fn what_cannot_be_used_fails_at_once_and_a_retry_keeps_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = instance(dir.path(), 1);
    let carried = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&carried);
    let server = start(&dir.path().join("data"), "", move |call, _, out| {
        let object = out.join("dicom/exam/sc-1.dcm");
        seen.lock().unwrap().push(object.is_file());
        std::fs::create_dir_all(object.parent().unwrap()).unwrap();
        std::fs::write(&object, call.to_string()).unwrap();
        let reason = format!("<b>nothing</b> usable in attempt {call}");
        Ok(Reading {
            usable: Usable::No(reason),
            ..done()
        })
    });
    deliver(&server, std::slice::from_ref(&file));
    wait_for(&server, "attempt 1");
    let studies = ask(&server, "GET", "/api/v1/studies");
    let said = [
        "<b>nothing</b>",
        "\"synthetic\":true",
        "\"state\":\"failed\"",
    ];
    assert!(said.iter().all(|word| studies.contains(word)), "{studies}");
    // What a study says reaches the page as JSON, never as markup.
    assert!(studies.contains("application/json"), "{studies}");
    let uid = read_keys(&file).unwrap().study_uid;
    let retry = format!("/api/v1/studies/{uid}/retry");
    assert!(ask(&server, "POST", &retry).starts_with("HTTP/1.1 202"));
    wait_for(&server, "attempt 2");
    // With another instance it is another result.
    deliver(&server, &[instance(dir.path(), 2)]);
    wait_for(&server, "attempt 3");
    assert_eq!(*carried.lock().unwrap(), [false, true, false]);
    server.stop();
    server.wait();
    let results = std::fs::read_dir(dir.path().join("data/results")).unwrap();
    assert_eq!(results.count(), 1);
}

#[test]
fn a_stop_finishes_the_study_that_is_being_read() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (began, reading) = std::sync::mpsc::channel();
    let server = start(&data, "", move |_, _, out| {
        began.send(()).unwrap();
        std::thread::sleep(Duration::from_secs(2));
        std::fs::write(out.join("report.html"), "report").unwrap();
        Ok(done())
    });
    deliver(&server, &[instance(dir.path(), 1)]);
    reading.recv_timeout(Duration::from_secs(30)).unwrap();
    server.stop();
    assert!(ask(&server, "GET", "/ready").starts_with("HTTP/1.1 503"));
    server.wait();
    // The next start has nothing to do, and shows it.
    let server = start(&data, "", |_, _, _| Err("read twice".to_owned()));
    wait_for(&server, "\"state\":\"done\"");
    assert!(ask(&server, "GET", "/studies/x/report.html").starts_with("HTTP/1.1 404"));
    server.stop();
    server.wait();
}

#[test]
fn what_a_crash_left_is_swept_and_what_is_missing_is_no_silence() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = start(&data, "", |_, _, _| Ok(done()));
    deliver(&server, &[instance(dir.path(), 1)]);
    wait_for(&server, "\"state\":\"done\"");
    server.stop();
    server.wait();
    for orphan in ["instances/00/00ff.dcm", "incoming/incoming-x.dcm"] {
        std::fs::write(data.join(orphan), "left").unwrap();
    }
    std::fs::create_dir_all(data.join("results/exam-x-1-1")).unwrap();
    std::fs::create_dir_all(data.join("work/exam-x-1-2")).unwrap();
    let server = start(&data, "", |_, _, _| Ok(done()));
    for orphan in [
        "instances/00/00ff.dcm",
        "incoming/incoming-x.dcm",
        "results/exam-x-1-1",
        "work/exam-x-1-2",
    ] {
        assert!(!data.join(orphan).exists(), "{orphan}");
    }
    wait_for(&server, "\"instances\":1");
    server.stop();
    server.wait();
}

#[test]
fn slow_and_strange_requests_do_not_stop_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir.path().join("data"), "", |_, _, _| Ok(done()));
    let slow: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = TcpStream::connect(server.http_address()).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
            stream
        })
        .collect();
    for garbage in [&[0xFF; 4000][..], b"\x16\x03\x01\x02\x00", &[b'A'; 100_000]] {
        let mut stream = TcpStream::connect(server.http_address()).unwrap();
        let _ = stream.write_all(garbage);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
    assert!(ask(&server, "GET", "/health").starts_with("HTTP/1.1 200"));
    drop(slow);
    server.stop();
    server.wait();
}
