//! Workflow runs, their jobs, checks of commits, notifications.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Value, json};

use super::page::Page;
use super::problem::Problem;
use super::repos::{api, needed, parse, repository, with};
use super::world::{Commit, Repo, person};
use crate::calendar::rfc3339_seconds;
use crate::oauth::Session;
use crate::server::State;
use crate::text::{Pairs, first, number_of, parse_form};

/// Every commit of the default branch was tested once, and every third test failed; those that were
/// started since come first.
fn all_runs(api: &str, repo: &Repo) -> Vec<Value> {
    let mut runs: Vec<Value> = repo.runs.iter().rev().cloned().collect();
    let history = repo.resolve("main").map(|(history, _)| history);
    for (n, commit) in history
        .iter()
        .flatten()
        .rev()
        .filter_map(|sha| repo.commits.get(sha))
        .enumerate()
    {
        let conclusion = if n % 3 == 2 { "failure" } else { "success" };
        runs.push(run(
            api,
            repo,
            repo.id * 100 + n as u64,
            "test",
            commit,
            "push",
            conclusion,
        ));
    }
    runs
}

fn run(api: &str, repo: &Repo, id: u64, name: &str, commit: &Commit, event: &str, conclusion: &str) -> Value {
    let at = rfc3339_seconds(commit.at_ms);
    let url = format!("{api}/repos/{}/{}/actions/runs/{id}", repo.owner, repo.name);
    json!({
        "id": id,
        "name": name,
        "node_id": format!("WFR_{id}"),
        "head_branch": "main",
        "head_sha": commit.sha,
        "path": format!(".github/workflows/{name}.yml"),
        "display_title": commit.message,
        "run_number": id % 100 + 1,
        "event": event,
        "status": if conclusion.is_empty() { "queued" } else { "completed" },
        "conclusion": (!conclusion.is_empty()).then_some(conclusion),
        "workflow_id": number_of(name) % 1_000_000,
        "url": url,
        "html_url": format!("https://github.example/{}/{}/actions/runs/{id}", repo.owner, repo.name),
        "jobs_url": format!("{url}/jobs"),
        "created_at": at,
        "updated_at": at,
        "actor": person(api, &repo.owner),
        "repository": repository(api, repo),
        "pull_requests": [],
    })
}

pub(crate) async fn runs(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        let is = |run: &Value, member: &str, name: &str| {
            first(&query, name).is_none_or(|wanted| run[member] == wanted)
        };
        let found: Vec<Value> = all_runs(&api, repo)
            .into_iter()
            .filter(|run| {
                let status = first(&query, "status");
                is(run, "head_branch", "branch")
                    && is(run, "event", "event")
                    && is(run, "head_sha", "head_sha")
                    && status.is_none_or(|wanted| run["status"] == wanted || run["conclusion"] == wanted)
            })
            .collect();
        Ok(counted(
            &query,
            "workflow_runs",
            &found,
            &format!("{api}/repositories/{}/actions/runs", repo.id),
        ))
    })
}

/// A list that says how many there are.
fn counted(query: &Pairs, name: &str, found: &[Value], address: &str) -> Response {
    let page = Page::of(query);
    let body = json!({ "total_count": found.len(), name: page.take(found) });
    page.linked(Json(body).into_response(), found.len(), address)
}

pub(crate) async fn jobs(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, id)): Path<(String, String, u64)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        let run = all_runs(&api, repo)
            .into_iter()
            .find(|run| run["id"] == id)
            .ok_or_else(Problem::not_found)?;
        let steps: Vec<Value> = ["Set up job", "cargo test"]
            .iter()
            .enumerate()
            .map(|(n, step)| {
                let conclusion = if n == 0 {
                    json!("success")
                } else {
                    run["conclusion"].clone()
                };
                json!({ "name": step, "number": n + 1, "status": run["status"], "conclusion": conclusion })
            })
            .collect();
        let job = json!({
            "id": id * 10, "run_id": id, "node_id": format!("CR_{id}"), "run_url": run["url"],
            "html_url": format!("{}/job/{}", run["html_url"].as_str().unwrap_or_default(), id * 10),
            "name": "unit", "head_sha": run["head_sha"], "status": run["status"], "conclusion": run["conclusion"],
            "started_at": run["created_at"], "completed_at": run["updated_at"], "steps": steps,
        });
        Ok(counted(
            &query,
            "jobs",
            &[job],
            &format!("{api}/repositories/{}/actions/runs/{id}/jobs", repo.id),
        ))
    })
}

