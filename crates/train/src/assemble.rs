//! From finished runs to a model package: members, calibration, operating points, figures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lobule_exam::{Medium, View};
use lobule_package::{
    ABOVE_10, ACROSS_FILE, AttentionMil, CARD_FILE, Calibration, FORMAT, Figure, FindingThresholds,
    LICENCE_FILE, MANIFEST_FILE, MARKS_FILE, METRICS_FILE, Manifest, Member, Modality,
    OperatingPoint, PREDICTIONS_FILE, Package, Predictions, Prepare, RUNS_FILE, Saliency, Status,
    TrainingData, Truth, Wiring, above_10, figures, read_names, sha256_of_file,
};
use lobule_stats::calibration::{Calibrator, fit_platt};
use lobule_stats::roc::Roc;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::run::MEMBER_FILE;
use crate::run_row::{RunRow, to_csv};
use crate::{Error, ErrorKind, RunConfig};

/// What people have to say about a package; the rest is computed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageDescription {
    /// Name of the model.
    pub name: String,
    /// Version of the model.
    pub version: String,
    /// How far it can be trusted.
    pub status: Status,
    /// The sentence on every result.
    pub research_use: String,
    /// Projections of the mammograms that it was trained on, as in the manifest.
    #[serde(default, deserialize_with = "read_names")]
    pub views_trained: Vec<View>,
    /// What they were taken on, as in the manifest.
    #[serde(default, deserialize_with = "read_names")]
    pub media_trained: Vec<Medium>,
    /// Saliency from which a region is outlined.
    pub finding_thresholds: FindingThresholds,
    /// The card's text; the table of figures is appended to it. Relative to the description.
    pub card: PathBuf,
    /// A licence that binds whoever uses the weights; copied into the package as `LICENSE`. Relative
    /// to the description.
    #[serde(default)]
    pub licence: Option<PathBuf>,
    /// What it was trained on.
    pub training_data: Vec<TrainingData>,
}

impl PackageDescription {
    /// Reads the description from TOML.
    ///
    /// # Errors
    /// When the file cannot be read or is not of this form.
    pub fn read(file: &Path) -> Result<PackageDescription, Error> {
        let mut description: PackageDescription = read_description(file)?;
        beside(file, &mut description.card, &mut description.licence);
        Ok(description)
    }
}

pub(crate) fn read_description<T: DeserializeOwned>(file: &Path) -> Result<T, Error> {
    let text = std::fs::read_to_string(file).map_err(|e| Error::io(file, e))?;
    toml::from_str(&text).map_err(|e| Error::new(ErrorKind::Config, e.to_string()).in_file(file))
}

/// The files that a description names lie beside it.
pub(crate) fn beside(description: &Path, card: &mut PathBuf, licence: &mut Option<PathBuf>) {
    if let Some(folder) = description.parent() {
        *card = folder.join(&*card);
        *licence = licence.take().map(|file| folder.join(file));
    }
}

/// One breast or patient with its out-of-fold score.
struct Unit {
    run: usize,
    malignant: bool,
    benign: bool,
    scores: [f64; 2],
}

/// Finished runs and what they are in a package.
#[derive(Debug, Clone, Default)]
pub struct Runs {
    /// Their networks become the members, their left-out predictions the table behind the figures.
    pub members: Vec<PathBuf>,
    /// Trained on some of the data sets, tested on another as a whole: figures only.
    pub across: Vec<PathBuf>,
    /// Made on the way; a row in the table of runs and nothing else.
    pub tried: Vec<PathBuf>,
}

