//! EfficientNet-Lite0 with its batch normalisation folded into the convolutions.
//!
//! EfficientNet (Tan & Le 2019, arXiv 1905.11946) without squeeze-and-excitation and with ReLU6.
//! Folding `γ(w∗x − μ)/√(σ² + ε) + β` into weight and bias keeps the function, halves the memory
//! traffic, and fine-tunes without the noise of small-batch statistics.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::init::Init;
use crate::kernels::Activation;
use crate::ops::{Connection, ConvPlan, convolve};

/// A convolution with bias and activation.
#[derive(Module, Debug)]
pub struct ConvUnit {
    /// `[o, c, k, k]`, depthwise `[c, 1, k, k]`.
    pub weight: Param<Tensor<4>>,
    /// `[o]`.
    pub bias: Param<Tensor<1>>,
    #[module(skip)]
    plan: ConvPlan,
}

impl ConvUnit {
    /// A unit with random weights (He et al. 2015) and zero bias.
    pub fn random(shape: [usize; 4], plan: ConvPlan, init: &mut Init) -> ConvUnit {
        let fan_in = (shape[1] * shape[2] * shape[3]) as f64;
        ConvUnit {
            weight: Param::from_tensor(init.normal(shape, (2.0 / fan_in).sqrt())),
            bias: Param::from_tensor(init.zeros([shape[0]])),
            plan,
        }
    }

    /// `[n, c, h, w]` → `[n, o, h', w']`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        convolve(x, self.weight.val(), self.bias.val(), self.plan)
    }

    /// Everything but the numbers.
    pub fn plan(&self) -> ConvPlan {
        self.plan
    }
}

/// Widen, filter each channel, narrow; added to the input where the shape stays.
#[derive(Module, Debug)]
pub struct InvertedResidual {
    /// 1×1, absent where the block does not widen.
    pub expand: Option<ConvUnit>,
    /// k×k per channel.
    pub depthwise: ConvUnit,
    /// 1×1, linear.
    pub project: ConvUnit,
    #[module(skip)]
    residual: Residual,
}

/// Whether a block adds its input to its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residual {
    /// Output only.
    None,
    /// Input + output.
    Added,
}

impl InvertedResidual {
    /// `[n, c, h, w]` → `[n, o, h/stride, w/stride]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let wide = match &self.expand {
            Some(expand) => expand.forward(x.clone()),
            None => x.clone(),
        };
        let y = self.project.forward(self.depthwise.forward(wide));
        match self.residual {
            Residual::Added => x + y,
            Residual::None => y,
        }
    }

    /// Whether the input is added.
    pub fn residual(&self) -> Residual {
        self.residual
    }
}

/// The convolutional part up to the last stage, of stride 32.
#[derive(Module, Debug)]
pub struct EfficientNetLite0 {
    /// 3×3, stride 2.
    pub stem: ConvUnit,
    /// Sixteen blocks in seven stages.
    pub blocks: Vec<InvertedResidual>,
}

/// One stage: (expansion, kernel, stride, channels, blocks).
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
];

/// Blocks up to the end of stage five: the finer of the two feature maps.
const BLOCKS_AT_STRIDE_16: usize = 11;

/// Feature maps of two scales.
pub struct Features {
    /// `[n, 112, h/16, w/16]`.
    pub stride_16: Tensor<4>,
    /// `[n, 320, h/32, w/32]`.
    pub stride_32: Tensor<4>,
}

impl Features {
    pub(crate) fn of((stride_16, stride_32): (Tensor<4>, Tensor<4>)) -> Features {
        Features {
            stride_16,
            stride_32,
        }
    }
}

/// Goes through all blocks; returns what stands after the first `fine` ones (at least one), and at
/// the end. A value is a tensor here and a name in the export.
pub(crate) fn two_scales<B, X: Clone>(
    blocks: &[B],
    fine: usize,
    x: X,
    mut step: impl FnMut(usize, &B, X) -> X,
) -> (X, X) {
    let (mut middle, mut x) = (x.clone(), x);
    for (i, block) in blocks.iter().enumerate() {
        x = step(i, block, x);
        if i + 1 == fine {
            middle = x.clone();
        }
    }
    (middle, x)
}

impl EfficientNetLite0 {
    /// Channels of [`Features::stride_16`].
    pub const CHANNELS_16: usize = 112;
    /// Channels of [`Features::stride_32`].
    pub const CHANNELS_32: usize = 320;

    /// The network with random weights.
    pub fn random(channels_in: usize, init: &mut Init) -> EfficientNetLite0 {
        let mut channels = 32;
        let stem = ConvUnit::random(
            [channels, channels_in, 3, 3],
            same(Connection::Dense, 3, 2, Activation::Relu6),
            init,
        );
        let mut blocks = Vec::new();
        for (expansion, kernel, stride, out, count) in STAGES {
            for i in 0..count {
                let stride = if i == 0 { stride } else { 1 };
                blocks.push(block(expansion, kernel, stride, (channels, out), init));
                channels = out;
            }
        }
        EfficientNetLite0 { stem, blocks }
    }

    /// The part that produces [`Features::stride_16`]; both feature maps are then that one, and h and w
    /// need only be divisible by 16.
    pub fn up_to_stride_16(mut self) -> EfficientNetLite0 {
        self.blocks.truncate(BLOCKS_AT_STRIDE_16);
        self
    }

    /// `[n, c, h, w]` with h and w divisible by 32 → two feature maps.
    pub fn forward(&self, images: Tensor<4>) -> Features {
        let x = self.stem.forward(images);
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

fn block(
    expansion: usize,
    kernel: usize,
    stride: usize,
    (channels, out): (usize, usize),
    init: &mut Init,
) -> InvertedResidual {
    let wide = channels * expansion;
    let pointwise = |activation| same(Connection::Dense, 1, 1, activation);
    let relu6 = Activation::Relu6;
    InvertedResidual {
        expand: (expansion > 1)
            .then(|| ConvUnit::random([wide, channels, 1, 1], pointwise(relu6), init)),
        depthwise: ConvUnit::random(
            [wide, 1, kernel, kernel],
            same(Connection::Depthwise, kernel, stride, relu6),
            init,
        ),
        project: ConvUnit::random([out, wide, 1, 1], pointwise(Activation::Linear), init),
        residual: if stride == 1 && channels == out {
            Residual::Added
        } else {
            Residual::None
        },
    }
}

/// TensorFlow's "same" padding for sizes divisible by the stride: the odd pixel goes to the end.
pub fn same(
    connection: Connection,
    kernel: usize,
    stride: usize,
    activation: Activation,
) -> ConvPlan {
    let total = kernel.saturating_sub(stride);
    ConvPlan {
        connection,
        stride,
        pad_start: total / 2,
        pad_end: total - total / 2,
        activation,
    }
}
