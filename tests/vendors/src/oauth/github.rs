//! GitHub's token endpoint: refusals with status 200, a form unless JSON is asked for.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::grants::{Issued, Refused};
use crate::Vendor;
use crate::server::State;
use crate::text::{Pairs, encode, first, parse_form, sha256_base64url};

/// An OAuth App's token works until somebody ends it; ten years are as good.
const NO_END: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);
/// Half a year, as a GitHub App's refresh token is told to live.
const REFRESH_SECONDS: u64 = 15_897_600;

pub(super) async fn issue(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: String) -> Response {
    let fields = match answer(&state, &parse_form(&body)) {
        Ok(fields) => fields,
        Err((code, text)) => {
            let page = "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/";
            let fields = json!({ "error": code, "error_description": text, "error_uri": page });
            fields.as_object().cloned().unwrap_or_default()
        }
    };
    written(&headers, fields)
}

fn answer(state: &State, form: &Pairs) -> Result<Map<String, Value>, (&'static str, &'static str)> {
    let settings = state.settings().clone();
    let field = |name: &str| first(form, name).unwrap_or_default();
    if field("client_id") != settings.client_id || field("client_secret") != settings.client_secret {
        return Err((
            "incorrect_client_credentials",
            "The client_id and/or client_secret passed are incorrect.",
        ));
    }
    let lifetime = if settings.github_app {
        Duration::from_secs(settings.access_token_seconds)
    } else {
        NO_END
    };
    if field("grant_type") == "refresh_token" {
        let renewed = state.grants().renew(
            Vendor::Github,
            field("refresh_token"),
            settings.rotation,
            lifetime,
        );
        return renewed
            .map(|issued| fields(&issued, lifetime, settings.github_app))
            .map_err(|_| {
                (
                    "bad_refresh_token",
                    "The refresh token passed is incorrect or expired.",
                )
            });
    }
    // The vendor wants no grant_type for a code.
    let verifier = sha256_base64url(field("code_verifier"));
    let redeemed = state.grants().redeem(
        Vendor::Github,
        field("code"),
        field("redirect_uri"),
        &verifier,
        lifetime,
    );
    redeemed
        .map(|issued| fields(&issued, lifetime, settings.github_app))
        .map_err(|refused| match refused {
            Refused::OtherRedirectUri => (
                "redirect_uri_mismatch",
                "The redirect_uri must match the one of the authorization.",
            ),
            _ => (
                "bad_verification_code",
                "The code passed is incorrect or expired.",
            ),
        })
}

fn fields(issued: &Issued, lifetime: Duration, app: bool) -> Map<String, Value> {
    let scopes: Vec<&str> = issued.scopes.iter().map(String::as_str).collect();
    let mut fields = Map::new();
    fields.insert("access_token".to_owned(), json!(issued.access_token));
    fields.insert("token_type".to_owned(), json!("bearer"));
    let scope = if app { String::new() } else { scopes.join(",") };
    fields.insert("scope".to_owned(), json!(scope));
    if let (true, Some(refresh)) = (app, &issued.refresh_token) {
        fields.insert("expires_in".to_owned(), json!(lifetime.as_secs()));
        fields.insert("refresh_token".to_owned(), json!(refresh));
        fields.insert("refresh_token_expires_in".to_owned(), json!(REFRESH_SECONDS));
    }
    fields
}

fn written(headers: &HeaderMap, fields: Map<String, Value>) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("json")) {
        return ([(header::CACHE_CONTROL, "no-store")], Json(fields)).into_response();
    }
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{name}={}", encode(&text))
        })
        .collect();
    let kind = "application/x-www-form-urlencoded; charset=utf-8";
    (StatusCode::OK, [(header::CONTENT_TYPE, kind)], pairs.join("&")).into_response()
}

#[cfg(test)]
mod tests {
    use super::super::grants::Actor;
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_form_is_answered_unless_json_is_asked_for() {
        let fields = || Map::from_iter([("error".to_owned(), json!("bad_refresh_token"))]);
        let kind = |headers: &HeaderMap| {
            let response = written(headers, fields());
            assert_eq!(response.status(), StatusCode::OK);
            response.headers()[header::CONTENT_TYPE]
                .to_str()
                .unwrap_or_default()
                .to_owned()
        };
        assert!(kind(&HeaderMap::new()).starts_with("application/x-www-form-urlencoded"));
        let asking = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/json"))]);
        assert_eq!(kind(&asking), "application/json");
    }

    #[test]
    fn scopes_are_joined_by_commas_and_an_app_has_none() {
        let issued = Issued {
            user: "ada".to_owned(),
            actor: Actor::Person,
            scopes: ["repo", "read:user"].map(str::to_owned).into(),
            access_token: "a".to_owned(),
            refresh_token: Some("r".to_owned()),
            rotated: true,
        };
        let oauth_app = fields(&issued, NO_END, false);
        assert_eq!(oauth_app["scope"], "read:user,repo");
        assert!(!oauth_app.contains_key("refresh_token") && !oauth_app.contains_key("expires_in"));
        let github_app = fields(&issued, Duration::from_secs(60), true);
        assert_eq!(github_app["scope"], "");
        assert_eq!(github_app["expires_in"], 60);
    }
}
