//! Depthwise convolutions written as grouped ones, for an engine whose depthwise kernel is slow.
//!
//! Owns: one rewriting of an ONNX file. A convolution with one filter of `[1, k, k]` per channel
//! becomes a convolution over groups of [`WIDTH`] channels whose filters `[WIDTH, k, k]` are zero
//! but for the channel's own plane: the same sums, with zeros added. rten runs grouped convolutions
//! as matrix products; on the shipped network and one thread that is 1.4 × as fast as its depthwise
//! loop. Does not own: anything else of the file, which passes byte for byte. A file that is not understood passes
//! unchanged.
//!
//! Field numbers are those of
//! [onnx.proto](https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).

use std::collections::HashMap;

use crate::wire::{Field, Value, fields, write_field};

/// Channels of a group.
const WIDTH: usize = 8;
/// A rewritten filter may not be larger; wider kernels than any network has are left alone.
const LARGEST_FILTER: usize = 64 << 20;

const MODEL_GRAPH: u64 = 7;
const GRAPH_NODE: u64 = 1;
const GRAPH_INITIALIZER: u64 = 5;
/// Inputs, outputs and values whose shapes are written down.
const GRAPH_DESCRIBED: [u64; 3] = [11, 12, 13];
const NODE_INPUT: u64 = 1;
const NODE_OUTPUT: u64 = 2;
const NODE_OPERATOR: u64 = 4;
const NODE_ATTRIBUTE: u64 = 5;
const ATTRIBUTE_NAME: u64 = 1;
const ATTRIBUTE_INTEGER: u64 = 3;
const ATTRIBUTE_GRAPH: u64 = 6;
const TENSOR_DIMENSION: u64 = 1;
const TENSOR_TYPE: u64 = 2;
const TENSOR_NAME: u64 = 8;
const TENSOR_RAW: u64 = 9;
const TYPE_F32: u64 = 1;
const TYPE_F16: u64 = 10;

/// The file with its depthwise convolutions regrouped; `None` when there is none to regroup.
pub(crate) fn regroup_depthwise(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut changed = false;
    let model = rewrite(bytes, |field| match (field.number, field.value) {
        (MODEL_GRAPH, Value::Bytes(graph)) => {
            let graph = regroup_graph(graph)?;
            changed = true;
            Some(graph)
        }
        _ => None,
    })?;
    changed.then_some(model)
}

/// What to do with which node and which initializer.
#[derive(Default)]
struct Plan {
    /// Output of the convolution → its groups from now on.
    groups: HashMap<Vec<u8>, u64>,
    /// Initializers whose planes are spread.
    filters: HashMap<Vec<u8>, Filter>,
}

fn regroup_graph(graph: &[u8]) -> Option<Vec<u8>> {
    let plan = plan(graph)?;
    rewrite(graph, |field| match (field.number, field.value) {
        (GRAPH_NODE, Value::Bytes(node)) => {
            let groups = plan.groups.get(first(node, NODE_OUTPUT)?)?;
            with_groups(node, *groups)
        }
        (GRAPH_INITIALIZER, Value::Bytes(tensor)) => {
            let filter = plan.filters.get(first(tensor, TENSOR_NAME)?)?;
            filter.spread(tensor)
        }
        _ => None,
    })
}

fn plan(graph: &[u8]) -> Option<Plan> {
    let graph = fields(graph)?;
    let nodes = || messages(&graph, GRAPH_NODE);
    // Filters may be stored in 16 bits and widened by a node of their own.
    let sources: HashMap<&[u8], &[u8]> = nodes()
        .filter(|node| first(node, NODE_OPERATOR) == Some(b"Cast"))
        .filter_map(|node| Some((first(node, NODE_OUTPUT)?, first(node, NODE_INPUT)?)))
        .collect();
    let mut uses: HashMap<&[u8], usize> = HashMap::new();
    for node in nodes() {
        let node = fields(node)?;
        if messages(&node, NODE_ATTRIBUTE).any(|a| first(a, ATTRIBUTE_GRAPH).is_some()) {
            return None; // an inner graph may use any name
        }
        for name in node.iter().filter_map(|f| f.bytes(NODE_INPUT)) {
            *uses.entry(name).or_default() += 1;
        }
    }
    for described in GRAPH_DESCRIBED
        .into_iter()
        .flat_map(|n| messages(&graph, n))
    {
        *uses.entry(first(described, 1)?).or_default() += 1;
    }
    let filters: HashMap<&[u8], Filter> = messages(&graph, GRAPH_INITIALIZER)
        .filter_map(|tensor| Some((first(tensor, TENSOR_NAME)?, Filter::of(tensor)?)))
        .collect();
    let mut plan = Plan::default();
    for node in nodes().filter(|node| first(node, NODE_OPERATOR) == Some(b"Conv")) {
        let node_fields = fields(node)?;
        let weights = node_fields
            .iter()
            .filter_map(|f| f.bytes(NODE_INPUT))
            .nth(1);
        let (Some(weights), Some(groups)) = (weights, groups_of(node)) else {
            continue;
        };
        let stored = sources.get(weights).copied().unwrap_or(weights);
        let is_shared = [weights, stored].iter().any(|n| uses.get(n) != Some(&1));
        match (filters.get(stored), first(node, NODE_OUTPUT)) {
            (Some(filter), Some(output)) if filter.channels == groups as usize && !is_shared => {
                plan.groups.insert(output.to_vec(), groups / WIDTH as u64);
                plan.filters.insert(stored.to_vec(), *filter);
            }
            _ => {}
        }
    }
    (!plan.groups.is_empty()).then_some(plan)
}

