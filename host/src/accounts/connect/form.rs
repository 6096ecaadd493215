//! The form: who asks for what, credentials that the owner types in, and configuration that is
//! missing. For OAuth with nothing missing it has no field, only the way on.

use std::collections::BTreeMap;
use std::sync::Arc;

use oauth2::url::Url;
use valetkey_manifest::{AuthKind, Manifest};

use super::choice::{choice_page, is_choice, is_late};
use super::exchange::connected;
use super::whole_config;
use crate::accounts::Accounts;
use crate::accounts::connections::Configured;
use crate::accounts::entry::Kept;
use crate::accounts::flow::{Flow, Stage, digest_of, invalid};
use crate::accounts::model::{Account, Connection};
use crate::accounts::page::{Consent, FormField, FormPage, Permission, Step};
use crate::accounts::provision::{inputs, kept_of, named_by_application, pasted, sound};
use crate::accounts::roster::{check_value, fits};
use crate::accounts::token_endpoint::fill;
use crate::accounts::trial::{Trial, Tried, try_out};
use crate::accounts::verify::Probe;
use crate::error::Fault;
use crate::journal::Actor;
use crate::secret::Secret;

/// Wrong credentials that one link takes.
const FORM_TRIES: u8 = 10;
/// How much of a value that is no secret the form shows again.
const MAX_SHOWN_CHARS: usize = 1024;

impl Accounts {
    /// The browser sent the form, or said to go on to the vendor. `browser` is the value of its
    /// cookie: from here on the attempt belongs to that browser.
    ///
    /// # Errors
    /// `flow_invalid`; a wrong credential is a [`Step::Form`] with its problem.
    pub async fn submit_form(
        &self,
        ticket: &str,
        values: BTreeMap<String, Secret>,
        browser: &Secret,
    ) -> Result<Step, Fault> {
        let mut flow = self.of_ticket(ticket).await?;
        let tries = match flow.stage {
            Stage::Open { tries } => tries,
            Stage::Consent { .. } | Stage::Choice { .. } => 0,
            _ => return Err(invalid()),
        };
        let browser = digest_of(browser.expose());
        let (configured, entry) = self.of_flow(&flow).await?;
        let manifest = configured.manifest(&self.parts)?;
        if is_choice(&flow.stage, &values, browser) {
            return self
                .choose(flow, (&configured, &entry), &manifest, ticket, &values)
                .await;
        }
        let browser = Some(browser);
        let account = Arc::clone(&entry.live().account);
        let mut asked = fields(&configured, &manifest, &flow, &account);
        if is_late(&flow.stage, &values, &asked) {
            return Err(invalid());
        }
        if matches!(flow.stage, Stage::Choice { .. }) && values.is_empty() && !asked.is_empty() {
            // Another credential than the one that waits for the choice: the empty form first.
            let config = whole_config(&account, &flow);
            let page = form_page(&configured, &manifest, &config, ticket, asked);
            return Ok(Step::Form(page));
        }
        let Some(filled) = Filled::read(&configured, &manifest, &mut asked, &values) else {
            let config = whole_config(&account, &flow);
            return Ok(Step::Form(form_page(
                &configured,
                &manifest,
                &config,
                ticket,
                asked,
            )));
        };
        flow.account_config.extend(filled.config);
        let Some(kept) = filled.kept else {
            return self.consent(flow, &configured, &entry, browser).await;
        };
        let config = whole_config(&account, &flow);
        let given = named_by_application(&account, &flow.account_config);
        let tried = try_out(
            &self.parts,
            &configured,
            &manifest,
            &given,
            config.clone(),
            kept,
            &entry.id,
        )
        .await;
        let Tried {
            kept,
            config,
            identity,
        } = match tried {
            Ok(Trial::Good(tried)) => tried,
            Ok(Trial::Sites { kept, config, sites }) => {
                let page = choice_page(&configured, &manifest, ticket, &sites, None);
                let stage = Stage::Choice {
                    ticket: None,
                    kept,
                    terms: None,
                    config,
                    sites,
                    browser,
                };
                self.flows.advance(&self.parts, &mut flow, stage).await?;
                return Ok(page);
            }
            Err(refused) => {
                if tries + 1 >= FORM_TRIES {
                    self.flows.end(&self.parts, &flow).await?;
                    return Err(invalid().reason("too_many_tries"));
                }
                self.flows
                    .advance(&self.parts, &mut flow, Stage::Open { tries: tries + 1 })
                    .await?;
                let mut page = form_page(&configured, &manifest, &config, ticket, asked);
                blame(&mut page, &refused);
                return Ok(Step::Form(page));
            }
        };
        flow.account_config.extend(config);
        let actor = Actor::Browser(flow.id.to_string());
        if let Some(url) = flow.user_verify_url.clone() {
            let stage = Stage::Form {
                kept,
                identity: Some(identity),
                terms: None,
                browser,
            };
            self.flows.advance(&self.parts, &mut flow, stage).await?;
            return self.await_confirmation(&flow, &entry, &url, &actor).await;
        }
        self.flows.end(&self.parts, &flow).await?;
        let live = self
            .keep(&entry, kept, identity, &actor, |account| {
                account.account_config = Arc::new(whole_config(account, &flow));
            })
            .await?;
        Ok(connected(&configured, &manifest, &live))
    }
}