/// Joins finished runs into a package folder: each member run's network becomes a member, their
/// left-out predictions the table behind every figure. Calibration is Platt's, fitted per class on
/// the bags' scores; the probabilities in `predictions.csv` come from maps fitted on the other runs
/// (with a single run there is no other, and the map is fitted on the same bags). Runs across data
/// sets are kept in a table of their own, uncalibrated.
///
/// # Errors
/// When a run is unfinished, runs disagree about the preparation, or files cannot be written.
pub fn assemble(runs: &Runs, description: &PackageDescription, folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    let across = across_centers(&runs.across)?;
    let rows = rows_of(runs)?;
    let mut members = Vec::new();
    let mut table = Predictions::default();
    let (mut units, mut run_of_row) = (Vec::new(), Vec::new());
    let mut prepare: Option<Prepare> = None;
    for (idx, run) in runs.members.iter().enumerate() {
        let config = RunConfig::read(&run.join("config.toml"))?;
        let own = config.network.prepare();
        if prepare.get_or_insert_with(|| own.clone()) != &own {
            let message = "expected runs with one preparation, got different ones";
            return Err(Error::new(ErrorKind::Config, message).in_file(run));
        }
        let left_out = config.left_out_text();
        members.push(member(&run.join(MEMBER_FILE), folder, idx, left_out)?);
        let predictions = read_predictions(&run.join(PREDICTIONS_FILE))?;
        units.extend(units_of(&predictions, idx, &config)?);
        table.extra_columns.clone_from(&predictions.extra_columns);
        run_of_row.extend(predictions.rows.iter().map(|_| idx));
        table.rows.extend(predictions.rows);
    }
    let malignant = fit(&units, 1, None).map_err(bad_calibration)?;
    let maps = [fit_benign(&units)?, malignant];
    calibrate_rows(&mut table, &run_of_row, &units)?;
    let prepare =
        prepare.ok_or_else(|| Error::new(ErrorKind::Config, "expected at least one run"))?;
    let modality = prepare.modality();
    let mut operating_points = operating_points(&units, &maps[1])?;
    put_above_10(&mut operating_points, modality, &table, folder)?;
    let manifest = Manifest {
        format: FORMAT,
        name: description.name.clone(),
        version: description.version.clone(),
        modality,
        status: description.status,
        classes: vec!["benign".into(), "malignant".into()],
        research_use: description.research_use.clone(),
        default_operating_point: default_point(modality).into(),
        views_trained: description.views_trained.clone(),
        media_trained: description.media_trained.clone(),
        prepare,
        wiring: Wiring::AttentionMil(AttentionMil::default()),
        members,
        operating_points,
        calibration: calibration(&units, maps),
        saliency: Some(Saliency {
            finding_thresholds: description.finding_thresholds.clone(),
        }),
        slide: None,
        training_data: description.training_data.clone(),
    };
    write(folder, RUNS_FILE, &to_csv(&rows)?)?;
    if manifest.modality == Modality::Mammography {
        write(folder, MARKS_FILE, &joined_marks(&runs.members)?)?;
    }
    write_licence(folder, description)?;
    write_package(folder, &manifest, [&table, &across], &description.card)
}

fn write_licence(folder: &Path, description: &PackageDescription) -> Result<(), Error> {
    let Some(licence) = &description.licence else {
        return Ok(());
    };
    let text = std::fs::read(licence).map_err(|e| Error::io(licence, e))?;
    write(folder, LICENCE_FILE, &text)
}

/// The marks of all runs below one header.
fn joined_marks(runs: &[PathBuf]) -> Result<Vec<u8>, Error> {
    let mut joined = String::new();
    for run in runs {
        let file = run.join(MARKS_FILE);
        let text = std::fs::read_to_string(&file).map_err(|e| Error::io(&file, e))?;
        let skipped = usize::from(!joined.is_empty());
        for line in text.lines().skip(skipped) {
            joined += line;
            joined.push('\n');
        }
    }
    Ok(joined.into_bytes())
}

/// The predictions of networks that saw other data sets only; the set's name says which.
fn across_centers(runs: &[PathBuf]) -> Result<Predictions, Error> {
    let mut table = Predictions::default();
    for run in runs {
        let trained_on = RunConfig::read(&run.join("config.toml"))?.trained_on_text();
        let mut predictions = read_predictions(&run.join(PREDICTIONS_FILE))?;
        for row in &mut predictions.rows {
            row.set = format!("{}, trained on {trained_on} alone", row.set);
        }
        table.extra_columns = predictions.extra_columns;
        table.rows.extend(predictions.rows);
    }
    Ok(table)
}

