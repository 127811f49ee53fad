//! The only crate that knows DICOM.

mod error;
mod write;

pub use error::{Error, ErrorKind};
pub use write::{Frames, SyntheticUltrasound, write_ultrasound};
