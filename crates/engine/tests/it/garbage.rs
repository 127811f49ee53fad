//! Bytes that are no model, or a damaged one: an error or a result, never the end of the process.

use std::fs;
use std::path::Path;

use lobule_engine::bench::fixed_images;
use lobule_engine::{EngineKind, ErrorKind, Options, open};

use crate::{available, models};

/// Opens and, where that works, runs. Either may fail; neither may end the process.
fn try_out(kind: EngineKind, path: &Path) -> Result<(), ErrorKind> {
    let options = Options { threads: 1 };
    let mut session = open(Some(kind), path, &options).map_err(|e| e.kind())?;
    let outputs = session.run_images(&fixed_images(256), [1, 1, 16, 16]);
    outputs.map(drop).map_err(|e| e.kind())
}

#[test]
fn what_is_no_model_is_an_error_of_kind_model() {
    let folder = tempfile::tempdir().unwrap();
    let model = fs::read(models().join("attention_mil.onnx")).unwrap();
    let cases: [(&str, &[u8]); 5] = [
        ("empty.onnx", b""),
        ("text.onnx", b"this is no model"),
        ("zeros.onnx", &[0; 4096]),
        ("ones.onnx", &[0xff; 4096]),
        ("cut.onnx", &model[..model.len() / 2]),
    ];
    for kind in available() {
        for (name, bytes) in cases {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            assert_eq!(try_out(kind, &path), Err(ErrorKind::Model), "{kind} {name}");
        }
        for absent in [folder.path().join("absent.onnx"), folder.path().into()] {
            assert_eq!(try_out(kind, &absent), Err(ErrorKind::Model), "{kind}");
        }
    }
}

#[test]
fn the_corpus_of_damaged_models_ends_no_process() {
    let corpus = models().join("../corpus");
    let mut n = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        for kind in available() {
            let _ = try_out(kind, &path);
        }
        n += 1;
    }
    assert!(n > 0);
}

/// Opened, not run: a model is a program, and one flipped bit of a size may make it ask for more
/// memory than there is. What guards against that is the package's hash, checked before.
#[test]
fn damaged_bytes_end_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.onnx");
    let model = fs::read(models().join("topk_mean.onnx")).unwrap();
    let options = Options { threads: 1 };
    for kind in available() {
        for at in (0..model.len()).step_by(3) {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = model.clone();
                damaged[at] ^= flip;
                fs::write(&path, &damaged).unwrap();
                let _ = open(Some(kind), &path, &options);
            }
        }
    }
}
