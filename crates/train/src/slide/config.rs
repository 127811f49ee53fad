//! The configuration of a run on slides, a TOML file that the run folder keeps.

use std::path::{Path, PathBuf};

use lobule_model::TileNet;
use lobule_package::{Modality, Prepare};
use lobule_raster::{TileConfig, TileStain};
use serde::{Deserialize, Serialize};

use super::SlideLayout;
use crate::{Error, ErrorKind, LeaveOut};

/// Everything that decides the result of a run on slides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlideRunConfig {
    /// Seed of every random choice.
    pub seed: u64,
    /// What is learnt.
    pub task: SlideTask,
    /// Folder of cached features, which runs may share [default: `features` in the run folder].
    #[serde(default)]
    pub cache: Option<PathBuf>,
    /// Data sets to train on.
    pub data: Vec<SlideSetConfig>,
    /// Groups that are predicted and never trained on.
    #[serde(default)]
    pub leave_out: Vec<LeaveOut>,
    /// The preparation, as a package's manifest states it: `kind = "tile"`.
    #[serde(default = "default_prepare")]
    pub prepare: Prepare,
    /// Which tiles are shown.
    #[serde(default)]
    pub tiles: TileChoice,
    /// The network.
    #[serde(default)]
    pub network: TileNetworkConfig,
    /// The loop.
    #[serde(default)]
    pub optimizer: TileOptimizerConfig,
    /// From tiles to slides.
    #[serde(default)]
    pub score: ScoreConfig,
}

/// What a network of tiles learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlideTask {
    /// Which tiles show invasive tumor, from annotated regions.
    Tumor,
    /// Whether tumor looks like grade 1 or grade 3: a tile bears its slide's grade. Slides of grade 2
    /// are never trained on, and always predicted.
    Grade,
}

/// One data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlideSetConfig {
    /// Its name in results.
    pub name: String,
    /// Folder of the data set; relative to `LOBULE_DATA` or absolute.
    pub path: PathBuf,
    /// How it lies there.
    #[serde(default)]
    pub layout: SlideLayout,
    /// Microns per pixel of the finest level, where the files do not state them.
    #[serde(default)]
    pub mpp: Option<f64>,
    /// Number of folds drawn where the set brings none of its own; without it, each group (patient,
    /// region) is a fold, numbered in the order of the names.
    #[serde(default)]
    pub folds: Option<usize>,
    /// What an annotation program's classes of invasive tumor are called.
    #[serde(default = "tumor_classes")]
    pub tumor_classes: Vec<String>,
    /// What stands outside of all annotations.
    #[serde(default)]
    pub unannotated: Unannotated,
}

/// What a place outside of all annotations is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unannotated {
    /// Nobody looked: no tile is taken there.
    #[default]
    Unknown,
    /// All tumor was annotated: it is something else.
    Other,
    /// The pictures were taken of tumor.
    Tumor,
}

/// Which tiles are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TileChoice {
    /// Pixels that neighbours share.
    pub overlap: usize,
    /// Where tiles are looked for.
    pub look: Look,
    /// Most tiles of a slide, drawn at random; 0 for all.
    pub most_per_slide: usize,
    /// A tile with at least this share of tumor is shown as tumor, and for grading, taken as tumor.
    pub least_tumor: f64,
    /// A tile with at most this share of tumor is shown as something else.
    pub most_tumor: f64,
    /// For grading: how tumor is known.
    pub tumor: TumorSource,
    /// The folder of the package that finds tumor, for `tumor = "model"`.
    pub tumor_model: Option<PathBuf>,
    /// Mirrored and turned copies of each tile: 1 to 8. An epoch shows one of them.
    pub views: usize,
}

/// Where tiles are looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// All over the tissue, as assessing does: pen, folds and blur are left out.
    #[default]
    Survey,
    /// In annotated regions only, and no other part of the slide is read; blurred tiles are left out.
    Annotated,
}

/// How it is known which tiles are tumor, for grading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TumorSource {
    /// From annotations.
    #[default]
    Annotated,
    /// From a package that finds tumor and has the same preparation.
    Model,
    /// All tiles are: fields that were taken of tumor.
    All,
}

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TileNetworkConfig {
    /// PyTorch checkpoint of EfficientNet-Lite0's ImageNet weights, for the encoder, which stays
    /// frozen; or a member of a slide model (ONNX), whose encoder is taken. Without it the encoder is
    /// random.
    pub encoder: Option<PathBuf>,
    /// Width of the hidden layer; 0 for none: logistic regression.
    pub hidden: usize,
    /// Width of gated attention over a slide's tiles, whose pooled probability then learns the slide's
    /// label; 0: each tile learns it.
    pub attention: usize,
    /// Networks of the ensemble. More than one: each learns from a bootstrap sample of the groups.
    pub members: usize,
}

