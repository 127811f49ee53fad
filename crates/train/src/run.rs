//! The training loop.

use std::path::Path;
use std::time::Instant;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use lobule_model::{
    SaliencyNet, WeightPrecision, export_saliency, mil_loss, pool_bags, read_initializers,
};
use lobule_package::{MARKS_FILE, Modality};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::bags::{compose_bags, mix_and_shuffle, repeat_malignant};
use crate::checkpoint::{Files, Progress};
use crate::compute::Compute;
use crate::curves::curves_svg;
use crate::data::Data;
use crate::images::targets_of;
use crate::initial::{initial_network, with_weights};
use crate::location::write_marks;
use crate::optimizer::{Optimizer, Rates};
use crate::patches::Patches;
use crate::predict::{predict, predict_left_out, predict_patches};
use crate::run_row::RunRow;
use crate::step::{Step, of_bags, of_patches};
use crate::{
    EpochRecord, Error, ErrorKind, KeptEpoch, Label, Prediction, RunConfig, Stage,
    write_predictions,
};

/// The exported network in a run folder.
pub(crate) const MEMBER_FILE: &str = "member.onnx";

/// What the curves' AUROC is of.
const RANKED: &str = "malignant against the rest";

/// Is told how a run goes on.
pub trait Observer {
    /// The images are read; training starts at the step after `done` of `total`.
    fn start(&mut self, done: usize, total: usize);
    /// A step is done.
    fn step(&mut self, epoch: usize, loss: f64);
    /// An epoch is done and saved.
    fn epoch(&mut self, record: &EpochRecord);
}

/// Says nothing.
pub struct Silent;

impl Observer for Silent {
    fn start(&mut self, _done: usize, _total: usize) {}
    fn step(&mut self, _epoch: usize, _loss: f64) {}
    fn epoch(&mut self, _record: &EpochRecord) {}
}

/// What a run does not depend on, or only by rounding.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// The device.
    pub compute: Compute,
    /// The program's revision, for the record.
    pub code: String,
}

/// What a run leaves behind.
pub struct Outcome {
    /// The network of the kept epoch (mean weights), rounded to the 16 bits in which it is stored.
    pub net: SaliencyNet,
    /// One per left-out image.
    pub predictions: Vec<Prediction>,
    /// One per epoch.
    pub epochs: Vec<EpochRecord>,
    /// The epoch whose network was kept, from 1.
    pub kept_epoch: usize,
}

/// Trains after the configuration, goes on where an earlier call with the same configuration was
/// cut off, and predicts what was left out. `host` says what computes and which program this is.
///
/// Writes into `folder`: `config.toml`, `epochs.csv`, `curves.svg`, `member.onnx` (16-bit weights),
/// `predictions.csv` (of exactly those weights), for mammograms `marks.csv` (where the malignant map
/// stands out, a table for `lobule study readers`), `run.csv` and the checkpoints.
///
/// # Errors
/// When data cannot be read, the folder cannot be written or belongs to another configuration, or
/// the loss is no longer a number.
pub fn train(
    config: &RunConfig,
    folder: &Path,
    host: &Host,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    let files = Files::new(folder)?;
    let digest = claim(config, &files)?;
    let code = files.note_code(&host.code)?;
    let data = Data::read(config)?;
    let device = host.compute.device()?;
    let mut run = Run::start(config, &data, device, &files, digest.clone())?;
    run.epochs(&files, observer)?;
    let net = run.store_best(&files)?;
    let predictions = write_tables(&net, &data, config, &files)?;
    let outcome = Outcome {
        net,
        predictions,
        kept_epoch: run.progress.best_epoch.unwrap_or(0),
        epochs: run.progress.epochs,
    };
    RunRow::new(folder, config, &digest, &data, &outcome, code).write(&files)?;
    Ok(outcome)
}

