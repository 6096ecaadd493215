//! How a call that gave no result is told: what the guest did wrong, which limit ended it, or
//! the fault that it reports. A guest's own words are quoted, cut and escaped; what a trap says
//! goes to the log and never to an agent.

use std::time::Duration;

use wasmtime::Trap;

use crate::capability::bindings::exports::valetkey::connector::tools;
use crate::capability::session::{Session, Stop};
use crate::capability::{LogLine, sanitise};
use crate::error::{Fault, Kind, Problem, Retry, VendorError};

use super::guest::{Guest, Refused};

/// Bytes of a guest's message that are kept.
const MESSAGE_BYTES: usize = 2 * 1024;
/// Bytes of it that the public text quotes.
const QUOTED_BYTES: usize = 600;
/// Bytes of a vendor's code.
const CODE_BYTES: usize = 128;
/// Complaints about the input that are passed on.
const PROBLEMS: usize = 50;
/// The longest wait that a guest may report.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// The fault that a guest reports, as one of ours.
pub(super) fn reported(fault: tools::Fault, session: &mut Session) -> Fault {
    // A guest that passes on a fault of the host's own returns the original: exact, with its link.
    if let Some(host) = session
        .host_fault
        .take_if(|host| host.kind().as_str() == fault.code)
    {
        return host;
    }
    let kind = Kind::parse(&fault.code)
        .filter(|kind| Kind::OF_CONNECTORS.contains(kind))
        .unwrap_or(Kind::VendorRejected);
    let message = sanitise(&fault.message, MESSAGE_BYTES);
    let quoted = sanitise(&fault.message, QUOTED_BYTES);
    let lead = lead(kind);
    let public = if quoted.is_empty() {
        format!("{lead}.")
    } else {
        format!("{lead}: {quoted}")
    };
    let mut told = match kind {
        Kind::InvalidInput => Fault::invalid(
            public,
            fault
                .problems
                .into_iter()
                .take(PROBLEMS)
                .map(|(path, problem)| Problem {
                    path: sanitise(&path, QUOTED_BYTES),
                    problem: sanitise(&problem, QUOTED_BYTES),
                })
                .collect(),
        ),
        _ => Fault::new(kind, public),
    };
    if fault.status.is_some() || fault.vendor_code.is_some() {
        told = told.vendor(VendorError {
            status: fault.status,
            code: fault.vendor_code.map(|code| sanitise(&code, CODE_BYTES)),
            message: (!message.is_empty()).then_some(message),
        });
    }
    match fault.retry_after_ms {
        Some(wait) if kind.retry() != Retry::Never => {
            told.retry(Retry::After(Duration::from_millis(wait).min(LONGEST_WAIT)))
        }
        _ => told,
    }
}

fn lead(kind: Kind) -> &'static str {
    match kind {
        Kind::InvalidInput => "The connector does not accept the input",
        Kind::ScopeMissing => "The account has not granted what this needs",
        Kind::RateLimited => "The vendor asks to slow down",
        Kind::VendorNotFound => "The vendor does not have this",
        Kind::VendorConflict => "The vendor reports a conflict",
        Kind::VendorForbidden => "The vendor does not allow this to the account",
        Kind::VendorUnavailable => "The vendor is not available",
        Kind::VendorTimeout => "The vendor did not answer in time",
        _ => "The vendor refused the request",
    }
}

/// Why wasmtime ended the call.
pub(super) fn ended(error: &wasmtime::Error, guest: &mut Guest, tool: &str) -> Fault {
    let session = &mut guest.session;
    if let Some(stop) = session.stopped {
        return stopped(stop, session);
    }
    let session = &guest.session;
    if let Some(fault) = ended_by_host(error, session) {
        return fault;
    }
    let details = sanitise(&format!("{error:#}"), MESSAGE_BYTES);
    let trap = error.downcast_ref::<Trap>();
    tracing::warn!(
        connector = session.grant.reach.vendor.connector,
        tool = sanitise(tool, 64),
        trap = details,
        "a connector trapped"
    );
    session.grant.log.push(
        LogLine {
            level: "error",
            message: sanitise(&format!("trap: {details}"), session.grant.limits.log_line_bytes),
        },
        u32::MAX,
    );
    let fault = match trap {
        Some(Trap::StackOverflow) => limit("stack", "its stack", session),
        _ if guest.budget.refused == Some(Refused::Memory) => limit("memory", "its memory", session),
        _ if guest.budget.refused == Some(Refused::Tables) => limit("tables", "its table elements", session),
        Some(
            Trap::StringOutOfBounds
            | Trap::ListOutOfBounds
            | Trap::InvalidChar
            | Trap::InvalidDiscriminant
            | Trap::UnalignedPointer,
        ) => invalid_output(),
        Some(_) => trapped(session),
        None if error.is::<std::str::Utf8Error>() => invalid_output(),
        None => trapped(session),
    };
    fault.because(details)
}

