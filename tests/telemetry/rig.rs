//! A host that exports to a collector, with simulated vendors. Its subscriber is this thread's
//! own, so that hosts of other tests are none of its business.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

use valetkey::clock::Clock;
use valetkey::config::Config;
use valetkey::telemetry::{self, Telemetry};
use valetkey_tests::World;
use valetkey_tests::http::Answer;
use valetkey_vendors::Options;

use crate::collector::Collector;

/// A caller's span.
pub const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
/// Its id.
pub const PARENT: &str = "b7ad6b7169203331";

pub struct Rig {
    pub world: World,
    pub collector: Collector,
    pub log: Logged,
    /// The exporter's clock.
    pub clock: Clock,
    telemetry: Telemetry,
    _subscriber: DefaultGuard,
}

/// What was logged at warning level and above.
#[derive(Clone, Default)]
pub struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Rig {
    /// With the default settings.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With other settings; the collector is set unless `change` sets another.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let collector = Collector::start().await;
        let mut config = Config::default();
        config.telemetry.otlp_endpoint = Some(collector.url.clone());
        change(&mut config);
        let (clock, log) = (Clock::system(), Logged::default());
        let (traces, telemetry) = telemetry::traces(&config, &clock).expect("an exporter");
        let writer = log.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .with_filter(LevelFilter::WARN);
        let subscriber = tracing_subscriber::registry().with(lines).with(traces);
        let subscriber = tracing::subscriber::set_default(subscriber);
        let settings = config.clone();
        let change = move |config: &mut Config| {
            let storage = config.storage.clone();
            *config = settings;
            config.storage = storage;
        };
        Self {
            world: World::start_with(change, Options::default()).await,
            collector,
            log,
            clock,
            telemetry,
            _subscriber: subscriber,
        }
    }

    /// Connects a user's HubSpot account; the collector has forgotten it.
    pub async fn connect(&self, identifier: &str) {
        self.world.connect("hubspot", identifier).await;
        self.flush().await;
        self.collector.clear();
    }

    /// Calls a tool as an agent that sends its trace context, or something like it.
    pub async fn call_within(
        &self,
        traceparent: &str,
        tool: &str,
        identifier: &str,
        params: Value,
    ) -> Answer {
        let body = json!({
            "tool_name": tool, "identifier": identifier, "params": params, "agent_run_id": "run-7"
        });
        let headers = [("traceparent", traceparent), ("tracestate", "agent=1")];
        self.world
            .host
            .api_with(Method::POST, "/api/v1/execute_tool", &headers, body)
            .await
    }

    /// The same in a sampled trace.
    pub async fn call(&self, tool: &str, identifier: &str, params: Value) -> Answer {
        self.call_within(&sampled(), tool, identifier, params).await
    }

    /// Sends the spans that have ended to the collector.
    pub async fn flush(&self) {
        self.telemetry.flush().await;
    }

    /// Ends the exporter as the end of the host does.
    pub async fn end(self) -> (World, Collector) {
        self.telemetry.close().await;
        (self.world, self.collector)
    }
}

/// The caller's context, sampled.
pub fn sampled() -> String {
    format!("00-{TRACE}-{PARENT}-01")
}
