//! Answering operations: root fields, members of records, connections and their pages.

use serde_json::{Map, Value, json};

use super::Problem;
use super::document::{Bound, Field};
use super::organization::Organization;
use super::{filter, mutation};
use crate::oauth::Session;

type Arguments = Map<String, Value>;

/// Runs an operation; its root fields in order.
pub(super) fn execute(
    organization: &mut Organization,
    session: &Session,
    bound: &Bound,
) -> Result<Value, Problem> {
    let mut data = Map::new();
    for field in &bound.selection {
        let value = if bound.is_mutation {
            mutation::run(organization, session, &field.name, &field.arguments)?
        } else {
            if !["read", "write", "admin"]
                .iter()
                .any(|scope| session.scopes.contains(*scope))
            {
                return Err(Problem::scope("read"));
            }
            root(organization, &field.name, &field.arguments)?
        };
        data.insert(field.alias.clone(), selected(organization, &value, field)?);
    }
    Ok(Value::Object(data))
}

/// What a field selects of its value.
fn selected(organization: &Organization, value: &Value, field: &Field<Arguments>) -> Result<Value, Problem> {
    match value {
        Value::Array(values) => values
            .iter()
            .map(|value| selected(organization, value, field))
            .collect(),
        Value::Object(_) => {
            if field.selection.is_empty() {
                let message = format!("Field \"{}\" must have a selection of subfields.", field.name);
                return Err(Problem::invalid(message));
            }
            let mut out = Map::new();
            for part in &field.selection {
                let found = member(organization, value, &part.name, &part.arguments)?;
                out.insert(part.alias.clone(), selected(organization, &found, part)?);
            }
            Ok(Value::Object(out))
        }
        plain => Ok(plain.clone()),
    }
}

/// Lists of the root, and the kinds of record in them.
const LISTS: [(&str, &str); 14] = [
    ("issues", "Issue"),
    ("searchIssues", "Issue"),
    ("comments", "Comment"),
    ("teams", "Team"),
    ("users", "User"),
    ("workflowStates", "WorkflowState"),
    ("issueLabels", "IssueLabel"),
    ("projects", "Project"),
    ("projectStatuses", "ProjectStatus"),
    ("cycles", "Cycle"),
    ("documents", "Document"),
    ("searchDocuments", "Document"),
    ("attachments", "Attachment"),
    ("issueRelations", "IssueRelation"),
];

/// Single records of the root.
const SINGLES: [(&str, &str); 8] = [
    ("issue", "Issue"),
    ("comment", "Comment"),
    ("team", "Team"),
    ("user", "User"),
    ("project", "Project"),
    ("document", "Document"),
    ("cycle", "Cycle"),
    ("workflowState", "WorkflowState"),
];

fn root(organization: &Organization, name: &str, arguments: &Arguments) -> Result<Value, Problem> {
    if let Some((_, kind)) = LISTS.iter().find(|(list, _)| *list == name) {
        let mut all = organization.all_of(kind);
        if let Some(term) = arguments.get("term").and_then(Value::as_str) {
            let with_comments = arguments.get("includeComments") == Some(&json!(true));
            all.retain(|record| mentions(organization, record, term, with_comments));
        }
        if *kind == "User" && arguments.get("includeDisabled") != Some(&json!(true)) {
            all.retain(|person| person["active"] == true);
        }
        return connection(organization, all, arguments);
    }
    if let Some((_, kind)) = SINGLES.iter().find(|(single, _)| *single == name) {
        let id = arguments.get("id").cloned().unwrap_or_default();
        return record(organization, kind, &id);
    }
    match name {
        "viewer" => Ok(organization.viewer()),
        "organization" => Ok(organization
            .all_of("Organization")
            .into_iter()
            .next()
            .unwrap_or_default()),
        other => Err(Problem::invalid(format!(
            "Cannot query field \"{other}\" on type \"Query\"."
        ))),
    }
}

/// A record by id; issues by identifier as well.
pub(super) fn record(organization: &Organization, kind: &str, id: &Value) -> Result<Value, Problem> {
    let found = organization
        .find(kind, "id", id)
        .or_else(|| organization.find(kind, "identifier", id));
    found.cloned().ok_or_else(|| Problem::not_found(kind))
}

fn mentions(organization: &Organization, record: &Value, term: &str, with_comments: bool) -> bool {
    let mut text = format!(
        "{} {} {}",
        record["title"], record["description"], record["content"]
    );
    if with_comments {
        for comment in organization.of("Comment", "issueId", record["id"].as_str().unwrap_or_default()) {
            text.push_str(&comment["body"].to_string());
        }
    }
    let text = text.to_lowercase();
    term.split_whitespace()
        .all(|word| text.contains(&word.to_lowercase()))
}

