//! From finished runs on slides to a model package.

use std::path::{Path, PathBuf};

use lobule_package::{
    FORMAT, LICENCE_FILE, Manifest, Modality, PREDICTIONS_FILE, RUNS_FILE, RiskScale,
    SlidePrediction, SlideRule, Status, TileClassifier, TilePrediction, TrainingData, TumorRule,
    Wiring, read_rows, write_rows,
};
use serde::Deserialize;

use super::run::{CUTOFF_FILE, SLIDES_FILE, TILES_FILE, member_file};
use super::score::{Cutoff, grade_rule};
use super::{SlideRunConfig, SlideTask};
use crate::assemble::{
    CardWords, beside, member, read_description, write, write_figures, write_manifest,
};
use crate::run_row::{RunRow, to_csv};
use crate::{Error, ErrorKind, Runs};

/// What people have to say about a package of a slide model; the rest is computed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlidePackageDescription {
    /// Name of the model.
    pub name: String,
    /// Version of the model.
    pub version: String,
    /// How far it can be trusted.
    pub status: Status,
    /// The sentence on every result.
    pub research_use: String,
    /// The card's text; the table of figures is appended to it. Relative to the description.
    pub card: PathBuf,
    /// A licence that binds whoever uses the weights. Relative to the description.
    #[serde(default)]
    pub licence: Option<PathBuf>,
    /// For a model that finds tumor: the threshold, and by what rule it was chosen.
    #[serde(default)]
    pub tumor: Option<TumorRule>,
    /// For a model that grades: scales of risk beside the one of two levels, whose cutoff the run chose.
    #[serde(default)]
    pub risks: Vec<RiskScale>,
    /// What it was trained on.
    pub training_data: Vec<TrainingData>,
}

impl SlidePackageDescription {
    /// Reads the description from TOML.
    ///
    /// # Errors
    /// When the file cannot be read or is not of this form.
    pub fn read(file: &Path) -> Result<SlidePackageDescription, Error> {
        let mut description: SlidePackageDescription = read_description(file)?;
        beside(file, &mut description.card, &mut description.licence);
        Ok(description)
    }
}

/// Joins finished runs of one task and preparation into a package folder: each run's networks become
/// members, their predictions the table behind every figure.
///
/// # Errors
/// When a run is unfinished, runs disagree about task or preparation, several grade runs are given (each
/// has a cutoff of its own), or files cannot be written.
pub fn assemble_slides(
    runs: &Runs,
    description: &SlidePackageDescription,
    folder: &Path,
) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    let configs: Result<Vec<SlideRunConfig>, Error> = runs
        .members
        .iter()
        .map(|run| SlideRunConfig::read(&run.join("config.toml")))
        .collect();
    let configs = configs?;
    let first = agreed(&configs)?;
    let mut members = Vec::new();
    for (run, config) in runs.members.iter().zip(&configs) {
        for number in 1..=config.network.members {
            let source = run.join(member_file(number));
            let left_out = config.left_out_text();
            members.push(member(&source, folder, members.len(), left_out)?);
        }
    }
    let slide = rule_of(runs, description, first)?;
    write(folder, PREDICTIONS_FILE, &joined(runs, first.task)?)?;
    let manifest = Manifest {
        format: FORMAT,
        name: description.name.clone(),
        version: description.version.clone(),
        modality: Modality::Histology,
        status: description.status,
        classes: slide.classes().map(String::from).to_vec(),
        research_use: description.research_use.clone(),
        default_operating_point: String::new(),
        views_trained: Vec::new(),
        media_trained: Vec::new(),
        prepare: first.prepare.clone(),
        wiring: Wiring::TileClassifier(TileClassifier::default()),
        members,
        operating_points: Vec::new(),
        calibration: Default::default(),
        saliency: None,
        slide: Some(slide),
        training_data: description.training_data.clone(),
    };
    let rows = [(&runs.members, "member"), (&runs.tried, "tried")]
        .into_iter()
        .flat_map(|(folders, role)| folders.iter().map(move |run| RunRow::read(run, role)));
    write(
        folder,
        RUNS_FILE,
        &to_csv(&rows.collect::<Result<Vec<_>, _>>()?)?,
    )?;
    if let Some(licence) = &description.licence {
        let text = std::fs::read(licence).map_err(|e| Error::io(licence, e))?;
        write(folder, LICENCE_FILE, &text)?;
    }
    write_manifest(folder, &manifest)?;
    write_figures(folder, &description.card, &SLIDES)
}

fn agreed(configs: &[SlideRunConfig]) -> Result<&SlideRunConfig, Error> {
    let bad = |message: &str| Err(Error::new(ErrorKind::Config, message));
    let Some(first) = configs.first() else {
        return bad("expected at least one run");
    };
    if configs
        .iter()
        .any(|c| c.task != first.task || c.prepare != first.prepare)
    {
        return bad("expected runs of one task and one preparation, got different ones");
    }
    match first.task == SlideTask::Grade && configs.len() > 1 {
        true => bad("expected one grade run, whose cutoff holds, got several"),
        false => Ok(first),
    }
}

fn rule_of(
    runs: &Runs,
    description: &SlidePackageDescription,
    config: &SlideRunConfig,
) -> Result<SlideRule, Error> {
    match (config.task, &description.tumor, runs.members.first()) {
        (SlideTask::Tumor, Some(rule), _) => Ok(SlideRule::Tumor(rule.clone())),
        (SlideTask::Grade, None, Some(run)) => {
            let file = run.join(CUTOFF_FILE);
            let text = std::fs::read_to_string(&file).map_err(|e| Error::io(&file, e))?;
            let cutoff: Cutoff = toml::from_str(&text)
                .map_err(|e| Error::new(ErrorKind::Config, e.to_string()).in_file(&file))?;
            let mut rule = grade_rule(&config.score, &cutoff);
            rule.risks.extend(description.risks.iter().cloned());
            Ok(SlideRule::Grade(rule))
        }
        _ => Err(Error::new(
            ErrorKind::Config,
            "expected a table [tumor] in the description of a model that finds tumor, and only there",
        )),
    }
}

/// The predictions of all runs as one table.
fn joined(runs: &Runs, task: SlideTask) -> Result<Vec<u8>, Error> {
    match task {
        SlideTask::Tumor => joined_rows::<TilePrediction>(runs, TILES_FILE),
        SlideTask::Grade => joined_rows::<SlidePrediction>(runs, SLIDES_FILE),
    }
}

fn joined_rows<T>(runs: &Runs, name: &str) -> Result<Vec<u8>, Error>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let mut rows: Vec<T> = Vec::new();
    for run in &runs.members {
        let file = run.join(name);
        let bytes = std::fs::read(&file).map_err(|e| Error::io(&file, e))?;
        rows.extend(
            read_rows::<T>(&bytes, &file)
                .map_err(|e| Error::new(ErrorKind::Data, e.to_string()))?,
        );
    }
    write_rows(&rows).map_err(|e| Error::new(ErrorKind::Io, e.to_string()))
}

const SLIDES: CardWords = CardWords {
    origin: "Every tile or slide was scored by networks that saw nothing of its patient.",
    tables: "`predictions.csv`",
    hits: "positive or hits",
};
