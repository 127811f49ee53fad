//! Import of published GMIC checkpoints. The file is parsed, never executed.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use pytorch_reader::PytorchReader;

use super::global::{STAGES, STEM};
use super::local::ATTENTION;
use crate::checkpoint::{InputChannels, RESNET_EPSILON, Source, import_resnet};
use crate::gmic::{GmicConfig, GmicNet, ResNet22};
use crate::onnx::{GmicGraphs, WeightPrecision, export_gmic};
use crate::parameters::load_parameters;
use crate::resnet::ResNet18;
use crate::saliency::N_CLASSES;
use crate::{Error, ErrorKind, NamedTensor};

/// Reads the weights of one published GMIC model (zip or legacy pickle) and folds its batch
/// normalisation. Returns the parameters of a [`GmicNet`](crate::GmicNet) for
/// [`load_parameters`](crate::load_parameters).
///
/// The share of the map behind the global score, the number of windows and their size are not in a
/// checkpoint: give the published ones in [`GmicConfig`](crate::GmicConfig).
///
/// # Errors
/// `Format` when the file is no checkpoint; `Mismatch`, naming the tensor, what was expected and
/// what was got, when one is missing, superfluous, of another shape, not f32, or not finite.
/// Counters of batches (`…num_batches_tracked`) are passed over.
///
/// ```no_run
/// # fn main() -> Result<(), lobule_model::Error> {
/// use lobule_model::{GmicConfig, GmicNet, gmic_from_pytorch, load_parameters};
/// let net = GmicNet::random(GmicConfig::default(), 1, &burn::tensor::Device::flex());
/// let net = load_parameters(net, gmic_from_pytorch("model_1.p".as_ref())?)?;
/// # Ok(())
/// # }
/// ```
pub fn gmic_from_pytorch(file: &Path) -> Result<BTreeMap<String, NamedTensor>, Error> {
    let reader = PytorchReader::new(file)
        .map_err(|e| Error::new(ErrorKind::Format, e.to_string()).in_file(file))?;
    check(&reader)
        .and_then(|()| import(&reader))
        .map_err(|e| e.in_file(file))
}

/// A published checkpoint as ONNX, for prepared images of `rows × cols`.
///
/// # Errors
/// As [`gmic_from_pytorch`] and [`export_gmic`].
pub fn gmic_graphs_from_pytorch(
    file: &Path,
    config: GmicConfig,
    size: (usize, usize),
    precision: WeightPrecision,
) -> Result<GmicGraphs, Error> {
    let net = GmicNet::random(config, 1, &Device::flex());
    let net = load_parameters(net, gmic_from_pytorch(file)?)?;
    export_gmic(&net, size, precision)
}

/// Every expected tensor is there in its shape, and nothing else.
fn check(reader: &PytorchReader) -> Result<(), Error> {
    let wrong = |message: String| Err(Error::new(ErrorKind::Mismatch, message));
    let expected = published();
    for (name, shape) in &expected {
        match reader.get(name).map(|t| t.shape()) {
            None => {
                return wrong(format!(
                    "expected a tensor `{name}` of shape {shape:?}, got none"
                ));
            }
            Some(got) if got != shape.as_slice() => {
                return wrong(format!(
                    "expected shape {shape:?} for `{name}`, got {got:?}"
                ));
            }
            Some(_) => {}
        }
    }
    let mut names: Vec<&String> = reader.tensors().keys().collect();
    names.sort_unstable();
    let known = |name: &str| name.ends_with(".num_batches_tracked") || expected.contains_key(name);
    match names.into_iter().find(|name| !known(name)) {
        Some(name) => wrong(format!("expected no tensor `{name}`, got one")),
        None => Ok(()),
    }
}

/// Names and shapes of a checkpoint's tensors.
fn published() -> BTreeMap<String, Vec<usize>> {
    let mut list = List::default();
    list.conv("ds_net.first_conv", STEM, 1, 7);
    let mut channels = STEM;
    for (stage, out) in STAGES.into_iter().enumerate() {
        for block in 0..2 {
            let path = format!("ds_net.layer_list.{stage}.{block}");
            list.norm(&format!("{path}.bn1"), channels);
            list.conv(&format!("{path}.conv1"), out, channels, 3);
            list.norm(&format!("{path}.bn2"), out);
            list.conv(&format!("{path}.conv2"), out, out, 3);
            if block == 0 {
                list.conv(&format!("{path}.downsample.0"), out, channels, 1);
            }
            channels = out;
        }
    }
    list.norm("ds_net.final_bn", channels);
    list.conv("left_postprocess_net.gn_conv_last", N_CLASSES, channels, 1);
    list.resnet("dn_resnet");
    let wide = ResNet18::CHANNELS_32;
    list.add("mil_attn_V.weight", &[ATTENTION, wide]);
    list.add("mil_attn_U.weight", &[ATTENTION, wide]);
    list.add("mil_attn_w.weight", &[1, ATTENTION]);
    list.add("classifier_linear.weight", &[N_CLASSES, wide]);
    let joined = ResNet22::CHANNELS + wide;
    list.add("fusion_dnn.weight", &[N_CLASSES, joined]);
    list.add("fusion_dnn.bias", &[N_CLASSES]);
    list.0
}

