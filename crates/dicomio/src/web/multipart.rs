//! `multipart/related` (RFC 2387, RFC 2046 chapter 5.1) as it comes in, piece by piece.
//!
//! Owns: where parts begin and end, with bounds on their heads and their number. Does not own: what
//! is in them. Parsers at hand collect a part, or as much as has come, in memory; this one holds at
//! most a head and one boundary, however long a part is or however slowly it comes.

use super::accept::{MediaRange, parse_media_type};
use crate::{Error, ErrorKind};

/// Longest boundary (RFC 2046, 5.1.1).
const MAX_BOUNDARY: usize = 70;
/// Longest head of a part.
const MAX_HEAD: usize = 8192;
/// Longest text before the first part.
const MAX_PREAMBLE: usize = 8192;
/// Most parts of a message.
const MAX_PARTS: usize = 100_000;

/// What the next bytes of a message are.
#[derive(Debug, PartialEq)]
pub enum Event<'a> {
    /// A part begins.
    Begin(PartHead),
    /// Some of its content.
    Content(&'a [u8]),
    /// It is complete.
    End,
}

/// What a part says of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartHead {
    /// Its media type, where it names one that can be read.
    pub media_type: Option<MediaRange>,
}

/// Where in a message the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Preamble,
    /// Behind a boundary: the end of the line, or `--`.
    AfterBoundary,
    Head,
    Content,
    Epilogue,
}

/// Takes a message apart.
///
/// ```
/// use lobule_dicomio::web::{Event, Multipart};
/// let mut message = Multipart::new("x")?;
/// let mut content = Vec::new();
/// message.push(b"--x\r\nContent-Type: a/b\r\n\r\nhe", &mut |event| {
///     if let Event::Content(bytes) = event { content.extend_from_slice(bytes) }
/// })?;
/// message.push(b"llo\r\n--x--", &mut |event| {
///     if let Event::Content(bytes) = event { content.extend_from_slice(bytes) }
/// })?;
/// message.finish()?;
/// assert_eq!(content, b"hello");
/// # Ok::<(), lobule_dicomio::Error>(())
/// ```
#[derive(Debug)]
pub struct Multipart {
    /// Line break, two hyphens and the boundary.
    delimiter: Vec<u8>,
    /// What could be the start of something that is not yet there as a whole.
    held: Vec<u8>,
    place: Place,
    /// Bytes that were dropped before the first part.
    dropped: usize,
    parts: usize,
}

