//! `lobule study hybrid`.

use lobule_study::hybrid::{Blend, Config, Held, document, run_watched};

use super::table::TableArgs;
use super::{BootstrapArgs, ReportArgs, about, counted, finish, words};
use crate::failure::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    table: TableArgs,
    #[command(flatten)]
    report: ReportArgs,

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

    #[command(flatten)]
    bootstrap: BootstrapArgs,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Failure> {
    let out = args.report.check()?;
    let study = args.table.read()?;
    let config = Config {
        blend: args.blend,
        held: args.hold,
        confidence: args.report.confidence,
        n_replicates: args.bootstrap.replicates,
        seed: args.bootstrap.seed,
        ..Config::at(args.threshold)
    };
    let scores = study.scores()?;
    let result = counted("hybrid, bootstrap", |watch| {
        run_watched(scores, &config, watch)
    })?;
    finish(out, &document(&result, &about()), &result)
}
