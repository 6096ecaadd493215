//! The manifest's `discover` request: which sites a new credential opens, and which of them the
//! account is for.
//!
//! Asked once, before `verify`: by the end of an attempt (`connect`) and when a credential is tried
//! (`trial`). Whoever gets several sites asks the owner.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use valetkey_manifest::{Discover, Manifest};

use super::connections::Configured;
use super::parts::Parts;
use super::quirks::scalar;
use super::roster::check_value;
use super::verify::{Probe, Question, ask, printable};
use crate::egress::{self, Credential};
use crate::id::AccountId;

/// Sites that an owner is asked to choose from.
const MAX_SITES: usize = 200;

/// One site that a credential opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Site {
    /// What a person recognises.
    pub label: String,
    /// What it makes of the account's configuration.
    pub set: BTreeMap<String, String>,
}

/// Which site an account is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This one; its configuration.
    One(BTreeMap<String, String>),
    /// One of these: the owner knows.
    Several(Vec<Site>),
    /// The credential opens none.
    Nothing,
    /// It opens others than the one that the application named.
    Another,
}

/// What is known of the site beforehand.
#[derive(Clone, Copy)]
pub(super) struct Hints<'a> {
    /// What the application gave: it is this site or none.
    pub given: &'a BTreeMap<String, String>,
    /// What the account had before: it is this site if the credential opens it.
    pub known: &'a BTreeMap<String, String>,
}

/// Whether an owner may have to choose: the application did not name everything.
pub(super) fn may_ask(discover: &Discover, given: &BTreeMap<String, String>) -> bool {
    !discover.set.keys().all(|name| given.contains_key(name))
}

/// Asks the vendor with a credential that is being tried.
///
/// # Errors
/// What the vendor thinks of the credential, when it gives no list.
#[allow(clippy::too_many_arguments, reason = "what the answer depends on, each once")]
pub(super) async fn discover(
    parts: &Parts,
    configured: &Configured,
    manifest: &Manifest,
    discover: &Discover,
    config: &BTreeMap<String, String>,
    hints: Hints<'_>,
    credential: Arc<Credential>,
    account: &AccountId,
) -> Result<Found, Probe> {
    let question = Question {
        endpoint: &discover.endpoint,
        method: "GET",
        path: &discover.path,
        headers: None,
        body: None,
    };
    let unknown = |cause: String| {
        tracing::warn!(
            account = account.as_str(),
            cause,
            "the sites of a credential could not be found"
        );
        Probe::Unknown
    };
    let answer = ask(parts, configured, manifest, config, credential, account, question)
        .await
        .map_err(|fault| unknown(fault.chain()))?;
    if egress::refused(answer.status, &answer.body, &manifest.refusals) {
        return Err(Probe::Rejected);
    }
    match answer.status.as_u16() {
        200..=299 => {}
        403 => return Err(Probe::Forbidden),
        status => return Err(unknown(format!("the vendor answered {status}"))),
    }
    let sites = serde_json::from_slice(&answer.body)
        .ok()
        .and_then(|body: Value| sites(&body, discover, manifest))
        .ok_or_else(|| unknown("the answer holds no list where the manifest says".to_owned()))?;
    Ok(choose(sites, discover, hints))
}

/// The sites of an answer, each once; none when there is no list. One without a value, or with one
/// that could not be used, is left out.
fn sites(body: &Value, discover: &Discover, manifest: &Manifest) -> Option<Vec<Site>> {
    let mut sites: Vec<Site> = Vec::new();
    for item in body.pointer(&discover.items)?.as_array()? {
        let values = discover.set.iter().map(|(name, pointer)| {
            let value = item.pointer(pointer).and_then(scalar)?;
            let input = manifest.account_config.get(name)?;
            // It may become part of a URL, as a value that somebody gives.
            check_value(input, &value).ok()?;
            Some((name.clone(), value))
        });
        let Some(set) = values.collect::<Option<BTreeMap<_, _>>>() else {
            tracing::warn!("a site is left out: its values are missing or not as the manifest wants them");
            continue;
        };
        if sites.iter().any(|known| known.set == set) {
            continue;
        }
        let label = item.pointer(&discover.label).and_then(scalar).map(printable);
        let label = label.filter(|label| !label.trim().is_empty());
        let first = || set.values().next().cloned().unwrap_or_default();
        sites.push(Site {
            label: label.unwrap_or_else(first),
            set,
        });
    }
    Some(sites)
}

