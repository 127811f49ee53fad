//! Score tables in, analyses out: reader studies, standalone algorithms, reader and algorithm
//! combined, triage, survival, sample sizes, calibration.
//!
//! Owns: the formats of tables and their checks ([`table`]), and each analysis from table to typed
//! result and document. Does not own: statistics (`lobule_stats`), drawing (`lobule_report`),
//! command lines.
//!
//! ```
//! use lobule_study::table::{ReadConfig, Study};
//! # let folder = tempfile::tempdir().unwrap();
//! # let file = folder.path().join("ratings.csv");
//! # std::fs::write(&file, "reader,modality,case,truth,rating\nann,film,c1,0,1\nann,film,c2,1,4\n").unwrap();
//! let study = Study::read(&file, &ReadConfig::default())?;
//! assert_eq!(study.scores()?.readers().len(), 1);
//! # Ok::<(), lobule_study::Error>(())
//! ```

pub mod calibrate;
pub mod hybrid;
pub mod plan;
pub mod readers;
pub mod standalone;
pub mod survival;
pub mod table;
pub mod triage;

mod error;
mod page;
mod value;

pub use error::{Error, ErrorKind};
pub use page::About;
pub use value::{ChiSquare, Decisions, Difference, Estimate, Found, Margin, Share};
