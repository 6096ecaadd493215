//! `docs/reference/connector.schema.json` and `docs/reference/manifest.md` are what the manifest's
//! types say of themselves. `VALETKEY_BLESS=1` writes them anew.

use std::fmt::Write as _;

use serde_json::Value;
use valetkey::manifest;
use valetkey_tests::artifacts::repository;
use valetkey_tests::snapshot::assert_checked_in;

const INTRODUCTION: &str = "# The manifest

Every key of `connector.toml`, as the types of `sdk/manifest` document it. The same as JSON Schema:
[connector.schema.json](connector.schema.json), which `valetkey connector schema` prints. An unknown key is an error;
`valetkey connector check` says what else is. Where a value is long, `{ \"$file\" = \"schemas/deal.json\" }` stands for the
content of a file of the folder.
";

#[test]
fn the_manifests_types_are_the_reference() {
    let schema = manifest::json_schema();
    let text = serde_json::to_string_pretty(&schema).expect("JSON");
    assert_checked_in("docs/reference/connector.schema.json", &format!("{text}\n"));
    let page = Page::of(&schema).expect("text is written");
    assert_checked_in("docs/reference/manifest.md", &page);
}

#[test]
fn bundled_manifests_satisfy_the_schema_that_editors_read() {
    let validator = jsonschema::validator_for(&manifest::json_schema()).expect("a schema");
    for plugin in std::fs::read_dir(repository().join("plugins")).expect("the plugins") {
        let dir = plugin.expect("an entry").path();
        let declared = serde_json::to_value(manifest::read(&dir).expect("a manifest")).expect("JSON");
        let problems: Vec<String> = validator
            .iter_errors(&declared)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{}: {problems:#?}", dir.display());
        let mut misspelt = declared;
        misspelt["connector"]["titel"] = "x".into();
        assert!(!validator.is_valid(&misspelt), "an unknown key is refused");
    }
}

/// The page, table by table: the root's first, then each table that it refers to.
struct Page<'a> {
    definitions: &'a Value,
    text: String,
    /// Definitions that have their section, by name, with the section's title.
    told: Vec<(&'a str, String)>,
}

impl<'a> Page<'a> {
    fn of(schema: &'a Value) -> Result<String, std::fmt::Error> {
        let mut page = Self {
            definitions: &schema["$defs"],
            text: INTRODUCTION.to_owned(),
            told: Vec::new(),
        };
        page.table("", schema)?;
        Ok(page.text)
    }

    /// The table of one object, then the sections of the tables in it.
    fn table(&mut self, path: &str, schema: &'a Value) -> std::fmt::Result {
        let Some(properties) = schema["properties"].as_object() else {
            return Ok(());
        };
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        write!(
            self.text,
            "\n| key | value | needed | meaning |\n|---|---|---|---|\n"
        )?;
        for (key, value) in properties {
            let needed = if required.iter().any(|name| name == key) {
                "yes"
            } else {
                ""
            };
            let kind = self.kind(value);
            let about = self.about(value);
            writeln!(self.text, "| `{key}` | {kind} | {needed} | {about} |")?;
        }
        for (key, value) in properties {
            let inner = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            self.sections(&inner, value)?;
        }
        Ok(())
    }

    /// A section for each table below a value, once for each type.
    fn sections(&mut self, path: &str, value: &'a Value) -> std::fmt::Result {
        let (name, many) = referred(value);
        let Some(name) = name else { return Ok(()) };
        let definition = &self.definitions[name];
        let title = match many {
            Many::One => format!("[{path}]"),
            Many::List => format!("[[{path}]]"),
            Many::Named => format!("[{path}.NAME]"),
        };
        if self.told.iter().any(|(told, _)| *told == name) || is_choice_of_words(definition) {
            return Ok(());
        }
        self.told.push((name, title.clone()));
        write!(self.text, "\n## {title}\n\n{}\n", paragraphs(definition))?;
        let below = match many {
            Many::Named => format!("{path}.NAME"),
            Many::One | Many::List => path.to_owned(),
        };
        if let Some(variants) = definition["oneOf"].as_array() {
            for variant in variants {
                let tag = constant(variant).unwrap_or_default();
                write!(self.text, "\n### `{tag}`\n\n{}\n", paragraphs(variant))?;
                self.table(&below, variant)?;
            }
            return Ok(());
        }
        self.table(&below, definition)
    }

    /// What a value is, in a few words.
    fn kind(&self, value: &Value) -> String {
        if let (Some(name), many) = referred(value) {
            let definition = &self.definitions[name];
            if is_choice_of_words(definition) {
                return words(definition)
                    .into_iter()
                    .map(|(word, _)| format!("`\"{word}\"`"))
                    .collect::<Vec<_>>()
                    .join(", ");
            }
            return match many {
                Many::One => "table",
                Many::List => "list of tables",
                Many::Named => "tables by name",
            }
            .to_owned();
        }
        if let Some(constant) = value.get("const") {
            return format!("`{constant}`");
        }
        match kind_name(value) {
            Some("array") => format!("list of {}s", kind_name(&value["items"]).unwrap_or("value")),
            Some("object") => "table".to_owned(),
            Some(kind) => kind.to_owned(),
            None => "any value".to_owned(),
        }
    }

    /// The key's documentation on one line, with what the words of a choice mean.
    fn about(&self, value: &Value) -> String {
        let mut about = one_line(value["description"].as_str().unwrap_or_default());
        if let (Some(name), _) = referred(value) {
            let definition = &self.definitions[name];
            if is_choice_of_words(definition) {
                for (word, meaning) in words(definition) {
                    let _ = write!(about, " `{word}`: {}", one_line(meaning));
                }
            }
        }
        if let Some(default) = value.get("default").filter(|default| !is_empty(default)) {
            let _ = write!(about, " Default: `{default}`.");
        }
        about
    }
}

/// How many values of a type a key holds.
enum Many {
    One,
    List,
    Named,
}

/// The definition that a value refers to, itself, in a list, or by names.
fn referred(value: &Value) -> (Option<&str>, Many) {
    if let Some(name) = of(value) {
        (Some(name), Many::One)
    } else if let Some(name) = of(&value["items"]) {
        (Some(name), Many::List)
    } else if let Some(name) = of(&value["additionalProperties"]) {
        (Some(name), Many::Named)
    } else {
        (None, Many::One)
    }
}

/// The definition behind a `$ref`, or behind one of several ways to say a value.
fn of(value: &Value) -> Option<&str> {
    value["$ref"]
        .as_str()
        .or_else(|| {
            value["anyOf"]
                .as_array()?
                .iter()
                .find_map(|way| way["$ref"].as_str())
        })?
        .strip_prefix("#/$defs/")
}

/// Whether a definition is one of several words.
fn is_choice_of_words(definition: &Value) -> bool {
    !words(definition).is_empty()
}

fn words(definition: &Value) -> Vec<(&str, &str)> {
    if let Some(words) = definition["enum"].as_array() {
        return words
            .iter()
            .filter_map(|word| Some((word.as_str()?, "")))
            .collect();
    }
    let variants = definition["oneOf"].as_array().map_or(&[][..], Vec::as_slice);
    variants
        .iter()
        .filter_map(|variant| {
            let meaning = variant["description"].as_str().unwrap_or_default();
            Some((variant["const"].as_str()?, meaning))
        })
        .collect()
}

/// The tag of one variant of a tagged table: `cursor` of `kind = "cursor"`.
fn constant(variant: &Value) -> Option<String> {
    variant["properties"]
        .as_object()?
        .iter()
        .find_map(|(key, value)| Some(format!("{key} = \"{}\"", value["const"].as_str()?)))
}

fn kind_name(value: &Value) -> Option<&str> {
    match &value["type"] {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null"),
        _ => None,
    }
}

fn is_empty(default: &Value) -> bool {
    match default {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn paragraphs(definition: &Value) -> &str {
    definition["description"].as_str().unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}
