//! A recipe: what a person decided about one vendor's specification, as data, so that the import gives the same
//! connector to everybody. It selects operations and says in its own words and facts what a specification does
//! not, or not well: names, descriptions, ways of connecting, budgets, the vendor's errors. What it says goes over
//! what was read; a recipe that speaks of what the specification does not have is an error, never ignored.

use std::collections::BTreeMap;

use serde::Deserialize;
use valetkey_manifest::tool::Hints;
use valetkey_manifest::{Auth, Budget, ConfigInput, Endpoint, Errors, Identity, Manifest, Throttle, Verify};

use crate::model::Api;
use crate::tool::Made;
use crate::{Beside, Error, Format, Imported, Options, Tools, import_by, select};

/// Characters of a name that leave room for a number.
const MAX_BASE: usize = 44;

/// A recipe, as its TOML file has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The file that is imported.
    pub specification: Specification,
    /// Who the connector is.
    pub connector: Connector,
    /// Which operations become tools.
    #[serde(default)]
    pub select: Select,
    /// Endpoints by the name that the import gives them (`api`); these go in place of what was read.
    #[serde(default)]
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Ways of connecting, in place of those that were read; none leaves those.
    #[serde(default)]
    pub auth: Vec<Auth>,
    /// What is asked for beside the credential, over what was read.
    #[serde(default)]
    pub account_config: BTreeMap<String, ConfigInput>,
    /// The request that proves a credential, in place of the one that was guessed.
    #[serde(default)]
    pub verify: Option<Verify>,
    /// Rates that the vendor publishes.
    #[serde(default)]
    pub budgets: Vec<Budget>,
    /// How the vendor says "slow down" other than by 429 or 503.
    #[serde(default)]
    pub throttles: Vec<Throttle>,
    /// Where the vendor's errors keep their code and text.
    #[serde(default)]
    pub errors: Option<Errors>,
    /// Operations that become tools, with what is said of them.
    #[serde(default)]
    pub tools: Vec<ToolPart>,
}

/// The specification that a recipe is for. Nothing of it is in the recipe, and nothing is fetched.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Specification {
    /// What it is written in.
    pub format: Format,
    /// Where it lies below the folder of specifications (`asana/asana_oas.yaml.gz`); the same name without `.gz`
    /// will do.
    pub file: String,
    /// Where the vendor publishes it, as a URL.
    pub source: String,
    /// The package of a registry that holds it, where there is one.
    #[serde(default)]
    pub package: Option<Package>,
    /// The version that the recipe was written for.
    pub version: String,
    /// Its licence (SPDX).
    pub licence: String,
}

/// A file in a package of a registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// `npm` or `pypi`.
    pub registry: String,
    /// The package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file in it.
    pub path: String,
}

/// Who the connector is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// Its id.
    pub id: String,
    /// The vendor's name as people write it.
    pub title: String,
    /// One sentence.
    pub description: String,
    /// For catalogues.
    #[serde(default)]
    pub categories: Vec<String>,
    /// The vendor's API documentation.
    #[serde(default)]
    pub docs_url: Option<String>,
}

/// Which operations become tools, beside those that the recipe names one by one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Select {
    /// Tags, paths, ids of operations or names of tools. Without any, and without tools by name, the most useful ones.
    pub include: Vec<String>,
    /// Only reading, or all.
    pub tools: Tools,
    /// The most tools.
    pub max_tools: Option<usize>,
    /// Where the API is served, for specifications that do not say it.
    pub url: Option<String>,
    /// Optional parameters that no tool takes, by the vendor's names: what the endpoint's own headers say, or what
    /// says nothing to a model.
    pub without: Vec<String>,
    /// Whether tools keep the scopes that the specification gives them. `false` where the recipe's own ways of
    /// connecting ask for other ones.
    pub scopes: bool,
}

impl Default for Select {
    fn default() -> Self {
        Self {
            include: Vec::new(),
            tools: Tools::All,
            max_tools: None,
            url: None,
            without: Vec::new(),
            scopes: true,
        }
    }
}

/// One operation and what is said of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolPart {
    /// `METHOD /path`, or the vendor's own id of it.
    pub operation: String,
    /// The tool's name, which begins with the connector's id and an underscore.
    #[serde(default)]
    pub name: Option<String>,
    /// Other names.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// A few words.
    #[serde(default)]
    pub title: Option<String>,
    /// What it does, when to use it, what comes back.
    #[serde(default)]
    pub description: Option<String>,
    /// Words to filter by, beside those of the specification. `search` lets a POST that only reads say so.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What a call does to the vendor's data, where the method tells it wrong.
    #[serde(default)]
    pub hints: Option<Hints>,
}

