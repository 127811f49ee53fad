//! Studies in which readers say where: free-response (FROC) and localization (LROC) marks.
//!
//! Owns: the table of marks ([`LocationStudy`]), curves ([`location_curve`]) and figures of merit
//! with jackknife covariances ([`location_table`]), which the analyses of [`crate::mrmc`] take.
//! Does not own: the judgement whether a mark hits a lesion, which needs the image.
//!
//! ```
//! use lobule_stats::Confidence;
//! use lobule_stats::location::*;
//! use lobule_stats::mrmc::{RandomFactors, obuchowski_rockette};
//! let lesion = |case| LesionTruth { case, lesion: Some("a"), weight: None };
//! let truth = [LesionTruth::none("c1"), LesionTruth::none("c2"), lesion("c3"), lesion("c4")];
//! let mark = |reader, modality, case, lesion, rating| Mark { reader, modality, case, lesion, rating };
//! let study = LocationStudy::new(truth, [
//!     mark("ann", "2D", "c1", None, 2.0), mark("ann", "2D", "c3", Some("a"), 3.0),
//!     mark("ann", "3D", "c2", None, 1.0), mark("ann", "3D", "c4", Some("a"), 4.0),
//!     mark("bob", "2D", "c1", None, 3.0), mark("bob", "3D", "c4", Some("a"), 2.0),
//! ])?;
//! let table = location_table(&study, LocationFigure::WeightedAfroc)?;
//! let random = RandomFactors::ReadersAndCases;
//! let analysis = obuchowski_rockette(&table, random, Confidence::NINETY_FIVE)?;
//! assert!(analysis.differences[0].contrast.estimate < 0.0);
//! # Ok::<(), lobule_stats::Error>(())
//! ```

mod curve;
mod figures;
mod study;
mod wins;

pub use curve::{CurvePoint, LocationCurve, location_curve};
pub use figures::{LocationFigure, location_table};
pub use study::{LesionTruth, LocationStudy, Mark};
