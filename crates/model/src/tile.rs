//! The network of a slide's tiles: the leading part of EfficientNet-Lite0, pooled, and a small head.
//!
//! The encoder stops at stride 16 (stage five), where features still are of texture and nuclei rather
//! than of objects; that also leaves a quarter of the weights. Each of its channels is pooled to a mean
//! and a standard deviation over the tile, the latter for how much nuclei differ. It is meant to stay
//! frozen: its features are computed once, and the [`TileHead`] learns from them in seconds. Attention
//! over the tiles of a slide is that of Ilse et al. 2018 (arXiv 1802.04712).

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::tensor::activation::{relu, sigmoid, softmax, tanh};
use burn::tensor::{Device, Tensor};

use crate::backbone::EfficientNetLite0;
use crate::init::Init;
use crate::{Error, ErrorKind, NamedTensor, load_parameters, parameters};

/// Added to variances before the root, so that flat tiles have a gradient and a finite value.
pub(crate) const VARIANCE_FLOOR: f32 = 1e-6;

/// Sizes of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileHeadConfig {
    /// Width of the hidden layer; 0 for none: logistic regression.
    pub hidden: usize,
    /// Width of the attention over a slide's tiles; 0 for none. It needs a hidden layer.
    pub attention: usize,
    /// Number of classes.
    pub classes: usize,
}

impl Default for TileHeadConfig {
    /// 32 hidden units, no attention, two classes.
    fn default() -> TileHeadConfig {
        TileHeadConfig {
            hidden: 32,
            attention: 0,
            classes: 2,
        }
    }
}

/// `x·weight + bias`.
#[derive(Module, Debug)]
pub struct Dense {
    /// `[channels in, channels out]`.
    pub weight: Param<Tensor<2>>,
    /// `[channels out]`.
    pub bias: Param<Tensor<1>>,
}

impl Dense {
    fn random([rows, cols]: [usize; 2], init: &mut Init) -> Dense {
        Dense {
            weight: Param::from_tensor(init.normal([rows, cols], (1.0 / rows as f64).sqrt())),
            bias: Param::from_tensor(init.zeros([cols])),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.val()) + self.bias.val().unsqueeze()
    }

    /// The layer that gives for `x` what this one gives for `(x − mean)/std`.
    fn behind_standardization(&self, mean: &[f32], std: &[f32]) -> Dense {
        let device = self.bias.val().device();
        let column =
            |values: &[f32]| Tensor::<1>::from_floats(values, &device).reshape([values.len(), 1]);
        let weight = self.weight.val() / column(std);
        let shift = (weight.clone() * column(mean))
            .sum_dim(0)
            .squeeze_dim::<1>(0);
        Dense {
            weight: Param::from_tensor(weight),
            bias: Param::from_tensor(self.bias.val() - shift),
        }
    }
}

/// What learns: from a tile's features to the classes' probabilities.
#[derive(Module, Debug)]
pub struct TileHead {
    /// Features to hidden units, behind which is ReLU.
    pub hidden: Option<Dense>,
    /// To one logit per class.
    pub output: Dense,
    /// `[hidden, attention]`, behind tanh.
    pub attention_v: Option<Param<Tensor<2>>>,
    /// `[hidden, attention]`, behind the sigmoid gate.
    pub attention_u: Option<Param<Tensor<2>>>,
    /// `[attention, 1]`.
    pub attention_w: Option<Param<Tensor<2>>>,
}

/// What a head says of each tile of a batch.
pub struct TileOutputs {
    /// `[n, classes]`; each row sums to one.
    pub probabilities: Tensor<2>,
    /// `[n, 1]`: to be compared within a slide.
    pub attention_logits: Option<Tensor<2>>,
}

impl TileHead {
    /// A head with random weights for [`TileNet::FEATURES`] features.
    ///
    /// # Errors
    /// `Mismatch` for fewer than two classes, or for attention without a hidden layer.
    pub fn random(config: TileHeadConfig, seed: u64, device: &Device) -> Result<TileHead, Error> {
        let TileHeadConfig {
            hidden,
            attention,
            classes,
        } = config;
        if classes < 2 || (attention > 0 && hidden == 0) {
            let message = format!(
                "expected two or more classes, and hidden units before attention, got {config:?}"
            );
            return Err(Error::new(ErrorKind::Mismatch, message));
        }
        let init = &mut Init::new(seed, device);
        let width = if hidden > 0 {
            hidden
        } else {
            TileNet::FEATURES
        };
        let matrix = |rows: usize, cols: usize, init: &mut Init| {
            (attention > 0)
                .then(|| Param::from_tensor(init.normal([rows, cols], (1.0 / rows as f64).sqrt())))
        };
        Ok(TileHead {
            hidden: (hidden > 0).then(|| Dense::random([TileNet::FEATURES, hidden], init)),
            output: Dense::random([width, classes], init),
            attention_v: matrix(width, attention, init),
            attention_u: matrix(width, attention, init),
            attention_w: matrix(attention, 1, init),
        })
    }