fn rows_of(runs: &Runs) -> Result<Vec<RunRow>, Error> {
    [
        (&runs.members, "member"),
        (&runs.across, "across"),
        (&runs.tried, "tried"),
    ]
    .into_iter()
    .flat_map(|(folders, role)| folders.iter().map(move |run| RunRow::read(run, role)))
    .collect()
}

/// Copies a run's network into the package as its member of that index.
pub(crate) fn member(
    source: &Path,
    folder: &Path,
    idx: usize,
    left_out: String,
) -> Result<Member, Error> {
    let name = format!("member-{}.onnx", idx + 1);
    let target = folder.join(&name);
    std::fs::copy(source, &target).map_err(|e| Error::io(source, e))?;
    let sha256 = sha256_of_file(&target).map_err(|e| Error::new(ErrorKind::Io, e.to_string()))?;
    Ok(Member {
        file: name,
        sha256,
        left_out,
        graphs: BTreeMap::new(),
    })
}

fn read_predictions(file: &Path) -> Result<Predictions, Error> {
    let bytes = std::fs::read(file).map_err(|e| Error::io(file, e))?;
    Predictions::from_csv(&bytes, file).map_err(|e| Error::new(ErrorKind::Data, e.to_string()))
}

/// The bags of a run: attention-weighted sums of their images' scores. Sets whose lesions alone are
/// used do not count.
fn units_of(predictions: &Predictions, run: usize, config: &RunConfig) -> Result<Vec<Unit>, Error> {
    let mut bags: BTreeMap<(&str, &str), Unit> = BTreeMap::new();
    let counts = |set: &str| !config.lesions_only(set);
    for row in predictions.rows.iter().filter(|row| counts(&row.set)) {
        let unit = bags.entry((&row.set, &row.bag)).or_insert(Unit {
            run,
            malignant: false,
            benign: false,
            scores: [0.0; 2],
        });
        unit.malignant |= row.label == Truth::Malignant;
        unit.benign |= row.label == Truth::Benign;
        unit.scores[0] += row.attention * row.benign_score;
        unit.scores[1] += row.attention * row.malignant_score;
    }
    if bags.is_empty() {
        return Err(Error::new(
            ErrorKind::Data,
            "expected predictions, got none",
        ));
    }
    Ok(bags.into_values().collect())
}

/// The calibration of a class, on all runs or all but one.
fn fit(
    units: &[Unit],
    class: usize,
    without_run: Option<usize>,
) -> Result<Calibrator, lobule_stats::Error> {
    let used = || units.iter().filter(|unit| Some(unit.run) != without_run);
    let scores: Vec<f64> = used()
        .map(|unit| unit.scores[class].clamp(0.0, 1.0))
        .collect();
    let truth: Vec<bool> = used()
        .map(|unit| {
            if class == 1 {
                unit.malignant
            } else {
                unit.benign
            }
        })
        .collect();
    fit_platt(&scores, &truth)
}

/// The calibration of the benign class. Where its score does not rank the bags, the best map that
/// never turns the order around is constant: the share of benign bags.
fn fit_benign(units: &[Unit]) -> Result<Calibrator, Error> {
    match fit(units, 0, None) {
        Err(error) if error.kind() == lobule_stats::ErrorKind::NotIncreasing => {
            let benign = units.iter().filter(|unit| unit.benign).count();
            Ok(Calibrator::Isotonic {
                x: vec![0.5],
                y: vec![benign as f64 / units.len() as f64],
            })
        }
        fitted => fitted.map_err(bad_calibration),
    }
}

fn bad_calibration(error: lobule_stats::Error) -> Error {
    Error::new(ErrorKind::Data, format!("calibration: {error}"))
}

