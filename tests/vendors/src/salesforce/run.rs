//! Runs queries over an org, and answers them in batches.

use std::cmp::Ordering;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Map, Value, json};

use super::condition::bind;
use super::instance_of;
use super::kinds::{Field, Kind, Of};
use super::org::{Org, Record};
use super::problem::Problem;
use super::soql::{self, Cond, Function, Item, Literal, Op, Order, Query};
use crate::oauth::Session;
use crate::server::State;
use crate::text::{first, parse_form};

/// The variable parts of a path, by name.
pub(super) type At = std::collections::BTreeMap<String, String>;

pub(super) async fn query(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let pairs = parse_form(&query.unwrap_or_default());
    let text = first(&pairs, "q").ok_or_else(|| Problem::malformed_query("There is no parameter q."))?;
    let parsed = soql::parse(text)?;
    let now_ms = state.calendar.now_ms();
    let size = batch_size(&headers)?;
    let base = base(&state, &session, &at);
    state.org(&session.user, |org| {
        let found = rows(org, &parsed, now_ms)?;
        Ok(Json(batch(org, &base, found, size)))
    })
}

/// The rest of a query's results: `{locator}-{offset}`.
pub(super) async fn more(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let size = batch_size(&headers)?;
    let base = base(&state, &session, &at);
    state.org(&session.user, |org| {
        let invalid = || Problem::bad("INVALID_QUERY_LOCATOR", "invalid query locator");
        let (locator, offset) = at["locator"].rsplit_once('-').ok_or_else(invalid)?;
        let offset: usize = offset.parse().map_err(|_| invalid())?;
        let results = org.results.get(locator).ok_or_else(invalid)?;
        if offset >= results.len() {
            return Err(invalid());
        }
        Ok(Json(page(&base, locator, results, offset, size)))
    })
}

/// Where an answer's relative URLs begin. At the vendor that is `/services/data/…`; here the
/// instance is a part of the path.
pub(super) fn base(state: &State, session: &Session, at: &At) -> String {
    let instance = instance_of(&state.settings(), &session.user);
    let version = at.get("version").map_or("v66.0", String::as_str);
    format!("/salesforce/{instance}/services/data/{version}")
}

/// `Sforce-Query-Options: batchSize=200`, from 200 to 2000.
fn batch_size(headers: &HeaderMap) -> Result<usize, Problem> {
    let Some(value) = headers
        .get("sforce-query-options")
        .and_then(|value| value.to_str().ok())
    else {
        return Ok(2_000);
    };
    value
        .trim()
        .strip_prefix("batchSize=")
        .and_then(|number| number.parse().ok())
        .filter(|number| (200..=2_000).contains(number))
        .ok_or_else(|| Problem::bad("INVALID_QUERY_OPTIONS", "batchSize must be from 200 to 2000"))
}

/// What a query found: the number of rows that match, and the rows as they are answered.
struct Found {
    total: usize,
    rows: Vec<Value>,
}

fn batch(org: &mut Org, base: &str, found: Found, size: usize) -> Value {
    if found.rows.len() <= size {
        return json!({ "totalSize": found.total, "done": true, "records": with_urls(base, found.rows) });
    }
    let rows = with_urls(base, found.rows);
    let locator = org.keep(rows);
    page(base, &locator, &org.results[&locator], 0, size)
}

fn page(base: &str, locator: &str, results: &[Value], offset: usize, size: usize) -> Value {
    let end = (offset + size).min(results.len());
    let mut answer = json!({
        "totalSize": results.len(),
        "done": end == results.len(),
        "records": &results[offset..end],
    });
    if end < results.len() {
        answer["nextRecordsUrl"] = json!(format!("{base}/query/{locator}-{end}"));
    }
    answer
}

/// Puts the beginning of the API's path in front of what records say of where they are.
pub(super) fn with_urls(base: &str, mut rows: Vec<Value>) -> Vec<Value> {
    fn visit(base: &str, value: &mut Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(url)) = members
                    .get_mut("attributes")
                    .and_then(|attributes| attributes.get_mut("url"))
                {
                    *url = format!("{base}{url}");
                }
                members.values_mut().for_each(|member| visit(base, member));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| visit(base, item)),
            _ => {}
        }
    }
    rows.iter_mut().for_each(|row| visit(base, row));
    rows
}

