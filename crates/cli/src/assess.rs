//! `lobule assess`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};

use indicatif::{ProgressBar, ProgressStyle};
use lobule_assess::slide::are_slides;
use lobule_assess::{AssessedExam, Error, ErrorKind, Inputs, Keep, assess, collect_as};
use lobule_exam::{BreastAssessment, Modality, Skipped};
use lobule_report::{ExamRecord, Folder, HeatMaps, Layout, Pages, RunInfo, Surroundings};

use crate::assess_slides::{self, Slides};
use crate::default_package::{Models, Reads};
use crate::dicom_out::DicomOut;
use crate::failure::{Failure, Outcome};
use crate::setup::{ModelArgs, Ready, check_output, ready};

/// Finished exams that may wait to be written.
const WAITING_EXAMS: usize = 2;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, folders (read with everything in them), or a manifest CSV: exam,breast,file and, for
    /// mammograms, view; for slides: slide,file and clinical columns, which are carried through.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Folder for the results.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Also write results as DICOM objects of the images' own study, and as FHIR, into this folder, a
    /// folder per exam: marked images, CAD and measurement reports, presentation states,
    /// segmentations, key images, a PDF. Files that are there already stay as they are; exams.csv says
    /// which exams have none, and why.
    #[arg(long, value_name = "DIR")]
    dicom_out: Option<PathBuf>,

    #[command(flatten)]
    model: ModelArgs,

    /// Show patient identifiers and the margins of the pictures on the pages.
    #[arg(long)]
    identify: bool,

    /// Microns per pixel of level 0 of the slides, where their files do not state them; makes pictures
    /// slides.
    #[arg(long, value_name = "MICRONS")]
    mpp: Option<f64>,

    /// Risk scale of slides [default: the grade model's own].
    #[arg(long, value_name = "NAME")]
    risk: Option<String>,

    /// Write no heat-map PNG files.
    #[arg(long)]
    no_heat_maps: bool,

    /// Also write the steps of the preparation as PNG files: the cropped and painted sonogram; the
    /// breast's mask, the laid breast, the network's input.
    #[arg(long, visible_alias = "debug-crops")]
    debug_images: bool,

    /// Print nothing but the report's path.
    #[arg(long, short)]
    quiet: bool,
}

/// What a run came to.
pub(crate) struct Finished {
    pub(crate) report: PathBuf,
    pub(crate) exams: usize,
    pub(crate) flagged: usize,
    pub(crate) skipped: usize,
    /// The first file that was not used, and why.
    pub(crate) first_skipped: Option<Skipped>,
    /// What models say of their use beyond the notice.
    pub(crate) research_use: Vec<String>,
    /// Exams without DICOM results, where such were asked for.
    pub(crate) without_dicom: usize,
    /// The highest malignant probability of a breast, or the score where the model is not
    /// calibrated.
    pub(crate) highest: Option<f64>,
    /// Whether an exam shows no patient.
    pub(crate) synthetic: bool,
}

/// Where results go, and what of them is written.
pub(crate) struct Destination<'a> {
    pub(crate) out: &'a Path,
    pub(crate) heat_maps: HeatMaps,
    pub(crate) identity: Surroundings,
    pub(crate) dicom: Option<DicomOut>,
}

/// Exams of one modality and the model that reads them.
pub(crate) struct Run {
    pub(crate) ready: Ready,
    pub(crate) inputs: Inputs,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    check_output(&args.out)?;
    if args.mpp.is_some() || are_slides(&args.paths) {
        return assess_slides::run(&args.slides()?);
    }
    let mut models = Models::open(&args.model.model)?;
    let mut inputs = collect_as(&args.paths, models.pictures())?;
    let mut runs = runs(&mut inputs, &mut models, args)?;
    if runs.is_empty() {
        return Err(Failure::no_input(nothing_usable(&inputs)));
    }
    let destination = Destination {
        out: &args.out,
        heat_maps: match args.no_heat_maps {
            true => HeatMaps::Omit,
            false => HeatMaps::Write,
        },
        identity: match args.identify {
            true => Surroundings::Show,
            false => Surroundings::Hide,
        },
        dicom: args
            .dicom_out
            .as_deref()
            .map(DicomOut::create)
            .transpose()?,
    };
    let progress = progress(&runs, args.quiet);
    let finished = assess_into(destination, &mut runs, &inputs.skipped, &progress)?;
    progress.finish_and_clear();
    conclude(&finished, args.quiet)
}

