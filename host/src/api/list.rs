//! Lists: a bounded page of items and a sealed cursor to the next one.

use serde::Serialize;

use super::answer::{Answer, json};
use crate::access::{Access, Caller};
use crate::error::{Fault, Problem};

/// Items of a page when the caller names no limit.
const DEFAULT_LIMIT: usize = 50;
/// Items of a page at most.
pub(super) const MAX_LIMIT: usize = 200;

/// A page that was asked for.
pub(super) struct Page {
    /// What the cursor is bound to: the list and its filters.
    list: String,
    /// Items at most.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<String>,
}

/// The answer of every list.
#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Page {
    /// The page of `list` that `limit` and `cursor` name. `list` holds every filter, so that a
    /// cursor is good for the same question alone.
    pub(super) fn new(
        access: &Access,
        caller: &Caller,
        list: String,
        limit: Option<usize>,
        cursor: Option<&str>,
    ) -> Result<Self, Fault> {
        let after = cursor
            .map(|cursor| access.open_cursor(caller, &list, cursor))
            .transpose()?;
        Ok(Self {
            limit: bounded(limit.unwrap_or(DEFAULT_LIMIT))?,
            list,
            after,
        })
    }

    /// How many to read, so that one shows whether there are more.
    pub(super) fn read_ahead(&self) -> usize {
        self.limit + 1
    }

    /// Answers the page from up to [`Page::read_ahead`] items; `position` names an item within
    /// the list's order and `view` renders it.
    pub(super) fn answer<'a, T, V: Serialize>(
        self,
        access: &Access,
        caller: &Caller,
        items: &'a [T],
        position: impl Fn(&T) -> &str,
        view: impl Fn(&'a T) -> V,
    ) -> Answer {
        let (shown, next_cursor) = self.cut(access, caller, items, position)?;
        let items = shown.iter().map(view).collect();
        Ok(json(http::StatusCode::OK, &Items { items, next_cursor }))
    }

    /// The items that the page shows, and the cursor to the next one.
    pub(super) fn cut<'a, T>(
        self,
        access: &Access,
        caller: &Caller,
        items: &'a [T],
        position: impl Fn(&T) -> &str,
    ) -> Result<(&'a [T], Option<String>), Fault> {
        let shown = &items[..items.len().min(self.limit)];
        let next_cursor = match shown.last() {
            Some(last) if items.len() > shown.len() => {
                Some(access.seal_cursor(caller, &self.list, position(last))?)
            }
            _ => None,
        };
        Ok((shown, next_cursor))
    }
}

/// Answers a list that has one page.
pub(super) fn whole<V: Serialize>(items: Vec<V>) -> Answer {
    let next_cursor = None;
    Ok(json(http::StatusCode::OK, &Items { items, next_cursor }))
}

/// A limit within what a page may have.
pub(super) fn bounded(limit: usize) -> Result<usize, Fault> {
    if (1..=MAX_LIMIT).contains(&limit) {
        return Ok(limit);
    }
    Err(Fault::invalid(
        "The query is not what this path takes; `fields` says where.",
        vec![Problem {
            path: "/limit".to_owned(),
            problem: format!("must be 1 to {MAX_LIMIT}"),
        }],
    ))
}