/// Starts a workflow: it waits in the queue for ever. With `return_run_details` the run is named.
pub(crate) async fn dispatch(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, workflow)): Path<(String, String, String)>,
    body: Bytes,
) -> Result<Response, Problem> {
    let api = api(&state);
    let now = state.calendar.now_ms();
    let body = parse(&body)?;
    with(&state, &session, (&owner, &name), true, |world, repo| {
        let name = workflow.strip_suffix(".yml").ok_or_else(Problem::not_found)?;
        let wanted = needed(&body, "Workflow", "ref")?;
        let found = repo
            .resolve(wanted)
            .and_then(|(history, _)| repo.commits.get(history.last()?).cloned())
            .ok_or_else(|| Problem::unprocessable(format!("No ref found for: {wanted}")))?;
        let found = Commit { at_ms: now, ..found };
        let started = run(&api, repo, world.new_id(), name, &found, "workflow_dispatch", "");
        let answer = json!({
            "workflow_run_id": started["id"], "run_url": started["url"], "html_url": started["html_url"],
        });
        repo.runs.push(started);
        if body["return_run_details"] == true {
            Ok(Json(answer).into_response())
        } else {
            Ok(StatusCode::NO_CONTENT.into_response())
        }
    })
}

/// The checks of a commit: one for each of its runs.
pub(crate) fn checks_of(api: &str, repo: &Repo, commit: &Commit, query: &Pairs) -> Response {
    let found: Vec<Value> = all_runs(api, repo)
        .into_iter()
        .filter(|run| run["head_sha"] == commit.sha.as_str())
        .map(|run| {
            json!({
                "id": run["id"], "node_id": run["node_id"], "name": run["name"], "head_sha": commit.sha,
                "status": run["status"], "conclusion": run["conclusion"], "html_url": run["html_url"],
                "started_at": run["created_at"], "completed_at": run["updated_at"],
                "output": { "title": run["display_title"], "summary": null, "annotations_count": 0 },
                "pull_requests": [],
            })
        })
        .collect();
    let address = format!("{api}/repositories/{}/commits/{}/check-runs", repo.id, commit.sha);
    counted(query, "check_runs", &found, &address)
}

/// One for every open issue that is assigned to the user. The scope is told when it is missing.
pub(crate) async fn notifications(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let app = state.settings().github_app;
    let scopes = &session.scopes;
    if app {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Resource not accessible by integration",
        ));
    }
    if !scopes.contains("notifications") && !scopes.contains("repo") {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Missing the 'notifications' scope.",
        ));
    }
    let api = api(&state);
    let found: Vec<Value> = state.github(&session.user, |world| {
        let login = world.login.clone();
        world
            .repos
            .values()
            .flat_map(|repo| repo.issues.values().map(move |issue| (repo, issue)))
            .filter(|(_, issue)| {
                let mut people = issue["assignees"].as_array().into_iter().flatten();
                issue["state"] == "open" && people.any(|person| person["login"] == login.as_str())
            })
            .map(|(repo, issue)| {
                json!({
                    "id": issue["id"].to_string(),
                    "repository": repository(&api, repo),
                    "subject": { "title": issue["title"], "url": issue["url"], "type": "Issue" },
                    "reason": "assign",
                    "unread": true,
                    "updated_at": issue["updated_at"],
                    "last_read_at": null,
                })
            })
            .collect()
    });
    Ok(Page::of(&query).answer(&found, &format!("{api}/notifications")))
}
