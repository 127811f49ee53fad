//! Export to ONNX (opset 17), and the way back of the weights.
//!
//! Initializers bear the paths of burn's parameters, so that [`read_initializers`] and
//! [`crate::load_parameters`] restore the network for further training.

mod gmic;
mod graph;
mod proto;
mod tile;

use std::collections::BTreeMap;

use half::f16;
use prost::Message;

pub use self::gmic::{GmicGraphs, export_gmic};
use self::graph::{Graph, Value, int, ints, text};
pub use self::tile::export_tile_net;
use crate::backbone::{EfficientNetLite0, InvertedResidual, Residual, two_scales};
use crate::kernels::Activation;
use crate::ops::{Connection, ConvPlan};
use crate::resnet::{BasicBlock, ResNet18};
use crate::saliency::{Backbone, N_CLASSES, SaliencyNet, top_count};
use crate::{ConvUnit, Error, ErrorKind, NamedTensor, parameters};

/// How weights are stored. Arithmetic is f32 either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightPrecision {
    /// 16 bits: half the size; the network differs from the trained one by rounding.
    Half,
    /// 32 bits.
    Single,
}

/// The network as an ONNX model: input `images` `[n, 1, rows, cols]`; outputs
/// `saliency` `[n, 2, rows/16, cols/16]`, `image_scores` `[n, 2]`, `attention_logits` `[n, 1]`.
///
/// # Errors
/// When rows or columns are no multiple of 32.
pub fn export_saliency(
    net: &SaliencyNet,
    (rows, cols): (usize, usize),
    precision: WeightPrecision,
) -> Result<Vec<u8>, Error> {
    if rows == 0 || cols == 0 || !rows.is_multiple_of(32) || !cols.is_multiple_of(32) {
        let message = format!("expected an input size divisible by 32, got {rows} × {cols}");
        return Err(Error::new(ErrorKind::Mismatch, message));
    }
    let mut writer = Writer {
        graph: Graph::new("saliency", precision),
        weights: parameters(net),
    };
    let images = writer
        .graph
        .input("images", &[-1, 1, rows as i64, cols as i64]);
    let (fine, coarse) = match &net.backbone {
        Backbone::EfficientNetLite0(backbone) => writer.efficientnet(backbone, images),
        Backbone::ResNet18(backbone) => writer.resnet("backbone", backbone, images),
    };
    let fused = writer.fuse(net, fine, coarse);
    let maps = writer.conv("saliency", &net.saliency, fused.clone());
    let graph = &mut writer.graph;
    graph.node("Sigmoid", &[maps], "saliency", vec![]);
    let grid = [rows as i64 / 16, cols as i64 / 16];
    graph.output(
        &"saliency".into(),
        &[-1, N_CLASSES as i64, grid[0], grid[1]],
    );
    let n_pixels = (grid[0] * grid[1]) as usize;
    writer.top_share_mean("image_scores", n_pixels, net.config().top_share);
    writer.attention(fused);
    Ok(writer.graph.into_bytes())
}

/// The parameters inside an exported model, as f32, by burn's paths.
///
/// # Errors
/// When the bytes are no ONNX model, or an initializer's values do not fit its shape.
pub fn read_initializers(model: &[u8]) -> Result<BTreeMap<String, NamedTensor>, Error> {
    let format = |message: String| Error::new(ErrorKind::Format, message);
    let model = proto::ModelProto::decode(model).map_err(|e| format(e.to_string()))?;
    let graph = model
        .graph
        .ok_or_else(|| format("expected a graph, got none".into()))?;
    let mut found = BTreeMap::new();
    for tensor in graph.initializer {
        // Constants of the export carry a name below a slash and are no parameters.
        if tensor.name.contains('/') {
            continue;
        }
        let values: Vec<f32> = match tensor.data_type {
            1 => tensor
                .raw_data
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect(),
            10 => tensor
                .raw_data
                .chunks_exact(2)
                .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32())
                .collect(),
            other => {
                return Err(format(format!(
                    "expected f32 or f16 weights, got type {other}"
                )));
            }
        };
        let shape: Vec<usize> = tensor
            .dims
            .iter()
            .map(|&n| usize::try_from(n).unwrap_or(usize::MAX))
            .collect();
        let expected = shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
        if expected != Some(values.len()) {
            let message = format!(
                "expected {shape:?} values in `{}`, got {}",
                tensor.name,
                values.len()
            );
            return Err(format(message));
        }
        found.insert(tensor.name, NamedTensor { shape, values });
    }
    Ok(found)
}

