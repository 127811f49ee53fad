//! The directories of a TIFF or BigTIFF file: tags and where their values are.
//!
//! Owns: bytes to numbers, within bounds. Does not own: what a tag means (`page`).
//!
//! The decoder of the crate `tiff` reads the first directory before limits can be set, and refuses
//! tables of tiles beyond a MiB; a large slide has longer ones. Here a value is read when it is
//! wanted, and no longer than wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Mutex;

use crate::Error;
use crate::error::{damaged, io, too_large};

/// Most directories of a file; slides have a dozen.
const MAX_DIRECTORIES: usize = 512;
/// Most entries of a directory.
const MAX_ENTRIES: u64 = 4096;
/// Longest text or profile that is read.
const MAX_TEXT_BYTES: u64 = 16 << 20;
/// Bytes of a value, by the number of its type (TIFF 6.0 section 2 and BigTIFF).
const SIZES: [u64; 19] = [1, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 1, 1, 8, 8, 8];
const RATIONAL: u16 = 5;

/// A file that several threads read.
#[derive(Debug)]
pub(super) struct Source {
    file: Mutex<File>,
    pub(super) length: u64,
}

impl Source {
    pub(super) fn new(file: File) -> Result<Source, Error> {
        let length = file.metadata().map_err(io)?.len();
        Ok(Source {
            file: Mutex::new(file),
            length,
        })
    }

    /// The bytes at a place, which must lie inside the file.
    pub(super) fn bytes(&self, at: u64, length: u64) -> Result<Vec<u8>, Error> {
        let end = at.checked_add(length).filter(|&end| end <= self.length);
        if end.is_none() {
            return Err(damaged(format!(
                "expected {length} bytes at {at}, got a file of {}",
                self.length
            )));
        }
        let mut bytes = vec![0; length as usize];
        let mut file = self.file.lock().unwrap_or_else(|e| e.into_inner());
        file.seek(SeekFrom::Start(at)).map_err(io)?;
        file.read_exact(&mut bytes).map_err(io)?;
        Ok(bytes)
    }
}

/// How a file writes its numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    is_big: bool,
    pub(super) big_endian: bool,
}

impl Dialect {
    /// The dialect and the place of the first directory.
    pub(super) fn read(source: &Source) -> Result<(Dialect, u64), Error> {
        let head = source.bytes(0, 8)?;
        let dialect = Dialect {
            big_endian: head[0] == b'M',
            is_big: head[2] == 43 || head[3] == 43,
        };
        match dialect.is_big {
            false => Ok((dialect, dialect.number(&head[4..8]))),
            true if dialect.number(&head[4..6]) == 8 => {
                Ok((dialect, dialect.number(&source.bytes(8, 8)?)))
            }
            true => Err(damaged("expected BigTIFF with offsets of 8 bytes")),
        }
    }

    /// An unsigned number of at most 8 bytes.
    fn number(self, bytes: &[u8]) -> u64 {
        let append = |n: u64, &digit: &u8| n << 8 | u64::from(digit);
        match self.big_endian {
            true => bytes.iter().fold(0, append),
            false => bytes.iter().rev().fold(0, append),
        }
    }
}

/// One directory: an entry for each tag.
#[derive(Debug)]
pub(super) struct Directory {
    entries: BTreeMap<u16, Entry>,
    next: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: u16,
    count: u64,
    /// Where the values are.
    at: u64,
}

impl Entry {
    fn size(self) -> u64 {
        SIZES.get(usize::from(self.kind)).copied().unwrap_or(1)
    }
}

/// The chain of directories, each with those of its tag SubIFDs.
pub(super) struct Chain<'a> {
    source: &'a Source,
    dialect: Dialect,
    seen: BTreeSet<u64>,
}

const SUB_DIRECTORIES: u16 = 330;

impl Chain<'_> {
    /// Reads all directories of a file.
    ///
    /// # Errors
    /// `Damaged` where one lies outside the file or is reached twice, `TooLarge` for too many.
    pub(super) fn read(
        source: &Source,
        dialect: Dialect,
        first: u64,
    ) -> Result<Vec<(Directory, Vec<Directory>)>, Error> {
        let mut chain = Chain {
            source,
            dialect,
            seen: BTreeSet::new(),
        };
        let (mut all, mut at) = (Vec::new(), first);
        while at != 0 {
            let directory = chain.directory(at)?;
            let below =
                directory.numbers(source, dialect, SUB_DIRECTORIES, MAX_DIRECTORIES as u64)?;
            let below: Result<Vec<Directory>, Error> =
                below.into_iter().map(|at| chain.directory(at)).collect();
            at = directory.next;
            all.push((directory, below?));
        }
        Ok(all)
    }

    fn directory(&mut self, at: u64) -> Result<Directory, Error> {
        if !self.seen.insert(at) {
            let message = format!("expected a chain of directories, got a cycle at byte {at}");
            return Err(damaged(message));
        }
        if self.seen.len() > MAX_DIRECTORIES {
            let message = format!("expected at most {MAX_DIRECTORIES} directories, got more");
            return Err(too_large(message));
        }
        Directory::read(self.source, self.dialect, at)
    }
}

