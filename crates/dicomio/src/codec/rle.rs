//! Run lengths: PS3.5 annex G.

use super::{Samples, pixel_by_pixel};
use crate::Error;
use crate::dataset::malformed;
use crate::layout::{Layout, Photometric};

const HEADER_BYTES: usize = 64;
const MAX_SEGMENTS: usize = 15;

/// Each segment holds one byte of one sample of all pixels, highest byte first.
pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Result<Samples, Error> {
    let bytes_per_sample = layout.bits_allocated as usize / 8;
    let expected = layout.samples * bytes_per_sample;
    let segments = segments(bytes)?;
    if segments.len() != expected {
        let got = segments.len();
        return Err(malformed(format!(
            "expected {expected} run-length segments, got {got}"
        )));
    }
    let mut values = vec![0_u16; layout.pixels() * layout.samples];
    for (i, segment) in segments.into_iter().enumerate() {
        let sample = i / bytes_per_sample;
        let places = values.iter_mut().skip(sample).step_by(layout.samples);
        let unpacked = unpack(segment, layout.pixels())?;
        for (value, byte) in places.zip(unpacked) {
            *value = *value << 8 | u16::from(byte);
        }
    }
    let meaning = match layout.photometric {
        Photometric::YbrFull422 => Photometric::YbrFull,
        Photometric::Ybr2000 => Photometric::Rgb,
        other => other,
    };
    let layout = Layout {
        planar: false,
        ..layout.clone()
    };
    Ok(pixel_by_pixel(values, &layout, meaning))
}

fn segments(bytes: &[u8]) -> Result<Vec<&[u8]>, Error> {
    let bad = || malformed("expected a header of run-length segments, got something else");
    let header = bytes.get(..HEADER_BYTES).ok_or_else(bad)?;
    let numbers: Vec<usize> = header
        .chunks_exact(4)
        .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize)
        .collect();
    let count = numbers[0];
    if count == 0 || count > MAX_SEGMENTS {
        return Err(bad());
    }
    let offsets = &numbers[1..=count];
    let ends = offsets[1..].iter().copied().chain([bytes.len()]);
    let pairs = offsets.iter().zip(ends);
    pairs
        .map(|(&start, end)| bytes.get(start..end).ok_or_else(bad))
        .collect()
}

/// PackBits: a length of 0..=127 copies the next `n + 1` bytes, −127..=−1 repeats the next byte
/// `1 − n` times, −128 does nothing.
fn unpack(mut packed: &[u8], length: usize) -> Result<Vec<u8>, Error> {
    let bad = || malformed("expected more run-length bytes, got the end of a segment");
    let mut unpacked = Vec::with_capacity(length);
    while unpacked.len() < length {
        let (&control, rest) = packed.split_first().ok_or_else(bad)?;
        packed = rest;
        match control {
            0..=127 => {
                let count = usize::from(control) + 1;
                unpacked.extend_from_slice(packed.get(..count).ok_or_else(bad)?);
                packed = &packed[count..];
            }
            128 => {}
            _ => {
                let (&byte, rest) = packed.split_first().ok_or_else(bad)?;
                unpacked.resize(unpacked.len() + 257 - usize::from(control), byte);
                packed = rest;
            }
        }
    }
    unpacked.truncate(length);
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_copies_and_nothing_are_unpacked() {
        let packed = [0xFE, 7, 0x80, 0x02, 1, 2, 3, 0x00, 9];
        assert_eq!(unpack(&packed, 7).unwrap(), [7, 7, 7, 1, 2, 3, 9]);
        assert_eq!(unpack(&packed, 2).unwrap(), [7, 7]);
        for cut in 0..packed.len() {
            assert!(unpack(&packed[..cut], 7).is_err());
        }
    }

    #[test]
    fn impossible_headers_are_refused() {
        let mut header = vec![0; 80];
        for (count, offset) in [(0, 64), (16, 64), (1, 99), (2, 64), (u32::MAX, 64)] {
            header[..4].copy_from_slice(&u32::to_le_bytes(count));
            header[4..8].copy_from_slice(&u32::to_le_bytes(offset));
            assert!(segments(&header).is_err(), "{count} {offset}");
        }
    }
}
