//! What can go wrong while training.

use std::path::{Path, PathBuf};

/// A run that cannot start or go on.
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
    /// A file cannot be read or written.
    Io,
    /// The configuration does not make sense.
    Config,
    /// A label, split or image of a data set cannot be used.
    Data,
    /// The loss stopped being a number.
    Diverged,
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

    pub(crate) fn io(file: &Path, source: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Io, source.to_string()).in_file(file)
    }

    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}
