//! Exit codes: the one place that decides them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The table under `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  everything was done
  1  unexpected failure
  2  wrong options or a wrong manifest
  3  finished, but some inputs were skipped or have no DICOM results (listed with their reasons), or files are missing
  4  no usable input: no image, or a table that cannot be analysed
  5  the model package cannot be used
  6  the engine is not available
  7  the output cannot be written";

/// A run that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing was left out.
    Complete,
    /// Some inputs were skipped, or have no DICOM results.
    SomeSkipped,
}

impl Outcome {
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Outcome::Complete => ExitCode::SUCCESS,
            Outcome::SomeSkipped => ExitCode::from(3),
        }
    }
}

/// A run that did not: one line for people and a number for programs.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    /// What it is about; its place on this machine is not for everybody to see.
    file: Option<PathBuf>,
    message: String,
}

impl Failure {
    fn new(code: u8, message: impl Into<String>) -> Failure {
        let message: String = message.into();
        let line: Vec<&str> = message.split_whitespace().collect();
        Failure {
            code,
            file: None,
            message: line.join(" "),
        }
    }

    /// The same failure, of a file or a folder.
    pub(crate) fn of(mut self, file: &Path) -> Failure {
        self.file = Some(file.to_owned());
        self
    }

    fn of_any(self, file: Option<&Path>) -> Failure {
        match file {
            Some(file) => self.of(file),
            None => self,
        }
    }

    /// What happened, for those who do not see this machine: a file is named without its place.
    pub(crate) fn reason(&self) -> String {
        let name = self.file.as_deref().and_then(Path::file_name);
        match name {
            Some(name) => format!("{}: {}", name.display(), self.message),
            None => self.message.clone(),
        }
    }

    pub(crate) fn unexpected(message: impl Into<String>) -> Failure {
        Failure::new(1, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(2, message)
    }

    pub(crate) fn no_input(message: impl Into<String>) -> Failure {
        Failure::new(4, message)
    }

    pub(crate) fn package(message: impl Into<String>) -> Failure {
        Failure::new(5, message)
    }

    pub(crate) fn output(message: impl Into<String>) -> Failure {
        Failure::new(7, message)
    }

    /// A file that could not be written.
    pub(crate) fn unwritten(path: &Path, error: impl fmt::Display) -> Failure {
        Failure::output(format!("expected to write it, got: {error}")).of(path)
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}: ", file.display())?;
        }
        f.write_str(&self.message)
    }
}

impl From<lobule_package::Error> for Failure {
    fn from(error: lobule_package::Error) -> Failure {
        Failure::new(5, error.reason()).of(error.path())
    }
}

impl From<lobule_engine::Error> for Failure {
    fn from(error: lobule_engine::Error) -> Failure {
        use lobule_engine::ErrorKind::{Install, Unavailable};
        let code = match error.kind() {
            Unavailable | Install => 6,
            _ => 5,
        };
        Failure::new(code, error.reason()).of_any(error.path())
    }
}

impl From<lobule_assess::Error> for Failure {
    fn from(error: lobule_assess::Error) -> Failure {
        use lobule_assess::ErrorKind::{
            Engine, Input, Journal, Manifest, Option, Outputs, Package, Receiver,
        };
        let code = match error.kind() {
            Manifest | Option => 2,
            Package | Outputs => 5,
            Engine => 6,
            Receiver => 1,
            Input => 4,
            Journal => 7,
        };
        Failure::new(code, error.reason()).of_any(error.file())
    }
}

impl From<lobule_study::Error> for Failure {
    fn from(error: lobule_study::Error) -> Failure {
        let code = match error.kind() {
            lobule_study::ErrorKind::Config => 2,
            _ => 4,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<lobule_slide::Error> for Failure {
    fn from(error: lobule_slide::Error) -> Failure {
        Failure::no_input(error.to_string())
    }
}

impl From<lobule_report::Error> for Failure {
    fn from(error: lobule_report::Error) -> Failure {
        let code = match error.kind() {
            lobule_report::ErrorKind::Io => 7,
            lobule_report::ErrorKind::Format => 1,
        };
        Failure::new(code, error.reason()).of_any(error.file())
    }
}

impl From<lobule_server::Error> for Failure {
    fn from(error: lobule_server::Error) -> Failure {
        use lobule_server::ErrorKind::{Config, Data, InUse, Listen, Newer};
        let code = match error.kind() {
            Config => 2,
            Data | InUse | Newer => 7,
            Listen => 1,
        };
        Failure::new(code, error.to_string())
    }
}