#[derive(Default)]
struct List(BTreeMap<String, Vec<usize>>);

impl List {
    fn add(&mut self, name: &str, shape: &[usize]) {
        self.0.insert(name.to_owned(), shape.to_vec());
    }

    fn conv(&mut self, name: &str, out: usize, channels: usize, kernel: usize) {
        self.add(&format!("{name}.weight"), &[out, channels, kernel, kernel]);
    }

    fn norm(&mut self, name: &str, channels: usize) {
        for part in ["weight", "bias", "running_mean", "running_var"] {
            self.add(&format!("{name}.{part}"), &[channels]);
        }
    }

    fn resnet(&mut self, prefix: &str) {
        let mut channels = 64;
        self.conv(&format!("{prefix}.conv1"), channels, 3, 7);
        self.norm(&format!("{prefix}.bn1"), channels);
        for (layer, out) in [(1, 64), (2, 128), (3, 256), (4, 512)] {
            for block in 0..2 {
                let path = format!("{prefix}.layer{layer}.{block}");
                self.conv(&format!("{path}.conv1"), out, channels, 3);
                self.norm(&format!("{path}.bn1"), out);
                self.conv(&format!("{path}.conv2"), out, out, 3);
                self.norm(&format!("{path}.bn2"), out);
                if block == 0 && channels != out {
                    self.conv(&format!("{path}.downsample.0"), out, channels, 1);
                    self.norm(&format!("{path}.downsample.1"), out);
                }
                channels = out;
            }
        }
    }
}

fn import(reader: &PytorchReader) -> Result<BTreeMap<String, NamedTensor>, Error> {
    let source = Source {
        reader,
        prefix: "",
        epsilon: RESNET_EPSILON,
    };
    let mut out = import_global(&source)?;
    let windows = Source {
        prefix: "dn_resnet.",
        ..source
    };
    let windows = import_resnet(&windows, InputChannels::Gray)?;
    out.extend(
        windows
            .into_iter()
            .map(|(path, tensor)| (format!("local.backbone.{path}"), tensor)),
    );
    for (path, name) in [
        ("attention_v", "mil_attn_V.weight"),
        ("attention_u", "mil_attn_U.weight"),
        ("attention_w", "mil_attn_w.weight"),
        ("classifier", "classifier_linear.weight"),
        ("fusion_weight", "fusion_dnn.weight"),
    ] {
        let matrix = transposed(source.tensor(name)?);
        out.insert(format!("local.{path}"), matrix);
    }
    out.insert(
        "local.fusion_bias".into(),
        source.tensor("fusion_dnn.bias")?,
    );
    Ok(out)
}

fn import_global(source: &Source<'_>) -> Result<BTreeMap<String, NamedTensor>, Error> {
    let mut out = BTreeMap::new();
    let mut pair = |path: &str, names: [&str; 2], (a, b): (NamedTensor, NamedTensor)| {
        out.insert(format!("global.{path}.{}", names[0]), a);
        out.insert(format!("global.{path}.{}", names[1]), b);
    };
    let (unit, affine) = (["weight", "bias"], ["scale", "shift"]);
    let stem = source.without_bias("ds_net.first_conv")?;
    pair("backbone.stem", unit, stem);
    for block in 0..2 * STAGES.len() {
        let name = |part: &str| format!("ds_net.layer_list.{}.{}.{part}", block / 2, block % 2);
        let path = |part: &str| format!("backbone.blocks.{block}.{part}");
        pair(&path("norm"), affine, source.affine(&name("bn1"))?);
        let first = source.folded(&name("conv1"), &name("bn2"))?;
        pair(&path("first"), unit, first);
        let second = source.without_bias(&name("conv2"))?;
        pair(&path("second"), unit, second);
        if block % 2 == 0 {
            let shortcut = source.without_bias(&name("downsample.0"))?;
            pair(&path("shortcut"), unit, shortcut);
        }
    }
    pair("backbone.norm", affine, source.affine("ds_net.final_bn")?);
    let maps = source.without_bias("left_postprocess_net.gn_conv_last")?;
    pair("saliency", unit, maps);
    Ok(out)
}

/// `[a, b]` → `[b, a]`.
fn transposed(matrix: NamedTensor) -> NamedTensor {
    let [rows, cols] = matrix.shape[..] else {
        return matrix;
    };
    let values = (0..cols).flat_map(|col| matrix.values.iter().skip(col).step_by(cols).copied());
    NamedTensor {
        shape: vec![cols, rows],
        values: values.collect(),
    }
}
