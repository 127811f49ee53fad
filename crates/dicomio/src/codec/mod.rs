//! From the stored bytes of one frame to samples.
//!
//! Owns: native layouts, and the boundary to the decoders, where sizes are compared before memory
//! is taken and panics end. Does not own: what samples mean on a screen (`render`).

mod jpeg;
mod jpeg2000;
mod jpegls;
mod rle;

pub use jpeg2000::{Jpeg2000Tile, decode_jpeg2000_tile};

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Error;
use crate::dataset::malformed;
use crate::layout::{Layout, Photometric, unsupported};
use crate::syntax::Codec;

/// The samples of one frame, pixel by pixel, all colours at full resolution.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Samples {
    /// `rows · cols · samples`; only the stored bits, at the lowest places.
    pub(crate) values: Vec<u16>,
    /// What they mean after the decoder: subsampled and JPEG 2000's colours are undone.
    pub(crate) meaning: Photometric,
}

/// Decodes one frame.
pub(crate) fn decode(bytes: &[u8], layout: &Layout) -> Result<Samples, Error> {
    let mut samples = match &layout.codec {
        Codec::Native => native(bytes, layout)?,
        Codec::Rle => rle::decode(bytes, layout)?,
        Codec::Jpeg => guarded(|| jpeg::decode(bytes, layout))?,
        Codec::JpegLs => guarded(|| jpegls::decode(bytes, layout))?,
        Codec::Jpeg2000 => guarded(|| jpeg2000::decode(bytes, layout))?,
        Codec::Other(_) => return Err(unsupported("expected a transfer syntax that is read here")),
    };
    let expected = layout.pixels() * layout.samples;
    if samples.values.len() != expected {
        let got = samples.values.len();
        return Err(malformed(format!("expected {expected} samples, got {got}")));
    }
    keep_stored_bits(&mut samples.values, layout);
    Ok(samples)
}

/// Decoders of other people index by numbers of the stream and may panic on a damaged one. A panic
/// must not end the batch, so it ends here; nothing is shared with the closure but plain bytes.
fn guarded<T>(decode: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        Err(malformed(
            "expected compressed pixels, got a damaged stream",
        ))
    })
}

/// Only native pixels and run lengths carry bits outside the stored ones in other places.
fn keep_stored_bits(values: &mut [u16], layout: &Layout) {
    let in_place = matches!(layout.codec, Codec::Native | Codec::Rle);
    let shift = match in_place {
        true => layout.high_bit + 1 - layout.bits_stored,
        false => 0,
    };
    let mask = ((1_u32 << layout.bits_stored) - 1) as u16;
    if shift == 0 && mask == u16::MAX {
        return;
    }
    for value in values {
        *value = (*value >> shift) & mask;
    }
}

fn native(bytes: &[u8], layout: &Layout) -> Result<Samples, Error> {
    let expected = layout.frame_bytes();
    let bytes = bytes.get(..expected).ok_or_else(|| {
        malformed(format!(
            "expected {expected} bytes of a frame, got {}",
            bytes.len()
        ))
    })?;
    let values = words(bytes, layout);
    Ok(match layout.photometric {
        _ if layout.is_subsampled() => upsampled(&values, layout),
        Photometric::YbrFull422 => pixel_by_pixel(values, layout, Photometric::YbrFull),
        Photometric::Ybr2000 => pixel_by_pixel(values, layout, Photometric::Rgb),
        meaning => pixel_by_pixel(values, layout, meaning),
    })
}

fn words(bytes: &[u8], layout: &Layout) -> Vec<u16> {
    let pairs = bytes.chunks_exact(2);
    match (layout.bits_allocated, layout.big_endian) {
        (8, true) if layout.pixel_data.in_words => {
            pairs.flat_map(|p| [p[1].into(), p[0].into()]).collect()
        }
        (8, _) => bytes.iter().map(|&b| b.into()).collect(),
        (_, true) => pairs.map(|p| u16::from_be_bytes([p[0], p[1]])).collect(),
        (_, false) => pairs.map(|p| u16::from_le_bytes([p[0], p[1]])).collect(),
    }
}

fn pixel_by_pixel(values: Vec<u16>, layout: &Layout, meaning: Photometric) -> Samples {
    let values = match layout.planar && layout.samples == 3 {
        true => interleave(&values),
        false => values,
    };
    Samples { values, meaning }
}

/// From colour by colour to pixel by pixel.
fn interleave(planes: &[u16]) -> Vec<u16> {
    let size = planes.len() / 3;
    let (first, rest) = planes.split_at(size);
    let (second, third) = rest.split_at(size);
    let pixels = first.iter().zip(second).zip(third);
    pixels.flat_map(|((&a, &b), &c)| [a, b, c]).collect()
}

/// Native YBR_FULL_422 holds two luminances, then the colour differences that both share.
fn upsampled(values: &[u16], layout: &Layout) -> Samples {
    let mut full = Vec::with_capacity(layout.pixels() * 3);
    let stored_cols = layout.cols.next_multiple_of(2);
    for row in values.chunks_exact(stored_cols * 2) {
        let pixels = row.chunks_exact(4).flat_map(|quad| {
            let [first, second, blue, red] = [quad[0], quad[1], quad[2], quad[3]];
            [[first, blue, red], [second, blue, red]]
        });
        full.extend(pixels.take(layout.cols).flatten());
    }
    Samples {
        values: full,
        meaning: Photometric::YbrFull,
    }
}
