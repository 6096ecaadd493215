//! What does not change: the user, people, projects, types, statuses, fields.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::gate::Reached;
use super::issues::{project_id, project_of, status};
use super::problem::Problem;
use super::site::{ISSUE_TYPES, LINK_TYPES, PEOPLE, PRIORITIES, PROJECTS, STATUSES, Site};
use crate::server::State;
use crate::text::{Pairs, first, parse_form};

/// A page of a list by `startAt` and `maxResults`, under `name`.
pub(crate) fn page(query: &Pairs, name: &str, all: &[Value], most: usize) -> Value {
    let number = |name: &str| first(query, name).and_then(|text| text.parse::<usize>().ok());
    let from = number("startAt").unwrap_or(0).min(all.len());
    let size = number("maxResults").unwrap_or(50).min(most);
    let end = from.saturating_add(size).min(all.len());
    json!({
        "startAt": from,
        "maxResults": size,
        "total": all.len(),
        "isLast": end == all.len(),
        name: all[from..end],
    })
}

pub(crate) async fn myself(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
) -> Json<Value> {
    state.site(&reached, |site| {
        let mut me = site.person(0);
        me["timeZone"] = json!("Europe/Lisbon");
        me["locale"] = json!("en_GB");
        Json(me)
    })
}

/// People by the beginning of a name or address. The page is cut out of all people before the text
/// is looked for, as the vendor does it, so that a short page is not the last.
pub(crate) async fn users(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let text = first(&query, "query").unwrap_or_default().to_lowercase();
    let narrowed = ["query", "issueKey", "project", "accountId"];
    if !narrowed.iter().any(|name| first(&query, name).is_some()) {
        return Err(Problem::invalid(
            "Either the query, accountId or property parameter must be provided.",
        ));
    }
    let number = |name: &str, usual: usize| {
        first(&query, name)
            .and_then(|text| text.parse::<usize>().ok())
            .unwrap_or(usual)
    };
    state.site(&reached, |site| {
        if let Some(key) = first(&query, "issueKey")
            && site.find(key).is_none()
        {
            return Err(Problem::no_issue());
        }
        let found: Vec<Value> = (0..PEOPLE)
            .skip(number("startAt", 0))
            .take(number("maxResults", 50))
            .map(|n| site.person(n))
            .filter(|person| {
                ["displayName", "emailAddress"]
                    .iter()
                    .filter_map(|name| person[name].as_str())
                    .any(|name| name.to_lowercase().split(' ').any(|word| word.starts_with(&text)))
            })
            .collect();
        Ok(Json(json!(found)))
    })
}

fn project_answer(site: &Site, n: usize) -> Value {
    let (key, name) = PROJECTS[n];
    json!({
        "expand": "description,lead,issueTypes",
        "self": format!("{}/rest/api/3/project/{}", site.url, project_id(n)),
        "id": project_id(n),
        "key": key,
        "name": format!("{name} of {}", site.user),
        "avatarUrls": { "48x48": format!("{}/project.png", site.url) },
        "projectTypeKey": "software",
        "simplified": false,
        "style": "classic",
        "isPrivate": false,
    })
}

pub(crate) async fn projects(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    RawQuery(query): RawQuery,
) -> Json<Value> {
    let query = parse_form(&query.unwrap_or_default());
    let text = first(&query, "query").unwrap_or_default().to_lowercase();
    state.site(&reached, |site| {
        let found: Vec<Value> = (0..PROJECTS.len())
            .filter(|n| {
                let (key, name) = PROJECTS[*n];
                key.to_lowercase().contains(&text) || name.to_lowercase().contains(&text)
            })
            .map(|n| project_answer(site, n))
            .collect();
        Json(page(&query, "values", &found, 100))
    })
}

fn named(key: &str) -> Result<usize, Problem> {
    project_of(key).ok_or_else(|| Problem::not_found(&format!("project with key '{key}'")))
}

fn types(site: &Site) -> Vec<Value> {
    let all = ISSUE_TYPES.iter();
    all.map(|(id, name)| {
        json!({
            "self": format!("{}/rest/api/3/issuetype/{id}", site.url), "id": id, "name": name,
            "description": "", "subtask": false, "hierarchyLevel": 0, "iconUrl": format!("{}/type.png", site.url),
        })
    })
    .collect()
}

