//! Every bundled tool fits every shape that a model's API takes, by referees of those shapes that
//! share no code with what makes them; and a tool that does not fit is named.

use serde_json::{Map, Value, json};

use valetkey::manifest::profile::{Format, misfits, shape};
use valetkey::manifest::{shown_input, take_out_absent, validator};
use valetkey_manifest::{Manifest, Tool};

use crate::bundled;

fn shaped(format: Format, tool: &Tool) -> Value {
    let input = shown_input(tool);
    let shaped = shape(format, tool, &input)
        .unwrap_or_else(|problems| panic!("{} in {format:?}: {problems:#?}", tool.name));
    serde_json::to_value(shaped).expect("JSON")
}

/// Looks at every schema within a schema.
fn each(schema: &Value, path: &str, look: &mut dyn FnMut(&Map<String, Value>, &str)) {
    let Some(members) = schema.as_object() else {
        panic!("{path} is no schema: {schema}");
    };
    look(members, path);
    for (name, property) in members
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        each(property, &format!("{path}/{name}"), look);
    }
    if let Some(items) = members.get("items") {
        each(items, &format!("{path}/items"), look);
    }
    for branch in members
        .get("anyOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        each(branch, &format!("{path}/anyOf"), look);
    }
}

fn expect_only(schema: &Map<String, Value>, keywords: &[&str], path: &str) {
    for keyword in schema.keys() {
        assert!(keywords.contains(&keyword.as_str()), "{path}: `{keyword}`");
    }
}

fn expect_name_and_description(tool: &Value) {
    let name = tool["name"].as_str().expect("a name");
    assert!((1..=64).contains(&name.len()), "{name}");
    assert!(
        name.starts_with(|first: char| first.is_ascii_alphabetic()),
        "{name}"
    );
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    assert!(plain, "{name}");
    let description = tool["description"].as_str().expect("a description");
    assert!((1..=1_024).contains(&description.chars().count()), "{name}");
}

fn expect_plain_root(schema: &Value, name: &str) {
    assert_eq!(schema["type"], "object", "{name}");
    assert!(schema["properties"].is_object(), "{name}");
    for combinator in ["oneOf", "anyOf", "allOf", "not", "enum", "$ref"] {
        assert!(
            schema.get(combinator).is_none(),
            "{name}: {combinator} at the root"
        );
    }
}

fn tools() -> impl Iterator<Item = Tool> {
    let manifests = bundled::manifests();
    manifests.into_iter().flat_map(|manifest| manifest.tools)
}

#[test]
fn every_bundled_tool_fits_every_format() {
    for manifest in bundled::manifests() {
        let found = misfits(&manifest);
        assert!(found.is_empty(), "{}: {found:#?}", manifest.connector.id);
    }
}

#[test]
fn bundled_tools_are_functions_as_openai_takes_them() {
    for tool in tools() {
        let shaped = shaped(Format::Openai, &tool);
        assert_eq!(
            (&shaped["type"], &shaped["function"]["strict"]),
            (&json!("function"), &json!(false))
        );
        expect_name_and_description(&shaped["function"]);
        expect_plain_root(&shaped["function"]["parameters"], &tool.name);
        assert_eq!(shaped["function"]["parameters"], *shown_input(&tool));
    }
}

