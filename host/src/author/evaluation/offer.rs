//! Which tools a model is offered for a task, and what search mode answers it.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Offered, chat};
use crate::call::{catalog, finder};
use crate::manifest::profile;

/// Which tools a model is offered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Offer {
    /// Those of all connectors.
    #[default]
    All,
    /// Those of the task's own connector.
    Connector,
    /// The four of search mode, by which it finds the others.
    Search,
}

/// The definitions that a request carries for a task of `connector`.
pub(super) fn definitions(offer: Offer, pool: &[Offered<'_>], connector: &str) -> Vec<Value> {
    match offer {
        Offer::Search => chat::finder_functions(),
        Offer::All => pool.iter().map(Offered::definition).collect(),
        Offer::Connector => {
            let own = pool.iter().filter(|offered| offered.connector == connector);
            own.map(Offered::definition).collect()
        }
    }
}

/// What `search_tools` answers.
pub(super) fn search(pool: &[Offered<'_>], arguments: &Value) -> Value {
    let connector = arguments["connector"].as_str();
    let searched: Vec<&Offered<'_>> = pool
        .iter()
        .filter(|offered| connector.is_none_or(|wanted| offered.connector == wanted))
        .collect();
    let query = arguments["query"].as_str().unwrap_or_default();
    let limit = arguments["limit"]
        .as_u64()
        .and_then(|limit| usize::try_from(limit).ok());
    let ranked = catalog::rank(searched.iter().map(|offered| offered.declared()), query);
    let best = ranked.iter().take(limit.unwrap_or(finder::FOUND));
    let best = best.map(|(index, _)| (searched[*index].connector, searched[*index].tool));
    finder::found(best, searched.len())
}

/// What `get_tool` answers.
pub(super) fn description(offered: &Offered<'_>) -> Value {
    serde_json::to_value(profile::mcp(offered.tool, &offered.input)).unwrap_or_else(|_| json!({}))
}
