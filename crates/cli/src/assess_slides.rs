//! `lobule assess` on whole slides.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use lobule_assess::ErrorKind;
use lobule_assess::slide::{
    AssessedSlide, Journal, SlideInput, SlideInputs, SlideModels, SlideOptions, assess_slide,
    collect_slides, open_input,
};
use lobule_engine::EngineKind;
use lobule_exam::Skipped;
use lobule_package::{Package, SlideRule};
use lobule_report::slide::{
    GradingInfo, RESULT_COLUMNS, ShownTile, SlideFolder, SlidePages, SlideRecord, SlideRunInfo,
};

use crate::default_package::{FoundPackage, Models, Reads};
use crate::failure::{Failure, Outcome};
use crate::setup::{ModelArgs, model_info};

/// What is kept of a slide's squares while they are looked at, and after.
const JOURNAL: &str = "journal.tsv";

/// Options of a run over slides.
pub(crate) struct Slides<'a> {
    pub(crate) paths: &'a [PathBuf],
    pub(crate) out: &'a Path,
    pub(crate) model: &'a ModelArgs,
    pub(crate) mpp: Option<f64>,
    pub(crate) risk: Option<&'a str>,
    pub(crate) quiet: bool,
}

/// The packages of a run; those from the binary are removed with it.
pub(crate) struct SlidePackages {
    tumor: FoundPackage,
    grade: Option<FoundPackage>,
}

impl SlidePackages {
    /// The tumor model, which must be there, and the grade model, which may be.
    pub(crate) fn find(model: &ModelArgs) -> Result<SlidePackages, Failure> {
        let mut models = Models::open(&model.model)?;
        let tumor = models.take(Reads::TumorTiles)?.ok_or_else(|| {
            Failure::package(
                "expected a model that finds tumor on slides (slide-tumor), got none: name one with --model",
            )
        })?;
        let grade = models.take(Reads::GradeTiles)?;
        Ok(SlidePackages { tumor, grade })
    }
}

pub(crate) fn run(args: &Slides<'_>) -> Result<Outcome, Failure> {
    let packages = SlidePackages::find(args.model)?;
    let inputs = collect_slides(args.paths, args.mpp)?;
    check_columns(&inputs)?;
    if inputs.slides.is_empty() {
        return Err(nothing_usable(&inputs));
    }
    let kind = args
        .model
        .engine
        .map_or_else(lobule_engine::preferred, Ok)?;
    let options = SlideOptions {
        engine: Some(kind),
        threads: args.model.threads.map_or(0, usize::from),
        risk: args.risk.map(str::to_owned),
        mpp: args.mpp,
    };
    let (tumor, grade) = (&packages.tumor.package, packages.grade.as_ref());
    let models = SlideModels::open(tumor, grade.map(|g| &g.package), &options)?;
    let info = run_info(&packages, &models, kind)?;
    assess_all(args, inputs, models, info)
}

/// A column of the user's table and one of the results would have one name.
fn check_columns(inputs: &SlideInputs) -> Result<(), Failure> {
    let added = |name: &&String| RESULT_COLUMNS.contains(&name.as_str());
    match inputs.columns.iter().find(added) {
        Some(name) => Err(Failure::usage(format!(
            "expected no column `{name}` in the table: the results have one of that name"
        ))),
        None => Ok(()),
    }
}

fn nothing_usable(inputs: &SlideInputs) -> Failure {
    match inputs.skipped.as_slice() {
        [] => Failure::no_input("expected at least one slide, got none"),
        [first, ..] => Failure::no_input(format!(
            "expected at least one slide, got none: {}: {}",
            first.file, first.reason
        )),
    }
}

