//! The circuit breaker: a vendor that fails again and again is left alone for a moment, so that
//! calls which cannot succeed end at once instead of holding a place that other calls need.
//!
//! Counted per connection and origin, so that one environment's trouble is no other's. Only what
//! says "this vendor is down" counts: no connection, no answer, a 5xx. Any other answer, a 4xx or
//! "slow down" among them, shows that the vendor is there. After the pause a single request, the
//! probe, decides whether the others may follow.
//!
//! Called by `Egress::send` before and after every attempt. It knows no account and changes
//! none. What is well is not remembered: with no trouble anywhere, one load is all that it costs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use http::uri::Authority;
use jiff::Timestamp;

use super::Vendor;
use super::client::Why;
use crate::clock::Clock;
use crate::config;
use crate::error::{Fault, Kind, Retry};

/// When to come back while a probe is with the vendor.
const PROBING: Duration = Duration::from_secs(1);
/// Origins in trouble before the first look for those that nobody asks any more.
const SWEEP_FROM: usize = 1024;
/// How long failures count that nothing has followed.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// The breakers of all connections.
pub struct Breakers {
    /// Failures in a row that open a breaker; 0 never opens one.
    failures: u32,
    pause: Duration,
    clock: Clock,
    troubled: Mutex<Troubled>,
    /// How many there are, to be read without the lock.
    count: AtomicUsize,
}

#[derive(Default)]
struct Troubled {
    by_origin: HashMap<String, Trouble>,
    sweep_at: usize,
}

#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// It failed, not yet often enough.
    Failing { times: u32, last: Timestamp },
    /// Nothing is sent.
    Open { since: Timestamp },
    /// One request is on its way to find out.
    Probing { since: Timestamp },
}

/// What an attempt says about the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It answered.
    Alive,
    /// It is down, or as good as.
    Down,
    /// Nothing: the attempt ended for reasons of its own.
    None,
}

impl Sign {
    /// What a status says. `throttled`: the answer asks to slow down, which is kept elsewhere.
    pub fn of_status(status: StatusCode, throttled: bool) -> Self {
        // 501 is about the method, not about the vendor's health.
        if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED && !throttled {
            Self::Down
        } else {
            Self::Alive
        }
    }

    /// What a failure says. `cut_short`: it was the caller's own time that ran out.
    pub fn of_failure(why: Why, cut_short: bool) -> Self {
        match why {
            Why::Unreachable | Why::Lost | Why::Protocol => Self::Down,
            Why::ConnectTimeout | Why::Timeout if cut_short => Self::None,
            Why::ConnectTimeout | Why::Timeout => Self::Down,
            Why::TooLarge | Why::Unwanted | Why::Full => Self::Alive,
            // Refused here, before anything was sent: the operator has to mend it, and must see it.
            Why::Address | Why::Tls => Self::None,
        }
    }
}

/// The right to one attempt. Dropped without [`Pass::settle`], the attempt says nothing.
pub struct Pass<'a> {
    breakers: &'a Breakers,
    vendor: &'a Vendor,
    authority: &'a Authority,
    probe: bool,
}

impl Breakers {
    /// No trouble yet.
    pub fn new(settings: &config::Egress, clock: Clock) -> Self {
        Self {
            failures: settings.breaker_failures,
            pause: Duration::from_millis(settings.breaker_pause_ms),
            clock,
            troubled: Mutex::default(),
            count: AtomicUsize::new(0),
        }
    }

    /// Whether an attempt would be let through now; asked before anything is waited for.
    ///
    /// # Errors
    /// `vendor_unavailable`, with the time to come back.
    pub fn check(&self, vendor: &Vendor, authority: &Authority) -> Result<(), Fault> {
        if self.count.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        let found = self.lock().by_origin.get(&key(vendor, authority)).copied();
        match found {
            Some(Trouble::Open { since }) => match self.left(since) {
                Some(left) => Err(unavailable(authority, left)),
                None => Ok(()),
            },
            Some(Trouble::Probing { .. }) => Err(unavailable(authority, PROBING)),
            Some(Trouble::Failing { .. }) | None => Ok(()),
        }
    }

