//! DICOM over the web: what is stored is found and fetched; what makes no sense is refused.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use lobule_dicomio::read_keys;
use lobule_server::Server;
use serde_json::Value;

use super::{deliver, done, instance, start, wait_for};

/// Status, head and body of an answer.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn read(mut stream: TcpStream) -> Answer {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
        let body = bytes.get(end + 4..).unwrap_or_default();
        let body = match head.contains("transfer-encoding: chunked") {
            true => unchunked(body),
            false => body.to_vec(),
        };
        Answer {
            status: status.unwrap_or(0),
            head,
            body,
        }
    }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
        let length = std::str::from_utf8(&rest[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 2 + length + 2..];
    }
    body
}

fn send(server: &Server, head: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(server.http_address()).unwrap();
    let head = head.replacen(
        "HTTP/1.1",
        "HTTP/1.1\r\nHost: localhost\r\nConnection: close",
        1,
    );
    stream.write_all(head.as_bytes()).unwrap();
    let _ = stream.write_all(body);
    Answer::read(stream)
}

fn get(server: &Server, path: &str, accept: &str) -> Answer {
    let accept = match accept {
        "" => String::new(),
        accept => format!("Accept: {accept}\r\n"),
    };
    send(
        server,
        &format!("GET /dicomweb{path} HTTP/1.1\r\n{accept}\r\n"),
        b"",
    )
}

const RELATED: &str = "multipart/related; type=\"application/dicom\"; boundary=b";

fn post(server: &Server, path: &str, content_type: &str, body: &[u8]) -> Answer {
    let length = body.len();
    let head = format!(
        "POST /dicomweb{path} HTTP/1.1\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    );
    send(server, &head, body)
}

fn message(files: &[&Path]) -> Vec<u8> {
    let mut body = Vec::new();
    for file in files {
        body.extend(b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\n");
        body.extend(std::fs::read(file).unwrap());
    }
    body.extend(b"\r\n--b--\r\n");
    body
}

#[test]
fn what_is_stored_over_the_web_is_found_and_fetched() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir.path().join("data"), "", |_, _, _| Ok(done()));
    let (one, two) = (instance(dir.path(), 1), instance(dir.path(), 2));
    let keys = read_keys(&one).unwrap();
    let study = &keys.study_uid;
    assert_eq!(get(&server, "/studies", "").status, 204);
    let stored = post(
        &server,
        &format!("/studies/{study}"),
        RELATED,
        &message(&[&one, &two]),
    );
    assert_eq!(stored.status, 200, "{}", stored.head);
    let stored = stored.json();
    assert_eq!(stored["00081199"]["Value"].as_array().unwrap().len(), 2);
    let url = stored["00081190"]["Value"][0].as_str().unwrap();
    let port = server.http_address().port();
    assert_eq!(
        url,
        format!("http://localhost:{port}/dicomweb/studies/{study}")
    );
    // The network brings the same bytes: nothing is new.
    deliver(&server, &[one.clone(), two.clone()]);
    wait_for(&server, "\"state\":\"done\"");
    let found = get(
        &server,
        &format!("/studies?StudyInstanceUID={study}&limit=5"),
        "",
    )
    .json();
    assert_eq!(found[0]["00201208"]["Value"][0], 2);
    assert_eq!(found[0]["00080061"]["Value"][0], "US");
    let found = get(
        &server,
        &format!("/studies/{study}/instances?InstanceNumber=2"),
        "",
    );
    assert!(
        found.head.contains("content-type: application/dicom+json"),
        "{}",
        found.head
    );
    let found = found.json();
    assert_eq!(found.as_array().unwrap().len(), 1);
    let uid = found[0]["00080018"]["Value"][0].as_str().unwrap();
    let series = found[0]["0020000E"]["Value"][0].as_str().unwrap();
    let path = format!("/studies/{study}/series/{series}/instances/{uid}");
    let metadata = get(&server, &format!("{path}/metadata"), "application/json").json();
    assert_eq!(metadata[0]["00280010"]["Value"][0], 64);
    let bulk = metadata[0]["7FE00010"]["BulkDataURI"].as_str().unwrap();
    assert!(bulk.ends_with("/bulkdata/7FE00010"), "{bulk}");
    // As the helper makes them, for the second instance.
    let pixel = |i: usize| 60 + ((i % 64 * 7919) ^ (i / 64 * 104_729)) as u8 % 80 + 2;
    let pixels: Vec<u8> = (0..64 * 64).map(pixel).collect();
    let octets = "application/octet-stream";
    assert_eq!(
        get(&server, &format!("{path}/bulkdata/7FE00010"), octets).body,
        pixels
    );
    assert_eq!(
        get(&server, &format!("{path}/frames/1"), octets).body,
        pixels
    );
    let parts = get(&server, &format!("{path}/frames/1"), "");
    assert!(
        parts
            .head
            .contains("multipart/related; type=\"application/octet-stream\""),
        "{}",
        parts.head
    );
    assert!(parts.body.windows(pixels.len()).any(|w| w == pixels));
    let file = get(&server, &path, "application/dicom");
    assert_eq!(&file.body[128..132], b"DICM");
    let whole = get(&server, &format!("/studies/{study}"), "");
    assert_eq!(whole.body.windows(4).filter(|w| w == b"DICM").count(), 2);
    for (picture, accept, magic) in [
        ("rendered", "image/png", &b"\x89PNG"[..]),
        (
            "rendered?window=100,200&viewport=16,16",
            "image/*",
            b"\xFF\xD8\xFF",
        ),
        ("frames/1/rendered?accept=image/png", "", b"\x89PNG"),
        ("thumbnail", "", b"\xFF\xD8\xFF"),
    ] {
        let answer = get(&server, &format!("{path}/{picture}"), accept);
        assert_eq!(answer.status, 200, "{picture}");
        assert!(answer.body.starts_with(magic), "{picture}");
    }
    let page = send(
        &server,
        &format!("GET /api/v1/studies/{study}/instances HTTP/1.1\r\n\r\n"),
        b"",
    );
    let page = page.json();
    assert_eq!(
        (page[0]["rows"].as_u64(), page[0]["samples"].as_u64()),
        (Some(64), Some(1))
    );
    server.stop();
    server.wait();
}

