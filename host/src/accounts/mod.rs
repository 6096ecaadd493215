//! Connections and connected accounts: how a user's account is connected, kept usable and
//! disconnected.
//!
//! Called by `call` (pick an account, lend its credential) and by the edges. No function here
//! answers a token: a credential leaves only as `egress::Credentials`.
//!
//! `connections` and `roster` keep the records, `directory` has those in use in memory, `entry` is
//! one account and the only place that changes it. `connect` is the way in (with `flow`, its
//! attempts), `provision` the way for credentials that an application has already; `trial` tries what
//! either brings, `discover` finds the site that it is for. `refresh` keeps a credential good, `revoke` is the way out; `token_endpoint`,
//! `assertion` and `quirks` speak to authorization servers.

mod activate;
mod assertion;
mod connect;
mod connections;
mod directory;
mod discover;
mod entry;
mod flow;
pub mod model;
mod page;
mod parts;
mod pick;
mod pins;
mod provision;
mod quirks;
mod refresh;
mod request;
mod revoke;
mod roster;
pub(crate) mod sealed;
mod token_endpoint;
mod trial;
mod verify;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config;
use crate::egress::{Credentials, Egress};
use crate::error::Fault;
use crate::id::EnvironmentId;
use crate::journal::Journal;
use crate::registry::Registry;
use crate::store::Store;
use crate::vault::Vault;

use directory::Directory;
use flow::Flows;
use parts::Parts;

pub use connections::UNNAMED_APPLICATION;
pub use model::{Account, AccountState, Connection, Reason};
pub use page::{
    CallbackQuery, ChoicePage, ConnectedPage, Consent, FormField, FormPage, Link, Permission, Revocation,
    SiteOption, Step, WaitingPage,
};
pub use pick::Picked;
pub use request::{
    AccountChange, AccountQuery, ConnectionChange, GivenCredential, LinkRequest, NewAccount, NewConnection,
    NewOAuthApp, Selector,
};

/// An account that may be used now, with all that a call needs of it.
#[derive(Clone)]
pub struct Usable {
    /// The account.
    pub account: Arc<Account>,
    /// Its connection.
    pub connection: Arc<Connection>,
    /// Its credential, lent.
    pub credentials: Arc<dyn Credentials>,
}

/// Connections and accounts of all environments.
pub struct Accounts {
    parts: Arc<Parts>,
    directory: Arc<Directory>,
    flows: Flows,
    /// Held while a connection pins a version and while one is removed, so that none is removed
    /// that was just pinned.
    pinning: tokio::sync::Mutex<()>,
}

impl Drop for Accounts {
    fn drop(&mut self) {
        self.parts.stop.cancel();
    }
}

impl Accounts {
    /// Opens it: recovers unfinished refreshes, starts pending revocations.
    ///
    /// `public_url` begins links and redirect URIs (`https://host[:port]`, no trailing slash).
    ///
    /// # Errors
    /// The store fails.
    #[allow(clippy::too_many_arguments, reason = "the parts of the host, each once")]
    pub async fn open(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        egress: Arc<Egress>,
        registry: Arc<Registry>,
        journal: Arc<Journal>,
        settings: config::OAuth,
        clock: Clock,
        public_url: String,
    ) -> Result<Arc<Self>, Fault> {
        let parts = Arc::new(Parts {
            store,
            vault,
            egress,
            registry,
            journal,
            settings,
            clock,
            public_url,
            stop: CancellationToken::new(),
        });
        let directory = Arc::new(Directory::default());
        for configured in connections::load(&parts).await? {
            directory.add(configured);
        }
        let flows = Flows::load(&parts).await?;
        let accounts = Arc::new(Self {
            parts,
            directory,
            flows,
            pinning: tokio::sync::Mutex::default(),
        });
        accounts.recover().await?;
        revoke::resume(&accounts.parts).await?;
        Ok(accounts)
    }

    /// How many authorization attempts of an environment are open.
    #[must_use]
    pub fn open_flows(&self, environment: &EnvironmentId) -> usize {
        self.flows.count(environment)
    }

    /// Presents once more the refresh tokens whose last presentation has no known outcome.
    async fn recover(&self) -> Result<(), Fault> {
        for (environment, id) in refresh::unfinished(&self.parts).await? {
            if let Some(entry) = self.directory.by_id(&self.parts, &environment, &id).await? {
                // It flies by itself; whoever needs the account joins it.
                drop(entry.fly(refresh::Why::Recover));
            }
        }
        Ok(())
    }
}
