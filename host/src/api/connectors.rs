//! `/api/v1/connectors`: installing, switching and removing connectors while calls run.

use std::sync::Arc;

use axum::extract::{FromRequest as _, Path, Request, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, json, no_content};
use super::ask::{Json, Upload, Who, named, scope};
use super::list;
use crate::error::Kind;
use crate::registry::Installed;
use crate::runtime::Runtime;

/// The bytes of a WebAssembly component.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(
    dead_code,
    reason = "the shape of the document; the bytes are read as they are"
)]
pub(super) struct Component(Vec<u8>);

/// The installed connectors.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "the shape of the document; lists render by `list`")]
pub(super) struct ConnectorList {
    items: Vec<Installed>,
}

/// Which version.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Activation {
    /// A loaded version; absent for the one that was active before.
    #[serde(default)]
    version: Option<String>,
}

/// List connectors
#[utoipa::path(get, path = "/api/v1/connectors", tag = "connectors", operation_id = "listConnectors",
    responses((status = 200, description = "Every installed connector.", body = ConnectorList)),
    security(("client" = ["tools:read"])))]
pub(super) async fn list(State(host): State<Arc<Runtime>>, _caller: Who<scope::ToolsRead>) -> Answer {
    list::whole(host.registry.list())
}

/// Install a connector
///
/// The body is the component. It is checked, compiled and activated; calls that run go on with the
/// version before, which stays loaded. A refused one leaves everything as it was, and `fields`
/// holds every reason.
#[utoipa::path(post, path = "/api/v1/connectors", tag = "connectors", operation_id = "installConnector",
    request_body(content = Component, content_type = "application/wasm", description = "A WebAssembly component of the world `valetkey:connector`."),
    responses((status = 200, description = "The connector.", body = Installed)),
    security(("client" = ["connectors:write"])))]
pub(super) async fn install(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ConnectorsWrite>,
    request: Request,
) -> Answer {
    let Upload(component) = Upload::from_request(request, &host).await?;
    let installed = host.registry.install(component, &caller.actor()).await?;
    Ok(json(StatusCode::OK, &installed))
}

/// Activate a version of a connector
///
/// Without a `version` it rolls back to the one that was active before.
#[utoipa::path(post, path = "/api/v1/connectors/{id}/activate", tag = "connectors", operation_id = "activateConnector",
    params(("id" = String, Path, description = "The connector.")),
    request_body = Activation,
    responses((status = 200, description = "The connector.", body = Installed)),
    security(("client" = ["connectors:write"])))]
pub(super) async fn activate(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ConnectorsWrite>,
    Path(id): Path<String>,
    Json(activation): Json<Activation>,
) -> Answer {
    let id = named(Kind::NotFound, &id)?;
    let installed = host
        .registry
        .activate(&id, activation.version.as_deref(), &caller.actor())
        .await?;
    Ok(json(StatusCode::OK, &installed))
}

/// Remove a connector
///
/// All its versions. Running calls finish. Refused while a connection pins one of them.
#[utoipa::path(delete, path = "/api/v1/connectors/{id}", tag = "connectors", operation_id = "removeConnector",
    params(("id" = String, Path, description = "The connector.")),
    responses((status = 204, description = "It is gone.")),
    security(("client" = ["connectors:write"])))]
pub(super) async fn remove(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ConnectorsWrite>,
    Path(id): Path<String>,
) -> Answer {
    let id = named(Kind::NotFound, &id)?;
    host.accounts
        .remove_connector(&caller.environment, &id, None, &caller.actor())
        .await?;
    Ok(no_content())
}

/// Remove a version of a connector
///
/// Any but the active one, and none that a connection pins.
#[utoipa::path(delete, path = "/api/v1/connectors/{id}/versions/{version}", tag = "connectors", operation_id = "removeConnectorVersion",
    params(("id" = String, Path, description = "The connector."), ("version" = String, Path, description = "The version.")),
    responses((status = 204, description = "It is gone.")),
    security(("client" = ["connectors:write"])))]
pub(super) async fn remove_version(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ConnectorsWrite>,
    Path((id, version)): Path<(String, String)>,
) -> Answer {
    let id = named(Kind::NotFound, &id)?;
    host.accounts
        .remove_connector(&caller.environment, &id, Some(&version), &caller.actor())
        .await?;
    Ok(no_content())
}
