//! The new folder's files: the templates with the author's name in place of `acme`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use super::sources;
use super::{Auth, Language};
use crate::id::ConnectorId;
use crate::manifest::{self, inputs};

/// Where the manifest's template wants the auth scheme.
const AUTH: &str = "# auth\n";
/// The line of the manifest's template that the runtime follows.
const CONTRACT: &str = "contract = \"0.1\"\n";
/// The case of the tool that is code.
const CODED_CASE: &str = "thing_tag.http";

/// What is not the connector's source. A host that is tried out in this folder keeps its data and its
/// root key here, and neither may be published.
pub(in crate::cli::connector) const IGNORED: &str = "\
target/
node_modules/
__pycache__/
# A host that was run in this folder, and its root key.
valetkey-data/
*.key
";

/// Paths below the folder, and contents.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// All files of a new connector.
pub(super) fn files(id: &ConnectorId, language: Language, auth: Auth) -> anyhow::Result<Files> {
    let named = |text: &str| named(text, id).into_bytes();
    let mut files = Files::new();

    let mut manifest = sources::text("sdk/templates/connector.toml")?.replacen(AUTH, auth_scheme(auth)?, 1);
    if language != Language::None {
        manifest.push_str(sources::text("sdk/templates/coded.toml")?);
    }
    if let Some(runtime) = runtime(language) {
        manifest = manifest.replacen(CONTRACT, &format!("{CONTRACT}runtime = \"{runtime}\"\n"), 1);
    }
    files.insert("connector.toml".to_owned(), named(&manifest));
    files.insert(
        "connector.schema.json".to_owned(),
        serde_json::to_vec_pretty(&manifest::json_schema())?,
    );
    files.insert(
        "README.md".to_owned(),
        named(sources::text("sdk/templates/README.connector.md")?),
    );
    files.insert(".gitignore".to_owned(), IGNORED.as_bytes().to_vec());
    for (name, case) in sources::below("sdk/templates/tests") {
        if language != Language::None || name != CODED_CASE {
            files.insert(format!("tests/{name}"), named(std::str::from_utf8(case)?));
        }
    }

    if let Some(folder) = code(language) {
        for (name, source) in sources::below(folder) {
            files.insert(name.to_owned(), named(std::str::from_utf8(source)?));
        }
        for (name, source) in sources::sdk(language)? {
            files.insert(format!("valetkey/{name}"), source);
        }
    }
    Ok(files)
}

/// The folder of a language's code.
fn code(language: Language) -> Option<&'static str> {
    match language {
        Language::None => None,
        Language::Rust => Some("sdk/templates/rust"),
        Language::Javascript => Some("sdk/templates/javascript"),
        Language::Python => Some("sdk/templates/python"),
    }
}

/// What the manifest says of an interpreter inside the component.
fn runtime(language: Language) -> Option<&'static str> {
    match language {
        Language::None | Language::Rust => None,
        Language::Javascript => Some("javascript"),
        Language::Python => Some("python"),
    }
}

fn auth_scheme(auth: Auth) -> anyhow::Result<&'static str> {
    sources::text(match auth {
        Auth::Oauth2 => "sdk/templates/auth/oauth2.toml",
        Auth::ApiKey => "sdk/templates/auth/api_key.toml",
        Auth::Basic => "sdk/templates/auth/basic.toml",
    })
}

/// A template in the author's words: the id, and the id as a title (`my_crm`, `My Crm`).
fn named(template: &str, id: &ConnectorId) -> String {
    let title: Vec<String> = id
        .as_str()
        .split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        })
        .collect();
    // A host's name has no underscore.
    let host = id.as_str().replace('_', "-");
    template
        .replace("acme.example", &format!("{host}.example"))
        // The name of a type, which has no space (`MyCrmThingTag`).
        .replace("AcmeThing", &format!("{}Thing", inputs::pascal(id.as_str())))
        .replace("acme", id.as_str())
        .replace("Acme", title.join(" ").trim())
}

/// Writes the files into a folder that is not there yet, or empty.
pub(super) fn write(dir: &Path, files: &Files) -> anyhow::Result<()> {
    if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!(
            "{} is there already and not empty; name another folder with --dir",
            dir.display()
        );
    }
    for (name, content) in files {
        let path = dir.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("{} cannot be made", parent.display()))?;
        }
        fs::write(&path, content).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}
