//! Makes a connector's manifest from a vendor's own specification: OpenAPI 2.0, 3.0 and 3.1, Google's
//! discovery documents, GraphQL schemas.
//!
//! Called by `valetkey connector import`. It reads bytes and gives text: no file, no network, no clock, so the
//! same specification gives the same manifest. Specifications are written by others and often wrong: whatever
//! one holds, the answer is a manifest, an error, or a line of the report, within limits of memory and time.
//!
//! Read from here top to bottom: a document becomes an [`model::Api`] (`read`), its operations get names
//! (`names`) and an order (`select`), each becomes a tool (`tool`, with `schemas`, `paging`, `hints`) at an
//! endpoint (`endpoints`) for accounts that connect (`auth`), and all of it becomes TOML (`write`) and a report
//! (`report`).

mod auth;
mod definitions;
mod endpoints;
mod hints;
mod model;
mod modern;
mod names;
mod paging;
mod read;
pub mod recipe;
mod report;
mod schemas;
mod select;
mod source;
#[cfg(test)]
mod tests;
mod tool;
mod verify;
mod words;
mod write;
mod yaml;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use valetkey_manifest::tool::Paginator;
use valetkey_manifest::{Endpoint, Identity, Manifest};

use auth::Scopes;
use model::{Api, Operation};
use tool::{LeftOut, Made};

pub use definitions::Beside;
pub use modern::modern;
pub use recipe::Recipe;
pub use report::{Imported, LeftOutOperation, Report, ToolLine};
pub use source::{MAX_BYTES, document, text};

/// Tools that are made when nobody says how many. More than that no model keeps apart.
pub const DEFAULT_TOOLS: usize = 40;
/// The contract's version that imported manifests are written for.
const CONTRACT: &str = "0.1";

/// What a specification is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// OpenAPI 2.0, 3.0 or 3.1, JSON or YAML.
    OpenApi,
    /// A GraphQL schema, SDL or the answer to an introspection query.
    GraphQl,
    /// A discovery document of Google's.
    Discovery,
}

/// Which operations become tools.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tools {
    /// Those that change nothing.
    Read,
    /// All.
    #[default]
    All,
}

/// What is wanted of a specification.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only operations with one of these tags, paths, ids or tool names; all when empty.
    pub include: Vec<String>,
    /// Only reading, or all.
    pub tools: Tools,
    /// The most tools; [`DEFAULT_TOOLS`] when nothing is included by name.
    pub max_tools: Option<usize>,
    /// The connector's id; from the specification when it is none.
    pub id: Option<String>,
    /// Where the API is served, for specifications that do not say it.
    pub url: Option<String>,
}

/// Why a specification cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is larger than anything that vendors publish.
    #[error("the specification has more than {} MiB unpacked; cut it down to the part that is wanted", MAX_BYTES / 1024 / 1024)]
    TooLarge,
    /// The file is not what its format asks for.
    #[error("the specification cannot be read: {0}")]
    Unreadable(String),
    /// It is a document, but not of this format.
    #[error("this is not {wanted}{found}")]
    NotThisFormat {
        /// The format, and what is missing of it.
        wanted: &'static str,
        /// What it seems to be.
        found: &'static str,
    },
    /// Nowhere to send requests to.
    #[error("{0}; say where it is with --url https://…")]
    NoServer(String),
    /// The document has no operation.
    #[error("the specification has nothing to call")]
    NothingToCall,
    /// `--include` names what is not there.
    #[error("--include {wanted:?} is no tag, path or operation of the specification; its tags are: {}", tags.join(", "))]
    NothingIncluded {
        /// What was asked for.
        wanted: String,
        /// The tags that there are.
        tags: Vec<String>,
    },
    /// Everything was ruled out.
    #[error(
        "none of the {0} operations is wanted: they are deprecated, or write where only reading is wanted; --include names those that are wanted all the same"
    )]
    NothingWanted(usize),
    /// No operation can be a tool.
    #[error("no operation can become a tool; the first reasons are: {}", reasons.join("; "))]
    NoTools {
        /// Operations with their reasons.
        reasons: Vec<String>,
    },
    /// `--id` is no id.
    #[error(
        "{0:?} is no id of a connector: 2 to 32 lower-case letters, digits and underscores, a letter first"
    )]
    Id(String),
    /// A recipe cannot be used, or not with this specification.
    #[error("the recipe cannot be followed: {0}")]
    Recipe(String),
    /// An own mistake.
    #[error(
        "the manifest that was made does not read back: {0}; this is a defect of the importer, and the specification would help to mend it"
    )]
    Defect(String),
}