#[test]
fn bundled_tools_satisfy_the_rules_of_strict_functions() {
    const KEYWORDS: [&str; 8] = [
        "type",
        "description",
        "enum",
        "anyOf",
        "items",
        "properties",
        "required",
        "additionalProperties",
    ];
    for tool in tools() {
        let shaped = shaped(Format::OpenaiStrict, &tool);
        assert_eq!(shaped["function"]["strict"], true);
        expect_name_and_description(&shaped["function"]);
        let schema = &shaped["function"]["parameters"];
        expect_plain_root(schema, &tool.name);
        let (mut properties, mut values) = (0, 0);
        each(schema, &tool.name, &mut |schema, path| {
            expect_only(schema, &KEYWORDS, path);
            assert!(path.matches('/').count() <= 20, "{path} is too deep");
            let is_object = schema["type"] == "object"
                || schema["type"]
                    .as_array()
                    .is_some_and(|kinds| kinds.contains(&json!("object")));
            if is_object {
                assert_eq!(schema["additionalProperties"], false, "{path}");
                let members = schema["properties"].as_object().expect("properties");
                let required = schema["required"].as_array().expect("a list");
                properties += members.len();
                assert_eq!(required.len(), members.len(), "{path}");
                for name in members.keys() {
                    assert!(required.iter().any(|required| required == name), "{path}/{name}");
                }
            }
            values += schema.get("enum").and_then(Value::as_array).map_or(0, Vec::len);
        });
        assert!(properties <= 5_000 && values <= 1_000, "{}", tool.name);
    }
}

/// What a model answers under a strict schema that gives nothing but what it must: null wherever
/// null is allowed.
fn sparsest(schema: &Value) -> Value {
    let takes = |kind: &str| {
        schema["type"] == kind
            || schema["type"]
                .as_array()
                .is_some_and(|kinds| kinds.contains(&json!(kind)))
    };
    if takes("null") {
        return Value::Null;
    }
    if let Some(values) = schema["enum"].as_array() {
        return values[0].clone();
    }
    if takes("object") {
        let members = schema["properties"].as_object().expect("properties");
        return members
            .iter()
            .map(|(name, member)| (name.clone(), sparsest(member)))
            .collect::<Map<_, _>>()
            .into();
    }
    if takes("array") {
        return json!([sparsest(&schema["items"])]);
    }
    if takes("integer") || takes("number") {
        return json!(1);
    }
    if takes("boolean") {
        return json!(true);
    }
    json!("1")
}

#[test]
fn what_a_model_gives_under_a_strict_schema_satisfies_the_tools_own() {
    for tool in tools() {
        let strict = shaped(Format::OpenaiStrict, &tool);
        let mut params = sparsest(&strict["function"]["parameters"]);
        let input = shown_input(&tool);
        take_out_absent(&input, &mut params);
        let validator = validator(&input).expect("a schema");
        let complaints: Vec<String> = validator
            .iter_errors(&params)
            .map(|error| error.to_string())
            .collect();
        // A record to write needs one property at least, which no schema of this format can say; and what a
        // text has to look like is told by its pattern and length, of which this answer knows nothing.
        let forms = ["less than 1 propert", "does not match", "is shorter than"];
        let only_forms = complaints
            .iter()
            .all(|complaint| forms.iter().any(|form| complaint.contains(form)));
        assert!(only_forms, "{}: {params}: {complaints:?}", tool.name);
        assert!(!params.to_string().contains("null"), "{}: {params}", tool.name);
    }
}

#[test]
fn bundled_tools_are_declarations_in_the_subset_of_gemini() {
    const KEYWORDS: [&str; 17] = [
        "type",
        "format",
        "description",
        "nullable",
        "enum",
        "items",
        "minItems",
        "maxItems",
        "properties",
        "required",
        "minProperties",
        "maxProperties",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "pattern",
    ];
    const KINDS: [&str; 6] = ["string", "number", "integer", "boolean", "array", "object"];
    for tool in tools() {
        let shaped = shaped(Format::Gemini, &tool);
        expect_name_and_description(&shaped);
        let Some(schema) = shaped.get("parameters") else {
            let input = shown_input(&tool);
            assert_eq!(input["properties"], json!({}), "{}", tool.name);
            continue;
        };
        expect_plain_root(schema, &tool.name);
        each(schema, &tool.name, &mut |schema, path| {
            if schema.contains_key("anyOf") {
                assert_eq!(schema.len(), 1, "{path}: anyOf stands alone");
                return;
            }
            expect_only(schema, &KEYWORDS, path);
            let kind = schema["type"].as_str().expect("one type");
            assert!(KINDS.contains(&kind), "{path}: {kind}");
            for value in schema.get("enum").and_then(Value::as_array).into_iter().flatten() {
                assert!(
                    kind == "string" && value.as_str().is_some_and(|text| !text.is_empty()),
                    "{path}"
                );
            }
            if kind == "object" {
                assert!(
                    !schema["properties"].as_object().expect("properties").is_empty(),
                    "{path}"
                );
            }
            if kind == "array" {
                assert!(schema["items"].is_object(), "{path}");
            }
        });
    }
}

