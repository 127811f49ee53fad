//! Command sets of messages (PS3.7 chapter 6.3 and annex E): always implicit VR little endian.

use std::io::Cursor;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::is_uid;
use super::transport::protocol;
use crate::Error;
use crate::dataset::{Dataset, Encoding};
use crate::walker::{Keep, Walker};

const IMPLICIT_LITTLE: Encoding = Encoding {
    implicit: true,
    big_endian: false,
};
/// The value of Command Data Set Type that says: no data set follows.
const NO_DATA: u16 = 0x0101;
const SOME_DATA: u16 = 0x0001;
/// Set in the command of every answer.
const ANSWER: u16 = 0x8000;
const C_STORE: u16 = 0x0001;
const C_FIND: u16 = 0x0020;
const C_MOVE: u16 = 0x0021;
const C_ECHO: u16 = 0x0030;
const MEDIUM_PRIORITY: u16 = 0;
/// Longest error comment (LO).
const MAX_COMMENT: usize = 64;

/// Status codes (PS3.7 annex C, PS3.4 table B.2-1).
pub(super) mod status {
    pub(in super::super) const SUCCESS: u16 = 0x0000;
    /// More answers come; with a warning that a key was not used.
    pub(in super::super) const PENDING: [u16; 2] = [0xFF00, 0xFF01];
    pub(in super::super) const CLASS_NOT_SUPPORTED: u16 = 0x0122;
    pub(in super::super) const INVALID_INSTANCE: u16 = 0x0117;
    pub(in super::super) const UNKNOWN_OPERATION: u16 = 0x0211;
    pub(in super::super) const OUT_OF_RESOURCES: u16 = 0xA700;
    pub(in super::super) const DOES_NOT_MATCH_CLASS: u16 = 0xA900;
    pub(in super::super) const CANNOT_UNDERSTAND: u16 = 0xC000;
}

/// A command that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) kind: CommandKind,
    pub(super) message: u16,
    /// As the peer wrote them, without padding.
    pub(super) class: String,
    pub(super) instance: String,
    pub(super) has_data: bool,
    /// Of an answer to C-MOVE, as far as it says.
    pub(super) operations: Operations,
}

/// How the instances of a C-MOVE have fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Operations {
    pub(super) remaining: u16,
    pub(super) completed: u16,
    pub(super) failed: u16,
    pub(super) with_warning: u16,
}

