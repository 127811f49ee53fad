//! Long values of an instance, fetched by themselves.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::dataset::{self, Encoding, ReadSeek};
use crate::walker::{ElementHeader, ITEM, ITEM_END, UNDEFINED, Walker, items_encoding};
use crate::{Error, ErrorKind};

/// Deepest way to a value: tag, item, tag, item, …, tag.
const MAX_STEPS: usize = 32;

/// A value that is read piece by piece.
pub struct BulkData {
    source: Box<dyn ReadSeek>,
    left: u64,
    /// Bytes of a number of the value, in big endian files.
    width: usize,
}

/// Where a value was found.
pub enum FoundBulkData {
    /// Its bytes.
    Value(BulkData),
    /// Compressed pixels: they are sent frame by frame.
    Frames,
}

/// Finds a value by the way [`write_metadata`](super::write_metadata) gives: tags, with numbers of
/// items between them, from 1. None where there is no such value.
///
/// # Errors
/// When the file cannot be read or is malformed.
pub fn find_bulk_data(file: &Path, way: &str) -> Result<Option<FoundBulkData>, Error> {
    let Some(way) = parse(way) else {
        return Ok(None);
    };
    let found = dataset::open_file(file).and_then(|opened| {
        let encoding = opened.syntax.encoding;
        descend(opened.walker, encoding, &way)
    });
    found.map_err(|e| e.in_file(file))
}

enum Step {
    Element(Tag),
    Item(u32),
}

fn parse(way: &str) -> Option<Vec<Step>> {
    let parts: Vec<&str> = way.split('/').collect();
    if parts.len() > MAX_STEPS || parts.len().is_multiple_of(2) {
        return None;
    }
    let step = |(i, part): (usize, &&str)| {
        let all = |is: fn(&u8) -> bool| part.bytes().all(|b| is(&b));
        match i % 2 {
            0 if part.len() == 8 && all(u8::is_ascii_hexdigit) => {
                let number = u32::from_str_radix(part, 16).ok()?;
                Some(Step::Element(Tag((number >> 16) as u16, number as u16)))
            }
            1 if all(u8::is_ascii_digit) => part.parse().ok().map(Step::Item),
            _ => None,
        }
    };
    parts.iter().enumerate().map(step).collect()
}

fn descend(
    mut walker: Walker<Box<dyn ReadSeek>>,
    encoding: Encoding,
    way: &[Step],
) -> Result<Option<FoundBulkData>, Error> {
    let (mut encoding, mut end) = (encoding, walker.length);
    let mut current = None;
    for step in way {
        match step {
            Step::Element(tag) => {
                current = find_element(&mut walker, encoding, end, *tag)?;
            }
            Step::Item(number) => {
                let Some(sequence) = current else {
                    return Ok(None);
                };
                if sequence.length != UNDEFINED {
                    end = walker.position + u64::from(sequence.length);
                } else {
                    encoding = items_encoding(&sequence, encoding);
                }
                match find_item(&mut walker, encoding, end, *number)? {
                    Some(item_end) => end = item_end,
                    None => return Ok(None),
                }
            }
        }
        if current.is_none() {
            return Ok(None);
        }
    }
    let Some(header) = current else {
        return Ok(None);
    };
    if header.length == UNDEFINED {
        let is_pixels = header.tag == tags::PIXEL_DATA && way.len() == 1;
        return Ok(is_pixels.then_some(FoundBulkData::Frames));
    }
    walker.check_inside(header.length.into())?;
    let width = match (&header.vr, encoding.big_endian) {
        (b"OW" | b"US" | b"SS" | b"AT", true) => 2,
        (b"OF" | b"OL" | b"UL" | b"SL" | b"FL", true) => 4,
        (b"OD" | b"OV" | b"UV" | b"SV" | b"FD", true) => 8,
        _ => 1,
    };
    Ok(Some(FoundBulkData::Value(BulkData {
        source: walker.source,
        left: header.length.into(),
        width,
    })))
}

