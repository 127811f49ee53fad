//! `lobule study standalone`.

use lobule_stats::Confidence;
use lobule_study::standalone::{Config, ThresholdRule, document, run as analyse};

use super::table::TableArgs;
use super::{OutArgs, about, finish, words};
use crate::failure::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    table: TableArgs,
    #[command(flatten)]
    out: OutArgs,

    #[arg(long = "threshold", value_name = "RULE", value_delimiter = ',', value_parser = words::threshold_rule,
        default_value = "sensitivity=0.9,specificity=0.9", help = format!("How thresholds are chosen: {}", words::THRESHOLD_RULES))]
    thresholds: Vec<ThresholdRule>,

    /// Bootstrap replicates of the interval of average precision; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    replicates: usize,

    /// Seed of the bootstrap.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Level of every interval.
    #[arg(long, value_name = "LEVEL", default_value = "0.95", value_parser = words::confidence)]
    confidence: Confidence,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Failure> {
    let out = args.out.check()?;
    let study = args.table.read()?;
    let config = Config {
        confidence: args.confidence,
        thresholds: args.thresholds.clone(),
        n_replicates: args.replicates,
        seed: args.seed,
        ..Config::default()
    };
    let result = analyse(study.scores()?, &config)?;
    finish(out, &document(&result, &about()), &result)
}
