//! Written tasks: what a user says, the tools that do it, and what the arguments have to hold.
//!
//! They are data, so that an operator can write tasks of their own; those of the bundled connectors
//! stand beside this file in `tasks.toml`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

/// The tasks of the bundled connectors.
pub const BUNDLED: &str = include_str!("tasks.toml");

/// A file of tasks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tasks {
    /// What a model is told before each task. It names the day, because users say "tomorrow".
    pub instructions: String,
    /// The tasks.
    pub tasks: Vec<Task>,
}

/// One task.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Its name in reports, unique in the file.
    pub id: String,
    /// The connector whose tool does it; without that connector the task is left out.
    pub connector: String,
    /// What the user says.
    pub says: String,
    /// What is right: any one of these.
    pub expect: Vec<Expected>,
}

/// One right way to do a task.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Names or aliases of tools, any of which is right.
    pub tools: Vec<String>,
    /// What the arguments that matter hold, by the parameter's name, or by a JSON pointer (`/a/b`)
    /// into the arguments; several names with `|` between them are spellings, the first that is
    /// there counts. Other arguments may be anything.
    #[serde(default)]
    pub arguments: BTreeMap<String, Matcher>,
}

/// What a value has to be like. In a file: a value that it has to equal, or a table with one of
/// these words.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub enum Matcher {
    /// `equals`, or the value itself. A number equals a text that spells it.
    Equals(Value),
    /// `contains`: the value as text (JSON where it is none) holds all of these, whatever the case.
    Contains(Vec<String>),
    /// `starts_with`: the value's text begins so.
    StartsWith(String),
    /// `has`: the value is a list, and one of its items is like this.
    Has(Box<Matcher>),
    /// `any_of`: the value is like one of these.
    AnyOf(Vec<Matcher>),
    /// `given`: whether there is a value at all, null being none.
    Given(bool),
}

/// An argument that is not what the task wants.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Mismatch {
    /// The argument, as the task names it.
    pub argument: String,
    /// What it has to be.
    pub wanted: String,
    /// What it was, as JSON; absent when it was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
}

/// Why a file of tasks cannot be used.
#[derive(Debug, Error)]
pub enum TasksError {
    /// Not TOML of this shape.
    #[error("the tasks cannot be read: {0}")]
    Unreadable(#[from] toml::de::Error),
    /// Two tasks of one name.
    #[error("two tasks have the id `{0}`; reports tell tasks apart by it")]
    Twice(String),
    /// Nothing would be right.
    #[error("the task `{0}` expects no tool; name one under `expect`")]
    ExpectsNothing(String),
}

impl Tasks {
    /// Reads a file's text.
    ///
    /// # Errors
    /// It is not of this shape, two tasks have one id, or one expects nothing.
    pub fn read(text: &str) -> Result<Self, TasksError> {
        let read: Self = toml::from_str(text)?;
        for (index, task) in read.tasks.iter().enumerate() {
            if read.tasks[..index].iter().any(|other| other.id == task.id) {
                return Err(TasksError::Twice(task.id.clone()));
            }
            if task.expect.is_empty() || task.expect.iter().any(|expected| expected.tools.is_empty()) {
                return Err(TasksError::ExpectsNothing(task.id.clone()));
            }
        }
        Ok(read)
    }
}

impl Task {
    /// Every tool that is right for it, by name or alias, as the task names them.
    pub fn tools(&self) -> impl Iterator<Item = &str> {
        self.expect
            .iter()
            .flat_map(|expected| &expected.tools)
            .map(String::as_str)
    }

    /// What is wrong with the arguments of a call of a tool that answers to `names`; none when the
    /// tool itself is wrong. Where several ways are right, the nearest.
    pub(crate) fn judge(&self, is: &dyn Fn(&str) -> bool, arguments: &Value) -> Option<Vec<Mismatch>> {
        self.expect
            .iter()
            .filter(|expected| expected.tools.iter().any(|name| is(name)))
            .map(|expected| expected.mismatches(arguments))
            .min_by_key(Vec::len)
    }
}

impl Expected {
    fn mismatches(&self, arguments: &Value) -> Vec<Mismatch> {
        let wrong = self.arguments.iter().filter_map(|(spellings, matcher)| {
            let got = spellings
                .split('|')
                .find_map(|spelling| find(arguments, spelling).filter(|value| !value.is_null()));
            (!matcher.takes(got)).then(|| Mismatch {
                argument: spellings.clone(),
                wanted: matcher.to_string(),
                got: got.map(Value::to_string),
            })
        });
        wrong.collect()
    }
}

/// An argument by the parameter's name or a JSON pointer.
fn find<'a>(arguments: &'a Value, spelling: &str) -> Option<&'a Value> {
    if spelling.starts_with('/') {
        arguments.pointer(spelling)
    } else {
        arguments.get(spelling)
    }
}