/// Imports a specification.
///
/// `beside` gives files that stand in the specification's own folder, which some refer to.
///
/// # Errors
/// It cannot be read, or nothing of it can become a tool.
pub fn import(bytes: &[u8], format: Format, options: &Options, beside: Beside) -> Result<Imported, Error> {
    import_by(bytes, format, options, None, beside)
}

/// Imports a specification, with what a recipe says over what is read.
fn import_by(
    bytes: &[u8],
    format: Format,
    options: &Options,
    recipe: Option<&Recipe>,
    beside: Beside,
) -> Result<Imported, Error> {
    let mut api = read(bytes, format, options, beside)?;
    if api.operations.is_empty() && api.unreadable.is_empty() {
        return Err(Error::NothingToCall);
    }
    if let Some(url) = &options.url {
        let given = model::Server {
            url: url.clone(),
            ..model::Server::default()
        };
        match (format, api.servers.first_mut()) {
            (Format::GraphQl, _) => {}
            (_, Some(first)) => *first = given,
            (_, None) => api.servers.push(given),
        }
    }
    let id = match &options.id {
        Some(id) if names::word(id, "") == *id => id.clone(),
        Some(id) => return Err(Error::Id(id.clone())),
        None => names::id(&api),
    };
    api.title = words::title(&api.title).unwrap_or_else(|| words::sentence_of(&id));
    let mut names = names::assign(&id, &api.operations);
    if let Some(recipe) = recipe {
        recipe.parameters(&mut api);
        recipe.name(&api, &mut names)?;
    }
    let ranked = select::rank(&api, &names, options)?;
    if ranked.is_empty() {
        return Err(Error::NothingWanted(api.operations.len()));
    }
    let mut made = make(&api, &names, &ranked, options)?;
    if let Some(recipe) = recipe {
        for (operation, made, _) in &mut made.tools {
            recipe.tool(operation, made);
        }
        let left_out = |named: &str| {
            let mut left_out = made.left_out.iter().map(|(place, why)| (place, &why.detail));
            left_out.find_map(|(place, why)| place.eq_ignore_ascii_case(named).then(|| why.clone()))
        };
        recipe.expect_made(made.tools.iter().map(|(operation, _, _)| *operation), left_out)?;
    }
    finish(&api, id, made, recipe, bytes.len())
}

fn read(bytes: &[u8], format: Format, options: &Options, beside: Beside) -> Result<Api, Error> {
    let text = source::text(bytes)?;
    match format {
        Format::OpenApi => {
            let document = source::document(&text)?;
            read::openapi::read(definitions::Definitions::new(document, beside)?)
        }
        Format::Discovery => read::discovery::read(source::document(&text)?),
        Format::GraphQl => {
            let url = options.url.as_deref().ok_or_else(|| {
                Error::NoServer("a GraphQL schema does not say where it is served".to_owned())
            })?;
            read::graphql::read(&text, url)
        }
    }
}

/// What a document of another format seems to be, for an error.
fn guess(document: &Value) -> &'static str {
    let has = |member: &str| document.get(member).is_some();
    if has("openapi") || has("swagger") {
        "; it seems to be OpenAPI: `valetkey connector import openapi`"
    } else if has("discoveryVersion") {
        "; it seems to be a discovery document: `valetkey connector import discovery`"
    } else if has("__schema") || document.pointer("/data/__schema").is_some() {
        "; it seems to be a GraphQL schema: `valetkey connector import graphql`"
    } else if has("asyncapi") {
        "; it is AsyncAPI, which describes events: a connector calls, so there is nothing to import"
    } else {
        ""
    }
}

/// The tools of a connector, and what did not become one.
struct MadeTools<'a> {
    tools: Vec<(&'a Operation, Made, Scopes)>,
    endpoints: BTreeMap<String, endpoints::Place>,
    left_out: Vec<(String, LeftOut)>,
    /// Operations that are wanted and were not tried, because there are tools enough.
    beyond: usize,
    /// Operations that nobody asked for.
    unwanted: usize,
}

