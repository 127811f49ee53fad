//! The DICOM network: our two sides with each other and with dcmtk's, and peers that misbehave.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dicom_ul::pdu::{
    AssociationRQ, PDataValue, PDataValueType, Pdu, PresentationContextProposed, read_pdu,
    write_pdu,
};
use lobule_dicomio::dimse::{
    Listener, ListenerConfig, NetworkLimits, Peer, Received, Refusal, Remote, Stop, echo, send,
};
use lobule_dicomio::{ErrorKind, Frames, SyntheticUltrasound, read_header, write_ultrasound};
use lobule_exam::{PixelBox, Side, Spacing};
use lobule_raster::{Image, Limits};

pub(crate) const ULTRASOUND: &str = "1.2.840.10008.5.1.4.1.1.6.1";
const VERIFICATION: &str = "1.2.840.10008.1.1";
pub(crate) const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const APPLICATION: &str = "1.2.840.10008.3.1.1.1";

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: Arc<Stop>,
    pub(crate) taken: Arc<Mutex<Vec<Taken>>>,
    thread: Option<JoinHandle<Arc<Listener>>>,
    spool: tempfile::TempDir,
}

pub(crate) struct Taken {
    bytes: Vec<u8>,
    study: String,
    sha256: String,
}

impl Running {
    pub(crate) fn start(change: impl FnOnce(&mut ListenerConfig)) -> Running {
        Running::storing(change, |_| Ok(()))
    }

    fn storing(
        change: impl FnOnce(&mut ListenerConfig),
        store: impl Fn(&Received) -> Result<(), Refusal> + Send + Sync + 'static,
    ) -> Running {
        let spool = tempfile::tempdir().unwrap();
        let mut config = ListenerConfig::new(spool.path());
        change(&mut config);
        let listener = Arc::new(Listener::bind("127.0.0.1:0".parse().unwrap(), config).unwrap());
        let (address, stop) = (listener.address().unwrap(), Arc::new(Stop::default()));
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (stopping, taking) = (Arc::clone(&stop), Arc::clone(&taken));
        let thread = std::thread::spawn(move || {
            listener.serve(&stopping, &|received: Received| {
                store(&received)?;
                taking.lock().unwrap().push(Taken {
                    bytes: std::fs::read(&received.file).unwrap(),
                    study: received.keys.study_uid.clone(),
                    sha256: received.sha256.clone(),
                });
                Ok(())
            });
            listener
        });
        Running {
            address,
            stop,
            taken,
            thread: Some(thread),
            spool,
        }
    }

    pub(crate) fn remote(&self) -> Remote {
        Remote {
            address: self.address.to_string(),
            ae_title: "LOBULE".to_owned(),
            calling_ae_title: "TEST".to_owned(),
            tls: None,
            limits: NetworkLimits::default(),
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }

    /// Stops, and gives how many associations were served, rejected and failed.
    pub(crate) fn finish(mut self) -> (u64, u64, u64) {
        use std::sync::atomic::Ordering::SeqCst;
        self.stop.ask();
        let listener = self.thread.take().unwrap().join().unwrap();
        let left = std::fs::read_dir(self.spool.path()).unwrap().count();
        assert_eq!(
            left, 0,
            "nothing is left in the folder of incoming instances"
        );
        let counters = listener.counters();
        let count = |c: &std::sync::atomic::AtomicU64| c.load(SeqCst);
        (
            count(&counters.served),
            count(&counters.rejected),
            count(&counters.failed),
        )
    }
}

pub(crate) fn instance(folder: &Path, study: &str, number: u32) -> PathBuf {
    let path = folder.join(format!("{study}-{number}.dcm"));
    let pixels = Image::from_fn(48, 64, |r, c| (r * 64 + c * 7 + number as usize * 13) as u8);
    let image = SyntheticUltrasound {
        frames: Frames::Gray(vec![pixels]),
        side: Side::Unknown,
        spacing: Spacing::new(0.1, 0.1).unwrap(),
        region: PixelBox {
            row: 0,
            col: 0,
            rows: 48,
            cols: 64,
        },
        study_seed: study.to_owned(),
        instance_number: number,
    };
    write_ultrasound(&path, &image).unwrap();
    path
}

/// The bytes behind preamble and file meta information.
pub(crate) fn data_set(file: &[u8]) -> &[u8] {
    let length = u32::from_le_bytes(file[140..144].try_into().unwrap());
    &file[144 + length as usize..]
}

pub(crate) fn short_limits() -> NetworkLimits {
    NetworkLimits {
        negotiation: Duration::from_millis(600),
        idle: Duration::from_millis(600),
        message: Duration::from_millis(1500),
        ..NetworkLimits::default()
    }
}

#[test]
fn what_is_sent_arrives_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (1..=5).map(|n| instance(folder.path(), "a", n)).collect();
    let listener = Running::start(|_| ());
    echo(&listener.remote()).unwrap();
    let sent = send(&listener.remote(), &files).unwrap();
    assert!(sent.iter().all(|one| one.status == 0));
    // Whoever sends it: the file is the same.
    let again = Remote {
        calling_ae_title: "OTHER".to_owned(),
        ..listener.remote()
    };
    send(&again, &files[..1]).unwrap();
    {
        let taken = listener.taken.lock().unwrap();
        assert_eq!(taken.len(), 6);
        for (file, taken) in files.iter().zip(taken.iter()) {
            let own = std::fs::read(file).unwrap();
            assert_eq!(data_set(&own), data_set(&taken.bytes));
        }
        assert_eq!(taken[0].sha256, taken[5].sha256);
        assert_eq!(taken[0].study, taken[1].study);
        let written = folder.path().join("received.dcm");
        std::fs::write(&written, &taken[0].bytes).unwrap();
        assert_eq!(read_header(&written, &Limits::default()).unwrap().rows, 48);
    }
    assert_eq!(listener.finish(), (3, 0, 0));
}