impl Directory {
    fn read(source: &Source, dialect: Dialect, at: u64) -> Result<Directory, Error> {
        // Bytes of the number of entries, of an entry, and of a place in the file.
        let (head, size, wide) = if dialect.is_big {
            (8, 20, 8)
        } else {
            (2, 12, 4)
        };
        let count = dialect.number(&source.bytes(at, head)?);
        if count > MAX_ENTRIES {
            let message = format!("expected at most {MAX_ENTRIES} entries, got {count}");
            return Err(too_large(message));
        }
        let table = source.bytes(at + head, count * size + wide)?;
        let mut entries = BTreeMap::new();
        for (i, entry) in table
            .chunks_exact(size as usize)
            .take(count as usize)
            .enumerate()
        {
            let number = |from: u64, to: u64| dialect.number(&entry[from as usize..to as usize]);
            let mut read = Entry {
                kind: number(2, 4) as u16,
                count: number(4, 4 + wide),
                at: at + head + i as u64 * size + 4 + wide,
            };
            if read.count.saturating_mul(read.size()) > wide {
                read.at = number(4 + wide, size);
            }
            entries.insert(number(0, 2) as u16, read);
        }
        let next = dialect.number(&table[(count * size) as usize..]);
        Ok(Directory { entries, next })
    }

    /// Whether a tag is there.
    pub(super) fn has(&self, tag: u16) -> bool {
        self.entries.contains_key(&tag)
    }

    /// The values of a tag as unsigned numbers, none where it is missing.
    ///
    /// # Errors
    /// `TooLarge` for more than `most`, `Damaged` for values outside the file.
    pub(super) fn numbers(
        &self,
        source: &Source,
        dialect: Dialect,
        tag: u16,
        most: u64,
    ) -> Result<Vec<u64>, Error> {
        let Some(&entry) = self.entries.get(&tag) else {
            return Ok(Vec::new());
        };
        if entry.count > most {
            let message = format!(
                "expected at most {most} values of tag {tag}, got {}",
                entry.count
            );
            return Err(too_large(message));
        }
        let bytes = source.bytes(entry.at, entry.count * entry.size())?;
        let values = bytes.chunks_exact(entry.size() as usize);
        Ok(values.map(|value| dialect.number(value)).collect())
    }

    /// The only value of a tag.
    pub(super) fn number(
        &self,
        source: &Source,
        dialect: Dialect,
        tag: u16,
    ) -> Result<Option<u64>, Error> {
        // Bits per sample are one for each sample, which are alike.
        Ok(self.numbers(source, dialect, tag, 64)?.first().copied())
    }

    /// A quotient; its parts are 32 bits each.
    pub(super) fn quotient(
        &self,
        source: &Source,
        dialect: Dialect,
        tag: u16,
    ) -> Result<Option<f64>, Error> {
        match self.entries.get(&tag) {
            Some(entry) if entry.kind == RATIONAL && entry.count == 1 => {
                let bytes = source.bytes(entry.at, 8)?;
                let part = |from: usize| dialect.number(&bytes[from..from + 4]) as f64;
                Ok(Some(part(0) / part(4)))
            }
            _ => Ok(None),
        }
    }

    /// Bytes of a tag's value.
    pub(super) fn length(&self, tag: u16) -> Option<u64> {
        let entry = self.entries.get(&tag)?;
        Some(entry.count.saturating_mul(entry.size()))
    }

    /// The bytes of a tag.
    pub(super) fn bytes(&self, source: &Source, tag: u16) -> Result<Option<Vec<u8>>, Error> {
        let Some(entry) = self.entries.get(&tag) else {
            return Ok(None);
        };
        let length = entry.count.saturating_mul(entry.size());
        if length > MAX_TEXT_BYTES {
            let message =
                format!("expected at most {MAX_TEXT_BYTES} bytes of tag {tag}, got {length}");
            return Err(too_large(message));
        }
        source.bytes(entry.at, length).map(Some)
    }

    /// A text, up to its first zero byte.
    pub(super) fn text(&self, source: &Source, tag: u16) -> Result<String, Error> {
        let bytes = self.bytes(source, tag)?.unwrap_or_default();
        let text = bytes.split(|&b| b == 0).next().unwrap_or_default();
        Ok(String::from_utf8_lossy(text).into_owned())
    }
}
