//! Making, listing and finding accounts.

use std::collections::BTreeMap;
use std::sync::Arc;

use valetkey_manifest::{AuthKind, ConfigInput, Manifest};

use super::Accounts;
use super::connections::{Configured, problem};
use super::directory::index_key;
use super::entry::{Entry, Kept};
use super::model::{Account, AccountState, Connection, Reason};
use super::pick::unknown_account;
use super::request::{AccountQuery, Selector};
use crate::error::{Fault, Kind, Problem};
use crate::id::{AccountId, EnvironmentId, Identifier};
use crate::journal::Actor;
use crate::store::{Expect, Record, StoreError, Table};

impl Accounts {
    /// Accounts of an environment, in order of creation.
    ///
    /// # Errors
    /// The store fails.
    pub async fn accounts(
        &self,
        environment: &EnvironmentId,
        query: &AccountQuery,
    ) -> Result<Vec<Arc<Account>>, Fault> {
        let mut found = Vec::new();
        if query.limit == 0 {
            return Ok(found);
        }
        self.walk(environment, query, query.after.as_ref(), |account| {
            found.push(account);
            found.len() < query.limit
        })
        .await?;
        Ok(found)
    }

    /// How many accounts a query matches on all of its pages.
    ///
    /// # Errors
    /// The store fails.
    pub async fn count_accounts(
        &self,
        environment: &EnvironmentId,
        query: &AccountQuery,
    ) -> Result<usize, Fault> {
        let mut count = 0;
        self.walk(environment, query, None, |_| {
            count += 1;
            true
        })
        .await?;
        Ok(count)
    }

    /// Gives every account that matches, in order of creation, to `take` until it has enough.
    async fn walk(
        &self,
        environment: &EnvironmentId,
        query: &AccountQuery,
        after: Option<&AccountId>,
        mut take: impl FnMut(Arc<Account>) -> bool,
    ) -> Result<(), Fault> {
        if let Some(identifier) = &query.identifier {
            for account in self.accounts_of(environment, identifier, query).await? {
                if after.is_none_or(|after| account.id > *after) && !take(account) {
                    break;
                }
            }
            return Ok(());
        }
        let prefix = format!("{environment}\0").into_bytes();
        let mut after = after.map(|id| super::entry::key(environment, id));
        loop {
            let page = self
                .parts
                .store
                .scan(Table::Accounts, &prefix, after.as_deref(), 256)
                .await?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            for (key, record) in page {
                let id = key
                    .strip_prefix(prefix.as_slice())
                    .and_then(|id| std::str::from_utf8(id).ok());
                let Some(id) = id.and_then(|id| AccountId::new(id).ok()) else {
                    continue;
                };
                let account = match self.glance(environment, &id, &record) {
                    Ok(account) => account,
                    Err(fault) => {
                        // One damaged record does not hide the others.
                        tracing::error!(
                            account = id.as_str(),
                            cause = fault.chain(),
                            "an account does not open"
                        );
                        continue;
                    }
                };
                if matches(&account, query) && !take(account) {
                    return Ok(());
                }
            }
        }
    }

    /// The account of a record, without taking it into memory.
    fn glance(
        &self,
        environment: &EnvironmentId,
        id: &AccountId,
        record: &Record,
    ) -> Result<Arc<Account>, Fault> {
        if let Some(entry) = self.directory.cached(id) {
            return Ok(Arc::clone(&entry.live().account));
        }
        let configured = self.directory.owner(environment, &record.value)?;
        let entry = Entry::read(&self.parts, configured, id, record)?;
        Ok(Arc::clone(&entry.live().account))
    }

    async fn accounts_of(
        &self,
        environment: &EnvironmentId,
        identifier: &Identifier,
        query: &AccountQuery,
    ) -> Result<Vec<Arc<Account>>, Fault> {
        let mut found = Vec::new();
        for configured in self.directory.all(environment) {
            if let Some(entry) = self
                .directory
                .by_owner(&self.parts, &configured, identifier)
                .await?
            {
                found.push(Arc::clone(&entry.live().account));
            }
        }
        found.retain(|account| matches(account, query));
        found.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(found)
    }

    /// The one account that a selector names: by id, or by connection and identifier.
    ///
    /// # Errors
    /// `account_not_found`; `not_found` for the connection; `invalid_input` when it could name
    /// several.
    pub async fn find_account(
        &self,
        environment: &EnvironmentId,
        selector: &Selector,
    ) -> Result<Arc<Account>, Fault> {
        let Selector {
            identifier,
            connected_account_id,
            connection_name,
        } = selector;
        if let Some(id) = connected_account_id {
            let account = self.account(environment, id).await?;
            let agree = identifier
                .as_ref()
                .is_none_or(|wanted| account.identifier == *wanted)
                && connection_name
                    .as_ref()
                    .is_none_or(|wanted| account.connection == *wanted);
            return if agree {
                Ok(account)
            } else {
                Err(unknown_account(id))
            };
        }
        let (Some(identifier), Some(name)) = (identifier, connection_name) else {
            return Err(Fault::new(
                Kind::InvalidInput,
                "An account is named by its id (`ca_…`), or by connection and identifier together.",
            ));
        };
        let configured = self.configured(environment, name)?;
        let entry = self
            .directory
            .by_owner(&self.parts, &configured, identifier)
            .await?;
        let entry = entry.ok_or_else(|| {
            Fault::new(
                Kind::AccountNotFound,
                format!(
                    "This identifier has no connected account on `{name}`. Make an authorization link \
                     (`POST /api/v1/connected_accounts/magic_link`) and let the user open it."
                ),
            )
        })?;
        Ok(Arc::clone(&entry.live().account))
    }

