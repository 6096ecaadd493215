//! What hangs on an issue: comments, work logs, watchers, links, attachments.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Value, json};

use super::adf::is_document;
use super::directory::page;
use super::gate::Reached;
use super::issues::{change, jira_time};
use super::problem::Problem;
use super::search::parse;
use super::site::{LINK_TYPES, Link, Site};
use crate::server::State;
use crate::text::{first, parse_form};

/// The most comments of an issue; the vendor's limit is higher, and as hard.
const MOST_COMMENTS: usize = 200;

type At = Path<(String, String)>;

/// A new comment out of what was given.
pub(crate) fn comment_of(site: &mut Site, given: &Value, now_ms: i64) -> Result<Value, Problem> {
    if !is_document(&given["body"]) {
        return Err(Problem::field("comment", "Comment body is not valid!"));
    }
    let mut comment = json!({
        "id": site.new_id().to_string(),
        "author": site.person(0),
        "updateAuthor": site.person(0),
        "body": given["body"],
        "created": jira_time(now_ms),
        "updated": jira_time(now_ms),
        "jsdPublic": true,
    });
    if given["visibility"].is_object() {
        comment["visibility"] = given["visibility"].clone();
    }
    Ok(comment)
}

pub(crate) async fn comments(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): At,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    state.site(&reached, |site| {
        let id = site.find(&key).ok_or_else(Problem::no_issue)?;
        let mut all = site.issues[&id].comments.clone();
        if first(&query, "orderBy") == Some("-created") {
            all.reverse();
        }
        Ok(Json(page(&query, "comments", &all, 100)))
    })
}

pub(crate) async fn comment(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): At,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let now = state.calendar.now_ms();
    let body = parse(&body)?;
    change(&state, &reached, &key, |site, issue| {
        if issue.comments.len() >= MOST_COMMENTS {
            let text = "The number of comments on this issue has reached its limit.";
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, text));
        }
        let comment = comment_of(site, &body, now)?;
        issue.comments.push(comment.clone());
        Ok((StatusCode::CREATED, Json(comment)))
    })
}

pub(crate) async fn change_comment(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key, id)): Path<(String, String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let now = jira_time(state.calendar.now_ms());
    let body = parse(&body)?;
    change(&state, &reached, &key, |_, issue| {
        if !is_document(&body["body"]) {
            return Err(Problem::field("comment", "Comment body is not valid!"));
        }
        let comment = issue
            .comments
            .iter_mut()
            .find(|comment| comment["id"] == id.as_str())
            .ok_or_else(|| Problem::not_found("comment"))?;
        comment["body"] = body["body"].clone();
        comment["updated"] = json!(now);
        Ok(Json(comment.clone()))
    })
}

pub(crate) async fn log_work(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): At,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let now = jira_time(state.calendar.now_ms());
    let body = parse(&body)?;
    change(&state, &reached, &key, |site, issue| {
        let spent = body["timeSpent"].as_str().unwrap_or_default();
        let seconds = seconds_of(spent)
            .ok_or_else(|| Problem::field("timeLogged", "Invalid time duration entered."))?;
        if !body["comment"].is_null() && !is_document(&body["comment"]) {
            return Err(Problem::field("comment", "Comment body is not valid!"));
        }
        let entry = json!({
            "id": site.new_id().to_string(),
            "issueId": issue.id.to_string(),
            "author": site.person(0),
            "timeSpent": spent,
            "timeSpentSeconds": seconds,
            "started": body["started"].as_str().unwrap_or(&now),
            "comment": body["comment"],
            "created": now,
            "updated": now,
        });
        Ok((StatusCode::CREATED, Json(entry)))
    })
}

/// `1d 2h 30m` in seconds, with days of eight hours and weeks of five days.
fn seconds_of(text: &str) -> Option<u64> {
    let parts = text.split_whitespace().map(|part| {
        let (number, unit) = part.split_at(part.len().checked_sub(1)?);
        let minutes = match unit {
            "m" => 1,
            "h" => 60,
            "d" => 8 * 60,
            "w" => 5 * 8 * 60,
            _ => return None,
        };
        Some(number.parse::<u64>().ok()? * minutes * 60)
    });
    parts.sum::<Option<u64>>().filter(|seconds| *seconds > 0)
}

/// The body is one JSON text: an account id.
pub(crate) async fn watch(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): At,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let account: String =
        serde_json::from_slice(&body).map_err(|_| Problem::invalid("The body must be an account ID."))?;
    change(&state, &reached, &key, |site, _| {
        let known = site.person_of(&account);
        known
            .map(|_| StatusCode::NO_CONTENT)
            .ok_or_else(|| Problem::not_found("user"))
    })
}

pub(crate) async fn remote_link(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): At,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let body = parse(&body)?;
    change(&state, &reached, &key, |site, issue| {
        for name in ["url", "title"] {
            if body["object"][name].as_str().is_none_or(str::is_empty) {
                return Err(Problem::field(name, format!("'{name}' is required.")));
            }
        }
        let id = site.new_id();
        let at = format!("{}/rest/api/3/issue/{}/remotelink/{id}", site.url, issue.id);
        Ok((StatusCode::CREATED, Json(json!({ "id": id, "self": at }))))
    })
}

/// `inwardIssue` does to `outwardIssue` what the outward words of the type say.
pub(crate) async fn link(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let now = state.calendar.now_ms();
    let body = parse(&body)?;
    state.site(&reached, |site| {
        let kind = (0..LINK_TYPES.len())
            .find(|n| body["type"]["name"] == LINK_TYPES[*n].1 || body["type"]["id"] == LINK_TYPES[*n].0)
            .ok_or_else(|| Problem::not_found("issue link type"))?;
        let issue = |name: &str| {
            let named = body[name]["key"].as_str().or_else(|| body[name]["id"].as_str());
            named.and_then(|key| site.find(key)).ok_or_else(Problem::no_issue)
        };
        let (from, to) = (issue("inwardIssue")?, issue("outwardIssue")?);
        if body["comment"].is_object() {
            let comment = comment_of(site, &body["comment"], now)?;
            if let Some(issue) = site.issues.get_mut(&from) {
                issue.comments.push(comment);
            }
        }
        let id = site.new_id();
        site.links.insert(id, Link { kind, from, to });
        Ok(StatusCode::CREATED)
    })
}

pub(crate) async fn unlink(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, id)): Path<(String, u64)>,
) -> Result<StatusCode, Problem> {
    state.site(&reached, |site| {
        let gone = site.links.remove(&id);
        gone.map(|_| StatusCode::NO_CONTENT)
            .ok_or_else(|| Problem::not_found("issue link"))
    })
}

/// The one attachment of an issue, which has the issue's id.
pub(crate) async fn attachment(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, id)): Path<(String, u64)>,
) -> Result<impl IntoResponse, Problem> {
    state.site(&reached, |site| {
        let issue = site
            .issues
            .get(&id)
            .ok_or_else(|| Problem::not_found("attachment"))?;
        let named = format!("attachment; filename=\"{}.txt\"", issue.key());
        let headers = [
            (header::CONTENT_TYPE, "text/plain".to_owned()),
            (header::CONTENT_DISPOSITION, named),
        ];
        Ok((headers, format!("{} of {}\n", issue.key(), site.user)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_counted_in_working_days() {
        assert_eq!(seconds_of("1h 30m"), Some(5_400));
        assert_eq!(seconds_of("1w 1d"), Some(48 * 3_600));
        for wrong in ["", "0m", "soon", "3", "3x"] {
            assert_eq!(seconds_of(wrong), None, "{wrong}");
        }
    }
}
