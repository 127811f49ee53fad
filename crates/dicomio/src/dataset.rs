//! Reads the elements of a DICOM data set, up to the pixel data and within bounds.
//!
//! Owns: the byte layout of data sets (both VR encodings, both byte orders, deflated, with or
//! without preamble). Does not own: what the values mean (`header`, `content`), pixels (`frames`).
//!
//! The general parser of dicom-rs takes memory by the lengths that a file claims and recurses into
//! nested sequences; a file of a few hundred bytes can exhaust the memory or the stack with it. Here
//! only the elements that are used are kept, lengths are checked against the file first, and
//! nesting is walked with a counter.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use flate2::read::DeflateDecoder;

use crate::syntax::{self, Syntax};
use crate::walker::{Keep, Walker};
use crate::{Error, ErrorKind};

/// Largest inflated data set of the deflated transfer syntax.
const MAX_INFLATED_BYTES: u64 = 512 << 20;
/// Of a deflated data set, what is inflated to find elements before the pixel data.
const HEAD_BYTES: u64 = 4 << 20;

/// Something to read a data set and its pixels from.
pub(crate) trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// How elements are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// Value representations are not written.
    pub(crate) implicit: bool,
    /// Numbers start with their highest byte.
    pub(crate) big_endian: bool,
}

/// A file read up to its pixel data.
pub(crate) struct Header {
    pub(crate) dataset: Dataset,
    pub(crate) syntax: Syntax,
    /// The syntax as it is named; empty where it is not.
    pub(crate) syntax_uid: String,
    pub(crate) pixel_data: Option<PixelData>,
    pub(crate) source: Box<dyn ReadSeek>,
    pub(crate) source_length: u64,
}

/// Where the pixel data's value starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PixelData {
    pub(crate) offset: u64,
    /// Absent for encapsulated pixel data.
    pub(crate) length: Option<u32>,
    /// Written as 16-bit words: in big endian, bytes are swapped in pairs.
    pub(crate) in_words: bool,
}

/// The kept elements of a data set or of an item.
#[derive(Debug, Clone)]
pub(crate) struct Dataset {
    pub(crate) elements: BTreeMap<Tag, Element>,
    encoding: Encoding,
}

#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) value: Vec<u8>,
    /// A value of VR UN and undefined length holds items in implicit VR little endian.
    pub(crate) encoding: Encoding,
}

/// Reads the elements `wanted` of a file.
pub(crate) fn read_file(path: &Path, wanted: &[Tag]) -> Result<Header, Error> {
    read_part_of_file(path, wanted, Part::Whole)
}

/// Reads the elements that `keeps` names.
pub(crate) fn read_kept(path: &Path, keeps: &dyn Fn(Tag) -> bool) -> Result<Dataset, Error> {
    Ok(finish(open_file(path)?, Keep::If(keeps))?.dataset)
}

/// Reads the elements `wanted` of a file whose pixels are not asked for: of a deflated data set only
/// the first MiB are held.
pub(crate) fn read_file_head(path: &Path, wanted: &[Tag]) -> Result<Header, Error> {
    read_part_of_file(path, wanted, Part::Head)
}

fn read_part_of_file(path: &Path, wanted: &[Tag], part: Part) -> Result<Header, Error> {
    let (source, length) = source_of(path)?;
    read_part(source, length, wanted, part)
}

/// How much of a deflated data set is inflated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    Head,
}

/// Reads the elements `wanted` of a source of `length` bytes.
fn read_part(
    source: Box<dyn ReadSeek>,
    length: u64,
    wanted: &[Tag],
    part: Part,
) -> Result<Header, Error> {
    let opened = open(source, length, part)?;
    finish(opened, Keep::Only(wanted))
}

/// A source at the first element of its data set.
pub(crate) struct Opened {
    pub(crate) walker: Walker<Box<dyn ReadSeek>>,
    pub(crate) syntax: Syntax,
    syntax_uid: String,
    class: Option<Element>,
}

