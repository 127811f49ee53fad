//! The service as a user runs it: arrival to result, the page, kill and restart, stop.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lobule_dicomio::dimse::{NetworkLimits, Remote, send};
use lobule_dicomio::{Frames, SyntheticUltrasound, read_identity, read_keys, write_ultrasound};
use lobule_exam::{PixelBox, Side, Spacing};
use lobule_raster::Image;
use serde_json::Value;

use crate::model;

pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

pub(crate) struct Service {
    child: Killed,
    pub(crate) http: String,
    pub(crate) dicom: String,
}

impl Service {
    /// With the stand-in model, on free ports.
    pub(crate) fn start(data: &Path, config: &str) -> Service {
        let model = model();
        let model = model.to_string_lossy();
        Service::start_with(
            data,
            config,
            &["--dicom-port", "0", "--threads", "1", "--model", &model],
        )
    }

    pub(crate) fn start_with(data: &Path, config: &str, more: &[&str]) -> Service {
        let file = data.with_extension("toml");
        fs::write(&file, config).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_lobule"))
            .env_remove("LOBULE_MODEL")
            .args(["serve", "--http-port", "0"])
            .args(["--engine", "rten", "--log", "info"])
            .arg("--data")
            .arg(data)
            .arg("--config")
            .arg(&file)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(data.with_extension("log")).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || lines.next().and_then(Result::ok);
        let (Some(page), Some(port)) = (line(), line()) else {
            let log = fs::read_to_string(data.with_extension("log"));
            panic!("the service did not start: {log:?}");
        };
        let http = page
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let dicom = port.split(' ').nth(1).unwrap().to_owned();
        Service {
            child: Killed(child),
            http,
            dicom,
        }
    }

    pub(crate) fn remote(&self) -> Remote {
        Remote {
            address: self.dicom.clone(),
            ae_title: "LOBULE".to_owned(),
            calling_ae_title: "TEST".to_owned(),
            tls: None,
            limits: NetworkLimits::default(),
        }
    }

    /// Number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Status, head and body of an answer.
    pub(crate) fn ask(&self, method: &str, path: &str, more: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.http).unwrap();
        let host = &self.http;
        let host = match more.contains("Host:") {
            true => String::new(),
            false => format!("Host: {host}\r\n"),
        };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\n{host}{more}Connection: close\r\n\r\n"
        )
        .unwrap();
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
        (status.unwrap_or(0), head.to_lowercase(), body.to_owned())
    }

    pub(crate) fn studies(&self) -> Vec<Value> {
        let (status, _, body) = self.ask("GET", "/api/v1/studies?limit=1000", "");
        assert_eq!(status, 200, "{body}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        answer["studies"].as_array().unwrap().clone()
    }

    /// Waits until so many studies are over.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let studies = self.studies();
            let is_over = |s: &&Value| s["state"] == "done" || s["state"] == "failed";
            if studies.iter().filter(is_over).count() == count && studies.len() == count {
                return studies;
            }
            assert!(began.elapsed() < PATIENCE, "{studies:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    #[cfg(unix)]
    pub(crate) fn terminate(mut self) {
        let id = self.child.0.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        assert!(self.child.0.wait().unwrap().success());
    }

    pub(crate) fn kill(mut self) {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
    }
}

/// A test that failed leaves nothing running.
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A bright speckled sonogram with a dark disk.
pub(crate) fn sonogram(folder: &Path, study: &str, number: u32) -> PathBuf {
    let path = folder.join(format!("{study}-{number}.dcm"));
    let pixels = Image::from_fn(96, 128, |r, c| {
        let noise = ((c * 7919) ^ (r * 104_729)) % 40 + number as usize;
        let inside = (r as f64 - 50.0).hypot(c as f64 - 60.0) < 14.0;
        (if inside { 20 } else { 140 } + noise) as u8
    });
    let image = SyntheticUltrasound {
        frames: Frames::Gray(vec![pixels]),
        side: Side::Unknown,
        spacing: Spacing::new(0.1, 0.1).unwrap(),
        region: PixelBox {
            row: 0,
            col: 0,
            rows: 96,
            cols: 128,
        },
        study_seed: study.to_owned(),
        instance_number: number,
    };
    write_ultrasound(&path, &image).unwrap();
    path
}

pub(crate) fn count_files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    entries
        .map(|path| if path.is_dir() { count_files(&path) } else { 1 })
        .sum()
}

