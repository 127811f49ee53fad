//! Pixels against those of pydicom (`tests/golden/make.py`).

use std::fs;
use std::path::PathBuf;

use lobule_dicomio::{decode_frames, read_frames, read_header};
use lobule_raster::Limits;
use serde_json::Value;

use crate::{largest_difference, values};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn expected_values(name: &str, kind: &str) -> Vec<u16> {
    let bytes = fs::read(folder().join(format!("{name}.bin"))).unwrap();
    match kind {
        "gray16" => bytes
            .chunks_exact(2)
            .map(|b| u16::from_le_bytes([b[0], b[1]]))
            .collect(),
        _ => bytes.into_iter().map(u16::from).collect(),
    }
}

#[test]
fn every_encoding_decodes_as_in_pydicom() {
    let text = fs::read_to_string(folder().join("expected.json")).unwrap();
    let table: Value = serde_json::from_str(&text).unwrap();
    let mut failures = Vec::new();
    for (name, case) in table.as_object().unwrap() {
        if let Err(message) = check(name, case) {
            failures.push(format!("{name}: {message}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn check(name: &str, case: &Value) -> Result<(), String> {
    let file = folder().join(format!("{name}.dcm"));
    let limits = Limits::default();
    let instance = read_header(&file, &limits).map_err(|e| e.to_string())?;
    let number = |key: &str| case[key].as_u64().unwrap() as usize;
    let size = (instance.rows, instance.cols, instance.frames);
    assert_eq!(size, (number("rows"), number("cols"), number("frames")));
    let which: Vec<usize> = (0..instance.frames).collect();
    let pictures = read_frames(&instance, &which, &limits).map_err(|e| e.to_string())?;
    let kind = case["kind"].as_str().unwrap();
    let mut all = Vec::new();
    for picture in &pictures {
        let (got_kind, values) = values(picture);
        if got_kind != kind {
            return Err(format!("expected {kind}, got {got_kind}"));
        }
        all.extend(values);
    }
    let difference = largest_difference(&all, &expected_values(name, kind));
    match usize::from(difference) <= number("tolerance") {
        true => Ok(()),
        false => Err(format!("differs by {difference}")),
    }
}

#[test]
fn frames_can_be_asked_for_in_any_order() {
    let file = folder().join("rgb8_three_frames.dcm");
    let limits = Limits::default();
    let all = decode_frames(&file, &[0, 1, 2], &limits).unwrap();
    let some = decode_frames(&file, &[2, 0], &limits).unwrap();
    assert_eq!(some, [all[2].clone(), all[0].clone()]);
    assert!(decode_frames(&file, &[3], &limits).is_err());
}

#[test]
fn limits_hold_for_one_frame_and_for_all_that_are_asked_for() {
    let file = folder().join("rgb8_three_frames.dcm");
    let one_frame = Limits {
        max_pixels: 12 * 16,
    };
    assert!(decode_frames(&file, &[1], &one_frame).is_ok());
    assert!(decode_frames(&file, &[0, 1], &one_frame).is_err());
    let less = Limits {
        max_pixels: 12 * 16 - 1,
    };
    assert!(decode_frames(&file, &[1], &less).is_err());
}
