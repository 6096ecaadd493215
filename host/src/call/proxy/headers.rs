//! Which headers of a raw request go to the vendor, and which of its answer come back. What is not
//! listed is left out: a caller's token, cookies and the traces of proxies on the way are nobody's
//! business at a vendor, and a vendor's headers must not steer what stands before this host.

use http::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};

use crate::egress::Endpoint;
use crate::error::{Fault, Problem};

/// About the content, the wanted answer, and the conditions of the request.
const TO_VENDOR: [&str; 19] = [
    "accept",
    "accept-language",
    "content-type",
    "content-language",
    "content-encoding",
    "content-disposition",
    "content-range",
    "content-md5",
    "digest",
    "etag",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "if-range",
    "range",
    "prefer",
    "idempotency-key",
    "consistencylevel",
];
/// Of the headers that vendors invent (`x-…`, `…-version`, `…-beta`), those that are about this
/// host or about the way to it.
const NOT_TO_VENDOR: [&str; 12] = [
    "x-sdk-version",
    "x-api-version",
    "x-execution-id",
    "x-request-id",
    "x-correlation-id",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "x-b3-traceid",
    "x-csrf-token",
    "x-xsrf-token",
    "x-requested-with",
    "mcp-protocol-version",
];
/// About the content and the vendor's limits.
const TO_CALLER: [&str; 17] = [
    "content-type",
    "content-language",
    "content-disposition",
    "content-range",
    "accept-ranges",
    "etag",
    "last-modified",
    "link",
    "retry-after",
    "preference-applied",
    "deprecation",
    "sunset",
    "x-total-count",
    "x-next-page",
    "x-page",
    "x-per-page",
    "ratelimit",
];
/// Beginnings of the names under which vendors tell their limits.
const LIMITS: [&str; 3] = ["ratelimit-", "x-ratelimit-", "x-rate-limit-"];

/// The headers for the vendor; those that the endpoint fixes, and the one that carries the
/// credential, are the host's.
pub(super) fn to_vendor(
    headers: &HeaderMap,
    endpoint: &Endpoint,
    carriers: &[&str],
) -> Result<Vec<(String, String)>, Fault> {
    let mut chosen = Vec::new();
    for (name, value) in headers {
        let carries = carriers
            .iter()
            .any(|carrier| name.as_str().eq_ignore_ascii_case(carrier));
        let host_sets = endpoint.headers.contains_key(name) || carries;
        if host_sets || !is_for_vendor(name.as_str()) {
            continue;
        }
        let text = value.to_str().map_err(|_| {
            Fault::invalid(
                format!("The header {name} holds more than plain ASCII text. Encode it as the vendor wants."),
                vec![Problem {
                    path: name.to_string(),
                    problem: "is not plain ASCII text".to_owned(),
                }],
            )
        })?;
        chosen.push((name.as_str().to_owned(), text.to_owned()));
    }
    Ok(chosen)
}

fn is_for_vendor(name: &str) -> bool {
    if TO_VENDOR.contains(&name) {
        return true;
    }
    let invented = name.starts_with("x-") || name.ends_with("-version") || name.ends_with("-beta");
    invented && !NOT_TO_VENDOR.contains(&name) && !crate::egress::is_host_header(name)
}

/// The vendor's headers for the caller.
pub(super) fn to_caller(headers: &[(String, String)], endpoint: &Endpoint) -> HeaderMap {
    let mut chosen = HeaderMap::new();
    for (name, value) in headers {
        let kept = TO_CALLER.contains(&name.as_str()) || LIMITS.iter().any(|limit| name.starts_with(limit));
        let value = match below(endpoint, name, value) {
            Some(path) => path,
            None if kept => value.as_str(),
            None => continue,
        };
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            chosen.append(name, value);
        }
    }
    chosen
}

/// Where below the endpoint a `location` leads; one that leads elsewhere, or is relative to a path
/// that the caller does not see, is left out.
fn below<'v>(endpoint: &Endpoint, name: &str, value: &'v str) -> Option<&'v str> {
    if name != LOCATION.as_str() {
        return None;
    }
    let path = match value.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => value,
    };
    path.strip_prefix(endpoint.base_path.as_str())
        .filter(|path| path.starts_with('/') && !path.starts_with("//"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn endpoint() -> Endpoint {
        let fixed = BTreeMap::from([("acme-version".to_owned(), "2".to_owned())]);
        crate::egress::endpoint("https://api.vendor.test/v1", false, true, &fixed).expect("an endpoint")
    }

    #[test]
    fn only_headers_for_the_vendor_go_there() {
        let mut headers = HeaderMap::new();
        for name in [
            "accept",
            "content-type",
            "notion-version",
            "x-goog-user-project",
            "idempotency-key",
            "authorization",
            "cookie",
            "host",
            "connection_name",
            "identifier",
            "x-forwarded-for",
            "x_forwarded_for",
            "x-real-ip",
            "x-request-id",
            "x-api-version",
            "via",
            "user-agent",
            "traceparent",
            "origin",
            "referer",
            "sec-fetch-site",
            "acme-version",
            "x-api-key",
            "transfer-encoding",
            "x-http-method-override",
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
        }
        let sent = to_vendor(&headers, &endpoint(), &["X-Api-Key"]).expect("plain");
        let mut sent: Vec<&str> = sent.iter().map(|(name, _)| name.as_str()).collect();
        sent.sort_unstable();
        let wanted = [
            "accept",
            "content-type",
            "idempotency-key",
            "notion-version",
            "x-goog-user-project",
        ];
        assert_eq!(sent, wanted);
        headers.insert(
            "x-note",
            HeaderValue::from_bytes(b"caf\xc3\xa9").expect("a value"),
        );
        assert!(to_vendor(&headers, &endpoint(), &[]).is_err());
    }

    #[test]
    fn nothing_of_an_answer_steers_the_host_and_a_location_stays_below_the_proxy() {
        let answered = [
            ("content-type", "text/html"),
            ("x-ratelimit-remaining", "3"),
            ("x-accel-redirect", "/etc/passwd"),
            ("x-sendfile", "/etc/passwd"),
            ("set-cookie", "a=b"),
            ("www-authenticate", "Bearer"),
            ("access-control-allow-origin", "*"),
            ("content-security-policy", "default-src *"),
            ("strict-transport-security", "max-age=1"),
            ("server", "x"),
            ("location", "https://api.vendor.test/v1/things/7?a=b"),
        ];
        let answered = answered.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let seen = to_caller(&answered, &endpoint());
        let mut names: Vec<&str> = seen.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-type", "location", "x-ratelimit-remaining"]);
        assert_eq!(seen["location"], "/things/7?a=b");
        for elsewhere in [
            "/v2/things",
            "things",
            "?page=2",
            "https://api.vendor.test",
            "/v1//evil.test/x",
        ] {
            let answered = [("location".to_owned(), elsewhere.to_owned())];
            assert!(to_caller(&answered, &endpoint()).is_empty(), "{elsewhere}");
        }
    }
}
