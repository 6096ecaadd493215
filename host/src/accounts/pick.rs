//! Which account a call uses: exactly one, or a fault that names the choices or the way out. On
//! the path of every call: an account in use costs one look into the directory, no store, no
//! decryption.

use std::sync::Arc;

use super::connections::{Configured, list};
use super::entry::Entry;
use super::model::{Account, AccountState, Connection, Reason};
use super::refresh::Lender;
use super::request::Selector;
use super::{Accounts, Usable};
use crate::error::{Fault, Kind};
use crate::id::{AccountId, ConnectorId, EnvironmentId, Identifier};

/// The one account that a call means.
pub struct Picked {
    /// The account.
    pub account: Arc<Account>,
    /// Its connection.
    pub connection: Arc<Connection>,
    entry: Arc<Entry>,
}

impl Picked {
    /// The account with its credential, lent.
    ///
    /// # Errors
    /// `account_not_active`, with the reason.
    pub fn usable(&self) -> Result<Usable, Fault> {
        if self.account.state != AccountState::Active {
            return Err(not_active(&self.account));
        }
        Ok(Usable {
            account: Arc::clone(&self.account),
            connection: Arc::clone(&self.connection),
            credentials: Arc::new(Lender(Arc::clone(&self.entry))),
        })
    }
}

impl Accounts {
    /// Exactly one account of `connector`, whatever its state, or a fault that names the choices.
    ///
    /// An account that is disconnected, or was never authorized, is a choice only when there is no
    /// other; an expired one stays a choice, so that no call moves silently from one account to
    /// another.
    ///
    /// # Errors
    /// `account_not_found`, `account_ambiguous`, `invalid_input` when the selector names nothing.
    pub async fn pick(
        &self,
        environment: &EnvironmentId,
        connector: &ConnectorId,
        selector: &Selector,
    ) -> Result<Picked, Fault> {
        let entry = match (&selector.connected_account_id, &selector.identifier) {
            (Some(id), identifier) => {
                self.pick_by_id(environment, connector, id, identifier.as_ref(), selector)
                    .await?
            }
            (None, Some(identifier)) => {
                self.pick_by_identifier(environment, connector, identifier, selector)
                    .await?
            }
            (None, None) => {
                return Err(Fault::new(
                    Kind::InvalidInput,
                    "The call names no account. Give `identifier` (your key for the user) or `connected_account_id`.",
                ));
            }
        };
        Ok(Picked {
            account: entry.with(|live| Arc::clone(&live.account)),
            connection: entry.configured.connection(),
            entry,
        })
    }

    /// A new link for an account, for faults that want one; none when none can be made. The link
    /// that is open already is answered again.
    pub async fn mending_link(&self, account: &Account) -> Option<String> {
        self.mend(account).await
    }

    async fn pick_by_id(
        &self,
        environment: &EnvironmentId,
        connector: &ConnectorId,
        id: &AccountId,
        identifier: Option<&Identifier>,
        selector: &Selector,
    ) -> Result<Arc<Entry>, Fault> {
        let entry = self.directory.by_id(&self.parts, environment, id).await?;
        let entry = entry.filter(|entry| {
            let connection = entry.configured.connection();
            selector
                .connection_name
                .as_ref()
                .is_none_or(|name| *name == connection.name)
                && identifier.is_none_or(|wanted| entry.with(|live| live.account.identifier == *wanted))
        });
        let entry = entry.ok_or_else(|| unknown_account(id))?;
        let owner = &entry.configured.connection().connector;
        if owner != connector {
            return Err(Fault::new(
                Kind::AccountNotFound,
                format!(
                    "Account `{id}` belongs to the connector `{owner}`; this tool needs one of `{connector}`."
                ),
            )
            .reason("wrong_connector"));
        }
        Ok(entry)
    }

    async fn pick_by_identifier(
        &self,
        environment: &EnvironmentId,
        connector: &ConnectorId,
        identifier: &Identifier,
        selector: &Selector,
    ) -> Result<Arc<Entry>, Fault> {
        let wanted = |connection: &Connection| {
            connection.connector == *connector
                && selector
                    .connection_name
                    .as_ref()
                    .is_none_or(|name| *name == connection.name)
        };
        let seen: Vec<(Arc<Configured>, Option<Arc<Entry>>)> =
            self.directory.look(environment, identifier, |configured, entry| {
                wanted(&configured.connection()).then(|| (Arc::clone(configured), entry.cloned()))
            });
        let mut found = Vec::with_capacity(seen.len());
        for (configured, entry) in &seen {
            let entry = match entry {
                Some(entry) => Some(Arc::clone(entry)),
                None => {
                    self.directory
                        .by_owner(&self.parts, configured, identifier)
                        .await?
                }
            };
            found.extend(entry);
        }
        if found.len() > 1 && found.iter().any(counts) {
            found.retain(counts);
        }
        match found.len() {
            1 => Ok(found.swap_remove(0)),
            0 => Err(self.nobody(environment, connector, selector, &seen)),
            _ => Err(ambiguous(connector, &found)),
        }
    }

