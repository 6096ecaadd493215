//! The Graph-shaped API, under `/graph/v1.0/me`: mail with folders, drafts and attachments, the
//! calendar, contacts, people, settings. A user's data are made on first sight and kept as the
//! vendor's JSON; texts are ours. Facts of the vendor kept here: a mail's id changes when it is
//! moved unless immutable ids are asked for, bodies are HTML unless text is, pages go on at an
//! absolute address, and a condition and an order have to fit one another.

mod events;
mod gate;
mod items;
mod mail;
mod outlook;
mod problem;
mod query;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, patch, post};

pub(crate) use outlook::Outlook;
pub(crate) use problem::refusal;

use crate::server::State;

pub(crate) fn routes(state: &Arc<State>) -> Router<Arc<State>> {
    let me = Router::new()
        .route("/messages", get(mail::list_all).post(mail::create))
        .route(
            "/messages/{id}",
            get(mail::get).patch(mail::update).delete(mail::delete),
        )
        .route("/messages/{id}/$value", get(mail::mime))
        .route(
            "/messages/{id}/attachments",
            get(mail::attachments).post(mail::attach),
        )
        .route(
            "/messages/{id}/attachments/{attachment}/$value",
            get(mail::attachment),
        )
        .route("/messages/{id}/{action}", post(mail::act))
        .route("/sendMail", post(mail::send))
        .route("/mailFolders/{folder}/messages", get(mail::list))
        .route(
            "/mailFolders/{folder}/childFolders",
            get(mail::folders).post(mail::create_folder),
        )
        .route("/calendarView", get(events::view))
        .route("/calendars", get(events::calendars))
        .route("/calendars/{calendar}/calendarView", get(events::view_of))
        .route("/events", get(events::list).post(events::create))
        .route(
            "/events/{id}",
            get(events::get).patch(events::update).delete(events::delete),
        )
        .route("/events/{id}/instances", get(events::instances))
        .route("/events/{id}/{action}", post(events::act))
        .route("/findMeetingTimes", post(events::find_times))
        .route("/calendar/getSchedule", post(events::schedule))
        .route("/contacts", get(items::contacts).post(items::create_contact))
        .route("/contacts/{id}", patch(items::update_contact))
        .route("/people", get(items::people))
        .route(
            "/mailboxSettings",
            get(items::settings).patch(items::change_settings),
        );
    let routes = Router::new()
        .route("/graph/v1.0/me", get(items::me))
        .nest("/graph/v1.0/me", me);
    routes.layer(axum::middleware::from_fn_with_state(
        Arc::clone(state),
        gate::enter,
    ))
}
