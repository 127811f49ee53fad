//! What can go wrong in the service.

use std::path::{Path, PathBuf};

/// Something the service cannot do. [`Error::kind`] tells programs, the text tells people. The text
/// never holds a patient's identifier.
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
    /// The configuration is wrong.
    Config,
    /// The data folder or the database cannot be read or written.
    Data,
    /// The data folder is in use by another process.
    InUse,
    /// The data folder was written by a newer version.
    Newer,
    /// An address cannot be had.
    Listen,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            file: None,
            message: message.into(),
        }
    }

    pub(crate) fn config(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Config, message)
    }

    pub(crate) fn data(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Data, message)
    }

    /// A file or folder that could not be read or written.
    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Error {
        Error::data(error.to_string()).in_file(path)
    }

    /// The same error, naming its file or folder.
    pub(crate) fn in_file(mut self, path: &Path) -> Error {
        self.file = Some(path.to_owned());
        self
    }

    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What those are told who do not see this machine: no path, the whole text is in the log.
    pub(crate) fn reason(&self) -> String {
        match &self.file {
            Some(_) => format!("expected a file of the service, got: {}", self.message),
            None => self.message.clone(),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        Error::data(format!("database: {error}"))
    }
}
