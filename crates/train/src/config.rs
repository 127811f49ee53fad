//! The configuration of a run, a TOML file that the run folder keeps.

use std::path::{Path, PathBuf};

use lobule_model::BackboneKind;
use lobule_package::{Modality, Prepare};
use lobule_raster::PrepareConfig;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Layout};

/// Everything that decides a run's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Seed of every random choice.
    pub seed: u64,
    /// What the network is shown.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stage: Stage,
    /// Data sets to train on.
    pub data: Vec<DataConfig>,
    /// Groups that are predicted and never trained on.
    #[serde(default)]
    pub leave_out: Vec<LeaveOut>,
    /// Network and preparation.
    #[serde(default)]
    pub network: NetworkConfig,
    /// Loop and optimiser.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
    /// Random changes of the training images.
    #[serde(default)]
    pub augment: AugmentConfig,
    /// How patches are drawn, for the stage that is shown them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub patches: PatchConfig,
}

/// What the network is shown. A second stage starts from the run folder of the first one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Whole images, in bags, with a label per bag.
    #[default]
    Images,
    /// Patches of mammograms around outlined lesions and beside them, with a label per patch.
    Patches,
}

/// How patches are drawn in an epoch. A patch that holds a pixel of a lesion bears its label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PatchConfig {
    /// Rows and columns, a multiple of 32, no larger than the input.
    pub size: usize,
    /// Patches on a lesion per image with an outlined one.
    pub on_lesion: usize,
    /// Largest distance of a patch's centre from a point of the lesion, as a share of its size.
    pub jitter: f64,
    /// Patches beside the lesions per image with an outlined one.
    pub beside_lesion: usize,
    /// Patches per normal image.
    pub normal: usize,
}

impl Default for PatchConfig {
    fn default() -> PatchConfig {
        PatchConfig {
            size: 160,
            on_lesion: 2,
            jitter: 0.25,
            beside_lesion: 2,
            normal: 1,
        }
    }
}

/// What a data set's labels may be used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelUse {
    /// Whole images and lesions.
    #[default]
    Images,
    /// Lesions against the rest of the same image only: the set shows one outcome, so that whole
    /// images would be told apart by their set.
    Lesions,
}

/// One data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Its name in results.
    pub name: String,
    /// Folder of the data set; relative to `LOBULE_DATA` or absolute.
    pub path: PathBuf,
    /// How it lies there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub layout: Layout,
    /// Number of folds drawn where the labels bring none of their own.
    #[serde(default = "four")]
    pub folds: usize,
    /// Whether images of one group form a bag, or each image its own.
    #[serde(default)]
    pub bag_by_group: bool,
    /// Share of lesion bags to which normal images of the same data set are added.
    #[serde(default)]
    pub mix_normals: f64,
    /// What its labels may be used for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub labels: LabelUse,
    /// How often each malignant bag, or lesion, is shown in an epoch.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub repeat_malignant: usize,
}

fn once() -> usize {
    1
}

fn is_once(n: &usize) -> bool {
    *n == 1
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn four() -> usize {
    4
}

/// A part that is left out of training. Its images are predicted at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaveOut {
    /// Name of the data set.
    pub data: String,
    /// One fold, or everything.
    pub fold: Option<usize>,
}

/// Network and preparation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkConfig {
    /// The convolutional part.
    #[serde(skip_serializing_if = "is_default")]
    pub backbone: BackboneKind,
    /// Rows and columns of a sonogram's input, a multiple of 32. Mammograms have `prepare`.
    pub input_size: usize,
    /// Channels of the fused features.
    pub hidden: usize,
    /// Width of the attention.
    pub attention: usize,
    /// Share of the saliency map that makes the score.
    pub top_share: f64,
    /// Whether burnt-in marks are painted over.
    pub paint_marks: bool,
    /// PyTorch checkpoint of the backbone's ImageNet weights; without it (and without `start`) the
    /// network starts at random.
    pub imagenet: Option<PathBuf>,
    /// What the whole network starts from: a member of a model package (ONNX), so that training
    /// goes on from a shipped model, or the folder of a finished run of the same folds.
    pub start: Option<PathBuf>,
    /// The whole preparation, as a package's manifest states it; `kind = "mammogram"` makes this a
    /// run on mammograms. Without it: sonograms.
    pub prepare: Option<Prepare>,
}

impl Default for NetworkConfig {
    fn default() -> NetworkConfig {
        NetworkConfig {
            backbone: BackboneKind::default(),
            input_size: 224,
            hidden: 256,
            attention: 128,
            top_share: 0.05,
            paint_marks: true,
            imagenet: None,
            start: None,
            prepare: None,
        }
    }
}

impl NetworkConfig {
    /// The preparation that goes into the model package.
    pub fn prepare(&self) -> Prepare {
        let sonogram = || PrepareConfig {
            rows: self.input_size,
            cols: self.input_size,
            paint_marks: self.paint_marks,
            ..PrepareConfig::default()
        };
        let own = self.prepare.clone();
        own.unwrap_or_else(|| Prepare::Sonogram(sonogram()))
    }

    /// What the network reads.
    pub fn modality(&self) -> Modality {
        self.prepare().modality()
    }
}

