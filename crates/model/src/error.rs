//! What can go wrong with networks.

use std::path::{Path, PathBuf};

/// A network that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}{message}", file.as_ref().map(|f| format!("{}: ", f.display())).unwrap_or_default())]
pub struct Error {
    kind: ErrorKind,
    file: Option<PathBuf>,
    message: String,
}

/// The kinds of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The file cannot be read or written.
    Io,
    /// The file is no checkpoint that can be read.
    Format,
    /// A tensor is missing, superfluous or of another shape.
    Mismatch,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            file: None,
            message: message.into(),
        }
    }

    pub(crate) fn in_file(mut self, file: &Path) -> Error {
        self.file = Some(file.to_owned());
        self
    }

    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}
