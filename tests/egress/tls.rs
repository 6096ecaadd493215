//! TLS towards vendors: who is not who they say gets no byte of a request.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use valetkey::config;
use valetkey::egress::{TokenRequest, TokenTransportError};
use valetkey::error::Kind;

use crate::vendor::{Vendor, answer, ok};
use crate::world::{Names, TOKEN, egress_with, get, reach, refused, settings};

/// A certificate authority of the test's own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate");
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).expect("a file");
        Self {
            issuer: Issuer::new(params, key),
            folder,
        }
    }

    fn file(&self) -> &Path {
        self.folder.path()
    }

    fn settings(&self) -> config::Egress {
        config::Egress {
            extra_ca_file: Some(self.file().join("ca.pem")),
            ..settings()
        }
    }

    fn acceptor(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
        alpn: &[&str],
    ) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        acceptor(certificate.der().clone(), &key, alpn)
    }
}

fn acceptor(
    certificate: rustls::pki_types::CertificateDer<'static>,
    key: &KeyPair,
    alpn: &[&str],
) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate");
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn a_companys_own_authority_is_trusted_when_the_operator_says_so() {
    let authority = Authority::new();
    let vendor = Vendor::start_tls(
        authority.acceptor("vendor.test", |_| (), &["http/1.1"]),
        |_, _| ok("{}"),
    )
    .await;
    let reach = reach(&format!("https://vendor.test:{}", vendor.port), &["GET api:/x"]);
    let trusting = egress_with(&authority.settings(), Names::local());
    assert_eq!(trusting.send(&reach, get("/x")).await.unwrap().status, 200);
    assert_eq!(
        vendor.seen()[0].header("authorization"),
        [format!("Bearer {TOKEN}")]
    );
    let doubting = egress_with(&settings(), Names::local());
    let fault = refused(
        doubting.send(&reach, get("/x")).await,
        Kind::VendorUnavailable,
        "protocol",
    );
    assert!(fault.public().contains("extra_ca_file"));
    assert_eq!(vendor.count(), 1);
}

#[tokio::test]
async fn a_wrong_certificate_gets_no_byte_of_the_request() {
    let authority = Authority::new();
    let stranger = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["vendor.test".to_owned()])
        .unwrap()
        .self_signed(&stranger)
        .unwrap();
    let past = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    };
    let future = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2090, 1, 1);
        params.not_after = date_time_ymd(2091, 1, 1);
    };
    let cases = [
        (
            "self-signed",
            acceptor(own.der().clone(), &stranger, &["http/1.1"]),
        ),
        (
            "another name",
            authority.acceptor("other.test", |_| (), &["http/1.1"]),
        ),
        (
            "a subdomain's name",
            authority.acceptor("*.vendor.test", |_| (), &["http/1.1"]),
        ),
        ("expired", authority.acceptor("vendor.test", past, &["http/1.1"])),
        (
            "not yet valid",
            authority.acceptor("vendor.test", future, &["http/1.1"]),
        ),
        (
            "another authority",
            Authority::new().acceptor("vendor.test", |_| (), &["http/1.1"]),
        ),
        (
            "no common protocol",
            authority.acceptor("vendor.test", |_| (), &["spdy/3"]),
        ),
    ];
    for (name, acceptor) in cases {
        let vendor = Vendor::start_tls(acceptor, |_, _| ok("{}")).await;
        let reach = reach(&format!("https://vendor.test:{}", vendor.port), &["GET api:/x"]);
        let egress = egress_with(&authority.settings(), Names::local());
        refused(
            egress.send(&reach, get("/x")).await,
            Kind::VendorUnavailable,
            "protocol",
        );
        vendor.ended().await;
        assert_eq!((vendor.count(), vendor.received()), (0, 0), "{name}");
    }
}

