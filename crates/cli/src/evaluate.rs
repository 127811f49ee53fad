//! `lobule evaluate`: a site's own labelled images, scored and measured.
//!
//! The unit is the breast. Its truth is the worst label of its images; rank statistics use the
//! malignant score, calibration the malignant probability.

mod cases;
mod figures;

use std::fs;
use std::path::{Path, PathBuf};

use lobule_assess::{Inputs, Keep, assess, collect_as};
use lobule_exam::{Modality, Skipped};
use lobule_report::EvaluationPage;

use crate::default_package::{Models, Reads};
use crate::failure::{Failure, Outcome};
use crate::setup::{ModelArgs, Ready, check_output, ready};
use cases::{Case, Labels, write_cases};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// CSV with the columns exam,breast,file,label and, where one patient has several exams,
    /// patient. Labels: malignant, benign, normal. Other columns are carried over to cases.csv
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
    let mut models = Models::open(&args.model.model)?;
    let paths = std::slice::from_ref(&args.manifest);
    let inputs = collect_as(paths, models.pictures())?;
    let labels = Labels::read(&args.manifest, &inputs)?;
    if inputs.exams.is_empty() {
        return Err(Failure::no_input(
            "expected labelled images in the manifest, got none usable",
        ));
    }
    let modality = only_modality(&inputs)?;
    let found = models.take(Reads::Exams(modality))?;
    let none = || Failure::package(format!("expected a model of {modality}, got none"));
    let mut ready = ready(found.ok_or_else(none)?, &args.model, Keep::Nothing)?;
    let mut cases: Vec<Case> = Vec::new();
    let mut skipped: Vec<Skipped> = inputs.skipped.clone();
    assess(&inputs, &mut ready.assessor, |exam| {
        cases.extend(labels.cases(&exam.assessment));
        skipped.extend(exam.skipped);
        Ok(())
    })?;
    for one in &skipped {
        eprintln!("skipped: {}: {}", one.file, one.reason);
    }
    // Before the figures: a set may be too small for any.
    write_cases(&args.out.join("cases.csv"), &cases, labels.columns())?;
    let page = figures::evaluation(&cases, &ready, &args.manifest)?;
    write_results(&args.out, &page, &ready)?;
    for figure in &page.figures {
        let words = [figure.interval.as_str(), &figure.basis];
        let words: Vec<&str> = words
            .into_iter()
            .filter(|words| !words.is_empty())
            .collect();
        eprintln!("{}: {} ({})", figure.name, figure.value, words.join("; "));
    }
    println!("{}", args.out.join("evaluation.html").display());
    match skipped.is_empty() {
        true => Ok(Outcome::Complete),
        false => Ok(Outcome::SomeSkipped),
    }
}

/// What all exams were made with: figures over two models would mean nothing.
fn only_modality(inputs: &Inputs) -> Result<Modality, Failure> {
    let mut modalities = inputs.exams.iter().map(|e| e.modality);
    let first = modalities.next().unwrap_or(Modality::Ultrasound);
    match modalities.all(|other| other == first) {
        true => Ok(first),
        false => Err(Failure::usage(
            "expected images of one modality, got ultrasound and mammography",
        )),
    }
}

fn write_results(out: &Path, page: &EvaluationPage, ready: &Ready) -> Result<(), Failure> {
    let html = page.render(&ready.info)?;
    let path = out.join("evaluation.html");
    fs::write(&path, html).map_err(|e| Failure::unwritten(&path, e))?;
    cases::write_figures(&out.join("figures.csv"), page)?;
    cases::write_thresholds(&out.join("thresholds.csv"), page)
}