fn assess_all(
    args: &Slides<'_>,
    inputs: SlideInputs,
    mut models: SlideModels,
    info: SlideRunInfo,
) -> Result<Outcome, Failure> {
    let pages = match inputs.slides.len() {
        1 => SlidePages::OneSlide,
        _ => SlidePages::List,
    };
    let (demonstration, uses) = (info.demonstration(), info.words_beyond_notice().join(" "));
    let mut folder = SlideFolder::create(args.out, info, pages, &inputs.columns)?;
    let (mut assessed, mut skipped) = (0, inputs.skipped.len());
    for input in &inputs.slides {
        let place = folder.place(&input.slide);
        let progress = progress(&input.slide, args.quiet);
        match assess_one(input, &mut models, &place.join(JOURNAL), &progress) {
            Ok(slide) => {
                folder.add(&record(slide, input), &place)?;
                assessed += 1;
            }
            Err(error) if error.kind() == ErrorKind::Input => {
                tracing::info!(slide = %input.slide, reason = %error, "skipped");
                let one = Skipped::new(input.file.display().to_string(), error.to_string());
                folder.skip(&input.slide, one, &input.extra)?;
                skipped += 1;
            }
            Err(error) => return Err(error.into()),
        }
        progress.finish_and_clear();
    }
    let report = folder.finish(&inputs.skipped)?;
    if assessed == 0 {
        return Err(Failure::no_input(format!(
            "expected at least one usable slide, got none: {skipped} inputs skipped, reasons in {}",
            report.display()
        )));
    }
    if !args.quiet {
        eprintln!("{assessed} slides assessed, {skipped} inputs skipped.");
        eprintln!("{} {uses}", lobule_report::NOTICE);
    }
    // Said even where nothing else is: it must not be taken for a result.
    if let Some(words) = demonstration {
        eprintln!("{words}");
    }
    println!("{}", report.display());
    match skipped {
        0 => Ok(Outcome::Complete),
        _ => Ok(Outcome::SomeSkipped),
    }
}

fn assess_one(
    input: &SlideInput,
    models: &mut SlideModels,
    journal: &Path,
    progress: &ProgressBar,
) -> Result<AssessedSlide, lobule_assess::Error> {
    let source = open_input(input)?;
    let mut journal = Journal::at(journal);
    let observe = |done: usize, total: usize| {
        progress.set_length(total as u64);
        progress.set_position(done as u64);
    };
    assess_slide(&source, input, models, &mut journal, &observe)
}

fn record(slide: AssessedSlide, input: &SlideInput) -> SlideRecord {
    let tiles = slide.gallery.into_iter().map(|tile| ShownTile {
        row: tile.row,
        col: tile.col,
        score: tile.score,
        picture: tile.picture,
        marks: tile.marks,
    });
    SlideRecord {
        assessment: slide.assessment,
        view: slide.view,
        view_step: slide.view_step,
        tints: slide.tints,
        gallery: tiles.collect(),
        extra: input.extra.clone(),
    }
}

fn progress(slide: &str, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} tiles, {eta} left");
    let bar = ProgressBar::new(0).with_style(style.expect("the template is valid"));
    bar.with_message(slide.to_owned())
}

fn run_info(
    packages: &SlidePackages,
    models: &SlideModels,
    kind: EngineKind,
) -> Result<SlideRunInfo, Failure> {
    let tumor = packages.tumor.package.manifest();
    let (Some(SlideRule::Tumor(rule)), Some(tile)) = (&tumor.slide, tumor.prepare.tile()) else {
        return Err(Failure::package("expected a model of slides, got another"));
    };
    let info = |package: &Package| model_info(package, kind, package.manifest().members.len());
    let grade = packages.grade.as_ref().map(|found| &found.package);
    let grading = grade.and_then(|package| match &package.manifest().slide {
        Some(SlideRule::Grade(rule)) => Some(GradingInfo {
            model: info(package),
            quantile: rule.quantile,
            least_tiles: rule.least_tiles,
            risk: models.risk_levels()?.clone(),
        }),
        Some(SlideRule::Tumor(_)) | None => None,
    });
    Ok(SlideRunInfo {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        tumor: info(&packages.tumor.package),
        tumor_threshold: rule.threshold,
        tumor_chosen_by: rule.chosen_by.clone(),
        grading,
        tile_side: tile.side,
        tile_mpp: tile.mpp,
    })
}