pub(crate) async fn project(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let n = named(&key)?;
    Ok(state.site(&reached, |site| {
        let mut answer = project_answer(site, n);
        answer["description"] = json!("");
        answer["lead"] = site.person(0);
        answer["issueTypes"] = json!(types(site));
        answer["components"] = json!([]);
        answer["versions"] = json!([]);
        Json(answer)
    }))
}

pub(crate) async fn statuses(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    named(&key)?;
    Ok(state.site(&reached, |site| {
        let all: Vec<Value> = (0..STATUSES.len()).map(|n| status(site, n)).collect();
        let mut types = types(site);
        for kind in &mut types {
            kind["statuses"] = json!(all);
        }
        Json(json!(types))
    }))
}

pub(crate) async fn issue_types(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    named(&key)?;
    let query = parse_form(&query.unwrap_or_default());
    Ok(state.site(&reached, |site| {
        Json(page(&query, "issueTypes", &types(site), 200))
    }))
}

/// Fields of the one screen: id, name, type, whether it is needed.
const FIELDS: [(&str, &str, &str, bool); 9] = [
    ("summary", "Summary", "string", true),
    ("description", "Description", "doc", false),
    ("issuetype", "Issue Type", "issuetype", true),
    ("project", "Project", "project", true),
    ("priority", "Priority", "priority", false),
    ("labels", "Labels", "array", false),
    ("assignee", "Assignee", "user", false),
    ("duedate", "Due date", "date", false),
    ("customfield_10016", "Story Points", "number", false),
];

pub(crate) async fn issue_type_fields(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    Path((_, key, id)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    named(&key)?;
    if !ISSUE_TYPES.iter().any(|(known, _)| *known == id) {
        return Err(Problem::invalid(format!(
            "The issue type '{id}' is not of this project."
        )));
    }
    let query = parse_form(&query.unwrap_or_default());
    Ok(state.site(&reached, |site| {
        let fields: Vec<Value> = FIELDS
            .iter()
            .map(|(id, name, kind, required)| {
                let mut field = json!({
                    "fieldId": id, "key": id, "name": name, "required": required, "hasDefaultValue": false,
                    "schema": { "type": kind }, "operations": ["set"],
                });
                if *id == "priority" {
                    let values = PRIORITIES.iter().map(|(id, name)| {
                        json!({ "self": format!("{}/rest/api/3/priority/{id}", site.url), "id": id, "name": name })
                    });
                    field["allowedValues"] = values.collect();
                }
                field
            })
            .collect();
        Json(page(&query, "fields", &fields, 200))
    }))
}

pub(crate) async fn fields() -> Json<Value> {
    let all = FIELDS.iter().map(|(id, name, kind, _)| {
        json!({
            "id": id, "key": id, "name": name, "custom": id.starts_with("customfield_"), "orderable": true,
            "navigable": true, "searchable": true, "clauseNames": [id], "schema": { "type": kind },
        })
    });
    Json(all.collect())
}

pub(crate) async fn link_types(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
) -> Json<Value> {
    state.site(&reached, |site| {
        let all: Vec<Value> = LINK_TYPES
            .iter()
            .map(|(id, name, inward, outward)| {
                let at = format!("{}/rest/api/3/issueLinkType/{id}", site.url);
                json!({ "id": id, "name": name, "inward": inward, "outward": outward, "self": at })
            })
            .collect();
        Json(json!({ "issueLinkTypes": all }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_begin_where_they_are_told_and_never_beyond_the_end() {
        let all: Vec<Value> = (0..7).map(Value::from).collect();
        let page = |query: &str| page(&parse_form(query), "values", &all, 5);
        assert_eq!(page("startAt=4&maxResults=2")["values"], json!([4, 5]));
        assert_eq!(page("startAt=4&maxResults=2")["isLast"], false);
        assert_eq!(page("maxResults=50")["maxResults"], 5);
        assert_eq!(page("startAt=99")["values"], json!([]));
        assert_eq!(page("startAt=5")["isLast"], true);
    }
}
