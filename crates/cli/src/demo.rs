//! `lobule demo`: synthetic exams, written as DICOM, or synthetic slides, assessed by the models,
//! reported.

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use lobule_assess::{Keep, collect};
use lobule_exam::Modality;
use lobule_phantom::slide::{Cohort, CohortPlan, SlideLooks, write_cohort};
use lobule_report::{HeatMaps, Surroundings};

use crate::assess::{Destination, Run, assess_into, conclude};
use crate::assess_slides::{self, SlidePackages, Slides};
use crate::default_package::{Models, Reads};
use crate::failure::{Failure, Outcome};
use crate::setup::{ModelArgs, check_output, ready};

/// The demo is the same for everyone.
const SEED: u64 = 20_211;
/// Folder of the synthetic DICOM files inside the output folder.
const EXAMS: &str = "synthetic-dicom";
/// Folder of the synthetic slides inside the output folder.
const COHORT: &str = "synthetic-slides";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder for the exams and the results.
    #[arg(long, value_name = "DIR", default_value = "lobule-demo")]
    out: PathBuf,

    /// Make a small cohort of synthetic slides instead, with follow-up.
    #[arg(long)]
    slides: bool,

    #[command(flatten)]
    model: ModelArgs,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    check_output(&args.out)?;
    if args.slides {
        return slides(args);
    }
    let exams = args.out.join(EXAMS);
    check_output(&exams)?;
    let mut models = Models::open(&args.model.model)?;
    let mut found = Vec::new();
    for modality in Modality::RADIOLOGY {
        found.extend(
            models
                .take(Reads::Exams(modality))?
                .map(|model| (modality, model)),
        );
    }
    if found.is_empty() {
        return Err(Failure::package("expected a model, got none"));
    }
    args.model.check_for(found.len())?;
    eprintln!("SYNTHETIC exams: computed phantoms, not patients.");
    let mut runs = Vec::new();
    for (modality, model) in found {
        let ready = ready(model, &args.model, Keep::Pictures)?;
        let inputs = collect(&write_exams(modality, &exams)?)?;
        runs.push(Run { ready, inputs });
    }
    let progress = ProgressBar::hidden();
    let destination = Destination {
        out: &args.out,
        heat_maps: HeatMaps::Write,
        identity: Surroundings::Hide,
        dicom: None,
    };
    let finished = assess_into(destination, &mut runs, &[], &progress)?;
    eprintln!(
        "What was planted stands in {} beside the exams. The default operating points miss few lesions and so flag many breasts without one.",
        exams.display()
    );
    conclude(&finished, false)
}

/// Patients of the synthetic cohort, and rows and columns of their slides.
const PATIENTS: usize = 6;
const SLIDE_SIDE: usize = 3072;

fn slides(args: &Args) -> Result<Outcome, Failure> {
    // Nothing is drawn for models that are not there.
    drop(SlidePackages::find(&args.model)?);
    let cohort = args.out.join(COHORT);
    check_output(&cohort)?;
    eprintln!("SYNTHETIC slides: computed, not patients.");
    let plan = CohortPlan {
        n_patients: PATIENTS,
        ..CohortPlan::default()
    };
    let looks = SlideLooks {
        rows: SLIDE_SIDE,
        cols: SLIDE_SIDE,
        ..SlideLooks::default()
    };
    write_cohort(&cohort, &Cohort::new(&plan, SEED), &looks)
        .map_err(|e| Failure::output(e.to_string()))?;
    let outcome = assess_slides::run(&Slides {
        paths: &[cohort.join("clinical.csv")],
        out: &args.out,
        model: &args.model,
        mpp: None,
        risk: None,
        quiet: false,
    })?;
    eprintln!(
        "What was planted stands in {} beside the slides; cohort.csv beside the report is read by `lobule study survival`.",
        cohort.display()
    );
    Ok(outcome)
}

/// Writes the synthetic exams of a modality; their folders.
pub(crate) fn write_exams(modality: Modality, into: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |e: lobule_phantom::Error| Failure::output(e.to_string());
    match modality {
        Modality::Ultrasound => {
            let exams = lobule_phantom::write_demo_exams(into, SEED).map_err(failed)?;
            Ok(exams.into_iter().map(|exam| exam.folder).collect())
        }
        Modality::Mammography => {
            let exam = lobule_phantom::mammogram::write_demo_exam(into, SEED).map_err(failed)?;
            Ok(vec![exam.folder])
        }
        Modality::Histology => Ok(Vec::new()),
    }
}
