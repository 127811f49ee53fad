//! `lobule study standalone`.

use lobule_study::standalone::{Config, ThresholdRule, document, run as analyse};

use super::table::TableArgs;
use super::{BootstrapArgs, ReportArgs, about, finish, patiently, words};
use crate::failure::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    table: TableArgs,
    #[command(flatten)]
    report: ReportArgs,

    #[arg(long = "threshold", value_name = "RULE", value_delimiter = ',', value_parser = words::threshold_rule,
        default_value = "sensitivity=0.9,specificity=0.9", help = format!("How thresholds are chosen: {}", words::THRESHOLD_RULES))]
    thresholds: Vec<ThresholdRule>,

    #[command(flatten)]
    bootstrap: BootstrapArgs,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Failure> {
    let out = args.report.check()?;
    let study = args.table.read()?;
    let config = Config {
        confidence: args.report.confidence,
        thresholds: args.thresholds.clone(),
        n_replicates: args.bootstrap.replicates,
        seed: args.bootstrap.seed,
        ..Config::default()
    };
    let scores = study.scores()?;
    let what = format!("standalone, {} bootstrap replicates", config.n_replicates);
    let result = patiently(&what, || analyse(scores, &config))?;
    finish(out, &document(&result, &about()), &result)
}