/// Errors that wasmtime reports about its own limits.
fn ended_by_host(error: &wasmtime::Error, session: &Session) -> Option<Fault> {
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        return Some(overloaded().because(format!("{error:#}")));
    }
    // These two have no public type.
    let text = error.root_cause().to_string();
    if text.starts_with("too much data is being copied") {
        return Some(limit("output", "what may cross the sandbox's boundary at once", session).because(text));
    }
    if text.contains("handle limit exceeded") {
        return Some(limit("handles", "its resource handles", session).because(text));
    }
    None
}

fn stopped(stop: Stop, session: &mut Session) -> Fault {
    let limits = &session.grant.limits;
    let (reason, what) = match stop {
        Stop::Deadline => return deadline(session),
        Stop::Cpu => ("cpu", format!("its {} ms of computing time", limits.cpu_ms)),
        Stop::HostCalls => (
            "host_calls",
            format!("its {} calls of the host", limits.host_calls),
        ),
        Stop::HttpRequests => (
            "http_requests",
            format!("its {} requests to the vendor", limits.http_requests),
        ),
    };
    limit(reason, &what, session)
}

/// The deadline passed. Whose fault that is depends on what the call was waiting for.
pub(super) fn deadline(session: &mut Session) -> Fault {
    // The vendor's time was up a moment earlier, and the guest had none left to say so.
    if let Some(host) = session
        .host_fault
        .take_if(|fault| matches!(fault.kind(), Kind::VendorTimeout | Kind::AmbiguousOutcome))
    {
        return host;
    }
    if session.has_unanswered_write() {
        return Fault::new(
            Kind::AmbiguousOutcome,
            "A change was sent to the vendor and the deadline passed before it answered, so it may or may not have \
             happened. Look it up at the vendor before trying again.",
        )
        .reason("deadline");
    }
    if session.in_flight.is_some() {
        return Fault::new(
            Kind::VendorTimeout,
            "The vendor did not answer before the call's deadline. Try again, with a longer deadline if it is often slow.",
        )
        .reason("deadline");
    }
    limit("deadline", "the call's time", session)
}

fn limit(reason: &'static str, what: &str, session: &Session) -> Fault {
    Fault::new(
        Kind::ConnectorLimit,
        format!(
            "The connector used up {what} and was stopped.{} Ask for less at once (fewer items, a narrower filter); if \
             that does not help, report it to the connector's author.",
            sent(session)
        ),
    )
    .reason(reason)
}

fn trapped(session: &Session) -> Fault {
    Fault::new(
        Kind::ConnectorTrapped,
        format!(
            "The connector crashed while running this tool.{} The operator finds the details in the execution's log; \
             calling again with the same input will not help.",
            sent(session)
        ),
    )
    .reason("trap")
}

fn invalid_output() -> Fault {
    Fault::new(
        Kind::ConnectorOutputInvalid,
        "The connector answered something that is not valid text or data. Report it to the connector's author; calling \
         again will not help.",
    )
    .reason("encoding")
}

/// Said of a call that ended after it had changed something.
fn sent(session: &Session) -> String {
    match session.writes_sent() {
        0 => String::new(),
        1 => " It had already sent 1 change to the vendor; look there before trying again.".to_owned(),
        many => format!(" It had already sent {many} changes to the vendor; look there before trying again."),
    }
}

pub(super) fn overloaded() -> Fault {
    Fault::new(
        Kind::Overloaded,
        "The host is running as many connectors as it can. Try again in a moment.",
    )
    .reason("instances")
}

pub(super) fn too_late() -> Fault {
    Fault::new(
        Kind::ConnectorLimit,
        "The call's deadline passed before the tool could start. Try again with a longer deadline.",
    )
    .reason("deadline")
}
