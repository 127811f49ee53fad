//! What is answered over the web, against what pydicom says of the same files.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use lobule_dicomio::web::{
    FoundBulkData, FrameReader, PictureFormat, Pixels, Reason, Rendering, Upload, UploadConfig,
    find_bulk_data, read_display_facts, read_entry, render_picture, write_metadata,
};
use lobule_dicomio::{ErrorKind, read_keys};
use lobule_raster::Limits;
use serde_json::Value;

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn golden(name: &str) -> PathBuf {
    tests().join(name)
}

#[test]
fn metadata_is_what_pydicom_writes() {
    let text = fs::read_to_string(golden("golden_web/expected.json")).unwrap();
    let expected: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    assert!(expected.len() > 80);
    for (name, expected) in expected {
        let written = write_metadata(&golden(&name), "BULK").unwrap();
        let written: Value = serde_json::from_slice(&written).unwrap();
        let (Value::Object(written), Value::Object(expected)) = (written, expected) else {
            panic!("{name}: no object");
        };
        for (tag, value) in &expected {
            assert_eq!(Some(value), written.get(tag), "{name} {tag}");
        }
        assert_eq!(written.len(), expected.len(), "{name}");
    }
}

#[test]
fn an_entry_holds_what_searches_need() {
    let entry = read_entry(&golden("golden_web/explicit_japanese.dcm")).unwrap();
    assert_eq!(entry.study.patient_name, "yamada^tarou=山田^太郎");
    assert_eq!(entry.study.patient_id, "ID 7");
    assert_eq!(
        (entry.study.date.as_str(), entry.study.time.as_str()),
        ("20260131", "101559250000")
    );
    assert_eq!(entry.instance.number, Some(12));
    assert!(!format!("{entry:?}").contains("yamada"));
    let lines: Vec<&str> = entry.study.attributes.lines().collect();
    assert!(lines.is_sorted() && lines.len() > 5, "{lines:?}");
    assert!(
        lines
            .iter()
            .any(|l| l.contains("\"Ideographic\":\"山田^太郎\""))
    );
    // Both byte orders say the same.
    let big = read_entry(&golden("golden_web/big_ascii.dcm")).unwrap();
    let small = read_entry(&golden("golden_web/implicit_ascii.dcm")).unwrap();
    assert!(
        big.study == small.study && big.series == small.series && big.instance == small.instance
    );
}

/// All frames, one after the other.
fn frames(name: &str, pixels: Pixels) -> Vec<u8> {
    let mut reader = FrameReader::open(&golden(name), &Limits::default()).unwrap();
    (0..reader.frames())
        .flat_map(|frame| reader.read(frame, pixels).unwrap())
        .collect()
}

#[test]
fn frames_that_are_not_compressed_are_the_files_own_bytes_in_little_endian() {
    let pixels = |name: &str| {
        let Some(FoundBulkData::Value(mut value)) =
            find_bulk_data(&golden(name), "7FE00010").unwrap()
        else {
            panic!("{name}: no pixels");
        };
        let mut bytes = Vec::new();
        while value.left() > 0 {
            bytes.extend(value.next(100).unwrap());
        }
        bytes
    };
    for name in [
        "gray8_explicit",
        "gray12_implicit",
        "rgb8_three_frames",
        "palette16_big",
        "gray12_deflated",
    ] {
        let file = format!("golden/{name}.dcm");
        for form in [Pixels::Stored, Pixels::Decoded] {
            let found = frames(&file, form);
            assert_eq!(found, pixels(&file)[..found.len()], "{name}");
        }
    }
    assert_eq!(
        frames("golden/gray12_big.dcm", Pixels::Stored).len(),
        12 * 16 * 2
    );
    assert_ne!(
        frames("golden/j2k_gray8.dcm", Pixels::Stored),
        frames("golden/j2k_gray8.dcm", Pixels::Decoded)
    );
}

