//! Model packages: what a trained model is, on disk.
//!
//! Owns: the manifest ([`Manifest`]), the folder around it ([`Package`]: members, hashes, digest),
//! the same as a zip file ([`import`], [`export`]),
//! what a slide model decides by ([`SlideRule`]), the table of predictions behind every figure ([`Predictions`]) and the map from a network's
//! score to a probability ([`Calibration`]). Does not own: running a member (`engine`), the
//! wiring's arithmetic (`assess`), statistics (`stats`); it only applies one to its own table
//! ([`figures()`]).
//!
//! ```no_run
//! # fn main() -> Result<(), lobule_package::Error> {
//! let package = lobule_package::Package::open("models/ultrasound")?;
//! let manifest = package.manifest();
//! println!("{} {} ({})", manifest.name, manifest.version, package.short_digest());
//! # Ok(())
//! # }
//! ```

mod archive;
mod calibration;
mod error;
mod figures;
mod files;
mod manifest;
mod package;
mod predictions;
mod prepare;
mod slide;
mod slide_predictions;
mod wiring;

pub use archive::{export, import};
pub use calibration::Calibration;
pub use error::{Error, ErrorKind};
pub use figures::{ABOVE_10, ABOVE_10_THRESHOLD, Figure, above_10, figures, stated_figures};
pub use files::sha256_of_file;
pub use lobule_exam::Modality;
pub use manifest::{
    FORMAT, FindingThresholds, GraphFile, Manifest, Member, OperatingPoint, Saliency, Status,
    TrainingData, read_names,
};
pub use package::{
    ACROSS_FILE, CARD_FILE, LICENCE_FILE, MANIFEST_FILE, MARKS_FILE, METRICS_FILE,
    PREDICTIONS_FILE, Package, RUNS_FILE,
};
pub use predictions::{Prediction, Predictions, Truth};
pub use prepare::Prepare;
pub use slide::{GRADE_CLASSES, GradeRule, RiskScale, SlideRule, TUMOR_CLASSES, TumorRule};
pub use slide_predictions::{SlidePrediction, TilePrediction, read_rows, write_rows};
pub use wiring::{
    AttentionMil, GlobalGraph, GlobalLocal, LOCAL_GRAPH, LocalGraph, TileClassifier, Wiring,
};
