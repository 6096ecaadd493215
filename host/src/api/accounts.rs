//! `/api/v1/connected_accounts`: users' accounts, links to connect them, and their verification.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, json};
use super::ask::{Json, Query, Who, named, scope};
use super::list::Page;
use super::time;
use crate::accounts::{
    Account, AccountQuery, AccountState, Link, LinkRequest, NewAccount, Reason, Revocation,
};
use crate::error::Kind;
use crate::id::{AuthRequestId, ConnectionName, Identifier};
use crate::runtime::Runtime;

/// One user's account at a vendor. Never with the credential.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectedAccount)]
pub(super) struct View<'a> {
    /// `ca_…`.
    id: &'a str,
    /// Its connection.
    connection_name: &'a str,
    /// The connector of that connection.
    connector: &'a str,
    /// The application's key for the user.
    identifier: &'a str,
    /// Where it stands.
    state: AccountState,
    /// Why, where there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// Kind of credential: `oauth2`, `api_key`, `basic`, `bearer` or `none`.
    credential_kind: &'a str,
    /// Configuration beside the credential.
    account_config: &'a BTreeMap<String, String>,
    /// Scopes that the vendor granted.
    scopes: &'a [String],
    /// Whether the vendor said which scopes it granted; if not, `scopes` are those asked for.
    scopes_stated: bool,
    /// The vendor's stable id of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    /// What a person recognises of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    /// When the present access token expires, RFC 3339; the host renews it before.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_expires_at: Option<String>,
    /// Creation, RFC 3339.
    created_at: String,
    /// Last change, RFC 3339.
    updated_at: String,
}

impl<'a> View<'a> {
    fn of(account: &'a Account) -> Self {
        Self {
            id: account.id.as_str(),
            connection_name: account.connection.as_str(),
            connector: account.connector.as_str(),
            identifier: account.identifier.as_str(),
            state: account.state,
            reason: account.reason,
            credential_kind: account.credential_kind.as_str(),
            account_config: &account.account_config,
            scopes: &account.scopes,
            scopes_stated: account.scopes_stated,
            subject: account.subject.as_deref(),
            label: account.label.as_deref(),
            token_expires_at: account.token_expires_at_ms.map(time),
            created_at: time(account.created_at_ms),
            updated_at: time(account.updated_at_ms),
        }
    }
}

/// A page of connected accounts, in order of creation.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectedAccountList)]
#[allow(dead_code, reason = "the shape of the document; lists render by `list`")]
pub(super) struct ViewList<'a> {
    items: Vec<View<'a>>,
    /// For the next page; absent on the last.
    next_cursor: Option<String>,
}

/// Which accounts, and which page of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only of this connection.
    #[param(value_type = Option<String>)]
    connection_name: Option<ConnectionName>,
    /// Only of this user.
    #[param(value_type = Option<String>)]
    identifier: Option<Identifier>,
    /// Only in this state.
    #[param(inline)]
    state: Option<AccountState>,
    /// Items at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A new account, not connected yet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewConnectedAccount {
    /// The connection.
    #[schema(value_type = String)]
    connection_name: ConnectionName,
    /// The application's key for the user.
    #[schema(value_type = String)]
    identifier: Identifier,
    /// Configuration beside the credential, where the connector wants some.
    #[serde(default)]
    account_config: BTreeMap<String, String>,
}

/// What a link is asked for with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLink {
    /// The connection.
    #[schema(value_type = String)]
    connection_name: ConnectionName,
    /// The application's key for the user.
    #[schema(value_type = String)]
    identifier: Identifier,
    /// Where the browser goes after consent, so that the application can tell who it is: one of
    /// the connection's `user_verify_urls`. Then the account becomes usable only after
    /// `user/verify`.
    #[serde(default)]
    user_verify_url: Option<String>,
    /// The application's own state, given back to `user_verify_url`. At most 1 KiB.
    #[serde(default)]
    state: Option<String>,
    /// Configuration beside the credential that the application knows already.
    #[serde(default)]
    account_config: BTreeMap<String, String>,
}

/// Who completed a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserVerification {
    /// The attempt, as `user_verify_url` received it.
    #[schema(value_type = String)]
    auth_request_id: AuthRequestId,
    /// The user who is signed in at the application in that browser.
    #[schema(value_type = String)]
    identifier: Identifier,
}

/// What became of the credential at the vendor.
#[derive(Serialize, ToSchema)]
pub(super) struct Disconnected {
    /// `revoked`, `not_supported` by the vendor, or `pending` while the vendor is not reachable.
    revocation: Revocation,
}

/// List connected accounts
#[utoipa::path(get, path = "/api/v1/connected_accounts", tag = "connected accounts", operation_id = "listConnectedAccounts",
    params(ListQuery), responses((status = 200, description = "A page of accounts.", body = ViewList)),
    security(("client" = ["accounts:read"])))]
