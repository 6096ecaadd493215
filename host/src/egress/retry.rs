//! What a failed exchange means: whether it may be repeated, and what the caller is told.
//!
//! A request is repeated only where that is safe: nothing of it was written, or its effect is the
//! same however often it arrives. An unanswered write is never repeated.

use std::time::Duration;

use http::Method;
use tracing::Span;

use super::Reach;
use super::client::{Answer, Failure, Why};
use super::gate::Admitted;
use crate::error::{Fault, Kind, Retry};
use crate::random;
use crate::trace;

/// The longest first pause before a repetition; it doubles.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause of all.
const LONGEST: Duration = Duration::from_secs(5);

/// Whether a request's effect is the same however often it arrives: by its method (RFC 9110
/// section 9.2.2) or by the tool's declaration.
pub fn is_repeatable(method: &Method, reach: &Reach) -> bool {
    method.is_idempotent() || reach.idempotent || reach.read_only
}

/// Whether a request may change the vendor's data.
pub fn is_write(method: &Method, reach: &Reach) -> bool {
    !method.is_safe() && !reach.read_only
}

/// Whether another attempt may help and do no harm.
pub fn may_repeat(failure: &Failure, repeatable: bool) -> bool {
    match failure.why {
        Why::Unreachable | Why::ConnectTimeout => true,
        Why::Lost => !failure.started || repeatable,
        Why::Timeout => repeatable,
        Why::Address | Why::Tls | Why::Protocol | Why::TooLarge | Why::Unwanted | Why::Full => false,
    }
}

/// Full jitter: anything up to a bound that doubles with every repetition.
pub fn backoff(repetition: u32) -> Duration {
    let bound = FIRST.saturating_mul(1 << repetition.min(8)).min(LONGEST);
    bound.mul_f64(random::fraction())
}

/// Notes what became of an attempt in its span.
pub fn note(span: &Span, exchanged: &Result<Answer, Failure>) {
    match exchanged {
        Ok(answer) => {
            trace::answered(span, answer.status);
            trace::received(span, answer.body.len());
        }
        Err(failure) => trace::error(span, reason(failure.why)),
    }
}

fn reason(why: Why) -> &'static str {
    match why {
        Why::Address => "address",
        Why::Tls | Why::Protocol => "protocol",
        Why::TooLarge => "response_too_large",
        Why::Unwanted => "content_type",
        Why::Full => "files_full",
        Why::Unreachable | Why::ConnectTimeout => "unreachable",
        Why::Timeout => "timeout",
        Why::Lost => "connection_lost",
    }
}

/// The fault of an exchange that stays without an answer.
pub fn fault(failure: Failure, admitted: &Admitted<'_>, repeatable: bool) -> Fault {
    let host = &admitted.endpoint.authority;
    let what = match failure.why {
        Why::Address => "its address may not be reached from here",
        Why::Unreachable => "no connection could be made",
        Why::Tls => "no trustworthy TLS connection could be made",
        Why::ConnectTimeout => "no connection was made in time",
        Why::Timeout => "the answer did not come in time",
        Why::Protocol => "the answer is not proper HTTP",
        Why::TooLarge => "the answer is larger than allowed",
        Why::Lost => "the connection broke before the answer was complete",
        Why::Unwanted => "the answer has a content type that the tool does not keep",
        Why::Full => "the answer cannot be kept as a file",
    };
    let reason = reason(failure.why);
    let fault = if failure.started && !repeatable {
        Fault::new(
            Kind::AmbiguousOutcome,
            format!(
                "{} was sent to {host}, and {what}. It may have taken effect: look at the vendor before you try again.",
                admitted.method
            ),
        )
    } else {
        match failure.why {
            Why::Address => Fault::new(
                Kind::EgressDenied,
                format!(
                    "{host} was not contacted: its name resolves to an address that this connection may not \
                     reach. The operator checks the endpoint."
                ),
            ),
            Why::Tls => Fault::new(
                Kind::VendorUnavailable,
                format!(
                    "{host} could not be reached: {what}. If it uses a company's own certificate authority, \
                     the operator sets `egress.extra_ca_file`."
                ),
            )
            .retry(Retry::Never),
            Why::TooLarge => Fault::new(
                Kind::VendorUnavailable,
                format!("From {host}: {what}. Ask for less at once."),
            )
            .retry(Retry::Never),
            Why::Unwanted => Fault::new(
                Kind::VendorRejected,
                format!("From {host}: {what}. Ask for another file, or for another form of it."),
            ),
            Why::Full => Fault::new(
                Kind::Overloaded,
                format!(
                    "From {host}: {what}: the files of this environment take up the room that they may, or it is \
                     larger than a file may be. Delete files, or wait until they expire."
                ),
            )
            .retry(Retry::Later),
            Why::ConnectTimeout | Why::Timeout => Fault::new(
                Kind::VendorTimeout,
                format!("From {host}: {what}. Try again later."),
            ),
            Why::Unreachable | Why::Protocol | Why::Lost => Fault::new(
                Kind::VendorUnavailable,
                format!("From {host}: {what}. Try again later."),
            ),
        }
    };
    fault.reason(reason).because(failure.source)
}
