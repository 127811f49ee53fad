//! `lobule demo`: synthetic exams, written as DICOM, assessed by the model, reported.

use std::path::PathBuf;

use indicatif::ProgressBar;
use lobule_assess::{Keep, collect};
use lobule_report::HeatMaps;

use crate::assess::{Identity, assess_into, conclude};
use crate::failure::{Failure, Outcome};
use crate::setup::{ModelArgs, check_output, ready};

/// The demo is the same for everyone.
const SEED: u64 = 20_211;
/// Folder of the synthetic DICOM files inside the output folder.
const EXAMS: &str = "synthetic-dicom";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder for the exams and the results.
    #[arg(long, value_name = "DIR", default_value = "lobule-demo")]
    out: PathBuf,

    #[command(flatten)]
    model: ModelArgs,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    check_output(&args.out)?;
    let ready = ready(&args.model, Keep::Pictures)?;
    let exams = args.out.join(EXAMS);
    eprintln!("SYNTHETIC exams: computed phantoms, not patients.");
    check_output(&exams)?;
    let written = lobule_phantom::write_demo_exams(&exams, SEED)
        .map_err(|e| Failure::output(e.to_string()))?;
    let folders: Vec<PathBuf> = written.into_iter().map(|exam| exam.folder).collect();
    let inputs = collect(&folders)?;
    let progress = ProgressBar::hidden();
    let finished = assess_into(
        &args.out,
        &inputs,
        ready,
        HeatMaps::Write,
        Identity::Hide,
        &progress,
    )?;
    let truth = exams.join("truth.csv");
    eprintln!(
        "What was planted stands in {}. The default operating point misses few lesions and so flags many breasts without one.",
        truth.display()
    );
    conclude(&finished, false)
}
