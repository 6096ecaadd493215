//! `ConnectedAccountService`: users' accounts, the links that connect them, and verification.

use std::collections::BTreeMap;

use jiff::Timestamp;
use prost_types::Struct;
use serde_json::Value;
use tonic::Status;

use super::ask::{self, Named, given};
use super::status;
use super::structure;
use super::unary::Call;
use super::wire::accounts::{
    AccountRequest, AccountResponse, AuthorizationDetails, ConnectedAccount, CreateRequest, Credential,
    Empty, ListRequest, ListResponse, ListedAccount, MagicLinkRequest, MagicLinkResponse, SearchRequest,
    UpdateRequest, VerifyRequest, VerifyResponse,
};
use super::wire::{connections, time};
use crate::accounts::{
    Account, AccountChange, AccountQuery, GivenCredential, LinkRequest, NewAccount, Selector,
};
use crate::error::{Fault, Kind};
use crate::id::AccountId;
use crate::secret::Secret;

/// Items of a page when the caller names no size.
const DEFAULT_PAGE: usize = 30;
/// Items of a page at most.
const MAX_PAGE: usize = 100;
/// Names of connections that a list can be narrowed to.
const MAX_NAMES: usize = 20;
/// Characters of a search.
const MAX_QUERY: usize = 100;

/// `GetConnectedAccountAuth` and `GetConnectedAccountDetails`: the same here, since no answer of
/// this host holds a credential.
pub(super) async fn get(call: Call, request: AccountRequest) -> Result<AccountResponse, Status> {
    let account = find(
        &call,
        Named {
            organization_id: request.organization_id,
            user_id: request.user_id,
            connector: request.connector,
            identifier: request.identifier,
            id: request.id,
        },
    );
    Ok(answer(&*account.await.map_err(|fault| status::of(&fault))?))
}

/// `ListConnectedAccounts`.
pub(super) async fn list(call: Call, request: ListRequest) -> Result<ListResponse, Status> {
    page(&call, request).await.map_err(|fault| status::of(&fault))
}

/// `SearchConnectedAccounts`: the same list by its words.
pub(super) async fn search(call: Call, request: SearchRequest) -> Result<ListResponse, Status> {
    let found = async {
        if !(1..=MAX_QUERY).contains(&request.query.chars().count()) {
            return Err(ask::invalid(
                "query",
                &format!("must have 1 to {MAX_QUERY} characters"),
            ));
        }
        let connector = match given(Some(request.connection_id)) {
            None => None,
            Some(id) => Some(connections::name(&id).map(str::to_owned).ok_or_else(|| {
                ask::invalid(
                    "connection_id",
                    "is no id of a connection; ListAppConnections answers them",
                )
            })?),
        };
        let list = ListRequest {
            connector,
            page_size: request.page_size,
            page_token: request.page_token,
            query: request.query,
            ..ListRequest::default()
        };
        page(&call, list).await
    };
    found.await.map_err(|fault| status::of(&fault))
}

/// `CreateConnectedAccount`: the second half of the clients' get-or-create, so that of several at
/// once each gets the one account.
pub(super) async fn create(call: Call, request: CreateRequest) -> Result<AccountResponse, Status> {
    let made = async {
        ask::no_organization(request.organization_id.as_deref(), request.user_id.as_deref())?;
        let (connection_name, identifier) = owner(request.connector, request.identifier)?;
        let about = request.connected_account.unwrap_or_default();
        let (credential, mut config) = credential(about.authorization_details)?;
        config.extend(texts(about.api_config, "connected_account.api_config")?);
        let new = NewAccount {
            connection_name,
            identifier,
            account_config: config,
            credential,
        };
        let caller = &call.caller;
        call.host
            .accounts
            .create_account(&caller.environment, new, &caller.actor())
            .await
    };
    Ok(answer(&*made.await.map_err(|fault| status::of(&fault))?))
}

/// `UpdateConnectedAccount`.
pub(super) async fn update(call: Call, request: UpdateRequest) -> Result<AccountResponse, Status> {
    let updated = async {
        if let Some(scopes) = request.scope_selection
            && !(scopes.scopes.is_empty() && scopes.optional_scopes.is_empty())
        {
            return Err(ask::invalid(
                "scope_selection",
                "scopes belong to the connection here; the operator changes them there",
            ));
        }
        let named = Named {
            organization_id: request.organization_id,
            user_id: request.user_id,
            connector: request.connector,
            identifier: request.identifier,
            id: request.id,
        };
        let account = find(&call, named).await?;
        let about = request.connected_account.unwrap_or_default();
        let (credential, mut config) = credential(about.authorization_details)?;
        config.extend(texts(about.api_config, "connected_account.api_config")?);
        let change = AccountChange {
            account_config: config,
            credential,
        };
        let caller = &call.caller;
        call.host
            .accounts
            .update_account(&caller.environment, &account.id, change, &caller.actor())
            .await
    };
    Ok(answer(&*updated.await.map_err(|fault| status::of(&fault))?))
}

