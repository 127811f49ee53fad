//! Training on the tiles of slides: which of them are tumor, and whether tumor looks like grade 1 or 3.
//!
//! Owns: adapters of published sets, annotated regions, which tiles are taken, cached features of a
//! frozen encoder, heads in bagged ensembles, the score of a slide's tiles and its cutoff, the record, predictions made anew.
//! Does not own: slides' files, tissue, stains (`slide`, `raster`), the networks (`model`), the rule that
//! a package states (`package`).
//!
//! ```no_run
//! use lobule_slide::{SlideLimits, open_slide};
//! use lobule_train::slide::{SlideRunConfig, train_slides};
//! use lobule_train::{Host, Silent};
//! let config = SlideRunConfig::read("models/slide-tumor/train/fold-1.toml".as_ref())?;
//! let open = |file: &std::path::Path| Ok(open_slide(file, &SlideLimits::default())?);
//! let outcome = train_slides(&config, "runs/fold-1".as_ref(), &Host::default(), &open, &mut Silent)?;
//! println!("{} tiles predicted", outcome.tiles.len());
//! # Ok::<(), lobule_train::Error>(())
//! ```

mod again;
mod assemble;
mod case;
mod config;
mod data;
mod encoder;
mod fit;
mod geojson;
mod layouts;
mod record;
mod regions;
mod run;
mod score;
mod tiles;

pub use again::{SlidesAgain, predict_slides_again};
pub use assemble::{SlidePackageDescription, assemble_slides};
pub use case::{Content, MaskCodes, Regions, SlideCase};
pub use config::{
    Look, ScoreConfig, SlideRunConfig, SlideSetConfig, SlideTask, TileChoice, TileNetworkConfig,
    TileOptimizerConfig, TumorSource, Unannotated,
};
pub use data::SkippedSlide;
pub use layouts::SlideLayout;
pub use run::{SlideObserver, SlideOpener, SlideOutcome, train_slides};
pub use score::Cutoff;

use std::path::Path;

use crate::Error;

/// The slides of a set, as its layout says.
///
/// # Errors
/// When a table or folder is not of the layout (file and line are named), or nothing is found.
pub fn read_slide_set(set: &SlideSetConfig, root: &Path) -> Result<Vec<SlideCase>, Error> {
    set.layout.read(set, &root.join(&set.path))
}
