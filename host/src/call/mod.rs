//! One tool call, top to bottom.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use crate::access::Caller;
use crate::accounts::Selector;
use crate::error::Fault;
use crate::id::ExecutionId;
use crate::runtime::Runtime;

/// A call as an edge takes it.
pub struct Request {
    /// Tool name or alias.
    pub tool_name: String,
    /// Which account.
    pub selector: Selector,
    /// The tool's input, a JSON object, with `limit` and `cursor` for tools that page.
    pub params: serde_json::Map<String, serde_json::Value>,
    /// The agent's own name for its run.
    pub agent_run_id: Option<String>,
    /// Makes a repetition of this call answer the first outcome.
    pub idempotency_key: Option<String>,
    /// How long the caller waits; none for the default.
    pub deadline: Option<Duration>,
}

/// What a call answers.
pub struct Outcome {
    /// The tool's result, native shape.
    pub data: Box<RawValue>,
    /// For the next page.
    pub next_cursor: Option<String>,
}

/// Runs a call. Always leaves one record in the journal, under the returned id, also on error.
pub async fn run(
    _runtime: &Arc<Runtime>,
    _caller: &Caller,
    _request: Request,
) -> (ExecutionId, Result<Outcome, Fault>) {
    todo!()
}
