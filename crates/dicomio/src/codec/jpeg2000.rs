//! JPEG 2000 and its high-throughput part.

use jpeg2k::{DecodeParameters, Image, ImageComponent};
use lobule_raster::Image as Pixels;

use super::{Samples, guarded};
use crate::dataset::malformed;
use crate::layout::{Layout, Photometric, unsupported};
use crate::{Error, ErrorKind};

/// Start of the codestream and of its size segment.
const START: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];
/// The decoder sets up all tiles at once.
const MAX_TILES: u64 = 4096;
/// The decoder sets up all code blocks of a tile at once, with about half a KiB for each; 64
/// million pixels in blocks of 32 × 32 have fewer in three colors.
const MAX_BLOCKS: u64 = 1 << 18;
/// Boxes around a codestream that change what its components mean.
const COLOR_BOXES: [&[u8]; 3] = [b"pclr", b"cmap", b"cdef"];
/// Markers: coding style, coding style of a component, start of a tile part and of its data.
const COD: u8 = 0x52;
const COC: u8 = 0x53;
const SOT: u8 = 0x90;
const SOD: u8 = 0x93;

pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Result<Samples, Error> {
    let (stream, head) = checked(bytes, (layout.rows, layout.cols), layout.samples)?;
    if !head.full_size {
        return Err(malformed("expected all colors in full size, got others"));
    }
    let image = decoded(stream)?;
    let components = image.components();
    let whole = |c: &ImageComponent| size_of(c) == (layout.rows, layout.cols);
    if components.len() != layout.samples || !components.iter().all(whole) {
        return Err(malformed("expected all colors in full size, got others"));
    }
    let mut values = vec![0_u16; layout.pixels() * layout.samples];
    for (sample, component) in components.iter().enumerate() {
        let places = values.iter_mut().skip(sample).step_by(layout.samples);
        for (value, &decoded) in places.zip(component.data()) {
            *value = decoded as u16;
        }
    }
    Ok(Samples {
        values,
        meaning: head.meaning(layout.photometric),
    })
}

/// A tile of a slide, of three colors with 8 bits each.
#[derive(Debug, Clone, PartialEq)]
pub struct Jpeg2000Tile {
    /// The three components of each pixel.
    pub pixels: Pixels<[u8; 3]>,
    /// Whether the stream named a color transform, which is undone: the components are red, green
    /// and blue then. Else they are what the file around the stream says.
    pub transformed: bool,
}

/// Decodes a JPEG 2000 stream of `(rows, cols)` pixels that stands in a file other than DICOM.
///
/// Components may be smaller than the tile by whole factors, as colour differences are in Aperio's
/// files; their pixels are repeated.
///
/// # Errors
/// When it is no such stream, is damaged, or would take more memory than its size accounts for.
pub fn decode_jpeg2000_tile(bytes: &[u8], size: (usize, usize)) -> Result<Jpeg2000Tile, Error> {
    guarded(|| {
        let (stream, head) = checked(bytes, size, 3)?;
        let image = decoded(stream)?;
        let [first, second, third] = image.components() else {
            return Err(malformed("expected three colors, got others"));
        };
        let planes = [first, second, third].map(|c| Plane::new(c, size));
        let [Some(first), Some(second), Some(third)] = planes else {
            return Err(malformed(
                "expected colors of 8 bits in whole steps, got others",
            ));
        };
        let at = |row, col| [first.at(row, col), second.at(row, col), third.at(row, col)];
        Ok(Jpeg2000Tile {
            pixels: Pixels::from_fn(size.0, size.1, at),
            transformed: head.transformed,
        })
    })
}

/// A component and how many pixels each of its values stands for.
struct Plane<'a> {
    data: &'a [i32],
    cols: usize,
    step: (usize, usize),
}

