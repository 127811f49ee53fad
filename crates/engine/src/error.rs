//! The one error of this crate, and the wall that turns a panic into it.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The engine's library is absent or cannot be used.
    Unavailable,
    /// The file is not a model that the engine can run.
    Model,
    /// An input is not what the model takes.
    Input,
    /// The model failed while it ran.
    Run,
    /// An output is absent or not what its name promises.
    Output,
    /// A library could not be installed.
    Install,
}

/// An engine's failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", Prefix(path.as_deref()))]
pub struct Error {
    kind: ErrorKind,
    path: Option<PathBuf>,
    message: String,
}

impl Error {
    /// A failure that is not about a file. Public so that other implementations of
    /// [`Session`](crate::Session) can speak the same language.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            path: None,
            message: message.into(),
        }
    }

    pub(crate) fn at(kind: ErrorKind, path: &Path, message: impl Into<String>) -> Error {
        Error {
            path: Some(path.to_path_buf()),
            ..Error::new(kind, message)
        }
    }

    /// "expected …, got: …", where the cause is another library's text, in one line.
    pub(crate) fn caused(
        kind: ErrorKind,
        path: &Path,
        expected: &str,
        cause: impl fmt::Display,
    ) -> Error {
        let cause = cause.to_string();
        let line: Vec<&str> = cause.split_whitespace().collect();
        Error::at(
            kind,
            path,
            format!("expected {expected}, got: {}", line.join(" ")),
        )
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The model or library it is about.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The reason without the file's name.
    pub fn reason(&self) -> &str {
        &self.message
    }
}

struct Prefix<'a>(Option<&'a Path>);

impl fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(path) => write!(f, "{}: ", path.display()),
            None => Ok(()),
        }
    }
}

/// Runs another library's code on bytes from outside; its panic becomes an error.
pub(crate) fn guarded<T>(
    kind: ErrorKind,
    path: &Path,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(Error::caused(kind, path, "no panic", panic_text(&*panic))))
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_text_and_file() {
        let error = guarded::<()>(ErrorKind::Model, Path::new("m.onnx"), || {
            panic!("index {}", 3)
        });
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Model);
        assert_eq!(error.to_string(), "m.onnx: expected no panic, got: index 3");
    }
}
