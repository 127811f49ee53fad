//! Synthetic breast ultrasound, mammograms and slides with known truth, for the demo and for tests of the mechanics.
//!
//! Owns: the physics ([`render`]: tissue layers, lesions, attenuation, speckle), the screen around
//! the sonogram, and two ready-made sets ([`write_demo_exams`], [`write_training_set`]); and
//! [`mammogram`], the same for mammograms; [`slide`], whole slides and cohorts with follow-up.
//! Does not own: DICOM (`dicomio`), anything learned or scored. A phantom proves that the
//! mechanics work, never that a model is good: every picture, table and file says `SYNTHETIC`.
//!
//! ```
//! use lobule_phantom::{ImagePlan, Layout, LesionKind, LesionPlan, render};
//! let plan = ImagePlan {
//!     layout: Layout::Bare { rows: 96, cols: 96 },
//!     lesion: Some(LesionPlan::typical(LesionKind::Cyst)),
//!     ..ImagePlan::default()
//! };
//! let phantom = render(&plan, 7);
//! assert_eq!(phantom.screen, render(&plan, 7).screen);
//! assert!(phantom.lesion.expect("planned").mask.pixels().contains(&true));
//! ```

mod beams;
mod demo;
mod error;
mod font;
mod lesion;
pub mod mammogram;
mod noise;
mod plan;
mod render;
mod screen;
pub mod slide;
mod speckle;
mod tissue;
mod training;

pub use demo::{DemoExam, DemoImage, write_demo_exams};
pub use error::{Error, ErrorKind};
pub use plan::{
    Calcifications, Callipers, Composition, ImagePlan, Layout, LesionKind, LesionPlan, Transducer,
};
pub use render::{Lesion, PhantomImage, render, render_cine};
pub use training::{TrainingCase, write_training_set};
