//! What every request of the API passes first: the token, whose mailbox, the budget.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::mailbox::address_of;
use super::problem::Problem;
use crate::Vendor;
use crate::oauth::Session;
use crate::options::Refusal;
use crate::server::State;

const PREFIX: &str = "https://www.googleapis.com/auth/gmail.";
const ALL_MAIL: &str = "https://mail.google.com/";

pub(crate) async fn enter(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let session = request.extensions().get::<Session>();
    let Some(session) = session
        .filter(|session| session.vendor == Vendor::Google)
        .cloned()
    else {
        return Problem::unauthenticated().into_response();
    };
    let of_mailbox = request.uri().path().split('/').nth(4).unwrap_or_default();
    if of_mailbox != "me" && of_mailbox.replace("%40", "@") != address_of(&session.user) {
        return Problem::missing_scope().into_response();
    }
    let (budget, refusal) = {
        let settings = state.settings();
        (settings.gmail_budget, settings.gmail_refusal)
    };
    if let Some(budget) = budget {
        let spent = state.mailbox(&session.user, |mailbox| mailbox.requests.spend(budget));
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

/// What a method needs one of, beside the scope for all mail.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Needs {
    /// Headers and labels.
    Metadata,
    /// Whole messages.
    Read,
    /// Changing labels.
    Modify,
    /// Drafts.
    Compose,
    /// Sending.
    Send,
    /// Deleting for good.
    All,
}

/// Refuses a token whose scopes do not reach the method.
pub(crate) fn permit(session: &Session, needs: Needs) -> Result<(), Problem> {
    let any: &[&str] = match needs {
        Needs::Metadata => &["modify", "readonly", "metadata", "compose", "labels"],
        Needs::Read => &["modify", "readonly"],
        Needs::Modify => &["modify"],
        Needs::Compose => &["modify", "compose"],
        Needs::Send => &["modify", "compose", "send"],
        Needs::All => &[],
    };
    let granted = session.scopes.iter().any(|scope| {
        scope == ALL_MAIL
            || scope
                .strip_prefix(PREFIX)
                .is_some_and(|short| any.contains(&short))
    });
    if granted {
        Ok(())
    } else {
        Err(Problem::missing_scope())
    }
}