impl Operations {
    fn of(data: &Dataset) -> Operations {
        let count = |tag| data.word(tag).unwrap_or(0);
        Operations {
            remaining: count(tags::NUMBER_OF_REMAINING_SUBOPERATIONS),
            completed: count(tags::NUMBER_OF_COMPLETED_SUBOPERATIONS),
            failed: count(tags::NUMBER_OF_FAILED_SUBOPERATIONS),
            with_warning: count(tags::NUMBER_OF_WARNING_SUBOPERATIONS),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommandKind {
    Echo,
    Store,
    /// An answer, with its status.
    Answer(u16),
    /// Anything else: the number it had.
    Other(u16),
}

impl Command {
    pub(super) fn parse(bytes: &[u8]) -> Result<Command, Error> {
        let data = read_implicit(bytes)?;
        let word = |tag: Tag| data.word(tag);
        let number = word(tags::COMMAND_FIELD).ok_or_else(|| protocol("expected a command"))?;
        let is_answer = number & ANSWER != 0;
        let message = match is_answer {
            true => tags::MESSAGE_ID_BEING_RESPONDED_TO,
            false => tags::MESSAGE_ID,
        };
        let kind = match (is_answer, number) {
            (true, _) => CommandKind::Answer(
                word(tags::STATUS).ok_or_else(|| protocol("expected the status of an answer"))?,
            ),
            (false, C_ECHO) => CommandKind::Echo,
            (false, C_STORE) => CommandKind::Store,
            (false, other) => CommandKind::Other(other),
        };
        Ok(Command {
            kind,
            message: word(message).ok_or_else(|| protocol("expected a message's number"))?,
            class: identifier(&data, tags::AFFECTED_SOP_CLASS_UID),
            instance: identifier(&data, tags::AFFECTED_SOP_INSTANCE_UID),
            has_data: word(tags::COMMAND_DATA_SET_TYPE).unwrap_or(NO_DATA) != NO_DATA,
            operations: Operations::of(&data),
        })
    }

    /// The answer to this command.
    pub(super) fn answer(&self, status: u16, comment: &str) -> Vec<u8> {
        let number = match self.kind {
            CommandKind::Echo => C_ECHO,
            CommandKind::Store => C_STORE,
            CommandKind::Other(number) => number,
            CommandKind::Answer(_) => 0,
        };
        let mut set = Elements::default();
        // What is no identifier is not sent back.
        if is_uid(&self.class) {
            set.text(tags::AFFECTED_SOP_CLASS_UID, &self.class, b'\0');
        }
        set.word(tags::COMMAND_FIELD, number | ANSWER);
        set.word(tags::MESSAGE_ID_BEING_RESPONDED_TO, self.message);
        set.word(tags::COMMAND_DATA_SET_TYPE, NO_DATA);
        set.word(tags::STATUS, status);
        let comment: String = comment
            .chars()
            .filter(char::is_ascii)
            .take(MAX_COMMENT)
            .collect();
        if !comment.is_empty() {
            set.text(tags::ERROR_COMMENT, &comment, b' ');
        }
        if is_uid(&self.instance) {
            set.text(tags::AFFECTED_SOP_INSTANCE_UID, &self.instance, b'\0');
        }
        set.into_command()
    }
}

/// The command that asks for an echo.
pub(super) fn echo_request(message: u16, class: &str) -> Vec<u8> {
    let mut set = Elements::default();
    set.text(tags::AFFECTED_SOP_CLASS_UID, class, b'\0');
    set.word(tags::COMMAND_FIELD, C_ECHO);
    set.word(tags::MESSAGE_ID, message);
    set.word(tags::COMMAND_DATA_SET_TYPE, NO_DATA);
    set.into_command()
}

/// The command that stores the instance whose data set follows.
pub(super) fn store_request(message: u16, class: &str, instance: &str) -> Vec<u8> {
    let mut set = Elements::default();
    set.text(tags::AFFECTED_SOP_CLASS_UID, class, b'\0');
    set.word(tags::COMMAND_FIELD, C_STORE);
    set.word(tags::MESSAGE_ID, message);
    set.word(tags::PRIORITY, MEDIUM_PRIORITY);
    set.word(tags::COMMAND_DATA_SET_TYPE, SOME_DATA);
    set.text(tags::AFFECTED_SOP_INSTANCE_UID, instance, b'\0');
    set.into_command()
}

/// The command that asks which studies fit the identifier whose data set follows.
pub(super) fn find_request(message: u16, class: &str) -> Vec<u8> {
    let mut set = Elements::default();
    set.text(tags::AFFECTED_SOP_CLASS_UID, class, b'\0');
    set.word(tags::COMMAND_FIELD, C_FIND);
    set.word(tags::MESSAGE_ID, message);
    set.word(tags::PRIORITY, MEDIUM_PRIORITY);
    set.word(tags::COMMAND_DATA_SET_TYPE, SOME_DATA);
    set.into_command()
}

/// The command that has what fits the identifier, whose data set follows, sent to a title.
pub(super) fn move_request(message: u16, class: &str, destination: &str) -> Vec<u8> {
    let mut set = Elements::default();
    set.text(tags::AFFECTED_SOP_CLASS_UID, class, b'\0');
    set.word(tags::COMMAND_FIELD, C_MOVE);
    set.word(tags::MESSAGE_ID, message);
    set.text(tags::MOVE_DESTINATION, destination, b' ');
    set.word(tags::PRIORITY, MEDIUM_PRIORITY);
    set.word(tags::COMMAND_DATA_SET_TYPE, SOME_DATA);
    set.into_command()
}

fn identifier(data: &Dataset, tag: Tag) -> String {
    // Several values are no identifier: the sign between them shows that.
    data.texts(tag).join("\\")
}

/// A data set in implicit VR little endian, as commands have it and identifiers may.
pub(super) fn read_implicit(bytes: &[u8]) -> Result<Dataset, Error> {
    let mut walker = Walker::new(Cursor::new(bytes), bytes.len() as u64);
    Ok(walker.read_elements(IMPLICIT_LITTLE, Keep::All)?.0)
}

/// A data set in implicit VR little endian that is being written; elements are given in the order of
/// their tags.
#[derive(Default)]
pub(super) struct Elements {
    pub(super) bytes: Vec<u8>,
}

impl Elements {
    pub(super) fn element(&mut self, tag: Tag, value: &[u8]) {
        self.bytes.extend(tag.group().to_le_bytes());
        self.bytes.extend(tag.element().to_le_bytes());
        self.bytes.extend((value.len() as u32).to_le_bytes());
        self.bytes.extend(value);
    }

    fn word(&mut self, tag: Tag, value: u16) {
        self.element(tag, &value.to_le_bytes());
    }

    pub(super) fn text(&mut self, tag: Tag, value: &str, padding: u8) {
        self.value(tag, value.as_bytes(), padding);
    }

    /// A value as it is, made even.
    pub(super) fn value(&mut self, tag: Tag, value: &[u8], padding: u8) {
        let mut bytes = value.to_vec();
        if bytes.len() % 2 == 1 {
            bytes.push(padding);
        }
        self.element(tag, &bytes);
    }

    /// The whole command, which begins with its length.
    fn into_command(self) -> Vec<u8> {
        let mut whole = Elements::default();
        let length = self.bytes.len() as u32;
        whole.element(tags::COMMAND_GROUP_LENGTH, &length.to_le_bytes());
        whole.bytes.extend(self.bytes);
        whole.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let bytes = store_request(7, "1.2.840.10008.5.1.4.1.1.6.1", "1.2.3");
        let command = Command::parse(&bytes).unwrap();
        assert_eq!(command.kind, CommandKind::Store);
        assert_eq!((command.message, command.has_data), (7, true));
        assert_eq!(command.instance, "1.2.3");
        assert_eq!(command.operations, Operations::default());
        let answer = Command::parse(&command.answer(status::OUT_OF_RESOURCES, "full")).unwrap();
        assert_eq!(answer.kind, CommandKind::Answer(0xA700));
        assert_eq!((answer.message, answer.has_data), (7, false));
    }

    #[test]
    fn bytes_that_are_no_command_are_errors() {
        let claimed = b"\0\0\0\x01\xFF\xFF\xFF\xFF\x01\0".as_slice();
        for bytes in [
            b"".as_slice(),
            b"GET / HTTP/1.1\r\n\r\n",
            &[0xFF; 64],
            claimed,
        ] {
            assert!(Command::parse(bytes).is_err(), "{bytes:?}");
        }
    }
}
