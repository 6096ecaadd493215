//! Results that are more than data: texts, pictures, sounds and documents for a reader, and
//! questions to the user that a tool asks before it goes on. For tools whose manifest says
//! `result = "content"`; the shapes are those of MCP.

use serde_json::{Map, Value, json};

use crate::Output;
use crate::fault::Fault;

/// One part of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct Part(Value);

impl Part {
    /// A text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self(json!({"type": "text", "text": text}))
    }

    /// A picture; its bytes in base64.
    #[must_use]
    pub fn image(media_type: &str, base64: &str) -> Self {
        Self(json!({"type": "image", "mimeType": media_type, "data": base64}))
    }

    /// A sound; its bytes in base64.
    #[must_use]
    pub fn audio(media_type: &str, base64: &str) -> Self {
        Self(json!({"type": "audio", "mimeType": media_type, "data": base64}))
    }

    /// A document of text with an address of its own. Pages that would run in the client (HTML) are
    /// refused by the host.
    #[must_use]
    pub fn document(uri: &str, media_type: &str, text: &str) -> Self {
        Self(json!({"type": "resource", "resource": {"uri": uri, "mimeType": media_type, "text": text}}))
    }
}

/// One question, under the key that its answer will have.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    key: String,
    request: Value,
}

impl Question {
    /// Asks the user to fill in a form: a flat JSON Schema of texts, numbers and choices. Never ask
    /// for a password or a token.
    #[must_use]
    pub fn form(key: &str, message: &str, schema: Value) -> Self {
        Self {
            key: key.to_owned(),
            request: json!({
                "method": "elicitation/create",
                "params": {"mode": "form", "message": message, "requestedSchema": schema},
            }),
        }
    }

    /// Asks the client's own model.
    #[must_use]
    pub fn of_the_model(key: &str, text: &str, max_tokens: u32) -> Self {
        let message = json!({"role": "user", "content": {"type": "text", "text": text}});
        Self {
            key: key.to_owned(),
            request: json!({
                "method": "sampling/createMessage",
                "params": {"messages": [message], "maxTokens": max_tokens},
            }),
        }
    }
}

/// What came back to a tool's questions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    /// Answers by the questions' keys, as the client gave them: not to be trusted, like any input.
    pub responses: Map<String, Value>,
    /// What the tool gave along with its questions. The host sealed it: it is what it was.
    pub state: Option<String>,
    capabilities: Vec<String>,
}

impl Answers {
    /// The members of a form that the user filled in and accepted; none when there is no such answer,
    /// or they declined.
    #[must_use]
    pub fn accepted(&self, key: &str) -> Option<&Map<String, Value>> {
        let answer = self.responses.get(key)?.as_object()?;
        if answer.get("action")? != "accept" {
            return None;
        }
        answer.get("content")?.as_object()
    }

    /// Whether the client can ask by this means: `elicitation` (a form) or `sampling`.
    #[must_use]
    pub fn can_ask(&self, means: &str) -> bool {
        self.capabilities.iter().any(|capability| capability == means)
    }

    /// Reads them from the contract's `context.ext`.
    #[must_use]
    pub fn read(ext: Vec<(String, String)>) -> Self {
        let mut answers = Self::default();
        for (name, value) in ext {
            match name.as_str() {
                "input_responses" => answers.responses = serde_json::from_str(&value).unwrap_or_default(),
                "request_state" => answers.state = Some(value),
                "client_capabilities" => {
                    answers.capabilities = value.split(',').map(str::to_owned).collect();
                }
                _ => {}
            }
        }
        answers
    }
}

impl Output {
    /// A result of parts.
    ///
    /// # Errors
    /// Never for parts made here.
    pub fn content(parts: Vec<Part>) -> Result<Self, Fault> {
        Self::json(&json!({"content": blocks(parts)}))
    }

    /// A failure that a model reads like a result.
    ///
    /// # Errors
    /// Never for parts made here.
    pub fn failed(parts: Vec<Part>) -> Result<Self, Fault> {
        Self::json(&json!({"content": blocks(parts), "isError": true}))
    }

    /// Questions to the user; the tool is called again with the answers, and with `state`.
    ///
    /// # Errors
    /// Never for questions made here.
    pub fn ask(questions: Vec<Question>, state: Option<String>) -> Result<Self, Fault> {
        let requests: Map<String, Value> = questions
            .into_iter()
            .map(|question| (question.key, question.request))
            .collect();
        let mut result = json!({"inputRequests": requests});
        if let Some(state) = state {
            result["requestState"] = json!(state);
        }
        Self::json(&result)
    }
}

fn blocks(parts: Vec<Part>) -> Vec<Value> {
    parts.into_iter().map(|Part(block)| block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_from_the_context_and_only_accepted_forms_count() {
        let ext = [
            (
                "input_responses",
                r#"{"a":{"action":"accept","content":{"x":1}},"b":{"action":"decline"},"c":7}"#,
            ),
            ("request_state", "s"),
            ("client_capabilities", "elicitation,sampling"),
            ("something_later", "x"),
        ];
        let ext = ext
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        let answers = Answers::read(ext);
        assert_eq!(answers.accepted("a").and_then(|form| form["x"].as_u64()), Some(1));
        assert!(answers.accepted("b").is_none() && answers.accepted("c").is_none());
        assert_eq!(answers.state.as_deref(), Some("s"));
        assert!(answers.can_ask("sampling") && !answers.can_ask("roots"));
        assert_eq!(Answers::read(Vec::new()), Answers::default());
    }

    #[test]
    fn parts_and_questions_have_the_shapes_of_mcp() {
        let output = Output::content(vec![Part::text("a"), Part::image("image/png", "AA==")]).expect("made");
        let value: Value = serde_json::from_str(&output.data).expect("JSON");
        assert_eq!(value["content"][1]["mimeType"], "image/png");
        let form = json!({"type": "object", "properties": {}});
        let output = Output::ask(vec![Question::form("k", "m", form)], Some("s".to_owned())).expect("made");
        let value: Value = serde_json::from_str(&output.data).expect("JSON");
        assert_eq!(value["inputRequests"]["k"]["params"]["mode"], "form");
        assert_eq!(value["requestState"], "s");
    }
}
