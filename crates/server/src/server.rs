//! Starting, running and stopping everything.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use lobule_dicomio::dimse::{Listener, ListenerConfig, Stop};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::accounts::{Attempts, Looks, Passwords};
use crate::arrivals::Arrivals;
use crate::config::{Config, Exposure};
use crate::database::{Database, Millis};
use crate::events::{self, Events};
use crate::metrics::Metrics;
use crate::models::Models;
use crate::reader::StudyReader;
use crate::store::Store;
use crate::time::now;
use crate::tls::Tls;
use crate::worker::Work;
use crate::{Error, ErrorKind, http, index};

/// Studies that are exported at once.
const EXPORTS: usize = 2;

/// What all parts of the service share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) exposure: Exposure,
    /// Where the page is.
    pub(crate) http_address: SocketAddr,
    pub(crate) store: Store,
    pub(crate) database: Database,
    pub(crate) metrics: Metrics,
    pub(crate) listener: Listener,
    pub(crate) tls: Tls,
    pub(crate) stop: Stop,
    pub(crate) doors: Doors,
    pub(crate) events: Events,
    pub(crate) models: Models,
    demo: OnceLock<Box<Demo>>,
    is_sending_demo: AtomicBool,
    finished: AtomicBool,
}

/// What stands between a caller and an account.
pub(crate) struct Doors {
    pub(crate) passwords: Passwords,
    pub(crate) attempts: Attempts,
    pub(crate) looks: Looks,
    /// Places for exports: each decodes a study.
    pub(crate) exports: Semaphore,
}

/// Sends synthetic exams to the service.
pub type Demo = dyn Fn() -> Result<(), String> + Send + Sync;

impl Shared {
    /// Whether nothing is left to do after a stop.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::SeqCst)
    }

    /// Whether nobody has to log in: there are no accounts, and only this machine reaches the
    /// service or whoever started it wanted it so.
    pub(crate) fn is_open(&self) -> Result<bool, Error> {
        let may_be = self.config.http.listen.is_loopback() || self.exposure == Exposure::Insecure;
        Ok(may_be && !self.database.has_accounts()?)
    }
}

/// Whether synthetic exams are being sent.
pub(crate) enum Began {
    Yes,
    IsRunning,
    HasNone,
}

/// Sends the synthetic exams in the background, once at a time.
pub(crate) fn begin_demo(shared: &Arc<Shared>) -> Began {
    if shared.demo.get().is_none() {
        return Began::HasNone;
    }
    if shared.is_sending_demo.swap(true, Ordering::SeqCst) {
        return Began::IsRunning;
    }
    let shared = Arc::clone(shared);
    std::thread::spawn(move || {
        if let Some(Err(reason)) = shared.demo.get().map(|demo| demo()) {
            tracing::error!(%reason, "synthetic exams were not sent");
        }
        shared.is_sending_demo.store(false, Ordering::SeqCst);
    });
    Began::Yes
}

/// A running service. It runs until [`Server::stop`], or a signal that asks for it.
pub struct Server {
    shared: Arc<Shared>,
    http_address: SocketAddr,
    dicom_address: SocketAddr,
    work: JoinHandle<()>,
    http: JoinHandle<()>,
}

impl Server {
    /// Opens the data folder, takes up what a crash has left, and starts everything.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for ports that are open to others; [`ErrorKind::InUse`],
    /// [`ErrorKind::Newer`] and [`ErrorKind::Data`] for the data folder; [`ErrorKind::Listen`] for
    /// an address that cannot be had.
    pub fn start(
        config: Config,
        exposure: Exposure,
        data: &Path,
        reader: Box<dyn StudyReader>,
    ) -> Result<Server, Error> {
        config.check_exposure(exposure)?;
        let page_tls = config.http.tls.as_ref().map(http::acceptor).transpose()?;
        let tls = Tls::read(&config)?;
        let store = Store::open(data)?;
        let database = Database::open(&store.database())?;
        check_accounts(&config, exposure, &database)?;
        let doors = Doors {
            passwords: Passwords::new()?,
            attempts: Attempts::default(),
            looks: Looks::default(),
            exports: Semaphore::new(EXPORTS),
        };
        recover(&store, &database, config.study.attempts)?;
        let listener = listen(&config, &store)?;
        let failed = |e: std::io::Error| Error::new(ErrorKind::Listen, e.to_string());
        let dicom_address = listener
            .address()
            .map_err(|e| Error::new(ErrorKind::Listen, e.to_string()))?;
        let socket = bind_http(config.http_address())?;
        let http_address = socket.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            config,
            exposure,
            http_address,
            store,
            database,
            metrics: Metrics::default(),
            listener,
            tls,
            stop: Stop::default(),
            doors,
            events: Events::default(),
            models: Models::default(),
            demo: OnceLock::new(),
            is_sending_demo: AtomicBool::new(false),
            finished: AtomicBool::new(false),
        });
        let http = start_http(Arc::clone(&shared), page_tls, socket)?;
        let working = Arc::clone(&shared);
        let work = std::thread::spawn(move || run(&working, reader));
        tracing::info!(dicom = %dicom_address, http = %http_address, "serving");
        Ok(Server {
            shared,
            http_address,
            dicom_address,
            work,
            http,
        })
    }

    /// What a request for synthetic exams does; without it there are none.
    pub fn offer_demo(&self, demo: Box<Demo>) {
        // It is offered once, by whoever starts the service.
        let _ = self.shared.demo.set(demo);
    }

    /// Where the page is.
    pub fn http_address(&self) -> SocketAddr {
        self.http_address
    }

    /// Where instances are received.
    pub fn dicom_address(&self) -> SocketAddr {
        self.dicom_address
    }

    /// Asks everything to come to its end: running associations and the study that is being read
    /// are finished.
    pub fn stop(&self) {
        self.shared.stop.ask();
    }

    /// Waits for the end.
    pub fn wait(self) {
        for thread in [self.work, self.http] {
            if thread.join().is_err() {
                tracing::error!("a part of the service broke: please report this");
            }
        }
        tracing::info!("stopped");
    }
}

