//! The networks, in burn.
//!
//! Owns: network definitions, the loss, import of PyTorch checkpoints, export to ONNX, and the CPU
//! convolution kernels that make training affordable. Does not own: data and the training loop
//! (`train`), running exported models (`engine`), the package around them (`package`).
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use lobule_model::{SaliencyConfig, SaliencyNet};
//! let device = Device::flex();
//! let net = SaliencyNet::random(SaliencyConfig::default(), 1, &device);
//! let outputs = net.forward(Tensor::zeros([1, 1, 64, 96], &device));
//! assert_eq!(outputs.saliency.dims(), [1, 2, 4, 6]);
//! ```

mod backbone;
mod checkpoint;
mod error;
mod gmic;
mod init;
mod kernels;
mod loss;
mod onnx;
mod ops;
mod parameters;
mod resnet;
mod saliency;
mod tile;

pub use backbone::{ConvUnit, EfficientNetLite0, Features, InvertedResidual, Residual, same};
pub use checkpoint::{
    ImagenetHead, InputChannels, efficientnet_lite0_from_pytorch, resnet18_from_pytorch,
};
pub use error::{Error, ErrorKind};
pub use gmic::{
    ChannelAffine, GlobalNet, GlobalOutputs, GmicConfig, GmicNet, LocalNet, LocalOutputs,
    PreactivationBlock, ResNet22, gmic_from_pytorch, gmic_graphs_from_pytorch,
};
pub use init::Init;
pub use kernels::{Activation, ConvShape};
pub use loss::{bce, mil_loss};
pub use onnx::{
    GmicGraphs, WeightPrecision, export_gmic, export_saliency, export_tile_net, read_initializers,
};
pub use ops::{Connection, ConvPlan, convolve};
pub use parameters::{NamedTensor, ParameterPath, load_parameters, parameters};
pub use resnet::{BasicBlock, ResNet18};
pub use saliency::{
    Backbone, BackboneKind, ImageOutputs, N_CLASSES, SaliencyConfig, SaliencyNet, pool_bags,
    top_count, top_share_mean,
};
pub use tile::{Dense, TileHead, TileHeadConfig, TileNet, TileOutputs, encode_tiles};
