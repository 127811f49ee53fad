//! Assessments and statistics as JSON, CSV, PNG and HTML.
//!
//! Owns: documents of a study ([`document`]) and their figures ([`chart`]), the wire format of results (`schema/assessment-1.2.json`), the summary table, heat maps,
//! the pages, and the layout of the output folder ([`Folder`]); the same of whole slides ([`slide`]). Does not own: any score, threshold
//! or decision; those arrive finished in an `Assessment`.
//!
//! Memory: one exam at a time, plus one line per exam for the worklist.
//!
//! ```no_run
//! use lobule_exam::Modality;
//! use lobule_report::{Calibration, Folder, Layout, ModelInfo, ModelStatus, RunInfo};
//! # fn records() -> Vec<lobule_report::ExamRecord> { Vec::new() }
//! # fn main() -> Result<(), lobule_report::Error> {
//! let info = RunInfo {
//!     program_version: "0.1.0".into(),
//!     model: ModelInfo {
//!         name: "ultrasound".into(),
//!         version: "1".into(),
//!         modality: Modality::Ultrasound,
//!         digest: "sha256:…".into(),
//!         engine: "rten".into(),
//!         members: 4,
//!         status: ModelStatus::Research,
//!         research_use: lobule_report::NOTICE.into(),
//!     },
//!     operating_point: None,
//!     calibration: Calibration::None,
//! };
//! let mut folder = Folder::create("out".as_ref(), vec![info], Layout::default())?;
//! for record in records() {
//!     folder.add(&record)?;
//! }
//! println!("{}", folder.finish(&[])?.display());
//! # Ok(())
//! # }
//! ```

pub mod chart;
mod color_map;
mod density;
pub mod document;
mod error;
mod folder;
mod heat_map;
mod html;
mod json;
mod letters;
mod names;
mod pdf;
mod run_info;
mod shown;
pub mod slide;
mod summary;

pub use color_map::heat_color;
pub use error::{Error, ErrorKind};
pub use folder::{ExamRecord, Folder, HeatMaps, Layout, Pages, Surroundings};
pub use heat_map::{HeatMapLabel, heat_map};
pub use html::{EvaluationPage, Figure, ReliabilityBin, RocCurve, ThresholdRow};
pub use json::{AssessmentWriter, SCHEMA, SCHEMA_VERSION};
pub use names::{UniqueNames, safe_name};
pub use pdf::exam_pdf;
pub use run_info::{Calibration, ModelInfo, ModelStatus, RunInfo};
pub use summary::{SummaryStatus, SummaryWriter};

/// Stands on every page and in every document.
pub const NOTICE: &str = "Research use only. Not for diagnosis.";
