//! Damaged files: an error, never a panic.

use std::fs;
use std::path::{Path, PathBuf};

use lobule_dicomio::{ErrorKind, decode_frames, is_dicom, read_header, read_identity};
use lobule_raster::Limits;

fn golden_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .filter(|p| p.extension().is_some_and(|e| e == "dcm"))
        .collect();
    files.sort();
    files
}

/// A small generator of numbers, so that a failure can be repeated.
fn next(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6364136223846793005)
        .wrapping_add(1442695040888963407);
    *state >> 33
}

#[test]
fn what_is_not_dicom_is_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &[u8], ErrorKind); 5] = [
        ("empty", b"", ErrorKind::NotDicom),
        (
            "text",
            b"this is a text and no picture at all",
            ErrorKind::NotDicom,
        ),
        ("zeros", &[0; 500], ErrorKind::NotDicom),
        ("png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ErrorKind::NotDicom),
        (
            "preamble",
            &[&[0; 128][..], b"DICM"].concat(),
            ErrorKind::NoPixels,
        ),
    ];
    for (name, bytes, kind) in cases {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let error = read_header(&file, &Limits::default()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(name));
        assert_eq!(is_dicom(&file), kind == ErrorKind::NoPixels);
    }
    let missing = folder.path().join("missing");
    let error = read_header(&missing, &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(!is_dicom(&missing));
}

#[test]
fn truncated_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cut.dcm");
    let limits = Limits::default();
    for whole in golden_files() {
        let bytes = fs::read(&whole).unwrap();
        let deflated = whole.ends_with("gray8_deflated.dcm");
        let step = bytes.len().div_ceil(12);
        for length in (0..bytes.len() - 16).step_by(step) {
            fs::write(&file, &bytes[..length]).unwrap();
            let result = decode_frames(&file, &[0], &limits);
            // Frames before the cut may still be whole.
            let loop_of_frames = whole.to_string_lossy().contains("frame")
                || whole.to_string_lossy().contains("fragment");
            assert!(
                result.is_err() || loop_of_frames || deflated,
                "{} {length}",
                whole.display()
            );
            let _ = read_header(&file, &limits);
            let _ = read_identity(&file);
        }
    }
}

#[test]
fn flipped_bytes_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flipped.dcm");
    let limits = Limits {
        max_pixels: 1 << 20,
    };
    let mut state = 7;
    for whole in golden_files() {
        let bytes = fs::read(&whole).unwrap();
        for _ in 0..8 {
            let mut damaged = bytes.clone();
            for _ in 0..1 + next(&mut state) % 4 {
                let at = 132 + next(&mut state) as usize % (damaged.len() - 132);
                damaged[at] = next(&mut state) as u8;
            }
            fs::write(&file, &damaged).unwrap();
            let _ = read_header(&file, &limits);
            let _ = decode_frames(&file, &[0], &limits);
            let _ = read_identity(&file);
        }
    }
}
