//! One user's organization: records that refer to each other by id.

use serde_json::{Map, Value, json};

use crate::calendar::{minutes_before_start, rfc3339};
use crate::hubspot::Window;
use crate::seed;
use crate::text::number_of;

/// Issues of the first team at the start, so that three pages of the usual size hold them.
const ISSUES: usize = 120;
/// Issues of the second team.
const OTHER_ISSUES: usize = 15;

/// Records of all kinds, oldest first. Each has `__typename` and `id`; what it refers to stands in
/// members that end in `Id` and `Ids`.
pub(crate) struct Organization {
    pub(crate) requests: Window,
    user: String,
    records: Vec<Value>,
    now_ms: i64,
    next: u64,
}

impl Organization {
    /// The organization that a user begins with.
    pub(crate) fn seeded(user: &str) -> Self {
        let mut organization = Self {
            requests: Window::default(),
            user: user.to_owned(),
            records: Vec::new(),
            now_ms: minutes_before_start(500_000),
            next: 0,
        };
        organization.seed();
        organization
    }

    fn seed(&mut self) {
        let user = self.user.clone();
        self.add(
            "Organization",
            json!({ "name": format!("{user}'s works"), "urlKey": user }),
        );
        let people: Vec<String> = (0..6).map(|n| self.seed_person(n)).collect();
        let first = self.seed_team("ENG", "Engineering", "What we build");
        let second = self.seed_team("SUP", "Support", "Whom we help");
        let labels: Vec<String> = [("bug", "#EB5757"), ("feature", "#BB87FC"), ("improvement", "#4EA7FC")]
            .into_iter()
            .map(|(name, color)| {
                self.add(
                    "IssueLabel",
                    json!({ "name": name, "color": color, "description": null, "isGroup": false, "teamId": null, "parentId": null }),
                )
            })
            .collect();
        let statuses: Vec<String> = [
            ("Backlog", "backlog"),
            ("In Progress", "started"),
            ("Done", "completed"),
        ]
        .into_iter()
        .enumerate()
        .map(|(position, (name, kind))| {
            self.add(
                "ProjectStatus",
                json!({ "name": name, "type": kind, "position": position }),
            )
        })
        .collect();
        let projects: Vec<String> = ["Onboarding", "Billing"]
            .into_iter()
            .enumerate()
            .map(|(n, name)| {
                let title = format!("{name} of {user}");
                let project = project(&user, &title, &statuses[n], &[first.as_str()]);
                let id = self.add("Project", project);
                self.add(
                    "ProjectMilestone",
                    json!({ "name": format!("Beta of {title}"), "targetDate": "2026-06-30", "projectId": id }),
                );
                self.add(
                    "Document",
                    json!({
                        "title": format!("Notes on {title}"), "content": format!("What {user} noted."), "slugId": format!("notes-{n}"),
                        "url": format!("https://linear.app/{user}/document/notes-{n}"), "projectId": id, "creatorId": people[0], "teamId": null,
                    }),
                );
                id
            })
            .collect();
        for number in 1..=2 {
            self.add(
                "Cycle",
                json!({
                    "number": number, "name": null, "startsAt": "2026-02-16T00:00:00.000Z", "endsAt": "2026-03-15T00:00:00.000Z",
                    "completedAt": if number == 1 { json!("2026-02-15T00:00:00.000Z") } else { Value::Null },
                    "progress": 0.5, "isActive": number == 2, "teamId": first,
                }),
            );
        }
        for (team, key, count) in [(&first, "ENG", ISSUES), (&second, "SUP", OTHER_ISSUES)] {
            let states = self.of("WorkflowState", "teamId", team);
            let states: Vec<Value> = states.iter().map(|state| state["id"].clone()).collect();
            for n in 1..=count {
                self.now_ms = minutes_before_start((count - n) * 173 + 60);
                let title = format!("{} {n} of {user}", seed::subject(n));
                let mut fields = Map::new();
                fields.insert("teamId".to_owned(), json!(team));
                fields.insert("title".to_owned(), json!(title));
                fields.insert(
                    "description".to_owned(),
                    json!(format!("What {user} knows about it: **{n}**.")),
                );
                fields.insert("priority".to_owned(), json!(n % 5));
                fields.insert(
                    "assigneeId".to_owned(),
                    people.get(n % 8).map_or(Value::Null, |id| json!(id)),
                );
                fields.insert("stateId".to_owned(), states[n % states.len()].clone());
                fields.insert("labelIds".to_owned(), json!([labels[n % labels.len()]]));
                fields.insert(
                    "projectId".to_owned(),
                    projects.get(n % 5).map_or(Value::Null, |id| json!(id)),
                );
                let issue = self.issue(key, &people[n % people.len()], fields);
                let id = self.add("Issue", issue);
                if n <= 3 {
                    for c in 1..=(n * 2) {
                        let body = format!("Comment {c} on {key}-{n} of {user}");
                        let comment = comment(&user, &id, &people[c % people.len()], &body);
                        self.add("Comment", comment);
                    }
                }
            }
        }
    }

    fn seed_person(&mut self, n: usize) -> String {
        let user = self.user.clone();
        let (name, email) = if n == 0 {
            (user.clone(), format!("{user}@{user}.example"))
        } else {
            let name = format!("{} {}", seed::first_name(n), seed::last_name(n));
            (name, seed::address(&user, n))
        };
        let display = email.split('@').next().unwrap_or_default();
        self.add(
            "User",
            json!({ "name": name, "displayName": display, "email": email, "active": n != 5, "admin": n == 0 }),
        )
    }