fn make<'a>(
    api: &'a Api,
    names: &[String],
    ranked: &[usize],
    options: &Options,
) -> Result<MadeTools<'a>, Error> {
    let most = options.max_tools.unwrap_or(if options.include.is_empty() {
        DEFAULT_TOOLS
    } else {
        usize::MAX
    });
    let mut made = MadeTools {
        tools: Vec::new(),
        endpoints: BTreeMap::new(),
        left_out: api
            .unreadable
            .iter()
            .map(|(place, problem)| (place.clone(), LeftOut::new("it cannot be read", problem.clone())))
            .collect(),
        beyond: 0,
        unwanted: api.operations.len() - ranked.len(),
    };
    let places = Places::new(api);
    let mut no_server = None;
    for (position, &index) in ranked.iter().enumerate() {
        if made.tools.len() >= most {
            made.beyond = ranked.len() - position;
            break;
        }
        let operation = &api.operations[index];
        let endpoint = match places.endpoint(operation.server) {
            Ok((name, place)) => {
                made.endpoints
                    .entry(name.to_owned())
                    .or_insert_with(|| place.clone());
                name.to_owned()
            }
            Err(problem) => {
                no_server.get_or_insert_with(|| problem.to_owned());
                let left_out = LeftOut::new("requests cannot go to its server", problem);
                made.left_out.push((operation.place(), left_out));
                continue;
            }
        };
        let scopes = auth::scopes(api, operation);
        match tool::make(api, operation, &names[index], &endpoint, &scopes) {
            Ok(tool) => made.tools.push((operation, tool, scopes)),
            Err(left_out) => made.left_out.push((operation.place(), left_out)),
        }
    }
    if made.tools.is_empty() {
        if let Some(problem) = no_server {
            return Err(Error::NoServer(problem));
        }
        let reasons = made.left_out.iter().take(5);
        return Err(Error::NoTools {
            reasons: reasons
                .map(|(place, left_out)| format!("{place}: {}", left_out.detail))
                .collect(),
        });
    }
    let used: Vec<&str> = made
        .tools
        .iter()
        .filter_map(|(_, made, _)| Some(made.tool.request.as_ref()?.endpoint.as_str()))
        .collect();
    made.endpoints.retain(|name, _| used.contains(&name.as_str()));
    made.tools.sort_by(|(one, _, _), (other, _, _)| {
        (&one.tags.first(), &one.path).cmp(&(&other.tags.first(), &other.path))
    });
    Ok(made)
}

/// The endpoints of an API's servers, named as they are first used.
struct Places {
    made: Vec<Result<(String, endpoints::Place), String>>,
}

impl Places {
    fn new(api: &Api) -> Self {
        let mut names: Vec<String> = Vec::new();
        let made = api.servers.iter().enumerate().map(|(index, server)| {
            let place = endpoints::of(server)?;
            let host = place.endpoint.url.trim_start_matches("https://");
            let label = host.split(['.', '/']).next().unwrap_or_default();
            let base = if index == 0 {
                "api".to_owned()
            } else {
                names::word(label, "other")
            };
            let mut name = base.clone();
            let mut number = 2;
            while names.contains(&name) {
                name = format!("{}_{number}", base.chars().take(26).collect::<String>());
                number += 1;
            }
            names.push(name.clone());
            Ok((name, place))
        });
        Self { made: made.collect() }
    }

    fn endpoint(&self, index: usize) -> Result<(&str, &endpoints::Place), &str> {
        match self.made.get(index) {
            Some(Ok((name, place))) => Ok((name, place)),
            Some(Err(problem)) => Err(problem),
            None => Err("the specification does not say where the API is served"),
        }
    }
}