/// Gives each row the probability of a map that was fitted on the other runs.
fn calibrate_rows(
    table: &mut Predictions,
    run_of_row: &[usize],
    units: &[Unit],
) -> Result<(), Error> {
    let runs: BTreeSet<usize> = run_of_row.iter().copied().collect();
    let mut maps = BTreeMap::new();
    for &run in &runs {
        let others = (runs.len() > 1).then_some(run);
        maps.insert(run, fit(units, 1, others).map_err(bad_calibration)?);
    }
    for (row, run) in table.rows.iter_mut().zip(run_of_row) {
        row.malignant_probability = maps.get(run).map(|map| map.apply(row.malignant_score));
    }
    Ok(())
}

fn calibration(units: &[Unit], maps: [Calibrator; 2]) -> BTreeMap<String, Calibration> {
    let n = units.len() as f64;
    let share = |f: fn(&Unit) -> bool| units.iter().filter(|unit| f(unit)).count() as f64 / n;
    let [benign, malignant] = maps;
    BTreeMap::from([
        (
            "benign".into(),
            Calibration {
                prevalence: share(|u| u.benign),
                map: benign,
            },
        ),
        (
            "malignant".into(),
            Calibration {
                prevalence: share(|u| u.malignant),
                map: malignant,
            },
        ),
    ])
}

fn operating_points(units: &[Unit], map: &Calibrator) -> Result<Vec<OperatingPoint>, Error> {
    let scores: Vec<f64> = units.iter().map(|u| map.apply(u.scores[1])).collect();
    let truth: Vec<bool> = units.iter().map(|u| u.malignant).collect();
    let bad = |e: lobule_stats::Error| Error::new(ErrorKind::Data, e.to_string());
    let roc = Roc::new(&scores, &truth).map_err(bad)?;
    let (n, n_malignant) = (units.len(), truth.iter().filter(|&&m| m).count());
    let on = format!("on {n} left-out bags ({n_malignant} malignant)");
    let point = |name: &str, threshold: f64, rule: &str| OperatingPoint {
        name: name.into(),
        threshold,
        chosen_by: format!("{rule} {on}"),
    };
    let highest = "highest threshold with at least";
    let lowest = "lowest threshold with at least";
    Ok(vec![
        point(
            "sensitivity-95",
            roc.at_sensitivity(0.95).map_err(bad)?.threshold,
            &format!("{highest} 95 % sensitivity"),
        ),
        point(
            "specificity-90",
            roc.at_specificity(0.9).map_err(bad)?.threshold.min(1.0),
            &format!("{lowest} 90 % specificity"),
        ),
        point(
            "specificity-95",
            roc.at_specificity(0.95).map_err(bad)?.threshold.min(1.0),
            &format!("{lowest} 95 % specificity"),
        ),
    ])
}

/// The rule by which a package flags unless another is asked for.
fn default_point(modality: Modality) -> &'static str {
    match modality {
        Modality::Mammography => ABOVE_10,
        _ => "sensitivity-95",
    }
}

/// Puts the operating point of mammography that was set beforehand before the fitted ones, with
/// what it does.
fn put_above_10(
    points: &mut Vec<OperatingPoint>,
    modality: Modality,
    table: &Predictions,
    folder: &Path,
) -> Result<(), Error> {
    if modality != Modality::Mammography {
        return Ok(());
    }
    let figures = figures(table, &folder.join(PREDICTIONS_FILE)).map_err(of_package)?;
    points.retain(|point| point.name != ABOVE_10);
    points.insert(0, above_10(&figures));
    Ok(())
}

