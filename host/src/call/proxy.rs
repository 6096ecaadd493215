//! A raw request to a vendor with the credential of one account: for what no tool covers. It goes
//! the way of a guest's request, gate, budgets, credential, refresh, redaction and caps included,
//! and leaves the same record; there is no guest in between, and so nothing that narrows it to a
//! purpose. That is why it wants a scope of its own and a connection on which the operator
//! switched it on.
//!
//! Called by the edge of `/proxy`. It answers what the vendor answered and interprets nothing.

mod headers;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::Map;
use tokio::time::Instant;
use tracing::Instrument as _;

use valetkey_manifest::Manifest;

use super::record::Record;
use super::{Extras, Request, allowed_time, cut_off, serving_version, with_link};
use crate::access::{Caller, Scope};
use crate::accounts::{Connection, Selector, Usable};
use crate::egress::{Endpoint, GuestRequest};
use crate::error::{Fault, Kind, Problem};
use crate::id::{ConnectionName, ExecutionId};
use crate::runtime::Runtime;

/// The endpoint that a raw request goes to when it names none, in every manifest that has it.
const USUAL_ENDPOINT: &str = "api";

/// A raw request as an edge takes it.
pub struct ProxyRequest {
    /// The connection.
    pub connection_name: ConnectionName,
    /// Which account on it.
    pub selector: Selector,
    /// Endpoint of the connector's manifest; none for its usual one.
    pub endpoint: Option<String>,
    /// Method.
    pub method: Method,
    /// Path below the endpoint, percent-encoded, with its leading slash.
    pub path: String,
    /// Query, percent-encoded, without the question mark.
    pub query: Option<String>,
    /// Headers as they came; those that are not for a vendor are left out here.
    pub headers: HeaderMap,
    /// Body.
    pub body: Option<Bytes>,
    /// The agent's own name for its run.
    pub agent_run_id: Option<String>,
    /// How long the caller waits; none for the default.
    pub deadline: Option<Duration>,
}

/// What the vendor answered: decoded, capped, redacted.
pub struct ProxyAnswer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers, as far as they are about the content. A `location` below the endpoint is the
    /// path below it.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Sends a raw request. Always leaves one record in the journal, under the returned id, as
/// `proxy METHOD`: a path may name people.
pub async fn proxy(
    runtime: &Arc<Runtime>,
    caller: &Caller,
    request: ProxyRequest,
) -> (ExecutionId, Result<ProxyAnswer, Fault>) {
    let id = ExecutionId::generate();
    let called = Request {
        tool_name: format!("proxy {}", request.method),
        selector: Selector::default(),
        params: Map::new(),
        agent_run_id: request.agent_run_id.clone(),
        idempotency_key: None,
        deadline: request.deadline,
        extras: Extras::default(),
    };
    let mut record = Record::begin(runtime, caller, &id, &called);
    let span = record.span();
    let sent = async {
        let result = steps(runtime, caller, request, &mut record).await;
        record.finish(&result).await;
        result
    };
    let result = sent.instrument(span).await;
    (id, result)
}

async fn steps(
    runtime: &Arc<Runtime>,
    caller: &Caller,
    request: ProxyRequest,
    record: &mut Record<'_>,
) -> Result<ProxyAnswer, Fault> {
    let deadline = Instant::now() + allowed_time(runtime, request.deadline)?;
    caller.require(Scope::ProxyExecute)?;
    let connection = runtime
        .accounts
        .connection(&caller.environment, &request.connection_name)
        .await?;
    if !connection.proxy {
        return Err(switched_off(&connection));
    }
    let selector = Selector {
        connection_name: Some(connection.name.clone()),
        ..request.selector.clone()
    };
    let picked = runtime
        .accounts
        .pick(&caller.environment, &connection.connector, &selector)
        .await?;
    record.account(&picked);
    let answered = async {
        let usable = picked.usable()?;
        as_account(runtime, caller, &usable, deadline, request, record).await
    };
    match answered.await {
        Ok(answer) => Ok(answer),
        Err(fault) => Err(with_link(runtime, &picked.account, fault).await),
    }
}

