//! The training loop.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use lobule_model::{
    BackboneKind, InputChannels, NamedTensor, UltrasoundConfig, UltrasoundNet, WeightPrecision,
    efficientnet_lite0_from_pytorch, export_ultrasound, load_parameters, mil_loss, pool_bags,
    read_initializers, resnet18_from_pytorch,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use crate::bags::{Bag, compose_bags, into_steps, mix_and_shuffle};
use crate::batch::{images_of, targets_of};
use crate::checkpoint::{Files, Progress};
use crate::compute::Compute;
use crate::curves::curves_svg;
use crate::data::Data;
use crate::optimizer::{Optimizer, Rates};
use crate::predict::{compare_with_lesions, predict};
use crate::run_row::RunRow;
use crate::{
    EpochRecord, Error, ErrorKind, KeptEpoch, Label, Prediction, RunConfig, write_predictions,
};

/// The exported network in a run folder.
pub(crate) const MEMBER_FILE: &str = "member.onnx";

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
    pub net: UltrasoundNet,
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
/// `predictions.csv` (of exactly those weights), `run.csv` and the checkpoints.
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
    let mut predictions = predict(&net, &data, &data.left_out, &config.data)?;
    compare_with_lesions(&mut predictions, &data)?;
    write_predictions(&files.path("predictions.csv"), &predictions)?;
    let outcome = Outcome {
        net,
        predictions,
        kept_epoch: run.progress.best_epoch.unwrap_or(0),
        epochs: run.progress.epochs,
    };
    RunRow::new(folder, config, &digest, &data, &outcome, code).write(&files)?;
    Ok(outcome)
}

/// Writes the configuration into the folder, or refuses a folder of another one.
fn claim(config: &RunConfig, files: &Files) -> Result<String, Error> {
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
    net: UltrasoundNet,
    optimizer: Optimizer,
    progress: Progress,
    steps_per_epoch: usize,
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
        let bags = compose_bags(&data.cases, &data.training, &config.data);
        Ok(Run {
            config,
            data,
            device,
            net: net.train(),
            optimizer,
            progress,
            steps_per_epoch: into_steps(&bags, config.optimizer.batch_images).len(),
        })
    }

    fn epochs(&mut self, files: &Files, observer: &mut dyn Observer) -> Result<(), Error> {
        let total = self.config.optimizer.epochs * self.steps_per_epoch;
        observer.start(self.progress.step, total);
        while self.progress.epochs.len() < self.config.optimizer.epochs && !self.out_of_patience() {
            let record = self.epoch(observer)?;
            self.progress.epochs.push(record.clone());
            self.progress.best_epoch = Some(self.best_epoch());
            files.save(&self.optimizer, &self.progress)?;
            write_epochs(files, &self.progress.epochs)?;
            observer.epoch(&record);
        }
        write_epochs(files, &self.progress.epochs)
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
        let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
        rng.set_stream(epoch as u64);
        let mut bags = compose_bags(&self.data.cases, &self.data.training, &self.config.data);
        mix_and_shuffle(&mut bags, &self.data.cases, &self.config.data, &mut rng);
        let steps = into_steps(&bags, self.config.optimizer.batch_images);
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

    fn step(&mut self, bags: &[Bag], at_epoch: f64) -> Result<f64, Error> {
        let (images, bag_of_image) = images_of(bags);
        let seed = self.config.seed ^ (self.progress.step as u64 + 1).wrapping_mul(0x9E37_79B9);
        let tracking = self.device.clone().autodiff();
        let batch =
            self.data
                .images
                .augmented_batch(&images, &self.config.augment, seed, &tracking);
        let out = self.net.forward(batch);
        let (scores, _) = pool_bags(
            out.image_scores,
            out.attention_logits,
            &bag_of_image,
            bags.len(),
        );
        let targets = targets_of(bags, &tracking);
        let loss = mil_loss(
            scores,
            targets,
            out.saliency,
            self.config.optimizer.saliency_weight,
        );
        let value = f64::from(loss.clone().into_scalar::<f32>());
        if !value.is_finite() {
            let message = format!("expected a finite loss, got {value} at epoch {at_epoch:.2}");
            return Err(Error::new(ErrorKind::Diverged, message));
        }
        let grads = GradientsParams::from_grads(loss.backward(), &self.net);
        let config = &self.config.optimizer;
        let rates = Rates {
            learning_rate: learning_rate(config, at_epoch),
            weight_decay: config.weight_decay,
            clip_norm: config.clip_norm,
            mean_decay: config.mean_decay,
        };
        self.net = self.optimizer.step(self.net.clone(), grads, &rates);
        self.progress.step = self.optimizer.step;
        Ok(value)
    }

    fn judge(&self, net: &UltrasoundNet) -> Result<(Option<f64>, Option<f64>), Error> {
        if self.data.inner.is_empty() {
            return Ok((None, None));
        }
        let predictions = predict(net, self.data, &self.data.inner, &self.config.data)?;
        let mut loss = 0.0;
        for p in &predictions {
            for (score, target) in p.bag_scores.iter().zip(p.case.label.targets()) {
                let score = score.clamp(1e-6, 1.0 - 1e-6);
                loss -= if target > 0.5 {
                    score.ln()
                } else {
                    (1.0 - score).ln()
                };
            }
        }
        let truth: Vec<bool> = predictions
            .iter()
            .map(|p| p.case.label == Label::Malignant)
            .collect();
        let scores: Vec<f64> = predictions.iter().map(|p| p.bag_scores[1]).collect();
        let auroc = lobule_stats::roc::Roc::new(&scores, &truth)
            .ok()
            .map(|roc| roc.auc());
        Ok((auroc, Some(loss / predictions.len() as f64)))
    }

    /// Exports the kept epoch's network and returns it as the export holds it.
    fn store_best(&self, files: &Files) -> Result<UltrasoundNet, Error> {
        let bad = |e: lobule_model::Error| Error::new(ErrorKind::Data, e.to_string());
        let net = with_weights(self.net.valid(), files.read_weights("best.bin")?)?;
        let size = self.config.network.input_size;
        let model = export_ultrasound(&net, (size, size), WeightPrecision::Half).map_err(bad)?;
        files.write(MEMBER_FILE, &model)?;
        with_weights(net, read_initializers(&model).map_err(bad)?)
    }
}

