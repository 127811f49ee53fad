//! The one error of this crate.

use std::path::{Path, PathBuf};

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The folder or a file of the package is not there or cannot be read.
    Missing,
    /// The manifest is not valid.
    Manifest,
    /// The manifest's format version is not one that this program reads.
    UnsupportedFormat,
    /// A file's hash is not the one that the manifest states.
    Digest,
    /// A member file is absent, too large or outside the package.
    Member,
    /// `predictions.csv` or `metrics.json` is not valid.
    Record,
    /// A zip file is not valid or holds more than a package may.
    Archive,
    /// A file could not be written.
    Write,
}

/// A package that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", path.display())]
pub struct Error {
    kind: ErrorKind,
    path: PathBuf,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, path: &Path, message: impl Into<String>) -> Error {
        Error {
            kind,
            path: path.to_path_buf(),
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn caused(
        kind: ErrorKind,
        path: &Path,
        expected: &str,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Error {
        Error {
            kind,
            path: path.to_path_buf(),
            message: format!(
                "expected {expected}, got: {}",
                one_line(&source.to_string())
            ),
            source: Some(Box::new(source)),
        }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The file or folder it is about.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The reason without the file's name.
    pub fn reason(&self) -> &str {
        &self.message
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
