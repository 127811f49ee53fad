//! From paths to assessments: collect the inputs, run the network, pool, calibrate, outline.
//!
//! Owns: what an input is and how inputs group into exams ([`collect`]), the streaming run
//! ([`assess`]), pooling by attention ([`pool`]) and by views ([`pool_views`]), calibration and
//! flagging ([`Judgement`]), findings ([`findings()`]), which lesions of two views are one
//! ([`NippleDistance`]), networks of every wiring ([`Networks`]); whole slides ([`slide`]). Does not own: DICOM (`dicomio`), preparation (`raster`), running a graph
//! (`engine`), the package format (`package`), any output file (`report`).
//!
//! Memory does not grow with the number of exams: pictures live from their decoding until their
//! exam has been handed over.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use lobule_assess::{Assessor, Judgement, Networks, Options, assess, collect};
//! let package = lobule_package::Package::open("models/ultrasound")?;
//! let networks = Networks::open(&package, None, 2)?;
//! let judgement = Judgement::new(package.manifest(), None, None)?;
//! let mut assessor = Assessor::new(package.manifest(), networks, judgement, Options::default());
//! let inputs = collect(&["exam/".into()])?;
//! assess(&inputs, &mut assessor, |exam| {
//!     println!("{}: {} breasts", exam.assessment.exam, exam.assessment.breasts.len());
//!     Ok(())
//! })?;
//! # Ok(())
//! # }
//! ```

mod collect;
mod contour;
mod density;
mod ensemble;
mod error;
mod findings;
mod grouping;
mod identify;
mod judgement;
mod lesions;
mod load;
mod mammogram;
mod mammogram_file;
mod manifest;
mod networks;
mod nipple;
mod pipeline;
mod pool;
mod result;
pub mod slide;
mod views;
mod walk;

pub use collect::{
    BreastInputs, ExamInputs, FileInput, Inputs, NamedFile, collect, collect_as, collect_named,
};
pub use ensemble::{Ensemble, ImageOutputs};
pub use error::{Error, ErrorKind};
pub use findings::findings;
pub use judgement::Judgement;
pub use mammogram::{AttendedWindow, MammogramEnsemble, MemberView, TwoGraphs, ViewOutputs};
pub use manifest::{ManifestRow, read_manifest};
pub use networks::Networks;
pub use nipple::NippleDistance;
pub use pipeline::{AssessedExam, Assessor, Keep, Options, assess};
pub use pool::{MemberScores, Pooled, pool, pool_views};