/// Reads the file meta information, and inflates what is deflated.
pub(crate) fn open(source: Box<dyn ReadSeek>, length: u64, part: Part) -> Result<Opened, Error> {
    let mut walker = Walker::new(source, length);
    let start = start_of_data(&walker.peek(132)?).ok_or_else(|| not_dicom(length))?;
    walker.seek(start)?;
    let meta = walker.read_meta()?;
    let position = walker.position;
    let class = meta
        .elements
        .get(&tags::MEDIA_STORAGE_SOP_CLASS_UID)
        .cloned();
    let named = meta.text(tags::TRANSFER_SYNTAX_UID);
    let syntax = match &named {
        Some(uid) => Syntax::of_uid(uid),
        None => Syntax::of_encoding(guess_encoding(&walker.peek(8)?), syntax::Codec::Native),
    };
    if syntax.deflated {
        let (source, length) = inflate(walker.source, part)?;
        walker = Walker::new(source, length);
    } else {
        walker.seek(position)?;
    }
    Ok(Opened {
        walker,
        syntax,
        syntax_uid: named.unwrap_or_default(),
        class,
    })
}

/// A file at the first element of its data set.
pub(crate) fn open_file(path: &Path) -> Result<Opened, Error> {
    let (source, length) = source_of(path)?;
    open(source, length, Part::Whole)
}

fn source_of(path: &Path) -> Result<(Box<dyn ReadSeek>, u64), Error> {
    let io = |e: std::io::Error| Error::new(ErrorKind::Io, e.to_string());
    let file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    Ok((Box::new(BufReader::new(file)), length))
}

fn finish(opened: Opened, keep: Keep<'_>) -> Result<Header, Error> {
    let Opened {
        mut walker,
        syntax,
        syntax_uid,
        class,
    } = opened;
    let (mut dataset, pixel_data) = walker.read_elements(syntax.encoding, keep)?;
    // A directory of other files names its class in the meta information alone.
    if let Some(class) = class {
        dataset.elements.entry(tags::SOP_CLASS_UID).or_insert(class);
    }
    Ok(Header {
        dataset,
        syntax,
        syntax_uid,
        pixel_data,
        source_length: walker.length,
        source: walker.source,
    })
}

/// Whether the first bytes of a file look like DICOM.
pub(crate) fn looks_like_dicom(first: &[u8]) -> bool {
    start_of_data(first).is_some()
}

/// Where the first element starts: after the preamble, or at once in a file without one.
fn start_of_data(first: &[u8]) -> Option<u64> {
    if first.len() >= 132 && &first[128..132] == b"DICM" {
        return Some(132);
    }
    if first.starts_with(b"DICM") {
        return Some(4);
    }
    is_plausible_element(first).then_some(0)
}

/// A file without a preamble has to start with group 2 or 8 and an element that makes sense.
fn is_plausible_element(first: &[u8]) -> bool {
    let &[g0, g1, e0, e1, v0, v1, l0, l1, ..] = first else {
        return false;
    };
    let vr_known = v0.is_ascii_uppercase() && v1.is_ascii_uppercase();
    match (u16::from_le_bytes([g0, g1]), u16::from_be_bytes([g0, g1])) {
        (2 | 8, _) if vr_known => u16::from_le_bytes([e0, e1]) <= 0x0018,
        (8, _) => {
            let length = u32::from_le_bytes([v0, v1, l0, l1]);
            u16::from_le_bytes([e0, e1]) <= 0x0018 && length <= 1024 && length % 2 == 0
        }
        (_, 8) => vr_known && u16::from_be_bytes([e0, e1]) <= 0x0018,
        _ => false,
    }
}

fn guess_encoding(first: &[u8]) -> Encoding {
    let explicit = first.len() >= 6 && first[4..6].iter().all(u8::is_ascii_uppercase);
    Encoding {
        implicit: !explicit,
        big_endian: explicit && first[0] == 0 && first[1] != 0,
    }
}

