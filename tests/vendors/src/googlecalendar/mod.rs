//! The Google-Calendar-shaped API, under `/calendar/v3`: events with their recurrence, free times,
//! calendars, the user's list of them, sharing, settings. A user's calendars are made on first
//! sight; events are kept as the vendor's JSON. Shapes as in the vendor's discovery document;
//! texts are ours. Accounts come from the same authorization server as Gmail's.

mod book;
mod events;
mod gate;
mod lists;
mod problem;
mod recur;
mod time;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

pub(crate) use book::Book;
pub(crate) use problem::refusal;

use crate::server::State;

pub(crate) fn routes(state: &Arc<State>) -> Router<Arc<State>> {
    let api = Router::new()
        .route(
            "/calendars/{calendar}/events",
            get(events::list).post(events::create),
        )
        .route("/calendars/{calendar}/events/quickAdd", post(events::quick_add))
        .route(
            "/calendars/{calendar}/events/{event}",
            get(events::get).patch(events::patch).delete(events::delete),
        )
        .route(
            "/calendars/{calendar}/events/{event}/instances",
            get(events::instances),
        )
        .route("/calendars/{calendar}/events/{event}/move", post(events::move_to))
        .route("/freeBusy", post(lists::free_busy))
        .route("/calendars", post(lists::create))
        .route(
            "/calendars/{calendar}",
            get(lists::get).patch(lists::patch).delete(lists::delete),
        )
        .route("/users/me/calendarList", get(lists::list).post(lists::subscribe))
        .route("/users/me/calendarList/{calendar}", delete(lists::unsubscribe))
        .route("/calendars/{calendar}/acl", get(lists::rules).post(lists::share))
        .route("/calendars/{calendar}/acl/{rule}", delete(lists::unshare))
        .route("/users/me/settings", get(lists::settings))
        .route("/colors", get(lists::colors))
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(state),
            gate::enter,
        ));
    Router::new().nest("/calendar/v3", api)
}
