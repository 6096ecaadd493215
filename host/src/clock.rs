//! The wall clock as a handle that is passed, so that tests own it. Deadlines and waits use the
//! monotonic `tokio::time::Instant`; the wall clock decides only what others see: expiry times,
//! time stamps.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// The wall clock.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Milliseconds added to the system's clock; only tests move it.
    shift_ms: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        #[allow(
            clippy::disallowed_methods,
            reason = "the one place that reads the system's clock"
        )]
        let now = Timestamp::now().as_millisecond();
        let shifted = now.saturating_add(self.shift_ms.load(Ordering::Relaxed));
        Timestamp::from_millisecond(shifted).unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock forward, for tests: expiry without waiting.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.shift_ms.fetch_add(by, Ordering::Relaxed);
    }

    /// Moves the clock backwards, for tests: a stepped clock.
    pub fn step_back(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.shift_ms.fetch_sub(by, Ordering::Relaxed);
    }
}
