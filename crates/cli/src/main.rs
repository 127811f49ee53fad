//! The command line of Lobule: one file per subcommand.
//!
//! A subcommand is a `clap::Args` struct and a function `run(&Args) -> Result<Outcome, Failure>`.
//! The exit code is decided in `failure` alone; results go to standard output, everything else to
//! standard error.

mod assess;
mod default_package;
mod demo;
mod engine;
mod evaluate;
mod failure;
mod model;
mod setup;
mod study;
#[cfg(feature = "train")]
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use failure::{EXIT_CODES, Failure, Outcome};

/// Pictures and layers are large and short-lived; the system's allocator returns each to the kernel
/// and clears it again on the next use.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Reads breast ultrasound exams and analyses studies. Research use only. Not for diagnosis.
#[derive(Debug, Parser)]
#[command(name = "lobule", version, after_help = EXIT_CODES, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// What is logged to standard error: error, warn, info, debug, or a filter by module.
    #[arg(long, global = true, value_name = "FILTER", default_value = "warn")]
    log: String,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Assess files, folders or a manifest and write a report.
    #[command(after_help = EXIT_CODES)]
    Assess(assess::Args),
    /// Score your own labelled images: AUROC, calibration, thresholds.
    #[command(after_help = EXIT_CODES)]
    Evaluate(evaluate::Args),
    /// Make synthetic exams, assess them and write a report. Needs no files and no network.
    #[command(after_help = EXIT_CODES)]
    Demo(demo::Args),
    /// List, show, verify, import and export model packages.
    #[command(after_help = EXIT_CODES)]
    Model(model::Args),
    /// List the inference engines, install the faster one, time them.
    #[command(after_help = EXIT_CODES)]
    Engine(engine::Args),
    /// Analyse tables: reader studies, algorithms, hybrids, triage, survival, calibration, planning.
    #[command(after_help = EXIT_CODES)]
    Study(Box<study::Args>),
    /// Train a network on labelled images, join finished runs into a model package.
    #[cfg(feature = "train")]
    #[command(after_help = EXIT_CODES)]
    Train(train::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match start_log(&cli.log).and_then(|()| run(&cli.command)) {
        Ok(outcome) => outcome.exit_code(),
        Err(failure) => {
            eprintln!("lobule: {failure}");
            failure.exit_code()
        }
    }
}

fn run(command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::Assess(args) => assess::run(args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Demo(args) => demo::run(args),
        #[cfg(feature = "train")]
        Command::Train(args) => train::run(args),
        Command::Model(args) => model::run(args),
        Command::Study(args) => study::run(args),
        Command::Engine(args) => engine::run(args),
    }
}

fn start_log(filter: &str) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::builder()
        .parse(filter)
        .map_err(|e| Failure::usage(format!("expected a log filter, got `{filter}`: {e}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
