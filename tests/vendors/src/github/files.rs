//! Files and folders: the contents of a branch.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::problem::Problem;
use super::repos::{api, commit, needed, parse, text, with};
use super::world::{Repo, blob_sha};
use crate::oauth::Session;
use crate::server::State;
use crate::text::{first, parse_base64, parse_form};

/// Where a file or folder is, in answers.
fn entry(api: &str, repo: &Repo, kind: &str, path: &str, size: usize, sha: &str) -> Value {
    let at = format!("{api}/repos/{}/{}", repo.owner, repo.name);
    json!({
        "type": kind,
        "name": path.rsplit('/').next(),
        "path": path,
        "size": size,
        "sha": sha,
        "url": format!("{at}/contents/{path}"),
        "git_url": format!("{at}/git/blobs/{sha}"),
        "html_url": format!("https://github.example/{}/{}/blob/main/{path}", repo.owner, repo.name),
        "download_url": (kind == "file").then(|| format!("{at}/raw/{path}?token=made-up")),
    })
}

pub(crate) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, path)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let raw = accept.is_some_and(|accept| accept.contains("raw"));
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        let (_, files) = repo
            .resolve(first(&query, "ref").unwrap_or("HEAD"))
            .ok_or_else(Problem::not_found)?;
        let path = path.trim_matches('/');
        if let Some(content) = files.get(path) {
            if raw {
                let kind = [(
                    header::CONTENT_TYPE,
                    "application/vnd.github.raw+json; charset=utf-8",
                )];
                return Ok((kind, content.clone()).into_response());
            }
            let mut answer = entry(&api, repo, "file", path, content.len(), &blob_sha(content));
            answer["encoding"] = json!("base64");
            answer["content"] = json!(in_lines(content));
            return Ok(Json(answer).into_response());
        }
        // What is directly below the folder, each name once.
        let folder = format!("{path}/");
        let mut below: BTreeMap<String, Value> = BTreeMap::new();
        for (file, content) in files.iter() {
            let Some(rest) = file.strip_prefix(&folder) else {
                continue;
            };
            let (at, found) = match rest.split_once('/') {
                Some((name, _)) => {
                    let at = format!("{folder}{name}");
                    let found = entry(&api, repo, "dir", &at, 0, &blob_sha(at.as_bytes()));
                    (at, found)
                }
                None => (
                    file.clone(),
                    entry(&api, repo, "file", file, content.len(), &blob_sha(content)),
                ),
            };
            below.insert(at, found);
        }
        if below.is_empty() {
            return Err(Problem::not_found());
        }
        Ok(Json(below.into_values().collect::<Vec<_>>()).into_response())
    })
}

/// Base64 in lines of 60 characters.
fn in_lines(content: &[u8]) -> String {
    let text = STANDARD.encode(content);
    let lines = text.as_bytes().chunks(60);
    lines
        .map(|line| String::from_utf8_lossy(line).into_owned() + "\n")
        .collect()
}

pub(crate) async fn put(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, path)): Path<(String, String, String)>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let body = parse(&body)?;
    let content = body["content"]
        .as_str()
        .ok_or_else(|| Problem::unprocessable("\"content\" wasn't supplied."))?;
    let content =
        parse_base64(content).ok_or_else(|| Problem::unprocessable("content is not valid Base64"))?;
    change(&state, &session, (&owner, &name), &path, &body, Some(content))
}

pub(crate) async fn delete(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, path)): Path<(String, String, String)>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let body = parse(&body)?;
    change(&state, &session, (&owner, &name), &path, &body, None)
}

/// Writes or removes a file, when the sha that was named is the present one.
fn change(
    state: &State,
    session: &Session,
    at: (&str, &str),
    path: &str,
    body: &Value,
    content: Option<Vec<u8>>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let api = api(state);
    let now = state.calendar.now_ms();
    with(state, session, at, true, |_, repo| {
        let message = needed(body, "Commit", "message")?;
        let branch = text(body, "branch").unwrap_or("main");
        let Some(files) = repo.branches.get(branch).map(|branch| &branch.files) else {
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                format!("Branch {branch} not found"),
            ));
        };
        let present = files.get(path).map(|content| blob_sha(content));
        match (&present, text(body, "sha")) {
            (None, _) if content.is_none() => return Err(Problem::not_found()),
            (Some(_), None) => {
                return Err(Problem::unprocessable(
                    "Invalid request.\n\n\"sha\" wasn't supplied.",
                ));
            }
            (Some(present), Some(given)) if present != given => {
                return Err(Problem::conflict(format!("{path} does not match {given}")));
            }
            _ => {}
        }
        let answer = content
            .as_ref()
            .map(|content| entry(&api, repo, "file", path, content.len(), &blob_sha(content)));
        let status = if present.is_none() {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        let sha = repo
            .write(branch, path, content, message, now)
            .ok_or_else(Problem::not_found)?;
        // A commit stands there without what lists put around it.
        let found = commit(&api, repo, &repo.commits[&sha]);
        let mut flat = found["commit"].clone();
        for name in ["sha", "node_id", "html_url", "parents"] {
            flat[name] = found[name].clone();
        }
        Ok((status, Json(json!({ "content": answer, "commit": flat }))))
    })
}

pub(crate) async fn tree(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, sha)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let recursive = first(&query, "recursive").is_some();
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        let (history, files) = repo.resolve(&sha).ok_or_else(Problem::not_found)?;
        let mut entries: BTreeMap<String, Value> = BTreeMap::new();
        for (path, content) in files {
            let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
            for folder in folders.take(if recursive { usize::MAX } else { 1 }) {
                let sha = blob_sha(folder.as_bytes());
                entries.insert(
                    folder.to_owned(),
                    json!({ "path": folder, "mode": "040000", "type": "tree", "sha": sha }),
                );
            }
            if recursive || !path.contains('/') {
                entries.insert(
                    path.clone(),
                    json!({
                        "path": path, "mode": "100644", "type": "blob",
                        "size": content.len(), "sha": blob_sha(content),
                    }),
                );
            }
        }
        let tip = history.last().map_or("", String::as_str);
        Ok(Json(json!({
            "sha": tip,
            "url": format!("{api}/repos/{}/{}/git/trees/{tip}", repo.owner, repo.name),
            "tree": entries.into_values().collect::<Vec<_>>(),
            "truncated": false,
        })))
    })
}
