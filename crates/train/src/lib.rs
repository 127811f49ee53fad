//! Training on labelled images, and on the tiles of slides ([`slide`]).
//!
//! Owns: data set adapters, grouped splits, augmentation, bags, the loop with its checkpoints, and
//! the record of a run. Does not own: networks (`model`), preparation (`raster`), figures (`stats`).
//!
//! One run trains one network on all groups but those left out, and predicts the left-out ones:
//!
//! ```no_run
//! use lobule_train::{Host, RunConfig, Silent, train};
//! let config: RunConfig = RunConfig::read("models/ultrasound/train.toml".as_ref())?;
//! let outcome = train(&config, "runs/fold-1".as_ref(), &Host::default(), &mut Silent)?;
//! println!("{} predictions", outcome.predictions.len());
//! # Ok::<(), lobule_train::Error>(())
//! ```

mod assemble;
mod augment;
mod bags;
mod checkpoint;
mod compute;
mod config;
mod config_check;
mod curves;
mod data;
mod dataset;
mod error;
mod images;
mod initial;
mod layouts;
mod lesion;
mod location;
mod mammogram;
mod marks;
mod optimizer;
mod patches;
mod predict;
mod record;
mod run;
mod run_row;
pub mod slide;
mod sonogram;
mod split;
mod step;

pub use assemble::{PackageDescription, Runs, assemble, refresh};
pub use augment::{Augmentation, augment};
pub use bags::{Bag, compose_bags};
pub use compute::Compute;
pub use config::{
    AugmentConfig, DataConfig, Flip, KeptEpoch, LabelUse, LeaveOut, NetworkConfig, OptimizerConfig,
    PatchConfig, RunConfig, Stage,
};
pub use dataset::{Case, Label, read_data_set};
pub use error::{Error, ErrorKind};
pub use layouts::Layout;
pub use lesion::LesionFacts;
pub use location::MapMark;
pub use marks::{Mark, Shape};
pub use record::{EpochRecord, LesionOutcome, Prediction, write_predictions};
pub use run::{Host, Observer, Outcome, Silent, predict_again, train};
pub use split::{Fold, assign_folds};
