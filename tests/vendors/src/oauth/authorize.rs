//! The authorization endpoint: checks the request, asks the user, sends the browser back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use http_body_util::BodyExt;

use super::grants::{Actor, Code};
use super::issuer;
use crate::Vendor;
use crate::options::Rotation;
use crate::server::State;
use crate::text::{Pairs, encode, escape_html, first, parse_form};

/// A request that may be shown to the user.
struct Asked {
    redirect_uri: String,
    state: Option<String>,
    scopes: Vec<String>,
    challenge: String,
    user: String,
    actor: Actor,
    wants_refresh_token: bool,
}

/// The browser came with an authorization request.
pub(crate) async fn ask(
    vendor: Vendor,
    Shared(state): Shared<Arc<State>>,
    request: Request<Body>,
) -> Response {
    let query = parse_form(request.uri().query().unwrap_or_default());
    let asked = match read(vendor, &state, &query) {
        Ok(asked) => asked,
        Err(response) => return *response,
    };
    let (auto, consents) = {
        let settings = state.settings();
        (settings.auto_consent, settings.consents)
    };
    if !auto || wants_html(request.headers()) {
        return page(vendor, &asked).into_response();
    }
    if consents {
        allow(vendor, &state, asked)
    } else {
        deny(vendor, &state, &asked.redirect_uri, asked.state.as_deref())
    }
}

/// The user pressed a button of the page; the request is still in the query.
pub(crate) async fn decide(
    vendor: Vendor,
    Shared(state): Shared<Arc<State>>,
    request: Request<Body>,
) -> Response {
    let query = parse_form(request.uri().query().unwrap_or_default());
    let mut asked = match read(vendor, &state, &query) {
        Ok(asked) => asked,
        Err(response) => return *response,
    };
    let Ok(body) = request.into_body().collect().await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let form = parse_form(&String::from_utf8_lossy(&body.to_bytes()));
    if first(&form, "decision") != Some("allow") {
        return deny(vendor, &state, &asked.redirect_uri, asked.state.as_deref());
    }
    if let Some(user) = first(&form, "user").filter(|user| is_user(user)) {
        asked.user = user.to_owned();
    }
    allow(vendor, &state, asked)
}

fn read(vendor: Vendor, state: &State, query: &Pairs) -> Result<Asked, Box<Response>> {
    let settings = state.settings().clone();
    let here = |text: &str| {
        let page = Html(format!(
            "<!doctype html><title>Refused</title><p>{}</p>\n",
            escape_html(text)
        ));
        Box::new((StatusCode::BAD_REQUEST, page).into_response())
    };
    // Until client and redirect URI are known to belong together, nothing may be sent there.
    if first(query, "client_id") != Some(settings.client_id.as_str()) {
        return Err(here("There is no application with this client_id."));
    }
    let redirect_uri = first(query, "redirect_uri").unwrap_or_default();
    let registered = &settings.redirect_uris;
    if redirect_uri.is_empty() || !(registered.is_empty() || registered.iter().any(|uri| uri == redirect_uri))
    {
        return Err(here("The redirect_uri is not registered for this application."));
    }

    let request_state = first(query, "state");
    let back = |code: &str, text: &str| {
        let params = [("error", code), ("error_description", text)];
        Box::new(send_back(vendor, state, redirect_uri, request_state, &params))
    };
    if first(query, "response_type") != Some("code") {
        return Err(back(
            "unsupported_response_type",
            "The response_type must be code.",
        ));
    }
    let challenge = first(query, "code_challenge").unwrap_or_default();
    if challenge.len() != 43 || first(query, "code_challenge_method") != Some("S256") {
        return Err(back("invalid_request", "PKCE with S256 is required."));
    }
    let personal =
        vendor == Vendor::Slack && first(query, "user_scope").is_some_and(|scope| !scope.is_empty());
    let (names, actor): (&[&str], _) = match vendor {
        Vendor::Slack if personal => (&["user_scope"], Actor::Person),
        Vendor::Slack => (&["scope"], Actor::Application),
        _ => (&["scope", "optional_scope"], Actor::Person),
    };
    let by_comma = matches!(vendor, Vendor::Slack | Vendor::Linear);
    let scopes: Vec<String> = names
        .iter()
        .filter_map(|name| first(query, name))
        .flat_map(|scopes| scopes.split(|c: char| c.is_whitespace() || (by_comma && c == ',')))
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    // At Notion there are none: what an application may do is set on it.
    if scopes.is_empty() && vendor != Vendor::Notion {
        return Err(back("invalid_scope", "No scope was asked for."));
    }
    if vendor == Vendor::Atlassian && first(query, "audience") != Some("api.atlassian.com") {
        return Err(back("invalid_request", "The audience must be api.atlassian.com."));
    }
    let user = first(query, "login_hint")
        .map(|hint| hint.split('@').next().unwrap_or(hint))
        .filter(|hint| is_user(hint))
        .unwrap_or(&settings.user)
        .to_owned();
    let wants_refresh_token = match vendor {
        Vendor::Hubspot | Vendor::Notion | Vendor::Linear => true,
        Vendor::Salesforce => scopes
            .iter()
            .any(|scope| scope == "refresh_token" || scope == "offline_access"),
        Vendor::Github => settings.github_app,
        Vendor::Atlassian | Vendor::Microsoft => scopes.iter().any(|scope| scope == "offline_access"),
        Vendor::Slack => settings.rotation != Rotation::None,
        Vendor::Google => {
            first(query, "access_type") == Some("offline")
                && (first(query, "prompt").is_some_and(|prompt| prompt.contains("consent"))
                    || !state.grants().consented(vendor, &user))
        }
    };
    Ok(Asked {
        redirect_uri: redirect_uri.to_owned(),
        state: request_state.map(str::to_owned),
        scopes,
        challenge: challenge.to_owned(),
        user,
        actor,
        wants_refresh_token,
    })
}

