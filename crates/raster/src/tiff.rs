//! What must be known of a TIFF file beside what its decoder tells.
//!
//! Owns: the entries of the first directory, claims of more memory than the file has, and palettes.
//! Does not own: decoding (`image`), slides (the crate `slide`).
//!
//! The decoder refuses palettes. The indices of one are read as grey, and looked up here:
//! `let palette = Palette::of(&bytes)`, decode `palette.indices`, then `palette.look_up(&grey)`.

use crate::{Error, ErrorKind, Image};

/// Bytes of a value, by the number of its type (TIFF 6.0 section 2 and BigTIFF).
const SIZES: [u64; 19] = [1, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 1, 1, 1, 8, 8, 8];

const SHORT: u64 = 3;
const BITS_PER_SAMPLE: u64 = 258;
const PHOTOMETRIC: u64 = 262;
const SAMPLES_PER_PIXEL: u64 = 277;
const COLOR_MAP: u64 = 320;
const IS_PALETTE: u64 = 3;
const BLACK_IS_ZERO: u8 = 1;

/// Entries of the palettes that are read: those of indices of 8 bits.
const COLORS: usize = 256;

/// One entry of the first directory.
struct Entry {
    tag: u64,
    kind: u64,
    count: u64,
    /// Where its values are.
    at: u64,
}

impl Entry {
    fn bytes(&self) -> u64 {
        let size = SIZES.get(self.kind as usize).copied().unwrap_or(1);
        self.count.saturating_mul(size)
    }
}

/// A file in memory and how it writes its numbers.
#[derive(Clone, Copy)]
struct File<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    is_big: bool,
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8]) -> Option<File<'a>> {
        let mut file = File {
            bytes,
            big_endian: bytes.starts_with(b"MM"),
            is_big: false,
        };
        file.is_big = file.number(2, 2)? == 43;
        Some(file)
    }

    fn number(self, at: u64, size: u64) -> Option<u64> {
        let start = usize::try_from(at).ok()?;
        let digits = self
            .bytes
            .get(start..start.checked_add(usize::try_from(size).ok()?)?)?;
        let append = |n: u64, &digit: &u8| n << 8 | u64::from(digit);
        Some(match self.big_endian {
            true => digits.iter().fold(0, append),
            false => digits.iter().rev().fold(0, append),
        })
    }

    /// The entries of the first directory, as far as the file has them.
    fn entries(self) -> impl Iterator<Item = Entry> + 'a {
        // Bytes of an offset, of the number of entries, and of an entry.
        let (offset, head, size) = if self.is_big { (8, 8, 20) } else { (4, 2, 12) };
        let start = self.number(if self.is_big { 8 } else { 4 }, offset);
        let count = start.and_then(|start| self.number(start, head));
        (0..count.unwrap_or(0)).map_while(move |i| {
            let at = start?
                .checked_add(head)?
                .checked_add(i.checked_mul(size)?)?;
            self.entry(at, offset)
        })
    }

    fn entry(self, at: u64, offset: u64) -> Option<Entry> {
        let value = at.checked_add(4 + offset)?;
        let mut entry = Entry {
            tag: self.number(at, 2)?,
            kind: self.number(at + 2, 2)?,
            count: self.number(at + 4, offset)?,
            at: value,
        };
        if entry.bytes() > offset {
            entry.at = self.number(value, offset)?;
        }
        Some(entry)
    }

    /// The first value of an entry of short integers.
    fn short(self, entry: Option<&Entry>) -> Option<u64> {
        let entry = entry.filter(|entry| entry.kind == SHORT && entry.count >= 1)?;
        self.number(entry.at, 2)
    }
}

/// Whether an entry of the first directory claims more bytes of values than the file has: the
/// decoder takes memory for a claim, 32 bytes for each value, before it knows our limits.
pub(crate) fn claims_more(bytes: &[u8]) -> bool {
    File::open(bytes).is_some_and(|file| {
        let mut entries = file.entries();
        entries.any(|entry| entry.bytes() > bytes.len() as u64)
    })
}

/// The colors of a picture that holds indices.
pub(crate) struct Palette {
    /// The file, saying that its indices are grey values.
    pub(crate) indices: Vec<u8>,
    colors: Vec<[u8; 3]>,
}

impl Palette {
    /// The palette of a file that has one.
    ///
    /// # Errors
    /// `Format` for indices that are not of 8 bits, or a table of another length than theirs.
    pub(crate) fn of(bytes: &[u8]) -> Result<Option<Palette>, Error> {
        let Some(file) = File::open(bytes) else {
            return Ok(None);
        };
        let entries: Vec<Entry> = file.entries().collect();
        let find = |tag: u64| entries.iter().find(|entry| entry.tag == tag);
        let Some(photometric) = find(PHOTOMETRIC) else {
            return Ok(None);
        };
        if file.short(Some(photometric)) != Some(IS_PALETTE) {
            return Ok(None);
        }
        let bits = file.short(find(BITS_PER_SAMPLE)).unwrap_or(1);
        let samples = file.short(find(SAMPLES_PER_PIXEL)).unwrap_or(1);
        if (bits, samples) != (8, 1) {
            return Err(refused(format!(
                "a palette with one index of 8 bits per pixel, got {samples} of {bits} bits"
            )));
        }
        Ok(Some(Palette {
            colors: colors(file, find(COLOR_MAP))?,
            indices: as_gray(file, photometric),
        }))
    }

    /// The colors that the indices stand for.
    pub(crate) fn look_up(&self, indices: &Image<u8>) -> Image<[u8; 3]> {
        indices.map(|index| self.colors[usize::from(index)])
    }
}

fn refused(expected: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Format, format!("expected {expected}"))
}

/// All red values stand first, then green, then blue (TIFF 6.0 section 5), of 16 bits; some
/// programs write 8 bits into them.
fn colors(file: File<'_>, map: Option<&Entry>) -> Result<Vec<[u8; 3]>, Error> {
    let missing = || refused("a palette of 256 colors, got none");
    let map = map
        .filter(|map| map.kind == SHORT && map.count == 3 * COLORS as u64)
        .ok_or_else(missing)?;
    let values: Vec<u64> = (0..map.count)
        .map_while(|i| file.number(map.at.checked_add(2 * i)?, 2))
        .collect();
    if values.len() < 3 * COLORS {
        return Err(missing());
    }
    let shift = if values.iter().all(|&v| v < 256) {
        0
    } else {
        8
    };
    let color = |i: usize| [0, 1, 2].map(|channel| (values[channel * COLORS + i] >> shift) as u8);
    Ok((0..COLORS).map(color).collect())
}

/// The file with another word for what its values mean.
fn as_gray(file: File<'_>, photometric: &Entry) -> Vec<u8> {
    let mut bytes = file.bytes.to_vec();
    let low = photometric.at as usize + usize::from(file.big_endian);
    bytes[low] = BLACK_IS_ZERO;
    bytes
}