impl<'a> Plane<'a> {
    fn new(component: &'a ImageComponent, (rows, cols): (usize, usize)) -> Option<Plane<'a>> {
        let (own_rows, own_cols) = size_of(component);
        let step = |pixels: usize, own: usize| {
            let step = pixels.div_ceil(own.max(1));
            (own > 0 && pixels.div_ceil(step) == own).then_some(step)
        };
        let is_whole = component.data().len() == own_rows * own_cols;
        let is_byte = component.precision() == 8 && !component.is_signed();
        Some(Plane {
            data: component.data(),
            cols: own_cols,
            step: (step(rows, own_rows)?, step(cols, own_cols)?),
        })
        .filter(|_| is_whole && is_byte)
    }

    fn at(&self, row: usize, col: usize) -> u8 {
        let value = self.data[row / self.step.0 * self.cols + col / self.step.1];
        value.clamp(0, 255) as u8
    }
}

fn size_of(component: &ImageComponent) -> (usize, usize) {
    (component.height() as usize, component.width() as usize)
}

/// The codestream and its head, which fit what is expected.
fn checked(bytes: &[u8], size: (usize, usize), samples: usize) -> Result<(&[u8], Head), Error> {
    let damaged = || malformed("expected a JPEG 2000 stream");
    let stream = codestream(bytes)?.ok_or_else(damaged)?;
    let head = Head::read(stream).ok_or_else(damaged)?;
    head.check(size, samples)?;
    Ok((stream, head))
}

fn decoded(stream: &[u8]) -> Result<Image, Error> {
    let strict = DecodeParameters::new().strict(true);
    Image::from_bytes_with(stream, strict)
        .map_err(|e| malformed(format!("expected a JPEG 2000 stream: {e}")))
}

/// The codestream without the boxes around it. The decoder is given nothing else: among boxes it
/// might find another codestream than the one whose head was checked.
fn codestream(bytes: &[u8]) -> Result<Option<&[u8]>, Error> {
    let Some(start) = bytes.windows(4).position(|w| w == START) else {
        return Ok(None);
    };
    let (boxes, stream) = bytes.split_at(start);
    match boxes.windows(4).any(|w| COLOR_BOXES.contains(&w)) {
        true => Err(unsupported(
            "expected colors in the JPEG 2000 stream itself, got a table of them around it",
        )),
        false => Ok(Some(stream)),
    }
}

/// The size segment, and what follows from the coding styles.
#[derive(Debug)]
struct Head {
    rows: u64,
    cols: u64,
    tiles: u64,
    components: u16,
    full_size: bool,
    /// Code blocks of all components, by the coding style that cuts the smallest.
    blocks: u64,
    /// By a color transform that the decoder undoes.
    transformed: bool,
}

impl Head {
    fn read(stream: &[u8]) -> Option<Head> {
        let size = stream.get(START.len()..)?;
        let length = usize::from(u16::from_be_bytes(*size.first_chunk()?));
        let (segment, rest) = size.split_at_checked(length)?;
        let number = |at: usize| {
            let bytes = segment.get(at..at + 4)?.first_chunk()?;
            Some(u64::from(u32::from_be_bytes(*bytes)))
        };
        let (right, bottom) = (number(4)?, number(8)?);
        let (left, top) = (number(12)?, number(16)?);
        let (tile_cols, tile_rows) = (number(20)?.max(1), number(24)?.max(1));
        let (rows, cols) = (bottom.checked_sub(top)?, right.checked_sub(left)?);
        let components = segment.get(38..)?;
        let n_components = u16::from_be_bytes(*segment.get(36..)?.first_chunk()?);
        let blocks = Segments::new(rest).filter_map(|(marker, body)| Style::read(marker, body));
        let most_blocks = blocks.map(|style| style.blocks(rows, cols)).max();
        Some(Head {
            rows,
            cols,
            tiles: right
                .div_ceil(tile_cols)
                .saturating_mul(bottom.div_ceil(tile_rows)),
            components: n_components,
            full_size: components.chunks_exact(3).all(|c| c[1] == 1 && c[2] == 1),
            blocks: most_blocks.unwrap_or(0).saturating_mul(n_components.into()),
            transformed: is_transformed(rest),
        })
    }

