//! Accounts that an application makes and changes itself: with configuration that it knows, and
//! with a credential that it has already (an API key, or tokens of an earlier system) instead of
//! a link. A credential is tried at the vendor first; one that the vendor does not accept leaves
//! everything as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use valetkey_manifest::auth::{Auth, SecretInput};
use valetkey_manifest::{AuthKind, Manifest};

use super::Accounts;
use super::connections::{Configured, problem};
use super::discover::Site;
use super::entry::{Entry, Keep, Kept, KeptInputs};
use super::model::Account;
use super::request::{AccountChange, GivenCredential, NewAccount};
use super::roster::{check_config, fits};
use super::trial::{Trial, Tried, try_out};
use super::verify::Probe;
use crate::error::{Fault, Kind, Problem};
use crate::id::{AccountId, EnvironmentId};
use crate::journal::Actor;
use crate::secret::Secret;
use crate::store::Batch;

/// Bytes of one secret input or token.
const MAX_SECRET_BYTES: usize = 16 * 1024;
/// Sites that a complaint names.
const MAX_NAMED_SITES: usize = 20;

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
        let config = new.account_config;
        let accepted = self
            .accepted(&configured, &manifest, given, known.as_deref(), config)
            .await?;
        let entry = self
            .find_or_make(&configured, &new.identifier, &accepted.tried.config, actor)
            .await?;
        self.adopt(&entry, accepted, actor).await
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
        let config = change.account_config;
        let accepted = self
            .accepted(&configured, &manifest, given, Some(&known), config)
            .await?;
        self.adopt(&entry, accepted, actor).await
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

    /// Asks the vendor whether it accepts a credential, and whose it is. `config` came with it.
    async fn accepted(
        &self,
        configured: &Configured,
        manifest: &Manifest,
        given: Given,
        known: Option<&Account>,
        config: BTreeMap<String, String>,
    ) -> Result<Accepted, Fault> {
        let Given {
            kept,
            scopes,
            expires_at_ms,
        } = given;
        // An account that does not exist yet is tried under an id that no other has.
        let id = known.map_or_else(AccountId::generate, |account| account.id.clone());
        let named = match known {
            Some(account) => named_by_application(account, &config),
            None => config.clone(),
        };
        let whole = merged(known, config);
        let trial = try_out(&self.parts, configured, manifest, &named, whole, kept, &id).await;
        let (kind, text) = match trial {
            Ok(Trial::Sites { sites, .. }) => return Err(which_site(&sites)),
            Ok(Trial::Good(tried)) => {
                return Ok(Accepted {
                    expires_at_ms: expires_at_ms.or(tried.kept.expires_at_ms()),
                    tried,
                    scopes,
                });
            }
            Err(Probe::Rejected) => (
                Kind::VendorRejected,
                "The vendor does not accept this credential. Nothing was kept; check it and send it again.".to_owned(),
            ),
            Err(Probe::Forbidden) => (
                Kind::VendorForbidden,
                "The vendor knows this credential and does not allow its use. Nothing was kept; check its permissions.".to_owned(),
            ),
            Err(Probe::Unusable(problem)) => (
                Kind::InvalidInput,
                format!("The credential cannot be used: {problem}. Nothing was kept; send it again."),
            ),
            Err(Probe::NoSite) => (
                Kind::VendorRejected,
                "The vendor accepts this credential, and it opens no site there. Nothing was kept; its owner asks the site's administrator for access, or gives another credential.".to_owned(),
            ),
            Err(Probe::OtherSite) => (
                Kind::VendorRejected,
                "The vendor accepts this credential, and it does not open the site that `account_config` names. Nothing was kept; name another site, or none, or give another credential.".to_owned(),
            ),
            Err(Probe::Accepted(_) | Probe::Unknown) => (
                Kind::VendorUnavailable,
                "The vendor could not be asked about this credential. Nothing was kept; send it again later.".to_owned(),
            ),
        };
        Err(Fault::new(kind, text).reason("credential_check_failed"))
    }

    async fn adopt(
        &self,
        entry: &Arc<Entry>,
        accepted: Accepted,
        actor: &Actor,
    ) -> Result<Arc<Account>, Fault> {
        let Accepted {
            tried:
                Tried {
                    kept,
                    config,
                    identity,
                },
            scopes,
            expires_at_ms,
        } = accepted;
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

/// A given credential that the vendor accepted.
struct Accepted {
    tried: Tried,
    scopes: Vec<String>,
    expires_at_ms: Option<i64>,
}

/// The part of the configuration that the application named for the credential to come: what comes
/// with it, and what it gave an account that never had one.
pub(super) fn named_by_application(
    account: &Account,
    config: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut named = if account.generation == 0 {
        BTreeMap::clone(&account.account_config)
    } else {
        BTreeMap::new()
    };
    named.extend(config.clone());
    named
}

/// The application has to say which of several sites it means.
fn which_site(sites: &[Site]) -> Fault {
    let one = |site: &Site| {
        let values: Vec<String> = site
            .set
            .iter()
            .map(|(name, value)| format!("{name} = {value:?}"))
            .collect();
        format!("{} ({:?})", values.join(", "), site.label)
    };
    let shown: Vec<String> = sites.iter().take(MAX_NAMED_SITES).map(one).collect();
    let names = sites.iter().flat_map(|site| site.set.keys());
    let names: BTreeSet<&String> = names.collect();
    Fault::invalid(
        "This credential opens several sites at the vendor. Nothing was kept; name one in `account_config`, see `fields`.",
        names
            .into_iter()
            .map(|name| {
                problem(
                    format!("/account_config/{name}"),
                    format!("is needed, of one of: {}", shown.join("; ")),
                )
            })
            .collect(),
    )
    .reason("site_needed")
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
            (AuthKind::None, _) => Err(refused("This connection needs no credential: leave it out.")),
            (AuthKind::Oauth2, GivenCredential::Inputs(_)) => Err(refused(
                "This connection takes OAuth tokens. Make an authorization link, or give the tokens themselves.",
            )),
            (_, GivenCredential::Inputs(values)) => Ok(Self {
                kept: from_inputs(configured, manifest, values)?,
                scopes: Vec::new(),
                expires_at_ms: None,
            }),
            (_, GivenCredential::Tokens { .. }) => {
                let inputs = inputs(configured, manifest);
                let names: Vec<&str> = inputs.iter().map(|(name, _)| name.as_str()).collect();
                Err(refused(&format!(
                    "This connection takes no tokens. Give the inputs of its kind: {}.",
                    super::connections::list(&names)
                )))
            }
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
        .filter(|(_, token)| token.is_some_and(|token| !sound(token.expose(), None)))
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
    let inputs = inputs(configured, manifest);
    for (name, input) in &inputs {
        let value = values.remove(name);
        let value = value.map_or_else(String::new, |value| pasted(value.expose(), Some(input)));
        let path = format!("/credential/{name}");
        if value.is_empty() {
            if !input.optional {
                problems.push(problem(path, "is missing"));
            }
            continue;
        } else if !sound(&value, Some(input)) {
            problems.push(problem(path, UNSOUND));
        } else if input
            .pattern
            .as_deref()
            .is_some_and(|pattern| !fits(pattern, &value))
        {
            problems.push(problem(path, "does not have the form that the vendor uses"));
        }
        // Goes into the seal.
        secrets.insert(name.clone(), value);
    }
    problems.extend(values.keys().map(|name| {
        problem(
            format!("/credential/{name}"),
            "is not asked for by this connection",
        )
    }));
    whole(problems)?;
    kept_of(configured.connection().kind, &inputs, secrets)
        .ok_or_else(|| Fault::internal("inputs of another kind"))
}

const UNSOUND: &str = "must have 1 to 16,384 bytes and no control characters";

/// Whether a value can be a credential: not too long, and with line breaks where there may be
/// some.
pub(super) fn sound(value: &str, input: Option<&SecretInput>) -> bool {
    let multiline = input.is_some_and(|input| input.multiline);
    (1..=MAX_SECRET_BYTES).contains(&value.len())
        && !value.chars().any(|c| c.is_control() && !(multiline && c == '\n'))
}

/// A value as it was meant: pasted ones come with blanks around them, and private keys out of
/// JSON files with their line breaks escaped.
pub(super) fn pasted(value: &str, input: Option<&SecretInput>) -> String {
    let value = value.trim();
    if !input.is_some_and(|input| input.multiline) {
        return value.to_owned();
    }
    let lines = value.replace("\r\n", "\n");
    if lines.contains('\n') {
        lines
    } else {
        lines.replace("\\n", "\n").trim().to_owned()
    }
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
pub(super) fn kept_of(
    kind: AuthKind,
    inputs: &[(String, SecretInput)],
    mut values: BTreeMap<String, String>,
) -> Option<Kept> {
    let mut take = |name: &str| values.remove(name).unwrap_or_default();
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
        AuthKind::Keys | AuthKind::JwtBearer | AuthKind::ClientCredentials => {
            let is_secret = |name: &String| inputs.iter().any(|(known, input)| known == name && input.secret);
            let (secret, open) = values.into_iter().partition(|(name, _)| is_secret(name));
            Some(Kept::Inputs(KeptInputs { secret, open }))
        }
    }
}

/// Names and usual titles of a kind's inputs.
fn usual_inputs(kind: AuthKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        AuthKind::ApiKey => &[("api_key", "API key")],
        AuthKind::Bearer => &[("token", "Token")],
        AuthKind::Basic => &[("username", "User name"), ("password", "Password")],
        AuthKind::Oauth2
        | AuthKind::Keys
        | AuthKind::JwtBearer
        | AuthKind::ClientCredentials
        | AuthKind::None => &[],
    }
}

/// The credential inputs of the connection's kind, as its manifest declares them.
pub(super) fn inputs(configured: &Configured, manifest: &Manifest) -> Vec<(String, SecretInput)> {
    let connection = configured.connection();
    let declared = manifest
        .auth
        .iter()
        .find(|scheme: &&Auth| scheme.id == connection.auth)
        .map(|scheme| &scheme.inputs);
    if matches!(
        connection.kind,
        AuthKind::Keys | AuthKind::JwtBearer | AuthKind::ClientCredentials
    ) {
        let declared = declared.into_iter().flatten();
        return declared
            .map(|(name, input)| (name.clone(), input.clone()))
            .collect();
    }
    usual_inputs(connection.kind)
        .iter()
        .map(|(name, title)| {
            let declared = declared.and_then(|inputs| inputs.get(*name)).cloned();
            (
                (*name).to_owned(),
                declared.unwrap_or_else(|| SecretInput::titled(title)),
            )
        })
        .collect()
}