/// Stops behind the header of the element.
fn find_element(
    walker: &mut Walker<Box<dyn ReadSeek>>,
    encoding: Encoding,
    end: u64,
    tag: Tag,
) -> Result<Option<ElementHeader>, Error> {
    while walker.position < end {
        let header = walker.element_header(encoding)?;
        if header.tag == tag {
            return Ok(Some(header));
        }
        if header.tag == ITEM_END {
            return Ok(None);
        }
        pass(walker, &header, encoding)?;
    }
    Ok(None)
}

/// Stops at the first element of the item; gives where it ends at the latest.
fn find_item(
    walker: &mut Walker<Box<dyn ReadSeek>>,
    encoding: Encoding,
    end: u64,
    number: u32,
) -> Result<Option<u64>, Error> {
    let mut seen = 0;
    while walker.position < end {
        let header = walker.element_header(encoding)?;
        if header.tag != ITEM {
            return Ok(None);
        }
        seen += 1;
        if seen == number {
            return Ok(Some(match header.length {
                UNDEFINED => end,
                length => walker.position + u64::from(length),
            }));
        }
        pass(walker, &header, encoding)?;
    }
    Ok(None)
}

fn pass(
    walker: &mut Walker<Box<dyn ReadSeek>>,
    header: &ElementHeader,
    encoding: Encoding,
) -> Result<(), Error> {
    match header.length {
        UNDEFINED if header.tag == ITEM => walker.skip_item(encoding),
        UNDEFINED => walker.skip_undefined(items_encoding(header, encoding)),
        length => walker.skip(length),
    }
}

impl BulkData {
    /// Bytes that have not been read.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// The next bytes, at most `most` of them and none at the end; numbers in little endian.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next(&mut self, most: usize) -> Result<Vec<u8>, Error> {
        let wanted = self.left.min((most - most % 8) as u64) as usize;
        let mut bytes = vec![0; wanted];
        let read = self.source.read_exact(&mut bytes);
        read.map_err(|e| Error::new(ErrorKind::Io, e.to_string()))?;
        self.left -= wanted as u64;
        if self.width > 1 {
            bytes.chunks_exact_mut(self.width).for_each(<[u8]>::reverse);
        }
        Ok(bytes)
    }
}

/// An encapsulated document of a media type.
///
/// # Errors
/// When the file cannot be read, or its document is longer than it.
pub fn find_document(file: &Path, media_type: &str) -> Result<Option<BulkData>, Error> {
    let wanted = [tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT];
    let header = dataset::read_file(file, &wanted).map_err(|e| e.in_file(file))?;
    let stated = header
        .dataset
        .text(tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT);
    if stated.as_deref() != Some(media_type) {
        return Ok(None);
    }
    Ok(match find_bulk_data(file, "00420011")? {
        Some(FoundBulkData::Value(document)) => Some(document),
        _ => None,
    })
}

/// A file as it is kept, read piece by piece.
///
/// # Errors
/// When it cannot be read.
pub fn open_whole(file: &Path) -> Result<BulkData, Error> {
    let io = |e: std::io::Error| Error::new(ErrorKind::Io, e.to_string()).in_file(file);
    let mut source = std::fs::File::open(file).map_err(io)?;
    let left = source.seek(SeekFrom::End(0)).map_err(io)?;
    source.rewind().map_err(io)?;
    Ok(BulkData {
        source: Box::new(source),
        left,
        width: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_tags_with_numbers_between() {
        for (way, expected) in [
            ("7FE00010", true),
            ("00409096/1/00281011", true),
            ("00409096/1", false),
            ("", false),
            ("../7FE0", false),
            ("7FE00010/x/00100010", false),
            ("+FE00010", false),
        ] {
            assert_eq!(parse(way).is_some(), expected, "{way}");
        }
        assert!(parse(&["00409096"; 99].join("/1/")).is_none());
    }
}
