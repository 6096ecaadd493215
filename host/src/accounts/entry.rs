//! One account in memory: what it is, its credential ready to lend, and the one way in which
//! either changes. A record in the store lies as `generation, connection, account, credential`,
//! the last two sealed; the credential's seal binds its generation.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use tokio::sync::MutexGuard;
use zeroize::Zeroize;

use valetkey_manifest::Placement;

use super::connections::Configured;
use super::model::{Account, AccountState, Reason};
use super::parts::{Parts, millis};
use super::refresh::Renewal;
use super::sealed::{self, Spot, corrupt};
use crate::egress::{Credential, Inputs, Material};
use crate::error::Fault;
use crate::id::{AccountId, EnvironmentId};
use crate::secret::Secret;
use crate::store::{Batch, Expect, Record, Table};

/// A credential as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Kept {
    /// An OAuth grant, an API key or a bearer token.
    Token {
        access: String,
        refresh: Option<String>,
        issued_at_ms: i64,
        /// The lifetime that the vendor stated, before it was clamped.
        stated_ms: Option<u64>,
    },
    /// User name and password.
    Basic { username: String, password: String },
    /// What signatures are made of, or what a token endpoint has not been asked with yet.
    Inputs(KeptInputs),
    /// An access token, and the inputs by which another is asked for.
    Exchanged {
        inputs: KeptInputs,
        access: String,
        issued_at_ms: i64,
        stated_ms: Option<u64>,
        expires_at_ms: Option<i64>,
    },
    /// Nothing is needed.
    None,
}

/// What an account's owner gave, by the manifest's names.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct KeptInputs {
    pub secret: BTreeMap<String, String>,
    pub open: BTreeMap<String, String>,
}

impl Drop for KeptInputs {
    fn drop(&mut self) {
        self.secret.values_mut().for_each(Zeroize::zeroize);
    }
}

impl KeptInputs {
    /// The inputs as egress takes them.
    pub fn lend(&self) -> Inputs {
        let secret = |(name, text): (&String, &String)| (name.clone(), Secret::new(text.clone()));
        Inputs {
            secret: self.secret.iter().map(secret).collect(),
            open: self.open.clone(),
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        match self {
            Self::Token { access, refresh, .. } => {
                access.zeroize();
                refresh.zeroize();
            }
            Self::Basic { username, password } => {
                username.zeroize();
                password.zeroize();
            }
            Self::Exchanged { access, .. } => access.zeroize(),
            // Inputs wipe themselves.
            Self::Inputs(_) | Self::None => {}
        }
    }
}

impl Kept {
    /// When the access token runs out that came with it, milliseconds since 1970.
    pub fn expires_at_ms(&self) -> Option<i64> {
        match self {
            Self::Exchanged { expires_at_ms, .. } => *expires_at_ms,
            _ => None,
        }
    }

    /// The credential as egress takes it, of an account with this configuration.
    pub fn lend(
        &self,
        generation: u64,
        placement: &Placement,
        config: &Arc<BTreeMap<String, String>>,
    ) -> Credential {
        let secret = |text: &String| Secret::new(text.clone());
        let material = match self {
            Self::Token { access, .. } => Material::Token(secret(access)),
            Self::Basic { username, password } => Material::Basic {
                username: secret(username),
                password: secret(password),
            },
            Self::Inputs(inputs) => Material::Inputs(inputs.lend()),
            Self::Exchanged { inputs, access, .. } => Material::Exchanged {
                token: secret(access),
                inputs: inputs.lend(),
            },
            Self::None => Material::None,
        };
        Credential::new(generation, material, placement.clone()).of_account(Arc::clone(config))
    }
}

/// What a token endpoint is asked with for the next access token.
pub(super) enum Source {
    RefreshToken(Secret),
    Inputs(KeptInputs),
}

/// An account at one moment.
pub(super) struct Live {
    pub account: Arc<Account>,
    /// What is lent; none when there is nothing to lend.
    pub credential: Option<Arc<Credential>>,
    pub kept: Option<Arc<Kept>>,
    /// From when on the access token is refreshed before it is lent, milliseconds since 1970.
    pub refresh_at_ms: Option<i64>,
    /// The record's revision in the store.
    pub revision: u64,
}

impl Live {
    fn new(
        account: Account,
        kept: Option<Arc<Kept>>,
        revision: u64,
        parts: &Parts,
        placement: &Placement,
    ) -> Self {
        let refresh_at_ms = match (kept.as_deref(), account.token_expires_at_ms) {
            // Nothing renews it: it serves until it runs out.
            (Some(Kept::Token { refresh: None, .. }), expires) => expires,
            (
                Some(Kept::Token { issued_at_ms, .. } | Kept::Exchanged { issued_at_ms, .. }),
                Some(expires),
            ) => {
                let margin = millis(Duration::from_secs(parts.settings.refresh_margin_seconds));
                Some(expires - margin.min((expires - issued_at_ms).max(0) / 5))
            }
            _ => None,
        };
        Self {
            credential: kept
                .as_ref()
                .map(|kept| Arc::new(kept.lend(account.generation, placement, &account.account_config))),
            account: Arc::new(account),
            kept,
            refresh_at_ms,
            revision,
        }
    }

