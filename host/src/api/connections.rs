//! `/api/v1/connections`: an operator's configurations of connectors.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, json, no_content};
use super::ask::{Json, Query, Who, named, scope};
use super::list::Page;
use super::time;
use crate::accounts::{Connection, ConnectionChange, NewConnection};
use crate::error::{Fault, Kind};
use crate::runtime::Runtime;

/// An operator's configuration of a connector. Never with the client secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Connection)]
pub(super) struct View<'a> {
    /// Its name, unique in the environment.
    connection_name: &'a str,
    /// The connector.
    connector: &'a str,
    /// Id of the auth scheme in the connector's manifest.
    auth: &'a str,
    /// Kind of credential: `oauth2`, `api_key`, `basic`, `bearer`, `keys`, `jwt_bearer`,
    /// `client_credentials` or `none`.
    credential_kind: &'a str,
    /// For OAuth: the operator's application at the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    oauth: Option<OAuthView<'a>>,
    /// For the kinds `jwt_bearer` and `client_credentials`: the token endpoint that is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_url: Option<&'a str>,
    /// Scopes that are asked for.
    scopes: &'a [String],
    /// Endpoint URLs instead of the manifest's, by name.
    endpoints: &'a BTreeMap<String, String>,
    /// Whether plain http and loopback vendors are allowed, and nothing else.
    development: bool,
    /// The connector version that serves calls whatever is active.
    pinned_version: Option<&'a str>,
    /// Whether raw requests (`/proxy`) may be sent with the credentials of its accounts.
    proxy: bool,
    /// The URLs that a link may name as `user_verify_url`.
    user_verify_urls: &'a [String],
    /// Name of the operator's application on hosted pages.
    application_name: &'a str,
    /// Creation, RFC 3339.
    created_at: String,
}

/// The operator's OAuth application at the vendor.
#[derive(Serialize, ToSchema)]
#[schema(as = OAuthApp)]
struct OAuthView<'a> {
    /// Client id at the vendor.
    client_id: Option<&'a str>,
    /// Whether a client secret is kept. The secret itself is never answered.
    has_client_secret: bool,
    /// Authorization endpoint.
    authorize_url: &'a str,
    /// Token endpoint.
    token_url: &'a str,
    /// Revocation endpoint.
    revoke_url: Option<&'a str>,
    /// Issuer.
    issuer: Option<&'a str>,
    /// The redirect URI to register at the vendor.
    redirect_uri: Option<&'a str>,
}

impl<'a> View<'a> {
    fn of(connection: &'a Connection) -> Self {
        Self {
            connection_name: connection.name.as_str(),
            connector: connection.connector.as_str(),
            auth: &connection.auth,
            credential_kind: connection.kind.as_str(),
            oauth: connection.oauth2.as_ref().map(|oauth| OAuthView {
                client_id: connection.oauth_client_id.as_deref(),
                has_client_secret: connection.has_client_secret,
                authorize_url: &oauth.authorize_url,
                token_url: &oauth.token_url,
                revoke_url: oauth.revoke_url.as_deref(),
                issuer: oauth.issuer.as_deref(),
                redirect_uri: connection.redirect_uri.as_deref(),
            }),
            token_url: connection.grant.as_ref().map(|grant| grant.token_url.as_str()),
            scopes: &connection.scopes,
            endpoints: &connection.endpoints,
            development: connection.development,
            pinned_version: connection.pinned_version.as_deref(),
            proxy: connection.proxy,
            user_verify_urls: &connection.user_verify_urls,
            application_name: &connection.application_name,
            created_at: time(connection.created_at_ms),
        }
    }
}

/// A page of connections, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectionList)]
#[allow(dead_code, reason = "the shape of the document; lists render by `list`")]
pub(super) struct ViewList<'a> {
    items: Vec<View<'a>>,
    /// For the next page; absent on the last.
    next_cursor: Option<String>,
}

/// Which connections, and which page of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only of this connector.
    connector: Option<String>,
    /// Only with this text in their name.
    #[param(min_length = 1, max_length = 64)]
    query: Option<String>,
    /// Items at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What changes; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConnectionChange)]
pub(super) struct Change {
    /// A loaded version of the connector, or null for whichever is active.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pinned_version: Option<Option<String>>,
    /// Whether raw requests (`/proxy`) may be sent with the credentials of its accounts.
    #[serde(default)]
    #[schema(nullable = false)]
    proxy: Option<bool>,
}

