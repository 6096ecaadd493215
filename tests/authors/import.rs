//! Specifications become connectors: every one that is at hand is imported and accepted as it is, and what
//! imported tools send is looked at on the wire.

use std::path::{Path, PathBuf};
use std::time::Instant;

use http::Method;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use valetkey::manifest::{build, check, profile};
use valetkey_import::{Error, Format, Imported, Options, import};
use valetkey_tests::TestHost;
use valetkey_tests::artifacts::repository;

/// Specifications of vendors; they are not part of this repository.
pub fn specifications() -> Option<PathBuf> {
    #[allow(clippy::disallowed_methods, reason = "the tests' own setting")]
    let given = std::env::var_os("VALETKEY_SPECS").map(PathBuf::from);
    let folders = [given, Some(repository().join("../shared/specs"))];
    let found = folders.into_iter().flatten().find(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("!! NOT CHECKED: vendors' specifications; set VALETKEY_SPECS to a folder of them");
    }
    found
}

/// A vendor's specification, when it is at hand.
pub fn vendors(path: &str, format: Format, options: &Options) -> Option<Imported> {
    let path = specifications()?.join(path);
    if !path.is_file() {
        eprintln!("!! NOT CHECKED: {} is not there", path.display());
        return None;
    }
    Some(from_file(&path, format, options).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn from_file(path: &Path, format: Format, options: &Options) -> Result<Imported, Error> {
    let bytes = std::fs::read(path).expect("a file");
    let folder = path.parent().expect("a folder");
    let beside = |name: &str| std::fs::read(folder.join(name)).map_err(|error| error.to_string());
    import(&bytes, format, options, &beside)
}

/// Everything that `connector check` would complain of.
pub fn complaints(imported: &Imported) -> Vec<String> {
    let mut problems = check::manifest(&imported.manifest);
    problems.extend(profile::misfits(&imported.manifest));
    let shown = problems
        .iter()
        .map(|problem| format!("{}: {}", problem.path, problem.problem));
    shown.collect()
}

/// Packs what was imported, and has a host load it in the real sandbox.
pub async fn loads(host: &TestHost, imported: &Imported) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("connector.toml"), &imported.toml).expect("written");
    let id = &imported.manifest.connector.id;
    let built = build::pack(folder.path(), folder.path(), &mut |_| ())
        .unwrap_or_else(|error| panic!("{id} does not pack: {error}"));
    let component = std::fs::read(built.path).expect("a component");
    let installed = host.install(component).await;
    assert!(
        installed.status.is_success(),
        "{id} does not load: {}",
        installed.text()
    );
    let answer = installed.json();
    assert_eq!(answer["tools"], imported.manifest.tools.len(), "{id}: {answer}");
    // Several specifications of one vendor make connectors of one id.
    let removed = host
        .api(Method::DELETE, &format!("/api/v1/connectors/{id}"), Value::Null)
        .await;
    assert!(removed.status.is_success(), "{id}: {}", removed.text());
}