#[test]
fn many_associations_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let listener = Running::start(|_| ());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (folder, remote) = (folder.path(), listener.remote());
            scope.spawn(move || {
                let study = format!("s{thread}");
                let files: Vec<PathBuf> = (1..=25).map(|n| instance(folder, &study, n)).collect();
                let sent = send(&remote, &files).unwrap();
                assert!(sent.iter().all(|one| one.status == 0));
            });
        }
    });
    let mut hashes: Vec<String> = listener
        .taken
        .lock()
        .unwrap()
        .iter()
        .map(|t| t.sha256.clone())
        .collect();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 200);
    assert_eq!(listener.finish(), (8, 0, 0));
}

/// A program of dcmtk's; none where it is not installed.
pub(crate) fn dcmtk(name: &str) -> Option<Command> {
    // Python packages install programs of the same names.
    let path = Path::new("/usr/bin").join(name);
    if !path.is_file() {
        println!("skipped: dcmtk's {name} is not installed");
        return None;
    }
    Some(Command::new(path))
}

#[test]
fn dcmtk_echoes_and_stores() {
    let (Some(mut echoscu), Some(mut storescu)) = (dcmtk("echoscu"), dcmtk("storescu")) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let listener = Running::start(|_| ());
    let port = listener.address.port().to_string();
    let to = ["-aec", "LOBULE", "127.0.0.1", &port];
    assert!(echoscu.args(to).status().unwrap().success());
    let files: Vec<PathBuf> = (1..=10)
        .map(|n| instance(folder.path(), "dcmtk", n))
        .collect();
    let output = storescu.args(to).args(&files).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    {
        let taken = listener.taken.lock().unwrap();
        assert_eq!(taken.len(), 10);
        if let Some(mut dump) = dcmtk("dcmdump") {
            let file = folder.path().join("received.dcm");
            std::fs::write(&file, &taken[0].bytes).unwrap();
            assert!(dump.arg("-q").arg(&file).output().unwrap().status.success());
        }
    }
    assert_eq!(listener.finish(), (2, 0, 0));
}

#[test]
fn dcmtk_takes_what_is_sent() {
    let Some(mut storescp) = dcmtk("storescp") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let files: Vec<PathBuf> = (1..=4).map(|n| instance(folder.path(), "scp", n)).collect();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let mut child = storescp
        .arg("-od")
        .arg(&out)
        .arg(port.to_string())
        .spawn()
        .unwrap();
    let remote = Remote {
        address: format!("127.0.0.1:{port}"),
        ae_title: "STORESCP".to_owned(),
        calling_ae_title: "LOBULE".to_owned(),
        tls: None,
        limits: NetworkLimits::default(),
    };
    let began = Instant::now();
    while echo(&remote).is_err() && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(100));
    }
    let sent = send(&remote, &files);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(sent.unwrap().iter().all(|one| one.is_taken()));
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 4);
}

