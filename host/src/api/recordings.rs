//! `/api/v1/recordings`: a tool call with what it said to the vendor, for authors of connectors.

use std::sync::Arc;

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::answer::{Answer, json};
use super::ask::{Json, Who, scope};
use super::execute::ExecuteTool;
use crate::call::{self, Exchange, Message};
use crate::error::{BodyError, Fault};
use crate::runtime::Runtime;

/// A call with its exchanges. Either `data` or `error` is there.
#[derive(Serialize, ToSchema)]
#[schema(as = Recording)]
pub(super) struct Recorded {
    /// The execution, `exe_…`.
    execution_id: String,
    /// The tool's result.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    data: Option<Box<RawValue>>,
    /// Where there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// Why there is no result.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<BodyError>,
    /// What the connector sent and the vendor answered, in the order of sending.
    exchanges: Vec<RecordedExchange>,
}

/// A request of the connector and the vendor's answer, without the credential.
#[derive(Serialize, ToSchema)]
pub(super) struct RecordedExchange {
    /// Method.
    method: String,
    /// URL below the manifest's endpoint, without the query; `{config.NAME}` stands for the account's
    /// configuration.
    url: String,
    /// Query parameters.
    query: Vec<Pair>,
    /// What was sent.
    request: RecordedMessage,
    /// The vendor's status; absent when it did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// What was answered; absent when nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<RecordedMessage>,
    /// The kind of error that the connector got instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

/// A name and a value.
#[derive(Serialize, ToSchema)]
#[schema(as = NameAndValue)]
pub(super) struct Pair {
    name: String,
    value: String,
}

/// Headers and body; the body is there as text or, when it is none, in base64.
#[derive(Serialize, ToSchema)]
pub(super) struct RecordedMessage {
    /// Headers.
    headers: Vec<Pair>,
    /// Body that is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// Body that is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

/// Record a tool call
///
/// Runs one tool and answers what the connector sent to the vendor and got back, for an author who
/// makes a test case of it. The credential is not in it; users' data are. As for raw requests, the
/// operator has to have set the connection's `proxy`. A call that failed is answered with 200 too:
/// `error` says how.
#[utoipa::path(post, path = "/api/v1/recordings", tag = "tools", operation_id = "recordTool",
    request_body = ExecuteTool,
    responses((status = 200, description = "The call and its exchanges.", body = Recorded)),
    security(("client" = ["proxy:execute", "tools:execute"])))]
pub(super) async fn record(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ProxyExecute>,
    Json(body): Json<ExecuteTool>,
) -> Answer {
    let (id, recording) = call::record(&host, &caller, body.request(None)?).await;
    let exchanges = recording.exchanges.into_iter().map(exchange).collect::<Vec<_>>();
    let (mut data, mut next_cursor, mut error) = (None, None, None);
    match recording.result {
        Ok(outcome) => {
            data = Some(RawValue::from_string(outcome.data).map_err(Fault::internal)?);
            next_cursor = outcome.next_cursor;
        }
        // Nothing was said to a vendor: an error of the request and no recording.
        Err(fault) if exchanges.is_empty() => {
            return Err(super::answer::Refusal::of_execution(fault, id));
        }
        Err(fault) => error = Some(fault.body(Some(id.as_str())).error),
    }
    let recorded = Recorded {
        execution_id: id.to_string(),
        data,
        next_cursor,
        error,
        exchanges,
    };
    Ok(json(StatusCode::OK, &recorded))
}

fn exchange(exchange: Exchange) -> RecordedExchange {
    let (status, response, fault) = match exchange.answer {
        Ok((status, response)) => (Some(status), Some(message(response)), None),
        Err(kind) => (None, None, Some(kind.as_str().to_owned())),
    };
    RecordedExchange {
        method: exchange.method,
        url: exchange.url,
        query: pairs(exchange.query),
        request: message(exchange.request),
        status,
        response,
        fault,
    }
}

fn message(message: Message) -> RecordedMessage {
    let (body, body_base64) = match std::str::from_utf8(&message.body) {
        _ if message.body.is_empty() => (None, None),
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(STANDARD.encode(&message.body))),
    };
    RecordedMessage {
        headers: pairs(message.headers),
        body,
        body_base64,
    }
}

fn pairs(pairs: Vec<(String, String)>) -> Vec<Pair> {
    pairs
        .into_iter()
        .map(|(name, value)| Pair { name, value })
        .collect()
}
