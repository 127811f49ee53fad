//! ResNet-18 with its batch normalisation folded into the convolutions.
//!
//! He et al. 2016 (arXiv 1512.03385), with the symmetric padding of the published weights.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;

use crate::backbone::{ConvUnit, Features, two_scales};
use crate::init::Init;
use crate::kernels::Activation;
use crate::ops::{Connection, ConvPlan};

/// Two 3×3 convolutions added to their input.
#[derive(Module, Debug)]
pub struct BasicBlock {
    /// 3×3 with the block's stride.
    pub first: ConvUnit,
    /// 3×3, linear.
    pub second: ConvUnit,
    /// 1×1, where the shape changes.
    pub shortcut: Option<ConvUnit>,
}

impl BasicBlock {
    /// A block with random weights.
    pub fn random(channels: usize, out: usize, stride: usize, init: &mut Init) -> BasicBlock {
        let first = centered(3, stride, Activation::Relu);
        let linear = |kernel, stride| centered(kernel, stride, Activation::Linear);
        BasicBlock {
            first: ConvUnit::random([out, channels, 3, 3], first, init),
            second: ConvUnit::random([out, out, 3, 3], linear(3, 1), init),
            shortcut: (stride > 1 || channels != out)
                .then(|| ConvUnit::random([out, channels, 1, 1], linear(1, stride), init)),
        }
    }

    /// `[n, c, h, w]` → `[n, o, h/stride, w/stride]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = self.second.forward(self.first.forward(x.clone()));
        let x = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x),
            None => x,
        };
        relu(x + y)
    }
}

/// The convolutional part, of stride 32.
#[derive(Module, Debug)]
pub struct ResNet18 {
    /// 7×7, stride 2.
    pub stem: ConvUnit,
    /// Eight blocks in four stages.
    pub blocks: Vec<BasicBlock>,
}

/// Channels of each stage of two blocks.
const STAGES: [usize; 4] = [64, 128, 256, 512];
/// Blocks up to the end of stage three: the finer of the two feature maps.
const BLOCKS_AT_STRIDE_16: usize = 6;

impl ResNet18 {
    /// Channels of [`Features::stride_16`].
    pub const CHANNELS_16: usize = 256;
    /// Channels of [`Features::stride_32`].
    pub const CHANNELS_32: usize = 512;

    /// The network with random weights.
    pub fn random(channels_in: usize, init: &mut Init) -> ResNet18 {
        let stem = centered(7, 2, Activation::Relu);
        let stem = ConvUnit::random([STAGES[0], channels_in, 7, 7], stem, init);
        let mut channels = STAGES[0];
        let mut blocks = Vec::new();
        for (stage, out) in STAGES.into_iter().enumerate() {
            let stride = if stage == 0 { 1 } else { 2 };
            blocks.push(BasicBlock::random(channels, out, stride, init));
            blocks.push(BasicBlock::random(out, out, 1, init));
            channels = out;
        }
        ResNet18 { stem, blocks }
    }

    /// `[n, c, h, w]` with h and w divisible by 32 → two feature maps.
    pub fn forward(&self, images: Tensor<4>) -> Features {
        let pool = MaxPoolOptions {
            stride: [2, 2],
            padding: [(1, 1), (1, 1)],
            ..MaxPoolOptions::new([3, 3])
        };
        let x = max_pool2d(self.stem.forward(images), pool);
        Features::of(two_scales(
            &self.blocks,
            BLOCKS_AT_STRIDE_16,
            x,
            |_, block, x| block.forward(x),
        ))
    }

    /// How many leading blocks produce [`Features::stride_16`].
    pub fn blocks_at_stride_16(&self) -> usize {
        BLOCKS_AT_STRIDE_16
    }
}

/// Padding by half the kernel on every side.
pub(crate) fn centered(kernel: usize, stride: usize, activation: Activation) -> ConvPlan {
    ConvPlan {
        connection: Connection::Dense,
        stride,
        pad_start: kernel / 2,
        pad_end: kernel / 2,
        activation,
    }
}