    /// What brings the next access token, if anything does.
    pub fn source(&self) -> Option<Source> {
        match self.kept.as_deref() {
            Some(Kept::Exchanged { inputs, .. }) => Some(Source::Inputs(inputs.clone())),
            _ => self.refresh_token().map(Source::RefreshToken),
        }
    }

    /// The refresh token, if there is one.
    pub fn refresh_token(&self) -> Option<Secret> {
        match self.kept.as_deref() {
            Some(Kept::Token { refresh, .. }) => refresh.clone().map(Secret::new),
            _ => None,
        }
    }

    /// Whether the access token is still good at `now_ms`.
    pub fn good_at(&self, now_ms: i64) -> bool {
        self.account
            .token_expires_at_ms
            .is_none_or(|expires| now_ms < expires)
    }

    /// Whether it is time to refresh at `now_ms`.
    pub fn due_at(&self, now_ms: i64) -> bool {
        self.refresh_at_ms.is_some_and(|due| now_ms >= due)
    }
}

/// Key of an account's record, and of its refresh intent.
pub(super) fn key(environment: &EnvironmentId, id: &AccountId) -> Vec<u8> {
    format!("{environment}\0{id}").into_bytes()
}

/// One account. There is one entry per account in this process, ever.
pub(super) struct Entry {
    pub parts: Arc<Parts>,
    pub configured: Arc<Configured>,
    pub environment: EnvironmentId,
    pub id: AccountId,
    live: ArcSwap<Live>,
    /// Held while the record is changed; never across a request to a vendor.
    turn: tokio::sync::Mutex<()>,
    /// Refreshing: the flight, the backoff, a pair that waits for the disk.
    pub renewal: Mutex<Renewal>,
    /// A tick of the directory: which entries may leave the cache.
    pub last_used: AtomicU64,
}

impl Entry {
    /// An account that is not in the store yet, with the batch that puts it there.
    pub fn create(
        parts: &Arc<Parts>,
        configured: Arc<Configured>,
        account: Account,
        kept: Option<Kept>,
    ) -> Result<(Self, Batch), Fault> {
        let bytes = encode(parts, &account, kept.as_ref())?;
        let batch = Batch::new().put(
            Table::Accounts,
            key(&account.environment, &account.id),
            Expect::Absent,
            bytes,
        );
        Ok((Self::new(parts, configured, account, kept, 1), batch))
    }

    /// The account of a record.
    pub fn read(
        parts: &Arc<Parts>,
        configured: Arc<Configured>,
        id: &AccountId,
        record: &Record,
    ) -> Result<Self, Fault> {
        let stored = Stored::parse(&record.value)?;
        let environment = &configured.connection().environment.clone();
        let spot = |field| Spot {
            record: "account",
            environment,
            connection: stored.connection,
            identifier: id.as_str(),
            field,
        };
        let account: Account = sealed::open(&parts.vault, spot("account"), stored.account)?;
        let kept = match stored.credential {
            [] => None,
            bytes => Some(sealed::open::<Kept>(&parts.vault, spot("credential"), bytes)?),
        };
        Ok(Self::new(parts, configured, account, kept, record.revision))
    }

    fn new(
        parts: &Arc<Parts>,
        configured: Arc<Configured>,
        account: Account,
        kept: Option<Kept>,
        revision: u64,
    ) -> Self {
        let placement = configured.connection().placement.clone();
        Self {
            parts: Arc::clone(parts),
            environment: account.environment.clone(),
            id: account.id.clone(),
            live: ArcSwap::from_pointee(Live::new(
                account,
                kept.map(Arc::new),
                revision,
                parts,
                &placement,
            )),
            configured,
            turn: tokio::sync::Mutex::new(()),
            renewal: Mutex::default(),
            last_used: AtomicU64::new(0),
        }
    }

    /// The account now.
    pub fn live(&self) -> Arc<Live> {
        self.live.load_full()
    }

    /// Runs `look` on the account now, without counting a reference.
    pub fn with<T>(&self, look: impl FnOnce(&Live) -> T) -> T {
        look(&self.live.load())
    }

    /// Marks the entry as used at a tick of the directory.
    pub fn touch(&self, tick: u64) {
        self.last_used.store(tick, Ordering::Relaxed);
    }