/// Writes anew what follows from the tables that a package keeps and from its description: the
/// operating point that was set beforehand, the default, the card and the figures. For when more is
/// asked of the tables than when the package was made, whose runs need not be there any more.
/// Members, calibration and fitted thresholds stay.
///
/// # Errors
/// When the folder holds no package of that name and version of images of exams, or cannot be
/// written.
pub fn refresh(description: &PackageDescription, folder: &Path) -> Result<(), Error> {
    let package = Package::open(folder).map_err(of_package)?;
    let mut manifest = package.manifest().clone();
    let named = (&manifest.name, &manifest.version);
    if named != (&description.name, &description.version) || manifest.slide.is_some() {
        let (name, version) = (&description.name, &description.version);
        let message = format!("expected {name} {version}, got {} {}", named.0, named.1);
        return Err(Error::new(ErrorKind::Config, message).in_file(folder));
    }
    let table = package.predictions().map_err(of_package)?;
    let points = &mut manifest.operating_points;
    put_above_10(points, manifest.modality, &table, folder)?;
    manifest.default_operating_point = default_point(manifest.modality).into();
    write_manifest(folder, &manifest)?;
    write_figures(folder, &description.card, &IMAGES)
}

fn write_package(
    folder: &Path,
    manifest: &Manifest,
    [table, across]: [&Predictions; 2],
    card: &Path,
) -> Result<(), Error> {
    write_manifest(folder, manifest)?;
    for (name, table) in [(PREDICTIONS_FILE, table), (ACROSS_FILE, across)] {
        if table.rows.is_empty() {
            continue;
        }
        let file = folder.join(name);
        let mut bytes = Vec::new();
        table.to_csv(&mut bytes, &file).map_err(of_package)?;
        write(folder, name, &bytes)?;
    }
    write_figures(folder, card, &IMAGES)
}

fn of_package(error: lobule_package::Error) -> Error {
    Error::new(ErrorKind::Io, error.to_string())
}

pub(crate) fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), Error> {
    let text = manifest.to_toml(&folder.join(MANIFEST_FILE));
    write(folder, MANIFEST_FILE, text.map_err(of_package)?.as_bytes())
}

/// The card and the metrics of a package whose tables are written.
pub(crate) fn write_figures(folder: &Path, card: &Path, words: &CardWords) -> Result<(), Error> {
    let figures = Package::open(folder).and_then(|package| package.figures());
    let figures = figures.map_err(of_package)?;
    write_card(folder, card, &figures, words)?;
    let text = serde_json::to_string_pretty(&serde_json::json!({ "figures": figures }))
        .map_err(|e| Error::new(ErrorKind::Io, e.to_string()))?;
    write(folder, METRICS_FILE, (text + "\n").as_bytes())
}

pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let file = folder.join(name);
    std::fs::write(&file, bytes).map_err(|e| Error::io(&file, e))
}

/// What stands around a card's table of figures.
pub(crate) struct CardWords {
    pub(crate) origin: &'static str,
    pub(crate) tables: &'static str,
    pub(crate) hits: &'static str,
}

/// Of images of exams.
const IMAGES: CardWords = CardWords {
    origin: "Out of fold: every image was scored by a network that saw no image of its group.",
    tables: "`predictions.csv`, `across.csv` and `marks.csv`",
    hits: "malignant or hits",
};

/// The card: the text that people wrote, then every figure with its interval, count and method.
fn write_card(
    folder: &Path,
    text: &Path,
    figures: &[Figure],
    words: &CardWords,
) -> Result<(), Error> {
    let mut card = std::fs::read_to_string(text).map_err(|e| Error::io(text, e))?;
    let CardWords {
        origin,
        tables,
        hits,
    } = words;
    card += &format!(
        "\n## Figures\n\n{origin} Recomputed from\n{tables} by `lobule model verify`.\n\n\
         | among | what | value | 95 % interval | n | {hits} | method |\n\
         |---|---|---|---|---|---|---|\n"
    );
    for f in figures {
        let interval = f
            .interval
            .map_or("–".into(), |[low, high]| format!("{low:.3} to {high:.3}"));
        let (among, what, method) = (&f.among, &f.what, &f.method);
        let (value, n, hits) = (f.value, f.n, f.n_positive);
        card +=
            &format!("| {among} | {what} | {value:.3} | {interval} | {n} | {hits} | {method} |\n");
    }
    write(folder, CARD_FILE, card.as_bytes())
}
