//! Walks over the elements of a data set.
//!
//! Owns: lengths, nesting and delimiters, and the bounds that keep a file from taking memory or
//! the stack. Does not own: values (`dataset`).

use std::io::{Cursor, ErrorKind as IoKind, Read, Seek, SeekFrom};

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::dataset::{Dataset, Element, Encoding, PixelData, malformed};
use crate::{Error, ErrorKind};

/// Longest value that is kept; the largest wanted one is a look-up table of 65536 words.
const MAX_VALUE_BYTES: u64 = 1 << 20;
/// Most elements and items that are walked over before the pixel data.
const MAX_ELEMENTS: usize = 1_000_000;
/// Deepest nesting of sequences and items of undefined length.
pub(crate) const MAX_DEPTH: usize = 64;
/// Shorter values are read over, longer ones skipped by seeking.
const BUFFERED_BYTES: u64 = 8192;
pub(crate) const UNDEFINED: u32 = u32::MAX;
pub(crate) const ITEM: Tag = Tag(0xFFFE, 0xE000);
pub(crate) const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
pub(crate) const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

const EXPLICIT_LITTLE: Encoding = Encoding {
    implicit: false,
    big_endian: false,
};

pub(crate) enum Keep<'a> {
    Only(&'a [Tag]),
    If(&'a dyn Fn(Tag) -> bool),
    All,
}

impl Keep<'_> {
    fn keeps(&self, tag: Tag) -> bool {
        match self {
            Keep::Only(wanted) => wanted.contains(&tag),
            Keep::If(keeps) => keeps(tag),
            Keep::All => true,
        }
    }
}

/// What stands before a value. The representation is `??` where it is not written.
#[derive(Clone, Copy)]
pub(crate) struct ElementHeader {
    pub(crate) tag: Tag,
    pub(crate) vr: [u8; 2],
    pub(crate) length: u32,
}

pub(crate) struct Walker<R> {
    pub(crate) source: R,
    pub(crate) length: u64,
    pub(crate) position: u64,
    walked: usize,
}

impl<R: Read + Seek> Walker<R> {
    pub(crate) fn new(source: R, length: u64) -> Walker<R> {
        Walker {
            source,
            length,
            position: 0,
            walked: 0,
        }
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut buffer = [0; N];
        self.source.read_exact(&mut buffer).map_err(read_error)?;
        self.position += N as u64;
        Ok(buffer)
    }

    /// Up to `count` bytes from here, without moving.
    pub(crate) fn peek(&mut self, count: u64) -> Result<Vec<u8>, Error> {
        let mut buffer = Vec::new();
        let mut limited = Read::take(&mut self.source, count);
        limited.read_to_end(&mut buffer).map_err(read_error)?;
        self.seek(self.position)?;
        Ok(buffer)
    }

    pub(crate) fn seek(&mut self, position: u64) -> Result<(), Error> {
        self.source
            .seek(SeekFrom::Start(position))
            .map_err(read_error)?;
        self.position = position;
        Ok(())
    }

    pub(crate) fn skip(&mut self, count: u32) -> Result<(), Error> {
        let count = u64::from(count);
        self.check_inside(count)?;
        if count > BUFFERED_BYTES {
            return self.seek(self.position + count);
        }
        // Seeking throws the reader's buffer away.
        let mut skipped = Read::take(&mut self.source, count);
        std::io::copy(&mut skipped, &mut std::io::sink()).map_err(read_error)?;
        self.position += count;
        Ok(())
    }

    pub(crate) fn check_inside(&self, count: u64) -> Result<(), Error> {
        if self.position + count <= self.length {
            return Ok(());
        }
        Err(malformed(format!(
            "expected a value of {count} bytes at byte {}, got the end of the data",
            self.position
        )))
    }

    fn u16(&mut self, encoding: Encoding) -> Result<u16, Error> {
        let bytes = self.bytes()?;
        Ok(match encoding.big_endian {
            true => u16::from_be_bytes(bytes),
            false => u16::from_le_bytes(bytes),
        })
    }

    fn u32(&mut self, encoding: Encoding) -> Result<u32, Error> {
        let bytes = self.bytes()?;
        Ok(match encoding.big_endian {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        })
    }