impl Matcher {
    /// Whether a value, or its absence, is like this.
    #[must_use]
    pub fn takes(&self, value: Option<&Value>) -> bool {
        let value = value.filter(|value| !value.is_null());
        if let Self::Given(given) = self {
            return value.is_some() == *given;
        }
        let Some(value) = value else { return false };
        match self {
            Self::Equals(wanted) => same(wanted, value),
            Self::Contains(parts) => {
                let text = text_of(value).to_lowercase();
                parts.iter().all(|part| text.contains(&part.to_lowercase()))
            }
            Self::StartsWith(start) => text_of(value).starts_with(start.as_str()),
            Self::Has(inner) => value
                .as_array()
                .is_some_and(|items| items.iter().any(|item| inner.takes(Some(item)))),
            Self::AnyOf(matchers) => matchers.iter().any(|matcher| matcher.takes(Some(value))),
            Self::Given(_) => true,
        }
    }
}

fn same(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => {
            number.to_string() == *text
        }
        _ => wanted == got,
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl TryFrom<Value> for Matcher {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Object(words) => of_words(words),
            value => Ok(Self::Equals(value)),
        }
    }
}

fn of_words(words: Map<String, Value>) -> Result<Matcher, String> {
    let mut words = words.into_iter();
    let (Some((word, value)), None) = (words.next(), words.next()) else {
        return Err("a matcher is a value or a table with one word; `any_of` joins several".to_owned());
    };
    let texts = |value: Value| match value {
        Value::String(text) => Ok(vec![text]),
        Value::Array(items) => items
            .into_iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| "`contains` takes texts".to_owned()),
        _ => Err("`contains` takes a text or a list of texts".to_owned()),
    };
    Ok(match (word.as_str(), value) {
        ("equals", value) => Matcher::Equals(value),
        ("contains", value) => Matcher::Contains(texts(value)?),
        ("starts_with", Value::String(text)) => Matcher::StartsWith(text),
        ("has", value) => Matcher::Has(Box::new(Matcher::try_from(value)?)),
        ("any_of", Value::Array(items)) => Matcher::AnyOf(
            items
                .into_iter()
                .map(Matcher::try_from)
                .collect::<Result<_, _>>()?,
        ),
        ("given", Value::Bool(given)) => Matcher::Given(given),
        (word, value) => {
            return Err(format!(
                "`{word} = {value}` is no matcher; there is equals, contains, starts_with, has, any_of, given"
            ));
        }
    })
}

