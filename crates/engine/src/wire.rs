//! The bytes of an ONNX file, before an engine sees them.
//!
//! Owns: one rule, that every field of every message ends inside its message and every number is
//! well formed ([`check`]; engines assume as much: rten's reader turns in circles on an over-long
//! number), and the fields of one message, read and written ([`fields`], [`write_field`]). Does not
//! own: what the fields mean; a well-formed file may still be no model.
//!
//! The wire format is that of Protocol Buffers; the table below says which fields of
//! [onnx.proto](https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3) hold messages or packed
//! numbers, and so must be looked into.

/// Graphs within graphs deeper than this are refused.
const DEEPEST: usize = 64;

#[derive(Clone, Copy, PartialEq)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    SequenceType,
    Shape,
    /// Strings and numbers only.
    Flat,
    /// No message: numbers one after the other.
    Packed,
}

/// Message, field number, what the field holds.
const NESTED: [(Message, u64, Message); 23] = {
    use Message::*;
    [
        (Model, 7, Graph),
        (Model, 8, Flat),
        (Model, 14, Flat),
        (Graph, 1, Node),
        (Graph, 5, Tensor),
        (Graph, 11, ValueInfo),
        (Graph, 12, ValueInfo),
        (Graph, 13, ValueInfo),
        (Node, 5, Attribute),
        (Attribute, 5, Tensor),
        (Attribute, 6, Graph),
        (Attribute, 8, Packed),
        (Attribute, 10, Tensor),
        (Attribute, 11, Graph),
        (Tensor, 1, Packed),
        (Tensor, 5, Packed),
        (Tensor, 7, Packed),
        (Tensor, 13, Flat),
        (ValueInfo, 2, Type),
        (Type, 1, TensorType),
        (Type, 4, SequenceType),
        (TensorType, 2, Shape),
        (SequenceType, 1, Type),
    ]
};

/// Says what is wrong with the bytes of a model file, if anything.
pub(crate) fn check(bytes: &[u8]) -> Result<(), &'static str> {
    message(Message::Model, bytes, 0)
}

fn message(kind: Message, mut bytes: &[u8], depth: usize) -> Result<(), &'static str> {
    if depth > DEEPEST {
        return Err("messages nested too deep");
    }
    while !bytes.is_empty() {
        if kind == Message::Packed {
            number(&mut bytes)?;
            continue;
        }
        let field = next_field(&mut bytes)?;
        if let (Value::Bytes(inner), Some(inner_kind)) = (field.value, nested(kind, field.number)) {
            message(inner_kind, inner, depth + 1)?;
        }
    }
    Ok(())
}

fn nested(kind: Message, field: u64) -> Option<Message> {
    // A shape's only field is its list of dimensions.
    if kind == Message::Shape {
        return Some(Message::Flat);
    }
    let found = NESTED.iter().find(|(k, f, _)| *k == kind && *f == field);
    found.map(|(_, _, inner)| *inner)
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Result<&'a [u8], &'static str> {
    let length = usize::try_from(length).map_err(|_| "a field that ends past its message")?;
    bytes
        .split_off(..length)
        .ok_or("a field that ends past its message")
}

/// A number of up to ten bytes, seven bits each, lowest first.
fn number(bytes: &mut &[u8]) -> Result<u64, &'static str> {
    let mut value = 0;
    for (i, &byte) in bytes.iter().take(10).enumerate() {
        if i == 9 && byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            *bytes = &bytes[i + 1..];
            return Ok(value);
        }
    }
    Err("a number without end")
}

/// A field of a message.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) number: u64,
    pub(crate) value: Value<'a>,
}

/// What a field holds.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Number(u64),
    /// Four or eight bytes.
    Fixed(&'a [u8]),
    /// A string, a message, packed numbers.
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    /// The bytes, when this is the field of that number and holds some.
    pub(crate) fn bytes(&self, number: u64) -> Option<&'a [u8]> {
        match self.value {
            Value::Bytes(bytes) if self.number == number => Some(bytes),
            _ => None,
        }
    }

    /// The number it holds, when this is the field of that number and holds one.
    pub(crate) fn number(&self, number: u64) -> Option<u64> {
        match self.value {
            Value::Number(value) if self.number == number => Some(value),
            _ => None,
        }
    }
}

/// The fields of a message in their order; `None` when it is ill formed.
pub(crate) fn fields(mut message: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        fields.push(next_field(&mut message).ok()?);
    }
    Some(fields)
}

fn next_field<'a>(bytes: &mut &'a [u8]) -> Result<Field<'a>, &'static str> {
    let tag = number(bytes)?;
    let value = match tag & 7 {
        0 => Value::Number(number(bytes)?),
        1 => Value::Fixed(take(bytes, 8)?),
        2 => {
            let length = number(bytes)?;
            Value::Bytes(take(bytes, length)?)
        }
        5 => Value::Fixed(take(bytes, 4)?),
        _ => return Err("a field of unknown type"),
    };
    let number = tag >> 3;
    Ok(Field { number, value })
}

/// Numbers one after the other.
pub(crate) fn packed_numbers(mut bytes: &[u8]) -> Option<Vec<usize>> {
    let mut numbers = Vec::new();
    while !bytes.is_empty() {
        numbers.push(usize::try_from(number(&mut bytes).ok()?).ok()?);
    }
    Some(numbers)
}

/// Appends a field to a message.
pub(crate) fn write_field(to: &mut Vec<u8>, field: u64, value: Value<'_>) {
    let kind = match value {
        Value::Number(_) => 0,
        Value::Fixed(bytes) if bytes.len() == 8 => 1,
        Value::Fixed(_) => 5,
        Value::Bytes(_) => 2,
    };
    write_number(to, field << 3 | kind);
    match value {
        Value::Number(value) => write_number(to, value),
        Value::Fixed(bytes) => to.extend(bytes),
        Value::Bytes(bytes) => {
            write_number(to, bytes.len() as u64);
            to.extend(bytes);
        }
    }
}

fn write_number(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ill_formed_bytes_are_refused() {
        let nested = |depth: usize| {
            // Attribute 6 holds a graph, graph 1 a node, node 5 an attribute.
            let mut bytes = Vec::new();
            for level in 0..depth {
                let tag = [0x32, 0x2a, 0x0a][level % 3];
                let mut outer = vec![tag];
                let mut length = bytes.len();
                while length >= 0x80 {
                    outer.push(length as u8 | 0x80);
                    length >>= 7;
                }
                outer.push(length as u8);
                outer.extend(&bytes);
                bytes = outer;
            }
            let mut model = vec![0x3a];
            model.push(bytes.len().min(0x7f) as u8);
            model.extend(bytes);
            model
        };
        let cases: [(&[u8], bool); 12] = [
            (b"", true),
            (&[0x08, 0x96, 0x01], true),
            (&[0x08], false),
            (&[0xff; 16], false),
            (
                &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
                true,
            ),
            (
                &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2],
                false,
            ),
            (&[0x12, 3, 1, 2, 3], true),
            (&[0x12, 4, 1, 2, 3], false),
            (
                &[0x12, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
                false,
            ),
            (&[0x0b], false),
            (&nested(30), true),
            (&[0x3a, 2, 0x0a, 1], false),
        ];
        for (bytes, fine) in cases {
            assert_eq!(check(bytes).is_ok(), fine, "{bytes:?}");
        }
    }
}
