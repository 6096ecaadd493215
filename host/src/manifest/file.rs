//! `connector.toml` and the component's manifest section: reading the one, writing the other.
//!
//! Called by the command line (`connector build|check`), by `build` and by `sandbox` at
//! inspection. It only moves the manifest between its forms; `check` says whether it is acceptable.
//! Never compiles or runs a component: the section is found by walking the outermost section
//! headers, so a section of the same name inside a nested module means nothing.

use std::fs;
use std::ops::Range;
use std::path::{Component as PathPart, Path, PathBuf};

use serde::Deserialize;
use valetkey_manifest::{Manifest, SECTION};
use wasm_encoder::{CustomSection, Encode};
use wasmparser::BinaryReader;

/// Name of the file that declares a connector.
pub const FILE: &str = "connector.toml";

/// Section id of custom sections.
const CUSTOM: u8 = 0;

/// The JSON Schema (2020-12) of `connector.toml`, made of the types' own documentation: for editors
/// and the reference. Whether a connector is acceptable is for [`check`](super::check) to say.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Manifest);
    schema.insert("title".to_owned(), "connector.toml".into());
    schema.to_value()
}

/// Reads `connector.toml` in `dir`. A schema or long text may stand in a file of its own: where
/// the manifest has `{ "$file" = "schemas/deal.json" }`, the file's content takes its place (a
/// `.json` file as a value, any other as text). Paths are relative to `dir` and stay inside it.
///
/// # Errors
/// What is wrong, with line and column.
pub fn read(dir: &Path) -> Result<Manifest, String> {
    let path = dir.join(FILE);
    let text = fs::read_to_string(&path).map_err(|error| {
        format!(
            "{} cannot be read: {error}; a connector's folder holds a {FILE}",
            path.display()
        )
    })?;
    if !text.contains("$file") {
        return toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()));
    }
    let mut table: toml::Value =
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    fill_in(dir, &mut table).map_err(|error| format!("{}: {error}", path.display()))?;
    Manifest::deserialize(table).map_err(|error| format!("{}: {error}", path.display()))
}

/// Puts the files' contents in place of every `$file` table.
fn fill_in(dir: &Path, value: &mut toml::Value) -> Result<(), String> {
    match value {
        toml::Value::Table(table) => {
            if table.len() == 1
                && let Some(toml::Value::String(name)) = table.get("$file")
            {
                *value = included(dir, name)?;
                return Ok(());
            }
            table.iter_mut().try_for_each(|(_, value)| fill_in(dir, value))
        }
        toml::Value::Array(items) => items.iter_mut().try_for_each(|item| fill_in(dir, item)),
        _ => Ok(()),
    }
}

fn included(dir: &Path, name: &str) -> Result<toml::Value, String> {
    let relative = PathBuf::from(name);
    if !relative
        .components()
        .all(|part| matches!(part, PathPart::Normal(_)))
    {
        return Err(format!(
            "`$file` = \"{name}\" must be a path below the connector's folder"
        ));
    }
    let text = fs::read_to_string(dir.join(&relative))
        .map_err(|error| format!("`$file` = \"{name}\" cannot be read: {error}"))?;
    if relative.extension().is_some_and(|extension| extension == "json") {
        serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))
    } else {
        Ok(toml::Value::String(text))
    }
}

/// Puts the manifest section into a component, in place of an earlier one.
///
/// # Errors
/// The bytes are not a component.
pub fn embed(component: &[u8], manifest: &Manifest) -> Result<Vec<u8>, String> {
    let json = serde_json::to_vec(manifest).map_err(|error| format!("the manifest is not JSON: {error}"))?;
    let mut bytes = code(component)?;
    let section = CustomSection {
        name: SECTION.into(),
        data: json.into(),
    };
    bytes.push(CUSTOM);
    section.encode(&mut bytes);
    Ok(bytes)
}

/// Finds and parses the manifest section of a component.
///
/// # Errors
/// None, several, or one that does not parse.
pub fn extract(component: &[u8]) -> Result<Manifest, String> {
    let found = sections(component)?;
    let [section] = found.as_slice() else {
        return Err(if found.is_empty() {
            format!("there is no `{SECTION}` section; `valetkey connector build` puts it there")
        } else {
            format!(
                "there are {} `{SECTION}` sections; exactly one is allowed",
                found.len()
            )
        });
    };
    serde_json::from_slice(&component[section.data.clone()])
        .map_err(|error| format!("the `{SECTION}` section does not parse: {error}"))
}

/// A component without its manifest: the code alone.
///
/// # Errors
/// The bytes are not a component.
pub fn code(component: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = component.to_vec();
    for section in sections(component)?.into_iter().rev() {
        bytes.drain(section.whole);
    }
    Ok(bytes)
}

/// Where a manifest section stands in a component.
struct Section {
    /// Id, length and content.
    whole: Range<usize>,
    /// The JSON.
    data: Range<usize>,
}

