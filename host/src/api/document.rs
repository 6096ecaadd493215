//! The OpenAPI 3.1 document, from the handlers' own attributes.

use std::sync::LazyLock;

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::security::{ClientCredentials, Flow, OAuth2, Scopes, SecurityScheme};
use utoipa::openapi::{Components, Content, OpenApi as Document, Ref, RefOr, ResponseBuilder, Schema};
use utoipa::{Modify, OpenApi, ToSchema};

use super::answer::json_bytes;
use super::{
    accounts, connections, connectors, execute, executions, files, proxy, recordings, servers, token, tools,
};
use crate::access::Scope;
use crate::error::{self, Kind};

/// That the host is there.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`.
    pub status: &'static str,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Valetkey",
        description = "One endpoint for every tool of every connected account of your users. Every error has the shape `Error`; `docs/reference/errors.md` explains each kind."
    ),
    paths(
        super::health,
        serve,
        token::token,
        execute::execute_tool,
        recordings::record,
        tools::list,
        tools::scoped,
        tools::available,
        tools::search,
        tools::get,
        connections::list,
        connections::create,
        connections::get,
        connections::change,
        connections::delete,
        accounts::list,
        accounts::create,
        accounts::details,
        accounts::get,
        accounts::change,
        accounts::delete,
        accounts::disconnect,
        accounts::magic_link,
        accounts::verify_user,
        proxy::get_raw,
        proxy::post_raw,
        proxy::put_raw,
        proxy::patch_raw,
        proxy::delete_raw,
        executions::list,
        executions::get,
        files::upload,
        files::download,
        files::delete,
        connectors::list,
        connectors::install,
        connectors::activate,
        connectors::remove,
        connectors::remove_version,
        servers::list,
        servers::create,
        servers::get,
        servers::change,
        servers::delete,
        servers::auth_state,
        servers::create_session,
        servers::list_sessions,
        servers::revoke_session,
        servers::create_connection_session,
        servers::list_connection_sessions,
        servers::revoke_connection_session,
    ),
    components(schemas(error::Body)),
    modifiers(&Errors, &Security)
)]
struct Api;

/// Every operation may answer an error, in the one shape.
struct Errors;

impl Modify for Errors {
    fn modify(&self, document: &mut Document) {
        name_the_kinds(document);
        let error = ResponseBuilder::new()
            .description("What went wrong, whose move it is, and what to do.")
            .content(
                "application/json",
                Content::new(Some(Ref::from_schema_name("Error"))),
            )
            .build();
        for item in document.paths.paths.values_mut() {
            let operations = [
                &mut item.get,
                &mut item.post,
                &mut item.put,
                &mut item.patch,
                &mut item.delete,
            ];
            for operation in operations.into_iter().flatten() {
                // A raw request's answers are the vendor's.
                operation
                    .responses
                    .responses
                    .entry("default".to_owned())
                    .or_insert_with(|| error.clone().into());
            }
        }
    }
}

/// The kinds are a closed set, and the document says which.
fn name_the_kinds(document: &mut Document) {
    let schemas = document
        .components
        .as_mut()
        .map(|components| &mut components.schemas);
    let error = schemas.and_then(|schemas| schemas.get_mut("BodyError"));
    let Some(RefOr::T(Schema::Object(error))) = error else {
        return;
    };
    if let Some(RefOr::T(Schema::Object(kind))) = error.properties.get_mut("kind") {
        kind.enum_values = Some(Kind::ALL.map(|kind| kind.as_str().into()).to_vec());
    }
}

/// The one way of proving who calls.
struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let scopes = Scopes::from_iter(Scope::ALL.map(|scope| (scope.as_str(), scope.about())));
        let flow = Flow::ClientCredentials(ClientCredentials::new("/oauth/token", scopes));
        document
            .components
            .get_or_insert_with(Components::new)
            .add_security_scheme("client", SecurityScheme::OAuth2(OAuth2::new([flow])));
    }
}

/// The document, as served at `/openapi.json`.
#[must_use]
pub fn openapi() -> Value {
    serde_json::to_value(Api::openapi()).unwrap_or_default()
}

static TEXT: LazyLock<String> = LazyLock::new(|| openapi().to_string());

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "access", operation_id = "document",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object, content_type = "application/json")),
    security())]
pub(super) async fn serve() -> Response {
    json_bytes(StatusCode::OK, TEXT.as_str())
}
