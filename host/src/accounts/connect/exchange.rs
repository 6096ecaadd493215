//! The end of an attempt: the code is exchanged, the site found, the credential tried, the account
//! active.

use std::collections::BTreeMap;
use std::sync::Arc;

use valetkey_manifest::{AuthKind, Manifest};

use super::form::permissions;
use super::{Names, tried, whole_config};
use crate::accounts::activate::Terms;
use crate::accounts::connections::Configured;
use crate::accounts::discover::{Found, Hints, discover};
use crate::accounts::entry::{Entry, Keep, Kept, Live};
use crate::accounts::flow::{Digest, Flow, Stage, invalid};
use crate::accounts::model::{Account, AccountState, Reason};
use crate::accounts::page::{ConnectedPage, Step};
use crate::accounts::provision::named_by_application;
use crate::accounts::quirks::Refusal;
use crate::accounts::refresh::intent_key;
use crate::accounts::token_endpoint::{Failure, Reading};
use crate::accounts::verify::{Identity, Probe, probe};
use crate::accounts::{Accounts, activate, coded, revoke};
use crate::error::{Fault, Kind};
use crate::journal::Actor;
use crate::secret::Secret;
use crate::store::{Batch, Expect, Table};

/// How an attempt goes on once there is a credential.
#[derive(Clone, Copy)]
pub(super) struct Onward {
    /// Whether the attempt is still there: it is reopened while the vendor is asked, and ends when the
    /// account is active.
    pub open: bool,
    /// Whether the application has to confirm who gave the credential.
    pub confirm: bool,
    /// The browser that may choose a site.
    pub browser: Option<Digest>,
}

/// A credential on its way to its account.
pub(super) struct Arrived {
    pub kept: Kept,
    /// What came with it, where it is a grant.
    pub terms: Option<Terms>,
    /// The account's configuration with it.
    pub config: BTreeMap<String, String>,
    /// The account's generation before it came.
    pub generation: u64,
}

