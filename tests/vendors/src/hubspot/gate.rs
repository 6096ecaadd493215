//! What every request of the API passes first: the token, then the budgets.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Problem, rate_limited};
use crate::Vendor;
use crate::oauth::Session;
use crate::options::Budget;
use crate::server::State;

/// The requests of the last while.
#[derive(Debug, Default)]
pub(crate) struct Window {
    spent: VecDeque<Instant>,
}

impl Window {
    /// Spends one request: how many remain, or how long until one is free.
    pub(crate) fn spend(&mut self, budget: Budget) -> Result<u32, Duration> {
        let now = Instant::now();
        let window = Duration::from_millis(budget.window_ms);
        while self
            .spent
            .front()
            .is_some_and(|at| now.duration_since(*at) >= window)
        {
            self.spent.pop_front();
        }
        let spent = u32::try_from(self.spent.len()).unwrap_or(u32::MAX);
        if spent >= budget.requests {
            let oldest = self.spent.front().copied().unwrap_or(now);
            return Err(window.saturating_sub(now.duration_since(oldest)));
        }
        self.spent.push_back(now);
        Ok(budget.requests - spent - 1)
    }
}

pub(crate) async fn enter(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let session = request.extensions().get::<Session>();
    let Some(session) = session
        .filter(|session| session.vendor == Vendor::Hubspot)
        .cloned()
    else {
        let sent_a_token = request.headers().contains_key(header::AUTHORIZATION);
        return Problem::unauthenticated(sent_a_token).into_response();
    };

    // Searches have a budget of their own, and their answers do not carry the headers.
    let search = request.uri().path().ends_with("/search");
    let budget = {
        let settings = state.settings();
        if search {
            settings.hubspot_search_budget
        } else {
            settings.hubspot_budget
        }
    };
    let Some(budget) = budget else {
        return next.run(request).await;
    };
    let spent = state.portal(&session.user, |portal| {
        let window = if search {
            &mut portal.searches
        } else {
            &mut portal.requests
        };
        window.spend(budget)
    });
    let (mut response, remaining) = match spent {
        Ok(remaining) => (next.run(request).await, remaining),
        Err(wait) => {
            let policy = if search {
                "SECONDLY"
            } else {
                "TEN_SECONDLY_ROLLING"
            };
            let mut response = rate_limited(policy);
            let seconds = wait.as_millis().div_ceil(1_000).max(1);
            set(&mut response, "retry-after", &seconds.to_string());
            (response, 0)
        }
    };
    if !search {
        set(
            &mut response,
            "x-hubspot-ratelimit-max",
            &budget.requests.to_string(),
        );
        set(
            &mut response,
            "x-hubspot-ratelimit-remaining",
            &remaining.to_string(),
        );
        set(
            &mut response,
            "x-hubspot-ratelimit-interval-milliseconds",
            &budget.window_ms.to_string(),
        );
    }
    response
}

fn set(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_refuses_what_is_over_it_and_says_for_how_long() {
        let mut window = Window::default();
        let budget = Budget {
            requests: 2,
            window_ms: 60_000,
        };
        assert_eq!(window.spend(budget), Ok(1));
        assert_eq!(window.spend(budget), Ok(0));
        let wait = window.spend(budget).unwrap_err();
        assert!(wait > Duration::from_secs(50) && wait <= Duration::from_secs(60));
    }
}
