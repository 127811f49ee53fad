//! Frames of an instance as they are sent: as they are kept, or decoded.
//!
//! Decoded frames are what an uncompressed file would hold: samples of 8 or 16 bits, little endian,
//! no look-up table applied. Grey values keep their meaning; colors that were compressed come pixel
//! by pixel, in red, green and blue.

use std::path::Path;

use dicom_dictionary_std::{tags, uids};
use lobule_raster::Limits;

use super::media::Pixels;
use crate::codec::{self, Samples};
use crate::dataset::{self, Header, malformed};
use crate::frames::{Place, places, read_place};
use crate::header::WANTED;
use crate::layout::{Layout, Photometric};
use crate::lut::signed;
use crate::render::rgb_of_ybr;
use crate::syntax::Codec;
use crate::{Error, ErrorKind};

/// Longest frame that is sent.
const MAX_FRAME_BYTES: u64 = 1 << 30;

/// An instance whose frames can be read one after the other.
pub struct FrameReader {
    header: Header,
    plan: Plan,
}

enum Plan {
    Image {
        layout: Layout,
        places: Vec<Place>,
    },
    /// Samples of one bit without any space between them, as segments have.
    Bits {
        frames: u64,
        bits: u64,
        start: u64,
    },
}

impl FrameReader {
    /// Opens an instance.
    ///
    /// # Errors
    /// When it holds no pixels, is malformed, or is encoded in a way that is not read here.
    pub fn open(file: &Path, limits: &Limits) -> Result<FrameReader, Error> {
        let open = || -> Result<FrameReader, Error> {
            let mut header = dataset::read_file(file, WANTED)?;
            let plan = plan(&mut header, limits)?;
            Ok(FrameReader { header, plan })
        };
        open().map_err(|e| e.in_file(file))
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        match &self.plan {
            Plan::Image { layout, .. } => layout.frames,
            Plan::Bits { frames, .. } => *frames as usize,
        }
    }

    /// The transfer syntax of frames as they are kept: what is not compressed is sent in little
    /// endian.
    pub fn stored_syntax(&self) -> &str {
        match self.header.syntax.codec {
            Codec::Native => uids::EXPLICIT_VR_LITTLE_ENDIAN,
            _ => &self.header.syntax_uid,
        }
    }

    /// The bytes of a frame, from 0.
    ///
    /// # Errors
    /// When it does not exist or cannot be read or decoded.
    pub fn read(&mut self, frame: usize, pixels: Pixels) -> Result<Vec<u8>, Error> {
        if frame >= self.frames() {
            let frames = self.frames();
            return Err(malformed(format!(
                "expected one of {frames} frames, got another"
            )));
        }
        let FrameReader { header, plan } = self;
        match plan {
            Plan::Image { layout, places } => image_frame(header, layout, &places[frame], pixels),
            Plan::Bits { bits, start, .. } => {
                bit_frame(header, *start, frame as u64 * *bits, *bits)
            }
        }
    }
}

fn plan(header: &mut Header, limits: &Limits) -> Result<Plan, Error> {
    if header.dataset.word(tags::BITS_ALLOCATED) == Some(1) {
        return bits(header);
    }
    let layout = Layout::read(header, limits)?;
    let places = places(header, &layout)?;
    Ok(Plan::Image { layout, places })
}

fn bits(header: &Header) -> Result<Plan, Error> {
    let data = &header.dataset;
    let side = |tag| data.word(tag).map(u64::from).filter(|&n| n > 0);
    let missing = || malformed("expected at least one row and one column");
    let bits = side(tags::ROWS).ok_or_else(missing)? * side(tags::COLUMNS).ok_or_else(missing)?;
    let stated = data.text(tags::NUMBER_OF_FRAMES);
    let frames = stated.map_or(Ok(1), |n| n.parse::<u32>());
    let frames = frames.map_err(|_| malformed("expected a number of frames"))?;
    let pixels = header.pixel_data;
    let pixels = pixels.ok_or_else(|| Error::new(ErrorKind::NoPixels, "expected pixel data"))?;
    let needed = (bits * u64::from(frames)).div_ceil(8);
    let there = header.source_length.saturating_sub(pixels.offset);
    match pixels.length.map(|length| u64::from(length).min(there)) {
        Some(length) if needed <= length && frames > 0 => Ok(Plan::Bits {
            frames: frames.into(),
            bits,
            start: pixels.offset,
        }),
        _ => Err(malformed(format!(
            "expected {needed} bytes of pixels, got less"
        ))),
    }
}

fn image_frame(
    header: &mut Header,
    layout: &Layout,
    place: &Place,
    pixels: Pixels,
) -> Result<Vec<u8>, Error> {
    let length: u64 = place
        .iter()
        .map(|range| range.end.saturating_sub(range.start))
        .sum();
    if length > MAX_FRAME_BYTES {
        let message = format!("expected a frame of at most {MAX_FRAME_BYTES} bytes");
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    let mut bytes = read_place(header, place)?;
    match (&layout.codec, pixels) {
        (Codec::Native, _) => {
            if layout.big_endian && (layout.bits_allocated == 16 || layout.pixel_data.in_words) {
                bytes.chunks_exact_mut(2).for_each(<[u8]>::reverse);
            }
            Ok(bytes)
        }
        (_, Pixels::Stored) => Ok(bytes),
        (_, Pixels::Decoded) => Ok(little_endian(&codec::decode(&bytes, layout)?, layout)),
    }
}

/// Samples as an uncompressed file holds them; a sign reaches up to the highest bit, colors are red,
/// green and blue.
fn little_endian(samples: &Samples, layout: &Layout) -> Vec<u8> {
    if samples.meaning == Photometric::YbrFull && layout.bits_allocated == 8 {
        let (pixels, _) = samples.values.as_chunks::<3>();
        let rgb = |pixel: &[u16; 3]| rgb_of_ybr(pixel.map(|value| value as u8));
        return pixels.iter().flat_map(rgb).collect();
    }
    let sign = layout.signed.then_some(layout.bits_stored);
    let whole = |&value: &u16| signed(value, sign) as u16;
    match layout.bits_allocated {
        8 => samples.values.iter().map(|v| whole(v) as u8).collect(),
        _ => samples
            .values
            .iter()
            .flat_map(|v| whole(v).to_le_bytes())
            .collect(),
    }
}

/// Bits from anywhere, moved to the start of the first byte.
fn bit_frame(header: &mut Header, start: u64, first: u64, bits: u64) -> Result<Vec<u8>, Error> {
    let range = start + first / 8..start + (first + bits).div_ceil(8);
    let bytes = read_place(header, &vec![range])?;
    let shift = (first % 8) as u32;
    let at = |i: usize| u16::from(bytes.get(i).copied().unwrap_or(0));
    let moved = (0..bits.div_ceil(8) as usize).map(|i| ((at(i) | at(i + 1) << 8) >> shift) as u8);
    let mut moved: Vec<u8> = moved.collect();
    if let (Some(last), used @ 1..) = (moved.last_mut(), bits % 8) {
        *last &= (1 << used) - 1;
    }
    Ok(moved)
}
