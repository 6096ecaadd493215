//! What the host says of itself while it runs: log lines, and traces for an OpenTelemetry
//! collector.
//!
//! One subscriber, set up once by the command line. Standard output is data, so log lines go to
//! standard error. Traces leave only when `telemetry.otlp_endpoint` is set; without it the filter
//! of the log refuses the spans of [`crate::trace`], and they are never made.
//!
//! It must never slow a call or fail one: spans wait in a bounded queue for a thread of their own,
//! and are lost when the collector cannot keep up or cannot be reached.

mod export;

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, FilterFn};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::trace::TARGET;

/// How long the end of the host may wait for the last spans to leave.
const LAST_EXPORT: Duration = Duration::from_secs(5);

/// The exporting side of a running host. Closing it sends what is left.
#[must_use = "spans that are not flushed are lost"]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

/// Starts logging and, when a collector is set, tracing. A filter that does not parse falls back to
/// `info`, loudly. A second start in one process (tests) keeps the first subscriber.
///
/// Takes place in a tokio runtime when there is a collector.
///
/// # Errors
/// The exporter cannot be built.
pub fn start(config: &Config, clock: &Clock) -> anyhow::Result<Telemetry> {
    let (traces, telemetry) = traces(config, clock)?;
    let (lines, refused) = lines(&config.log);
    let _ = tracing_subscriber::registry().with(lines).with(traces).try_init();
    if let Some(error) = refused {
        tracing::warn!(
            filter = config.log.filter,
            error,
            "log.filter does not parse; using `info`"
        );
    }
    Ok(telemetry)
}

/// The layer that exports spans, and the handle that ends it; no layer when no collector is set.
///
/// # Errors
/// The exporter cannot be built.
pub fn traces<S>(
    config: &Config,
    clock: &Clock,
) -> anyhow::Result<(Option<impl Layer<S> + use<S>>, Telemetry)>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let Some(provider) = export::provider(config, clock)? else {
        return Ok((None, Telemetry { provider: None }));
    };
    // Names and attributes are ours alone: what the layer would add describes this program's
    // source and threads, and events are the log's.
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("valetkey"))
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_filter(FilterFn::new(is_ours).with_max_level_hint(LevelFilter::INFO));
    let provider = Some(provider);
    Ok((Some(layer), Telemetry { provider }))
}

/// The layer that writes log lines, and what is wrong with its filter.
fn lines<S>(settings: &config::Log) -> (impl Layer<S> + use<S>, Option<String>)
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let parsed = EnvFilter::try_new(&settings.filter);
    let refused = parsed.as_ref().err().map(ToString::to_string);
    let filter = parsed.unwrap_or_else(|_| EnvFilter::new("info"));
    // Its answer is the same for a call site for ever: with nobody to export, the spans are off
    // for good and cost a branch.
    let not_ours = FilterFn::new(|metadata| !is_ours(metadata)).with_max_level_hint(LevelFilter::TRACE);
    let layer = fmt::layer().with_writer(std::io::stderr);
    let layer = if settings.json {
        layer.json().boxed()
    } else {
        layer.boxed()
    };
    (layer.with_filter(filter.and(not_ours)), refused)
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == TARGET
}

impl Telemetry {
    /// Sends the spans that have ended; waits a few seconds at most. Failures are logged where
    /// they happen.
    pub async fn flush(&self) {
        if let Some(provider) = self.provider.clone() {
            let flushed = tokio::task::spawn_blocking(move || provider.force_flush());
            drop(flushed.await);
        }
    }

    /// Sends what is left and ends the exporter; waits a few seconds at most. After everything
    /// else has stopped.
    pub async fn close(self) {
        if let Some(provider) = self.provider {
            let closed = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(LAST_EXPORT));
            if let Ok(Err(error)) = closed.await {
                tracing::warn!(%error, "the last traces were not exported");
            }
        }
    }
}
