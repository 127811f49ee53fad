//! One association that a peer asked for, from its request to its end.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use dicom_ul::pdu::{PDataValue, PDataValueType, Pdu};

use super::accept::{self, Contexts};
use super::command::{Command, CommandKind, status};
use super::gate::{Gate, Visitor};
use super::incoming::{Incoming, Received, Refusal};
use super::listener::{ListenerConfig, Stop};
use super::transport::{Patience, Transport, network, protocol};
use super::wire::Opened;
use super::{MAX_COMMAND_BYTES, is_uid};
use crate::Error;
use crate::content::printable;

/// Takes an instance over; it has to be durable on return.
pub type Store<'a> = dyn Fn(Received) -> Result<(), Refusal> + Sync + 'a;

/// How an association ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Released, or left by the peer.
    Served,
    Rejected,
}

/// What all associations of a listener share.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) config: &'a ListenerConfig,
    pub(super) stop: &'a Stop,
    pub(super) store: &'a Store<'a>,
}

/// Serves one association over a stream that is open: what the peer says is read from it, what it is
/// told is written to it. Nothing is waited for: where the stream ends, the peer has gone.
///
/// # Errors
/// When the peer does not keep to the protocol or goes over a limit.
pub fn serve_stream(
    stream: impl Read + Write,
    config: &ListenerConfig,
    store: &Store<'_>,
) -> Result<(), Error> {
    let (gate, stop) = (Gate::default(), Stop::default());
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let entered = gate.enter(address, None, &[], &config.limits);
    let visitor = entered.map_err(|_| network("expected to be let in"))?;
    let setting = Setting {
        config,
        stop: &stop,
        store,
    };
    let transport = Transport::new(Box::new(Opened(stream)), config.limits.idle)?;
    serve(transport, visitor, setting).map(drop)
}

/// Serves one association; where it fails, the peer is told by an abort.
pub(super) fn serve(
    mut transport: Transport<'_>,
    visitor: Visitor<'_>,
    setting: Setting<'_>,
) -> Result<Ended, Error> {
    if let Some(bytes_per_sec) = setting.config.limits.bytes_per_sec {
        transport.hold_back(bytes_per_sec);
    }
    match run(&mut transport, visitor, setting) {
        Ok(ended) => {
            transport.close();
            Ok(ended)
        }
        Err(error) => {
            transport.abort();
            Err(error)
        }
    }
}

fn run(
    transport: &mut Transport<'_>,
    mut visitor: Visitor<'_>,
    setting: Setting<'_>,
) -> Result<Ended, Error> {
    let Setting { config, stop, .. } = setting;
    let patience = Patience {
        until: Instant::now() + config.limits.negotiation,
        stop: Some(stop),
    };
    let request = match transport.receive(patience)? {
        Some(Pdu::AssociationRQ(request)) => request,
        None => return Ok(Ended::Served),
        Some(_) => return Err(protocol("expected the request of an association")),
    };
    let address = visitor.address;
    let judged = accept::judge(&request, address, config);
    // Who is not wanted at all is told that, and not to come again later.
    let judged = judged.and_then(|accepted| match visitor.take_place(&config.limits) {
        true => Ok(accepted),
        false => Err(accept::busy()),
    });
    let calling = printable(&request.calling_ae_title);
    let (answer, contexts) = match judged {
        Ok(accepted) => accepted,
        Err(rejection) => {
            tracing::warn!(peer = %address, ae_title = %calling, reason = %rejection.source, "association rejected");
            transport.send(&Pdu::AssociationRJ(rejection))?;
            return Ok(Ended::Rejected);
        }
    };
    transport.send(&Pdu::AssociationAC(answer))?;
    let session = Session {
        transport,
        contexts,
        calling,
        address,
        setting,
        message_began: None,
        command: Vec::new(),
        incoming: None,
    };
    session.run()
}

struct Session<'a, 'w> {
    transport: &'a mut Transport<'w>,
    contexts: Contexts,
    calling: String,
    address: IpAddr,
    setting: Setting<'a>,
    message_began: Option<Instant>,
    /// The command of a message, as far as it has come.
    command: Vec<u8>,
    incoming: Option<Incoming>,
}

