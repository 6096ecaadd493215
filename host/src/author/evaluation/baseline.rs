//! The measure without a model: how early the host's own search finds the right tool when it is
//! asked in the user's words, and what the definitions cost to read. The same tools and tasks give
//! the same figures.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use valetkey_manifest::Manifest;

use super::tasks::Task;
use super::{Cost, Offered, chat, cost, offer, offered, share};
use crate::call::{catalog, finder};

/// Tools that a miss names.
const NAMED: usize = 5;

/// The figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Baseline {
    /// Over all tasks.
    pub recall: Recall,
    /// By connector: its tasks among the tools of all connectors.
    pub connectors: BTreeMap<String, ConnectorFigures>,
    /// The definitions of all tools, as a list without search offers them.
    pub all_tools: Cost,
    /// What search mode costs instead.
    pub search_mode: SearchCost,
    /// Tasks whose first right tool is not the first that is found, the worst first.
    pub misses: Vec<Miss>,
    /// Tasks whose connector is not there.
    pub left_out: Vec<String>,
}

/// How early right tools are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Recall {
    /// Tasks.
    pub tasks: usize,
    /// The share of tasks for which the first tool is right.
    pub at_1: f64,
    /// The share of tasks for which one of the first five is right.
    pub at_5: f64,
    /// The mean over tasks of 1 over the position of the first right tool (0 where none is found).
    pub mean_reciprocal_rank: f64,
}

/// The figures of one connector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ConnectorFigures {
    /// Its tools.
    pub tools: usize,
    /// What their definitions cost.
    pub definitions: Cost,
    /// Over its tasks.
    pub recall: Recall,
}

/// What search mode costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct SearchCost {
    /// The definitions of its four tools.
    pub definitions: Cost,
    /// The answer to one search, on average over the tasks.
    pub search_answer: Cost,
    /// The description of one tool, on average over the tools.
    pub tool: Cost,
}

/// A task whose right tool is not found first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Miss {
    /// The task.
    pub task: String,
    /// What the user says.
    pub says: String,
    /// Tools that are right.
    pub expected: Vec<String>,
    /// The position of the first right one, from 1; absent where none is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// What is found first.
    pub found: Vec<String>,
}

/// Measures. The user's words are the query as they are, which is harder than what a model asks.
#[must_use]
pub fn measure(connectors: &[Manifest], tasks: &[Task]) -> Baseline {
    let pool = offered(connectors);
    let mut ranks: BTreeMap<&str, Vec<Option<usize>>> = BTreeMap::new();
    let (mut misses, mut left_out, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for task in tasks {
        if !connectors
            .iter()
            .any(|manifest| manifest.connector.id == task.connector)
        {
            left_out.push(task.id.clone());
            continue;
        }
        let ranked = catalog::rank(pool.iter().map(Offered::declared), &task.says);
        let found = || ranked.iter().map(|(index, _)| &pool[*index]);
        let rank = found()
            .position(|offered| is_right(task, offered))
            .map(|position| position + 1);
        let first = found().take(finder::FOUND);
        let answer = finder::found(first.map(|one| (one.connector, one.tool)), pool.len());
        answers.push(answer.to_string().len());
        ranks.entry(&task.connector).or_default().push(rank);
        if rank != Some(1) {
            misses.push(Miss {
                task: task.id.clone(),
                says: task.says.clone(),
                expected: task.tools().map(str::to_owned).collect(),
                rank,
                found: found().take(NAMED).map(|one| one.tool.name.clone()).collect(),
            });
        }
    }
    misses.sort_by_key(|miss| std::cmp::Reverse(miss.rank.unwrap_or(usize::MAX)));

    let definitions: Vec<Value> = pool.iter().map(Offered::definition).collect();
    let of_connector = |id: &str| {
        let own = pool.iter().zip(&definitions);
        own.filter(|(offered, _)| offered.connector == id)
            .map(|(_, definition)| definition)
            .collect::<Vec<_>>()
    };
    let figures = connectors.iter().map(|manifest| {
        let id = &manifest.connector.id;
        let figures = ConnectorFigures {
            tools: manifest.tools.len(),
            definitions: cost(of_connector(id)),
            recall: recall(ranks.get(id.as_str()).map_or(&[], Vec::as_slice)),
        };
        (id.clone(), figures)
    });
    let mean = |sizes: &[usize]| Cost::of(sizes.iter().sum::<usize>() / sizes.len().max(1));
    let described: Vec<usize> = pool
        .iter()
        .map(|one| offer::description(one).to_string().len())
        .collect();
    Baseline {
        recall: recall(&ranks.values().flatten().copied().collect::<Vec<_>>()),
        connectors: figures.collect(),
        all_tools: cost(&definitions),
        search_mode: SearchCost {
            definitions: cost(&chat::finder_functions()),
            search_answer: mean(&answers),
            tool: mean(&described),
        },
        misses,
        left_out,
    }
}

fn is_right(task: &Task, offered: &Offered<'_>) -> bool {
    task.tools().any(|name| offered.answers_to(name))
}

fn recall(ranks: &[Option<usize>]) -> Recall {
    let within = |most: usize| ranks.iter().flatten().filter(|rank| **rank <= most).count();
    #[allow(clippy::cast_precision_loss, reason = "positions are far below 2^52")]
    let reciprocal: f64 = ranks.iter().flatten().map(|rank| 1.0 / *rank as f64).sum();
    #[allow(clippy::cast_precision_loss, reason = "counts of tasks are far below 2^52")]
    let tasks = ranks.len().max(1) as f64;
    Recall {
        tasks: ranks.len(),
        at_1: share(within(1), ranks.len()),
        at_5: share(within(5), ranks.len()),
        mean_reciprocal_rank: reciprocal / tasks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp, reason = "these figures are exact in binary")]
    fn recall_and_mean_reciprocal_rank_are_what_they_are_called() {
        let figures = recall(&[Some(1), Some(2), Some(8), None]);
        assert_eq!((figures.at_1, figures.at_5), (0.25, 0.5));
        assert_eq!(figures.mean_reciprocal_rank, (1.0 + 0.5 + 0.125) / 4.0);
        assert_eq!(recall(&[]), Recall::default());
    }
}
