//! The GitHub-shaped API, under `/github/api`: repositories with files, branches and commits,
//! issues, pull requests, Actions, searches, notifications. A user owns three repositories, of which
//! one is private; whatever else is asked for is answered as not there. Shapes as in the vendor's
//! public description of its API; texts are ours.
//!
//! Facts of the vendor kept here: an answer of a list names the next page below
//! `/repositories/{id}`; a limit may be said by 403; what may not be seen is 404; a file is replaced
//! by naming its present blob; issues and pull requests share their numbers.

mod actions;
mod files;
mod gate;
mod issues;
mod page;
mod problem;
mod pulls;
mod repos;
mod search;
mod world;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post, put};

pub(crate) use problem::refusal;
pub(crate) use world::World;

use crate::server::State;

pub(crate) fn routes(state: &Arc<State>) -> Router<Arc<State>> {
    let repo = Router::new()
        .route("/", get(repos::get))
        .route("/branches", get(repos::branches))
        .route("/git/refs", post(repos::create_ref))
        .route("/git/trees/{*sha}", get(files::tree))
        .route("/commits", get(repos::commits))
        // A commit and its checks: a branch's name may hold slashes, so the rest is read there.
        .route("/commits/{*rest}", get(repos::commit_or_checks))
        .route("/compare/{*range}", get(repos::compare))
        .route("/releases", get(repos::releases))
        .route(
            "/contents/{*path}",
            get(files::get).put(files::put).delete(files::delete),
        )
        .route("/issues", get(issues::list).post(issues::create))
        .route("/issues/{number}", get(issues::get).patch(issues::update))
        .route(
            "/issues/{number}/comments",
            get(issues::comments).post(issues::comment),
        )
        .route("/issues/{number}/labels", post(issues::add_labels))
        .route("/issues/{number}/reactions", post(issues::react))
        .route("/pulls", get(pulls::list).post(pulls::create))
        .route("/pulls/{number}", get(pulls::get).patch(pulls::update))
        .route("/pulls/{number}/files", get(pulls::files))
        .route("/pulls/{number}/reviews", get(pulls::reviews).post(pulls::review))
        .route("/pulls/{number}/comments", get(pulls::comments))
        .route(
            "/pulls/{number}/requested_reviewers",
            post(pulls::request_reviewers),
        )
        .route("/pulls/{number}/merge", put(pulls::merge))
        .route("/actions/runs", get(actions::runs))
        .route("/actions/runs/{run}/jobs", get(actions::jobs))
        .route(
            "/actions/workflows/{workflow}/dispatches",
            post(actions::dispatch),
        );
    let api = Router::new()
        .route("/user", get(repos::me))
        .route("/user/repos", get(repos::mine))
        .route("/notifications", get(actions::notifications))
        .route("/search/issues", get(search::issues))
        .route("/search/repositories", get(search::repositories))
        .route("/search/code", get(search::code))
        .nest("/repos/{owner}/{repo}", repo)
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(state),
            gate::enter,
        ));
    Router::new().nest("/github/api", api)
}
