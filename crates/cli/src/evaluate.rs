//! `lobule evaluate`: a site's own labelled images, scored and measured.
//!
//! The unit is the breast. Its truth is the worst label of its images; rank statistics use the
//! malignant score, calibration the malignant probability.

mod cases;
mod figures;

use std::fs;
use std::path::{Path, PathBuf};

use lobule_assess::{Keep, assess, collect};
use lobule_exam::Skipped;
use lobule_report::EvaluationPage;

use crate::failure::{Failure, Outcome};
use crate::setup::{ModelArgs, Ready, check_output, ready};
use cases::{Case, Labels, write_cases};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// CSV with the columns exam,breast,file,label and, where one patient has several exams,
    /// patient. Labels: malignant, benign, normal.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,

    /// Folder for the results.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    #[command(flatten)]
    model: ModelArgs,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    check_output(&args.out)?;
    let inputs = collect(std::slice::from_ref(&args.manifest))?;
    let labels = Labels::read(&inputs)?;
    if inputs.exams.is_empty() {
        return Err(Failure::no_input(
            "expected labelled images in the manifest, got none usable",
        ));
    }
    let mut ready = ready(&args.model, Keep::Nothing)?;
    let mut cases: Vec<Case> = Vec::new();
    let mut skipped: Vec<Skipped> = inputs.skipped.clone();
    assess(&inputs, &mut ready.assessor, |exam| {
        cases.extend(labels.cases(&exam.assessment));
        skipped.extend(exam.skipped);
        Ok(())
    })?;
    let page = figures::evaluation(&cases, &ready, &args.manifest)?;
    write_results(&args.out, &cases, &page, &ready)?;
    for one in &skipped {
        eprintln!("skipped: {}: {}", one.file, one.reason);
    }
    for figure in &page.figures {
        eprintln!(
            "{}: {} ({}; {})",
            figure.name, figure.value, figure.interval, figure.basis
        );
    }
    println!("{}", args.out.join("evaluation.html").display());
    match skipped.is_empty() {
        true => Ok(Outcome::Complete),
        false => Ok(Outcome::SomeSkipped),
    }
}

fn write_results(
    out: &Path,
    cases: &[Case],
    page: &EvaluationPage,
    ready: &Ready,
) -> Result<(), Failure> {
    write_cases(&out.join("cases.csv"), cases)?;
    let html = page.render(&ready.info)?;
    let path = out.join("evaluation.html");
    fs::write(&path, html).map_err(|e| {
        Failure::output(format!(
            "{}: expected to write it, got: {e}",
            path.display()
        ))
    })?;
    cases::write_figures(&out.join("figures.csv"), page)?;
    cases::write_thresholds(&out.join("thresholds.csv"), page)
}
