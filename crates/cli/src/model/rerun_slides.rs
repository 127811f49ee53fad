//! `lobule model verify --data` of slide models: every run's networks on the slides that they did not
//! learn from, tile by tile as training takes them.
//!
//! Which tiles of a slide are predicted is said by the run's configuration, in the folder `train` beside
//! the package's files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lobule_package::{
    Member, PREDICTIONS_FILE, Package, SlidePrediction, SlideRule, TilePrediction, read_rows,
};
use lobule_stats::roc::Roc;
use lobule_train::slide::{SlideRunConfig, SlidesAgain, predict_slides_again};

use super::rerun::SCORE_TOLERANCE;
use crate::failure::{Failure, Outcome};
use crate::train::{Progress, failure, open_any};

/// The networks of one run.
struct Run<'a> {
    members: Vec<&'a Member>,
    paths: Vec<PathBuf>,
}

impl Run<'_> {
    /// The members of a package by run: those of one run left the same out.
    fn all(package: &Package) -> Vec<Run<'_>> {
        let mut runs: Vec<Run<'_>> = Vec::new();
        let members = &package.manifest().members;
        for (member, path) in members.iter().zip(package.member_paths()) {
            let known = runs.iter_mut();
            let mut same = known.filter(|run| run.members[0].left_out == member.left_out);
            match same.next() {
                Some(run) => {
                    run.members.push(member);
                    run.paths.push(path);
                }
                None => runs.push(Run {
                    members: vec![member],
                    paths: vec![path],
                }),
            }
        }
        runs
    }

    fn name(&self) -> String {
        let files: Vec<&str> = self.members.iter().map(|m| m.file.as_str()).collect();
        files.join(", ")
    }

    /// Whether a row is this run's. A package has one grade run, which said all.
    fn said(&self, row: &Row, rule: &SlideRule) -> bool {
        match rule {
            SlideRule::Tumor(_) => self.members[0].leaves_out(&row.set, &row.fold),
            SlideRule::Grade(_) => true,
        }
    }
}

/// What was said of a tile or a slide.
struct Row {
    set: String,
    fold: String,
    /// Which one, in words.
    key: String,
    score: Option<f64>,
}

impl From<&TilePrediction> for Row {
    fn from(tile: &TilePrediction) -> Row {
        let (set, slide, row, col) = (&tile.set, &tile.slide, tile.row, tile.col);
        Row {
            key: format!("{set}/{slide}, row {row}, column {col}"),
            set: set.clone(),
            fold: tile.fold.clone(),
            score: Some(tile.score),
        }
    }
}

impl From<&SlidePrediction> for Row {
    fn from(slide: &SlidePrediction) -> Row {
        let (set, name, n_tiles) = (&slide.set, &slide.slide, slide.n_tiles);
        Row {
            key: format!("{set}/{name}, {n_tiles} tiles"),
            set: set.clone(),
            fold: slide.fold.clone(),
            score: slide.score,
        }
    }
}

/// Scores every row of the package's predictions again. All runs are run and their ranking printed
/// before a difference is an error.
pub(super) fn rerun(package: &Package, data: &Path) -> Result<Outcome, Failure> {
    let rule = package.manifest().slide.as_ref();
    let rule = rule.ok_or_else(|| Failure::package("expected a rule of slides, got none"))?;
    let rows = stated(package, rule)?;
    let cache = tempfile::tempdir().map_err(|e| Failure::output(e.to_string()))?;
    let (mut missing, mut differing) = (0, None);
    let mut tiles = Vec::new();
    for run in Run::all(package) {
        let (config, absent) = configuration(package, &run)?.with_data_below(data);
        let own = rows.iter().filter(|row| run.said(row, rule));
        let (elsewhere, own): (Vec<&Row>, Vec<&Row>) = own.partition(|r| absent.contains(&r.set));
        missing += elsewhere.len();
        let name = run.name();
        if own.is_empty() {
            println!("data     {name}: skipped, no slide found");
            continue;
        }
        let mut progress = Progress::new();
        let networks = (run.paths.as_slice(), rule);
        let again = predict_slides_again(&config, networks, cache.path(), &open_any, &mut progress);
        progress.clear();
        let again = again.map_err(failure)?;
        if let Err(message) = compare(&name, rule, &own, &again) {
            differing.get_or_insert(message);
        }
        tiles.extend(again.tiles);
    }
    if let SlideRule::Tumor(_) = rule {
        print_areas(&tiles)?;
    }
    if let Some(message) = differing {
        return Err(Failure::package(format!("{PREDICTIONS_FILE}: {message}")));
    }
    if missing > 0 {
        let data = data.display();
        println!("data     skipped: {missing} rows are of sets that are not in {data}");
        return Ok(Outcome::SomeSkipped);
    }
    Ok(Outcome::Complete)
}

