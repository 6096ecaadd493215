//! The spans of a call: their names, their attributes, and the caller's trace that they join.
//!
//! Every part of a call's path makes its span here, and `serve` takes the caller's trace context
//! here; `telemetry` exports them. The names and attributes are an interface: `docs/guides/tracing.md`
//! lists them. No function here may be given a secret, and none takes parameters, results,
//! identifiers, paths or queries, but for [`content`], which an operator switches on.
//!
//! A span costs nothing while nobody exports: the log's filter refuses [`TARGET`], `tracing` keeps
//! that answer at each call site, and then neither a span nor its attributes are made.

pub mod content;
mod parent;

use std::fmt;

use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use opentelemetry::trace::TraceContextExt as _;
use tracing::field::Empty;
use tracing::{Level, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::error::Fault;

pub use parent::Parent;

/// The `tracing` target of all spans, and of nothing else.
pub const TARGET: &str = "valetkey.span";

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Whether spans go anywhere. For what has to be gathered before a span can be made.
#[must_use]
pub fn is_on() -> bool {
    tracing::span_enabled!(target: TARGET, Level::INFO)
}

/// What is known of a call when it begins.
pub struct Call<'a> {
    /// The tool's name as the caller gave it, without control characters.
    pub tool: &'a str,
    /// Whether there is such a tool: only then does its name become the span's, so that callers
    /// do not choose names.
    pub is_known: bool,
    /// The execution.
    pub execution_id: &'a str,
    /// The environment.
    pub environment: &'a str,
    /// The agent's own name for its run.
    pub agent_run_id: Option<&'a str>,
}

/// One call, from the door to the journal. A server's span: it is where the agent's trace enters
/// this process.
#[must_use]
pub fn call(call: &Call<'_>) -> Span {
    info_span!(
        target: TARGET,
        "execute_tool",
        otel.name = call.is_known.then(|| format!("execute_tool {}", call.tool)),
        otel.kind = "server",
        otel.status_code = Empty,
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = call.tool,
        "gen_ai.tool.type" = "extension",
        gen_ai.tool.call.arguments = Empty,
        gen_ai.tool.call.result = Empty,
        "error.type" = Empty,
        valetkey.execution.id = call.execution_id,
        valetkey.environment = call.environment,
        valetkey.agent_run_id = call.agent_run_id,
        valetkey.account.id = Empty,
        valetkey.connection.name = Empty,
        valetkey.connector.id = Empty,
        valetkey.connector.version = Empty,
        valetkey.replayed = Empty,
        valetkey.outcome = Empty,
        valetkey.outcome.reason = Empty,
    )
}

/// Notes what became of a call: `ok`, an error's kind, or `cancelled`.
pub fn outcome(span: &Span, outcome: &str, reason: Option<&str>) {
    if span.is_disabled() {
        return;
    }
    span.record("valetkey.outcome", outcome);
    if let Some(reason) = reason {
        span.record("valetkey.outcome.reason", reason);
    }
    if outcome != "ok" {
        failed(span, outcome);
    }
}

fn failed(span: &Span, kind: &str) {
    span.record("error.type", kind);
    span.record("otel.status_code", "error");
}

/// The wait for a slot, when there was none free. `whose` is `account` or `environment`.
#[must_use]
pub fn admission_wait(whose: &'static str) -> Span {
    info_span!(target: TARGET, "admission wait", valetkey.wait.reason = whose)
}

/// The wait that a rate limit asks for: `budget` for a published rate, `vendor` for what the
/// vendor itself asked for.
#[must_use]
pub fn rate_wait(reason: &'static str) -> Span {
    info_span!(target: TARGET, "rate wait", valetkey.wait.reason = reason)
}

/// The pause before a request is repeated.
#[must_use]
pub fn retry_wait() -> Span {
    info_span!(target: TARGET, "retry wait", valetkey.wait.reason = "retry")
}

/// The walk through a vendor's pages.
#[must_use]
pub fn page_walk(want: usize) -> Span {
    info_span!(
        target: TARGET,
        "page walk",
        valetkey.items.wanted = number(want),
        valetkey.items.count = Empty,
        valetkey.pages = Empty,
    )
}

/// Notes how far a walk came.
pub fn walked(span: &Span, items: usize, pages: u32) {
    if !span.is_disabled() {
        span.record("valetkey.items.count", number(items));
        span.record("valetkey.pages", i64::from(pages));
    }
}

