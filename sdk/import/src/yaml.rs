//! YAML as the JSON that it stands for. Built from the parser's events with an own stack, so that neither
//! depth nor aliases that multiply one another (a "billion laughs") cost more than what is allowed.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};

/// How deep values may be nested; the same as JSON's reader allows.
const MAX_DEPTH: usize = 128;
/// How many values a document may have, those that aliases repeat included.
const MAX_VALUES: usize = 5_000_000;

/// Reads the first document of a YAML text.
///
/// # Errors
/// What is wrong, with the line.
pub(crate) fn read(text: &str) -> Result<Value, String> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            format!(
                "line {}, column {}: {}",
                error.marker().line(),
                error.marker().col() + 1,
                error.info()
            )
        })?;
        let more = builder
            .take(event)
            .map_err(|problem| format!("line {}: {problem}", line(span)))?;
        if !more {
            break;
        }
    }
    builder.root.ok_or_else(|| "the file is empty".to_owned())
}

fn line(span: Span) -> usize {
    span.start.line()
}

/// A list or mapping whose end has not come yet.
enum Open {
    List(Vec<Value>),
    Mapping {
        members: Map<String, Value>,
        name: Option<String>,
    },
}

/// A value that an alias may repeat, and how many values it holds.
struct Anchored {
    value: Value,
    size: usize,
    depth: usize,
}

#[derive(Default)]
struct Builder {
    /// What is open, with the anchor's id (0: none).
    open: Vec<(Open, usize)>,
    anchors: HashMap<usize, Anchored>,
    values: usize,
    root: Option<Value>,
}

impl Builder {
    /// Takes one event; `false` after the first document.
    fn take(&mut self, event: Event) -> Result<bool, String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = tag.is_some_and(|tag| tag.suffix == "str");
                let value = if style == ScalarStyle::Plain && !is_text && !self.wants_name() {
                    plain(&text)
                } else {
                    Value::String(text.into_owned())
                };
                self.add(value, anchor)?;
            }
            Event::SequenceStart(anchor, _) => self.begin(Open::List(Vec::new()), anchor)?,
            Event::MappingStart(anchor, _) => {
                let members = Map::new();
                self.begin(Open::Mapping { members, name: None }, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some((open, anchor)) = self.open.pop() else {
                    return Err("a list or mapping ends that never began".to_owned());
                };
                let value = match open {
                    Open::List(items) => Value::Array(items),
                    Open::Mapping { members, .. } => Value::Object(members),
                };
                self.add(value, anchor)?;
            }
            Event::Alias(anchor) => {
                let Some(anchored) = self.anchors.get(&anchor) else {
                    return Err("an alias refers to what has not ended yet".to_owned());
                };
                self.values += anchored.size;
                if self.open.len() + anchored.depth > MAX_DEPTH {
                    return Err(too_deep());
                }
                self.expect_room()?;
                let value = anchored.value.clone();
                self.add(value, 0)?;
            }
            Event::DocumentEnd => return Ok(false),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {}
        }
        Ok(true)
    }

    fn begin(&mut self, open: Open, anchor: usize) -> Result<(), String> {
        if self.wants_name() {
            return Err("a list or mapping stands where a name is expected".to_owned());
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep());
        }
        self.open.push((open, anchor));
        Ok(())
    }

    /// Whether the next scalar is the name of a member.
    fn wants_name(&self) -> bool {
        matches!(self.open.last(), Some((Open::Mapping { name: None, .. }, _)))
    }

    fn add(&mut self, value: Value, anchor: usize) -> Result<(), String> {
        self.values += 1;
        self.expect_room()?;
        if anchor > 0 {
            let (size, depth) = (count(&value), depth(&value));
            self.values += size;
            let value = value.clone();
            self.anchors.insert(anchor, Anchored { value, size, depth });
        }
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some((Open::List(items), _)) => items.push(value),
            Some((Open::Mapping { members, name }, _)) => match (name.take(), value) {
                (None, Value::String(text)) => *name = Some(text),
                (None, _) => return Err("the name of a member is not a text".to_owned()),
                (Some(name), Value::Object(merged)) if name == "<<" => {
                    for (name, value) in merged {
                        members.entry(name).or_insert(value);
                    }
                }
                (Some(name), value) => {
                    members.insert(name, value);
                }
            },
        }
        Ok(())
    }

    fn expect_room(&self) -> Result<(), String> {
        if self.values > MAX_VALUES {
            return Err(format!(
                "the document stands for more than {MAX_VALUES} values; its aliases repeat one another"
            ));
        }
        Ok(())
    }
}

fn too_deep() -> String {
    format!("values are nested more than {MAX_DEPTH} deep")
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// A plain scalar by YAML 1.2's core schema.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && digits.contains(|letter: char| letter.is_ascii_digit())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if is_number {
        if let Ok(integer) = text.trim_start_matches('+').parse::<i64>() {
            return Value::from(integer);
        }
        if let Some(number) = text.parse::<f64>().ok().and_then(Number::from_f64) {
            return Value::Number(number);
        }
    }
    Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_is_read_as_the_json_it_stands_for() {
        let text = "
paths:
  /x: &one {get: {responses: {200: ok}}}
  /y: *one
list: [1, -2.5, 1e3, true, ~, 'yes', \"1\", 2024-01-01, 1.2.3, no, !!str 7]
text: >-
  folded
  text
merged:
  <<: {a: 1, b: 2}
  b: 3
";
        let wanted = json!({
            "paths": {"/x": {"get": {"responses": {"200": "ok"}}}, "/y": {"get": {"responses": {"200": "ok"}}}},
            "list": [1, -2.5, 1000.0, true, null, "yes", "1", "2024-01-01", "1.2.3", "no", "7"],
            "text": "folded text",
            "merged": {"a": 1, "b": 3},
        });
        assert_eq!(read(text), Ok(wanted));
    }

    #[test]
    fn aliases_that_multiply_are_refused_before_they_cost_memory() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let repeated = vec![format!("*a{}", level - 1); 10].join(",");
            text.push_str(&format!("a{level}: &a{level} [{repeated}]\n"));
        }
        let error = read(&text).expect_err("a billion laughs");
        assert!(error.contains("aliases") && error.starts_with("line "), "{error}");
    }

    #[test]
    fn deep_nesting_and_broken_texts_have_a_line() {
        let deep: String = (0..300)
            .map(|depth| format!("{}a:\n", " ".repeat(depth)))
            .collect();
        assert!(read(&deep).expect_err("too deep").contains("nested"));
        let error = read("a: 1\nb: [1, 2\nc: }").expect_err("broken");
        assert!(error.starts_with("line "), "{error}");
        assert!(read("a: &a [*a]").is_err());
        assert!(read("? [a]\n: 1").expect_err("a list as a name").contains("name"));
        assert!(read("").is_err());
    }
}
