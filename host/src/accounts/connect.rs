//! Connecting an account: link, consent or form, confirmation, exchange. Every step takes the
//! attempt away from the one before it, so that each happens once.
//!
//! `link` makes an attempt, `callback` and `form` are the two ways through it, `choice` asks for what
//! neither says, `exchange` is its good end. Here is what they share, and the steps between them.

mod callback;
mod choice;
mod exchange;
mod form;
mod link;

use std::collections::BTreeMap;
use std::sync::Arc;

use oauth2::url::Url;

use super::Accounts;
use super::connections::Configured;
use super::entry::{Entry, Keep, Kept};
use super::flow::{Digest, Flow, Stage, digest_of, invalid};
use super::model::{Account, AccountState, Reason};
use super::page::{Step, WaitingPage};
use super::parts::Parts;
use super::revoke;
use super::token_endpoint::{authorization, fill};
use crate::egress::Credential;
use crate::error::Fault;
use crate::id::{AccountId, AuthRequestId, EnvironmentId, Identifier};
use crate::journal::Actor;
use crate::secret::Secret;
use crate::store::Batch;

use choice::{choice_page, is_chooser};
use exchange::Onward;
use form::{fields, form_page};

impl Accounts {
    /// The browser opened a link: who asks for what, with the form where there is one. It changes
    /// nothing, because mail scanners and previews open links, too. `browser` is the value of the
    /// browser's cookie, if it has one: the one that gave consent is told what it waits for.
    ///
    /// # Errors
    /// `flow_invalid`.
    pub async fn open_link(&self, ticket: &str, browser: Option<&Secret>) -> Result<Step, Fault> {
        let flow = self.of_ticket(ticket).await?;
        let (configured, entry) = self.of_flow(&flow).await?;
        let manifest = configured.manifest(&self.parts)?;
        let came = browser.map(|browser| digest_of(browser.expose()));
        match &flow.stage {
            Stage::Choice { sites, .. } if is_chooser(&flow.stage, came) => {
                return Ok(choice_page(&configured, &manifest, ticket, sites, None));
            }
            Stage::Open { .. } | Stage::Consent { .. } | Stage::Choice { .. } => {}
            Stage::Code { browser: owner, .. } | Stage::Form { browser: owner, .. } => {
                return match &flow.user_verify_url {
                    Some(url) if owner.is_some() && *owner == came => Ok(Step::Waiting(WaitingPage {
                        application: configured.connection().application_name.clone(),
                        vendor: manifest.connector.title.clone(),
                        url: with_attempt(url, &flow)?,
                    })),
                    _ => Err(invalid()),
                };
            }
        }
        let account = Arc::clone(&entry.live().account);
        let fields = fields(&configured, &manifest, &flow, &account);
        let config = whole_config(&account, &flow);
        Ok(Step::Form(form_page(
            &configured,
            &manifest,
            &config,
            ticket,
            fields,
        )))
    }

    /// A program, which reads no page, follows a link of a vendor in development: it is sent on at
    /// once, and whoever brings the vendor's answer is believed. Everything else is as in
    /// [`Self::open_link`].
    ///
    /// # Errors
    /// `flow_invalid`.
    pub async fn follow_link(&self, ticket: &str) -> Result<Step, Fault> {
        let flow = self.of_ticket(ticket).await?;
        let (configured, entry) = self.of_flow(&flow).await?;
        let connection = configured.connection();
        // Plain http is loopback alone: nobody else's browser can be sent there.
        let loopback = |url: &str| connection.development && url.starts_with("http://");
        let manifest = configured.manifest(&self.parts)?;
        let open = matches!(flow.stage, Stage::Open { .. } | Stage::Consent { .. });
        if open
            && connection
                .oauth2
                .as_ref()
                .is_some_and(|oauth2| loopback(&oauth2.authorize_url))
            && fields(&configured, &manifest, &flow, &entry.live().account).is_empty()
        {
            return self.consent(flow, &configured, &entry, None).await;
        }
        self.open_link(ticket, None).await
    }

    async fn of_ticket(&self, ticket: &str) -> Result<Flow, Fault> {
        self.flows
            .by_ticket(&self.parts, ticket)
            .await?
            .ok_or_else(invalid)
    }

    async fn consent(
        &self,
        mut flow: Flow,
        configured: &Configured,
        entry: &Arc<Entry>,
        browser: Option<Digest>,
    ) -> Result<Step, Fault> {
        let connection = configured.connection();
        let Some(oauth2) = &connection.oauth2 else {
            return Err(Fault::internal("a connection without OAuth has no form fields"));
        };
        let config = whole_config(&entry.live().account, &flow);
        let state = crate::random::token();
        let (url, verifier) = authorization(&connection, &fill(&oauth2.authorize_url, &config)?, &state)?;
        let stage = Stage::Consent {
            state: digest_of(&state),
            verifier: verifier.expose().to_owned(),
            browser,
        };
        self.flows.advance(&self.parts, &mut flow, stage).await?;
        Ok(Step::Redirect(url))
    }

    /// Sends the browser to the application, which knows who is there.
    async fn await_confirmation(
        &self,
        flow: &Flow,
        entry: &Arc<Entry>,
        url: &str,
        actor: &Actor,
    ) -> Result<Step, Fault> {
        let turn = entry.turn().await;
        if entry.with(|live| live.account.state != AccountState::Active) {
            entry
                .write(&turn, Keep::Same, Batch::new(), |account| {
                    account.state = AccountState::PendingVerification;
                    account.reason = None;
                })
                .await?;
        }
        drop(turn);
        self.parts
            .note(
                actor,
                &flow.environment,
                "account.consent",
                entry.id.as_str(),
                "waits_for_verification",
            )
            .await?;
        Ok(Step::Redirect(with_attempt(url, flow)?))
    }

