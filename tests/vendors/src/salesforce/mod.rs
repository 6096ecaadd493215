//! The Salesforce-shaped API. The login host is `/salesforce/services/oauth2`; every user's org is
//! at an instance of its own, `/salesforce/{host}/services/…`, whose host the token answer names in
//! `instance_url`. A development connection therefore overrides the endpoint with
//! `{base_url}/salesforce/{config.instance_host}/services/data/v66.0`. Shapes as in the vendor's REST
//! reference; texts are ours. The hosts are names alone: nothing is ever sent to them.

mod condition;
mod directory;
mod gate;
mod kinds;
mod org;
mod problem;
mod records;
mod run;
mod search;
mod soql;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub(crate) use org::{Org, org_id, user_id};
pub(crate) use problem::refusal;

use crate::options::Options;
use crate::server::State;

pub(crate) fn routes(state: &Arc<State>) -> Router<Arc<State>> {
    let data = Router::new()
        .route("/query", get(run::query))
        .route("/query/", get(run::query))
        .route("/query/{locator}", get(run::more))
        .route("/search", get(search::sosl))
        .route("/search/", get(search::sosl))
        .route("/parameterizedSearch", get(search::parameterized))
        .route("/parameterizedSearch/", get(search::parameterized))
        .route("/sobjects", get(directory::objects))
        .route("/sobjects/{object}", post(records::create))
        .route("/sobjects/{object}/describe", get(directory::describe))
        .route(
            "/sobjects/{object}/{id}",
            get(records::get).patch(records::update).delete(records::delete),
        )
        .route(
            "/sobjects/{object}/{id}/{rest}",
            get(records::related).patch(records::upsert),
        )
        .route("/chatter/feed-elements", post(directory::post_to_feed))
        .route("/analytics/reports", get(directory::reports))
        .route("/analytics/reports/{id}", get(directory::report))
        .route("/limits", get(directory::limits));
    Router::new()
        .nest("/salesforce/{instance}/services/data/{version}", data)
        .route(
            "/salesforce/{instance}/services/oauth2/userinfo",
            get(directory::userinfo),
        )
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(state),
            gate::enter,
        ))
}

/// The host of a user's org: where it was moved to, or the one that follows from the user.
pub(crate) fn instance_of(settings: &Options, user: &str) -> String {
    settings.salesforce_hosts.get(user).cloned().unwrap_or_else(|| {
        let label: String = user
            .to_ascii_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        format!("org-{label}-simulated.my.salesforce.com")
    })
}
