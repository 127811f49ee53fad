//! A file's data set in the DICOM JSON model (PS3.18 annex F), as WADO-RS answers metadata.
//!
//! Owns: walking a data set without holding it, what is left to be fetched as bulk data, bounds.
//! Does not own: how a value is written (`value`).

use std::path::Path;

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry, VirtualVr};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};

use super::value;
use crate::dataset::{self, Encoding, ReadSeek};
use crate::identity::Charset;
use crate::walker::{
    ElementHeader, ITEM, ITEM_END, MAX_DEPTH, SEQUENCE_END, UNDEFINED, Walker, items_encoding,
};
use crate::{Error, ErrorKind};

/// Longer values are left to be fetched.
const MAX_INLINE: u32 = 64 << 10;
/// Longest text of one data set.
const MAX_JSON: usize = 64 << 20;

/// Writes a file's data set as one JSON object. Pixels and long values are named below
/// `bulk_data`, the address of the instance's bulk data: `{bulk_data}/7FE00010`.
///
/// # Errors
/// When the file cannot be read, is malformed, or its text would be longer than 64 MiB.
pub fn write_metadata(file: &Path, bulk_data: &str) -> Result<Vec<u8>, Error> {
    let write = || -> Result<Vec<u8>, Error> {
        let opened = dataset::open_file(file)?;
        let encoding = opened.syntax.encoding;
        let mut writer = Writer {
            walker: opened.walker,
            out: Vec::new(),
            bulk_data,
            path: String::new(),
            is_signed: false,
        };
        writer.object(encoding, None, &Charset::of(&[]), 0)?;
        Ok(writer.out)
    };
    write().map_err(|e| e.in_file(file))
}

struct Writer<'a> {
    walker: Walker<Box<dyn ReadSeek>>,
    out: Vec<u8>,
    bulk_data: &'a str,
    /// Sequences and numbers of items that the walker is in, each with a slash behind.
    path: String,
    /// Whether pixels have a sign: some attributes do then too.
    is_signed: bool,
}

