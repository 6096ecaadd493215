//! Changes: what is given is checked against what is there, then kept.

use serde_json::{Map, Value, json};

use super::Problem;
use super::organization::{Organization, comment, project};
use super::query::record;
use crate::oauth::Session;

type Arguments = Map<String, Value>;
type Answer = Result<Value, Problem>;

const ISSUE_FIELDS: &[&str] = &[
    "title",
    "description",
    "priority",
    "assigneeId",
    "stateId",
    "labelIds",
    "projectId",
    "cycleId",
    "parentId",
    "estimate",
    "dueDate",
    "teamId",
    "subscriberIds",
];
const PROJECT_FIELDS: &[&str] = &[
    "name",
    "description",
    "content",
    "leadId",
    "memberIds",
    "statusId",
    "startDate",
    "targetDate",
    "priority",
    "teamIds",
];

/// Runs a field of a mutation.
pub(super) fn run(
    organization: &mut Organization,
    session: &Session,
    name: &str,
    arguments: &Arguments,
) -> Answer {
    let narrow = match name {
        "issueCreate" | "attachmentLinkURL" => Some("issues:create"),
        "commentCreate" => Some("comments:create"),
        _ => None,
    };
    let mut granted = ["write", "admin"].into_iter().chain(narrow);
    if !granted.any(|scope| session.scopes.contains(scope)) {
        return Err(Problem::scope("write"));
    }
    let input = arguments
        .get("input")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let id = arguments.get("id").cloned().unwrap_or_default();
    match name {
        "issueCreate" => create_issue(organization, input),
        "issueUpdate" => update_issue(organization, &id, input),
        "issueAddLabel" | "issueRemoveLabel" => {
            let label = arguments.get("labelId").cloned().unwrap_or_default();
            relabel(organization, &id, &label, name == "issueAddLabel")
        }
        "issueArchive" | "issueUnarchive" | "issueDelete" => {
            let id = record(organization, "Issue", &id)?["id"].clone();
            let at = if name == "issueUnarchive" {
                Value::Null
            } else {
                json!(organization.now())
            };
            change(organization, &id, Map::from_iter([("archivedAt".to_owned(), at)]));
            Ok(payload("entity", organization.by_id(&id)))
        }
        "issueRelationCreate" => relate(organization, input),
        "attachmentLinkURL" => attach(organization, arguments),
        "commentCreate" => create_comment(organization, input),
        "commentUpdate" => {
            let known = record(organization, "Comment", &id)?;
            if known["userId"] != organization.viewer()["id"] {
                return Err(Problem::input(
                    "Forbidden",
                    "Only the author can change a comment.",
                ));
            }
            let changes = checked(organization, input, &["body"])?;
            change(organization, &id, changes);
            Ok(payload("comment", organization.by_id(&id)))
        }
        "commentDelete" | "issueRelationDelete" => {
            let kind = if name == "commentDelete" {
                "Comment"
            } else {
                "IssueRelation"
            };
            record(organization, kind, &id)?;
            organization.remove(&id);
            Ok(json!({ "success": true, "entityId": id, "lastSyncId": 1 }))
        }
        "issueLabelCreate" => create_label(organization, input),
        "projectCreate" => create_project(organization, input),
        "projectUpdate" => {
            record(organization, "Project", &id)?;
            let changes = checked(organization, input, PROJECT_FIELDS)?;
            change(organization, &id, changes);
            Ok(payload("project", organization.by_id(&id)))
        }
        "projectUpdateCreate" => report(organization, input),
        "documentCreate" => create_document(organization, input),
        other => Err(Problem::invalid(format!(
            "Cannot query field \"{other}\" on type \"Mutation\"."
        ))),
    }
}

fn payload(name: &str, record: Option<&Value>) -> Value {
    json!({ "success": true, "lastSyncId": 1, name: record })
}

fn change(organization: &mut Organization, id: &Value, changes: Map<String, Value>) {
    let now = organization.now();
    if let Some(record) = organization.by_id_mut(id).and_then(Value::as_object_mut) {
        record.extend(changes);
        record.insert("updatedAt".to_owned(), json!(now));
    }
}

