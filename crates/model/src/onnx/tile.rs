//! Export of [`TileNet`].

use super::graph::{Graph, Value, int, ints};
use super::{WeightPrecision, Writer};
use crate::tile::VARIANCE_FLOOR;
use crate::{Error, ErrorKind, TileNet, parameters};

/// The network as an ONNX model: input `tiles` `[n, 3, side, side]`; output `probabilities`
/// `[n, classes]`, and `attention_logits` `[n, 1]` where the head has attention. Weights of the encoder
/// are stored in `precision`, those of the head, which are few, in 32 bits.
///
/// # Errors
/// When the side is no multiple of [`TileNet::STRIDE`].
pub fn export_tile_net(
    net: &TileNet,
    side: usize,
    precision: WeightPrecision,
) -> Result<Vec<u8>, Error> {
    if side == 0 || !side.is_multiple_of(TileNet::STRIDE) {
        let message = format!(
            "expected a side divisible by {}, got {side}",
            TileNet::STRIDE
        );
        return Err(Error::new(ErrorKind::Mismatch, message));
    }
    let mut writer = Writer {
        graph: Graph::new("tile", precision),
        weights: parameters(net),
    };
    let side = side as i64;
    let tiles = writer.graph.input("tiles", &[-1, 3, side, side]);
    let (maps, _) = writer.efficientnet(&net.backbone, tiles);
    let features = writer.pooled(maps);
    writer.graph.store_as(WeightPrecision::Single);
    writer.tile_head(net, features);
    Ok(writer.graph.into_bytes())
}

impl Writer {
    /// Mean and standard deviation of each channel.
    fn pooled(&mut self, maps: Value) -> Value {
        let reduce = || vec![ints("axes", &[2, 3]), int("keepdims", 1)];
        let graph = &mut self.graph;
        let mean = graph.node(
            "ReduceMean",
            std::slice::from_ref(&maps),
            "pool/mean",
            reduce(),
        );
        let away = graph.node("Sub", &[maps, mean.clone()], "pool/away", vec![]);
        let square = graph.node("Mul", &[away.clone(), away], "pool/square", vec![]);
        let variance = graph.node("ReduceMean", &[square], "pool/variance", reduce());
        let floor = graph.constant("pool/floor", vec![], &[VARIANCE_FLOOR]);
        let variance = graph.node("Add", &[variance, floor], "pool/floored", vec![]);
        let spread = graph.node("Sqrt", &[variance], "pool/spread", vec![]);
        let both = graph.node("Concat", &[mean, spread], "pool/both", vec![int("axis", 1)]);
        graph.node("Flatten", &[both], "pool/features", vec![int("axis", 1)])
    }

    fn tile_head(&mut self, net: &TileNet, features: Value) {
        let h = match &net.head.hidden {
            None => features,
            Some(_) => {
                let h = self.dense("head.hidden", features);
                self.graph.node("Relu", &[h], "head/relu", vec![])
            }
        };
        let logits = self.dense("head.output", h.clone());
        let softmax = vec![int("axis", 1)];
        let p = self
            .graph
            .node("Softmax", &[logits], "probabilities", softmax);
        let classes = net.head.output.bias.val().dims()[0] as i64;
        self.graph.output(&p, &[-1, classes]);
        if net.head.attention_v.is_some() {
            let logits = self.attention_logits("head.", h, "attention_logits");
            self.graph.output(&logits, &[-1, 1]);
        }
    }

    fn dense(&mut self, path: &str, x: Value) -> Value {
        let weight = self.weight(&format!("{path}.weight"));
        let bias = self.weight(&format!("{path}.bias"));
        let product = format!("{path}/product");
        let product = self.graph.node("MatMul", &[x, weight], &product, vec![]);
        let sum = format!("{path}/sum");
        self.graph.node("Add", &[product, bias], &sum, vec![])
    }
}