/// `DeleteConnectedAccount`.
pub(super) async fn delete(call: Call, request: AccountRequest) -> Result<Empty, Status> {
    let deleted = async {
        let named = Named {
            organization_id: request.organization_id,
            user_id: request.user_id,
            connector: request.connector,
            identifier: request.identifier,
            id: request.id,
        };
        let account = find(&call, named).await?;
        let caller = &call.caller;
        call.host
            .accounts
            .delete(&caller.environment, &account.id, &caller.actor())
            .await
    };
    deleted.await.map_err(|fault| status::of(&fault))?;
    Ok(Empty {})
}

/// `GetMagicLinkForConnectedAccount`.
pub(super) async fn magic_link(call: Call, request: MagicLinkRequest) -> Result<MagicLinkResponse, Status> {
    let link = async {
        let named = Named {
            organization_id: request.organization_id,
            user_id: request.user_id,
            connector: request.connector,
            identifier: request.identifier,
            id: request.id,
        };
        let selector = named.selector()?;
        let caller = &call.caller;
        let accounts = &call.host.accounts;
        // A link makes the account where there is none, so only an id has to be looked up.
        let (connection_name, identifier) = match selector {
            Selector {
                connected_account_id: None,
                identifier: Some(identifier),
                connection_name: Some(connection_name),
            } => (connection_name, identifier),
            selector => {
                let account = accounts.find_account(&caller.environment, &selector).await?;
                (account.connection.clone(), account.identifier.clone())
            }
        };
        let request = LinkRequest {
            connection_name,
            identifier,
            user_verify_url: given(request.user_verify_url),
            state: given(request.state),
            account_config: BTreeMap::new(),
        };
        let link = accounts
            .create_link(&caller.environment, request, &caller.actor())
            .await?;
        let expiry: Timestamp = link.expires_at.parse().map_err(Fault::internal)?;
        Ok(MagicLinkResponse {
            link: link.authorization_link,
            expiry: Some(time(expiry.as_millisecond())),
        })
    };
    link.await.map_err(|fault: Fault| status::of(&fault))
}

/// `VerifyConnectedAccountUser`.
pub(super) async fn verify_user(call: Call, request: VerifyRequest) -> Result<VerifyResponse, Status> {
    let verified = async {
        let auth_request = request.auth_request_id.parse().map_err(|error| {
            Fault::new(
                Kind::FlowInvalid,
                format!("There is no such authorization attempt: {error}. Use `auth_request_id` as `user_verify_url` received it."),
            )
        })?;
        let identifier = ask::identifier(request.identifier)?;
        let caller = &call.caller;
        call.host
            .accounts
            .verify_user(&caller.environment, &auth_request, &identifier, &caller.actor())
            .await
    };
    verified.await.map_err(|fault: Fault| status::of(&fault))?;
    Ok(VerifyResponse {
        post_user_verify_redirect_url: String::new(),
    })
}

fn answer(account: &Account) -> AccountResponse {
    AccountResponse {
        connected_account: Some(ConnectedAccount::of(account)),
    }
}

async fn find(call: &Call, named: Named) -> Result<std::sync::Arc<Account>, Fault> {
    let selector = named.selector()?;
    call.host
        .accounts
        .find_account(&call.caller.environment, &selector)
        .await
}

fn owner(
    connector: Option<String>,
    identifier: Option<String>,
) -> Result<(crate::id::ConnectionName, crate::id::Identifier), Fault> {
    let connector = given(connector).ok_or_else(|| ask::invalid("connector", "is missing"))?;
    let identifier = given(identifier).ok_or_else(|| ask::invalid("identifier", "is missing"))?;
    Ok((ask::connection_name(&connector)?, ask::identifier(identifier)?))
}

