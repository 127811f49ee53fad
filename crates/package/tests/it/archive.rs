//! Import and export.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use lobule_package::{ErrorKind, Package, export, import};

use crate::write_package;

fn write_zip(path: &Path, entries: &[(&str, &[u8])]) {
    let mut writer = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in entries {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn a_package_goes_out_and_in_as_folder_and_zip() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    write_package(&source);
    let package = Package::open(&source).unwrap();
    for target in ["copy", "copy.zip"] {
        let target = folder.path().join(target);
        export(&package, &target).unwrap();
        assert_eq!(
            export(&package, &target).unwrap_err().kind(),
            ErrorKind::Write
        );
        let models = folder.path().join(target.extension().map_or("a", |_| "b"));
        let imported = import(&target, &models).unwrap();
        assert_eq!(imported.folder(), models.join("tiny"));
        assert_eq!(imported.digest(), package.digest());
        assert_eq!(imported.file_names(), package.file_names());
        assert!(!models.join("tiny/notes.txt").exists());
        assert_eq!(
            fs::read_dir(&models).unwrap().count(),
            1,
            "nothing is left behind"
        );
        assert_eq!(
            import(&target, &models).unwrap_err().kind(),
            ErrorKind::Write
        );
    }
}

#[test]
fn one_folder_around_everything_is_stripped() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    write_package(&source);
    let bytes = |name: &str| fs::read(source.join(name)).unwrap();
    let zip = folder.path().join("p.zip");
    write_zip(
        &zip,
        &[
            ("tiny/", b""),
            ("tiny/manifest.toml", &bytes("manifest.toml")),
            ("tiny/members/one.onnx", &bytes("members/one.onnx")),
            ("elsewhere.txt", b"left out"),
        ],
    );
    let imported = import(&zip, &folder.path().join("models")).unwrap();
    assert_eq!(imported.file_names().len(), 2);
}

#[test]
fn bad_zip_files_are_refused_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    let outside: [&[(&str, &[u8])]; 5] = [
        &[],
        &[("readme.txt", b"")],
        &[("manifest.toml", b""), ("../escaped", b"")],
        &[("manifest.toml", b""), ("/escaped", b"")],
        &[("manifest.toml", b""), ("a", b""), ("a/b", b"")],
    ];
    for entries in outside {
        let zip = folder.path().join("bad.zip");
        write_zip(&zip, entries);
        let error = import(&zip, &models).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Archive, "{error}");
        assert_eq!(fs::read_dir(&models).unwrap().count(), 0);
        assert!(!folder.path().join("escaped").exists());
    }
    for bytes in [&b""[..], b"PK\x05\x06", b"text"] {
        let zip = folder.path().join("bad.zip");
        fs::write(&zip, bytes).unwrap();
        assert_eq!(
            import(&zip, &models).unwrap_err().kind(),
            ErrorKind::Archive
        );
    }
    let absent = import(&folder.path().join("absent.zip"), &models);
    assert_eq!(absent.unwrap_err().kind(), ErrorKind::Missing);
}
