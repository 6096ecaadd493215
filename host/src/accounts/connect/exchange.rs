//! The end of an attempt: the code is exchanged, the credential tried, the account active.

use std::sync::Arc;

use valetkey_manifest::Manifest;

use super::{tried, whole_config};
use crate::accounts::connections::Configured;
use crate::accounts::entry::{Entry, Keep, Kept, Live};
use crate::accounts::flow::{Flow, invalid};
use crate::accounts::model::{Account, AccountState, Reason};
use crate::accounts::page::{ConnectedPage, Step};
use crate::accounts::quirks::Refusal;
use crate::accounts::refresh::intent_key;
use crate::accounts::token_endpoint::Failure;
use crate::accounts::verify::{Identity, Probe, probe};
use crate::accounts::{Accounts, activate, revoke};
use crate::error::{Fault, Kind};
use crate::journal::Actor;
use crate::secret::Secret;
use crate::store::{Batch, Expect, Table};

impl Accounts {
    /// Exchanges a code, asks whose account it is, and activates.
    pub(super) async fn exchange(
        &self,
        flow: &Flow,
        configured: &Arc<Configured>,
        entry: &Arc<Entry>,
        code: &Secret,
        verifier: &Secret,
        actor: &Actor,
    ) -> Result<Step, Fault> {
        let connection = configured.connection();
        let config = whole_config(&entry.live().account, flow);
        let (Some(oauth2), Some(redirect_uri)) = (&connection.oauth2, &connection.redirect_uri) else {
            return Err(Fault::internal("a code came for a connection without OAuth"));
        };
        let endpoint = configured.token_endpoint(&config)?;
        let generation = entry.with(|live| live.account.generation);
        let exchanged = endpoint
            .exchange(&self.parts, &oauth2.scope_separator, code, verifier, redirect_uri)
            .await;
        let grant = match exchanged {
            Ok(grant) => grant,
            Err(failure) => {
                tracing::warn!(
                    account = entry.id.as_str(),
                    code = failure.code(),
                    "a code was not exchanged"
                );
                self.step_back(entry, Reason::CredentialCheckFailed, actor)
                    .await?;
                return Err(not_exchanged(&failure));
            }
        };
        let kept = activate::kept(&grant, None, self.parts.now_ms());
        let manifest = configured.manifest(&self.parts)?;
        let account = Arc::clone(&entry.live().account);
        let mut shape = Account::clone(&account);
        shape.account_config = Arc::new(config);
        activate::apply(&mut shape, &grant, Some(&manifest), &self.parts, &connection);
        let tried = tried(&kept, configured);
        let checked = probe(&self.parts, configured, &shape.account_config, tried, &entry.id).await;
        let identity = match checked {
            Probe::Accepted(identity) => identity,
            Probe::Rejected => {
                revoke::discard(entry, &shape, &grant).await?;
                self.step_back(entry, Reason::CredentialCheckFailed, actor)
                    .await?;
                return Err(Fault::new(
                    Kind::VendorRejected,
                    "The vendor gave a credential and does not accept it. Try the link again later.",
                )
                .reason("credential_check_failed"));
            }
            // The vendor gave the credential a moment ago; who it belongs to stays unknown.
            Probe::Forbidden | Probe::Unknown => Identity::default(),
        };
        let changed = other_subject(&account, &identity);
        let ended = entry.with(|live| {
            live.account.generation != generation && live.account.state == AccountState::Disconnected
        });
        if changed || ended {
            revoke::discard(entry, &shape, &grant).await?;
            let outcome = if changed {
                "subject_changed"
            } else {
                "disconnected_meanwhile"
            };
            self.parts
                .note(
                    actor,
                    &flow.environment,
                    "account.refuse",
                    entry.id.as_str(),
                    outcome,
                )
                .await?;
            return Err(if changed { subject_changed() } else { invalid() });
        }
        let live = self
            .keep(entry, kept, identity, actor, |account| {
                account.account_config = Arc::new(whole_config(account, flow));
                activate::apply(account, &grant, Some(&manifest), &self.parts, &connection);
            })
            .await?;
        Ok(connected(configured, &manifest, &live))
    }

    /// The account is active with this credential, on the disk; `finish` puts onto it what came
    /// with the credential.
    pub(in crate::accounts) async fn keep(
        &self,
        entry: &Arc<Entry>,
        kept: Kept,
        identity: Identity,
        actor: &Actor,
        finish: impl FnOnce(&mut Account),
    ) -> Result<Arc<Live>, Fault> {
        let connection = entry.configured.connection();
        let turn = entry.turn().await;
        if other_subject(&entry.live().account, &identity) {
            return Err(subject_changed());
        }
        let intent = intent_key(&entry.environment, &entry.id);
        let batch = Batch::new().delete(Table::Intents, intent, Expect::Any);
        let live = entry
            .write(&turn, Keep::New(kept), batch, |account| {
                account.state = AccountState::Active;
                account.reason = None;
                account.token_expires_at_ms = None;
                account.subject = identity.subject;
                account.label = identity.label;
                // What was asked for, unless the vendor says what it granted.
                account.scopes = Arc::from(connection.scopes.as_slice());
                account.scopes_stated = false;
                finish(account);
            })
            .await?;
        drop(turn);
        self.parts
            .note(
                actor,
                &entry.environment,
                "account.activate",
                entry.id.as_str(),
                "ok",
            )
            .await?;
        Ok(live)
    }
}

fn other_subject(account: &Account, identity: &Identity) -> bool {
    matches!(account.state, AccountState::Active | AccountState::Expired)
        && account.subject.is_some()
        && account.subject != identity.subject
}

fn subject_changed() -> Fault {
    Fault::new(
        Kind::Conflict,
        "Consent was given for another account at the vendor than the one connected here. Nothing was changed; \
         disconnect the account first if the change is meant.",
    )
    .reason("subject_changed")
}

fn not_exchanged(failure: &Failure) -> Fault {
    let (kind, text) = match failure {
        Failure::Refused(Refusal::Grant) => (
            Kind::VendorRejected,
            "The vendor does not accept this consent any more. Open a new link.",
        ),
        Failure::Refused(Refusal::Client) => (
            Kind::VendorRejected,
            "The vendor does not accept the application's client id and secret. The operator corrects the connection.",
        ),
        Failure::Refused(Refusal::Other(_)) => (
            Kind::VendorRejected,
            "The vendor refused to complete the connection. Open a new link.",
        ),
        Failure::Refused(Refusal::Busy(_)) | Failure::NotSent(_) | Failure::OutcomeUnknown => (
            Kind::VendorUnavailable,
            "The vendor could not complete the connection at the moment. Open a new link later.",
        ),
        Failure::Refused(Refusal::Unreadable(_)) => (
            Kind::VendorUnavailable,
            "The vendor's token endpoint answered something that is not a token. The operator checks the connection.",
        ),
    };
    let fault = Fault::new(kind, text).reason(failure.code());
    match failure {
        Failure::NotSent(why) => fault.because(why.clone()),
        Failure::Refused(Refusal::Unreadable(what)) => fault.because(*what),
        _ => fault,
    }
}

pub(super) fn connected(configured: &Configured, manifest: &Manifest, live: &Live) -> Step {
    Step::Connected(ConnectedPage {
        application: configured.connection().application_name.clone(),
        vendor: manifest.connector.title.clone(),
        label: live.account.label.clone(),
    })
}
