//! What can stop a whole run. A single bad file never does: it becomes a `Skipped`.

use std::path::{Path, PathBuf};

/// A run that cannot go on. [`Error::kind`] tells programs, the text tells people.
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
    /// A manifest (the CSV that names exams and files) is wrong.
    Manifest,
    /// An option does not fit the model package.
    Option,
    /// The model package cannot be used.
    Package,
    /// The engine cannot be used.
    Engine,
    /// The network gave something that is no result.
    Outputs,
    /// The receiver of the results refused one.
    Receiver,
    /// A slide cannot be assessed; others can.
    Input,
    /// What was done of a slide cannot be kept.
    Journal,
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

    /// The file it is about.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The reason without the file's name.
    pub fn reason(&self) -> &str {
        &self.message
    }
}
