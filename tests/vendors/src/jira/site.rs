//! One site: projects, issues with what hangs on them, a board and its sprints.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::adf;
use crate::calendar::minutes_before_start;
use crate::hubspot::Window;
use crate::seed;
use crate::text::number_of;

/// The statuses of the one workflow: id, name, key and name of the category.
pub(crate) const STATUSES: [(&str, &str, &str); 3] = [
    ("1", "To Do", "new"),
    ("3", "In Progress", "indeterminate"),
    ("10001", "Done", "done"),
];

/// Steps of the workflow: id, name, the status to which it leads. Each is open from the others.
pub(crate) const STEPS: [(&str, &str, usize); 3] =
    [("11", "Reopen", 0), ("21", "Start", 1), ("31", "Close", 2)];

/// Issue types: id and name.
pub(crate) const ISSUE_TYPES: [(&str, &str); 3] = [("10001", "Story"), ("10004", "Bug"), ("10005", "Task")];

/// Priorities: id and name.
pub(crate) const PRIORITIES: [(&str, &str); 3] = [("2", "High"), ("3", "Medium"), ("4", "Low")];

/// Projects: key and name.
pub(crate) const PROJECTS: [(&str, &str); 2] = [("ENG", "Engineering"), ("OPS", "Operations")];

/// Kinds of link: id, name, inward and outward words.
pub(crate) const LINK_TYPES: [(&str, &str, &str, &str); 3] = [
    ("10000", "Blocks", "is blocked by", "blocks"),
    ("10001", "Duplicate", "is duplicated by", "duplicates"),
    ("10002", "Relates", "relates to", "relates to"),
];

/// People of a site; the first is the user.
pub(crate) const PEOPLE: usize = 6;

/// The vendor's id of a user's site.
pub(crate) fn cloud_id(user: &str, n: usize) -> String {
    let number = number_of(&format!("site {n} of {user}"));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        number >> 32,
        number >> 16 & 0xffff,
        number >> 4 & 0xfff,
        number >> 20 & 0xfff,
        number & 0xffff_ffff_ffff
    )
}

/// A site.
pub(crate) struct Site {
    pub(crate) user: String,
    /// Where it is, as its answers say.
    pub(crate) url: String,
    pub(crate) requests: Window,
    pub(crate) issues: BTreeMap<u64, Issue>,
    pub(crate) links: BTreeMap<u64, Link>,
    next_id: u64,
}

/// An issue and what hangs on it.
#[derive(Clone)]
pub(crate) struct Issue {
    pub(crate) id: u64,
    pub(crate) project: usize,
    pub(crate) number: u64,
    pub(crate) kind: usize,
    pub(crate) status: usize,
    pub(crate) resolution: Option<String>,
    /// Which person of the site it is assigned to.
    pub(crate) assignee: Option<usize>,
    /// The fields that are kept as they were given: summary, description, labels, duedate …
    pub(crate) fields: Map<String, Value>,
    pub(crate) sprint: Option<u64>,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
    pub(crate) comments: Vec<Value>,
    pub(crate) changes: Vec<Value>,
}

