//! From a file to decoded frames.
//!
//! Owns: which frames of a cine loop are read, where a frame's bytes are, the order
//! stored bytes → samples → picture. Does not own: codecs (`codec`), colours and grey (`render`).

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use lobule_exam::{Warning, WarningKind};
use lobule_raster::{Limits, Picture};

use crate::codec::Samples;
use crate::dataset::{self, Header, malformed};
use crate::header::WANTED;
use crate::layout::Layout;
use crate::render::Renderer;
use crate::{Error, ErrorKind, Instance, codec};

/// Most frames that are taken from a cine loop.
const MAX_SAMPLED_FRAMES: usize = 8;
/// Most fragments of encapsulated pixel data.
const MAX_FRAGMENTS: usize = 1_000_000;

/// The frames of a cine loop that are assessed.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledFrames {
    /// Frames to read, from 0, ascending.
    pub frames: Vec<usize>,
    /// Says which rule left frames out, when any were.
    pub warning: Option<Warning>,
}

/// Chooses the frames of a loop: all of them up to 8; of more, 8 that are evenly spaced, each from
/// the middle of its eighth, `floor((2·i + 1)·n / 16)`, so that neither end counts twice.
///
/// ```
/// assert_eq!(lobule_dicomio::sample_frames(3).frames, [0, 1, 2]);
/// assert_eq!(lobule_dicomio::sample_frames(16).frames, [1, 3, 5, 7, 9, 11, 13, 15]);
/// ```
pub fn sample_frames(n_frames: usize) -> SampledFrames {
    if n_frames <= MAX_SAMPLED_FRAMES {
        return SampledFrames {
            frames: (0..n_frames).collect(),
            warning: None,
        };
    }
    let middle = |i: usize| {
        let doubled = (2 * i as u128 + 1) * n_frames as u128;
        (doubled / (2 * MAX_SAMPLED_FRAMES as u128)) as usize
    };
    SampledFrames {
        frames: (0..MAX_SAMPLED_FRAMES).map(middle).collect(),
        warning: Some(Warning {
            kind: WarningKind::FramesSampled,
            message: format!("{MAX_SAMPLED_FRAMES} evenly spaced frames of {n_frames} were read"),
        }),
    }
}

/// Decodes frames of an image, in the order asked for. The rest of the file is not read.
///
/// # Errors
/// When a frame does not exist, the frames together exceed `limits`, or one cannot be decoded.
pub fn read_frames(
    instance: &Instance,
    which: &[usize],
    limits: &Limits,
) -> Result<Vec<Picture>, Error> {
    decode_frames(&instance.file, which, limits)
}

/// Decodes frames of any DICOM image, whatever it shows: content is not judged as
/// [`read_header`](crate::read_header) does.
///
/// # Errors
/// As [`read_frames`], and when the header cannot be read.
pub fn decode_frames(file: &Path, which: &[usize], limits: &Limits) -> Result<Vec<Picture>, Error> {
    let read = || -> Result<Vec<Picture>, Error> {
        let mut header = dataset::read_file(file, WANTED)?;
        let layout = Layout::read(&header, limits)?;
        check_frames(&layout, which, limits)?;
        let places = places(&mut header, &layout)?;
        let renderer = Renderer::new(&layout, &header.dataset, &mut Vec::new())?;
        let decode = |&frame: &usize| {
            let bytes = read_place(&mut header, &places[frame])?;
            renderer.render(codec::decode(&bytes, &layout)?)
        };
        which.iter().map(decode).collect()
    };
    read().map_err(|e| e.in_file(file))
}

/// Decodes the first frame to samples, without look-up tables.
pub(crate) fn read_samples(
    header: &mut Header,
    layout: &Layout,
    limits: &Limits,
) -> Result<Samples, Error> {
    check_frames(layout, &[0], limits)?;
    let places = places(header, layout)?;
    let bytes = read_place(header, &places[0])?;
    codec::decode(&bytes, layout)
}

pub(crate) fn check_frames(layout: &Layout, which: &[usize], limits: &Limits) -> Result<(), Error> {
    if let Some(frame) = which.iter().find(|&&frame| frame >= layout.frames) {
        let last = layout.frames - 1;
        return Err(malformed(format!(
            "expected a frame from 0 to {last}, got {frame}"
        )));
    }
    let together = (layout.pixels() as u64).saturating_mul(which.len() as u64);
    if together <= limits.max_pixels {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::TooLarge,
        format!(
            "expected at most {} pixels at once, got {together}",
            limits.max_pixels
        ),
    ))
}

/// Where the bytes of one frame are: in one place, or in several fragments.
pub(crate) type Place = Vec<Range<u64>>;

fn place(start: u64, length: u64) -> Place {
    vec![Range {
        start,
        end: start + length,
    }]
}

/// The place of every frame.
pub(crate) fn places(header: &mut Header, layout: &Layout) -> Result<Vec<Place>, Error> {
    let start = layout.pixel_data.offset;
    if layout.pixel_data.length.is_some() {
        let size = layout.frame_bytes() as u64;
        let frame = |i: usize| place(start + i as u64 * size, size);
        return Ok((0..layout.frames).map(frame).collect());
    }
    let fragments = Fragments::read(header, start)?;
    fragments.group(header, layout.frames)
}

struct Fragments {
    /// Offsets of frames, from the first fragment's item on; may be empty.
    offset_table: Vec<u64>,
    /// Where the values of the fragments are.
    values: Vec<Range<u64>>,
}

