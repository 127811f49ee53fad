//! How the pixels of a file are laid out, checked against the limits and the file's length.
//!
//! Owns: the Image Pixel module's numbers. Does not own: decoding (`codec`), colours (`render`).

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};
use lobule_exam::{Warning, WarningKind};
use lobule_raster::Limits;

use crate::dataset::{Dataset, Header, PixelData, malformed};
use crate::syntax::Codec;
use crate::{Error, ErrorKind};

/// Most frames of a file; the longest cine loops in archives have a few thousand.
const MAX_FRAMES: usize = 100_000;

/// What stored values mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Photometric {
    /// Grey, 0 = white.
    Monochrome1,
    /// Grey, 0 = black.
    Monochrome2,
    /// An index into three look-up tables.
    Palette,
    /// Red, green, blue.
    Rgb,
    /// Luminance and two colour differences, full range, all of one size.
    YbrFull,
    /// The same, with every other column of the colour differences left away.
    YbrFull422,
    /// JPEG 2000's reversible and irreversible transforms, which its decoder undoes.
    Ybr2000,
}

impl Photometric {
    fn of(name: &str) -> Result<Photometric, Error> {
        Ok(match name {
            "MONOCHROME1" => Photometric::Monochrome1,
            "MONOCHROME2" => Photometric::Monochrome2,
            "PALETTE COLOR" => Photometric::Palette,
            "RGB" => Photometric::Rgb,
            "YBR_FULL" => Photometric::YbrFull,
            "YBR_FULL_422" => Photometric::YbrFull422,
            "YBR_RCT" | "YBR_ICT" => Photometric::Ybr2000,
            other => {
                let shown: String = other
                    .chars()
                    .filter(char::is_ascii_graphic)
                    .take(20)
                    .collect();
                return Err(unsupported(format!(
                    "expected grey, palette, RGB or full-range YBR pixels, got `{shown}`"
                )));
            }
        })
    }

    fn samples(self) -> usize {
        match self {
            Photometric::Monochrome1 | Photometric::Monochrome2 | Photometric::Palette => 1,
            _ => 3,
        }
    }
}

/// The layout of a file's pixels.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) frames: usize,
    pub(crate) samples: usize,
    pub(crate) photometric: Photometric,
    /// Colour by colour instead of pixel by pixel; matters for native pixels alone.
    pub(crate) planar: bool,
    /// 8 or 16.
    pub(crate) bits_allocated: u32,
    /// 1 to `bits_allocated`.
    pub(crate) bits_stored: u32,
    pub(crate) high_bit: u32,
    pub(crate) signed: bool,
    pub(crate) big_endian: bool,
    pub(crate) codec: Codec,
    pub(crate) pixel_data: PixelData,
    pub(crate) warnings: Vec<Warning>,
}

pub(crate) fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::UnsupportedEncoding, message)
}

impl Layout {
    pub(crate) fn read(header: &Header, limits: &Limits) -> Result<Layout, Error> {
        let data = &header.dataset;
        let pixel_data = header
            .pixel_data
            .ok_or_else(|| Error::new(ErrorKind::NoPixels, "expected pixel data, got none"))?;
        check_codec(&header.syntax.codec)?;
        let mut warnings = Vec::new();
        let (rows, cols) = (side(data, tags::ROWS)?, side(data, tags::COLUMNS)?);
        check_size(rows, cols, limits)?;
        let photometric = photometric(data, &mut warnings)?;
        let bits = Bits::read(data, &mut warnings)?;
        let layout = Layout {
            rows,
            cols,
            frames: frames(data)?,
            samples: photometric.samples(),
            photometric,
            planar: data.word(tags::PLANAR_CONFIGURATION) == Some(1),
            bits_allocated: bits.allocated,
            bits_stored: bits.stored,
            high_bit: bits.high,
            signed: data.word(tags::PIXEL_REPRESENTATION) == Some(1),
            big_endian: data.is_big_endian(),
            codec: header.syntax.codec.clone(),
            pixel_data,
            warnings,
        };
        layout.check_inside(header.source_length)?;
        Ok(layout)
    }

    /// Pixels of one frame.
    pub(crate) fn pixels(&self) -> usize {
        self.rows * self.cols
    }

    /// Bytes of one native frame.
    pub(crate) fn frame_bytes(&self) -> usize {
        let bytes = self.bits_allocated as usize / 8;
        match self.is_subsampled() {
            true => self.rows * self.cols.next_multiple_of(2) * 2 * bytes,
            false => self.pixels() * self.samples * bytes,
        }
    }

    /// Whether native pixels lack every other colour difference. Files are found that name
    /// YBR_FULL_422 and yet hold all of them.
    pub(crate) fn is_subsampled(&self) -> bool {
        let bytes = self.pixels() as u64 * 3 * u64::from(self.bits_allocated / 8);
        let full = bytes * self.frames as u64;
        self.photometric == Photometric::YbrFull422
            && self
                .pixel_data
                .length
                .is_some_and(|length| u64::from(length) < full)
    }

