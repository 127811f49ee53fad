//! The mammography network GMIC: a cheap network looks at the whole image and points, a dear one
//! looks at the places pointed at.
//!
//! After Shen et al., Med Image Anal 2021;68:101908 (doi 10.1016/j.media.2020.101908). For one view:
//!
//! 1. [`GlobalNet`]: a narrow ResNet-22 gives features of stride 64 and a saliency map per class;
//!    the global score is the mean of the map's largest share.
//! 2. ROI retrieval on the maps: not here, since it is no network and inference needs it without
//!    burn (`retrieve_rois` of the crate `raster`).
//! 3. [`LocalNet`]: ResNet-18 on each window, gated attention over the windows, and the fusion with
//!    the strongest global features.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use lobule_model::{GmicConfig, GmicNet};
//! let device = Device::flex();
//! let config = GmicConfig { n_rois: 3, roi_side: 64, ..GmicConfig::default() };
//! let net = GmicNet::random(config, 1, &device);
//! let seen = net.global.forward(Tensor::zeros([1, 1, 256, 192], &device));
//! assert_eq!(seen.saliency.dims(), [1, 2, 4, 3]);
//! let judged = net.local.forward(Tensor::zeros([1, 3, 64, 64], &device), seen.features);
//! assert_eq!(judged.scores.dims(), [1, 2]);
//! ```

mod global;
mod import;
mod local;

use burn::module::Module;
use burn::tensor::Device;

use crate::init::Init;

pub use global::{ChannelAffine, GlobalNet, GlobalOutputs, PreactivationBlock, ResNet22};
pub use import::{gmic_from_pytorch, gmic_graphs_from_pytorch};
pub use local::{LocalNet, LocalOutputs};

/// Pixels of the input per cell of the saliency map, in both directions.
pub(crate) const STRIDE: usize = 64;

/// Sizes of the network that its weights do not tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GmicConfig {
    /// Share of the saliency map's cells that make the global score, in 0..=1.
    pub top_share: f64,
    /// Windows looked at closely.
    pub n_rois: usize,
    /// Rows and columns of a window, in pixels of the input.
    pub roi_side: usize,
}

impl Default for GmicConfig {
    /// Six windows of 256 pixels, 2 % of the map.
    fn default() -> GmicConfig {
        GmicConfig {
            top_share: 0.02,
            n_rois: 6,
            roi_side: 256,
        }
    }
}

/// The network: both parts of one model.
#[derive(Module, Debug)]
pub struct GmicNet {
    /// The whole image.
    pub global: GlobalNet,
    /// The windows, and the fusion.
    pub local: LocalNet,
    #[module(skip)]
    config: GmicConfig,
}

impl GmicNet {
    /// The network with random weights.
    pub fn random(config: GmicConfig, seed: u64, device: &Device) -> GmicNet {
        let init = &mut Init::new(seed, device);
        GmicNet {
            global: GlobalNet::random(config.top_share, init),
            local: LocalNet::random(init),
            config,
        }
    }

    /// Sizes that the weights do not tell.
    pub fn config(&self) -> GmicConfig {
        self.config
    }
}
