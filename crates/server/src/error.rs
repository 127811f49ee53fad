//! What can go wrong in the service.

/// Something the service cannot do. [`Error::kind`] tells programs, the text tells people. The text
/// never holds a patient's identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
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
    pub(crate) fn io(path: &std::path::Path, error: &std::io::Error) -> Error {
        Error::data(format!("{}: {error}", path.display()))
    }

    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        Error::data(format!("database: {error}"))
    }
}
