//! TLS on both sides: with each other, with dcmtk's, and with peers that want something else.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lobule_dicomio::dimse::{ListenerTls, Remote, SenderTls, TlsIdentity, echo, send};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
};

use crate::dimse::{Running, dcmtk, instance, short_limits};

/// Files of an authority that is made for a test, and of certificates that it signs.
struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name = named("test authority");
        let own = parameters.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("authority.pem"), own.pem()).unwrap();
        Authority {
            folder,
            issuer: Issuer::new(parameters, key),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    fn identity(&self, name: &str) -> TlsIdentity {
        let key = KeyPair::generate().unwrap();
        let names = vec![name.to_owned(), "127.0.0.1".to_owned()];
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.distinguished_name = named(name);
        let signed = parameters.signed_by(&key, &self.issuer).unwrap();
        let place = |ending: &str| self.folder.path().join(format!("{name}.{ending}"));
        std::fs::write(place("pem"), signed.pem()).unwrap();
        std::fs::write(place("key"), key.serialize_pem()).unwrap();
        TlsIdentity {
            certificate: place("pem"),
            key: place("key"),
        }
    }
}

/// OpenSSL takes a certificate that bears its issuer's name for one that signed itself.
fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

fn listener(authority: &Authority, clients: Option<&Path>) -> Running {
    let identity = authority.identity("localhost");
    let tls = ListenerTls::read(&identity, clients).unwrap();
    Running::start(|config| {
        config.tls = Some(tls);
        config.limits = short_limits();
        config.limits.negotiation = Duration::from_secs(3);
    })
}

fn with(remote: Remote, tls: SenderTls) -> Remote {
    Remote {
        tls: Some(tls),
        ..remote
    }
}

#[test]
fn instances_arrive_encrypted() {
    let authority = Authority::new();
    let listener = listener(&authority, None);
    let tls = SenderTls::read(&authority.file(), None, None).unwrap();
    let remote = with(listener.remote(), tls);
    let files: Vec<PathBuf> = (1..=3)
        .map(|n| instance(authority.folder.path(), "tls", n))
        .collect();
    echo(&remote).unwrap();
    assert!(
        send(&remote, &files)
            .unwrap()
            .iter()
            .all(|one| one.is_taken())
    );
    assert_eq!(listener.taken.lock().unwrap().len(), 3);
    assert_eq!(listener.finish(), (2, 0, 0));
}

#[test]
fn only_trusted_certificates_are_taken() {
    let (authority, other) = (Authority::new(), Authority::new());
    let clients = authority.file();
    let listener = listener(&authority, Some(&clients));
    let own = authority.identity("client");
    let foreign = other.identity("client");
    let read = |authorities: &Path, identity, name| {
        with(
            listener.remote(),
            SenderTls::read(authorities, identity, name).unwrap(),
        )
    };
    echo(&read(&authority.file(), Some(&own), None)).unwrap();
    for (what, remote) in [
        ("no certificate", read(&authority.file(), None, None)),
        (
            "a foreign one",
            read(&authority.file(), Some(&foreign), None),
        ),
        (
            "a listener of nobody",
            read(&other.file(), Some(&own), None),
        ),
        (
            "another name",
            read(&authority.file(), Some(&own), Some("elsewhere")),
        ),
        ("no TLS", listener.remote()),
    ] {
        let error = echo(&remote).unwrap_err();
        assert!(!error.reason().is_empty(), "{what}");
    }
    echo(&read(&authority.file(), Some(&own), Some("localhost"))).unwrap();
    let (served, _, failed) = listener.finish();
    assert_eq!((served, failed), (2, 5));
}

#[test]
fn garbage_and_silence_on_the_port_of_tls_harm_nobody() {
    let authority = Authority::new();
    let listener = listener(&authority, None);
    let _silent: Vec<_> = (0..20).map(|_| listener.connect()).collect();
    for garbage in [
        &[0xFF; 5000][..],
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\xff\xff",
    ] {
        let mut stream = listener.connect();
        let _ = stream.write_all(garbage);
        let _ = stream.read_to_end(&mut Vec::new());
    }
    let tls = SenderTls::read(&authority.file(), None, None).unwrap();
    echo(&with(listener.remote(), tls)).unwrap();
    let began = Instant::now();
    let (served, _, failed) = listener.finish();
    assert_eq!((served, failed), (1, 23));
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn dcmtk_speaks_tls_with_both_sides() {
    let (Some(mut storescu), Some(mut storescp)) = (dcmtk("storescu"), dcmtk("storescp")) else {
        return;
    };
    let authority = Authority::new();
    let clients = authority.file();
    let listener = listener(&authority, Some(&clients));
    let folder = authority.folder.path();
    let files: Vec<PathBuf> = (1..=4).map(|n| instance(folder, "dcmtk", n)).collect();
    let own = authority.identity("client");
    let port = listener.address.port().to_string();
    let output = storescu
        .arg("+tls")
        .args([&own.key, &own.certificate])
        .arg("+cf")
        .arg(authority.file())
        .args(["-aec", "LOBULE", "localhost", &port])
        .args(&files)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(listener.taken.lock().unwrap().len(), 4);
    listener.finish();

    let out = folder.join("out");
    std::fs::create_dir(&out).unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let server = authority.identity("localhost");
    let mut child = storescp
        .arg("+tls")
        .args([&server.key, &server.certificate])
        .arg("+cf")
        .arg(authority.file())
        .arg("-od")
        .arg(&out)
        .arg(port.to_string())
        .spawn()
        .unwrap();
    let remote = Remote {
        address: format!("localhost:{port}"),
        ae_title: "STORESCP".to_owned(),
        calling_ae_title: "LOBULE".to_owned(),
        tls: Some(SenderTls::read(&authority.file(), Some(&own), None).unwrap()),
        limits: lobule_dicomio::dimse::NetworkLimits::default(),
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
