//! Answers that are made while they are sent, so that memory does not grow with them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use http_body::Frame;
use lobule_dicomio::web::BulkData;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::store::hex;

/// Pieces that wait for a slow client.
const WAITING: usize = 4;
/// Bytes of a piece.
const PIECE: usize = 256 << 10;
/// How long a client may take for a piece.
const PATIENCE: Duration = Duration::from_secs(30);

/// The sending side of a body; it blocks while the client is slow.
pub(super) struct Out(Sender<Bytes>);

/// The client has gone, or what it asked for cannot be read.
pub(super) struct Broken;

struct Pieces {
    receiver: Receiver<Bytes>,
    /// Set once everything was sent.
    is_whole: Arc<AtomicBool>,
    is_over: bool,
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        match self.receiver.poll_recv(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Poll::Ready(None) => {
                self.is_over = true;
                let is_whole = self.is_whole.load(Ordering::SeqCst);
                let broken = || Err(io::Error::other("the answer cannot be completed"));
                Poll::Ready((!is_whole).then(broken))
            }
        }
    }
}

/// A body that `make` writes on a thread of its own. Where it breaks off, so does the connection:
/// the client sees that the answer is not whole.
pub(super) fn streamed(make: impl FnOnce(&Out) -> Result<(), Broken> + Send + 'static) -> Body {
    let (sender, receiver) = channel(WAITING);
    let is_whole = Arc::new(AtomicBool::new(false));
    let pieces = Pieces {
        receiver,
        is_whole: Arc::clone(&is_whole),
        is_over: false,
    };
    tokio::task::spawn_blocking(move || {
        let out = Out(sender);
        is_whole.store(make(&out).is_ok(), Ordering::SeqCst);
    });
    Body::new(pieces)
}

impl Out {
    pub(super) fn bytes(&self, bytes: impl Into<Bytes>) -> Result<(), Broken> {
        let mut bytes: Bytes = bytes.into();
        while bytes.len() > PIECE {
            self.piece(bytes.split_to(PIECE))?;
        }
        self.piece(bytes)
    }

    /// A client that does not take a piece for too long is given up.
    fn piece(&self, piece: Bytes) -> Result<(), Broken> {
        let sent = async { tokio::time::timeout(PATIENCE, self.0.send(piece)).await };
        match tokio::runtime::Handle::current().block_on(sent) {
            Ok(Ok(())) => Ok(()),
            _ => Err(Broken),
        }
    }

    pub(super) fn text(&self, text: &str) -> Result<(), Broken> {
        self.bytes(text.as_bytes().to_vec())
    }

    /// All of a file or a long value.
    pub(super) fn all(&self, data: &mut BulkData) -> Result<(), Broken> {
        while data.left() > 0 {
            let piece = data.next(PIECE).map_err(|error| broken(&error))?;
            self.bytes(piece)?;
        }
        Ok(())
    }
}

/// Says in the log why an answer breaks off.
pub(super) fn broken(error: &lobule_dicomio::Error) -> Broken {
    tracing::error!(reason = error.reason(), "an answer breaks off");
    Broken
}

/// The frame around the parts of a `multipart/related`.
pub(super) struct Parts {
    boundary: String,
}

impl Parts {
    pub(super) fn new() -> Parts {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let seed = format!("{count} {} {}", crate::time::now(), std::process::id());
        let digest = Sha256::digest(seed.as_bytes());
        Parts {
            boundary: hex(&digest[..20]),
        }
    }

    /// Content-Type of the whole.
    pub(super) fn content_type(&self, part: &str) -> String {
        let boundary = &self.boundary;
        format!("multipart/related; type=\"{part}\"; boundary={boundary}")
    }

    /// What stands before a part.
    pub(super) fn head(&self, content_type: &str, location: &str) -> String {
        let boundary = &self.boundary;
        format!(
            "\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Location: {location}\r\n\r\n"
        )
    }

    /// What stands at the end.
    pub(super) fn end(&self) -> String {
        format!("\r\n--{}--\r\n", self.boundary)
    }
}
