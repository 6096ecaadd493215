//! TLS towards vendors: the roots that browsers trust, an operator's own, TLS 1.2 and 1.3.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The client's configuration; `extra_ca_file` is PEM.
///
/// # Errors
/// The file cannot be read, holds no certificate, or one that is not an authority's.
pub fn config(extra_ca_file: Option<&Path>) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = extra_ca_file {
        let explain = || {
            format!(
                "egress.extra_ca_file {}: not a PEM file of certificates",
                path.display()
            )
        };
        let mut count = 0;
        for certificate in CertificateDer::pem_file_iter(path).with_context(explain)? {
            roots
                .add(certificate.with_context(explain)?)
                .with_context(explain)?;
            count += 1;
        }
        anyhow::ensure!(count > 0, explain());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
