//! What bytes travel on: a socket, TLS over one, or streams that somebody else has opened.

use std::io::{Read, Result, Write};
use std::net::{Shutdown, TcpStream};
use std::ops::{Deref, DerefMut};

use rustls::{ConnectionCommon, SideData, StreamOwned};

/// A stream in both directions.
pub(super) trait Wire: Read + Write {
    /// The socket below it; none where everything that will ever come is there already.
    fn socket(&self) -> Option<&TcpStream>;

    /// Says that nothing more will be written.
    fn finish_writing(&mut self) -> Result<()>;
}

impl Wire for TcpStream {
    fn socket(&self) -> Option<&TcpStream> {
        Some(self)
    }

    fn finish_writing(&mut self) -> Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl<C, S> Wire for StreamOwned<C, TcpStream>
where
    C: DerefMut + Deref<Target = ConnectionCommon<S>>,
    S: SideData + 'static,
{
    fn socket(&self) -> Option<&TcpStream> {
        Some(&self.sock)
    }

    fn finish_writing(&mut self) -> Result<()> {
        self.conn.send_close_notify();
        self.conn.complete_io(&mut self.sock)?;
        self.sock.shutdown(Shutdown::Write)
    }
}

/// Streams that are open, without a socket that could be waited on.
pub(super) struct Opened<S>(pub(super) S);

impl<S: Read> Read for Opened<S> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.0.read(buffer)
    }
}

impl<S: Write> Write for Opened<S> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }
}

impl<S: Read + Write> Wire for Opened<S> {
    fn socket(&self) -> Option<&TcpStream> {
        None
    }

    fn finish_writing(&mut self) -> Result<()> {
        self.0.flush()
    }
}