#[test]
fn strangers_are_rejected() {
    let listener = Running::start(|config| {
        config.ae_title = Some("LOBULE".to_owned());
        config.peers = vec![Peer {
            ae_title: Some("KNOWN".to_owned()),
            address: Some("127.0.0.0/8".parse().unwrap()),
        }];
    });
    let known = Remote {
        calling_ae_title: "KNOWN".to_owned(),
        ..listener.remote()
    };
    echo(&known).unwrap();
    let wrong_call = Remote {
        ae_title: "OTHER".to_owned(),
        ..known
    };
    for (remote, reason) in [(listener.remote(), "calling"), (wrong_call, "called")] {
        let error = echo(&remote).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.reason().contains(reason), "{error}");
    }
    assert_eq!(listener.finish(), (1, 2, 0));
}

#[test]
fn a_failing_store_and_too_large_instances_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = instance(folder.path(), "full", 1);
    let full = |_: &Received| Err(Refusal::OutOfResources("no room".to_owned()));
    let failing = Running::storing(|_| (), full);
    let tiny = Running::start(|config| config.limits.instance_bytes = 1000);
    for listener in [failing, tiny] {
        let sent = send(&listener.remote(), &[file.clone(), file.clone()]).unwrap();
        assert!(
            sent.iter()
                .all(|one| one.status == 0xA700 && !one.is_taken())
        );
        assert!(listener.taken.lock().unwrap().is_empty());
        assert_eq!(listener.finish(), (1, 0, 0));
    }
}

#[test]
fn one_too_many_is_told_to_come_later() {
    let listener = Running::start(|config| config.limits.associations = 1);
    let mut first = listener.connect();
    first.write_all(&request(&[(1, VERIFICATION)])).unwrap();
    assert!(matches!(answer(&mut first), Some(Pdu::AssociationAC(_))));
    let error = echo(&listener.remote()).unwrap_err();
    assert!(error.reason().contains("limit"), "{error}");
    first.write_all(&bytes_of(&Pdu::ReleaseRQ)).unwrap();
    assert!(matches!(answer(&mut first), Some(Pdu::ReleaseRP)));
    drop(first);
    let began = Instant::now();
    while echo(&listener.remote()).is_err() {
        assert!(began.elapsed() < Duration::from_secs(5));
    }
    listener.finish();
}

pub(crate) fn bytes_of(pdu: &Pdu) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_pdu(&mut bytes, pdu).unwrap();
    bytes
}

pub(crate) fn request(contexts: &[(u8, &str)]) -> Vec<u8> {
    let proposed = contexts
        .iter()
        .map(|(id, class)| PresentationContextProposed {
            id: *id,
            abstract_syntax: (*class).to_owned(),
            transfer_syntaxes: vec![EXPLICIT.to_owned()],
        });
    bytes_of(&Pdu::AssociationRQ(AssociationRQ {
        protocol_version: 1,
        calling_ae_title: "TEST".to_owned(),
        called_ae_title: "LOBULE".to_owned(),
        application_context_name: APPLICATION.to_owned(),
        presentation_contexts: proposed.collect(),
        user_variables: Vec::new(),
    }))
}

/// The next unit; none where the other side has closed.
pub(crate) fn answer(stream: &mut TcpStream) -> Option<Pdu> {
    let mut head = [0; 6];
    stream.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes(head[2..].try_into().unwrap());
    let mut bytes = head.to_vec();
    bytes.resize(6 + length as usize, 0);
    stream.read_exact(&mut bytes[6..]).ok()?;
    read_pdu(&bytes[..], 262_144, true).unwrap()
}

/// A C-STORE command with an identifier of the instance that may be anything.
pub(crate) fn store_command(instance: &str) -> Vec<u8> {
    let padded = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    };
    let mut set = Vec::new();
    for (element, value) in [
        (0x0002_u16, padded(ULTRASOUND)),
        (0x0100, vec![1, 0]),
        (0x0110, vec![1, 0]),
        (0x0700, vec![0, 0]),
        (0x0800, vec![1, 0]),
        (0x1000, padded(instance)),
    ] {
        set.extend([0, 0]);
        set.extend(element.to_le_bytes());
        set.extend((value.len() as u32).to_le_bytes());
        set.extend(value);
    }
    set
}

pub(crate) fn data(kind: PDataValueType, is_last: bool, data: Vec<u8>) -> Vec<u8> {
    let value = PDataValue {
        presentation_context_id: 1,
        value_type: kind,
        is_last,
        data,
    };
    bytes_of(&Pdu::PData { data: vec![value] })
}