/// Tells null, which says something, from what is absent.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// List connections
///
/// The connections of the caller's environment, by name.
#[utoipa::path(get, path = "/api/v1/connections", tag = "connections", operation_id = "listConnections",
    params(ListQuery), responses((status = 200, description = "A page of connections.", body = ViewList)),
    security(("client" = ["accounts:read"])))]
pub(super) async fn list(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::AccountsRead>,
    Query(query): Query<ListQuery>,
) -> Answer {
    let list = format!("connections {:?}", (&query.connector, &query.query));
    let page = Page::new(&host.access, &caller, list, query.limit, query.cursor.as_deref())?;
    let mut all = host.accounts.connections(&caller.environment).await?;
    all.retain(|connection| {
        let of = query
            .connector
            .as_ref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(connection.connector.as_str()));
        let named = query
            .query
            .as_ref()
            .is_none_or(|text| connection.name.as_str().contains(&text.to_lowercase()));
        of && named
    });
    if let Some(after) = &page.after {
        all.retain(|connection| connection.name.as_str() > after.as_str());
    }
    page.answer(
        &host.access,
        &caller,
        &all,
        |it| it.name.as_str(),
        |it| View::of(it),
    )
}

/// Configure a connection
///
/// Makes a connector usable in the caller's environment, with the operator's own application at
/// the vendor where the connector wants OAuth. Register the answer's `oauth.redirect_uri` there.
#[utoipa::path(post, path = "/api/v1/connections", tag = "connections", operation_id = "createConnection",
    request_body = NewConnection,
    responses((status = 201, description = "The connection.", body = View)),
    security(("client" = ["connections:write"])))]
pub(super) async fn create(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ConnectionsWrite>,
    Json(new): Json<NewConnection>,
) -> Answer {
    let connection = host
        .accounts
        .create_connection(&caller.environment, new, &caller.actor())
        .await?;
    Ok(json(StatusCode::CREATED, &View::of(&connection)))
}

/// Read a connection
#[utoipa::path(get, path = "/api/v1/connections/{name}", tag = "connections", operation_id = "getConnection",
    params(("name" = String, Path, description = "Its name.")),
    responses((status = 200, description = "The connection.", body = View)),
    security(("client" = ["accounts:read"])))]
pub(super) async fn get(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::AccountsRead>,
    Path(name): Path<String>,
) -> Answer {
    let name = named(Kind::NotFound, &name)?;
    let connection = host.accounts.connection(&caller.environment, &name).await?;
    Ok(json(StatusCode::OK, &View::of(&connection)))
}

/// Change a connection
///
/// Pins it to a connector version, which then serves its calls whatever is active, or unpins it with
/// null; switches raw requests on or off.
#[utoipa::path(patch, path = "/api/v1/connections/{name}", tag = "connections", operation_id = "changeConnection",
    params(("name" = String, Path, description = "Its name.")),
    request_body = Change,
    responses((status = 200, description = "The connection.", body = View)),
    security(("client" = ["connections:write"])))]
pub(super) async fn change(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ConnectionsWrite>,
    Path(name): Path<String>,
    Json(change): Json<Change>,
) -> Answer {
    let name = named(Kind::NotFound, &name)?;
    let change = ConnectionChange {
        pinned_version: change.pinned_version,
        proxy: change.proxy,
    };
    if change.pinned_version.is_none() && change.proxy.is_none() {
        return Err(Fault::new(
            Kind::InvalidInput,
            "The body names nothing to change: give `pinned_version` (null unpins) or `proxy`.",
        )
        .into());
    }
    let connection = host
        .accounts
        .change_connection(&caller.environment, &name, change, &caller.actor())
        .await?;
    Ok(json(StatusCode::OK, &View::of(&connection)))
}

/// Remove a connection
///
/// Only when it has no connected accounts: disconnect and delete those first.
#[utoipa::path(delete, path = "/api/v1/connections/{name}", tag = "connections", operation_id = "deleteConnection",
    params(("name" = String, Path, description = "Its name.")),
    responses((status = 204, description = "It is gone.")),
    security(("client" = ["connections:write"])))]
pub(super) async fn delete(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ConnectionsWrite>,
    Path(name): Path<String>,
) -> Answer {
    let name = named(Kind::NotFound, &name)?;
    host.accounts
        .delete_connection(&caller.environment, &name, &caller.actor())
        .await?;
    Ok(no_content())
}