fn inflate(source: Box<dyn ReadSeek>, part: Part) -> Result<(Box<dyn ReadSeek>, u64), Error> {
    let most = match part {
        Part::Whole => MAX_INFLATED_BYTES + 1,
        Part::Head => HEAD_BYTES,
    };
    let mut bytes = Vec::new();
    DeflateDecoder::new(source)
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|e| malformed(format!("expected a deflated data set, got {e}")))?;
    let length = bytes.len() as u64;
    if length > MAX_INFLATED_BYTES {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!("expected at most {MAX_INFLATED_BYTES} inflated bytes, got more"),
        ));
    }
    Ok((Box::new(Cursor::new(bytes)), length))
}

fn not_dicom(length: u64) -> Error {
    let got = match length {
        0 => "an empty file",
        _ => "something else",
    };
    Error::new(
        ErrorKind::NotDicom,
        format!("expected a DICOM file, got {got}"),
    )
}

pub(crate) fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Malformed, message)
}

impl Dataset {
    pub(crate) fn empty(encoding: Encoding) -> Dataset {
        Dataset {
            elements: BTreeMap::new(),
            encoding,
        }
    }

    /// Byte order of the values.
    pub(crate) fn is_big_endian(&self) -> bool {
        self.encoding.big_endian
    }

    /// The value's bytes; absent for an empty value.
    pub(crate) fn raw(&self, tag: Tag) -> Option<&[u8]> {
        let element = self.elements.get(&tag)?;
        (!element.value.is_empty()).then_some(&element.value[..])
    }

    /// All values of a text, trimmed; bytes outside ASCII as Latin-1.
    pub(crate) fn texts(&self, tag: Tag) -> Vec<String> {
        let raw = self.raw(tag).unwrap_or_default();
        let text: String = raw.iter().map(|&b| char::from(b)).collect();
        text.split('\\')
            .map(|part| part.trim_matches([' ', '\0']).to_owned())
            .collect()
    }

    /// The first value of a text; absent when empty.
    pub(crate) fn text(&self, tag: Tag) -> Option<String> {
        self.texts(tag).into_iter().next().filter(|t| !t.is_empty())
    }

    /// All 16-bit words.
    pub(crate) fn words(&self, tag: Tag) -> Vec<u16> {
        let big_endian = self.encoding.big_endian;
        let word = |pair: &[u8]| match big_endian {
            true => u16::from_be_bytes([pair[0], pair[1]]),
            false => u16::from_le_bytes([pair[0], pair[1]]),
        };
        let raw = self.raw(tag).unwrap_or_default();
        raw.chunks_exact(2).map(word).collect()
    }

    /// The first 16-bit word.
    pub(crate) fn word(&self, tag: Tag) -> Option<u16> {
        self.words(tag).first().copied()
    }

    /// The first 32-bit number.
    pub(crate) fn long(&self, tag: Tag) -> Option<u32> {
        let bytes = self.raw(tag)?.first_chunk()?;
        Some(match self.encoding.big_endian {
            true => u32::from_be_bytes(*bytes),
            false => u32::from_le_bytes(*bytes),
        })
    }

    /// The first 64-bit floating-point number.
    pub(crate) fn double(&self, tag: Tag) -> Option<f64> {
        let bytes = self.raw(tag)?.first_chunk()?;
        Some(match self.encoding.big_endian {
            true => f64::from_be_bytes(*bytes),
            false => f64::from_le_bytes(*bytes),
        })
    }

    /// All numbers written as text that can be read and are finite.
    pub(crate) fn decimals(&self, tag: Tag) -> Vec<f64> {
        let texts = self.texts(tag);
        let numbers = texts.iter().filter_map(|t| t.parse::<f64>().ok());
        numbers.filter(|n| n.is_finite()).collect()
    }