/// A link between two issues by their ids: `from` does to `to` what the outward words say.
pub(crate) struct Link {
    pub(crate) kind: usize,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Issue {
    pub(crate) fn key(&self) -> String {
        format!("{}-{}", PROJECTS[self.project].0, self.number)
    }
}

impl Site {
    /// What a site begins with.
    pub(crate) fn seeded(user: &str, name: &str, issues: usize) -> Self {
        let mut site = Self {
            user: user.to_owned(),
            url: format!("https://{}.atlassian.example", name.replace('/', "-")),
            requests: Window::default(),
            issues: BTreeMap::new(),
            links: BTreeMap::new(),
            // No two sites share an id, so that a mixed-up account shows.
            next_id: (number_of(name) % 9_000_000 + 1_000_000) * 1_000_000,
        };
        for n in 0..issues {
            let at = minutes_before_start((issues - n) * 45);
            let fields = json!({
                "summary": format!("{} ({})", seed::subject(n), n + 1),
                "description": adf::document(&format!("Seen by {} at {name}.", seed::first_name(n))),
                "labels": if n % 3 == 0 { json!(["billing"]) } else { json!([]) },
                "priority": { "id": PRIORITIES[n % 3].0 },
            });
            let fields = fields.as_object().cloned().unwrap_or_default();
            let project = usize::from(n % 10 == 9);
            let id = site.add(project, n % 3, fields, at);
            if let Some(issue) = site.issues.get_mut(&id) {
                issue.status = n % 3;
                issue.resolution = (n % 3 == 2).then(|| "Done".to_owned());
                issue.assignee = (n % 4 != 3).then_some(n % 4 % PEOPLE);
                issue.sprint = (project == 0 && n % 5 == 0).then_some(2);
            }
        }
        site
    }

    pub(crate) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Adds an issue with the next number of its project; its id.
    pub(crate) fn add(&mut self, project: usize, kind: usize, fields: Map<String, Value>, at_ms: i64) -> u64 {
        let last = self.issues.values().filter(|issue| issue.project == project);
        let number = last.map(|issue| issue.number).max().unwrap_or(0) + 1;
        let id = self.new_id();
        self.issues.insert(
            id,
            Issue {
                id,
                project,
                number,
                kind,
                status: 0,
                resolution: None,
                assignee: None,
                fields,
                sprint: None,
                created_ms: at_ms,
                updated_ms: at_ms,
                comments: Vec::new(),
                changes: Vec::new(),
            },
        );
        id
    }

    /// The id of the issue that a key or an id names.
    pub(crate) fn find(&self, key_or_id: &str) -> Option<u64> {
        if let Ok(id) = key_or_id.parse::<u64>() {
            return self.issues.contains_key(&id).then_some(id);
        }
        let wanted = key_or_id.to_uppercase();
        let found = self.issues.values().find(|issue| issue.key() == wanted);
        found.map(|issue| issue.id)
    }

    /// The account id of a person of the site.
    pub(crate) fn account_id(&self, n: usize) -> String {
        let number = number_of(&format!("person {n} of {}", self.user));
        format!("5b10{:020x}", number)
    }

    /// Which person an account id names.
    pub(crate) fn person_of(&self, account_id: &str) -> Option<usize> {
        (0..PEOPLE).find(|n| self.account_id(*n) == account_id)
    }

    /// A person as answers hold them; only the user shows an address.
    pub(crate) fn person(&self, n: usize) -> Value {
        let id = self.account_id(n);
        let name = if n == 0 {
            format!("{} of the simulator", self.user)
        } else {
            format!("{} {}", seed::first_name(n), seed::last_name(n))
        };
        let mut person = json!({
            "self": format!("{}/rest/api/3/user?accountId={id}", self.url),
            "accountId": id,
            "accountType": "atlassian",
            "avatarUrls": { "48x48": format!("{}/avatar/{n}", self.url) },
            "displayName": name,
            "active": true,
        });
        if n == 0 {
            person["emailAddress"] = json!(format!("{0}@{0}.example", self.user));
        }
        person
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloud_id_has_the_form_of_one_and_belongs_to_one_site() {
        let id = cloud_id("ada", 0);
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_ne!(id, cloud_id("ada", 1));
        assert_ne!(id, cloud_id("bela", 0));
    }

    #[test]
    fn issues_are_found_by_key_in_any_case_and_by_id() {
        let site = Site::seeded("ada", "ada/0", 12);
        let id = site.find("eng-2").unwrap();
        assert_eq!(site.find(&id.to_string()), Some(id));
        assert_eq!(site.issues[&site.find("OPS-1").unwrap()].key(), "OPS-1");
        assert_eq!(site.find("ENG-999"), None);
    }
}
