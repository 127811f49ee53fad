//! The service beside Debian's Orthanc and dcmtk: results stand in the archive's study, priors come out
//! of it. `scripts/install-counterparts` installs both; without them the tests say so and pass.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use lobule_dicomio::read_keys;
use serde_json::{Value, json};

use crate::dicom_out::judge;
use crate::serve::{Killed, PATIENCE, QUICK, Service, sending, sonogram};

const ORTHANC: &str = "/usr/sbin/Orthanc";
const DICOMWEB: &str = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so";

/// Debian's Orthanc on this machine alone, with a folder of its own.
struct Orthanc {
    _child: Killed,
    http: u16,
    dicom: u16,
}

impl Orthanc {
    /// None, with the reason, where it or a program of dcmtk's is not installed. `lobule` is the port of
    /// the service that it may send to.
    fn start(folder: &Path, lobule: u16) -> Option<Orthanc> {
        let needed = [
            ORTHANC,
            DICOMWEB,
            "/usr/bin/storescu",
            "/usr/bin/findscu",
            "/usr/bin/dcmodify",
        ];
        if let Some(missing) = needed.iter().find(|path| !Path::new(path).is_file()) {
            println!("skipped: {missing} is not installed (scripts/install-counterparts)");
            return None;
        }
        let (http, dicom) = (free_port(), free_port());
        let storage = folder.join("orthanc");
        let config = json!({
            "Name": "test",
            "StorageDirectory": storage,
            "IndexDirectory": storage,
            "HttpPort": http,
            "DicomPort": dicom,
            "DicomAet": "ORTHANC",
            "RemoteAccessAllowed": false,
            "AuthenticationEnabled": false,
            "DicomCheckCalledAet": true,
            "Plugins": [DICOMWEB],
            "DicomModalities": { "lobule": ["LOBULE", "127.0.0.1", lobule] },
        });
        let file = folder.join("orthanc.json");
        fs::write(&file, config.to_string()).unwrap();
        let child = Command::new(ORTHANC)
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("orthanc.log")).unwrap())
            .spawn()
            .unwrap();
        let orthanc = Orthanc {
            _child: Killed(child),
            http,
            dicom,
        };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", http)).is_err() {
            assert!(began.elapsed() < PATIENCE, "Orthanc did not start");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        Some(orthanc)
    }

    fn get(&self, path: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http)).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: */*\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let head = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let body = answer.split_off(head + 4);
        let head = String::from_utf8_lossy(&answer);
        assert!(head.contains(" 200 "), "{path}: {head}");
        body
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.get(path)).unwrap()
    }

    /// Stores files by dcmtk's storescu.
    fn store(&self, files: &[PathBuf]) {
        storescu("ORTHANC", self.dicom, files);
    }

    /// Modalities of the series of a study, by dcmtk's findscu.
    fn found(&self, study: &str, into: &Path) -> Vec<String> {
        fs::create_dir_all(into).unwrap();
        let done = Command::new("/usr/bin/findscu")
            .args(["-S", "-X", "-od"])
            .arg(into)
            // It answers those alone whom it knows.
            .args(["-aet", "LOBULE", "-aec", "ORTHANC"])
            .args(["-k", "QueryRetrieveLevel=SERIES"])
            .args(["-k", &format!("StudyInstanceUID={study}"), "-k", "Modality"])
            .args(["-k", "SeriesInstanceUID"])
            .args(["127.0.0.1", &self.dicom.to_string()])
            .output()
            .unwrap();
        assert!(done.status.success());
        let dump = |file: PathBuf| {
            let done = Command::new("/usr/bin/dcmdump")
                .args(["-q", "+P", "0008,0060"])
                .arg(file)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&done.stdout).into_owned();
            text.split(['[', ']']).nth(1).unwrap_or_default().to_owned()
        };
        let files = fs::read_dir(into).unwrap().map(|e| e.unwrap().path());
        sorted(files.map(dump))
    }
}

fn storescu(title: &str, port: u16, files: &[PathBuf]) {
    let done = Command::new("/usr/bin/storescu")
        .args(["-aec", title, "127.0.0.1", &port.to_string()])
        .args(files)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{errors}");
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    texts.dedup();
    texts
}

fn port_of(service: &Service) -> u16 {
    service.dicom.rsplit_once(':').unwrap().1.parse().unwrap()
}

#[test]
fn results_of_a_mammography_exam_stand_in_the_archive_s_study() {
    let dir = tempfile::tempdir().unwrap();
    let Some(orthanc) = Orthanc::start(dir.path(), 1) else {
        return;
    };
    let exam = lobule_phantom::mammogram::write_demo_exam(&dir.path().join("mg"), 7).unwrap();
    let mut files: Vec<PathBuf> = fs::read_dir(&exam.folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "dcm"))
        .collect();
    files.sort();
    assert_eq!(files.len(), 4);
    let config = format!(
        "{QUICK}retry_after_secs = 1\n[[destination]]\nname = \"orthanc\"\naddress = \"127.0.0.1:{}\"\nae_title = \"ORTHANC\"\n",
        orthanc.dicom
    );
    // The models that are shipped.
    let service = Service::start_with(&dir.path().join("data"), &config, &["--dicom-port", "0"]);
    orthanc.store(&files);
    storescu("LOBULE", port_of(&service), &files);
    let began = Instant::now();
    let study = service.wait_for(1).remove(0);
    assert_eq!(study["state"], "done", "{study}");
    let uid = study["study_uid"].as_str().unwrap().to_owned();
    let outcome = sending(&service, &uid);
    let took = began.elapsed();
    assert_eq!(outcome["state"], "done", "{outcome}");
    assert_eq!(
        outcome["reason"],
        Value::Null,
        "every class is taken: {outcome}"
    );

    // One study, by three ways of asking.
    let studies = orthanc.json("/studies");
    assert_eq!(studies.as_array().unwrap().len(), 1, "{studies}");
    let by_find = orthanc.found(&uid, &dir.path().join("found"));
    let series = orthanc.json(&format!("/dicom-web/studies/{uid}/series"));
    let modality = |one: &Value| one["00080060"]["Value"][0].as_str().unwrap().to_owned();
    let by_qido = sorted(series.as_array().unwrap().iter().map(modality));
    assert_eq!(by_find, by_qido);
    for expected in ["MG", "OT", "SR", "PR", "SEG", "DOC"] {
        assert!(
            by_find.iter().any(|m| m == expected),
            "{expected}: {by_find:?}"
        );
    }
    println!("results stood in Orthanc {took:?} after the last image: {by_find:?}");

    // What the archive gives out again is what the validators judge.
    let (own, results) = (exam.folder, dir.path().join("results"));
    fs::create_dir(&results).unwrap();
    for id in orthanc.json("/instances").as_array().unwrap() {
        let id = id.as_str().unwrap();
        let file = results.join(format!("{id}.dcm"));
        fs::write(&file, orthanc.get(&format!("/instances/{id}/file"))).unwrap();
        let instance = read_keys(&file).unwrap().instance_uid;
        if files
            .iter()
            .any(|f| read_keys(f).unwrap().instance_uid == instance)
        {
            fs::remove_file(&file).unwrap();
        }
    }
    assert!(fs::read_dir(&results).unwrap().count() >= 10);
    judge(&results, &own);
    service.kill();
}

/// A copy of a sonogram in a study of its own, of another day or patient.
fn other_study(file: &Path, name: &str, changes: &[&str]) -> PathBuf {
    let copy = file.with_file_name(format!("{name}.dcm"));
    fs::copy(file, &copy).unwrap();
    let mut command = Command::new("/usr/bin/dcmodify");
    command.arg("-nb");
    for change in changes {
        command.args(["-m", change]);
    }
    assert!(command.arg(&copy).status().unwrap().success());
    copy
}

#[test]
fn priors_are_fetched_from_the_archive_and_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let Some(orthanc) = Orthanc::start(dir.path(), port) else {
        return;
    };
    let sonogram = |name: &str, changes: &[&str]| {
        let file = sonogram(dir.path(), name, 1);
        other_study(&file, &format!("{name}-changed"), changes)
    };
    let current = sonogram("now", &["StudyDate=20260601"]);
    let archived = [
        sonogram("older", &["StudyDate=20230601"]),
        sonogram("old", &["StudyDate=20250601"]),
        sonogram("oldest", &["StudyDate=20100601"]),
        sonogram("later", &["StudyDate=20270601"]),
        sonogram("other", &["StudyDate=20250601", "PatientID=SOMEBODY"]),
        sonogram("kind", &["StudyDate=20250601", "Modality=OT"]),
        current.clone(),
    ];
    orthanc.store(&archived);
    let config = format!(
        "{QUICK}retry_after_secs = 1\n[priors]\naddress = \"127.0.0.1:{}\"\nae_title = \"ORTHANC\"\nmax_studies = 2\n",
        orthanc.dicom
    );
    let model = crate::model();
    let more = [
        "--dicom-port",
        &port.to_string(),
        "--model",
        &model.to_string_lossy(),
    ];
    let service = Service::start_with(&dir.path().join("data"), &config, &more);
    storescu("LOBULE", port, std::slice::from_ref(&current));
    let studies = service.wait_for(3);
    let uid = |file: &Path| Value::from(read_keys(file).unwrap().study_uid);
    for study in &studies {
        let is_prior = study["study_uid"] != uid(&current);
        assert_eq!(study["prior"], is_prior, "{study}");
        assert_eq!(study["state"], "done", "{study}");
        assert_eq!(study["score"].is_null(), is_prior, "{study}");
    }
    for prior in &archived[..2] {
        assert!(
            studies.iter().any(|s| s["study_uid"] == uid(prior)),
            "{studies:?}"
        );
    }
    let address = format!("/api/v1/studies/{}", uid(&current).as_str().unwrap());
    let (_, _, body) = service.ask("GET", &address, "");
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["priors"]["state"], "done", "{body}");
    assert_eq!(answer["priors"]["found"], 2, "{body}");
    service.kill();
}
