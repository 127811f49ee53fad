//! One member: a head that learns from cached features.
//!
//! Owns: bootstrap samples, standardization, the loop, the weighting of tiles. Each data set counts
//! equally within each class, so that a set which shows mostly one class is not recognized by its looks.
//! Does not own: where features come from (`tiles`), the run's record (`run`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use lobule_model::{TileHead, TileHeadConfig, TileNet, pool_bags, read_initializers};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::SlideRunConfig;
use super::data::{Slide, SlideData, examples_of};
use crate::checkpoint::{Files, Progress};
use crate::initial::with_weights;
use crate::optimizer::{Optimizer, Rates};
use crate::run::{finite, rate_share, write_epochs};
use crate::{EpochRecord, Error, ErrorKind, Observer};

/// Most tiles of a slide that attention is shown at once.
const MOST_OF_BAG: usize = 64;
const CLASSES: usize = 2;

/// A head that takes features as they are.
#[derive(Debug, Clone)]
pub(crate) struct FittedHead {
    pub(crate) head: TileHead,
    pub(crate) layers: Layers,
}

/// The head's numbers, for a fast look at one tile.
#[derive(Debug, Clone)]
pub(crate) struct Layers(Vec<(usize, Vec<f32>, Vec<f32>)>);

impl FittedHead {
    pub(crate) fn new(head: TileHead) -> FittedHead {
        let layers = head.hidden.iter().chain([&head.output]).map(|layer| {
            let values = |data: TensorData| -> Vec<f32> {
                data.convert::<f32>()
                    .try_into_vec()
                    .expect("the data was converted to f32")
            };
            let bias = values(layer.bias.val().into_data());
            (bias.len(), values(layer.weight.val().into_data()), bias)
        });
        FittedHead {
            layers: Layers(layers.collect()),
            head,
        }
    }

    /// The head of an exported member.
    pub(crate) fn read(path: &Path) -> Result<FittedHead, Error> {
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        let bad =
            |e: lobule_model::Error| Error::new(ErrorKind::Config, e.to_string()).in_file(path);
        let weights = read_initializers(&bytes).map_err(bad)?;
        let net = TileNet::from_parameters(weights, &Device::flex()).map_err(bad)?;
        Ok(FittedHead::new(net.head))
    }

    /// The probability of the second class.
    pub(crate) fn score(&self, features: &[f32]) -> f64 {
        let mut x = features.to_vec();
        let last = self.layers.0.len() - 1;
        for (i, (width, weight, bias)) in self.layers.0.iter().enumerate() {
            let mut y = bias.clone();
            for (value, row) in x.iter().zip(weight.chunks_exact(*width)) {
                y.iter_mut().zip(row).for_each(|(y, w)| *y += value * w);
            }
            if i < last {
                y.iter_mut().for_each(|v| *v = v.max(0.0));
            }
            x = y;
        }
        1.0 / (1.0 + (f64::from(x[0]) - f64::from(x[1])).exp())
    }
}

/// A tile that is shown.
#[derive(Debug, Clone, Copy)]
struct Example {
    slide: usize,
    /// Which draw of the sample brought it; the same slide may be drawn again.
    draw: usize,
    tile: usize,
    class: usize,
    weight: f32,
}

/// What a member learns from.
pub(crate) struct Sample {
    examples: Vec<Example>,
    /// Groups that it saw, as (set, group).
    pub(crate) groups: BTreeSet<(String, String)>,
    mean: Vec<f32>,
    std: Vec<f32>,
}

