//! Files of real scanners, where they are at hand.

use std::path::{Path, PathBuf};

use lobule_dicomio::{Error, ErrorKind, decode_frames, read_header, sample_frames};
use lobule_raster::{Limits, Picture, find_sonogram};

use crate::{largest_difference, values};

fn folder(variable: &str, inside: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(|root| Path::new(&root).join(inside));
    if found.is_none() {
        println!("skipped: real files ({variable} is not set)");
    }
    found
}

fn first_frame(file: &Path) -> Result<Picture, Error> {
    let mut pictures = decode_frames(file, &[0], &Limits::default())?;
    keep_for_viewing(file, &pictures[0]);
    Ok(pictures.remove(0))
}

/// With `LOBULE_KEEP_PICTURES` the pictures are written there, for a person to look at.
fn keep_for_viewing(file: &Path, picture: &Picture) {
    let Some(folder) = std::env::var_os("LOBULE_KEEP_PICTURES") else {
        return;
    };
    let rgb = picture.to_rgb();
    let head = format!("P6 {} {} 255\n", rgb.cols(), rgb.rows()).into_bytes();
    let bytes = [head, rgb.pixels().iter().flatten().copied().collect()].concat();
    let name = file.with_extension("ppm");
    std::fs::write(Path::new(&folder).join(name.file_name().unwrap()), bytes).unwrap();
}

#[test]
fn one_picture_in_several_encodings_is_one_picture() {
    let Some(folder) = folder("LOBULE_DATA", "dicom_fixtures") else {
        return;
    };
    // (file, the same picture uncompressed, tolerated difference)
    let cases = [
        ("US1_J2KR.dcm", "US1_UNCR.dcm", 0),
        // Lossy, and sharp text rings.
        ("US1_J2KI.dcm", "US1_UNCI.dcm", 124),
        ("US1_RLE.dcm", "US1_UNCR.dcm", 0),
        ("SC_rgb_jpeg_gdcm.dcm", "SC_rgb.dcm", 0),
    ];
    for (file, plain, tolerance) in cases {
        let (_, got) = values(&first_frame(&folder.join(file)).unwrap());
        let (_, expected) = values(&first_frame(&folder.join(plain)).unwrap());
        let difference = largest_difference(&got, &expected);
        assert!(difference <= tolerance, "{file} differs by {difference}");
    }
}

/// The text above the sonogram, name of the hospital and all, ends at row 104.
#[test]
fn a_real_screens_banner_is_cropped_away() {
    let Some(folder) = folder("LOBULE_DATA", "dicom_fixtures") else {
        return;
    };
    for file in ["US1_J2KI.dcm", "US1_UNCI.dcm", "US1_UNCR.dcm"] {
        let found = find_sonogram(&first_frame(&folder.join(file)).unwrap(), &[]).unwrap();
        let window = found.window;
        assert!((103..112).contains(&window.row), "{file}: {window:?}");
        assert!((338..370).contains(&window.row_end()), "{file}: {window:?}");
    }
}

#[test]
fn what_is_no_ultrasound_is_refused() {
    let Some(folder) = folder("LOBULE_DATA", "dicom_fixtures") else {
        return;
    };
    let cases = [
        ("MG1_J2KI.dcm", ErrorKind::OtherModality),
        ("cbis_ddsm_crop.dcm", ErrorKind::OtherModality),
        ("hd_sm_image.dcm", ErrorKind::OtherModality),
        ("SC_rgb.dcm", ErrorKind::OtherModality),
    ];
    for (file, kind) in cases {
        let error = read_header(&folder.join(file), &Limits::default()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    let error = first_frame(&folder.join("MG1_JPLY.dcm")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedEncoding, "{error}");
    for file in [
        "US1_J2KI.dcm",
        "US1_J2KR.dcm",
        "US1_RLE.dcm",
        "US1_UNCR.dcm",
    ] {
        let instance = read_header(&folder.join(file), &Limits::default()).unwrap();
        assert_eq!(
            (instance.rows, instance.cols, instance.frames),
            (480, 640, 1)
        );
    }
}

#[test]
fn older_scanners_files_decode() {
    let Some(folder) = folder("LOBULE_PYDICOM_DATA", "data_store/data") else {
        return;
    };
    let same = [
        ("OBXXXX1A_rle.dcm", "OBXXXX1A.dcm"),
        ("OBXXXX1A_expb.dcm", "OBXXXX1A.dcm"),
        ("gdcm-US-ALOKA-16_big.dcm", "gdcm-US-ALOKA-16.dcm"),
        ("color-pl.dcm", "color-px.dcm"),
        ("SC_rgb_expb_16bit.dcm", "SC_rgb_16bit.dcm"),
    ];
    for (file, plain) in same {
        let (_, got) = values(&first_frame(&folder.join(file)).unwrap());
        let (_, expected) = values(&first_frame(&folder.join(plain)).unwrap());
        assert_eq!(largest_difference(&got, &expected), 0, "{file}");
    }
    for file in [
        "JPGLosslessP14SV1_1s_1f_8b.dcm",
        "color3d_jpeg_baseline.dcm",
    ] {
        let instance = read_header(&folder.join(file), &Limits::default()).unwrap();
        let which = sample_frames(instance.frames).frames;
        let pictures = decode_frames(&instance.file, &which, &Limits::default()).unwrap();
        assert_eq!(pictures.len(), instance.frames.min(8));
        first_frame(&folder.join(file)).unwrap();
    }
}
