//! Atlassian's token endpoint: a body in JSON (a form is taken too), refusals of a refresh token
//! with status 403.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::grants::Issued;
use super::problem;
use crate::Vendor;
use crate::server::State;
use crate::text::{Pairs, first, parse_form, sha256_base64url};

pub(super) async fn issue(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: String) -> Response {
    let Some(fields) = fields_of(&headers, &body) else {
        return problem(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "The body cannot be read.",
        );
    };
    let settings = state.settings().clone();
    let field = |name: &str| first(&fields, name).unwrap_or_default();
    if field("client_id") != settings.client_id || field("client_secret") != settings.client_secret {
        return problem(StatusCode::UNAUTHORIZED, "access_denied", "Unauthorized");
    }
    let lifetime = Duration::from_secs(settings.access_token_seconds);
    let issued = match field("grant_type") {
        "authorization_code" => state
            .grants()
            .redeem(
                Vendor::Atlassian,
                field("code"),
                field("redirect_uri"),
                &sha256_base64url(field("code_verifier")),
                lifetime,
            )
            .map_err(|refused| (StatusCode::FORBIDDEN, "invalid_grant", refused.text())),
        "refresh_token" => state
            .grants()
            .renew(
                Vendor::Atlassian,
                field("refresh_token"),
                settings.rotation,
                lifetime,
            )
            .map_err(|_| {
                (
                    StatusCode::FORBIDDEN,
                    "unauthorized_client",
                    "refresh_token is invalid",
                )
            }),
        _ => Err((
            StatusCode::FORBIDDEN,
            "unsupported_grant_type",
            "The grant_type must be authorization_code or refresh_token.",
        )),
    };
    match issued {
        Ok(issued) => (
            [(header::CACHE_CONTROL, "no-store")],
            Json(granted(&issued, lifetime)),
        )
            .into_response(),
        Err((status, code, text)) => problem(status, code, text),
    }
}

fn granted(issued: &Issued, lifetime: Duration) -> Value {
    let scopes: Vec<&str> = issued.scopes.iter().map(String::as_str).collect();
    let mut body = json!({
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": lifetime.as_secs(),
        "scope": scopes.join(" "),
    });
    if let Some(refresh_token) = &issued.refresh_token {
        body["refresh_token"] = json!(refresh_token);
    }
    body
}

/// The fields of a body in JSON or as a form, whichever it says that it is.
fn fields_of(headers: &HeaderMap, body: &str) -> Option<Pairs> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    if kind.starts_with("application/x-www-form-urlencoded") {
        return Some(parse_form(body));
    }
    let json: Value = serde_json::from_str(body).ok()?;
    let members = json
        .as_object()
        .filter(|_| kind.starts_with("application/json"))?;
    members
        .iter()
        .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_body_is_what_it_says_that_it_is() {
        let fields = |kind: &'static str, body: &str| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
            fields_of(&headers, body)
        };
        let wanted: Option<Pairs> = Some(vec![("code".to_owned(), "c".to_owned())]);
        assert_eq!(
            fields("application/json; charset=utf-8", r#"{"code":"c"}"#),
            wanted
        );
        assert_eq!(fields("application/x-www-form-urlencoded", "code=c"), wanted);
        assert_eq!(fields("text/plain", r#"{"code":"c"}"#), None);
        assert_eq!(fields("application/json", "code=c"), None);
    }
}