/// The rows of a query, for searches too.
pub(super) fn select(org: &Org, query: &Query, now_ms: i64) -> Result<Vec<Value>, Problem> {
    rows(org, query, now_ms).map(|found| found.rows)
}

fn rows(org: &Org, query: &Query, now_ms: i64) -> Result<Found, Problem> {
    let kind = Kind::named(&query.from).ok_or_else(|| Problem::no_object(&query.from))?;
    let mut matching = Vec::new();
    let filter = bind(org, kind, query.filter.as_ref(), now_ms)?;
    for record in org.all(kind) {
        let is_in_scope = !query.mine || record.get("OwnerId") == Some(&json!(org.user_id));
        if is_in_scope && filter(record) {
            matching.push(record);
        }
    }
    let orders = query
        .order
        .iter()
        .map(|order| Ok((path(kind, &order.field)?, order)))
        .collect::<Result<Vec<_>, Problem>>()?;
    matching.sort_by(|a, b| {
        orders
            .iter()
            .map(|(path, order)| ordering(&path.value(org, a), &path.value(org, b), order))
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    let cut = |count: usize| -> std::ops::Range<usize> {
        let from = query.offset.min(count);
        from..query.limit.map_or(count, |limit| (from + limit).min(count))
    };
    if query.select == [Item::Count] {
        let total = cut(matching.len()).len();
        return Ok(Found {
            total,
            rows: Vec::new(),
        });
    }
    let is_grouped = !query.group.is_empty()
        || query
            .select
            .iter()
            .any(|item| matches!(item, Item::Aggregate { .. }));
    let rows = if is_grouped {
        let rows = grouped(org, kind, query, &matching)?;
        let range = cut(rows.len());
        rows[range].to_vec()
    } else {
        let range = cut(matching.len());
        let selected = selection(kind, query)?;
        matching[range]
            .iter()
            .map(|record| selected.row(org, kind, record, now_ms))
            .collect::<Result<_, Problem>>()?
    };
    Ok(Found {
        total: rows.len(),
        rows,
    })
}

/// A field as it is reached from an object: over parents, then the field.
pub(super) struct Reach {
    parents: Vec<&'static Field>,
    pub(super) field: &'static Field,
}

pub(super) fn path(kind: &'static Kind, text: &str) -> Result<Reach, Problem> {
    let mut names: Vec<&str> = text.split('.').collect();
    if names.len() > 1 && names[0].eq_ignore_ascii_case(kind.name) && kind.relationship(names[0]).is_none() {
        names.remove(0);
    }
    let (last, parents) = names
        .split_last()
        .ok_or_else(|| Problem::no_column(text, kind.name))?;
    let mut at = Some(kind);
    let mut reach = Vec::new();
    for parent in parents {
        let field = at.and_then(|kind| kind.relationship(parent)).ok_or_else(|| {
            Problem::bad(
                "INVALID_FIELD",
                format!("Didn't understand relationship '{parent}' in field path."),
            )
        })?;
        at = match field.of {
            Of::Ref { to, .. } => Kind::named(to),
            _ => None,
        };
        reach.push(field);
    }
    // What any object may be (Who, What) has a name, whatever it is.
    let field = match at {
        Some(kind) => kind
            .field(last)
            .ok_or_else(|| Problem::no_column(last, kind.name))?,
        None => Kind::named("Account")
            .and_then(|any| any.field(last))
            .filter(|field| field.name == "Name" || field.name == "Id")
            .ok_or_else(|| Problem::no_column(last, "Name"))?,
    };
    Ok(Reach {
        parents: reach,
        field,
    })
}

impl Reach {
    pub(super) fn value(&self, org: &Org, record: &Record) -> Value {
        let mut record = record;
        let mut kind = None;
        for parent in &self.parents {
            let id = record
                .get(parent.name)
                .and_then(Value::as_str)
                .unwrap_or_default();
            let Some((found_kind, found)) = org.resolve(id) else {
                return Value::Null;
            };
            (kind, record) = (Some(found_kind), found);
        }
        let name = match (self.field.name, kind) {
            ("Name", Some(kind)) if kind.field("Name").is_none() => kind.label,
            (name, _) => name,
        };
        record.get(name).cloned().unwrap_or(Value::Null)
    }

    /// Puts the value where a row has it.
    fn put(&self, org: &Org, record: &Record, row: &mut Map<String, Value>) {
        let (mut record, mut row) = (record, row);
        for parent in &self.parents {
            let Of::Ref { relationship, .. } = parent.of else {
                return;
            };
            let id = record
                .get(parent.name)
                .and_then(Value::as_str)
                .unwrap_or_default();
            let Some((kind, found)) = org.resolve(id) else {
                row.insert(relationship.to_owned(), Value::Null);
                return;
            };
            record = found;
            let Value::Object(inner) = row
                .entry(relationship)
                .or_insert_with(|| json!({ "attributes": attributes(kind, found) }))
            else {
                return;
            };
            row = inner;
        }
        let value = Self {
            parents: Vec::new(),
            field: self.field,
        }
        .value(org, record);
        let value = if value.is_null() && self.field.name == "Name" {
            named(record)
        } else {
            value
        };
        row.insert(self.field.name.to_owned(), value);
    }
}

/// The name of a record of an object whose name lies in another field.
fn named(record: &Record) -> Value {
    let kind = record.get("Id").and_then(Value::as_str).and_then(Kind::of_id);
    kind.and_then(|kind| record.get(kind.label))
        .cloned()
        .unwrap_or(Value::Null)
}

/// What every record says of itself; the URL without its beginning.
pub(super) fn attributes(kind: &Kind, record: &Record) -> Value {
    let id = record.get("Id").and_then(Value::as_str).unwrap_or_default();
    json!({ "type": kind.name, "url": format!("/sobjects/{}/{id}", kind.name) })
}

/// What is selected, bound to the object.
struct Selection<'q> {
    fields: Vec<Reach>,
    children: Vec<(&'static str, &'static str, &'q Query)>,
}

fn selection<'q>(kind: &'static Kind, query: &'q Query) -> Result<Selection<'q>, Problem> {
    let mut selected = Selection {
        fields: Vec::new(),
        children: Vec::new(),
    };
    for item in &query.select {
        match item {
            Item::Field(name) => selected.fields.push(path(kind, name)?),
            Item::Fields { standard, custom } => {
                if *custom && query.limit.is_none_or(|limit| limit > 200) {
                    return Err(Problem::malformed_query(
                        "The SOQL FIELDS function must have a LIMIT of at most 200",
                    ));
                }
                for field in kind.fields() {
                    if if field.is_custom() { *custom } else { *standard } {
                        selected.fields.push(Reach {
                            parents: Vec::new(),
                            field,
                        });
                    }
                }
            }
            Item::Children(child) => {
                let (relationship, _, field) = kind.child(&child.from).ok_or_else(|| {
                    Problem::bad(
                        "INVALID_TYPE",
                        format!(
                            "Didn't understand relationship '{}' in FROM part of query call.",
                            child.from
                        ),
                    )
                })?;
                selected.children.push((relationship, field, child));
            }
            Item::Count | Item::Aggregate { .. } => {
                return Err(Problem::malformed_query(
                    "Grouped query cannot use child relationships in the SELECT list",
                ));
            }
        }
    }
    Ok(selected)
}

impl Selection<'_> {
    fn row(&self, org: &Org, kind: &'static Kind, record: &Record, now_ms: i64) -> Result<Value, Problem> {
        let mut row = Map::new();
        row.insert("attributes".to_owned(), attributes(kind, record));
        for field in &self.fields {
            field.put(org, record, &mut row);
        }
        for (relationship, pointing, query) in &self.children {
            let Some((_, child_kind, _)) = kind.child(relationship) else {
                continue;
            };
            // The children of this record alone, by a condition of ours before theirs.
            let ours = Cond::Is {
                field: (*pointing).to_owned(),
                op: Op::Eq,
                value: Literal::Text(record["Id"].as_str().unwrap_or_default().to_owned()),
            };
            let mut child = (*query).clone();
            child_kind.name.clone_into(&mut child.from);
            child.filter = Some(Cond::All(std::iter::once(ours).chain(child.filter).collect()));
            let found = rows(org, &child, now_ms)?;
            let value = if found.rows.is_empty() {
                Value::Null
            } else {
                json!({ "totalSize": found.total, "done": true, "records": found.rows })
            };
            row.insert((*relationship).to_owned(), value);
        }
        Ok(Value::Object(row))
    }
}

fn grouped(
    org: &Org,
    kind: &'static Kind,
    query: &Query,
    matching: &[&Record],
) -> Result<Vec<Value>, Problem> {
    let keys = query
        .group
        .iter()
        .map(|name| path(kind, name))
        .collect::<Result<Vec<_>, Problem>>()?;
    let mut groups: Vec<(Vec<Value>, Vec<&Record>)> = Vec::new();
    for record in matching {
        let key: Vec<Value> = keys.iter().map(|key| key.value(org, record)).collect();
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push(record),
            None => groups.push((key, vec![record])),
        }
    }
    if keys.is_empty() && groups.is_empty() {
        groups.push((Vec::new(), Vec::new()));
    }
    groups
        .into_iter()
        .map(|(key, members)| {
            let mut row = Map::new();
            row.insert("attributes".to_owned(), json!({ "type": "AggregateResult" }));
            let mut unnamed = 0;
            for item in &query.select {
                match item {
                    Item::Field(name) => {
                        let at = query
                            .group
                            .iter()
                            .position(|known| known.eq_ignore_ascii_case(name))
                            .ok_or_else(|| {
                                Problem::malformed_query(format!(
                                    "Field must be grouped or aggregated: {name}"
                                ))
                            })?;
                        row.insert(keys[at].field.name.to_owned(), key[at].clone());
                    }
                    Item::Aggregate {
                        function,
                        field,
                        alias,
                    } => {
                        let field = path(kind, field)?;
                        let name = alias.clone().unwrap_or_else(|| {
                            unnamed += 1;
                            format!("expr{}", unnamed - 1)
                        });
                        let values = members.iter().map(|record| field.value(org, record));
                        row.insert(name, aggregate(*function, values));
                    }
                    Item::Count | Item::Children(_) | Item::Fields { .. } => {
                        return Err(Problem::malformed_query(
                            "Grouped query cannot use this in the SELECT list",
                        ));
                    }
                }
            }
            Ok(Value::Object(row))
        })
        .collect()
}

