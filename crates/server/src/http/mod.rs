//! The page and the programming interface over HTTP.
//!
//! Owns: what is answered to whom, the headers of every answer, bounds on connections. Does not
//! own: what is true (`database`), how a report looks (`report`).
//!
//! While there are no accounts and the service listens to its own machine alone, nobody has to log
//! in. Then the name a browser asks for has to be this machine's too, so that no foreign page can
//! reach the service under a name of its own. Requests that change something are refused when they
//! come from a foreign page, always.

mod api;
mod caller;
mod demo;
mod dicomweb;
mod endpoints;
mod events;
mod export;
mod files;
mod guard;
mod jobs;
mod models;
mod openapi;
mod page;
mod reviews;
mod session;
mod studies;
mod tls;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::{TowerToHyperService, TowerToHyperServiceFuture};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

pub(crate) use tls::acceptor;

use crate::server::Shared;
use caller::Peer;

/// Connections at once; further ones wait.
const CONNECTIONS: usize = 128;
/// Until the head of a request is there.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest head of a request.
const HEAD_BYTES: usize = 16 << 10;
/// How long a connection may last, with all its requests.
const CONNECTION_LIFE: Duration = Duration::from_secs(900);
/// How often it is asked whether the service stops.
const TICK: Duration = Duration::from_millis(100);

pub(crate) fn routes(shared: Arc<Shared>) -> Router {
    let identified = from_fn_with_state(Arc::clone(&shared), caller::require_identified);
    let dicomweb = dicomweb::routes().route_layer(identified);
    endpoints::routes()
        .nest("/dicomweb", dicomweb)
        .fallback(api::not_found)
        .layer(from_fn_with_state(Arc::clone(&shared), caller::recognise))
        .layer(from_fn(guard::check_origin))
        .layer(from_fn_with_state(Arc::clone(&shared), guard::add_headers))
        .with_state(shared)
}

/// Serves until the shared state says that everything else has come to its end.
pub(crate) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let routes = routes(Arc::clone(&shared));
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = tokio::time::sleep(TICK) => match shared.is_finished() {
                true => return,
                false => continue,
            },
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no HTTP connection taken");
                tokio::time::sleep(TICK).await;
                continue;
            }
        };
        let place = Arc::clone(&places).acquire_owned().await;
        let service = Service {
            routes: TowerToHyperService::new(routes.clone()),
            peer: Peer(address.ip()),
        };
        let tls = tls.clone();
        tokio::spawn(async move {
            let _place = place;
            let connection = async {
                match tls {
                    None => converse(stream, service).await,
                    Some(tls) => {
                        let greeted = tokio::time::timeout(HEAD_TIMEOUT, tls.accept(stream)).await;
                        if let Ok(Ok(stream)) = greeted {
                            converse(stream, service).await;
                        }
                    }
                }
            };
            // A peer that breaks off, or stays too long, has nobody to be told.
            let _ = tokio::time::timeout(CONNECTION_LIFE, connection).await;
        });
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, service: Service) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let _ = connection.await;
}

/// The routes, for requests of one peer.
struct Service {
    routes: TowerToHyperService<Router>,
    peer: Peer,
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response;
    type Error = Infallible;
    type Future = TowerToHyperServiceFuture<Router, Request<Incoming>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.routes.call(request)
    }
}
