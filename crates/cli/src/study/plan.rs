//! `lobule study plan`.

use std::path::PathBuf;

use lobule_study::plan::{Config, Pilot, document, run as analyse};
use lobule_study::readers::{Variances, run as analyse_readers};

use super::readers::MethodArgs;
use super::table::TableOptions;
use super::{ReportArgs, about, finish};
use crate::failure::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Ratings of a pilot study with two modalities, one row per rating; or give the variances.
    #[arg(required_unless_present = "variances", conflicts_with = "variances")]
    pilot: Option<PathBuf>,
    #[command(flatten)]
    options: TableOptions,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    method: MethodArgs,

    /// Components of the Obuchowski-Rockette model: reader x modality, error, Cov1, Cov2, Cov3;
    /// commas between.
    #[arg(
        long,
        value_name = "VALUES",
        value_delimiter = ',',
        num_args = 5,
        requires = "pilot_cases"
    )]
    variances: Option<Vec<f64>>,

    /// Cases that the error variance and the covariances stand for.
    #[arg(long, value_name = "N")]
    pilot_cases: Option<usize>,

    /// The difference of two modalities that should be found.
    #[arg(long, value_name = "DIFFERENCE", default_value_t = Config::default().difference)]
    difference: f64,

    /// With this probability.
    #[arg(long, value_name = "PROBABILITY", default_value_t = Config::default().power)]
    power: f64,

    /// Numbers of readers to consider; commas between.
    #[arg(long, value_name = "N", value_delimiter = ',')]
    n_readers: Vec<usize>,

    /// Numbers of cases to consider, in the pilot's mixture; commas between.
    #[arg(long, value_name = "N", value_delimiter = ',')]
    n_cases: Vec<usize>,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Failure> {
    let out = args.report.check()?;
    let default = Config::default();
    let or = |given: &[usize], default: Vec<usize>| match given.is_empty() {
        true => default,
        false => given.to_vec(),
    };
    let config = Config {
        difference: args.difference,
        power: args.power,
        readers: or(&args.n_readers, default.readers),
        cases: or(&args.n_cases, default.cases),
        random: args.method.random,
        confidence: args.report.confidence,
    };
    let result = analyse(pilot(args)?, &config)?;
    finish(out, &document(&result, &about()), &result)
}

fn pilot(args: &Args) -> Result<Pilot, Failure> {
    if let Some(path) = &args.pilot {
        let study = args.options.read(path)?;
        return Ok(Pilot::of(&analyse_readers(&study, &args.method.config())?)?);
    }
    let values = args.variances.as_deref().unwrap_or_default();
    let (&[interaction, error, cov1, cov2, cov3], Some(n_cases)) = (values, args.pilot_cases)
    else {
        return Err(Failure::usage(
            "expected a pilot study, or five variances and the pilot's number of cases",
        ));
    };
    Ok(Pilot {
        source: "variances given on the command line".into(),
        input: None,
        n_cases,
        n_readers: None,
        observed_difference: None,
        variances: Variances {
            reader: None,
            interaction: Some(interaction),
            error,
            cov1,
            cov2,
            cov3,
        },
    })
}