impl Recipe {
    /// Reads a recipe.
    ///
    /// # Errors
    /// It is not TOML of this shape.
    pub fn read(text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| Error::Recipe(error.to_string()))
    }

    /// Imports its specification, given as bytes.
    ///
    /// # Errors
    /// The specification cannot be imported, or does not have what the recipe speaks of.
    pub fn import(&self, bytes: &[u8], beside: Beside) -> Result<Imported, Error> {
        let named = self.tools.iter().map(|part| part.operation.clone());
        let options = Options {
            include: named.chain(self.select.include.iter().cloned()).collect(),
            tools: self.select.tools,
            max_tools: self.select.max_tools,
            id: Some(self.connector.id.clone()),
            url: self.select.url.clone(),
        };
        import_by(bytes, self.specification.format, &options, Some(self), beside)
    }

    /// Takes out the parameters that no tool is to have.
    pub(crate) fn parameters(&self, api: &mut Api) {
        let without = |name: &str| {
            let mut unwanted = self.select.without.iter();
            unwanted.any(|unwanted| unwanted.eq_ignore_ascii_case(name))
        };
        for operation in &mut api.operations {
            operation
                .parameters
                .retain(|parameter| parameter.required || !without(&parameter.name));
        }
    }

    /// Gives the tools their names, which were made of the operations otherwise. An operation that had such a
    /// name by itself gets another one.
    pub(crate) fn name(&self, api: &Api, names: &mut [String]) -> Result<(), Error> {
        let mut given = BTreeMap::new();
        for part in &self.tools {
            let found: Vec<usize> = (0..api.operations.len())
                .filter(|index| select::is(&part.operation, &api.operations[*index]))
                .collect();
            let [index] = found.as_slice() else {
                return Err(Error::Recipe(format!(
                    "`{}` is {} operations of the specification; name one as `METHOD /path` or by its id",
                    part.operation,
                    found.len()
                )));
            };
            let Some(name) = &part.name else { continue };
            if given.insert(name.as_str(), *index).is_some() {
                return Err(Error::Recipe(format!("two tools have the name `{name}`")));
            }
        }
        for (name, index) in &given {
            if let Some(other) = names.iter().position(|taken| taken == name) {
                let base: String = name.chars().take(MAX_BASE).collect();
                let free = (2_usize..)
                    .map(|number| format!("{base}_{number}"))
                    .find(|free| !names.contains(free) && !given.contains_key(free.as_str()));
                names[other] = free.unwrap_or(base);
            }
            names[*index] = (*name).to_owned();
        }
        Ok(())
    }

    /// Says of a tool what the recipe says of its operation.
    pub(crate) fn tool(&self, operation: &crate::model::Operation, made: &mut Made) {
        if !self.select.scopes {
            made.tool.scopes.clear();
            made.tool.any_scopes.clear();
        }
        let Some(part) = self
            .tools
            .iter()
            .find(|part| select::is(&part.operation, operation))
        else {
            return;
        };
        made.tool.aliases.clone_from(&part.aliases);
        for tag in &part.tags {
            if !made.tool.tags.contains(tag) {
                made.tool.tags.push(tag.clone());
            }
        }
        if let Some(title) = &part.title {
            made.tool.title.clone_from(title);
        }
        if let Some(description) = &part.description {
            made.tool.description.clone_from(description);
        }
        if let Some(hints) = part.hints {
            made.tool.hints = hints;
        }
    }

    /// Whether every operation that the recipe names became a tool.
    pub(crate) fn expect_made<'a>(
        &self,
        made: impl Iterator<Item = &'a crate::model::Operation> + Clone,
        left_out: impl Fn(&str) -> Option<String>,
    ) -> Result<(), Error> {
        for part in &self.tools {
            if !made
                .clone()
                .any(|operation| select::is(&part.operation, operation))
            {
                let why = left_out(&part.operation)
                    .unwrap_or_else(|| "the rest of `[select]` does not want it".to_owned());
                return Err(Error::Recipe(format!(
                    "`{}` does not become a tool: {why}",
                    part.operation
                )));
            }
        }
        Ok(())
    }

    /// Who the connector is.
    pub(crate) fn identity(&self, read: Identity) -> Identity {
        let own = &self.connector;
        Identity {
            title: own.title.clone(),
            description: own.description.clone(),
            categories: own.categories.clone(),
            docs_url: own.docs_url.clone().or(read.docs_url),
            ..read
        }
    }

    /// Puts the rest over what was read.
    pub(crate) fn manifest(&self, manifest: &mut Manifest) -> Result<(), Error> {
        for (name, endpoint) in &self.endpoints {
            let Some(read) = manifest.endpoints.get_mut(name) else {
                let known: Vec<&str> = manifest.endpoints.keys().map(String::as_str).collect();
                return Err(Error::Recipe(format!(
                    "there is no endpoint `{name}`; the specification has {}",
                    known.join(", ")
                )));
            };
            read.clone_from(endpoint);
        }
        if !self.auth.is_empty() {
            manifest.auth.clone_from(&self.auth);
        }
        manifest.account_config.extend(self.account_config.clone());
        // What only an endpoint as it was read asked for.
        let urls: Vec<&str> = manifest
            .endpoints
            .values()
            .map(|endpoint| endpoint.url.as_str())
            .collect();
        let own = &self.account_config;
        manifest.account_config.retain(|name, _| {
            own.contains_key(name) || urls.iter().any(|url| url.contains(&format!("{{config.{name}}}")))
        });
        if self.verify.is_some() {
            manifest.verify.clone_from(&self.verify);
        }
        manifest.budgets.clone_from(&self.budgets);
        manifest.throttles.clone_from(&self.throttles);
        manifest.errors.clone_from(&self.errors);
        Ok(())
    }
}