impl Sample {
    /// All training slides for a single member; else a bootstrap sample of their groups, drawn within
    /// each set and label, so that none of these is lost.
    pub(crate) fn draw(config: &SlideRunConfig, data: &SlideData, member: usize) -> Sample {
        let slides = match config.network.members {
            1 => data.training.clone(),
            _ => bootstrap(config.seed.wrapping_add(member as u64), data),
        };
        let mut examples = Vec::new();
        for (draw, &slide) in slides.iter().enumerate() {
            let of_slide = examples_of(config, &data.slides[slide]);
            examples.extend(of_slide.map(|(tile, class)| Example {
                slide,
                draw,
                tile,
                class,
                weight: 1.0,
            }));
        }
        weigh(&mut examples, data, config.network.attention > 0);
        let (mean, std) = moments(&examples, data);
        let group = |&slide: &usize| {
            let case = &data.slides[slide].case;
            (case.set.clone(), case.group.clone())
        };
        Sample {
            groups: slides.iter().map(group).collect(),
            examples,
            mean,
            std,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.examples.len()
    }
}

/// A data set's slides of one grade, by the group that is drawn whole.
type Groups<'a> = BTreeMap<&'a str, Vec<usize>>;

fn bootstrap(seed: u64, data: &SlideData) -> Vec<usize> {
    let mut strata: BTreeMap<(&str, Option<u8>), Groups<'_>> = BTreeMap::new();
    for &slide in &data.training {
        let case = &data.slides[slide].case;
        let stratum = strata.entry((&case.set, case.grade)).or_default();
        stratum.entry(&case.group).or_default().push(slide);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = Vec::new();
    for groups in strata.into_values() {
        let groups: Vec<Vec<usize>> = groups.into_values().collect();
        for _ in 0..groups.len() {
            drawn.extend(&groups[rng.random_range(0..groups.len())]);
        }
    }
    drawn
}

/// Each set has the same total weight within a class, each class the same; the mean weight of what
/// learns a label, tiles or with attention slides, is 1.
fn weigh(examples: &mut [Example], data: &SlideData, by_slide: bool) {
    let mut draws: BTreeMap<usize, usize> = BTreeMap::new();
    for example in examples.iter() {
        *draws.entry(example.draw).or_default() += 1;
    }
    let share = |example: &Example| match by_slide {
        true => 1.0 / draws[&example.draw] as f64,
        false => 1.0,
    };
    let mut counts: BTreeMap<(&str, usize), f64> = BTreeMap::new();
    let set = |example: &Example| data.slides[example.slide].case.set.as_str();
    for example in examples.iter() {
        *counts.entry((set(example), example.class)).or_default() += share(example);
    }
    let sets_of = |class: usize| counts.keys().filter(|(_, c)| *c == class).count();
    let sets = [sets_of(0), sets_of(1)];
    let n: f64 = counts.values().sum();
    for example in examples {
        let own = counts[&(set(example), example.class)];
        let shared = CLASSES as f64 * sets[example.class] as f64 * own;
        example.weight = (n / shared) as f32;
    }
}

/// Mean and standard deviation of each feature.
fn moments(examples: &[Example], data: &SlideData) -> (Vec<f32>, Vec<f32>) {
    let mut sums = vec![[0.0_f64; 2]; TileNet::FEATURES];
    for example in examples {
        let features = data.slides[example.slide].tiles.view(example.tile, 0);
        for (sum, &v) in sums.iter_mut().zip(features) {
            let v = f64::from(v);
            *sum = [sum[0] + v, sum[1] + v * v];
        }
    }
    let n = examples.len().max(1) as f64;
    let of = |&[sum, squares]: &[f64; 2]| {
        let mean = sum / n;
        let variance = (squares / n - mean * mean).max(0.0);
        // A feature that never changes says nothing.
        (
            mean as f32,
            if variance > 1e-10 {
                variance.sqrt() as f32
            } else {
                1.0
            },
        )
    };
    sums.iter().map(of).unzip()
}

/// A head under way.
pub(crate) struct Fit<'a> {
    pub(crate) config: &'a SlideRunConfig,
    pub(crate) slides: &'a [Slide],
    pub(crate) sample: &'a Sample,
    pub(crate) device: Device,
    pub(crate) seed: u64,
}

/// Tiles that are shown together.
struct Batch {
    features: Vec<f32>,
    classes: Vec<usize>,
    weights: Vec<f32>,
    /// With attention: the slide of each tile, counted within the batch.
    bag_of_tile: Vec<usize>,
}

impl Fit<'_> {
    /// Trains, or goes on where an earlier call was cut off.
    pub(crate) fn run(
        &self,
        files: &Files,
        digest: &str,
        observer: &mut dyn Observer,
    ) -> Result<(FittedHead, Vec<EpochRecord>), Error> {
        let network = &self.config.network;
        let sizes = TileHeadConfig {
            hidden: network.hidden,
            attention: network.attention,
            classes: CLASSES,
        };
        let bad = |e: lobule_model::Error| Error::new(ErrorKind::Config, e.to_string());
        let mut head = TileHead::random(sizes, self.seed, &self.device).map_err(bad)?;
        let mut optimizer = Optimizer::new(&head);
        let mut progress = Progress {
            config_digest: digest.to_owned(),
            ..Progress::default()
        };
        if let Some(saved) = files.load_progress() {
            files.load(&mut optimizer, &saved)?;
            head = with_weights(head, optimizer.values())?;
            progress = saved;
        }
        let mut head = head.train();
        while progress.epochs.len() < self.config.optimizer.epochs {
            let record;
            (head, record) = self.epoch(head, &mut optimizer, &progress, observer)?;
            progress.step = optimizer.step;
            progress.epochs.push(record.clone());
            progress.best_epoch = Some(progress.epochs.len());
            files.save(&optimizer, &progress)?;
            observer.epoch(&record);
        }
        write_epochs(files, &progress.epochs, "not measured")?;
        let head = with_weights(head.valid(), optimizer.mean())?;
        let head = head.behind_standardization(&self.sample.mean, &self.sample.std);
        Ok((FittedHead::new(head), progress.epochs))
    }

