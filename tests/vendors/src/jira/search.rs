//! `/search/jql` and `/search/approximate-count`.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Value, json};

use super::gate::Reached;
use super::issues::answer;
use super::jql::Query;
use super::problem::Problem;
use crate::server::State;
use crate::text::{base64url, number_of, parse_base64};

/// A page when nothing is said, and the largest one with fields.
const USUAL: u64 = 50;
const MOST: u64 = 100;

/// The members of a body.
pub(crate) fn parse(body: &Bytes) -> Result<Value, Problem> {
    serde_json::from_slice::<Value>(body)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| {
            Problem::invalid("Invalid request payload. Refer to the REST API documentation and try again.")
        })
}

pub(crate) async fn search(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let body = parse(&body)?;
    let jql = body["jql"].as_str().unwrap_or_default();
    let query = Query::read(jql, true)?;
    let from = match body["nextPageToken"].as_str() {
        None => 0,
        Some(token) => opened(token, jql)
            .ok_or_else(|| Problem::invalid("The provided next page token is invalid or expired."))?,
    };
    let size = body["maxResults"].as_u64().unwrap_or(USUAL).clamp(1, MOST);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let fields = body["fields"].as_array().map(|fields| {
        let names = fields.iter().filter_map(Value::as_str);
        names.map(str::to_owned).collect::<Vec<String>>()
    });
    Ok(state.site(&reached, |site| {
        let found = query.run(site);
        let page = found.iter().skip(from).take(size);
        // Without named fields there are ids alone.
        let issues: Vec<Value> = page
            .map(|issue| match &fields {
                None => json!({ "id": issue.id.to_string() }),
                Some(fields) => answer(site, issue, fields),
            })
            .collect();
        let end = from + issues.len();
        let last = end >= found.len();
        let mut answer = json!({ "issues": issues, "isLast": last });
        if !last {
            answer["nextPageToken"] = json!(sealed(end, jql));
        }
        Json(answer)
    }))
}

/// A token that goes with its query alone.
fn sealed(from: usize, jql: &str) -> String {
    base64url(format!("{from}:{}", number_of(jql)).as_bytes())
}

fn opened(token: &str, jql: &str) -> Option<usize> {
    let text = String::from_utf8(parse_base64(token)?).ok()?;
    let (from, of) = text.split_once(':')?;
    (of == number_of(jql).to_string())
        .then(|| from.parse().ok())
        .flatten()
}

pub(crate) async fn count(
    Shared(state): Shared<Arc<State>>,
    Extension(reached): Extension<Reached>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let body = parse(&body)?;
    let query = Query::read(body["jql"].as_str().unwrap_or_default(), true)?;
    let count = state.site(&reached, |site| query.run(site).len());
    Ok(Json(json!({ "count": count })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_for_its_own_query_alone() {
        let token = sealed(40, "project = ENG");
        assert_eq!(opened(&token, "project = ENG"), Some(40));
        assert_eq!(opened(&token, "project = OPS"), None);
        assert_eq!(opened("nonsense", "project = ENG"), None);
    }
}
