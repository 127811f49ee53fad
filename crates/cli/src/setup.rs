//! What every assessing subcommand needs: a package, an engine, a threshold.

use std::path::{Path, PathBuf};

use lobule_assess::{Assessor, Ensemble, Judgement, Keep, Options};
use lobule_engine::EngineKind;
use lobule_package::{Manifest, Status};
use lobule_report::{Calibration, ModelInfo, ModelStatus, RunInfo};

use crate::default_package::{self, FoundPackage};
use crate::failure::Failure;

/// The options that choose the model and how it is run.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct ModelArgs {
    /// Folder of the model package [default: $LOBULE_MODEL, else the built-in model].
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,

    /// Engine: rten or onnxruntime [default: ONNX Runtime where it is found, else rten].
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

/// A model ready to assess.
pub(crate) struct Ready {
    pub(crate) assessor: Assessor,
    pub(crate) info: RunInfo,
    pub(crate) judgement: Judgement,
    _found: FoundPackage,
}

/// Opens the package and its members, cheapest check first.
pub(crate) fn ready(args: &ModelArgs, keep: Keep) -> Result<Ready, Failure> {
    let found = default_package::find(args.model.as_deref())?;
    let manifest = found.package.manifest();
    let judgement = Judgement::new(manifest, args.operating_point.as_deref(), args.prevalence)?;
    let kind = args.engine.map_or_else(lobule_engine::preferred, Ok)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = args.threads.map_or(cores, usize::from);
    let ensemble = Ensemble::open(&found.package, Some(kind), threads)?;
    let info = run_info(&found, &judgement, kind, ensemble.n_members());
    let options = Options {
        keep,
        ..Options::default()
    };
    Ok(Ready {
        assessor: Assessor::new(manifest, ensemble, judgement.clone(), options),
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
    let manifest: &Manifest = found.package.manifest();
    RunInfo {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        model: ModelInfo {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: found.package.digest().to_owned(),
            engine: kind.name().to_owned(),
            members,
            status: match manifest.status {
                Status::Research => ModelStatus::Research,
                Status::Demonstration => ModelStatus::Demonstration,
            },
        },
        operating_point: judgement.operating_point().cloned(),
        calibration: match (judgement.calibrated_at(), judgement.rebased_to()) {
            (None, _) => Calibration::None,
            (Some(at), None) => Calibration::AtPrevalence(at),
            (Some(from), Some(to)) => Calibration::Rebased { from, to },
        },
    }
}

/// Finds out before any work whether a folder can be written.
pub(crate) fn check_output(dir: &Path) -> Result<(), Failure> {
    let failed = |e: std::io::Error| {
        let name = dir.display();
        Failure::output(format!(
            "{name}: expected a folder that can be written, got: {e}"
        ))
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    tempfile::tempfile_in(dir).map(drop).map_err(failed)
}
