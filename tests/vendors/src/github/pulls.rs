//! Pull requests: an issue of the same number, with two branches and reviews.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Value, json};

use super::issues::{find, order};
use super::page::Page;
use super::problem::Problem;
use super::repos::{api, changed_file, needed, parse, repository, text, with};
use super::world::{Change, Pull, Repo, people, person};
use crate::calendar::rfc3339_seconds;
use crate::oauth::Session;
use crate::server::State;
use crate::text::{first, parse_form};

type At = Path<(String, String)>;
type AtNumber = Path<(String, String, u64)>;

/// A pull request as it is answered; `whole` adds what lists leave out.
fn answer(api: &str, repo: &Repo, number: u64, whole: bool) -> Result<Value, Problem> {
    let (Some(issue), Some(pull)) = (repo.issues.get(&number), repo.pulls.get(&number)) else {
        return Err(Problem::not_found());
    };
    let side = |branch: &str| {
        let sha = repo
            .branches
            .get(branch)
            .map_or("", |branch| branch.tip())
            .to_owned();
        json!({
            "label": format!("{}:{branch}", repo.owner),
            "ref": branch,
            "sha": sha,
            "user": person(api, &repo.owner),
            "repo": repository(api, repo),
        })
    };
    let mut answer = issue.clone();
    let at = format!("{api}/repos/{}/{}/pulls/{number}", repo.owner, repo.name);
    answer["url"] = json!(at);
    answer["diff_url"] = json!(format!("{at}.diff"));
    answer["draft"] = json!(pull.draft);
    answer["head"] = side(&pull.head);
    answer["base"] = side(&pull.base);
    answer["requested_reviewers"] = json!(people(api, &json!(pull.reviewers)));
    answer["merged_at"] = if pull.merged.is_some() {
        issue["closed_at"].clone()
    } else {
        Value::Null
    };
    answer["merge_commit_sha"] = json!(pull.merged);
    answer["_links"] = json!({ "self": { "href": at } });
    if let Some(members) = answer.as_object_mut() {
        for name in ["pull_request", "repository_url", "state_reason"] {
            members.remove(name);
        }
    }
    if whole {
        let changes = changes(repo, pull);
        answer["merged"] = json!(pull.merged.is_some());
        answer["mergeable"] = json!(pull.merged.is_none() && !changes.is_empty());
        answer["mergeable_state"] = json!(if pull.draft { "draft" } else { "clean" });
        answer["changed_files"] = json!(changes.len());
    }
    Ok(answer)
}

/// What the head has that the base has not.
fn changes(repo: &Repo, pull: &Pull) -> Vec<Change> {
    let history = |name: &str| repo.branches.get(name).map(|branch| branch.history.clone());
    match (history(&pull.base), history(&pull.head)) {
        (Some(base), Some(head)) => repo
            .ahead(&base, &head)
            .into_iter()
            .flat_map(|commit| commit.changes.clone())
            .collect(),
        _ => Vec::new(),
    }
}

pub(crate) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name)): At,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        let wanted = first(&query, "state").unwrap_or("open");
        let mut found = Vec::new();
        for number in repo.pulls.keys() {
            let pull = answer(&api, repo, *number, false)?;
            let fits = (wanted == "all" || pull["state"] == wanted)
                && first(&query, "base").is_none_or(|base| pull["base"]["ref"] == base)
                && first(&query, "head").is_none_or(|head| pull["head"]["label"] == head);
            if fits {
                found.push(pull);
            }
        }
        order(&mut found, &query, "created");
        Ok(Page::of(&query).answer(&found, &format!("{api}/repositories/{}/pulls", repo.id)))
    })
}

pub(crate) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, number)): AtNumber,
) -> Result<Json<Value>, Problem> {
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        Ok(Json(answer(&api, repo, number, true)?))
    })
}

