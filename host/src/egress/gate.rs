//! May this request go there? Everything a guest says about a destination is checked here, before
//! a budget, a credential or a socket is touched.
//!
//! Called by `Egress::send` first of all. What leaves this module is built from the endpoint's own
//! scheme and authority; a guest's text ends up in the path and the query and nowhere else.

use std::borrow::Cow;

use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method};
use tracing::Span;

use super::client::Payload;
use super::endpoint::{self, Endpoint};
use super::keep::Keep;
use super::rule::{self, Allowed};
use super::{GuestRequest, Reach};
use crate::config;
use crate::error::{Fault, Kind};
use crate::trace::{self, VendorRequest};

/// Longest path and query, encoded.
const MAX_TARGET_BYTES: usize = 16 * 1024;
/// Header fields that a guest may set.
const MAX_HEADER_FIELDS: usize = 64;
/// Bytes of names and values that a guest may set.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// Headers that belong to the host, whatever their spelling.
const FORBIDDEN: [&str; 34] = [
    "authorization",
    "proxy-authorization",
    "proxy-authenticate",
    "proxy-connection",
    "cookie",
    "cookie2",
    "set-cookie",
    "set-cookie2",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "trailers",
    "expect",
    "forwarded",
    "via",
    "http2-settings",
    "accept-encoding",
    "accept-charset",
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-original-url",
    "x-rewrite-url",
    "x-original-host",
];

/// A request that may be sent: its destination is certain, its credential still missing.
#[derive(Debug)]
pub struct Admitted<'a> {
    /// Where it goes.
    pub endpoint: &'a Endpoint,
    /// The tool's rule that permits it.
    pub rule: &'a Allowed,
    /// How.
    pub method: Method,
    /// The path below the endpoint's base, as budgets see it.
    pub path: String,
    /// Base path, path and query, encoded.
    pub target: String,
    /// Headers, the endpoint's own included.
    pub headers: HeaderMap,
    /// Body.
    pub body: Payload,
    /// Where the answer's body goes instead of to the guest.
    pub keep: Option<Keep>,
}

impl Admitted<'_> {
    /// The span of one attempt. It knows the rule's path, never the request's own.
    pub fn span(&self, attempt: u32) -> Span {
        trace::vendor_request(&VendorRequest {
            method: &self.method,
            scheme: &self.endpoint.scheme,
            authority: &self.endpoint.authority,
            template: format_args!("{}{}", self.endpoint.base_path, self.rule.template()),
            attempt,
        })
    }
}

/// Checks a guest's request against what its call may reach.
///
/// # Errors
/// `egress_denied` with the reason; nothing was sent.
pub fn admit<'a>(
    reach: &'a Reach,
    request: GuestRequest,
    settings: &config::Egress,
) -> Result<Admitted<'a>, Fault> {
    let endpoint = reach.endpoints.get(&request.endpoint).ok_or_else(|| {
        denied(
            "host_not_allowed",
            format!(
                "The connector named the endpoint {:?}, which its manifest does not declare.",
                clip(&request.endpoint)
            ),
        )
    })?;
    let method = method(&request.method)?;
    let (path, query) = match &request.url {
        None => (Cow::Borrowed(request.path.as_str()), None),
        Some(url) => below(endpoint, &request.path, url)?,
    };
    check_path(&path).map_err(|problem| denied("path", format!("The request's path {problem}.")))?;

    let rule = reach
        .allowed
        .iter()
        .find(|rule| rule.endpoint == request.endpoint && rule.permits(&method, &path))
        .ok_or_else(|| policy(reach, &method, &request.endpoint, &path))?;

    let headers = headers(endpoint, &request)?;
    if let Some(body) = &request.body
        && body.len() > settings.max_request_bytes
    {
        return Err(denied(
            "request_too_large",
            format!(
                "The request's body has {} bytes; {} are allowed. Send less at once.",
                body.len(),
                settings.max_request_bytes
            ),
        ));
    }
    let target = target(endpoint, &path, query, &request.query)?;
    let body = match (request.upload, request.body) {
        (None, body) => body.into(),
        (Some(file), None) => Payload::File(file),
        (Some(_), Some(_)) => {
            return Err(denied(
                "body",
                "The connector gave both a body and a file; one is allowed.",
            ));
        }
    };
    Ok(Admitted {
        endpoint,
        rule,
        method,
        path: path.into_owned(),
        target,
        headers,
        body,
        keep: request.keep,
    })
}

