//! Associations that this side asks for: negotiation, requests and answers.

use std::collections::VecDeque;
use std::io::Read;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Instant;

use dicom_dictionary_std::uids;
use dicom_ul::pdu::{
    AssociationAC, AssociationRQ, PDataValue, PDataValueType, Pdu, PresentationContextProposed,
    PresentationContextResultReason, UserVariableItem,
};

use super::accept::{Context, Contexts, user_variables};
use super::command::{Command, CommandKind, Operations};
use super::tls::SenderTls;
use super::transport::{Patience, Transport, network, protocol};
use super::wire::Wire;
use super::{MAX_COMMAND_BYTES, MAX_DATA_PDU, NetworkLimits};
use crate::{Error, ErrorKind};

/// Room for the head of a value inside a unit (PS3.8 9.3.5).
const VALUE_HEAD: u32 = 6;
/// Shortest unit that is sent where a peer asks for tiny ones.
const MIN_DATA_PDU: u32 = 1024;
/// Contexts have odd numbers of one byte.
const MAX_CONTEXTS: usize = 128;
/// Longest data set of an answer; that of one study has a few hundred bytes.
const MAX_IDENTIFIER_BYTES: usize = 262_144;

/// A peer to send to or to ask.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Host and port.
    pub address: String,
    /// Its title, up to 16 characters.
    pub ae_title: String,
    /// The title this side gives itself.
    pub calling_ae_title: String,
    /// How the connection is encrypted; not at all where there is nothing.
    pub tls: Option<SenderTls>,
    /// Bounds on time.
    pub limits: NetworkLimits,
}

/// An association that this side asked for.
pub(super) struct Association<'a> {
    transport: Transport<'a>,
    contexts: Contexts,
    limits: &'a NetworkLimits,
    /// Longest value of a unit that the peer takes.
    value_bytes: usize,
    /// Values that came in one unit with others.
    received: VecDeque<PDataValue>,
}

/// An answer to a request.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) operations: Operations,
    pub(super) data: Vec<u8>,
}

impl Answer {
    fn of(command: &Command, data: Vec<u8>) -> Result<Answer, Error> {
        match command.kind {
            CommandKind::Answer(status) => Ok(Answer {
                status,
                operations: command.operations,
                data,
            }),
            _ => Err(protocol("expected an answer, got a request")),
        }
    }
}

