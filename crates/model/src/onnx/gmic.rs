//! GMIC as two graphs; what stands between them, the retrieval of windows, is no network.

use super::Writer;
use super::graph::{Graph, Value, int, ints};
use crate::gmic::{ChannelAffine, GmicNet, LocalNet, PreactivationBlock, ResNet22, STRIDE};
use crate::kernels::Activation;
use crate::resnet::ResNet18;
use crate::saliency::N_CLASSES;
use crate::{Error, ErrorKind, WeightPrecision, parameters};

/// ONNX adds this to a variance unless told otherwise.
const NORMALIZATION_EPSILON: f32 = 1e-5;

/// Both ONNX models of a GMIC network, for n images and k windows each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GmicGraphs {
    /// Input `images` `[n, 1, rows, cols]`; outputs `saliency` `[n, 2, rows/64, cols/64]`,
    /// `global_scores` `[n, 2]`, `features` `[n, 256]`.
    pub global: Vec<u8>,
    /// Inputs `windows` `[n, k, side, side]` and `features` `[n, 256]`; outputs `scores` `[n, 2]`,
    /// `local_scores` `[n, 2]`, `attention` `[n, k]`.
    pub local: Vec<u8>,
}

/// The network as two ONNX models. Initializers bear the parameters' paths: those of both models
/// together restore the network.
///
/// # Errors
/// When rows or columns are no multiple of 64, or smaller than a window.
pub fn export_gmic(
    net: &GmicNet,
    (rows, cols): (usize, usize),
    precision: WeightPrecision,
) -> Result<GmicGraphs, Error> {
    let config = net.config();
    let wrong = |message: String| Err(Error::new(ErrorKind::Mismatch, message));
    if rows == 0 || cols == 0 || !rows.is_multiple_of(STRIDE) || !cols.is_multiple_of(STRIDE) {
        return wrong(format!(
            "expected an input size divisible by {STRIDE}, got {rows} × {cols}"
        ));
    }
    if config.n_rois == 0 || config.roi_side == 0 || config.roi_side > rows.min(cols) {
        return wrong(format!(
            "expected at least one window inside {rows} × {cols}, got {} of {}",
            config.n_rois, config.roi_side
        ));
    }
    let weights = parameters(net);
    let writer = |name: &str| Writer {
        graph: Graph::new(name, precision),
        weights: weights.clone(),
    };
    Ok(GmicGraphs {
        global: writer("gmic_global").gmic_global(net, (rows, cols)),
        local: writer("gmic_local").gmic_local(net),
    })
}

impl Writer {
    fn gmic_global(mut self, net: &GmicNet, (rows, cols): (usize, usize)) -> Vec<u8> {
        let images = self
            .graph
            .input("images", &[-1, 1, rows as i64, cols as i64]);
        let features = self.resnet22("global.backbone", &net.global.backbone, images);
        let maps = self.conv("global.saliency", &net.global.saliency, features.clone());
        let maps = self.graph.node("Sigmoid", &[maps], "saliency", vec![]);
        let grid = [rows / STRIDE, cols / STRIDE];
        let shape = [-1, N_CLASSES as i64, grid[0] as i64, grid[1] as i64];
        self.graph.output(&maps, &shape);
        let share = net.config().top_share;
        self.top_share_mean("global_scores", grid[0] * grid[1], share);
        let reduce = vec![ints("axes", &[2, 3]), int("keepdims", 0)];
        let most = self
            .graph
            .node("ReduceMax", &[features], "features", reduce);
        self.graph.output(&most, &[-1, ResNet22::CHANNELS as i64]);
        self.graph.into_bytes()
    }

    fn resnet22(&mut self, path: &str, net: &ResNet22, images: Value) -> Value {
        let x = self.conv(&format!("{path}.stem"), &net.stem, images);
        let mut x = self.max_pool(path, x, 0);
        for (i, block) in net.blocks.iter().enumerate() {
            x = self.preactivation_block(&format!("{path}.blocks.{i}"), block, x);
        }
        self.channel_affine(&format!("{path}.norm"), &net.norm, x)
    }

