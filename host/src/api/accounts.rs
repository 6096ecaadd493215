//! `/api/v1/connected_accounts`: users' accounts, links to connect them, and their verification.

mod credential;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, json};
use super::ask::{Json, Names, Query, Who, named, scope};
use super::list::Page;
use super::time;
use credential::Given;

use crate::accounts::{
    Account, AccountChange, AccountQuery, AccountState, Link, LinkRequest, NewAccount, Reason, Revocation,
    Selector,
};
use crate::error::{Fault, Kind, Problem};
use crate::id::{AccountId, AuthRequestId, ConnectionName, ConnectorId, Identifier};
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
    /// Only of these connections, separated by commas.
    #[serde(default)]
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
    connection_name: Names,
    /// Only of connections of this connector.
    #[param(value_type = Option<String>)]
    connector: Option<ConnectorId>,
    /// Only of this user.
    #[param(value_type = Option<String>, min_length = 1, max_length = 256)]
    identifier: Option<Identifier>,
    /// Only in this state.
    #[param(inline)]
    state: Option<AccountState>,
    /// Only with this text in identifier, label or connection, whatever the case of its letters.
    #[param(min_length = 1, max_length = 256)]
    query: Option<String>,
    /// Items at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Which account.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DetailsQuery {
    /// The connection.
    #[param(value_type = Option<String>)]
    connection_name: Option<ConnectionName>,
    /// The application's key for the user.
    #[param(value_type = Option<String>, min_length = 1, max_length = 256)]
    identifier: Option<Identifier>,
    /// Or the account itself, `ca_…`; when all are given they must agree.
    #[param(value_type = Option<String>)]
    connected_account_id: Option<AccountId>,
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewConnectedAccount {
    /// The connection.
    #[schema(value_type = String)]
    connection_name: ConnectionName,
    /// The application's key for the user.
    #[schema(value_type = String, min_length = 1, max_length = 256)]
    identifier: Identifier,
    /// Configuration beside the credential, where the connector wants some.
    #[serde(default)]
    account_config: BTreeMap<String, String>,
    /// The credential, where the application has it already and no link is needed.
    #[serde(default)]
    credential: Option<Given>,
}

/// What changes on an account; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectedAccountChange {
    /// Configuration that is new or has another value.
    #[serde(default)]
    account_config: BTreeMap<String, String>,
    /// The credential from now on. It must be of the same account at the vendor.
    #[serde(default)]
    credential: Option<Given>,
}

/// What a link is asked for with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLink {
    /// The connection.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    connection_name: Option<ConnectionName>,
    /// The application's key for the user.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 256)]
    identifier: Option<Identifier>,
    /// Instead of both: an account that is there, `ca_…`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    connected_account_id: Option<AccountId>,
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
    let Names(names) = &query.connection_name;
    let filters = (
        names,
        &query.connector,
        &query.identifier,
        query.state,
        &query.query,
    );
    let list = format!("accounts {filters:?}");
    let page = Page::new(&host.access, &caller, list, query.limit, query.cursor.as_deref())?;
    let wanted = AccountQuery {
        connection_names: names
            .iter()
            .map(|name| connection(name))
            .collect::<Result<_, _>>()?,
        connector: query.connector,
        text: query.query,
        identifier: query.identifier,
        state: query.state,
        after: page
            .after
            .as_deref()
            .map(|id| named(Kind::AccountNotFound, id))
            .transpose()?,
        limit: page.read_ahead(),
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

/// A name in a list of a query.
fn connection(name: &str) -> Result<ConnectionName, Fault> {
    name.parse().map_err(|error: crate::id::InvalidId| {
        Fault::invalid(
            "The query is not what this path takes; `fields` says where.",
            vec![Problem {
                path: "/connection_name".to_owned(),
                problem: error.to_string(),
            }],
        )
    })
}

/// Make a connected account
///
/// Makes the account of a user on a connection, or answers the one that is there. Without a
/// `credential` it waits for its owner's authorization by a link, which makes it too; this is for
/// configuration, or a credential, that the application has beforehand.
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
        credential: new.credential.map(Given::into_core).transpose()?,
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

/// Read a connected account by its user
///
/// The account of a user on a connection, or by its id.
#[utoipa::path(get, path = "/api/v1/connected_accounts/details", tag = "connected accounts", operation_id = "getConnectedAccountDetails",
    params(DetailsQuery),
    responses((status = 200, description = "The account.", body = View)),
    security(("client" = ["accounts:read"])))]
pub(super) async fn details(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::AccountsRead>,
    Query(query): Query<DetailsQuery>,
) -> Answer {
    let selector = Selector {
        identifier: query.identifier,
        connected_account_id: query.connected_account_id,
        connection_name: query.connection_name,
    };
    let account = host.accounts.find_account(&caller.environment, &selector).await?;
    Ok(json(StatusCode::OK, &View::of(&account)))
}

/// Change a connected account
///
/// Gives it configuration or another credential. Another configuration of a connected account
/// wants the credential that goes with it, since a credential never follows to another host.
#[utoipa::path(patch, path = "/api/v1/connected_accounts/{id}", tag = "connected accounts", operation_id = "changeConnectedAccount",
    params(("id" = String, Path, description = "`ca_…`.")),
    request_body = ConnectedAccountChange,
    responses((status = 200, description = "The account.", body = View)),
    security(("client" = ["accounts:write"])))]
pub(super) async fn change(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::AccountsWrite>,
    Path(id): Path<String>,
    Json(change): Json<ConnectedAccountChange>,
) -> Answer {
    let id = named(Kind::AccountNotFound, &id)?;
    let change = AccountChange {
        account_config: change.account_config,
        credential: change.credential.map(Given::into_core).transpose()?,
    };
    let account = host
        .accounts
        .update_account(&caller.environment, &id, change, &caller.actor())
        .await?;
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
    // A link makes the account where there is none, so only an id has to be looked up.
    let (connection_name, identifier) = match (new.connection_name, new.identifier, new.connected_account_id)
    {
        (Some(connection_name), Some(identifier), None) => (connection_name, identifier),
        (connection_name, identifier, connected_account_id) => {
            let selector = Selector {
                identifier,
                connected_account_id,
                connection_name,
            };
            let account = host.accounts.find_account(&caller.environment, &selector).await?;
            (account.connection.clone(), account.identifier.clone())
        }
    };
    let request = LinkRequest {
        connection_name,
        identifier,
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
