//! Faults as gRPC statuses: the one place where a fault becomes one.
//!
//! The code is what makes the clients act. They log in again and repeat the call on
//! `UNAUTHENTICATED`, repeat it on `UNAVAILABLE`, and make an account on `NOT_FOUND`; unless the
//! detail says `TOOL_ERROR`, on which they never repeat anything. So whatever comes from a vendor
//! or a connector says that, above all a vendor's 401, and a tool call is never `UNAVAILABLE`.

use prost::Message as _;
use prost_types::Any;
use tonic::{Code, Status};

use super::MAX_ANSWER_BYTES;
use super::wire::errors::{
    ErrorInfo, FieldViolation, HelpInfo, HelpLink, RequestInfo, RpcStatus, ToolErrorInfo, ValidationErrorInfo,
};
use crate::error::{Fault, Kind};
use crate::id::ExecutionId;

/// An answer that no client takes.
const TOO_LARGE: &str = "answer_too_large";
/// What the clients know a failure beyond this host by.
const TOOL_ERROR: &str = "TOOL_ERROR";
const ERROR_INFO: &str = "type.googleapis.com/scalekit.v1.errdetails.ErrorInfo";

/// A status travels in headers, twice (as text, and in the details), and clients refuse headers
/// beyond 8 KiB: its parts are cut to these bytes.
const MAX_MESSAGE: usize = 1024;
const MAX_VENDOR_MESSAGE: usize = 512;
const MAX_FIELDS: usize = 8;
const MAX_FIELD: usize = 120;

/// The status of a fault that belongs to no execution.
pub(super) fn of(fault: &Fault) -> Status {
    // The host's own failures can be found in the log.
    let request = matches!(fault.kind(), Kind::Internal | Kind::StoreUnavailable).then(|| log(fault));
    status(code(fault), fault, None, request)
}

/// The status of a tool call's fault.
pub(super) fn of_execution(fault: &Fault, execution: &ExecutionId) -> Status {
    let code = match code(fault) {
        // The call may have reached the vendor: a client must not repeat it by itself.
        Code::Unavailable => Code::Internal,
        code => code,
    };
    status(code, fault, Some(execution), None)
}

/// The status of a method that there is not.
pub(super) fn unimplemented(fault: &Fault) -> Status {
    status(Code::Unimplemented, fault, None, None)
}

/// Refuses an answer that no client takes: they drop it without saying why.
pub(super) fn check_size(message: &impl prost::Message) -> Result<(), Fault> {
    let bytes = message.encoded_len();
    if bytes <= MAX_ANSWER_BYTES {
        return Ok(());
    }
    Err(Fault::new(
        Kind::ConnectorLimit,
        format!(
            "The answer has {bytes} bytes and gRPC clients take {MAX_ANSWER_BYTES}. Ask for less at once (a smaller `limit` or page size, fewer fields), or use the REST API, which has no such limit. A change that the call made has taken effect."
        ),
    )
    .reason(TOO_LARGE))
}

fn code(fault: &Fault) -> Code {
    match fault.kind() {
        Kind::InvalidInput => Code::InvalidArgument,
        // An account of another connector is the wrong argument, not a missing account.
        Kind::AccountNotFound if fault.reason_code() == Some("wrong_connector") => Code::InvalidArgument,
        Kind::Unauthenticated => Code::Unauthenticated,
        Kind::UnknownTool | Kind::NotFound | Kind::AccountNotFound | Kind::FlowInvalid => Code::NotFound,
        Kind::PolicyDenied | Kind::ScopeMissing => Code::PermissionDenied,
        Kind::AccountAmbiguous | Kind::AccountNotActive => Code::FailedPrecondition,
        Kind::Conflict => Code::AlreadyExists,
        Kind::IdempotencyConflict => Code::Aborted,
        Kind::RateLimited | Kind::Overloaded => Code::ResourceExhausted,
        Kind::VendorRejected if vendor_status(fault) == Some(401) => Code::Unauthenticated,
        Kind::VendorRejected => Code::InvalidArgument,
        Kind::VendorNotFound => Code::NotFound,
        Kind::VendorConflict => Code::Aborted,
        Kind::VendorForbidden => Code::PermissionDenied,
        Kind::VendorTimeout => Code::DeadlineExceeded,
        Kind::VendorUnavailable | Kind::AmbiguousOutcome => Code::Unknown,
        Kind::StoreUnavailable => Code::Unavailable,
        Kind::ConnectorLimit if fault.reason_code() == Some(TOO_LARGE) => Code::OutOfRange,
        Kind::EgressDenied
        | Kind::ConnectorTrapped
        | Kind::ConnectorLimit
        | Kind::ConnectorOutputInvalid
        | Kind::Internal => Code::Internal,
    }
}

