//! What must hold for any bytes given as a part of a model package: its manifest, its table of
//! predictions, or the whole as a zip file.

use std::path::Path;

use lobule_package::{Error, Manifest, Predictions, figures, import};

/// For inputs of some KiB that unpack to at most some MiB.
pub const MOST_BYTES: usize = 64 << 20;

/// A value that survives being written and read again, or an error with a reason; whether there
/// was a value.
pub fn run(bytes: &[u8], folder: &Path) -> bool {
    if bytes.starts_with(b"PK") {
        return zip(bytes, folder);
    }
    let is_manifest = manifest(bytes);
    predictions(bytes) || is_manifest
}

fn manifest(bytes: &[u8]) -> bool {
    let path = Path::new("manifest.toml");
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let Ok(read) = Manifest::from_toml(text, path).map_err(has_reason) else {
        return false;
    };
    let written = read.to_toml(path).expect("what was read can be written");
    let again = Manifest::from_toml(&written, path).expect("what was written can be read");
    assert_eq!(again, read);
    true
}

fn predictions(bytes: &[u8]) -> bool {
    let path = Path::new("predictions.csv");
    let Ok(read) = Predictions::from_csv(bytes, path).map_err(has_reason) else {
        return false;
    };
    let mut written = Vec::new();
    let result = read.to_csv(&mut written, path);
    result.expect("what was read can be written");
    let again = Predictions::from_csv(&written, path).expect("what was written can be read");
    assert_eq!(again, read);
    let _ = figures(&read, path).map_err(has_reason);
    true
}

fn zip(bytes: &[u8], folder: &Path) -> bool {
    let file = folder.join("package.zip");
    let models = folder.join("models");
    std::fs::write(&file, bytes).expect("the folder can be written to");
    let imported = import(&file, &models).map_err(has_reason);
    if let Ok(package) = &imported {
        assert!(package.folder().starts_with(&models), "{package:?}");
        assert!(!package.file_names().is_empty());
        let _ = package.predictions().map_err(has_reason);
        let _ = package.metrics().map_err(has_reason);
    }
    let left = std::fs::read_dir(&models).expect("an import makes this folder");
    assert!(left.count() <= 1, "expected one package at most");
    std::fs::remove_dir_all(&models).expect("the folder can be removed");
    let around = std::fs::read_dir(folder).expect("the folder can be read");
    assert_eq!(around.count(), 1, "expected nothing outside the models");
    imported.is_ok()
}

fn has_reason(error: Error) {
    assert!(!error.to_string().is_empty(), "{:?}", error.kind());
}
