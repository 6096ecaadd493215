//! Links: what the application asks for and gives to the account's owner.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use valetkey_manifest::AuthKind;

use crate::accounts::Accounts;
use crate::accounts::connections::problem;
use crate::accounts::flow::{Flow, Stage, digest_of};
use crate::accounts::model::{Account, Reason};
use crate::accounts::page::Link;
use crate::accounts::parts::millis;
use crate::accounts::request::LinkRequest;
use crate::accounts::roster::check_config;
use crate::error::{Fault, Kind};
use crate::id::{AuthRequestId, ConnectionName, EnvironmentId, Identifier};
use crate::journal::Actor;
use crate::secret::Secret;

/// Longest state of the application.
const MAX_STATE_BYTES: usize = 1024;

impl Accounts {
    /// Makes a link for the account's owner.
    ///
    /// # Errors
    /// `not_found`, `invalid_input` (a `user_verify_url` that the connection does not list).
    pub async fn create_link(
        &self,
        environment: &EnvironmentId,
        request: LinkRequest,
        actor: &Actor,
    ) -> Result<Link, Fault> {
        let (link, _) = self.make_link(environment, request, actor).await?;
        Ok(link)
    }

    /// The link by which an owner can mend an account; the open one again while there is one.
    pub(in crate::accounts) async fn mend(&self, account: &Account) -> Option<String> {
        let now_ms = self.parts.now_ms();
        if let Some(ticket) = self.flows.mending(&account.environment, &account.id, now_ms) {
            return Some(self.link_url(&ticket));
        }
        let configured = self
            .directory
            .configured(&account.environment, &account.connection)?;
        let connection = configured.connection();
        if connection.kind == AuthKind::None {
            return None;
        }
        let request = LinkRequest {
            connection_name: account.connection.clone(),
            identifier: account.identifier.clone(),
            // An application that confirms its users confirms them here too.
            user_verify_url: connection.user_verify_urls.first().cloned(),
            state: None,
            account_config: BTreeMap::new(),
        };
        match self.make_link(&account.environment, request, &Actor::Host).await {
            Ok((link, ticket)) => {
                self.flows
                    .mended_by(account.id.clone(), link.auth_request_id, ticket);
                Some(link.authorization_link)
            }
            Err(fault) => {
                tracing::warn!(
                    account = account.id.as_str(),
                    kind = fault.kind().as_str(),
                    cause = fault.chain(),
                    "no link to mend an account"
                );
                None
            }
        }
    }

    /// The link by which a user connects an account on a connection, or mends the one that is
    /// there; the open one again while there is one. None where nothing has to be authorized.
    ///
    /// # Errors
    /// `not_found` for the connection; the store fails.
    pub async fn connecting_link(
        &self,
        environment: &EnvironmentId,
        connection: &ConnectionName,
        identifier: &Identifier,
        actor: &Actor,
    ) -> Result<Option<String>, Fault> {
        let configured = self.configured(environment, connection)?;
        let entry = self
            .find_or_make(&configured, identifier, &BTreeMap::new(), actor)
            .await?;
        let account = entry.with(|live| Arc::clone(&live.account));
        Ok(self.mend(&account).await)
    }

    pub(super) fn link_url(&self, ticket: &Secret) -> String {
        // The ticket is what a link is: whoever gets it may connect the account.
        format!("{}/connect/{}", self.parts.public_url, ticket.expose())
    }

    async fn make_link(
        &self,
        environment: &EnvironmentId,
        request: LinkRequest,
        actor: &Actor,
    ) -> Result<(Link, Secret), Fault> {
        let configured = self.configured(environment, &request.connection_name)?;
        let connection = configured.connection();
        if connection.kind == AuthKind::None {
            return Err(Fault::new(
                Kind::InvalidInput,
                format!(
                    "Connection `{}` needs no authorization: make the account, and use it.",
                    connection.name
                ),
            ));
        }
        if let Some(url) = &request.user_verify_url
            && !connection.user_verify_urls.contains(url)
        {
            return Err(Fault::invalid(
                format!(
                    "Connection `{}` does not list this `user_verify_url`. The operator adds it there, exactly as written.",
                    connection.name
                ),
                vec![problem("/user_verify_url", "is not one of the connection's")],
            ));
        }
        if request
            .state
            .as_ref()
            .is_some_and(|state| state.len() > MAX_STATE_BYTES)
        {
            return Err(Fault::invalid(
                "The state is too long.",
                vec![problem("/state", "has more than 1,024 bytes")],
            ));
        }
        check_config(&*configured.manifest(&self.parts)?, &request.account_config)?;
        let entry = self
            .find_or_make(&configured, &request.identifier, &request.account_config, actor)
            .await?;
        let ticket = Secret::new(crate::random::token());
        let expires_at_ms =
            self.parts.now_ms() + millis(Duration::from_secs(self.parts.settings.flow_seconds));
        let flow = Flow {
            id: AuthRequestId::generate(),
            environment: environment.clone(),
            connection: connection.name.clone(),
            account: entry.id.clone(),
            identifier: request.identifier,
            expires_at_ms,
            user_verify_url: request.user_verify_url,
            app_state: request.state,
            account_config: request.account_config,
            ticket: digest_of(ticket.expose()),
            stage: Stage::Open { tries: 0 },
            revision: 1,
        };
        let lapsed = self.flows.begin(&self.parts, &flow).await?;
        for account in lapsed {
            if let Some(entry) = self.directory.by_id(&self.parts, environment, &account).await? {
                self.step_back(&entry, Reason::VerificationFailed, &Actor::Host)
                    .await?;
            }
        }
        self.parts
            .note(actor, environment, "account.link", entry.id.as_str(), "ok")
            .await?;
        let link = Link {
            authorization_link: self.link_url(&ticket),
            auth_request_id: flow.id,
            connected_account_id: entry.id.clone(),
            expires_at: Timestamp::from_millisecond(expires_at_ms)
                .map_err(Fault::internal)?
                .to_string(),
        };
        Ok((link, ticket))
    }
}
