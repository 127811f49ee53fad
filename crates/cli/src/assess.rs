//! `lobule assess`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};

use indicatif::{ProgressBar, ProgressStyle};
use lobule_assess::{AssessedExam, Error, ErrorKind, Inputs, Keep, assess, collect};
use lobule_report::{ExamRecord, Folder, HeatMaps, Layout, Pages, Surroundings};

use crate::failure::{Failure, Outcome};
use crate::setup::{ModelArgs, Ready, check_output, ready};

/// Finished exams that may wait to be written.
const WAITING_EXAMS: usize = 2;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, folders (read with everything in them), or a manifest CSV: exam,breast,file.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Folder for the results.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    #[command(flatten)]
    model: ModelArgs,

    /// Show patient identifiers and the margins of the pictures on the pages.
    #[arg(long)]
    identify: bool,

    /// Write no heat-map PNG files.
    #[arg(long)]
    no_heat_maps: bool,

    /// Also write each cropped and painted sonogram as a PNG file.
    #[arg(long)]
    debug_crops: bool,

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
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    check_output(&args.out)?;
    let keep = match args.debug_crops {
        true => Keep::PicturesAndCrops,
        false => Keep::Pictures,
    };
    let ready = ready(&args.model, keep)?;
    let inputs = collect(&args.paths)?;
    if inputs.exams.is_empty() {
        return Err(Failure::no_input(nothing_usable(&inputs)));
    }
    let heat_maps = match args.no_heat_maps {
        true => HeatMaps::Omit,
        false => HeatMaps::Write,
    };
    let progress = progress(&inputs, args.quiet);
    let identity = match args.identify {
        true => Identity::Show,
        false => Identity::Hide,
    };
    let finished = assess_into(&args.out, &inputs, ready, heat_maps, identity, &progress)?;
    progress.finish_and_clear();
    conclude(&finished, args.quiet)
}

/// Whether identifiers of patients, stated or burnt in, reach a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    Show,
    Hide,
}

fn nothing_usable(inputs: &Inputs) -> String {
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

fn progress(inputs: &Inputs, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {eta} left");
    let bar = ProgressBar::new(inputs.files().count() as u64);
    bar.with_style(style.expect("the template is valid"))
}

/// Says what happened; finished without one usable image is a failure.
pub(crate) fn conclude(finished: &Finished, quiet: bool) -> Result<Outcome, Failure> {
    if finished.exams == 0 {
        let report = finished.report.display();
        let n = finished.skipped;
        return Err(Failure::no_input(format!(
            "expected at least one usable image, got none: {n} inputs skipped, reasons in {report}"
        )));
    }
    if !quiet {
        let Finished {
            exams,
            flagged,
            skipped,
            ..
        } = finished;
        eprintln!("{exams} exams assessed, {flagged} flagged, {skipped} inputs skipped.");
        eprintln!("{}", lobule_report::NOTICE);
    }
    println!("{}", finished.report.display());
    match finished.skipped {
        0 => Ok(Outcome::Complete),
        _ => Ok(Outcome::SomeSkipped),
    }
}

/// Assesses into an output folder; writing overlaps with running.
pub(crate) fn assess_into(
    out: &Path,
    inputs: &Inputs,
    mut ready: Ready,
    heat_maps: HeatMaps,
    identity: Identity,
    progress: &ProgressBar,
) -> Result<Finished, Failure> {
    let pages = match inputs.exams.len() {
        1 => Pages::OneExam,
        _ => Pages::Worklist,
    };
    let layout = Layout {
        heat_maps,
        pages,
        surroundings: match identity {
            Identity::Show => Surroundings::Show,
            Identity::Hide => Surroundings::Hide,
        },
    };
    let folder = Folder::create(out, ready.info.clone(), layout)?;
    let (sender, receiver) = sync_channel(WAITING_EXAMS);
    let (assessed, written) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| write_all(folder, inputs, identity, receiver, progress));
        let assessed = assess(inputs, &mut ready.assessor, |exam| {
            let gone = |_| Error::new(ErrorKind::Receiver, "the writer of results has stopped");
            sender.send(exam).map_err(gone)
        });
        drop(sender);
        (assessed, writer.join())
    });
    // The writer's own error says why a run stopped; it comes first.
    let written = written.map_err(|_| Failure::unexpected("the writer of results broke"))??;
    assessed?;
    let report = written.folder.finish(&inputs.skipped)?;
    Ok(Finished {
        report,
        exams: written.exams,
        flagged: written.flagged,
        skipped: written.skipped + inputs.skipped.len(),
    })
}

struct Written {
    folder: Folder,
    exams: usize,
    flagged: usize,
    skipped: usize,
}

fn write_all(
    folder: Folder,
    inputs: &Inputs,
    identity: Identity,
    exams: Receiver<AssessedExam>,
    progress: &ProgressBar,
) -> Result<Written, lobule_report::Error> {
    let mut written = Written {
        folder,
        exams: 0,
        flagged: 0,
        skipped: 0,
    };
    for (exam, input) in exams.into_iter().zip(&inputs.exams) {
        let breasts = &exam.assessment.breasts;
        written.exams += usize::from(!breasts.is_empty());
        written.flagged += usize::from(breasts.iter().any(|b| b.flagged));
        written.skipped += exam.skipped.len();
        tracing::info!(exam = %exam.assessment.exam, "assessed");
        for skipped in &exam.skipped {
            tracing::info!(file = %skipped.file, reason = %skipped.reason, "skipped");
        }
        written.folder.add(&ExamRecord {
            assessment: exam.assessment,
            pictures: exam.pictures,
            crops: exam.crops,
            skipped: exam.skipped,
            identity: match identity {
                Identity::Show => input.identity(),
                Identity::Hide => Vec::new(),
            },
        })?;
        progress.inc(input.files().count() as u64);
    }
    Ok(written)
}
