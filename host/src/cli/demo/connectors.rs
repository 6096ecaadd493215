//! The bundled connectors: found beside the host's own source, built when they changed.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::screen::Screen;
use crate::manifest::build::{self, Step, TARGET};

/// The bundled connectors, in the order of the demo.
const BUNDLED: [&str; 2] = ["hubspot", "gmail"];

/// A built connector.
pub(super) struct Component {
    pub(super) id: &'static str,
    pub(super) bytes: Vec<u8>,
}

/// Builds every bundled connector.
pub(super) async fn build(screen: &Screen) -> anyhow::Result<Vec<Component>> {
    let root = workspace()?;
    let out = root.join("target/connectors");
    let mut components = Vec::new();
    for id in BUNDLED {
        let dir = root.join("plugins").join(id);
        let bar = screen.progress(&format!("building connector {id}"));
        let shown = bar.clone();
        let out = out.clone();
        let work = move || {
            build::build(&dir, &out, &mut |step| {
                shown.set_message(match step {
                    Step::Checking => format!("{id}: checking connector.toml"),
                    Step::AddingTarget => format!("adding Rust's {TARGET} target"),
                    Step::Installing(program) => format!("{id}: {program} installs what it needs"),
                    Step::Compiling(line) => format!("{id}: {line}"),
                    Step::Embedding => format!("{id}: putting the manifest in"),
                });
            })
        };
        let built = tokio::task::spawn_blocking(work).await?;
        bar.finish_and_clear();
        let built = built.with_context(|| format!("the connector {id} cannot be built"))?;
        screen.done(&format!(
            "built connector {id} {}: {} tools, {} KiB",
            built.manifest.connector.version,
            built.manifest.tools.len(),
            built.bytes.div_ceil(1_024),
        ));
        let bytes =
            std::fs::read(&built.path).with_context(|| format!("{} cannot be read", built.path.display()))?;
        components.push(Component { id, bytes });
    }
    Ok(components)
}

/// The root of Valetkey's source: where this binary was built, or above the working folder.
fn workspace() -> anyhow::Result<PathBuf> {
    let has_plugins = |dir: &Path| {
        BUNDLED
            .iter()
            .all(|id| dir.join("plugins").join(id).join("connector.toml").is_file())
    };
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    if let Some(root) = built_in.filter(|root| has_plugins(root)) {
        return Ok(root.to_owned());
    }
    let here = std::env::current_dir().context("the working folder cannot be read")?;
    match here.ancestors().find(|dir| has_plugins(dir)) {
        Some(root) => Ok(root.to_owned()),
        None => bail!(
            "the demo builds its connectors from Valetkey's source, which is not here: run it in a checkout"
        ),
    }
}