pub(crate) const QUICK: &str = "[study]\ncomplete_after_secs = 1\n";

#[test]
#[cfg(unix)]
fn a_study_that_arrives_is_read_shown_and_sent() {
    let dir = tempfile::tempdir().unwrap();
    // The destination is a second service: what it keeps is counted there.
    let archive_folder = tempfile::tempdir().unwrap();
    let archive = Service::start(&archive_folder.path().join("data"), QUICK);
    let config = format!(
        "{QUICK}[[destination]]\nname = \"archive\"\naddress = \"{}\"\nae_title = \"LOBULE\"\n",
        archive.dicom
    );
    let data = dir.path().join("data");
    let service = Service::start(&data, &config);
    let file = sonogram(dir.path(), "one", 1);
    assert!(send(&service.remote(), std::slice::from_ref(&file)).unwrap()[0].is_taken());
    let study = service.wait_for(1).remove(0);
    assert_eq!(study["state"], "done", "{study}");
    let uid = read_keys(&file).unwrap().study_uid;
    assert_eq!(study["study_uid"], Value::from(uid.clone()));
    assert!(
        study["score"]
            .as_f64()
            .is_some_and(|s| (0.0..=1.0).contains(&s)),
        "{study}"
    );

    let (status, head, page) = service.ask("GET", &format!("/studies/{uid}/report.html"), "");
    assert_eq!(status, 200, "{page}");
    assert!(
        head.contains("sandbox") && head.contains("nosniff"),
        "{head}"
    );
    assert!(page.contains("Research use only"), "{page}");
    let (status, head, page) = service.ask("GET", "/", "");
    assert!(status == 200 && page.contains("/assets/index.js"), "{page}");
    assert!(
        head.contains("default-src 'none'; script-src 'self'"),
        "{head}"
    );
    let (status, head, _) = service.ask("GET", "/assets/page.js", "");
    assert!(status == 200 && head.contains("text/javascript"), "{head}");
    for (path, expected) in [
        ("/health", 200),
        ("/ready", 200),
        ("/nowhere", 404),
        ("/assets/../index.html", 404),
        ("/assets/%2e%2e%2findex.html", 404),
        ("/api/v1/studies/1.2.3", 404),
        ("/api/v1/studies?limit=x", 400),
        ("/api/v1/studies/'%20OR%201=1%20--", 404),
        (&format!("/studies/{uid}/../../../lobule.db"), 404),
        (
            &format!("/studies/{uid}/%2e%2e%2f%2e%2e%2flobule.html"),
            404,
        ),
        (&format!("/studies/{uid}/dicom/exams.csv"), 200),
    ] {
        assert_eq!(service.ask("GET", path, "").0, expected, "{path}");
    }
    let foreign = "Host: evil.example\r\n";
    assert_eq!(service.ask("GET", "/", foreign).0, 421);
    let retry = format!("/api/v1/studies/{uid}/retry");
    assert_eq!(
        service
            .ask("POST", &retry, "Origin: http://evil.example\r\n")
            .0,
        403
    );
    assert_eq!(service.ask("POST", &retry, "").0, 409);
    let (_, _, metrics) = service.ask("GET", "/metrics", "");
    assert!(
        metrics.contains("lobule_studies{state=\"done\"} 1"),
        "{metrics}"
    );

    // The archive takes pictures alone.
    let deliveries = sending(&service, &uid);
    assert_eq!(deliveries["state"], "done", "{deliveries}");
    assert!(
        deliveries["reason"]
            .as_str()
            .unwrap()
            .contains("does not take"),
        "{deliveries}"
    );
    let shown = archive.wait_for(1);
    assert_eq!(
        shown[0]["study_uid"],
        Value::from(uid.clone()),
        "results stand in the same study"
    );
    archive.terminate();
    service.terminate();
    let log = fs::read_to_string(data.with_extension("log")).unwrap();
    assert!(!log.contains(&uid) && !log.contains("SYNTHETIC"), "{log}");
    assert!(
        log.contains("study read") && log.contains("stopped"),
        "{log}"
    );
}

