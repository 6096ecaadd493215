//! How long a call has computed: the time spent inside its polls, not the time it waited for a
//! vendor or for a thread.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::time::{Duration, Instant};

thread_local! {
    /// The slice that runs on this thread: its start and what the call had used before.
    static SLICE: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
}

/// What the running call has used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Used {
    /// In all.
    pub total: Duration,
    /// Since it was last given the thread.
    pub slice: Duration,
}

/// Runs a call and measures it; [`used`] tells how much from inside.
pub(super) async fn measured<F: Future>(call: F) -> F::Output {
    let mut call = pin!(call);
    let mut used = Duration::ZERO;
    poll_fn(|context| {
        let start = Instant::now();
        SLICE.set(Some((start, used)));
        let polled = call.as_mut().poll(context);
        SLICE.set(None);
        used += start.elapsed();
        polled
    })
    .await
}

/// What the call that runs on this thread has used so far.
pub(super) fn used() -> Used {
    SLICE.get().map_or_else(Used::default, |(start, before)| {
        let slice = start.elapsed();
        Used {
            total: before + slice,
            slice,
        }
    })
}