pub(crate) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name)): At,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let api = api(&state);
    let now = state.calendar.now_ms();
    let body = parse(&body)?;
    with(&state, &session, (&owner, &name), true, |world, repo| {
        needed(&body, "PullRequest", "title")?;
        let head = needed(&body, "PullRequest", "head")?;
        let head = head.rsplit(':').next().unwrap_or(head).to_owned();
        let base = needed(&body, "PullRequest", "base")?.to_owned();
        for (name, branch) in [("head", &head), ("base", &base)] {
            if !repo.branches.contains_key(branch) {
                return Err(Problem::field("PullRequest", name, "invalid"));
            }
        }
        let open = repo.pulls.iter().any(|(number, pull)| {
            pull.head == head && pull.base == base && repo.issues[number]["state"] == "open"
        });
        if open {
            let words = format!("A pull request already exists for {}:{head}.", repo.owner);
            return Err(Problem::custom("PullRequest", words));
        }
        let pull = Pull {
            head,
            base,
            draft: body["draft"] == true,
            merged: None,
            reviewers: Vec::new(),
            reviews: Vec::new(),
            comments: Vec::new(),
        };
        if changes(repo, &pull).is_empty() {
            let words = format!("No commits between {} and {}", pull.base, pull.head);
            return Err(Problem::custom("PullRequest", words));
        }
        let number = repo.next_number();
        let mut issue = world.issue(&api, repo, number, &body, now);
        issue["pull_request"] =
            json!({ "url": format!("{api}/repos/{}/{}/pulls/{number}", repo.owner, repo.name) });
        repo.issues.insert(number, issue);
        repo.pulls.insert(number, pull);
        Ok((StatusCode::CREATED, Json(answer(&api, repo, number, true)?)))
    })
}

pub(crate) async fn update(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, number)): AtNumber,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let api = api(&state);
    let now = rfc3339_seconds(state.calendar.now_ms());
    let body = parse(&body)?;
    with(&state, &session, (&owner, &name), true, |_, repo| {
        let known = text(&body, "base").is_none_or(|base| repo.branches.contains_key(base));
        let pull = repo.pulls.get_mut(&number).ok_or_else(Problem::not_found)?;
        if !known {
            return Err(Problem::field("PullRequest", "base", "invalid"));
        }
        if let Some(base) = text(&body, "base") {
            pull.base = base.to_owned();
        }
        let merged = pull.merged.is_some();
        let issue = find(repo, number)?;
        for name in ["title", "body"] {
            if let Some(value) = body.get(name) {
                issue[name] = value.clone();
            }
        }
        match text(&body, "state") {
            Some("closed") => {
                issue["state"] = json!("closed");
                issue["closed_at"] = json!(now);
            }
            Some("open") if merged => {
                return Err(Problem::custom(
                    "PullRequest",
                    "state cannot be changed. The pull request is merged.",
                ));
            }
            Some("open") => {
                issue["state"] = json!("open");
                issue["closed_at"] = Value::Null;
            }
            Some(_) => return Err(Problem::field("PullRequest", "state", "invalid")),
            None => {}
        }
        issue["updated_at"] = json!(now);
        Ok(Json(answer(&api, repo, number, true)?))
    })
}

pub(crate) async fn files(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, number)): AtNumber,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        let pull = repo.pulls.get(&number).ok_or_else(Problem::not_found)?;
        let all: Vec<Value> = changes(repo, pull).iter().map(changed_file).collect();
        Ok(Page::of(&query).answer(
            &all,
            &format!("{api}/repositories/{}/pulls/{number}/files", repo.id),
        ))
    })
}

pub(crate) async fn reviews(
    state: Shared<Arc<State>>,
    session: Extension<Session>,
    path: AtNumber,
    query: RawQuery,
) -> Result<Response, Problem> {
    part(state, session, path, query, "reviews", |pull| &pull.reviews)
}

pub(crate) async fn comments(
    state: Shared<Arc<State>>,
    session: Extension<Session>,
    path: AtNumber,
    query: RawQuery,
) -> Result<Response, Problem> {
    part(state, session, path, query, "comments", |pull| &pull.comments)
}

fn part(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, number)): AtNumber,
    RawQuery(query): RawQuery,
    what: &str,
    of: fn(&Pull) -> &Vec<Value>,
) -> Result<Response, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let api = api(&state);
    with(&state, &session, (&owner, &name), false, |_, repo| {
        let pull = repo.pulls.get(&number).ok_or_else(Problem::not_found)?;
        let address = format!("{api}/repositories/{}/pulls/{number}/{what}", repo.id);
        Ok(Page::of(&query).answer(of(pull), &address))
    })
}