    /// The application confirms who completed a link; only now is the code exchanged, unless the owner
    /// had to be asked for a site.
    ///
    /// # Errors
    /// `flow_invalid` for an unknown, expired or used attempt or another identifier (the same
    /// answer), the vendor's refusal.
    pub async fn verify_user(
        &self,
        environment: &EnvironmentId,
        auth_request: &AuthRequestId,
        identifier: &Identifier,
        actor: &Actor,
    ) -> Result<Arc<Account>, Fault> {
        let flow = self
            .flows
            .by_id(&self.parts, environment, auth_request)
            .await?
            .ok_or_else(invalid)?;
        if !matches!(flow.stage, Stage::Code { .. } | Stage::Form { .. }) {
            return Err(invalid());
        }
        self.flows.end(&self.parts, &flow).await?;
        let (configured, entry) = self.of_flow(&flow).await?;
        if flow.identifier != *identifier {
            // Somebody else gave consent: nothing of it is kept.
            if let Stage::Form { kept, .. } = &flow.stage {
                revoke::discard_kept(&entry, &entry.live().account, kept).await?;
            }
            self.step_back(&entry, Reason::VerificationFailed, actor).await?;
            return Err(invalid());
        }
        let mut flow = flow;
        match std::mem::replace(&mut flow.stage, Stage::Open { tries: 0 }) {
            Stage::Code {
                ref mut code,
                ref mut verifier,
                ..
            } => {
                let (code, verifier) = (
                    Secret::new(std::mem::take(code)),
                    Secret::new(std::mem::take(verifier)),
                );
                let onward = Onward {
                    open: false,
                    confirm: false,
                    browser: None,
                };
                self.exchange(&mut flow, (&configured, &entry), &code, &verifier, actor, onward)
                    .await?;
            }
            Stage::Form {
                ref mut kept,
                ref mut identity,
                ref mut terms,
                ..
            } => {
                let kept = std::mem::replace(kept, Kept::None);
                let identity = identity.take().unwrap_or_default();
                let terms = terms.take();
                self.keep(&entry, kept, identity, actor, |account| {
                    account.account_config = Arc::new(whole_config(account, &flow));
                    if let Some(terms) = &terms {
                        terms.put_on(account);
                    }
                })
                .await?;
            }
            Stage::Open { .. } | Stage::Consent { .. } | Stage::Choice { .. } => return Err(invalid()),
        }
        Ok(Arc::clone(&entry.live().account))
    }

    /// An attempt failed: an account that was not usable says why; one that was stays as it is.
    async fn step_back(&self, entry: &Arc<Entry>, reason: Reason, actor: &Actor) -> Result<(), Fault> {
        let turn = entry.turn().await;
        let waits = entry.with(|live| {
            matches!(
                live.account.state,
                AccountState::PendingAuth | AccountState::PendingVerification
            )
        });
        if waits {
            entry
                .write(&turn, Keep::Same, Batch::new(), |account| {
                    account.state = AccountState::PendingAuth;
                    account.reason = Some(reason);
                })
                .await?;
        }
        drop(turn);
        self.parts
            .note(
                actor,
                &entry.environment,
                "account.refuse",
                entry.id.as_str(),
                reason.as_str(),
            )
            .await
    }

    /// Ends every attempt of an account.
    pub(super) async fn close_flows(&self, environment: &EnvironmentId, id: &AccountId) -> Result<(), Fault> {
        self.flows.end_all(&self.parts, environment, id).await
    }

    async fn of_flow(&self, flow: &Flow) -> Result<(Arc<Configured>, Arc<Entry>), Fault> {
        let entry = self
            .directory
            .by_id(&self.parts, &flow.environment, &flow.account)
            .await?;
        let entry = entry.ok_or_else(invalid)?;
        Ok((Arc::clone(&entry.configured), entry))
    }
}

/// The application's `user_verify_url`, with what it needs to confirm this attempt.
fn with_attempt(url: &str, flow: &Flow) -> Result<String, Fault> {
    let mut url = Url::parse(url).map_err(Fault::internal)?;
    url.query_pairs_mut()
        .append_pair("auth_request_id", flow.id.as_str());
    if let Some(state) = &flow.app_state {
        url.query_pairs_mut().append_pair("state", state);
    }
    Ok(url.into())
}

/// Who asks, and of whom, as faults name them.
struct Names {
    application: String,
    vendor: String,
}

impl Names {
    fn of(configured: &Configured, parts: &Parts) -> Self {
        let connection = configured.connection();
        Self {
            application: connection.application_name.clone(),
            vendor: configured.manifest(parts).map_or_else(
                |_| connection.connector.to_string(),
                |manifest| manifest.connector.title.clone(),
            ),
        }
    }
}

/// Configuration that the account has, with what this attempt brought.
fn whole_config(account: &Account, flow: &Flow) -> BTreeMap<String, String> {
    let mut config = BTreeMap::clone(&account.account_config);
    config.extend(flow.account_config.clone());
    config
}

/// A credential that is only being tried: of a generation that no account has.
fn tried(kept: &Kept, configured: &Configured, config: &Arc<BTreeMap<String, String>>) -> Arc<Credential> {
    Arc::new(kept.lend(0, &configured.connection().placement, config))
}
