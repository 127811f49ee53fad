//! Statistics for diagnostic scores: how well they rank, what they decide, and whether their
//! probabilities can be believed.
//!
//! Owns: empirical ROC curves with DeLong's variance and thresholds by what they are to achieve
//! ([`roc`]), decisions at a threshold ([`operating`]) and what they are worth ([`decision_curve`]),
//! reader and algorithm combined ([`hybrid`]), algorithms in the reading room ([`triage`]),
//! proportions ([`proportion`]), reader studies ([`mrmc`]), marks with a place ([`location`]),
//! correlated decisions ([`gee`]), permutation tests ([`permutation`]), several tests at once
//! ([`multiplicity`]), calibration ([`calibration`]), change of prevalence ([`prevalence`]),
//! survival ([`survival`]) and the clustered bootstrap ([`bootstrap`]). Does not own: tables in
//! files, figures and reports (`report`), models.
//!
//! Everything here is a function of its arguments: no clock, file, environment or global random
//! state; seeds are passed in, and no result depends on the number of threads. Truth is a slice of
//! `bool` (`true` = the disease is present), a higher score means more suspicious, and a case is
//! flagged when `score ≥ threshold`. NaN and infinite scores are refused.
//!
//! ```
//! use lobule_stats::{Confidence, roc::{AucScale, Roc}};
//! let scores = [0.1, 0.3, 0.35, 0.8, 0.6, 0.9];
//! let truth = [false, false, true, false, true, true];
//! let roc = Roc::new(&scores, &truth)?;
//! assert_eq!(roc.auc(), 7.0 / 9.0);
//! let interval = roc.auc_interval(Confidence::NINETY_FIVE, AucScale::Logit)?;
//! assert!(interval.contains(roc.auc()));
//! # Ok::<(), lobule_stats::Error>(())
//! ```

pub mod bootstrap;
pub mod calibration;
pub mod decision_curve;
pub mod gee;
pub mod hybrid;
pub mod location;
pub mod mrmc;
pub mod multiplicity;
pub mod operating;
pub mod permutation;
pub mod prevalence;
pub mod proportion;
pub mod roc;
pub mod survival;
pub mod triage;

mod cases;
mod clusters;
mod distribution;
mod error;
mod interval;
mod levels;
mod matrix;
mod newton;

pub use clusters::Clusters;
pub use error::{Error, ErrorKind};
pub use interval::{Confidence, Interval};
