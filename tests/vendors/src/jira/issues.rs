//! Issues: read, created, changed, assigned, moved through the workflow, deleted.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::adf::is_document;
use super::gate::Reached;
use super::parts::comment_of;
use super::problem::Problem;
use super::search::parse;
use super::site::{ISSUE_TYPES, Issue, LINK_TYPES, PRIORITIES, PROJECTS, STATUSES, STEPS, Site};
use crate::calendar::rfc3339;
use crate::server::State;
use crate::text::{Pairs, first, parse_form};

/// Fields that are kept as they are given.
const KEPT: [&str; 8] = [
    "summary",
    "description",
    "labels",
    "duedate",
    "parent",
    "components",
    "fixVersions",
    "customfield_10016",
];

/// `2026-03-02T09:00:00.000+0000`, as Jira writes times.
pub(crate) fn jira_time(ms: i64) -> String {
    rfc3339(ms).replace('Z', "+0000")
}

pub(crate) fn status(site: &Site, n: usize) -> Value {
    let (id, name, category) = STATUSES[n];
    json!({
        "self": format!("{}/rest/api/3/status/{id}", site.url), "iconUrl": format!("{}/status.png", site.url),
        "name": name, "id": id,
        "statusCategory": { "self": format!("{}/category", site.url), "id": n + 2, "key": category, "name": name },
    })
}

/// An issue with the wanted fields; `*all` and `*navigable` are all of them.
pub(crate) fn answer(site: &Site, issue: &Issue, wanted: &[String]) -> Value {
    let mut all = issue.fields.clone();
    let priority = all.get("priority").cloned().unwrap_or_default();
    let priority = PRIORITIES
        .iter()
        .find(|(id, name)| priority["id"] == *id || priority["name"] == *name)
        .unwrap_or(&PRIORITIES[1]);
    let (type_id, type_name) = ISSUE_TYPES[issue.kind];
    let (project_key, project_name) = PROJECTS[issue.project];
    let links: Vec<Value> = site
        .links
        .iter()
        .filter(|(_, link)| link.from == issue.id || link.to == issue.id)
        .filter_map(|(id, link)| {
            let outward = link.from == issue.id;
            let other = site.issues.get(if outward { &link.to } else { &link.from })?;
            let (type_id, name, inward_words, outward_words) = LINK_TYPES[link.kind];
            let side = if outward { "outwardIssue" } else { "inwardIssue" };
            Some(json!({
                "id": id.to_string(),
                "type": { "id": type_id, "name": name, "inward": inward_words, "outward": outward_words },
                side: { "id": other.id.to_string(), "key": other.key(), "fields": { "summary": other.fields.get("summary") } },
            }))
        })
        .collect();
    let made = json!({
        "status": status(site, issue.status),
        "issuetype": { "id": type_id, "name": type_name, "subtask": false, "iconUrl": format!("{}/type.png", site.url) },
        "priority": { "id": priority.0, "name": priority.1, "iconUrl": format!("{}/priority.png", site.url) },
        "project": { "id": project_id(issue.project), "key": project_key, "name": project_name },
        "assignee": issue.assignee.map(|n| site.person(n)),
        "reporter": site.person(0),
        "creator": site.person(0),
        "resolution": issue.resolution.as_ref().map(|name| json!({ "id": "10000", "name": name })),
        "created": jira_time(issue.created_ms),
        "updated": jira_time(issue.updated_ms),
        "issuelinks": links,
        "subtasks": [],
        "attachment": [{
            "id": issue.id.to_string(), "filename": format!("{}.txt", issue.key()), "mimeType": "text/plain",
            "content": format!("{}/rest/api/3/attachment/content/{}", site.url, issue.id),
        }],
    });
    all.extend(made.as_object().cloned().unwrap_or_default());
    let every = wanted.iter().any(|name| name == "*all" || name == "*navigable");
    all.retain(|name, _| every || wanted.iter().any(|wanted| wanted == name));
    json!({
        "expand": "renderedFields,names,schema,operations,editmeta,changelog",
        "id": issue.id.to_string(),
        "self": format!("{}/rest/api/3/issue/{}", site.url, issue.id),
        "key": issue.key(),
        "fields": all,
    })
}

/// The number of a project as its id.
pub(crate) fn project_id(n: usize) -> String {
    (10_000 + n).to_string()
}

/// Which project a key or an id names.
pub(crate) fn project_of(key_or_id: &str) -> Option<usize> {
    (0..PROJECTS.len())
        .find(|n| PROJECTS[*n].0.eq_ignore_ascii_case(key_or_id) || project_id(*n) == key_or_id)
}

