//! The recipes of `catalog/`: each makes a connector that is accepted as it is, of the vendor's own specification,
//! and a host loads it. `catalog/README.md` says so. `VALETKEY_BLESS=1` writes it anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use valetkey::manifest::build;
use valetkey_import::{Error, Format, Imported, Recipe};
use valetkey_tests::TestHost;
use valetkey_tests::artifacts::repository;
use valetkey_tests::program::Place;
use valetkey_tests::snapshot::assert_checked_in;

use super::import::{complaints, loads, specifications};

const INTRODUCTION: &str = "# Recipes

A recipe makes a connector of a vendor's own specification in one command. It says which operations become tools, and what a
specification does not say well: names, descriptions, ways of connecting, rates. It holds nothing of the vendor's: you
bring the specification, and what it says goes into your folder.

```sh
valetkey connector import recipe catalog/stripe.toml --specs ~/specs     # writes stripe/connector.toml and stripe/IMPORT.md
valetkey connector pack stripe                                           # target/connectors/stripe.wasm
```

`--specs` names the folder in which the file of the table lies; a command that does not find it says where the vendor
publishes it. Facts (addresses, scopes, limits, the shape of errors) come from the vendors' documentation. Nobody has called these
vendors with these connectors: look at the lines `# review:` of what is written, connect a test account, and record cases
(`docs/guides/authors/testing.md`) before you rely on one.

What the test `tests/authors/catalog.rs` verified of each, on the file of the table: it imports; `connector check` has no
complaint; it packs; a host loads it in the real sandbox.

";

const END: &str = "
Dropbox publishes its API in Stone, a format of its own, which the importer does not read; write that connector by hand. GitHub,
Jira, Linear, Microsoft Graph, Notion and Slack have connectors in `plugins/`; all of their specifications import too
(`valetkey connector import openapi|graphql`).

A recipe is TOML; its keys are documented where they are defined (`sdk/import/src/recipe.rs`). A recipe that names an operation
that the specification does not have, or that cannot become a tool, is an error.
";

fn recipes() -> Vec<(PathBuf, Recipe)> {
    let folder = repository().join("catalog");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the catalogue")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let text = std::fs::read_to_string(&file).expect("a text file");
            let recipe = Recipe::read(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            (file, recipe)
        })
        .collect()
}

