//! Accounts that an application makes and changes itself: with configuration that it knows, and
//! with a credential that it has already (an API key, or tokens of an earlier system) instead of
//! a link. A credential is tried at the vendor first; one that the vendor does not accept leaves
//! everything as it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use valetkey_manifest::auth::{Auth, SecretInput};
use valetkey_manifest::{AuthKind, Manifest};

use super::Accounts;
use super::connections::{Configured, problem};
use super::entry::{Entry, Keep, Kept};
use super::model::Account;
use super::request::{AccountChange, GivenCredential, NewAccount};
use super::roster::{check_config, fits};
use super::verify::{Identity, Probe, probe};
use crate::error::{Fault, Kind, Problem};
use crate::id::{AccountId, EnvironmentId};
use crate::journal::Actor;
use crate::secret::Secret;
use crate::store::Batch;

/// Bytes of one secret input or token.
const MAX_SECRET_BYTES: usize = 16 * 1024;

impl Accounts {
    /// Makes the account of an identifier on a connection, or finds it. Without a credential it
    /// waits for its owner's authorization; several callers at once get the same account.
    ///
    /// # Errors
    /// `not_found` for the connection; `invalid_input` for configuration or credential;
    /// `vendor_rejected` when the vendor does not accept the credential; `conflict` when the
    /// account is connected already and would get another configuration or credential.
    pub async fn create_account(
        &self,
        environment: &EnvironmentId,
        new: NewAccount,
        actor: &Actor,
    ) -> Result<Arc<Account>, Fault> {
        let configured = self.configured(environment, &new.connection_name)?;
        let manifest = configured.manifest(&self.parts)?;
        check_config(&manifest, &new.account_config)?;
        let Some(credential) = new.credential else {
            let entry = self
                .find_or_make(&configured, &new.identifier, &new.account_config, actor)
                .await?;
            return self.configure(&entry, new.account_config, actor).await;
        };
        let given = Given::read(&configured, &manifest, credential, self.parts.now_ms())?;
        let there = self
            .directory
            .by_owner(&self.parts, &configured, &new.identifier)
            .await?;
        if let Some(entry) = &there
            && entry.with(|live| live.credential.is_some())
        {
            return Err(connected_already(&entry.id));
        }
        let known = there.as_ref().map(|entry| Arc::clone(&entry.live().account));
        let config = merged(known.as_deref(), new.account_config);
        // An account that does not exist yet is tried under an id that no other has.
        let id = known.map_or_else(AccountId::generate, |account| account.id.clone());
        let identity = self.try_out(&configured, &given, &config, &id).await?;
        let entry = self
            .find_or_make(&configured, &new.identifier, &config, actor)
            .await?;
        self.adopt(&entry, given, config, identity, actor).await
    }

    /// Changes an account's configuration, or gives it another credential.
    ///
    /// # Errors
    /// `account_not_found`; `invalid_input` for configuration or credential; `vendor_rejected` when
    /// the vendor does not accept the credential; `conflict` for another configuration without a
    /// credential that goes with it, and for a credential of another account at the vendor.
    pub async fn update_account(
        &self,
        environment: &EnvironmentId,
        id: &AccountId,
        change: AccountChange,
        actor: &Actor,
    ) -> Result<Arc<Account>, Fault> {
        let entry = self.entry(environment, id).await?;
        let configured = Arc::clone(&entry.configured);
        let manifest = configured.manifest(&self.parts)?;
        check_config(&manifest, &change.account_config)?;
        let Some(credential) = change.credential else {
            return self.configure(&entry, change.account_config, actor).await;
        };
        let given = Given::read(&configured, &manifest, credential, self.parts.now_ms())?;
        let known = Arc::clone(&entry.live().account);
        let config = merged(Some(&known), change.account_config);
        let identity = self.try_out(&configured, &given, &config, id).await?;
        self.adopt(&entry, given, config, identity, actor).await
    }

    /// Adds configuration to an account that has no credential.
    async fn configure(
        &self,
        entry: &Arc<Entry>,
        account_config: BTreeMap<String, String>,
        actor: &Actor,
    ) -> Result<Arc<Account>, Fault> {
        let turn = entry.turn().await;
        let live = entry.live();
        let differs = account_config
            .iter()
            .any(|(name, value)| live.account.account_config.get(name) != Some(value));
        if !differs {
            return Ok(Arc::clone(&live.account));
        }
        if live.credential.is_some() {
            // A credential must never follow a configuration to another host.
            return Err(Fault::new(
                Kind::Conflict,
                format!(
                    "Account `{}` is connected with another configuration. Disconnect it first, or give the credential that goes with the new one.",
                    entry.id
                ),
            ));
        }
        let live = entry
            .write(&turn, Keep::Same, Batch::new(), |account| {
                account.account_config = Arc::new(merged(Some(account), account_config));
            })
            .await?;
        self.parts
            .note(
                actor,
                &entry.environment,
                "account.configure",
                entry.id.as_str(),
                "ok",
            )
            .await?;
        Ok(Arc::clone(&live.account))
    }