    fn preactivation_block(&mut self, path: &str, block: &PreactivationBlock, x: Value) -> Value {
        let normed = self.channel_affine(&format!("{path}.norm"), &block.norm, x.clone());
        let x = match &block.shortcut {
            Some(unit) => self.conv(&format!("{path}.shortcut"), unit, normed.clone()),
            None => x,
        };
        let first = self.conv(&format!("{path}.first"), &block.first, normed);
        let second = self.conv(&format!("{path}.second"), &block.second, first);
        self.graph
            .node("Add", &[x, second], &format!("{path}/sum"), vec![])
    }

    /// As a batch normalisation of mean 0 and variance 1, which engines run in one pass.
    fn channel_affine(&mut self, path: &str, affine: &ChannelAffine, x: Value) -> Value {
        let [channels] = affine.scale.dims();
        let mut flat = |name: &str, value: f32| {
            let name = format!("{path}/{name}");
            let values = vec![value; channels];
            self.graph.constant(&name, vec![channels as i64], &values)
        };
        let mean = flat("mean", 0.0);
        let variance = flat("variance", 1.0 - NORMALIZATION_EPSILON);
        let inputs = [
            x,
            self.weight(&format!("{path}.scale")),
            self.weight(&format!("{path}.shift")),
            mean,
            variance,
        ];
        let y = format!("{path}/affine");
        let y = self.graph.node("BatchNormalization", &inputs, &y, vec![]);
        self.activate(path, Activation::Relu, y)
    }

    fn gmic_local(mut self, net: &GmicNet) -> Vec<u8> {
        let config = net.config();
        let (k, side) = (config.n_rois as i64, config.roi_side as i64);
        let windows = self.graph.input("windows", &[-1, k, side, side]);
        let features = self
            .graph
            .input("features", &[-1, ResNet22::CHANNELS as i64]);
        let h = self.window_features(&net.local, windows, side);
        let z = self.attended(h, k);
        let classifier = self.weight("local.classifier");
        let inputs = [z.clone(), classifier];
        let local = self.graph.node("MatMul", &inputs, "local/logits", vec![]);
        let joined = vec![int("axis", 1)];
        let both = self
            .graph
            .node("Concat", &[features, z], "fusion/features", joined);
        let inputs = [both, self.weight("local.fusion_weight")];
        let fused = self.graph.node("MatMul", &inputs, "fusion/product", vec![]);
        let inputs = [fused, self.weight("local.fusion_bias")];
        let fused = self.graph.node("Add", &inputs, "fusion/logits", vec![]);
        for (name, logits) in [("scores", fused), ("local_scores", local)] {
            let scores = self.graph.node("Sigmoid", &[logits], name, vec![]);
            self.graph.output(&scores, &[-1, N_CLASSES as i64]);
        }
        self.graph.output(&"attention".into(), &[-1, k]);
        self.graph.into_bytes()
    }

    /// `[n, k, side, side]` → `[n·k, 512]`.
    fn window_features(&mut self, net: &LocalNet, windows: Value, side: i64) -> Value {
        let windows = self.reshape("windows/flat", windows, &[-1, 1, side, side]);
        let (_, seen) = self.resnet("local.backbone", &net.backbone, windows);
        let reduce = vec![ints("axes", &[2, 3]), int("keepdims", 0)];
        self.graph
            .node("ReduceMean", &[seen], "windows/features", reduce)
    }

    /// `[n·k, 512]` → `[n, 512]`, by attention, which becomes a value of its own.
    fn attended(&mut self, h: Value, k: i64) -> Value {
        let wide = ResNet18::CHANNELS_32 as i64;
        let logits = self.attention_logits("local.", h.clone(), "attention/logits");
        let logits = self.reshape("attention/by_image", logits, &[-1, k]);
        let axis = vec![int("axis", 1)];
        let attention = self.graph.node("Softmax", &[logits], "attention", axis);
        let weights = self.reshape("attention/row", attention, &[-1, 1, k]);
        let h = self.reshape("attention/windows", h, &[-1, k, wide]);
        let z = self
            .graph
            .node("MatMul", &[weights, h], "attention/sum", vec![]);
        self.reshape("attention/attended", z, &[-1, wide])
    }

    fn reshape(&mut self, name: &str, x: Value, shape: &[i64]) -> Value {
        let shape = self.graph.int64s(&format!("{name}/shape"), shape);
        self.graph.node("Reshape", &[x, shape], name, vec![])
    }
}
