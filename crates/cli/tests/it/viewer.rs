//! The page: the committed build is one of its sources, and a browser does with it what a reader
//! does.
//!
//! Both need Node.js and what `scripts/install-test-needs` fetches (`LOBULE_VIEWER`); the second
//! Chromium too.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::serve::Service;
use crate::service::done;

/// Oldest Node.js that Vite runs on.
const LEAST_NODE: (u32, u32) = (20, 19);
/// What a browser's tests are run with, unless they are named.
const CHROMIUM: &str = "/usr/bin/chromium";
const PASSWORD: &str = "correct horse battery";

fn viewer() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../viewer")
}

/// The folder with the page's packages, or why there is none.
fn packages() -> Result<PathBuf, String> {
    let version = Command::new("node").arg("--version").output();
    let version = version.map_err(|_| "Node.js is not installed".to_owned())?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let mut parts = version
        .trim_start_matches('v')
        .split('.')
        .map(|part| part.parse().ok());
    let (major, minor) = (parts.next().flatten(), parts.next().flatten());
    if (major.unwrap_or(0), minor.unwrap_or(0)) < LEAST_NODE {
        return Err(format!("Node.js {version} is older than Vite needs"));
    }
    let folder = std::env::var_os("LOBULE_VIEWER").map(PathBuf::from);
    folder.ok_or_else(|| "the page's packages (LOBULE_VIEWER is not set)".to_owned())
}

/// The packages, or nothing when the test has said that it is skipped.
fn packages_or_skip() -> Option<PathBuf> {
    packages().map_err(|why| println!("skipped: {why}")).ok()
}

/// A copy of the page's sources beside its packages.
fn copy_of_sources(packages: &Path, into: &Path) {
    copy(&viewer(), into);
    std::os::unix::fs::symlink(packages.join("node_modules"), into.join("node_modules")).unwrap();
}

fn copy(from: &Path, into: &Path) {
    fs::create_dir_all(into).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        match path.is_dir() {
            true if name == "node_modules" || name == "dist" => {}
            true => copy(&path, &into.join(name)),
            false => drop(fs::copy(&path, into.join(name)).unwrap()),
        }
    }
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            let path = entry.path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().to_owned();
                    found.insert(name, fs::read(path).unwrap());
                }
            }
        }
    }
    found
}

#[track_caller]
fn node(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("node")
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "node {args:?}:\n{text}");
    text
}

#[test]
fn the_committed_page_is_a_fresh_build_of_its_sources() {
    let Some(packages) = packages_or_skip() else {
        return;
    };
    let locked = |folder: &Path| fs::read(folder.join("package-lock.json")).unwrap();
    assert!(
        locked(&packages) == locked(&viewer()),
        "LOBULE_VIEWER holds other packages: run scripts/install-test-needs"
    );
    let folder = tempfile::tempdir().unwrap();
    copy_of_sources(&packages, folder.path());
    node(
        folder.path(),
        &["node_modules/typescript/bin/tsc", "--noEmit"],
    );
    node(folder.path(), &["node_modules/vite/bin/vite.js", "build"]);
    let (fresh, committed) = (
        files(&folder.path().join("dist")),
        files(&viewer().join("dist")),
    );
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&fresh), names(&committed));
    for (name, bytes) in fresh {
        let is_same = committed[&name] == bytes;
        assert!(
            is_same,
            "{}: run `npm run build` in viewer/ and commit it",
            name.display()
        );
    }
}

#[test]
fn the_page_s_own_tests_pass() {
    let Some(packages) = packages_or_skip() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    copy_of_sources(&packages, folder.path());
    let (bundle, all) = ("build/tests.mjs", "tests/all.ts");
    let rolldown = "node_modules/rolldown/bin/cli.mjs";
    node(
        folder.path(),
        &[rolldown, all, "-o", bundle, "--platform", "node"],
    );
    let text = node(folder.path(), &["--test", bundle]);
    assert!(
        text.contains("# fail 0") && !text.contains("# pass 0"),
        "{text}"
    );
}

#[test]
fn packages_come_from_the_usual_registry() {
    let lock = fs::read_to_string(viewer().join("package-lock.json")).unwrap();
    let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
    let packages = lock["packages"].as_object().unwrap();
    assert!(packages.len() > 10);
    for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
        assert!(package["integrity"].is_string(), "{name}: no hash");
        let from = package["resolved"]
            .as_str()
            .unwrap_or("https://registry.npmjs.org/");
        assert!(
            from.starts_with("https://registry.npmjs.org/"),
            "{name}: {from}"
        );
    }
}

/// Log in, worklist, open, overlay, accept, export: `viewer/e2e/run.mjs` says what is asked.
#[test]
fn a_reader_works_through_the_page() {
    let Some(packages) = packages_or_skip() else {
        return;
    };
    let chromium = std::env::var_os("LOBULE_CHROMIUM").unwrap_or(CHROMIUM.into());
    if !Path::new(&chromium).exists() {
        return println!("skipped: {} is not installed", chromium.display());
    }
    let folder = tempfile::tempdir().unwrap();
    let exam = lobule_phantom::mammogram::write_demo_exam(folder.path(), 20_211).unwrap();
    let data = folder.path().join("data");
    for name in ["radiologist", "researcher"] {
        let add = ["user", "add", name, "--role", name];
        done(&add, &data, &format!("{PASSWORD}\n"));
    }
    let config = "[study]\ncomplete_after_secs = 2\nattempts = 1\n";
    let service = Service::start_with(&data, config, &["--dicom-port", "0"]);
    let copy = folder.path().join("viewer");
    copy_of_sources(&packages, &copy);
    let address = format!("http://{}", service.http);
    let output = Command::new("node")
        .args(["e2e/run.mjs", &address])
        .arg(&exam.folder)
        .current_dir(&copy)
        .env("LOBULE_CHROMIUM", &chromium)
        .env("LOBULE_READER", format!("radiologist:{PASSWORD}"))
        .env("LOBULE_RESEARCHER", format!("researcher:{PASSWORD}"))
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let (said, wrong) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    print!("{said}");
    let log = || fs::read_to_string(data.with_extension("log")).unwrap();
    assert!(output.status.success(), "{said}\n{wrong}\n{}", log());
    // The patient is called SYNTHETIC^PHANTOM.
    let log = log();
    assert!(!log.contains("PHANTOM") && !log.contains(PASSWORD), "{log}");
}