/// The text files below a folder.
fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let texts = entries.flat_map(|path| match path.is_dir() {
        true => texts(&path),
        false => vec![(
            path.clone(),
            String::from_utf8_lossy(&fs::read(&path).unwrap()).into(),
        )],
    });
    texts.collect()
}

/// A sonogram that claims more rows than it has pixels for.
fn broken(folder: &Path, study: &str, number: u32) -> PathBuf {
    let path = sonogram(folder, study, number);
    let mut bytes = fs::read(&path).unwrap();
    // Rows (0028,0010), US, two bytes, little endian.
    let rows = [0x28, 0, 0x10, 0, b'U', b'S', 2, 0, 96, 0];
    let at = bytes.windows(rows.len()).position(|w| w == rows).unwrap();
    bytes[at + 8] = 99;
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn what_is_shown_of_a_study_names_instances_and_no_folder_of_the_service() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let service = Service::start(&data, QUICK);
    let (read, unread) = (sonogram(dir.path(), "one", 1), broken(dir.path(), "one", 2));
    let lone = broken(dir.path(), "two", 1);
    let files = [read, unread, lone];
    let sent = send(&service.remote(), &files).unwrap();
    assert!(sent.iter().all(|one| one.is_taken()), "{sent:?}");
    let studies = service.wait_for(2);
    let [read, unread, lone] = files.each_ref().map(|f| read_keys(f).unwrap());
    let of = |uid: &str| studies.iter().find(|s| s["study_uid"] == uid).unwrap();
    assert_eq!(of(&read.study_uid)["state"], "done");
    assert_eq!(of(&lone.study_uid)["state"], "failed");
    let lone_reason = of(&lone.study_uid)["reason"].as_str().unwrap();
    assert!(lone_reason.contains(&lone.instance_uid), "{lone_reason}");

    let uid = &read.study_uid;
    let (_, _, assessment) = service.ask("GET", &format!("/api/v1/studies/{uid}/assessment"), "");
    let assessment: Value = serde_json::from_str(&assessment).unwrap();
    let exam = &assessment["exams"][0];
    assert_eq!(
        exam["breasts"][0]["images"][0]["file"],
        read.instance_uid.as_str()
    );
    let skipped = &assessment["skipped"][0];
    assert_eq!(
        skipped["file"],
        unread.instance_uid.as_str(),
        "{assessment}"
    );
    assert!(
        skipped["reason"].as_str().unwrap().starts_with("expected"),
        "{skipped}"
    );
    // The page finds an image's pixels by that name.
    let (_, _, instances) = service.ask("GET", &format!("/api/v1/studies/{uid}/instances"), "");
    let instances: Value = serde_json::from_str(&instances).unwrap();
    assert_eq!(instances[0]["file"], read.instance_uid.as_str());

    let mut shown = texts(&data.join("results"));
    for path in [
        "studies".to_owned(),
        "jobs".to_owned(),
        format!("studies/{}", lone.study_uid),
    ] {
        let (_, _, body) = service.ask("GET", &format!("/api/v1/{path}"), "");
        shown.push((path.into(), body));
    }
    let place = dir.path().to_string_lossy();
    for (name, text) in &shown {
        let is_free = !text.contains(place.as_ref()) && !text.contains("instances/");
        assert!(is_free, "{}", name.display());
    }
    let holds = |name: &str, word: &str| {
        let mut of_name = shown.iter().filter(|(path, _)| path.ends_with(name));
        of_name.any(|(_, text)| text.contains(word))
    };
    for name in ["report.html", "summary.csv"] {
        assert!(holds(name, &unread.instance_uid), "{name}");
    }
    service.terminate();
    let log = fs::read_to_string(data.with_extension("log")).unwrap();
    assert!(
        !log.contains(&unread.instance_uid) && !log.contains(&lone.study_uid),
        "{log}"
    );
}

