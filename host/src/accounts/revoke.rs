//! Ending an account: unusable at once here, then revoked at the vendor (RFC 7009). What is to
//! be revoked is written down, sealed, together with the end of the account, and stays written
//! until the vendor has confirmed it: a host that stops goes on when it starts again.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use zeroize::Zeroize;

use valetkey_manifest::auth::RevokeToken;

use super::connections::Configured;
use super::directory::index_key;
use super::entry::{Entry, Keep, Kept, key};
use super::model::{Account, AccountState, Reason};
use super::page::Revocation;
use super::parts::{Parts, backoff};
use super::quirks::{Grant, Refusal};
use super::refresh::intent_key;
use super::sealed::{self, Spot};
use super::token_endpoint::{self, Endpoint, Failure};
use super::{Accounts, activate};
use crate::error::Fault;
use crate::id::{AccountId, EnvironmentId};
use crate::journal::Actor;
use crate::store::{Batch, Expect, Table};

/// The longest pause between two tries.
const LONGEST_BACKOFF: Duration = Duration::from_secs(3600);
/// Tries after which a vendor's refusal (not its silence) is taken as final.
const REFUSALS: u32 = 5;

const PREFIX: &[u8] = b"revoke\0";

/// A token to revoke, with all that it takes, also after its connection is gone.
#[derive(Serialize, Deserialize)]
struct Owed {
    endpoint: Endpoint,
    token: String,
    hint: String,
}

impl Drop for Owed {
    fn drop(&mut self) {
        self.token.zeroize();
    }
}

/// A revocation that is written down.
struct Task {
    environment: EnvironmentId,
    account: AccountId,
    key: Vec<u8>,
    owed: Owed,
}

fn owed(configured: &Configured, account: &Account, kept: &Kept) -> Result<Option<Owed>, Fault> {
    let connection = configured.connection();
    let Some(oauth2) = &connection.oauth2 else {
        return Ok(None);
    };
    let (Some(url), Kept::Token { access, refresh, .. }) = (&oauth2.revoke_url, kept) else {
        return Ok(None);
    };
    let (token, hint) = match (oauth2.revoke_token, refresh) {
        (RevokeToken::Refresh, Some(refresh)) => (refresh, "refresh_token"),
        _ => (access, "access_token"),
    };
    let url = token_endpoint::fill(url, &account.account_config)?;
    Ok(Some(Owed {
        endpoint: Endpoint::of(&connection, configured.client_secret.as_ref(), url),
        token: token.clone(),
        hint: hint.to_owned(),
    }))
}

fn spot<'a>(environment: &'a EnvironmentId, account: &'a str) -> Spot<'a> {
    Spot {
        record: "revocation",
        environment,
        connection: "",
        identifier: account,
        field: "token",
    }
}

/// Adds the revocation of `kept` to a batch.
fn plan(
    parts: &Parts,
    configured: &Configured,
    account: &Account,
    kept: &Kept,
    batch: Batch,
) -> Result<(Batch, Option<Task>), Fault> {
    let Some(owed) = owed(configured, account, kept)? else {
        return Ok((batch, None));
    };
    let environment = account.environment.clone();
    let mut key = [PREFIX, &key(&environment, &account.id)].concat();
    // One account may owe several: each has a key of its own.
    key.extend_from_slice(format!("\0{}", crate::random::token()).as_bytes());
    let value = sealed::seal(&parts.vault, spot(&environment, account.id.as_str()), 1, &owed)?;
    let batch = batch.put(Table::Intents, key.clone(), Expect::Absent, value);
    Ok((
        batch,
        Some(Task {
            environment,
            account: account.id.clone(),
            key,
            owed,
        }),
    ))
}

/// Revokes a grant that arrived for an account that no longer wants it.
pub(super) async fn discard(entry: &Entry, account: &Account, grant: &Grant) -> Result<(), Fault> {
    let kept = activate::kept(grant, None, entry.parts.now_ms());
    discard_kept(entry, account, &kept).await
}

/// Revokes a credential that no account wants.
pub(super) async fn discard_kept(entry: &Entry, account: &Account, kept: &Kept) -> Result<(), Fault> {
    let (batch, task) = plan(&entry.parts, &entry.configured, account, kept, Batch::new())?;
    let Some(task) = task else { return Ok(()) };
    entry.parts.store.commit(batch).await?;
    entry
        .parts
        .note(
            &Actor::Host,
            &entry.environment,
            "account.discard",
            entry.id.as_str(),
            "revoking",
        )
        .await?;
    drop(spawn(&entry.parts, task));
    Ok(())
}

impl Task {
    /// One try. Answers whether it is over.
    async fn attempt(&self, parts: &Parts, tries: u32) -> Result<bool, Fault> {
        let outcome = match self
            .owed
            .endpoint
            .revoke(parts, &self.owed.token, &self.owed.hint)
            .await
        {
            Ok(()) => "ok",
            Err(Failure::Refused(refusal @ (Refusal::Other(_) | Refusal::Client))) if tries >= REFUSALS => {
                refusal.code()
            }
            Err(failure) => {
                tracing::warn!(
                    account = self.account.as_str(),
                    code = failure.code(),
                    "a revocation did not succeed yet"
                );
                return Ok(false);
            }
        };
        parts
            .note(
                &Actor::Host,
                &self.environment,
                "account.revoke",
                self.account.as_str(),
                outcome,
            )
            .await?;
        parts
            .store
            .commit(Batch::new().delete(Table::Intents, self.key.clone(), Expect::Any))
            .await?;
        Ok(true)
    }
}

