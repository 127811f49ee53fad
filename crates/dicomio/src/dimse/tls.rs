//! TLS on both sides of an association (PS3.15 annex B: BCP 195, TLS 1.2 and 1.3), by rustls.
//!
//! Owns: certificates and keys from PEM files, whom this side trusts, the handshake within its time.
//! Does not own: what is said over the connection.

use std::fmt;
use std::net::TcpStream;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, RootCertStore, ServerConfig,
    ServerConnection, SideData, StreamOwned,
};

use super::transport::{TICK, is_timeout, network, protocol};
use super::wire::Wire;
use crate::error::one_line;
use crate::{Error, ErrorKind};

/// A certificate with its key, both as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsIdentity {
    /// The certificate, followed by those between it and its authority.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// How a listener encrypts.
#[derive(Clone)]
pub struct ListenerTls(Arc<ServerConfig>);

/// How a sender encrypts, and whom it trusts.
#[derive(Clone)]
pub struct SenderTls {
    config: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

impl fmt::Debug for ListenerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ListenerTls")
    }
}

impl fmt::Debug for SenderTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SenderTls")
    }
}

impl ListenerTls {
    /// Encrypts with the identity's certificate. With `authorities`, a PEM file, peers have to show
    /// a certificate that one of them has signed; without, any peer may connect.
    ///
    /// # Errors
    /// When a file cannot be read, or holds no certificate or key that can be used.
    pub fn read(identity: &TlsIdentity, authorities: Option<&Path>) -> Result<ListenerTls, Error> {
        let provider = provider();
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| unusable(&identity.certificate, &e))?;
        let builder = match authorities {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let roots = Arc::new(roots(file)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|e| unusable(file, &e))?)
            }
        };
        let (chain, key) = read_identity(identity)?;
        let config = builder.with_single_cert(chain, key);
        let config = config.map_err(|e| unusable(&identity.certificate, &e))?;
        Ok(ListenerTls(Arc::new(config)))
    }

    /// The encrypted side of a connection that has just come in.
    pub(super) fn accept(&self, stream: TcpStream, until: Instant) -> Result<Box<dyn Wire>, Error> {
        let connection = ServerConnection::new(Arc::clone(&self.0));
        let connection = connection.map_err(|e| protocol(one_line(&e)))?;
        shake_hands(StreamOwned::new(connection, stream), until)
    }
}

impl SenderTls {
    /// Trusts peers whose certificate one of `authorities`, a PEM file, has signed. The certificate
    /// has to be for `name` or, without one, for the host of the address. With an identity, this
    /// side shows a certificate too.
    ///
    /// # Errors
    /// When a file cannot be read, holds nothing that can be used, or `name` is no name of a host.
    pub fn read(
        authorities: &Path,
        identity: Option<&TlsIdentity>,
        name: Option<&str>,
    ) -> Result<SenderTls, Error> {
        let provider = provider();
        let roots = Arc::new(roots(authorities)?);
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| unusable(authorities, &e))?
            .with_webpki_verifier(verifier.map_err(|e| unusable(authorities, &e))?);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let (chain, key) = read_identity(identity)?;
                let config = builder.with_client_auth_cert(chain, key);
                config.map_err(|e| unusable(&identity.certificate, &e))?
            }
        };
        Ok(SenderTls {
            config: Arc::new(config),
            name: name.map(server_name).transpose()?,
        })
    }

    /// The encrypted side of a connection to the host of `address`.
    pub(super) fn connect(
        &self,
        stream: TcpStream,
        address: &str,
        until: Instant,
    ) -> Result<Box<dyn Wire>, Error> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => server_name(host(address))?,
        };
        let connection = ClientConnection::new(Arc::clone(&self.config), name);
        let connection = connection.map_err(|e| protocol(one_line(&e)))?;
        shake_hands(StreamOwned::new(connection, stream), until)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn unusable(file: &Path, error: &dyn std::error::Error) -> Error {
    let message = format!("expected to encrypt with this, got: {}", one_line(error));
    Error::new(ErrorKind::Malformed, message).in_file(file)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    let found: Vec<_> = read.map_err(|e| unusable(file, &e))?;
    match found.is_empty() {
        false => Ok(found),
        true => {
            let message = "expected a certificate in PEM form, got none";
            Err(Error::new(ErrorKind::Malformed, message).in_file(file))
        }
    }
}

fn roots(file: &Path) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|e| unusable(file, &e))?;
    }
    Ok(roots)
}

fn read_identity(
    identity: &TlsIdentity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
    let chain = certificates(&identity.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&identity.key);
    Ok((chain, key.map_err(|e| unusable(&identity.key, &e))?))
}

fn server_name(host: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(host.to_owned())
        .map_err(|_| protocol(format!("expected the name of a host, got {host:?}")))
}

/// The host of `host:port`; an IPv6 address stands in brackets.
fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

/// The whole handshake; a peer that is slow, or says something else, is left.
fn shake_hands<C, S>(
    mut stream: StreamOwned<C, TcpStream>,
    until: Instant,
) -> Result<Box<dyn Wire>, Error>
where
    C: DerefMut + Deref<Target = ConnectionCommon<S>> + 'static,
    S: SideData + 'static,
{
    let waits = stream.sock.set_read_timeout(Some(TICK));
    waits.map_err(|e| network(format!("expected an open connection, got: {e}")))?;
    while stream.conn.is_handshaking() {
        if Instant::now() >= until {
            return Err(network("expected a TLS handshake, got none in time"));
        }
        match stream.conn.complete_io(&mut stream.sock) {
            Err(e) if is_timeout(&e) => {}
            Err(e) => return Err(protocol(format!("expected a TLS handshake, got: {e}"))),
            Ok(_) => {}
        }
    }
    Ok(Box::new(stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_is_found() {
        let cases = [
            ("archive.example:104", "archive.example"),
            ("192.0.2.1:104", "192.0.2.1"),
            ("[2001:db8::1]:104", "2001:db8::1"),
        ];
        for (address, expected) in cases {
            assert_eq!(host(address), expected);
            assert!(server_name(expected).is_ok(), "{expected}");
        }
        assert!(server_name("no host").is_err());
    }

    #[test]
    fn what_is_no_certificate_is_refused_with_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("empty.pem");
        std::fs::write(&empty, "").unwrap();
        let missing = dir.path().join("missing.pem");
        for file in [&empty, &missing] {
            let identity = TlsIdentity {
                certificate: file.clone(),
                key: file.clone(),
            };
            let error = ListenerTls::read(&identity, None).unwrap_err();
            assert!(error.to_string().contains(".pem"), "{error}");
            assert!(SenderTls::read(file, None, None).is_err());
        }
    }
}
