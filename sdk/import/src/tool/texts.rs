//! What a tool says of itself: the vendor's words, cut to what a model reads.

use crate::model::{Api, Body, Operation};
use crate::{hints, names, words};

/// Characters of a description; OpenAI takes no more.
const MAX_DESCRIPTION: usize = 1_024;
const MIN_DESCRIPTION: usize = 40;
const MAX_TITLE: usize = 60;
const MAX_TAGS: usize = 4;

pub(super) fn title(operation: &Operation, name: &str) -> String {
    let said = words::plain(&operation.summary, MAX_TITLE);
    let said = said.trim_end_matches('.').trim();
    if (3..=MAX_TITLE).contains(&said.chars().count()) {
        return said.to_owned();
    }
    let words = name.split_once('_').map_or(name, |(_, rest)| rest);
    let mut words = words::sentence_of(words);
    if words.len() < 3 {
        words = words::sentence_of(name);
    }
    words
}

/// The vendor's sentences, and what is sent, so that a model and a reviewer know what they look at.
pub(super) fn description(api: &Api, operation: &Operation) -> String {
    let sent = match &operation.body {
        Body::GraphQl { .. } => format!(
            "Calls the GraphQL field {}.",
            operation.id.as_deref().unwrap_or_default()
        ),
        _ => format!(
            "Sends {} {}.",
            operation.method,
            operation.path.replace(['{', '}'], "")
        ),
    };
    let sent: String = sent.chars().take(300).collect();
    let room = MAX_DESCRIPTION - sent.chars().count() - 2;
    let summary = words::plain(&operation.summary, room);
    let said = words::plain(&operation.description, room);
    let mut text = if said.starts_with(summary.trim_end_matches('.')) || summary.is_empty() {
        said
    } else {
        words::plain(&format!("{} {said}", words::ended(&summary)), room)
    };
    text = match text.is_empty() {
        true => sent,
        false => format!("{} {sent}", words::ended(&text)),
    };
    if text.chars().count() < MIN_DESCRIPTION {
        let title = words::plain(&api.title, 60);
        text = format!(
            "{text} Answers what {} answers.",
            if title.is_empty() { "the vendor" } else { &title }
        );
    }
    if text.chars().count() < MIN_DESCRIPTION {
        text.push_str(" Its specification says no more.");
    }
    text
}

pub(super) fn tags(operation: &Operation) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    if hints::searches(operation) {
        tags.push("search".to_owned());
    }
    for tag in &operation.tags {
        let tag = names::word(tag, "");
        if !tag.is_empty() && !tags.contains(&tag) && tags.len() < MAX_TAGS {
            tags.push(tag);
        }
    }
    // The tag by which a POST says that it only reads.
    let reads = hints::of(operation).0.read_only;
    tags.retain(|tag| tag != "search" || reads);
    tags
}
