//! `lobule study`: tables of ratings and follow-up in, the statistics of a paper out.
//!
//! Owns: the options and where results go. The analyses are `lobule_study`'s.

mod calibrate;
mod hybrid;
mod plan;
mod readers;
mod standalone;
mod survival;
mod table;
mod triage;
mod words;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use lobule_report::document::{Document, write_study};
use lobule_stats::Confidence;
use lobule_study::About;
use serde::Serialize;

use crate::failure::{EXIT_CODES, Failure, Outcome};
use crate::setup::check_output;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Compare readers and modalities (MRMC), with and without an algorithm.
    #[command(after_help = EXIT_CODES)]
    Readers(readers::Args),
    /// Measure one or more algorithms: ROC, thresholds, subgroups, paired comparisons.
    #[command(after_help = EXIT_CODES)]
    Standalone(standalone::Args),
    /// Average readers and an algorithm: false positives spared at each reader's own sensitivity.
    #[command(after_help = EXIT_CODES)]
    Hybrid(hybrid::Args),
    /// Simulate triage and double reading with an algorithm.
    #[command(after_help = EXIT_CODES)]
    Triage(triage::Args),
    /// Compare risk groups over time: Kaplan-Meier, log-rank, Cox.
    #[command(after_help = EXIT_CODES)]
    Survival(survival::Args),
    /// Size a reader study, from a pilot study or from variances.
    #[command(after_help = EXIT_CODES)]
    Plan(plan::Args),
    /// Measure whether probabilities can be believed, and fit a recalibration.
    #[command(after_help = EXIT_CODES)]
    Calibrate(calibrate::Args),
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    match &args.command {
        Command::Readers(args) => readers::run(args),
        Command::Standalone(args) => standalone::run(args),
        Command::Hybrid(args) => hybrid::run(args),
        Command::Triage(args) => triage::run(args),
        Command::Survival(args) => survival::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Calibrate(args) => calibrate::run(args),
    }
}

/// Where a study's results go and how sure their intervals are.
#[derive(Debug, clap::Args)]
struct ReportArgs {
    /// Folder for the results: report.html, study.json, tables/*.csv, figures/*.svg and *.png.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Level of every interval.
    #[arg(long, value_name = "LEVEL", default_value = "0.95", value_parser = words::confidence)]
    confidence: Confidence,
}

/// How intervals without a formula are drawn.
#[derive(Debug, clap::Args)]
struct BootstrapArgs {
    /// Bootstrap replicates; 0 for no such intervals.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    replicates: usize,

    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl ReportArgs {
    /// Before any work: can results be written?
    fn check(&self) -> Result<&Path, Failure> {
        check_output(&self.out)?;
        Ok(&self.out)
    }
}

/// What the foot of every report says about the run.
fn about() -> About {
    let words = std::env::args()
        .skip(1)
        .map(|word| match word.contains(' ') {
            true => format!("'{word}'"),
            false => word,
        });
    About {
        program: format!("Lobule {}", env!("CARGO_PKG_VERSION")),
        command: format!("lobule {}", words.collect::<Vec<_>>().join(" ")),
    }
}

/// Shows that a long analysis goes on: a spinner with its time on a terminal, lines of the log
/// elsewhere.
fn patiently<T>(what: &str, work: impl FnOnce() -> T) -> T {
    if !std::io::stderr().is_terminal() {
        tracing::info!(what, "analysis started");
        let result = work();
        tracing::info!(what, "analysis finished");
        return result;
    }
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
    let spinner = ProgressBar::new_spinner()
        .with_style(style.expect("the template is valid"))
        .with_message(what.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(100));
    let result = work();
    spinner.finish_and_clear();
    result
}

/// Shows how far an analysis is that counts its steps: a bar on a terminal, lines of the log
/// elsewhere.
fn counted<T>(what: &str, work: impl FnOnce(&(dyn Fn(usize, usize) + Sync)) -> T) -> T {
    if !std::io::stderr().is_terminal() {
        return patiently(what, || work(&|_, _| ()));
    }
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {eta}");
    let bar = ProgressBar::new(0)
        .with_style(style.expect("the template is valid"))
        .with_message(what.to_owned());
    let result = work(&|_, total| {
        bar.set_length(total as u64);
        bar.inc(1);
    });
    bar.finish_and_clear();
    result
}

/// Writes the folder, says the summary and prints the report's path.
fn finish<R: Serialize>(out: &Path, document: &Document, result: &R) -> Result<Outcome, Failure> {
    let page = write_study(out, document, result)?;
    for line in &document.summary {
        eprintln!("{line}");
    }
    println!("{}", page.display());
    Ok(Outcome::Complete)
}