/// As reports say it.
impl fmt::Display for Matcher {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(value) => write!(out, "{value}"),
            Self::Contains(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| format!("{part:?}")).collect();
                write!(out, "a value with {}", parts.join(" and "))
            }
            Self::StartsWith(start) => write!(out, "a value that begins with {start:?}"),
            Self::Has(inner) => write!(out, "a list that has {inner}"),
            Self::AnyOf(matchers) => {
                let matchers: Vec<String> = matchers.iter().map(ToString::to_string).collect();
                out.write_str(&matchers.join(" or "))
            }
            Self::Given(true) => out.write_str("some value"),
            Self::Given(false) => out.write_str("no value"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matcher(value: Value) -> Matcher {
        Matcher::try_from(value).expect("a matcher")
    }

    #[test]
    fn each_matcher_takes_what_it_says_and_nothing_else() {
        let cases = [
            (json!("a"), json!("a"), true),
            (json!("a"), json!("b"), false),
            (json!(5), json!("5"), true),
            (json!("5"), json!(5.0), false),
            (json!(5), json!(5.0), true),
            (
                json!({"contains": ["Ada", "bug"]}),
                json!("from:ADA the bug"),
                true,
            ),
            (
                json!({"contains": "ada"}),
                json!({"to": ["ada@acme.example"]}),
                true,
            ),
            (json!({"contains": ["ada", "eve"]}), json!("ada"), false),
            (
                json!({"starts_with": "2026-12-03"}),
                json!("2026-12-03T09:00:00Z"),
                true,
            ),
            (json!({"starts_with": "2026-12-03"}), json!("2026-12-04"), false),
            (json!({"has": "bug"}), json!(["bug", "ui"]), true),
            (json!({"has": "bug"}), json!("bug"), false),
            (json!({"any_of": ["a", {"contains": "b"}]}), json!("abc"), true),
            (json!({"given": true}), json!(false), true),
            (json!({"equals": {"a": 1}}), json!({"a": 1}), true),
        ];
        for (wanted, got, fits) in cases {
            assert_eq!(matcher(wanted.clone()).takes(Some(&got)), fits, "{wanted} {got}");
        }
        assert!(matcher(json!({"given": false})).takes(None));
        assert!(matcher(json!({"given": false})).takes(Some(&Value::Null)));
        assert!(
            !matcher(json!({"contains": ""})).takes(None),
            "nothing contains nothing"
        );
    }

    #[test]
    fn a_misspelt_word_is_an_error_and_never_a_value() {
        for wrong in [
            json!({"contain": "a"}),
            json!({"given": "yes"}),
            json!({"contains": "a", "given": true}),
            json!({}),
        ] {
            assert!(Matcher::try_from(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_nearest_of_several_right_ways_is_told() {
        let task: Task = serde_json::from_value(json!({
            "id": "t", "connector": "acme", "says": "s",
            "expect": [
                {"tools": ["acme_a", "acme_b"], "arguments": {"x": 1, "y": 2}},
                {"tools": ["acme_a"], "arguments": {"/deep/z|z": {"contains": "q"}}},
            ],
        }))
        .expect("a task");
        let judge = |name: &'static str, arguments: Value| task.judge(&|known| known == name, &arguments);
        assert_eq!(judge("acme_c", json!({})), None);
        assert_eq!(
            judge("acme_b", json!({"x": 1, "y": 2, "more": true})),
            Some(vec![])
        );
        assert_eq!(judge("acme_a", json!({"deep": {"z": "Q"}})), Some(vec![]));
        assert_eq!(judge("acme_a", json!({"z": "q"})), Some(vec![]));
        let wrong = judge("acme_a", json!({"z": 1})).expect("the tool is right");
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].got.as_deref(), Some("1"));
        assert_eq!(judge("acme_b", json!({})).map(|wrong| wrong.len()), Some(2));
    }

    #[test]
    fn the_bundled_tasks_read_and_are_spread_over_the_connectors() {
        let read = Tasks::read(BUNDLED).expect("the bundled tasks");
        assert!(read.tasks.len() >= 60, "{}", read.tasks.len());
        let mut of: BTreeMap<&str, usize> = BTreeMap::new();
        for task in &read.tasks {
            *of.entry(&task.connector).or_default() += 1;
            assert!(
                task.tools()
                    .all(|tool| tool.starts_with(&format!("{}_", task.connector))),
                "{}",
                task.id
            );
            assert!(
                !task.tools().any(|tool| task.says.contains(tool)),
                "{}: users do not know the names of tools",
                task.id
            );
        }
        assert_eq!(of.len(), 10, "{of:?}");
        assert!(of.values().all(|count| *count >= 5), "{of:?}");
    }

    #[test]
    fn tasks_that_cannot_be_told_apart_or_expect_nothing_are_refused() {
        let task =
            "[[tasks]]\nid = \"a\"\nconnector = \"x\"\nsays = \"s\"\n[[tasks.expect]]\ntools = [\"x_a\"]\n";
        let head = "instructions = \"i\"\n";
        assert!(Tasks::read(&format!("{head}{task}")).is_ok());
        assert!(matches!(
            Tasks::read(&format!("{head}{task}{task}")),
            Err(TasksError::Twice(_))
        ));
        let nothing = task.replace("[\"x_a\"]", "[]");
        assert!(matches!(
            Tasks::read(&format!("{head}{nothing}")),
            Err(TasksError::ExpectsNothing(_))
        ));
        let misspelt = task.replace("says", "say");
        assert!(matches!(
            Tasks::read(&format!("{head}{misspelt}")),
            Err(TasksError::Unreadable(_))
        ));
    }
}