    /// Lets an attempt through; the first one after a pause is the probe.
    ///
    /// # Errors
    /// `vendor_unavailable`, with the time to come back.
    pub fn enter<'a>(&'a self, vendor: &'a Vendor, authority: &'a Authority) -> Result<Pass<'a>, Fault> {
        let mut pass = Pass {
            breakers: self,
            vendor,
            authority,
            probe: false,
        };
        if self.count.load(Ordering::Acquire) == 0 {
            return Ok(pass);
        }
        let mut troubled = self.lock();
        let Some(trouble) = troubled.by_origin.get_mut(&key(vendor, authority)) else {
            return Ok(pass);
        };
        match *trouble {
            Trouble::Failing { .. } => Ok(pass),
            Trouble::Probing { .. } => Err(unavailable(authority, PROBING)),
            Trouble::Open { since } => match self.left(since) {
                Some(left) => Err(unavailable(authority, left)),
                None => {
                    *trouble = Trouble::Probing { since };
                    pass.probe = true;
                    Ok(pass)
                }
            },
        }
    }

    /// What is left of a pause. A clock that was stepped back ends it: a probe too early does
    /// less harm than a vendor that is left alone for hours.
    fn left(&self, since: Timestamp) -> Option<Duration> {
        let passed = Duration::try_from(self.clock.now().duration_since(since)).ok()?;
        self.pause.checked_sub(passed).filter(|left| !left.is_zero())
    }

    fn alive(&self, vendor: &Vendor, authority: &Authority) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut troubled = self.lock();
        let was = troubled.by_origin.remove(&key(vendor, authority));
        self.count.store(troubled.by_origin.len(), Ordering::Release);
        drop(troubled);
        if let Some(Trouble::Open { .. } | Trouble::Probing { .. }) = was {
            tracing::info!(connector = vendor.connector, host = %authority, "the vendor answers again");
        }
    }

    /// Answers whether the breaker is open now.
    fn down(&self, vendor: &Vendor, authority: &Authority, probe: bool) -> bool {
        if self.failures == 0 {
            return false;
        }
        let now = self.clock.now();
        let mut troubled = self.lock();
        troubled.sweep(now);
        let trouble = troubled
            .by_origin
            .entry(key(vendor, authority))
            .or_insert(Trouble::Failing { times: 0, last: now });
        let opens = match trouble {
            Trouble::Failing { times, last } => {
                (*times, *last) = (*times + 1, now);
                *times >= self.failures
            }
            // Those that were under way when it opened tell nothing new.
            Trouble::Open { .. } => false,
            Trouble::Probing { .. } => probe,
        };
        if opens {
            *trouble = Trouble::Open { since: now };
        }
        let is_open = !matches!(trouble, Trouble::Failing { .. });
        self.count.store(troubled.by_origin.len(), Ordering::Release);
        drop(troubled);
        if opens {
            tracing::warn!(
                connector = vendor.connector,
                host = %authority,
                pause_ms = u64::try_from(self.pause.as_millis()).unwrap_or(u64::MAX),
                "the vendor failed again and again; nothing is sent to it for a moment"
            );
        }
        is_open
    }

    /// The probe found nothing out: the next attempt is one.
    fn probe_again(&self, vendor: &Vendor, authority: &Authority) {
        if let Some(trouble) = self.lock().by_origin.get_mut(&key(vendor, authority))
            && let Trouble::Probing { since } = *trouble
        {
            *trouble = Trouble::Open { since };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Troubled> {
        self.troubled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Troubled {
    /// Forgets origins that nobody has asked for long, whenever the map has doubled.
    fn sweep(&mut self, now: Timestamp) {
        if self.by_origin.len() < self.sweep_at.max(SWEEP_FROM) {
            return;
        }
        let is_recent = |at: Timestamp| {
            Duration::try_from(now.duration_since(at)).is_ok_and(|passed| passed < FORGOTTEN_AFTER)
        };
        self.by_origin.retain(|_, trouble| match *trouble {
            Trouble::Failing { last, .. } => is_recent(last),
            Trouble::Open { since } => is_recent(since),
            Trouble::Probing { .. } => true,
        });
        self.sweep_at = self.by_origin.len() * 2;
    }
}

impl Pass<'_> {
    /// Tells what the attempt showed; answers whether the breaker is open now, so that another
    /// attempt makes no sense.
    pub fn settle(mut self, sign: Sign) -> bool {
        let probe = self.probe;
        match sign {
            Sign::Alive => {
                self.probe = false;
                self.breakers.alive(self.vendor, self.authority);
                false
            }
            Sign::Down => {
                self.probe = false;
                self.breakers.down(self.vendor, self.authority, probe)
            }
            Sign::None => false,
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.probe {
            self.breakers.probe_again(self.vendor, self.authority);
        }
    }
}

/// No authority contains a blank.
fn key(vendor: &Vendor, authority: &Authority) -> String {
    format!("{authority} {}", vendor.connection_key)
}

fn unavailable(authority: &Authority, wait: Duration) -> Fault {
    Fault::new(
        Kind::VendorUnavailable,
        format!(
            "{authority} did not answer the last requests, so nothing was sent to it. Try again in {} seconds.",
            wait.as_millis().div_ceil(1000)
        ),
    )
    .reason("breaker")
    .retry(Retry::After(wait))
}

#[cfg(test)]
mod tests;