/// An input whose members are known and refer to what is there. Issues may be named by identifier.
fn checked(
    organization: &Organization,
    input: Map<String, Value>,
    known: &[&str],
) -> Result<Map<String, Value>, Problem> {
    let mut fine = Map::new();
    for (name, mut value) in input {
        if !known.contains(&name.as_str()) {
            return Err(Problem::invalid(format!(
                "Field \"{name}\" is not defined by the type of the input."
            )));
        }
        if matches!(name.as_str(), "issueId" | "relatedIssueId") {
            value = record(organization, "Issue", &value)?["id"].clone();
        } else if name == "parentId" && value.is_string() {
            let found = organization
                .find("Issue", "identifier", &value)
                .or_else(|| organization.by_id(&value));
            value = found.ok_or_else(|| Problem::not_found("Parent"))?["id"].clone();
        } else if name.ends_with("Id") && !value.is_null() && organization.by_id(&value).is_none() {
            let kind = name.trim_end_matches("Id");
            return Err(Problem::not_found(kind));
        } else if let (true, Some(ids)) = (name.ends_with("Ids"), value.as_array())
            && ids.iter().any(|id| organization.by_id(id).is_none())
        {
            return Err(Problem::not_found(name.trim_end_matches("Ids")));
        }
        fine.insert(name, value);
    }
    Ok(fine)
}

/// The id that a caller chose: a UUID that nothing has yet.
fn own_id(organization: &Organization, kind: &str, input: &mut Map<String, Value>) -> Result<Value, Problem> {
    let Some(id) = input.remove("id").filter(|id| !id.is_null()) else {
        return Ok(Value::Null);
    };
    let text = id.as_str().unwrap_or_default();
    let is_uuid = text.len() == 36
        && text.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        });
    if !is_uuid {
        return Err(Problem::input(
            "Argument Validation Error",
            "`id` must be a UUID.",
        ));
    }
    if organization.by_id(&id).is_some() {
        return Err(Problem::input(
            format!("conflict on insert of {kind}: entity already exists"),
            "A record with this id exists already.",
        ));
    }
    Ok(id)
}

fn needed<'a>(input: &'a Map<String, Value>, name: &str) -> Result<&'a str, Problem> {
    input
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| {
            Problem::input(
                "Argument Validation Error",
                format!("`{name}` must not be empty."),
            )
        })
}

/// Adds a record made of defaults and what was given, under the id that was chosen.
fn insert(
    organization: &mut Organization,
    kind: &str,
    mut record: Value,
    id: Value,
    given: Map<String, Value>,
) -> Value {
    if let Some(members) = record.as_object_mut() {
        members.extend(given);
    }
    if !id.is_null() {
        record["id"] = id;
    }
    let id = organization.add(kind, record);
    organization.by_id(&json!(id)).cloned().unwrap_or_default()
}

fn create_issue(organization: &mut Organization, mut input: Map<String, Value>) -> Answer {
    let id = own_id(organization, "Issue", &mut input)?;
    input.remove("templateId");
    needed(&input, "title")?;
    let team = record(organization, "Team", input.get("teamId").unwrap_or(&Value::Null))?;
    let mut given = checked(organization, input, ISSUE_FIELDS)?;
    let states = organization.of("WorkflowState", "teamId", team["id"].as_str().unwrap_or_default());
    match given.get("stateId") {
        Some(state) => in_team(organization, state, &team["id"])?,
        None => {
            let first = states.first().map(|state| state["id"].clone());
            given.insert("stateId".to_owned(), first.unwrap_or_default());
        }
    }
    dated(organization, &mut given);
    let viewer = organization.viewer();
    let creator = viewer["id"].as_str().unwrap_or_default();
    let issue = organization.issue(team["key"].as_str().unwrap_or_default(), creator, given);
    let issue = insert(organization, "Issue", issue, id, Map::new());
    Ok(payload("issue", Some(&issue)))
}

fn update_issue(organization: &mut Organization, id: &Value, input: Map<String, Value>) -> Answer {
    let issue = record(organization, "Issue", id)?;
    let mut changes = checked(organization, input, ISSUE_FIELDS)?;
    if let Some(state) = changes.get("stateId") {
        let team = changes.get("teamId").unwrap_or(&issue["teamId"]);
        in_team(organization, state, team)?;
    }
    dated(organization, &mut changes);
    change(organization, &issue["id"], changes);
    Ok(payload("issue", organization.by_id(&issue["id"])))
}

/// A state belongs to one team.
fn in_team(organization: &Organization, state: &Value, team: &Value) -> Result<(), Problem> {
    let state = record(organization, "WorkflowState", state)?;
    if state["teamId"] == *team {
        Ok(())
    } else {
        Err(Problem::input(
            "Discrepancy between issue team and state",
            "The state does not belong to the team of the issue.",
        ))
    }
}