fn with_weights(
    net: UltrasoundNet,
    weights: BTreeMap<String, NamedTensor>,
) -> Result<UltrasoundNet, Error> {
    load_parameters(net, weights).map_err(|e| Error::new(ErrorKind::Data, e.to_string()))
}

fn initial_network(config: &RunConfig, device: &Device) -> Result<UltrasoundNet, Error> {
    let network = &config.network;
    let sizes = UltrasoundConfig {
        backbone: network.backbone,
        hidden: network.hidden,
        attention: network.attention,
        top_share: network.top_share,
    };
    let mut net = UltrasoundNet::random(sizes, config.seed, device);
    let bad = |e: lobule_model::Error| Error::new(ErrorKind::Config, e.to_string());
    if let Some(file) = &network.imagenet {
        let backbone = match network.backbone {
            BackboneKind::EfficientnetLite0 => {
                efficientnet_lite0_from_pytorch(file, InputChannels::Gray).map(|(net, _)| net)
            }
            BackboneKind::Resnet18 => resnet18_from_pytorch(file, InputChannels::Gray),
        };
        net.backbone = load_parameters(net.backbone, backbone.map_err(bad)?).map_err(bad)?;
    }
    if let Some(file) = &network.start {
        let bytes = std::fs::read(file).map_err(|e| Error::io(file, e))?;
        let weights = read_initializers(&bytes).map_err(|e| bad(e).in_file(file))?;
        net = load_parameters(net, weights).map_err(|e| bad(e).in_file(file))?;
    }
    Ok(net)
}

/// Linear warm-up, then half a cosine down to zero.
fn learning_rate(config: &crate::OptimizerConfig, at_epoch: f64) -> f64 {
    let warm = (at_epoch / config.warmup_epochs.max(1e-9)).min(1.0);
    let done = (at_epoch / config.epochs as f64).min(1.0);
    config.learning_rate * warm.max(0.01) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
}

fn write_epochs(files: &Files, epochs: &[EpochRecord]) -> Result<(), Error> {
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
    files.write("curves.svg", curves_svg(epochs)?.as_bytes())
}
