//! `lobule study readers`.

use lobule_stats::location::LocationFigure;
use lobule_stats::mrmc::{CovarianceMethod, Figure, MomentEstimate, RandomFactors};
use lobule_study::readers::{Config, document, run as analyse};

use super::table::TableArgs;
use super::{ReportArgs, about, finish, words};
use crate::failure::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    table: TableArgs,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    pub(super) method: MethodArgs,

    /// The modality that others are compared with [default: earlier minus later].
    #[arg(long, value_name = "MODALITY")]
    reference: Option<String>,

    /// Ratings from here on are positive decisions: adds sensitivity and specificity.
    #[arg(long, value_name = "RATING")]
    threshold: Option<f64>,

    /// Asks whether differences exclude a loss of this size (non-inferiority).
    #[arg(long, value_name = "DIFFERENCE")]
    margin: Option<f64>,

    /// Of the U-statistic analysis: unbiased or mle.
    #[arg(long, value_name = "NAME", default_value = "unbiased", value_parser = words::moments)]
    moments: MomentEstimate,
}

/// How a reader study is analysed.
#[derive(Debug, clap::Args)]
pub(super) struct MethodArgs {
    #[arg(long = "figure", value_name = "NAME", default_value = "auc", value_parser = words::figure,
        value_delimiter = ',', help = format!("Figures of merit of ratings, the primary one first: {}", words::FIGURES))]
    figures: Vec<Figure>,

    /// Figures of merit of marks: afroc, wafroc, afroc1, wafroc1, hr-auc, lroc, pcl=FPF [default:
    /// wafroc,afroc1,hr-auc].
    #[arg(long = "location-figure", value_name = "NAME", value_parser = words::location_figure, value_delimiter = ',')]
    location_figures: Vec<LocationFigure>,

    /// Covariances of the Obuchowski-Rockette analysis: jackknife, delong or unbiased.
    #[arg(long, value_name = "NAME", default_value = "jackknife", value_parser = words::covariance)]
    covariance: CovarianceMethod,

    /// What conclusions extend to other samples of: both, cases or readers.
    #[arg(long, value_name = "NAME", default_value = "both", value_parser = words::random)]
    pub(super) random: RandomFactors,
}

impl MethodArgs {
    pub(super) fn config(&self) -> Config {
        let default = Config::default();
        Config {
            figures: self.figures.clone(),
            location_figures: match self.location_figures.is_empty() {
                true => default.location_figures.clone(),
                false => self.location_figures.clone(),
            },
            covariance: self.covariance,
            random: self.random,
            ..default
        }
    }
}

pub(super) fn run(args: &Args) -> Result<Outcome, Failure> {
    let out = args.report.check()?;
    let study = args.table.read()?;
    let config = Config {
        moments: args.moments,
        confidence: args.report.confidence,
        reference: args.reference.clone(),
        threshold: args.threshold,
        margin: args.margin,
        ..args.method.config()
    };
    let result = analyse(&study, &config)?;
    finish(out, &document(&result, &about()), &result)
}