struct Writer {
    graph: Graph,
    weights: BTreeMap<String, NamedTensor>,
}

impl Writer {
    fn weight(&mut self, name: &str) -> Value {
        self.graph.weight(name, &self.weights[name])
    }

    fn conv(&mut self, path: &str, unit: &ConvUnit, x: Value) -> Value {
        let weight_path = format!("{path}.weight");
        let shape = &self.weights[&weight_path].shape;
        let (out, kernel) = (shape[0] as i64, shape[2] as i64);
        let inputs = [
            x,
            self.weight(&weight_path),
            self.weight(&format!("{path}.bias")),
        ];
        let y = format!("{path}/conv");
        let y = self.graph.node(
            "Conv",
            &inputs,
            &y,
            conv_attributes(unit.plan(), out, kernel),
        );
        self.activate(path, unit.plan().activation, y)
    }

    fn activate(&mut self, path: &str, activation: Activation, y: Value) -> Value {
        match activation {
            Activation::Linear => y,
            Activation::Relu => self
                .graph
                .node("Relu", &[y], &format!("{path}/relu"), vec![]),
            Activation::Relu6 => {
                let low = self.graph.constant(&format!("{path}/zero"), vec![], &[0.0]);
                let high = self.graph.constant(&format!("{path}/six"), vec![], &[6.0]);
                self.graph
                    .node("Clip", &[y, low, high], &format!("{path}/relu6"), vec![])
            }
        }
    }

    /// The values of both scales.
    fn efficientnet(&mut self, net: &EfficientNetLite0, images: Value) -> (Value, Value) {
        let x = self.conv("backbone.stem", &net.stem, images);
        two_scales(&net.blocks, net.blocks_at_stride_16(), x, |i, block, x| {
            self.block(&format!("backbone.blocks.{i}"), block, x)
        })
    }

    /// The values of both scales.
    fn resnet(&mut self, path: &str, net: &ResNet18, images: Value) -> (Value, Value) {
        let x = self.conv(&format!("{path}.stem"), &net.stem, images);
        let x = self.max_pool(path, x, 1);
        two_scales(&net.blocks, net.blocks_at_stride_16(), x, |i, block, x| {
            self.basic_block(&format!("{path}.blocks.{i}"), block, x)
        })
    }

    /// Largest of 3×3, stride 2.
    fn max_pool(&mut self, path: &str, x: Value, pad: i64) -> Value {
        let pool = vec![
            ints("kernel_shape", &[3, 3]),
            ints("strides", &[2, 2]),
            ints("pads", &[pad; 4]),
        ];
        self.graph
            .node("MaxPool", &[x], &format!("{path}/pool"), pool)
    }

    fn basic_block(&mut self, path: &str, block: &BasicBlock, x: Value) -> Value {
        let first = self.conv(&format!("{path}.first"), &block.first, x.clone());
        let second = self.conv(&format!("{path}.second"), &block.second, first);
        let x = match &block.shortcut {
            Some(unit) => self.conv(&format!("{path}.shortcut"), unit, x),
            None => x,
        };
        let sum = self
            .graph
            .node("Add", &[x, second], &format!("{path}/sum"), vec![]);
        self.activate(&format!("{path}/sum"), Activation::Relu, sum)
    }

    fn block(&mut self, path: &str, block: &InvertedResidual, x: Value) -> Value {
        let wide = match &block.expand {
            Some(unit) => self.conv(&format!("{path}.expand"), unit, x.clone()),
            None => x.clone(),
        };
        let filtered = self.conv(&format!("{path}.depthwise"), &block.depthwise, wide);
        let y = self.conv(&format!("{path}.project"), &block.project, filtered);
        match block.residual() {
            Residual::None => y,
            Residual::Added => self
                .graph
                .node("Add", &[x, y], &format!("{path}/sum"), vec![]),
        }
    }