    /// Asks the vendor whether it accepts a credential, and whose it is.
    async fn try_out(
        &self,
        configured: &Configured,
        given: &Given,
        config: &BTreeMap<String, String>,
        id: &AccountId,
    ) -> Result<Identity, Fault> {
        // Of a generation that no account has.
        let tried = Arc::new(given.kept.lend(0, &configured.connection().placement));
        let (kind, text) = match probe(&self.parts, configured, config, tried, id).await {
            Probe::Accepted(identity) => return Ok(identity),
            Probe::Rejected => (
                Kind::VendorRejected,
                "The vendor does not accept this credential. Nothing was kept; check it and send it again.",
            ),
            Probe::Forbidden => (
                Kind::VendorForbidden,
                "The vendor knows this credential and does not allow its use. Nothing was kept; check its permissions.",
            ),
            Probe::Unknown => (
                Kind::VendorUnavailable,
                "The vendor could not be asked about this credential. Nothing was kept; send it again later.",
            ),
        };
        Err(Fault::new(kind, text).reason("credential_check_failed"))
    }

    async fn adopt(
        &self,
        entry: &Arc<Entry>,
        given: Given,
        config: BTreeMap<String, String>,
        identity: Identity,
        actor: &Actor,
    ) -> Result<Arc<Account>, Fault> {
        let Given {
            kept,
            scopes,
            expires_at_ms,
        } = given;
        let live = self
            .keep(entry, kept, identity, actor, |account| {
                account.account_config = Arc::new(config);
                account.token_expires_at_ms = expires_at_ms;
                if !scopes.is_empty() {
                    account.scopes = Arc::from(scopes);
                    account.scopes_stated = true;
                }
            })
            .await?;
        // Links that were open for it would replace what was just given.
        self.close_flows(&entry.environment, &entry.id).await?;
        Ok(Arc::clone(&live.account))
    }
}

fn merged(known: Option<&Account>, config: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut whole = known
        .map(|account| BTreeMap::clone(&account.account_config))
        .unwrap_or_default();
    whole.extend(config);
    whole
}

fn connected_already(id: &AccountId) -> Fault {
    Fault::new(
        Kind::Conflict,
        format!("Account `{id}` is connected already. Update it to give it another credential."),
    )
}

/// A credential that was given, in the form in which it is kept.
struct Given {
    kept: Kept,
    scopes: Vec<String>,
    expires_at_ms: Option<i64>,
}

impl Given {
    /// Checks that the credential is of the connection's kind and whole.
    fn read(
        configured: &Configured,
        manifest: &Manifest,
        credential: GivenCredential,
        now_ms: i64,
    ) -> Result<Self, Fault> {
        let kind = configured.connection().kind;
        match (kind, credential) {
            (
                AuthKind::Oauth2,
                GivenCredential::Tokens {
                    access,
                    refresh,
                    scopes,
                    expires_at_ms,
                },
            ) => {
                check_tokens(&access, refresh.as_ref())?;
                let kept = Kept::Token {
                    // Both go into the seal.
                    access: access.expose().to_owned(),
                    refresh: refresh.map(|token| token.expose().to_owned()),
                    issued_at_ms: now_ms,
                    stated_ms: None,
                };
                Ok(Self {
                    kept,
                    scopes,
                    expires_at_ms,
                })
            }
            (AuthKind::ApiKey | AuthKind::Bearer | AuthKind::Basic, GivenCredential::Inputs(values)) => {
                Ok(Self {
                    kept: from_inputs(configured, manifest, values)?,
                    scopes: Vec::new(),
                    expires_at_ms: None,
                })
            }
            (AuthKind::None, _) => Err(refused("This connection needs no credential: leave it out.")),
            (AuthKind::Oauth2, GivenCredential::Inputs(_)) => Err(refused(
                "This connection takes OAuth tokens. Make an authorization link, or give the tokens themselves.",
            )),
            (kind, GivenCredential::Tokens { .. }) => Err(refused(&format!(
                "This connection does not use OAuth. Give the inputs of its kind: {}.",
                super::connections::list(&usual_inputs(kind).map(|(name, _)| name).collect::<Vec<_>>())
            ))),
        }
    }
}