/// The loop (AdamW, linear warm-up, cosine decay, mean of weights).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TileOptimizerConfig {
    /// Passes over the training tiles; the last one's network is kept.
    pub epochs: usize,
    /// Tiles per step.
    pub batch_tiles: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Epochs of warm-up.
    pub warmup_epochs: f64,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// Decay per step of the running mean of the weights.
    pub mean_decay: f64,
    /// Gradients of a parameter are scaled down to this norm.
    pub clip_norm: f32,
}

/// From tiles to slides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScoreConfig {
    /// Which quantile of the tumor tiles' scores is the slide's score.
    pub quantile: f64,
    /// Fewest tumor tiles of a slide that is assessed.
    pub least_tiles: usize,
}

fn tumor_classes() -> Vec<String> {
    ["Tumor", "Tumour", "Invasive"].map(String::from).to_vec()
}

/// 224 pixels at 0.5 µm, colors as EfficientNet-Lite learnt them.
fn default_prepare() -> Prepare {
    Prepare::Tile(TileConfig {
        side: 224,
        mpp: 0.5,
        stain: TileStain::Macenko,
        mean: [127.0; 3],
        std: [128.0; 3],
    })
}

impl Default for TileChoice {
    fn default() -> TileChoice {
        TileChoice {
            overlap: 0,
            look: Look::default(),
            most_per_slide: 0,
            least_tumor: 0.75,
            most_tumor: 0.05,
            tumor: TumorSource::default(),
            tumor_model: None,
            views: 1,
        }
    }
}

impl Default for TileNetworkConfig {
    fn default() -> TileNetworkConfig {
        TileNetworkConfig {
            encoder: None,
            hidden: 32,
            attention: 0,
            members: 1,
        }
    }
}

impl Default for TileOptimizerConfig {
    fn default() -> TileOptimizerConfig {
        TileOptimizerConfig {
            epochs: 30,
            batch_tiles: 64,
            learning_rate: 3e-3,
            warmup_epochs: 1.0,
            weight_decay: 0.05,
            mean_decay: 0.98,
            clip_norm: 1.0,
        }
    }
}

impl Default for ScoreConfig {
    fn default() -> ScoreConfig {
        ScoreConfig {
            quantile: 0.75,
            least_tiles: 20,
        }
    }
}

impl SlideRunConfig {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML of this form, or asks for something impossible.
    pub fn read(file: &Path) -> Result<SlideRunConfig, Error> {
        let text = std::fs::read_to_string(file).map_err(|e| Error::io(file, e))?;
        let config: SlideRunConfig = toml::from_str(&text)
            .map_err(|e| Error::new(ErrorKind::Config, e.to_string()).in_file(file))?;
        match config.problem() {
            Some(message) => Err(Error::new(ErrorKind::Config, message).in_file(file)),
            None => Ok(config),
        }
    }

    /// Whether a file is a configuration of a run on slides rather than on exams.
    pub fn is_one(file: &Path) -> bool {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let table: toml::Table = text.parse().unwrap_or_default();
        table.contains_key("task")
    }

    /// How a tile becomes the network's input.
    pub(crate) fn tile(&self) -> Result<TileConfig, Error> {
        match &self.prepare {
            Prepare::Tile(tile) => Ok(*tile),
            _ => Err(Error::new(ErrorKind::Config, NOT_TILES)),
        }
    }

    /// What is left out, in words: `bcss3 fold 1; brecahad30 fold 2`.
    pub fn left_out_text(&self) -> String {
        let part = |left: &LeaveOut| match left.fold {
            Some(fold) => format!("{} fold {fold}", left.data),
            None => left.data.clone(),
        };
        let parts: Vec<String> = self.leave_out.iter().map(part).collect();
        parts.join("; ")
    }

    fn problem(&self) -> Option<String> {
        self.data_problem()
            .or_else(|| self.tile_problem())
            .or_else(|| self.network_problem())
            .or_else(|| self.number_problem())
    }