fn vendor_status(fault: &Fault) -> Option<u16> {
    fault.vendor_error()?.status
}

/// Whether it happened at the vendor or in the connector.
fn is_beyond_us(kind: Kind) -> bool {
    match kind {
        Kind::RateLimited
        | Kind::VendorRejected
        | Kind::VendorNotFound
        | Kind::VendorConflict
        | Kind::VendorForbidden
        | Kind::VendorUnavailable
        | Kind::VendorTimeout
        | Kind::AmbiguousOutcome
        | Kind::EgressDenied
        | Kind::ConnectorTrapped
        | Kind::ConnectorLimit
        | Kind::ConnectorOutputInvalid => true,
        Kind::InvalidInput
        | Kind::Unauthenticated
        | Kind::UnknownTool
        | Kind::NotFound
        | Kind::Conflict
        | Kind::PolicyDenied
        | Kind::ScopeMissing
        | Kind::AccountNotFound
        | Kind::AccountAmbiguous
        | Kind::AccountNotActive
        | Kind::FlowInvalid
        | Kind::IdempotencyConflict
        | Kind::Overloaded
        | Kind::StoreUnavailable
        | Kind::Internal => false,
    }
}

fn status(code: Code, fault: &Fault, execution: Option<&ExecutionId>, request: Option<String>) -> Status {
    let message = message(fault);
    let kind = fault.kind();
    let tool = is_beyond_us(kind);
    let info = ErrorInfo {
        error_code: if tool {
            TOOL_ERROR.to_owned()
        } else {
            kind.as_str().to_uppercase()
        },
        help_info: fault.authorization_link().map(|link| HelpInfo {
            links: vec![HelpLink {
                description: "For the account's owner to authorize it".to_owned(),
                url: link.to_owned(),
            }],
        }),
        request_info: request
            .or_else(|| execution.map(ToString::to_string))
            .map(|request_id| RequestInfo { request_id }),
        validation_error_info: (!fault.fields().is_empty()).then(|| ValidationErrorInfo {
            field_violations: violations(fault),
        }),
        tool_error_info: tool.then(|| ToolErrorInfo {
            execution_id: execution.map(ToString::to_string).unwrap_or_default(),
            tool_error_message: said(fault),
            tool_error_code: kind.as_str().to_owned(),
        }),
    };
    let details = RpcStatus {
        // Both must be what the header fields say, or the client throws the details away.
        code: code.into(),
        message: message.clone(),
        details: vec![Any {
            type_url: ERROR_INFO.to_owned(),
            value: info.encode_to_vec(),
        }],
    };
    Status::with_details(code, message, details.encode_to_vec().into())
}

/// What a person or model reads; some clients show nothing else, so that the link and the first
/// complaints are in it.
fn message(fault: &Fault) -> String {
    let mut text = fault.public().to_owned();
    if !fault.fields().is_empty() {
        let complaints: Vec<String> = violations(fault)
            .into_iter()
            .take(3)
            .map(|it| format!("{}: {}", it.field, it.description))
            .collect();
        text.push_str(&format!(" [{}]", complaints.join("; ")));
    }
    if let Some(link) = fault.authorization_link()
        && !text.contains(link)
    {
        // Before the cut.
        let link = format!(" Authorization link: {link}");
        return cut(&text, MAX_MESSAGE.saturating_sub(link.len())) + &link;
    }
    cut(&text, MAX_MESSAGE)
}

