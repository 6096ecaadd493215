//! An OpenTelemetry collector on loopback: takes OTLP over HTTP, keeps it, and reads it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode as Verdict};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The collector; it stops when this is dropped.
pub struct Collector {
    pub url: String,
    taken: Arc<Taken>,
    server: JoinHandle<()>,
}

struct Taken {
    requests: Mutex<Vec<Request>>,
    /// What it answers.
    status: AtomicU16,
}

/// One export.
#[derive(Clone)]
pub struct Request {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// One span, as a backend would show it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub trace: String,
    pub id: String,
    /// Empty for a root.
    pub parent: String,
    pub name: String,
    pub kind: SpanKind,
    pub failed: bool,
    pub attributes: BTreeMap<String, String>,
    /// Ids of the spans that it is linked to.
    pub links: Vec<String>,
    pub milliseconds: u64,
    pub resource: BTreeMap<String, String>,
}

impl Seen {
    /// An attribute's value, empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

impl Collector {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let taken = Arc::new(Taken {
            requests: Mutex::default(),
            status: AtomicU16::new(200),
        });
        let router = Router::new().fallback(take).with_state(Arc::clone(&taken));
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self { url, taken, server }
    }

    /// From now on it answers so.
    pub fn answer(&self, status: u16) {
        self.taken.status.store(status, Ordering::Relaxed);
    }

    pub fn clear(&self) {
        self.requests().clear();
    }

    pub fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        self.taken.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every byte that it was sent, headers included, as text.
    pub fn everything(&self) -> String {
        let requests = self.requests();
        let texts = requests
            .iter()
            .map(|request| format!("{:?} {}", request.headers, String::from_utf8_lossy(&request.body)));
        texts.collect()
    }

    /// Every span, in the order of their beginning.
    pub fn spans(&self) -> Vec<Seen> {
        let mut seen = Vec::new();
        for request in self.requests().iter() {
            assert_eq!(request.path, "/v1/traces");
            assert_eq!(request.headers["content-type"], "application/x-protobuf");
            let export = ExportTraceServiceRequest::decode(request.body.clone()).expect("OTLP");
            for group in export.resource_spans {
                let resource = attributes(&group.resource.expect("a resource").attributes);
                let spans = group.scope_spans.into_iter().flat_map(|scope| scope.spans);
                seen.extend(spans.map(|span| (span.start_time_unix_nano, read(&span, &resource))));
            }
        }
        seen.sort_by_key(|(began, _)| *began);
        seen.into_iter().map(|(_, span)| span).collect()
    }

    /// The spans of a name.
    pub fn named(&self, name: &str) -> Vec<Seen> {
        let mut spans = self.spans();
        spans.retain(|span| span.name == name);
        spans
    }

    /// The one span of a name.
    pub fn one(&self, name: &str) -> Seen {
        let all: Vec<String> = self.spans().into_iter().map(|span| span.name).collect();
        let mut named = self.named(name);
        assert_eq!(named.len(), 1, "{name} among {all:?}");
        named.remove(0)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(taken): State<Arc<Taken>>, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    let request = Request {
        path: uri.path().to_owned(),
        headers,
        body,
    };
    let mut requests = taken.requests.lock().unwrap_or_else(PoisonError::into_inner);
    requests.push(request);
    drop(requests);
    StatusCode::from_u16(taken.status.load(Ordering::Relaxed)).expect("a status")
}

fn read(span: &Span, resource: &BTreeMap<String, String>) -> Seen {
    assert!(span.events.is_empty(), "events are the log's: {:?}", span.events);
    let nanoseconds = span.end_time_unix_nano - span.start_time_unix_nano;
    let status = span.status.as_ref();
    Seen {
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        name: span.name.clone(),
        kind: span.kind(),
        failed: status.is_some_and(|status| status.code() == Verdict::Error),
        attributes: attributes(&span.attributes),
        links: span.links.iter().map(|link| hex(&link.span_id)).collect(),
        milliseconds: nanoseconds / 1_000_000,
        resource: resource.clone(),
    }
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(is)) => is.to_string(),
        other => panic!("{} is {other:?}", pair.key),
    };
    pairs.iter().map(|pair| (pair.key.clone(), text(pair))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
