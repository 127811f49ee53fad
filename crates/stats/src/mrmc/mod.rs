//! Multi-reader multi-case studies: several readers, the same cases, one or more modalities.
//!
//! Owns: the table of ratings ([`ReaderStudy`]), figures of merit with their covariances
//! ([`FigureTable`]), the Obuchowski–Rockette analysis ([`obuchowski_rockette`]), the U-statistic
//! analysis ([`u_statistics`]), readers against one algorithm ([`readers_against_standalone`]),
//! margins ([`Contrast`]) and the power of a planned study ([`StudyPlan`]). Does not own: ROC
//! curves ([`crate::roc`]), marks with a place ([`crate::location`]), generalized estimating
//! equations ([`crate::gee`]).
//!
//! Two sources of chance make such a study more than a paired test: other readers and other
//! cases. The Obuchowski–Rockette model takes the figure of each reader in each modality as one
//! observation whose errors are correlated because the cases are shared; U-statistics derive the
//! same variance from the ratings alone, for areas, in any design.
//!
//! ```
//! use lobule_stats::Confidence;
//! use lobule_stats::mrmc::*;
//! let truth = [false, false, false, false, true, true, true, true];
//! let ratings = [
//!     1., 2., 1., 3., 3., 4., 5., 2.,  2., 1., 3., 2., 5., 4., 4., 3., // without help
//!     1., 1., 2., 3., 4., 4., 5., 3.,  1., 2., 2., 3., 5., 4., 3., 4., // with help
//! ];
//! let study = ReaderStudy::from_grid(&truth, 2, 2, &ratings)?;
//! let table = FigureTable::new(&study, Figure::Auc, CovarianceMethod::DeLong)?;
//! let random = RandomFactors::ReadersAndCases;
//! let analysis = obuchowski_rockette(&table, random, Confidence::NINETY_FIVE)?;
//! let difference = &analysis.differences[0].contrast;
//! assert!(difference.interval.contains(0.0) && difference.p_value > 0.05);
//! # Ok::<(), lobule_stats::Error>(())
//! ```

mod components;
mod contrast;
mod design;
mod figure;
mod influence;
mod moments;
mod obuchowski_rockette;
mod pairs;
mod sample_size;
mod standalone;
mod study;
mod table;
mod ustatistic;

pub use components::{Components, MeanSquares};
pub use contrast::{Contrast, MarginTest};
pub use design::Layout;
pub use figure::{CovarianceMethod, Figure};
pub use moments::{PairMoments, WinComponents};
pub use obuchowski_rockette::{
    ModalityDifference, ModalityEstimate, OrAnalysis, OverallTest, RandomFactors, ReaderDifference,
    ReaderEstimate, obuchowski_rockette,
};
pub use sample_size::{Power, StudyPlan};
pub use standalone::{StandaloneComparison, readers_against_standalone};
pub use study::{Rating, ReaderStudy};
pub use table::FigureTable;
pub use ustatistic::{MomentEstimate, UAnalysis, UDifference, UEstimate, u_statistics};

pub(crate) use influence::Influence;
pub(crate) use study::check_cells;
