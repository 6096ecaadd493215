//! Which of several sites: asked on a page when a credential opens several and nobody has said which
//! is meant. The credential waits with the attempt, sealed; until the choice the account is as it
//! was, and the link begins anew for whoever opens it in another browser.

use std::collections::BTreeMap;
use std::sync::Arc;

use valetkey_manifest::Manifest;

use super::exchange::{Arrived, Onward};
use crate::accounts::Accounts;
use crate::accounts::connections::Configured;
use crate::accounts::discover::Site;
use crate::accounts::entry::{Entry, Kept};
use crate::accounts::flow::{Digest, Flow, Stage, digest_of, invalid};
use crate::accounts::page::{ChoicePage, FormField, SiteOption, Step};
use crate::accounts::revoke;
use crate::error::Fault;
use crate::journal::Actor;
use crate::secret::Secret;

/// What names the site: each has a button of its own.
const CHOICE: &str = "site";

/// Whether what was sent is a choice that is this browser's to make.
pub(super) fn is_choice(stage: &Stage, values: &BTreeMap<String, Secret>, browser: Digest) -> bool {
    values.contains_key(CHOICE) && is_chooser(stage, Some(browser))
}

/// Whether what was sent is a choice that came after another one: what there was to choose is used.
pub(super) fn is_late(stage: &Stage, values: &BTreeMap<String, Secret>, asked: &[FormField]) -> bool {
    values.contains_key(CHOICE)
        && !matches!(stage, Stage::Choice { .. })
        && asked.iter().all(|field| field.name != CHOICE)
}

/// Whether a browser may choose. Where none began the attempt, any may: a program in development.
pub(super) fn is_chooser(stage: &Stage, browser: Option<Digest>) -> bool {
    match stage {
        Stage::Choice { browser: owner, .. } => owner.is_none() || *owner == browser,
        _ => false,
    }
}

impl Accounts {
    /// Keeps what arrived until its owner has chosen, and sends the browser to the page that asks.
    pub(super) async fn ask_for_site(
        &self,
        flow: &mut Flow,
        entry: &Arc<Entry>,
        arrived: Arrived,
        sites: Vec<Site>,
        browser: Option<Digest>,
    ) -> Result<Step, Fault> {
        let ticket = Secret::new(crate::random::token());
        let stage = Stage::Choice {
            ticket: Some(digest_of(ticket.expose())),
            kept: arrived.kept,
            terms: arrived.terms,
            config: arrived.config,
            sites,
            browser,
        };
        if let Err(taken) = self.flows.advance(&self.parts, flow, stage).await {
            // Whoever took the attempt on meanwhile goes on with it; this credential is nobody's.
            if let Stage::Choice { kept, .. } = &flow.stage {
                revoke::discard_kept(entry, &entry.live().account, kept).await?;
            }
            return Err(taken);
        }
        Ok(Step::Redirect(self.link_url(&ticket)))
    }

    /// The owner chose a site.
    pub(super) async fn choose(
        &self,
        mut flow: Flow,
        (configured, entry): (&Arc<Configured>, &Arc<Entry>),
        manifest: &Manifest,
        ticket: &str,
        values: &BTreeMap<String, Secret>,
    ) -> Result<Step, Fault> {
        let chosen = values
            .get(CHOICE)
            .and_then(|value| value.expose().parse::<usize>().ok());
        let Stage::Choice { sites, browser, .. } = &flow.stage else {
            return Err(invalid());
        };
        let Some(site) = chosen.and_then(|at| sites.get(at)).cloned() else {
            let problem = Some("Choose one of them.".to_owned());
            return Ok(choice_page(configured, manifest, ticket, sites, problem));
        };
        let browser = *browser;
        let generation = entry.with(|live| live.account.generation);
        let arrived = match &mut flow.stage {
            Stage::Choice {
                kept, terms, config, ..
            } => {
                let mut config = std::mem::take(config);
                config.extend(site.set);
                Arrived {
                    kept: std::mem::replace(kept, Kept::None),
                    terms: terms.take(),
                    config,
                    generation,
                }
            }
            _ => return Err(invalid()),
        };
        // Of two that choose at once, one goes on.
        self.flows
            .advance(&self.parts, &mut flow, Stage::Open { tries: 0 })
            .await?;
        let actor = Actor::Browser(flow.id.to_string());
        let onward = Onward {
            open: true,
            confirm: true,
            browser,
        };
        self.conclude(&mut flow, (configured, entry), manifest, arrived, &actor, onward)
            .await
    }
}

/// The page that asks.
pub(super) fn choice_page(
    configured: &Configured,
    manifest: &Manifest,
    ticket: &str,
    sites: &[Site],
    problem: Option<String>,
) -> Step {
    let is_double = |label: &str| sites.iter().filter(|site| site.label == label).count() > 1;
    let options = sites.iter().enumerate().map(|(at, site)| SiteOption {
        value: at.to_string(),
        label: site.label.clone(),
        note: is_double(&site.label).then(|| {
            let values: Vec<&str> = site.set.values().map(String::as_str).collect();
            values.join(", ")
        }),
    });
    Step::Choice(ChoicePage {
        application: configured.connection().application_name.clone(),
        vendor: manifest.connector.title.clone(),
        ticket: ticket.to_owned(),
        sites: options.collect(),
        problem,
    })
}