/// The same image of another patient.
fn of_other_patient(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    // Patient ID (0010,0020), LO, ten bytes, little endian.
    let id = [&[0x10, 0, 0x20, 0, b'L', b'O', 10, 0], &b"SYNTHETIC "[..]].concat();
    let at = bytes.windows(id.len()).position(|w| w == id).unwrap();
    bytes[at + 8..at + 18].copy_from_slice(b"NOT-A-MAN ");
    fs::write(file, bytes).unwrap();
}

/// Secondary captures below a folder.
fn captures(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let found = entries.flat_map(|path| match path.is_dir() {
        true => captures(&path),
        false => vec![path],
    });
    let is_capture = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("sc-")
    };
    found.filter(is_capture).collect()
}

#[test]
fn patients_of_one_study_stay_apart_and_results_that_come_back_are_kept_unread() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let service = Service::start(&data, QUICK);
    let files = [
        sonogram(dir.path(), "one", 1),
        sonogram(dir.path(), "one", 2),
    ];
    of_other_patient(&files[1]);
    let assessed = |instances: u64| -> Value {
        let began = Instant::now();
        loop {
            let study = service.wait_for(1).remove(0);
            if study["read_instances"] == instances {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "{study}");
            std::thread::sleep(Duration::from_millis(200));
        }
        let uid = read_keys(&files[0]).unwrap().study_uid;
        let (_, _, body) = service.ask("GET", &format!("/api/v1/studies/{uid}/assessment"), "");
        serde_json::from_str(&body).unwrap()
    };
    let sent = send(&service.remote(), &files).unwrap();
    assert!(sent.iter().all(|one| one.is_taken()), "{sent:?}");
    let first = assessed(2);
    let exams = first["exams"].as_array().unwrap();
    assert_eq!(exams.len(), 2, "{first}");
    for exam in exams {
        let kinds = exam["warnings"].as_array().unwrap().iter();
        let kinds: Vec<&Value> = kinds.map(|w| &w["kind"]).collect();
        assert!(kinds.contains(&&Value::from("shared_study")), "{exam}");
    }
    let results = captures(&data.join("results"));
    let id = |file: &PathBuf| read_identity(file).unwrap().patient_id;
    let mut ids: Vec<String> = results.iter().map(id).collect();
    ids.sort();
    assert_eq!(ids, ["NOT-A-MAN", "SYNTHETIC"]);
    let log = fs::read_to_string(data.with_extension("log")).unwrap();
    assert!(log.contains("images of another Patient ID"), "{log}");
    assert!(!log.contains("NOT-A-MAN"), "{log}");

    let own = read_keys(&results[0]).unwrap().instance_uid;
    assert!(send(&service.remote(), &results[..1]).unwrap()[0].is_taken());
    let again = assessed(3);
    assert_eq!(again["exams"].as_array().unwrap().len(), 2, "{again}");
    let skipped = &again["skipped"][0];
    assert_eq!(skipped["file"], own.as_str(), "{again}");
    let reason = "expected an image of a patient, got a result that Lobule wrote";
    assert_eq!(skipped["reason"], reason);
    service.kill();
}