impl Args {
    /// The options that slides have; none of the others is passed over in silence.
    fn slides(&self) -> Result<Slides<'_>, Failure> {
        let of_exams = [
            (self.dicom_out.is_some(), "--dicom-out"),
            (self.model.prevalence.is_some(), "--prevalence"),
            (self.model.operating_point.is_some(), "--operating-point"),
            (self.identify, "--identify"),
            (self.no_heat_maps, "--no-heat-maps"),
            (self.debug_images, "--debug-images"),
        ];
        match of_exams.iter().find(|(given, _)| *given) {
            Some((_, option)) => Err(Failure::usage(format!(
                "expected {option} with exams, got slides"
            ))),
            None => Ok(Slides {
                paths: &self.paths,
                out: &self.out,
                model: &self.model,
                mpp: self.mpp,
                risk: self.risk.as_deref(),
                quiet: self.quiet,
            }),
        }
    }
}

/// One run per modality that is there. Where no model reads it, its files are skipped.
fn runs(inputs: &mut Inputs, models: &mut Models, args: &Args) -> Result<Vec<Run>, Failure> {
    let keep = match args.debug_images {
        true => Keep::PicturesAndSteps,
        false => Keep::Pictures,
    };
    let mut found = Vec::new();
    for modality in Modality::RADIOLOGY {
        let own = inputs.take(modality);
        if own.exams.is_empty() {
            continue;
        }
        match models.take(Reads::Exams(modality))? {
            Some(model) => found.push((model, own)),
            None => inputs.skipped.extend(without_model(&own, modality)),
        }
    }
    args.model.check_for(found.len())?;
    let run = |(model, inputs)| {
        let ready = ready(model, &args.model, keep)?;
        Ok(Run { ready, inputs })
    };
    found.into_iter().map(run).collect()
}

/// Files of a modality that no model reads.
pub(crate) fn without_model(inputs: &Inputs, modality: Modality) -> Vec<Skipped> {
    let reason =
        format!("expected a model of {modality}, got none: import one or name it with --model");
    let mut skipped = Vec::new();
    for exam in &inputs.exams {
        for breast in &exam.breasts {
            let one = |file: &lobule_assess::FileInput| {
                Skipped::new(&file.name, &reason).of(&exam.exam, breast.side)
            };
            skipped.extend(breast.files.iter().map(one));
        }
    }
    skipped
}

pub(crate) fn nothing_usable(inputs: &Inputs) -> String {
    match inputs.skipped.as_slice() {
        [] => "expected at least one image, got none".to_owned(),
        [first, rest @ ..] => format!(
            "expected at least one image, got none: {}: {}{}",
            first.file,
            first.reason,
            if rest.is_empty() {
                String::new()
            } else {
                format!(" (and {} more)", rest.len())
            }
        ),
    }
}

fn progress(runs: &[Run], quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {eta} left");
    let files = runs.iter().map(|run| run.inputs.files().count());
    let bar = ProgressBar::new(files.sum::<usize>() as u64);
    bar.with_style(style.expect("the template is valid"))
}

/// `1 exam`, `3 exams`.
fn counted(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural}")
}

/// Says what happened; finished without one usable image is a failure.
pub(crate) fn conclude(finished: &Finished, quiet: bool) -> Result<Outcome, Failure> {
    if finished.exams == 0 {
        let report = finished.report.display();
        let n = finished.skipped;
        return Err(Failure::no_input(format!(
            "expected at least one usable image, got none: {} skipped, reasons in {report}",
            counted(n, "input")
        )));
    }
    if !quiet {
        let Finished {
            exams,
            flagged,
            skipped,
            without_dicom,
            research_use,
            ..
        } = finished;
        let (exams, skipped) = (counted(*exams, "exam"), counted(*skipped, "input"));
        eprintln!("{exams} assessed, {flagged} flagged, {skipped} skipped.");
        if *without_dicom > 0 {
            let exams = counted(*without_dicom, "exam");
            eprintln!("{exams} without DICOM results: exams.csv beside them says why.");
        }
        eprintln!("{}", lobule_report::NOTICE);
        for words in research_use {
            eprintln!("{words}");
        }
    }
    println!("{}", finished.report.display());
    match finished.skipped + finished.without_dicom {
        0 => Ok(Outcome::Complete),
        _ => Ok(Outcome::SomeSkipped),
    }
}

