//! An instance on its way into a file.

use std::fs::File;
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};

use super::accept::Context;
use super::command::{Command, status};
use super::{IMPLEMENTATION_NAME, IMPLEMENTATION_UID};
use crate::{InstanceKeys, read_keys};

/// An instance that has arrived whole: a DICOM file with the data set as it was received.
#[derive(Debug)]
pub struct Received {
    /// The file in the listener's folder; it is removed when this is dropped. Its bytes have been
    /// handed to the system, but not yet to the disk.
    pub file: TempPath,
    /// Open on the same file, so that it can be forced to the disk.
    pub handle: File,
    /// What it is.
    pub keys: InstanceKeys,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal digits. It depends on the instance alone, not on who
    /// sent it or when.
    pub sha256: String,
    /// The title the peer gave itself; printable.
    pub calling_ae_title: String,
    /// Where it came from.
    pub address: IpAddr,
}

/// Why an instance is not taken; the peer is told, with the text in the error comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no room, or it cannot be made durable: the peer may try again later.
    OutOfResources(String),
    /// The data set is not what the message said it is.
    DoesNotMatch(String),
    /// The data set cannot be read.
    CannotUnderstand(String),
}

impl Refusal {
    pub(super) fn status(&self) -> u16 {
        match self {
            Refusal::OutOfResources(_) => status::OUT_OF_RESOURCES,
            Refusal::DoesNotMatch(_) => status::DOES_NOT_MATCH_CLASS,
            Refusal::CannotUnderstand(_) => status::CANNOT_UNDERSTAND,
        }
    }

    /// The text for people; it holds no identifier.
    pub fn reason(&self) -> &str {
        match self {
            Refusal::OutOfResources(reason)
            | Refusal::DoesNotMatch(reason)
            | Refusal::CannotUnderstand(reason) => reason,
        }
    }
}

/// The instance of a message whose data set is still coming.
pub(super) struct Incoming {
    pub(super) command: Command,
    pub(super) context: u8,
    limit: u64,
    data_bytes: u64,
    state: Result<Spool, Refusal>,
}

/// A file that is being written, and the hash of what it holds.
pub(crate) struct Spool {
    file: NamedTempFile,
    hash: Sha256,
    bytes: u64,
}

impl Incoming {
    /// What goes wrong here is answered once the data set has come.
    pub(super) fn start(
        command: Command,
        context: u8,
        agreed: &Context,
        folder: &Path,
        limit: u64,
    ) -> Incoming {
        let head = file_meta(&command.class, &command.instance, &agreed.syntax);
        let state = Spool::create(folder).and_then(|mut spool| {
            spool.write(&head)?;
            Ok(spool)
        });
        Incoming {
            command,
            context,
            limit,
            data_bytes: 0,
            state: state.map_err(|e| unwritten(&e)),
        }
    }

    /// Takes more of the data set. After a failure the rest is read over.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.data_bytes += bytes.len() as u64;
        let Ok(spool) = &mut self.state else {
            return;
        };
        let failure = match self.data_bytes > self.limit {
            true => {
                let limit = self.limit;
                let reason = format!("expected at most {limit} bytes");
                Some(Refusal::OutOfResources(reason))
            }
            false => spool.write(bytes).err().map(|e| unwritten(&e)),
        };
        if let Some(refusal) = failure {
            self.state = Err(refusal);
        }
    }

    /// The whole instance, once its keys agree with the message.
    pub(super) fn finish(self, calling: &str, address: IpAddr) -> Result<Received, Refusal> {
        let command = &self.command;
        self.state?
            .finish(&command.class, &command.instance, calling, address)
    }
}

fn unwritten(error: &std::io::Error) -> Refusal {
    Refusal::OutOfResources(format!("expected to write the instance, got: {error}"))
}

impl Spool {
    pub(crate) fn create(folder: &Path) -> std::io::Result<Spool> {
        let file = tempfile::Builder::new()
            .prefix("incoming-")
            .suffix(".dcm")
            .tempfile_in(folder)?;
        Ok(Spool {
            file,
            hash: Sha256::new(),
            bytes: 0,
        })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// The whole instance, once it is what it was said to be.
    pub(crate) fn finish(
        self,
        class: &str,
        instance: &str,
        calling: &str,
        address: IpAddr,
    ) -> Result<Received, Refusal> {
        let keys = read_keys(self.file.path())
            .map_err(|e| Refusal::CannotUnderstand(e.reason().to_owned()))?;
        if keys.instance_uid != instance || keys.class_uid != class {
            let reason = "expected the class and the instance of the message";
            return Err(Refusal::DoesNotMatch(reason.to_owned()));
        }
        let digest = self.hash.finalize();
        let (handle, file) = self.file.into_parts();
        Ok(Received {
            file,
            handle,
            keys,
            bytes: self.bytes,
            sha256: digest.iter().map(|b| format!("{b:02x}")).collect(),
            calling_ae_title: calling.to_owned(),
            address,
        })
    }
}

/// Preamble and file meta information (PS3.10 chapter 7.1); nothing in it names the peer.
pub(crate) fn file_meta(class: &str, instance: &str, syntax: &str) -> Vec<u8> {
    let mut group = Vec::new();
    element(
        &mut group,
        tags::FILE_META_INFORMATION_VERSION,
        b"OB",
        &[0, 1],
    );
    for (tag, text) in [
        (tags::MEDIA_STORAGE_SOP_CLASS_UID, class),
        (tags::MEDIA_STORAGE_SOP_INSTANCE_UID, instance),
        (tags::TRANSFER_SYNTAX_UID, syntax),
        (tags::IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_UID),
    ] {
        element(&mut group, tag, b"UI", &padded(text, b'\0'));
    }
    let name = padded(IMPLEMENTATION_NAME, b' ');
    element(&mut group, tags::IMPLEMENTATION_VERSION_NAME, b"SH", &name);
    let mut whole = vec![0; 128];
    whole.extend(b"DICM");
    let length = (group.len() as u32).to_le_bytes();
    element(
        &mut whole,
        tags::FILE_META_INFORMATION_GROUP_LENGTH,
        b"UL",
        &length,
    );
    whole.extend(group);
    whole
}

fn padded(text: &str, padding: u8) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.len() % 2 == 1 {
        bytes.push(padding);
    }
    bytes
}

/// Explicit VR little endian; only OB has the long form here.
fn element(into: &mut Vec<u8>, tag: Tag, vr: &[u8; 2], value: &[u8]) {
    into.extend(tag.group().to_le_bytes());
    into.extend(tag.element().to_le_bytes());
    into.extend(vr);
    match vr {
        b"OB" => {
            into.extend([0, 0]);
            into.extend((value.len() as u32).to_le_bytes());
        }
        _ => into.extend((value.len() as u16).to_le_bytes()),
    }
    into.extend(value);
}
