//! What makes a table or an analysis impossible.

use std::fmt;
use std::path::{Path, PathBuf};

/// A table that cannot be used or an analysis that it does not allow. [`Error::kind`] tells
/// programs, the text tells people; errors of tables name file, row and column.
///
/// ```
/// use lobule_study::{ErrorKind, table::{ReadConfig, Study}};
/// let error = Study::read("nowhere.csv".as_ref(), &ReadConfig::default()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Io);
/// assert!(error.to_string().starts_with("nowhere.csv: "));
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{place}{message}")]
pub struct Error {
    kind: ErrorKind,
    place: Place,
    message: String,
}

/// The kinds of [`Error`].
///
/// ```
/// use lobule_study::ErrorKind;
/// assert_ne!(ErrorKind::Io, ErrorKind::Value);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file cannot be read.
    Io,
    /// A file is not of its format.
    Format,
    /// A column is missing, twice there, or not known which.
    Column,
    /// A cell does not hold what its column must hold.
    Value,
    /// The same thing is said twice, and it is not known which to believe.
    Duplicate,
    /// Two rows say different things of one case.
    Contradiction,
    /// All cases are positive, or all are negative.
    SingleClass,
    /// A table without rows, a reader without ratings, a case without truth.
    Missing,
    /// A configuration that the table or the method does not allow.
    Config,
    /// A statistic that the data do not allow; the text is that of `lobule_stats`.
    Statistic,
}

/// Where in which file.
#[derive(Debug, Clone, Default, PartialEq)]
struct Place {
    file: Option<PathBuf>,
    row: Option<Row>,
    column: Option<String>,
}

/// A row as its file counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row {
    /// Of a text file, the first (the header) is 1.
    Line(u32),
    /// Of a file without lines, below its header, the first is 1.
    Row(u32),
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Row::Line(number) => write!(f, "line {number}"),
            Row::Row(number) => write!(f, "row {number}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.as_ref().map(|file| file.display().to_string());
        let row = self.row.map(|row| row.to_string());
        let column = self.column.as_ref().map(|name| format!("column `{name}`"));
        let parts: Vec<String> = [file, row, column].into_iter().flatten().collect();
        match parts.is_empty() {
            true => Ok(()),
            false => write!(f, "{}: ", parts.join(", ")),
        }
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            place: Place::default(),
            message: message.into(),
        }
    }

    pub(crate) fn config(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Config, message)
    }

    pub(crate) fn in_file(mut self, file: &Path) -> Error {
        self.place.file = Some(file.to_owned());
        self
    }

    pub(crate) fn at(mut self, row: Row) -> Error {
        self.place.row = Some(row);
        self
    }

    pub(crate) fn in_column(mut self, column: &str) -> Error {
        self.place.column = Some(column.to_owned());
        self
    }

    /// Says what was being computed.
    pub(crate) fn while_at(mut self, what: &str) -> Error {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl From<lobule_stats::Error> for Error {
    fn from(error: lobule_stats::Error) -> Error {
        let kind = match error.kind() {
            lobule_stats::ErrorKind::SingleClass => ErrorKind::SingleClass,
            lobule_stats::ErrorKind::OutOfRange => ErrorKind::Config,
            _ => ErrorKind::Statistic,
        };
        Error::new(kind, error.to_string())
    }
}