#[test]
fn results_belong_to_their_study() {
    let dir = tempfile::tempdir().unwrap();
    let file = instance(dir.path(), 1);
    let copied = file.clone();
    let server = start(&dir.path().join("data"), "", move |_, _, out| {
        std::fs::create_dir_all(out.join("dicom/exam")).unwrap();
        // Stands for a result: an object of the same study under an identifier of its own.
        let mut bytes = std::fs::read(&copied).unwrap();
        let uid = read_keys(&copied).unwrap().instance_uid.into_bytes();
        let at: Vec<usize> = (0..bytes.len())
            .filter(|&i| bytes[i..].starts_with(&uid))
            .collect();
        for at in at {
            let last = &mut bytes[at + uid.len() - 1];
            *last = if *last == b'1' { b'2' } else { b'1' };
        }
        std::fs::write(out.join("dicom/exam/sc-1.dcm"), bytes).unwrap();
        Ok(done())
    });
    deliver(&server, std::slice::from_ref(&file));
    wait_for(&server, "\"state\":\"done\"");
    let study = read_keys(&file).unwrap().study_uid;
    let found = get(&server, &format!("/studies/{study}/instances"), "").json();
    assert_eq!(found.as_array().unwrap().len(), 2);
    let whole = get(&server, &format!("/studies/{study}"), "");
    assert_eq!(whole.body.windows(4).filter(|w| w == b"DICM").count(), 2);
    // The study counts what has arrived.
    assert!(super::ask(&server, "GET", "/api/v1/studies").contains("\"instances\":1"));
    server.stop();
    server.wait();
}

