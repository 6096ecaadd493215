//! The account, repositories, branches, commits, releases.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Value, json};

use super::actions;
use super::gate::permit;
use super::page::Page;
use super::problem::Problem;
use super::world::{Change, Commit, Repo, World, person};
use crate::calendar::rfc3339_seconds;
use crate::oauth::Session;
use crate::server::State;
use crate::text::{first, parse_form};

/// Where the API is.
pub(crate) fn api(state: &State) -> String {
    format!("{}/github/api", state.base_url)
}

/// Does something with a repository that a token reaches: nobody but its owner sees it here.
pub(crate) fn with<T>(
    state: &State,
    session: &Session,
    (owner, name): (&str, &str),
    write: bool,
    act: impl FnOnce(&mut World, &mut Repo) -> Result<T, Problem>,
) -> Result<T, Problem> {
    state.github(&session.user, |world| {
        let own = owner.eq_ignore_ascii_case(&world.login);
        let name = name.to_lowercase();
        let mut repo = own
            .then(|| world.repos.remove(&name))
            .flatten()
            .ok_or_else(Problem::not_found)?;
        let done = permit(state, session, &repo, write).and_then(|()| act(world, &mut repo));
        world.repos.insert(name, repo);
        done
    })
}

/// The members of a body.
pub(crate) fn parse(body: &Bytes) -> Result<Value, Problem> {
    serde_json::from_slice::<Value>(body)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "Problems parsing JSON"))
}

/// A text of a body; absent and null are the same.
pub(crate) fn text<'v>(body: &'v Value, name: &str) -> Option<&'v str> {
    body[name].as_str()
}

/// A text that has to be there.
pub(crate) fn needed<'v>(body: &'v Value, resource: &str, name: &str) -> Result<&'v str, Problem> {
    text(body, name)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Problem::field(resource, name, "missing_field"))
}

/// A repository as answers hold it.
pub(crate) fn repository(api: &str, repo: &Repo) -> Value {
    let full = format!("{}/{}", repo.owner, repo.name);
    json!({
        "id": repo.id,
        "node_id": format!("R_{}", repo.id),
        "name": repo.name,
        "full_name": full,
        "private": repo.private,
        "owner": person(api, &repo.owner),
        "html_url": format!("https://github.example/{full}"),
        "description": format!("The {} of {}", repo.name, repo.owner),
        "fork": false,
        "url": format!("{api}/repos/{full}"),
        "issues_url": format!("{api}/repos/{full}/issues{{/number}}"),
        "clone_url": format!("https://github.example/{full}.git"),
        "language": "Rust",
        "default_branch": "main",
        "visibility": if repo.private { "private" } else { "public" },
        "archived": false,
        "open_issues_count": repo.issues.values().filter(|issue| issue["state"] == "open").count(),
        "permissions": { "admin": true, "push": true, "pull": true },
    })
}

pub(crate) async fn me(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
) -> Json<Value> {
    let mut me = person(&api(&state), &session.user);
    me["name"] = json!(format!("{} of the simulator", session.user));
    me["email"] = json!(format!("{0}@{0}.example", session.user));
    me["company"] = Value::Null;
    Json(me)
}

pub(crate) async fn mine(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = parse_form(&query.unwrap_or_default());
    let visibility = first(&query, "visibility").unwrap_or("all").to_owned();
    let api = api(&state);
    let repos: Vec<Value> = state.github(&session.user, |world| {
        world
            .repos
            .values()
            .filter(|repo| permit(&state, &session, repo, false).is_ok())
            .filter(|repo| visibility == "all" || (visibility == "private") == repo.private)
            .map(|repo| repository(&api, repo))
            .collect()
    });
    Page::of(&query).answer(&repos, &format!("{api}/user/repos"))
}

pub(crate) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        Ok(Json(repository(&api, repo)))
    })
}

pub(crate) async fn branches(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        let protected = first(&query, "protected") == Some("true");
        let all: Vec<Value> = repo
            .branches
            .iter()
            .filter(|_| !protected)
            .map(|(name, branch)| {
                let url = format!(
                    "{api}/repos/{}/{}/commits/{}",
                    repo.owner,
                    repo.name,
                    branch.tip()
                );
                json!({ "name": name, "commit": { "sha": branch.tip(), "url": url }, "protected": false })
            })
            .collect();
        Ok(Page::of(&query).answer(&all, &format!("{api}/repositories/{}/branches", repo.id)))
    })
}

