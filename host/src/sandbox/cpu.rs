//! How long a call has computed: the time spent inside its polls, not the time it waited for a
//! vendor or for its turn.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::engine::TICK;

thread_local! {
    /// The poll that runs on this thread.
    static SLICE: Cell<Option<Slice>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
struct Slice {
    start: Instant,
    /// What the call had used before.
    before: Duration,
    /// The thread's CPU time when this slice was first asked about.
    first_asked: Option<Duration>,
}

/// What the running call has used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Used {
    /// In all.
    pub total: Duration,
    /// Of the thread's CPU, since this slice was first asked about: unlike the total it does not
    /// count the time in which the system ran something else, and it costs a short call nothing.
    pub slice: Duration,
}

/// Runs a call and measures it; [`used`] tells how much from inside.
pub(super) async fn measured<F: Future>(call: F) -> F::Output {
    let mut call = pin!(call);
    let mut used = Duration::ZERO;
    poll_fn(|context| {
        let start = Instant::now();
        SLICE.set(Some(Slice {
            start,
            before: used,
            first_asked: None,
        }));
        let polled = call.as_mut().poll(context);
        SLICE.set(None);
        used += start.elapsed();
        polled
    })
    .await
}

/// What the call that runs on this thread has used so far.
pub(super) fn used() -> Used {
    let Some(slice) = SLICE.get() else {
        return Used::default();
    };
    let in_slice = slice.start.elapsed();
    let total = slice.before + in_slice;
    if slice.first_asked.is_none() && in_slice < TICK / 2 {
        // A tick that met the call by chance: what a short slice used is not worth a system call.
        return Used {
            total,
            slice: Duration::ZERO,
        };
    }
    let cpu = thread_cpu();
    let first_asked = slice.first_asked.unwrap_or(cpu);
    SLICE.set(Some(Slice {
        first_asked: Some(first_asked),
        ..slice
    }));
    Used {
        total,
        slice: cpu.saturating_sub(first_asked),
    }
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