    fn nobody(
        &self,
        environment: &EnvironmentId,
        connector: &ConnectorId,
        selector: &Selector,
        seen: &[(Arc<Configured>, Option<Arc<Entry>>)],
    ) -> Fault {
        let all = self.directory.all(environment);
        let of_connector: Vec<String> = all
            .iter()
            .map(|configured| configured.connection())
            .filter(|connection| connection.connector == *connector)
            .map(|connection| connection.name.to_string())
            .collect();
        let message = match (&selector.connection_name, seen.is_empty()) {
            (Some(name), true) => format!(
                "There is no connection `{name}` of `{connector}`. Connections of `{connector}`: {}.",
                list(&of_connector)
            ),
            (None, true) => format!("There is no connection of `{connector}`. The operator makes one first."),
            (_, false) => {
                let names: Vec<String> = seen
                    .iter()
                    .map(|(configured, _)| configured.connection().name.to_string())
                    .collect();
                format!(
                    "This identifier has no connected account on {}. Make an authorization link \
                     (`POST /api/v1/connected_accounts/magic_link`) and let the user open it.",
                    list(&names)
                )
            }
        };
        Fault::new(Kind::AccountNotFound, message)
    }
}

/// Whether an account is a choice beside others.
fn counts(entry: &Arc<Entry>) -> bool {
    entry.with(|live| {
        !matches!(
            live.account.state,
            AccountState::Disconnected | AccountState::PendingAuth
        )
    })
}

fn ambiguous(connector: &ConnectorId, found: &[Arc<Entry>]) -> Fault {
    let choices: Vec<String> = found
        .iter()
        .map(|entry| {
            let account = entry.with(|live| Arc::clone(&live.account));
            match &account.label {
                Some(label) => format!("`{}` ({label})", account.connection),
                None => format!("`{}`", account.connection),
            }
        })
        .collect();
    Fault::new(
        Kind::AccountAmbiguous,
        format!(
            "This identifier has several accounts of `{connector}`: {}. Name one by `connection_name`.",
            choices.join(", ")
        ),
    )
}

/// No account of this environment has this id.
pub(super) fn unknown_account(id: &AccountId) -> Fault {
    Fault::new(
        Kind::AccountNotFound,
        format!(
            "There is no connected account `{id}` that matches. `GET /api/v1/connected_accounts` lists them."
        ),
    )
}

/// The account is there and cannot be used.
pub(super) fn not_active(account: &Account) -> Fault {
    let what = match account.state {
        AccountState::PendingAuth => "was never authorized",
        AccountState::PendingVerification => {
            "waits for your application to confirm its owner (`POST /api/v1/connected_accounts/user/verify`)"
        }
        AccountState::Active => "cannot be used",
        AccountState::Expired => "is no longer accepted by the vendor",
        AccountState::Disconnected => "was disconnected",
    };
    let why = account
        .reason
        .map(|reason| format!(" ({})", reason.as_str()))
        .unwrap_or_default();
    let fault = Fault::new(
        Kind::AccountNotActive,
        format!(
            "The account on connection `{}` {what}{why}. Its owner can authorize it by an authorization link.",
            account.connection
        ),
    );
    match account.reason {
        Some(reason) => fault.reason(reason.as_str()),
        None => fault,
    }
}

impl Reason {
    /// The code that callers see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NeverAuthorized => "never_authorized",
            Self::ConsentDenied => "consent_denied",
            Self::VerificationFailed => "verification_failed",
            Self::RefreshRejected => "refresh_rejected",
            Self::RefreshUnreachable => "refresh_unreachable",
            Self::RefreshOutcomeUnknown => "refresh_outcome_unknown",
            Self::ScopeMissing => "scope_missing",
            Self::RevokedByUser => "revoked_by_user",
            Self::DisabledByOperator => "disabled_by_operator",
            Self::CredentialCheckFailed => "credential_check_failed",
        }
    }
}
