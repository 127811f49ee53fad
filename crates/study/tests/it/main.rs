//! Integration tests of the analyses.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod corpus;
mod documents;
mod inputs;
mod known;
mod tables;

use std::path::PathBuf;

use lobule_study::table::{ReadConfig, Study};
use lobule_study::{Error, ErrorKind};

/// A folder of known answers, or a counted line that the test is skipped.
fn reference(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("LOBULE_REFERENCE");
    if root.is_none() {
        println!("skipped: known answers in {folder} (LOBULE_REFERENCE is not set)");
    }
    Some(PathBuf::from(root?).join(folder))
}

/// A file with this text.
struct Written {
    folder: tempfile::TempDir,
    path: PathBuf,
}

fn written(name: &str, text: &str) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    Written { folder, path }
}

fn read(name: &str, text: &str, config: &ReadConfig) -> Result<Study, Error> {
    Study::read(&written(name, text).path, config)
}

/// The error's kind, and its text from the file's name on.
fn refusal(name: &str, text: &str, config: &ReadConfig) -> (ErrorKind, String) {
    let file = written(name, text);
    let error = Study::read(&file.path, config).unwrap_err();
    let text = error.to_string();
    let folder = format!("{}/", file.folder.path().display());
    (error.kind(), text.replace(&folder, ""))
}