fn allow(vendor: Vendor, state: &State, asked: Asked) -> Response {
    let lifetime = Duration::from_secs(state.settings().code_seconds);
    let code = state.grants().add_code(Code {
        vendor,
        user: asked.user,
        actor: asked.actor,
        scopes: asked.scopes.into_iter().collect(),
        redirect_uri: asked.redirect_uri.clone(),
        challenge: asked.challenge,
        wants_refresh_token: asked.wants_refresh_token,
        expires_at: Instant::now() + lifetime,
    });
    send_back(
        vendor,
        state,
        &asked.redirect_uri,
        asked.state.as_deref(),
        &[("code", &code)],
    )
}

fn deny(vendor: Vendor, state: &State, redirect_uri: &str, request_state: Option<&str>) -> Response {
    let params = [
        ("error", "access_denied"),
        ("error_description", "The user said no."),
    ];
    send_back(vendor, state, redirect_uri, request_state, &params)
}

fn send_back(
    vendor: Vendor,
    state: &State,
    redirect_uri: &str,
    request_state: Option<&str>,
    params: &[(&str, &str)],
) -> Response {
    let mut query: Vec<String> = params
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    if let Some(text) = request_state {
        query.push(format!("state={}", encode(text)));
    }
    if state.settings().send_issuer {
        query.push(format!("iss={}", encode(&issuer(state, vendor))));
    }
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    let location = format!("{redirect_uri}{joint}{}", query.join("&"));
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}

fn page(vendor: Vendor, asked: &Asked) -> Html<String> {
    let name = match vendor {
        Vendor::Hubspot => "HubSpot",
        Vendor::Google => "Google",
        Vendor::Salesforce => "Salesforce",
        Vendor::Notion => "Notion",
        Vendor::Github => "GitHub",
        Vendor::Atlassian => "Atlassian",
        Vendor::Slack => "Slack",
        Vendor::Linear => "Linear",
        Vendor::Microsoft => "Microsoft",
    };
    let scopes: String = asked
        .scopes
        .iter()
        .map(|scope| format!("<li><code>{}</code></li>", escape_html(scope)))
        .collect();
    let user = escape_html(&asked.user);
    // The form has no action: it goes to this page's own address, query included.
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Simulated {name}</title>\
         <style>body{{font:16px/1.5 system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem}}\
         button{{font:inherit;padding:.4rem 1.2rem;margin-right:.5rem}}</style>\
         <h1>Simulated {name}</h1><p>This is a stand-in for the vendor: no real account is behind it.</p>\
         <p>An application asks for:</p><ul>{scopes}</ul>\
         <form method=\"post\"><p><label>As user <input name=\"user\" value=\"{user}\" required></label></p>\
         <button name=\"decision\" value=\"allow\">Allow</button>\
         <button name=\"decision\" value=\"deny\" formnovalidate>Deny</button></form></html>\n"
    ))
}

fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"))
}

fn is_user(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