    /// The items of a sequence; empty when it is absent or cannot be read to its end.
    pub(crate) fn items(&self, tag: Tag) -> Vec<Dataset> {
        let Some(element) = self.elements.get(&tag) else {
            return Vec::new();
        };
        let length = element.value.len() as u64;
        let mut walker = Walker::new(Cursor::new(&element.value[..]), length);
        let mut items = Vec::new();
        while let Ok(Some(item)) = walker.read_item(element.encoding) {
            items.push(item);
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_of(bytes: &[u8], wanted: &[Tag]) -> Result<Header, Error> {
        let length = bytes.len() as u64;
        let source = Box::new(Cursor::new(bytes.to_vec()));
        read_part(source, length, wanted, Part::Whole)
    }

    #[test]
    fn files_without_a_preamble_are_recognised_by_their_first_element() {
        let cases: [(&[u8], bool); 6] = [
            (b"", false),
            (b"hello, this is a text", false),
            (b"\x08\x00\x08\x00CS\x02\x00AB", true),
            (b"\x08\x00\x08\x00\x02\x00\x00\x00AB", true),
            (b"\x00\x08\x00\x08CS\x00\x02AB", true),
            (b"\x89PNG\r\n\x1a\n", false),
        ];
        for (bytes, expected) in cases {
            assert_eq!(looks_like_dicom(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_claimed_length_takes_no_memory() {
        let bytes = b"\x08\x00\x08\x00OB\x00\x00\xF0\xFF\xFF\xFF";
        for wanted in [&[][..], &[tags::IMAGE_TYPE][..]] {
            let error = header_of(bytes, wanted).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Malformed);
        }
    }

    #[test]
    fn the_head_of_a_deflated_file_is_found_without_its_pixels() {
        let mut plain = b"\x08\x00\x60\x00CS\x02\x00US\xE0\x7F\x10\x00OB\0\0".to_vec();
        plain.extend((64_u32 << 20).to_le_bytes());
        plain.resize(plain.len() + (64 << 20), 0);
        let mut deflate =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut deflate, &plain).unwrap();
        let syntax = b"\x02\x00\x10\x00UI\x16\x001.2.840.10008.1.2.1.99";
        let file = [&[0; 128][..], b"DICM", syntax, &deflate.finish().unwrap()].concat();
        let place = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(place.path(), file).unwrap();
        let head = read_file_head(place.path(), &[tags::MODALITY]).unwrap();
        assert_eq!(head.dataset.text(tags::MODALITY).as_deref(), Some("US"));
        assert_eq!(head.source_length, HEAD_BYTES);
        let whole = read_file(place.path(), &[tags::MODALITY]).unwrap();
        assert_eq!(whole.source_length, plain.len() as u64);
    }

    #[test]
    fn deep_nesting_is_refused() {
        let mut bytes = b"\x08\x00\x08\x00CS\x00\x00".to_vec();
        for _ in 0..100_000 {
            bytes.extend(b"\x08\x00\x40\x11SQ\x00\x00\xFF\xFF\xFF\xFF");
            bytes.extend(b"\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF");
        }
        let error = header_of(&bytes, &[]).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }

    #[test]
    fn sequences_of_both_kinds_of_length_are_read() {
        let element = b"\x08\x00\x00\x01SH\x02\x00AB";
        let mut defined =
            b"\x08\x00\x08\x00CS\x00\x00\x08\x00\x18\x22SQ\x00\x00\x12\x00\x00\x00".to_vec();
        defined.extend(b"\xFE\xFF\x00\xE0\x0A\x00\x00\x00");
        defined.extend(element);
        let mut open =
            b"\x08\x00\x08\x00CS\x00\x00\x08\x00\x18\x22SQ\x00\x00\xFF\xFF\xFF\xFF".to_vec();
        open.extend(b"\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF");
        open.extend(element);
        open.extend(b"\xFE\xFF\x0D\xE0\x00\x00\x00\x00\xFE\xFF\xDD\xE0\x00\x00\x00\x00");
        for bytes in [defined, open] {
            let header = header_of(&bytes, &[tags::ANATOMIC_REGION_SEQUENCE]).unwrap();
            let items = header.dataset.items(tags::ANATOMIC_REGION_SEQUENCE);
            assert_eq!(items.len(), 1);
            assert_eq!(items[0].text(tags::CODE_VALUE).as_deref(), Some("AB"));
        }
    }
}