    pub(crate) fn element_header(&mut self, encoding: Encoding) -> Result<ElementHeader, Error> {
        self.walked += 1;
        if self.walked > MAX_ELEMENTS {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("expected at most {MAX_ELEMENTS} elements before the pixel data"),
            ));
        }
        let tag = Tag(self.u16(encoding)?, self.u16(encoding)?);
        if encoding.implicit || tag.group() == 0xFFFE {
            let length = self.u32(encoding)?;
            return Ok(ElementHeader {
                tag,
                vr: *b"??",
                length,
            });
        }
        let vr = self.bytes::<2>()?;
        if !vr.iter().all(u8::is_ascii_uppercase) {
            return Err(malformed(format!(
                "expected a value representation after tag {tag}"
            )));
        }
        let length = match &vr {
            b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN"
            | b"UR" | b"UT" | b"UV" => {
                self.bytes::<2>()?;
                self.u32(encoding)?
            }
            _ => u32::from(self.u16(encoding)?),
        };
        Ok(ElementHeader { tag, vr, length })
    }

    /// The file meta information, always explicit little endian.
    pub(crate) fn read_meta(&mut self) -> Result<Dataset, Error> {
        let mut meta = Dataset::empty(EXPLICIT_LITTLE);
        while self.peek(2)? == [2, 0] {
            let header = self.element_header(EXPLICIT_LITTLE)?;
            self.read_value(&header, EXPLICIT_LITTLE, &Keep::All, &mut meta)?;
        }
        Ok(meta)
    }

    /// All elements up to the pixel data, the end, or the delimiter of an item.
    pub(crate) fn read_elements(
        &mut self,
        encoding: Encoding,
        keep: Keep<'_>,
    ) -> Result<(Dataset, Option<PixelData>), Error> {
        let mut dataset = Dataset::empty(encoding);
        while self.position < self.length {
            let header = self.element_header(encoding)?;
            if header.tag == ITEM_END {
                break;
            }
            if header.tag == tags::PIXEL_DATA {
                let pixel_data = PixelData {
                    offset: self.position,
                    length: (header.length != UNDEFINED).then_some(header.length),
                    in_words: &header.vr == b"OW",
                };
                return Ok((dataset, Some(pixel_data)));
            }
            self.read_value(&header, encoding, &keep, &mut dataset)?;
        }
        Ok((dataset, None))
    }

    fn read_value(
        &mut self,
        header: &ElementHeader,
        encoding: Encoding,
        keep: &Keep<'_>,
        into: &mut Dataset,
    ) -> Result<(), Error> {
        if !keep.keeps(header.tag) {
            return match header.length {
                UNDEFINED => self.skip_undefined(items_encoding(header, encoding)),
                length => self.skip(length),
            };
        }
        let encoding = match header.length {
            UNDEFINED => items_encoding(header, encoding),
            _ => encoding,
        };
        let start = self.position;
        let length = match header.length {
            UNDEFINED => {
                self.skip_undefined(encoding)?;
                let length = self.position - start;
                self.seek(start)?;
                length
            }
            length => u64::from(length),
        };
        let value = self.read_kept(header.tag, length)?;
        into.elements
            .insert(header.tag, Element { value, encoding });
        Ok(())
    }

    pub(crate) fn read_kept(&mut self, tag: Tag, length: u64) -> Result<Vec<u8>, Error> {
        self.check_inside(length)?;
        if length > MAX_VALUE_BYTES {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("expected at most {MAX_VALUE_BYTES} bytes in {tag}, got {length}"),
            ));
        }
        let mut value = vec![0; length as usize];
        self.source.read_exact(&mut value).map_err(read_error)?;
        self.position += length;
        Ok(value)
    }

    /// Walks past the delimiter of a sequence of undefined length.
    pub(crate) fn skip_undefined(&mut self, encoding: Encoding) -> Result<(), Error> {
        self.skip_scopes(Scope::Sequence(encoding))
    }

    /// Walks past the delimiter of an item of undefined length.
    pub(crate) fn skip_item(&mut self, encoding: Encoding) -> Result<(), Error> {
        self.skip_scopes(Scope::Item(encoding))
    }

    fn skip_scopes(&mut self, outermost: Scope) -> Result<(), Error> {
        let mut open = vec![outermost];
        while let Some(&scope) = open.last() {
            if open.len() > MAX_DEPTH {
                return Err(malformed(format!(
                    "expected at most {MAX_DEPTH} nested items"
                )));
            }
            let header = self.element_header(scope.encoding())?;
            match (scope, header.tag) {
                (_, SEQUENCE_END | ITEM_END) => {
                    open.pop();
                }
                (Scope::Sequence(inner), ITEM) if header.length == UNDEFINED => {
                    open.push(Scope::Item(inner));
                }
                (Scope::Item(outer), _) if header.length == UNDEFINED => {
                    open.push(Scope::Sequence(items_encoding(&header, outer)));
                }
                (Scope::Sequence(_), tag) if tag != ITEM => {
                    return Err(malformed(format!(
                        "expected an item of a sequence, got {tag}"
                    )));
                }
                _ => self.skip(header.length)?,
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Scope {
    Sequence(Encoding),
    Item(Encoding),
}

impl Scope {
    fn encoding(self) -> Encoding {
        match self {
            Scope::Sequence(encoding) | Scope::Item(encoding) => encoding,
        }
    }
}

/// How the items of a sequence are written.
pub(crate) fn items_encoding(header: &ElementHeader, outer: Encoding) -> Encoding {
    match &header.vr {
        b"UN" => Encoding {
            implicit: true,
            big_endian: false,
        },
        _ => outer,
    }
}

fn read_error(error: std::io::Error) -> Error {
    match error.kind() {
        IoKind::UnexpectedEof => malformed("expected more elements, got the end of the data"),
        _ => Error::new(ErrorKind::Io, error.to_string()),
    }
}

impl Walker<Cursor<&[u8]>> {
    pub(crate) fn read_item(&mut self, encoding: Encoding) -> Result<Option<Dataset>, Error> {
        if self.position >= self.length {
            return Ok(None);
        }
        let header = self.element_header(encoding)?;
        if header.tag != ITEM {
            return Ok(None);
        }
        let whole = self.length;
        if header.length != UNDEFINED {
            self.check_inside(u64::from(header.length))?;
            self.length = self.position + u64::from(header.length);
        }
        let (item, _) = self.read_elements(encoding, Keep::All)?;
        self.length = whole;
        Ok(Some(item))
    }
}