#[test]
fn hostile_requests_are_refused_with_a_status() {
    let dir = tempfile::tempdir().unwrap();
    let config = "[dicom]\nport = 0\nmax_instance_mib = 1\n[http]\nport = 0\n";
    let data = dir.path().join("data");
    let server = super::start_as(&data, config, |_, _, _| Ok(done()));
    let file = instance(dir.path(), 1);
    assert_eq!(
        post(&server, "/studies", RELATED, &message(&[&file])).status,
        200
    );
    let study = read_keys(&file).unwrap().study_uid;
    for (path, expected) in [
        ("/studies/..%2F..%2Fetc%2Fpasswd", 400),
        ("/studies/1.2/series/..%5C/metadata", 400),
        ("/studies/1.2.3", 404),
        ("/studies/1.2.3%00/metadata", 400),
        ("/studies?StudyInstanceUID=1'%20OR%20'1'='1", 400),
        ("/studies?PatientID=1'%20OR%20'1'='1", 204),
        ("/studies?PatientName=%22;DROP%20TABLE%20study--*", 204),
        ("/studies?PatientName=*%27;DROP%20TABLE%20study--", 204),
        ("/studies?1%3D1--=x", 400),
        ("/studies?limit=1;DROP", 400),
        ("/studies?limit=0", 204),
        (
            &format!("/studies/{study}/series?StudyInstanceUID=1.2"),
            400,
        ),
        (&format!("/studies?{}", "PatientID=a&".repeat(99)), 400),
        ("/studies/1.2/instances/1.2/frames/1", 404),
    ] {
        assert_eq!(get(&server, path, "").status, expected, "{path}");
    }
    for (path, accept, expected) in [
        ("/studies", "application/dicom+xml", 406),
        ("/studies", "text/html", 406),
        (&format!("/studies/{study}")[..], "image/png", 406),
        (
            &format!("/studies/{study}"),
            "multipart/related; type=application/dicom; transfer-syntax=1.2.3",
            406,
        ),
        (
            &format!("/studies/{study}/metadata"),
            "multipart/related; type=\"application/dicom+xml\"",
            406,
        ),
    ] {
        assert_eq!(
            get(&server, path, accept).status,
            expected,
            "{path} {accept}"
        );
    }
    let other_study = post(&server, "/studies/1.2.3", RELATED, &message(&[&file]));
    assert_eq!(other_study.status, 409);
    assert_eq!(
        other_study.json()["00081198"]["Value"][0]["00081197"]["Value"][0],
        0xA901
    );
    let garbage = dir.path().join("garbage");
    std::fs::write(&garbage, vec![7; 2 << 20]).unwrap();
    let mixed = post(&server, "/studies", RELATED, &message(&[&file, &garbage]));
    assert_eq!(mixed.status, 202);
    assert_eq!(
        mixed.json()["0008119A"]["Value"][0]["00081197"]["Value"][0],
        0xC000
    );
    let mut large = std::fs::read(&file).unwrap();
    large.extend(vec![0; 2 << 20]);
    std::fs::write(&garbage, large).unwrap();
    assert_eq!(
        post(&server, "/studies", RELATED, &message(&[&garbage])).status,
        503
    );
    for (content_type, body, expected) in [
        ("application/dicom", message(&[&file]), 415),
        (
            "multipart/related; type=\"application/dicom+json\"; boundary=b",
            message(&[&file]),
            415,
        ),
        (
            "multipart/related; type=\"application/dicom\"",
            message(&[&file]),
            400,
        ),
        (RELATED, b"--b--".to_vec(), 400),
        (RELATED, b"no message".to_vec(), 400),
        (
            RELATED,
            [b"--b\r\n".to_vec(), vec![b'a'; 100_000]].concat(),
            413,
        ),
        (RELATED, vec![b'a'; 100_000], 400),
        (RELATED, message(&[&file])[..300].to_vec(), 400),
    ] {
        assert_eq!(
            post(&server, "/studies", content_type, &body).status,
            expected,
            "{content_type}"
        );
    }
    let huge = format!(
        "POST /dicomweb/studies HTTP/1.1\r\nContent-Type: {RELATED}\r\nContent-Length: 99999999999999\r\n\r\n"
    );
    assert_eq!(send(&server, &huge, b"").status, 413);
    assert_eq!(get(&server, "/studies", "").status, 200);
    assert_eq!(std::fs::read_dir(data.join("incoming")).unwrap().count(), 0);
    server.stop();
    server.wait();
}

/// Slow: it waits until the service has lost its patience.
#[test]
fn a_slow_message_is_ended_and_a_broken_one_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = start(&data, "", |_, _, _| Ok(done()));
    let file = instance(dir.path(), 1);
    let whole = message(&[&file]);
    let head = format!(
        "POST /dicomweb/studies HTTP/1.1\r\nHost: localhost\r\nContent-Type: {RELATED}\r\nContent-Length: {}\r\n\r\n",
        whole.len()
    );
    let begin = || {
        let mut stream = TcpStream::connect(server.http_address()).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&whole[..600]).unwrap();
        stream
    };
    let slow = begin();
    drop(begin());
    assert_eq!(Answer::read(slow).status, 408);
    let left = || std::fs::read_dir(data.join("incoming")).unwrap().count();
    let began = std::time::Instant::now();
    while left() > 0 && began.elapsed() < std::time::Duration::from_secs(20) {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(left(), 0);
    assert_eq!(get(&server, "/studies", "").status, 204);
    server.stop();
    server.wait();
}

#[test]
fn dicomweb_client_and_pydicom_agree() {
    let Some(clients) = std::env::var_os("LOBULE_WEB_CLIENTS") else {
        println!("skipped: dicomweb-client (LOBULE_WEB_CLIENTS is not set)");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir.path().join("data"), "", |_, _, _| Ok(done()));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ran = Command::new(Path::new(&clients).join("bin/python"))
        .arg(root.join("tests/web_client.py"))
        .arg(format!("http://{}/dicomweb", server.http_address()))
        .arg(root.join("../dicomio/tests"))
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert!(ran.status.success(), "{out}\n{err}");
    println!("{out}");
    server.stop();
    server.wait();
}