/// Lists of a record that others refer to: kind of the record, name, kind of the others, their member.
const REVERSE: [(&str, &str, &str, &str); 9] = [
    ("Issue", "comments", "Comment", "issueId"),
    ("Issue", "children", "Issue", "parentId"),
    ("Issue", "relations", "IssueRelation", "issueId"),
    ("Issue", "attachments", "Attachment", "issueId"),
    ("Project", "projectUpdates", "ProjectUpdate", "projectId"),
    ("Project", "projectMilestones", "ProjectMilestone", "projectId"),
    ("Project", "issues", "Issue", "projectId"),
    ("Team", "issues", "Issue", "teamId"),
    ("Team", "states", "WorkflowState", "teamId"),
];

/// A member of a record: its own, what it refers to, or who refers to it.
pub(super) fn member(
    organization: &Organization,
    record: &Value,
    name: &str,
    arguments: &Arguments,
) -> Result<Value, Problem> {
    if let Some(own) = record.get(name) {
        return Ok(own.clone());
    }
    let kind = record["__typename"].as_str().unwrap_or("Connection");
    if let Some(id) = record.get(format!("{name}Id")) {
        return Ok(organization.by_id(id).cloned().unwrap_or_default());
    }
    let ids = name
        .strip_suffix('s')
        .and_then(|one| record.get(format!("{one}Ids")));
    if let Some(ids) = ids.and_then(Value::as_array) {
        let found = ids
            .iter()
            .filter_map(|id| organization.by_id(id))
            .cloned()
            .collect();
        return connection(organization, found, arguments);
    }
    let reverse = REVERSE.iter().find(|(of, list, ..)| *of == kind && *list == name);
    if let Some((_, _, others, by)) = reverse {
        let id = record["id"].as_str().unwrap_or_default();
        return connection(organization, organization.of(others, by, id), arguments);
    }
    match (kind, name) {
        ("Issue", "priorityLabel") => {
            let at = usize::try_from(record["priority"].as_u64().unwrap_or(0)).unwrap_or(0);
            let label = ["No priority", "Urgent", "High", "Medium", "Low"].get(at);
            Ok(json!(label))
        }
        ("User", "isMe") => Ok(json!(record["id"] == organization.viewer()["id"])),
        ("User", "organization") => root(organization, "organization", arguments),
        ("User", "teams") => connection(organization, organization.all_of("Team"), arguments),
        ("Team", "members") => connection(organization, organization.all_of("User"), arguments),
        ("User", "assignedIssues") => {
            let id = record["id"].as_str().unwrap_or_default();
            connection(
                organization,
                organization.of("Issue", "assigneeId", id),
                arguments,
            )
        }
        // Filters know them by this name as well.
        ("Project", "accessibleTeams") => member(organization, record, "teams", arguments),
        _ => Err(Problem::invalid(format!(
            "Cannot query field \"{name}\" on type \"{kind}\"."
        ))),
    }
}

/// A page of records, newest first. `after` is the id of the last record of the page before.
fn connection(
    organization: &Organization,
    mut all: Vec<Value>,
    arguments: &Arguments,
) -> Result<Value, Problem> {
    if arguments.get("includeArchived") != Some(&json!(true)) {
        all.retain(|record| record["archivedAt"].is_null());
    }
    if let Some(wanted) = arguments.get("filter") {
        let mut found = Vec::new();
        for record in all {
            if filter::holds(organization, &record, wanted)? {
                found.push(record);
            }
        }
        all = found;
    }
    all.reverse();
    if arguments.get("orderBy") == Some(&json!("updatedAt")) {
        all.sort_by(|left, right| right["updatedAt"].as_str().cmp(&left["updatedAt"].as_str()));
    }
    let total = all.len();
    let first = match arguments.get("first") {
        None | Some(Value::Null) => 50,
        Some(first) => first
            .as_u64()
            .and_then(|first| usize::try_from(first).ok())
            .filter(|first| (1..=250).contains(first))
            .ok_or_else(|| Problem::input("Argument Validation Error", "`first` must be 1 to 250."))?,
    };
    let from = match arguments.get("after") {
        None | Some(Value::Null) => 0,
        Some(after) => match all.iter().position(|record| record["id"] == *after) {
            Some(at) => at + 1,
            None => {
                return Err(Problem::input(
                    "Argument Validation Error",
                    "`after` is no cursor of this list.",
                ));
            }
        },
    };
    let nodes: Vec<Value> = all.into_iter().skip(from).take(first).collect();
    let end = nodes.last().map(|record| record["id"].clone());
    Ok(json!({
        "pageInfo": {
            "hasNextPage": from + nodes.len() < total,
            "hasPreviousPage": from > 0,
            "startCursor": nodes.first().map(|record| record["id"].clone()),
            "endCursor": end,
        },
        "nodes": nodes,
        "totalCount": total,
    }))
}
