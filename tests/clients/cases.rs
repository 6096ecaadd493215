//! The cases that every language runs (`sdk/cases`): their form.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use valetkey_tests::artifacts::repository;

fn read(name: &str) -> Value {
    let path = repository().join("sdk/cases").join(name);
    let text = fs::read_to_string(&path).expect("a file of cases");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_file_of_cases_has_the_shape_of_the_schema_and_no_name_comes_twice() {
    let schema = jsonschema::validator_for(&read("schema.json")).expect("a schema");
    let mut names = BTreeSet::new();
    let folder = fs::read_dir(repository().join("sdk/cases")).expect("the cases");
    for entry in folder {
        let file = entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned();
        if !file.ends_with(".json") || file == "schema.json" {
            continue;
        }
        let cases = read(&file);
        let problems: Vec<String> = schema
            .iter_errors(&cases)
            .map(|error| format!("{file}{}: {error}", error.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        for case in cases["cases"].as_array().expect("checked") {
            let name = case["name"].as_str().expect("checked").to_owned();
            assert!(names.insert(name.clone()), "{name} comes twice");
        }
    }
    assert!(names.len() >= 30, "{} cases", names.len());
}