impl<'a> Session<'a, '_> {
    fn run(mut self) -> Result<Ended, Error> {
        loop {
            let patience = self.patience();
            let Some(pdu) = self.transport.receive(patience)? else {
                return match self.message_began {
                    None => Ok(Ended::Served),
                    Some(_) => Err(protocol("expected the rest of a message, got the end")),
                };
            };
            match pdu {
                Pdu::PData { data } => {
                    for value in data {
                        self.take(value)?;
                    }
                }
                Pdu::ReleaseRQ => {
                    self.transport.send(&Pdu::ReleaseRP)?;
                    return Ok(Ended::Served);
                }
                Pdu::AbortRQ { .. } => return Ok(Ended::Served),
                _ => return Err(protocol("expected data or a release, got something else")),
            }
        }
    }

    fn patience(&self) -> Patience<'a> {
        let limits = &self.setting.config.limits;
        let idle = Instant::now() + limits.idle;
        match self.message_began {
            None => Patience {
                until: idle,
                stop: Some(self.setting.stop),
            },
            Some(began) => Patience {
                until: idle.min(began + limits.message),
                stop: None,
            },
        }
    }

    fn take(&mut self, value: PDataValue) -> Result<(), Error> {
        self.message_began.get_or_insert_with(Instant::now);
        match value.value_type {
            PDataValueType::Command => self.take_command(&value),
            PDataValueType::Data => self.take_data(&value),
        }
    }

    fn take_command(&mut self, value: &PDataValue) -> Result<(), Error> {
        if self.incoming.is_some() {
            return Err(protocol("expected a data set, got a command"));
        }
        if self.command.len() + value.data.len() > MAX_COMMAND_BYTES {
            let limit = MAX_COMMAND_BYTES;
            return Err(protocol(format!(
                "expected a command of at most {limit} bytes"
            )));
        }
        self.command.extend(&value.data);
        if !value.is_last {
            return Ok(());
        }
        let command = Command::parse(&std::mem::take(&mut self.command))?;
        self.dispatch(command, value.presentation_context_id)
    }

    fn dispatch(&mut self, command: Command, context: u8) -> Result<(), Error> {
        let agreed = self.contexts.get(&context);
        let agreed = agreed.ok_or_else(|| protocol("expected an accepted presentation context"))?;
        let refused = match command.kind {
            CommandKind::Store if command.has_data => {
                let (folder, limit) = (
                    &self.setting.config.spool,
                    self.setting.config.limits.instance_bytes,
                );
                let checked = check(&command, &agreed.class);
                if checked == status::SUCCESS {
                    let incoming = Incoming::start(command, context, agreed, folder, limit);
                    self.incoming = Some(incoming);
                    return Ok(());
                }
                // Its data set is read over by the error that ends the association.
                self.answer(context, &command, checked, "")?;
                return Err(protocol("expected an instance of the agreed class"));
            }
            CommandKind::Echo => status::SUCCESS,
            CommandKind::Answer(_) => return Err(protocol("expected a request, got an answer")),
            CommandKind::Store | CommandKind::Other(_) => status::UNKNOWN_OPERATION,
        };
        if command.has_data {
            return Err(protocol("expected a message without a data set"));
        }
        self.answer(context, &command, refused, "")
    }

    fn take_data(&mut self, value: &PDataValue) -> Result<(), Error> {
        let unexpected = || protocol("expected a command, got a data set");
        let incoming = self.incoming.as_mut().ok_or_else(unexpected)?;
        if incoming.context != value.presentation_context_id {
            return Err(protocol("expected one presentation context per message"));
        }
        incoming.write(&value.data);
        if !value.is_last {
            return Ok(());
        }
        let incoming = self.incoming.take().ok_or_else(unexpected)?;
        let (command, context) = (incoming.command.clone(), incoming.context);
        let received = incoming.finish(&self.calling, self.address);
        match received.and_then(self.setting.store) {
            Ok(()) => self.answer(context, &command, status::SUCCESS, ""),
            Err(refusal) => {
                let reason = refusal.reason();
                tracing::warn!(peer = %self.address, ae_title = %self.calling, reason, "instance refused");
                self.answer(context, &command, refusal.status(), reason)
            }
        }
    }

    fn answer(
        &mut self,
        context: u8,
        command: &Command,
        status: u16,
        comment: &str,
    ) -> Result<(), Error> {
        self.message_began = None;
        let value = PDataValue {
            presentation_context_id: context,
            value_type: PDataValueType::Command,
            is_last: true,
            data: command.answer(status, comment),
        };
        self.transport.send(&Pdu::PData { data: vec![value] })
    }
}

fn check(command: &Command, class: &str) -> u16 {
    if command.class != class {
        return status::CLASS_NOT_SUPPORTED;
    }
    match is_uid(&command.instance) {
        true => status::SUCCESS,
        false => status::INVALID_INSTANCE,
    }
}
