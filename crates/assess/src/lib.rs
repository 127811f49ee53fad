//! From paths to assessments: collect the inputs, run the network, pool, calibrate, outline.
//!
//! Owns: what an input is and how inputs group into exams ([`collect`]), the streaming run
//! ([`assess`]), attention pooling ([`pool`]), calibration and flagging ([`Judgement`]), findings
//! ([`findings()`]), mammograms through two graphs
//! ([`MammogramEnsemble`]). Does not own: DICOM (`dicomio`), preparation (`raster`), running a graph
//! (`engine`), the package format (`package`), any output file (`report`).
//!
//! Memory does not grow with the number of exams: pictures live from their decoding until their
//! exam has been handed over.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use lobule_assess::{Assessor, Ensemble, Judgement, Options, assess, collect};
//! let package = lobule_package::Package::open("models/ultrasound")?;
//! let ensemble = Ensemble::open(&package, None, 2)?;
//! let judgement = Judgement::new(package.manifest(), None, None)?;
//! let mut assessor = Assessor::new(package.manifest(), ensemble, judgement, Options::default());
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
mod ensemble;
mod error;
mod findings;
mod judgement;
mod load;
mod mammogram;
mod manifest;
mod pipeline;
mod pool;
mod result;
mod walk;

pub use collect::{BreastInputs, ExamInputs, FileInput, Inputs, collect};
pub use ensemble::{Ensemble, ImageOutputs};
pub use error::{Error, ErrorKind};
pub use findings::findings;
pub use judgement::Judgement;
pub use mammogram::{AttendedWindow, MammogramEnsemble, MemberView, TwoGraphs, ViewOutputs};
pub use manifest::{ManifestRow, read_manifest};
pub use pipeline::{AssessedExam, Assessor, Keep, Options, assess};
pub use pool::{MemberScores, Pooled, pool};
