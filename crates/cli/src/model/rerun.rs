//! `lobule model verify --data`: every member on the images that it did not learn from, its scores
//! and how well its findings fit the lesions.

use std::collections::BTreeMap;
use std::path::Path;

use indicatif::ProgressBar;
use lobule_assess::Ensemble;
use lobule_engine::{EngineKind, Options, open, preferred};
use lobule_package::{Member, Modality, PREDICTIONS_FILE, Package, Prediction, Prepare, Truth};
use lobule_raster::{Limits, MammogramHints, NetworkInput, find_breast, prepare, read_picture};
use lobule_stats::roc::Roc;

use super::outlines::{Masks, Outlines};
#[cfg(feature = "train")]
use super::rerun_slides::rerun as slides;
use crate::failure::{Failure, Outcome};

/// Weights are stored in 16 bits and engines sum in different orders.
pub(super) const SCORE_TOLERANCE: f64 = 1e-3;
const BATCH: usize = 8;

/// What the members gave this time.
struct Rerun {
    outlines: Outlines,
    /// Malignant score and truth, by data set.
    scores: BTreeMap<String, (Vec<f64>, Vec<bool>)>,
}

/// Scores every row of the package's predictions again, with the member that left its fold out, on
/// the image `data/<set>/<case>`. All members are run and their ranking printed before a difference
/// is an error: so one sees what, say, another preparation in the manifest changes.
pub(super) fn rerun(package: &Package, data: &Path) -> Result<Outcome, Failure> {
    if package.manifest().modality == Modality::Histology {
        return slides(package, data);
    }
    let rows = package.predictions()?.rows;
    let engine = preferred()?;
    let members = &package.manifest().members;
    let (mut missing, mut differing) = (0, None);
    let mut result = Rerun {
        outlines: Outlines::new(),
        scores: BTreeMap::new(),
    };
    for (member, path) in members.iter().zip(package.member_paths()) {
        let own = |row: &&Prediction| member.leaves_out(&row.set, &row.fold);
        let chosen: Vec<&Prediction> = rows.iter().filter(own).collect();
        let there = |row: &&Prediction| data.join(&row.set).join(&row.case).is_file();
        let (chosen, absent): (Vec<_>, Vec<_>) = chosen.into_iter().partition(there);
        missing += absent.len();
        let (file, n) = (&member.file, chosen.len());
        if n == 0 {
            println!("data     {file}: skipped, no image found");
            continue;
        }
        let by = rerun_member(package, (member, &path), engine, &chosen, data, &mut result)?;
        println!("data     {file}: {n} left-out images differ by {by:.1e}");
        if by > SCORE_TOLERANCE {
            differing.get_or_insert(format!(
                "{PREDICTIONS_FILE}: expected {file} to repeat its scores within {SCORE_TOLERANCE:e}, got {by:e}"
            ));
        }
    }
    print(package, &result)?;
    if let Some(message) = differing {
        return Err(Failure::package(message));
    }
    if missing > 0 {
        println!(
            "data     skipped: {missing} images are not in {}",
            data.display()
        );
        return Ok(Outcome::SomeSkipped);
    }
    Ok(Outcome::Complete)
}

/// Without the feature `train` there is no code that takes a slide's tiles as training does.
#[cfg(not(feature = "train"))]
fn slides(package: &Package, data: &Path) -> Result<Outcome, Failure> {
    let (name, data) = (&package.manifest().name, data.display());
    Err(Failure::usage(format!(
        "expected a build with the feature `train` to run the slide model {name} on {data}, got one without"
    )))
}

fn print(package: &Package, result: &Rerun) -> Result<(), Failure> {
    for (set, (scores, truth)) in &result.scores {
        let positive = truth.iter().filter(|t| **t).count();
        if positive == 0 || positive == truth.len() {
            continue;
        }
        let roc = Roc::new(scores, truth).map_err(|e| Failure::package(e.to_string()))?;
        let auc = roc.auc();
        let n = truth.len();
        println!("data     {set}: AUROC per image {auc:.4}, n {n}, {positive} malignant");
    }
    if let Some(thresholds) = package.manifest().finding_thresholds() {
        let lines = result.outlines.lines(thresholds).into_iter();
        lines.for_each(|line| println!("{line}"));
    }
    Ok(())
}

/// The largest difference of a member's scores from the table.
fn rerun_member(
    package: &Package,
    (member, path): (&Member, &Path),
    engine: EngineKind,
    rows: &[&Prediction],
    data: &Path,
    result: &mut Rerun,
) -> Result<f64, Failure> {
    let manifest = package.manifest();
    let (rows_of_input, cols_of_input) = manifest.prepare.size();
    let session = open(Some(engine), path, &Options::default())?;
    let mut ensemble = Ensemble::from_sessions(manifest, vec![session])
        .map_err(|e| Failure::package(e.to_string()))?;
    let progress = ProgressBar::new(rows.len() as u64).with_message(member.file.clone());
    let mut sets = BTreeMap::new();
    for row in rows {
        let masks = sets.entry(row.set.as_str());
        masks.or_insert_with(|| Masks::of(&data.join(&row.set)));
    }
    let mut largest = 0.0_f64;
    for batch in rows.chunks(BATCH) {
        let read =
            |row: &&Prediction| input(&data.join(&row.set).join(&row.case), &manifest.prepare);
        let inputs: Vec<NetworkInput> = batch.iter().map(read).collect::<Result<_, _>>()?;
        let images: Vec<f32> = inputs.iter().flat_map(|i| i.chw.iter().copied()).collect();
        let outputs = ensemble
            .run(&images, [batch.len(), 1, rows_of_input, cols_of_input])
            .map_err(|e| Failure::package(e.to_string()))?;
        for ((row, output), input) in batch.iter().zip(&outputs).zip(&inputs) {
            let (all, truth) = result.scores.entry(row.set.clone()).or_default();
            all.push(output.members[0].scores.malignant);
            truth.push(row.label == Truth::Malignant);
            let outlines = &mut result.outlines;
            outlines.add(&sets[row.set.as_str()], row, input, output)?;
            let scores = output.members[0].scores;
            let both = [
                scores.benign - row.benign_score,
                scores.malignant - row.malignant_score,
            ];
            largest = both.iter().fold(largest, |most, d| most.max(d.abs()));
        }
        progress.inc(batch.len() as u64);
    }
    progress.finish_and_clear();
    Ok(largest)
}

/// As training reads it: what a table says of a mammogram's view is not used there.
fn input(file: &Path, config: &Prepare) -> Result<NetworkInput, Failure> {
    let unusable = |e: lobule_raster::Error| Failure::no_input(e.in_file(file).to_string());
    let picture = read_picture(file, &Limits::default()).map_err(unusable)?;
    match config {
        Prepare::Sonogram(config) => prepare(&picture, &[], config),
        Prepare::Mammogram(config) => find_breast(&picture.luma16(), &MammogramHints::default())
            .and_then(|breast| Ok(breast.network_input(&breast.place(config)?))),
        Prepare::Tile(_) => {
            let message = "expected an image of an exam, got a slide";
            return Err(Failure::unexpected(message));
        }
    }
    .map_err(unusable)
}