impl Writer<'_> {
    /// One data set or item, up to `end`, or its delimiter, or the end of the file.
    fn object(
        &mut self,
        encoding: Encoding,
        end: Option<u64>,
        charset: &Charset,
        depth: usize,
    ) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            let message = format!("expected at most {MAX_DEPTH} nested items");
            return Err(Error::new(ErrorKind::Malformed, message));
        }
        let mut charset = charset.clone();
        let mut last = None;
        let end = end.unwrap_or(self.walker.length);
        self.out.push(b'{');
        while self.walker.position < end {
            let header = self.walker.element_header(encoding)?;
            if header.tag == ITEM_END {
                break;
            }
            // The model's names rise and are there once.
            let is_kept = last.is_none_or(|last| header.tag > last) && header.tag.element() != 0;
            if !is_kept {
                self.pass(&header, encoding)?;
                continue;
            }
            if last.is_some() {
                self.out.push(b',');
            }
            last = Some(header.tag);
            self.element(&header, encoding, &mut charset, depth)?;
            self.check_length()?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn check_length(&self) -> Result<(), Error> {
        match self.out.len() > MAX_JSON {
            true => {
                let message = format!("expected metadata of at most {MAX_JSON} bytes");
                Err(Error::new(ErrorKind::TooLarge, message))
            }
            false => Ok(()),
        }
    }

    fn pass(&mut self, header: &ElementHeader, encoding: Encoding) -> Result<(), Error> {
        match header.length {
            UNDEFINED => self.walker.skip_undefined(items_encoding(header, encoding)),
            length => self.walker.skip(length),
        }
    }

    /// Some writers leave the delimiter at the very end of the file away.
    fn pass_bulk(&mut self, header: &ElementHeader, encoding: Encoding) -> Result<(), Error> {
        match self.pass(header, encoding) {
            Err(_) if header.tag == tags::PIXEL_DATA && self.path.is_empty() => {
                self.walker.seek(self.walker.length)
            }
            passed => passed,
        }
    }

    fn element(
        &mut self,
        header: &ElementHeader,
        encoding: Encoding,
        charset: &mut Charset,
        depth: usize,
    ) -> Result<(), Error> {
        let vr = self.representation(header);
        value::begin(&mut self.out, header.tag, vr);
        if vr == VR::SQ {
            self.sequence(header, encoding, charset, depth)?;
        } else if header.tag == tags::PIXEL_DATA
            || header.length == UNDEFINED
            || (header.length > MAX_INLINE && can_be_fetched(vr))
        {
            let name = super::attribute::digits(header.tag);
            let (bulk_data, path) = (self.bulk_data, &self.path);
            let address = serde_json::Value::from(format!("{bulk_data}/{path}{name}"));
            self.out
                .extend(format!(",\"BulkDataURI\":{address}").as_bytes());
            self.pass_bulk(header, encoding)?;
        } else {
            let raw = self.walker.read_kept(header.tag, header.length.into())?;
            self.note(header.tag, &raw, encoding, charset);
            value::value(&mut self.out, vr, &raw, encoding.big_endian, charset);
        }
        self.out.push(b'}');
        Ok(())
    }

    /// What later values depend on.
    fn note(&mut self, tag: Tag, raw: &[u8], encoding: Encoding, charset: &mut Charset) {
        if tag == tags::SPECIFIC_CHARACTER_SET {
            let names = String::from_utf8_lossy(raw);
            let names = names
                .split('\\')
                .map(|name| name.trim_matches([' ', '\0']).to_owned());
            *charset = Charset::of(&names.collect::<Vec<_>>());
        }
        if tag == tags::PIXEL_REPRESENTATION {
            let low = if encoding.big_endian {
                raw.last()
            } else {
                raw.first()
            };
            self.is_signed = low == Some(&1);
        }
    }

    fn sequence(
        &mut self,
        header: &ElementHeader,
        encoding: Encoding,
        charset: &Charset,
        depth: usize,
    ) -> Result<(), Error> {
        if header.length == 0 {
            return Ok(());
        }
        let inner = match header.length {
            UNDEFINED => items_encoding(header, encoding),
            _ => encoding,
        };
        let end = self.end_of(header.length)?;
        self.out.extend(b",\"Value\":[");
        let outer = self.path.len();
        let mut number = 0;
        while end.is_none_or(|end| self.walker.position < end) {
            let item = self.walker.element_header(inner)?;
            match item.tag {
                SEQUENCE_END => break,
                ITEM => {}
                other => {
                    let message = format!("expected an item of a sequence, got {other}");
                    return Err(Error::new(ErrorKind::Malformed, message));
                }
            }
            if number > 0 {
                self.out.push(b',');
            }
            number += 1;
            self.path.push_str(&format!(
                "{}/{number}/",
                super::attribute::digits(header.tag)
            ));
            let item_end = self.end_of(item.length)?;
            self.object(inner, item_end, charset, depth + 1)?;
            self.path.truncate(outer);
        }
        self.out.push(b']');
        Ok(())
    }

    fn end_of(&self, length: u32) -> Result<Option<u64>, Error> {
        if length == UNDEFINED {
            return Ok(None);
        }
        self.walker.check_inside(length.into())?;
        Ok(Some(self.walker.position + u64::from(length)))
    }

    /// As written; in implicit encodings as the dictionary has it.
    fn representation(&self, header: &ElementHeader) -> VR {
        let stated = std::str::from_utf8(&header.vr)
            .ok()
            .and_then(|vr| vr.parse().ok());
        let vr = stated.unwrap_or_else(|| listed(header.tag, self.is_signed));
        match vr {
            // Items are written in implicit encoding under an unknown representation.
            VR::UN if header.length == UNDEFINED => VR::SQ,
            vr => vr,
        }
    }
}

fn listed(tag: Tag, is_signed: bool) -> VR {
    let entry = StandardDataDictionary.by_tag(tag);
    match entry.map(|entry| entry.vr()) {
        Some(VirtualVr::Exact(vr)) => vr,
        Some(VirtualVr::Xs) if is_signed => VR::SS,
        Some(VirtualVr::Xs) => VR::US,
        Some(_) => VR::OW,
        // Private creators are texts.
        None if tag.group() % 2 == 1 && (0x10..=0xFF).contains(&tag.element()) => VR::LO,
        None => VR::UN,
    }
}

fn can_be_fetched(vr: VR) -> bool {
    use VR::*;
    [
        DS, FL, FD, IS, LT, OB, OD, OF, OL, OV, OW, SL, SS, ST, SV, UC, UL, UN, US, UT, UV,
    ]
    .contains(&vr)
}