/// A page that others can reach needs somebody who can log in.
fn check_accounts(config: &Config, exposure: Exposure, database: &Database) -> Result<(), Error> {
    let http = config.http.listen;
    match exposure == Exposure::Insecure || http.is_loopback() || database.has_accounts()? {
        true => Ok(()),
        false => Err(Error::config(format!(
            "expected an account for the page on {http}, got none: lobule service user add makes one"
        ))),
    }
}

/// Takes up what a crash has left: nobody else has the folder, so every job that runs is abandoned.
fn recover(store: &Store, database: &Database, attempts: u32) -> Result<(), Error> {
    let jobs = database.expire(Millis::MAX, now(), attempts)? + database.resume_fetching()?;
    let swept = store.sweep(&database.all_contents()?, &database.all_results()?)?;
    if jobs > 0 || swept.removed > 0 {
        tracing::info!(jobs, removed = swept.removed, "taken up after a crash");
    }
    if swept.missing > 0 {
        tracing::error!(
            missing = swept.missing,
            "instances are named by the database and not there"
        );
    }
    Ok(())
}

fn listen(config: &Config, store: &Store) -> Result<Listener, Error> {
    let listener = ListenerConfig {
        ae_title: Some(config.dicom.ae_title.clone()),
        peers: config.peers(),
        spool: store.incoming(),
        tls: config
            .dicom
            .tls
            .as_ref()
            .map(|files| files.read())
            .transpose()?,
        limits: config.limits(),
    };
    let bound = Listener::bind(config.dicom_address(), listener);
    bound.map_err(|e| Error::new(ErrorKind::Listen, e.reason()))
}

fn bind_http(address: SocketAddr) -> Result<std::net::TcpListener, Error> {
    let failed = |e: std::io::Error| {
        let message = format!("{address}: expected to listen there, got: {e}");
        Error::new(ErrorKind::Listen, message)
    };
    let socket = std::net::TcpListener::bind(address).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    Ok(socket)
}

/// Everything but the page; it is over when the last association, study and sending are.
fn run(shared: &Shared, mut reader: Box<dyn StudyReader>) {
    let disk = &shared.config.disk;
    let arrivals = Arrivals::new(&shared.store, &shared.database, &shared.metrics, disk);
    let work = Work {
        store: &shared.store,
        database: &shared.database,
        metrics: &shared.metrics,
        config: &shared.config,
        models: &shared.models,
        events: &shared.events,
        tls: &shared.tls,
        stop: &shared.stop,
        claims: Mutex::new(Vec::new()),
    };
    std::thread::scope(|scope| {
        scope.spawn(|| work.assess(reader.as_mut()));
        scope.spawn(|| work.send());
        scope.spawn(|| work.fetch());
        scope.spawn(|| work.watch());
        scope.spawn(|| index::make_up(&shared.store, &shared.database, &shared.stop));
        shared
            .listener
            .serve(&shared.stop, &|received| arrivals.take(received));
    });
    shared.finished.store(true, Ordering::SeqCst);
}

fn start_http(
    shared: Arc<Shared>,
    tls: Option<TlsAcceptor>,
    socket: std::net::TcpListener,
) -> Result<JoinHandle<()>, Error> {
    let failed = |e: std::io::Error| Error::new(ErrorKind::Listen, format!("the page: {e}"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("http")
        .enable_all()
        .build()
        .map_err(failed)?;
    let listener = {
        let _inside = runtime.enter();
        TcpListener::from_std(socket).map_err(failed)?
    };
    Ok(std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::spawn(stop_on_signals(Arc::clone(&shared)));
            tokio::spawn(events::watch(Arc::clone(&shared)));
            http::serve(listener, tls, shared).await;
        });
    }))
}

/// The first signal asks for the end, the second one enforces it.
async fn stop_on_signals(shared: Arc<Shared>) {
    signal().await;
    tracing::info!("asked to stop: what was begun is finished");
    shared.stop.ask();
    signal().await;
    tracing::warn!("asked to stop again: what was begun is taken up at the next start");
    std::process::exit(1);
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let waited = async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok::<(), std::io::Error>(())
    };
    if let Err(error) = waited.await {
        tracing::warn!(%error, "signals are not heard");
        std::future::pending::<()>().await;
    }
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