/// The manifest of all parts, as TOML with its report.
fn finish(
    api: &Api,
    id: String,
    mut made: MadeTools,
    recipe: Option<&Recipe>,
    bytes: usize,
) -> Result<Imported, Error> {
    let operations: Vec<&Operation> = made.tools.iter().map(|(operation, _, _)| *operation).collect();
    let needs: Vec<(Scopes, bool)> = made
        .tools
        .iter()
        .map(|(_, made, scopes)| (scopes.clone(), made.tool.hints.read_only))
        .collect();
    let mut connecting = auth::connecting(api, &operations, &needs);
    if let Some(recipe) = recipe.filter(|recipe| !recipe.auth.is_empty()) {
        // A person looked at these.
        connecting.auth.clone_from(&recipe.auth);
        connecting.review = vec![Vec::new(); recipe.auth.len()];
        connecting.left_out.clear();
    }
    let paginators = name_paginators(&mut made.tools);
    if connecting.auth.iter().all(|auth| auth.oauth2.is_none()) {
        for (_, made, _) in &mut made.tools {
            made.tool.scopes.clear();
            made.tool.any_scopes.clear();
        }
    }
    let title = words::plain(&api.title, 60);
    let said = words::plain(&api.description, 400);
    let mut manifest = Manifest {
        connector: Identity {
            id,
            description: if said.chars().count() >= 10 {
                said
            } else {
                format!("Tools of {title}, from its specification.")
            },
            title,
            version: "0.1.0".to_owned(),
            contract: CONTRACT.to_owned(),
            publisher: None,
            categories: Vec::new(),
            docs_url: api
                .docs_url
                .clone()
                .filter(|url| url.starts_with("https://") && url.bytes().all(|byte| byte.is_ascii_graphic())),
            runtime: Default::default(),
        },
        endpoints: made
            .endpoints
            .iter()
            .map(|(name, place)| (name.clone(), place.endpoint.clone()))
            .collect::<BTreeMap<String, Endpoint>>(),
        auth: connecting.auth.clone(),
        account_config: made
            .endpoints
            .values()
            .flat_map(|place| place.config.clone())
            .collect(),
        discover: None,
        verify: verify::find(api, &made.endpoints),
        budgets: Vec::new(),
        throttles: Vec::new(),
        refusals: Vec::new(),
        errors: None,
        paginators,
        limits: None,
        tools: made.tools.iter().map(|(_, made, _)| made.tool.clone()).collect(),
    };
    let mut verify_is_guessed = true;
    if let Some(recipe) = recipe {
        manifest.connector = recipe.identity(manifest.connector);
        recipe.manifest(&mut manifest)?;
        verify_is_guessed = recipe.verify.is_none();
        for name in recipe.endpoints.keys() {
            if let Some(place) = made.endpoints.get_mut(name) {
                place.review.clear();
            }
        }
    }
    let text = write::toml(
        &manifest,
        &connecting.review,
        verify_is_guessed,
        &made.endpoints,
        &made
            .tools
            .iter()
            .map(|(_, made, _)| made.review.as_slice())
            .collect::<Vec<_>>(),
    );
    match toml::from_str::<Manifest>(&text) {
        Ok(read) if read == manifest => {}
        Ok(_) => return Err(Error::Defect("it says something else".to_owned())),
        Err(error) => return Err(Error::Defect(error.to_string())),
    }
    let report = report::of(api, &manifest, &made, &connecting, bytes, text.len());
    Ok(Imported {
        manifest,
        toml: text,
        report,
    })
}

/// Gives every different paginator a name and has the tools refer to it.
fn name_paginators(tools: &mut [(&Operation, Made, Scopes)]) -> BTreeMap<String, Paginator> {
    let mut named: BTreeMap<String, Paginator> = BTreeMap::new();
    for (_, made, _) in tools {
        let (Some(paginator), Some(paging)) = (&made.paginator, &mut made.tool.paging) else {
            continue;
        };
        let known = named
            .iter()
            .find(|(_, known)| *known == paginator)
            .map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| {
            let base = match paginator {
                Paginator::Cursor { .. } => "cursor",
                Paginator::Offset { .. } => "offset",
                Paginator::Page { .. } => "page",
                Paginator::LinkHeader => "link",
                Paginator::NextUrl { .. } => "next_url",
            };
            let taken = named.keys().filter(|name| name.starts_with(base)).count();
            let name = if taken == 0 {
                base.to_owned()
            } else {
                format!("{base}_{}", taken + 1)
            };
            named.insert(name.clone(), paginator.clone());
            name
        });
        paging.paginator = Some(name);
    }
    named
}
