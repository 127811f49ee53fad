//! The network of ultrasound and of mammography on little data: saliency per class, top-t pooling,
//! gated attention over the images of a breast.
//!
//! After Shen et al., Nat Commun 2021;12:5645 (doi 10.1038/s41467-021-26023-2); the attention is
//! that of Ilse et al. 2018 (arXiv 1802.04712). Differences from the paper: the backbone is
//! EfficientNet-Lite0 unless ResNet-18 is asked for, and the saliency grid has stride 16, fed by two
//! scales.

use burn::module::{Module, Param};
use burn::tensor::activation::{sigmoid, softmax, tanh};
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor};

use crate::backbone::{ConvUnit, EfficientNetLite0, Features, same};
use crate::init::Init;
use crate::kernels::Activation;
use crate::ops::Connection;
use crate::resnet::ResNet18;

/// The convolutional part to choose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackboneKind {
    /// 3.2 million weights.
    #[default]
    EfficientnetLite0,
    /// 11 million weights, as in the paper.
    Resnet18,
}

/// The convolutional part.
#[derive(Module, Debug)]
pub enum Backbone {
    /// See [`EfficientNetLite0`].
    EfficientNetLite0(EfficientNetLite0),
    /// See [`ResNet18`].
    ResNet18(ResNet18),
}

impl Backbone {
    /// The convolutional part with random weights, for one grey channel.
    pub fn random(kind: BackboneKind, init: &mut Init) -> Backbone {
        match kind {
            BackboneKind::EfficientnetLite0 => {
                Backbone::EfficientNetLite0(EfficientNetLite0::random(1, init))
            }
            BackboneKind::Resnet18 => Backbone::ResNet18(ResNet18::random(1, init)),
        }
    }

    /// `[n, 1, h, w]` → two feature maps.
    pub fn forward(&self, images: Tensor<4>) -> Features {
        match self {
            Backbone::EfficientNetLite0(net) => net.forward(images),
            Backbone::ResNet18(net) => net.forward(images),
        }
    }

    /// Channels of the two feature maps.
    pub fn channels(kind: BackboneKind) -> (usize, usize) {
        match kind {
            BackboneKind::EfficientnetLite0 => (
                EfficientNetLite0::CHANNELS_16,
                EfficientNetLite0::CHANNELS_32,
            ),
            BackboneKind::Resnet18 => (ResNet18::CHANNELS_16, ResNet18::CHANNELS_32),
        }
    }
}

/// Sizes of the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SaliencyConfig {
    /// The convolutional part.
    pub backbone: BackboneKind,
    /// Channels of the fused feature map.
    pub hidden: usize,
    /// Width of the attention.
    pub attention: usize,
    /// Share of the saliency map's pixels that make the score, in 0..=1.
    pub top_share: f64,
}

impl Default for SaliencyConfig {
    fn default() -> SaliencyConfig {
        SaliencyConfig {
            backbone: BackboneKind::default(),
            hidden: 256,
            attention: 128,
            top_share: 0.05,
        }
    }
}

/// Number of classes: benign, malignant.
pub const N_CLASSES: usize = 2;

/// The network.
#[derive(Module, Debug)]
pub struct SaliencyNet {
    /// Features of one grey image.
    pub backbone: Backbone,
    /// 1×1 from the fine features.
    pub lateral_16: ConvUnit,
    /// 1×1 from the coarse features.
    pub lateral_32: ConvUnit,
    /// 1×1 to one map per class, before the sigmoid.
    pub saliency: ConvUnit,
    /// `[2·hidden, attention]`, behind tanh.
    pub attention_v: Param<Tensor<2>>,
    /// `[2·hidden, attention]`, behind the sigmoid gate.
    pub attention_u: Param<Tensor<2>>,
    /// `[attention, 1]`.
    pub attention_w: Param<Tensor<2>>,
    #[module(skip)]
    config: SaliencyConfig,
}

/// What the network says of each image of a batch.
pub struct ImageOutputs {
    /// `[n, 2, h/16, w/16]`, in 0..=1.
    pub saliency: Tensor<4>,
    /// `[n, 2]`: mean of the top share of each map.
    pub image_scores: Tensor<2>,
    /// `[n, 1]`: to be compared within a breast.
    pub attention_logits: Tensor<2>,
}

