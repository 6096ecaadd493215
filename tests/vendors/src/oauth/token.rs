//! The token and revocation endpoints.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::grants::{Actor, Issued, Refused};
use super::problem;
use crate::Vendor;
use crate::hubspot::portal_id;
use crate::notion::{bot_id, person_id, workspace_id};
use crate::options::Rotation;
use crate::salesforce::{instance_of, org_id, user_id};
use crate::server::State;
use crate::slack;
use crate::text::{Pairs, first, parse_base64, parse_form, sha256_base64url};

/// The token endpoint (RFC 6749 sections 4.1.3 and 6, RFC 7636).
pub(crate) async fn issue(
    vendor: Vendor,
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let form = match read(vendor, &state, &headers, &body) {
        Ok(form) => form,
        Err(_) if vendor == Vendor::Slack => return slack::refused("bad_client_secret"),
        Err(response) => return *response,
    };
    let settings = state.settings().clone();
    // Where Slack rotates no tokens they never end.
    let rotates = vendor != Vendor::Slack || settings.rotation != Rotation::None;
    let lifetime = if rotates {
        Duration::from_secs(settings.access_token_seconds)
    } else {
        Duration::from_secs(365 * 86_400)
    };
    let grant_type = first(&form, "grant_type").unwrap_or_default();
    let outcome = match grant_type {
        // Slack takes a code without naming the grant.
        "authorization_code" | "" if vendor == Vendor::Slack || !grant_type.is_empty() => {
            let verifier = first(&form, "code_verifier").unwrap_or_default();
            state.grants().redeem(
                vendor,
                first(&form, "code").unwrap_or_default(),
                first(&form, "redirect_uri").unwrap_or_default(),
                &sha256_base64url(verifier),
                lifetime,
            )
        }
        "refresh_token" => state.grants().renew(
            vendor,
            first(&form, "refresh_token").unwrap_or_default(),
            match (vendor, settings.rotation) {
                // Every refresh gives a new pair there.
                (Vendor::Notion, Rotation::None) => Rotation::SingleUse { revoke_family: false },
                // Microsoft always answers a new refresh token, and the old one stays good.
                (Vendor::Microsoft, Rotation::None) => Rotation::Grace {
                    seconds: 90 * 24 * 3_600,
                },
                (_, rotation) => rotation,
            },
            lifetime,
        ),
        _ if vendor == Vendor::Slack => return slack::refused("invalid_grant_type"),
        _ => {
            return problem(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "The grant_type must be authorization_code or refresh_token.",
            );
        }
    };
    match outcome {
        Ok(issued) => {
            let body = match vendor {
                Vendor::Hubspot => hubspot_body(&issued, lifetime),
                Vendor::Google => google_body(&issued, lifetime),
                Vendor::Salesforce => salesforce_body(&state, &issued),
                Vendor::Notion => notion_body(&issued),
                // The token endpoints of GitHub and Atlassian are their own.
                Vendor::Github | Vendor::Atlassian => google_body(&issued, lifetime),
                Vendor::Slack => slack_body(&issued, lifetime, grant_type == "refresh_token"),
                Vendor::Linear => linear_body(&issued, lifetime),
                Vendor::Microsoft => microsoft_body(&issued, lifetime),
            };
            ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
        }
        Err(refused) if vendor == Vendor::Slack => slack::refused(match refused {
            Refused::Unknown | Refused::Used if grant_type == "refresh_token" => "invalid_refresh_token",
            Refused::Revoked => "token_revoked",
            Refused::OtherRedirectUri => "bad_redirect_uri",
            Refused::Used => "code_already_used",
            _ => "invalid_code",
        }),
        Err(refused) => problem(StatusCode::BAD_REQUEST, "invalid_grant", refused.text()),
    }
}

