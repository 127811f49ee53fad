//! Synthetic slides of breast cancer, stained with haematoxylin and eosin, with known truth; and cohorts
//! of patients whose recurrences follow a known hazard.
//!
//! Owns: the section, its nests, glands and nuclei, stains, scanners and artefacts ([`SyntheticSlide`]),
//! pyramidal TIFF files ([`write_tiff`]), the truth beside them ([`write_slide`]), patients and
//! their table ([`Cohort`]), slides that are drawn where they are read ([`DrawnSlide`]). Does not own:
//! reading slides (`slide`), DICOM (`dicomio`).
//!
//! A pixel is a function of plan, seed and place. Whatever is repeated (nests, glands, nuclei) lies
//! on jittered grids whose every cell draws its numbers from a hash of its address, so that
//! neighbouring tiles agree and the memory does not grow with the slide. What follows the grade are the
//! three parts of the Nottingham system: tubules, nuclei, mitoses. Sizes and colours were chosen by eye;
//! a phantom proves that the mechanics work, never that a model is good. Every slide says `SYNTHETIC`
//! on its glass, in small letters all over the section, and in its file.
//!
//! ```
//! use lobule_exam::PixelBox;
//! use lobule_phantom::slide::{SlidePlan, SyntheticSlide};
//! let plan = SlidePlan { grade: 3.0, ..SlidePlan::default() };
//! let slide = SyntheticSlide::new(plan, 7);
//! let window = PixelBox { row: 2048, col: 2048, rows: 64, cols: 64 };
//! assert_eq!(slide.draw(window), slide.draw(window));
//! assert!(slide.nests().count() > 10);
//! ```

mod anatomy;
mod artefacts;
mod cohort;
mod draw;
mod hash;
mod lettering;
mod nuclei;
mod optics;
mod plan;
mod source;
mod tiff;
mod write;

pub use cohort::{Cohort, CohortPlan, Patient, SlideLooks};
pub use draw::SyntheticSlide;
pub use plan::{BlurPatch, Fold, PenStroke, Scanner, SlidePlan, Stain};
pub use source::DrawnSlide;
pub use tiff::write_tiff;
pub use write::{
    WrittenSlide, write_cohort, write_cohort_plans, write_cohort_tables, write_plan, write_slide,
};
