//! Survival analysis: times to an event, some of them cut off by the end of follow-up.
//!
//! Owns: Kaplan–Meier curves ([`KaplanMeier`]), the log-rank test ([`log_rank`]), restricted means
//! ([`restricted_mean`]), Cox's model ([`fit_cox`]), concordance ([`concordance()`],
//! [`uno_concordance`]), accuracy at a time ([`time_dependent_auc`], [`survival_brier_score`]),
//! competing risks ([`CumulativeIncidence`], [`fit_fine_gray`]) and re-stratification
//! ([`restratify`]). Does not own: tables in files, figures, entry after time 0, covariates that
//! change with time, Gray's test.
//!
//! ```
//! use lobule_stats::survival::{FollowUp, KaplanMeier, LogRankConfig, log_rank};
//! let follow_up = FollowUp::new(&[3.0, 5.0, 5.0, 8.0], &[true, false, true, true])?;
//! assert_eq!(KaplanMeier::new(&follow_up).survival_at(4.0), 0.75);
//! let comparison = log_rank(&follow_up, &[0, 1, 0, 1], &LogRankConfig::default())?;
//! assert!(comparison.test.p_value > 0.05);
//! # Ok::<(), lobule_stats::Error>(())
//! ```

mod censoring;
mod chi_square;
mod competing;
mod concordance;
mod cox;
mod fine_gray;
mod follow_up;
mod kaplan_meier;
mod log_rank;
mod prediction_error;
mod restratification;
mod restricted_mean;

pub use chi_square::ChiSquareTest;
pub use competing::{CompetingFollowUp, CumulativeIncidence, IncidenceStep};
pub use concordance::{Concordance, ConcordanceConfig, concordance, uno_concordance};
pub use cox::{
    Covariates, Cox, CoxConfig, CoxTerm, PredictedStep, PredictedSurvival, ProportionalHazards,
    SchoenfeldResidual, Ties, TimeTransform, fit_cox,
};
pub use fine_gray::{FineGray, fit_fine_gray};
pub use follow_up::FollowUp;
pub use kaplan_meier::{KaplanMeier, RiskTableRow, SurvivalQuantile, SurvivalScale, SurvivalStep};
pub use log_rank::{
    LogRank, LogRankConfig, LogRankGroup, PairwiseLogRank, log_rank, pairwise_log_rank,
};
pub use prediction_error::{
    TimeAuc, integrated_brier_score, survival_brier_score, time_dependent_auc,
};
pub use restratification::{
    HazardRatio, RestratificationConfig, RestratifiedCell, RestratifiedGroup, restratify,
};
pub use restricted_mean::{
    BeyondFollowUp, RestrictedMean, RestrictedMeanComparison, compare_restricted_means,
    restricted_mean,
};
