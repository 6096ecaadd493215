//! What every request passes before it is routed, and every answer before it leaves: a host name
//! that is ours, a path in its one form, and the security headers.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderValue, Uri};

use super::answer::{Refusal, reason};
use super::{pages, proxy};
use crate::error::{Fault, Kind};
use crate::grpc;
use crate::runtime::Runtime;

/// Answers that are not pages load nothing.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// Paths that are answered under any name, because nobody learns anything there: a prober of a
/// container's health knows its address alone, and the page that refuses a name needs its looks.
const NAMELESS: [&str; 3] = ["/healthz", "/page.css", "/page.svg"];
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const DENY: HeaderValue = HeaderValue::from_static("DENY");

/// The names under which this host may be addressed: loopback, and the host of its public URL.
/// A page of another site whose name was pointed here (DNS rebinding) has another name.
fn names(public_url: &str) -> Vec<String> {
    let public = public_url
        .parse::<http::Uri>()
        .ok()
        .and_then(|url| url.host().map(str::to_ascii_lowercase));
    ["localhost", "127.0.0.1", "[::1]"]
        .map(str::to_owned)
        .into_iter()
        .chain(public)
        .collect()
}

/// What the layer has to know.
#[derive(Clone)]
pub(super) struct Front {
    names: Arc<[String]>,
    host: Arc<Runtime>,
}

impl Front {
    pub(super) fn of(host: &Arc<Runtime>) -> Self {
        Self {
            names: names(&host.public_url).into(),
            host: Arc::clone(host),
        }
    }
}

/// The one layer around all routes.
pub(super) async fn pass(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    one_slash_for_tokens(&mut request);
    let mut response = match admit(&request, &front.names) {
        Ok(()) => next.run(request).await,
        Err(fault) if grpc::speaks(request.headers()) => grpc::refusal(&fault),
        Err(fault) if pages::wants_page(&request) => pages::refuse(&front.host, &fault),
        Err(fault) => Refusal::from(fault).into_response(),
    };
    let headers = response.headers_mut();
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(NOTHING);
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(REFERRER_POLICY, NO_REFERRER);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    headers.insert(X_FRAME_OPTIONS, DENY);
    response
}

/// Programs join their URL of this host, which often ends with a slash, and `/oauth/token`.
fn one_slash_for_tokens(request: &mut Request) {
    if request.uri().path() != "//oauth/token" {
        return;
    }
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static("/oauth/token"));
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

fn admit(request: &Request, names: &[String]) -> Result<(), Fault> {
    let path = request.uri().path();
    if !NAMELESS.contains(&path) && !addressed_to_us(request, names) {
        return Err(Fault::new(
            Kind::PolicyDenied,
            "This host does not answer to the name in the header `host`. Use its public URL, or set `server.public_url` to the one that you use.",
        )
        .reason(reason::HOST_NOT_ALLOWED));
    }
    // What follows is the vendor's path, which the gate of every vendor's request judges.
    let is_raw = path
        .strip_prefix(proxy::PREFIX)
        .is_some_and(|rest| rest.starts_with('/'));
    if !is_raw && !is_canonical(path) {
        return Err(Fault::new(
            Kind::InvalidInput,
            "The path is not in its one form: no percent-encoding, no empty or dotted segments, no slash at the end.",
        )
        .reason("path_not_canonical"));
    }
    Ok(())
}

/// HTTP/2 and absolute-form requests have the name in the URI; a header must agree with it.
fn addressed_to_us(request: &Request, names: &[String]) -> bool {
    let is_ours = |authority: &Authority| {
        !authority.as_str().contains('@')
            && names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(authority.host()))
    };
    let in_uri = request.uri().authority();
    let in_header = match host_header(request.headers()) {
        Ok(in_header) => in_header,
        Err(NotOneAuthority) => return false,
    };
    match (in_uri, in_header) {
        (Some(uri), Some(header)) => is_ours(uri) && uri.as_str().eq_ignore_ascii_case(header.as_str()),
        (Some(only), None) => is_ours(only),
        (None, Some(only)) => is_ours(&only),
        (None, None) => false,
    }
}

struct NotOneAuthority;

fn host_header(headers: &HeaderMap) -> Result<Option<Authority>, NotOneAuthority> {
    let mut values = headers.get_all(HOST).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(NotOneAuthority);
    }
    Authority::try_from(value.as_bytes())
        .map(Some)
        .map_err(|_| NotOneAuthority)
}

/// Whether a path is in the form in which the routes, the scopes and the log see it. Every name
/// and id that stands in a path of ours is made of these characters.
fn is_canonical(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    if rest.is_empty() {
        return true;
    }
    rest.split('/').all(|segment| {
        !matches!(segment, "" | "." | "..")
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn a_path_has_one_form() {
        for good in [
            "/",
            "/api/v1/tools/gmail_send_mail",
            "/api/v1/connectors/x/versions/1.0.0-rc.1+b",
        ] {
            assert!(is_canonical(good), "{good}");
        }
        for bad in [
            "",
            "*",
            "//",
            "/api//v1",
            "/api/./v1",
            "/api/../v1",
            "/api/v1/tools/",
            "/api/%2e%2e/v1",
            "/api;x/v1",
            "/api/v1/tools/a%2fb",
            "/api\\v1",
            "/api/v1/tools/é",
        ] {
            assert!(!is_canonical(bad), "{bad}");
        }
    }

    #[test]
    fn only_our_own_names_are_answered_to() {
        let names = names("https://keys.example.com:8443");
        let ours = |uri: &str, host: &[&str]| {
            let mut request = Request::builder().uri(uri);
            for host in host {
                request = request.header(HOST, *host);
            }
            addressed_to_us(&request.body(Body::empty()).expect("request"), &names)
        };
        for host in [
            "localhost:1",
            "LOCALHOST",
            "127.0.0.1:8470",
            "[::1]:8470",
            "Keys.Example.com",
        ] {
            assert!(ours("/", &[host]), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.",
            "localhost@evil.example",
            "evil@localhost",
            "",
            "127.0.0.2",
        ] {
            assert!(!ours("/", &[host]), "{host}");
        }
        assert!(!ours("/", &[]));
        assert!(!ours("/", &["localhost", "localhost"]));
        assert!(ours("http://localhost:1/", &["localhost:1"]));
        assert!(!ours("http://localhost:1/", &["evil.example"]));
        assert!(!ours("http://evil.example/", &["localhost"]));
    }
}
