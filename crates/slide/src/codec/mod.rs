//! From the stored bytes of one tile to RGB.
//!
//! Owns: decompression within the tile's size, colours, the end of decoders' panics. Does not own:
//! where tiles are (`tiff`).

mod jpeg;
mod plain;

use std::panic::{AssertUnwindSafe, catch_unwind};

use lobule_raster::Image;

use crate::error::{damaged, unsupported};
use crate::{Error, Rgb};

/// How a tile is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Lzw,
    Deflate,
    Jpeg,
    /// Aperio's 33003: always luminance and colour differences, often at half the width.
    AperioYcc,
    /// Aperio's 33005: always RGB.
    AperioRgb,
    /// 34712: what the tags and the stream say.
    Jpeg2000,
}

impl Compression {
    /// By the number of TIFF's tag.
    pub(crate) fn of(number: u64) -> Result<Compression, Error> {
        Ok(match number {
            1 => Compression::None,
            5 => Compression::Lzw,
            7 => Compression::Jpeg,
            8 | 32946 => Compression::Deflate,
            33003 => Compression::AperioYcc,
            33005 => Compression::AperioRgb,
            34712 => Compression::Jpeg2000,
            _ => {
                return Err(unsupported(format!(
                    "expected no compression, LZW, deflate, JPEG or JPEG 2000, got number {number}"
                )));
            }
        })
    }

    /// Samples as they are, once unpacked.
    pub(crate) fn is_plain(self) -> bool {
        matches!(
            self,
            Compression::None | Compression::Lzw | Compression::Deflate
        )
    }
}

/// What samples mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Grey, 0 = black.
    Gray,
    /// Grey, 0 = white.
    InvertedGray,
    Rgb,
    /// Full-range luminance and colour differences.
    Ycc,
}

impl Meaning {
    /// By the numbers of TIFF's tags.
    pub(crate) fn of(
        photometric: Option<u64>,
        samples: usize,
        compression: Compression,
    ) -> Result<Meaning, Error> {
        match (photometric, samples) {
            (_, 3) if compression == Compression::AperioYcc => Ok(Meaning::Ycc),
            (_, 3) if compression == Compression::AperioRgb => Ok(Meaning::Rgb),
            (Some(0), 1) if compression.is_plain() => Ok(Meaning::InvertedGray),
            (Some(1), 1) if compression.is_plain() || compression == Compression::Jpeg => {
                Ok(Meaning::Gray)
            }
            (Some(2), 3) => Ok(Meaning::Rgb),
            (Some(2), 4) if compression.is_plain() => Ok(Meaning::Rgb),
            (Some(6), 3) if !compression.is_plain() => Ok(Meaning::Ycc),
            _ => Err(unsupported(format!(
                "expected grey, RGB or YCbCr in JPEG, got photometric number {} of {samples} samples",
                photometric.map_or("-".into(), |n| n.to_string())
            ))),
        }
    }
}

/// Everything that decoding needs besides the tile's bytes.
#[derive(Debug)]
pub(crate) struct Coding {
    pub(crate) compression: Compression,
    pub(crate) meaning: Meaning,
    /// Samples of a pixel; a fourth one is opacity and left away.
    pub(crate) samples: usize,
    /// Bytes of a sample, 1 or 2. Of two the higher is kept.
    pub(crate) bytes: usize,
    /// Each colour in a tile of its own.
    pub(crate) is_planar: bool,
    /// Samples are differences from the pixel to the left.
    pub(crate) has_differences: bool,
    pub(crate) big_endian: bool,
    /// Quantisation and Huffman tables that all tiles share.
    pub(crate) jpeg_tables: Vec<u8>,
}

impl Coding {
    /// Decodes a tile whose stored size is `whole`, of which `wanted` rows and columns are in the
    /// level. The last strip may be stored short.
    pub(crate) fn decode(
        &self,
        stored: &[Vec<u8>],
        whole: (usize, usize),
        wanted: (usize, usize),
    ) -> Result<Rgb, Error> {
        let unpacked = catch_unwind(AssertUnwindSafe(|| self.unpack(stored, whole, wanted)));
        // Decoders of other people may panic on a damaged stream; nothing is shared but bytes.
        let tile =
            unpacked.unwrap_or_else(|_| Err(damaged("expected pixels, got a damaged stream")))?;
        Ok(tile.crop(lobule_exam::PixelBox::whole(wanted.0, wanted.1)))
    }

    fn unpack(
        &self,
        stored: &[Vec<u8>],
        whole: (usize, usize),
        wanted: (usize, usize),
    ) -> Result<Rgb, Error> {
        let planes = if self.is_planar { self.samples } else { 1 };
        if stored.len() != planes {
            let message = format!("expected {planes} stored planes, got {}", stored.len());
            return Err(damaged(message));
        }
        let bytes = &stored[0];
        match self.compression {
            Compression::Jpeg => {
                jpeg::decode(bytes, &self.jpeg_tables, self.meaning, whole, wanted)
            }
            Compression::AperioYcc | Compression::AperioRgb | Compression::Jpeg2000 => {
                let tile = lobule_dicomio::decode_jpeg2000_tile(bytes, whole)?;
                let is_done = self.compression == Compression::Jpeg2000 && tile.transformed;
                Ok(match self.meaning == Meaning::Ycc && !is_done {
                    true => tile.pixels.map(rgb_from_ycc),
                    false => tile.pixels,
                })
            }
            Compression::None | Compression::Lzw | Compression::Deflate => {
                plain::decode(stored, self, whole, wanted)
            }
        }
    }
}

/// JFIF's full-range conversion (ITU-T T.871, clause 7).
fn rgb_from_ycc([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    let rgb = [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ];
    rgb.map(|v| v.round().clamp(0.0, 255.0) as u8)
}

/// An image of whole lines.
fn image<T: Copy>(rows: usize, cols: usize, pixels: Vec<T>) -> Result<Image<T>, Error> {
    let got = pixels.len();
    Image::from_pixels(rows, cols, pixels)
        .ok_or_else(|| damaged(format!("expected {rows} × {cols} pixels, got {got}")))
}