fn aggregate(function: Function, values: impl Iterator<Item = Value>) -> Value {
    let values: Vec<Value> = values.filter(|value| !value.is_null()).collect();
    let numbers = || values.iter().filter_map(Value::as_f64);
    let order = Order {
        field: String::new(),
        descending: false,
        nulls_last: false,
    };
    let least = || values.iter().min_by(|a, b| ordering(a, b, &order)).cloned();
    let most = || values.iter().max_by(|a, b| ordering(a, b, &order)).cloned();
    match function {
        Function::Count => json!(values.len()),
        Function::CountDistinct => {
            let mut distinct: Vec<&Value> = Vec::new();
            for value in &values {
                if !distinct.contains(&value) {
                    distinct.push(value);
                }
            }
            json!(distinct.len())
        }
        Function::Sum => json!(numbers().sum::<f64>()),
        Function::Average if values.is_empty() => Value::Null,
        Function::Average => {
            #[allow(clippy::cast_precision_loss, reason = "an org has few records")]
            let count = values.len() as f64;
            json!(numbers().sum::<f64>() / count)
        }
        Function::Least => least().unwrap_or(Value::Null),
        Function::Most => most().unwrap_or(Value::Null),
    }
}

pub(super) fn ordering(a: &Value, b: &Value, order: &Order) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => return Ordering::Equal,
        // Where nulls go does not turn with the direction.
        (true, false) if order.nulls_last => return Ordering::Greater,
        (true, false) => return Ordering::Less,
        (false, true) if order.nulls_last => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        (false, false) => {}
    }
    let found = compare(a, b);
    if order.descending { found.reverse() } else { found }
}

pub(super) fn compare(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => match (a.as_bool(), b.as_bool()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => folded(a).cmp(&folded(b)),
        },
    }
}

fn folded(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests;