    fn data_problem(&self) -> Option<String> {
        if self.data.is_empty() {
            return Some("expected at least one [[data]]".into());
        }
        let fine = |mpp: f64| mpp.is_finite() && mpp > 0.0;
        if let Some(set) = self
            .data
            .iter()
            .find(|set| set.mpp.is_some_and(|m| !fine(m)))
        {
            return Some(format!("expected an mpp above 0 for `{}`", set.name));
        }
        let known = |name: &str| self.data.iter().any(|d| d.name == name);
        let foreign = self.leave_out.iter().find(|left| !known(&left.data))?;
        let name = &foreign.data;
        Some(format!(
            "leave_out names `{name}`, which is not in [[data]]"
        ))
    }

    fn tile_problem(&self) -> Option<String> {
        let Ok(tile) = self.tile() else {
            return Some(NOT_TILES.into());
        };
        if let Some(problem) = self.prepare.problem(Modality::Histology) {
            return Some(problem);
        }
        let (choice, stride) = (&self.tiles, TileNet::STRIDE);
        if !tile.side.is_multiple_of(stride) || choice.overlap >= tile.side {
            return Some(format!(
                "expected a side that is a multiple of {stride} and a smaller overlap, got {} and {}",
                tile.side, choice.overlap
            ));
        }
        let (low, high) = (choice.most_tumor, choice.least_tumor);
        if !(0.0 <= low && low < high && high <= 1.0) {
            return Some(format!(
                "expected 0 <= most_tumor < least_tumor <= 1, got {low} and {high}"
            ));
        }
        if !(1..=8).contains(&choice.views) {
            return Some(format!("expected 1 to 8 views, got {}", choice.views));
        }
        let by_model = self.task == SlideTask::Grade && choice.tumor == TumorSource::Model;
        (by_model != choice.tumor_model.is_some()).then(|| {
            "expected tumor_model with tumor = \"model\" of a grade run, and only there".into()
        })
    }

    fn network_problem(&self) -> Option<String> {
        let network = &self.network;
        if !(1..=64).contains(&network.members) {
            return Some(format!("expected 1 to 64 members, got {}", network.members));
        }
        if network.attention == 0 {
            return None;
        }
        (network.hidden == 0 || self.task == SlideTask::Tumor).then(|| {
            "expected attention of a grade run with hidden units: tumor has a label per tile".into()
        })
    }

    fn number_problem(&self) -> Option<String> {
        let (o, rate) = (&self.optimizer, self.optimizer.learning_rate);
        if o.epochs == 0 || o.batch_tiles == 0 || rate.is_nan() || rate <= 0.0 {
            return Some("expected epochs, batch_tiles and learning_rate above 0".into());
        }
        let ScoreConfig {
            quantile,
            least_tiles,
        } = self.score;
        (!(0.0..=1.0).contains(&quantile) || least_tiles == 0).then(|| {
            format!("expected a quantile in 0..=1 and least_tiles above 0, got {quantile}, {least_tiles}")
        })
    }
}

const NOT_TILES: &str = "expected a preparation of `kind = \"tile\"`";

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        let base = "seed = 1\ntask = \"grade\"\n[[data]]\nname = \"a\"\npath = \"a\"\n";
        let config: SlideRunConfig = toml::from_str(&format!("{base}{text}")).unwrap();
        config.problem().unwrap_or_default()
    }

    #[test]
    fn impossible_wishes_are_named() {
        for (text, part) in [
            ("", ""),
            ("[[leave_out]]\ndata = \"b\"\n", "`b`"),
            ("mpp = 0.0\n", "mpp above 0"),
            ("[tiles]\noverlap = 224\n", "smaller overlap"),
            ("[tiles]\nleast_tumor = 0.01\n", "most_tumor"),
            ("[tiles]\nviews = 9\n", "8 views"),
            ("[tiles]\ntumor = \"model\"\n", "tumor_model"),
            ("[network]\nmembers = 0\n", "members"),
            ("[network]\nhidden = 0\nattention = 8\n", "hidden units"),
            ("[optimizer]\nepochs = 0\n", "epochs"),
            ("[score]\nquantile = 1.5\n", "quantile"),
        ] {
            let got = problem(text);
            assert!(
                got.contains(part) && got.is_empty() == part.is_empty(),
                "{text}: {got}"
            );
        }
    }
}
