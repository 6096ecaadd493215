//! Searches by text: SOSL, and the same by parameters.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::kinds::{Kind, Of};
use super::org::{Org, Record};
use super::problem::Problem;
use super::run::{At, base, select, with_urls};
use super::soql;
use crate::oauth::Session;
use crate::server::State;
use crate::text::{all, first, parse_form};

/// Which fields a text is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    All,
    Name,
    Email,
    Phone,
}

impl In {
    fn named(name: &str) -> Result<Self, Problem> {
        match name.to_ascii_uppercase().as_str() {
            "ALL" | "SIDEBAR" => Ok(Self::All),
            "NAME" => Ok(Self::Name),
            "EMAIL" => Ok(Self::Email),
            "PHONE" => Ok(Self::Phone),
            _ => Err(malformed(&format!("unexpected token: {name}"))),
        }
    }
}

fn malformed(message: &str) -> Problem {
    Problem::bad("MALFORMED_SEARCH", message)
}

/// `FIND {text} [IN NAME FIELDS] [RETURNING Account(Id, Name WHERE … LIMIT 5), Contact] [LIMIT 10]`.
pub(super) async fn sosl(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let pairs = parse_form(&query.unwrap_or_default());
    let text = first(&pairs, "q").ok_or_else(|| malformed("There is no parameter q."))?;
    let asked = parse(text)?;
    let base = base(&state, &session, &at);
    let now_ms = state.calendar.now_ms();
    state.org(&session.user, |org| {
        let mut rows = Vec::new();
        for query in &asked.returning {
            rows.extend(matching(org, query, &asked.text, asked.within, now_ms)?);
        }
        rows.truncate(asked.limit);
        Ok(Json(json!({ "searchRecords": with_urls(&base, rows) })))
    })
}

pub(super) async fn parameterized(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(at): Path<At>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let pairs = parse_form(&query.unwrap_or_default());
    let text = first(&pairs, "q").unwrap_or_default();
    if text.chars().count() < 2 {
        return Err(malformed("search term must be longer than one character"));
    }
    let within = In::named(first(&pairs, "in").unwrap_or("ALL"))?;
    let fields = first(&pairs, "fields").unwrap_or("Id");
    let limit = first(&pairs, "overallLimit")
        .and_then(|limit| limit.parse().ok())
        .unwrap_or(2_000);
    let mut objects: Vec<&str> = all(&pairs, "sobject").collect();
    if objects.is_empty() {
        objects = vec!["Account", "Contact", "Lead", "Opportunity", "Case"];
    }
    let base = base(&state, &session, &at);
    let now_ms = state.calendar.now_ms();
    state.org(&session.user, |org| {
        let mut rows = Vec::new();
        for object in objects {
            let query = soql::parse(&format!("SELECT {fields} FROM {object}"))?;
            rows.extend(matching(org, &query, text, within, now_ms)?);
        }
        rows.truncate(limit);
        Ok(Json(json!({ "searchRecords": with_urls(&base, rows) })))
    })
}

struct Asked {
    text: String,
    within: In,
    returning: Vec<soql::Query>,
    limit: usize,
}

fn parse(text: &str) -> Result<Asked, Problem> {
    let rest = text.trim();
    let head = rest.get(..4).unwrap_or_default();
    if !head.eq_ignore_ascii_case("find") {
        return Err(malformed("expecting FIND"));
    }
    let (before, rest) = rest[4..]
        .split_once('{')
        .ok_or_else(|| malformed("expecting {"))?;
    let (term, rest) = rest.split_once('}').ok_or_else(|| malformed("expecting }"))?;
    if !before.trim().is_empty() || term.chars().count() < 2 {
        return Err(malformed("search term must be longer than one character"));
    }
    let upper = rest.to_ascii_uppercase();
    let mut within = In::All;
    if let Some(at) = upper.find("IN ").filter(|at| upper[..*at].trim().is_empty()) {
        let word = rest[at + 3..].split_whitespace().next().unwrap_or_default();
        within = In::named(word)?;
    }
    let mut limit = 2_000;
    let mut returning = Vec::new();
    if let Some(at) = upper.find("RETURNING ") {
        let (objects, after) = top_level(&rest[at + 10..]);
        for object in objects {
            let (name, inner) = match object.split_once('(') {
                Some((name, inner)) => (name, inner.trim_end().strip_suffix(')').unwrap_or(inner)),
                None => (object.as_str(), "Id"),
            };
            let clause = ["WHERE ", "ORDER ", "LIMIT "]
                .iter()
                .filter_map(|word| inner.to_ascii_uppercase().find(word))
                .min()
                .unwrap_or(inner.len());
            let (fields, tail) = inner.split_at(clause);
            returning.push(soql::parse(&format!(
                "SELECT {fields} FROM {} {tail}",
                name.trim()
            ))?);
        }
        if let Some(most) = after {
            limit = most;
        }
    }
    if returning.is_empty() {
        for object in ["Account", "Contact", "Lead", "Opportunity"] {
            returning.push(soql::parse(&format!("SELECT Id FROM {object}"))?);
        }
    }
    Ok(Asked {
        text: term.to_owned(),
        within,
        returning,
        limit,
    })
}

