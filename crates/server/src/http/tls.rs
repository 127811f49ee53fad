//! TLS for the page.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::Error;
use crate::config::Tls;

/// Reads certificate and key; both are PEM files.
pub(crate) fn acceptor(files: &Tls) -> Result<TlsAcceptor, Error> {
    let wrong = |path: &Path, what: &str, error: &dyn std::fmt::Display| {
        Error::config(format!("expected {what} as PEM, got: {error}")).in_file(path)
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate).and_then(Iterator::collect);
    let chain: Vec<CertificateDer<'static>> =
        chain.map_err(|e| wrong(&files.certificate, "certificates", &e))?;
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|e| wrong(&files.key, "a key", &e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    let mut config =
        config.map_err(|e| wrong(&files.certificate, "a certificate of the key", &e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_none_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nothing.pem");
        let tls = Tls {
            certificate: path.clone(),
            key: path.clone(),
        };
        let missing = acceptor(&tls).err().unwrap().to_string();
        assert!(missing.contains("nothing.pem"), "{missing}");
        std::fs::write(&path, "no pem").unwrap();
        assert!(acceptor(&tls).is_err());
    }
}
