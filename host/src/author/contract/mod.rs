//! The vendor's own specification as the referee of what a connector sends: OpenAPI 3 or Swagger 2.0, JSON
//! or YAML; a Google discovery document; a GraphQL schema, or the answer to an introspection query. Any of
//! them may be gzipped.
//!
//! Called by `run` for every request of a case. It reads files and looks nothing up.

mod discovery;
mod graphql;
mod openapi;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::case::Request;
use super::replay::Finding;

pub use discovery::{Discovery, Method};
pub use graphql::GraphQl;
pub use openapi::OpenApi;

/// A specification.
#[derive(Debug)]
pub enum Contract {
    /// OpenAPI 3.0 or 3.1, and Swagger 2.0 written as that.
    OpenApi(Box<OpenApi>),
    /// Google discovery.
    Discovery(Box<Discovery>),
    /// A GraphQL schema.
    GraphQl(Box<GraphQl>),
    /// Several, of a vendor that describes its API in parts: the first that knows a request counts.
    Parts(Vec<Contract>),
}

/// Why a file is no specification.
#[derive(Debug, Error)]
pub enum ContractError {
    /// It cannot be read.
    #[error("the specification {} cannot be read", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is too long, damaged, or neither JSON nor YAML.
    #[error("the specification {} is not understood", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: valetkey_import::Error,
    },
    /// It is no GraphQL schema.
    #[error("{} is no GraphQL schema: {problem}", .path.display())]
    GraphQl {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// It is some other document.
    #[error(
        "{} is no specification that is understood: OpenAPI 3 (`openapi`), Swagger 2.0 (`swagger`), Google discovery (`discoveryVersion`) or a GraphQL schema (`.graphql`, or JSON with `__schema`)", .0.display()
    )]
    Unknown(PathBuf),
}

impl Contract {
    /// Reads a specification.
    ///
    /// # Errors
    /// It cannot be read, or is of no known kind.
    pub fn read(path: &Path) -> Result<Self, ContractError> {
        let bytes = fs::read(path).map_err(|source| ContractError::Io {
            path: path.to_owned(),
            source,
        })?;
        let unreadable = |source| ContractError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let text = valetkey_import::text(&bytes).map_err(unreadable)?;
        let graphql = |read: Result<GraphQl, String>| {
            let graphql = read.map_err(|problem| ContractError::GraphQl {
                path: path.to_owned(),
                problem,
            })?;
            Ok(Self::GraphQl(Box::new(graphql)))
        };
        if is_graphql(path) {
            return graphql(GraphQl::new(&text));
        }
        let document = valetkey_import::document(&text).map_err(unreadable)?;
        if let Some(described) = GraphQl::of_answer(&document) {
            return graphql(described);
        }
        if document["discoveryVersion"].is_string() || document["kind"] == "discovery#restDescription" {
            return Ok(Self::Discovery(Box::new(Discovery::new(document))));
        }
        let document = valetkey_import::modern(document).map_err(unreadable)?;
        match OpenApi::new(document) {
            Some(openapi) => Ok(Self::OpenApi(Box::new(openapi))),
            None => Err(ContractError::Unknown(path.to_owned())),
        }
    }

    /// Reads the parts of a specification; none of no parts.
    ///
    /// # Errors
    /// One of them cannot be read, or is of no known kind.
    pub fn read_parts(paths: &[PathBuf]) -> Result<Option<Self>, ContractError> {
        let mut parts = paths
            .iter()
            .map(|path| Self::read(path))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(match parts.len() {
            0 | 1 => parts.pop(),
            _ => Some(Self::Parts(parts)),
        })
    }

    /// What the specification says against a request.
    #[must_use]
    pub fn check(&self, request: &Request) -> Vec<Finding> {
        let about = format!("{} {}", request.method, request.url);
        self.problems(request)
            .into_iter()
            .map(|problem| Finding::new(format!("{about} is not as the specification says: {problem}")))
            .collect()
    }

    fn problems(&self, request: &Request) -> Vec<String> {
        match self {
            Self::OpenApi(openapi) => openapi.check(request),
            Self::Discovery(discovery) => {
                let body = (!request.body.is_empty()).then_some(request.body.as_slice());
                let path = below(discovery, request);
                discovery
                    .check_request(&request.method, path, &request.query, body)
                    .err()
                    .unwrap_or_default()
            }
            Self::GraphQl(graphql) => graphql.check(request),
            Self::Parts(parts) => match parts.iter().find(|part| part.knows(request)) {
                Some(part) => part.problems(request),
                None => vec!["no part of it has such a path and method".to_owned()],
            },
        }
    }

    /// Whether a request is one of those that the specification describes.
    fn knows(&self, request: &Request) -> bool {
        match self {
            Self::OpenApi(openapi) => openapi.knows(request),
            Self::Discovery(discovery) => discovery.knows(&request.method, below(discovery, request)),
            Self::GraphQl(_) => path_of(&request.url).contains("graphql"),
            Self::Parts(parts) => parts.iter().any(|part| part.knows(request)),
        }
    }
}

/// Whether a file's name is one of a GraphQL schema, gzipped or not.
fn is_graphql(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let extension = Path::new(name)
        .extension()
        .and_then(|extension| extension.to_str());
    matches!(extension, Some("graphql" | "graphqls" | "gql"))
}

/// The path of a request below the root of a discovery document.
fn below<'r>(discovery: &Discovery, request: &'r Request) -> &'r str {
    match request.url.strip_prefix(discovery.root()) {
        Some(below) => below,
        None => path_of(&request.url),
    }
}

/// Whether a URL has a path, in which `{name}` stands for one segment.
pub(super) fn is_path(template: &str, url: &str) -> bool {
    placeholders(template, path_of(url)).is_some()
}

/// The path of a URL.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// The host of a URL; none where the URL is relative, or the host is a placeholder.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (!host.contains('{')).then_some(host)
}

/// As [`placeholders`], where the last placeholder takes two or more segments.
fn placeholders_and_rest(template: &str, path: &str) -> Option<usize> {
    let (above, last) = template.rsplit_once('/')?;
    let is_one = last.starts_with('{') && last.ends_with('}');
    let depth = above.trim_start_matches('/').split('/').count();
    let ends = path
        .trim_start_matches('/')
        .match_indices('/')
        .nth(depth.checked_sub(1)?);
    let (end, _) = ends.filter(|_| is_one)?;
    placeholders(above, &path.trim_start_matches('/')[..end]).map(|count| count + 1)
}

/// How many placeholders of a path template a path fills in; none when it does not match. The
/// fewer, the closer: `/things/send` is not the thing of the id `send`.
fn placeholders(template: &str, path: &str) -> Option<usize> {
    let (template, path) = (template.trim_start_matches('/'), path.trim_start_matches('/'));
    let (mut wanted, mut given, mut count) = (template.split('/'), path.split('/'), 0);
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(count),
            (Some(part), Some(value)) if part.contains('{') && fills(part, value) => count += 1,
            (Some(part), Some(value)) if part == value => {}
            _ => return None,
        }
    }
}

/// Whether a segment has what stands around the placeholder of another.
fn fills(part: &str, value: &str) -> bool {
    let before = part.split('{').next().unwrap_or_default();
    let after = part.rsplit('}').next().unwrap_or_default();
    value.len() > before.len() + after.len() && value.starts_with(before) && value.ends_with(after)
}
