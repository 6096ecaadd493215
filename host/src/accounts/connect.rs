//! Connecting an account: link, consent or form, confirmation, exchange. Every step takes the
//! attempt away from the one before it, so that each happens once.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use oauth2::url::Url;

use valetkey_manifest::auth::{Auth, SecretInput};
use valetkey_manifest::{AuthKind, Manifest};

use super::connections::{Configured, problem};
use super::entry::{Entry, Keep, Kept, Live};
use super::flow::{Flow, Stage, digest_of, invalid};
use super::model::{Account, AccountState, Reason};
use super::page::{CallbackQuery, ConnectedPage, FormField, FormPage, Link, Step};
use super::parts::millis;
use super::quirks::{Grant, Refusal, known_code};
use super::request::LinkRequest;
use super::roster::{check_config, check_value, fits};
use super::token_endpoint::{Failure, authorization, fill};
use super::verify::{Identity, Probe, probe};
use super::{Accounts, activate, revoke};
use crate::egress::Credential;
use crate::error::{Fault, Kind};
use crate::id::{AuthRequestId, ConnectionName, EnvironmentId, Identifier};
use crate::journal::Actor;
use crate::secret::Secret;
use crate::store::Batch;

/// Wrong credentials that one link takes.
const FORM_TRIES: u8 = 10;
/// Longest state of the application.
const MAX_STATE_BYTES: usize = 1024;
/// Longest parameter of a callback.
const MAX_PARAMETER_BYTES: usize = 8 * 1024;

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
    pub(super) async fn mend(&self, account: &Account) -> Option<String> {
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

    fn link_url(&self, ticket: &Secret) -> String {
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
            self.parts.now_ms() + millis(std::time::Duration::from_secs(self.parts.settings.flow_seconds));
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

    /// The browser opened a link: the vendor's consent page, or the form. A link may be opened
    /// again until its consent is there (mail scanners and previews open links, too); each opening
    /// makes the state and verifier of the one before worthless.
    ///
    /// # Errors
    /// `flow_invalid`.
    pub async fn open_link(&self, ticket: &str) -> Result<Step, Fault> {
        let flow = self
            .flows
            .by_ticket(&self.parts, ticket)
            .await?
            .ok_or_else(invalid)?;
        if !matches!(flow.stage, Stage::Open { .. } | Stage::Consent { .. }) {
            return Err(invalid());
        }
        let (configured, entry) = self.of_flow(&flow).await?;
        let manifest = configured.manifest(&self.parts)?;
        let fields = fields(&configured, &manifest, &flow, &entry.live().account);
        if fields.is_empty() {
            return self.consent(flow, &configured, &entry).await;
        }
        Ok(Step::Form(form_page(
            &configured,
            &manifest,
            ticket,
            fields,
            None,
        )))
    }

    async fn consent(
        &self,
        mut flow: Flow,
        configured: &Configured,
        entry: &Arc<Entry>,
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
        };
        self.flows.advance(&self.parts, &mut flow, stage).await?;
        Ok(Step::Redirect(url))
    }

    /// The vendor sent the browser back to the redirect URI of one connection.
    ///
    /// # Errors
    /// `flow_invalid`; the account's own faults.
    pub async fn callback(
        &self,
        environment: &EnvironmentId,
        connection: &ConnectionName,
        query: CallbackQuery,
    ) -> Result<Step, Fault> {
        let answer = Answer::read(query).ok_or_else(invalid)?;
        let mut flow = self
            .flows
            .by_state(&self.parts, &answer.state)
            .await?
            .ok_or_else(invalid)?;
        if flow.environment != *environment || flow.connection != *connection {
            return Err(invalid());
        }
        let Stage::Consent { state, verifier } = &flow.stage else {
            return Err(invalid());
        };
        if *state != digest_of(&answer.state) {
            return Err(invalid());
        }
        let verifier = verifier.clone();
        let (configured, entry) = self.of_flow(&flow).await?;
        if !answer.issued_by(&configured) {
            // Somebody else's server answers for the vendor: the attempt is over (RFC 9207).
            self.flows.end(&self.parts, &flow).await?;
            return Err(invalid());
        }
        let actor = Actor::Browser(flow.id.to_string());
        let code = match answer.outcome {
            Ok(code) => code,
            Err(code) => {
                self.flows.end(&self.parts, &flow).await?;
                self.step_back(&entry, Reason::ConsentDenied, &actor).await?;
                return Err(denied(code));
            }
        };
        let Some(url) = flow.user_verify_url.clone() else {
            // The attempt is gone before the code goes out: a code is exchanged once at most.
            self.flows.end(&self.parts, &flow).await?;
            let code = Secret::new(code);
            let verifier = Secret::new(verifier);
            return self
                .exchange(&flow, &configured, &entry, &code, &verifier, &actor)
                .await;
        };
        self.flows
            .advance(&self.parts, &mut flow, Stage::Code { code, verifier })
            .await?;
        self.await_confirmation(&flow, &entry, &url, &actor).await
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
        let mut url = Url::parse(url).map_err(Fault::internal)?;
        url.query_pairs_mut()
            .append_pair("auth_request_id", flow.id.as_str());
        if let Some(state) = &flow.app_state {
            url.query_pairs_mut().append_pair("state", state);
        }
        Ok(Step::Redirect(url.into()))
    }

    /// The browser sent the credential form.
    ///
    /// # Errors
    /// `flow_invalid`; a wrong credential is a [`Step::Form`] with its problem.
    pub async fn submit_form(&self, ticket: &str, values: BTreeMap<String, Secret>) -> Result<Step, Fault> {
        let mut flow = self
            .flows
            .by_ticket(&self.parts, ticket)
            .await?
            .ok_or_else(invalid)?;
        let tries = match flow.stage {
            Stage::Open { tries } => tries,
            Stage::Consent { .. } => 0,
            _ => return Err(invalid()),
        };
        let (configured, entry) = self.of_flow(&flow).await?;
        let manifest = configured.manifest(&self.parts)?;
        let account = Arc::clone(&entry.live().account);
        let asked = fields(&configured, &manifest, &flow, &account);
        if asked.is_empty() {
            return Err(invalid());
        }
        let filled = match Filled::read(&configured, &manifest, &asked, values) {
            Ok(filled) => filled,
            Err(problem) => {
                return Ok(Step::Form(form_page(
                    &configured,
                    &manifest,
                    ticket,
                    asked,
                    Some(problem),
                )));
            }
        };
        flow.account_config.extend(filled.config);
        let Some(kept) = filled.kept else {
            return self.consent(flow, &configured, &entry).await;
        };
        let config = whole_config(&account, &flow);
        let tried = tried(&kept, &configured);
        let identity = match probe(&self.parts, &configured, &config, tried, &entry.id).await {
            Probe::Accepted(identity) => identity,
            refused => {
                if tries + 1 >= FORM_TRIES {
                    self.flows.end(&self.parts, &flow).await?;
                    return Err(invalid());
                }
                self.flows
                    .advance(&self.parts, &mut flow, Stage::Open { tries: tries + 1 })
                    .await?;
                let text = match refused {
                    Probe::Rejected => "The vendor does not accept this. Check what you entered.",
                    Probe::Forbidden => {
                        "The vendor knows this and does not allow its use. Check its permissions."
                    }
                    _ => "The vendor could not be asked. Try again in a moment.",
                };
                return Ok(Step::Form(form_page(
                    &configured,
                    &manifest,
                    ticket,
                    asked,
                    Some(text.to_owned()),
                )));
            }
        };
        let actor = Actor::Browser(flow.id.to_string());
        if let Some(url) = flow.user_verify_url.clone() {
            let stage = Stage::Form {
                kept,
                identity: Some(identity),
            };
            self.flows.advance(&self.parts, &mut flow, stage).await?;
            return self.await_confirmation(&flow, &entry, &url, &actor).await;
        }
        self.flows.end(&self.parts, &flow).await?;
        let live = self.keep(&flow, &entry, kept, None, identity, &actor).await?;
        Ok(connected(&configured, &manifest, &live))
    }

    /// The application confirms who completed a link; only now is the code exchanged.
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
            self.step_back(&entry, Reason::VerificationFailed, actor).await?;
            return Err(invalid());
        }
        let mut flow = flow;
        match std::mem::replace(&mut flow.stage, Stage::Open { tries: 0 }) {
            Stage::Code {
                ref mut code,
                ref mut verifier,
            } => {
                let (code, verifier) = (
                    Secret::new(std::mem::take(code)),
                    Secret::new(std::mem::take(verifier)),
                );
                self.exchange(&flow, &configured, &entry, &code, &verifier, actor)
                    .await?;
            }
            Stage::Form {
                ref mut kept,
                ref mut identity,
            } => {
                let kept = std::mem::replace(kept, Kept::None);
                let identity = identity.take().unwrap_or_default();
                self.keep(&flow, &entry, kept, None, identity, actor).await?;
            }
            Stage::Open { .. } | Stage::Consent { .. } => return Err(invalid()),
        }
        Ok(Arc::clone(&entry.live().account))
    }

    /// Exchanges a code, asks whose account it is, and activates.
    async fn exchange(
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
            .keep(flow, entry, kept, Some((&grant, &manifest)), identity, actor)
            .await?;
        Ok(connected(configured, &manifest, &live))
    }

    /// The account is active with this credential, on the disk.
    async fn keep(
        &self,
        flow: &Flow,
        entry: &Arc<Entry>,
        kept: Kept,
        grant: Option<(&Grant, &Manifest)>,
        identity: Identity,
        actor: &Actor,
    ) -> Result<Arc<Live>, Fault> {
        let connection = entry.configured.connection();
        let turn = entry.turn().await;
        if other_subject(&entry.live().account, &identity) {
            return Err(subject_changed());
        }
        let intent = super::refresh::intent_key(&flow.environment, &entry.id);
        let batch = Batch::new().delete(crate::store::Table::Intents, intent, crate::store::Expect::Any);
        let live = entry
            .write(&turn, Keep::New(kept), batch, |account| {
                account.state = AccountState::Active;
                account.reason = None;
                account.token_expires_at_ms = None;
                account.subject = identity.subject;
                account.label = identity.label;
                account.account_config = Arc::new(whole_config(account, flow));
                // What was asked for, unless the vendor says what it granted.
                account.scopes = Arc::from(connection.scopes.as_slice());
                account.scopes_stated = false;
                if let Some((grant, manifest)) = grant {
                    activate::apply(account, grant, Some(manifest), &self.parts, &connection);
                }
            })
            .await?;
        drop(turn);
        self.parts
            .note(
                actor,
                &flow.environment,
                "account.activate",
                entry.id.as_str(),
                "ok",
            )
            .await?;
        Ok(live)
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
    pub(super) async fn close_flows(
        &self,
        environment: &EnvironmentId,
        id: &crate::id::AccountId,
    ) -> Result<(), Fault> {
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

/// The parameters of a callback that count.
struct Answer {
    state: String,
    issuer: Option<String>,
    /// The code, or the vendor's error as a known code.
    outcome: Result<String, &'static str>,
}

impl Answer {
    /// Exactly one of each, and either a code or an error.
    fn read(query: CallbackQuery) -> Option<Self> {
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in query {
            if name.len() > MAX_PARAMETER_BYTES
                || value.len() > MAX_PARAMETER_BYTES
                || seen.insert(name, value).is_some()
            {
                return None;
            }
        }
        let printable =
            |text: &String| !text.is_empty() && text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let outcome = match (seen.remove("code"), seen.remove("error")) {
            (Some(code), None) if printable(&code) => Ok(code),
            (None, Some(error)) => Err(known_code(&error).unwrap_or("refused")),
            _ => return None,
        };
        Some(Self {
            state: seen.remove("state")?,
            issuer: seen.remove("iss"),
            outcome,
        })
    }

    /// RFC 9207: when we know who the server is, nobody else's answer counts.
    fn issued_by(&self, configured: &Configured) -> bool {
        let connection = configured.connection();
        let Some(oauth2) = &connection.oauth2 else {
            return false;
        };
        match (&oauth2.issuer, &self.issuer) {
            (Some(expected), Some(issuer)) => expected == issuer,
            (_, None) => !oauth2.iss_required,
            (None, Some(_)) => true,
        }
    }
}

/// Configuration that the account has, with what this attempt brought.
fn whole_config(account: &Account, flow: &Flow) -> BTreeMap<String, String> {
    let mut config = BTreeMap::clone(&account.account_config);
    config.extend(flow.account_config.clone());
    config
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

fn denied(code: &'static str) -> Fault {
    Fault::new(
        Kind::AccountNotActive,
        format!("The vendor reports that consent was not given ({code}). Nothing was connected; open a new link to try again."),
    )
    .reason("consent_denied")
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

/// A credential that is only being tried: of a generation that no account has.
fn tried(kept: &Kept, configured: &Configured) -> Arc<Credential> {
    Arc::new(kept.lend(0, &configured.connection().placement))
}

fn connected(configured: &Configured, manifest: &Manifest, live: &Live) -> Step {
    Step::Connected(ConnectedPage {
        application: configured.connection().application_name.clone(),
        vendor: manifest.connector.title.clone(),
        label: live.account.label.clone(),
    })
}

fn form_page(
    configured: &Configured,
    manifest: &Manifest,
    ticket: &str,
    fields: Vec<FormField>,
    problem: Option<String>,
) -> FormPage {
    FormPage {
        application: configured.connection().application_name.clone(),
        vendor: manifest.connector.title.clone(),
        ticket: ticket.to_owned(),
        fields,
        problem,
    }
}

/// What the form asks for: the credential where the kind has a form, and the configuration that
/// is required and not known yet. None for OAuth that can begin at once.
fn fields(configured: &Configured, manifest: &Manifest, flow: &Flow, account: &Account) -> Vec<FormField> {
    let connection = configured.connection();
    let mut fields: Vec<FormField> = inputs(configured, manifest)
        .into_iter()
        .map(|(name, input)| FormField {
            secret: name != "username",
            name,
            title: input.title,
            description: input.description,
            example: None,
            required: true,
        })
        .collect();
    let known = whole_config(account, flow);
    let form = connection.kind != AuthKind::Oauth2;
    for (name, input) in &manifest.account_config {
        let from_vendor = input.from_token_response.is_some() && !form;
        if known.contains_key(name) || from_vendor || !(input.required || form) {
            continue;
        }
        fields.push(FormField {
            name: format!("config.{name}"),
            title: input.title.clone(),
            description: Some(input.description.clone()),
            example: input.example.clone(),
            secret: false,
            required: input.required,
        });
    }
    fields
}

/// The credential inputs of the connection's kind.
fn inputs(configured: &Configured, manifest: &Manifest) -> Vec<(String, SecretInput)> {
    let connection = configured.connection();
    let declared = manifest
        .auth
        .iter()
        .find(|scheme: &&Auth| scheme.id == connection.auth);
    let usual: &[(&str, &str)] = match connection.kind {
        AuthKind::Oauth2 | AuthKind::None => return Vec::new(),
        AuthKind::ApiKey => &[("api_key", "API key")],
        AuthKind::Bearer => &[("token", "Token")],
        AuthKind::Basic => &[("username", "User name"), ("password", "Password")],
    };
    usual
        .iter()
        .map(|&(name, title)| {
            let declared = declared.and_then(|scheme| scheme.inputs.get(name)).cloned();
            let usual = || SecretInput {
                title: title.to_owned(),
                description: None,
                pattern: None,
            };
            (name.to_owned(), declared.unwrap_or_else(usual))
        })
        .collect()
}

/// A form that is filled in as asked.
struct Filled {
    kept: Option<Kept>,
    config: BTreeMap<String, String>,
}

impl Filled {
    fn read(
        configured: &Configured,
        manifest: &Manifest,
        asked: &[FormField],
        values: BTreeMap<String, Secret>,
    ) -> Result<Self, String> {
        let inputs: BTreeMap<String, SecretInput> = inputs(configured, manifest).into_iter().collect();
        let mut secrets: BTreeMap<&str, String> = BTreeMap::new();
        let mut config = BTreeMap::new();
        for field in asked {
            // Pasted values come with blanks around them.
            let value = values
                .get(&field.name)
                .map(|value| value.expose().trim().to_owned())
                .unwrap_or_default();
            if value.is_empty() {
                if field.required {
                    return Err(format!("{} is missing.", field.title));
                }
                continue;
            }
            if let Some(name) = field.name.strip_prefix("config.") {
                if let Some(input) = manifest.account_config.get(name) {
                    check_value(input, &value).map_err(|wrong| format!("{} {wrong}.", field.title))?;
                }
                config.insert(name.to_owned(), value);
                continue;
            }
            let pattern = inputs.get(&field.name).and_then(|input| input.pattern.as_deref());
            let sound = value.len() <= 16 * 1024 && !value.chars().any(char::is_control);
            if !sound || pattern.is_some_and(|pattern| !fits(pattern, &value)) {
                return Err(format!(
                    "{} does not have the form that the vendor uses.",
                    field.title
                ));
            }
            secrets.insert(field.name.as_str(), value);
        }
        let mut take = |name: &str| secrets.remove(name).unwrap_or_default();
        let token = |access| Kept::Token {
            access,
            refresh: None,
            issued_at_ms: 0,
            stated_ms: None,
        };
        let kept = match configured.connection().kind {
            AuthKind::Oauth2 | AuthKind::None => None,
            AuthKind::ApiKey => Some(token(take("api_key"))),
            AuthKind::Bearer => Some(token(take("token"))),
            AuthKind::Basic => Some(Kept::Basic {
                username: take("username"),
                password: take("password"),
            }),
        };
        Ok(Self { kept, config })
    }
}
