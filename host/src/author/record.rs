//! A recording of a live call made into a case: only what a case needs, scrubbed.
//!
//! Called by the command line with what `/api/v1/recordings` answered. The credential is not in
//! there; what else is secret or personal goes in [`super::scrub`], before anything is written.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

use super::case::{Case, Exchange, Expected, Request, Response};
use super::scrub::{Scrubbed, Scrubber};

/// A recording as the host answers it.
#[derive(Deserialize)]
struct Recording {
    data: Option<Value>,
    next_cursor: Option<String>,
    error: Option<Map<String, Value>>,
    exchanges: Vec<Recorded>,
}

#[derive(Deserialize)]
struct Recorded {
    method: String,
    url: String,
    query: Vec<Pair>,
    request: Message,
    status: Option<u16>,
    response: Option<Message>,
    fault: Option<String>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct Message {
    headers: Vec<Pair>,
    body: Option<String>,
    body_base64: Option<String>,
}

/// Why a recording makes no case.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The host answered something else.
    #[error("the host's answer is no recording; is it an older host?")]
    Shape(#[source] serde_json::Error),
    /// The vendor did not answer one of the requests.
    #[error("{request} was not answered ({fault}), and a case holds whole exchanges; record the call again")]
    Unanswered {
        /// Method and URL.
        request: String,
        /// What the connector got instead.
        fault: String,
    },
}

/// Makes a case of a recording and scrubs it; answers what was taken out.
///
/// # Errors
/// It is no recording, or not a whole one.
pub fn case(
    tool: &str,
    params: &Map<String, Value>,
    answer: Value,
    words: &[String],
    path: &Path,
) -> Result<(Case, Scrubbed), RecordError> {
    let recording: Recording = serde_json::from_value(answer).map_err(RecordError::Shape)?;
    let expected = match recording.error {
        Some(error) => Expected::Fault(told(error)),
        None => Expected::Answer(recording.data.unwrap_or_default()),
    };
    let mut case = Case {
        name: path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default(),
        path: path.to_owned(),
        about: "Say here what this case shows.".to_owned(),
        tool: tool.to_owned(),
        params: params.clone(),
        more: matches!(expected, Expected::Answer(_)).then_some(recording.next_cursor.is_some()),
        expected,
        auth: None,
        config: BTreeMap::new(),
        files: BTreeMap::new(),
        exchanges: recording
            .exchanges
            .into_iter()
            .map(exchange)
            .collect::<Result<_, _>>()?,
    };
    // A cursor is sealed by the host that made it and means nothing to another.
    case.params.remove("cursor");
    let scrubbed = Scrubber::new(words).case(&mut case);
    Ok((case, scrubbed))
}

/// Of an error what stays the same from one run to the next.
fn told(mut error: Map<String, Value>) -> Map<String, Value> {
    let kept = ["kind", "reason", "vendor", "fields"];
    error.retain(|name, _| kept.contains(&name.as_str()));
    if let Some(Value::Object(vendor)) = error.get_mut("vendor") {
        // Its text quotes the vendor's, in the exchange below.
        vendor.remove("message");
    }
    error
}

fn exchange(recorded: Recorded) -> Result<Exchange, RecordError> {
    let Recorded {
        method,
        url,
        query,
        request,
        ..
    } = recorded;
    let (Some(status), Some(answered)) = (recorded.status, recorded.response) else {
        return Err(RecordError::Unanswered {
            request: format!("{method} {url}"),
            fault: recorded.fault.unwrap_or_default(),
        });
    };
    let (headers, body) = parts(request);
    let request = Request {
        line: 0,
        method,
        url,
        query: pairs(query),
        headers,
        body,
    };
    let (headers, body) = parts(answered);
    let response = Response {
        status,
        headers,
        body,
    };
    Ok(Exchange { request, response })
}

fn parts(message: Message) -> (Vec<(String, String)>, Vec<u8>) {
    let body = match (message.body, message.body_base64) {
        (Some(text), _) => text.into_bytes(),
        (None, Some(encoded)) => STANDARD.decode(encoded).unwrap_or_default(),
        (None, None) => Vec::new(),
    };
    let mut headers = pairs(message.headers);
    for (name, _) in &mut headers {
        name.make_ascii_lowercase();
    }
    (headers, body)
}

fn pairs(pairs: Vec<Pair>) -> Vec<(String, String)> {
    pairs.into_iter().map(|pair| (pair.name, pair.value)).collect()
}
