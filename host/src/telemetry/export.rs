//! The exporter: spans in batches as OTLP over HTTP, on a thread of its own, by a client of ours.
//!
//! The OpenTelemetry libraries read variables of the environment of their own accord. Everything
//! that they would take from there is set here from our settings, and the client puts the
//! address and the headers on every request itself, so that the settings are all there is.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, Uri};
use jiff::Timestamp;
use opentelemetry::KeyValue;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanLimits,
};
use tokio::runtime::Handle;

use crate::clock::Clock;
use crate::config::{Config, Telemetry};
use crate::egress::Collector;

/// Spans that wait for export; more are lost.
const QUEUE: usize = 8_192;
/// Spans of one request.
const BATCH: usize = 512;
/// Ended spans leave at the latest after this long.
const EVERY: Duration = Duration::from_secs(5);
/// One request to the collector.
const PATIENCE: Duration = Duration::from_secs(10);
/// A collector that is away is worth one line of the log in this time, in milliseconds.
const QUIET_MS: i64 = 60_000;
const USER_AGENT_TEXT: &str = concat!("valetkey/", env!("CARGO_PKG_VERSION"));
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// The provider of a host's tracer; none when no collector is set. Needs a tokio runtime.
///
/// # Errors
/// A setting is not usable.
pub(super) fn provider(config: &Config, clock: &Clock) -> anyhow::Result<Option<SdkTracerProvider>> {
    let settings = &config.telemetry;
    let url = settings.traces_url().map_err(anyhow::Error::msg);
    let Some(url) = url.context("telemetry.otlp_endpoint")? else {
        return Ok(None);
    };
    let headers = settings.headers().map_err(anyhow::Error::msg);
    let client = Client {
        collector: Collector::new(&config.egress, clock.clone())?,
        target: Arc::new(Target {
            url: url.clone(),
            headers: headers.context("telemetry.otlp_headers")?,
        }),
        report: Arc::new(Report::new(clock.clone())),
        runtime: Handle::try_current().context("traces are exported from a tokio runtime")?,
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(url.to_string())
        .with_timeout(PATIENCE)
        .build()?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(EVERY)
        .build();
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches);
    let provider = SdkTracerProvider::builder()
        .with_span_limits(SpanLimits::default())
        .with_sampler(sampler(settings))
        .with_resource(resource(settings))
        .with_span_processor(processor.build())
        .build();
    Ok(Some(provider))
}

/// The caller's decision, and our own share of the traces that begin here.
fn sampler(settings: &Telemetry) -> Sampler {
    let one_in = u32::try_from(settings.sample_one_in).unwrap_or(u32::MAX);
    let own = match one_in {
        0 | 1 => Sampler::AlwaysOn,
        more => Sampler::TraceIdRatioBased(1.0 / f64::from(more)),
    };
    Sampler::ParentBased(Box::new(own))
}

fn resource(settings: &Telemetry) -> Resource {
    Resource::builder_empty()
        .with_service_name(settings.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The HTTP side of the exporter. The exporter's thread waits for it; the work is the runtime's.
struct Client {
    collector: Collector,
    target: Arc<Target>,
    report: Arc<Report>,
    runtime: Handle,
}

struct Target {
    url: Uri,
    headers: HeaderMap,
}

/// The headers may hold a key.
impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").finish_non_exhaustive()
    }
}

impl HttpClient for Client {
    fn send_bytes<'client, 'result>(
        &'client self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'result>>
    where
        'client: 'result,
        Self: 'result,
    {
        let (collector, target) = (self.collector.clone(), Arc::clone(&self.target));
        let report = Arc::clone(&self.report);
        let exchange = self.runtime.spawn(async move {
            let answer = collector
                .send(target.request(request.into_body()), PATIENCE)
                .await;
            match &answer {
                Ok(answer) if answer.status().is_success() => {}
                Ok(answer) => report.failed(&format!("it answered {}", answer.status())),
                Err(error) => report.failed(&format!("{error:#}")),
            }
            answer
        });
        Box::pin(async move { Ok(exchange.await??) })
    }
}

impl Target {
    fn request(&self, body: Bytes) -> Request<Bytes> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_TEXT));
        headers.extend(self.headers.clone());
        headers.insert(CONTENT_TYPE, PROTOBUF);
        request
    }
}

/// Says that exports fail, now and then.
struct Report {
    clock: Clock,
    failures: AtomicU64,
    said: Mutex<Option<Timestamp>>,
}

impl Report {
    fn new(clock: Clock) -> Self {
        Self {
            clock,
            failures: AtomicU64::new(0),
            said: Mutex::default(),
        }
    }

    fn failed(&self, why: &str) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let now = self.clock.now();
        {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            let quiet = said.is_some_and(|said| {
                // A clock that was set back must not silence it.
                (0..QUIET_MS).contains(&(now.as_millisecond() - said.as_millisecond()))
            });
            if quiet {
                return;
            }
            *said = Some(now);
        }
        tracing::warn!(
            attempts = self.failures.swap(0, Ordering::Relaxed),
            why,
            "traces cannot be exported and some are lost; calls are not affected. Look at `telemetry.otlp_endpoint` and its collector"
        );
    }
}
