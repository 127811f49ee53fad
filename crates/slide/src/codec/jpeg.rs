//! JPEG tiles, with tables of their own or shared ones (TIFF technical note 2).

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Meaning, image};
use crate::error::damaged;
use crate::{Error, Rgb};

const START: [u8; 2] = [0xFF, 0xD8];
const SCAN: u8 = 0xDA;
/// Segments that would tell the decoder about colours: TIFF's own word decides.
const COLOUR_SEGMENTS: [u8; 2] = [0xE0, 0xEE];

pub(super) fn decode(
    bytes: &[u8],
    tables: &[u8],
    meaning: Meaning,
    whole: (usize, usize),
    wanted: (usize, usize),
) -> Result<Rgb, Error> {
    let stream = joined(bytes, tables, meaning).ok_or_else(|| damaged("expected a JPEG stream"))?;
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_height(whole.0)
        .set_max_width(whole.1)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let refuse =
        |e: zune_jpeg::errors::DecodeErrors| damaged(format!("expected a JPEG stream: {e}"));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&stream), options);
    decoder.decode_headers().map_err(refuse)?;
    let info = decoder.info();
    let size = info
        .as_ref()
        .map(|i| (usize::from(i.height), usize::from(i.width)));
    let samples = info.map_or(0, |i| i.components);
    let (rows, cols) = size.unwrap_or_default();
    let expected = if meaning == Meaning::Gray { 1 } else { 3 };
    if cols != whole.1 || !(wanted.0..=whole.0).contains(&rows) || samples != expected {
        return Err(damaged(format!(
            "expected {} × {} pixels of {expected} samples, got a JPEG stream of {rows} × {cols} of \
             {samples}",
            whole.0, whole.1
        )));
    }
    let decoded = decoder.decode().map_err(refuse)?;
    image(
        rows,
        cols,
        decoded
            .chunks_exact(3)
            .map(|p| [p[0], p[1], p[2]])
            .collect(),
    )
}

/// The tables and the tile as one stream, with Adobe's segment (T.872, clause 6.5.3) for what TIFF
/// says of the colours. Nothing where one is not made of segments.
fn joined(bytes: &[u8], tables: &[u8], meaning: Meaning) -> Option<Vec<u8>> {
    let transform = u8::from(meaning == Meaning::Ycc);
    let mut stream = Vec::with_capacity(bytes.len() + tables.len() + 18);
    stream.extend(START);
    stream.extend(b"\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00");
    stream.push(transform);
    if !tables.is_empty() {
        copy_segments(tables, &mut stream)?;
    }
    let scan = copy_segments(bytes, &mut stream)?;
    if !scan.windows(2).any(|pair| pair == [0xFF, 0xD9]) {
        return None;
    }
    stream.extend(scan);
    Some(stream)
}

/// Copies the segments before the first scan, save those about colours; the rest is returned.
fn copy_segments<'a>(bytes: &'a [u8], stream: &mut Vec<u8>) -> Option<&'a [u8]> {
    let mut rest = bytes.strip_prefix(&START)?;
    while let Some((&[0xFF, marker], after)) = rest.split_first_chunk::<2>() {
        match marker {
            0xFF => rest = &rest[1..],
            SCAN | 0xD9 => return Some(rest),
            _ => {
                let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
                let segment = rest.get(..2 + length.max(2))?;
                if !COLOUR_SEGMENTS.contains(&marker) {
                    stream.extend(segment);
                }
                rest = &rest[segment.len()..];
            }
        }
    }
    rest.is_empty().then_some(rest)
}
