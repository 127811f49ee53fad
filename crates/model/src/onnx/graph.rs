//! A graph under construction: values have names, nodes are appended in order.

use half::f16;
use prost::Message;

use super::proto::{
    Attribute, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetId, TensorProto,
    TensorShape, TensorType, TypeProto, ValueInfo,
};
use crate::{NamedTensor, WeightPrecision};

const FLOAT: i32 = 1;
const INT64: i32 = 7;
const FLOAT16: i32 = 10;
const OPSET: i64 = 17;
const IR_VERSION: i64 = 8;

/// The name of a value in the graph.
pub(super) type Value = String;

pub(super) struct Graph {
    graph: GraphProto,
    precision: WeightPrecision,
}

impl Graph {
    pub(super) fn new(name: &str, precision: WeightPrecision) -> Graph {
        Graph {
            graph: GraphProto {
                name: name.into(),
                ..GraphProto::default()
            },
            precision,
        }
    }

    /// How the weights that follow are stored.
    pub(super) fn store_as(&mut self, precision: WeightPrecision) {
        self.precision = precision;
    }

    /// A named input; a negative size stands for a free one.
    pub(super) fn input(&mut self, name: &str, shape: &[i64]) -> Value {
        self.graph.input.push(value_info(name, shape));
        name.into()
    }

    pub(super) fn output(&mut self, value: &Value, shape: &[i64]) {
        self.graph.output.push(value_info(value, shape));
    }

    /// A parameter under its own path. Half-precision weights are cast once by the engine.
    pub(super) fn weight(&mut self, name: &str, tensor: &NamedTensor) -> Value {
        let dims = tensor.shape.iter().map(|&n| n as i64).collect();
        match self.precision {
            WeightPrecision::Single => {
                let raw = tensor.values.iter().flat_map(|v| v.to_le_bytes()).collect();
                self.initializer(name, dims, FLOAT, raw);
                name.into()
            }
            WeightPrecision::Half => {
                let half = |v: &f32| f16::from_f32(*v).to_le_bytes();
                let raw = tensor.values.iter().flat_map(half).collect();
                self.initializer(name, dims, FLOAT16, raw);
                let cast = format!("{name}/f32");
                self.node(
                    "Cast",
                    &[name.into()],
                    &cast,
                    vec![int("to", i64::from(FLOAT))],
                )
            }
        }
    }

    pub(super) fn int64s(&mut self, name: &str, values: &[i64]) -> Value {
        let raw = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.initializer(name, vec![values.len() as i64], INT64, raw);
        name.into()
    }

    /// A list of numbers, or with no axis a single one.
    pub(super) fn constant(&mut self, name: &str, dims: Vec<i64>, values: &[f32]) -> Value {
        let raw = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.initializer(name, dims, FLOAT, raw);
        name.into()
    }

    fn initializer(&mut self, name: &str, dims: Vec<i64>, data_type: i32, raw_data: Vec<u8>) {
        self.graph.initializer.push(TensorProto {
            dims,
            data_type,
            name: name.into(),
            raw_data,
        });
    }

    /// Appends a node and returns its (first) output, which bears the node's name.
    pub(super) fn node(
        &mut self,
        op_type: &str,
        input: &[Value],
        name: &str,
        attribute: Vec<Attribute>,
    ) -> Value {
        self.node_with_outputs(op_type, input, name, attribute, vec![name.into()])
    }

    pub(super) fn node_with_outputs(
        &mut self,
        op_type: &str,
        input: &[Value],
        name: &str,
        attribute: Vec<Attribute>,
        output: Vec<Value>,
    ) -> Value {
        let first = output[0].clone();
        self.graph.node.push(NodeProto {
            input: input.to_vec(),
            output,
            name: name.into(),
            op_type: op_type.into(),
            attribute,
        });
        first
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        ModelProto {
            ir_version: IR_VERSION,
            producer_name: "lobule".into(),
            graph: Some(self.graph),
            opset_import: vec![OperatorSetId {
                domain: String::new(),
                version: OPSET,
            }],
        }
        .encode_to_vec()
    }
}

pub(super) fn int(name: &str, value: i64) -> Attribute {
    Attribute {
        name: name.into(),
        i: value,
        kind: 2,
        ..Attribute::default()
    }
}

pub(super) fn ints(name: &str, values: &[i64]) -> Attribute {
    Attribute {
        name: name.into(),
        ints: values.to_vec(),
        kind: 7,
        ..Attribute::default()
    }
}

pub(super) fn text(name: &str, value: &str) -> Attribute {
    Attribute {
        name: name.into(),
        s: value.into(),
        kind: 3,
        ..Attribute::default()
    }
}

fn value_info(name: &str, shape: &[i64]) -> ValueInfo {
    let dim = |&size: &i64| match size {
        0.. => Dimension {
            value: Some(size),
            parameter: None,
        },
        _ => Dimension {
            value: None,
            parameter: Some("n".into()),
        },
    };
    let shape = TensorShape {
        dim: shape.iter().map(dim).collect(),
    };
    let tensor = TensorType {
        element: FLOAT,
        shape: Some(shape),
    };
    ValueInfo {
        name: name.into(),
        kind: Some(TypeProto {
            tensor: Some(tensor),
        }),
    }
}