/// Waits until a study's result has been sent, and gives the sending.
pub(crate) fn sending(service: &Service, uid: &str) -> Value {
    let began = Instant::now();
    loop {
        let (_, _, body) = service.ask("GET", &format!("/api/v1/studies/{uid}"), "");
        let answer: Value = serde_json::from_str(&body).unwrap();
        let one = answer["deliveries"][0].clone();
        if one["attempts"].as_u64().unwrap_or(0) > 0 && one["state"] != "running" {
            return one;
        }
        assert!(began.elapsed() < PATIENCE, "{answer}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn dcmtk_takes_every_object_of_a_result() {
    // Python packages install programs of the same names.
    if !Path::new("/usr/bin/storescp").is_file() || !Path::new("/usr/bin/storescu").is_file() {
        println!("skipped: dcmtk's storescp or storescu is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    fs::create_dir(&archive).unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let storescp = Command::new("/usr/bin/storescp")
        .arg("-od")
        .arg(&archive)
        .arg(port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let storescp = Killed(storescp);
    let data = dir.path().join("data");
    let config = format!(
        "{QUICK}retry_after_secs = 1\n[[destination]]\nname = \"dcmtk\"\naddress = \"127.0.0.1:{port}\"\nae_title = \"STORESCP\"\n"
    );
    let service = Service::start(&data, &config);
    let file = sonogram(dir.path(), "dcmtk", 1);
    let own = service.dicom.rsplit_once(':').unwrap().1;
    let sent = Command::new("/usr/bin/storescu")
        .args(["-aec", "LOBULE", "127.0.0.1", own])
        .arg(&file)
        .status();
    assert!(sent.unwrap().success());
    let uid = read_keys(&file).unwrap().study_uid;
    service.wait_for(1);
    let outcome = sending(&service, &uid);
    drop(storescp);
    assert_eq!(outcome["state"], "done", "{outcome}");
    assert_eq!(outcome["reason"], Value::Null, "{outcome}");
    let taken: Vec<PathBuf> = fs::read_dir(&archive)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(taken.len() >= 3, "{taken:?}");
    for file in &taken {
        assert_eq!(
            read_keys(file).unwrap().study_uid,
            uid,
            "{}",
            file.display()
        );
    }
    println!("dcmtk took {} objects", taken.len());
}

/// A result is sent some time after a study is done.
fn wait_for_words(log: &Path, said: &str) {
    let began = Instant::now();
    loop {
        let text = fs::read_to_string(log).unwrap();
        if text.contains(said) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{said}: {text}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn bad_peers_on_every_port_are_logged_and_a_study_is_still_read() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let config = format!(
        "[dicom]\nidle_secs = 2\n{QUICK}[[destination]]\nname = \"nobody\"\naddress = \"127.0.0.1:1\"\nae_title = \"GONE\"\n"
    );
    let service = Service::start(&data, &config);
    let ports = [service.dicom.clone(), service.http.clone()];
    let connect = |port: &String| TcpStream::connect(port).unwrap();
    let idle: Vec<TcpStream> = (0..300).map(|_| connect(&ports[0])).collect();
    let slow: Vec<TcpStream> = ports
        .iter()
        .flat_map(|port| (0..20).map(|_| connect(port)).collect::<Vec<_>>())
        .collect();
    for (at, mut stream) in slow.iter().enumerate() {
        let start: &[u8] = if at < 20 {
            &[1, 0, 0, 0, 1]
        } else {
            b"GET /health HT"
        };
        stream.write_all(start).unwrap();
    }
    for port in &ports {
        for garbage in [
            &[0xFF; 9000][..],
            b"GET / HTTP/1.1\r\n\r\n",
            &[1, 0, 0xFF, 0xFF, 0xFF, 0xFF],
        ] {
            let mut stream = connect(port);
            let _ = stream.write_all(garbage);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
    }
    let wrong = Remote {
        ae_title: "OTHER".to_owned(),
        ..service.remote()
    };
    let file = sonogram(dir.path(), "bad-peers", 1);
    assert!(send(&wrong, std::slice::from_ref(&file)).is_err());
    assert!(send(&service.remote(), std::slice::from_ref(&file)).unwrap()[0].is_taken());
    assert_eq!(service.wait_for(1)[0]["state"], "done");
    drop((idle, slow));
    let log = data.with_extension("log");
    for said in [
        "association failed",
        "association rejected",
        "result not sent",
    ] {
        wait_for_words(&log, said);
    }
    service.kill();
}

#[test]
fn ports_open_to_others_and_folders_in_use_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let service = Service::start(&data, QUICK);
    let config = dir.path().join("open.toml");
    fs::write(&config, "[http]\nlisten = \"0.0.0.0\"\n").unwrap();
    let run = |more: &[&str], data: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lobule"));
        command.args([
            "serve",
            "--engine",
            "rten",
            "--dicom-port",
            "0",
            "--http-port",
            "0",
        ]);
        command
            .arg("--model")
            .arg(model())
            .arg("--data")
            .arg(data)
            .args(more);
        command.output().unwrap()
    };
    let named = config.to_string_lossy();
    let output = run(&["--config", &named], &dir.path().join("other"));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("--insecure-listen"), "{errors}");
    let output = run(&[], &data);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(7), "{errors}");
    assert!(errors.contains("in use"), "{errors}");
    service.kill();
}
