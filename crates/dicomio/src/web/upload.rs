//! An instance that comes in as a part of a message (STOW-RS, PS3.18 chapter 10.5).
//!
//! The file meta information of the sender is replaced by the one that instances over the DICOM
//! network get: one instance has the same bytes whichever way it came. The data set goes to a file
//! as it comes.

use std::io::Cursor;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use dicom_dictionary_std::tags;

use crate::Error;
use crate::dimse::{Received, Refusal, Spool, file_meta, is_read, is_taken, is_uid};
use crate::walker::Walker;

/// Preamble, prefix, and the element with the length of the rest of the meta information.
const FIXED_HEAD: usize = 132 + 12;
/// Longest meta information; real ones have a few hundred bytes.
const MAX_META: usize = 64 << 10;
/// What a sender over the web is called where a title is asked for.
const TITLE: &str = "DICOMWEB";

/// Where uploads go and how large they may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadConfig {
    /// Folder for instances on their way in; it has to be on the file system they are kept on.
    pub spool: PathBuf,
    /// Largest file.
    pub most_bytes: u64,
    /// The study they have to belong to, where one is named.
    pub study_uid: Option<String>,
}

/// Why an instance was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its class and its identifier, where they could be read.
    pub instance: Option<(String, String)>,
    /// For programs.
    pub reason: Reason,
    /// For people; it holds no identifier of a patient.
    pub text: String,
}

/// Failure Reason (0008,1197): PS3.3 C.14.1.1, PS3.4 table B.2-1, PS3.18 annex I.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// There is no room, or it cannot be made durable: another attempt may succeed.
    OutOfResources,
    /// The data set is not what its meta information says.
    DoesNotMatch,
    /// It is of another study than the address names.
    OtherStudy,
    /// It cannot be read.
    CannotUnderstand,
    /// Its class is not taken.
    ClassNotSupported,
    /// Its transfer syntax is not taken.
    SyntaxNotSupported,
}

impl Reason {
    /// The value of the attribute.
    pub fn code(self) -> u16 {
        match self {
            Reason::OutOfResources => 0xA700,
            Reason::DoesNotMatch => 0xA900,
            Reason::OtherStudy => 0xA901,
            Reason::CannotUnderstand => 0xC000,
            Reason::ClassNotSupported => 0x0122,
            Reason::SyntaxNotSupported => 0xC122,
        }
    }
}

impl Failure {
    fn new(reason: Reason, text: impl Into<String>) -> Failure {
        Failure {
            instance: None,
            reason,
            text: text.into(),
        }
    }

    fn of(mut self, class: &str, instance: &str) -> Failure {
        self.instance = Some((class.to_owned(), instance.to_owned()));
        self
    }

    /// What whoever keeps instances says, as an answer.
    pub fn refused(refusal: &Refusal, class: &str, instance: &str) -> Failure {
        let reason = match refusal {
            Refusal::OutOfResources(_) => Reason::OutOfResources,
            Refusal::DoesNotMatch(_) => Reason::DoesNotMatch,
            Refusal::CannotUnderstand(_) => Reason::CannotUnderstand,
        };
        Failure::new(reason, refusal.reason()).of(class, instance)
    }
}

/// A file that is coming in.
pub struct Upload<'a> {
    config: &'a UploadConfig,
    bytes: u64,
    state: State,
}

enum State {
    /// The meta information is not yet there as a whole.
    Head(Vec<u8>),
    Body {
        spool: Spool,
        meta: Meta,
    },
    /// The rest is read over.
    Failed(Failure),
}

struct Meta {
    class: String,
    instance: String,
    syntax: String,
}