    /// The right to change the record. Nothing else changes it until the guard goes.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Writes the account as `change` leaves it, durably, together with `with`. The credential
    /// stays unless `kept` says otherwise. A caller that goes away does not stop it: memory follows
    /// the store whatever happens.
    pub async fn write(
        self: &Arc<Self>,
        _turn: &MutexGuard<'_, ()>,
        kept: Keep,
        with: Batch,
        change: impl FnOnce(&mut Account),
    ) -> Result<Arc<Live>, Fault> {
        let before = self.live();
        let mut account = Account::clone(&before.account);
        change(&mut account);
        account.updated_at_ms = self.parts.now_ms();
        let kept = match kept {
            Keep::Same => before.kept.clone(),
            Keep::New(kept) => {
                account.generation += 1;
                Some(Arc::new(kept))
            }
            Keep::Nothing => {
                account.generation += 1;
                account.token_expires_at_ms = None;
                None
            }
        };
        let bytes = encode(&self.parts, &account, kept.as_deref())?;
        let expect = Expect::Revision(before.revision);
        let batch = with.put(Table::Accounts, key(&self.environment, &self.id), expect, bytes);
        let placement = &self.configured.connection().placement.clone();
        let live = Arc::new(Live::new(
            account,
            kept,
            before.revision + 1,
            &self.parts,
            placement,
        ));
        let (entry, written) = (Arc::clone(self), Arc::clone(&live));
        let task = tokio::spawn(async move {
            entry.parts.store.commit(batch).await?;
            entry.live.store(written);
            Ok::<(), Fault>(())
        });
        task.await.map_err(Fault::internal)??;
        Ok(live)
    }

    /// Shows a reason on the account without writing it: what passes by itself.
    pub fn show(&self, _turn: &MutexGuard<'_, ()>, reason: Reason) {
        let before = self.live();
        let mut account = Account::clone(&before.account);
        account.reason = Some(reason);
        self.live.store(Arc::new(Live {
            account: Arc::new(account),
            credential: before.credential.clone(),
            kept: before.kept.clone(),
            refresh_at_ms: before.refresh_at_ms,
            revision: before.revision,
        }));
    }

    /// The record is gone from the store: nothing of it is lent any more.
    pub fn bury(&self, live: &Live) {
        let mut account = Account::clone(&live.account);
        account.state = AccountState::Disconnected;
        account.generation += 1;
        self.live.store(Arc::new(Live {
            account: Arc::new(account),
            credential: None,
            kept: None,
            refresh_at_ms: None,
            revision: live.revision,
        }));
    }
}

/// What becomes of the credential in a write.
pub(super) enum Keep {
    /// It stays; so does its generation.
    Same,
    /// Another one, of the next generation.
    New(Kept),
    /// None; its generation ends.
    Nothing,
}

/// The parts of a stored record.
pub(super) struct Stored<'a> {
    pub connection: &'a str,
    account: &'a [u8],
    credential: &'a [u8],
}

impl<'a> Stored<'a> {
    /// Takes a record apart: one byte of length and the connection's name, four of length and the
    /// account, the rest is the credential.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let cut = || corrupt("account", "cut off");
        let (&length, rest) = bytes.split_first().ok_or_else(cut)?;
        let (connection, rest) = rest.split_at_checked(length.into()).ok_or_else(cut)?;
        let connection = std::str::from_utf8(connection).map_err(|_| corrupt("account", "without a name"))?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(Fault::internal)?;
        let (account, credential) = rest.split_at_checked(length).ok_or_else(cut)?;
        Ok(Self {
            connection,
            account,
            credential,
        })
    }
}

fn encode(parts: &Parts, account: &Account, kept: Option<&Kept>) -> Result<Vec<u8>, Fault> {
    let connection = account.connection.as_str();
    let spot = |field| Spot {
        record: "account",
        environment: &account.environment,
        connection,
        identifier: account.id.as_str(),
        field,
    };
    let sealed_account = sealed::seal(&parts.vault, spot("account"), account.generation, account)?;
    let sealed_credential = match kept {
        Some(kept) => sealed::seal(&parts.vault, spot("credential"), account.generation, kept)?,
        None => Vec::new(),
    };
    let mut out = Vec::with_capacity(8 + connection.len() + sealed_account.len() + sealed_credential.len());
    out.push(u8::try_from(connection.len()).map_err(Fault::internal)?);
    out.extend_from_slice(connection.as_bytes());
    out.extend_from_slice(
        &u32::try_from(sealed_account.len())
            .map_err(Fault::internal)?
            .to_be_bytes(),
    );
    out.extend_from_slice(&sealed_account);
    out.extend_from_slice(&sealed_credential);
    Ok(out)
}
