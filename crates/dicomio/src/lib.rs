//! The only crate that knows DICOM.
//!
//! Owns: reading of breast ultrasound (headers with [`read_header`], pixels with
//! [`read_frames`]), of mammograms ([`read_mammogram_header`], [`read_mammogram`]) and of the tiles
//! of slides ([`SlideFrames`]), refusing what is something else; writing of synthetic images
//! ([`write_ultrasound`], [`write_mammogram`]); results as DICOM objects ([`result`]); copies
//! without what identifies the patient ([`deidentify`]); the DICOM network ([`dimse`]) and DICOM
//! over the web ([`web`]). Does not own: the search for the sonogram (`raster`), grouping into exams and
//! scores (`assess`). No tag, value representation or class leaves this crate, and no identifier of
//! a patient either, except through [`read_identity`], [`web`], and inside the objects of [`result`]; the
//! unique identifiers that an archive files under come out through [`read_keys`].
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
mod deidentify;
pub mod dimse;
mod error;
mod frames;
mod gray;
mod header;
mod identity;
mod keys;
mod layout;
mod lut;
mod mammogram;
mod palette;
mod render;
pub mod result;
mod segments;
mod slide;
mod syntax;
mod unreadable;
mod walker;
pub mod web;
mod write;

pub use codec::{Jpeg2000Tile, decode_jpeg2000_tile};
pub use deidentify::{Dates, Deidentified, Deidentifier, deidentify};
pub use error::{Error, ErrorKind};
pub use frames::{SampledFrames, decode_frames, read_frames, sample_frames};
pub use header::{
    ColorDoppler, Instance, Modality, StatedPlace, is_dicom, read_header, read_place,
};
pub use identity::{DisplayIdentity, read_identity};
pub use keys::{InstanceKeys, PatientKey, read_keys, study_key};
pub use mammogram::{
    AppliedLuts, Coverage, GrayMammogram, Inversion, Mammogram, ModalityStep, Origin, Padding,
    PlacedMammogram, SetAside, SpacingSource, VoiStep, WindowFunction, read_mammogram,
    read_mammogram_header, read_view, set_aside,
};
pub use slide::{SlideFrames, SlideHeader, SlideImageKind, read_slide_header};
pub use unreadable::{UnreadableImage, read_unreadable};
pub use write::{
    Frames, MammogramEncoding, NativeSyntax, ObjectKind, StoredDisplay, StoredPadding,
    StoredPolarity, StoredSign, SyntheticMammogram, SyntheticUltrasound, write_mammogram,
    write_ultrasound,
};