impl Fragments {
    fn read(header: &mut Header, start: u64) -> Result<Fragments, Error> {
        let mut position = start;
        let mut values = Vec::new();
        while let Some(value) = next_item(header, position)? {
            if values.len() > MAX_FRAGMENTS {
                let message = format!("expected at most {MAX_FRAGMENTS} fragments of pixel data");
                return Err(Error::new(ErrorKind::TooLarge, message));
            }
            position = value.end;
            values.push(value);
        }
        if values.is_empty() {
            return Err(malformed(
                "expected an offset table before the pixels, got none",
            ));
        }
        let table = read_place(header, &vec![values.remove(0)])?;
        let offsets = table.chunks_exact(4);
        Ok(Fragments {
            offset_table: offsets
                .map(|b| u64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]])))
                .collect(),
            values,
        })
    }

    /// Shares the fragments out among frames: one each, all to the only frame, by the offset
    /// table, or by the fragments that start like a picture.
    fn group(self, header: &mut Header, frames: usize) -> Result<Vec<Place>, Error> {
        if self.values.len() < frames {
            return Err(malformed(format!(
                "expected {frames} frames, got {} fragments of pixel data",
                self.values.len()
            )));
        }
        if self.values.len() == frames {
            return Ok(self.values.into_iter().map(|v| vec![v]).collect());
        }
        if frames == 1 {
            return Ok(vec![self.values]);
        }
        let starts = match self.offset_table.len() == frames {
            true => self.starts_by_table()?,
            false => self.starts_by_content(header)?,
        };
        if starts.len() != frames || starts[0] != 0 {
            return Err(malformed(
                "expected to be told where frames start, got nothing of use",
            ));
        }
        let ends = starts.iter().skip(1).copied().chain([self.values.len()]);
        let frame = |(start, end): (&usize, usize)| self.values[*start..end].to_vec();
        Ok(starts.iter().zip(ends).map(frame).collect())
    }

    fn starts_by_table(&self) -> Result<Vec<usize>, Error> {
        let base = self.values[0].start;
        let position = |offset: &u64| {
            let found = self
                .values
                .binary_search_by_key(&(base + offset), |v| v.start);
            found.map_err(|_| malformed("expected offsets of fragments, got others"))
        };
        let starts: Vec<usize> = self
            .offset_table
            .iter()
            .map(position)
            .collect::<Result<_, _>>()?;
        match starts.is_sorted_by(|a, b| a < b) {
            true => Ok(starts),
            false => Err(malformed("expected ascending offsets of frames")),
        }
    }

    fn starts_by_content(&self, header: &mut Header) -> Result<Vec<usize>, Error> {
        let mut starts = Vec::new();
        for (i, value) in self.values.iter().enumerate() {
            let first = value.start..value.end.min(value.start + 2);
            let bytes = read_place(header, &vec![first])?;
            if bytes == [0xFF, 0xD8] || bytes == [0xFF, 0x4F] {
                starts.push(i);
            }
        }
        Ok(starts)
    }
}

/// The value of the item at a position; none at the sequence's delimiter.
fn next_item(header: &mut Header, position: u64) -> Result<Option<Range<u64>>, Error> {
    const ITEM: [u8; 4] = [0xFE, 0xFF, 0x00, 0xE0];
    const DELIMITER: [u8; 4] = [0xFE, 0xFF, 0xDD, 0xE0];
    // Some writers leave the delimiter at the very end of the file away.
    if position == header.source_length {
        return Ok(None);
    }
    let head = read_place(header, &place(position, 8))?;
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    let value = position + 8..position + 8 + u64::from(length);
    match [head[0], head[1], head[2], head[3]] {
        DELIMITER => Ok(None),
        ITEM if value.end <= header.source_length => Ok(Some(value)),
        ITEM => Err(malformed(format!(
            "expected a fragment of {length} bytes, got the end of the file"
        ))),
        _ => Err(malformed(
            "expected a fragment of pixel data, got something else",
        )),
    }
}

pub(crate) fn read_place(header: &mut Header, place: &Place) -> Result<Vec<u8>, Error> {
    if place.iter().any(|range| range.end > header.source_length) {
        return Err(malformed("expected more pixels, got the end of the file"));
    }
    let length: u64 = place.iter().map(|range| range.end - range.start).sum();
    let mut bytes = vec![0; length as usize];
    let mut filled = 0;
    for range in place {
        let end = filled + (range.end - range.start) as usize;
        let io = |e: std::io::Error| Error::new(ErrorKind::Io, e.to_string());
        header
            .source
            .seek(SeekFrom::Start(range.start))
            .map_err(io)?;
        header
            .source
            .read_exact(&mut bytes[filled..end])
            .map_err(io)?;
        filled = end;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampling_is_even_and_keeps_inside() {
        for n in [1, 2, 8, 9, 10, 17, 120, 100_000, usize::MAX] {
            let sampled = sample_frames(n);
            assert_eq!(sampled.frames.len(), n.min(8));
            assert!(sampled.frames.is_sorted_by(|a, b| a < b));
            assert!(sampled.frames.iter().all(|&f| f < n));
            assert_eq!(sampled.warning.is_some(), n > 8);
        }
        assert_eq!(sample_frames(0).frames, [0_usize; 0]);
    }
}
