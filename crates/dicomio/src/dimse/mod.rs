//! The DICOM network (PS3.7, PS3.8): receiving instances, sending results, echo.
//!
//! Owns: associations and their negotiation ([`Listener`]), TLS, the messages C-ECHO and C-STORE on both
//! sides, C-FIND and C-MOVE of whoever asks ([`find_studies`], [`move_study`]), every bound on time and
//! memory that a peer can reach. Does not own: where instances are
//! kept (the caller's `store`), when a failed sending is tried again, the bytes of a protocol data
//! unit (`dicom-ul`).
//!
//! An instance is written to a file as it arrives, so that memory does not grow with it: file meta
//! information, then the data set as it was received. Success is answered after `store` has returned.
//!
//! ```no_run
//! use lobule_dicomio::dimse::{Listener, ListenerConfig, Received, Stop};
//! let config = ListenerConfig::new("incoming/");
//! let listener = Listener::bind("127.0.0.1:11112".parse()?, config)?;
//! let stop = Stop::default();
//! listener.serve(&stop, &|received: Received| {
//!     println!("{} bytes of {}", received.bytes, received.keys.modality);
//!     Ok(())
//! });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accept;
mod association;
mod command;
mod conformance;
mod gate;
mod incoming;
mod listener;
mod query;
mod sender;
mod session;
mod tls;
mod transport;
mod wire;

use std::time::Duration;

pub(crate) use accept::{is_read, is_taken};
pub use association::Remote;
pub use conformance::conformance_tables;
pub use incoming::{Received, Refusal};
pub(crate) use incoming::{Spool, file_meta};
pub use listener::{Counters, Listener, ListenerConfig, Peer, Stop};
pub use query::{FoundStudy, Moved, PatientStudies, find_studies, find_studies_over, move_study};
pub use sender::{Sent, echo, send};
pub use session::{Store, serve_stream};
pub use tls::{ListenerTls, SenderTls, TlsIdentity};

/// The implementation that every association and every received file names.
const IMPLEMENTATION_UID: &str = "2.25.235131840107862019741203468230153361217";
const IMPLEMENTATION_NAME: &str = "LOBULE_0_1";
/// Longest protocol data unit with data that is taken, as it is announced: what dcmtk sends at most.
const MAX_DATA_PDU: u32 = 131_072;
/// Longest unit of any other kind: 128 presentation contexts with many transfer syntaxes each.
const MAX_CONTROL_PDU: u32 = 262_144;
/// Longest command of a message; real ones have a few hundred bytes.
const MAX_COMMAND_BYTES: usize = 16_384;

/// Bounds on what a peer can make this side spend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkLimits {
    /// Associations at once; further ones are rejected as transient, so that the peer tries again.
    pub associations: usize,
    /// Associations at once of one address.
    pub associations_per_address: usize,
    /// Connections that have not asked for an association yet; of more, the oldest is closed.
    pub waiting: usize,
    /// Connections that one address may open in a minute; further ones are closed at once.
    pub connections_per_minute: u32,
    /// Bytes a second that one association may send; it is held back, not refused. Any number where
    /// there is nothing.
    pub bytes_per_sec: Option<u64>,
    /// Largest data set of an instance, in bytes.
    pub instance_bytes: u64,
    /// From the connection to the whole request or answer of an association.
    pub negotiation: Duration,
    /// Longest wait for a message, and for each unit of one to be complete.
    pub idle: Duration,
    /// From the first to the last byte of a message.
    pub message: Duration,
}

impl Default for NetworkLimits {
    fn default() -> NetworkLimits {
        NetworkLimits {
            associations: 32,
            associations_per_address: 16,
            waiting: 128,
            connections_per_minute: 6000,
            bytes_per_sec: None,
            instance_bytes: 2 << 30,
            negotiation: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            message: Duration::from_secs(900),
        }
    }
}

/// Whether a text is a unique identifier (PS3.5 9.1): at most 64 digits and dots. Leading zeros and
/// empty components, which some machines write, are let pass: nothing is named after them.
pub(crate) fn is_uid(text: &str) -> bool {
    let length_fits = (1..=64).contains(&text.len());
    length_fits && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_and_dots_are_an_identifier() {
        let long = "1".repeat(65);
        let cases = [
            ("1.2.840.10008.1.1", true),
            ("", false),
            ("../../etc/passwd", false),
            ("1.2.3/4", false),
            ("1.2\0", false),
            (long.as_str(), false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_uid(text), expected, "{text:?}");
        }
    }
}