/// The parts between commas outside of parentheses, and the LIMIT after them.
fn top_level(text: &str) -> (Vec<String>, Option<usize>) {
    let mut parts = vec![String::new()];
    let mut depth = 0_i32;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    let mut limit = None;
    if let Some(last) = parts.last_mut() {
        let end = last.rfind(')').map_or(0, |at| at + 1);
        if let Some(at) = last[end..].to_ascii_uppercase().find("LIMIT ") {
            limit = last[end + at + 6..].trim().parse().ok();
            last.truncate(end + at);
        }
    }
    (parts.iter().map(|part| part.trim().to_owned()).collect(), limit)
}

fn matching(
    org: &Org,
    query: &soql::Query,
    text: &str,
    within: In,
    now_ms: i64,
) -> Result<Vec<Value>, Problem> {
    let kind = Kind::named(&query.from).ok_or_else(|| Problem::no_object(&query.from))?;
    let wanted = text.trim_matches(['*', '"']).to_lowercase();
    let hits: Vec<&str> = org
        .all(kind)
        .filter(|record| holds(kind, record, &wanted, within))
        .filter_map(|record| record["Id"].as_str())
        .collect();
    let mut query = query.clone();
    let limit = query.limit.take();
    let rows = select(org, &query, now_ms)?;
    Ok(rows
        .into_iter()
        .filter(|row| {
            row["attributes"]["url"]
                .as_str()
                .and_then(|url| url.rsplit('/').next())
                .is_some_and(|id| hits.contains(&id))
        })
        .take(limit.unwrap_or(usize::MAX))
        .collect())
}

fn holds(kind: &Kind, record: &Record, wanted: &str, within: In) -> bool {
    kind.fields()
        .filter(|field| match within {
            In::All => field.of.is_text() && !matches!(field.of, Of::Id | Of::Ref { .. }),
            In::Name => field.name.ends_with("Name") || field.name == kind.label,
            In::Email => field.of == Of::Email,
            In::Phone => field.name == "Phone",
        })
        .filter_map(|field| record.get(field.name).and_then(Value::as_str))
        .any(|text| text.to_lowercase().contains(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::minutes_before_start;

    #[test]
    fn a_search_of_two_objects_finds_the_text_in_each() {
        let org = Org::seeded("ada", 30);
        let asked = parse(
            "FIND {ada} IN ALL FIELDS RETURNING Contact(Id, Email WHERE Email != null LIMIT 2), Opportunity(Id, Name) LIMIT 9",
        )
        .unwrap();
        assert_eq!((asked.returning.len(), asked.limit), (2, 9));
        let found = matching(&org, &asked.returning[0], "ADA", In::All, minutes_before_start(0)).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found[0]["Email"].as_str().unwrap().ends_with("@ada.example"));
        let none = matching(
            &org,
            &asked.returning[0],
            "nobody",
            In::All,
            minutes_before_start(0),
        )
        .unwrap();
        assert!(none.is_empty());
    }

    #[test]
    fn what_is_no_search_is_refused() {
        for text in [
            "SELECT Id FROM Account",
            "FIND ada",
            "FIND {a}",
            "FIND {ada} IN ODD FIELDS",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
