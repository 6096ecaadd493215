//! JQL, as far as agents write it here: clauses joined by AND, and ORDER BY. What is more (OR,
//! parentheses, history) is refused as a text that cannot be read.

use super::adf::words;
use super::problem::Problem;
use super::site::{ISSUE_TYPES, Issue, PRIORITIES, PROJECTS, STATUSES, Site};
use crate::calendar::{parse_day, rfc3339};

/// A query.
#[derive(Debug)]
pub(crate) struct Query {
    clauses: Vec<Clause>,
    order: Option<(String, bool)>,
}

#[derive(Debug)]
struct Clause {
    field: String,
    operator: String,
    values: Vec<String>,
}

const FIELDS: [&str; 20] = [
    "project",
    "status",
    "statuscategory",
    "assignee",
    "reporter",
    "issuetype",
    "type",
    "priority",
    "labels",
    "text",
    "summary",
    "description",
    "key",
    "issuekey",
    "id",
    "created",
    "updated",
    "resolution",
    "sprint",
    "parent",
];

impl Query {
    /// Reads a query. `bounded`: it has to narrow the search, as the vendor wants it of searches.
    pub(crate) fn read(text: &str, bounded: bool) -> Result<Self, Problem> {
        let mut tokens = tokens(text)?.into_iter().peekable();
        let mut query = Self {
            clauses: Vec::new(),
            order: None,
        };
        let garbled = || Problem::invalid(format!("Error in the JQL Query: {text:?} cannot be read."));
        while let Some(word) = tokens.next() {
            if word.eq_ignore_ascii_case("order") {
                tokens
                    .next()
                    .filter(|by| by.eq_ignore_ascii_case("by"))
                    .ok_or_else(garbled)?;
                let field = known(&tokens.next().ok_or_else(garbled)?)?;
                let descending = tokens
                    .next()
                    .is_some_and(|word| word.eq_ignore_ascii_case("desc"));
                query.order = Some((field, descending));
                break;
            }
            if !query.clauses.is_empty() && word.eq_ignore_ascii_case("and") {
                continue;
            }
            let field = known(&word)?;
            let mut operator = tokens.next().ok_or_else(garbled)?.to_lowercase();
            if (operator == "not" || operator == "is")
                && let Some(more) =
                    tokens.next_if(|word| ["in", "not"].contains(&word.to_lowercase().as_str()))
            {
                operator = format!("{operator} {}", more.to_lowercase());
            }
            let mut values = Vec::new();
            let first = tokens.next().ok_or_else(garbled)?;
            if first == "(" {
                while let Some(value) = tokens.next().filter(|value| value != ")") {
                    if value != "," {
                        values.push(value);
                    }
                }
            } else {
                values.push(first);
            }
            // A function's empty parentheses.
            if tokens.next_if(|word| word == "(").is_some() {
                tokens.next().filter(|word| word == ")").ok_or_else(garbled)?;
            }
            if ![
                "=", "!=", "~", ">", ">=", "<", "<=", "in", "not in", "is", "is not",
            ]
            .contains(&operator.as_str())
            {
                return Err(garbled());
            }
            query.clauses.push(Clause {
                field,
                operator,
                values,
            });
        }
        if bounded && query.clauses.is_empty() {
            return Err(Problem::invalid(
                "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.",
            ));
        }
        Ok(query)
    }

    /// The issues that it finds, in its order.
    pub(crate) fn run<'s>(&self, site: &'s Site) -> Vec<&'s Issue> {
        let mut found: Vec<&Issue> = site
            .issues
            .values()
            .filter(|issue| self.clauses.iter().all(|clause| clause.holds(site, issue)))
            .collect();
        let (field, descending) = match &self.order {
            Some((field, descending)) => (field.as_str(), *descending),
            None => ("created", true),
        };
        found.sort_by_key(|issue| (value(site, issue, field).join(","), issue.id));
        if descending {
            found.reverse();
        }
        found
    }
}

fn known(field: &str) -> Result<String, Problem> {
    let lower = field.to_lowercase();
    if FIELDS.contains(&lower.as_str()) {
        Ok(lower)
    } else {
        Err(Problem::invalid(format!(
            "Field '{field}' does not exist or you do not have permission to view it."
        )))
    }
}