impl Multipart {
    /// For messages with this boundary.
    ///
    /// # Errors
    /// When the boundary is none: empty, longer than 70 signs, or with signs that none may have.
    pub fn new(boundary: &str) -> Result<Multipart, Error> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
        let length_fits = (1..=MAX_BOUNDARY).contains(&boundary.len());
        if !length_fits || !boundary.bytes().all(plain) {
            return Err(malformed("expected a boundary of 1 to 70 plain signs"));
        }
        Ok(Multipart {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            // The first boundary may stand at the very start.
            held: b"\r\n".to_vec(),
            place: Place::Preamble,
            dropped: 0,
            parts: 0,
        })
    }

    /// Takes more of the message.
    ///
    /// # Errors
    /// When it is no such message, or a bound is passed.
    pub fn push(&mut self, bytes: &[u8], see: &mut dyn FnMut(Event<'_>)) -> Result<(), Error> {
        // What is held is short: a head at most. Long content is not copied into it.
        let mut data = std::mem::take(&mut self.held);
        data.extend_from_slice(bytes);
        let mut rest = &data[..];
        while let Some(taken) = self.step(rest, see)? {
            rest = &rest[taken..];
        }
        self.held = rest.to_vec();
        Ok(())
    }

    /// Whether the message has come to its end.
    ///
    /// # Errors
    /// When it breaks off before its last boundary.
    pub fn finish(&self) -> Result<(), Error> {
        match self.place {
            Place::Epilogue => Ok(()),
            _ => Err(malformed(
                "expected the last boundary of the message, got its end",
            )),
        }
    }

    /// How many bytes could be dealt with; none where more have to come.
    fn step(
        &mut self,
        data: &[u8],
        see: &mut dyn FnMut(Event<'_>),
    ) -> Result<Option<usize>, Error> {
        match self.place {
            Place::Preamble | Place::Content => self.until_boundary(data, see),
            Place::AfterBoundary => self.after_boundary(data),
            Place::Head => self.head(data, see),
            Place::Epilogue => Ok((!data.is_empty()).then_some(data.len())),
        }
    }

    fn until_boundary(
        &mut self,
        data: &[u8],
        see: &mut dyn FnMut(Event<'_>),
    ) -> Result<Option<usize>, Error> {
        let in_part = self.place == Place::Content;
        let found = memchr::memmem::find(data, &self.delimiter);
        // The last bytes may be the start of a boundary.
        let clear = match found {
            Some(at) => at,
            None => data.len() - overlap(data, &self.delimiter),
        };
        if in_part && clear > 0 {
            see(Event::Content(&data[..clear]));
        }
        if !in_part {
            self.dropped += clear;
            if self.dropped > MAX_PREAMBLE {
                return Err(malformed("expected a boundary at the start of the message"));
            }
        }
        match found {
            Some(at) => {
                if in_part {
                    see(Event::End);
                }
                self.place = Place::AfterBoundary;
                Ok(Some(at + self.delimiter.len()))
            }
            None => Ok((clear > 0).then_some(clear)),
        }
    }

    fn after_boundary(&mut self, data: &[u8]) -> Result<Option<usize>, Error> {
        if data.starts_with(b"--") {
            self.place = Place::Epilogue;
            return Ok(Some(2));
        }
        // White space may follow a boundary.
        let blank = data
            .iter()
            .take_while(|&&b| b == b' ' || b == b'\t')
            .count();
        match &data[blank..] {
            [b'\r', b'\n', ..] => {
                self.parts += 1;
                if self.parts > MAX_PARTS {
                    let message = format!("expected at most {MAX_PARTS} parts");
                    return Err(Error::new(ErrorKind::TooLarge, message));
                }
                self.place = Place::Head;
                // The line break belongs to the head: a head without a line ends at once.
                Ok(Some(blank))
            }
            [] | [b'\r'] if blank < MAX_BOUNDARY => Ok(None),
            [b'-'] if blank == 0 => Ok(None),
            _ => Err(malformed("expected the end of the line after a boundary")),
        }
    }

    fn head(
        &mut self,
        data: &[u8],
        see: &mut dyn FnMut(Event<'_>),
    ) -> Result<Option<usize>, Error> {
        let end = memchr::memmem::find(data, b"\r\n\r\n");
        if end.unwrap_or(data.len()) > MAX_HEAD {
            let message = format!("expected a part's head of at most {MAX_HEAD} bytes");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let Some(end) = end else {
            return Ok(None);
        };
        see(Event::Begin(PartHead::read(&data[..end])));
        self.place = Place::Content;
        Ok(Some(end + 4))
    }
}

impl PartHead {
    fn read(head: &[u8]) -> PartHead {
        let text = String::from_utf8_lossy(head);
        let value = |line: &str| {
            let (name, value) = line.split_once(':')?;
            let is_type = name.trim().eq_ignore_ascii_case("content-type");
            is_type.then(|| value.trim().to_owned())
        };
        let stated = text.split("\r\n").find_map(value);
        PartHead {
            media_type: stated.and_then(|text| parse_media_type(&text)),
        }
    }
}

/// Length of the longest end of `data` that `delimiter` starts with, if not all of it.
fn overlap(data: &[u8], delimiter: &[u8]) -> usize {
    let most = data.len().min(delimiter.len() - 1);
    let ends_so = |&n: &usize| data.ends_with(&delimiter[..n]);
    (1..=most).rev().find(ends_so).unwrap_or(0)
}

fn malformed(message: &str) -> Error {
    Error::new(ErrorKind::Malformed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contents of the parts, when the message comes in pieces of a size.
    fn parts(message: &[u8], size: usize) -> Result<Vec<Vec<u8>>, Error> {
        let mut multipart = Multipart::new("b")?;
        let mut parts: Vec<Vec<u8>> = Vec::new();
        for piece in message.chunks(size) {
            multipart.push(piece, &mut |event| match event {
                Event::Begin(_) => parts.push(Vec::new()),
                Event::Content(bytes) => parts.last_mut().unwrap().extend(bytes),
                Event::End => {}
            })?;
        }
        multipart.finish()?;
        Ok(parts)
    }

    #[test]
    fn parts_are_the_same_however_they_come() {
        let message = b"to be dropped\r\n--b \r\nContent-Type: a/b\r\n\r\none\r\n-\r\n--\r\n\
            --b\r\n\r\n\r\n--b\r\n\r\n--bb--\r\n--b--rest";
        let expected = [&b"one\r\n-\r\n--"[..], b"", b"--bb--"];
        for size in 1..=message.len() {
            assert_eq!(parts(message, size).unwrap(), expected, "{size}");
        }
    }

    #[test]
    fn what_is_no_message_is_refused_without_being_kept() {
        let mut endless_head = b"--b\r\n".to_vec();
        endless_head.extend(vec![b'a'; 2 * MAX_HEAD]);
        let cases: [&[u8]; 6] = [
            b"",
            b"--b\r\n\r\ncut off",
            b"--bx\r\n\r\n--b--",
            b"--b",
            &vec![b'a'; 2 * MAX_PREAMBLE],
            &endless_head,
        ];
        for message in cases {
            assert!(parts(message, 100).is_err(), "{}", message.len());
        }
        for boundary in ["", "a\r\nb", &"b".repeat(71)] {
            assert!(Multipart::new(boundary).is_err());
        }
    }

    #[test]
    fn a_head_names_its_media_type() {
        let head = PartHead::read(b"X: y\r\ncontent-type: Application/DICOM; transfer-syntax=1.2");
        let range = head.media_type.unwrap();
        assert_eq!(range.essence, "application/dicom");
        assert_eq!(PartHead::read(b"").media_type, None);
    }
}
