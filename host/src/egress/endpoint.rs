//! Endpoints: the only places that requests may go to, as parts that were parsed once.
//!
//! `registry` and `accounts` build them; [`super::gate`] composes requests from their parts.

use std::collections::BTreeMap;
use std::net::IpAddr;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use http::uri::{Authority, Scheme};

use super::gate;

/// One endpoint of a connection, resolved: the manifest's URL with the connection's override and
/// the account's configuration filled in, parsed and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `https`, or `http` for a development connection on loopback.
    pub scheme: Scheme,
    /// Host in lower case, and the port unless it is the scheme's own.
    pub authority: Authority,
    /// Base path without a trailing slash; may be empty.
    pub base_path: String,
    /// Whether the credential is added.
    pub credential: bool,
    /// Constant headers.
    pub headers: HeaderMap,
}

/// Resolves an endpoint URL (placeholders already filled in) into its parts.
///
/// # Errors
/// What is wrong with it: scheme, port, credentials, address literal, query, fragment.
pub fn endpoint(
    url: &str,
    development: bool,
    credential: bool,
    headers: &BTreeMap<String, String>,
) -> Result<Endpoint, String> {
    let origin = origin(url, development)?;
    if origin.rest.contains(['?', '#']) {
        return Err(format!("{url}: an endpoint has no query and no fragment"));
    }
    let base_path = origin.rest.trim_end_matches('/');
    if !base_path.is_empty() {
        gate::check_path(base_path).map_err(|problem| format!("{url}: the path {problem}"))?;
    }
    let mut fixed = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{name:?} is not a header name"))?;
        if gate::is_host_header(name.as_str()) {
            return Err(format!("the header {name} belongs to the host"));
        }
        let value = HeaderValue::from_str(value)
            .map_err(|_| format!("the value of the header {name} is not plain text"))?;
        fixed.insert(name, value);
    }
    Ok(Endpoint {
        scheme: origin.scheme,
        authority: origin.authority,
        base_path: base_path.to_owned(),
        credential,
        headers: fixed,
    })
}

/// The parts of a URL that decide where a connection goes, and the rest.
pub(super) struct Origin<'u> {
    pub scheme: Scheme,
    pub authority: Authority,
    /// From the first `/`, `?` or `#` on.
    pub rest: &'u str,
}

/// Parses the beginning of an absolute URL strictly; see [`endpoint`] for what is refused.
pub(super) fn origin(url: &str, development: bool) -> Result<Origin<'_>, String> {
    if !url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Err(format!("{url:?} contains characters that a URL cannot hold"));
    }
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| format!("{url}: not an absolute URL"))?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "https" => Scheme::HTTPS,
        "http" if development => Scheme::HTTP,
        "http" => {
            return Err(format!(
                "{url}: plain http is for development connections to this machine; use https"
            ));
        }
        other => return Err(format!("{url}: the scheme {other:?} is not https")),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    if authority.contains('@') {
        return Err(format!(
            "{url}: a user name or password has no place in an endpoint"
        ));
    }
    let normal =
        normal_authority(authority, &scheme).ok_or_else(|| format!("{url}: no valid host and port"))?;
    let authority = Authority::try_from(normal).map_err(|_| format!("{url}: no valid host and port"))?;
    let host = authority.host();
    let literal = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    match literal {
        Ok(ip) if development && super::address::is_loopback(ip) => {}
        Ok(_) if development => {
            return Err(format!(
                "{url}: a development connection reaches this machine's loopback alone"
            ));
        }
        // A name whose last label is a number is an address in disguise (`127.1`, `0x7f.1`).
        Ok(_) => return Err(format!("{url}: name the host, not its address")),
        Err(_) if is_numeric_name(host) => return Err(format!("{url}: name the host, not its address")),
        Err(_) if !is_name(host) => return Err(format!("{url}: {host:?} is not a host name")),
        Err(_) => {}
    }
    Ok(Origin {
        scheme,
        authority,
        rest,
    })
}