#[test]
fn identifiers_that_are_paths_are_refused() {
    for instance in ["../../etc/passwd", "1.2/../../x", "", "1.2.3\\4"] {
        let listener = Running::start(|_| ());
        let mut stream = listener.connect();
        stream.write_all(&request(&[(1, ULTRASOUND)])).unwrap();
        assert!(matches!(answer(&mut stream), Some(Pdu::AssociationAC(_))));
        let command = store_command(instance);
        stream
            .write_all(&data(PDataValueType::Command, true, command))
            .unwrap();
        let refused = format!("{:?}", answer(&mut stream));
        // 0x0117, invalid object instance, or an identifier that does not agree later.
        let file = folder_bytes("paths");
        let _ = stream.write_all(&data(PDataValueType::Data, true, data_set(&file).to_vec()));
        assert!(
            refused.contains("PData") || refused.contains("Abort"),
            "{instance}: {refused}"
        );
        drop(stream);
        assert!(listener.taken.lock().unwrap().is_empty(), "{instance}");
        listener.finish();
    }
}

pub(crate) fn folder_bytes(study: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::read(instance(folder.path(), study, 1)).unwrap()
}

#[test]
fn garbage_and_oversize_units_end_the_connection_and_nothing_else() {
    let listener = Running::start(|config| config.limits = short_limits());
    let huge_association = [1, 0, 0xFF, 0xFF, 0xFF, 0xFF].to_vec();
    let huge_data = [4, 0, 0x7F, 0xFF, 0xFF, 0xFF].to_vec();
    let mut huge_value = request(&[(1, ULTRASOUND)]);
    huge_value.extend(&huge_data);
    let mut endless_command = request(&[(1, ULTRASOUND)]);
    for _ in 0..10 {
        endless_command.extend(data(PDataValueType::Command, false, vec![0; 8000]));
    }
    let mut data_first = request(&[(1, ULTRASOUND)]);
    data_first.extend(data(PDataValueType::Data, true, vec![0; 100]));
    let mut wrong_context = request(&[(3, ULTRASOUND)]);
    wrong_context.extend(data(PDataValueType::Command, true, store_command("1.2")));
    let cases: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        vec![0xFF; 5000],
        vec![0; 5000],
        huge_association,
        huge_data,
        huge_value,
        endless_command,
        data_first,
        wrong_context,
        bytes_of(&Pdu::ReleaseRQ),
    ];
    let count = cases.len() as u64;
    for case in cases {
        let mut stream = listener.connect();
        let _ = stream.write_all(&case);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
    echo(&listener.remote()).unwrap();
    let (served, _, failed) = listener.finish();
    assert_eq!((served, failed), (1, count));
}

#[test]
fn slow_peers_are_left() {
    let listener = Running::start(|config| config.limits = short_limits());
    // Not a byte; then one byte now and then; then a message that never ends.
    let _silent = listener.connect();
    let mut slow = listener.connect();
    let mut endless = listener.connect();
    endless.write_all(&request(&[(1, ULTRASOUND)])).unwrap();
    assert!(matches!(answer(&mut endless), Some(Pdu::AssociationAC(_))));
    endless
        .write_all(&data(PDataValueType::Command, true, store_command("1.2")))
        .unwrap();
    let began = Instant::now();
    let bytes = request(&[(1, ULTRASOUND)]);
    let mut at = 0;
    while began.elapsed() < Duration::from_secs(4) {
        let _ = slow.write_all(&bytes[at..=at]);
        let _ = endless.write_all(&data(PDataValueType::Data, false, vec![0; 2]));
        at += 1;
        std::thread::sleep(Duration::from_millis(100));
    }
    echo(&listener.remote()).unwrap();
    let (served, _, failed) = listener.finish();
    assert_eq!((served, failed), (1, 3));
}

#[test]
fn no_change_of_a_byte_breaks_the_listener() {
    let file = folder_bytes("changed");
    let mut whole = request(&[(1, ULTRASOUND)]);
    whole.extend(data(PDataValueType::Command, true, store_command("1.2.3")));
    whole.extend(data(
        PDataValueType::Data,
        true,
        data_set(&file)[..600].to_vec(),
    ));
    whole.extend(bytes_of(&Pdu::ReleaseRQ));
    let listener = Running::start(|config| config.limits = short_limits());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (whole, listener) = (&whole, &listener);
            scope.spawn(move || {
                for at in (thread..whole.len().min(560)).step_by(8 * 3) {
                    let mut changed = whole.clone();
                    changed[at] ^= 1 << (at % 8);
                    let mut stream = listener.connect();
                    let _ = stream.write_all(&changed);
                    let _ = stream.shutdown(std::net::Shutdown::Write);
                    let mut rest = Vec::new();
                    let _ = stream.read_to_end(&mut rest);
                }
            });
        }
    });
    echo(&listener.remote()).unwrap();
    listener.finish();
}