    /// One account.
    ///
    /// # Errors
    /// `account_not_found`.
    pub async fn account(&self, environment: &EnvironmentId, id: &AccountId) -> Result<Arc<Account>, Fault> {
        Ok(Arc::clone(&self.entry(environment, id).await?.live().account))
    }

    /// The entry of an account.
    pub(super) async fn entry(
        &self,
        environment: &EnvironmentId,
        id: &AccountId,
    ) -> Result<Arc<Entry>, Fault> {
        let entry = self.directory.by_id(&self.parts, environment, id).await?;
        entry.ok_or_else(|| unknown_account(id))
    }

    /// The account of an identifier on a connection, made when there is none.
    pub(super) async fn find_or_make(
        &self,
        configured: &Arc<Configured>,
        identifier: &Identifier,
        config: &BTreeMap<String, String>,
        actor: &Actor,
    ) -> Result<Arc<Entry>, Fault> {
        let gone = configured.gone.read().await;
        let connection = configured.connection();
        if *gone {
            return Err(Fault::new(
                Kind::NotFound,
                format!("Connection `{}` was just removed.", connection.name),
            ));
        }
        if let Some(entry) = self
            .directory
            .by_owner(&self.parts, configured, identifier)
            .await?
        {
            return Ok(entry);
        }
        let account = self.fresh(&connection, identifier, config);
        let kept = (connection.kind == AuthKind::None).then_some(Kept::None);
        let index = index_key(&self.parts, &connection.environment, &connection.name, identifier)?;
        let (entry, batch) = Entry::create(&self.parts, Arc::clone(configured), account, kept)?;
        let batch = batch.put(
            Table::AccountIndex,
            index,
            Expect::Absent,
            entry.id.as_str().as_bytes().to_vec(),
        );
        match self.parts.store.commit(batch).await {
            Ok(()) => {
                let entry = self.directory.admit(entry);
                self.parts
                    .note(
                        actor,
                        &connection.environment,
                        "account.create",
                        entry.id.as_str(),
                        "ok",
                    )
                    .await?;
                Ok(entry)
            }
            // Somebody made it at the same moment; that one is it.
            Err(StoreError::Conflict) => {
                let entry = self
                    .directory
                    .by_owner(&self.parts, configured, identifier)
                    .await?;
                entry.ok_or_else(|| StoreError::Conflict.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn fresh(
        &self,
        connection: &Connection,
        identifier: &Identifier,
        config: &BTreeMap<String, String>,
    ) -> Account {
        let now_ms = self.parts.now_ms();
        let open = connection.kind == AuthKind::None;
        Account {
            id: AccountId::generate(),
            environment: connection.environment.clone(),
            connection: connection.name.clone(),
            connector: connection.connector.clone(),
            identifier: identifier.clone(),
            state: if open {
                AccountState::Active
            } else {
                AccountState::PendingAuth
            },
            reason: (!open).then_some(Reason::NeverAuthorized),
            credential_kind: connection.kind,
            account_config: Arc::new(config.clone()),
            scopes: Arc::from([]),
            scopes_stated: false,
            subject: None,
            label: None,
            generation: u64::from(open),
            token_expires_at_ms: None,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
        }
    }
}

fn matches(account: &Account, query: &AccountQuery) -> bool {
    let names = &query.connection_names;
    let text = |wanted: &String| {
        let wanted = wanted.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        has(account.identifier.as_str())
            || has(account.connection.as_str())
            || account.label.as_deref().is_some_and(has)
    };
    (names.is_empty() || names.contains(&account.connection))
        && query
            .connector
            .as_ref()
            .is_none_or(|connector| *connector == account.connector)
        && query.state.is_none_or(|state| state == account.state)
        && query.text.as_ref().is_none_or(text)
}

/// Checks account configuration that somebody gave: known names, values as the manifest wants
/// them, since a value may become part of a host name.
pub(super) fn check_config(manifest: &Manifest, config: &BTreeMap<String, String>) -> Result<(), Fault> {
    let problems: Vec<Problem> = config
        .iter()
        .filter_map(|(name, value)| {
            let wrong = match manifest.account_config.get(name) {
                None => Some("is not asked for by this connector".to_owned()),
                Some(input) => check_value(input, value).err(),
            };
            wrong.map(|wrong| problem(format!("/account_config/{name}"), wrong))
        })
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(Fault::invalid(
        "The account configuration is not acceptable; see `fields`.",
        problems,
    ))
}

/// Checks one value against its input.
pub(super) fn check_value(input: &ConfigInput, value: &str) -> Result<(), String> {
    if value.len() > 1024 || value.chars().any(char::is_control) {
        return Err("must have at most 1,024 bytes and no control characters".to_owned());
    }
    match &input.pattern {
        Some(pattern) if !fits(pattern, value) => Err(match &input.example {
            Some(example) => format!("does not look like `{example}`"),
            None => "does not have the form that the vendor uses".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Whether the whole of `value` matches a manifest's pattern. An unreadable pattern matches
/// nothing.
pub(super) fn fits(pattern: &str, value: &str) -> bool {
    let schema = serde_json::json!({"type": "string", "pattern": format!("^(?:{pattern})$")});
    jsonschema::validator_for(&schema).is_ok_and(|validator| validator.is_valid(&serde_json::json!(value)))
}
