//! A run on slides: features, members, predictions, record.

use std::path::Path;

use lobule_model::{TileNet, WeightPrecision, export_tile_net};
use lobule_package::{SlidePrediction, TilePrediction};
use lobule_slide::TileSource;
use lobule_stats::roc::Roc;

use super::data::{SkippedSlide, SlideData, cache_folder, examples_of};
use super::encoder::{Cache, Encoder};
use super::fit::{Fit, FittedHead, Sample};
use super::record::{scored_slides, slide_table, table, tile_rows};
use super::score::{Cutoff, choose_cutoff, grade_rule};
use super::{SlideRunConfig, SlideTask};
use crate::checkpoint::{Files, Progress};
use crate::run::claim;
use crate::run_row::{RunRow, to_csv};
use crate::{EpochRecord, Error, ErrorKind, Host, Observer};

/// Opens a slide's file: `lobule_slide::open_slide`, or more.
pub type SlideOpener<'a> = &'a (
        dyn Fn(&Path) -> Result<Box<dyn TileSource>, Box<dyn std::error::Error + Send + Sync>>
            + Sync
    );

/// Is told how a run on slides goes on.
pub trait SlideObserver: Observer {
    /// A slide, the `done`-th of `total`, is being read.
    fn slide(&mut self, done: usize, total: usize, name: &str);
}

impl SlideObserver for crate::Silent {
    fn slide(&mut self, _done: usize, _total: usize, _name: &str) {}
}

/// What a run on slides leaves behind.
pub struct SlideOutcome {
    /// One per predicted tile.
    pub tiles: Vec<TilePrediction>,
    /// One per predicted slide, of a grade run.
    pub slides: Vec<SlidePrediction>,
    /// The cutoff, of a grade run.
    pub cutoff: Option<Cutoff>,
    /// Slides that could not be used.
    pub skipped: Vec<SkippedSlide>,
}

/// The cutoff in a run folder.
pub(crate) const CUTOFF_FILE: &str = "cutoff.toml";
/// Predicted tiles and slides in a run folder.
pub(crate) const TILES_FILE: &str = "tiles.csv";
pub(crate) const SLIDES_FILE: &str = "slides.csv";

/// The exported network of a member, from 1, in a run folder.
pub(crate) fn member_file(member: usize) -> String {
    format!("member-{member}.onnx")
}

/// Trains after the configuration, goes on where an earlier call with the same configuration was cut
/// off, and predicts what was left out, and for grading, all slides of grade 2.
///
/// Writes into `folder`: `config.toml`, `member-N.onnx` (encoder of 16 bits, and head) and for each
/// a folder of its checkpoints with `epochs.csv` and `curves.svg`, `tiles.csv` (predictions of exactly
/// these weights), for grading `slides.csv` and `cutoff.toml`, `skipped.csv`, `run.csv`. Features are
/// cached.
///
/// # Errors
/// When no slide can be used, the folder cannot be written or belongs to another configuration, or the
/// loss is no longer a number. A slide that cannot be used is listed with its reason.
pub fn train_slides(
    config: &SlideRunConfig,
    folder: &Path,
    host: &Host,
    open: SlideOpener<'_>,
    observer: &mut dyn SlideObserver,
) -> Result<SlideOutcome, Error> {
    let files = Files::new(folder)?;
    let digest = claim(config, &files)?;
    files.save_progress(&Progress {
        config_digest: digest.clone(),
        ..Progress::default()
    })?;
    let code = files.note_code(&host.code)?;
    let device = host.compute.device()?;
    let encoder = Encoder::open(config.network.encoder.as_deref(), config.seed, &device)?;
    let cache = Cache::new(&cache_folder(config, folder))?;
    let data = SlideData::read(config, &encoder, &cache, open, observer)?;
    files.write(
        "skipped.csv",
        &table(&data.skipped, &files.path("skipped.csv"))?,
    )?;
    let samples: Vec<Sample> = (0..config.network.members)
        .map(|member| Sample::draw(config, &data, member))
        .collect();
    observe_start(config, &samples, observer);
    let (mut heads, mut epochs) = (Vec::new(), Vec::new());
    for (member, sample) in samples.iter().enumerate() {
        let fit = Fit {
            config,
            slides: &data.slides,
            sample,
            device: device.clone(),
            seed: config.seed.wrapping_mul(1000).wrapping_add(member as u64),
        };
        let own = Files::new(&folder.join(format!("member-{}", member + 1)))?;
        let (head, of_member) = fit.run(&own, &digest, observer)?;
        store(&files, &encoder, &head, config, member + 1)?;
        heads.push(head);
        epochs.extend(of_member);
    }
    let mut outcome = predict(config, &files, &data, &heads, &samples)?;
    outcome.skipped.clone_from(&data.skipped);
    let row = RunRow {
        n_training: examples_in(config, &data),
        n_left_out: outcome.tiles.len(),
        seconds: epochs.iter().map(|epoch: &EpochRecord| epoch.seconds).sum(),
        left_out_auroc: areas(&outcome),
        ..described(config, folder, &digest, &data, &code)?
    };
    files.write("run.csv", &to_csv(&[row])?)?;
    Ok(outcome)
}