    /// `[n, FEATURES]`.
    pub fn forward(&self, features: Tensor<2>) -> TileOutputs {
        let h = match &self.hidden {
            Some(hidden) => relu(hidden.forward(features)),
            None => features,
        };
        TileOutputs {
            probabilities: softmax(self.output.forward(h.clone()), 1),
            attention_logits: self.attention(h),
        }
    }

    fn attention(&self, h: Tensor<2>) -> Option<Tensor<2>> {
        let value = tanh(h.clone().matmul(self.attention_v.as_ref()?.val()));
        let gate = sigmoid(h.matmul(self.attention_u.as_ref()?.val()));
        Some((value * gate).matmul(self.attention_w.as_ref()?.val()))
    }

    /// The head that takes features as they are, of one that learnt from standardized ones:
    /// `(x − mean)/std` goes into the first layer.
    pub fn behind_standardization(mut self, mean: &[f32], std: &[f32]) -> TileHead {
        match &mut self.hidden {
            Some(hidden) => *hidden = hidden.behind_standardization(mean, std),
            None => self.output = self.output.behind_standardization(mean, std),
        }
        self
    }

    /// The sizes that weights by name are for.
    fn config_of(weights: &BTreeMap<String, NamedTensor>, prefix: &str) -> TileHeadConfig {
        let cols = |name: &str| {
            let tensor = weights.get(&format!("{prefix}{name}"));
            tensor.and_then(|t| t.shape.last().copied()).unwrap_or(0)
        };
        TileHeadConfig {
            hidden: cols("hidden.weight"),
            attention: cols("attention_v"),
            classes: cols("output.weight"),
        }
    }
}

/// Encoder and head.
#[derive(Module, Debug)]
pub struct TileNet {
    /// EfficientNet-Lite0 up to stride 16.
    pub backbone: EfficientNetLite0,
    /// What learns.
    pub head: TileHead,
}

impl TileNet {
    /// Features of a tile: mean and standard deviation of each channel.
    pub const FEATURES: usize = 2 * EfficientNetLite0::CHANNELS_16;

    /// Rows and columns of a tile are a multiple of this.
    pub const STRIDE: usize = 16;

    /// The encoder with random weights.
    pub fn random_backbone(seed: u64, device: &Device) -> EfficientNetLite0 {
        EfficientNetLite0::random(3, &mut Init::new(seed, device)).up_to_stride_16()
    }

    /// The encoder with weights by name, of which there may be more, rounded to the 16 bits in which
    /// they are exported, so that features do not change by it.
    ///
    /// # Errors
    /// `Mismatch` when one is missing or of another shape.
    pub fn backbone_of(
        mut weights: BTreeMap<String, NamedTensor>,
        device: &Device,
    ) -> Result<EfficientNetLite0, Error> {
        let backbone = TileNet::random_backbone(0, device);
        let own = parameters(&backbone);
        weights.retain(|name, _| own.contains_key(name));
        let round = |v: &mut f32| *v = half::f16::from_f32(*v).to_f32();
        let values = weights.values_mut().flat_map(|tensor| &mut tensor.values);
        values.for_each(round);
        load_parameters(backbone, weights)
    }

    /// The network of an exported model's parameters ([`crate::read_initializers`]).
    ///
    /// # Errors
    /// `Mismatch` when they are those of another network.
    pub fn from_parameters(
        weights: BTreeMap<String, NamedTensor>,
        device: &Device,
    ) -> Result<TileNet, Error> {
        let config = TileHead::config_of(&weights, "head.");
        let net = TileNet {
            backbone: TileNet::random_backbone(0, device),
            head: TileHead::random(config, 0, device)?,
        };
        load_parameters(net, weights)
    }

    /// `[n, 3, h, w]`, h and w divisible by [`TileNet::STRIDE`].
    pub fn forward(&self, tiles: Tensor<4>) -> TileOutputs {
        self.head.forward(encode_tiles(&self.backbone, tiles))
    }
}

/// Features of tiles: `[n, 3, h, w]`, h and w divisible by [`TileNet::STRIDE`], to
/// `[n, TileNet::FEATURES]`: the mean of each channel, then the standard deviations.
pub fn encode_tiles(backbone: &EfficientNetLite0, tiles: Tensor<4>) -> Tensor<2> {
    let maps: Tensor<3> = backbone.forward(tiles).stride_16.flatten(2, 3);
    let mean = maps.clone().mean_dim(2);
    let away = maps - mean.clone();
    let variance = (away.clone() * away).mean_dim(2);
    let spread = variance.add_scalar(VARIANCE_FLOOR).sqrt();
    Tensor::cat(vec![mean, spread], 1).squeeze_dim::<2>(2)
}
