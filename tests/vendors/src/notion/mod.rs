//! The Notion-shaped API, under `/notion/v1`: search, pages and their markdown, blocks, databases
//! with their data sources, comments, users. Shapes as in the vendor's reference of 2026-03-11 and
//! its published client; texts are ours.

mod blocks;
mod directory;
mod gate;
mod markdown;
mod pages;
mod problem;
mod tables;
#[cfg(test)]
mod tests;
mod values;
mod workspace;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub(crate) use problem::refusal;
pub(crate) use workspace::{Workspace, bot_id, person_id, workspace_id};

use crate::server::State;

pub(crate) fn routes(state: &Arc<State>) -> Router<Arc<State>> {
    let api = Router::new()
        .route("/search", post(directory::search))
        .route("/pages", post(pages::create))
        .route("/pages/{id}", get(pages::get).patch(pages::update))
        .route("/pages/{id}/properties/{property}", get(pages::property))
        .route("/pages/{id}/move", post(pages::move_below))
        .route("/pages/{id}/markdown", get(pages::read).patch(pages::write))
        .route("/databases/{id}", get(tables::database))
        .route("/data_sources/{id}", get(tables::get).patch(tables::update))
        .route("/data_sources/{id}/query", post(tables::query))
        .route("/data_sources/{id}/templates", get(tables::templates))
        .route(
            "/blocks/{id}",
            get(blocks::get).patch(blocks::update).delete(blocks::delete),
        )
        .route(
            "/blocks/{id}/children",
            get(blocks::children).patch(blocks::append),
        )
        .route(
            "/comments",
            get(directory::comments).post(directory::create_comment),
        )
        .route("/users", get(directory::users))
        .route("/users/me", get(directory::me))
        .route("/users/{id}", get(directory::user))
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(state),
            gate::enter,
        ));
    Router::new().nest("/notion/v1", api)
}
