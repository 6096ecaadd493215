//! One HTTP request of the command line over one connection, to where the person who types said:
//! a running host, or the endpoint of a model. Nothing is followed, nothing is repeated.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::response::Parts;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

/// Why there is no answer.
#[derive(Debug, Error)]
pub(super) enum DialError {
    /// The URL cannot be called.
    #[error("the URL is not http:// or https:// with a host")]
    Url,
    /// Nobody takes the connection.
    #[error("no connection: {0}")]
    NoAnswer(io::Error),
    /// TLS did not come about.
    #[error("{0}")]
    Untrusted(io::Error),
    /// The connection ended before the answer did, or the answer is too long.
    #[error("the answer broke off: {0}")]
    Broken(String),
}

/// Sends `request`, whose URI is a path, to the host of `uri`; answers head and body.
pub(super) async fn exchange(
    uri: &Uri,
    request: Request<Full<Bytes>>,
    authorities: &Arc<rustls::RootCertStore>,
    max_bytes: usize,
) -> Result<(Parts, Bytes), DialError> {
    let host = uri.host().ok_or(DialError::Url)?.trim_matches(['[', ']']);
    let plain = match uri.scheme_str() {
        Some("http") => true,
        Some("https") => false,
        _ => return Err(DialError::Url),
    };
    let port = uri.port_u16().unwrap_or(if plain { 80 } else { 443 });
    #[allow(
        clippy::disallowed_methods,
        reason = "this is where the operator's command line was told to go, and not a vendor"
    )]
    let stream = tokio::net::TcpStream::connect((host, port)).await;
    let stream = stream.map_err(DialError::NoAnswer)?;
    if plain {
        return speak(stream, request, max_bytes).await;
    }
    let tls =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| DialError::Untrusted(io::Error::other(error)))?
            .with_root_certificates(Arc::clone(authorities))
            .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|_| DialError::Url)?;
    let stream = TlsConnector::from(Arc::new(tls)).connect(name, stream).await;
    speak(stream.map_err(DialError::Untrusted)?, request, max_bytes).await
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
    max_bytes: usize,
) -> Result<(Parts, Bytes), DialError> {
    let broken = |error: hyper::Error| DialError::Broken(error.to_string());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(broken)?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, max_bytes).collect().await;
    let body = body.map_err(|error| DialError::Broken(error.to_string()))?;
    connection.abort();
    Ok((head, body.to_bytes()))
}
