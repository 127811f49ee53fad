//! The listening socket: who comes in, how many at once, and how it ends.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::Scope;
use std::time::{Duration, Instant};

use ipnet::IpNet;

use super::NetworkLimits;
use super::gate::{Gate, TurnedAway, Visitor};
use super::session::{self, Ended, Setting, Store};
use super::tls::ListenerTls;
use super::transport::{Transport, network};
use super::wire::Wire;
use crate::Error;

/// How often the listener looks whether it is to stop.
const TICK: Duration = Duration::from_millis(10);

/// Who may connect and where instances are written.
#[derive(Debug, Clone)]
pub struct ListenerConfig {
    /// The title peers have to call; any where there is none.
    pub ae_title: Option<String>,
    /// Who may connect; everybody where it is empty.
    pub peers: Vec<Peer>,
    /// Folder for instances on their way in; it has to be on the file system they are kept on.
    pub spool: PathBuf,
    /// How connections are encrypted; not at all where there is nothing.
    pub tls: Option<ListenerTls>,
    /// Bounds.
    pub limits: NetworkLimits,
}

impl ListenerConfig {
    /// Any title, anybody, no TLS, the usual limits.
    pub fn new(spool: impl Into<PathBuf>) -> ListenerConfig {
        ListenerConfig {
            ae_title: None,
            peers: Vec::new(),
            spool: spool.into(),
            tls: None,
            limits: NetworkLimits::default(),
        }
    }
}

/// A known peer, by its title, its address, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The title it gives itself.
    pub ae_title: Option<String>,
    /// Where it connects from: an address or a network.
    pub address: Option<IpNet>,
}

impl Peer {
    pub(super) fn may_connect_from(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.address.is_none_or(|known| known.contains(&address))
    }
}

/// Asks whoever waits to come to an end.
#[derive(Debug, Default)]
pub struct Stop {
    asked: AtomicBool,
}

impl Stop {
    /// Asks once and for all.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked for.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }
}

/// What has happened since the listener was made.
#[derive(Debug, Default)]
pub struct Counters {
    /// Associations that were served to their end.
    pub served: AtomicU64,
    /// Requests that were turned down.
    pub rejected: AtomicU64,
    /// Connections that broke the protocol, a limit, or off.
    pub failed: AtomicU64,
    /// Connections that are open.
    pub open: AtomicUsize,
}

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    config: ListenerConfig,
    gate: Gate,
    counters: Counters,
}

impl Listener {
    /// Binds the socket; port 0 takes any that is free.
    ///
    /// # Errors
    /// [`ErrorKind::Network`](crate::ErrorKind::Network) when the address cannot be had.
    pub fn bind(address: SocketAddr, config: ListenerConfig) -> Result<Listener, Error> {
        let failed = |e| network(format!("{address}: expected to listen there, got: {e}"));
        let socket = TcpListener::bind(address).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        Ok(Listener {
            socket,
            config,
            gate: Gate::default(),
            counters: Counters::default(),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> Result<SocketAddr, Error> {
        let address = self.socket.local_addr();
        address.map_err(|e| network(format!("expected an address, got: {e}")))
    }

    /// What has happened so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Serves until a stop is asked for; then associations may finish what they are about, and no
    /// new one is taken. `store` is called from several threads; the peer is told success when it
    /// has returned.
    pub fn serve(&self, stop: &Stop, store: &Store<'_>) {
        let setting = Setting {
            config: &self.config,
            stop,
            store,
        };
        std::thread::scope(|scope| {
            while !stop.is_asked() {
                match self.socket.accept() {
                    Ok((stream, peer)) => self.let_in(scope, stream, peer.ip(), setting),
                    Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {
                        std::thread::sleep(TICK)
                    }
                    Err(error) => {
                        // Out of file descriptors, or a peer that has gone already.
                        tracing::warn!(%error, "no connection taken");
                        std::thread::sleep(TICK);
                    }
                }
            }
        });
    }

    fn let_in<'scope, 'env: 'scope>(
        &'env self,
        scope: &'scope Scope<'scope, 'env>,
        stream: TcpStream,
        address: IpAddr,
        setting: Setting<'env>,
    ) {
        let handle = stream.set_nonblocking(false).and(stream.try_clone());
        let (peers, limits) = (&self.config.peers, &self.config.limits);
        let entered = match handle {
            Ok(handle) => self.gate.enter(address, Some(handle), peers, limits),
            Err(error) => {
                tracing::warn!(peer = %address, %error, "no connection taken");
                return;
            }
        };
        match entered {
            Ok(visitor) => self.start(scope, stream, visitor, setting),
            Err(turned) => {
                self.counters.rejected.fetch_add(1, Ordering::Relaxed);
                match turned {
                    TurnedAway::Stranger => {
                        tracing::warn!(peer = %address, "connection from an address of no peer");
                    }
                    TurnedAway::TooOften => {
                        tracing::warn!(peer = %address, "more connections than allowed in a minute");
                    }
                    TurnedAway::StillTooOften => {}
                }
            }
        }
    }

    fn start<'scope, 'env: 'scope>(
        &'env self,
        scope: &'scope Scope<'scope, 'env>,
        stream: TcpStream,
        visitor: Visitor<'env>,
        setting: Setting<'env>,
    ) {
        let address = visitor.address;
        self.counters.open.fetch_add(1, Ordering::SeqCst);
        let work = move || {
            let serve = || self.serve_one(stream, visitor, setting);
            let ended = catch_unwind(AssertUnwindSafe(serve));
            self.count(address, ended);
            self.counters.open.fetch_sub(1, Ordering::SeqCst);
        };
        let thread = std::thread::Builder::new().name("association".to_owned());
        if let Err(error) = thread.spawn_scoped(scope, work) {
            tracing::error!(%error, "no thread for an association");
            self.counters.open.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn serve_one(
        &self,
        stream: TcpStream,
        visitor: Visitor<'_>,
        setting: Setting<'_>,
    ) -> Result<Ended, Error> {
        let limits = &self.config.limits;
        let wire: Box<dyn Wire> = match &self.config.tls {
            None => Box::new(stream),
            Some(tls) => tls.accept(stream, Instant::now() + limits.negotiation)?,
        };
        session::serve(Transport::new(wire, limits.idle)?, visitor, setting)
    }

    fn count(&self, address: IpAddr, ended: std::thread::Result<Result<Ended, Error>>) {
        let counter = match ended {
            Ok(Ok(Ended::Served)) => &self.counters.served,
            Ok(Ok(Ended::Rejected)) => &self.counters.rejected,
            Ok(Err(error)) => {
                tracing::warn!(peer = %address, reason = error.reason(), "association failed");
                &self.counters.failed
            }
            Err(_) => {
                tracing::error!(peer = %address, "association broke: please report this");
                &self.counters.failed
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