/// Parses a target that this module built, and makes sure that parsing changed nothing.
///
/// # Errors
/// It is not a path and query, or is read differently than it was written.
pub fn reparse(target: String) -> Result<PathAndQuery, Fault> {
    let length = target.len();
    let parsed = PathAndQuery::try_from(target)
        .ok()
        .filter(|parsed| parsed.as_str().len() == length);
    parsed.ok_or_else(|| denied("path", "The request's path and query are not a valid URL."))
}

/// An `egress_denied` fault.
pub fn denied(reason: &'static str, public: impl Into<String>) -> Fault {
    Fault::new(Kind::EgressDenied, format!("{} Nothing was sent.", public.into())).reason(reason)
}

fn policy(reach: &Reach, method: &Method, endpoint: &str, path: &str) -> Fault {
    let kind = if reach.read_only { "read-only tool" } else { "tool" };
    denied(
        "tool_policy",
        format!(
            "This {kind} of the connector {} does not declare {method} {endpoint}:{}. The connector's author adds \
             the request to the tool's `allow` list if it belongs there.",
            reach.vendor.connector,
            clip(path)
        ),
    )
}

fn method(name: &str) -> Result<Method, Fault> {
    rule::method(name).ok_or_else(|| {
        denied(
            "method",
            format!(
                "The method {:?} is not one of GET, HEAD, POST, PUT, PATCH and DELETE (in capitals).",
                clip(name)
            ),
        )
    })
}

/// The path below the endpoint's base and the query of a URL that the vendor handed out: absolute, or
/// relative (RFC 3986 section 5.2) to the endpoint. With `request`, the path of the request whose answer
/// it stood in, a URL may be relative to that (`?page=2`).
fn below<'u>(
    endpoint: &Endpoint,
    request: &str,
    url: &'u str,
) -> Result<(Cow<'u, str>, Option<&'u str>), Fault> {
    let refused = |reason, what: &str| {
        denied(
            reason,
            format!(
                "The url {what}; only urls below {}://{}{} may be followed through this endpoint.",
                endpoint.scheme, endpoint.authority, endpoint.base_path
            ),
        )
    };
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused("path", "contains characters that a URL cannot hold"));
    }
    let beginning = url.split(['/', '?', '#']).next().unwrap_or_default();
    let is_beside = !url.starts_with('/') && !beginning.contains(':');
    if !is_beside && !request.is_empty() {
        return Err(denied(
            "path",
            "The connector gave both a path and a url that does not begin there; one is allowed.",
        ));
    }
    // What begins with a scheme and what begins with two slashes names a host.
    let after_scheme = match beginning.split_once(':') {
        Some((scheme, "")) if scheme.eq_ignore_ascii_case(endpoint.scheme.as_str()) => {
            &url[scheme.len() + 1..]
        }
        Some(_) => return Err(refused("scheme", "has another scheme")),
        None => url,
    };
    let rest = match after_scheme.strip_prefix("//") {
        Some(rest) => below_authority(endpoint, rest).map_err(|(reason, what)| refused(reason, what))?,
        None if after_scheme.len() < url.len() => return Err(refused("scheme", "names no host")),
        None => url,
    };
    if rest.contains('#') {
        return Err(refused("path", "has a fragment"));
    }
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    if let Some(query) = query
        && !query.bytes().all(in_query)
    {
        return Err(refused(
            "path",
            "has characters in its query that must be percent-encoded",
        ));
    }
    let path = if is_beside {
        let base = if request.is_empty() { "/" } else { request };
        Cow::Owned(beside(&format!("{}{base}", endpoint.base_path), path))
    } else {
        Cow::Borrowed(path)
    };
    let below = match path {
        Cow::Borrowed(path) => path.strip_prefix(endpoint.base_path.as_str()).map(Cow::Borrowed),
        Cow::Owned(path) => path
            .strip_prefix(endpoint.base_path.as_str())
            .map(|below| Cow::Owned(below.to_owned())),
    };
    match below {
        Some(below) if below.starts_with('/') => Ok((below, query)),
        _ => Err(refused("path", "is outside the endpoint's base path")),
    }
}

