//! What can go wrong with pixels.

use std::path::{Path, PathBuf};

/// A picture that cannot be read or used. [`Error::kind`] tells programs, the text tells people.
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
    /// The file cannot be opened or read.
    Io,
    /// The bytes are not a picture of a format that is read here.
    Format,
    /// Larger than the limits allow.
    TooLarge,
    /// Too small or too empty to hold a sonogram.
    NoSonogram,
    /// No breast can be found in a mammogram.
    NoBreast,
    /// The configuration asks for something impossible.
    Config,
    /// The picture is something else than a B-mode sonogram.
    NotUltrasound,
    /// Saliency maps that cannot tell where to look closer.
    Saliency,
    /// The stains of a slide cannot be told apart, or there are none.
    Stain,
}

impl Error {
    /// An error without a file.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            file: None,
            message: message.into(),
        }
    }

    /// The same error, naming its file.
    pub fn in_file(mut self, file: &Path) -> Error {
        self.file = Some(file.to_owned());
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
