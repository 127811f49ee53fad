//! What can go wrong when phantoms are written, or their plans read.

use std::path::{Path, PathBuf};

/// A phantom that could not be written or read. [`Error::kind`] tells programs, the text tells people.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", file.display())]
pub struct Error {
    kind: ErrorKind,
    file: PathBuf,
    message: String,
}

/// The kinds of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A file or folder cannot be written.
    Io,
    /// The DICOM writer refused an image.
    Dicom,
    /// A file is no plan of a phantom.
    Format,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, file: &Path, cause: &impl std::fmt::Display) -> Error {
        let message = match kind {
            ErrorKind::Io => format!("expected to write here, got: {cause}"),
            ErrorKind::Format => format!("expected the plan of a synthetic slide, got: {cause}"),
            ErrorKind::Dicom => format!("expected an image that DICOM can hold, got: {cause}"),
        };
        Error {
            kind,
            file: file.to_owned(),
            message,
        }
    }

    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}
