//! The command line of Lobule: one file per subcommand.
//!
//! A subcommand is a `clap::Args` struct and a function `run(&Args) -> Result<Outcome, Failure>`.
//! The exit code is decided in `failure` alone; results go to standard output, everything else to
//! standard error.

mod assess;
mod assess_slides;
mod default_package;
mod demo;
mod dicom_out;
mod engine;
mod evaluate;
mod failure;
mod graphs;
mod model;
mod phantom;
mod serve;
mod service;
mod setup;
mod slide;
mod study;
#[cfg(feature = "train")]
mod train;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use failure::{EXIT_CODES, Failure, Outcome};

/// Pictures and layers are large and short-lived; the system's allocator returns each to the kernel
/// and clears it again on the next use.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// For how long freed memory is kept from the kernel, in ms. The allocator's own 1,000 hold what one
/// mammogram's layers took until the next one's are there: 40 MiB more at the peak, and no faster.
const PURGE_DELAY_MS: std::ffi::c_long = 10;
/// `mi_option_purge_delay` of mimalloc 3.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Reads exams of breast ultrasound and mammography and whole slides, and analyses studies. Research use only. Not for diagnosis.
#[derive(Debug, Parser)]
#[command(name = "lobule", version, after_help = EXIT_CODES, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// What is logged to standard error: error, warn, info, debug, or a filter by module [default:
    /// warn; info while serving].
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Assess exams or whole slides (files, folders or a table) and write a report.
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
    /// Receive studies over the DICOM network, read them as they arrive, show and send the results.
    #[command(after_help = EXIT_CODES)]
    Serve(serve::Args),
    /// Accounts, audit log, backups and models of a service.
    #[command(after_help = EXIT_CODES)]
    Service(service::Args),
    /// Analyse tables: reader studies, algorithms, hybrids, triage, survival, calibration, planning.
    #[command(after_help = EXIT_CODES)]
    Study(Box<study::Args>),
    /// Show what a whole slide holds.
    #[command(after_help = EXIT_CODES)]
    Slide(slide::Args),
    /// Write synthetic slides and cohorts with their truth.
    #[command(after_help = EXIT_CODES)]
    Phantom(phantom::Args),
    /// Train a network on labelled images, join finished runs into a model package.
    #[cfg(feature = "train")]
    #[command(after_help = EXIT_CODES)]
    Train(train::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // What prints ends quietly when its reader has gone, as in `lobule slide info FILE | head -1`. A
    // service outlives those it talks to.
    if !matches!(cli.command, Command::Serve(_)) {
        sigpipe::reset();
    }
    if !cli.command.is_training() {
        // SAFETY: sets a number, before any thread is started, and ends the delay that began before.
        unsafe {
            libmimalloc_sys::mi_option_set(PURGE_DELAY, PURGE_DELAY_MS);
            libmimalloc_sys::mi_collect(true);
        }
    }
    let usual = match cli.command {
        Command::Serve(_) => "info",
        _ => "warn",
    };
    let filter = cli.log.as_deref().unwrap_or(usual);
    match start_log(filter).and_then(|()| run(&cli.command)) {
        Ok(outcome) => outcome.exit_code(),
        Err(failure) => {
            eprintln!("lobule: {failure}");
            failure.exit_code()
        }
    }
}

impl Command {
    /// Every step of training takes the same memory again.
    fn is_training(&self) -> bool {
        #[cfg(feature = "train")]
        return matches!(self, Command::Train(_));
        #[cfg(not(feature = "train"))]
        false
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
        Command::Serve(args) => serve::run(args),
        Command::Service(args) => service::run(args),
        Command::Study(args) => study::run(args),
        Command::Slide(args) => slide::run(args),
        Command::Phantom(args) => phantom::run(args),
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
        .with_ansi(std::io::stderr().is_terminal())
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
