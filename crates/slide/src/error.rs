//! What can go wrong with a slide.

use std::path::{Path, PathBuf};

/// A slide, or a tile of it, that cannot be read. [`Error::kind`] tells programs, the text people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", file.as_ref().map(|f| format!("{}: ", f.display())).unwrap_or_default())]
pub struct Error {
    kind: ErrorKind,
    file: Option<PathBuf>,
    message: String,
}

/// The kinds of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The file cannot be opened or read.
    Io,
    /// The bytes are no slide of a format that is read here.
    Format,
    /// A file, or a tile, that ends too early or contradicts itself.
    Damaged,
    /// Pixels in an encoding that is not read here.
    Unsupported,
    /// Larger than the limits allow.
    TooLarge,
    /// The size of a pixel is needed and not known, or coarser than what is asked for.
    NoScale,
    /// A tile, a level or a grid that does not exist.
    Address,
    /// Stains that cannot be told apart.
    Stain,
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

    /// The same error, naming a place inside the file.
    pub(crate) fn at(mut self, place: impl std::fmt::Display) -> Error {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The reason without the file's name.
    pub fn reason(&self) -> &str {
        &self.message
    }
}

pub(crate) fn damaged(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Damaged, message)
}

pub(crate) fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}

pub(crate) fn too_large(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::TooLarge, message)
}

pub(crate) fn io(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            damaged("expected more bytes, got the end of the file")
        }
        _ => Error::new(ErrorKind::Io, format!("cannot be read: {error}")),
    }
}

impl From<lobule_raster::Error> for Error {
    fn from(error: lobule_raster::Error) -> Error {
        use lobule_raster::ErrorKind::{Io, Stain, TooLarge};
        let kind = match error.kind() {
            Io => ErrorKind::Io,
            TooLarge => ErrorKind::TooLarge,
            Stain => ErrorKind::Stain,
            _ => ErrorKind::Format,
        };
        Error::new(kind, error.reason())
    }
}

impl From<lobule_dicomio::Error> for Error {
    fn from(error: lobule_dicomio::Error) -> Error {
        use lobule_dicomio::ErrorKind::{Io, Malformed, TooLarge, UnsupportedEncoding};
        let kind = match error.kind() {
            Io => ErrorKind::Io,
            TooLarge => ErrorKind::TooLarge,
            Malformed => ErrorKind::Damaged,
            UnsupportedEncoding => ErrorKind::Unsupported,
            _ => ErrorKind::Format,
        };
        Error::new(kind, error.reason())
    }
}
