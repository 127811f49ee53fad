//! Units of the upper layer over a wire, each with a bound on its length and on its time.

use std::io::ErrorKind as IoKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use dicom_ul::pdu::{
    AbortRQServiceProviderReason, AbortRQSource, PDU_HEADER_SIZE, Pdu, read_pdu, write_pdu,
};

use super::wire::Wire;
use super::{MAX_CONTROL_PDU, MAX_DATA_PDU, Stop};
use crate::error::one_line;
use crate::{Error, ErrorKind};

/// How often a waiting side looks at the clock.
pub(super) const TICK: Duration = Duration::from_millis(200);
/// A peer that says nothing for so long while the program stops has nothing more to say.
const IDLE_WHEN_STOPPING: Duration = Duration::from_secs(1);
/// How long a closing side waits for the peer to close.
const CLOSING: Duration = Duration::from_millis(500);
const P_DATA: u8 = 0x04;
const LAST_TYPE: u8 = 0x07;

/// How long to wait for a unit.
#[derive(Clone, Copy)]
pub(super) struct Patience<'a> {
    /// The whole unit has to be there by then.
    pub(super) until: Instant,
    /// Between messages: where a stop is asked for, a silent peer is waited for no longer.
    pub(super) stop: Option<&'a Stop>,
}

/// Units to and from a peer.
pub(super) struct Transport<'a> {
    wire: Box<dyn Wire + 'a>,
    pace: Option<Pace>,
}

/// Holds a peer back that sends faster than it may: what it sends waits in the network.
struct Pace {
    bytes_per_sec: u64,
    began: Instant,
    bytes: u64,
}

impl Pace {
    /// How long after its beginning so many bytes may have come.
    fn due(&self) -> Duration {
        Duration::from_secs_f64(self.bytes as f64 / self.bytes_per_sec.max(1) as f64)
    }

    /// Waits until `count` more bytes are due. Time in which nothing came is not saved up.
    fn spend(&mut self, count: u64) {
        if self.began.elapsed() > self.due() + TICK {
            self.began = Instant::now();
            self.bytes = 0;
        }
        self.bytes += count;
        std::thread::sleep(self.due().saturating_sub(self.began.elapsed()));
    }
}