/// Assesses into an output folder; writing overlaps with running. `skipped` are the inputs that
/// are part of no run.
pub(crate) fn assess_into(
    destination: Destination<'_>,
    runs: &mut [Run],
    skipped: &[Skipped],
    progress: &ProgressBar,
) -> Result<Finished, Failure> {
    let exams: usize = runs.iter().map(|run| run.inputs.exams.len()).sum();
    let layout = Layout {
        heat_maps: destination.heat_maps,
        pages: match exams {
            1 => Pages::OneExam,
            _ => Pages::Worklist,
        },
        surroundings: destination.identity,
    };
    let models: Vec<RunInfo> = runs.iter().map(|run| run.ready.info.clone()).collect();
    let research_use = models.iter().map(|info| info.model.words_beyond_notice());
    let research_use = research_use
        .filter(|words| !words.is_empty())
        .map(str::to_owned);
    let research_use = research_use.collect();
    let mut written = Written {
        folder: Folder::create(destination.out, models, layout)?,
        dicom: destination.dicom,
        identity: destination.identity,
        exams: 0,
        flagged: 0,
        skipped: 0,
        first_skipped: None,
        highest: None,
        synthetic: false,
    };
    let mut skipped = skipped.to_vec();
    for run in runs {
        assess_run(run, &mut written, progress)?;
        skipped.append(&mut run.inputs.skipped);
    }
    let report = written.folder.finish(&skipped)?;
    Ok(Finished {
        report,
        exams: written.exams,
        flagged: written.flagged,
        skipped: skipped.len() + written.skipped,
        first_skipped: written.first_skipped.or_else(|| skipped.into_iter().next()),
        research_use,
        without_dicom: written.dicom.map_or(0, |dicom| dicom.without),
        highest: written.highest,
        synthetic: written.synthetic,
    })
}

fn assess_run(run: &mut Run, written: &mut Written, progress: &ProgressBar) -> Result<(), Failure> {
    let (sender, receiver) = sync_channel(WAITING_EXAMS);
    let (inputs, info, assessor) = (&run.inputs, &run.ready.info, &mut run.ready.assessor);
    let (assessed, written) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| write_all(written, inputs, info, receiver, progress));
        let assessed = assess(inputs, assessor, |exam| {
            let gone = |_| Error::new(ErrorKind::Receiver, "the writer of results has stopped");
            sender.send(exam).map_err(gone)
        });
        drop(sender);
        (assessed, writer.join())
    });
    // The writer's own error says why a run stopped; it comes first.
    written.map_err(|_| Failure::unexpected("the writer of results broke"))??;
    Ok(assessed?)
}

struct Written {
    folder: Folder,
    dicom: Option<DicomOut>,
    identity: Surroundings,
    exams: usize,
    flagged: usize,
    /// Files of assessed exams.
    skipped: usize,
    first_skipped: Option<Skipped>,
    highest: Option<f64>,
    synthetic: bool,
}

fn write_all(
    written: &mut Written,
    inputs: &Inputs,
    info: &RunInfo,
    exams: Receiver<AssessedExam>,
    progress: &ProgressBar,
) -> Result<(), Failure> {
    for (exam, input) in exams.into_iter().zip(&inputs.exams) {
        let breasts = &exam.assessment.breasts;
        written.exams += usize::from(!breasts.is_empty());
        written.synthetic |= exam.assessment.is_synthetic();
        written.flagged += usize::from(breasts.iter().any(|b| b.flagged));
        written.skipped += exam.skipped.len();
        let first = &mut written.first_skipped;
        *first = first.take().or_else(|| exam.skipped.first().cloned());
        let shown = |b: &BreastAssessment| b.probabilities.unwrap_or(b.scores).malignant;
        let scores = breasts.iter().map(shown).chain(written.highest);
        written.highest = scores.reduce(f64::max);
        tracing::info!(exam = %exam.assessment.exam, "assessed");
        if let Some(dicom) = &mut written.dicom {
            dicom.add(&exam, input, info)?;
        }
        written.folder.add(&ExamRecord {
            assessment: exam.assessment,
            pictures: exam.pictures,
            steps: exam.steps,
            skipped: exam.skipped,
            identity: match written.identity {
                Surroundings::Show => input.identity(),
                Surroundings::Hide => Vec::new(),
            },
        })?;
        progress.inc(input.files().count() as u64);
    }
    Ok(())
}