/// A filter `[channels, 1, k, k]` that can be spread.
#[derive(Clone, Copy)]
struct Filter {
    channels: usize,
    /// Bytes of one channel's plane.
    plane: usize,
}

impl Filter {
    fn of(tensor: &[u8]) -> Option<Filter> {
        let tensor = fields(tensor)?;
        let dims = dimensions(&tensor)?;
        let &[channels, 1, rows, cols] = dims.as_slice() else {
            return None;
        };
        let kind = tensor.iter().find_map(|f| f.number(TENSOR_TYPE))?;
        let width = match kind {
            TYPE_F32 => 4,
            TYPE_F16 => 2,
            _ => return None,
        };
        let raw = tensor.iter().find_map(|f| f.bytes(TENSOR_RAW))?;
        let plane = rows.checked_mul(cols)?.checked_mul(width)?;
        let size = plane.checked_mul(channels)?;
        let fits = size == raw.len() && size.checked_mul(WIDTH)? <= LARGEST_FILTER;
        (channels > 0 && channels % WIDTH == 0 && fits).then_some(Filter { channels, plane })
    }

    /// The tensor with each plane at its channel's place among [`WIDTH`].
    fn spread(&self, tensor: &[u8]) -> Option<Vec<u8>> {
        let tensor = fields(tensor)?;
        let mut dims = dimensions(&tensor)?;
        dims[1] = WIDTH;
        let mut out = Vec::new();
        for dim in dims {
            write_field(&mut out, TENSOR_DIMENSION, Value::Number(dim as u64));
        }
        for field in tensor {
            match (field.number, field.value) {
                (TENSOR_DIMENSION, _) => {}
                (TENSOR_RAW, Value::Bytes(raw)) => {
                    let mut planes = vec![0; raw.len() * WIDTH];
                    for (channel, plane) in raw.chunks_exact(self.plane).enumerate() {
                        let start = (channel * WIDTH + channel % WIDTH) * self.plane;
                        planes[start..start + self.plane].copy_from_slice(plane);
                    }
                    write_field(&mut out, TENSOR_RAW, Value::Bytes(&planes));
                }
                (number, value) => write_field(&mut out, number, value),
            }
        }
        Some(out)
    }
}

