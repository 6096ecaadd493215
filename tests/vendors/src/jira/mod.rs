//! The Jira-shaped API behind Atlassian's gateway: `/atlassian/ex/jira/{cloud id}`, and the list of
//! sites that a token reaches. A user has one site or several, each with two projects, a board and
//! three sprints. Shapes as in the vendor's public description of its API; texts are ours.
//!
//! Facts of the vendor kept here: the gateway refuses tokens and scopes with 401 in a shape of its
//! own; searches have to be narrowed, answer ids alone unless fields are named, and no total; texts
//! are documents; what changes an issue answers nothing; boards know only granular scopes.

mod adf;
mod agile;
mod directory;
mod gate;
mod issues;
mod jql;
mod parts;
mod problem;
mod search;
mod site;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post, put};

pub(crate) use gate::Reached;
pub(crate) use problem::refusal;
pub(crate) use site::{Site, cloud_id};

use crate::server::State;

pub(crate) fn routes(state: &Arc<State>) -> Router<Arc<State>> {
    let platform = Router::new()
        .route("/myself", get(directory::myself))
        .route("/search/jql", post(search::search))
        .route("/search/approximate-count", post(search::count))
        .route("/issue", post(issues::create))
        .route(
            "/issue/{key}",
            get(issues::get).put(issues::update).delete(issues::delete),
        )
        .route("/issue/{key}/assignee", put(issues::assign))
        .route(
            "/issue/{key}/transitions",
            get(issues::transitions).post(issues::transition),
        )
        .route("/issue/{key}/changelog", get(issues::changelog))
        .route("/issue/{key}/comment", get(parts::comments).post(parts::comment))
        .route("/issue/{key}/comment/{id}", put(parts::change_comment))
        .route("/issue/{key}/worklog", post(parts::log_work))
        .route("/issue/{key}/watchers", post(parts::watch))
        .route("/issue/{key}/remotelink", post(parts::remote_link))
        .route("/issueLink", post(parts::link))
        .route("/issueLink/{id}", delete(parts::unlink))
        .route("/issueLinkType", get(directory::link_types))
        .route("/attachment/content/{id}", get(parts::attachment))
        .route("/project/search", get(directory::projects))
        .route("/project/{key}", get(directory::project))
        .route("/project/{key}/statuses", get(directory::statuses))
        .route("/issue/createmeta/{key}/issuetypes", get(directory::issue_types))
        .route(
            "/issue/createmeta/{key}/issuetypes/{id}",
            get(directory::issue_type_fields),
        )
        .route("/field", get(directory::fields))
        .route("/user/search", get(directory::users))
        .route("/user/assignable/search", get(directory::users));
    let software = Router::new()
        .route("/board", get(agile::boards))
        .route("/board/{id}/sprint", get(agile::sprints))
        .route("/sprint/{id}/issue", get(agile::issues).post(agile::take_in));
    let site = Router::new()
        .nest("/rest/api/3", platform)
        .nest("/rest/agile/1.0", software)
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(state),
            gate::enter,
        ));
    Router::new().nest("/atlassian/ex/jira/{cloud}", site).route(
        "/atlassian/oauth/token/accessible-resources",
        get(gate::accessible_resources),
    )
}
