//! The weights that a run starts from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use lobule_model::{
    BackboneKind, InputChannels, NamedTensor, SaliencyConfig, SaliencyNet,
    efficientnet_lite0_from_pytorch, load_parameters, read_initializers, resnet18_from_pytorch,
};

use crate::run::MEMBER_FILE;
use crate::{Error, ErrorKind, RunConfig};

pub(crate) fn with_weights<M: Module>(
    net: M,
    weights: BTreeMap<String, NamedTensor>,
) -> Result<M, Error> {
    load_parameters(net, weights).map_err(|e| Error::new(ErrorKind::Data, e.to_string()))
}

/// The network before the first step: random, with an ImageNet backbone, or an earlier network's.
pub(crate) fn initial_network(config: &RunConfig, device: &Device) -> Result<SaliencyNet, Error> {
    let network = &config.network;
    let sizes = SaliencyConfig {
        backbone: network.backbone,
        hidden: network.hidden,
        attention: network.attention,
        top_share: network.top_share,
    };
    let mut net = SaliencyNet::random(sizes, config.seed, device);
    let bad = |e: lobule_model::Error| Error::new(ErrorKind::Config, e.to_string());
    if let Some(file) = &network.imagenet {
        let backbone = match network.backbone {
            BackboneKind::EfficientnetLite0 => {
                efficientnet_lite0_from_pytorch(file, InputChannels::Gray).map(|(net, _)| net)
            }
            BackboneKind::Resnet18 => resnet18_from_pytorch(file, InputChannels::Gray),
        };
        net.backbone = load_parameters(net.backbone, backbone.map_err(bad)?).map_err(bad)?;
    }
    if let Some(start) = &network.start {
        let file = &member_of(start, config)?;
        let bytes = std::fs::read(file).map_err(|e| Error::io(file, e))?;
        let weights = read_initializers(&bytes).map_err(|e| bad(e).in_file(file))?;
        net = load_parameters(net, weights).map_err(|e| bad(e).in_file(file))?;
    }
    Ok(net)
}

/// The network to start from: the file itself, or that of a finished run which left out what this
/// one leaves out, so that nothing that is predicted was ever learnt from.
fn member_of(start: &Path, config: &RunConfig) -> Result<PathBuf, Error> {
    if !start.is_dir() {
        return Ok(start.to_owned());
    }
    let earlier = RunConfig::read(&start.join("config.toml"))?;
    if earlier.split() != config.split() {
        let message = "expected a run of the same seed, folds and left-out parts, got another";
        return Err(Error::new(ErrorKind::Config, message).in_file(start));
    }
    let member = start.join(MEMBER_FILE);
    match member.is_file() {
        true => Ok(member),
        false => {
            let message = "expected a finished run to start from, got one without a network";
            Err(Error::new(ErrorKind::Config, message).in_file(start))
        }
    }
}