/// Says of a form what the vendor thought of it: at the one field that can be to blame, else of
/// the whole.
fn blame(page: &mut FormPage, refused: &Probe) {
    let vendor = &page.vendor;
    let (text, of_the_secret) = match refused {
        Probe::Rejected => (
            format!("{vendor} does not accept this. Check what you entered."),
            true,
        ),
        Probe::Forbidden => (
            format!("{vendor} knows this and does not allow its use. Check its permissions there."),
            true,
        ),
        Probe::Unusable(problem) => (format!("This cannot be used: {problem}."), true),
        Probe::NoSite => (
            format!(
                "{vendor} accepts this, and it opens no site there. Ask the site's administrator for access."
            ),
            true,
        ),
        Probe::OtherSite => (
            format!("{vendor} accepts this, and it does not open the site that is meant."),
            true,
        ),
        Probe::Accepted(_) | Probe::Unknown => (
            format!("{vendor} could not be asked. Try again in a moment."),
            false,
        ),
    };
    let mut credentials = page
        .fields
        .iter_mut()
        .filter(|field| !field.name.starts_with("config."));
    match (credentials.next(), credentials.next()) {
        (Some(only), None) if of_the_secret => only.problem = Some(text),
        _ => page.problem = Some(text),
    }
}

pub(super) fn form_page(
    configured: &Configured,
    manifest: &Manifest,
    config: &BTreeMap<String, String>,
    ticket: &str,
    fields: Vec<FormField>,
) -> FormPage {
    let connection = configured.connection();
    let consent = connection.oauth2.as_ref().map(|oauth2| Consent {
        host: fill(&oauth2.authorize_url, config)
            .ok()
            .and_then(|url| Url::parse(&url).ok())
            .and_then(|url| url.host_str().map(str::to_owned)),
        permissions: permissions(&connection, manifest, connection.scopes.iter()),
    });
    FormPage {
        application: connection.application_name.clone(),
        vendor: manifest.connector.title.clone(),
        ticket: ticket.to_owned(),
        consent,
        fields,
        problem: None,
    }
}