/// The part that acts as the account's owner.
async fn as_account(
    runtime: &Arc<Runtime>,
    caller: &Caller,
    usable: &Usable,
    deadline: Instant,
    request: ProxyRequest,
    record: &mut Record<'_>,
) -> Result<ProxyAnswer, Fault> {
    let snapshot = runtime.registry.snapshot();
    let activation = serving_version(&snapshot, usable)?;
    record.version(&activation);
    let name = endpoint_name(&activation.version.manifest, request.endpoint.as_deref())?;
    let _slot = runtime
        .calls
        .admission
        .enter(&caller.environment, &usable.account.id, deadline)
        .await?;
    let reach = runtime.calls.reaches.whole_endpoint(
        &activation.version,
        &name,
        &request.method,
        usable,
        deadline,
        record.meter(),
    )?;
    let endpoint = reach
        .endpoints
        .get(&name)
        .ok_or_else(|| unknown_endpoint(&activation.version.manifest, &name))?;
    let carriers = usable.connection.placement.headers();
    let outgoing = GuestRequest {
        method: request.method.to_string(),
        endpoint: name,
        url: Some(url(endpoint, &request.path, request.query.as_deref())),
        headers: headers::to_vendor(&request.headers, endpoint, &carriers)?,
        body: request.body,
        ..GuestRequest::default()
    };
    let answer = tokio::select! {
        answer = runtime.egress.send(&reach, outgoing) => answer.map_err(as_the_callers)?,
        () = activation.cutoff.cancelled() => return Err(cut_off(record)),
    };
    Ok(ProxyAnswer {
        status: answer.status,
        headers: headers::to_caller(&answer.headers, endpoint),
        body: answer.body,
    })
}

/// The request's path and query below the endpoint, as they came: what is checked is what is sent.
fn url(endpoint: &Endpoint, path: &str, query: Option<&str>) -> String {
    let mut url = format!(
        "{}://{}{}{path}",
        endpoint.scheme, endpoint.authority, endpoint.base_path
    );
    if let Some(query) = query {
        url.push('?');
        url.push_str(query);
    }
    url
}

/// The endpoint that was asked for, or the one that most requests of the connector go to.
fn endpoint_name(manifest: &Manifest, asked: Option<&str>) -> Result<String, Fault> {
    let endpoints = &manifest.endpoints;
    if let Some(asked) = asked {
        return match endpoints.get_key_value(asked) {
            Some((name, _)) => Ok(name.clone()),
            None => Err(unknown_endpoint(manifest, asked)),
        };
    }
    let only = endpoints.keys().next().filter(|_| endpoints.len() == 1);
    let verified = manifest.verify.as_ref().map(|verify| &verify.endpoint);
    let usual = endpoints.get_key_value(USUAL_ENDPOINT).map(|(name, _)| name);
    usual
        .or(only)
        .or(verified)
        .cloned()
        .ok_or_else(|| unknown_endpoint(manifest, ""))
}

fn unknown_endpoint(manifest: &Manifest, asked: &str) -> Fault {
    let names: Vec<&str> = manifest.endpoints.keys().map(String::as_str).collect();
    let shown: String = asked.chars().take(64).flat_map(char::escape_default).collect();
    Fault::invalid(
        format!(
            "The connector `{}` has no endpoint `{shown}`. Name one of: {}.",
            manifest.connector.id,
            names.join(", ")
        ),
        vec![Problem {
            path: "/endpoint".to_owned(),
            problem: "is not an endpoint of the connector".to_owned(),
        }],
    )
}

fn switched_off(connection: &Connection) -> Fault {
    Fault::new(
        Kind::PolicyDenied,
        format!(
            "Raw requests are off for the connection `{0}`. Call a tool instead, or ask the operator to switch them on (`PATCH /api/v1/connections/{0}` with `proxy`).",
            connection.name
        ),
    )
    .reason("proxy_off")
}

/// What the gate refuses of a raw request is the caller's to mend, not a connector's.
fn as_the_callers(fault: Fault) -> Fault {
    let theirs = fault.kind() == Kind::EgressDenied
        && matches!(
            fault.reason_code(),
            Some(
                "path"
                    | "method"
                    | "scheme"
                    | "port"
                    | "host_not_allowed"
                    | "header_forbidden"
                    | "request_too_large"
            )
        );
    if !theirs {
        return fault;
    }
    let text = fault
        .public()
        .replace("the connector must not set it", "leave it out");
    let reason = fault.reason_code().unwrap_or("path");
    Fault::new(Kind::InvalidInput, text).reason(reason)
}
