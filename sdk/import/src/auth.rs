//! How accounts connect, from the security schemes that the chosen operations refer to, and which scopes a
//! tool needs.

use std::collections::{BTreeMap, BTreeSet};

use valetkey_manifest::auth::{OAuth2, Placement};
use valetkey_manifest::{Auth, AuthKind};

use crate::model::{Api, Operation, Scheme};
use crate::words;

/// What OAuth 2 asks for when no operation says: nothing more than the vendor gives anyway.
const MAX_SCOPE: usize = 200;

/// The ways of connecting, and what to look at.
#[derive(Debug, Default)]
pub(crate) struct Connecting {
    pub(crate) auth: Vec<Auth>,
    /// By the index of the way of connecting.
    pub(crate) review: Vec<Vec<String>>,
    /// Schemes that are left out, and why.
    pub(crate) left_out: Vec<String>,
}

/// The scopes that one tool needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Scopes {
    /// All of these.
    pub(crate) all: Vec<String>,
    /// Or any one of these.
    pub(crate) any: Vec<String>,
}

/// Which scopes an operation needs, of schemes that a connector can use.
pub(crate) fn scopes(api: &Api, operation: &Operation) -> Scopes {
    let mut sets: Vec<Vec<String>> = Vec::new();
    for requirement in &operation.security {
        for (scheme, scopes) in requirement {
            let usable = matches!(api.schemes.get(scheme), Some(Scheme::OAuth2(oauth2)) if is_usable(oauth2));
            if usable {
                let mut scopes: Vec<String> =
                    scopes.iter().filter(|scope| is_scope(scope)).cloned().collect();
                // Slack names a scope for needing none.
                scopes.retain(|scope| scope != "none");
                scopes.sort();
                scopes.dedup();
                sets.push(scopes);
            }
        }
    }
    match sets.as_slice() {
        [] => Scopes::default(),
        sets if sets.iter().any(Vec::is_empty) => Scopes::default(),
        [only] => Scopes {
            all: only.clone(),
            any: Vec::new(),
        },
        sets if sets.iter().all(|set| set.len() == 1) => {
            let any: BTreeSet<String> = sets.iter().flatten().cloned().collect();
            Scopes {
                all: Vec::new(),
                any: any.into_iter().collect(),
            }
        }
        [first, ..] => Scopes {
            all: first.clone(),
            any: Vec::new(),
        },
    }
}