impl<'a> Association<'a> {
    pub(super) fn request(
        remote: &'a Remote,
        wanted: &[Context],
    ) -> Result<Association<'a>, Error> {
        Association::over(connect(remote)?, remote, wanted)
    }

    /// Asks for an association over a wire that is there already.
    pub(super) fn over(
        wire: Box<dyn Wire + 'a>,
        remote: &'a Remote,
        wanted: &[Context],
    ) -> Result<Association<'a>, Error> {
        if wanted.len() > MAX_CONTEXTS {
            let count = wanted.len();
            return Err(protocol(format!(
                "expected at most {MAX_CONTEXTS} classes and encodings, got {count}"
            )));
        }
        let mut transport = Transport::new(wire, remote.limits.idle)?;
        let numbered = || (1..=u8::MAX).step_by(2).zip(wanted);
        let proposed = numbered().map(|(id, context)| PresentationContextProposed {
            id,
            abstract_syntax: context.class.clone(),
            transfer_syntaxes: vec![context.syntax.clone()],
        });
        transport.send(&Pdu::AssociationRQ(AssociationRQ {
            protocol_version: 1,
            calling_ae_title: remote.calling_ae_title.clone(),
            called_ae_title: remote.ae_title.clone(),
            application_context_name: uids::DICOM_APPLICATION_CONTEXT.to_owned(),
            presentation_contexts: proposed.collect(),
            user_variables: user_variables(),
        }))?;
        let patience = Patience {
            until: Instant::now() + remote.limits.negotiation,
            stop: None,
        };
        match transport.receive(patience)? {
            Some(Pdu::AssociationAC(answer)) => Ok(Association {
                contexts: agreed(&answer, numbered()),
                value_bytes: value_bytes(&answer),
                transport,
                limits: &remote.limits,
                received: VecDeque::new(),
            }),
            Some(Pdu::AssociationRJ(rejection)) => Err(refused(format!(
                "expected an association, got: {}",
                rejection.source
            ))),
            Some(_) => Err(protocol(
                "expected an answer to the request, got something else",
            )),
            None => Err(network("expected an answer to the request, got the end")),
        }
    }

    pub(super) fn number_of(&self, class: &str, syntax: &str) -> Result<u8, Error> {
        let fits = |context: &Context| context.class == class && context.syntax == syntax;
        let found = self.contexts.iter().find(|(_, context)| fits(context));
        found.map(|(number, _)| *number).ok_or_else(|| {
            refused(format!(
                "expected class {class} in transfer syntax {syntax} to be accepted, got a refusal"
            ))
        })
    }

    /// Sends a data set of `left` bytes.
    pub(super) fn data(
        &mut self,
        number: u8,
        from: &mut dyn Read,
        mut left: u64,
    ) -> Result<(), Error> {
        let io = |e: std::io::Error| Error::new(ErrorKind::Io, e.to_string());
        while left > 0 {
            let count = left.min(self.value_bytes as u64);
            let mut data = vec![0; count as usize];
            from.read_exact(&mut data).map_err(io)?;
            left -= count;
            let value = PDataValue {
                presentation_context_id: number,
                value_type: PDataValueType::Data,
                is_last: left == 0,
                data,
            };
            self.transport.send(&Pdu::PData { data: vec![value] })?;
        }
        Ok(())
    }

    pub(super) fn command(&mut self, number: u8, command: Vec<u8>) -> Result<(), Error> {
        let value = PDataValue {
            presentation_context_id: number,
            value_type: PDataValueType::Command,
            is_last: true,
            data: command,
        };
        self.transport.send(&Pdu::PData { data: vec![value] })
    }

    /// The status of the next answer, which has no data set.
    pub(super) fn status(&mut self) -> Result<u16, Error> {
        let until = Instant::now() + self.limits.idle;
        let answer = self.answer(until)?;
        match answer.data.is_empty() {
            true => Ok(answer.status),
            false => Err(protocol("expected an answer without a data set")),
        }
    }

    /// The next answer, whole by then.
    pub(super) fn answer(&mut self, until: Instant) -> Result<Answer, Error> {
        let mut command: Option<Command> = None;
        let (mut bytes, mut limit) = (Vec::new(), MAX_COMMAND_BYTES);
        loop {
            while self.received.is_empty() {
                let values = self.next_values(until)?;
                self.received.extend(values);
            }
            let Some(value) = self.received.pop_front() else {
                continue;
            };
            let expected = match command {
                None => PDataValueType::Command,
                Some(_) => PDataValueType::Data,
            };
            if value.value_type != expected {
                return Err(protocol("expected a command, then its data set"));
            }
            bytes.extend(value.data);
            if bytes.len() > limit {
                return Err(protocol(format!(
                    "expected at most {limit} bytes of an answer"
                )));
            }
            if !value.is_last {
                continue;
            }
            match command.take() {
                Some(command) => return Answer::of(&command, bytes),
                None => {
                    let parsed = Command::parse(&bytes)?;
                    bytes.clear();
                    if !parsed.has_data {
                        return Answer::of(&parsed, bytes);
                    }
                    limit = MAX_IDENTIFIER_BYTES;
                    command = Some(parsed);
                }
            }
        }
    }

    fn next_values(&mut self, until: Instant) -> Result<Vec<PDataValue>, Error> {
        match self.transport.receive(Patience { until, stop: None })? {
            Some(Pdu::PData { data }) => Ok(data),
            Some(Pdu::AbortRQ { .. }) => Err(refused("expected an answer, got an abort")),
            Some(_) => Err(protocol("expected an answer, got something else")),
            None => Err(network("expected an answer, got the end of the connection")),
        }
    }

    /// Ends the association where the peer has more to say than is wanted.
    pub(super) fn abort(self) {
        self.transport.abort();
    }

    pub(super) fn release(mut self) -> Result<(), Error> {
        self.transport.send(&Pdu::ReleaseRQ)?;
        let patience = Patience {
            until: Instant::now() + self.limits.negotiation,
            stop: None,
        };
        // Everything has been answered: how the peer says goodbye changes nothing.
        let _ = self.transport.receive(patience);
        Ok(())
    }
}

fn connect(remote: &Remote) -> Result<Box<dyn Wire>, Error> {
    let address = &remote.address;
    let failed = |e: std::io::Error| network(format!("{address}: expected a connection, got: {e}"));
    let mut last = network(format!("{address}: expected an address, got none"));
    for candidate in address.to_socket_addrs().map_err(failed)? {
        match TcpStream::connect_timeout(&candidate, remote.limits.negotiation) {
            Ok(stream) => return encrypted(remote, stream),
            Err(e) => last = failed(e),
        }
    }
    Err(last)
}

fn encrypted(remote: &Remote, stream: TcpStream) -> Result<Box<dyn Wire>, Error> {
    let until = Instant::now() + remote.limits.negotiation;
    match &remote.tls {
        None => Ok(Box::new(stream)),
        Some(tls) => tls.connect(stream, &remote.address, until),
    }
}

fn agreed<'a>(
    answer: &AssociationAC,
    proposed: impl Iterator<Item = (u8, &'a Context)>,
) -> Contexts {
    let results = &answer.presentation_contexts;
    let is_accepted = |id: u8| {
        let accepted = PresentationContextResultReason::Acceptance;
        results.iter().any(|r| r.id == id && r.reason == accepted)
    };
    let kept = proposed.filter(|(id, _)| is_accepted(*id));
    kept.map(|(id, context)| (id, context.clone())).collect()
}

fn value_bytes(answer: &AssociationAC) -> usize {
    let stated = answer.user_variables.iter().find_map(|v| match v {
        UserVariableItem::MaxLength(length) => Some(*length),
        _ => None,
    });
    let unit = match stated {
        // PS3.8 annex D.1: no limit.
        Some(0) => MAX_DATA_PDU,
        Some(length) => length.clamp(MIN_DATA_PDU, MAX_DATA_PDU),
        None => MIN_DATA_PDU,
    };
    // Values have an even length.
    ((unit - VALUE_HEAD) & !1) as usize
}

pub(super) fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Refused, message)
}