fn choose(mut sites: Vec<Site>, discover: &Discover, hints: Hints<'_>) -> Found {
    if sites.is_empty() {
        return Found::Nothing;
    }
    let agrees = |site: &Site, with: &BTreeMap<String, String>| {
        let mut values = site.set.iter();
        values.all(|(name, value)| with.get(name).is_none_or(|wanted| wanted == value))
    };
    sites.retain(|site| agrees(site, hints.given));
    let names_one =
        |config: &BTreeMap<String, String>| discover.set.keys().all(|name| config.contains_key(name));
    let before = sites
        .iter()
        .position(|site| names_one(hints.known) && agrees(site, hints.known));
    match (sites.len(), before) {
        (0, _) => Found::Another,
        (1, _) => Found::One(sites.swap_remove(0).set),
        (_, Some(before)) => Found::One(sites.swap_remove(before).set),
        _ => {
            sites.truncate(MAX_SITES);
            Found::Several(sites)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn declared() -> Manifest {
        let manifest = json!({
            "connector": {"id": "acme", "title": "Acme", "version": "1.0.0", "contract": "0.1",
                "description": "Reads things."},
            "endpoints": {"api": {"url": "https://acme.example"}},
            "account_config": {"cloud": {"title": "Cloud", "description": "The site.", "pattern": "[a-f0-9-]+"}},
            "discover": {"endpoint": "api", "path": "/sites", "items": "/values", "label": "/name",
                "set": {"cloud": "/id"}},
            "tools": []
        });
        serde_json::from_value(manifest).unwrap()
    }

    fn find(items: &Value, given: &[(&str, &str)], known: &[(&str, &str)]) -> Option<Found> {
        let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let manifest = declared();
        let discover = manifest.discover.clone().unwrap();
        let found = sites(&json!({"values": items}), &discover, &manifest)?;
        let (given, known) = (map(given), map(known));
        let hints = Hints {
            given: &given,
            known: &known,
        };
        Some(choose(found, &discover, hints))
    }

    fn one(id: &str) -> Option<Found> {
        Some(Found::One(BTreeMap::from([("cloud".to_owned(), id.to_owned())])))
    }

    #[test]
    fn a_site_is_chosen_where_nobody_has_to_be_asked() {
        let two = json!([{"id": "aa", "name": "One"}, {"id": "bb", "name": "Two"}]);
        assert_eq!(find(&json!([{"id": "aa", "name": "One"}]), &[], &[]), one("aa"));
        assert_eq!(find(&two, &[("cloud", "bb")], &[]), one("bb"));
        assert_eq!(find(&two, &[], &[("cloud", "bb")]), one("bb"));
        assert_eq!(find(&two, &[("cloud", "aa")], &[("cloud", "bb")]), one("aa"));
        assert_eq!(
            find(&two, &[("region", "eu")], &[])
                .map(|found| matches!(found, Found::Several(sites) if sites.len() == 2)),
            Some(true)
        );
        // What was known before and is not opened any more decides nothing.
        assert!(matches!(
            find(&two, &[], &[("cloud", "cc")]),
            Some(Found::Several(_))
        ));
        assert_eq!(find(&json!([{"id": "aa"}]), &[], &[("cloud", "cc")]), one("aa"));
        // What the application named is never replaced.
        assert_eq!(find(&two, &[("cloud", "cc")], &[]), Some(Found::Another));
        assert_eq!(
            find(&json!([{"id": "aa"}]), &[("cloud", "cc")], &[]),
            Some(Found::Another)
        );
        assert_eq!(find(&json!([]), &[("cloud", "cc")], &[]), Some(Found::Nothing));
    }

    #[test]
    fn only_usable_sites_count_and_each_once() {
        let items = json!([
            {"id": "aa", "name": "One"},
            {"id": "aa", "name": "One again"},
            {"id": "../evil", "name": "Not a value"},
            {"name": "No value"},
            "no object"
        ]);
        assert_eq!(find(&items, &[], &[]), one("aa"));
        assert_eq!(find(&json!({"id": "aa"}), &[], &[]), None, "no list");
        let nameless = find(
            &json!([{"id": "aa", "name": " "}, {"id": "bb", "name": "Two\n"}]),
            &[],
            &[],
        );
        let Some(Found::Several(sites)) = nameless else {
            panic!("not several: {nameless:?}")
        };
        let labels: Vec<_> = sites.iter().map(|site| site.label.as_str()).collect();
        assert_eq!(labels, ["aa", "Two"]);
    }
}