/// A list of texts, given once with commas or several times.
pub(crate) fn names(query: &Pairs, name: &str) -> Vec<String> {
    crate::text::all(query, name)
        .flat_map(|text| text.split(','))
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Does something with an issue, which is put back as it is afterwards.
pub(crate) fn change<T>(
    state: &State,
    reached: &Reached,
    key: &str,
    act: impl FnOnce(&mut Site, &mut Issue) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let now = state.calendar.now_ms();
    state.site(reached, |site| {
        let id = site.find(key).ok_or_else(Problem::no_issue)?;
        let mut issue = site.issues.get(&id).cloned().ok_or_else(Problem::no_issue)?;
        let done = act(site, &mut issue)?;
        issue.updated_ms = now;
        site.issues.insert(id, issue);
        Ok(done)
    })
}

pub(crate) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let mut wanted = names(&query, "fields");
    if wanted.is_empty() {
        wanted.push("*all".to_owned());
    }
    let titles = first(&query, "expand").is_some_and(|expand| expand.contains("names"));
    state.site(&reached, |site| {
        let id = site.find(&key).ok_or_else(Problem::no_issue)?;
        let mut answer = answer(site, &site.issues[&id], &wanted);
        if titles {
            answer["names"] = json!({ "summary": "Summary", "customfield_10016": "Story Points" });
        }
        Ok(Json(answer))
    })
}

/// Takes `fields` and the operations of `update` onto an issue; a field may stand in one of them.
fn take(site: &mut Site, issue: &mut Issue, body: &Value, now_ms: i64) -> Result<(), Problem> {
    let given = |name: &str| body[name].as_object().cloned().unwrap_or_default();
    let (mut fields, update): (Map<String, Value>, Map<String, Value>) = (given("fields"), given("update"));
    for (name, operations) in update {
        if fields.contains_key(&name) {
            let text = format!("Field '{name}' cannot appear in both 'fields' and 'update'");
            return Err(Problem::field(&name, text));
        }
        for operation in operations.as_array().into_iter().flatten() {
            if let Some(value) = operation.get("set") {
                fields.insert(name.clone(), value.clone());
            } else if name == "labels" {
                let labels = fields
                    .entry("labels")
                    .or_insert_with(|| issue.fields.get("labels").cloned().unwrap_or(json!([])));
                if let Some(labels) = labels.as_array_mut() {
                    labels.retain(|label| {
                        Some(label) != operation.get("remove") && Some(label) != operation.get("add")
                    });
                    labels.extend(operation.get("add").cloned());
                }
            } else if let ("comment", Some(comment)) = (name.as_str(), operation.get("add")) {
                let comment = comment_of(site, comment, now_ms)?;
                issue.comments.push(comment);
            } else {
                return Err(Problem::field(
                    &name,
                    "The operation is not supported for this field.",
                ));
            }
        }
    }
    for (name, value) in fields {
        set(site, issue, &name, value)?;
    }
    Ok(())
}

fn set(site: &Site, issue: &mut Issue, name: &str, value: Value) -> Result<(), Problem> {
    match name {
        "summary" if value.as_str().is_none_or(|text| text.trim().is_empty()) => {
            return Err(Problem::field(name, "You must specify a summary of the issue."));
        }
        "description" if !value.is_null() && !is_document(&value) => {
            return Err(Problem::field(
                name,
                "Operation value must be an Atlassian Document (see the Atlassian Document Format)",
            ));
        }
        "customfield_10016" if !(value.is_null() || value.is_number()) => {
            return Err(Problem::field(name, "Operation value must be a number"));
        }
        "project" | "issuetype" => {}
        "assignee" => {
            let account = value["id"].as_str().or_else(|| value["accountId"].as_str());
            issue.assignee = match account {
                None => None,
                Some(account) => Some(assignable(site, account)?),
            };
        }
        "priority" => {
            let known = PRIORITIES
                .iter()
                .any(|(id, name)| value["id"] == *id || value["name"] == *name);
            if !known {
                return Err(Problem::field(
                    name,
                    "Specify the Priority (name) in string format",
                ));
            }
            issue.fields.insert(name.to_owned(), value);
        }
        "resolution" => issue.resolution = value["name"].as_str().map(str::to_owned),
        _ if value.is_null() && KEPT.contains(&name) => {
            issue.fields.remove(name);
        }
        _ if KEPT.contains(&name) => {
            issue.fields.insert(name.to_owned(), value);
        }
        _ => {
            let text =
                format!("Field '{name}' cannot be set. It is not on the appropriate screen, or unknown.");
            return Err(Problem::field(name, text));
        }
    }
    Ok(())
}

fn assignable(site: &Site, account: &str) -> Result<usize, Problem> {
    if account == "-1" {
        return Ok(0);
    }
    let text = format!("User '{account}' cannot be assigned issues.");
    site.person_of(account)
        .ok_or_else(|| Problem::field("assignee", text))
}