/// The package's own table.
fn stated(package: &Package, rule: &SlideRule) -> Result<Vec<Row>, Failure> {
    let path = package.folder().join(PREDICTIONS_FILE);
    let bytes = std::fs::read(&path);
    let bytes = bytes.map_err(|e| Failure::package(e.to_string()).of(&path))?;
    Ok(match rule {
        SlideRule::Tumor(_) => rows(&read_rows::<TilePrediction>(&bytes, &path)?),
        SlideRule::Grade(_) => rows(&read_rows::<SlidePrediction>(&bytes, &path)?),
    })
}

fn rows<'a, T>(of: &'a [T]) -> Vec<Row>
where
    Row: From<&'a T>,
{
    of.iter().map(Row::from).collect()
}

fn configuration(package: &Package, run: &Run<'_>) -> Result<SlideRunConfig, Failure> {
    let folder = package.folder().join("train");
    if !folder.is_dir() {
        let message = "expected the configurations of the model's runs, got none";
        return Err(Failure::package(message).of(&folder));
    }
    SlideRunConfig::that_left_out(&run.members[0].left_out, &folder).map_err(failure)
}

/// Prints by how much a run differs from the table.
fn compare(
    name: &str,
    rule: &SlideRule,
    stated: &[&Row],
    again: &SlidesAgain,
) -> Result<(), String> {
    let (got, what) = match rule {
        SlideRule::Tumor(_) => (rows(&again.tiles), "tiles"),
        SlideRule::Grade(_) => (rows(&again.slides), "slides"),
    };
    let got: BTreeMap<&str, Option<f64>> = got.iter().map(|r| (r.key.as_str(), r.score)).collect();
    let (mut by, mut most) = (0.0, "");
    for row in stated {
        match (row.score, got.get(row.key.as_str())) {
            (Some(expected), Some(Some(got))) if (expected - got).abs() > by => {
                (by, most) = ((expected - got).abs(), &row.key);
            }
            (Some(_), Some(Some(_))) => {}
            (None, Some(None)) => {}
            (expected, got) => {
                let skipped = again.skipped.first();
                let reason = skipped.map_or(String::new(), |s| format!("; {}", s.reason));
                let key = &row.key;
                return Err(format!(
                    "expected {expected:?} of {name} for {key}, got {got:?}{reason}"
                ));
            }
        }
    }
    let n = stated.len();
    println!("data     {name}: {n} left-out {what} differ by {by:.1e}");
    if got.len() != n {
        let n_got = got.len();
        return Err(format!(
            "expected {n} left-out {what} of {name}, got {n_got}"
        ));
    }
    match by <= SCORE_TOLERANCE {
        true => Ok(()),
        false => Err(format!(
            "expected {name} to repeat its scores within {SCORE_TOLERANCE:e}, got {by:.1e} for {most}"
        )),
    }
}

/// How the tiles of each set rank.
fn print_areas(tiles: &[TilePrediction]) -> Result<(), Failure> {
    let sets: BTreeSet<&str> = tiles.iter().map(|t| t.set.as_str()).collect();
    for set in sets {
        let own = tiles.iter().filter(|t| t.set == set);
        let known = own.filter_map(|t| Some((t.share? > 0.5, t.score)));
        let (truth, scores): (Vec<bool>, Vec<f64>) = known.unzip();
        let positive = truth.iter().filter(|t| **t).count();
        if positive == 0 || positive == truth.len() {
            continue;
        }
        let roc = Roc::new(&scores, &truth).map_err(|e| Failure::package(e.to_string()))?;
        let (auc, n) = (roc.auc(), truth.len());
        println!("data     {set}: AUROC per tile {auc:.4}, n {n}, {positive} more than half tumor");
    }
    Ok(())
}
