//! The built OHIF viewer opens the demonstration's studies from our DICOMweb, in Chromium.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::serve::Service;

/// Three of ultrasound, one of mammography.
const DEMO_STUDIES: usize = 4;

#[test]
fn ohif_shows_the_studies_of_the_demonstration() {
    let found = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let (Some(clients), Some(ohif)) = (found("LOBULE_WEB_CLIENTS"), found("LOBULE_OHIF")) else {
        println!("skipped: OHIF (LOBULE_WEB_CLIENTS or LOBULE_OHIF is not set)");
        return;
    };
    if !Path::new("/usr/bin/chromium").exists() {
        println!("skipped: OHIF (chromium is not installed)");
        return;
    }
    let config = "[study]\ncomplete_after_secs = 2\n";
    let dir = tempfile::tempdir().unwrap();
    let service = Service::start_with(
        &dir.path().join("data"),
        config,
        &["--dicom-port", "0", "--demo"],
    );
    service.wait_for(DEMO_STUDIES);
    let out = found("LOBULE_KEEP_PICTURES").unwrap_or_else(|| dir.path().join("pictures"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/tests/ohif.py");
    let ran = Command::new(clients.join("bin/python"))
        .arg(script)
        .arg(format!("http://{}", service.http))
        .arg(ohif)
        .arg(out)
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert!(ran.status.success(), "{out}\n{err}");
    println!("{out}");
    service.kill();
}
