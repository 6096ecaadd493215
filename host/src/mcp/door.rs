//! The HTTP side: who is there, from where, with how much; then the protocol.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::Full;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde::Deserialize;
use serde_json::json;

use super::Edge;
use super::handler::{Called, Door, Run};
use super::tools;
use crate::access::Scope;
use crate::call::visible;
use crate::error::{Fault, Kind};
use crate::id::{ConnectionName, ServerId};
use crate::servers::{Principal, SCOPES, Target, unauthenticated};
use crate::trace::Parent;

/// The second factor of a server that wants one: an API access token.
const API_TOKEN: HeaderName = HeaderName::from_static("x-valetkey-api-token");
/// The agent's own name for its run.
const AGENT_RUN_ID: HeaderName = HeaderName::from_static("x-valetkey-agent-run-id");
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Between two signs of life on a stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) async fn server(
    State(edge): State<Arc<Edge>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let target = ServerId::new(id).map(Target::Server).map_err(|_| nothing_here());
    answer(&edge, target, request).await
}

pub(super) async fn connection(
    State(edge): State<Arc<Edge>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let target = ConnectionName::new(name)
        .map(Target::Connection)
        .map_err(|_| nothing_here());
    answer(&edge, target, request).await
}

pub(super) async fn server_metadata(State(edge): State<Arc<Edge>>, Path(id): Path<String>) -> Response {
    match ServerId::new(id) {
        Ok(id) => metadata(&edge, &Target::Server(id)),
        Err(_) => nothing_here().into_response(),
    }
}

pub(super) async fn connection_metadata(State(edge): State<Arc<Edge>>, Path(name): Path<String>) -> Response {
    match ConnectionName::new(name) {
        Ok(name) => metadata(&edge, &Target::Connection(name)),
        Err(_) => nothing_here().into_response(),
    }
}

/// Protected resource metadata (RFC 9728). The same for a server that is there and one that is
/// not: it tells how to come in, and nothing of what is inside.
fn metadata(edge: &Edge, target: &Target) -> Response {
    let issuers: Vec<&str> = edge.host.servers.issuers().collect();
    let mut document = json!({
        "resource": edge.host.servers.url(target),
        "resource_name": "Valetkey",
        "bearer_methods_supported": ["header"],
        "scopes_supported": SCOPES,
    });
    if !issuers.is_empty() {
        document["authorization_servers"] = json!(issuers);
    }
    json_answer(StatusCode::OK, document.to_string())
}

async fn answer(edge: &Arc<Edge>, target: Result<Target, Refusal>, request: Request) -> Response {
    let target = match target {
        Ok(target) => target,
        Err(refusal) => return refusal.into_response(),
    };
    match admit(edge, &target, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.at(edge, &target),
    }
}

async fn admit(edge: &Arc<Edge>, target: &Target, request: Request) -> Result<Response, Refusal> {
    check_origin(edge, request.headers())?;
    let who = authenticate(edge, target, request.headers()).await?;
    if request.method() != Method::POST {
        return Ok(protocol(None, request).await);
    }

    let (head, body) = request.into_parts();
    let run = run(&head.headers)?;
    let limit = edge.host.config.server.max_body_bytes;
    let body = match tokio::time::timeout(BODY_TIME, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Err(Refusal::plain(StatusCode::PAYLOAD_TOO_LARGE, too_large(limit))),
        Err(_) => return Err(Refusal::plain(StatusCode::REQUEST_TIMEOUT, too_slow())),
    };
    // A look at what is asked, before the protocol reads it in full: the schema of the called tool
    // is this user's, and a stream needs a place.
    let glimpse = serde_json::from_slice::<Glimpse<'_>>(&body).unwrap_or_default();
    let called = match glimpse.tool() {
        Some(name) => called(edge, &who, name).await?,
        None => None,
    };
    let place = if glimpse.method == "subscriptions/listen" {
        let place = edge.streams.enter(&who.caller.environment, &who.identifier);
        Some(place.ok_or_else(too_many_streams)?)
    } else {
        None
    };
    let door = Door::new(Arc::clone(edge), who, run, called, place);
    Ok(protocol(Some(door), http::Request::from_parts(head, Full::new(body))).await)
}

