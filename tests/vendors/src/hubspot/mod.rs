//! The HubSpot-shaped API, under `/hubspot`: CRM objects v3, associations v4, owners, pipelines,
//! properties, account details. Shapes as in the vendor's public API reference; texts are ours.

mod associations;
mod directory;
mod gate;
mod kinds;
mod objects;
mod portal;
mod problem;
mod search;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post, put};

pub(crate) use gate::Window;
pub(crate) use portal::{Portal, portal_id};
pub(crate) use problem::refusal;

use crate::server::State;

pub(crate) fn routes(state: &Arc<State>) -> Router<Arc<State>> {
    let from_to = "/crm/v4/objects/{from}/{from_id}/associations";
    let api = Router::new()
        .route("/crm/v3/objects/{kind}", get(objects::list).post(objects::create))
        .route("/crm/v3/objects/{kind}/search", post(search::search))
        .route("/crm/v3/objects/{kind}/batch/read", post(objects::batch_read))
        .route(
            "/crm/v3/objects/{kind}/{id}",
            get(objects::get).patch(objects::update).delete(objects::archive),
        )
        .route(&format!("{from_to}/{{to}}"), get(associations::list))
        .route(
            &format!("{from_to}/default/{{to}}/{{to_id}}"),
            put(associations::put_default),
        )
        .route(
            &format!("{from_to}/{{to}}/{{to_id}}"),
            put(associations::put).delete(associations::delete),
        )
        .route("/crm/v3/owners", get(directory::owners))
        .route("/crm/v3/owners/", get(directory::owners))
        .route("/crm/v3/owners/{id}", get(directory::owner))
        .route("/crm/v3/pipelines/{kind}", get(directory::pipelines))
        .route("/crm/v3/properties/{kind}", get(directory::properties))
        .route("/account-info/v3/details", get(directory::account))
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(state),
            gate::enter,
        ));
    Router::new().nest("/hubspot", api)
}
