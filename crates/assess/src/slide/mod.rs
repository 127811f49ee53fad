//! From a slide to its assessment: tissue, tumor, score, risk.
//!
//! Owns: which inputs are slides ([`collect_slides`]), the networks of slide models
//! ([`SlideModels`]), the streaming run over a slide's squares ([`assess_slide`]), what was done before
//! a run was broken off ([`Journal`]), from squares to the slide's score. Does not own: slides and their
//! squares (`slide`), stains (`raster`), the package format (`package`), any output file (`report`).
//!
//! Threads take squares in turn: each reads, judges, normalizes and runs its own networks, so that
//! decoding and networks share all cores and nothing waits. Memory is that of the overview, a few
//! decoded tiles and one line per square.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use lobule_assess::slide::{Journal, SlideModels, SlideOptions, assess_slide, collect_slides, open_input};
//! use lobule_package::Package;
//! let (tumor, grade) = (Package::open("models/slide-tumor")?, Package::open("models/slide-grade")?);
//! let mut models = SlideModels::open(&tumor, Some(&grade), &SlideOptions::default())?;
//! for input in collect_slides(&["slide.svs".into()], None)?.slides {
//!     let source = open_input(&input)?;
//!     let mut journal = Journal::none();
//!     let slide = assess_slide(&source, &input, &mut models, &mut journal, &|_, _| ())?;
//!     println!("{}: {:?}", slide.assessment.slide, slide.assessment.grade);
//! }
//! # Ok(())
//! # }
//! ```

mod collect;
mod components;
mod journal;
mod models;
mod network;
mod run;
mod score;
mod table;

pub use collect::{SlideInput, SlideInputs, are_slides, collect_slides};
pub use journal::Journal;
pub use models::{SlideModels, SlideOptions};
pub use run::{AssessedSlide, GalleryTile, assess_slide, open_input};