/// A new state says when the work began and ended.
fn dated(organization: &Organization, fields: &mut Map<String, Value>) {
    let Some(state) = fields.get("stateId").and_then(|id| organization.by_id(id)) else {
        return;
    };
    let kind = state["type"].as_str().unwrap_or_default().to_owned();
    let now = json!(organization.now());
    let when = |wanted: &str| if kind == wanted { now.clone() } else { Value::Null };
    fields.insert("completedAt".to_owned(), when("completed"));
    fields.insert("canceledAt".to_owned(), when("canceled"));
    if kind == "started" {
        fields.insert("startedAt".to_owned(), now);
    }
}

fn relabel(organization: &mut Organization, id: &Value, label: &Value, add: bool) -> Answer {
    let issue = record(organization, "Issue", id)?;
    record(organization, "IssueLabel", label)?;
    let mut labels = issue["labelIds"].as_array().cloned().unwrap_or_default();
    labels.retain(|known| known != label);
    if add {
        labels.push(label.clone());
    }
    let changes = Map::from_iter([("labelIds".to_owned(), json!(labels))]);
    change(organization, &issue["id"], changes);
    Ok(payload("issue", organization.by_id(&issue["id"])))
}

fn relate(organization: &mut Organization, mut input: Map<String, Value>) -> Answer {
    let id = own_id(organization, "IssueRelation", &mut input)?;
    let kind = needed(&input, "type")?.to_owned();
    if !["blocks", "duplicate", "related", "similar"].contains(&kind.as_str()) {
        return Err(Problem::invalid(format!(
            "Value \"{kind}\" does not exist in \"IssueRelationType\" enum."
        )));
    }
    let given = checked(organization, input, &["issueId", "relatedIssueId", "type"])?;
    let relation = insert(organization, "IssueRelation", json!({}), id, given);
    Ok(payload("issueRelation", Some(&relation)))
}

/// The same address on the same issue changes what is there.
fn attach(organization: &mut Organization, arguments: &Arguments) -> Answer {
    let url = needed(arguments, "url")?.to_owned();
    let issue = record(
        organization,
        "Issue",
        arguments.get("issueId").unwrap_or(&Value::Null),
    )?;
    let title = arguments
        .get("title")
        .and_then(Value::as_str)
        .unwrap_or(&url)
        .to_owned();
    let issue = issue["id"].as_str().unwrap_or_default().to_owned();
    let known = organization.of("Attachment", "issueId", &issue);
    if let Some(known) = known.iter().find(|known| known["url"] == url.as_str()) {
        change(
            organization,
            &known["id"],
            Map::from_iter([("title".to_owned(), json!(title))]),
        );
        return Ok(payload("attachment", organization.by_id(&known["id"])));
    }
    let attachment = json!({ "title": title, "subtitle": null, "url": url, "issueId": issue });
    let attachment = insert(organization, "Attachment", attachment, Value::Null, Map::new());
    Ok(payload("attachment", Some(&attachment)))
}

fn create_comment(organization: &mut Organization, mut input: Map<String, Value>) -> Answer {
    let id = own_id(organization, "Comment", &mut input)?;
    let body = needed(&input, "body")?.to_owned();
    let given = checked(organization, input, &["issueId", "body", "parentId"])?;
    let issue = needed(&given, "issueId")?.to_owned();
    let viewer = organization.viewer();
    let author = viewer["id"].as_str().unwrap_or_default();
    let comment = comment(organization.user(), &issue, author, &body);
    let comment = insert(organization, "Comment", comment, id, given);
    Ok(payload("comment", Some(&comment)))
}

fn create_label(organization: &mut Organization, mut input: Map<String, Value>) -> Answer {
    let id = own_id(organization, "IssueLabel", &mut input)?;
    let name = needed(&input, "name")?.to_owned();
    let taken = organization.all_of("IssueLabel").iter().any(|label| {
        label["name"]
            .as_str()
            .is_some_and(|known| known.eq_ignore_ascii_case(&name))
    });
    if taken {
        let shown = format!("A label with the name \"{name}\" exists already.");
        return Err(Problem::input("Duplicate label name", shown));
    }
    let given = checked(organization, input, &["name", "color", "description", "teamId"])?;
    let label = json!({ "color": "#95A2B3", "description": null, "isGroup": false, "teamId": null, "parentId": null });
    let label = insert(organization, "IssueLabel", label, id, given);
    Ok(payload("issueLabel", Some(&label)))
}