/// Predicts anew what a finished run left out, with the network that it stored, and writes its tables
/// again: where the preparation of images has changed since, they no longer say what the network does.
///
/// # Errors
/// When the folder is no finished run, its images are no longer there or are others, or the tables
/// cannot be written.
pub fn predict_again(folder: &Path, host: &Host) -> Result<Vec<Prediction>, Error> {
    let mut config = RunConfig::read(&folder.join("config.toml"))?;
    let row = RunRow::read(folder, "tried")?;
    config.network.start = Some(folder.join(MEMBER_FILE));
    config.network.imagenet = None;
    let data = Data::read(&config)?;
    if data.digest != row.data_sha256 {
        let message = "expected the images and labels that the run was made of, got others";
        return Err(Error::new(ErrorKind::Data, message).in_file(folder));
    }
    let files = Files::new(folder)?;
    let net = initial_network(&config, &host.compute.device()?)?;
    let predictions = write_tables(&net, &data, &config, &files)?;
    let code = files.note_code(&host.code)?;
    row.predicted_again(&predictions, code).write(&files)?;
    Ok(predictions)
}

/// Predicts what was left out and writes it down.
fn write_tables(
    net: &SaliencyNet,
    data: &Data,
    config: &RunConfig,
    files: &Files,
) -> Result<Vec<Prediction>, Error> {
    let predictions = predict_left_out(net, data, &config.data)?;
    let modality = config.network.modality();
    write_predictions(&files.path("predictions.csv"), &predictions, modality)?;
    if modality == Modality::Mammography {
        let counts = |set: &str| !config.lesions_only(set);
        write_marks(&files.path(MARKS_FILE), &predictions, counts)?;
    }
    Ok(predictions)
}

/// Writes the configuration into the folder, or refuses a folder of another one; the configuration's
/// SHA-256.
pub(crate) fn claim(config: &impl Serialize, files: &Files) -> Result<String, Error> {
    let text =
        toml::to_string_pretty(config).map_err(|e| Error::new(ErrorKind::Config, e.to_string()))?;
    let digest = format!("{:x}", Sha256::digest(text.as_bytes()));
    if let Some(progress) = files.load_progress()
        && progress.config_digest != digest
    {
        let message = "expected an empty folder or one of this configuration, got another run's";
        return Err(Error::new(ErrorKind::Config, message).in_file(&files.path("")));
    }
    files.write("config.toml", text.as_bytes())?;
    Ok(digest)
}

struct Run<'a> {
    config: &'a RunConfig,
    data: &'a Data,
    device: Device,
    net: SaliencyNet,
    optimizer: Optimizer,
    progress: Progress,
    shown: Shown,
}

/// What an epoch shows.
enum Shown {
    Images,
    Patches { training: Patches, inner: Patches },
}

