//! How far a user is on the connections of a server: what each account's status is, and where
//! the user connects one.

use std::sync::Arc;

use super::{AuthState, Principal, Servers, Target};
use crate::access::Caller;
use crate::accounts::{AccountQuery, AccountState, Connection, Selector};
use crate::error::{Fault, Kind};
use crate::id::{ConnectionName, ConnectorId, EnvironmentId, Identifier};
use crate::journal::Actor;

/// Accounts of one user that are looked at.
const MAX_ACCOUNTS: usize = 1_000;

impl AuthState {
    /// Whether the user's tools run on this connection now.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.account
            .as_ref()
            .is_some_and(|account| account.state == AccountState::Active)
    }
}

impl Servers {
    /// How far a user is on each connection of a server. With `links`, a link for every connection
    /// that is not usable yet.
    ///
    /// # Errors
    /// `not_found` for the server or connection; the store fails.
    pub async fn auth_state(
        &self,
        caller: &Caller,
        target: &Target,
        identifier: &Identifier,
        links: bool,
    ) -> Result<Vec<AuthState>, Fault> {
        let environment = &caller.environment;
        let names = match target {
            Target::Connection(name) => vec![name.clone()],
            Target::Server(id) => {
                let server = self.server(environment, id)?;
                server
                    .mappings
                    .iter()
                    .map(|mapping| mapping.connection_name.clone())
                    .collect()
            }
        };
        let mut states = self.states_on(environment, &names, identifier).await?;
        if links {
            for state in states.iter_mut().filter(|state| !state.is_active()) {
                state.link = self
                    .accounts
                    .connecting_link(environment, &state.connection, identifier, &caller.actor())
                    .await?;
            }
        }
        Ok(states)
    }

    /// Where a principal connects their account on a connection; none where nothing has to be
    /// authorized.
    ///
    /// # Errors
    /// The store fails.
    pub async fn connecting_link(
        &self,
        who: &Principal,
        connection: &ConnectionName,
    ) -> Result<Option<String>, Fault> {
        let actor = Actor::Client(who.caller.client.to_string());
        self.accounts
            .connecting_link(&who.caller.environment, connection, &who.identifier, &actor)
            .await
    }

    /// Whether the account that a selector of [`Servers::selector`] means can be used now.
    ///
    /// # Errors
    /// The store fails.
    pub async fn is_connected(&self, who: &Principal, selector: &Selector) -> Result<bool, Fault> {
        let names: Vec<ConnectionName> = selector.connection_name.iter().cloned().collect();
        let states = self
            .states_on(&who.caller.environment, &names, &who.identifier)
            .await?;
        Ok(states.iter().any(AuthState::is_active))
    }

    /// The states on the named connections, or on all when none is named. A connection that is
    /// not there any more has none.
    pub(super) async fn states_on(
        &self,
        environment: &EnvironmentId,
        names: &[ConnectionName],
        identifier: &Identifier,
    ) -> Result<Vec<AuthState>, Fault> {
        let query = AccountQuery {
            identifier: Some(identifier.clone()),
            limit: MAX_ACCOUNTS,
            ..AccountQuery::default()
        };
        let accounts = self.accounts.accounts(environment, &query).await?;
        let wanted = |connection: &Connection| names.is_empty() || names.contains(&connection.name);
        let connections = self.accounts.connections(environment).await?;
        Ok(connections
            .iter()
            .filter(|connection| wanted(connection))
            .map(|connection| AuthState {
                connection: connection.name.clone(),
                connector: connection.connector.clone(),
                account: accounts
                    .iter()
                    .find(|account| account.connection == connection.name)
                    .map(Arc::clone),
                link: None,
            })
            .collect())
    }
}

/// A user has a usable account on several connections that show a tool.
pub(super) fn ambiguous(connector: &ConnectorId, connections: &[&ConnectionName]) -> Fault {
    let names: Vec<String> = connections.iter().map(|name| format!("`{name}`")).collect();
    Fault::new(
        Kind::AccountAmbiguous,
        format!(
            "This user has accounts of `{connector}` on several connections of this server: {}. The operator makes a server for each connection, or disconnects one of them.",
            names.join(", ")
        ),
    )
}