    fn epoch(
        &self,
        mut head: TileHead,
        optimizer: &mut Optimizer,
        progress: &Progress,
        observer: &mut dyn Observer,
    ) -> Result<(TileHead, EpochRecord), Error> {
        let started = Instant::now();
        let epoch = progress.epochs.len() + 1;
        let batches = self.batches(epoch);
        let (n, mut total) = (batches.len(), 0.0);
        for (i, batch) in batches.into_iter().enumerate() {
            let at = (epoch - 1) as f64 + i as f64 / n as f64;
            let loss;
            (head, loss) = self.step(head, optimizer, batch, at)?;
            total += loss;
            observer.step(epoch, loss);
        }
        let record = EpochRecord {
            epoch,
            loss: total / n as f64,
            inner_auroc: None,
            inner_loss: None,
            seconds: started.elapsed().as_secs_f64(),
        };
        Ok((head, record))
    }

    /// What an epoch shows, in its order.
    fn batches(&self, epoch: usize) -> Vec<Batch> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(epoch as u64);
        let most = self.config.optimizer.batch_tiles;
        let mut bags: Vec<Vec<Example>> = match self.config.network.attention {
            0 => self.sample.examples.iter().map(|&e| vec![e]).collect(),
            _ => {
                let bags = self.sample.examples.chunk_by(|a, b| a.draw == b.draw);
                bags.map(|bag| self.part_of(bag, &mut rng)).collect()
            }
        };
        bags.shuffle(&mut rng);
        let mut batches = Vec::new();
        let mut batch: Vec<Vec<Example>> = Vec::new();
        for bag in bags {
            let held: usize = batch.iter().map(Vec::len).sum();
            if held > 0 && held + bag.len() > most {
                batches.push(self.batch(&std::mem::take(&mut batch), &mut rng));
            }
            batch.push(bag);
        }
        batches.push(self.batch(&batch, &mut rng));
        batches
    }

    fn part_of(&self, bag: &[Example], rng: &mut ChaCha8Rng) -> Vec<Example> {
        let mut part = bag.to_vec();
        part.shuffle(rng);
        part.truncate(MOST_OF_BAG);
        part
    }

    fn batch(&self, bags: &[Vec<Example>], rng: &mut ChaCha8Rng) -> Batch {
        let mut batch = Batch {
            features: Vec::new(),
            classes: bags.iter().map(|bag| bag[0].class).collect(),
            weights: bags.iter().map(|bag| bag[0].weight).collect(),
            bag_of_tile: Vec::new(),
        };
        let scale: Vec<(f32, f32)> = self
            .sample
            .mean
            .iter()
            .copied()
            .zip(self.sample.std.iter().copied())
            .collect();
        for (number, bag) in bags.iter().enumerate() {
            for example in bag {
                let tiles = &self.slides[example.slide].tiles;
                let view = rng.random_range(0..tiles.views);
                let features = tiles.view(example.tile, view).iter().zip(&scale);
                batch
                    .features
                    .extend(features.map(|(v, (mean, std))| (v - mean) / std));
                batch.bag_of_tile.push(number);
            }
        }
        batch
    }

    /// `−Σ wᵢ·ln pᵢ / Σ wᵢ` over tiles, or with attention over slides, whose probability is the
    /// attention-weighted mean of their tiles'.
    fn step(
        &self,
        head: TileHead,
        optimizer: &mut Optimizer,
        batch: Batch,
        at_epoch: f64,
    ) -> Result<(TileHead, f64), Error> {
        let (n_tiles, n) = (batch.bag_of_tile.len(), batch.classes.len());
        let tracking = self.device.clone().autodiff();
        let data = TensorData::new(batch.features, [n_tiles, TileNet::FEATURES]);
        let out = head.forward(Tensor::from_data(data, &tracking));
        let probabilities = match out.attention_logits {
            Some(logits) => pool_bags(out.probabilities, logits, &batch.bag_of_tile, n).0,
            None => out.probabilities,
        };
        let total: f32 = batch.weights.iter().sum();
        let mut targets = vec![0.0_f32; n * CLASSES];
        for (i, (class, weight)) in batch.classes.iter().zip(&batch.weights).enumerate() {
            targets[i * CLASSES + class] = weight / total;
        }
        let targets: Tensor<2> =
            Tensor::from_data(TensorData::new(targets, [n, CLASSES]), &tracking);
        let loss = (targets * probabilities.clamp(1e-6, 1.0).log()).sum().neg();
        let value = finite(loss.clone().into_scalar::<f32>(), at_epoch)?;
        let grads = GradientsParams::from_grads(loss.backward(), &head);
        let config = &self.config.optimizer;
        let rates = Rates {
            learning_rate: config.learning_rate
                * rate_share(config.warmup_epochs, config.epochs, at_epoch),
            weight_decay: config.weight_decay,
            clip_norm: config.clip_norm,
            mean_decay: config.mean_decay,
        };
        Ok((optimizer.step(head, grads, &rates), value))
    }
}