pub(crate) async fn create_ref(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name)): Path<(String, String)>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let api = api(&state);
    let body = parse(&body)?;
    with(&state, &session, (&owner, &name), true, |_, repo| {
        let full = needed(&body, "Reference", "ref")?;
        let sha = needed(&body, "Reference", "sha")?;
        let Some(branch) = full.strip_prefix("refs/heads/").filter(|name| !name.is_empty()) else {
            return Err(Problem::unprocessable(
                "Reference name must start with 'refs/heads/'.",
            ));
        };
        if repo.branches.contains_key(branch) {
            return Err(Problem::unprocessable("Reference already exists"));
        }
        // The files of an older commit are those of the branch, without what came after it.
        let from = repo
            .branches
            .values()
            .find_map(|other| {
                let at = other.history.iter().position(|known| known == sha)?;
                let mut made = other.clone();
                for later in made.history.split_off(at + 1).iter().rev() {
                    for change in &repo.commits.get(later)?.changes {
                        match &change.before {
                            Some(before) => made.files.insert(change.path.clone(), before.clone()),
                            None => made.files.remove(&change.path),
                        };
                    }
                }
                Some(made)
            })
            .ok_or_else(|| Problem::unprocessable("Object does not exist"))?;
        repo.branches.insert(branch.to_owned(), from);
        let at = format!("{api}/repos/{}/{}/git", repo.owner, repo.name);
        let answer = json!({
            "ref": full,
            "node_id": format!("REF_{branch}"),
            "url": format!("{at}/{full}"),
            "object": { "sha": sha, "type": "commit", "url": format!("{at}/commits/{sha}") },
        });
        Ok((StatusCode::CREATED, Json(answer)))
    })
}

/// A commit as lists hold it.
pub(crate) fn commit(api: &str, repo: &Repo, commit: &Commit) -> Value {
    let at = format!("{api}/repos/{}/{}/commits", repo.owner, repo.name);
    let by = json!({
        "name": repo.owner,
        "email": format!("{0}@{0}.example", repo.owner),
        "date": rfc3339_seconds(commit.at_ms),
    });
    let parents: Vec<Value> = commit
        .parents
        .iter()
        .map(|sha| json!({ "sha": sha, "url": format!("{at}/{sha}") }))
        .collect();
    json!({
        "sha": commit.sha,
        "node_id": format!("C_{}", commit.sha),
        "url": format!("{at}/{}", commit.sha),
        "html_url": format!("https://github.example/{}/{}/commit/{}", repo.owner, repo.name, commit.sha),
        "commit": {
            "message": commit.message,
            "author": by,
            "committer": by,
            "comment_count": 0,
            "verification": { "verified": false, "reason": "unsigned", "signature": null, "payload": null },
        },
        "author": person(api, &repo.owner),
        "committer": person(api, &repo.owner),
        "parents": parents,
    })
}

/// A change to a file, with its diff.
pub(crate) fn changed_file(change: &Change) -> Value {
    let lines = |content: &Option<Vec<u8>>| -> Vec<String> {
        let text = String::from_utf8_lossy(content.as_deref().unwrap_or_default());
        text.lines().map(str::to_owned).collect()
    };
    let (before, after) = (lines(&change.before), lines(&change.after));
    let same = before
        .iter()
        .zip(&after)
        .take_while(|(old, new)| old == new)
        .count();
    let (gone, new) = (&before[same..], &after[same..]);
    let status = match (&change.before, &change.after) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "modified",
    };
    let marked = |sign: char, lines: &[String]| -> String {
        lines.iter().map(|line| format!("\n{sign}{line}")).collect()
    };
    let content = change.after.as_ref().or(change.before.as_ref());
    json!({
        "sha": super::world::blob_sha(content.map_or(&[], Vec::as_slice)),
        "filename": change.path,
        "status": status,
        "additions": new.len(),
        "deletions": gone.len(),
        "changes": new.len() + gone.len(),
        "patch": format!(
            "@@ -{0},{1} +{0},{2} @@{3}{4}",
            same + 1, gone.len(), new.len(), marked('-', gone), marked('+', new)
        ),
    })
}

