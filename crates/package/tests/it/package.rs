//! Opening and verifying.

use std::fs;
use std::path::Path;

use lobule_package::{ErrorKind, Manifest, Package};

use crate::{manifest, write_package};

#[test]
fn a_package_opens_verifies_and_has_a_stable_digest() {
    let folder = tempfile::tempdir().unwrap();
    write_package(folder.path());
    let package = Package::open(folder.path()).unwrap();
    package.verify_files().unwrap();
    assert_eq!(package.short_digest().len(), 16);
    assert!(package.digest().starts_with(package.short_digest()));
    assert_eq!(package, Package::open(folder.path()).unwrap());
    assert_eq!(package.metrics().unwrap()["figures"], serde_json::json!([]));
    assert_eq!(
        package.predictions().unwrap_err().kind(),
        ErrorKind::Missing
    );
    assert_eq!(
        package.manifest().operating_point(None).unwrap().threshold,
        0.4
    );
    assert_eq!(package.manifest().operating_point(Some("x")), None);
}

#[test]
fn every_way_a_package_can_be_broken_has_its_kind() {
    type Break = fn(&Path);
    let edit = |folder: &Path, from: &str, to: &str| {
        let path = folder.join("manifest.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    };
    let cases: [(Break, ErrorKind); 4] = [
        (
            |f| fs::remove_file(f.join("manifest.toml")).unwrap(),
            ErrorKind::Missing,
        ),
        (
            |f| fs::write(f.join("manifest.toml"), [0xff]).unwrap(),
            ErrorKind::Manifest,
        ),
        (
            |f| fs::remove_file(f.join("members/one.onnx")).unwrap(),
            ErrorKind::Member,
        ),
        (
            |f| fs::write(f.join("members/one.onnx"), b"other").unwrap(),
            ErrorKind::Digest,
        ),
    ];
    let kind_of = |folder: &Path| {
        let opened = Package::open(folder).and_then(|p| p.verify_files());
        opened.unwrap_err().kind()
    };
    for (i, (damage, expected)) in cases.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        write_package(folder.path());
        damage(folder.path());
        assert_eq!(kind_of(folder.path()), expected, "case {i}");
    }
    let edits = [
        ("format = 1", "format = 2", ErrorKind::UnsupportedFormat),
        ("format = 1", "format = \"1\"", ErrorKind::Manifest),
        (
            "format = 1",
            "format = 1\nsurprise = 1",
            ErrorKind::Manifest,
        ),
        (
            "kind = \"attention-mil\"",
            "kind = \"other\"",
            ErrorKind::Manifest,
        ),
        (
            "kind = \"attention-mil\"",
            "kind = \"attention-mil\"\nx = 1",
            ErrorKind::Manifest,
        ),
        ("slope = 1.5", "slope = 0.0", ErrorKind::Manifest),
        ("prevalence = 0.3", "prevalence = 1.0", ErrorKind::Manifest),
        ("threshold = 0.4", "threshold = nan", ErrorKind::Manifest),
        ("\"balanced\"", "\"other\"", ErrorKind::Manifest),
        ("rows = 224", "rows = 0", ErrorKind::Manifest),
        ("rows = 224", "rows = -1", ErrorKind::Manifest),
        ("rows = 224", "rows = 1000000", ErrorKind::Manifest),
        ("std = 128.0", "std = 0.0", ErrorKind::Manifest),
        ("std = 128.0", "std = 1e300", ErrorKind::Manifest),
        ("members/one.onnx", "../one.onnx", ErrorKind::Manifest),
        ("members/one.onnx", "/etc/passwd", ErrorKind::Manifest),
        ("members/one.onnx", "members", ErrorKind::Member),
        ("\"malignant\"]", "\"cancer\"]", ErrorKind::Manifest),
        (
            "[calibration.malignant",
            "[calibration.cancer",
            ErrorKind::Manifest,
        ),
        ("name = \"tiny\"", "name = \"a/b\"", ErrorKind::Manifest),
    ];
    for (from, to, expected) in edits {
        let folder = tempfile::tempdir().unwrap();
        write_package(folder.path());
        edit(folder.path(), from, to);
        assert_eq!(kind_of(folder.path()), expected, "{from} -> {to}");
    }
}

#[test]
#[cfg(unix)]
fn a_member_may_not_link_out_of_the_package() {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("package");
    write_package(&package);
    let member = package.join("members/one.onnx");
    let outside = folder.path().join("outside.onnx");
    fs::rename(&member, &outside).unwrap();
    std::os::unix::fs::symlink(&outside, &member).unwrap();
    assert_eq!(
        Package::open(&package).unwrap_err().kind(),
        ErrorKind::Member
    );
}

#[test]
fn a_manifest_reads_back_what_it_wrote() {
    let path = Path::new("manifest.toml");
    let written = manifest(&"0".repeat(64));
    let text = written.to_toml(path).unwrap();
    assert_eq!(Manifest::from_toml(&text, path).unwrap(), written);
    let mut wrong = written.clone();
    wrong.members.clear();
    assert_eq!(wrong.to_toml(path).unwrap_err().kind(), ErrorKind::Manifest);
}