fn create_project(organization: &mut Organization, mut input: Map<String, Value>) -> Answer {
    let id = own_id(organization, "Project", &mut input)?;
    let name = needed(&input, "name")?.to_owned();
    let given = checked(organization, input, PROJECT_FIELDS)?;
    if given
        .get("teamIds")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty)
    {
        return Err(Problem::input(
            "Argument Validation Error",
            "`teamIds` must not be empty.",
        ));
    }
    let statuses = organization.all_of("ProjectStatus");
    let status = statuses
        .first()
        .and_then(|status| status["id"].as_str())
        .unwrap_or_default();
    let project = project(organization.user(), &name, status, &[]);
    let project = insert(organization, "Project", project, id, given);
    Ok(payload("project", Some(&project)))
}

fn report(organization: &mut Organization, mut input: Map<String, Value>) -> Answer {
    let id = own_id(organization, "ProjectUpdate", &mut input)?;
    let given = checked(organization, input, &["projectId", "body", "health"])?;
    let project = record(
        organization,
        "Project",
        given.get("projectId").unwrap_or(&Value::Null),
    )?;
    let health = given.get("health").cloned().unwrap_or_default();
    let update = json!({
        "health": null,
        "url": format!("{}#projectUpdate", project["url"].as_str().unwrap_or_default()),
        "userId": organization.viewer()["id"],
    });
    let update = insert(organization, "ProjectUpdate", update, id, given);
    change(
        organization,
        &project["id"],
        Map::from_iter([("health".to_owned(), health)]),
    );
    Ok(payload("projectUpdate", Some(&update)))
}

fn create_document(organization: &mut Organization, mut input: Map<String, Value>) -> Answer {
    let id = own_id(organization, "Document", &mut input)?;
    let title = needed(&input, "title")?.to_owned();
    let given = checked(organization, input, &["title", "content", "projectId", "teamId"])?;
    let slug = title.to_lowercase().replace(' ', "-");
    let document = json!({
        "content": null, "slugId": slug, "url": format!("https://linear.app/{}/document/{slug}", organization.user()),
        "projectId": null, "teamId": null, "creatorId": organization.viewer()["id"],
    });
    let document = insert(organization, "Document", document, id, given);
    Ok(payload("document", Some(&document)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vendor;
    use crate::oauth::Actor;

    fn session(scopes: &[&str]) -> Session {
        Session {
            vendor: Vendor::Linear,
            user: "ada".to_owned(),
            actor: Actor::Person,
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        }
    }

    fn input(value: Value) -> Arguments {
        Map::from_iter([("input".to_owned(), value)])
    }

    #[test]
    fn an_id_of_the_callers_own_is_taken_once() {
        let mut organization = Organization::seeded("ada");
        let team = organization.all_of("Team")[0]["id"].clone();
        let id = "1b4e28ba-2fa1-4d2b-883f-0016d3cca427";
        let arguments = input(json!({ "id": id, "teamId": team, "title": "Once" }));
        let ada = session(&["issues:create"]);
        let made = run(&mut organization, &ada, "issueCreate", &arguments).unwrap();
        assert_eq!(made["issue"]["id"], id);
        assert_eq!(made["issue"]["identifier"], "ENG-121");
        let again = run(&mut organization, &ada, "issueCreate", &arguments).unwrap_err();
        assert_eq!((again.status.as_u16(), again.code), (200, "INPUT_ERROR"));
        assert_eq!(organization.of("Issue", "title", "Once").len(), 1);
    }

    #[test]
    fn a_state_of_another_team_a_missing_scope_and_an_unknown_member_are_refused() {
        let mut organization = Organization::seeded("ada");
        let teams = organization.all_of("Team");
        let foreign = organization.of("WorkflowState", "teamId", teams[1]["id"].as_str().unwrap());
        let mut arguments = input(json!({ "stateId": foreign[0]["id"] }));
        arguments.insert("id".to_owned(), json!("ENG-1"));
        let error = |organization: &mut Organization, scope: &str, arguments: &Arguments| {
            run(organization, &session(&[scope]), "issueUpdate", arguments)
                .unwrap_err()
                .code
        };
        assert_eq!(error(&mut organization, "write", &arguments), "INPUT_ERROR");
        assert_eq!(error(&mut organization, "read", &arguments), "FORBIDDEN");
        arguments.insert("input".to_owned(), json!({ "colour": "red" }));
        assert_eq!(
            error(&mut organization, "write", &arguments),
            "GRAPHQL_VALIDATION_FAILED"
        );
    }
}
