//! Where operations are served, as endpoints of a manifest: https, a host that is certain, and the part that
//! an account decides as its configuration with a pattern that keeps it a name.

use std::collections::BTreeMap;

use valetkey_manifest::{ConfigInput, Endpoint};

use crate::model::{Server, Variable};
use crate::{names, words};

/// One label of a host's name.
const LABEL: &str = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
/// A whole name of a host.
const HOST: &str =
    "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+";
/// One segment of a path.
const SEGMENT: &str = "[A-Za-z0-9][A-Za-z0-9_-]{0,127}";

/// An endpoint, and what an account has to supply for it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) endpoint: Endpoint,
    pub(crate) config: BTreeMap<String, ConfigInput>,
    /// What a reviewer should look at.
    pub(crate) review: Vec<String>,
}

/// Makes an endpoint of a server.
///
/// # Errors
/// Why requests cannot go there.
pub(crate) fn of(server: &Server) -> Result<Place, String> {
    let url = server.url.trim().trim_end_matches('/');
    if url.is_empty() {
        return Err("the specification does not say where the API is served".to_owned());
    }
    let mut review = Vec::new();
    let rest = match url.split_once("://") {
        Some((scheme, rest)) => {
            match scheme.to_ascii_lowercase().as_str() {
                "https" => {}
                "http" => review
                    .push("the specification says http; valetkey calls vendors by https alone".to_owned()),
                // `{scheme}://` and the like: https is the one that is taken.
                placeholder if placeholder.starts_with('{') => {}
                other => {
                    return Err(format!(
                        "the server {url:?} is not reached by https but by {other:?}"
                    ));
                }
            }
            rest
        }
        None => {
            return Err(format!(
                "the server {url:?} is relative, so that its host is not known"
            ));
        }
    };
    let (host, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let mut config = BTreeMap::new();
    let host = fill(host, server, true, &mut config)?;
    let host = host.strip_suffix(":443").unwrap_or(&host).to_owned();
    let path = fill(path, server, false, &mut config)?;
    expect_host(&host)?;
    if !path.split('/').skip(1).all(is_segment) {
        return Err(format!("the server's path {path:?} is no plain path"));
    }
    if !config.is_empty() {
        let asked: Vec<&str> = config.keys().map(String::as_str).collect();
        review.push(format!("each account is asked for: {}", asked.join(", ")));
    }
    Ok(Place {
        endpoint: Endpoint {
            url: format!("https://{host}{path}"),
            credential: true,
            headers: BTreeMap::new(),
        },
        config,
        review,
    })
}

/// Writes the placeholders of a part of a URL as the account's configuration, or as what they always are.
fn fill(
    part: &str,
    server: &Server,
    in_host: bool,
    config: &mut BTreeMap<String, ConfigInput>,
) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = part;
    while let Some(open) = rest.find('{') {
        let Some(close) = rest[open..].find('}').map(|at| at + open) else {
            return Err(format!(
                "the server's URL has a brace that is not closed: {part:?}"
            ));
        };
        filled.push_str(&rest[..open]);
        let name = &rest[open + 1..close];
        rest = &rest[close + 1..];
        let nothing = Variable::default();
        let variable = server.variables.get(name).unwrap_or(&nothing);
        let fixed = match (variable.choices.as_slice(), &variable.default) {
            ([only], _) => Some(only.clone()),
            (_, Some(default)) if !in_host && default.contains('/') => {
                Some(default.trim_matches('/').to_owned())
            }
            (_, Some(default)) if name.eq_ignore_ascii_case("port") => Some(default.clone()),
            _ => None,
        };
        match fixed {
            Some(fixed) => filled.push_str(&fixed),
            None => {
                let word = names::word(name, "place");
                let whole_host = in_host && filled.is_empty() && rest.is_empty();
                config.insert(word.clone(), input(name, variable, in_host, whole_host));
                filled.push_str(&format!("{{config.{word}}}"));
            }
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

fn input(name: &str, variable: &Variable, in_host: bool, whole_host: bool) -> ConfigInput {
    let default = variable.default.as_deref().unwrap_or_default();
    let is_label = |text: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&text.len())
            && text.bytes().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-')
    };
    let choices: Vec<&String> = variable
        .choices
        .iter()
        .filter(|choice| is_label(choice))
        .collect();
    let several_labels = in_host && (whole_host || default.contains('.'));
    let (pattern, fits) = if !choices.is_empty() {
        let joined = choices
            .iter()
            .map(|choice| choice.as_str())
            .collect::<Vec<_>>()
            .join("|");
        (joined, choices.iter().any(|choice| *choice == default))
    } else if several_labels {
        (
            HOST.to_owned(),
            default.contains('.') && default.split('.').all(is_label),
        )
    } else if in_host {
        (LABEL.to_owned(), is_label(default))
    } else {
        (SEGMENT.to_owned(), is_label(default))
    };
    let said = words::plain(variable.description.as_deref().unwrap_or_default(), 300);
    let title: String = words::sentence_of(name).chars().take(60).collect();
    ConfigInput {
        description: if said.is_empty() {
            format!("{title}: a part of the address at which the account is served.")
        } else {
            said
        },
        title,
        pattern: Some(pattern),
        example: fits.then(|| default.to_owned()),
        required: true,
        from_token_response: None,
        take: None,
    }
}

fn expect_host(host: &str) -> Result<(), String> {
    if host.contains(':') {
        return Err(format!(
            "the server {host:?} names a port; vendors are reached at 443"
        ));
    }
    let is_label = |label: &str| {
        let bare = label.replace("{config_", "").replace('}', "");
        !bare.is_empty()
            && label.len() <= 120
            && !label.starts_with('-')
            && !label.ends_with('-')
            && bare
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    // The dots inside placeholders part no labels.
    let labels = host.replace("{config.", "{config_");
    let last = labels.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    let is_local = host == "localhost" || host.ends_with(".localhost");
    if !labels.split('.').all(is_label) || is_number || is_local || labels.len() > 253 {
        return Err(format!(
            "the server {host:?} is no host name that vendors are reached by"
        ));
    }
    Ok(())
}

fn is_segment(segment: &str) -> bool {
    let bare = segment.replace("{config.", "").replace('}', "");
    !bare.is_empty()
        && bare != "."
        && bare != ".."
        && bare
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(url: &str) -> Result<String, String> {
        let server = Server {
            url: url.to_owned(),
            ..Server::default()
        };
        of(&server).map(|place| place.endpoint.url)
    }

    #[test]
    fn servers_become_https_endpoints_or_say_why_not() {
        assert_eq!(
            url("https://api.acme.example/v1/"),
            Ok("https://api.acme.example/v1".to_owned())
        );
        assert_eq!(
            url("http://api.acme.example"),
            Ok("https://api.acme.example".to_owned())
        );
        assert_eq!(
            url("https://api.acme.example:443/x"),
            Ok("https://api.acme.example/x".to_owned())
        );
        for bad in [
            "",
            "/v1",
            "ftp://x.example",
            "https://localhost",
            "https://1.2.3.4",
            "https://x.example:8080",
            "https://x.example/a/../b",
            "https://x.example/a b",
            "https://{x",
            "https://a..b",
            "https://u@x.example",
            "https://x.example?x=1",
        ] {
            assert!(url(bad).is_err(), "{bad}: {:?}", url(bad));
        }
    }

    #[test]
    fn what_an_account_decides_is_asked_for_with_a_pattern() {
        let variables = BTreeMap::from([
            (
                "your-domain".to_owned(),
                Variable {
                    default: Some("acme".to_owned()),
                    ..Variable::default()
                },
            ),
            (
                "region".to_owned(),
                Variable {
                    choices: vec!["us".to_owned(), "eu".to_owned()],
                    ..Variable::default()
                },
            ),
            (
                "base".to_owned(),
                Variable {
                    default: Some("api/v2".to_owned()),
                    ..Variable::default()
                },
            ),
        ]);
        let server = Server {
            url: "https://{your-domain}.{region}.acme.example/{base}".to_owned(),
            variables,
        };
        let place = of(&server).expect("an endpoint");
        assert_eq!(
            place.endpoint.url,
            "https://{config.your_domain}.{config.region}.acme.example/api/v2"
        );
        assert_eq!(place.config["region"].pattern.as_deref(), Some("us|eu"));
        assert_eq!(place.config["your_domain"].example.as_deref(), Some("acme"));
        assert!(place.config.values().all(|input| input.required));
    }
}
