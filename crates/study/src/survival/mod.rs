//! Survival: curves by group, tests, proportional-hazards models, competing risks.
//!
//! Owns: the choice and order of analyses, their results and document. Does not own: the
//! statistics (`lobule_stats::survival`).
//!
//! Event codes above 1 are competing causes: curves, tests and models are then of cause 1 with
//! the others censored (cause-specific), and cumulative incidences stand beside them.
//!
//! ```
//! use lobule_study::survival::{Config, run};
//! use lobule_study::table::{SurvivalColumns, SurvivalTable};
//! # let folder = tempfile::tempdir().unwrap();
//! # let file = folder.path().join("t.csv");
//! # std::fs::write(&file, "time,event,risk\n5,1,high\n7,0,low\n3,1,high\n8,1,low\n").unwrap();
//! let columns = SurvivalColumns {
//!     time: "time".into(),
//!     event: "event".into(),
//!     groups: vec!["risk".into()],
//!     ..SurvivalColumns::default()
//! };
//! let result = run(&SurvivalTable::read(&file, &columns)?, &Config::default())?;
//! assert_eq!(result.groupings[0].curves[0].median.estimate, Some(4.0));
//! # Ok::<(), lobule_study::Error>(())
//! ```

mod curves;
mod document;
mod models;

use lobule_stats::Confidence;
use lobule_stats::survival::{CompetingFollowUp, SurvivalScale, Ties};
use serde::Serialize;

pub use curves::{Curve, Grouping, Incidence, Median, Pair, Step};
pub use document::document;
pub use models::{Model, Term};

use crate::Error;
use crate::table::{Input, SurvivalTable};
use crate::value::Found;

/// What is analysed and how.
///
/// ```
/// use lobule_study::survival::Config;
/// assert_eq!(Config::default().time_unit, "time");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Of every interval.
    pub confidence: Confidence,
    /// Of the intervals around survival.
    pub scale: SurvivalScale,
    /// Times at which survival is told.
    pub times: Vec<f64>,
    /// Of the restricted mean; `None`: the shortest of the groups' last follow-ups.
    pub horizon: Option<f64>,
    /// Of the Cox models.
    pub ties: Ties,
    /// The time axis in words, with its unit.
    pub time_unit: String,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            confidence: Confidence::NINETY_FIVE,
            scale: SurvivalScale::LogLog,
            times: Vec::new(),
            horizon: None,
            ties: Ties::Efron,
            time_unit: "time".into(),
        }
    }
}

/// The result of [`run`].
///
/// ```
/// use lobule_study::survival::Survival;
/// fn p(result: &Survival) -> Option<f64> { Some(result.groupings[0].log_rank.value()?.p_value) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Survival {
    /// The table.
    pub input: Input,
    /// Subjects analysed.
    pub n_subjects: usize,
    /// What rows had to hold to be read: `grade = 2`.
    pub only: Vec<String>,
    /// Rows left out because they do not hold that.
    pub n_others: usize,
    /// Rows left out for empty cells.
    pub n_incomplete: usize,
    /// Subjects by event code: censored, cause 1, ….
    pub n_by_code: Vec<usize>,
    /// 1 − α.
    pub confidence: f64,
    /// Of the intervals around survival.
    pub scale: String,
    /// Of the Cox models.
    pub ties: String,
    /// The time axis in words.
    pub time_unit: String,
    /// One per group column; one of all subjects without such columns.
    pub groupings: Vec<Grouping>,
    /// One model per covariate.
    pub univariable: Vec<Found<Model>>,
    /// All covariates together; `None` for fewer than two.
    pub multivariable: Option<Found<Model>>,
    /// Subdistribution hazards (Fine and Gray) of cause 1, all covariates together.
    pub subdistribution: Option<Found<Vec<Term>>>,
}

/// Analyses follow-up. What one part of the data does not allow is said in the result.
///
/// # Errors
/// [`crate::ErrorKind::Statistic`] by follow-up that cannot be analysed at all.
pub fn run(table: &SurvivalTable, config: &Config) -> Result<Survival, Error> {
    let competing = CompetingFollowUp::new(table.times(), table.causes())?;
    let n_codes = 1 + table.causes().iter().max().copied().unwrap_or(0);
    let mut n_by_code = vec![0; n_codes];
    for &cause in table.causes() {
        n_by_code[cause] += 1;
    }
    let is_competing = n_codes > 2;
    let many = table.covariates().len() > 1;
    Ok(Survival {
        input: table.input().clone(),
        n_subjects: table.times().len(),
        only: table.only().iter().map(ToString::to_string).collect(),
        n_others: table.n_others(),
        n_incomplete: table.n_incomplete(),
        confidence: config.confidence.level(),
        scale: scale_words(config.scale).to_owned(),
        ties: ties_words(config.ties).to_owned(),
        time_unit: config.time_unit.clone(),
        groupings: curves::groupings(table, &competing, n_codes, config)?,
        univariable: models::univariable(table, &competing, config),
        multivariable: many.then(|| models::multivariable(table, &competing, config)),
        subdistribution: (is_competing && !table.covariates().is_empty())
            .then(|| models::subdistribution(table, &competing, config)),
        n_by_code,
    })
}

fn scale_words(scale: SurvivalScale) -> &'static str {
    match scale {
        SurvivalScale::Plain => "plain",
        SurvivalScale::Log => "log",
        SurvivalScale::LogLog => "log-log",
    }
}

fn ties_words(ties: Ties) -> &'static str {
    match ties {
        Ties::Efron => "Efron",
        Ties::Breslow => "Breslow",
        Ties::Exact => "exact",
    }
}
