//! What can go wrong while results are written.

use std::path::{Path, PathBuf};

/// A result that cannot be written. [`Error::kind`] tells programs, the text tells people.
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
    /// A file or folder cannot be written.
    Io,
    /// A result cannot be put into its format.
    Format,
}

impl Error {
    pub(crate) fn io(file: &Path, error: impl std::fmt::Display) -> Error {
        Error {
            kind: ErrorKind::Io,
            file: Some(file.to_owned()),
            message: format!("expected to write it, got: {error}"),
        }
    }

    pub(crate) fn format(message: impl std::fmt::Display) -> Error {
        Error {
            kind: ErrorKind::Format,
            file: None,
            message: message.to_string(),
        }
    }

    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The file it is about.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The reason without the file's name.
    pub fn reason(&self) -> &str {
        &self.message
    }
}
