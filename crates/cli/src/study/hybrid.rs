//! `lobule study hybrid`.

use lobule_stats::Confidence;
use lobule_study::hybrid::{Blend, Config, Held, document, run as analyse};

use super::table::TableArgs;
use super::{OutArgs, about, finish, words};
use crate::failure::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    table: TableArgs,
    #[command(flatten)]
    out: OutArgs,

    /// Readers flag (recall, send to biopsy) from this rating on.
    #[arg(long, value_name = "RATING")]
    threshold: f64,

    /// How reader and algorithm are combined: mean, weight=SHARE of the algorithm, max,
    /// logistic=FOLDS (cross-fitted).
    #[arg(long, value_name = "NAME", default_value = "mean", value_parser = words::blend)]
    blend: Blend,

    /// What is held at each reader's own: sensitivity or specificity.
    #[arg(long, value_name = "NAME", default_value = "sensitivity", value_parser = words::held)]
    hold: Held,

    /// Bootstrap replicates of the intervals of means; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    replicates: usize,

    /// Seed of the bootstrap and of the folds.
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
        blend: args.blend,
        held: args.hold,
        confidence: args.confidence,
        n_replicates: args.replicates,
        seed: args.seed,
        ..Config::at(args.threshold)
    };
    let result = analyse(study.scores()?, &config)?;
    finish(out, &document(&result, &about()), &result)
}
