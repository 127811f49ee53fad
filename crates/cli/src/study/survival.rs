//! `lobule study survival`.

use std::path::PathBuf;

use lobule_study::survival::{Config, document, run as analyse};
use lobule_study::table::{Only, SurvivalColumns, SurvivalTable};

use super::{ReportArgs, about, finish};
use crate::failure::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Follow-up, one row per subject: CSV, TSV or Parquet.
    table: PathBuf,
    #[command(flatten)]
    report: ReportArgs,

    /// Column of the time to the event or the end of follow-up.
    #[arg(long, value_name = "COLUMN", default_value = "time")]
    time: String,

    /// Column of the event: 0 censored, 1 the event, 2 and more competing events.
    #[arg(long, value_name = "COLUMN", default_value = "event")]
    event: String,

    /// The word or number for the event; every other is then censored.
    #[arg(long, value_name = "WORD")]
    event_word: Option<String>,

    /// Columns that put subjects into groups: a curve each; commas between.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    groups: Vec<String>,

    /// Columns of Cox's models; factor(NAME) takes numbers as categories; commas between.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    covariates: Vec<String>,

    /// Groups and categories that come first, in this order, in each column that has them: the first
    /// is the reference of hazard ratios; commas between [default: by name, numbers by size].
    #[arg(long, value_name = "LEVELS", value_delimiter = ',')]
    reference: Vec<String>,

    /// Only rows with this value in this column, or one of several: grade=2, er=positive|unknown. May be
    /// given more than once: all must hold.
    #[arg(long, value_name = "COLUMN=VALUE")]
    only: Vec<Only>,

    /// Column of the patient of several rows, for robust errors.
    #[arg(long, value_name = "COLUMN")]
    cluster: Option<String>,

    /// Columns whose values have a baseline hazard of their own; commas between.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    strata: Vec<String>,

    /// Times at which survival is told; commas between.
    #[arg(long, value_name = "TIMES", value_delimiter = ',')]
    at: Vec<f64>,

    /// End of the restricted mean [default: the shortest of the groups' last follow-ups].
    #[arg(long, value_name = "TIME")]
    horizon: Option<f64>,

    /// The time axis in words, with its unit.
    #[arg(long, value_name = "WORDS", default_value = "time")]
    time_unit: String,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Failure> {
    let out = args.report.check()?;
    let columns = SurvivalColumns {
        time: args.time.clone(),
        event: args.event.clone(),
        event_word: args.event_word.clone(),
        groups: args.groups.clone(),
        covariates: args.covariates.clone(),
        cluster: args.cluster.clone(),
        strata: args.strata.clone(),
        reference: args.reference.clone(),
        only: args.only.clone(),
    };
    let table = SurvivalTable::read(&args.table, &columns)?;
    let config = Config {
        confidence: args.report.confidence,
        times: args.at.clone(),
        horizon: args.horizon,
        time_unit: args.time_unit.clone(),
        ..Config::default()
    };
    let result = analyse(&table, &config)?;
    finish(out, &document(&result, &about()), &result)
}