fn observe_start(config: &SlideRunConfig, samples: &[Sample], observer: &mut dyn SlideObserver) {
    let steps = |sample: &Sample| sample.len().div_ceil(config.optimizer.batch_tiles);
    let total: usize = samples.iter().map(steps).sum();
    observer.start(0, total * config.optimizer.epochs);
}

/// Exports a member.
fn store(
    files: &Files,
    encoder: &Encoder,
    head: &FittedHead,
    config: &SlideRunConfig,
    member: usize,
) -> Result<(), Error> {
    let net = TileNet {
        backbone: encoder.backbone.clone(),
        head: head.head.clone(),
    };
    let side = config.tile()?.side;
    let model = export_tile_net(&net, side, WeightPrecision::Half)
        .map_err(|e| Error::new(ErrorKind::Data, e.to_string()))?;
    files.write(&member_file(member), &model)
}

/// Scores what is to be predicted and writes the tables.
fn predict(
    config: &SlideRunConfig,
    files: &Files,
    data: &SlideData,
    heads: &[FittedHead],
    samples: &[Sample],
) -> Result<SlideOutcome, Error> {
    let tiles = tile_rows(data, heads);
    files.write(TILES_FILE, &table(&tiles, &files.path(TILES_FILE))?)?;
    let mut outcome = SlideOutcome {
        tiles,
        slides: Vec::new(),
        cutoff: None,
        skipped: Vec::new(),
    };
    if config.task == SlideTask::Tumor {
        return Ok(outcome);
    }
    let cutoff = choose_cutoff(config, data, heads, samples)?;
    let rule = grade_rule(&config.score, &cutoff);
    let scored = scored_slides(data, heads, &rule);
    files.write(SLIDES_FILE, &slide_table(&scored)?)?;
    let text =
        toml::to_string_pretty(&cutoff).map_err(|e| Error::new(ErrorKind::Io, e.to_string()))?;
    files.write(CUTOFF_FILE, text.as_bytes())?;
    outcome.slides = scored.into_iter().map(|slide| slide.row).collect();
    outcome.cutoff = Some(cutoff);
    Ok(outcome)
}

fn examples_in(config: &SlideRunConfig, data: &SlideData) -> usize {
    let of = |&slide: &usize| examples_of(config, &data.slides[slide]).count();
    data.training.iter().map(of).sum()
}

/// What is known of a run before anything is predicted.
fn described(
    config: &SlideRunConfig,
    folder: &Path,
    digest: &str,
    data: &SlideData,
    code: &[String],
) -> Result<RunRow, Error> {
    let tile = config.tile()?;
    let name = folder.file_name().unwrap_or_default();
    Ok(RunRow {
        role: "tried".into(),
        run: name.to_string_lossy().into_owned(),
        code: code.join(" "),
        config_sha256: digest.to_owned(),
        data_sha256: data.digest.clone(),
        left_out: config.left_out_text(),
        seed: config.seed,
        input_size: format!("{} at {} µm", tile.side, tile.mpp),
        n_training: 0,
        n_left_out: 0,
        epochs: config.optimizer.epochs,
        kept_epoch: config.optimizer.epochs,
        inner_auroc: None,
        inner_loss: None,
        seconds: 0.0,
        left_out_auroc: String::new(),
    })
}

/// AUROC by set: tiles of more than half tumor against the rest, or slides of grade 3 against 1.
fn areas(outcome: &SlideOutcome) -> String {
    let of_tiles = outcome
        .tiles
        .iter()
        .filter_map(|tile| Some((&tile.set, tile.share? > 0.5, tile.score)));
    let of_slides = outcome.slides.iter().filter_map(|slide| {
        let is_known = matches!(slide.grade, Some(1 | 3));
        is_known.then_some((&slide.set, slide.grade == Some(3), slide.score?))
    });
    let units: Vec<(&String, bool, f64)> = match outcome.cutoff {
        None => of_tiles.collect(),
        Some(_) => of_slides.collect(),
    };
    let sets: std::collections::BTreeSet<&String> = units.iter().map(|unit| unit.0).collect();
    let area = |set: &String| {
        let own = || units.iter().filter(|unit| unit.0 == set);
        let scores: Vec<f64> = own().map(|unit| unit.2).collect();
        let truth: Vec<bool> = own().map(|unit| unit.1).collect();
        Some(format!(
            "{set} {:.4}",
            Roc::new(&scores, &truth).ok()?.auc()
        ))
    };
    sets.into_iter()
        .filter_map(area)
        .collect::<Vec<_>>()
        .join("; ")
}