fn import(recipe: &Recipe, file: &Path) -> Result<Imported, Error> {
    let bytes = std::fs::read(file).expect("a file");
    let folder = file.parent().expect("a folder");
    recipe.import(&bytes, &|name| {
        std::fs::read(folder.join(name)).map_err(|error| error.to_string())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recipe_imports_checks_packs_and_loads() {
    let Some(folder) = specifications() else { return };
    let host = TestHost::start().await;
    let mut page = INTRODUCTION.to_owned();
    page.push_str("| vendor | recipe | tools | to review | specification | version | licence | verified |\n");
    page.push_str("|---|---|---:|---:|---|---|---|---|\n");
    let mut absent = Vec::new();
    for (path, recipe) in recipes() {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let specification = &recipe.specification;
        let file = folder.join(&specification.file);
        if !file.is_file() {
            absent.push(specification.file.clone());
            continue;
        }
        let made = import(&recipe, &file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(complaints(&made), Vec::<String>::new(), "{name}");
        let manifest = &made.manifest;
        assert_eq!(
            format!("{}.toml", manifest.connector.id),
            name,
            "a recipe is called after its connector"
        );
        for part in &recipe.tools {
            let named = |tool: &valetkey_manifest::Tool| part.name.as_ref() == Some(&tool.name);
            assert!(manifest.tools.iter().any(named), "{name}: {}", part.operation);
        }
        loads(&host, &made).await;
        let review = made
            .toml
            .lines()
            .filter(|line| line.starts_with("# review:"))
            .count();
        let _ = writeln!(
            page,
            "| {} | [{name}]({name}) | {} | {review} | [{}]({}) | {} | {} | imports, checks, packs, loads |",
            manifest.connector.title,
            manifest.tools.len(),
            specification.file,
            specification.source,
            specification.version,
            specification.licence,
        );
    }
    if !absent.is_empty() {
        eprintln!(
            "!! NOT CHECKED: recipes for {}: not in {}",
            absent.join(", "),
            folder.display()
        );
        return;
    }
    page.push_str(END);
    assert_checked_in("catalog/README.md", &page);
}

/// A small API of our own, and a recipe for it.
const ACME: &str = r#"
openapi: 3.0.3
info: {title: Acme API, version: "7"}
servers: [{url: "https://api.acme.example/v1"}]
security: [{key: []}]
paths:
  /things:
    get: {operationId: listThings, summary: Lists, responses: {"200": {description: d}}}
    post: {operationId: createThing, summary: Creates, responses: {"200": {description: d}}}
  /things/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: getThing, summary: Gets, parameters: [{name: X-Pretty, in: header, schema: {type: boolean}}], responses: {"200": {description: d}}}
components:
  securitySchemes: {key: {type: apiKey, in: query, name: k}}
"#;

const RECIPE: &str = r#"
[specification]
format = "openapi"
file = "acme/acme.yaml.gz"
source = "https://acme.example/openapi"
package = { registry = "npm", name = "@acme/openapi", version = "7.0.0", path = "acme.yaml" }
version = "7"
licence = "MIT"

[connector]
id = "tools_of_acme"
title = "Acme"
description = "Things of Acme, by our own words."
categories = ["things"]

[select]
without = ["x-pretty"]

[endpoints.api]
url = "https://{config.site}.acme.example/v1"

[account_config.site]
title = "Site"
description = "The word before .acme.example."
pattern = "[a-z]{2,20}"
required = true

[[auth]]
id = "token"
kind = "api_key"
title = "Acme key"
placement = { in = "header", name = "X-Key" }

[verify]
endpoint = "api"
path = "/me"
subject = "/id"

[[budgets]]
scope = "account"
requests = 5
per_seconds = 1.0

[[throttles]]
status = 420
wait_ms = 100

[errors]
code = ["/code"]

[[errors.map]]
status = 409
kind = "vendor_conflict"
hint = "Look for it first."

[[tools]]
operation = "GET /things/{id}"
name = "tools_of_acme_thing_get"
aliases = ["tools_of_acme_thing_read"]
title = "Get a thing"
description = "One thing of Acme by its id, as our own words say it."

[[tools]]
operation = "createThing"
hints = { read_only = false, destructive = true, idempotent = false }
"#;

#[test]
fn what_a_recipe_says_goes_over_what_was_read() {
    let recipe = Recipe::read(RECIPE).expect("a recipe");
    let nothing = |_: &str| Err("it is not there".to_owned());
    let made = recipe.import(ACME.as_bytes(), &nothing).expect("imported");
    assert_eq!(complaints(&made), Vec::<String>::new());
    let manifest = &made.manifest;
    assert_eq!(
        manifest.connector.description,
        "Things of Acme, by our own words."
    );
    assert_eq!(
        manifest.endpoints["api"].url,
        "https://{config.site}.acme.example/v1"
    );
    assert_eq!(
        (manifest.auth.len(), manifest.auth[0].title.as_str()),
        (1, "Acme key")
    );
    assert_eq!(
        manifest.verify.as_ref().map(|verify| verify.path.as_str()),
        Some("/me")
    );
    assert_eq!((manifest.budgets.len(), manifest.throttles.len()), (1, 1));
    assert_eq!(manifest.errors.as_ref().map(|errors| errors.map.len()), Some(1));
    let tools: Vec<&str> = manifest.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(tools, ["tools_of_acme_thing_create", "tools_of_acme_thing_get"]);
    assert!(manifest.tools[0].hints.destructive);
    let parameters = manifest.tools[1].input["properties"]
        .as_object()
        .expect("parameters");
    assert_eq!(parameters.keys().collect::<Vec<_>>(), ["id"]);
    assert_eq!(
        manifest.tools[1].description,
        "One thing of Acme by its id, as our own words say it."
    );
    assert_eq!(manifest.tools[1].aliases, ["tools_of_acme_thing_read"]);
    assert!(
        !made
            .toml
            .contains("# review: an operation that answers who one is"),
        "{}",
        made.toml
    );
}

#[test]
fn a_recipe_that_speaks_of_what_is_not_there_is_an_error_and_says_what() {
    let nothing = |_: &str| Err("it is not there".to_owned());
    let refused = |from: &str, to: &str| {
        let text = RECIPE.replace(from, to);
        assert_ne!(text, RECIPE, "{from}");
        let made = Recipe::read(&text).and_then(|recipe| recipe.import(ACME.as_bytes(), &nothing));
        made.map(|made| made.toml).expect_err(to).to_string()
    };
    let cases = [
        ("createThing", "makeThing", "`makeThing` is 0 operations"),
        (
            "[endpoints.api]",
            "[endpoints.upload]",
            "there is no endpoint `upload`",
        ),
        (
            "operation = \"createThing\"",
            "operation = \"createThing\"\nname = \"tools_of_acme_thing_get\"",
            "two tools have the name",
        ),
        (
            "id = \"tools_of_acme\"",
            "id = \"Acme\"",
            "is no id of a connector",
        ),
        ("[[budgets]]", "[[budget]]", "budget"),
        ("format = \"openapi\"", "format = \"discovery\"", "is not"),
    ];
    for (from, to, said) in cases {
        let error = refused(from, to);
        assert!(error.contains(said), "{to}: {error}");
    }
}

#[tokio::test]
async fn the_command_writes_a_folder_that_packs_and_says_where_a_specification_is_to_be_had() {
    let place = Place::new();
    let write = |name: &str, text: &str| {
        let path = place.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
    };
    write("acme.toml", RECIPE);
    let import = [
        "connector",
        "import",
        "recipe",
        "acme.toml",
        "--specs",
        "specs",
        "--out",
        "made",
    ];
    let missing = place.run(&import).await;
    assert_eq!(missing.code, 1, "{}", missing.talk);
    for said in [
        "acme/acme.yaml.gz",
        "https://acme.example/openapi",
        "@acme/openapi 7.0.0",
        "--specs",
    ] {
        assert!(missing.talk.contains(said), "{said}: {}", missing.talk);
    }
    // Unpacked will do.
    write("specs/acme/acme.yaml", ACME);
    let made = place.run(&import).await;
    assert_eq!(made.code, 0, "{}", made.talk);
    assert!(made.out.contains("made/connector.toml"), "{}", made.out);
    let built = build::pack(&place.path().join("made"), place.path(), &mut |_| ()).expect("packed");
    assert_eq!(built.manifest.connector.id, "tools_of_acme");
    let again = place.run(&import).await;
    assert_eq!(again.code, 1, "{}", again.talk);
    assert!(again.talk.contains("is there already"), "{}", again.talk);
}

#[test]
fn recipes_hold_our_own_words_of_every_tool() {
    for (path, recipe) in recipes() {
        let shown = path.display();
        assert!(recipe.specification.source.starts_with("https://"), "{shown}");
        assert!(matches!(
            recipe.specification.format,
            Format::OpenApi | Format::GraphQl | Format::Discovery
        ));
        for part in &recipe.tools {
            let words = part
                .description
                .as_deref()
                .unwrap_or_default()
                .split_whitespace()
                .count();
            assert!(words >= 5, "{shown}: {} has {words} words", part.operation);
        }
    }
}
