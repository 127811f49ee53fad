//! The network that sees the whole image: ResNet-22 with pre-activation, and the saliency head.
//!
//! Pre-activation: He et al. 2016, arXiv 1603.05027. The normalisation in front of a block follows
//! a sum and cannot be folded into a convolution; it stays as a scale and a shift per channel. The
//! one between a block's convolutions is folded into the first.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;

use crate::backbone::ConvUnit;
use crate::init::Init;
use crate::kernels::Activation;
use crate::resnet::centered;
use crate::saliency::{N_CLASSES, top_share_mean};

/// `max(scale·x + shift, 0)` for each channel: a trained normalisation and what follows it.
#[derive(Module, Debug)]
pub struct ChannelAffine {
    /// `[c]`.
    pub scale: Param<Tensor<1>>,
    /// `[c]`.
    pub shift: Param<Tensor<1>>,
}

impl ChannelAffine {
    fn identity(channels: usize, init: &mut Init) -> ChannelAffine {
        ChannelAffine {
            scale: Param::from_tensor(init.zeros([channels]).add_scalar(1.0)),
            shift: Param::from_tensor(init.zeros([channels])),
        }
    }

    /// `[n, c, h, w]` → the same.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let per_channel = |t: Tensor<1>| -> Tensor<4> {
            let [channels] = t.dims();
            t.reshape([1, channels, 1, 1])
        };
        relu(x * per_channel(self.scale.val()) + per_channel(self.shift.val()))
    }
}

/// Normalise, then two 3×3 convolutions, added to the input.
#[derive(Module, Debug)]
pub struct PreactivationBlock {
    /// In front of the convolutions.
    pub norm: ChannelAffine,
    /// 3×3 with the block's stride.
    pub first: ConvUnit,
    /// 3×3, linear.
    pub second: ConvUnit,
    /// 1×1 on the normalised input, in the first block of a stage.
    pub shortcut: Option<ConvUnit>,
}

impl PreactivationBlock {
    fn random(channels: usize, out: usize, stride: Option<usize>, init: &mut Init) -> Self {
        let first = centered(3, stride.unwrap_or(1), Activation::Relu);
        let linear = |kernel, stride| centered(kernel, stride, Activation::Linear);
        PreactivationBlock {
            norm: ChannelAffine::identity(channels, init),
            first: ConvUnit::random([out, channels, 3, 3], first, init),
            second: ConvUnit::random([out, out, 3, 3], linear(3, 1), init),
            shortcut: stride.map(|s| ConvUnit::random([out, channels, 1, 1], linear(1, s), init)),
        }
    }

    /// `[n, c, h, w]` → `[n, o, ⌈h/stride⌉, ⌈w/stride⌉]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let normed = self.norm.forward(x.clone());
        let x = match &self.shortcut {
            Some(shortcut) => shortcut.forward(normed.clone()),
            None => x,
        };
        x + self.second.forward(self.first.forward(normed))
    }
}

/// The convolutional part, of stride 64.
#[derive(Module, Debug)]
pub struct ResNet22 {
    /// 7×7, stride 2, linear.
    pub stem: ConvUnit,
    /// Ten blocks in five stages.
    pub blocks: Vec<PreactivationBlock>,
    /// Behind the last block.
    pub norm: ChannelAffine,
}

/// Channels of the stem, and of each stage of two blocks.
pub(super) const STEM: usize = 16;
pub(super) const STAGES: [usize; 5] = [16, 32, 64, 128, 256];

impl ResNet22 {
    /// Channels of the features.
    pub const CHANNELS: usize = STAGES[4];

    /// The network with random weights, for one grey channel.
    pub fn random(init: &mut Init) -> ResNet22 {
        let stem = centered(7, 2, Activation::Linear);
        let stem = ConvUnit::random([STEM, 1, 7, 7], stem, init);
        let mut channels = STEM;
        let mut blocks = Vec::new();
        for (stage, out) in STAGES.into_iter().enumerate() {
            let stride = if stage == 0 { 1 } else { 2 };
            let mut block =
                |channels, stride| PreactivationBlock::random(channels, out, stride, init);
            blocks.extend([block(channels, Some(stride)), block(out, None)]);
            channels = out;
        }
        ResNet22 {
            stem,
            blocks,
            norm: ChannelAffine::identity(channels, init),
        }
    }

    /// `[n, 1, h, w]` with h and w divisible by 64 → `[n, 256, h/64, w/64]`, not negative.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        // The published pooling does not pad: of 1472 rows it makes 735, and the next stage 368.
        let pool = MaxPoolOptions {
            stride: [2, 2],
            ..MaxPoolOptions::new([3, 3])
        };
        let x = max_pool2d(self.stem.forward(images), pool);
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        self.norm.forward(x)
    }
}

/// The network that sees the whole image.
#[derive(Module, Debug)]
pub struct GlobalNet {
    /// Features of one grey image.
    pub backbone: ResNet22,
    /// 1×1 to one map per class, before the sigmoid.
    pub saliency: ConvUnit,
    #[module(skip)]
    top_share: f64,
}

/// What the global network says of each image of a batch.
pub struct GlobalOutputs {
    /// `[n, 2, h/64, w/64]`, in 0..=1: benign, malignant.
    pub saliency: Tensor<4>,
    /// `[n, 2]`: mean of the top share of each map.
    pub scores: Tensor<2>,
    /// `[n, 256]`: largest value of each feature, for the fusion.
    pub features: Tensor<2>,
}

impl GlobalNet {
    pub(super) fn random(top_share: f64, init: &mut Init) -> GlobalNet {
        let plan = centered(1, 1, Activation::Linear);
        GlobalNet {
            backbone: ResNet22::random(init),
            saliency: ConvUnit::random([N_CLASSES, ResNet22::CHANNELS, 1, 1], plan, init),
            top_share,
        }
    }

    /// `[n, 1, h, w]`, h and w divisible by 64.
    pub fn forward(&self, images: Tensor<4>) -> GlobalOutputs {
        let features = self.backbone.forward(images);
        let saliency = sigmoid(self.saliency.forward(features.clone()));
        GlobalOutputs {
            scores: top_share_mean(saliency.clone(), self.top_share),
            saliency,
            features: features.flatten::<3>(2, 3).max_dim(2).squeeze_dim::<2>(2),
        }
    }
}