/// A review with its comments. Everybody here reviews their own work, so that only comments pass.
pub(crate) async fn review(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, number)): AtNumber,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let api = api(&state);
    let now = rfc3339_seconds(state.calendar.now_ms());
    let body = parse(&body)?;
    with(&state, &session, (&owner, &name), true, |world, repo| {
        let author = find(repo, number)?["user"]["login"].clone();
        let verdict = match text(&body, "event") {
            Some("APPROVE") if author == world.login => {
                return Err(Problem::plain("Can not approve your own pull request"));
            }
            Some("REQUEST_CHANGES") if author == world.login => {
                return Err(Problem::plain("Can not request changes on your own pull request"));
            }
            Some("APPROVE") => "APPROVED",
            Some("REQUEST_CHANGES") => "CHANGES_REQUESTED",
            Some("COMMENT") => "COMMENTED",
            None => "PENDING",
            Some(_) => return Err(Problem::field("PullRequestReview", "event", "invalid")),
        };
        let (me, id) = (person(&api, &world.login), world.new_id());
        let head = repo
            .pulls
            .get(&number)
            .ok_or_else(Problem::not_found)?
            .head
            .clone();
        let tip = repo
            .branches
            .get(&head)
            .map_or("", |branch| branch.tip())
            .to_owned();
        let review = json!({
            "id": id, "node_id": format!("PRR_{id}"), "user": me, "body": body["body"].as_str().unwrap_or_default(),
            "state": verdict, "commit_id": text(&body, "commit_id").unwrap_or(&tip), "submitted_at": now,
        });
        let pull = repo.pulls.get_mut(&number).ok_or_else(Problem::not_found)?;
        for given in body["comments"].as_array().into_iter().flatten() {
            let id = world.new_id();
            pull.comments.push(json!({
                "id": id, "node_id": format!("PRRC_{id}"), "pull_request_review_id": review["id"],
                "path": given["path"], "line": given["line"], "side": given["side"], "body": given["body"],
                "user": me, "commit_id": tip, "created_at": now, "updated_at": now,
            }));
        }
        pull.reviews.push(review.clone());
        Ok(Json(review))
    })
}

pub(crate) async fn request_reviewers(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, number)): AtNumber,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let api = api(&state);
    let body = parse(&body)?;
    with(&state, &session, (&owner, &name), true, |world, repo| {
        let pull = repo.pulls.get_mut(&number).ok_or_else(Problem::not_found)?;
        for login in body["reviewers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if login == world.login {
                return Err(Problem::unprocessable(
                    "Review cannot be requested from pull request author.",
                ));
            }
            if !pull.reviewers.iter().any(|known| known == login) {
                pull.reviewers.push(login.to_owned());
            }
        }
        Ok((StatusCode::CREATED, Json(answer(&api, repo, number, false)?)))
    })
}

pub(crate) async fn merge(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((owner, name, number)): AtNumber,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let now_ms = state.calendar.now_ms();
    let body = if body.is_empty() { json!({}) } else { parse(&body)? };
    with(&state, &session, (&owner, &name), true, |_, repo| {
        let blocked = |words: &str| Problem::new(StatusCode::METHOD_NOT_ALLOWED, words);
        let pull = repo.pulls.get(&number).ok_or_else(Problem::not_found)?;
        let changes = changes(repo, pull);
        let (head, base) = (pull.head.clone(), pull.base.clone());
        if pull.draft {
            return Err(blocked("Pull Request is still a draft"));
        }
        if repo.issues[&number]["state"] != "open" || changes.is_empty() {
            return Err(blocked("Pull Request is not mergeable"));
        }
        let tip = repo.branches.get(&head).map_or("", |branch| branch.tip());
        if text(&body, "sha").is_some_and(|sha| sha != tip) {
            return Err(Problem::conflict(
                "Head branch was modified. Review and try the merge again.",
            ));
        }
        let title = text(&body, "commit_title").map_or_else(
            || format!("Merge pull request #{number} from {}/{head}", repo.owner),
            str::to_owned,
        );
        // The head's own commits come along, unless they are squashed into the one of the merge.
        let own: Vec<String> = {
            let (base, head) = (&repo.branches[&base].history, &repo.branches[&head].history);
            let own = repo.ahead(base, head);
            own.into_iter().map(|commit| commit.sha.clone()).collect()
        };
        if let Some(into) = repo.branches.get_mut(&base) {
            for change in &changes {
                match &change.after {
                    Some(after) => into.files.insert(change.path.clone(), after.clone()),
                    None => into.files.remove(&change.path),
                };
            }
        }
        let squashed = text(&body, "merge_method") == Some("squash");
        if let Some(into) = repo.branches.get_mut(&base).filter(|_| !squashed) {
            into.history.extend(own);
        }
        let sha = repo.commit(&base, &title, if squashed { changes } else { Vec::new() }, now_ms);
        if let Some(pull) = repo.pulls.get_mut(&number) {
            pull.merged = Some(sha.clone());
        }
        let now = json!(rfc3339_seconds(now_ms));
        let issue = find(repo, number)?;
        issue["state"] = json!("closed");
        issue["closed_at"] = now.clone();
        issue["updated_at"] = now;
        Ok(Json(
            json!({ "sha": sha, "merged": true, "message": "Pull Request successfully merged" }),
        ))
    })
}
