//! What every assessing subcommand needs: a package, an engine, a threshold.

use std::path::{Path, PathBuf};

use lobule_assess::{Assessor, Judgement, Keep, Networks, Options};
use lobule_engine::EngineKind;
use lobule_package::{Manifest, Package, Status};
use lobule_report::{Calibration, ModelInfo, ModelStatus, RunInfo};

use crate::default_package::FoundPackage;
use crate::failure::Failure;

/// The options that choose the model and how it is run.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ModelArgs {
    /// Folder of a model package; give two, one per modality, where images of both are read
    /// [default: $LOBULE_MODEL, else by what the images are: the built-in model, else the imported
    /// one].
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Vec<PathBuf>,

    /// Engine: rten, onnxruntime, or openvino, which may round to bfloat16 [default: ONNX Runtime where
    /// it is found, else rten].
    #[arg(long, value_name = "NAME")]
    pub(crate) engine: Option<EngineKind>,

    /// Re-base the malignant probability to this share of malignant breasts, between 0 and 1.
    #[arg(long, value_name = "P")]
    pub(crate) prevalence: Option<f64>,

    /// Operating point that flags a breast [default: the package's own].
    #[arg(long, value_name = "NAME")]
    pub(crate) operating_point: Option<String>,

    /// Threads of the engine [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

impl ModelArgs {
    /// Both options speak of one population and one model.
    pub(crate) fn check_for(&self, models: usize) -> Result<(), Failure> {
        match models > 1 && (self.prevalence.is_some() || self.operating_point.is_some()) {
            true => Err(Failure::usage(
                "expected one modality with --prevalence or --operating-point, got several: assess each on its own",
            )),
            false => Ok(()),
        }
    }
}

/// A model ready to assess.
pub(crate) struct Ready {
    pub(crate) assessor: Assessor,
    pub(crate) info: RunInfo,
    pub(crate) judgement: Judgement,
    _found: FoundPackage,
}

/// Opens the networks of a package, cheapest check first.
pub(crate) fn ready(found: FoundPackage, args: &ModelArgs, keep: Keep) -> Result<Ready, Failure> {
    let manifest = found.package.manifest();
    let judgement = Judgement::new(manifest, args.operating_point.as_deref(), args.prevalence)?;
    let kind = args.engine.map_or_else(lobule_engine::preferred, Ok)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = args.threads.map_or(cores, usize::from);
    let networks = Networks::open(&found.package, Some(kind), threads)?;
    let info = run_info(&found, &judgement, kind, networks.n_members());
    let options = Options {
        keep,
        ..Options::default()
    };
    Ok(Ready {
        assessor: Assessor::new(manifest, networks, judgement.clone(), options),
        info,
        judgement,
        _found: found,
    })
}

fn run_info(
    found: &FoundPackage,
    judgement: &Judgement,
    kind: EngineKind,
    members: usize,
) -> RunInfo {
    RunInfo {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        model: model_info(&found.package, kind, members),
        operating_point: judgement.operating_point().cloned(),
        calibration: match (judgement.calibrated_at(), judgement.rebased_to()) {
            (None, _) => Calibration::None,
            (Some(at), None) => Calibration::AtPrevalence(at),
            (Some(from), Some(to)) => Calibration::Rebased { from, to },
        },
    }
}

/// What results say of a package.
pub(crate) fn model_info(package: &Package, kind: EngineKind, members: usize) -> ModelInfo {
    let manifest: &Manifest = package.manifest();
    ModelInfo {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        modality: manifest.modality,
        digest: package.digest().to_owned(),
        engine: kind.name().to_owned(),
        members,
        status: match manifest.status {
            Status::Research => ModelStatus::Research,
            Status::Demonstration => ModelStatus::Demonstration,
        },
        research_use: manifest.research_use.clone(),
    }
}

/// Finds out before any work whether a folder can be written.
pub(crate) fn check_output(dir: &Path) -> Result<(), Failure> {
    let failed = |e: std::io::Error| {
        Failure::output(format!("expected a folder that can be written, got: {e}")).of(dir)
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    tempfile::tempfile_in(dir).map(drop).map_err(failed)
}