/// The manifest sections among a component's own (not nested) sections.
fn sections(component: &[u8]) -> Result<Vec<Section>, String> {
    let not_a_component = |problem: &str| format!("this is not a WebAssembly component: {problem}");
    if component.get(..8) != Some(&wasm_encoder::Component::HEADER) {
        return Err(not_a_component("it does not begin with a component's header"));
    }
    let malformed = |error: wasmparser::BinaryReaderError| not_a_component(&error.to_string());
    let mut reader = BinaryReader::new(&component[8..], 8);
    let mut found = Vec::new();
    while !reader.eof() {
        let start = reader.original_position();
        let id = reader.read_u8().map_err(malformed)?;
        let mut content = reader.read_reader().map_err(malformed)?;
        let end = reader.original_position();
        if id == CUSTOM && content.read_string().map_err(malformed)? == SECTION {
            found.push(Section {
                whole: start..end,
                data: content.original_position()..end,
            });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"
        tools = []
        [connector]
        id = "acme"
        title = "Acme"
        version = "1.0.0"
        contract = "0.1"
        description = "One sentence."
        [endpoints.api]
        url = "https://api.acme.example"
    "#;

    fn minimal() -> Manifest {
        toml::from_str(MINIMAL).expect("a manifest")
    }

    #[test]
    fn what_is_embedded_is_extracted() {
        let component = wasm_encoder::Component::new().finish();
        let manifest = minimal();
        let built = embed(&component, &manifest).expect("embedded");
        assert_eq!(extract(&built), Ok(manifest));
        assert!(
            wasmparser::Validator::new().validate_all(&built).is_ok(),
            "still a valid component"
        );
    }

    #[test]
    fn embedding_again_replaces_and_keeps_other_sections() {
        let mut component = wasm_encoder::Component::new();
        component.section(&CustomSection {
            name: "before".into(),
            data: b"1".as_slice().into(),
        });
        let first = embed(component.as_slice(), &minimal()).expect("embedded");
        let mut newer = minimal();
        newer.connector.version = "1.0.1".to_owned();
        let second = embed(&first, &newer).expect("embedded");
        assert_eq!(extract(&second), Ok(newer));
        assert_eq!(second.len(), first.len());
        assert!(second.starts_with(component.as_slice()));
    }

    #[test]
    fn two_sections_none_and_broken_ones_are_refused() {
        let empty = wasm_encoder::Component::new().finish();
        assert!(extract(&empty).expect_err("none").contains("there is no"));

        let one = embed(&empty, &minimal()).expect("embedded");
        let mut two = one.clone();
        two.extend_from_slice(&one[8..]);
        assert!(extract(&two).expect_err("two").contains("there are 2"));

        for cut in 0..one.len() {
            assert!(extract(&one[..cut]).is_err(), "cut at {cut}");
        }
        assert!(
            extract(b"\0asm\x01\0\0\0")
                .expect_err("a core module")
                .contains("not a WebAssembly component")
        );

        let mut broken = wasm_encoder::Component::new();
        broken.section(&CustomSection {
            name: SECTION.into(),
            data: b"{".as_slice().into(),
        });
        assert!(
            extract(broken.as_slice())
                .expect_err("not JSON")
                .contains("does not parse")
        );
    }

    #[test]
    fn a_section_inside_a_nested_module_means_nothing() {
        let mut module = wasm_encoder::Module::new();
        module.section(&CustomSection {
            name: SECTION.into(),
            data: b"{}".as_slice().into(),
        });
        let mut component = wasm_encoder::Component::new();
        component.section(&wasm_encoder::ModuleSection(&module));
        assert!(
            extract(component.as_slice())
                .expect_err("none of its own")
                .contains("there is no")
        );
    }

    #[test]
    fn schemas_and_texts_may_stand_in_files() {
        let dir = tempfile::tempdir().expect("a folder");
        let text = MINIMAL
            .replace("\"One sentence.\"", "{ \"$file\" = \"about.txt\" }")
            .replace("tools = []", TOOL);
        fs::write(dir.path().join(FILE), text).expect("written");
        fs::write(dir.path().join("about.txt"), "From a file.").expect("written");
        fs::write(dir.path().join("in.json"), r#"{"type":"object"}"#).expect("written");
        let manifest = read(dir.path()).expect("read");
        assert_eq!(manifest.connector.description, "From a file.");
        assert_eq!(manifest.tools[0].input["type"], "object");
    }

    const TOOL: &str = r#"
        [[tools]]
        name = "acme_thing_get"
        title = "Get"
        description = "Gets."
        hints = { read_only = true, destructive = false, idempotent = true }
        input = { "$file" = "in.json" }
    "#;

    #[test]
    fn a_file_outside_the_folder_is_refused_and_errors_have_a_line() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |text: &str| fs::write(dir.path().join(FILE), text).expect("written");
        write(&MINIMAL.replace("\"One sentence.\"", "{ \"$file\" = \"../secret\" }"));
        assert!(
            read(dir.path())
                .expect_err("outside")
                .contains("below the connector's folder")
        );
        write(&MINIMAL.replace("title", "tittle"));
        let error = read(dir.path()).expect_err("a misspelt key");
        assert!(error.contains("tittle") && error.contains("line 5"), "{error}");
    }
}