/// What was given as a credential, and the configuration that came with it. Tokens that are all
/// empty are what one of the clients sends for none.
fn credential(
    details: Option<AuthorizationDetails>,
) -> Result<(Option<GivenCredential>, BTreeMap<String, String>), Fault> {
    const INPUTS: [&str; 4] = ["api_key", "token", "username", "password"];
    let none = (None, BTreeMap::new());
    let unknown = |kind| {
        ask::invalid(
            "connected_account.authorization_details",
            &format!("this host does not have credentials of the kind `{kind}`"),
        )
    };
    match details.and_then(|details| details.credential) {
        None => Ok(none),
        Some(Credential::Oauth(token)) => {
            if token.access_token.is_empty() && token.refresh_token.is_empty() {
                return Ok(none);
            }
            let tokens = GivenCredential::Tokens {
                access: Secret::new(token.access_token),
                refresh: given(Some(token.refresh_token)).map(Secret::new),
                scopes: token.scopes,
                expires_at_ms: None,
            };
            Ok((Some(tokens), BTreeMap::new()))
        }
        Some(Credential::Static(auth)) => {
            let values = texts(
                auth.details,
                "connected_account.authorization_details.static_auth",
            )?;
            let (inputs, config): (BTreeMap<_, _>, BTreeMap<_, _>) = values
                .into_iter()
                .partition(|(name, _)| INPUTS.contains(&name.as_str()));
            if inputs.is_empty() {
                return Ok((None, config));
            }
            let inputs = inputs.into_iter().map(|(name, value)| (name, Secret::new(value)));
            Ok((Some(GivenCredential::Inputs(inputs.collect())), config))
        }
        Some(Credential::GoogleDomainWide(_)) => Err(unknown("google_dwd")),
        Some(Credential::TrustedIdp(_)) => Err(unknown("trusted_idp")),
    }
}

/// The members of a Struct as the texts that configuration is made of.
fn texts(values: Option<Struct>, field: &str) -> Result<BTreeMap<String, String>, Fault> {
    let members = structure::to_json(values.unwrap_or_default())?;
    members
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name, text)),
            Value::Number(_) | Value::Bool(_) => Ok((name, value.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(ask::invalid(&format!("{field}.{name}"), "must be text"))
            }
        })
        .collect()
}

async fn page(call: &Call, request: ListRequest) -> Result<ListResponse, Fault> {
    ask::no_organization(request.organization_id.as_deref(), request.user_id.as_deref())?;
    let access = &call.host.access;
    let caller = &call.caller;
    // The page may be another one with another size; everything else belongs to the question.
    let question = ListRequest {
        page_size: 0,
        page_token: String::new(),
        ..request.clone()
    };
    let list = format!("grpc accounts {question:?}");
    let size = match usize::try_from(request.page_size).unwrap_or(usize::MAX) {
        0 => DEFAULT_PAGE,
        size => size.min(MAX_PAGE),
    };
    if request.is_org_wide_credential == Some(true) {
        return Ok(ListResponse::default());
    }
    let mut connection_names = Vec::new();
    if request.connection_names.len() > MAX_NAMES {
        return Err(ask::invalid(
            "connection_names",
            &format!("has more than {MAX_NAMES} names"),
        ));
    }
    for name in given(request.connector).iter().chain(&request.connection_names) {
        connection_names.push(ask::connection_name(name)?);
    }
    let connector = match given(Some(request.provider)) {
        None => None,
        Some(provider) => match provider.to_ascii_lowercase().parse() {
            Ok(connector) => Some(connector),
            // No connector has such a name, so no account is of it.
            Err(_) => return Ok(ListResponse::default()),
        },
    };
    let after: Option<AccountId> = match given(Some(request.page_token)) {
        None => None,
        Some(token) => {
            let id = access.open_cursor(caller, &list, &token)?;
            Some(id.parse().map_err(Fault::internal)?)
        }
    };
    let query = AccountQuery {
        connection_names,
        connector,
        identifier: given(request.identifier).map(ask::identifier).transpose()?,
        text: given(Some(request.query)),
        after,
        limit: size + 1,
        ..AccountQuery::default()
    };
    let accounts = &call.host.accounts;
    let found = accounts.accounts(&caller.environment, &query).await?;
    let shown = &found[..found.len().min(size)];
    let next = match shown.last() {
        Some(last) if found.len() > size => access.seal_cursor(caller, &list, last.id.as_str())?,
        _ => String::new(),
    };
    // The first and only page knows how many there are without asking.
    let total = if query.after.is_none() && next.is_empty() {
        found.len()
    } else {
        accounts.count_accounts(&caller.environment, &query).await?
    };
    Ok(ListResponse {
        connected_accounts: shown.iter().map(|account| ListedAccount::of(account)).collect(),
        total_size: u32::try_from(total).unwrap_or(u32::MAX),
        next_page_token: next,
    })
}