#[test]
fn pictures_are_shown_through_the_window_that_is_asked_for() {
    let file = golden("golden/gray12_explicit.dcm");
    let show = |query: &str| {
        let rendering = Rendering::default().with(query).unwrap();
        let png = render_picture(&file, 0, &rendering, PictureFormat::Png, &Limits::default());
        image::load_from_memory(&png.unwrap()).unwrap().to_luma8()
    };
    let raw = frames("golden/gray12_explicit.dcm", Pixels::Decoded);
    let first = f64::from(u16::from_le_bytes([raw[0], raw[1]]));
    let shown = show("window=2048,4096,linear").get_pixel(0, 0)[0];
    let expected = 255.0 * ((first - 2047.5) / 4095.0 + 0.5);
    assert!(
        (f64::from(shown) - expected).abs() <= 1.0,
        "{shown} {expected}"
    );
    assert_eq!(show("window=0,1").get_pixel(3, 3)[0], 255);
    let small = show("viewport=8,8");
    assert_eq!((small.width(), small.height()), (8, 6));
    let part = show("viewport=16,16,4,4,4,4");
    assert_eq!((part.width(), part.height()), (16, 16));
    let outside = Rendering::default()
        .with("viewport=16,16,400,400,4,4")
        .unwrap();
    let nothing = render_picture(&file, 0, &outside, PictureFormat::Jpeg, &Limits::default());
    assert_eq!(nothing.err().unwrap().kind(), ErrorKind::Malformed);
}

#[test]
fn a_viewer_is_told_how_to_show_an_image() {
    let facts = |name: &str| read_display_facts(&golden(name), &Limits::default()).unwrap();
    let windowed = facts("golden/gray12_linear.dcm");
    assert_eq!(windowed.window.unwrap().function, "LINEAR");
    assert_eq!((windowed.bits, windowed.photometric), (16, "MONOCHROME2"));
    let table = facts("golden_mammogram/table.dcm");
    assert!(table.has_voi_table && table.window.is_none());
    assert_eq!(facts("golden/jpeg_ybr.dcm").photometric, "RGB");
    assert_eq!(facts("golden/ybr_full.dcm").photometric, "YBR_FULL");
}

fn upload(
    bytes: &[u8],
    config: &UploadConfig,
    piece: usize,
) -> Result<(Vec<u8>, String), (Reason, bool)> {
    let mut upload = Upload::begin(config);
    bytes.chunks(piece).for_each(|piece| upload.write(piece));
    match upload.finish(IpAddr::V4(Ipv4Addr::LOCALHOST)) {
        Ok(received) => Ok((fs::read(&received.file).unwrap(), received.sha256)),
        Err(failure) => {
            assert!(!failure.text.is_empty());
            Err((failure.reason, failure.instance.is_some()))
        }
    }
}

#[test]
fn an_upload_is_kept_as_the_network_keeps_it_or_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let config = |most_bytes, study: Option<&str>| UploadConfig {
        spool: folder.path().to_owned(),
        most_bytes,
        study_uid: study.map(str::to_owned),
    };
    let usual = config(1 << 20, None);
    let file = fs::read(golden("golden/gray8_explicit.dcm")).unwrap();
    let (kept, hash) = upload(&file, &usual, 7).unwrap();
    assert_eq!(
        upload(&file, &usual, 100_000).unwrap(),
        (kept.clone(), hash)
    );
    assert_eq!(kept[..128], [0; 128]);
    let out = folder.path().join("kept.dcm");
    fs::write(&out, &kept).unwrap();
    assert_eq!(
        read_keys(&out).unwrap(),
        read_keys(&golden("golden/gray8_explicit.dcm")).unwrap()
    );
    // The preamble and the writer of the meta information leave no trace.
    let mut other = file.clone();
    other[..128].fill(b'x');
    assert_eq!(upload(&other, &usual, 999).unwrap().0, kept);
    let patched = |from: &str, to: &str| {
        let text = file
            .windows(from.len())
            .position(|w| w == from.as_bytes())
            .unwrap();
        let mut bytes = file.clone();
        bytes[text..text + to.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    let cases = [
        (
            file.clone(),
            config(300, None),
            Reason::OutOfResources,
            true,
        ),
        (
            file.clone(),
            config(1 << 20, Some("1.2")),
            Reason::OtherStudy,
            true,
        ),
        (
            file[..100].to_vec(),
            usual.clone(),
            Reason::CannotUnderstand,
            false,
        ),
        (
            file[..400].to_vec(),
            usual.clone(),
            Reason::CannotUnderstand,
            true,
        ),
        (
            vec![0; 5000],
            usual.clone(),
            Reason::CannotUnderstand,
            false,
        ),
        (
            patched("1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.2.2"),
            usual.clone(),
            Reason::ClassNotSupported,
            true,
        ),
        (
            patched("1.2.840.10008.1.2.1\0", "1.2.840.10008.9.9.9\0"),
            usual.clone(),
            Reason::SyntaxNotSupported,
            true,
        ),
        (
            patched("2.25.1", "2.25.9"),
            usual.clone(),
            Reason::DoesNotMatch,
            true,
        ),
    ];
    for (bytes, config, reason, is_named) in cases {
        assert_eq!(upload(&bytes, &config, 50).unwrap_err(), (reason, is_named));
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is left behind"
    );
}