#[test]
fn bundled_tools_are_tools_of_anthropic_mcp_and_langchain() {
    for tool in tools() {
        let input = shown_input(&tool);
        let anthropic = shaped(Format::Anthropic, &tool);
        let mcp = shaped(Format::Mcp, &tool);
        let langchain = shaped(Format::Langchain, &tool);
        for (shaped, schema) in [
            (&anthropic, &anthropic["input_schema"]),
            (&mcp, &mcp["inputSchema"]),
            (&langchain, &langchain["args_schema"]),
        ] {
            expect_name_and_description(shaped);
            expect_plain_root(schema, &tool.name);
            assert_eq!(*schema, *input, "{}: nothing is lost", tool.name);
        }
        assert_eq!(anthropic.as_object().expect("an object").len(), 3);
        let hints = [
            ("readOnlyHint", tool.hints.read_only),
            ("destructiveHint", tool.hints.destructive),
            ("idempotentHint", tool.hints.idempotent),
            ("openWorldHint", true),
        ];
        for (name, value) in hints {
            assert_eq!(mcp["annotations"][name], value, "{}: {name}", tool.name);
        }
        each(&anthropic["input_schema"], &tool.name, &mut |schema, path| {
            for name in schema
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                let name = name.0;
                let plain = name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
                assert!(plain && (1..=64).contains(&name.len()), "{path}/{name}");
            }
        });
    }
}

/// The good manifest of the linter's tests with the first tool's input made worse.
fn worse(property: Value) -> Manifest {
    let mut manifest = crate::linter::good();
    manifest["tools"] = json!([manifest["tools"][0]]);
    manifest["tools"][0]["input"]["properties"]["kind"] = property;
    serde_json::from_value(manifest).expect("the shape of a manifest")
}

#[test]
fn a_tool_that_does_not_fit_is_named_with_its_place_the_format_and_what_to_do() {
    let place = "/tools/0/input/properties/kind";
    for (property, at, format, words) in [
        (
            json!({"type": ["string", "null"], "description": "Null clears it."}),
            place,
            "openai-strict",
            "make it required",
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "string"}, "properties": {}, "description": "Any names."}),
            place,
            "openai-strict",
            "declare the usual ones",
        ),
        (
            json!({"type": "object", "additionalProperties": true, "properties": {}, "description": "Any names."}),
            place,
            "gemini",
            "declare the usual ones",
        ),
        (
            json!({"type": "object", "additionalProperties": false, "description": "An odd name.",
                   "properties": {"a b": {"type": "string", "description": "Odd."}}}),
            "/tools/0/input/properties/kind/properties/a b",
            "anthropic",
            "cannot name a property",
        ),
    ] {
        let manifest = worse(property);
        assert_eq!(
            valetkey::manifest::check::manifest(&manifest),
            [],
            "acceptable otherwise"
        );
        let found = misfits(&manifest);
        assert!(
            found.iter().any(|problem| problem.path == at
                && problem.problem.contains(format)
                && problem.problem.contains(words)),
            "wanted {at} {format}: {words}, got {found:#?}"
        );
    }
    let mut manifest = worse(json!({"type": "string", "description": "Only things of this kind."}));
    assert_eq!(misfits(&manifest), []);
    manifest.tools[0].description = "x".repeat(1_025);
    let found = misfits(&manifest);
    let places: Vec<&str> = found.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(places, ["/tools/0/description"; 2], "{found:#?}");
}