/// What follows the authority of a URL without its scheme, when that is the endpoint's; why not otherwise.
fn below_authority<'u>(endpoint: &Endpoint, rest: &'u str) -> Result<&'u str, (&'static str, &'static str)> {
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    if authority.contains('@') {
        return Err(("host_not_allowed", "carries a user name or password"));
    }
    let authority = endpoint::normal_authority(authority, &endpoint.scheme)
        .ok_or(("host_not_allowed", "names no valid host"))?;
    if authority == endpoint.authority.as_str() {
        return Ok(rest);
    }
    let same_host = authority.split(':').next() == Some(endpoint.authority.host());
    Err(if same_host {
        ("port", "names another port")
    } else {
        ("host_not_allowed", "names another host")
    })
}

/// A relative path in the place of what stands after the last slash of another, its dot segments
/// followed; the other one itself when it is empty (RFC 3986 section 5.2).
fn beside(base: &str, relative: &str) -> String {
    if relative.is_empty() {
        return base.to_owned();
    }
    let folder = base.rfind('/').map_or("", |slash| &base[..slash]);
    let mut segments: Vec<&str> = folder.split('/').collect();
    let mut parts = relative.split('/').peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            "." | ".." => {
                if part == ".." && segments.len() > 1 {
                    segments.pop();
                }
                // `..` at the end means the folder itself.
                if last {
                    segments.push("");
                }
            }
            part => segments.push(part),
        }
    }
    segments.join("/")
}

/// Whether a path is canonical: what we check is what every server on the way will read.
///
/// # Errors
/// What is wrong with it, to follow "The request's path".
pub fn check_path(path: &str) -> Result<(), &'static str> {
    if path.len() > MAX_TARGET_BYTES {
        return Err("is too long");
    }
    let Some(rest) = path.strip_prefix('/') else {
        return Err("must begin with one `/`");
    };
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() {
            // Only a trailing slash makes an empty segment.
            if segments.peek().is_some() {
                return Err("contains `//`");
            }
            continue;
        }
        check_segment(segment)?;
    }
    Ok(())
}

fn check_segment(segment: &str) -> Result<(), &'static str> {
    if !segment.bytes().all(in_segment) {
        return Err("contains characters that must be percent-encoded");
    }
    if is_dots(segment) {
        return Err("contains `.` or `..` as a segment");
    }
    if !segment.contains('%') {
        return Ok(());
    }
    // Some servers decode more than once: no layer may hide a separator or a dot segment.
    let mut layer = Cow::Borrowed(segment);
    for _ in 0..4 {
        let decoded = decode(&layer).ok_or("is not percent-encoded UTF-8")?;
        if decoded.contains(['/', '\\']) {
            return Err("hides a slash in percent-encoding");
        }
        if decoded.chars().any(char::is_control) {
            return Err("contains control characters");
        }
        if is_dots(&decoded) {
            return Err("hides `.` or `..` in percent-encoding");
        }
        // A lone percent sign is content, not another layer.
        if decoded == layer || decode(&decoded).is_none_or(|next| next == decoded) {
            return Ok(());
        }
        layer = Cow::Owned(decoded.into_owned());
    }
    Err("is percent-encoded too many times")
}

