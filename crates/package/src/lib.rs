//! Model packages: what a trained model is, on disk.
//!
//! Owns: the manifest ([`Manifest`]), the folder around it ([`Package`]: members, hashes, digest),
//! the same as a zip file ([`import`], [`export`]),
//! the table of predictions behind every figure ([`Predictions`]) and the map from a network's
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
mod wiring;

pub use archive::{export, import};
pub use calibration::Calibration;
pub use error::{Error, ErrorKind};
pub use figures::{Figure, figures, stated_figures};
pub use files::sha256_of_file;
pub use manifest::{
    FORMAT, FindingThresholds, GraphFile, Manifest, Member, Modality, OperatingPoint, Prepare,
    Saliency, Status, TrainingData,
};
pub use package::{
    ACROSS_FILE, CARD_FILE, MANIFEST_FILE, METRICS_FILE, PREDICTIONS_FILE, Package, RUNS_FILE,
};
pub use predictions::{Prediction, Predictions, Truth};
pub use wiring::{AttentionMil, GlobalGraph, GlobalLocal, LOCAL_GRAPH, LocalGraph, Wiring};