/// Host in lower case and port in decimal, without the scheme's default port; none when it is no
/// authority at all.
pub(super) fn normal_authority(text: &str, scheme: &Scheme) -> Option<String> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (literal, after) = rest.split_once(']')?;
            literal.parse::<std::net::Ipv6Addr>().ok()?;
            let port = if after.is_empty() {
                None
            } else {
                Some(after.strip_prefix(':')?)
            };
            (&text[..literal.len() + 2], port)
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    if host.is_empty() || !host.bytes().all(plain) {
        return None;
    }
    let default = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    let port = match port {
        None => default,
        Some(port) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            port.parse::<u16>().ok().filter(|port| *port != 0)?
        }
        Some(_) => return None,
    };
    let host = host.to_ascii_lowercase();
    Some(if port == default {
        host
    } else {
        format!("{host}:{port}")
    })
}

fn is_name(host: &str) -> bool {
    host.len() <= 253
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        })
}

fn is_numeric_name(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let hex = last
        .strip_prefix("0x")
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hex || last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, development: bool) -> Result<Endpoint, String> {
        endpoint(url, development, true, &BTreeMap::new())
    }

    #[test]
    fn an_endpoint_is_kept_in_one_spelling() {
        let found = parse("HTTPS://API.Vendor.Test:443/base/v1/", false).unwrap();
        assert_eq!(found.scheme, Scheme::HTTPS);
        assert_eq!(found.authority, "api.vendor.test");
        assert_eq!(found.base_path, "/base/v1");
        assert_eq!(
            parse("https://api.vendor.test:8443", false).unwrap().authority,
            "api.vendor.test:8443"
        );
        assert_eq!(
            parse("http://127.0.0.1:80/", true).unwrap().authority,
            "127.0.0.1"
        );
        assert_eq!(
            parse("http://[::1]:9000/x", true).unwrap().authority,
            "[::1]:9000"
        );
    }

    #[test]
    fn what_is_no_public_https_endpoint_is_refused() {
        for url in [
            "http://api.vendor.test",
            "ftp://api.vendor.test",
            "api.vendor.test",
            "https:///x",
            "https://",
            "https://user:pass@api.vendor.test",
            "https://api.vendor.test?x=1",
            "https://api.vendor.test/#x",
            "https://api.vendor.test/a/../b",
            "https://api.vendor.test//a",
            "https://api.vendor.test\\@evil.test",
            "https://api.vendor.test:0",
            "https://api.vendor.test:",
            "https://api.vendor.test:99999",
            "https://api.vendor.test:+443",
            "https://1.1.1.1",
            "https://[2606:4700::1111]",
            "https://127.1",
            "https://0x7f.1",
            "https://0x7f000001",
            "https://2130706433",
            "https://0177.0.0.1",
            "https://127.0.0.1.",
            "https://api..vendor.test",
            "https://-api.vendor.test",
            "https://api.vendor.test.",
            "https://{config.subdomain}.vendor.test",
            "https://vendör.test",
            "https://a b.test",
        ] {
            assert!(parse(url, false).is_err(), "{url}");
        }
    }

    #[test]
    fn development_reaches_this_machine_alone() {
        assert!(parse("http://localhost:1/x", true).is_ok());
        assert!(parse("https://vendor.test:8443", true).is_ok());
        for url in [
            "http://10.0.0.1",
            "http://169.254.169.254/latest",
            "http://[fe80::1]/",
        ] {
            assert!(parse(url, true).is_err(), "{url}");
        }
    }

    #[test]
    fn host_headers_are_no_constants_of_an_endpoint() {
        let headers = BTreeMap::from([("Authorization".to_owned(), "Bearer x".to_owned())]);
        assert!(endpoint("https://api.vendor.test", false, true, &headers).is_err());
    }
}
