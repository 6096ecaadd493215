//! What every request of the API passes first: the token and the budget. Scopes are looked at by
//! each method.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::Vendor;
use crate::oauth::Session;
use crate::options::Refusal;
use crate::server::State;

const PREFIX: &str = "https://www.googleapis.com/auth/calendar";

pub(crate) async fn enter(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let session = request.extensions().get::<Session>();
    let Some(session) = session
        .filter(|session| session.vendor == Vendor::Google)
        .cloned()
    else {
        return Problem::unauthenticated().into_response();
    };
    let (budget, refusal) = {
        let settings = state.settings();
        (settings.calendar_budget, settings.gmail_refusal)
    };
    if let Some(budget) = budget {
        let spent = state.book(&session.user, |book| book.requests.spend(budget));
        if spent.is_err() {
            // The vendor gives no time to come back at.
            let code = match refusal {
                Refusal::Status429 => StatusCode::TOO_MANY_REQUESTS,
                Refusal::Status403 => StatusCode::FORBIDDEN,
            };
            return Problem::rate_limited(code).into_response();
        }
    }
    next.run(request).await
}

/// What a method needs one of, beside the scope for everything.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Needs {
    /// Events.
    Read,
    /// Changing events.
    Write,
    /// Busy times.
    FreeBusy,
    /// Calendars' names and zones.
    Calendars,
    /// Changing calendars.
    ChangeCalendars,
    /// The list of calendars.
    List,
    /// Changing that list.
    ChangeList,
    /// Who a calendar is shared with.
    Rules,
    /// Changing that.
    ChangeRules,
    /// The user's settings.
    Settings,
}

/// Refuses a token whose scopes do not reach the method (as the discovery document has them).
pub(crate) fn permit(session: &Session, needs: Needs) -> Result<(), Problem> {
    let any: &[&str] = match needs {
        Needs::Read => &[
            ".events",
            ".readonly",
            ".events.readonly",
            ".events.owned",
            ".events.owned.readonly",
        ],
        Needs::Write => &[".events", ".events.owned"],
        Needs::FreeBusy => &[".readonly", ".freebusy", ".events.freebusy"],
        Needs::Calendars => &[".calendars", ".readonly", ".calendars.readonly"],
        Needs::ChangeCalendars => &[".calendars"],
        Needs::List => &[".calendarlist", ".readonly", ".calendarlist.readonly"],
        Needs::ChangeList => &[".calendarlist"],
        Needs::Rules => &[".acls", ".acls.readonly"],
        Needs::ChangeRules => &[".acls"],
        Needs::Settings => &[".readonly", ".settings", ".settings.readonly"],
    };
    let granted = session.scopes.iter().any(|scope| {
        scope
            .strip_prefix(PREFIX)
            .is_some_and(|short| short.is_empty() || any.contains(&short))
    });
    if granted {
        Ok(())
    } else {
        Err(Problem::missing_scope())
    }
}
