//! `lobule train`: fit a network to labelled images.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use lobule_package::Modality;
use lobule_phantom::slide::DrawnSlide;
use lobule_slide::{SlideLimits, TileSource, open_slide};
use lobule_train::slide::{
    SlideObserver, SlidePackageDescription, SlideRunConfig, assemble_slides, train_slides,
};
use lobule_train::{
    Compute, EpochRecord, Error, ErrorKind, Host, Observer, PackageDescription, RunConfig, Runs,
    assemble, predict_again, refresh, train,
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
    /// Train a network on sonograms. A run that was cut off goes on where it stood.
    Ultrasound(Training),
    /// Train a network on mammograms: first on patches, then on whole images, if the
    /// configurations say so. A run that was cut off goes on where it stood.
    Mammography(Training),
    /// Predict anew what finished runs left out, with the networks that they stored, and write their
    /// tables again: for when the preparation of images has changed since.
    Predict(Predict),
    /// Train an ensemble on the tiles of slides: which are tumor, or whether tumor looks like grade 1
    /// or 3. A run that was cut off goes on where it stood.
    Slide(Training),
    /// Join finished runs into a model package: members, calibration, operating points, figures.
    Package(Package),
    /// Write the figures, the card and the operating points set beforehand of a package of images
    /// anew, from the tables that it keeps.
    Figures(Figures),
}

#[derive(Debug, clap::Args)]
struct Figures {
    /// The description that the package was made by (TOML).
    #[arg(long, value_name = "FILE")]
    description: PathBuf,
    /// The package's folder.
    #[arg(long, value_name = "DIR")]
    package: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Predict {
    /// Folders of finished runs.
    #[arg(long = "run", value_name = "DIR", required = true)]
    runs: Vec<PathBuf>,
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
struct Training {
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
        System::Ultrasound(args) => training(args, Modality::Ultrasound),
        System::Mammography(args) => training(args, Modality::Mammography),
        System::Predict(args) => predict(args),
        System::Slide(args) => slides(args),
        System::Package(args) => package(args),
        System::Figures(args) => figures(args),
    }
}

fn predict(args: &Predict) -> Result<Outcome, Failure> {
    let host = Host {
        compute: Compute::default(),
        code: REVISION.into(),
    };
    for run in &args.runs {
        let predictions = predict_again(run, &host).map_err(failure)?;
        let n = predictions.len();
        println!("{n} left-out images predicted: {}", run.display());
    }
    Ok(Outcome::Complete)
}

fn package(args: &Package) -> Result<Outcome, Failure> {
    let runs = Runs {
        members: args.runs.clone(),
        across: args.across.clone(),
        tried: args.tried.clone(),
    };
    let of_slides = args
        .runs
        .iter()
        .any(|run| SlideRunConfig::is_one(&run.join("config.toml")));
    if of_slides {
        let description = SlidePackageDescription::read(&args.description).map_err(failure)?;
        assemble_slides(&runs, &description, &args.out).map_err(failure)?;
    } else {
        let description = PackageDescription::read(&args.description).map_err(failure)?;
        assemble(&runs, &description, &args.out).map_err(failure)?;
    }
    println!("{}", args.out.display());
    Ok(Outcome::Complete)
}

fn figures(args: &Figures) -> Result<Outcome, Failure> {
    let description = PackageDescription::read(&args.description).map_err(failure)?;
    refresh(&description, &args.package).map_err(failure)?;
    println!("{}", args.package.display());
    Ok(Outcome::Complete)
}

fn slides(args: &Training) -> Result<Outcome, Failure> {
    let config = SlideRunConfig::read(&args.config).map_err(failure)?;
    let host = Host {
        compute: args.device,
        code: REVISION.into(),
    };
    let mut progress = Progress::new();
    let outcome =
        train_slides(&config, &args.out, &host, &open_any, &mut progress).map_err(failure)?;
    for skipped in &outcome.skipped {
        eprintln!("skipped: {}: {}", skipped.slide, skipped.reason);
    }
    let (tiles, slides) = (outcome.tiles.len(), outcome.slides.len());
    let out = args.out.display();
    match &outcome.cutoff {
        None => println!("{tiles} left-out tiles predicted: {out}"),
        Some(cutoff) => println!(
            "{slides} slides predicted, cutoff {:.4}: {out}",
            cutoff.score
        ),
    }
    match outcome.skipped.is_empty() {
        true => Ok(Outcome::Complete),
        false => Ok(Outcome::SomeSkipped),
    }
}

/// A slide's file, or the plan of a synthetic one.
pub(crate) fn open_any(
    file: &Path,
) -> Result<Box<dyn TileSource>, Box<dyn std::error::Error + Send + Sync>> {
    match file.to_string_lossy().ends_with(".plan.json") {
        true => Ok(Box::new(DrawnSlide::open(file)?)),
        false => Ok(open_slide(file, &SlideLimits::default())?),
    }
}

fn training(args: &Training, modality: Modality) -> Result<Outcome, Failure> {
    let config = RunConfig::read(&args.config).map_err(failure)?;
    if config.network.modality() != modality {
        let message = match modality {
            Modality::Ultrasound => {
                "expected a configuration for sonograms, got one for mammograms"
            }
            Modality::Mammography => {
                "expected `[network.prepare] kind = \"mammogram\"`, got a configuration for sonograms"
            }
            Modality::Histology => "expected a configuration for slides, got one for exams",
        };
        return Err(Failure::usage(format!(
            "{}: {message}",
            args.config.display()
        )));
    }
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

pub(crate) fn failure(error: Error) -> Failure {
    match error.kind() {
        ErrorKind::Config => Failure::usage(error.to_string()),
        ErrorKind::Data => Failure::no_input(error.to_string()),
        ErrorKind::Io => Failure::output(error.to_string()),
        ErrorKind::Diverged => Failure::unexpected(error.to_string()),
    }
}

/// A bar on a terminal, a log line per epoch anywhere.
pub(crate) struct Progress {
    bar: ProgressBar,
    epochs: String,
}

impl Progress {
    pub(crate) fn new() -> Progress {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} steps, {eta} left  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Progress {
            bar: ProgressBar::new(0).with_style(style),
            epochs: String::new(),
        }
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl SlideObserver for Progress {
    fn slide(&mut self, done: usize, total: usize, name: &str) {
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
        self.bar.set_message(format!("reading {name}"));
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
