//! `lobule study calibrate`.

use lobule_stats::calibration::Binning;
use lobule_study::calibrate::{Config, Recalibration, document, run as analyse};

use super::table::TableArgs;
use super::{ReportArgs, about, finish, words};
use crate::failure::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    table: TableArgs,
    #[command(flatten)]
    report: ReportArgs,

    /// Bins of the reliability diagram: equal-mass=N or equal-width=N.
    #[arg(long, value_name = "NAME", default_value = "equal-mass=10", value_parser = words::binning)]
    bins: Binning,

    /// What is fitted: none, platt, temperature or isotonic=CLIP.
    #[arg(long, value_name = "NAME", default_value = "platt", value_parser = words::recalibration)]
    recalibrate: Recalibration,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Failure> {
    let out = args.report.check()?;
    let study = args.table.read()?;
    let config = Config {
        binning: args.bins,
        recalibration: args.recalibrate,
        confidence: args.report.confidence,
        ..Config::default()
    };
    let result = analyse(study.scores()?, &config)?;
    finish(out, &document(&result, &about()), &result)
}
