//! The host's side of `http`: a guest's requests, counted, handed to egress, and its answers and
//! faults handed back.

#![allow(
    clippy::result_large_err,
    reason = "the fault's shape is the contract's, and it moves into the guest's memory at once"
)]

use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};

use crate::egress::{GuestRequest, GuestResponse, Outbound};
use crate::error::{Fault, Kind, Retry};

use super::Grant;
use super::bindings::valetkey::connector::{http, types};
use super::session::{InFlight, Session, Stop};

/// Requests of one `send-all` that are under way at once; the others wait their turn.
const SIDE_BY_SIDE: usize = 8;

type Answer = Result<http::Response, types::Fault>;

impl http::Host for Session {
    async fn send(&mut self, request: http::Request) -> wasmtime::Result<Answer> {
        self.count_call()?;
        self.count_requests(1)?;
        self.leave_guest(is_write(&request.method));
        let answer = exchange(&*self.egress, &self.grant, plain(request)).await;
        self.enter_guest();
        Ok(self.answer(answer))
    }

    async fn send_all(&mut self, requests: Vec<http::Request>) -> wasmtime::Result<Vec<Answer>> {
        self.count_call()?;
        self.count_requests(requests.len())?;
        self.leave_guest(requests.iter().any(|request| is_write(&request.method)));
        let (egress, grant) = (&*self.egress, &self.grant);
        let answers: Vec<_> = stream::iter(
            requests
                .into_iter()
                .map(|request| exchange(egress, grant, plain(request))),
        )
        .buffered(SIDE_BY_SIDE)
        .collect()
        .await;
        self.enter_guest();
        Ok(answers.into_iter().map(|answer| self.answer(answer)).collect())
    }
}

impl types::Host for Session {}

impl Session {
    pub(super) fn count_requests(&mut self, more: usize) -> wasmtime::Result<()> {
        self.requests = self.requests.saturating_add(more);
        if self.requests > self.grant.limits.http_requests as usize {
            return Err(self.stop(Stop::HttpRequests));
        }
        Ok(())
    }

    /// From here the call waits for the vendor, not for the guest.
    pub(super) fn leave_guest(&mut self, write: bool) {
        self.turn.give_up();
        self.in_flight = Some(InFlight {
            write,
            writes_before: self.grant.reach.meter.writes_sent.load(Ordering::Relaxed),
        });
    }

    pub(super) fn enter_guest(&mut self) {
        self.in_flight = None;
    }

    /// Hands an answer to the guest. A fault is kept, so that a guest that passes it on returns
    /// the host's own words and not its rendition of them.
    fn answer(&mut self, answer: Result<GuestResponse, Fault>) -> Answer {
        answer.map(shown).map_err(|fault| self.keep_fault(fault))
    }

    /// A fault as the guest sees it, kept for when the guest passes it on.
    pub(super) fn keep_fault(&mut self, fault: Fault) -> types::Fault {
        let shown = shown_to_guest(&fault);
        self.host_fault = Some(fault);
        shown
    }
}

/// An answer as the guest sees it.
pub(super) fn shown(response: GuestResponse) -> http::Response {
    http::Response {
        status: response.status.as_u16(),
        headers: response.headers,
        body: Vec::from(response.body),
        ext: Vec::new(),
    }
}

/// A request as egress takes it.
///
/// # Errors
/// It wants something that this host does not know.
pub(super) fn plain(request: http::Request) -> Result<GuestRequest, Fault> {
    known(&request.ext)?;
    Ok(GuestRequest {
        method: request.method,
        endpoint: request.endpoint,
        path: request.path,
        url: request.url,
        query: request.query,
        headers: request.headers,
        body: request.body.map(Bytes::from),
        ..GuestRequest::default()
    })
}

/// Refuses extensions: a guest built for a newer host must not believe that something happened.
pub(super) fn known(ext: &[(String, String)]) -> Result<(), Fault> {
    let Some((name, _)) = ext.first() else {
        return Ok(());
    };
    Err(Fault::new(
        Kind::EgressDenied,
        format!(
            "The connector uses a request extension that this host does not know (`{}`); a newer host is needed.",
            super::log::sanitise(name, 64)
        ),
    )
    .reason("ext"))
}

async fn exchange(
    egress: &dyn Outbound,
    grant: &Grant,
    request: Result<GuestRequest, Fault>,
) -> Result<GuestResponse, Fault> {
    let request = request?;
    let Some(tape) = &grant.tape else {
        return egress.send(&grant.reach, request).await;
    };
    let place = tape.begin(&request);
    let answer = egress.send(&grant.reach, request).await;
    tape.end(place, &answer);
    answer
}

pub(super) fn is_write(method: &str) -> bool {
    !method.eq_ignore_ascii_case("GET") && !method.eq_ignore_ascii_case("HEAD")
}

/// What a guest learns of a fault: the kind and the public text, never reasons and causes.
fn shown_to_guest(fault: &Fault) -> types::Fault {
    let vendor = fault.vendor_error();
    types::Fault {
        code: fault.kind().as_str().to_owned(),
        message: fault.public().to_owned(),
        status: vendor.and_then(|vendor| vendor.status),
        vendor_code: vendor.and_then(|vendor| vendor.code.clone()),
        retry_after_ms: match fault.retry_advice() {
            Retry::After(wait) => Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            Retry::Never | Retry::Later => None,
        },
        problems: fault
            .fields()
            .iter()
            .map(|problem| (problem.path.clone(), problem.problem.clone()))
            .collect(),
        ext: Vec::new(),
    }
}