fn violations(fault: &Fault) -> Vec<FieldViolation> {
    let fields = fault.fields().iter().take(MAX_FIELDS);
    fields
        .map(|it| FieldViolation {
            field: cut(&it.path, MAX_FIELD),
            description: cut(&it.problem, MAX_FIELD),
        })
        .collect()
}

/// The vendor's own words, or ours.
fn said(fault: &Fault) -> String {
    let vendor = fault.vendor_error();
    match vendor.and_then(|vendor| vendor.message.as_deref()) {
        Some(text) => cut(text, MAX_VENDOR_MESSAGE),
        None => cut(fault.public(), MAX_VENDOR_MESSAGE),
    }
}

fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    const MARK: &str = "…";
    let mut end = bytes.saturating_sub(MARK.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{MARK}", &text[..end])
}

/// Logs a failure of the host under a new id.
fn log(fault: &Fault) -> String {
    let request_id = format!("req_{}", uuid::Uuid::now_v7().simple());
    tracing::error!(
        request_id,
        kind = fault.kind().as_str(),
        reason = fault.reason_code(),
        cause = fault.chain(),
        "a request failed: {}",
        fault.public()
    );
    request_id
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::error::{Problem, VendorError};

    fn info(status: &Status) -> ErrorInfo {
        let details = RpcStatus::decode(status.details()).expect("a status");
        assert_eq!(details.code, i32::from(status.code()));
        assert_eq!(details.message, status.message());
        assert_eq!(details.details[0].type_url, ERROR_INFO);
        ErrorInfo::decode(&*details.details[0].value).expect("a detail")
    }

    #[test]
    fn no_fault_of_a_tool_call_makes_a_client_repeat_it() {
        let execution = ExecutionId::generate();
        for kind in Kind::ALL {
            let fault = Fault::new(kind, "text").vendor(VendorError {
                status: Some(401),
                ..VendorError::default()
            });
            let status = of_execution(&fault, &execution);
            assert_ne!(status.code(), Code::Unavailable, "{kind:?}");
            if status.code() == Code::Unauthenticated && kind != Kind::Unauthenticated {
                assert_eq!(info(&status).error_code, TOOL_ERROR, "{kind:?}");
            }
        }
    }

    #[test]
    fn a_vendors_failure_says_so_and_ours_does_not() {
        let execution = ExecutionId::generate();
        for kind in Kind::ALL {
            let info = info(&of_execution(&Fault::new(kind, "text"), &execution));
            let beyond = kind.as_str().starts_with("vendor_")
                || kind.as_str().starts_with("connector_")
                || matches!(
                    kind,
                    Kind::RateLimited | Kind::AmbiguousOutcome | Kind::EgressDenied
                );
            assert_eq!(info.error_code == TOOL_ERROR, beyond, "{kind:?}");
            assert_eq!(info.tool_error_info.is_some(), beyond, "{kind:?}");
            if let Some(tool) = info.tool_error_info {
                assert_eq!(tool.execution_id, execution.as_str());
                assert_eq!(tool.tool_error_code, kind.as_str());
            }
        }
    }

    #[test]
    fn the_longest_fault_fits_into_what_clients_take_of_headers() {
        let long = "ж\u{1f511}%".repeat(4_000);
        let fields = (0..50)
            .map(|_| Problem {
                path: long.clone(),
                problem: long.clone(),
            })
            .collect();
        let fault = Fault::invalid(long.clone(), fields)
            .link("https://keys.example.com/connect/xyz")
            .vendor(VendorError {
                status: Some(400),
                code: None,
                message: Some(long),
            });
        let mut headers = HeaderMap::new();
        of_execution(&fault, &ExecutionId::generate())
            .add_header(&mut headers)
            .expect("headers");
        let bytes: usize = headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 32)
            .sum();
        assert!(bytes < 8 * 1024, "{bytes}");
        assert!(
            headers["grpc-message"]
                .to_str()
                .expect("text")
                .ends_with("/connect/xyz")
        );
    }
}
