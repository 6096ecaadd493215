//! The fixture tools of the official MCP conformance suite. What each has to answer is the suite's
//! own requirement.

use std::time::Duration;

use serde_json::{Map, Value, json};
use valetkey_guest::content::{Part, Question};
use valetkey_guest::{Call, Fault, Output};

/// A picture of one pixel.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
/// A sound without a sample.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";

valetkey_guest::connector! {
    "test_simple_text" => simple_text,
    "test_image_content" => image,
    "test_audio_content" => audio,
    "test_embedded_resource" => resource,
    "test_multiple_content_types" => several,
    "test_error_handling" => error,
    "test_tool_with_progress" => progress,
    "test_logging_tool" => logging,
    "test_missing_capability" => missing_capability,
    "test_streaming_elicitation" => ask_name,
    "test_custom_header" => custom_header,
    "test_trigger_tool_change" => change,
    "test_input_required_result_elicitation" => ask_name,
    "test_input_required_result_request_state" => confirm,
    "test_input_required_result_tampered_state" => confirm,
    "test_input_required_result_multi_round" => ask_twice,
    "test_input_required_result_capabilities" => ask_as_the_client_can,
}

type Input = Map<String, Value>;

fn text(text: &str) -> Result<Output, Fault> {
    Output::content(vec![Part::text(text)])
}

fn simple_text(_: &Call, _: Input) -> Result<Output, Fault> {
    text("This is a simple text response for testing.")
}

fn image(_: &Call, _: Input) -> Result<Output, Fault> {
    Output::content(vec![Part::image("image/png", PNG)])
}

fn audio(_: &Call, _: Input) -> Result<Output, Fault> {
    Output::content(vec![Part::audio("audio/wav", WAV)])
}

fn resource(_: &Call, _: Input) -> Result<Output, Fault> {
    Output::content(vec![Part::document(
        "test://embedded-resource",
        "text/plain",
        "This is an embedded resource content.",
    )])
}

fn several(_: &Call, _: Input) -> Result<Output, Fault> {
    Output::content(vec![
        Part::text("Multiple content types test:"),
        Part::image("image/png", PNG),
        Part::document(
            "test://mixed-content-resource",
            "application/json",
            "{\"test\":\"data\",\"value\":123}",
        ),
    ])
}

fn error(_: &Call, _: Input) -> Result<Output, Fault> {
    Output::failed(vec![Part::text(
        "This tool intentionally returns an error for testing",
    )])
}

fn progress(call: &Call, _: Input) -> Result<Output, Fault> {
    for (step, words) in [(0.0, "begun"), (50.0, "half way"), (100.0, "done")] {
        if step > 0.0 {
            std::thread::sleep(Duration::from_millis(50));
        }
        call.progress(step, Some(100.0), words);
    }
    text("Three steps were told.")
}

fn logging(call: &Call, _: Input) -> Result<Output, Fault> {
    call.log("info", "a line for the record");
    text("A line was written to the record.")
}

fn missing_capability(_: &Call, _: Input) -> Result<Output, Fault> {
    Output::ask(
        vec![Question::of_the_model(
            "answer",
            "What is the capital of France?",
            100,
        )],
        None,
    )
}

fn custom_header(_: &Call, input: Input) -> Result<Output, Fault> {
    text(input.get("value").and_then(Value::as_str).unwrap_or_default())
}

fn change(call: &Call, _: Input) -> Result<Output, Fault> {
    call.post("api", "/change").json(&json!({})).send()?;
    text("The tools have changed.")
}

fn form(member: &str, kind: &str) -> Value {
    json!({"type": "object", "properties": {member: {"type": kind}}, "required": [member]})
}

/// The value that the user gave for a question's one member, when they accepted.
fn given<'c>(call: &'c Call, key: &str, member: &str) -> Option<&'c str> {
    call.answers.accepted(key)?.get(member)?.as_str()
}

fn ask_name(call: &Call, _: Input) -> Result<Output, Fault> {
    match given(call, "user_name", "name") {
        Some(name) => text(&format!("Hello, {name}!")),
        None => Output::ask(
            vec![Question::form(
                "user_name",
                "What is your name?",
                form("name", "string"),
            )],
            None,
        ),
    }
}

fn confirm(call: &Call, _: Input) -> Result<Output, Fault> {
    match (call.answers.accepted("confirm"), call.answers.state.as_deref()) {
        (Some(_), Some("asked")) => text("state-ok"),
        _ => Output::ask(
            vec![Question::form("confirm", "Please confirm", form("ok", "boolean"))],
            Some("asked".to_owned()),
        ),
    }
}

/// The name that the first round got is the state of the second.
fn ask_twice(call: &Call, _: Input) -> Result<Output, Fault> {
    let answers = &call.answers;
    match (
        given(call, "step1", "name"),
        given(call, "step2", "color"),
        answers.state.as_deref(),
    ) {
        (_, Some(colour), Some(name)) => text(&format!("{name} likes {colour}.")),
        (Some(name), ..) => Output::ask(
            vec![Question::form(
                "step2",
                "Step 2: What is your favorite color?",
                form("color", "string"),
            )],
            Some(name.to_owned()),
        ),
        _ => Output::ask(
            vec![Question::form(
                "step1",
                "Step 1: What is your name?",
                form("name", "string"),
            )],
            Some(String::new()),
        ),
    }
}

fn ask_as_the_client_can(call: &Call, _: Input) -> Result<Output, Fault> {
    let mut questions = Vec::new();
    if call.answers.can_ask("elicitation") {
        questions.push(Question::form(
            "user_name",
            "What is your name?",
            form("name", "string"),
        ));
    }
    if call.answers.can_ask("sampling") {
        questions.push(Question::of_the_model("greeting", "Generate a greeting", 50));
    }
    if questions.is_empty() {
        return text("This client can ask nobody.");
    }
    Output::ask(questions, None)
}