/// One instance of a guest, from its making to its answer.
#[must_use]
pub fn sandbox_call(connector: &str, version: &str, tool: &str) -> Span {
    info_span!(
        target: TARGET,
        "sandbox call",
        otel.status_code = Empty,
        "error.type" = Empty,
        gen_ai.tool.name = tool,
        valetkey.connector.id = connector,
        valetkey.connector.version = version,
    )
}

/// A refresh of an account's credential. `why` is `due`, `rejected` or `recover`.
#[must_use]
pub fn refresh(why: &'static str, account_id: &str) -> Span {
    info_span!(
        target: TARGET,
        "refresh",
        otel.status_code = Empty,
        "error.type" = Empty,
        valetkey.refresh.why = why,
        valetkey.account.id = account_id,
    )
}

/// The wait for a refresh that another call began; linked to that refresh.
#[must_use]
pub fn refresh_wait(refresh: &Span) -> Span {
    let span = info_span!(target: TARGET, "refresh wait");
    span.follows_from(refresh);
    span
}

/// Notes that the work of a span failed, by a stable word.
pub fn error(span: &Span, kind: &str) {
    if !span.is_disabled() {
        failed(span, kind);
    }
}

/// Notes a fault by its kind; its text stays in the log.
pub fn fault<T>(span: &Span, result: &Result<T, Fault>) {
    if let Err(fault) = result {
        error(span, fault.kind().as_str());
    }
}

/// A request to a vendor, as far as a trace may know it.
pub struct VendorRequest<'a, T> {
    /// How.
    pub method: &'a Method,
    /// `https`, or `http` on loopback.
    pub scheme: &'a Scheme,
    /// Where to.
    pub authority: &'a Authority,
    /// The path as the manifest wrote it, with its placeholders open.
    pub template: T,
    /// 1 for the first attempt.
    pub attempt: u32,
}

/// One attempt of one request to a vendor.
#[must_use]
pub fn vendor_request<T: fmt::Display>(request: &VendorRequest<'_, T>) -> Span {
    info_span!(
        target: TARGET,
        "vendor request",
        otel.name = %format_args!("{} {}", request.method, request.template),
        otel.kind = "client",
        otel.status_code = Empty,
        "error.type" = Empty,
        http.request.method = request.method.as_str(),
        http.request.resend_count = i64::from(request.attempt) - 1,
        http.response.status_code = Empty,
        http.response.body.size = Empty,
        server.address = request.authority.host(),
        server.port = port(request.scheme, request.authority),
        url.scheme = request.scheme.as_str(),
        url.template = %request.template,
    )
}

/// A request of the host to an authorization server; neither its body nor its answer is recorded.
#[must_use]
pub fn token_request(method: &http::Method, url: &str) -> Span {
    // The URL is parsed for the span alone.
    let parsed = is_on().then(|| url.parse::<http::Uri>().ok()).flatten();
    let parts = parsed
        .as_ref()
        .and_then(|url| Some((url.scheme()?, url.authority()?)));
    info_span!(
        target: TARGET,
        "token request",
        otel.kind = "client",
        otel.status_code = Empty,
        "error.type" = Empty,
        http.request.method = method.as_str(),
        http.response.status_code = Empty,
        server.address = parts.map(|(_, authority)| authority.host()),
        server.port = parts.map(|(scheme, authority)| port(scheme, authority)),
        url.scheme = parts.map(|(scheme, _)| scheme.as_str()),
    )
}

/// Notes the status of an answer; 400 and up are errors on a client's side.
pub fn answered(span: &Span, status: StatusCode) {
    if span.is_disabled() {
        return;
    }
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_client_error() || status.is_server_error() {
        failed(span, status.as_str());
    }
}

/// Notes the decoded size of an answer's body, in bytes.
pub fn received(span: &Span, bytes: usize) {
    if !span.is_disabled() {
        span.record("http.response.body.size", number(bytes));
    }
}

/// Puts the span's `traceparent` into a request. The caller's `tracestate` stays here: it belongs
/// to systems that the receiver has nothing to do with.
pub fn send_parent(span: &Span, headers: &mut HeaderMap) {
    let context = span.context();
    let span = context.span();
    let context = span.span_context();
    if !context.is_valid() {
        return;
    }
    let text = format!(
        "00-{}-{}-{:02x}",
        context.trace_id(),
        context.span_id(),
        u8::from(context.is_sampled())
    );
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.insert(TRACEPARENT, value);
    }
}

fn port(scheme: &Scheme, authority: &Authority) -> i64 {
    let usual = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    i64::from(authority.port_u16().unwrap_or(usual))
}

/// OpenTelemetry's numbers are signed.
fn number(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
