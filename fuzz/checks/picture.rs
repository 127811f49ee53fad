//! What must hold for any bytes given as a picture.

use std::path::Path;

use lobule_raster::{Limits, read_picture};

/// Small, so that a file that claims more is soon beyond it.
const LIMITS: Limits = Limits {
    max_pixels: 1 << 16,
};

/// What `LIMITS` allows of decoded pixels, several copies of them, and what decoders set aside
/// whatever the size.
pub const MOST_BYTES: usize = 32 << 20;

/// A picture within the limits, or an error with a reason; whether there was a picture.
pub fn run(bytes: &[u8], folder: &Path) -> bool {
    let file = folder.join("picture");
    std::fs::write(&file, bytes).expect("the folder can be written to");
    match read_picture(&file, &LIMITS) {
        Ok(picture) => {
            let pixels = picture.rows() as u64 * picture.cols() as u64;
            assert!((1..=LIMITS.max_pixels).contains(&pixels), "{pixels} pixels");
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty(), "{:?}", error.kind());
            false
        }
    }
}
