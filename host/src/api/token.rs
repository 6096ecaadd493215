//! `/oauth/token`: access tokens for client credentials (RFC 6749 section 4.4).

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, json};
use super::ask::{Form, only};
use crate::access::Scope;
use crate::error::{Fault, Problem};
use crate::runtime::Runtime;
use crate::secret::Secret;

/// The form of a token request.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the shape of the document; the form is read by name")]
pub(super) struct TokenRequest {
    /// `client_credentials`.
    grant_type: String,
    /// The client, unless it authenticates by HTTP basic.
    #[schema(required = false)]
    client_id: Option<String>,
    /// Its secret, unless it authenticates by HTTP basic.
    #[schema(required = false, format = Password)]
    client_secret: Option<String>,
    /// Scopes separated by spaces; absent for all that the client has.
    #[schema(required = false)]
    scope: Option<String>,
}

/// An access token (RFC 6749 section 5.1).
#[derive(Serialize, ToSchema)]
pub(super) struct TokenResponse<'a> {
    /// To be sent as `Authorization: Bearer …`.
    access_token: &'a str,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds until it expires.
    expires_in: u64,
    /// Its scopes, separated by spaces.
    scope: String,
}

/// Get an access token
///
/// The client credentials grant, the client by HTTP basic or in the form. Parameters that the
/// grant does not know are ignored, as OAuth wants it. Errors have the shape of all others here.
#[utoipa::path(post, path = "/oauth/token", tag = "access", operation_id = "token",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The token.", body = TokenResponse)),
    security())]
pub(super) async fn token(State(host): State<Arc<Runtime>>, headers: HeaderMap, Form(form): Form) -> Answer {
    let mut form = Parameters(form);
    match form.take("grant_type")?.as_deref() {
        Some("client_credentials") => {}
        _ => return Err(refused("grant_type", "must be `client_credentials`").into()),
    }
    let scopes = form.take("scope")?.map(|text| scopes(&text)).transpose()?;
    let in_form = (
        form.take("client_id")?,
        form.take("client_secret")?.map(Secret::new),
    );
    let (client_id, secret) = match (basic(&headers), in_form) {
        (Some((id, secret)), (None, None)) => (id, secret),
        (Some((id, secret)), (Some(same), None)) if id == same => (id, secret),
        (Some(_), _) => {
            return Err(refused("client_id", "the client authenticates in one way only").into());
        }
        (None, (id, secret)) => (
            id.unwrap_or_default(),
            secret.unwrap_or_else(|| Secret::new(String::new())),
        ),
    };
    let token = host.access.issue(&client_id, &secret, scopes).await?;
    let scope: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
    let response = TokenResponse {
        // The one place where a token leaves: to the client that just proved itself.
        access_token: token.token.expose(),
        token_type: "Bearer",
        expires_in: token.expires_in,
        scope: scope.join(" "),
    };
    Ok(json(StatusCode::OK, &response))
}

/// The parameters of the form. None may come twice (RFC 6749 section 3.2).
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn take(&mut self, name: &'static str) -> Result<Option<String>, Fault> {
        let Some(first) = self.0.iter().position(|(own, _)| own == name) else {
            return Ok(None);
        };
        let (_, value) = self.0.swap_remove(first);
        if self.0.iter().any(|(own, _)| own == name) {
            return Err(refused(name, "must not come twice"));
        }
        Ok(Some(value).filter(|value| !value.is_empty()))
    }
}

fn scopes(text: &str) -> Result<BTreeSet<Scope>, Fault> {
    text.split(' ')
        .filter(|scope| !scope.is_empty())
        .map(|scope| {
            scope
                .parse::<Scope>()
                .map_err(|error| refused("scope", &error.to_string()))
        })
        .collect()
}

fn refused(name: &str, problem: &str) -> Fault {
    Fault::invalid(
        "The token request is not what this path takes; `fields` says where.",
        vec![Problem {
            path: format!("/{name}"),
            problem: problem.to_owned(),
        }],
    )
}

/// The client of `Authorization: Basic`. Another scheme there is not for this endpoint: some
/// clients send their old bearer token along.
fn basic(headers: &HeaderMap) -> Option<(String, Secret)> {
    let (scheme, credentials) = only(headers, AUTHORIZATION)?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD
        .decode(credentials.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default();
    let (id, secret) = decoded.split_once(':').unwrap_or((&decoded, ""));
    Some((unescaped(id), Secret::new(unescaped(secret))))
}

/// Both parts of basic credentials are form-encoded first (RFC 6749 section 2.3.1).
fn unescaped(text: &str) -> String {
    form_urlencoded::parse(text.as_bytes())
        .next()
        .map(|(text, _)| text.into_owned())
        .unwrap_or_default()
}
