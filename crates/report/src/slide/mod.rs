//! Results of whole slides: tables, maps, outlines for QuPath, pages.
//!
//! Owns: the layout of a run's folder ([`SlideFolder`]), the document of slides
//! (`schema/slides-2.1.json`), `tiles.csv`, `summary.csv` and `cohort.csv`, tumor and score maps, the
//! gallery, GeoJSON, the pages, the components of the Nottingham grade as an explanation. Does not own:
//! any score or level; those arrive finished in a `SlideAssessment`.
//!
//! What a demonstration model gave says so wherever it stands: in every file's name of a level, on every
//! picture, at the head of every page.

mod components;
mod document;
mod folder;
mod geojson;
mod page;
mod pictures;
mod run;
mod tables;

pub use document::{SLIDES_SCHEMA, SLIDES_SCHEMA_VERSION};
pub use folder::{ShownTile, SlideFolder, SlidePages, SlideRecord};
pub use run::{GradingInfo, SlideRunInfo};
pub use tables::RESULT_COLUMNS;

/// Stands wherever a demonstration model has graded.
pub const NO_GRADE: &str = "DEMONSTRATION MODEL: no grade may be read from this.";
/// Stands wherever a demonstration model has looked for tumor.
pub const NO_TUMOR: &str = "DEMONSTRATION MODEL: no tumor may be read from this.";