/// The revocation endpoint: ends the whole grant. Unknown tokens are no error at HubSpot (RFC 7009
/// section 2.2), and one at Google and Salesforce, which want no client authentication.
pub(crate) async fn revoke(
    vendor: Vendor,
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let form = match vendor {
        Vendor::Google | Vendor::Salesforce | Vendor::Github | Vendor::Atlassian => parse_form(&body),
        // Slack and Microsoft have no such endpoint, and no route leads here.
        Vendor::Hubspot | Vendor::Notion | Vendor::Slack | Vendor::Linear | Vendor::Microsoft => {
            match read(vendor, &state, &headers, &body) {
                Ok(form) => form,
                Err(response) => return *response,
            }
        }
    };
    let known = state
        .grants()
        .revoke_token(vendor, first(&form, "token").unwrap_or_default());
    if !known && !matches!(vendor, Vendor::Hubspot | Vendor::Notion) {
        let code = match vendor {
            Vendor::Salesforce => "unsupported_token_type",
            _ => "invalid_token",
        };
        return problem(StatusCode::BAD_REQUEST, code, "The token is expired or revoked.");
    }
    Json(json!({})).into_response()
}

/// The form, or the JSON, of an authenticated client.
fn read(vendor: Vendor, state: &State, headers: &HeaderMap, body: &str) -> Result<Pairs, Box<Response>> {
    let wanted = match vendor {
        Vendor::Notion => "application/json",
        _ => "application/x-www-form-urlencoded",
    };
    let is_wanted = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with(wanted));
    if !is_wanted {
        return Err(Box::new(problem(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            &format!("The body must be {wanted}."),
        )));
    }
    let form = match vendor {
        Vendor::Notion => members(body),
        _ => parse_form(body),
    };
    let twice = form
        .iter()
        .enumerate()
        .any(|(at, (name, _))| form[..at].iter().any(|(earlier, _)| earlier == name));
    if twice {
        return Err(Box::new(problem(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "A parameter is given twice.",
        )));
    }

    let basic = basic_credentials(headers);
    let posted = first(&form, "client_secret").is_some();
    if basic.is_some() && posted {
        return Err(Box::new(problem(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "The client authenticates in two ways.",
        )));
    }
    let (id, secret) = basic.unwrap_or_else(|| {
        let field = |name| first(&form, name).unwrap_or_default().to_owned();
        (field("client_id"), field("client_secret"))
    });
    let settings = state.settings();
    if id != settings.client_id || secret != settings.client_secret {
        return Err(Box::new(problem(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "The client is not known, or its secret is wrong.",
        )));
    }
    Ok(form)
}