pub(super) async fn list(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::AccountsRead>,
    Query(query): Query<ListQuery>,
) -> Answer {
    let list = format!(
        "accounts {:?}",
        (&query.connection_name, &query.identifier, query.state)
    );
    let page = Page::new(&host.access, &caller, list, query.limit, query.cursor.as_deref())?;
    let wanted = AccountQuery {
        connection_names: query.connection_name.into_iter().collect(),
        identifier: query.identifier,
        state: query.state,
        after: page
            .after
            .as_deref()
            .map(|id| named(Kind::AccountNotFound, id))
            .transpose()?,
        limit: page.read_ahead(),
        ..AccountQuery::default()
    };
    let accounts = host.accounts.accounts(&caller.environment, &wanted).await?;
    page.answer(
        &host.access,
        &caller,
        &accounts,
        |it| it.id.as_str(),
        |it| View::of(it),
    )
}

/// Make a connected account
///
/// Makes the account of a user on a connection, without a credential, or answers the one that is
/// there. A link makes it too; this is for configuration that the application knows beforehand.
#[utoipa::path(post, path = "/api/v1/connected_accounts", tag = "connected accounts", operation_id = "createConnectedAccount",
    request_body = NewConnectedAccount,
    responses((status = 200, description = "The account.", body = View)),
    security(("client" = ["accounts:write"])))]
pub(super) async fn create(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::AccountsWrite>,
    Json(new): Json<NewConnectedAccount>,
) -> Answer {
    let new = NewAccount {
        connection_name: new.connection_name,
        identifier: new.identifier,
        account_config: new.account_config,
        credential: None,
    };
    let account = host
        .accounts
        .create_account(&caller.environment, new, &caller.actor())
        .await?;
    Ok(json(StatusCode::OK, &View::of(&account)))
}

/// Read a connected account
#[utoipa::path(get, path = "/api/v1/connected_accounts/{id}", tag = "connected accounts", operation_id = "getConnectedAccount",
    params(("id" = String, Path, description = "`ca_…`.")),
    responses((status = 200, description = "The account.", body = View)),
    security(("client" = ["accounts:read"])))]
pub(super) async fn get(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::AccountsRead>,
    Path(id): Path<String>,
) -> Answer {
    let id = named(Kind::AccountNotFound, &id)?;
    let account = host.accounts.account(&caller.environment, &id).await?;
    Ok(json(StatusCode::OK, &View::of(&account)))
}

/// Delete a connected account
///
/// Disconnects it and removes its record.
#[utoipa::path(delete, path = "/api/v1/connected_accounts/{id}", tag = "connected accounts", operation_id = "deleteConnectedAccount",
    params(("id" = String, Path, description = "`ca_…`.")),
    responses((status = 200, description = "It is gone.", body = Disconnected)),
    security(("client" = ["accounts:write"])))]
pub(super) async fn delete(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::AccountsWrite>,
    Path(id): Path<String>,
) -> Answer {
    let id = named(Kind::AccountNotFound, &id)?;
    let revocation = host
        .accounts
        .delete(&caller.environment, &id, &caller.actor())
        .await?;
    Ok(json(StatusCode::OK, &Disconnected { revocation }))
}

/// Disconnect an account
///
/// It is unusable at once, its credential is revoked at the vendor and destroyed here. The record
/// stays, and a new link connects it again.
#[utoipa::path(post, path = "/api/v1/connected_accounts/{id}/disconnect", tag = "connected accounts", operation_id = "disconnectAccount",
    params(("id" = String, Path, description = "`ca_…`.")),
    responses((status = 200, description = "It is disconnected.", body = Disconnected)),
    security(("client" = ["accounts:write"])))]
pub(super) async fn disconnect(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::AccountsWrite>,
    Path(id): Path<String>,
) -> Answer {
    let id = named(Kind::AccountNotFound, &id)?;
    let revocation = host
        .accounts
        .disconnect(&caller.environment, &id, &caller.actor())
        .await?;
    Ok(json(StatusCode::OK, &Disconnected { revocation }))
}

/// Make a link for an account's owner
///
/// The owner opens it in a browser and consents at the vendor, or fills in a form. It is good
/// once, for ten minutes.
#[utoipa::path(post, path = "/api/v1/connected_accounts/magic_link", tag = "connected accounts", operation_id = "createMagicLink",
    request_body = NewLink,
    responses((status = 200, description = "The link.", body = Link)),
    security(("client" = ["accounts:write"])))]
pub(super) async fn magic_link(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::AccountsWrite>,
    Json(new): Json<NewLink>,
) -> Answer {
    let request = LinkRequest {
        connection_name: new.connection_name,
        identifier: new.identifier,
        user_verify_url: new.user_verify_url,
        state: new.state,
        account_config: new.account_config,
    };
    let link = host
        .accounts
        .create_link(&caller.environment, request, &caller.actor())
        .await?;
    Ok(json(StatusCode::OK, &link))
}

/// Confirm who completed a link
///
/// For links with a `user_verify_url`: only now is the vendor asked for the credential, and the
/// account becomes usable.
#[utoipa::path(post, path = "/api/v1/connected_accounts/user/verify", tag = "connected accounts", operation_id = "verifyUser",
    request_body = UserVerification,
    responses((status = 200, description = "The account, active.", body = View)),
    security(("client" = ["accounts:verify"])))]
pub(super) async fn verify_user(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::AccountsVerify>,
    Json(verification): Json<UserVerification>,
) -> Answer {
    let account = host
        .accounts
        .verify_user(
            &caller.environment,
            &verification.auth_request_id,
            &verification.identifier,
            &caller.actor(),
        )
        .await?;
    Ok(json(StatusCode::OK, &View::of(&account)))
}