impl<'a> Run<'a> {
    fn start(
        config: &'a RunConfig,
        data: &'a Data,
        device: Device,
        files: &Files,
        config_digest: String,
    ) -> Result<Run<'a>, Error> {
        let mut net = initial_network(config, &device)?;
        let mut optimizer = Optimizer::new(&net);
        let mut progress = Progress {
            config_digest,
            ..Progress::default()
        };
        if let Some(saved) = files.load_progress() {
            files.load(&mut optimizer, &saved)?;
            net = with_weights(net, optimizer.values())?;
            progress = saved;
        }
        Ok(Run {
            config,
            data,
            device,
            net: net.train(),
            optimizer,
            progress,
            shown: Shown::new(config, data)?,
        })
    }

    fn epochs(&mut self, files: &Files, observer: &mut dyn Observer) -> Result<(), Error> {
        let total = self.config.optimizer.epochs * self.steps(1)?.len();
        observer.start(self.progress.step, total);
        while self.progress.epochs.len() < self.config.optimizer.epochs && !self.out_of_patience() {
            let record = self.epoch(observer)?;
            self.progress.epochs.push(record.clone());
            self.progress.best_epoch = Some(self.best_epoch());
            files.save(&self.optimizer, &self.progress)?;
            write_epochs(files, &self.progress.epochs, RANKED)?;
            observer.epoch(&record);
        }
        write_epochs(files, &self.progress.epochs, RANKED)
    }

    fn out_of_patience(&self) -> bool {
        let config = &self.config.optimizer;
        let done = self.progress.epochs.len();
        let best = self.progress.best_epoch;
        config.keep == KeptEpoch::Best && best.is_some_and(|best| done >= best + config.patience)
    }

    /// The epoch (from 1) whose network is kept: the last one, or the one that ranks the inner
    /// groups best. The inner loss would choose too early: it also counts overconfidence, which
    /// calibration takes away.
    fn best_epoch(&self) -> usize {
        let epochs = &self.progress.epochs;
        let ranked = epochs
            .iter()
            .filter_map(|e| Some((e.epoch, e.inner_auroc?)));
        match self.config.optimizer.keep {
            KeptEpoch::Last => epochs.len(),
            KeptEpoch::Best => ranked
                .max_by(|a, b| a.1.total_cmp(&b.1))
                .map_or(epochs.len(), |(epoch, _)| epoch),
        }
    }

    fn epoch(&mut self, observer: &mut dyn Observer) -> Result<EpochRecord, Error> {
        let started = Instant::now();
        let epoch = self.progress.epochs.len() + 1;
        let steps = self.steps(epoch)?;
        let (n_steps, mut total) = (steps.len(), 0.0);
        for (i, step) in steps.into_iter().enumerate() {
            let at = (epoch - 1) as f64 + i as f64 / n_steps as f64;
            let loss = self.step(&step, at)?;
            total += loss;
            observer.step(epoch, loss);
        }
        let mean_net = with_weights(self.net.valid(), self.optimizer.mean())?;
        let (inner_auroc, inner_loss) = self.judge(&mean_net)?;
        Ok(EpochRecord {
            epoch,
            loss: total / n_steps as f64,
            inner_auroc,
            inner_loss,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// What an epoch shows, in its order.
    fn steps(&self, epoch: usize) -> Result<Vec<Step>, Error> {
        let (config, cases) = (&self.config.data, &self.data.cases);
        let most = self.config.optimizer.batch_images;
        let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
        rng.set_stream(epoch as u64);
        let steps = match &self.shown {
            Shown::Patches { training, .. } => of_patches(&training.draw(&mut rng), most),
            Shown::Images => {
                let bags = compose_bags(cases, &self.data.training, config);
                let mut bags = repeat_malignant(bags, cases, config);
                mix_and_shuffle(&mut bags, cases, config, &mut rng);
                of_bags(&bags, most)
            }
        };
        match steps.is_empty() {
            true => Err(Error::new(
                ErrorKind::Data,
                "expected something to show, got no patch",
            )),
            false => Ok(steps),
        }
    }

    fn step(&mut self, step: &Step, at_epoch: f64) -> Result<f64, Error> {
        let seed = self.config.seed ^ (self.progress.step as u64 + 1).wrapping_mul(0x9E37_79B9);
        let tracking = self.device.clone().autodiff();
        let size = self.shown.size(self.config, self.data);
        let images = &self.data.images;
        let batch =
            images.augmented_batch(&step.looks, size, &self.config.augment, seed, &tracking);
        let out = self.net.forward(batch);
        let (scores, _) = pool_bags(
            out.image_scores,
            out.attention_logits,
            &step.bag_of_look,
            step.labels.len(),
        );
        let targets = targets_of(&step.labels, &tracking);
        let loss = mil_loss(
            scores,
            targets,
            out.saliency,
            self.config.optimizer.saliency_weight,
        );
        let value = finite(loss.clone().into_scalar::<f32>(), at_epoch)?;
        let grads = GradientsParams::from_grads(loss.backward(), &self.net);
        let config = &self.config.optimizer;
        let rates = Rates {
            learning_rate: config.learning_rate
                * rate_share(config.warmup_epochs, config.epochs, at_epoch),
            weight_decay: config.weight_decay,
            clip_norm: config.clip_norm,
            mean_decay: config.mean_decay,
        };
        self.net = self.optimizer.step(self.net.clone(), grads, &rates);
        self.progress.step = self.optimizer.step;
        Ok(value)
    }

    /// AUROC of malignant against the rest, and the loss, on the inner groups.
    fn judge(&self, net: &SaliencyNet) -> Result<(Option<f64>, Option<f64>), Error> {
        let (data, config) = (self.data, self.config);
        let judged: Vec<([f64; 2], Label)> = match &self.shown {
            Shown::Images => predict(net, data, &data.inner, &config.data)?
                .iter()
                .map(|p| (p.bag_scores, p.case.label))
                .collect(),
            Shown::Patches { inner, .. } => {
                let patches = inner.draw(&mut ChaCha8Rng::seed_from_u64(config.seed));
                let scores = predict_patches(net, data, &patches, config.patches.size)?;
                let labels = patches.iter().map(|patch| patch.label);
                scores.into_iter().zip(labels).collect()
            }
        };
        if judged.is_empty() {
            return Ok((None, None));
        }
        let mut loss = 0.0;
        for (scores, label) in &judged {
            for (score, target) in scores.iter().zip(label.targets()) {
                let score = score.clamp(1e-6, 1.0 - 1e-6);
                loss -= if target > 0.5 {
                    score.ln()
                } else {
                    (1.0 - score).ln()
                };
            }
        }
        let truth: Vec<bool> = judged.iter().map(|j| j.1 == Label::Malignant).collect();
        let scores: Vec<f64> = judged.iter().map(|j| j.0[1]).collect();
        let roc = lobule_stats::roc::Roc::new(&scores, &truth).ok();
        let auroc = roc.map(|roc| roc.auc());
        Ok((auroc, Some(loss / judged.len() as f64)))
    }

    /// Exports the kept epoch's network and returns it as the export holds it.
    fn store_best(&self, files: &Files) -> Result<SaliencyNet, Error> {
        let bad = |e: lobule_model::Error| Error::new(ErrorKind::Data, e.to_string());
        let net = with_weights(self.net.valid(), files.read_weights("best.bin")?)?;
        let size = self.data.images.size();
        let model = export_saliency(&net, size, WeightPrecision::Half).map_err(bad)?;
        files.write(MEMBER_FILE, &model)?;
        with_weights(net, read_initializers(&model).map_err(bad)?)
    }
}

impl Shown {
    fn new(config: &RunConfig, data: &Data) -> Result<Shown, Error> {
        let of = |chosen: &[usize]| {
            let (cases, images) = (&data.cases, &data.images);
            Patches::of(cases, images, chosen, &config.patches, &config.data)
        };
        Ok(match config.stage {
            Stage::Images => Shown::Images,
            Stage::Patches => Shown::Patches {
                training: of(&data.training)?,
                inner: of(&data.inner)?,
            },
        })
    }

    /// Rows and columns of what is shown.
    fn size(&self, config: &RunConfig, data: &Data) -> (usize, usize) {
        match self {
            Shown::Images => data.images.size(),
            Shown::Patches { .. } => (config.patches.size, config.patches.size),
        }
    }
}

/// The share of the highest learning rate that holds: linear warm-up, then half a cosine down to zero.
pub(crate) fn rate_share(warmup_epochs: f64, epochs: usize, at_epoch: f64) -> f64 {
    let warm = (at_epoch / warmup_epochs.max(1e-9)).min(1.0);
    let done = (at_epoch / epochs as f64).min(1.0);
    warm.max(0.01) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
}

/// A loss that a step can follow.
pub(crate) fn finite(loss: f32, at_epoch: f64) -> Result<f64, Error> {
    match loss.is_finite() {
        true => Ok(f64::from(loss)),
        false => {
            let message = format!("expected a finite loss, got {loss} at epoch {at_epoch:.2}");
            Err(Error::new(ErrorKind::Diverged, message))
        }
    }
}

/// Writes the table and the picture of the epochs; `ranked` says what the AUROC is of.
pub(crate) fn write_epochs(
    files: &Files,
    epochs: &[EpochRecord],
    ranked: &str,
) -> Result<(), Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in epochs {
        writer
            .serialize(record)
            .map_err(|e| Error::io(&files.path("epochs.csv"), e))?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|e| Error::io(&files.path("epochs.csv"), e))?;
    files.write("epochs.csv", &bytes)?;
    files.write("curves.svg", curves_svg(epochs, ranked)?.as_bytes())
}
