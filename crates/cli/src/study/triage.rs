//! `lobule study triage`.

use lobule_stats::triage::TriageRule;
use lobule_study::triage::{Config, document, run as analyse};

use super::table::TableArgs;
use super::{ReportArgs, about, finish, words};
use crate::failure::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    table: TableArgs,
    #[command(flatten)]
    report: ReportArgs,

    /// Readers recall from this rating on.
    #[arg(long, value_name = "RATING")]
    recall_from: f64,

    #[arg(long = "rule", value_name = "RULE", required = true, value_parser = words::triage_rule,
        help = format!("What the algorithm does; may be given several times: {}", words::TRIAGE_RULES))]
    rules: Vec<TriageRule>,

    /// Readers who read first [default: every person but those named below].
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    first_readers: Vec<String>,

    /// The reader of every case after the first.
    #[arg(long, value_name = "NAME")]
    second_reader: Option<String>,

    /// Who decides where the two disagree.
    #[arg(long, value_name = "NAME")]
    arbiter: Option<String>,

    /// The reader whose ratings are recommended biopsies (1 and 0), for PPV2.
    #[arg(long, value_name = "NAME")]
    biopsy_recommended: Option<String>,

    /// The reader whose ratings are biopsies done (1 and 0), for PPV3.
    #[arg(long, value_name = "NAME")]
    biopsy_performed: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Failure> {
    let out = args.report.check()?;
    let study = args.table.read()?;
    let config = Config {
        first_readers: args.first_readers.clone(),
        second_reader: args.second_reader.clone(),
        arbiter: args.arbiter.clone(),
        biopsy_recommended: args.biopsy_recommended.clone(),
        biopsy_performed: args.biopsy_performed.clone(),
        rules: args.rules.clone(),
        confidence: args.report.confidence,
        ..Config::at(args.recall_from)
    };
    let result = analyse(study.scores()?, &config)?;
    finish(out, &document(&result, &about()), &result)
}