    fn check_inside(&self, source_length: u64) -> Result<(), Error> {
        let Some(length) = self.pixel_data.length else {
            return Ok(());
        };
        if self.codec != Codec::Native {
            return Err(malformed(
                "expected encapsulated pixel data, got plain bytes",
            ));
        }
        let swapped = self.big_endian && self.pixel_data.in_words && self.bits_allocated == 8;
        if swapped && !self.frame_bytes().is_multiple_of(2) {
            return Err(unsupported(
                "expected frames of whole words, got an odd number of bytes",
            ));
        }
        let needed = self.frame_bytes() as u64 * self.frames as u64;
        let there = source_length.saturating_sub(self.pixel_data.offset);
        if needed <= u64::from(length).min(there) {
            return Ok(());
        }
        Err(malformed(format!(
            "expected {needed} bytes of pixels, got {}",
            there.min(u64::from(length))
        )))
    }
}

fn check_codec(codec: &Codec) -> Result<(), Error> {
    let Codec::Other(uid) = codec else {
        return Ok(());
    };
    let what = match uid.as_str() {
        uids::JPEGXL_LOSSLESS | uids::JPEGXLJPEG_RECOMPRESSION | uids::JPEGXL => "JPEG XL",
        video if video.starts_with("1.2.840.10008.1.2.4.10") => "video",
        _ => "an unknown one",
    };
    let uid: String = uid
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '.')
        .take(64)
        .collect();
    Err(unsupported(format!(
        "expected a transfer syntax that is read here, got {what} ({uid})"
    )))
}

fn side(data: &Dataset, tag: Tag) -> Result<usize, Error> {
    match data.word(tag) {
        Some(0) | None => Err(malformed("expected at least one row and one column")),
        Some(pixels) => Ok(pixels.into()),
    }
}

fn check_size(rows: usize, cols: usize, limits: &Limits) -> Result<(), Error> {
    if rows as u64 * cols as u64 <= limits.max_pixels {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::TooLarge,
        format!(
            "expected at most {} pixels, got {rows} × {cols}",
            limits.max_pixels
        ),
    ))
}

fn frames(data: &Dataset) -> Result<usize, Error> {
    let Some(text) = data.text(tags::NUMBER_OF_FRAMES) else {
        return Ok(1);
    };
    match text.parse::<usize>() {
        Ok(frames @ 1..=MAX_FRAMES) => Ok(frames),
        Ok(0) | Err(_) => Err(malformed("expected a number of frames of at least 1")),
        Ok(frames) => Err(Error::new(
            ErrorKind::TooLarge,
            format!("expected at most {MAX_FRAMES} frames, got {frames}"),
        )),
    }
}

fn repaired(warnings: &mut Vec<Warning>, message: &str) {
    warnings.push(Warning {
        kind: WarningKind::Repaired,
        message: message.to_owned(),
    });
}

fn photometric(data: &Dataset, warnings: &mut Vec<Warning>) -> Result<Photometric, Error> {
    let samples = usize::from(data.word(tags::SAMPLES_PER_PIXEL).unwrap_or(0));
    let photometric = match (data.text(tags::PHOTOMETRIC_INTERPRETATION), samples) {
        (Some(name), _) => Photometric::of(&name)?,
        (None, 0) => {
            return Err(malformed(
                "expected to be told what pixels mean, got nothing",
            ));
        }
        (None, samples) => {
            repaired(
                warnings,
                "the meaning of pixels was taken from the number of samples",
            );
            match samples {
                3 => Photometric::Rgb,
                _ => Photometric::Monochrome2,
            }
        }
    };
    match (samples, photometric.samples()) {
        (0, _) => repaired(
            warnings,
            "the number of samples was taken from the meaning of pixels",
        ),
        (got, expected) if got != expected => {
            return Err(malformed(format!(
                "expected {expected} samples per pixel, got {got}"
            )));
        }
        _ => {}
    }
    Ok(photometric)
}

struct Bits {
    allocated: u32,
    stored: u32,
    high: u32,
}

impl Bits {
    fn read(data: &Dataset, warnings: &mut Vec<Warning>) -> Result<Bits, Error> {
        let number = |tag| data.word(tag).map(u32::from);
        let allocated = number(tags::BITS_ALLOCATED)
            .ok_or_else(|| malformed("expected to be told the bits per sample, got nothing"))?;
        if allocated != 8 && allocated != 16 {
            return Err(unsupported(format!(
                "expected 8 or 16 bits per sample, got {allocated}"
            )));
        }
        let mut stored = number(tags::BITS_STORED).unwrap_or(allocated);
        if stored == 0 || stored > allocated {
            repaired(
                warnings,
                "the number of stored bits was taken from the allocated ones",
            );
            stored = allocated;
        }
        let mut high = number(tags::HIGH_BIT).unwrap_or(stored - 1);
        if high + 1 < stored || high >= allocated {
            repaired(
                warnings,
                "the highest bit was taken from the number of stored bits",
            );
            high = stored - 1;
        }
        Ok(Bits {
            allocated,
            stored,
            high,
        })
    }
}
