//! One binary for all integration tests of this crate.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod conformance;
mod content;
mod corpus;
mod deidentify;
mod dimse;
mod dimse_peers;
mod dimse_tls;
mod fixtures;
mod golden;
mod hostile;
mod malformed;
mod mammogram;
mod result;
mod synthetic;
mod web;

use lobule_raster::Picture;

/// All values of a picture, and the name of its kind in the golden tables.
fn values(picture: &Picture) -> (&'static str, Vec<u16>) {
    match picture {
        Picture::Gray8(image) => ("gray8", image.pixels().iter().map(|&v| v.into()).collect()),
        Picture::Gray16(image) => ("gray16", image.pixels().to_vec()),
        Picture::Rgb8(image) => {
            let flat = image.pixels().iter().flatten();
            ("rgb8", flat.map(|&v| v.into()).collect())
        }
    }
}

/// The largest difference between two lists of one length.
fn largest_difference(a: &[u16], b: &[u16]) -> u16 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| a.abs_diff(*b))
        .max()
        .unwrap_or(0)
}
