//! Chat Completions as OpenAI defined them and others copy them
//! (<https://platform.openai.com/docs/api-reference/chat/create>): what is sent, and what may come back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::finder;

/// Characters of what a model says beside calls that a report keeps.
const MAX_SAID: usize = 300;

/// A tool of any origin in the format `openai`.
pub(super) fn function(name: &str, description: &str, parameters: &Value) -> Value {
    json!({
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters, "strict": false},
    })
}

/// The four tools of search mode.
pub(super) fn finder_functions() -> Vec<Value> {
    let tools = finder::tools();
    let functions = tools
        .iter()
        .map(|tool| function(tool.name, tool.description, &tool.input));
    functions.collect()
}

/// A conversation so far, as a request body.
pub(super) fn request(model: &str, messages: &[Value], tools: &[Value]) -> Value {
    json!({"model": model, "messages": messages, "tools": tools, "tool_choice": "auto"})
}

pub(super) fn message(role: &str, content: &str) -> Value {
    json!({"role": role, "content": content})
}

/// The answer to one of the model's calls.
pub(super) fn answer(call: &Asked, content: &str) -> Value {
    json!({"role": "tool", "tool_call_id": call.id, "content": content})
}

/// What the endpoint counted, where it counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens that the model read.
    #[serde(default)]
    pub prompt_tokens: u64,
    /// Tokens that it wrote.
    #[serde(default)]
    pub completion_tokens: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.prompt_tokens += other.prompt_tokens;
        self.completion_tokens += other.completion_tokens;
    }
}

/// What a model answered.
#[derive(Debug)]
pub(super) struct Reply {
    /// The message as it came, to go back into the conversation.
    pub(super) message: Value,
    pub(super) calls: Vec<Asked>,
    /// What it said beside, shortened.
    pub(super) said: String,
    pub(super) usage: Usage,
}

/// A call that a model wants.
#[derive(Debug)]
pub(super) struct Asked {
    id: String,
    pub(super) name: String,
    /// An object, or what came instead of one.
    pub(super) arguments: Result<Value, String>,
}

/// Reads an answer of the endpoint.
///
/// # Errors
/// It has no message, in words.
pub(super) fn read(answer: &Value) -> Result<Reply, String> {
    let message = answer
        .pointer("/choices/0/message")
        .filter(|message| message.is_object())
        .ok_or("the answer has no message (`choices[0].message`); is this a Chat Completions endpoint?")?;
    let calls = message["tool_calls"].as_array().map_or(&[][..], Vec::as_slice);
    let said = message["content"].as_str().unwrap_or_default();
    Ok(Reply {
        message: message.clone(),
        calls: calls.iter().map(asked).collect(),
        said: said.chars().take(MAX_SAID).collect(),
        usage: Usage::deserialize(&answer["usage"]).unwrap_or_default(),
    })
}

fn asked(call: &Value) -> Asked {
    let function = &call["function"];
    let arguments = match &function["arguments"] {
        // No arguments are written in several ways.
        Value::Null => Ok(json!({})),
        Value::String(text) if text.trim().is_empty() => Ok(json!({})),
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(value) if value.is_object() => Ok(value),
            _ => Err(text.chars().take(MAX_SAID).collect()),
        },
        object @ Value::Object(_) => Ok(object.clone()),
        other => Err(other.to_string()),
    };
    Asked {
        id: call["id"].as_str().unwrap_or_default().to_owned(),
        name: function["name"].as_str().unwrap_or_default().to_owned(),
        arguments,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_an_object_or_the_text_that_is_none() {
        let cases = [
            (json!("{\"a\":1}"), Ok(json!({"a": 1}))),
            (json!({"a": 1}), Ok(json!({"a": 1}))),
            (json!(""), Ok(json!({}))),
            (Value::Null, Ok(json!({}))),
            (json!("{\"a\":"), Err("{\"a\":".to_owned())),
            (json!("[1]"), Err("[1]".to_owned())),
            (json!(1), Err("1".to_owned())),
        ];
        for (written, wanted) in cases {
            let call = json!({"id": "c", "function": {"name": "t", "arguments": written}});
            assert_eq!(asked(&call).arguments, wanted, "{call}");
        }
    }

    #[test]
    fn an_answer_without_a_message_is_no_answer() {
        for answer in [
            json!({}),
            json!({"choices": []}),
            json!([]),
            json!({"choices": [{"message": "x"}]}),
        ] {
            assert!(read(&answer).is_err(), "{answer}");
        }
        let plain = read(&json!({"choices": [{"message": {"content": "Which one?"}}]})).expect("a message");
        assert!(plain.calls.is_empty());
        assert_eq!(
            (plain.said.as_str(), plain.usage),
            ("Which one?", Usage::default())
        );
    }
}