pub(crate) async fn commits(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        let (history, _) = repo
            .resolve(first(&query, "sha").unwrap_or("HEAD"))
            .ok_or_else(Problem::not_found)?;
        let touches = |commit: &Commit| {
            first(&query, "path")
                .is_none_or(|path| commit.changes.iter().any(|change| change.path.starts_with(path)))
        };
        let within = |commit: &Commit| {
            let at = rfc3339_seconds(commit.at_ms);
            first(&query, "since").is_none_or(|since| at.as_str() >= since)
                && first(&query, "until").is_none_or(|until| at.as_str() <= until)
        };
        let by = first(&query, "author").is_none_or(|author| author.starts_with(&repo.owner));
        let all: Vec<Value> = history
            .iter()
            .rev()
            .filter_map(|sha| repo.commits.get(sha))
            .filter(|commit| by && touches(commit) && within(commit))
            .map(|found| commit(&api, repo, found))
            .collect();
        Ok(Page::of(&query).answer(&all, &format!("{api}/repositories/{}/commits", repo.id)))
    })
}

/// `/commits/{ref}` and `/commits/{ref}/check-runs`.
pub(crate) async fn commit_or_checks(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, rest)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        let (wanted, checks) = match rest.strip_suffix("/check-runs") {
            Some(wanted) => (wanted, true),
            None => (rest.as_str(), false),
        };
        let (history, _) = repo
            .resolve(wanted)
            .ok_or_else(|| Problem::unprocessable(format!("No commit found for SHA: {wanted}")))?;
        let found = history
            .last()
            .and_then(|sha| repo.commits.get(sha))
            .ok_or_else(Problem::not_found)?;
        if checks {
            return Ok(actions::checks_of(&api, repo, found, &query));
        }
        let mut answer = commit(&api, repo, found);
        let files: Vec<Value> = found.changes.iter().map(changed_file).collect();
        let sum = |name: &str| files.iter().filter_map(|file| file[name].as_u64()).sum::<u64>();
        answer["stats"] = json!({
            "additions": sum("additions"), "deletions": sum("deletions"), "total": sum("changes"),
        });
        answer["files"] = json!(files);
        Ok(Json(answer).into_response())
    })
}

pub(crate) async fn compare(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, range)): Path<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        let (base, head) = range.split_once("...").ok_or_else(Problem::not_found)?;
        let (base, _) = repo.resolve(base).ok_or_else(Problem::not_found)?;
        let (head, _) = repo.resolve(head).ok_or_else(Problem::not_found)?;
        let (ahead, behind) = (repo.ahead(&base, &head), repo.ahead(&head, &base));
        let status = match (ahead.is_empty(), behind.is_empty()) {
            (true, true) => "identical",
            (false, true) => "ahead",
            (true, false) => "behind",
            (false, false) => "diverged",
        };
        let files: Vec<Value> = ahead
            .iter()
            .flat_map(|commit| &commit.changes)
            .map(changed_file)
            .collect();
        let commits: Vec<Value> = ahead.iter().map(|found| commit(&api, repo, found)).collect();
        Ok(Json(json!({
            "url": format!("{api}/repos/{}/{}/compare/{range}", repo.owner, repo.name),
            "html_url": format!("https://github.example/{}/{}/compare/{range}", repo.owner, repo.name),
            "status": status,
            "ahead_by": ahead.len(),
            "behind_by": behind.len(),
            "total_commits": ahead.len(),
            "commits": commits,
            "files": files,
        })))
    })
}

/// One release for each repository.
pub(crate) async fn releases(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        let release = json!({
            "id": repo.id + 1,
            "node_id": format!("RE_{}", repo.id),
            "url": format!("{api}/repos/{}/{}/releases/{}", repo.owner, repo.name, repo.id + 1),
            "html_url": format!("https://github.example/{}/{}/releases/tag/v1.0.0", repo.owner, repo.name),
            "tag_name": "v1.0.0",
            "target_commitish": "main",
            "name": format!("{} 1.0 of {}", repo.name, repo.owner),
            "body": "The first one.",
            "draft": false,
            "prerelease": false,
            "author": person(&api, &repo.owner),
            "assets": [],
        });
        Ok(Page::of(&query).answer(&[release], &format!("{api}/repositories/{}/releases", repo.id)))
    })
}