/// What a file is written in, by what it says; none for what describes no API that is called.
fn format_of(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_str()?;
    let is_part = name.starts_with("common") || name.contains("events_api") || name.contains("fixtures");
    let known = [".json", ".yaml", ".json.gz", ".yaml.gz", ".graphql.gz"];
    if is_part || !known.iter().any(|ending| name.ends_with(ending)) {
        return None;
    }
    if name.ends_with(".discovery.json") {
        Some(Format::Discovery)
    } else if name.contains("graphql") || name.starts_with("admin_20") {
        Some(Format::GraphQl)
    } else {
        Some(Format::OpenApi)
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
    found.sort();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_specification_becomes_a_connector_that_check_accepts_and_a_host_loads() {
    let Some(folder) = specifications() else { return };
    let host = TestHost::start().await;
    let mut all = Vec::new();
    files(&folder, &mut all);
    let mut imported = 0;
    for path in &all {
        let Some(format) = format_of(path) else { continue };
        let shown = path.strip_prefix(&folder).unwrap_or(path).display();
        let begun = Instant::now();
        let mut options = Options::default();
        let made = match from_file(path, format, &options) {
            // Some do not say where they are served; whoever imports them does.
            Err(Error::NoServer(_)) => {
                options.url = Some("https://api.vendor.example/graphql".to_owned());
                from_file(path, format, &options)
            }
            made => made,
        };
        let made = made.unwrap_or_else(|error| panic!("{shown}: {error}"));
        let milliseconds = begun.elapsed().as_millis();
        assert_eq!(complaints(&made), Vec::<String>::new(), "{shown}");
        assert!(made.report.tools.len() <= 40, "{shown}");
        loads(&host, &made).await;
        let accounted = made.report.tools.len()
            + made.report.left_out.len()
            + made.report.beyond_max_tools
            + made.report.not_wanted;
        assert_eq!(
            accounted, made.report.operations,
            "{shown}: every operation is accounted for"
        );
        eprintln!(
            "{shown}: {} operations, {} tools, {:?}, {milliseconds} ms, {} bytes",
            made.report.operations,
            made.report.tools.len(),
            made.report.left_out_by_reason,
            made.toml.len(),
        );
        imported += 1;
    }
    assert!(imported > 0, "{} holds no specification", folder.display());
}

#[test]
fn all_of_a_large_specification_is_accepted_and_comes_out_the_same_again() {
    let options = Options {
        max_tools: Some(usize::MAX),
        ..Options::default()
    };
    let github = "github/api.github.com.json.gz";
    let Some(made) = vendors(github, Format::OpenApi, &options) else {
        return;
    };
    assert_eq!(complaints(&made), Vec::<String>::new());
    assert!(made.report.tools.len() > 1_000, "{}", made.report.summary());
    let again = vendors(github, Format::OpenApi, &options).expect("it was there");
    assert_eq!(made.toml, again.toml);
    assert_eq!(made.report, again.report);
}

/// Schemas as specifications have them, good and bad.
fn schema() -> impl Strategy<Value = Value> {
    let words = "[a-zA-Z@$_. -]{0,12}";
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!({})),
        Just(json!({"$ref": "#/components/schemas/Any"})),
        Just(json!({"$ref": "#/components/schemas/None"})),
        Just(json!({"type": "null"})),
        Just(json!({"type": "file"})),
        (words, any::<i32>(), any::<bool>()).prop_map(|(text, number, flag)| json!({
            "type": if flag { json!("string") } else { json!(["string", "null"]) }, "enum": [text, number, null],
            "description": text, "pattern": text, "minLength": number, "maxLength": 3, "nullable": flag, "default": text,
        })),
        (any::<f64>(), any::<i64>(), any::<bool>()).prop_map(|(real, whole, flag)| json!({
            "type": if flag { "integer" } else { "number" }, "minimum": real, "maximum": whole, "exclusiveMinimum": flag,
            "multipleOf": real, "enum": [real, whole], "default": real, "example": whole,
        })),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let members = prop::collection::btree_map(words, inner.clone(), 0..5);
        let list = prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            (members, prop::collection::vec(words, 0..3), any::<Option<bool>>()).prop_map(
                |(members, more, open)| {
                    let required: Vec<String> = members.keys().take(2).cloned().chain(more).collect();
                    let mut schema = json!({"type": "object", "required": required, "properties": members});
                    if let Some(open) = open {
                        schema["additionalProperties"] = json!(open);
                    }
                    schema
                }
            ),
            inner
                .clone()
                .prop_map(|items| json!({"type": "array", "items": items, "minItems": 2, "maxItems": 1})),
            (list, prop::sample::select(vec!["oneOf", "anyOf", "allOf"]), inner).prop_map(
                |(list, word, beside)| {
                    let mut schema = beside.as_object().cloned().unwrap_or_default();
                    schema.insert(word.to_owned(), json!(list));
                    Value::Object(schema)
                }
            ),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn whatever_the_schemas_are_the_manifest_is_accepted(
        body in schema(), shared in schema(), parameter in schema(), answer in schema(),
        names in prop::collection::vec("[a-zA-Z0-9_. -]{0,70}", 3), required in any::<bool>(), text in ".{0,80}",
    ) {
        let json = |schema: &Value| json!({"application/json": {"schema": schema}});
        let mut path = Map::new();
        path.insert("post".to_owned(), json!({
            "operationId": names[0], "summary": text, "description": text, "tags": [names[1], text],
            "parameters": [
                {"name": names[2], "in": "query", "schema": parameter, "description": text, "required": required},
                {"name": "X-Thing", "in": "header", "schema": parameter},
                {"name": "id", "in": "path", "schema": parameter}],
            "requestBody": {"required": required, "content": json(&body)},
            "responses": {"200": {"content": json(&answer)}}}));
        let document = json!({
            "openapi": "3.1.0", "info": {"title": text}, "servers": [{"url": "https://{site}.acme.example"}],
            "components": {"schemas": {"Any": shared}},
            "paths": {"/things/{id}": path, "/fine": {"get": {"responses": {"200": {"content": json(&answer)}},
                "parameters": [{"name": "cursor", "in": "query", "schema": parameter}, {"name": "limit", "in": "query"}]}}},
        });
        let bytes = document.to_string();
        let nothing = |_: &str| Err("it is not there".to_owned());
        match import(bytes.as_bytes(), Format::OpenApi, &Options::default(), &nothing) {
            Ok(made) => prop_assert_eq!(complaints(&made), Vec::<String>::new()),
            Err(Error::NoTools { .. }) => {}
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}