fn refused(text: &str) -> Fault {
    Fault::invalid(
        text,
        vec![problem(
            "/credential",
            "is not of the kind that this connection takes",
        )],
    )
}

fn check_tokens(access: &Secret, refresh: Option<&Secret>) -> Result<(), Fault> {
    let tokens = [("access_token", Some(access)), ("refresh_token", refresh)];
    let problems: Vec<Problem> = tokens
        .into_iter()
        .filter(|(_, token)| token.is_some_and(|token| !sound(token.expose())))
        .map(|(name, _)| problem(format!("/credential/{name}"), UNSOUND))
        .collect();
    whole(problems)
}

/// Every complaint about the inputs at once, none with a value.
fn from_inputs(
    configured: &Configured,
    manifest: &Manifest,
    mut values: BTreeMap<String, Secret>,
) -> Result<Kept, Fault> {
    let mut problems = Vec::new();
    let mut secrets = BTreeMap::new();
    for (name, input) in inputs(configured, manifest) {
        let value = values.remove(&name);
        let value = value.as_ref().map_or("", |value| value.expose().trim());
        let path = format!("/credential/{name}");
        if value.is_empty() {
            problems.push(problem(path, "is missing"));
        } else if !sound(value) {
            problems.push(problem(path, UNSOUND));
        } else if input
            .pattern
            .as_deref()
            .is_some_and(|pattern| !fits(pattern, value))
        {
            problems.push(problem(path, "does not have the form that the vendor uses"));
        }
        // Goes into the seal.
        secrets.insert(name, value.to_owned());
    }
    problems.extend(values.keys().map(|name| {
        problem(
            format!("/credential/{name}"),
            "is not asked for by this connection",
        )
    }));
    whole(problems)?;
    kept_of(configured.connection().kind, secrets).ok_or_else(|| Fault::internal("inputs of another kind"))
}

const UNSOUND: &str = "must have 1 to 16,384 bytes and no control characters";

fn sound(value: &str) -> bool {
    (1..=MAX_SECRET_BYTES).contains(&value.len()) && !value.chars().any(char::is_control)
}

fn whole(problems: Vec<Problem>) -> Result<(), Fault> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(Fault::invalid(
        "The credential is not acceptable; see `fields`.",
        problems,
    ))
}

/// The credential of a kind from its checked inputs; none for kinds without any.
pub(super) fn kept_of(kind: AuthKind, mut secrets: BTreeMap<String, String>) -> Option<Kept> {
    let mut take = |name: &str| secrets.remove(name).unwrap_or_default();
    let token = |access| Kept::Token {
        access,
        refresh: None,
        issued_at_ms: 0,
        stated_ms: None,
    };
    match kind {
        AuthKind::Oauth2 | AuthKind::None => None,
        AuthKind::ApiKey => Some(token(take("api_key"))),
        AuthKind::Bearer => Some(token(take("token"))),
        AuthKind::Basic => Some(Kept::Basic {
            username: take("username"),
            password: take("password"),
        }),
    }
}

/// Names and usual titles of a kind's inputs.
fn usual_inputs(kind: AuthKind) -> impl Iterator<Item = (&'static str, &'static str)> {
    let inputs: &[(&str, &str)] = match kind {
        AuthKind::Oauth2 | AuthKind::None => &[],
        AuthKind::ApiKey => &[("api_key", "API key")],
        AuthKind::Bearer => &[("token", "Token")],
        AuthKind::Basic => &[("username", "User name"), ("password", "Password")],
    };
    inputs.iter().copied()
}

/// The credential inputs of the connection's kind, as its manifest declares them.
pub(super) fn inputs(configured: &Configured, manifest: &Manifest) -> Vec<(String, SecretInput)> {
    let connection = configured.connection();
    let declared = manifest
        .auth
        .iter()
        .find(|scheme: &&Auth| scheme.id == connection.auth);
    usual_inputs(connection.kind)
        .map(|(name, title)| {
            let declared = declared.and_then(|scheme| scheme.inputs.get(name)).cloned();
            let usual = || SecretInput {
                title: title.to_owned(),
                description: None,
                pattern: None,
            };
            (name.to_owned(), declared.unwrap_or_else(usual))
        })
        .collect()
}
