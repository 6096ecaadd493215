//! `POST /crm/v3/objects/{kind}/search`.

use std::cmp::Ordering;
use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use axum::{Extension, Json};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::kinds::Kind;
use super::objects::{parse, permitted, plain};
use super::portal::Object;
use super::problem::Problem;
use crate::oauth::Session;
use crate::server::State;

const MAX_PAGE: usize = 200;
const MAX_RESULTS: usize = 10_000;
const MAX_GROUPS: usize = 5;
const MAX_FILTERS: usize = 18;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Query {
    #[serde(default)]
    filter_groups: Vec<Group>,
    /// Accepted as one group, as the vendor does.
    #[serde(default)]
    filters: Vec<Filter>,
    query: Option<String>,
    #[serde(default)]
    sorts: Vec<Value>,
    #[serde(default)]
    properties: Vec<String>,
    limit: Option<usize>,
    after: Option<Value>,
}

#[derive(Deserialize)]
struct Group {
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    property_name: String,
    operator: String,
    value: Option<Value>,
    high_value: Option<Value>,
    values: Option<Vec<Value>>,
}

pub(crate) async fn search(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(kind): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let kind = permitted(&session, &kind, false)?;
    let mut query: Query = parse(&body)?;
    if !query.filters.is_empty() {
        query.filter_groups.push(Group {
            filters: std::mem::take(&mut query.filters),
        });
    }
    let limit = query.limit.unwrap_or(10);
    let after: usize = match &query.after {
        None | Some(Value::Null) => 0,
        Some(after) => match plain(after).as_str() {
            "" => 0,
            text => text
                .parse()
                .map_err(|_| Problem::invalid("after must be a number."))?,
        },
    };
    check(kind, &query, limit, after)?;

    Ok(state.portal(&session.user, |portal| {
        let mut found: Vec<&Object> = portal
            .all(kind, false)
            .filter(|object| matches(kind, object, &query))
            .collect();
        sort(kind, &mut found, &query.sorts);
        let results: Vec<Value> = found
            .iter()
            .skip(after)
            .take(limit)
            .map(|object| object.answer(kind, &query.properties))
            .collect();
        let mut answer = json!({ "total": found.len(), "results": results });
        if after + limit < found.len() {
            answer["paging"] = json!({ "next": { "after": (after + limit).to_string() } });
        }
        Json(answer)
    }))
}

fn check(kind: &Kind, query: &Query, limit: usize, after: usize) -> Result<(), Problem> {
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Problem::invalid(format!(
            "The limit must be from 1 to {MAX_PAGE}."
        )));
    }
    if after + limit > MAX_RESULTS {
        return Err(Problem::invalid(format!(
            "A search gives at most {MAX_RESULTS} results."
        )));
    }
    let filters: Vec<&Filter> = query
        .filter_groups
        .iter()
        .flat_map(|group| &group.filters)
        .collect();
    if query.filter_groups.len() > MAX_GROUPS || filters.len() > MAX_FILTERS {
        return Err(Problem::invalid(format!(
            "A search has at most {MAX_GROUPS} groups and {MAX_FILTERS} filters."
        )));
    }
    for filter in filters {
        let name = &filter.property_name;
        if !kind.has_property(name) {
            return Err(Problem::invalid(format!(
                "There is no property {name} on {}.",
                kind.plural
            )));
        }
        let complete = match filter.operator.as_str() {
            "EQ" | "NEQ" | "LT" | "LTE" | "GT" | "GTE" | "CONTAINS_TOKEN" | "NOT_CONTAINS_TOKEN" => {
                filter.value.is_some()
            }
            "BETWEEN" => filter.value.is_some() && filter.high_value.is_some(),
            "IN" | "NOT_IN" => filter.values.as_ref().is_some_and(|values| !values.is_empty()),
            "HAS_PROPERTY" | "NOT_HAS_PROPERTY" => true,
            other => return Err(Problem::invalid(format!("There is no operator {other}."))),
        };
        if !complete {
            return Err(Problem::invalid(format!(
                "The filter on {name} lacks the value that {} needs.",
                filter.operator
            )));
        }
    }
    Ok(())
}

fn matches(kind: &Kind, object: &Object, query: &Query) -> bool {
    let text = query.query.as_deref().unwrap_or_default().to_lowercase();
    let found = text.split_whitespace().all(|word| {
        kind.searched.iter().any(|name| {
            object
                .property(kind, name)
                .is_some_and(|value| value.to_lowercase().contains(word))
        })
    });
    found
        && (query.filter_groups.is_empty()
            || query
                .filter_groups
                .iter()
                .any(|group| group.filters.iter().all(|filter| holds(kind, object, filter))))
}

fn holds(kind: &Kind, object: &Object, filter: &Filter) -> bool {
    let present = object.property(kind, &filter.property_name);
    match filter.operator.as_str() {
        "HAS_PROPERTY" => return present.is_some(),
        "NOT_HAS_PROPERTY" => return present.is_none(),
        _ => {}
    }
    let wanted = filter.value.as_ref().map(plain).unwrap_or_default();
    let among = || {
        let values = filter.values.iter().flatten().map(plain);
        values
            .into_iter()
            .any(|value| present.as_deref().is_some_and(|p| compare(p, &value).is_eq()))
    };
    let token = || {
        let wanted = wanted.trim_matches('*').to_lowercase();
        present
            .as_deref()
            .is_some_and(|present| present.to_lowercase().contains(&wanted))
    };
    let order = present.as_deref().map(|present| compare(present, &wanted));
    match filter.operator.as_str() {
        "EQ" => order == Some(Ordering::Equal),
        "NEQ" => order != Some(Ordering::Equal),
        "LT" => order == Some(Ordering::Less),
        "LTE" => order.is_some_and(Ordering::is_le),
        "GT" => order == Some(Ordering::Greater),
        "GTE" => order.is_some_and(Ordering::is_ge),
        "BETWEEN" => {
            let high = filter.high_value.as_ref().map(plain).unwrap_or_default();
            order.is_some_and(Ordering::is_ge)
                && present
                    .as_deref()
                    .is_some_and(|present| compare(present, &high).is_le())
        }
        "IN" => among(),
        "NOT_IN" => !among(),
        "CONTAINS_TOKEN" => token(),
        "NOT_CONTAINS_TOKEN" => !token(),
        _ => false,
    }
}

/// Numbers as numbers, times also against milliseconds, all else as text without case.
fn compare(left: &str, right: &str) -> Ordering {
    let number = |text: &str| {
        let time = text.parse::<jiff::Timestamp>().ok();
        #[allow(
            clippy::cast_precision_loss,
            reason = "milliseconds of our times fit in 53 bits"
        )]
        let milliseconds = time.map(|time| time.as_millisecond() as f64);
        milliseconds.or_else(|| text.parse::<f64>().ok())
    };
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        _ => left.to_lowercase().cmp(&right.to_lowercase()),
    }
}

fn sort(kind: &Kind, found: &mut [&Object], sorts: &[Value]) {
    let Some(rule) = sorts.first() else { return };
    let name = rule["propertyName"]
        .as_str()
        .or(rule.as_str())
        .unwrap_or_default();
    let (name, descending) = match name.strip_prefix('-') {
        Some(name) => (name, true),
        None => (name, rule["direction"] == "DESCENDING"),
    };
    found.sort_by(|left, right| {
        let [left, right] = [left, right].map(|object| object.property(kind, name).unwrap_or_default());
        let order = compare(&left, &right);
        if descending { order.reverse() } else { order }
    });
}