/// The texts of a JSON object.
fn members(body: &str) -> Pairs {
    let parsed: Value = serde_json::from_str(body).unwrap_or_default();
    parsed
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// HTTP basic with the parts form-encoded (RFC 6749 section 2.3.1).
fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let encoded = value.strip_prefix("Basic ")?;
    let text = String::from_utf8(parse_base64(encoded)?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |part: &str| {
        parse_form(&format!("v={part}"))
            .into_iter()
            .next()
            .map(|(_, value)| value)
            .unwrap_or_default()
    };
    Some((decode(id), decode(secret)))
}

fn hubspot_body(issued: &Issued, lifetime: Duration) -> Value {
    json!({
        "token_type": "bearer",
        "access_token": issued.access_token,
        "refresh_token": issued.refresh_token,
        "expires_in": lifetime.as_secs(),
        "hub_id": portal_id(&issued.user),
        "user_id": portal_id(&issued.user) % 1_000_000,
        "scopes": issued.scopes,
    })
}

fn microsoft_body(issued: &Issued, lifetime: Duration) -> Value {
    let scopes: Vec<&str> = issued
        .scopes
        .iter()
        .map(String::as_str)
        .filter(|scope| *scope != "offline_access")
        .collect();
    json!({
        "token_type": "Bearer",
        "scope": scopes.join(" "),
        "expires_in": lifetime.as_secs(),
        "ext_expires_in": lifetime.as_secs(),
        "access_token": issued.access_token,
        "refresh_token": issued.refresh_token,
    })
}

fn google_body(issued: &Issued, lifetime: Duration) -> Value {
    let scopes: Vec<&str> = issued.scopes.iter().map(String::as_str).collect();
    let mut body = json!({
        "token_type": "Bearer",
        "access_token": issued.access_token,
        "expires_in": lifetime.as_secs(),
        "scope": scopes.join(" "),
    });
    if let (true, Some(refresh_token)) = (issued.rotated, &issued.refresh_token) {
        body["refresh_token"] = json!(refresh_token);
    }
    body
}

/// Without a lifetime, which the org's policy keeps to itself. A refresh answers no refresh token
/// unless it was rotated.
fn salesforce_body(state: &State, issued: &Issued) -> Value {
    let scopes: Vec<&str> = issued.scopes.iter().map(String::as_str).collect();
    let host = instance_of(&state.settings(), &issued.user);
    let (org, user) = (org_id(&issued.user), user_id(&issued.user));
    let mut body = json!({
        "token_type": "Bearer",
        "access_token": issued.access_token,
        "scope": scopes.join(" "),
        "instance_url": format!("https://{host}"),
        "id": format!("https://login.salesforce.com/id/{org}/{user}"),
        "issued_at": state.calendar.now_ms().to_string(),
        "signature": sha256_base64url(&issued.access_token),
    });
    if let (true, Some(refresh_token)) = (issued.rotated, &issued.refresh_token) {
        body["refresh_token"] = json!(refresh_token);
    }
    body
}

/// A person's token stands below `authed_user`, but for a refreshed one, which stands where a bot's does.
fn slack_body(issued: &Issued, lifetime: Duration, refreshed: bool) -> Value {
    let scopes: Vec<&str> = issued.scopes.iter().map(String::as_str).collect();
    let token_type = match issued.actor {
        Actor::Person => "user",
        Actor::Application => "bot",
    };
    let mut token = json!({
        "access_token": issued.access_token,
        "token_type": token_type,
        "scope": scopes.join(","),
    });
    if let Some(refresh_token) = &issued.refresh_token {
        token["refresh_token"] = json!(refresh_token);
        token["expires_in"] = json!(lifetime.as_secs());
    }
    let person = slack::user_id(&issued.user);
    let mut body = json!({
        "ok": true,
        "app_id": "A0SIMULATED",
        "authed_user": { "id": person },
        "team": { "id": slack::team_id(&issued.user), "name": issued.user },
        "enterprise": null,
        "is_enterprise_install": false,
    });
    let at = match (issued.actor, refreshed) {
        (Actor::Person, false) => &mut body["authed_user"],
        _ => &mut body,
    };
    crate::faults::merge(at, &token);
    if issued.actor == Actor::Application {
        body["bot_user_id"] = json!(slack::bot_user_id(&issued.user));
    }
    body
}

fn notion_body(issued: &Issued) -> Value {
    let user = &issued.user;
    json!({
        "token_type": "bearer",
        "access_token": issued.access_token,
        "refresh_token": issued.refresh_token,
        "bot_id": bot_id(user),
        "workspace_id": workspace_id(user),
        "workspace_name": format!("Workspace of {user}"),
        "workspace_icon": null,
        "owner": { "type": "user", "user": { "object": "user", "id": person_id(user), "type": "person", "name": user } },
        "duplicated_template_id": null,
    })
}

fn linear_body(issued: &Issued, lifetime: Duration) -> Value {
    let scopes: Vec<&str> = issued.scopes.iter().map(String::as_str).collect();
    json!({
        "token_type": "Bearer",
        "access_token": issued.access_token,
        "refresh_token": issued.refresh_token,
        "expires_in": lifetime.as_secs(),
        "scope": scopes.join(" "),
    })
}