/// The parts of a message that matter before the protocol reads it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Glimpse<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Option<GlimpseParams<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GlimpseParams<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
}

impl Glimpse<'_> {
    fn tool(&self) -> Option<&str> {
        let params = self.params.as_ref().filter(|_| self.method == "tools/call")?;
        params.name.as_deref()
    }
}

async fn called(edge: &Edge, who: &Principal, name: &str) -> Result<Option<Called>, Refusal> {
    let exposed = edge.host.servers.tool(who, name).await?;
    Ok(exposed.map(|exposed| Called {
        name: name.to_owned(),
        tool: tools::render(&exposed),
    }))
}

/// Hands a request to rmcp. What it would check of the transport was checked before.
async fn protocol<B>(door: Option<Door>, request: http::Request<B>) -> Response
where
    B: axum::body::HttpBody + Send + 'static,
    B::Error: std::fmt::Display,
{
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_sse_keep_alive(Some(KEEP_ALIVE))
        .disable_allowed_hosts();
    let service = StreamableHttpService::new(
        move || {
            door.clone()
                .ok_or_else(|| std::io::Error::other("only POST carries messages"))
        },
        Arc::new(NeverSessionManager::default()),
        config,
    );
    service.handle(request).await.map(Body::new)
}

/// A page of another site must not speak for the user whose browser it runs in. Programs that are
/// no browsers send no `Origin`.
fn check_origin(edge: &Edge, headers: &HeaderMap) -> Result<(), Refusal> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else {
        return Ok(());
    };
    let allowed = origins.next().is_none()
        && origin.to_str().is_ok_and(|origin| {
            is_ours(
                origin,
                &edge.host.public_url,
                &edge.host.config.mcp.allowed_origins,
            )
        });
    if allowed {
        return Ok(());
    }
    Err(Refusal::plain(
        StatusCode::FORBIDDEN,
        Fault::new(
            Kind::PolicyDenied,
            "Pages of this origin may not use this server. The operator adds it to `mcp.allowed_origins` if they may.",
        )
        .reason("origin_not_allowed"),
    ))
}

/// Our own origin, one that the operator allows, or a page of this machine.
fn is_ours(origin: &str, public_url: &str, allowed: &[String]) -> bool {
    let same = |other: &str| origin.eq_ignore_ascii_case(other.trim_end_matches('/'));
    if same(public_url) || allowed.iter().any(|allowed| same(allowed)) {
        return true;
    }
    let Ok(url) = origin.parse::<http::Uri>() else {
        return false;
    };
    let Some(authority) = url.authority() else {
        return false;
    };
    matches!(url.scheme_str(), Some("http" | "https"))
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && !authority.as_str().contains('@')
        && matches!(authority.host(), "localhost" | "127.0.0.1" | "[::1]")
}

async fn authenticate(edge: &Edge, target: &Target, headers: &HeaderMap) -> Result<Principal, Refusal> {
    let bearer = only(headers, AUTHORIZATION)
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let bearer = bearer.ok_or_else(|| Refusal {
        challenge: Some(Challenge::NoToken),
        ..Refusal::from(unauthenticated())
    })?;
    let who = edge.host.servers.authenticate(target, bearer).await?;
    if !who.wants_api_token() {
        return Ok(who);
    }
    let second = only(headers, API_TOKEN).and_then(|token| edge.host.access.authenticate(token).ok());
    let proven = second.is_some_and(|caller| {
        caller.environment == who.caller.environment && caller.require(Scope::ToolsExecute).is_ok()
    });
    if proven {
        return Ok(who);
    }
    Err(Fault::new(
        Kind::PolicyDenied,
        "This server also wants an API access token of its environment with the scope `tools:execute`, in the header `X-Valetkey-Api-Token`.",
    )
    .reason("api_token_required")
    .into())
}

fn run(headers: &HeaderMap) -> Result<Run, Refusal> {
    let id = headers.contains_key(AGENT_RUN_ID).then(|| {
        let id = only(headers, AGENT_RUN_ID).unwrap_or_default();
        visible("X-Valetkey-Agent-Run-Id", id.to_owned())
    });
    Ok(Run {
        id: id
            .transpose()
            .map_err(|fault| Refusal::plain(StatusCode::BAD_REQUEST, fault))?,
        parent: Parent::of_headers(headers),
    })
}

