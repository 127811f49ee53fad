//! The only crate that knows DICOM.
//!
//! Owns: reading of breast ultrasound (headers with [`read_header`], pixels with
//! [`read_frames`]) and of mammograms ([`read_mammogram_header`], [`read_mammogram`]), refusing what is something else, and writing of synthetic images
//! ([`write_ultrasound`]). Does not own: the search for the sonogram (`raster`), grouping into
//! exams and scores (`assess`). No tag, value representation or unique identifier leaves this crate, and no
//! identifier of a patient either, except through [`read_identity`].
//!
//! ```no_run
//! use lobule_raster::Limits;
//! let limits = Limits::default();
//! let instance = lobule_dicomio::read_header("image.dcm".as_ref(), &limits)?;
//! let sampled = lobule_dicomio::sample_frames(instance.frames);
//! let pictures = lobule_dicomio::read_frames(&instance, &sampled.frames, &limits)?;
//! # Ok::<(), lobule_dicomio::Error>(())
//! ```

mod codec;
mod content;
mod dataset;
mod error;
mod frames;
mod gray;
mod header;
mod identity;
mod layout;
mod lut;
mod mammogram;
mod palette;
mod render;
mod segments;
mod syntax;
mod walker;
mod write;

pub use error::{Error, ErrorKind};
pub use frames::{SampledFrames, decode_frames, read_frames, sample_frames};
pub use header::{ColorDoppler, Instance, Modality, is_dicom, read_header};
pub use identity::{DisplayIdentity, read_identity};
pub use mammogram::{
    AppliedLuts, Coverage, GrayMammogram, Inversion, Mammogram, MammogramGroups, ModalityStep,
    Origin, Padding, SetAside, SpacingSource, VoiStep, WindowFunction, group_mammograms,
    read_mammogram, read_mammogram_header,
};
pub use write::{Frames, SyntheticUltrasound, write_ultrasound};
