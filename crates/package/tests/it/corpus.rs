//! Replays the corpus of manifests, and every cut and flip of a valid one: an error or a manifest,
//! never a panic.

use std::fs;
use std::path::{Path, PathBuf};

use lobule_package::{Manifest, Predictions};

use crate::manifest;

fn read(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    Manifest::from_toml(&text, Path::new("m")).is_ok()
}

#[test]
fn the_corpus_is_read_or_refused() {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut n = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let is_valid = path.to_string_lossy().contains("valid_");
        assert_eq!(read(&bytes), is_valid, "{}", path.display());
        let _ = Predictions::from_csv(&bytes, Path::new("p"));
        n += 1;
    }
    assert!(n >= 5, "{n}");
}

#[test]
fn damaged_manifests_never_panic() {
    let text = manifest(&"a".repeat(64)).to_toml(Path::new("m")).unwrap();
    for at in (0..text.len()).step_by(3) {
        read(&text.as_bytes()[..at]);
        for flip in [0x01, 0x20, 0x80] {
            let mut damaged = text.clone().into_bytes();
            damaged[at] ^= flip;
            read(&damaged);
        }
    }
}