/// `.` and `..`, also before the `;` of path parameters, which some servers cut off first.
fn is_dots(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or_default();
    name == "." || name == ".."
}

/// Decodes one layer; none when an escape is malformed or the result is not UTF-8.
pub(super) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            out.push(u8::try_from(high << 4 | low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// Characters of a path segment (RFC 3986 `pchar`), `%` included.
fn in_segment(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&byte)
}

/// Characters of a query as vendors write them in links: RFC 3986, and brackets and bars, which
/// many leave unencoded.
fn in_query(byte: u8) -> bool {
    in_segment(byte) || b"/?[]|".contains(&byte)
}

/// Whether a link leads to the endpoint's own origin, or is relative to it.
pub(super) fn is_same_origin(endpoint: &Endpoint, link: &str) -> bool {
    if !link.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return false;
    }
    let Some((scheme, rest)) = link
        .split_once("://")
        .filter(|(scheme, _)| !scheme.contains(['/', '?', '#']))
    else {
        // `//host` and `scheme:` lead elsewhere.
        return !link.starts_with("//")
            && !link
                .split(['/', '?', '#'])
                .next()
                .unwrap_or_default()
                .contains(':');
    };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    scheme.eq_ignore_ascii_case(endpoint.scheme.as_str())
        && endpoint::normal_authority(authority, &endpoint.scheme)
            .is_some_and(|authority| authority == endpoint.authority.as_str())
}

