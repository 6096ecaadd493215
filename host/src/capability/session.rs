//! One call's state on the host's side of the boundary: its grant and what it used of it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::egress::Outbound;
use crate::egress::dialogue::Dialogue;
use crate::error::Fault;

use super::Grant;

/// WASI calls that are allowed for each call of our own functions: standard libraries make
/// several for one line of output.
const WASI_PER_HOST_CALL: u32 = 16;

/// What the host's functions see of a call. Made with the instance, dropped with it.
pub struct Session {
    /// What the call may use.
    pub(crate) grant: Grant,
    /// The way to the vendor.
    pub(crate) egress: Arc<dyn Outbound>,
    /// The conversation with the token endpoint, when that is what the instance is for.
    pub(crate) dialogue: Option<Arc<Dialogue>>,
    /// The guest's wall clock.
    pub(crate) clock: Clock,
    /// When the instance was made: zero of the guest's monotonic clock.
    pub(crate) started: Instant,
    /// Requests asked for.
    pub(crate) requests: usize,
    /// The limit that ended the call.
    pub(crate) stopped: Option<Stop>,
    /// The last fault that a request ended in.
    pub(crate) host_fault: Option<Fault>,
    /// Set while the call waits for the vendor.
    pub(crate) in_flight: Option<InFlight>,
    /// Its place among the calls that compute for long.
    pub(crate) turn: Turn,
    /// When the guest's timers are due (WASI's pollables).
    pub(crate) timers: Vec<Instant>,
    calls: u32,
    wasi_calls: u32,
}

/// A limit that ends the call at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The call's deadline passed while the guest computed.
    Deadline,
    /// CPU time.
    Cpu,
    /// Calls of host functions.
    HostCalls,
    /// HTTP requests.
    HttpRequests,
}

/// Requests that are with the vendor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InFlight {
    /// Whether one of them may change something.
    pub write: bool,
    /// `Meter::writes_sent` before they began.
    pub writes_before: u32,
}

impl Session {
    /// A session of one call.
    pub(crate) fn new(
        grant: Grant,
        egress: Arc<dyn Outbound>,
        clock: Clock,
        started: Instant,
        turn: Turn,
    ) -> Self {
        Self {
            grant,
            egress,
            dialogue: None,
            clock,
            started,
            requests: 0,
            stopped: None,
            host_fault: None,
            in_flight: None,
            turn,
            timers: Vec::new(),
            calls: 0,
            wasi_calls: 0,
        }
    }

    /// Counts a call of one of our functions.
    pub(crate) fn count_call(&mut self) -> wasmtime::Result<()> {
        self.calls += 1;
        if self.calls > self.grant.limits.host_calls {
            return Err(self.stop(Stop::HostCalls));
        }
        Ok(())
    }

    /// Counts a call of a WASI function.
    pub(crate) fn count_wasi_call(&mut self) -> wasmtime::Result<()> {
        self.wasi_calls += 1;
        if self.wasi_calls > self.grant.limits.host_calls.saturating_mul(WASI_PER_HOST_CALL) {
            return Err(self.stop(Stop::HostCalls));
        }
        Ok(())
    }

    /// Ends the call: the error to return into wasmtime, which unwinds the guest.
    pub(crate) fn stop(&mut self, stop: Stop) -> wasmtime::Error {
        self.stopped = Some(stop);
        wasmtime::Error::msg("the call used up a limit")
    }

    /// The guest's wall clock in milliseconds since 1970.
    pub(crate) fn wall_clock_ms(&self) -> u64 {
        u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0)
    }

    /// Whether a write is with the vendor and its outcome is unknown.
    pub(crate) fn has_unanswered_write(&self) -> bool {
        self.in_flight
            .is_some_and(|in_flight| in_flight.write && self.writes_sent() > in_flight.writes_before)
    }

    /// Writes that were put on the wire so far.
    pub(crate) fn writes_sent(&self) -> u32 {
        self.grant.reach.meter.writes_sent.load(Ordering::Relaxed)
    }
}

/// The right to compute for long. Calls that end within their first slice never ask for it; the
/// others take turns on a part of the threads, so that many of them leave short calls served.
pub(crate) struct Turn {
    turns: Arc<Semaphore>,
    held: Option<Arc<Mutex<Option<OwnedSemaphorePermit>>>>,
}

impl Turn {
    /// One call's place, with no turn held.
    pub(crate) fn new(turns: Arc<Semaphore>) -> Self {
        Self { turns, held: None }
    }

    /// Gives up the turn, if held, and waits for the next; others that wait go first.
    pub(crate) fn next(&mut self) -> impl Future<Output = ()> + Send + 'static {
        self.give_up();
        let turns = Arc::clone(&self.turns);
        let held = Arc::clone(self.held.get_or_insert_default());
        async move {
            // The turns are never closed, so there is always a permit to come.
            let permit = turns.acquire_owned().await.ok();
            *held.lock().unwrap_or_else(PoisonError::into_inner) = permit;
        }
    }

    /// Gives up the turn, if held.
    pub(crate) fn give_up(&mut self) {
        if let Some(held) = &self.held {
            held.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}
