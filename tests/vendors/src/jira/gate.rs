//! What every request passes first: the token, the site, the scopes, the budget.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::problem::{Problem, slow_down};
use super::site::cloud_id;
use crate::Vendor;
use crate::oauth::Session;
use crate::server::State;
use crate::text::parse_base64;

/// Which site a request reached: its user, and which of theirs.
#[derive(Debug, Clone)]
pub(crate) struct Reached {
    pub(crate) user: String,
    pub(crate) site: String,
}

pub(crate) async fn enter(Shared(state): Shared<Arc<State>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let session = request.extensions().get::<Session>().cloned();
    let session = session.filter(|session| session.vendor == Vendor::Atlassian);
    let by_token = by_api_token(request.headers());
    let Some(user) = session.as_ref().map(|session| session.user.clone()).or(by_token) else {
        return Problem::gateway(StatusCode::UNAUTHORIZED, "Unauthorized").into_response();
    };
    // The path as it is seen here still begins with the cloud id, or behind it, as axum nests.
    let cloud = request
        .extensions()
        .get::<axum::extract::OriginalUri>()
        .map_or(path.clone(), |original| original.path().to_owned());
    let cloud = cloud.split('/').nth(4).unwrap_or_default().to_owned();
    let sites = state.settings().jira_sites;
    let Some(site) = (0..sites).find(|n| cloud_id(&user, *n) == cloud) else {
        return Problem::gateway(StatusCode::NOT_FOUND, "No message available").into_response();
    };
    if let Some(session) = &session
        && !needs(&method, &path)
            .iter()
            .all(|scope| session.scopes.contains(*scope))
    {
        return Problem::gateway(StatusCode::UNAUTHORIZED, "Unauthorized; scope does not match")
            .into_response();
    }
    let reached = Reached {
        site: format!("{user}/{site}"),
        user,
    };
    let budget = state.settings().jira_budget;
    if let Some(budget) = budget {
        let spent = state.site(&reached, |site| site.requests.spend(budget));
        if let Err(wait) = spent {
            let seconds = u64::try_from(wait.as_millis().div_ceil(1_000))
                .unwrap_or(1)
                .max(1);
            return slow_down(budget.requests, seconds, state.calendar.now_ms());
        }
    }
    request.extensions_mut().insert(reached);
    next.run(request).await
}

/// The user of an email address and an API token; the token here is `api-token-of-` and the user.
fn by_api_token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let text = String::from_utf8(parse_base64(value.strip_prefix("Basic ")?)?).ok()?;
    let (email, token) = text.split_once(':')?;
    let user = email.split('@').next()?;
    (token == format!("api-token-of-{user}")).then(|| user.to_owned())
}

/// The scopes that an operation needs, all of them.
fn needs(method: &Method, path: &str) -> &'static [&'static str] {
    let reads = method == Method::GET || path.contains("/search/");
    if path.contains("/rest/agile/") {
        return match (path.contains("/sprint"), reads) {
            (false, _) => &["read:board-scope:jira-software", "read:project:jira"],
            (true, false) => &["write:sprint:jira-software"],
            (true, true) if path.ends_with("/issue") => &[
                "read:sprint:jira-software",
                "read:issue-details:jira",
                "read:jql:jira",
            ],
            (true, true) => &["read:sprint:jira-software"],
        };
    }
    if path.ends_with("/myself") || path.contains("/user/") {
        &["read:jira-user"]
    } else if reads {
        &["read:jira-work"]
    } else {
        &["write:jira-work"]
    }
}

/// The sites that a token reaches, in the order in which the user got them.
pub(crate) async fn accessible_resources(
    Shared(state): Shared<Arc<State>>,
    session: Option<Extension<Session>>,
) -> Response {
    let Some(Extension(session)) = session.filter(|session| session.vendor == Vendor::Atlassian) else {
        return Problem::gateway(StatusCode::UNAUTHORIZED, "Unauthorized").into_response();
    };
    let sites: Vec<Value> = (0..state.settings().jira_sites)
        .map(|n| {
            let name = if n == 0 {
                session.user.clone()
            } else {
                format!("{}-{n}", session.user)
            };
            json!({
                "id": cloud_id(&session.user, n),
                "name": name,
                "url": format!("https://{name}.atlassian.example"),
                "scopes": session.scopes,
                "avatarUrl": format!("https://{name}.atlassian.example/avatar.png"),
            })
        })
        .collect();
    Json(sites).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn searches_read_although_they_are_posted_and_boards_have_scopes_of_their_own() {
        for (method, path, scope) in [
            (Method::POST, "/rest/api/3/search/jql", "read:jira-work"),
            (Method::POST, "/rest/api/3/issue", "write:jira-work"),
            (Method::GET, "/rest/api/3/user/search", "read:jira-user"),
            (Method::GET, "/rest/agile/1.0/board", "read:project:jira"),
            (
                Method::GET,
                "/rest/agile/1.0/board/1/sprint",
                "read:sprint:jira-software",
            ),
            (Method::GET, "/rest/agile/1.0/sprint/1/issue", "read:jql:jira"),
            (
                Method::POST,
                "/rest/agile/1.0/sprint/1/issue",
                "write:sprint:jira-software",
            ),
        ] {
            assert!(needs(&method, path).contains(&scope), "{method} {path}");
        }
    }

    #[test]
    fn an_api_token_belongs_to_its_address() {
        let with = |text: &str| {
            let value = format!("Basic {}", crate::text::base64url(text.as_bytes()));
            HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(&value).unwrap())])
        };
        assert_eq!(
            by_api_token(&with("ada@ada.example:api-token-of-ada")).as_deref(),
            Some("ada")
        );
        assert_eq!(by_api_token(&with("bela@bela.example:api-token-of-ada")), None);
        assert_eq!(by_api_token(&HeaderMap::new()), None);
    }
}
