//! The end of an attempt: the code is exchanged, the credential tried, the account active.

use std::sync::Arc;

use valetkey_manifest::{AuthKind, Manifest};

use super::form::permissions;
use super::{Names, tried, whole_config};
use crate::accounts::connections::Configured;
use crate::accounts::entry::{Entry, Keep, Kept, Live};
use crate::accounts::flow::{Flow, invalid};
use crate::accounts::model::{Account, AccountState, Reason};
use crate::accounts::page::{ConnectedPage, Step};
use crate::accounts::quirks::Refusal;
use crate::accounts::refresh::intent_key;
use crate::accounts::token_endpoint::Failure;
use crate::accounts::verify::{Identity, Probe, probe};
use crate::accounts::{Accounts, activate, coded, revoke};
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
        let exchanged = if oauth2.coded.is_some() {
            coded::exchange(&self.parts, configured, &config, code, verifier, redirect_uri).await
        } else {
            endpoint
                .exchange(&self.parts, &oauth2.scope_separator, code, verifier, redirect_uri)
                .await
        };
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
                return Err(not_exchanged(&failure, &Names::of(configured, &self.parts)));
            }
        };
        let kept = activate::kept(&grant, None, self.parts.now_ms());
        let manifest = configured.manifest(&self.parts)?;
        let account = Arc::clone(&entry.live().account);
        let mut shape = Account::clone(&account);
        shape.account_config = Arc::new(config);
        activate::apply(&mut shape, &grant, Some(&manifest), &self.parts, &connection);
        let tried = tried(&kept, configured, &shape.account_config);
        let checked = probe(&self.parts, configured, &shape.account_config, tried, &entry.id).await;
        let identity = match checked {
            Probe::Accepted(identity) => identity,
            Probe::Rejected => {
                revoke::discard(entry, &shape, &grant).await?;
                self.step_back(entry, Reason::CredentialCheckFailed, actor)
                    .await?;
                return Err(Fault::new(
                    Kind::VendorRejected,
                    format!(
                        "{} gave a credential and does not accept it. Ask for a new link later.",
                        manifest.connector.title
                    ),
                )
                .reason("credential_check_failed"));
            }
            // The vendor gave the credential a moment ago; who it belongs to stays unknown.
            Probe::Forbidden | Probe::Unusable(_) | Probe::Unknown => Identity::default(),
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
            return Err(if changed {
                subject_changed(&manifest.connector.title)
            } else {
                invalid()
            });
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
        let expires_at_ms = kept.expires_at_ms();
        let turn = entry.turn().await;
        if other_subject(&entry.live().account, &identity) {
            return Err(subject_changed(&Names::of(&entry.configured, &self.parts).vendor));
        }
        let intent = intent_key(&entry.environment, &entry.id);
        let batch = Batch::new().delete(Table::Intents, intent, Expect::Any);
        let live = entry
            .write(&turn, Keep::New(kept), batch, |account| {
                account.state = AccountState::Active;
                account.reason = None;
                account.token_expires_at_ms = expires_at_ms;
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

fn subject_changed(vendor: &str) -> Fault {
    Fault::new(
        Kind::Conflict,
        format!(
            "This is another account at {vendor} than the one that is connected already. Nothing was changed. \
             Sign in at {vendor} with the account from before, or disconnect that one first if the change is meant."
        ),
    )
    .reason("subject_changed")
}

fn not_exchanged(failure: &Failure, names: &Names) -> Fault {
    let Names { application, vendor } = names;
    let (kind, text) = match failure {
        Failure::Refused(Refusal::Grant) => (
            Kind::VendorRejected,
            format!("{vendor} does not accept this consent any more. Ask {application} for a new link."),
        ),
        Failure::Refused(Refusal::Client) => (
            Kind::VendorRejected,
            format!(
                "{vendor} does not accept the client id and secret that {application} is registered with. The operator corrects the connection."
            ),
        ),
        Failure::Refused(Refusal::Other(_)) => (
            Kind::VendorRejected,
            format!("{vendor} refused to complete the connection. Ask {application} for a new link."),
        ),
        Failure::Refused(Refusal::Busy(_)) | Failure::NotSent(_) | Failure::OutcomeUnknown => (
            Kind::VendorUnavailable,
            format!(
                "{vendor} could not complete the connection at the moment. Ask {application} for a new link later."
            ),
        ),
        Failure::Unusable(problem) => (
            Kind::VendorRejected,
            format!("The credential cannot be used: {problem}."),
        ),
        Failure::Code { kind, .. } => (
            *kind,
            format!(
                "The connector for {vendor} could not complete the connection. Nothing was kept; the operator finds why in the \
                 host's log."
            ),
        ),
        Failure::Refused(Refusal::Unreadable(_)) => (
            Kind::VendorUnavailable,
            format!(
                "The token endpoint of {vendor} answered something that is not a token. The operator checks the connection."
            ),
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
    let connection = configured.connection();
    let account = &live.account;
    let oauth = connection.kind == AuthKind::Oauth2;
    let withheld = connection
        .scopes
        .iter()
        .filter(|scope| oauth && account.scopes_stated && !account.scopes.contains(scope));
    // A vendor may grant a scope under another of its names; only the connector knows for sure.
    let mut withheld = permissions(&connection, manifest, withheld);
    withheld.retain(|permission| permission.title.is_some());
    Step::Connected(ConnectedPage {
        application: connection.application_name.clone(),
        vendor: manifest.connector.title.clone(),
        label: account.label.clone(),
        granted: permissions(&connection, manifest, account.scopes.iter().filter(|_| oauth)),
        withheld,
    })
}
