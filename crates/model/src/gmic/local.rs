//! The network that looks closely: ResNet-18 on windows, gated attention over them, and the fusion
//! with the global features.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, softmax, tanh};

use crate::gmic::ResNet22;
use crate::init::Init;
use crate::resnet::ResNet18;
use crate::saliency::N_CLASSES;

/// Width of the attention.
pub(super) const ATTENTION: usize = 128;

/// The network that looks closely.
///
/// For the windows' features `hₖ` (512 each): `aₖ = wᵀ(tanh(V hₖ) ⊙ σ(U hₖ))`, `α = softmax(a)`,
/// `z = Σ αₖ hₖ` (Ilse et al. 2018, arXiv 1802.04712). Local scores are `σ(C z)`; with the global
/// features `g` the scores are `σ(F [g; z] + f)`.
#[derive(Module, Debug)]
pub struct LocalNet {
    /// Features of one grey window. The published network repeats the window in three colours; the
    /// import adds their weights up.
    pub backbone: ResNet18,
    /// V: `[512, 128]`, behind tanh.
    pub attention_v: Param<Tensor<2>>,
    /// U: `[512, 128]`, behind the sigmoid gate.
    pub attention_u: Param<Tensor<2>>,
    /// w: `[128, 1]`.
    pub attention_w: Param<Tensor<2>>,
    /// C: `[512, 2]`.
    pub classifier: Param<Tensor<2>>,
    /// F: `[256 + 512, 2]`.
    pub fusion_weight: Param<Tensor<2>>,
    /// f: `[2]`.
    pub fusion_bias: Param<Tensor<1>>,
}

/// What the local network says of each image of a batch.
pub struct LocalOutputs {
    /// `[n, 2]`, in 0..=1: benign, malignant, from image and windows together.
    pub scores: Tensor<2>,
    /// `[n, 2]`, in 0..=1: from the windows alone.
    pub local_scores: Tensor<2>,
    /// `[n, k]`: weight of each window; they sum to one.
    pub attention: Tensor<2>,
}

impl LocalNet {
    pub(super) fn random(init: &mut Init) -> LocalNet {
        let wide = ResNet18::CHANNELS_32;
        let mut matrix = |rows: usize, cols: usize| {
            Param::from_tensor(init.normal([rows, cols], (1.0 / rows as f64).sqrt()))
        };
        LocalNet {
            attention_v: matrix(wide, ATTENTION),
            attention_u: matrix(wide, ATTENTION),
            attention_w: matrix(ATTENTION, 1),
            classifier: matrix(wide, N_CLASSES),
            fusion_weight: matrix(ResNet22::CHANNELS + wide, N_CLASSES),
            fusion_bias: Param::from_tensor(init.zeros([N_CLASSES])),
            backbone: ResNet18::random(1, init),
        }
    }

    /// Windows `[n, k, h, w]` of n images, and their global features `[n, 256]`.
    pub fn forward(&self, windows: Tensor<4>, features: Tensor<2>) -> LocalOutputs {
        let [n, k, rows, cols] = windows.dims();
        let windows = windows.reshape([n * k, 1, rows, cols]);
        let seen: Tensor<3> = self.backbone.forward(windows).stride_32.flatten(2, 3);
        let h: Tensor<2> = seen.mean_dim(2).squeeze_dim(2);
        let attention = softmax(self.attention_logits(h.clone()).reshape([n, k]), 1);
        let h: Tensor<3> = h.reshape([n, k, ResNet18::CHANNELS_32]);
        let weights: Tensor<3> = attention.clone().reshape([n, 1, k]);
        let z: Tensor<2> = weights.matmul(h).squeeze_dim(1);
        let joined = Tensor::cat(vec![features, z.clone()], 1);
        let bias = self.fusion_bias.val().reshape([1, N_CLASSES]);
        LocalOutputs {
            scores: sigmoid(joined.matmul(self.fusion_weight.val()) + bias),
            local_scores: sigmoid(z.matmul(self.classifier.val())),
            attention,
        }
    }

    fn attention_logits(&self, h: Tensor<2>) -> Tensor<2> {
        let value = tanh(h.clone().matmul(self.attention_v.val()));
        let gate = sigmoid(h.matmul(self.attention_u.val()));
        (value * gate).matmul(self.attention_w.val())
    }
}
