//! Measures of how well tools can be chosen by their words: written tasks, each with the tools that
//! do it and the arguments that matter, held against the host's own search ([`baseline`], without a
//! model) and against a model ([`run`]).
//!
//! Called by `valetkey eval`. It calls no tool and no vendor, and opens no connection: what goes to
//! a model goes through the function that [`run`](run::run) is given.

pub mod baseline;
mod chat;
mod offer;
pub mod run;
pub mod tasks;

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use valetkey_manifest::{Identity, Manifest, Tool};

use crate::manifest::profile::{self, Format};
use crate::manifest::shown_input;

/// Bytes that are taken for one token where no tokenizer is asked. English and JSON come to three
/// to five in the tokenizers of today's models; the figure serves to compare tools with one another.
pub const BYTES_PER_TOKEN: usize = 4;

/// What definitions cost a model to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Bytes of their JSON, in the format `openai`.
    pub bytes: usize,
    /// The bytes over [`BYTES_PER_TOKEN`], rounded up: an estimate.
    pub estimated_tokens: usize,
}

impl Cost {
    /// Of so many bytes.
    #[must_use]
    pub fn of(bytes: usize) -> Self {
        Self {
            bytes,
            estimated_tokens: bytes.div_ceil(BYTES_PER_TOKEN),
        }
    }
}

/// A tool with the connector that has it.
#[derive(Clone)]
pub(crate) struct Offered<'a> {
    pub(crate) connector: &'a str,
    identity: &'a Identity,
    pub(crate) tool: &'a Tool,
    /// Its schema as callers see it.
    pub(crate) input: Cow<'a, Value>,
}

impl<'a> Offered<'a> {
    /// What the search looks at.
    fn declared(&self) -> (&'a Identity, &'a Tool) {
        (self.identity, self.tool)
    }

    /// Its definition for a model, in the format `openai`.
    fn definition(&self) -> Value {
        match profile::shape(Format::Openai, self.tool, &self.input) {
            Ok(shaped) => serde_json::to_value(shaped).unwrap_or_default(),
            // A description that is too long is offered all the same: to be measured, not refused.
            Err(_) => chat::function(&self.tool.name, &self.tool.description, &self.input),
        }
    }

    fn answers_to(&self, name: &str) -> bool {
        self.tool.name == name || self.tool.aliases.iter().any(|alias| alias == name)
    }
}

/// Every tool of the connectors, by name, as the host's lists have them.
fn offered(connectors: &[Manifest]) -> Vec<Offered<'_>> {
    let mut all: Vec<Offered<'_>> = connectors
        .iter()
        .flat_map(|manifest| {
            let connector = manifest.connector.id.as_str();
            manifest.tools.iter().map(move |tool| Offered {
                connector,
                identity: &manifest.connector,
                tool,
                input: shown_input(tool),
            })
        })
        .collect();
    all.sort_by(|one, other| one.tool.name.cmp(&other.tool.name));
    all
}

/// Definitions as one request carries them.
fn cost<'a>(definitions: impl IntoIterator<Item = &'a Value>) -> Cost {
    Cost::of(definitions.into_iter().map(|one| one.to_string().len()).sum())
}

/// A share of a whole, 0 of nothing.
#[allow(clippy::cast_precision_loss, reason = "counts of tasks are far below 2^52")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