/// Answers the first bytes of every connection and keeps what it received.
async fn raw_server(answer: &'static [u8]) -> (u16, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut received = vec![0; 16 * 1024];
        let read = stream.read(&mut received).await.unwrap_or(0);
        received.truncate(read);
        let _ = stream.write_all(answer).await;
        let _ = stream.read_to_end(&mut received).await;
        received
    });
    (port, task)
}

#[tokio::test]
async fn a_server_without_proper_tls_sees_no_credential() {
    for answer in [
        // Plain HTTP on the TLS port.
        b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".as_slice(),
        // An alert: protocol version, as a server answers that knows TLS 1.1 alone.
        &[21, 3, 2, 0, 2, 2, 70],
    ] {
        let (port, received) = raw_server(answer).await;
        let reach = reach(&format!("https://vendor.test:{port}"), &["GET api:/x"]);
        let egress = egress_with(&settings(), Names::local());
        refused(
            egress.send(&reach, get("/x")).await,
            Kind::VendorUnavailable,
            "protocol",
        );
        let received = received.await.unwrap();
        assert_eq!(received[0], 22, "the first byte is a TLS handshake");
        assert!(
            !received
                .windows(TOKEN.len())
                .any(|window| window == TOKEN.as_bytes())
        );
    }
}

#[tokio::test]
async fn a_token_request_is_never_redirected_nor_sent_in_the_clear() {
    let authority = Authority::new();
    let elsewhere = Vendor::start(|_, _| ok("{}")).await;
    let target = format!("location: {}/token\r\n", elsewhere.url());
    let vendor = Vendor::start_tls(
        authority.acceptor("vendor.test", |_| (), &["http/1.1"]),
        move |_, seen| answer(&format!("{} Redirect", &seen.target()[1..]), &target, ""),
    )
    .await;
    let egress = egress_with(&authority.settings(), Names::local());
    let ask = |url: String, development| TokenRequest {
        url,
        headers: HeaderMap::new(),
        body: "grant_type=refresh_token&refresh_token=secret".into(),
        development,
        max_response_bytes: 65_536,
        timeout: Duration::from_secs(5),
    };
    for status in [301, 302, 303, 307, 308] {
        let url = format!("https://vendor.test:{}/{status}", vendor.port);
        let answer = egress.token_request(ask(url, true)).await.unwrap();
        assert_eq!(answer.status, status);
    }
    assert_eq!(vendor.count(), 5);
    let plain = egress
        .token_request(ask(format!("{}/token", elsewhere.url()), false))
        .await;
    assert!(matches!(plain, Err(TokenTransportError::Refused(_))));
    assert_eq!(elsewhere.accepted(), 0);
}

#[tokio::test]
async fn http_2_is_spoken_where_the_vendor_offers_it() {
    let authority = Authority::new();
    let tls = authority.acceptor("vendor.test", |_| (), &["h2"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let stream = tls.accept(stream).await.expect("TLS");
        let service =
            hyper::service::service_fn(|request: hyper::Request<hyper::body::Incoming>| async move {
                let text = format!(
                    "{:?} {} {}",
                    request.version(),
                    request.uri(),
                    request.headers()["authorization"].to_str().unwrap_or_default()
                );
                Ok::<_, std::convert::Infallible>(hyper::Response::new(http_body_util::Full::new(
                    bytes::Bytes::from(text),
                )))
            });
        let io = hyper_util::rt::TokioIo::new(stream);
        let executor = hyper_util::rt::TokioExecutor::new();
        let _ = hyper::server::conn::http2::Builder::new(executor)
            .serve_connection(io, service)
            .await;
    });
    let egress = egress_with(&authority.settings(), Names::local());
    let reach = reach(&format!("https://vendor.test:{port}"), &["GET api:/x"]);
    let (one, two) = tokio::join!(egress.send(&reach, get("/x")), egress.send(&reach, get("/x")));
    for answer in [one, two] {
        assert_eq!(
            answer.unwrap().body,
            format!("HTTP/2.0 https://vendor.test:{port}/x Bearer [redacted]")
        );
    }
}
