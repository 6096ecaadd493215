//! Faults as agents read them: in the result, with what to do next. Only what no result can say is
//! an error of the protocol, since many clients end an agent's run on one.

use std::fmt::Write as _;

use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock, MetaObject};

use crate::error::{Fault, Kind, Retry};
use crate::id::ExecutionId;

/// Characters of a refusal; some clients cut what is longer.
const MAX_CHARS: usize = 8_000;

/// A fault as an error of the protocol.
pub(super) fn protocol(fault: &Fault, execution: Option<&ExecutionId>) -> ErrorData {
    let data = serde_json::to_value(fault.body(execution.map(ExecutionId::as_str))).ok();
    ErrorData::internal_error(fault.public().to_owned(), data)
}

/// A fault as a result that a model can act on. The host's own defects are errors of the protocol.
pub(super) fn result(fault: &Fault, execution: &ExecutionId) -> Result<CallToolResult, ErrorData> {
    if fault.kind() == Kind::Internal {
        return Err(protocol(fault, Some(execution)));
    }
    let mut refused = text(say(fault, execution));
    let mut meta = MetaObject::new();
    if let Ok(body) = serde_json::to_value(fault.body(Some(execution.as_str()))) {
        meta.0.insert("valetkey/error".to_owned(), body);
    }
    refused.meta = Some(meta);
    Ok(refused)
}

/// An error in words.
pub(super) fn text(words: String) -> CallToolResult {
    let mut words = words;
    if let Some((end, _)) = words.char_indices().nth(MAX_CHARS) {
        words.truncate(end);
        words.push('…');
    }
    CallToolResult::error(vec![ContentBlock::text(words)])
}

fn say(fault: &Fault, execution: &ExecutionId) -> String {
    let mut words = fault.public().to_owned();
    for field in fault.fields() {
        let place = if field.path.is_empty() {
            "(all)"
        } else {
            &field.path
        };
        let _ = write!(words, "\n- {place}: {}", field.problem);
    }
    if let Some(link) = fault.authorization_link() {
        let _ = write!(
            words,
            "\nGive the user this link, and call again when they have opened it: {link}"
        );
    }
    match fault.retry_advice() {
        Retry::Never => {}
        Retry::Later => words.push_str("\nThe same call may succeed later."),
        Retry::After(wait) => {
            let _ = write!(
                words,
                "\nThe same call may succeed in {} s.",
                wait.as_millis().div_ceil(1000)
            );
        }
    }
    let _ = write!(words, "\n({}, {execution})", fault.kind().as_str());
    words
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::Problem;

    #[test]
    fn a_refusal_says_everything_that_helps_and_stays_short() {
        let execution = ExecutionId::generate();
        let fault = Fault::invalid(
            "Not so.",
            vec![Problem {
                path: "/a".to_owned(),
                problem: "must be a number".to_owned(),
            }],
        )
        .link("https://host/connect/x")
        .retry(Retry::After(Duration::from_millis(1_200)));
        let refused = result(&fault, &execution).expect("a result");
        assert_eq!(refused.is_error, Some(true));
        let words = say(&fault, &execution);
        for part in [
            "Not so.",
            "/a: must be a number",
            "https://host/connect/x",
            "in 2 s",
            "invalid_input",
            execution.as_str(),
        ] {
            assert!(words.contains(part), "{words}");
        }
        let long = text("é".repeat(MAX_CHARS + 1));
        let shown = serde_json::to_value(long).expect("JSON")["content"][0]["text"]
            .as_str()
            .map(|text| text.chars().count());
        assert_eq!(shown, Some(MAX_CHARS + 1));
        assert!(result(&Fault::internal("a defect"), &execution).is_err());
    }
}