/// Tries until it is over or the host stops, whether or not the caller waits. Answers whether it
/// was over after the first try.
fn spawn(parts: &Arc<Parts>, task: Task) -> oneshot::Receiver<bool> {
    let parts = Arc::clone(parts);
    let (first, answer) = oneshot::channel();
    tokio::spawn(async move {
        let mut first = Some(first);
        let mut tries = 0;
        loop {
            tries += 1;
            let over = task.attempt(&parts, tries).await.unwrap_or_else(|fault| {
                tracing::error!(
                    account = task.account.as_str(),
                    cause = fault.chain(),
                    "a revocation could not be recorded"
                );
                false
            });
            if let Some(first) = first.take() {
                // The caller may have gone away.
                let _ = first.send(over);
            }
            if over {
                return;
            }
            tokio::select! {
                () = parts.stop.cancelled() => return,
                () = tokio::time::sleep(backoff(tries, LONGEST_BACKOFF)) => {}
            }
        }
    });
    answer
}

/// Takes up the revocations that an earlier run of the host left.
pub(super) async fn resume(parts: &Arc<Parts>) -> Result<(), Fault> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = parts
            .store
            .scan(Table::Intents, PREFIX, after.as_deref(), 256)
            .await?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = Some(last.clone());
        for (key, record) in page {
            let text = String::from_utf8_lossy(&key[PREFIX.len()..]).into_owned();
            let mut named = text.split('\0');
            let (Some(Ok(environment)), Some(Ok(account))) = (
                named.next().map(EnvironmentId::new),
                named.next().map(AccountId::new),
            ) else {
                continue;
            };
            match sealed::open::<Owed>(&parts.vault, spot(&environment, account.as_str()), &record.value) {
                Ok(owed) => drop(spawn(
                    parts,
                    Task {
                        environment,
                        account,
                        key,
                        owed,
                    },
                )),
                Err(fault) => tracing::error!(
                    account = account.as_str(),
                    cause = fault.chain(),
                    "a pending revocation does not open"
                ),
            }
        }
    }
}

impl Accounts {
    /// Ends an account: unusable at once, revoked at the vendor, its credential destroyed.
    ///
    /// # Errors
    /// `account_not_found`, the store fails.
    pub async fn disconnect(
        &self,
        environment: &EnvironmentId,
        id: &AccountId,
        actor: &Actor,
    ) -> Result<Revocation, Fault> {
        let entry = self.entry(environment, id).await?;
        self.close_flows(environment, id).await?;
        let turn = entry.turn().await;
        let live = entry.live();
        if live.account.state == AccountState::Disconnected {
            return self.settled(&entry).await;
        }
        let batch = Batch::new().delete(Table::Intents, intent_key(environment, id), Expect::Any);
        let (batch, task) = match live.kept.as_deref() {
            Some(kept) => plan(&self.parts, &entry.configured, &live.account, kept, batch)?,
            None => (batch, None),
        };
        let reason = match actor {
            Actor::Operator => Reason::DisabledByOperator,
            Actor::Client(_) | Actor::Browser(_) | Actor::Host => Reason::RevokedByUser,
        };
        entry
            .write(&turn, Keep::Nothing, batch, |account| {
                account.state = AccountState::Disconnected;
                account.reason = Some(reason);
                // Whoever connects next may be another account of the vendor.
                account.subject = None;
                account.label = None;
                account.scopes = Arc::from([]);
                account.scopes_stated = false;
            })
            .await?;
        drop(turn);
        self.parts
            .note(actor, environment, "account.disconnect", id.as_str(), "ok")
            .await?;
        let Some(task) = task else {
            return Ok(Revocation::NotSupported);
        };
        let over = spawn(&self.parts, task).await.unwrap_or(false);
        Ok(if over {
            Revocation::Revoked
        } else {
            Revocation::Pending
        })
    }

    /// Ends an account and removes its record.
    ///
    /// # Errors
    /// As [`Accounts::disconnect`].
    pub async fn delete(
        &self,
        environment: &EnvironmentId,
        id: &AccountId,
        actor: &Actor,
    ) -> Result<Revocation, Fault> {
        let revocation = self.disconnect(environment, id, actor).await?;
        let entry = self.entry(environment, id).await?;
        let turn = entry.turn().await;
        let live = entry.live();
        let account = &live.account;
        let index = index_key(&self.parts, environment, &account.connection, &account.identifier)?;
        let batch = Batch::new()
            .delete(Table::Accounts, key(environment, id), Expect::Any)
            .delete(Table::AccountIndex, index, Expect::Any)
            .delete(Table::Intents, intent_key(environment, id), Expect::Any);
        self.parts.store.commit(batch).await?;
        entry.bury(&live);
        drop(turn);
        self.directory.forget(&entry);
        self.parts
            .note(actor, environment, "account.delete", id.as_str(), "ok")
            .await?;
        Ok(revocation)
    }

    /// What became of an earlier disconnection.
    async fn settled(&self, entry: &Entry) -> Result<Revocation, Fault> {
        let prefix = [PREFIX, &key(&entry.environment, &entry.id)].concat();
        if !self
            .parts
            .store
            .scan(Table::Intents, &prefix, None, 1)
            .await?
            .is_empty()
        {
            return Ok(Revocation::Pending);
        }
        let connection = entry.configured.connection();
        let supported = connection
            .oauth2
            .as_ref()
            .is_some_and(|oauth2| oauth2.revoke_url.is_some());
        Ok(if supported {
            Revocation::Revoked
        } else {
            Revocation::NotSupported
        })
    }
}
