//! The searches: words and `name:value` qualifiers, and never more than the first 1,000 results.

use std::sync::Arc;

use axum::extract::{RawQuery, State as Shared};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::gate::permit;
use super::issues::{has_label, order};
use super::page::Page;
use super::problem::Problem;
use super::repos::{api, repository};
use super::world::{World, blob_sha};
use crate::oauth::Session;
use crate::server::State;
use crate::text::{Pairs, first, parse_form};

const MOST: usize = 1_000;

/// A search, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Terms {
    words: Vec<String>,
    qualifiers: Vec<(String, String)>,
}

impl Terms {
    /// Parts at blanks that stand in no quotation marks.
    fn read(query: &str) -> Self {
        let mut terms = Self {
            words: Vec::new(),
            qualifiers: Vec::new(),
        };
        let mut quoted = false;
        let parts = query.split(|letter: char| {
            quoted ^= letter == '"';
            letter == ' ' && !quoted
        });
        for part in parts.filter(|part| !part.is_empty()) {
            match part.split_once(':') {
                Some((name, value)) => terms
                    .qualifiers
                    .push((name.to_lowercase(), value.trim_matches('"').to_owned())),
                None => terms.words.push(part.trim_matches('"').to_lowercase()),
            }
        }
        terms
    }

    fn all<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t str> {
        let named = self.qualifiers.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Whether every word is in a text.
    fn in_text(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.words.iter().all(|word| text.contains(word))
    }

    /// Repositories that may be meant; naming one that the token does not reach is an error.
    fn check_repos(&self, world: &World) -> Result<(), Problem> {
        for full in self.all("repo") {
            let known = full
                .split_once('/')
                .is_some_and(|(owner, name)| owner == world.login && world.repos.contains_key(name));
            if !known {
                return Err(Problem::custom(
                    "Search",
                    "The listed users and repositories cannot be searched either because the resources do not exist \
                     or you do not have permission to view them.",
                ));
            }
        }
        Ok(())
    }

    fn takes_repo(&self, owner: &str, name: &str) -> bool {
        let full = format!("{owner}/{name}");
        let (mut repos, mut owners) = (
            self.all("repo").peekable(),
            self.all("org").chain(self.all("user")).peekable(),
        );
        (repos.peek().is_none() || repos.any(|repo| repo == full))
            && (owners.peek().is_none() || owners.any(|one| one == owner))
    }
}

fn asked(query: Option<String>) -> Result<(Pairs, Terms, Page), Problem> {
    let query = parse_form(&query.unwrap_or_default());
    let terms = first(&query, "q")
        .filter(|text| !text.is_empty())
        .map(Terms::read)
        .ok_or_else(|| Problem::field("Search", "q", "missing"))?;
    let page = Page::of(&query);
    if page.end() > MOST {
        return Err(Problem::unprocessable(
            "Only the first 1000 search results are available",
        ));
    }
    Ok((query, terms, page))
}

fn answer(page: &Page, found: &[Value], address: &str) -> Response {
    let body = json!({ "total_count": found.len(), "incomplete_results": false, "items": page.take(found) });
    page.linked(Json(body).into_response(), found.len().min(MOST), address)
}

pub(crate) async fn issues(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (query, terms, page) = asked(query)?;
    let mut found = state.github(&session.user, |world| {
        terms.check_repos(world)?;
        let login = &world.login;
        let me = |value: &str| {
            if value == "@me" {
                login.clone()
            } else {
                value.to_owned()
            }
        };
        let fits = |issue: &Value| {
            let text = format!(
                "{} {}",
                issue["title"].as_str().unwrap_or_default(),
                issue["body"].as_str().unwrap_or_default()
            );
            let is = |what: &str| match what {
                "issue" => issue.get("pull_request").is_none(),
                "pr" | "pull-request" => issue.get("pull_request").is_some(),
                state => issue["state"] == state,
            };
            terms.in_text(&text)
                && terms
                    .all("is")
                    .chain(terms.all("type"))
                    .chain(terms.all("state"))
                    .all(is)
                && terms.all("label").all(|label| has_label(issue, label))
                && terms
                    .all("author")
                    .all(|author| issue["user"]["login"] == me(author).as_str())
                && terms.all("assignee").all(|one| {
                    let mut people = issue["assignees"].as_array().into_iter().flatten();
                    people.any(|person| person["login"] == me(one).as_str())
                })
        };
        let reached = world
            .repos
            .values()
            .filter(|repo| permit(&state, &session, repo, false).is_ok());
        Ok(reached
            .filter(|repo| terms.takes_repo(&repo.owner, &repo.name))
            .flat_map(|repo| repo.issues.values())
            .filter(|issue| fits(issue))
            .cloned()
            .collect::<Vec<Value>>())
    })?;
    order(&mut found, &query, "created");
    Ok(answer(&page, &found, &format!("{}/search/issues", api(&state))))
}

pub(crate) async fn repositories(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (_, terms, page) = asked(query)?;
    let api = api(&state);
    let found: Vec<Value> = state.github(&session.user, |world| {
        let reached = world
            .repos
            .values()
            .filter(|repo| permit(&state, &session, repo, false).is_ok());
        reached
            .filter(|repo| terms.takes_repo(&repo.owner, &repo.name) && terms.in_text(&repo.name))
            .map(|repo| repository(&api, repo))
            .collect()
    });
    Ok(answer(&page, &found, &format!("{api}/search/repositories")))
}

/// Files of default branches, with the lines around each hit for those who ask for them.
pub(crate) async fn code(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (_, terms, page) = asked(query)?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let with_lines = accept.is_some_and(|accept| accept.contains("text-match"));
    let api = api(&state);
    let found = state.github(&session.user, |world| {
        terms.check_repos(world)?;
        let mut found = Vec::new();
        let reached = world.repos.values().filter(|repo| permit(&state, &session, repo, false).is_ok());
        for repo in reached.filter(|repo| terms.takes_repo(&repo.owner, &repo.name)) {
            for (path, content) in &repo.branches["main"].files {
                let text = String::from_utf8_lossy(content);
                if !terms.in_text(&text) || !terms.all("path").all(|part| path.contains(part)) {
                    continue;
                }
                let mut item = json!({
                    "name": path.rsplit('/').next(),
                    "path": path,
                    "sha": blob_sha(content),
                    "html_url": format!("https://github.example/{}/{}/blob/main/{path}", repo.owner, repo.name),
                    "repository": repository(&api, repo),
                    "score": 1.0,
                });
                if with_lines {
                    let lines: Vec<Value> = terms
                        .words
                        .iter()
                        .filter_map(|word| text.lines().find(|line| line.to_lowercase().contains(word)))
                        .map(|line| json!({ "object_type": "FileContent", "property": "content", "fragment": line }))
                        .collect();
                    item["text_matches"] = json!(lines);
                }
                found.push(item);
            }
        }
        Ok(found)
    })?;
    Ok(answer(&page, &found, &format!("{api}/search/code")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_words_and_qualifiers() {
        let terms = Terms::read(r#"Totals "round wrongly" is:open label:"help wanted" repo:ada/shop"#);
        assert_eq!(terms.words, ["totals", "round wrongly"]);
        assert_eq!(terms.all("label").collect::<Vec<_>>(), ["help wanted"]);
        assert!(terms.takes_repo("ada", "shop"));
        assert!(!terms.takes_repo("ada", "docs"));
        assert!(terms.in_text("The totals round wrongly."));
        assert!(!terms.in_text("The totals wrongly round."));
    }
}