/// Words, texts in quotation marks, operators, parentheses and commas.
fn tokens(text: &str) -> Result<Vec<String>, Problem> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first == '"' || first == '\'' {
            let end = rest[1..]
                .find(first)
                .ok_or_else(|| Problem::invalid("Error in the JQL Query: a quotation mark is missing."))?;
            tokens.push(rest[1..=end].to_owned());
            end + 2
        } else if "(),".contains(first) {
            tokens.push(first.to_string());
            1
        } else if "=!<>~".contains(first) {
            let length = rest
                .find(|letter| !"=!<>~".contains(letter))
                .unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else {
            let length = rest
                .find(|letter: char| letter.is_whitespace() || "(),=!<>~\"'".contains(letter))
                .unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

impl Clause {
    fn holds(&self, site: &Site, issue: &Issue) -> bool {
        let present = value(site, issue, &self.field);
        let wanted: Vec<String> = self.values.iter().map(|value| meant(site, value)).collect();
        let among = present
            .iter()
            .any(|value| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(value)));
        let empty = wanted
            .iter()
            .any(|value| ["empty", "null"].contains(&value.to_lowercase().as_str()));
        let compared = || {
            present
                .first()
                .zip(wanted.first())
                .map(|(present, wanted)| present.cmp(&day(wanted)))
        };
        match self.operator.as_str() {
            "=" | "in" => among || (empty && present.is_empty()),
            // As the vendor has it: what is not there is not "not equal".
            "!=" | "not in" => !present.is_empty() && !among,
            "is" => empty == present.is_empty(),
            "is not" => empty != present.is_empty(),
            "~" => {
                let text = present.join(" ").to_lowercase();
                wanted
                    .iter()
                    .all(|wanted| text.contains(wanted.trim_matches('*').to_lowercase().as_str()))
            }
            ">" => compared().is_some_and(std::cmp::Ordering::is_gt),
            ">=" => compared().is_some_and(std::cmp::Ordering::is_ge),
            "<" => compared().is_some_and(std::cmp::Ordering::is_lt),
            _ => compared().is_some_and(std::cmp::Ordering::is_le),
        }
    }
}

/// What a word stands for: functions here are those of the user and of the running sprint.
fn meant(site: &Site, word: &str) -> String {
    match word.to_lowercase().as_str() {
        "currentuser" => site.account_id(0),
        "opensprints" => "2".to_owned(),
        _ => word.to_owned(),
    }
}

/// A day as the text of a moment; anything else as it is.
fn day(text: &str) -> String {
    text.contains('-')
        .then(|| parse_day(text))
        .flatten()
        .map_or_else(|| text.to_owned(), rfc3339)
}

/// What an issue has for a field, in every form in which it may be named.
fn value(site: &Site, issue: &Issue, field: &str) -> Vec<String> {
    let text = |name: &str| {
        issue
            .fields
            .get(name)
            .map(words_of)
            .filter(|text| !text.is_empty())
    };
    let pair = |(id, name): (&str, &str)| vec![name.to_owned(), id.to_owned()];
    match field {
        "project" => pair((PROJECTS[issue.project].0, PROJECTS[issue.project].1)),
        "status" => pair((STATUSES[issue.status].0, STATUSES[issue.status].1)),
        "statuscategory" => pair((STATUSES[issue.status].2, STATUSES[issue.status].1)),
        "issuetype" | "type" => pair(ISSUE_TYPES[issue.kind]),
        "assignee" => issue.assignee.map(|n| site.account_id(n)).into_iter().collect(),
        "reporter" => vec![site.account_id(0)],
        "resolution" => issue.resolution.clone().into_iter().collect(),
        "sprint" => issue
            .sprint
            .map(|sprint| sprint.to_string())
            .into_iter()
            .collect(),
        "key" | "issuekey" => vec![issue.key()],
        "id" => vec![issue.id.to_string()],
        "created" => vec![rfc3339(issue.created_ms)],
        "updated" => vec![rfc3339(issue.updated_ms)],
        "labels" => {
            let labels = issue.fields.get("labels").and_then(|labels| labels.as_array());
            let labels = labels.into_iter().flatten().filter_map(|label| label.as_str());
            labels.map(str::to_owned).collect()
        }
        "priority" => {
            let given = &issue.fields.get("priority").cloned().unwrap_or_default();
            let found = PRIORITIES
                .iter()
                .find(|(id, name)| given["id"] == *id || given["name"] == *name);
            found.map(|found| pair(*found)).unwrap_or_default()
        }
        "parent" => {
            let parent = issue
                .fields
                .get("parent")
                .and_then(|parent| parent["key"].as_str());
            parent.map(str::to_owned).into_iter().collect()
        }
        "text" => ["summary", "description"].into_iter().filter_map(text).collect(),
        name => text(name).into_iter().collect(),
    }
}

fn words_of(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| words(value), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(jql: &str) -> Vec<String> {
        let site = Site::seeded("ada", "ada/0", 12);
        let query = Query::read(jql, true).unwrap_or_else(|problem| panic!("{problem:?}"));
        query.run(&site).into_iter().map(Issue::key).collect()
    }

    #[test]
    fn clauses_narrow_and_an_order_is_kept() {
        assert_eq!(keys("project = OPS"), ["OPS-1"]);
        assert_eq!(keys("project = ENG").len(), 11);
        assert_eq!(
            keys("project = ENG AND status = \"In Progress\" AND labels IS EMPTY").len(),
            4
        );
        assert_eq!(
            keys("key in (ENG-2, ENG-1) ORDER BY created ASC"),
            ["ENG-1", "ENG-2"]
        );
        assert_eq!(
            keys("key in (ENG-2, ENG-1) ORDER BY created DESC"),
            ["ENG-2", "ENG-1"]
        );
        assert_eq!(keys("assignee = currentUser()").len(), 3);
        assert_eq!(
            keys("assignee is EMPTY").len() + keys("assignee is not EMPTY").len(),
            12
        );
        assert_eq!(keys("text ~ \"quarterly\""), ["ENG-1"]);
        assert_eq!(keys("sprint in openSprints()").len(), 3);
        assert!(keys("created >= 2030-01-01").is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_refused_in_words() {
        for (jql, words) in [
            ("", "Unbounded"),
            ("ORDER BY created", "Unbounded"),
            ("projekt = ENG", "Field 'projekt'"),
            ("project = \"ENG", "quotation mark"),
            ("project ENG x", "cannot be read"),
            ("project =", "cannot be read"),
        ] {
            let problem = Query::read(jql, true).err().map(|problem| format!("{problem:?}"));
            assert!(problem.is_some_and(|problem| problem.contains(words)), "{jql}");
        }
        assert!(Query::read("", false).is_ok());
    }
}
