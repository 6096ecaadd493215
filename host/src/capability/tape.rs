//! What one call's guest asked of the vendor and what it was answered, for an author's recording.
//!
//! It is taken at the guest's side of the boundary: a guest's request holds no credential, and an
//! answer was redacted before it came here. So a tape cannot hold what a guest cannot see.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::egress::{GuestRequest, GuestResponse};
use crate::error::{Fault, Kind};

/// The exchanges of one call, in the order in which they were begun.
#[derive(Debug, Default)]
pub struct Tape(Mutex<Vec<Taped>>);

/// One exchange.
#[derive(Debug, Clone)]
pub struct Taped {
    /// What the guest asked for.
    pub request: GuestRequest,
    /// What it was answered, or why it was not; none when the call ended before.
    pub answer: Option<Result<GuestResponse, Kind>>,
}

impl Tape {
    /// What is on it.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Taped> {
        self.lock().clone()
    }

    /// Notes a request; answers its place.
    pub(super) fn begin(&self, request: &GuestRequest) -> usize {
        let mut exchanges = self.lock();
        exchanges.push(Taped {
            request: request.clone(),
            answer: None,
        });
        exchanges.len() - 1
    }

    /// Notes the answer to the request at a place.
    pub(super) fn end(&self, place: usize, answer: &Result<GuestResponse, Fault>) {
        if let Some(taped) = self.lock().get_mut(place) {
            taped.answer = Some(match answer {
                Ok(response) => Ok(response.clone()),
                Err(fault) => Err(fault.kind()),
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Taped>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
