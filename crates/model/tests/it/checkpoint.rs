//! Writes checkpoints as PyTorch does, for tests of their reading: pickle protocol 2, f32 tensors.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use lobule_model::NamedTensor;
use zip::write::SimpleFileOptions;

/// The two layouts of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// PyTorch 1.6 and later.
    Zip,
    /// A stream of pickles.
    Legacy,
}

pub(crate) fn write_checkpoint(
    file: &Path,
    tensors: &BTreeMap<String, NamedTensor>,
    container: Container,
) {
    let bytes = match container {
        Container::Zip => zipped(tensors),
        Container::Legacy => legacy(tensors),
    };
    std::fs::write(file, bytes).unwrap();
}

fn zipped(tensors: &BTreeMap<String, NamedTensor>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut add = |name: &str, bytes: &[u8]| {
        zip.start_file(format!("model/{name}"), options).unwrap();
        zip.write_all(bytes).unwrap();
    };
    add("data.pkl", &dictionary(tensors, Container::Zip));
    add("version", b"3\n");
    add("byteorder", b"little");
    for (key, tensor) in tensors.values().enumerate() {
        add(&format!("data/{key}"), &raw(tensor));
    }
    zip.finish().unwrap().into_inner()
}

fn legacy(tensors: &BTreeMap<String, NamedTensor>) -> Vec<u8> {
    let mut out = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".to_vec();
    out.extend(b"\x80\x02M\xe9\x03.");
    out.extend(b"\x80\x02}(");
    text(&mut out, "protocol_version");
    out.extend(b"M\xe9\x03");
    text(&mut out, "little_endian");
    out.extend(b"\x88");
    text(&mut out, "type_sizes");
    out.push(b'}');
    out.extend(b"u.");
    out.extend(dictionary(tensors, Container::Legacy));
    out.extend(b"\x80\x02](");
    (0..tensors.len()).for_each(|key| text(&mut out, &key.to_string()));
    out.extend(b"e.");
    for tensor in tensors.values() {
        out.extend((tensor.values.len() as i64).to_le_bytes());
        out.extend(raw(tensor));
    }
    out
}

fn raw(tensor: &NamedTensor) -> Vec<u8> {
    tensor.values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// The pickle of `{name: tensor}`; the tensors' storages bear their places as keys.
fn dictionary(tensors: &BTreeMap<String, NamedTensor>, container: Container) -> Vec<u8> {
    let mut out = b"\x80\x02}(".to_vec();
    for (key, (name, tensor)) in tensors.iter().enumerate() {
        text(&mut out, name);
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut out, "storage");
        out.extend(b"ctorch\nFloatStorage\n");
        text(&mut out, &key.to_string());
        text(&mut out, "cpu");
        number(&mut out, tensor.values.len());
        if container == Container::Legacy {
            out.push(b'N');
        }
        out.extend(b"tQK\x00");
        let strides = (0..tensor.shape.len()).map(|axis| tensor.shape[axis + 1..].iter().product());
        tuple(&mut out, tensor.shape.iter().copied());
        tuple(&mut out, strides);
        out.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    out.extend(b"u.");
    out
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

fn number(out: &mut Vec<u8>, number: usize) {
    out.push(b'J');
    out.extend((number as i32).to_le_bytes());
}

fn tuple(out: &mut Vec<u8>, numbers: impl Iterator<Item = usize>) {
    out.push(b'(');
    numbers.for_each(|n| number(out, n));
    out.push(b't');
}