impl<'a> Transport<'a> {
    /// `write` is how long a peer may take to accept bytes.
    pub(super) fn new(wire: Box<dyn Wire + 'a>, write: Duration) -> Result<Transport<'a>, Error> {
        if let Some(socket) = wire.socket() {
            let prepared = socket
                .set_read_timeout(Some(TICK))
                .and_then(|()| socket.set_write_timeout(Some(write)))
                .and_then(|()| socket.set_nodelay(true));
            prepared.map_err(|e| lost(&e))?;
        }
        Ok(Transport { wire, pace: None })
    }

    /// Takes at most so many bytes a second from the peer.
    pub(super) fn hold_back(&mut self, bytes_per_sec: u64) {
        self.pace = Some(Pace {
            bytes_per_sec,
            began: Instant::now(),
            bytes: 0,
        });
    }

    /// The next unit; none where the peer has closed, or a stop is asked for, before it began.
    pub(super) fn receive(&mut self, patience: Patience<'_>) -> Result<Option<Pdu>, Error> {
        // A peer that never pauses is not waited for anywhere else.
        if Instant::now() >= patience.until {
            return Err(network("expected the peer to come to an end in time"));
        }
        let mut bytes = vec![0; PDU_HEADER_SIZE as usize];
        if !self.fill(&mut bytes, patience, Start::MayBeMissing)? {
            return Ok(None);
        }
        let (kind, length) = (
            bytes[0],
            u32::from_be_bytes([bytes[2], bytes[3], bytes[4], bytes[5]]),
        );
        check_length(kind, length)?;
        bytes.resize((PDU_HEADER_SIZE + length) as usize, 0);
        self.fill(
            &mut bytes[PDU_HEADER_SIZE as usize..],
            patience,
            Start::Expected,
        )?;
        if let Some(pace) = &mut self.pace {
            pace.spend(bytes.len() as u64);
        }
        let limit = MAX_CONTROL_PDU;
        match read_pdu(&bytes[..], limit, true) {
            Ok(Some(pdu)) => Ok(Some(pdu)),
            Ok(None) => Err(protocol("expected a whole unit, got a part")),
            Err(e) => Err(protocol(one_line(&e))),
        }
    }

    /// Fills a buffer; false where nothing came and nothing had to come.
    fn fill(
        &mut self,
        buffer: &mut [u8],
        patience: Patience<'_>,
        start: Start,
    ) -> Result<bool, Error> {
        if let Some(socket) = self.wire.socket() {
            acknowledge_at_once(socket);
        }
        let began = Instant::now();
        let mut filled = 0;
        while filled < buffer.len() {
            let may_end = filled == 0 && start == Start::MayBeMissing;
            match self.wire.read(&mut buffer[filled..]) {
                Ok(0) if may_end => return Ok(false),
                Ok(0) => {
                    return Err(network(
                        "expected more bytes, got the end of the connection",
                    ));
                }
                Ok(count) => filled += count,
                Err(e) if e.kind() == IoKind::Interrupted => {}
                Err(e) if is_timeout(&e) => {
                    let stopping = patience.stop.is_some_and(Stop::is_asked);
                    if may_end && stopping && began.elapsed() >= IDLE_WHEN_STOPPING {
                        return Ok(false);
                    }
                }
                Err(e) => return Err(lost(&e)),
            }
            if filled < buffer.len() && Instant::now() >= patience.until {
                return Err(network("expected the peer to go on, got nothing in time"));
            }
        }
        Ok(true)
    }

    pub(super) fn send(&mut self, pdu: &Pdu) -> Result<(), Error> {
        let mut bytes = Vec::new();
        write_pdu(&mut bytes, pdu).map_err(|e| protocol(one_line(&e)))?;
        let written = self.wire.write_all(&bytes);
        written
            .and_then(|()| self.wire.flush())
            .map_err(|e| lost(&e))
    }

    /// Tells the peer that the association is over for a fault, and closes.
    pub(super) fn abort(mut self) {
        let reason = AbortRQServiceProviderReason::ReasonNotSpecified;
        let source = AbortRQSource::ServiceProvider(reason);
        // The peer may be gone already: there is nobody else to tell.
        let _ = self.send(&Pdu::AbortRQ { source });
        self.close();
    }

    /// Closes so that the last answer arrives: bytes that are still unread would reset the connection.
    pub(super) fn close(mut self) {
        let _ = self.wire.finish_writing();
        if self.wire.socket().is_none() {
            return;
        }
        let until = Instant::now() + CLOSING;
        let mut rest = [0; 4096];
        while Instant::now() < until {
            match self.wire.read(&mut rest) {
                Ok(0) => break,
                Ok(_) => {}
                Err(e) if is_timeout(&e) => {}
                Err(_) => break,
            }
        }
    }
}

/// A sender that follows Nagle's rule holds a short unit back until the one before is acknowledged,
/// which a receiver otherwise puts off by 40 ms. The system forgets the wish, so it is told again.
#[cfg(target_os = "linux")]
fn acknowledge_at_once(stream: &TcpStream) {
    use std::os::linux::net::TcpStreamExt;
    // Where it is refused the connection is slower, not broken.
    let _ = stream.set_quickack(true);
}

#[cfg(not(target_os = "linux"))]
fn acknowledge_at_once(_: &TcpStream) {}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    MayBeMissing,
    Expected,
}

fn check_length(kind: u8, length: u32) -> Result<(), Error> {
    let limit = match kind {
        P_DATA => MAX_DATA_PDU,
        1..=LAST_TYPE => MAX_CONTROL_PDU,
        _ => {
            return Err(protocol(format!(
                "expected a unit of DICOM, got type {kind:#04x}"
            )));
        }
    };
    match length <= limit {
        true => Ok(()),
        false => Err(protocol(format!(
            "expected a unit of at most {limit} bytes, got {length}"
        ))),
    }
}

pub(super) fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), IoKind::WouldBlock | IoKind::TimedOut)
}

fn lost(error: &std::io::Error) -> Error {
    network(format!("expected an open connection, got: {error}"))
}

pub(super) fn network(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Network, message)
}

pub(super) fn protocol(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Protocol, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_peer_is_held_back_and_silence_is_not_saved_up() {
        let mut pace = Pace {
            bytes_per_sec: 1_000_000,
            began: Instant::now() - Duration::from_secs(5),
            bytes: 0,
        };
        let began = Instant::now();
        for _ in 0..4 {
            pace.spend(100_000);
        }
        let took = began.elapsed();
        assert!((390..2000).contains(&took.as_millis()), "{took:?}");
    }
}
