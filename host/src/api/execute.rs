//! `/api/v1/execute_tool`: the call that everything else is for.
//!
//! When the client goes away before the answer, its connection ends and with it this handler's
//! future: the call is dropped where it stands, down to the guest and the request to the vendor.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::answer::{Answer, EXECUTION_ID, Refusal, json_bytes};
use super::ask::{Json, Who, only, scope};
use crate::accounts::Selector;
use crate::call::{self, Answers, Extras, Outcome, Request, visible};
use crate::error::{Fault, Problem};
use crate::id::{AccountId, ConnectionName, ExecutionId, Identifier};
use crate::runtime::Runtime;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A tool call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExecuteTool {
    /// Name of the tool, or an alias.
    tool_name: String,
    /// The application's key for the user whose account is meant.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    identifier: Option<Identifier>,
    /// Or the account itself, `ca_…`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    connected_account_id: Option<AccountId>,
    /// Tells accounts of one user on several connections apart.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    connection_name: Option<ConnectionName>,
    /// The tool's input, by its `input_schema`. Null for an optional parameter whose schema does not
    /// take null is the same as leaving it out.
    #[serde(default)]
    #[schema(value_type = Object)]
    params: Map<String, Value>,
    /// The agent's own name for its run, for the record. At most 255 visible characters.
    #[serde(default)]
    agent_run_id: Option<String>,
    /// How long the caller waits for the answer, in milliseconds. The host's
    /// `server.default_deadline_ms` when absent, and at most its `server.max_deadline_ms`.
    #[serde(default)]
    deadline_ms: Option<u64>,
    /// What the caller can ask its user or a model for a tool, in the words of MCP: `elicitation`
    /// (a form), `sampling`. A tool that asks answers `data.inputRequests` and `data.requestState`
    /// instead of a result.
    #[serde(default)]
    #[schema(max_items = 8)]
    client_capabilities: Option<Vec<String>>,
    /// The answers to what the tool asked, by the keys of its `inputRequests`: for a form
    /// `{"action": "accept", "content": {…}}` or `{"action": "decline"}`. With the same `params` as
    /// the call that was answered by the question.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    input_responses: Option<Map<String, Value>>,
    /// The `data.requestState` that came with the question, as it came. Good for ten minutes, for
    /// that account, tool and `params`.
    #[serde(default)]
    request_state: Option<String>,
}

/// Names of what a caller can ask: more are nonsense.
const MAX_CAPABILITIES: usize = 8;

impl ExecuteTool {
    /// The call as the core takes it.
    pub(super) fn request(mut self, idempotency_key: Option<String>) -> Result<Request, Fault> {
        let answers = self.answers()?;
        Ok(Request {
            tool_name: self.tool_name,
            selector: Selector {
                identifier: self.identifier,
                connected_account_id: self.connected_account_id,
                connection_name: self.connection_name,
            },
            params: self.params,
            agent_run_id: self
                .agent_run_id
                .map(|id| visible("/agent_run_id", id))
                .transpose()?,
            idempotency_key,
            deadline: self.deadline_ms.map(Duration::from_millis),
            extras: Extras {
                answers,
                ..Extras::default()
            },
        })
    }

    /// What the caller says on questions; none when it says nothing.
    fn answers(&mut self) -> Result<Option<Answers>, Fault> {
        let says = self.client_capabilities.is_some()
            || self.input_responses.is_some()
            || self.request_state.is_some();
        if !says {
            return Ok(None);
        }
        let capabilities = self.client_capabilities.take().unwrap_or_default();
        let named =
            |name: &String| visible("/client_capabilities", name.clone()).is_ok() && !name.contains(',');
        if capabilities.len() > MAX_CAPABILITIES || !capabilities.iter().all(named) {
            return Err(Fault::invalid(
                "The request is not what this path takes; `fields` says where.",
                vec![Problem {
                    path: "/client_capabilities".to_owned(),
                    problem: format!("must be at most {MAX_CAPABILITIES} names, as `elicitation`"),
                }],
            ));
        }
        Ok(Some(Answers {
            responses: self.input_responses.take().unwrap_or_default(),
            state: self.request_state.take(),
            capabilities,
        }))
    }
}

/// What a call answers.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the shape of the document; `render` writes it")]
pub(super) struct Executed {
    /// The tool's result, in the vendor's own shape. Of a tool that has to ask first, an object with
    /// `inputRequests` and `requestState`.
    #[schema(value_type = Value)]
    data: Value,
    /// The execution, `exe_…`.
    execution_id: String,
    /// Where there is more: the same call with `params.cursor` set to this answers the next page.
    #[schema(required = false)]
    next_cursor: Option<String>,
}

/// Call a tool
///
/// Runs one tool with the account of one user. The same `Idempotency-Key` with the same call
/// answers the first outcome again instead of calling twice. An error carries the `execution_id` too.
#[utoipa::path(post, path = "/api/v1/execute_tool", tag = "tools", operation_id = "executeTool",
    params(("Idempotency-Key" = Option<String>, Header, description = "Any text of 1 to 255 visible characters, new for each call that may happen once.")),
    request_body = ExecuteTool,
    responses((status = 200, description = "The result.", body = Executed)),
    security(("client" = ["tools:execute"])))]
pub(super) async fn execute_tool(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ToolsExecute>,
    headers: HeaderMap,
    Json(body): Json<ExecuteTool>,
) -> Answer {
    let request = body.request(idempotency_key(&headers)?)?;
    match call::run(&host, &caller, request).await {
        (execution, Ok(outcome)) => render(&execution, &outcome),
        (execution, Err(fault)) => Err(Refusal::of_execution(fault, execution)),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    if !headers.contains_key(IDEMPOTENCY_KEY) {
        return Ok(None);
    }
    let key = only(headers, IDEMPOTENCY_KEY).unwrap_or_default();
    visible("Idempotency-Key", key.to_owned()).map(Some)
}

/// Writes the answer around the result, which is JSON already and may be megabytes.
fn render(execution: &ExecutionId, outcome: &Outcome) -> Result<Response, Refusal> {
    let data = &outcome.data;
    let mut body = String::with_capacity(data.len() + 128);
    body.push_str(r#"{"data":"#);
    body.push_str(data);
    body.push_str(r#","execution_id":""#);
    body.push_str(execution.as_str());
    body.push('"');
    if let Some(cursor) = &outcome.next_cursor {
        body.push_str(r#","next_cursor":"#);
        body.push_str(&serde_json::to_string(cursor).map_err(Fault::internal)?);
    }
    body.push('}');
    let mut response = json_bytes(StatusCode::OK, body);
    if let Ok(id) = HeaderValue::from_str(execution.as_str()) {
        response.headers_mut().insert(EXECUTION_ID, id);
    }
    Ok(response)
}
