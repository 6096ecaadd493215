//! Why a tool call did not succeed, in words that a model can act on.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;
use valetkey_manifest::Errors;

use crate::http::Response;

/// Why a tool call did not succeed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fault {
    /// One of the contract's codes (`invalid_input`, `vendor_rejected`, `vendor_not_found` …).
    pub code: Cow<'static, str>,
    /// What happened and what to do next, in one or two sentences.
    pub message: String,
    /// The vendor's HTTP status, when it answered.
    pub status: Option<u16>,
    /// The vendor's own code, when it gave one.
    pub vendor_code: Option<String>,
    /// How long to wait before another try, in milliseconds, when known.
    pub retry_after_ms: Option<u64>,
    /// Complaints about the input: a JSON pointer and what is wrong there.
    pub problems: Vec<(String, String)>,
}

impl Fault {
    /// A fault with one of the contract's codes.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// The caller's input cannot be used: which parameter (a JSON pointer), and what is wanted.
    pub fn invalid(pointer: &str, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        let mut fault = Self::new(
            "invalid_input",
            format!("`{}` {problem}.", pointer.trim_start_matches('/')),
        );
        fault.problems.push((pointer.to_owned(), problem));
        fault
    }

    /// The fault that a vendor's answer means: its own words quoted, and what to do next.
    /// `errors` says where the vendor keeps its code and text; the usual places are looked at
    /// when it says nothing.
    #[must_use]
    pub fn from_response(response: &Response, errors: Option<&Errors>) -> Self {
        let body: Option<Value> = serde_json::from_slice(&response.body).ok();
        let (code_at, message_at): (&[String], &[String]) =
            errors.map_or((&[], &[]), |errors| (&errors.code, &errors.message));
        let vendor_code = first(body.as_ref(), code_at, &USUAL_CODES);
        let words = first(body.as_ref(), message_at, &USUAL_MESSAGES).or_else(|| {
            if body.is_none() {
                plain_text(response)
            } else {
                None
            }
        });

        let rule = errors.and_then(|errors| {
            errors.map.iter().find(|rule| {
                rule.status.is_none_or(|status| status == response.status)
                    && rule
                        .code
                        .as_ref()
                        .is_none_or(|code| Some(code) == vendor_code.as_ref())
            })
        });
        let code = rule.map_or(Cow::Borrowed(code_of(response.status)), |rule| {
            Cow::Owned(rule.kind.clone())
        });
        let next_step = rule
            .and_then(|rule| rule.hint.as_deref())
            .unwrap_or_else(|| next_step(&code));

        let mut message = format!("The vendor answered {}", response.status);
        if let Some(vendor_code) = &vendor_code {
            message.push_str(" (");
            message.push_str(cut(vendor_code, 100));
            message.push(')');
        }
        if let Some(words) = words {
            message.push_str(": ");
            message.push_str(&quote(&words, 1000));
        }
        message.push_str(". ");
        message.push_str(next_step);
        Self {
            code,
            message,
            status: Some(response.status),
            vendor_code,
            retry_after_ms: response
                .header("retry-after")
                .and_then(|seconds| seconds.trim().parse::<u64>().ok())
                .map(|seconds| seconds.saturating_mul(1000)),
            problems: Vec::new(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}

/// Where vendors keep their code, as a rule.
const USUAL_CODES: [&str; 6] = [
    "/error/status",
    "/error/code",
    "/code",
    "/category",
    "/errors/0/code",
    "/errors/0/extensions/code",
];
/// Where vendors keep their text, as a rule.
const USUAL_MESSAGES: [&str; 7] = [
    "/error/message",
    "/message",
    "/error_description",
    "/errors/0/message",
    "/errors/0",
    "/error",
    "/detail",
];

fn first(body: Option<&Value>, declared: &[String], usual: &[&str]) -> Option<String> {
    let body = body?;
    let scalar = |pointer: &str| match body.pointer(pointer)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    declared.iter().find_map(|pointer| scalar(pointer)).or_else(|| {
        usual
            .iter()
            .filter(|_| declared.is_empty())
            .find_map(|pointer| scalar(pointer))
    })
}

fn plain_text(response: &Response) -> Option<String> {
    let is_text = response
        .header("content-type")
        .is_none_or(|kind| kind.starts_with("text/plain"));
    (is_text && !response.body.is_empty()).then(|| String::from_utf8_lossy(&response.body).into_owned())
}

fn code_of(status: u16) -> &'static str {
    match status {
        401 => "account_not_active",
        403 => "vendor_forbidden",
        404 | 410 => "vendor_not_found",
        409 | 412 => "vendor_conflict",
        429 => "rate_limited",
        500.. => "vendor_unavailable",
        _ => "vendor_rejected",
    }
}

fn next_step(code: &str) -> &'static str {
    match code {
        "account_not_active" => "The account's owner has to connect it again.",
        "scope_missing" => "The account's owner has to connect it again and grant the missing scope.",
        "vendor_forbidden" => {
            "The connected account may not do this; ask its owner for access or choose something else."
        }
        "vendor_not_found" => "Check the id: a search or list tool finds the valid ones.",
        "vendor_conflict" => "It exists already or has changed meanwhile: read it again, then decide.",
        "rate_limited" => "Wait before calling again.",
        "vendor_unavailable" | "vendor_timeout" => "The parameters are not the reason; try again later.",
        _ => "Change the parameters as it says, then call again.",
    }
}

/// `text` in quotation marks, on one line and at most `limit` bytes of it.
pub(crate) fn quote(text: &str, limit: usize) -> String {
    let shown = cut(text.trim(), limit);
    let mut quoted = String::with_capacity(shown.len() + 4);
    quoted.push('"');
    quoted.extend(
        shown
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter }),
    );
    if shown.len() < text.trim().len() {
        quoted.push('…');
    }
    quoted.push('"');
    quoted
}

fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}