pub(crate) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let now = state.calendar.now_ms();
    let body = parse(&body)?;
    state.site(&reached, |site| {
        let fields = &body["fields"];
        let project = ["key", "id"]
            .iter()
            .find_map(|name| fields["project"][name].as_str().and_then(project_of))
            .ok_or_else(|| Problem::field("project", "Specify a valid project ID or key"))?;
        let kind = (0..ISSUE_TYPES.len())
            .find(|n| {
                fields["issuetype"]["id"] == ISSUE_TYPES[*n].0
                    || fields["issuetype"]["name"] == ISSUE_TYPES[*n].1
            })
            .ok_or_else(|| Problem::field("issuetype", "Specify a valid issue type"))?;
        if fields["summary"].as_str().is_none_or(str::is_empty) {
            return Err(Problem::field(
                "summary",
                "You must specify a summary of the issue.",
            ));
        }
        let id = site.add(project, kind, Map::new(), now);
        let mut issue = site.issues[&id].clone();
        if let Err(problem) = take(site, &mut issue, &body, now) {
            site.issues.remove(&id);
            return Err(problem);
        }
        let answer = json!({
            "id": id.to_string(),
            "key": issue.key(),
            "self": format!("{}/rest/api/3/issue/{id}", site.url),
        });
        site.issues.insert(id, issue);
        Ok((StatusCode::CREATED, Json(answer)))
    })
}

pub(crate) async fn update(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let now = state.calendar.now_ms();
    let body = parse(&body)?;
    change(&state, &reached, &key, |site, issue| {
        let before = issue.fields.clone();
        take(site, issue, &body, now)?;
        for (name, value) in issue.fields.clone() {
            if before.get(&name) != Some(&value) {
                note(site, issue, &name, before.get(&name), Some(&value), now);
            }
        }
        Ok(StatusCode::NO_CONTENT)
    })
}

/// Writes a change down.
fn note(
    site: &mut Site,
    issue: &mut Issue,
    field: &str,
    from: Option<&Value>,
    to: Option<&Value>,
    now_ms: i64,
) {
    let text = |value: Option<&Value>| {
        value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let entry = json!({
        "id": site.new_id().to_string(),
        "author": site.person(0),
        "created": jira_time(now_ms),
        "items": [{
            "field": field, "fieldtype": "jira", "fieldId": field,
            "from": null, "fromString": text(from), "to": null, "toString": text(to),
        }],
    });
    issue.changes.push(entry);
}

pub(crate) async fn delete(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    state.site(&reached, |site| {
        let id = site.find(&key).ok_or_else(Problem::no_issue)?;
        site.issues.remove(&id);
        site.links.retain(|_, link| link.from != id && link.to != id);
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `{"accountId": …}`; null is nobody.
pub(crate) async fn assign(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let now = state.calendar.now_ms();
    let body = parse(&body)?;
    change(&state, &reached, &key, |site, issue| {
        let account = body
            .get("accountId")
            .ok_or_else(|| Problem::invalid("One of name, accountId must be given."))?;
        let before = issue.assignee;
        issue.assignee = match account.as_str() {
            None => None,
            Some(account) => Some(assignable(site, account)?),
        };
        let name = |n: Option<usize>| n.map(|n| site.person(n)["displayName"].clone());
        let (from, to) = (name(before), name(issue.assignee));
        note(site, issue, "assignee", from.as_ref(), to.as_ref(), now);
        Ok(StatusCode::NO_CONTENT)
    })
}

pub(crate) async fn transitions(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    state.site(&reached, |site| {
        let id = site.find(&key).ok_or_else(Problem::no_issue)?;
        let present = site.issues[&id].status;
        let open: Vec<Value> = STEPS
            .iter()
            .filter(|(_, _, to)| *to != present)
            .map(|(id, name, to)| {
                json!({
                    "id": id, "name": name, "to": status(site, *to), "hasScreen": false,
                    "isGlobal": true, "isInitial": false, "isAvailable": true, "isConditional": false,
                })
            })
            .collect();
        Ok(Json(json!({ "expand": "transitions", "transitions": open })))
    })
}

pub(crate) async fn transition(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let now = state.calendar.now_ms();
    let body = parse(&body)?;
    change(&state, &reached, &key, |site, issue| {
        let wanted = body["transition"]["id"]
            .as_str()
            .ok_or_else(|| Problem::invalid("Missing 'transition' identifier"))?;
        let (_, _, to) = STEPS
            .iter()
            .find(|(id, _, to)| *id == wanted && *to != issue.status)
            .ok_or_else(|| {
                Problem::invalid("It seems that you have tried to perform an illegal workflow operation.")
            })?;
        take(site, issue, &body, now)?;
        let (from, name) = (json!(STATUSES[issue.status].1), json!(STATUSES[*to].1));
        issue.status = *to;
        issue.resolution = match (STATUSES[*to].2, issue.resolution.take()) {
            ("done", given) => Some(given.unwrap_or_else(|| "Done".to_owned())),
            _ => None,
        };
        note(site, issue, "status", Some(&from), Some(&name), now);
        Ok(StatusCode::NO_CONTENT)
    })
}

pub(crate) async fn changelog(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    state.site(&reached, |site| {
        let id = site.find(&key).ok_or_else(Problem::no_issue)?;
        Ok(Json(super::directory::page(
            &query,
            "values",
            &site.issues[&id].changes,
            100,
        )))
    })
}
