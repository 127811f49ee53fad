//! What can go wrong with a DICOM file.

use std::path::{Path, PathBuf};

/// A DICOM file that cannot be read, used or written. [`Error::kind`] tells programs, the text
/// tells people. The text never holds a patient's identifier.
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
    /// The bytes are not a DICOM file.
    NotDicom,
    /// A DICOM file whose values are missing, contradict each other or end too early.
    Malformed,
    /// Larger than the limits allow.
    TooLarge,
    /// An object without pixels: a directory, a report, a presentation state.
    NoPixels,
    /// A result that this project wrote: it shows a patient's image with marks on it, or none.
    OwnResult,
    /// An object of another modality.
    OtherModality,
    /// An image of another part of the body.
    OtherBodyPart,
    /// An ultrasound image without B-mode: spectral Doppler, M-mode, elastography, a 3-D
    /// reconstruction.
    NotBMode,
    /// Tomosynthesis of the breast: its slices, its projections, or an image of several frames.
    Tomosynthesis,
    /// Pixels in an encoding that is not read here.
    UnsupportedEncoding,
    /// The file cannot be written.
    Write,
    /// A peer cannot be reached, is silent for too long, or has gone.
    Network,
    /// A peer does not keep to the protocol, or goes over a limit.
    Protocol,
    /// A peer refuses an association or an instance.
    Refused,
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

    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The reason without the file's name.
    pub fn reason(&self) -> &str {
        &self.message
    }
}

/// Puts the whole chain of an error's causes into one line.
pub(crate) fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text.replace(['\r', '\n'], " ")
}
