//! Searching messages: words, and the modifiers `in:` and `from:`.

use serde_json::{Value, json};

use super::Refusal;
use super::methods::link;
use super::params::Params;
use super::workspace::{Channel, Workspace};
use crate::oauth::Session;

/// Pages are numbered and hold at most 100 messages.
pub(super) fn messages(workspace: &Workspace, session: &Session, params: &Params) -> Result<Value, Refusal> {
    let query = params.text("query").ok_or("no_query")?;
    let count = params.number("count", 20)?.clamp(1, 100);
    let page = params.number("page", 1)?.clamp(1, 100);
    let actor = workspace.actor(session);
    let mut found: Vec<(&Channel, &Value)> = workspace
        .channels
        .values()
        .filter(|channel| channel.kind == "public_channel" || channel.members.contains(&actor))
        .flat_map(|channel| channel.messages.iter().map(move |message| (channel, message)))
        .filter(|(channel, message)| matches(workspace, channel, message, &query))
        .collect();
    found.sort_by(|left, right| right.1["ts"].as_str().cmp(&left.1["ts"].as_str()));
    if params.text("sort_dir").as_deref() == Some("asc") {
        found.reverse();
    }
    let matches: Vec<Value> = found
        .iter()
        .skip((page - 1) * count)
        .take(count)
        .map(|(channel, message)| {
            let ts = message["ts"].as_str().unwrap_or_default();
            json!({
                "type": "message",
                "channel": { "id": channel.id, "name": channel.name, "is_private": channel.kind != "public_channel" },
                "user": message["user"],
                "username": name_of(workspace, message),
                "ts": ts,
                "text": message["text"],
                "permalink": link(&workspace.user, &channel.id, ts),
            })
        })
        .collect();
    let total = found.len();
    let pages = total.div_ceil(count);
    Ok(json!({
        "query": query,
        "messages": {
            "total": total,
            "paging": { "count": count, "total": total, "page": page, "pages": pages },
            "matches": matches,
        },
    }))
}

fn matches(workspace: &Workspace, channel: &Channel, message: &Value, query: &str) -> bool {
    let text = message["text"].as_str().unwrap_or_default().to_lowercase();
    query.split_whitespace().all(|word| {
        if let Some(name) = word.strip_prefix("in:") {
            channel.name == name.trim_start_matches('#')
        } else if let Some(name) = word.strip_prefix("from:") {
            name_of(workspace, message) == Some(name.trim_start_matches('@'))
        } else {
            text.contains(&word.trim_matches('"').to_lowercase())
        }
    })
}

fn name_of<'a>(workspace: &'a Workspace, message: &Value) -> Option<&'a str> {
    workspace
        .people
        .iter()
        .find(|person| person["id"] == message["user"])?["name"]
        .as_str()
}