impl SaliencyNet {
    /// The network with random weights.
    pub fn random(config: SaliencyConfig, seed: u64, device: &Device) -> SaliencyNet {
        let init = &mut Init::new(seed, device);
        let hidden = config.hidden;
        let unit = |out, channels, init: &mut Init| {
            let plan = same(Connection::Dense, 1, 1, Activation::Linear);
            ConvUnit::random([out, channels, 1, 1], plan, init)
        };
        let matrix = |rows: usize, cols: usize, init: &mut Init| {
            Param::from_tensor(init.normal([rows, cols], (1.0 / rows as f64).sqrt()))
        };
        let (channels_16, channels_32) = Backbone::channels(config.backbone);
        let mut net = SaliencyNet {
            backbone: Backbone::random(config.backbone, init),
            lateral_16: unit(hidden, channels_16, init),
            lateral_32: unit(hidden, channels_32, init),
            saliency: unit(N_CLASSES, hidden, init),
            attention_v: matrix(2 * hidden, config.attention, init),
            attention_u: matrix(2 * hidden, config.attention, init),
            attention_w: matrix(config.attention, 1, init),
            config,
        };
        // Start with quiet maps: most of an image is no finding (sigmoid(−2) ≈ 0.12).
        net.saliency.bias = net.saliency.bias.map(|bias| bias.sub_scalar(2.0));
        net.saliency.weight = net.saliency.weight.map(|weight| weight.mul_scalar(0.1));
        net
    }

    /// Where the network's numbers lie.
    pub fn device(&self) -> Device {
        self.attention_w.val().device()
    }

    /// Sizes of the network.
    pub fn config(&self) -> SaliencyConfig {
        self.config
    }

    /// `[n, 1, h, w]`, h and w divisible by 32.
    pub fn forward(&self, images: Tensor<4>) -> ImageOutputs {
        let fused = self.fuse(self.backbone.forward(images));
        let saliency = sigmoid(self.saliency.forward(fused.clone()));
        ImageOutputs {
            image_scores: top_share_mean(saliency.clone(), self.config.top_share),
            saliency,
            attention_logits: self.attention_logits(fused),
        }
    }

    /// Both scales on the fine grid: `relu(lateral_16(f16) + up2(lateral_32(f32)))`.
    fn fuse(&self, features: Features) -> Tensor<4> {
        let fine = self.lateral_16.forward(features.stride_16);
        let [_, _, rows, cols] = fine.dims();
        let coarse = self.lateral_32.forward(features.stride_32);
        let options =
            InterpolateOptions::new(InterpolateMode::Nearest).with_output_size([rows, cols]);
        burn::tensor::activation::relu(fine + interpolate(coarse, options))
    }

    fn attention_logits(&self, fused: Tensor<4>) -> Tensor<2> {
        let flat: Tensor<3> = fused.flatten(2, 3);
        let mean = flat.clone().mean_dim(2).squeeze_dim::<2>(2);
        let most = flat.max_dim(2).squeeze_dim::<2>(2);
        let h = Tensor::cat(vec![mean, most], 1);
        let value = tanh(h.clone().matmul(self.attention_v.val()));
        let gate = sigmoid(h.matmul(self.attention_u.val()));
        (value * gate).matmul(self.attention_w.val())
    }
}

/// Mean of the largest `share` of each map (at least one pixel): `[n, c, h, w]` → `[n, c]`.
pub fn top_share_mean(maps: Tensor<4>, share: f64) -> Tensor<2> {
    let [_, _, rows, cols] = maps.dims();
    let flat: Tensor<3> = maps.flatten(2, 3);
    flat.topk(top_count(rows * cols, share), 2)
        .mean_dim(2)
        .squeeze_dim::<2>(2)
}

/// How many pixels the top share of a map of `n_pixels` is.
pub fn top_count(n_pixels: usize, share: f64) -> usize {
    ((n_pixels as f64 * share).round() as usize).clamp(1, n_pixels.max(1))
}

/// The scores of breasts from those of their images.
///
/// `bag_of_image[i]` is the breast of image `i`, in `0..n_bags`, each with at least one image.
/// Returns the breasts' scores `[n_bags, c]` and each image's attention `[n]`, which sums to one
/// over the images of a breast: `α = softmax(logits)` within the breast, `score = Σ α·image_score`.
pub fn pool_bags(
    image_scores: Tensor<2>,
    attention_logits: Tensor<2>,
    bag_of_image: &[usize],
    n_bags: usize,
) -> (Tensor<2>, Tensor<1>) {
    let n = bag_of_image.len();
    let device = image_scores.device();
    // Images of other breasts get a logit that no softmax can see.
    let outside: Vec<f32> = (0..n_bags)
        .flat_map(|bag| {
            bag_of_image
                .iter()
                .map(move |&b| if b == bag { 0.0 } else { -1e9 })
        })
        .collect();
    let outside = Tensor::<1>::from_floats(outside.as_slice(), &device).reshape([n_bags, n]);
    let logits = attention_logits.reshape([1, n]).repeat_dim(0, n_bags) + outside;
    let attention = softmax(logits, 1);
    (
        attention.clone().matmul(image_scores),
        attention.sum_dim(0).reshape([n]),
    )
}
