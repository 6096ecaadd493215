//! The vendor's own specification as the referee of what a connector sends: OpenAPI 3 or a Google
//! discovery document, in JSON (gzipped when its name ends in `.gz`).
//!
//! Called by `run` for every request of a case. It reads a file and looks nothing up.

mod discovery;
mod openapi;

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;
use thiserror::Error;

use super::case::Request;
use super::replay::Finding;

pub use discovery::{Discovery, Method};
pub use openapi::OpenApi;

/// A specification.
#[derive(Debug)]
pub enum Contract {
    /// OpenAPI 3.0 or 3.1.
    OpenApi(Box<OpenApi>),
    /// Google discovery.
    Discovery(Box<Discovery>),
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
    /// It is not JSON.
    #[error("the specification {} is not JSON (write YAML as JSON first)", .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It is some other JSON.
    #[error(
        "{} is no specification that is understood: OpenAPI 3.0 or 3.1 (`openapi`) or Google discovery (`discoveryVersion`)", .0.display()
    )]
    Unknown(PathBuf),
}

impl Contract {
    /// Reads a specification.
    ///
    /// # Errors
    /// It cannot be read, or is of no known kind.
    pub fn read(path: &Path) -> Result<Self, ContractError> {
        let bytes = bytes(path).map_err(|source| ContractError::Io {
            path: path.to_owned(),
            source,
        })?;
        let document: Value = serde_json::from_slice(&bytes).map_err(|source| ContractError::Json {
            path: path.to_owned(),
            source,
        })?;
        if document["discoveryVersion"].is_string() || document["kind"] == "discovery#restDescription" {
            return Ok(Self::Discovery(Box::new(Discovery::new(document))));
        }
        match OpenApi::new(document) {
            Some(openapi) => Ok(Self::OpenApi(Box::new(openapi))),
            None => Err(ContractError::Unknown(path.to_owned())),
        }
    }

    /// What the specification says against a request.
    #[must_use]
    pub fn check(&self, request: &Request) -> Vec<Finding> {
        let problems = match self {
            Self::OpenApi(openapi) => openapi.check(request),
            Self::Discovery(discovery) => {
                let path = match request.url.strip_prefix(discovery.root()) {
                    Some(below) => below,
                    None => path_of(&request.url),
                };
                let body = (!request.body.is_empty()).then_some(request.body.as_slice());
                discovery
                    .check_request(&request.method, path, &request.query, body)
                    .err()
                    .unwrap_or_default()
            }
        };
        let about = format!("{} {}", request.method, request.url);
        problems
            .into_iter()
            .map(|problem| Finding::new(format!("{about} is not as the specification says: {problem}")))
            .collect()
    }
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = fs::read(path)?;
    if path.extension().is_none_or(|extension| extension != "gz") {
        return Ok(bytes);
    }
    let mut whole = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut whole)?;
    Ok(whole)
}

/// The path of a URL.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
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
