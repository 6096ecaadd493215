//! Questions: what a tool of the content shape asks its user before it goes on. The answers come
//! with another call, and with them the tool's state, which passes through the caller: it is sealed
//! for one account, tool and input, and not for ever. Coming back twice is no more than asking twice.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use valetkey_manifest::tool::Shape;

use super::Outcome;
use super::cursor::input_digest;
use super::extras::Answers;
use crate::accounts::Account;
use crate::clock::Clock;
use crate::error::{Fault, Kind, Problem};
use crate::registry::LoadedTool;
use crate::vault::{Place, Vault};

/// How long a question may wait for its answer.
pub const ANSWER_TIME: Duration = Duration::from_secs(600);
/// The reason code of a state that does not open.
pub const BAD_STATE: &str = "request_state";
/// The members of a content result that asks, in the words of MCP (revision 2026-07-28).
const REQUESTS: &str = "inputRequests";
const STATE: &str = "requestState";

/// What binds a question: one account, one tool, one input.
pub(super) struct Questions<'a> {
    pub(super) vault: &'a Vault,
    pub(super) clock: &'a Clock,
    pub(super) account: &'a Account,
    pub(super) tool: &'a LoadedTool,
    pub(super) input: &'a Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    /// Digest of the input.
    input: String,
    expires_at_ms: i64,
    /// What the tool gave along; none where it gave nothing.
    state: Option<String>,
}

impl Questions<'_> {
    /// The answers as the tool gets them: with its own state.
    ///
    /// # Errors
    /// `invalid_input` when the state is of another account, tool or input, too old, or nobody's.
    pub(super) fn open(&self, mut answers: Answers) -> Result<Answers, Fault> {
        let Some(sealed) = &answers.state else {
            return Ok(answers);
        };
        let opened = self
            .vault
            .open_text(self.place(), sealed)
            .and_then(|plain| serde_json::from_slice::<Sealed>(plain.expose()).ok())
            .filter(|sealed| sealed.input == input_digest(self.input))
            .filter(|sealed| sealed.expires_at_ms > self.clock.now().as_millisecond());
        let Some(opened) = opened else {
            return Err(Fault::invalid(
                "This state of a question is not of this account, tool and input, or is too old. Call the tool again without it, and answer what it asks then.",
                vec![Problem {
                    path: "/request_state".to_owned(),
                    problem: "does not open here".to_owned(),
                }],
            )
            .reason(BAD_STATE));
        };
        answers.state = opened.state;
        Ok(answers)
    }

    /// Seals the state of what a tool asks; leaves every other result as it is.
    ///
    /// # Errors
    /// `connector_output_invalid` when the tool asks for what connectors may not ask.
    pub(super) fn seal(&self, mut outcome: Outcome) -> Result<Outcome, Fault> {
        if self.tool.declared.result != Shape::Content {
            return Ok(outcome);
        }
        let mut data: Value = serde_json::from_str(&outcome.data).map_err(Fault::internal)?;
        let Some(requests) = data.get(REQUESTS) else {
            return Ok(outcome);
        };
        let allowed = requests
            .as_object()
            .is_some_and(|requests| requests.values().all(is_for_connectors));
        if !allowed {
            return Err(Fault::new(
                Kind::ConnectorOutputInvalid,
                format!(
                    "`{}` asked for something that connectors may not ask. Its author must mend it; calling again will not help.",
                    self.tool.declared.name
                ),
            )
            .reason("content"));
        }
        let good_for_ms = i64::try_from(ANSWER_TIME.as_millis()).unwrap_or(i64::MAX);
        let plain = serde_json::to_vec(&Sealed {
            input: input_digest(self.input),
            expires_at_ms: self.clock.now().as_millisecond().saturating_add(good_for_ms),
            state: data.get(STATE).and_then(Value::as_str).map(str::to_owned),
        });
        let plain = plain.map_err(Fault::internal)?;
        data[STATE] = Value::from(self.vault.seal_text(self.place(), &plain)?);
        outcome.data = data.to_string();
        Ok(outcome)
    }

    fn place(&self) -> Place<'_> {
        Place {
            record: "question",
            environment: &self.account.environment,
            connection: self.account.connection.as_str(),
            identifier: self.account.id.as_str(),
            field: &self.tool.declared.name,
            generation: 0,
        }
    }
}

/// Forms and a model's words. A page to open is the host's own question, and a client's folders are
/// nobody's.
fn is_for_connectors(request: &Value) -> bool {
    match request["method"].as_str() {
        Some("elicitation/create") => matches!(request["params"]["mode"].as_str(), None | Some("form")),
        Some("sampling/createMessage") => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn connectors_ask_by_forms_and_models_and_by_nothing_else() {
        let asks =
            |method: &str, params: Value| is_for_connectors(&json!({"method": method, "params": params}));
        assert!(asks("elicitation/create", json!({"message": "m"})));
        assert!(asks("elicitation/create", json!({"mode": "form"})));
        assert!(asks("sampling/createMessage", json!({})));
        assert!(!asks(
            "elicitation/create",
            json!({"mode": "url", "url": "https://x"})
        ));
        assert!(!asks("roots/list", json!({})));
        assert!(!is_for_connectors(&json!({})));
    }
}
