//! The form: credentials that the owner types in, and configuration that is missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use valetkey_manifest::auth::SecretInput;
use valetkey_manifest::{AuthKind, Manifest};

use super::exchange::connected;
use super::{tried, whole_config};
use crate::accounts::Accounts;
use crate::accounts::connections::Configured;
use crate::accounts::entry::Kept;
use crate::accounts::flow::{Flow, Stage, invalid};
use crate::accounts::model::Account;
use crate::accounts::page::{FormField, FormPage, Step};
use crate::accounts::provision::{inputs, kept_of};
use crate::accounts::roster::{check_value, fits};
use crate::accounts::verify::{Probe, probe};
use crate::error::Fault;
use crate::journal::Actor;
use crate::secret::Secret;

/// Wrong credentials that one link takes.
const FORM_TRIES: u8 = 10;

impl Accounts {
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
        let live = self
            .keep(&entry, kept, identity, &actor, |account| {
                account.account_config = Arc::new(whole_config(account, &flow));
            })
            .await?;
        Ok(connected(&configured, &manifest, &live))
    }
}

pub(super) fn form_page(
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
        let mut secrets = BTreeMap::new();
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
            secrets.insert(field.name.clone(), value);
        }
        let kept = kept_of(configured.connection().kind, secrets);
        Ok(Self { kept, config })
    }
}