impl Accounts {
    /// Exchanges a code, finds the site, asks whose account it is, and activates.
    pub(super) async fn exchange(
        &self,
        flow: &mut Flow,
        (configured, entry): (&Arc<Configured>, &Arc<Entry>),
        code: &Secret,
        verifier: &Secret,
        actor: &Actor,
        onward: Onward,
    ) -> Result<Step, Fault> {
        let connection = configured.connection();
        let account = Arc::clone(&entry.live().account);
        let config = whole_config(&account, flow);
        let Some(redirect_uri) = &connection.redirect_uri else {
            return Err(Fault::internal("a code came for a connection without OAuth"));
        };
        let endpoint = configured.token_endpoint(&config)?;
        let exchanged = if coded::speaks_for(&connection) {
            coded::exchange(&self.parts, configured, &config, code, verifier, redirect_uri).await
        } else {
            let reading = Reading::of(&connection);
            endpoint
                .exchange(&self.parts, &reading, code, verifier, redirect_uri)
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
        let manifest = configured.manifest(&self.parts)?;
        let said = activate::config_of(&grant, &manifest, &config, connection.development);
        let mut arrived = Arrived {
            kept: activate::kept(&grant, None, self.parts.now_ms()),
            terms: Some(Terms::of(&grant, &connection, self.parts.now_ms())),
            config: said.unwrap_or(config),
            generation: account.generation,
        };
        let place = (configured, entry);
        if let Some(missing) = unsaid(&manifest, &arrived.config) {
            self.drop_arrived(entry, &arrived, actor).await?;
            return Err(Fault::new(
                Kind::VendorRejected,
                format!(
                    "{} did not say what is needed of the account ({missing}), or not in a usable form. The operator checks the connection.",
                    manifest.connector.title
                ),
            )
            .reason("account_config"));
        }
        if let Some(declared) = &manifest.discover {
            let given = named_by_application(&account, &flow.account_config);
            let hints = Hints {
                given: &given,
                known: &account.account_config,
            };
            let tried = tried(&arrived.kept, configured, &Arc::new(arrived.config.clone()));
            let found = discover(
                &self.parts,
                configured,
                &manifest,
                declared,
                &arrived.config,
                hints,
                tried,
                &entry.id,
            )
            .await;
            match found {
                Ok(Found::One(set)) => arrived.config.extend(set),
                Ok(Found::Several(sites)) if onward.open => {
                    return self
                        .ask_for_site(flow, entry, arrived, sites, onward.browser)
                        .await;
                }
                Ok(Found::Nothing) => return self.give_up(place, arrived, &Probe::NoSite, actor).await,
                Ok(Found::Another | Found::Several(_)) => {
                    return self.give_up(place, arrived, &Probe::OtherSite, actor).await;
                }
                Err(refused) => return self.give_up(place, arrived, &refused, actor).await,
            }
        }
        self.conclude(flow, place, &manifest, arrived, actor, onward)
            .await
    }

    /// Tries the credential of an attempt whose site is known, and activates the account or waits for
    /// the application's word.
    pub(super) async fn conclude(
        &self,
        flow: &mut Flow,
        (configured, entry): (&Arc<Configured>, &Arc<Entry>),
        manifest: &Manifest,
        arrived: Arrived,
        actor: &Actor,
        onward: Onward,
    ) -> Result<Step, Fault> {
        let consented = configured.connection().kind == AuthKind::Oauth2;
        let account = Arc::clone(&entry.live().account);
        let config = Arc::new(arrived.config.clone());
        let tried = tried(&arrived.kept, configured, &config);
        let checked = probe(&self.parts, configured, &config, tried, &entry.id).await;
        let identity = match checked {
            Probe::Accepted(identity) => identity,
            Probe::Rejected if consented => {
                revoke::discard_kept(entry, &shaped(&account, &arrived), &arrived.kept).await?;
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
            _ if consented => Identity::default(),
            refused => {
                return self.give_up((configured, entry), arrived, &refused, actor).await;
            }
        };
        let changed = other_subject(&account, &identity);
        let ended = entry.with(|live| {
            live.account.generation != arrived.generation && live.account.state == AccountState::Disconnected
        });
        if changed || ended {
            revoke::discard_kept(entry, &shaped(&account, &arrived), &arrived.kept).await?;
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
        if onward.confirm
            && let Some(url) = flow.user_verify_url.clone()
        {
            flow.account_config.extend(arrived.config);
            let stage = Stage::Form {
                kept: arrived.kept,
                identity: Some(identity),
                terms: arrived.terms,
                browser: onward.browser,
            };
            if let Err(taken) = self.flows.advance(&self.parts, flow, stage).await {
                if let Stage::Form { kept, .. } = &flow.stage {
                    revoke::discard_kept(entry, &account, kept).await?;
                }
                return Err(taken);
            }
            return self.await_confirmation(flow, entry, &url, actor).await;
        }
        if onward.open {
            // Whoever took the attempt on meanwhile goes on with it; this credential is nobody's.
            if let Err(taken) = self.flows.end(&self.parts, flow).await {
                revoke::discard_kept(entry, &shaped(&account, &arrived), &arrived.kept).await?;
                return Err(taken);
            }
        }
        let Arrived {
            kept, terms, config, ..
        } = arrived;
        let live = self
            .keep(entry, kept, identity, actor, |account| {
                account.account_config = Arc::new(config);
                if let Some(terms) = &terms {
                    terms.put_on(account);
                }
            })
            .await?;
        Ok(connected(configured, manifest, &live))
    }

    /// Nothing comes of a credential whose site could not be found: it is not kept, and the attempt
    /// can be begun again.
    pub(super) async fn give_up(
        &self,
        (configured, entry): (&Arc<Configured>, &Arc<Entry>),
        arrived: Arrived,
        why: &Probe,
        actor: &Actor,
    ) -> Result<Step, Fault> {
        self.drop_arrived(entry, &arrived, actor).await?;
        Err(without_site(why, &Names::of(configured, &self.parts)))
    }

    async fn drop_arrived(&self, entry: &Arc<Entry>, arrived: &Arrived, actor: &Actor) -> Result<(), Fault> {
        let account = Arc::clone(&entry.live().account);
        // At some vendors a revocation ends every grant of the same user, one in use included.
        if entry.with(|live| live.credential.is_none()) {
            revoke::discard_kept(entry, &shaped(&account, arrived), &arrived.kept).await?;
        }
        self.step_back(entry, Reason::CredentialCheckFailed, actor).await
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

/// The account as it would be with what arrived.
fn shaped(account: &Account, arrived: &Arrived) -> Account {
    let mut shape = account.clone();
    shape.account_config = Arc::new(arrived.config.clone());
    shape
}

/// The title of a value that no account can do without and that the token response should have held.
fn unsaid<'m>(manifest: &'m Manifest, config: &BTreeMap<String, String>) -> Option<&'m str> {
    let mut inputs = manifest.account_config.iter();
    let missing = inputs.find(|(name, input)| {
        input.required && input.from_token_response.is_some() && !config.contains_key(*name)
    });
    missing.map(|(_, input)| input.title.as_str())
}

/// Why no site was found, for the person who consented.
fn without_site(why: &Probe, names: &Names) -> Fault {
    let Names { application, vendor } = names;
    let (kind, reason, text) = match why {
        Probe::NoSite => (
            Kind::AccountNotActive,
            "no_site",
            format!(
                "{vendor} knows you, and your account opens no site there that {application} could use. Ask the site's administrator for access, or go on with another account; then open the link again."
            ),
        ),
        Probe::OtherSite => (
            Kind::AccountNotActive,
            "other_site",
            format!(
                "{application} asks for one certain site at {vendor}, and what you allowed does not include it. Open the link again and choose that site at {vendor}, or an account that has it."
            ),
        ),
        Probe::Rejected | Probe::Forbidden | Probe::Unusable(_) => (
            Kind::VendorRejected,
            "credential_check_failed",
            format!(
                "{vendor} does not let {application} see your sites. Open the link again and allow all that is asked for."
            ),
        ),
        Probe::Accepted(_) | Probe::Unknown => (
            Kind::VendorUnavailable,
            "sites_unknown",
            format!("{vendor} could not say which sites you have at the moment. Open the link again later."),
        ),
    };
    Fault::new(kind, text).reason(reason)
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