    fn seed_team(&mut self, key: &str, name: &str, description: &str) -> String {
        let name = format!("{name} of {}", self.user);
        let id = self.add(
            "Team",
            json!({ "key": key, "name": name, "description": description, "private": false, "cyclesEnabled": true, "issueEstimationType": "notUsed" }),
        );
        for (position, (name, kind)) in [
            ("Backlog", "backlog"),
            ("Todo", "unstarted"),
            ("In Progress", "started"),
            ("Done", "completed"),
            ("Canceled", "canceled"),
        ]
        .into_iter()
        .enumerate()
        {
            self.add(
                "WorkflowState",
                json!({ "name": name, "type": kind, "position": position, "teamId": id }),
            );
        }
        id
    }

    /// An issue that begins now; `fields` are those that were given.
    pub(super) fn issue(&self, key: &str, creator: &str, fields: Map<String, Value>) -> Value {
        let number = 1 + self
            .records
            .iter()
            .filter(|record| record["__typename"] == "Issue" && record["teamId"] == fields["teamId"])
            .count();
        let identifier = format!("{key}-{number}");
        let mut issue = json!({
            "number": number, "identifier": identifier, "title": "", "description": null, "priority": 0, "estimate": null,
            "dueDate": null, "url": format!("https://linear.app/{}/issue/{identifier}", self.user),
            "branchName": format!("{}/{}", self.user, identifier.to_lowercase()),
            "startedAt": null, "completedAt": null, "canceledAt": null, "stateId": null, "teamId": null, "assigneeId": null,
            "creatorId": creator, "labelIds": [], "projectId": null, "cycleId": null, "parentId": null, "subscriberIds": [],
        });
        if let Some(members) = issue.as_object_mut() {
            members.extend(fields);
        }
        issue
    }

    /// The first record that a member says something about.
    pub(super) fn find(&self, kind: &str, member: &str, value: &Value) -> Option<&Value> {
        self.records
            .iter()
            .find(|record| record["__typename"] == kind && record[member] == *value)
    }

    /// A record by its id.
    pub(super) fn by_id(&self, id: &Value) -> Option<&Value> {
        self.records.iter().find(|record| record["id"] == *id)
    }

    /// A record to be changed.
    pub(super) fn by_id_mut(&mut self, id: &Value) -> Option<&mut Value> {
        self.records.iter_mut().find(|record| record["id"] == *id)
    }

    /// Takes a record away.
    pub(super) fn remove(&mut self, id: &Value) {
        self.records.retain(|record| record["id"] != *id);
    }

    /// All records of a kind.
    pub(super) fn all_of(&self, kind: &str) -> Vec<Value> {
        self.records
            .iter()
            .filter(|record| record["__typename"] == kind)
            .cloned()
            .collect()
    }

    /// The records of a kind that refer to `id`.
    pub(super) fn of(&self, kind: &str, member: &str, id: &str) -> Vec<Value> {
        let mut found = self.all_of(kind);
        found.retain(|record| record[member] == id);
        found
    }

    /// The user as a person of the organization.
    pub(super) fn viewer(&self) -> Value {
        self.all_of("User").into_iter().next().unwrap_or_default()
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    /// What time it is.
    pub(super) fn set_time(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
    }

    /// Now, as the vendor writes it.
    pub(super) fn now(&self) -> String {
        rfc3339(self.now_ms)
    }

    /// Now, in milliseconds since 1970.
    pub(super) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Adds a record with an id of its own unless it has one; answers the id.
    pub(super) fn add(&mut self, kind: &str, mut record: Value) -> String {
        self.next += 1;
        let id = match record["id"].as_str() {
            Some(id) => id.to_owned(),
            None => uuid(&format!("{} {kind} {}", self.user, self.next)),
        };
        let now = self.now();
        record["__typename"] = json!(kind);
        record["id"] = json!(id);
        record["createdAt"] = json!(now);
        record["updatedAt"] = json!(now);
        if record.get("archivedAt").is_none() {
            record["archivedAt"] = Value::Null;
        }
        self.records.push(record);
        id
    }

    /// Everything, for tests.
    pub(crate) fn all(&self) -> Value {
        let of = |kind| self.all_of(kind);
        json!({
            "organization": of("Organization").first(),
            "users": of("User"),
            "teams": of("Team"),
            "workflow_states": of("WorkflowState"),
            "labels": of("IssueLabel"),
            "projects": of("Project"),
            "issues": of("Issue"),
            "comments": of("Comment"),
            "relations": of("IssueRelation"),
            "attachments": of("Attachment"),
            "documents": of("Document"),
        })
    }
}

/// A project as it begins.
pub(super) fn project(user: &str, name: &str, status: &str, teams: &[&str]) -> Value {
    let slug = name.to_lowercase().replace(' ', "-");
    json!({
        "name": name, "description": "", "content": null, "slugId": slug, "url": format!("https://linear.app/{user}/project/{slug}"),
        "priority": 0, "progress": 0.0, "health": null, "startDate": null, "targetDate": null, "statusId": status, "leadId": null,
        "teamIds": teams, "memberIds": [],
    })
}

/// A comment as it begins.
pub(super) fn comment(user: &str, issue: &str, author: &str, body: &str) -> Value {
    json!({
        "body": body, "issueId": issue, "userId": author, "parentId": null,
        "url": format!("https://linear.app/{user}/issue/{issue}#comment"),
    })
}

/// A UUID that depends on the text alone.
fn uuid(text: &str) -> String {
    let (high, low) = (number_of(text), number_of(&format!("{text} ")));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    )
}