fn is_scope(scope: &str) -> bool {
    (1..=MAX_SCOPE).contains(&scope.len()) && scope.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The fewest scopes with which every tool can be called; `tools` are their needs, and whether they only read.
fn asked(tools: &[(Scopes, bool)]) -> BTreeSet<String> {
    let mut asked: BTreeSet<String> = tools
        .iter()
        .flat_map(|(scopes, _)| scopes.all.iter().cloned())
        .collect();
    let mut open: Vec<Vec<&String>> = tools
        .iter()
        .filter(|(scopes, _)| !scopes.any.is_empty())
        .map(|(scopes, reads)| {
            // A tool that reads is content with a scope for reading, where there is one.
            let narrow: Vec<&String> = scopes
                .any
                .iter()
                .filter(|scope| *reads && scope.contains("read"))
                .collect();
            if narrow.is_empty() {
                scopes.any.iter().collect()
            } else {
                narrow
            }
        })
        .collect();
    loop {
        open.retain(|any| !any.iter().any(|scope| asked.contains(*scope)));
        let mut uses: BTreeMap<&String, usize> = BTreeMap::new();
        for scope in open.iter().flatten() {
            *uses.entry(scope).or_default() += 1;
        }
        let most = uses
            .iter()
            .max_by_key(|(scope, count)| (**count, std::cmp::Reverse(*scope)));
        match most {
            Some((scope, _)) => asked.insert((*scope).clone()),
            None => return asked,
        };
    }
}

/// The ways of connecting for the chosen operations.
pub(crate) fn connecting(api: &Api, operations: &[&Operation], needs: &[(Scopes, bool)]) -> Connecting {
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    let mut together = false;
    for requirement in operations.iter().flat_map(|operation| &operation.security) {
        together |= requirement.len() > 1;
        wanted.extend(requirement.keys().map(String::as_str));
    }
    let mut schemes: Vec<(&String, &Scheme)> = api
        .schemes
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.contains(name.as_str()))
        .collect();
    schemes.sort_by_key(|(name, scheme)| (rank(scheme), name.as_str()));

    let mut connecting = Connecting::default();
    let mut ids = BTreeSet::new();
    for (name, scheme) in schemes {
        match one(api, scheme, needs) {
            // The same way under two names is one way.
            Ok((auth, _))
                if connecting
                    .auth
                    .iter()
                    .any(|known| known.kind == auth.kind && known.placement == auth.placement) => {}
            Ok((mut auth, review)) => {
                let mut number = 2;
                while !ids.insert(auth.id.clone()) {
                    auth.id = format!("{}_{number}", auth.kind.as_str());
                    number += 1;
                }
                connecting.auth.push(auth);
                connecting.review.push(review);
            }
            Err(reason) => connecting.left_out.push(format!("`{name}`: {reason}")),
        }
    }
    if connecting.auth.is_empty() {
        let mut auth = plain(AuthKind::Bearer, "token", &format!("{} token", title(api)));
        auth.title = cut(&auth.title);
        connecting.auth.push(auth);
        connecting.review.push(vec![
            "the specification declares no way of connecting that can be used; this takes a token as `Authorization: Bearer …`".to_owned(),
        ]);
    }
    if together && let Some(review) = connecting.review.first_mut() {
        review.push("some operations want several credentials at once; a connection has one".to_owned());
    }
    connecting
}

fn rank(scheme: &Scheme) -> u8 {
    match scheme {
        Scheme::OAuth2(_) => 0,
        Scheme::Bearer => 1,
        Scheme::Header(_) => 2,
        Scheme::Query(_) => 3,
        Scheme::Basic => 4,
        Scheme::Unsupported(_) => 5,
    }
}

fn one(api: &Api, scheme: &Scheme, needs: &[(Scopes, bool)]) -> Result<(Auth, Vec<String>), String> {
    let title = title(api);
    Ok(match scheme {
        Scheme::OAuth2(oauth2) => {
            if !is_usable(oauth2) {
                return Err("its authorization or token URL is no https URL".to_owned());
            }
            let scopes = asked(needs);
            let titles = scopes.iter().filter_map(|scope| {
                let words = words::plain(oauth2.scopes.get(scope)?, 80);
                (words.chars().count() >= 3 && words != *scope).then(|| (scope.clone(), words))
            });
            let scope_titles = titles.collect();
            let mut auth = plain(AuthKind::Oauth2, "oauth2", &format!("{title} account"));
            auth.oauth2 = Some(OAuth2 {
                authorize_url: oauth2.authorize_url.clone(),
                token_url: oauth2.token_url.clone(),
                revoke_url: None,
                issuer: None,
                iss_required: false,
                scopes: scopes.into_iter().collect(),
                scope_titles,
                scope_separator: " ".to_owned(),
                scope_param: "scope".to_owned(),
                authorize_params: oauth2.authorize_params.clone(),
                client_auth: Default::default(),
                token_body: Default::default(),
                token_response: None,
                grant_errors: Vec::new(),
                rotation: Default::default(),
                default_lifetime_seconds: None,
                revoke_token: Default::default(),
                coded: None,
            });
            let review = vec![
                "scopes: the fewest that cover the tools; narrower ones may do".to_owned(),
                "client_auth, rotation and default_lifetime_seconds are not in a specification: see the vendor's page on OAuth"
                    .to_owned(),
            ];
            (auth, review)
        }
        Scheme::Bearer => (
            plain(AuthKind::Bearer, "token", &format!("{title} token")),
            Vec::new(),
        ),
        Scheme::Basic => (
            plain(
                AuthKind::Basic,
                "basic",
                &format!("{title} user name and password"),
            ),
            Vec::new(),
        ),
        Scheme::Header(name) => {
            let is_name = !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
            let others = [
                "host",
                "cookie",
                "content-length",
                "transfer-encoding",
                "connection",
            ];
            if !is_name || others.contains(&name.to_ascii_lowercase().as_str()) {
                return Err(format!("the header {name:?} cannot carry a credential"));
            }
            let mut auth = plain(AuthKind::ApiKey, "api_key", &format!("{title} API key"));
            auth.placement = Some(Placement::Header {
                name: name.clone(),
                format: "{secret}".to_owned(),
            });
            let review = if name.eq_ignore_ascii_case("authorization") {
                vec!["the vendor may want a word before the key, such as `Bearer {secret}`".to_owned()]
            } else {
                Vec::new()
            };
            (auth, review)
        }
        Scheme::Query(name) if name.is_empty() => return Err("its query parameter has no name".to_owned()),
        Scheme::Query(name) => {
            let mut auth = plain(AuthKind::ApiKey, "api_key", &format!("{title} API key"));
            auth.placement = Some(Placement::Query { name: name.clone() });
            (auth, Vec::new())
        }
        Scheme::Unsupported(what) => return Err(format!("{what} is not supported")),
    })
}