fn headers(endpoint: &Endpoint, request: &GuestRequest) -> Result<HeaderMap, Fault> {
    let forbidden = |text: String| denied("header_forbidden", text);
    let bytes = request
        .headers
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum::<usize>();
    if request.headers.len() > MAX_HEADER_FIELDS || bytes > MAX_HEADER_BYTES {
        return Err(denied(
            "request_too_large",
            format!(
                "The request has more than {MAX_HEADER_FIELDS} headers or {MAX_HEADER_BYTES} bytes of them."
            ),
        ));
    }
    let mut headers = HeaderMap::with_capacity(endpoint.headers.len() + request.headers.len() + 4);
    headers.extend(
        endpoint
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    for (name, value) in &request.headers {
        let parsed = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| forbidden(format!("{:?} is not a header name.", clip(name))))?;
        if is_host_header(parsed.as_str()) {
            return Err(forbidden(format!(
                "The header {parsed} belongs to the host; the connector must not set it."
            )));
        }
        let plain = value
            .bytes()
            .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
        let value = HeaderValue::from_str(value)
            .ok()
            .filter(|_| plain)
            .ok_or_else(|| {
                forbidden(format!(
                    "The value of the header {parsed} contains line breaks, controls or non-ASCII text."
                ))
            })?;
        match endpoint.headers.get(&parsed) {
            Some(fixed) if fixed == value => {}
            Some(_) => {
                return Err(forbidden(format!(
                    "The header {parsed} is fixed by the endpoint's declaration; the connector sets it differently."
                )));
            }
            None => {
                headers.append(parsed, value);
            }
        }
    }
    if request.body.is_none()
        && request.upload.is_none()
        && matches!(request.method.as_str(), "POST" | "PUT" | "PATCH")
    {
        // Without it some servers answer 411 to a write that has no body.
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    Ok(headers)
}

/// Whether a header, in lower case, belongs to the host. Underscores count as hyphens, because
/// servers that follow CGI read them so.
#[must_use]
pub fn is_host_header(name: &str) -> bool {
    let name = if name.contains('_') {
        Cow::Owned(name.replace('_', "-"))
    } else {
        Cow::Borrowed(name)
    };
    FORBIDDEN.contains(&name.as_ref())
        || name.starts_with("x-forwarded")
        || name.starts_with("proxy-")
        || name.starts_with("sec-")
}

fn target(
    endpoint: &Endpoint,
    path: &str,
    linked: Option<&str>,
    query: &[(String, String)],
) -> Result<String, Fault> {
    let room = query
        .iter()
        .map(|(name, value)| name.len() + value.len() + 2)
        .sum::<usize>();
    let mut target =
        String::with_capacity(endpoint.base_path.len() + path.len() + linked.map_or(0, str::len) + room + 64);
    target.push_str(&endpoint.base_path);
    target.push_str(path);
    let mut mark = '?';
    if let Some(linked) = linked.filter(|linked| !linked.is_empty()) {
        target.push(mark);
        target.push_str(linked);
        mark = '&';
    }
    for (name, value) in query {
        target.push(mark);
        encode_into(&mut target, name);
        target.push('=');
        encode_into(&mut target, value);
        mark = '&';
        if target.len() > MAX_TARGET_BYTES {
            break;
        }
    }
    if target.len() > MAX_TARGET_BYTES {
        return Err(denied(
            "request_too_large",
            format!("The request's path and query are longer than {MAX_TARGET_BYTES} bytes."),
        ));
    }
    Ok(target)
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub(super) fn encode_into(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// Untrusted text short enough for a message.
pub(super) fn clip(text: &str) -> String {
    let mut out: String = text.chars().filter(|char| !char.is_control()).take(120).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_paths_pass() {
        for path in [
            "/",
            "/a",
            "/a/b/",
            "/crm/v3/objects/contacts/1%20x",
            "/a/b:batch",
            "/a;v=1/b",
            "/100%25",
            "/100%25%20sure",
            "/...",
            "/.well-known/x",
            "/a..b",
            "/%C3%A9",
        ] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn every_spelling_of_another_place_is_refused() {
        for path in [
            "",
            "a",
            "//evil.test/",
            "/a//b",
            "/a//",
            "/..",
            "/../x",
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/%2e%2e/x",
            "/%2E./x",
            "/.%2e/x",
            "/..;/x",
            "/.;a=b/x",
            "/%2e%2e;/x",
            "/%2f/x",
            "/a%2Fb",
            "/a%5cb",
            "/a%5C..%5Cb",
            "/%252e%252e/x",
            "/a%252fb",
            "/a%25252fb",
            "/a%2525252525252fb",
            "/a\\b",
            "\\\\evil.test\\x",
            "/a b",
            "/a\tb",
            "/a\r\nHost: evil.test",
            "/a%0d%0ax",
            "/a%00",
            "/a%7f",
            "/a%250d",
            "/a?b",
            "/a#b",
            "/%c0%ae%c0%ae/x",
            "/%c0%af",
            "/%e0%80%af",
            "/é",
            "/%",
            "/%zz",
            "/%4",
            "@evil.test/",
            "https://evil.test/",
            "/a\u{0}",
            "/<script>",
            "/{x}",
        ] {
            assert!(check_path(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn links_to_elsewhere_are_recognised() {
        let endpoint =
            endpoint::endpoint("https://api.vendor.test/v1", false, true, &Default::default()).unwrap();
        for link in [
            "/next",
            "next?page=2",
            "?page=2",
            "https://api.vendor.test/x",
            "HTTPS://API.vendor.test:443/x",
        ] {
            assert!(is_same_origin(&endpoint, link), "{link}");
        }
        for link in [
            "//evil.test/x",
            "https://evil.test/",
            "http://api.vendor.test/",
            "https://api.vendor.test:8443/",
            "https://api.vendor.test.evil.test/",
            "https://api.vendor.test@evil.test/",
            "https://evil.test\\@api.vendor.test/",
            "/\\evil.test",
            "javascript:alert(1)",
            "https:evil.test",
            "https:/evil.test",
            "/a\tb",
        ] {
            assert!(!is_same_origin(&endpoint, link), "{link}");
        }
    }
}