impl<'a> Upload<'a> {
    /// Begins a file.
    pub fn begin(config: &'a UploadConfig) -> Upload<'a> {
        Upload {
            config,
            bytes: 0,
            state: State::Head(Vec::new()),
        }
    }

    /// Takes more of it. After a failure the rest is read over.
    pub fn write(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if let Err(failure) = self.take(bytes) {
            self.state = State::Failed(failure);
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let most = self.config.most_bytes;
        match &mut self.state {
            State::Failed(_) => Ok(()),
            State::Body { meta, .. } if self.bytes > most => {
                let text = format!("expected at most {most} bytes");
                let failure = Failure::new(Reason::OutOfResources, text);
                Err(failure.of(&meta.class, &meta.instance))
            }
            State::Body { spool, meta } => spool
                .write(bytes)
                .map_err(|e| unwritten(&e).of(&meta.class, &meta.instance)),
            State::Head(head) => {
                head.extend_from_slice(&bytes[..bytes.len().min(FIXED_HEAD + MAX_META)]);
                let kept = bytes.len().min(FIXED_HEAD + MAX_META);
                let Some(length) = head_length(head)? else {
                    return Ok(());
                };
                if head.len() < length {
                    return Ok(());
                }
                let meta = read_meta(&head[132..length])?;
                let spool = start(&self.config.spool, &meta, &head[length..], &bytes[kept..]);
                let spool = spool.map_err(|e| unwritten(&e).of(&meta.class, &meta.instance))?;
                self.state = State::Body { spool, meta };
                Ok(())
            }
        }
    }

    /// The whole instance, once it is what it says and belongs to the named study.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn finish(self, address: IpAddr) -> Result<Received, Failure> {
        let (spool, meta) = match self.state {
            State::Failed(failure) => return Err(failure),
            State::Head(_) => return Err(cannot("expected a DICOM file, got less than its head")),
            State::Body { spool, meta } => (spool, meta),
        };
        let Meta {
            class, instance, ..
        } = &meta;
        let received = spool.finish(class, instance, TITLE, address);
        let received = received.map_err(|e| Failure::refused(&e, class, instance))?;
        let wanted = self.config.study_uid.as_ref();
        if wanted.is_some_and(|study| *study != received.keys.study_uid) {
            let text = "expected an instance of the study of the address";
            return Err(Failure::new(Reason::OtherStudy, text).of(class, instance));
        }
        Ok(received)
    }
}

/// Where the data set starts; none where more has to come.
fn head_length(head: &[u8]) -> Result<Option<usize>, Failure> {
    const GROUP_LENGTH: [u8; 8] = [2, 0, 0, 0, b'U', b'L', 4, 0];
    if head.len() < FIXED_HEAD {
        return Ok(None);
    }
    if &head[128..132] != b"DICM" || head[132..140] != GROUP_LENGTH {
        return Err(cannot("expected a DICOM file with its meta information"));
    }
    let length = u32::from_le_bytes([head[140], head[141], head[142], head[143]]) as usize;
    match length <= MAX_META {
        true => Ok(Some(FIXED_HEAD + length)),
        false => Err(cannot(&format!(
            "expected meta information of at most {MAX_META} bytes"
        ))),
    }
}

fn read_meta(group: &[u8]) -> Result<Meta, Failure> {
    let mut walker = Walker::new(Cursor::new(group), group.len() as u64);
    let unread = |e: Error| cannot(e.reason());
    let data = walker.read_meta().map_err(unread)?;
    let uid = |tag| {
        let text = data.text(tag).unwrap_or_default();
        match is_uid(&text) {
            true => Ok(text),
            false => Err(cannot(
                "expected unique identifiers in the meta information",
            )),
        }
    };
    let meta = Meta {
        class: uid(tags::MEDIA_STORAGE_SOP_CLASS_UID)?,
        instance: uid(tags::MEDIA_STORAGE_SOP_INSTANCE_UID)?,
        syntax: uid(tags::TRANSFER_SYNTAX_UID)?,
    };
    let refused = |reason, text| Err(Failure::new(reason, text).of(&meta.class, &meta.instance));
    if !is_taken(&meta.class) {
        return refused(Reason::ClassNotSupported, "expected a class that is taken");
    }
    if !is_read(&meta.syntax) {
        let text = "expected a transfer syntax that is read here";
        return refused(Reason::SyntaxNotSupported, text);
    }
    Ok(meta)
}

fn start(folder: &Path, meta: &Meta, first: &[u8], more: &[u8]) -> std::io::Result<Spool> {
    let mut spool = Spool::create(folder)?;
    spool.write(&file_meta(&meta.class, &meta.instance, &meta.syntax))?;
    spool.write(first)?;
    spool.write(more)?;
    Ok(spool)
}

fn cannot(text: &str) -> Failure {
    Failure::new(Reason::CannotUnderstand, text)
}

fn unwritten(error: &std::io::Error) -> Failure {
    let text = format!("expected to write the instance, got: {error}");
    Failure::new(Reason::OutOfResources, text)
}
