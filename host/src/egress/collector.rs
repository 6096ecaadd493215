//! The way to the operator's own collector of traces: the one destination that is neither a
//! vendor nor an authorization server.
//!
//! Called by `telemetry`. It shares the dialer, so that every socket that leaves this process is
//! opened in one place, but none of a vendor's rules: the operator names the address in the
//! settings, so plain http and private addresses are theirs to choose, and nothing that a guest
//! or a caller says reaches it. It never carries an account's credential.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::dial::{Dialer, Names, Reachable, SystemResolver};
use super::tls;
use crate::clock::Clock;
use crate::config;

/// Bytes of an answer: a status and a sentence.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Connections kept; traces leave one batch at a time.
const IDLE: usize = 1;

/// A client for the collector; cheap to clone.
#[derive(Clone)]
pub struct Collector {
    client: legacy::Client<Dialer, Full<Bytes>>,
}

impl Collector {
    /// Builds the client; certificates are checked as those of vendors are.
    ///
    /// # Errors
    /// The extra certificate authorities cannot be read.
    pub fn new(settings: &config::Egress, clock: Clock) -> anyhow::Result<Self> {
        let dialer = Dialer::new(
            Reachable::Operator,
            Arc::new(SystemResolver),
            Arc::new(tls::config(settings.extra_ca_file.as_deref())?),
            Duration::from_millis(settings.connect_ms),
            Duration::from_millis(settings.tls_ms),
            // One connection stays open; a new one looks the name up anew.
            Names::new(Duration::ZERO, clock),
        );
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_max_idle_per_host(IDLE)
            .build(dialer);
        Ok(Self { client })
    }

    /// Sends one request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// No answer within the time.
    pub async fn send(&self, request: Request<Bytes>, within: Duration) -> anyhow::Result<Response<Bytes>> {
        let exchange = async {
            let answer = self.client.request(request.map(Full::new)).await?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
            let body = body.map_err(anyhow::Error::from_boxed)?.to_bytes();
            Ok(Response::from_parts(parts, body))
        };
        tokio::time::timeout(within, exchange)
            .await
            .with_context(|| format!("no answer within {} s", within.as_secs()))?
    }
}
