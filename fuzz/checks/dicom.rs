//! What must hold for any bytes given as a DICOM file.

use std::path::Path;

use lobule_dicomio::{
    Error, decode_frames, is_dicom, read_frames, read_header, read_identity, read_mammogram,
    read_mammogram_header, sample_frames, set_aside,
};
use lobule_raster::{Limits, Picture};

/// Small, so that a file that claims more is soon beyond it.
const LIMITS: Limits = Limits {
    max_pixels: 1 << 16,
};

/// What `LIMITS` allows of decoded pixels, several copies of them, and look-up tables.
pub const MOST_BYTES: usize = 32 << 20;

/// Instances, mammograms and pictures within the limits, or errors with a reason; whether an instance
/// and its pictures, or a mammogram, could be read.
pub fn run(bytes: &[u8], folder: &Path) -> bool {
    let file = folder.join("image.dcm");
    std::fs::write(&file, bytes).expect("the folder can be written to");
    is_dicom(&file);
    let _ = read_identity(&file).map_err(has_reason);
    let is_mammogram = mammogram_is_read(&file);
    // A file that shows something else is decoded too: its pixels are no less dangerous.
    let Ok(instance) = read_header(&file, &LIMITS).map_err(has_reason) else {
        let decoded = decode_frames(&file, &[0], &LIMITS).map_err(has_reason);
        check(&decoded.unwrap_or_default());
        return is_mammogram;
    };
    let size = (instance.rows, instance.cols);
    let which = sample_frames(instance.frames).frames;
    let Ok(pictures) = read_frames(&instance, &which, &LIMITS).map_err(has_reason) else {
        return false;
    };
    assert_eq!(pictures.len(), which.len());
    check(&pictures);
    let of_size = |p: &Picture| (p.rows(), p.cols()) == size;
    assert!(pictures.iter().all(of_size), "expected {size:?}");
    true
}

/// A mammogram as large as its header says, or an error with a reason.
fn mammogram_is_read(file: &Path) -> bool {
    let Ok(mammogram) = read_mammogram_header(file, &LIMITS).map_err(has_reason) else {
        return false;
    };
    assert_eq!(set_aside(&[mammogram.placed()]), [mammogram.set_aside]);
    let Ok(gray) = read_mammogram(&mammogram, &LIMITS).map_err(has_reason) else {
        return false;
    };
    let size = (gray.image.rows(), gray.image.cols());
    assert_eq!(size, (mammogram.rows, mammogram.cols));
    true
}

fn check(pictures: &[Picture]) {
    let pixels = |p: &Picture| p.rows() as u64 * p.cols() as u64;
    let all: u64 = pictures.iter().map(pixels).sum();
    assert!(all <= LIMITS.max_pixels, "{all} pixels");
}

fn has_reason(error: Error) {
    assert!(!error.reason().is_empty(), "{:?}", error.kind());
}