    fn check(&self, (rows, cols): (usize, usize), samples: usize) -> Result<(), Error> {
        if (self.rows, self.cols) != (rows as u64, cols as u64) {
            return Err(malformed(format!(
                "expected {rows} × {cols} pixels, got a JPEG 2000 stream of {} × {}",
                self.rows, self.cols
            )));
        }
        if usize::from(self.components) != samples {
            return Err(malformed(format!(
                "expected {samples} samples per pixel, got a JPEG 2000 stream of {}",
                self.components
            )));
        }
        if self.tiles > MAX_TILES {
            return Err(malformed(format!("expected at most {MAX_TILES} tiles")));
        }
        if self.blocks > MAX_BLOCKS {
            let got = self.blocks;
            let message = format!("expected at most {MAX_BLOCKS} code blocks, got {got}");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        Ok(())
    }

    fn meaning(&self, stated: Photometric) -> Photometric {
        match stated {
            Photometric::YbrFull | Photometric::YbrFull422 if !self.transformed => {
                Photometric::YbrFull
            }
            Photometric::YbrFull | Photometric::YbrFull422 | Photometric::Ybr2000 => {
                Photometric::Rgb
            }
            other => other,
        }
    }
}

/// Reads the multiple-component transform of the coding-style segment of the main header.
fn is_transformed(rest: &[u8]) -> bool {
    let mut main_header = Segments::new(rest).take_while(|(marker, _)| *marker != SOT);
    let style = main_header.find(|(marker, _)| *marker == COD);
    style.is_some_and(|(_, body)| body.get(4) == Some(&1))
}

/// The segments of the main header and of the headers of all tile parts (T.800 annex A): marker
/// and content. Ends at the first byte that is none of them.
struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
    end_of_part: Option<usize>,
}

impl<'a> Segments<'a> {
    fn new(bytes: &'a [u8]) -> Segments<'a> {
        Segments {
            bytes,
            at: 0,
            end_of_part: None,
        }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        if self.bytes.get(self.at..)?.starts_with(&[0xFF, SOD]) {
            self.at = self.end_of_part.filter(|&end| end > self.at)?;
        }
        let (&[0xFF, marker], after) = self.bytes.get(self.at..)?.split_first_chunk::<2>()? else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
        let body = after.get(2..length)?;
        if marker == SOT {
            let part = u32::from_be_bytes(*body.get(2..)?.first_chunk()?) as usize;
            self.end_of_part = (part > 0).then_some(self.at + part);
        }
        self.at += 2 + length;
        Some((marker, body))
    }
}

/// How an image or a component of it is cut (T.800 A.6.1, A.6.2).
struct Style<'a> {
    levels: u32,
    /// Exponents of a code block's columns and rows.
    block: (u32, u32),
    /// Exponents of each resolution's precincts, one byte each; empty for the largest.
    precincts: &'a [u8],
}

impl<'a> Style<'a> {
    fn read(marker: u8, body: &'a [u8]) -> Option<Style<'a>> {
        let (&flags, numbers) = match marker {
            COD => (body.first()?, body.get(5..)?),
            COC => (body.get(1)?, body.get(2..)?),
            _ => return None,
        };
        let &[levels, cols, rows, _, _, ref precincts @ ..] = numbers else {
            return None;
        };
        let exponent = |stored: u8| u32::from(stored & 15) + 2;
        Some(Style {
            levels: u32::from(levels).min(32),
            block: (exponent(cols), exponent(rows)),
            precincts: if flags & 1 == 1 { precincts } else { &[] },
        })
    }

    /// Code blocks of one component of this size.
    fn blocks(&self, rows: u64, cols: u64) -> u64 {
        let of_resolution = |resolution: u32| {
            let precinct = self.precincts.get(resolution as usize).unwrap_or(&0xFF);
            let (bands, half) = if resolution == 0 { (1, 0) } else { (3, 1) };
            let shrunk = self.levels - resolution + half;
            let count = |pixels: u64, block: u32, precinct: u8| {
                let side = block.min(u32::from(precinct).saturating_sub(half));
                pixels.div_ceil(1 << shrunk).div_ceil(1 << side)
            };
            let (across, down) = (
                count(cols, self.block.0, precinct & 15),
                count(rows, self.block.1, precinct >> 4),
            );
            across.saturating_mul(down).saturating_mul(bands)
        };
        (0..=self.levels)
            .map(of_resolution)
            .fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A coding style of five levels, with blocks of `4 << block` squared.
    fn style(block: u8, precincts: &[u8]) -> Vec<u8> {
        let flags = u8::from(!precincts.is_empty());
        let head = [flags, 0, 0, 1, 0, 5, block, block, 0, 1];
        [&head[..], precincts].concat()
    }

    #[test]
    fn blocks_are_counted_by_what_cuts_them() {
        // By hand: 1 + 3 · (1 + 1 + 1 + 4 + 16) of 64 × 64; single pixels are all there are.
        let cases = [
            (style(4, &[]), 1 + 3 * 23),
            (style(4, &[0xFF; 6]), 1 + 3 * 23),
            (style(4, &[0x00; 6]), 512 * 512),
        ];
        for (body, expected) in cases {
            let style = Style::read(COD, &body).unwrap();
            assert_eq!(style.blocks(512, 512), expected, "{body:?}");
        }
    }

    #[test]
    fn styles_are_found_in_the_headers_of_all_tile_parts() {
        let segment = |marker: u8, body: &[u8]| {
            let length = (body.len() as u16 + 2).to_be_bytes();
            [&[0xFF, marker], &length[..], body].concat()
        };
        let part = |length: u8| segment(SOT, &[0, 0, 0, 0, 0, length, 0, 1]);
        let data = [0xFF, SOD, 1, 2, 3];
        let coded = segment(COD, &style(4, &[]));
        let length = (12 + coded.len() + data.len()) as u8;
        let whole = [&coded, &part(17), &data[..], &part(length), &coded, &data].concat();
        let markers = |bytes: &[u8]| -> Vec<u8> { Segments::new(bytes).map(|s| s.0).collect() };
        assert_eq!(markers(&whole), [COD, SOT, SOT, COD]);
        // A part that ends before its data must not be read for ever.
        assert_eq!(markers(&[&part(1), &data[..]].concat()), [SOT]);
        assert_eq!(markers(&[&part(0), &data[..]].concat()), [SOT]);
    }

    #[test]
    fn tables_of_colors_around_a_stream_are_refused() {
        assert_eq!(codestream(b"no stream").unwrap(), None);
        let stream = [&b"jp2h"[..], &START, b"pclr"].concat();
        assert_eq!(codestream(&stream).unwrap(), Some(&stream[4..]));
        let error = codestream(&[&b"pclr"[..], &START].concat()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedEncoding);
    }

    #[test]
    fn damaged_heads_are_refused() {
        let mut whole = START.to_vec();
        whole.extend([0, 41]);
        whole.extend([0; 39]);
        assert!(Head::read(&whole).is_some());
        for cut in 0..whole.len() {
            assert!(Head::read(&whole[..cut]).is_none(), "{cut}");
        }
    }
}