/// Scopes in the connector's words, each said once.
pub(super) fn permissions<'a>(
    connection: &Connection,
    manifest: &Manifest,
    scopes: impl Iterator<Item = &'a String>,
) -> Vec<Permission> {
    let titles = manifest
        .auth
        .iter()
        .find(|scheme| scheme.id == connection.auth)
        .and_then(|scheme| scheme.oauth2.as_ref())
        .map(|oauth2| &oauth2.scope_titles);
    let mut permissions: Vec<Permission> = Vec::new();
    for scope in scopes {
        let title = titles.and_then(|titles| titles.get(scope)).cloned();
        if title.is_none() || !permissions.iter().any(|said| said.title == title) {
            permissions.push(Permission {
                scope: scope.clone(),
                title,
            });
        }
    }
    permissions
}

/// What the form asks for: the credential where the kind has a form, and the configuration that
/// is required and not known yet. None for OAuth that can begin at once.
pub(super) fn fields(
    configured: &Configured,
    manifest: &Manifest,
    flow: &Flow,
    account: &Account,
) -> Vec<FormField> {
    let connection = configured.connection();
    let mut fields: Vec<FormField> = inputs(configured, manifest)
        .into_iter()
        .map(|(name, input)| FormField {
            secret: input.secret && name != "username",
            multiline: input.multiline,
            required: !input.optional,
            name,
            title: input.title,
            description: input.description,
            example: None,
            value: None,
            problem: None,
        })
        .collect();
    let known = whole_config(account, flow);
    let form = connection.kind != AuthKind::Oauth2;
    for (name, input) in &manifest.account_config {
        let found = manifest
            .discover
            .as_ref()
            .is_some_and(|discover| discover.set.contains_key(name));
        let from_vendor = (input.from_token_response.is_some() || found) && !form;
        if known.contains_key(name) || from_vendor || !(input.required || form) {
            continue;
        }
        fields.push(FormField {
            name: format!("config.{name}"),
            title: input.title.clone(),
            description: Some(input.description.clone()),
            example: input.example.clone(),
            secret: false,
            multiline: false,
            required: input.required && !found,
            value: None,
            problem: None,
        });
    }
    fields
}

/// A form that is filled in as asked.
struct Filled {
    kept: Option<Kept>,
    config: BTreeMap<String, String>,
}

impl Filled {
    /// Reads what was entered; none when something is wrong with it, which the fields then say.
    fn read(
        configured: &Configured,
        manifest: &Manifest,
        asked: &mut [FormField],
        values: &BTreeMap<String, Secret>,
    ) -> Option<Self> {
        let inputs = inputs(configured, manifest);
        let input_of = |name: &str| {
            inputs
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, input)| input)
        };
        let mut secrets = BTreeMap::new();
        let mut config = BTreeMap::new();
        let mut fine = true;
        for field in asked {
            // Pasted values come with blanks around them.
            let input = input_of(&field.name);
            let value = values
                .get(&field.name)
                .map(|value| pasted(value.expose(), input))
                .unwrap_or_default();
            let setting = field.name.strip_prefix("config.");
            let pattern = input.and_then(|input| input.pattern.as_deref());
            field.problem = if value.is_empty() {
                field.required.then(|| format!("{} is missing.", field.title))
            } else if let Some(input) = setting.and_then(|name| manifest.account_config.get(name)) {
                check_value(input, &value)
                    .err()
                    .map(|wrong| format!("{} {}.", field.title, wrong.replace('`', "")))
            } else {
                let fits = sound(&value, input) && pattern.is_none_or(|pattern| fits(pattern, &value));
                (!fits).then(|| {
                    format!(
                        "{} does not have the form that {} uses. Copy it again, whole.",
                        field.title, manifest.connector.title
                    )
                })
            };
            if !field.secret {
                field.value = Some(value.chars().take(MAX_SHOWN_CHARS).collect());
            }
            if field.problem.is_some() {
                fine = false;
            } else if value.is_empty() {
                // Not required, and not given.
            } else if let Some(name) = setting {
                config.insert(name.to_owned(), value);
            } else {
                secrets.insert(field.name.clone(), value);
            }
        }
        fine.then(|| Self {
            kept: kept_of(configured.connection().kind, &inputs, secrets),
            config,
        })
    }
}
