//! Sending files to a peer, and asking whether it is there.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use dicom_dictionary_std::{tags, uids};

use super::accept::Context;
use super::association::{Association, Remote, refused};
use super::command::{echo_request, status, store_request};
use super::transport::protocol;
use crate::dataset::malformed;
use crate::walker::Walker;
use crate::{Error, ErrorKind, read_keys};

/// Messages have numbers of two bytes.
const MAX_MESSAGES: usize = 65_535;

/// What a peer said to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The file.
    pub file: PathBuf,
    /// Its answer; 0 is success, `0xBxxx` success with a warning.
    pub status: u16,
}

impl Sent {
    /// Whether the peer keeps the file.
    pub fn is_taken(&self) -> bool {
        self.status == status::SUCCESS || self.status & 0xF000 == 0xB000
    }

    /// Whether the peer takes no object of this class and encoding at all, now or later.
    pub fn is_unsupported(&self) -> bool {
        self.status == status::CLASS_NOT_SUPPORTED
    }
}

/// Asks a peer whether it is there (C-ECHO).
///
/// # Errors
/// [`ErrorKind::Network`] when it cannot be reached, [`ErrorKind::Refused`] when it does not want
/// the association, [`ErrorKind::Protocol`] when it does not keep to the protocol.
pub fn echo(remote: &Remote) -> Result<(), Error> {
    let context = Context {
        class: uids::VERIFICATION.to_owned(),
        syntax: uids::IMPLICIT_VR_LITTLE_ENDIAN.to_owned(),
    };
    let mut association = Association::request(remote, &[context])?;
    let number = association.number_of(uids::VERIFICATION, uids::IMPLICIT_VR_LITTLE_ENDIAN)?;
    association.command(number, echo_request(1, uids::VERIFICATION))?;
    match association.status()? {
        status::SUCCESS => association.release(),
        other => Err(refused(format!(
            "expected success, got status {other:#06x}"
        ))),
    }
}

/// Sends DICOM files as they are over one association (C-STORE). One that a peer does not want does
/// not stop the others; where it accepts no presentation context for a file, the status is 0x0122,
/// class not supported. Sending again does no harm: an archive knows an instance by its identifier.
///
/// # Errors
/// As [`echo`]. An error says nothing of files that were sent before it. A file that cannot be read
/// is an error before anything is sent.
pub fn send(remote: &Remote, files: &[PathBuf]) -> Result<Vec<Sent>, Error> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    if files.len() > MAX_MESSAGES {
        let count = files.len();
        return Err(protocol(format!(
            "expected at most {MAX_MESSAGES} files, got {count}"
        )));
    }
    let outgoing = files.iter().map(|f| Outgoing::open(f));
    let outgoing = outgoing.collect::<Result<Vec<_>, _>>()?;
    let mut contexts: Vec<Context> = Vec::new();
    for one in &outgoing {
        if !contexts.contains(&one.context) {
            contexts.push(one.context.clone());
        }
    }
    let mut association = Association::request(remote, &contexts)?;
    let mut sent = Vec::new();
    for (at, one) in outgoing.iter().enumerate() {
        let status = store(&mut association, one, at as u16 + 1)?;
        sent.push(Sent {
            file: one.file.clone(),
            status,
        });
    }
    association.release()?;
    Ok(sent)
}

/// A file and where its data set begins.
struct Outgoing {
    file: PathBuf,
    data: u64,
    context: Context,
    instance: String,
}

impl Outgoing {
    fn open(path: &Path) -> Result<Outgoing, Error> {
        let keys = read_keys(path)?;
        let (data, syntax) = data_set(path).map_err(|e| e.in_file(path))?;
        Ok(Outgoing {
            file: path.to_owned(),
            data,
            context: Context {
                class: keys.class_uid,
                syntax,
            },
            instance: keys.instance_uid,
        })
    }
}

/// Offset and transfer syntax of a file's data set.
fn data_set(path: &Path) -> Result<(u64, String), Error> {
    const PREAMBLE: u64 = 132;
    let io = |e: std::io::Error| Error::new(ErrorKind::Io, e.to_string());
    let file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let mut walker = Walker::new(BufReader::new(file), length);
    walker.seek(PREAMBLE)?;
    let meta = walker.read_meta()?;
    match meta.text(tags::TRANSFER_SYNTAX_UID) {
        Some(syntax) => Ok((walker.position, syntax)),
        None => Err(malformed("expected a file that names its transfer syntax")),
    }
}

/// The peer's answer to one file.
fn store(association: &mut Association<'_>, one: &Outgoing, message: u16) -> Result<u16, Error> {
    let Ok(number) = association.number_of(&one.context.class, &one.context.syntax) else {
        return Ok(status::CLASS_NOT_SUPPORTED);
    };
    let io = |e: std::io::Error| Error::new(ErrorKind::Io, e.to_string()).in_file(&one.file);
    let mut file = File::open(&one.file).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    file.seek(SeekFrom::Start(one.data)).map_err(io)?;
    let request = store_request(message, &one.context.class, &one.instance);
    association.command(number, request)?;
    let data = association.data(number, &mut file, length.saturating_sub(one.data));
    data.map_err(|e| match e.kind() {
        ErrorKind::Io => e.in_file(&one.file),
        _ => e,
    })?;
    association.status()
}