    fn fuse(&mut self, net: &SaliencyNet, fine: Value, coarse: Value) -> Value {
        let fine = self.conv("lateral_16", &net.lateral_16, fine);
        let coarse = self.conv("lateral_32", &net.lateral_32, coarse);
        let scales = self
            .graph
            .constant("resize/scales", vec![4], &[1.0, 1.0, 2.0, 2.0]);
        let attributes = vec![
            text("mode", "nearest"),
            text("coordinate_transformation_mode", "asymmetric"),
            text("nearest_mode", "floor"),
        ];
        let inputs = [coarse, Value::new(), scales];
        let coarse = self
            .graph
            .node("Resize", &inputs, "resize/coarse", attributes);
        let sum = self.graph.node("Add", &[fine, coarse], "fuse/sum", vec![]);
        self.graph.node("Relu", &[sum], "fuse/relu", vec![])
    }

    fn top_share_mean(&mut self, name: &str, n_pixels: usize, share: f64) {
        let graph = &mut self.graph;
        let shape = graph.int64s("top/shape", &[0, N_CLASSES as i64, -1]);
        let flat = graph.node("Reshape", &["saliency".into(), shape], "top/flat", vec![]);
        let count = graph.int64s("top/count", &[top_count(n_pixels, share) as i64]);
        let outputs = vec!["top/values".into(), "top/places".into()];
        let values =
            graph.node_with_outputs("TopK", &[flat, count], "top", vec![int("axis", 2)], outputs);
        let reduce = vec![ints("axes", &[2]), int("keepdims", 0)];
        let scores = graph.node("ReduceMean", &[values], name, reduce);
        graph.output(&scores, &[-1, N_CLASSES as i64]);
    }

    fn attention(&mut self, fused: Value) {
        let reduce = || vec![ints("axes", &[2, 3]), int("keepdims", 0)];
        let mean = self.graph.node(
            "ReduceMean",
            std::slice::from_ref(&fused),
            "attention/mean",
            reduce(),
        );
        let most = self
            .graph
            .node("ReduceMax", &[fused], "attention/max", reduce());
        let joined = vec![int("axis", 1)];
        let h = self
            .graph
            .node("Concat", &[mean, most], "attention/features", joined);
        let logits = self.attention_logits("", h, "attention_logits");
        self.graph.output(&logits, &[-1, 1]);
    }

    /// Gated attention on features `[n, c]`; the weights lie under `path`.
    fn attention_logits(&mut self, path: &str, h: Value, name: &str) -> Value {
        let (v, u, w) = (
            self.weight(&format!("{path}attention_v")),
            self.weight(&format!("{path}attention_u")),
            self.weight(&format!("{path}attention_w")),
        );
        let graph = &mut self.graph;
        let v = graph.node("MatMul", &[h.clone(), v], "attention/v", vec![]);
        let v = graph.node("Tanh", &[v], "attention/value", vec![]);
        let u = graph.node("MatMul", &[h, u], "attention/u", vec![]);
        let u = graph.node("Sigmoid", &[u], "attention/gate", vec![]);
        let gated = graph.node("Mul", &[v, u], "attention/gated", vec![]);
        graph.node("MatMul", &[gated, w], name, vec![])
    }
}

fn conv_attributes(plan: ConvPlan, channels: i64, kernel: i64) -> Vec<proto::Attribute> {
    let (start, end, stride) = (
        plan.pad_start as i64,
        plan.pad_end as i64,
        plan.stride as i64,
    );
    let group = match plan.connection {
        Connection::Dense => 1,
        Connection::Depthwise => channels,
    };
    vec![
        ints("kernel_shape", &[kernel, kernel]),
        ints("strides", &[stride, stride]),
        ints("pads", &[start, start, end, end]),
        int("group", group),
    ]
}