/// The value of a header that is there exactly once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.to_str().ok()).flatten()
}

/// Why a request goes no further, before it is a message.
struct Refusal {
    status: StatusCode,
    fault: Fault,
    challenge: Option<Challenge>,
}

/// What a refusal asks for (RFC 6750 section 3).
enum Challenge {
    NoToken,
    InvalidToken,
    InsufficientScope,
}

impl Refusal {
    fn plain(status: StatusCode, fault: Fault) -> Self {
        Self {
            status,
            fault,
            challenge: None,
        }
    }

    /// The answer, with the way to come in (RFC 9728 section 5.1) where that is what is missing.
    fn at(self, edge: &Edge, target: &Target) -> Response {
        let challenge = self.challenge.as_ref().map(|challenge| {
            let error = match challenge {
                Challenge::NoToken => "",
                Challenge::InvalidToken => "error=\"invalid_token\", ",
                Challenge::InsufficientScope => "error=\"insufficient_scope\", ",
            };
            format!(
                "Bearer {error}resource_metadata=\"{}/.well-known/oauth-protected-resource{}\", scope=\"{}\"",
                edge.host.public_url,
                target.path(),
                SCOPES.join(" ")
            )
        });
        let mut response = self.into_response();
        if let Some(challenge) = challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self.fault.body(None)).unwrap_or_default();
        if self.status.is_server_error() {
            tracing::error!(cause = self.fault.chain(), "a request to an MCP server failed");
        }
        let mut response = json_answer(self.status, body);
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let (status, challenge) = match fault.kind() {
            Kind::Unauthenticated => (StatusCode::UNAUTHORIZED, Some(Challenge::InvalidToken)),
            Kind::PolicyDenied => (StatusCode::FORBIDDEN, Some(Challenge::InsufficientScope)),
            Kind::StoreUnavailable | Kind::VendorUnavailable | Kind::VendorTimeout => {
                (StatusCode::SERVICE_UNAVAILABLE, None)
            }
            _ => (StatusCode::INTERNAL_SERVER_ERROR, None),
        };
        Self {
            status,
            fault,
            challenge,
        }
    }
}

fn json_answer(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn nothing_here() -> Refusal {
    Refusal::plain(
        StatusCode::NOT_FOUND,
        Fault::new(
            Kind::NotFound,
            "There is nothing at this path. The URL of an MCP server is in the answer of /api/v1/mcp_servers.",
        )
        .reason("no_such_route"),
    )
}

fn too_large(limit: usize) -> Fault {
    Fault::new(
        Kind::InvalidInput,
        format!(
            "The message is larger than the {limit} bytes that this host takes, or broke off. Send less."
        ),
    )
    .reason("body_too_large")
}

fn too_slow() -> Fault {
    Fault::new(
        Kind::InvalidInput,
        "The message did not arrive in time. Send it again.",
    )
    .reason("body_too_slow")
}

fn too_many_streams() -> Refusal {
    Refusal::plain(
        StatusCode::TOO_MANY_REQUESTS,
        Fault::new(
            Kind::Overloaded,
            "This user has as many open streams as one may have. Close one, or do without: lists are fresh for half a minute anyway.",
        )
        .reason("streams"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_the_allowed_and_this_machines_origins_pass() {
        let allowed = ["https://agents.example".to_owned()];
        let passes = |origin: &str| is_ours(origin, "https://keys.example:8443", &allowed);
        for origin in [
            "https://keys.example:8443",
            "https://Agents.example",
            "http://localhost",
            "http://localhost:3000",
            "http://127.0.0.1:5",
            "http://[::1]:5",
        ] {
            assert!(passes(origin), "{origin}");
        }
        for origin in [
            "https://keys.example",
            "http://agents.example",
            "https://evil.example",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "http://evil@localhost",
            "null",
            "",
            "file://localhost",
            "http://127.0.0.2",
        ] {
            assert!(!passes(origin), "{origin}");
        }
    }
}