/// Loop and optimiser (AdamW, linear warm-up, cosine decay, mean of weights).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// Passes over the training bags.
    pub epochs: usize,
    /// Images per step, at most (a larger bag makes a step of its own).
    pub batch_images: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Epochs of warm-up.
    pub warmup_epochs: f64,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// Decay per step of the running mean of the weights.
    pub mean_decay: f64,
    /// Weight β of the saliency's L1 norm.
    pub saliency_weight: f64,
    /// Gradients of a parameter are scaled down to this norm.
    pub clip_norm: f32,
    /// Share of the training groups kept for choosing the epoch.
    pub inner_share: f64,
    /// Which epoch's network is kept.
    pub keep: KeptEpoch,
    /// With [`KeptEpoch::Best`], stops after this many epochs without improvement on the inner
    /// groups.
    pub patience: usize,
}

/// Which epoch's network a run keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptEpoch {
    /// The last one, when the learning rate has come down to zero. With few inner groups their
    /// AUROC is too uncertain to choose by.
    #[default]
    Last,
    /// The one that ranks the inner groups best.
    Best,
}

impl Default for OptimizerConfig {
    fn default() -> OptimizerConfig {
        OptimizerConfig {
            epochs: 12,
            batch_images: 16,
            learning_rate: 3e-4,
            warmup_epochs: 1.0,
            weight_decay: 1e-4,
            mean_decay: 0.99,
            saliency_weight: 0.1,
            clip_norm: 1.0,
            inner_share: 0.1,
            keep: KeptEpoch::default(),
            patience: 6,
        }
    }
}

/// Ranges of the random changes; see [`crate::Augmentation`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// Largest rotation in degrees.
    pub rotate_degrees: f64,
    /// Largest zoom as a factor above 1 (and its inverse).
    pub scale: f64,
    /// Largest shear.
    pub shear: f64,
    /// Largest shift as a share of the input.
    pub shift: f64,
    /// Largest change of brightness, as a share of the full range.
    pub gain: f64,
    /// Largest change of contrast as a factor above 1 (and its inverse).
    pub contrast: f64,
    /// Largest standard deviation of multiplicative speckle.
    pub speckle: f64,
    /// Probability of a patch being painted over.
    pub cut_out: f64,
    /// In which direction half of the images are flipped.
    #[serde(skip_serializing_if = "is_default")]
    pub flip: Flip,
    /// Largest exponent of the brightness above 1 (and its inverse); mammograms only.
    #[serde(skip_serializing_if = "is_one")]
    pub gamma: f64,
}

/// In which direction images are flipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flip {
    /// Left for right.
    #[default]
    Horizontal,
    /// Top for bottom: the chest wall of a mammogram stays at the left.
    Vertical,
}

fn is_one(value: &f64) -> bool {
    *value == 1.0
}

impl Default for AugmentConfig {
    fn default() -> AugmentConfig {
        AugmentConfig {
            rotate_degrees: 15.0,
            scale: 1.25,
            shear: 0.1,
            shift: 0.08,
            gain: 0.15,
            contrast: 1.3,
            speckle: 0.15,
            cut_out: 0.5,
            flip: Flip::default(),
            gamma: 1.0,
        }
    }
}

/// Name and folder of a set, its number of folds, and the fold that is left out.
type LeftOutPart<'a> = (&'a str, &'a Path, usize, Option<usize>);

impl RunConfig {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML of this form, or asks for something impossible.
    pub fn read(file: &Path) -> Result<RunConfig, Error> {
        let text = std::fs::read_to_string(file).map_err(|e| Error::io(file, e))?;
        let config: RunConfig = toml::from_str(&text)
            .map_err(|e| Error::new(ErrorKind::Config, e.to_string()).in_file(file))?;
        config.check().map_err(|e| e.in_file(file))?;
        Ok(config)
    }

    /// What decides which images are left out: seed, number of folds per set, left-out parts. Sets of
    /// which nothing is left out do not count.
    pub(crate) fn split(&self) -> (u64, Vec<LeftOutPart<'_>>) {
        let of = |left: &LeaveOut| {
            let set = self.data.iter().find(|set| set.name == left.data)?;
            Some((set.name.as_str(), set.path.as_path(), set.folds, left.fold))
        };
        let mut parts: Vec<_> = self.leave_out.iter().filter_map(of).collect();
        parts.sort();
        (self.seed, parts)
    }

    /// Whether a data set's labels are for its lesions alone.
    pub(crate) fn lesions_only(&self, set: &str) -> bool {
        let mut sets = self.data.iter();
        sets.any(|d| d.name == set && d.labels == LabelUse::Lesions)
    }

    /// What is left out, in words: `bus_bra fold 1; busi`.
    pub(crate) fn left_out_text(&self) -> String {
        let parts: Vec<String> = self
            .leave_out
            .iter()
            .map(|left| match left.fold {
                Some(fold) => format!("{} fold {fold}", left.data),
                None => left.data.clone(),
            })
            .collect();
        parts.join("; ")
    }

    /// The data sets of which anything is trained on, in words: `bus_bra, busi`.
    pub(crate) fn trained_on_text(&self) -> String {
        let whole = |name: &str| {
            let mut left = self.leave_out.iter();
            left.any(|left| left.data == name && left.fold.is_none())
        };
        let names = self.data.iter().map(|d| d.name.as_str());
        names
            .filter(|name| !whole(name))
            .collect::<Vec<_>>()
            .join(", ")
    }
}