/// The extents of a tensor, written one by one or packed.
fn dimensions(tensor: &[Field<'_>]) -> Option<Vec<usize>> {
    let mut dims = Vec::new();
    for field in tensor.iter().filter(|f| f.number == TENSOR_DIMENSION) {
        match field.value {
            Value::Number(dim) => dims.push(usize::try_from(dim).ok()?),
            Value::Bytes(packed) => dims.extend(crate::wire::packed_numbers(packed)?),
            Value::Fixed(_) => return None,
        }
    }
    Some(dims)
}

fn groups_of(node: &[u8]) -> Option<u64> {
    let node = fields(node)?;
    let mut attributes = messages(&node, NODE_ATTRIBUTE);
    let group = attributes.find(|a| first(a, ATTRIBUTE_NAME) == Some(b"group"))?;
    let groups = fields(group)?
        .iter()
        .find_map(|f| f.number(ATTRIBUTE_INTEGER));
    groups.filter(|g| *g > 1)
}

fn with_groups(node: &[u8], groups: u64) -> Option<Vec<u8>> {
    rewrite(node, |field| match (field.number, field.value) {
        (NODE_ATTRIBUTE, Value::Bytes(attribute))
            if first(attribute, ATTRIBUTE_NAME) == Some(b"group") =>
        {
            let mut out = Vec::new();
            for field in fields(attribute)? {
                let value = match field.number {
                    ATTRIBUTE_INTEGER => Value::Number(groups),
                    _ => field.value,
                };
                write_field(&mut out, field.number, value);
            }
            Some(out)
        }
        _ => None,
    })
}

/// The message with some of its inner messages replaced.
fn rewrite(
    message: &[u8],
    mut replace: impl FnMut(Field<'_>) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(message.len());
    for field in fields(message)? {
        match replace(field) {
            Some(inner) => write_field(&mut out, field.number, Value::Bytes(&inner)),
            None => write_field(&mut out, field.number, field.value),
        }
    }
    Some(out)
}

fn messages<'a>(fields: &'a [Field<'a>], number: u64) -> impl Iterator<Item = &'a [u8]> {
    fields.iter().filter_map(move |f| f.bytes(number))
}

/// The first string or message of a number in a message.
fn first(message: &[u8], number: u64) -> Option<&[u8]> {
    fields(message)?.iter().find_map(|f| f.bytes(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(fields: &[(u64, Value<'_>)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, value) in fields {
            write_field(&mut out, *number, *value);
        }
        out
    }

    fn text(text: &str) -> Value<'_> {
        Value::Bytes(text.as_bytes())
    }

    /// A graph of one convolution over `channels` with as many groups.
    fn depthwise(channels: u64, more: &[(u64, Value<'_>)]) -> Vec<u8> {
        let raw: Vec<u8> = (0..channels * 4).map(|v| v as u8).collect();
        let dims = [channels, 1, 1, 1].map(|d| (TENSOR_DIMENSION, Value::Number(d)));
        let rest = [
            (TENSOR_TYPE, Value::Number(TYPE_F32)),
            (TENSOR_NAME, text("w")),
            (TENSOR_RAW, Value::Bytes(&raw)),
        ];
        let tensor = message(&[&dims[..], &rest].concat());
        let group = message(&[
            (ATTRIBUTE_NAME, text("group")),
            (ATTRIBUTE_INTEGER, Value::Number(channels)),
        ]);
        let node = message(&[
            (NODE_INPUT, text("x")),
            (NODE_INPUT, text("w")),
            (NODE_OUTPUT, text("y")),
            (NODE_OPERATOR, text("Conv")),
            (NODE_ATTRIBUTE, Value::Bytes(&group)),
        ]);
        let own = [
            (GRAPH_NODE, Value::Bytes(&node)),
            (GRAPH_INITIALIZER, Value::Bytes(&tensor)),
        ];
        let graph = message(&[&own[..], more].concat());
        message(&[(1, Value::Number(8)), (MODEL_GRAPH, Value::Bytes(&graph))])
    }

    #[test]
    fn planes_move_to_their_channel_and_the_rest_stays() {
        let before = depthwise(16, &[(2, text("a name"))]);
        let after = regroup_depthwise(&before).expect("regrouped");
        let graph = first(&after, MODEL_GRAPH).unwrap();
        assert_eq!(first(graph, 2), Some(&b"a name"[..]));
        let node = first(graph, GRAPH_NODE).unwrap();
        assert_eq!(groups_of(node), Some(2));
        let tensor = fields(first(graph, GRAPH_INITIALIZER).unwrap()).unwrap();
        assert_eq!(dimensions(&tensor).unwrap(), [16, WIDTH, 1, 1]);
        let raw = tensor.iter().find_map(|f| f.bytes(TENSOR_RAW)).unwrap();
        for channel in 0..16 {
            for place in 0..WIDTH {
                let at = (channel * WIDTH + place) * 4;
                let own = place == channel % WIDTH;
                let expected = if own { (channel * 4) as u8 } else { 0 };
                assert_eq!(raw[at], expected, "{channel} {place}");
            }
        }
    }

    #[test]
    fn what_cannot_be_regrouped_passes() {
        let other_use = message(&[(NODE_INPUT, text("w"))]);
        let inner_graph = message(&[(ATTRIBUTE_GRAPH, text("")), (ATTRIBUTE_NAME, text("body"))]);
        let with_inner = message(&[(NODE_ATTRIBUTE, Value::Bytes(&inner_graph))]);
        let output = message(&[(1, text("w"))]);
        let cases = [
            depthwise(12, &[]),
            depthwise(16, &[(GRAPH_NODE, Value::Bytes(&other_use))]),
            depthwise(16, &[(GRAPH_NODE, Value::Bytes(&with_inner))]),
            depthwise(16, &[(12, Value::Bytes(&output))]),
            b"no model".to_vec(),
            Vec::new(),
        ];
        for (case, bytes) in cases.iter().enumerate() {
            assert_eq!(regroup_depthwise(bytes), None, "{case}");
        }
    }
}
