//! `lobule model verify --data`: every member on the images that it did not learn from.

use std::path::Path;

use indicatif::ProgressBar;
use lobule_assess::Ensemble;
use lobule_engine::{EngineKind, Options, open, preferred};
use lobule_package::{Member, PREDICTIONS_FILE, Package, Prediction};
use lobule_raster::{Limits, PrepareConfig, prepare, read_picture};

use crate::failure::{Failure, Outcome};

/// Weights are stored in 16 bits and engines sum in different orders.
const SCORE_TOLERANCE: f64 = 1e-3;
const BATCH: usize = 8;

/// Scores every row of the package's predictions again, with the member that left its fold out, on
/// the image `data/<set>/<case>`.
pub(super) fn rerun(package: &Package, data: &Path) -> Result<Outcome, Failure> {
    let rows = package.predictions()?.rows;
    let engine = preferred()?;
    let members = &package.manifest().members;
    let mut missing = 0;
    for (member, path) in members.iter().zip(package.member_paths()) {
        let own = |row: &&Prediction| member.leaves_out(&row.set, &row.fold);
        let chosen: Vec<&Prediction> = rows.iter().filter(own).collect();
        let there = |row: &&Prediction| data.join(&row.set).join(&row.case).is_file();
        let (chosen, absent): (Vec<_>, Vec<_>) = chosen.into_iter().partition(there);
        missing += absent.len();
        if chosen.is_empty() {
            println!("data     {}: skipped, no image found", member.file);
            continue;
        }
        let difference = rerun_member(package, (member, &path), engine, &chosen, data)?;
        let n = chosen.len();
        println!(
            "data     {}: {n} left-out images differ by {difference:.1e}",
            member.file
        );
        if difference > SCORE_TOLERANCE {
            return Err(Failure::package(format!(
                "{PREDICTIONS_FILE}: expected {} to repeat its scores within {SCORE_TOLERANCE:e}, got {difference:e}",
                member.file
            )));
        }
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

/// The largest difference of a member's scores from the table.
fn rerun_member(
    package: &Package,
    (member, path): (&Member, &Path),
    engine: EngineKind,
    rows: &[&Prediction],
    data: &Path,
) -> Result<f64, Failure> {
    let manifest = package.manifest();
    let config = PrepareConfig::from(&manifest.prepare);
    let session = open(Some(engine), path, &Options::default())?;
    let mut ensemble = Ensemble::from_sessions(manifest, vec![session])
        .map_err(|e| Failure::package(e.to_string()))?;
    let progress = ProgressBar::new(rows.len() as u64).with_message(member.file.clone());
    let mut largest = 0.0_f64;
    for batch in rows.chunks(BATCH) {
        let mut images = Vec::new();
        for row in batch {
            images.extend(input(&data.join(&row.set).join(&row.case), &config)?);
        }
        let outputs = ensemble
            .run(&images, [batch.len(), 1, config.rows, config.cols])
            .map_err(|e| Failure::package(e.to_string()))?;
        for (row, output) in batch.iter().zip(&outputs) {
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

fn input(file: &Path, config: &PrepareConfig) -> Result<Vec<f32>, Failure> {
    let unusable = |e: lobule_raster::Error| Failure::no_input(e.to_string());
    let picture = read_picture(file, &Limits::default()).map_err(unusable)?;
    Ok(prepare(&picture, &[], config)
        .map_err(|e| unusable(e.in_file(file)))?
        .chw)
}
