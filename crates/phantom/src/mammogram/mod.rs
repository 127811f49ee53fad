//! Synthetic mammograms with known truth: four consistent views of two breasts.
//!
//! Owns: the breasts' shape, their texture, lesions that lie in the same place in both views, the
//! look of digital pictures and of scanned films; exams to train on ([`training_exams`]), written
//! sets ([`write_training_set`]) and the demonstration ([`write_demo_exam`]). Does not own: DICOM
//! (`dicomio`).
//!
//! What is kept between the two views of a breast is the depth behind the nipple along the nipple
//! line: along the rows in the cranio-caudal view, across the pectoral muscle's edge in the
//! oblique one. The texture follows the power law that mammograms show, with a spectrum that
//! falls as frequency to the power −β, β about 3: Burgess, Proc SPIE 3661 (1999) 642–653,
//! doi:10.1117/12.348620; Burgess, Jacobson and Judy, Med Phys 28 (2001) 419–437,
//! doi:10.1118/1.1355308. Everything else was chosen by eye.
//!
//! ```
//! use lobule_exam::Laterality;
//! use lobule_phantom::mammogram::{ExamPlan, LesionKind, LesionPlan, render_exam};
//! let lesion = LesionPlan::typical(Laterality::Left, LesionKind::Spiculated);
//! let plan = ExamPlan { spacing_mm: 1.0, lesions: vec![lesion], ..ExamPlan::default() };
//! let exam = render_exam(&plan, 7);
//! let truths: Vec<_> = exam.views.iter().flat_map(|view| &view.lesions).collect();
//! assert_eq!(truths.len(), 2, "one lesion in two views");
//! assert_eq!(truths[0].depth_mm, truths[1].depth_mm);
//! ```

mod body;
mod demo;
mod encodings;
mod exam;
mod film;
mod plan;
mod shape;
mod texture;
mod tissue;
mod training;
mod view;
mod write;

pub use demo::{DemoMammograms, write_demo_exam};
pub use encodings::{NamedEncoding, encodings};
pub use exam::{MammogramExam, MammogramView, ProjectedLesion, render_exam};
pub use lobule_exam::Medium;
pub use plan::{Density, ExamPlan, LesionKind, LesionPlan};
pub use training::{TrainingPlan, WrittenView, training_exam, training_exams, write_training_set};
pub use write::write_dicom_exam;