fn plain(kind: AuthKind, id: &str, title: &str) -> Auth {
    Auth {
        id: id.to_owned(),
        kind,
        title: cut(title),
        oauth2: None,
        grant: None,
        inputs: BTreeMap::new(),
        placement: None,
    }
}

/// The API's name, short enough to be followed by a word or two.
fn title(api: &Api) -> String {
    let title = words::plain(&api.title, 36);
    if title.is_empty() {
        "Vendor".to_owned()
    } else {
        title
    }
}

fn cut(title: &str) -> String {
    title.chars().take(60).collect()
}

fn is_usable(oauth2: &crate::model::OAuth2) -> bool {
    [&oauth2.authorize_url, &oauth2.token_url].iter().all(|url| {
        let Some(rest) = url.strip_prefix("https://") else {
            return false;
        };
        let base = rest.split('?').next().unwrap_or(rest);
        let host = base.split('/').next().unwrap_or_default();
        host.contains('.')
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
            && host
                .split('.')
                .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
            && !host
                .rsplit('.')
                .next()
                .unwrap_or_default()
                .bytes()
                .all(|byte| byte.is_ascii_digit())
            && url
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"\\{}#".contains(&byte))
            && !base.contains("//")
            && !base.split('/').any(|segment| matches!(segment, "." | ".."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(any: &[&str], reads: bool) -> (Scopes, bool) {
        let any = any.iter().map(|scope| (*scope).to_owned()).collect();
        (Scopes { all: Vec::new(), any }, reads)
    }

    #[test]
    fn the_fewest_scopes_cover_every_tool_and_reading_asks_for_reading() {
        let tools = [
            needs(&["full", "modify", "readonly"], true),
            needs(&["full", "modify"], false),
            needs(&["modify", "send"], false),
        ];
        let found: Vec<String> = asked(&tools).into_iter().collect();
        assert_eq!(found, ["modify", "readonly"]);
    }

    #[test]
    fn only_https_urls_are_taken_for_oauth() {
        let usable = |url: &str| {
            is_usable(&crate::model::OAuth2 {
                authorize_url: url.to_owned(),
                token_url: "https://acme.example/token".to_owned(),
                ..Default::default()
            })
        };
        assert!(usable("https://acme.example/authorize?x=1"));
        for bad in [
            "",
            "/authorize",
            "http://acme.example",
            "https://{domain}/x",
            "https://1.2.3.4/x",
            "https://localhost",
        ] {
            assert!(!usable(bad), "{bad}");
        }
    }
}
