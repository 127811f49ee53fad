//! `lobule train`: fit a network to labelled images.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use lobule_train::{
    Compute, EpochRecord, Error, ErrorKind, Host, Observer, PackageDescription, RunConfig, Runs,
    assemble, train,
};

use crate::failure::{Failure, Outcome};

/// The revision of the sources this program was built from, or its version outside a repository.
const REVISION: &str = env!("LOBULE_REVISION");

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    system: System,
}

#[derive(Debug, clap::Subcommand)]
enum System {
    /// Train the ultrasound network. A run that was cut off goes on where it stood.
    Ultrasound(Ultrasound),
    /// Join finished runs into a model package: members, calibration, operating points, figures.
    Package(Package),
}

#[derive(Debug, clap::Args)]
struct Package {
    /// Folders of finished runs, one per member.
    #[arg(long = "run", value_name = "DIR", required = true)]
    runs: Vec<PathBuf>,
    /// Finished runs that were tested on a data set they saw nothing of: figures only.
    #[arg(long, value_name = "DIR")]
    across: Vec<PathBuf>,
    /// Further finished runs for the table of runs.
    #[arg(long, value_name = "DIR")]
    tried: Vec<PathBuf>,
    /// Name, version, status, training data (TOML).
    #[arg(long, value_name = "FILE")]
    description: PathBuf,
    /// The package's folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Ultrasound {
    /// Configuration of the run (TOML).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Run folder: checkpoints, `epochs.csv`, `curves.svg`, `predictions.csv`, `member.onnx`.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// cpu, or cuda, wgpu, libtorch in a program built with that feature.
    #[arg(long, value_name = "NAME", default_value = "cpu")]
    device: Compute,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    match &args.system {
        System::Ultrasound(args) => ultrasound(args),
        System::Package(args) => package(args),
    }
}

fn package(args: &Package) -> Result<Outcome, Failure> {
    let description = PackageDescription::read(&args.description).map_err(failure)?;
    let runs = Runs {
        members: args.runs.clone(),
        across: args.across.clone(),
        tried: args.tried.clone(),
    };
    assemble(&runs, &description, &args.out).map_err(failure)?;
    println!("{}", args.out.display());
    Ok(Outcome::Complete)
}

fn ultrasound(args: &Ultrasound) -> Result<Outcome, Failure> {
    let config = RunConfig::read(&args.config).map_err(failure)?;
    let mut progress = Progress::new();
    let host = Host {
        compute: args.device,
        code: REVISION.into(),
    };
    let outcome = train(&config, &args.out, &host, &mut progress).map_err(failure)?;
    println!(
        "{} epochs, {} left-out images predicted: {}",
        outcome.epochs.len(),
        outcome.predictions.len(),
        args.out.display()
    );
    Ok(Outcome::Complete)
}

fn failure(error: Error) -> Failure {
    match error.kind() {
        ErrorKind::Config => Failure::usage(error.to_string()),
        ErrorKind::Data => Failure::no_input(error.to_string()),
        ErrorKind::Io => Failure::output(error.to_string()),
        ErrorKind::Diverged => Failure::unexpected(error.to_string()),
    }
}

/// A bar on a terminal, a log line per epoch anywhere.
struct Progress {
    bar: ProgressBar,
    epochs: String,
}

impl Progress {
    fn new() -> Progress {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} steps, {eta} left  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Progress {
            bar: ProgressBar::new(0).with_style(style),
            epochs: String::new(),
        }
    }
}

impl Observer for Progress {
    fn start(&mut self, done: usize, total: usize) {
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
        self.bar.reset_eta();
    }

    fn step(&mut self, epoch: usize, loss: f64) {
        self.bar.inc(1);
        self.bar
            .set_message(format!("epoch {epoch}, loss {loss:.3}{}", self.epochs));
    }

    fn epoch(&mut self, record: &EpochRecord) {
        let auroc = record.inner_auroc.map_or("–".into(), |a| format!("{a:.3}"));
        self.epochs = format!(", inner AUROC {auroc}");
        tracing::info!(
            epoch = record.epoch,
            loss = record.loss,
            inner_auroc = record.inner_auroc,
            inner_loss = record.inner_loss,
            seconds = record.seconds,
            "epoch done"
        );
    }
}
