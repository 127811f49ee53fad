//! One value in the DICOM JSON model (PS3.18 annex F.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dicom_core::{Tag, VR};
use serde_json::json;

use super::attribute::digits;
use crate::identity::Charset;

/// The name of an attribute and its representation: `"00100010":{"vr":"PN"`, left open.
pub(super) fn begin(out: &mut Vec<u8>, tag: Tag, vr: VR) {
    let digits = digits(tag);
    out.extend(format!("\"{digits}\":{{\"vr\":\"{}\"", vr.to_string()).as_bytes());
}

/// A value after [`begin`]; nothing for an empty one.
pub(super) fn value(out: &mut Vec<u8>, vr: VR, raw: &[u8], big_endian: bool, charset: &Charset) {
    if raw.is_empty() {
        return;
    }
    let values = match vr {
        VR::OB | VR::UN => return binary(out, raw, 1, big_endian),
        VR::OW => return binary(out, raw, 2, big_endian),
        VR::OF | VR::OL => return binary(out, raw, 4, big_endian),
        VR::OD | VR::OV => return binary(out, raw, 8, big_endian),
        VR::US => numbers(raw, big_endian, |b| u16::from_le_bytes(b).into()),
        VR::SS => numbers(raw, big_endian, |b| i16::from_le_bytes(b).into()),
        VR::UL => numbers(raw, big_endian, |b| u32::from_le_bytes(b).into()),
        VR::SL => numbers(raw, big_endian, |b| i32::from_le_bytes(b).into()),
        VR::UV => numbers(raw, big_endian, |b| u64::from_le_bytes(b).into()),
        VR::SV => numbers(raw, big_endian, |b| i64::from_le_bytes(b).into()),
        VR::FL => numbers(raw, big_endian, |b| float(f32::from_le_bytes(b).into())),
        VR::FD => numbers(raw, big_endian, |b| float(f64::from_le_bytes(b))),
        VR::AT => tags(raw, big_endian),
        _ => texts(vr, &charset.decode(raw)),
    };
    if values.iter().all(serde_json::Value::is_null) {
        return;
    }
    out.extend(b",\"Value\":");
    out.extend(serde_json::Value::Array(values).to_string().as_bytes());
}

/// Bytes, in little endian as in every transfer over the web.
fn binary(out: &mut Vec<u8>, raw: &[u8], width: usize, big_endian: bool) {
    let swapped: Vec<u8>;
    let bytes = match big_endian && width > 1 {
        true => {
            swapped = raw
                .chunks(width)
                .flat_map(|w| w.iter().rev().copied())
                .collect();
            &swapped[..]
        }
        false => raw,
    };
    out.extend(b",\"InlineBinary\":\"");
    out.extend(STANDARD.encode(bytes).as_bytes());
    out.push(b'"');
}

fn numbers<const N: usize>(
    raw: &[u8],
    big_endian: bool,
    read: fn([u8; N]) -> serde_json::Value,
) -> Vec<serde_json::Value> {
    let (words, _) = raw.as_chunks::<N>();
    let one = |&word: &[u8; N]| {
        let mut bytes = word;
        if big_endian {
            bytes.reverse();
        }
        read(bytes)
    };
    words.iter().map(one).collect()
}

/// What JSON has no number for is written as a text.
fn float(value: f64) -> serde_json::Value {
    match serde_json::Number::from_f64(value) {
        Some(number) => number.into(),
        None if value.is_nan() => "NaN".into(),
        None if value > 0.0 => "inf".into(),
        None => "-inf".into(),
    }
}

fn tags(raw: &[u8], big_endian: bool) -> Vec<serde_json::Value> {
    let halves = numbers::<2>(raw, big_endian, |b| u16::from_le_bytes(b).into());
    let half = |value: &serde_json::Value| value.as_u64().unwrap_or(0) as u16;
    let pairs = halves.chunks_exact(2);
    pairs
        .map(|pair| digits(Tag(half(&pair[0]), half(&pair[1]))).into())
        .collect()
}

fn texts(vr: VR, text: &str) -> Vec<serde_json::Value> {
    let padding = |c: char| c == ' ' || c == '\0';
    let whole = text.trim_end_matches(padding);
    match vr {
        // A backslash is no separator here.
        VR::ST | VR::LT | VR::UT | VR::UR => vec![some_text(whole)],
        _ => whole
            .split('\\')
            .map(|part| one_text(vr, part.trim_end_matches(padding)))
            .collect(),
    }
}

fn some_text(text: &str) -> serde_json::Value {
    match text.is_empty() {
        true => serde_json::Value::Null,
        false => text.into(),
    }
}

fn one_text(vr: VR, text: &str) -> serde_json::Value {
    match vr {
        VR::PN => name(text),
        VR::IS => match text.trim().parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => some_text(text.trim()),
        },
        VR::DS => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => number.into(),
            _ => some_text(text.trim()),
        },
        VR::AE | VR::CS | VR::UI => some_text(text.trim()),
        _ => some_text(text),
    }
}

fn name(text: &str) -> serde_json::Value {
    let groups = text
        .split('=')
        .zip(["Alphabetic", "Ideographic", "Phonetic"]);
    let mut object = json!({});
    for (group, key) in groups.filter(|(group, _)| !group.is_empty()) {
        object[key] = group.into();
    }
    match object.as_object().is_some_and(|o| o.is_empty()) {
        true => serde_json::Value::Null,
        false => object,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_is_written_as_the_model_says() {
        let cases: [(VR, &[u8], &str); 14] = [
            (
                VR::PN,
                b"A^B=C=D ",
                r#","Value":[{"Alphabetic":"A^B","Ideographic":"C","Phonetic":"D"}]"#,
            ),
            (VR::PN, b"\\A", r#","Value":[null,{"Alphabetic":"A"}]"#),
            (VR::CS, b"A\\\\B ", r#","Value":["A",null,"B"]"#),
            (VR::LO, b"  ", ""),
            (VR::DS, b"1.50\\x", r#","Value":[1.5,"x"]"#),
            (VR::IS, b"7 ", r#","Value":[7]"#),
            (VR::ST, b"a\\b\"<", r#","Value":["a\\b\"<"]"#),
            (VR::US, &[1, 0, 255, 255], r#","Value":[1,65535]"#),
            (VR::SS, &[255, 255], r#","Value":[-1]"#),
            (VR::FL, &[0, 0, 192, 127], r#","Value":["NaN"]"#),
            (VR::AT, &[0x10, 0, 0x20, 0], r#","Value":["00100020"]"#),
            (VR::OB, &[1, 2], r#","InlineBinary":"AQI=""#),
            (VR::UI, b"1.2\0", r#","Value":["1.2"]"#),
            (VR::US, &[1], ""),
        ];
        for (vr, raw, expected) in cases {
            let mut out = Vec::new();
            value(&mut out, vr, raw, false, &Charset::of(&[]));
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{vr:?} {raw:?}");
        }
        let mut out = Vec::new();
        value(&mut out, VR::OW, &[1, 2], true, &Charset::of(&[]));
        assert_eq!(out, br#","InlineBinary":"AgE=""#);
    }
}
