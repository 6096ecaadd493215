//! What each method does.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Refusal;
use super::params::Params;
use super::workspace::{Workspace, team_id, user_id};
use super::{search, uploads};
use crate::oauth::{Actor, Session};
use crate::text::{base64url, parse_base64};

type Answer = Result<Value, Refusal>;

/// Scopes of a method, any one of which will do; none for methods that are not there.
fn scopes(method: &str) -> Option<&'static [&'static str]> {
    const SEE: &[&str] = &["channels:read", "groups:read", "im:read", "mpim:read"];
    const READ: &[&str] = &["channels:history", "groups:history", "im:history", "mpim:history"];
    const MANAGE: &[&str] = &["channels:manage", "channels:write", "groups:write"];
    Some(match method {
        "auth.test" | "chat.getPermalink" | "chat.scheduledMessages.list" => &[],
        "conversations.list" | "conversations.info" | "conversations.members" => SEE,
        "conversations.history" | "conversations.replies" => READ,
        "conversations.open" => &["im:write", "mpim:write"],
        "conversations.join" => &["channels:join", "channels:write"],
        "conversations.create" | "conversations.invite" | "conversations.archive" => MANAGE,
        "conversations.setTopic" => &[
            "channels:manage",
            "channels:write",
            "groups:write",
            "im:write",
            "mpim:write",
        ],
        "chat.postMessage"
        | "chat.update"
        | "chat.delete"
        | "chat.scheduleMessage"
        | "chat.deleteScheduledMessage" => &["chat:write"],
        "users.list" | "users.info" => &["users:read"],
        "users.lookupByEmail" => &["users:read.email"],
        "users.profile.set" => &["users.profile:write"],
        "usergroups.list" => &["usergroups:read"],
        "reactions.add" | "reactions.remove" => &["reactions:write"],
        "reactions.get" => &["reactions:read"],
        "pins.add" => &["pins:write"],
        "pins.list" => &["pins:read"],
        "search.messages" => &["search:read"],
        "files.list" => &["files:read"],
        "files.getUploadURLExternal" | "files.completeUploadExternal" => &["files:write"],
        "emoji.list" => &["emoji:read"],
        _ => return None,
    })
}

/// Runs a method.
pub(super) fn run(workspace: &mut Workspace, session: &Session, method: &str, params: &Params) -> Answer {
    let needed = scopes(method).ok_or("unknown_method")?;
    let personal = matches!(method, "search.messages" | "users.profile.set");
    if personal && session.actor == Actor::Application {
        return Err("not_allowed_token_type".into());
    }
    if !needed.is_empty() && !needed.iter().any(|scope| session.scopes.contains(*scope)) {
        let provided: Vec<&str> = session.scopes.iter().map(String::as_str).collect();
        let more = json!({ "needed": needed.join(","), "provided": provided.join(",") });
        return Err(Refusal::with("missing_scope", more));
    }
    match method {
        "auth.test" => Ok(identity(workspace, session)),
        "chat.postMessage" => post(workspace, session, params),
        "chat.update" => update(workspace, session, params),
        "chat.delete" => delete(workspace, session, params),
        "chat.scheduleMessage" => schedule(workspace, session, params),
        "chat.scheduledMessages.list" => scheduled(workspace, params),
        "chat.deleteScheduledMessage" => unschedule(workspace, params),
        "chat.getPermalink" => permalink(workspace, session, params),
        "conversations.list" => channels(workspace, session, params),
        "conversations.info" => {
            let actor = workspace.actor(session);
            let channel = workspace.channel(session, &params.need("channel")?)?;
            Ok(json!({ "channel": channel.seen_by(&actor) }))
        }
        "conversations.members" => {
            let channel = workspace.channel(session, &params.need("channel")?)?;
            let members: Vec<Value> = channel.members.iter().map(|id| json!(id)).collect();
            page("members", &members, params)
        }
        "conversations.history" => history(workspace, session, params),
        "conversations.replies" => replies(workspace, session, params),
        "conversations.open" => open(workspace, session, params),
        "conversations.create" => create(workspace, session, params),
        "conversations.join" => join(workspace, session, params),
        "conversations.invite" => invite(workspace, session, params),
        "conversations.setTopic" => {
            let topic = params
                .plain("topic")
                .ok_or_else(|| Refusal::argument("topic"))?
                .to_owned();
            let actor = workspace.actor(session);
            let channel = member_of(workspace, session, params)?;
            channel.topic = topic;
            Ok(json!({ "channel": channel.seen_by(&actor) }))
        }
        "conversations.archive" => {
            let channel = member_of(workspace, session, params)?;
            channel.archived = true;
            Ok(json!({}))
        }
        "users.list" => {
            let people = workspace.people.clone();
            page("members", &people, params)
        }
        "users.info" => {
            let id = params.need("user")?;
            person(workspace, "id", &id)
                .map(|person| json!({ "user": person }))
                .ok_or_else(|| "user_not_found".into())
        }
        "users.lookupByEmail" => {
            let email = params.need("email")?;
            let found = workspace.people.iter().find(|person| {
                person["profile"]["email"]
                    .as_str()
                    .is_some_and(|known| known.eq_ignore_ascii_case(&email))
            });
            found
                .map(|person| json!({ "user": person }))
                .ok_or_else(|| "users_not_found".into())
        }
        "users.profile.set" => profile(workspace, params),
        "usergroups.list" => Ok(user_groups(workspace, params)),
        "reactions.add" | "reactions.remove" => react(workspace, session, params, method == "reactions.add"),
        "reactions.get" => {
            let id = params.need("channel")?;
            let message = message_of(workspace, session, params)?.clone();
            Ok(json!({ "type": "message", "channel": id, "message": message }))
        }
        "pins.add" => {
            let ts = params.need("timestamp")?;
            message_of(workspace, session, params)?;
            let channel = workspace.channel(session, &params.need("channel")?)?;
            if channel.pins.contains(&ts) {
                return Err("already_pinned".into());
            }
            channel.pins.push(ts);
            Ok(json!({}))
        }
        "pins.list" => {
            let channel = workspace.channel(session, &params.need("channel")?)?;
            let items: Vec<Value> = channel
                .messages
                .iter()
                .filter(|message| channel.pins.iter().any(|pin| message["ts"] == pin.as_str()))
                .map(|message| json!({ "type": "message", "channel": channel.id, "message": message }))
                .collect();
            Ok(json!({ "items": items }))
        }
        "search.messages" => search::messages(workspace, session, params),
        "files.list" => uploads::list(workspace, params),
        "files.getUploadURLExternal" => uploads::begin(workspace, session, params),
        "files.completeUploadExternal" => uploads::complete(workspace, session, params),
        "emoji.list" => Ok(json!({ "emoji": { (format!("party-{}", workspace.user)): "alias:tada" } })),
        _ => Err("unknown_method".into()),
    }
}

fn identity(workspace: &Workspace, session: &Session) -> Value {
    let user = &workspace.user;
    let mut answer = json!({
        "url": format!("https://{user}.slack.example/"),
        "team": user,
        "team_id": team_id(user),
        "user": user,
        "user_id": workspace.actor(session),
    });
    if session.actor == Actor::Application {
        answer["user"] = json!(format!("valetkey-of-{user}"));
        answer["bot_id"] = json!(workspace.bot_id());
    }
    answer
}

/// Where the last page ended, as the vendor's cursors look.
pub(super) fn cursor(from: &str) -> String {
    base64url(format!("next:{from}").as_bytes())
}

/// What a cursor says.
pub(super) fn from_cursor(params: &Params) -> Result<Option<String>, Refusal> {
    let Some(text) = params.text("cursor") else {
        return Ok(None);
    };
    let plain = parse_base64(&text).and_then(|bytes| String::from_utf8(bytes).ok());
    match plain.as_deref().and_then(|plain| plain.strip_prefix("next:")) {
        Some(from) => Ok(Some(from.to_owned())),
        None => Err("invalid_cursor".into()),
    }
}

/// A page of a list; the cursor is empty at the end.
fn page(name: &str, all: &[Value], params: &Params) -> Answer {
    let limit = params.number("limit", 100)?;
    if !(1..=1_000).contains(&limit) {
        return Err("invalid_limit".into());
    }
    let from = match from_cursor(params)? {
        Some(from) => from.parse().map_err(|_| Refusal::from("invalid_cursor"))?,
        None => 0,
    };
    let items: Vec<&Value> = all.iter().skip(from).take(limit).collect();
    let end = from + items.len();
    let next = if end < all.len() {
        cursor(&end.to_string())
    } else {
        String::new()
    };
    Ok(json!({ name: items, "response_metadata": { "next_cursor": next } }))
}

fn person<'a>(workspace: &'a Workspace, member: &str, value: &str) -> Option<&'a Value> {
    workspace.people.iter().find(|person| person[member] == value)
}

/// A channel of which the session is a member and where something can be written.
fn member_of<'a>(
    workspace: &'a mut Workspace,
    session: &Session,
    params: &Params,
) -> Result<&'a mut super::workspace::Channel, Refusal> {
    let actor = workspace.actor(session);
    let channel = workspace.channel(session, &params.need("channel")?)?;
    if channel.archived {
        return Err("is_archived".into());
    }
    if !channel.members.contains(&actor) {
        return Err("not_in_channel".into());
    }
    Ok(channel)
}

/// The message that `channel` and `timestamp` name.
fn message_of<'a>(
    workspace: &'a mut Workspace,
    session: &Session,
    params: &Params,
) -> Result<&'a mut Value, Refusal> {
    let ts = params.need("timestamp")?;
    let channel = workspace.channel(session, &params.need("channel")?)?;
    channel.message(&ts).ok_or_else(|| "message_not_found".into())
}

/// What a message says: text in either markup, or blocks.
fn content(params: &Params) -> Result<Map<String, Value>, Refusal> {
    let blocks = params
        .json("blocks")
        .map_err(|_| Refusal::from("invalid_blocks_format"))?;
    let markdown = params.text("markdown_text");
    if markdown.is_some() && (blocks.is_some() || params.text("text").is_some()) {
        return Err("markdown_text_conflict".into());
    }
    let Some(text) = markdown.or_else(|| params.text("text")) else {
        return match blocks {
            Some(blocks) if blocks.is_array() => Ok(Map::from_iter([
                ("text".to_owned(), json!("")),
                ("blocks".to_owned(), blocks),
            ])),
            Some(_) => Err("invalid_blocks".into()),
            None => Err("no_text".into()),
        };
    };
    if text.chars().count() > 40_000 {
        return Err("msg_too_long".into());
    }
    let mut content = Map::from_iter([("text".to_owned(), json!(text))]);
    content.extend(blocks.map(|blocks| ("blocks".to_owned(), blocks)));
    Ok(content)
}

/// The channel that `channel` names: an id, `#name`, or a person to write to.
fn addressed(workspace: &mut Workspace, session: &Session, params: &Params) -> Result<String, Refusal> {
    let name = params.need("channel")?;
    if let Some(name) = name.strip_prefix('#') {
        let found = workspace.channels.values().find(|channel| channel.name == name);
        return found
            .map(|channel| channel.id.clone())
            .ok_or_else(|| "channel_not_found".into());
    }
    if person(workspace, "id", &name).is_some() {
        let members = BTreeSet::from([workspace.actor(session), name.clone()]);
        return Ok(workspace.conversation(members, &name));
    }
    Ok(name)
}

fn authored(workspace: &Workspace, session: &Session, content: Map<String, Value>) -> Value {
    let mut message =
        json!({ "type": "message", "user": workspace.actor(session), "team": team_id(&workspace.user) });
    if session.actor == Actor::Application {
        message["bot_id"] = json!(workspace.bot_id());
    }
    crate::faults::merge(&mut message, &Value::Object(content));
    message
}

fn post(workspace: &mut Workspace, session: &Session, params: &Params) -> Answer {
    let id = addressed(workspace, session, params)?;
    let content = content(params)?;
    let actor = workspace.actor(session);
    let channel = workspace.channel(session, &id)?;
    if channel.archived {
        return Err("is_archived".into());
    }
    if !channel.members.contains(&actor) {
        return Err("not_in_channel".into());
    }
    let thread = params.text("thread_ts");
    if let Some(thread) = &thread
        && channel.message(thread).is_none()
    {
        return Err("thread_not_found".into());
    }
    let mut message = authored(workspace, session, content);
    if let Some(thread) = thread {
        message["thread_ts"] = json!(thread);
        if params.flag("reply_broadcast") {
            message["subtype"] = json!("thread_broadcast");
        }
    }
    let ts = workspace.post(&id, message);
    let message = workspace.channel(session, &id)?.message(&ts).cloned();
    Ok(json!({ "channel": id, "ts": ts, "message": message }))
}

fn update(workspace: &mut Workspace, session: &Session, params: &Params) -> Answer {
    let content = content(params)?;
    let actor = workspace.actor(session);
    let id = params.need("channel")?;
    let ts = params.need("ts")?;
    let edited = json!({ "user": actor, "ts": format!("{}.000000", workspace.now_seconds()) });
    let message = workspace
        .channel(session, &id)?
        .message(&ts)
        .ok_or("message_not_found")?;
    if message["user"] != actor.as_str() {
        return Err("cant_update_message".into());
    }
    message["blocks"] = Value::Null;
    crate::faults::merge(message, &Value::Object(content));
    if message["blocks"].is_null() {
        crate::faults::merge(message, &json!({ "blocks": null }));
    }
    message["edited"] = edited;
    Ok(json!({ "channel": id, "ts": ts, "text": message["text"], "message": message }))
}

fn delete(workspace: &mut Workspace, session: &Session, params: &Params) -> Answer {
    let actor = workspace.actor(session);
    let id = params.need("channel")?;
    let ts = params.need("ts")?;
    let channel = workspace.channel(session, &id)?;
    let message = channel.message(&ts).ok_or("message_not_found")?;
    if message["user"] != actor.as_str() {
        return Err("cant_delete_message".into());
    }
    channel.messages.retain(|message| message["ts"] != ts.as_str());
    channel.pins.retain(|pin| *pin != ts);
    Ok(json!({ "channel": id, "ts": ts }))
}

fn schedule(workspace: &mut Workspace, session: &Session, params: &Params) -> Answer {
    let content = content(params)?;
    let at = i64::try_from(params.number("post_at", 0)?).unwrap_or(0);
    let id = member_of(workspace, session, params)?.id.clone();
    let now = workspace.now_seconds();
    if at <= now {
        return Err("time_in_past".into());
    }
    if at > now + 120 * 86_400 {
        return Err("time_too_far".into());
    }
    let scheduled_id = workspace.fresh('Q');
    workspace.scheduled.push(json!({
        "id": scheduled_id,
        "channel_id": id,
        "post_at": at,
        "date_created": now,
        "text": content["text"],
    }));
    let mut message = authored(workspace, session, content);
    message["type"] = json!("delayed_message");
    Ok(json!({ "channel": id, "scheduled_message_id": scheduled_id, "post_at": at, "message": message }))
}

fn scheduled(workspace: &Workspace, params: &Params) -> Answer {
    let channel = params.text("channel");
    let all: Vec<Value> = workspace
        .scheduled
        .iter()
        .filter(|waiting| {
            channel
                .as_deref()
                .is_none_or(|channel| waiting["channel_id"] == channel)
        })
        .cloned()
        .collect();
    page("scheduled_messages", &all, params)
}

fn unschedule(workspace: &mut Workspace, params: &Params) -> Answer {
    let id = params.need("scheduled_message_id")?;
    let before = workspace.scheduled.len();
    workspace.scheduled.retain(|waiting| waiting["id"] != id.as_str());
    if workspace.scheduled.len() == before {
        return Err("invalid_scheduled_message_id".into());
    }
    Ok(json!({}))
}

fn permalink(workspace: &mut Workspace, session: &Session, params: &Params) -> Answer {
    let ts = params.need("message_ts")?;
    let user = workspace.user.clone();
    let channel = workspace.channel(session, &params.need("channel")?)?;
    channel.message(&ts).ok_or("message_not_found")?;
    let link = link(&user, &channel.id, &ts);
    Ok(json!({ "channel": channel.id, "permalink": link }))
}

/// The address of a message.
pub(super) fn link(user: &str, channel: &str, ts: &str) -> String {
    format!(
        "https://{user}.slack.example/archives/{channel}/p{}",
        ts.replace('.', "")
    )
}

fn channels(workspace: &Workspace, session: &Session, params: &Params) -> Answer {
    let actor = workspace.actor(session);
    let types = params
        .text("types")
        .unwrap_or_else(|| "public_channel".to_owned());
    let kinds: Vec<&str> = types.split(',').map(str::trim).collect();
    if kinds
        .iter()
        .any(|kind| !["public_channel", "private_channel", "mpim", "im"].contains(kind))
    {
        return Err("invalid_types".into());
    }
    let without_archived = params.flag("exclude_archived");
    let all: Vec<Value> = workspace
        .channels
        .values()
        .filter(|channel| kinds.contains(&channel.kind) && !(without_archived && channel.archived))
        .filter(|channel| channel.kind == "public_channel" || channel.members.contains(&actor))
        .map(|channel| channel.seen_by(&actor))
        .collect();
    page("channels", &all, params)
}

/// Whether a `ts` lies within `oldest` and `latest`.
fn within(params: &Params, ts: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().unwrap_or(0.0);
    let inclusive = params.flag("inclusive");
    let ts = number(ts);
    let after = params.text("oldest").is_none_or(|oldest| {
        let oldest = number(&oldest);
        ts > oldest || (inclusive && ts >= oldest)
    });
    after
        && params.text("latest").is_none_or(|latest| {
            let latest = number(&latest);
            ts < latest || (inclusive && ts <= latest)
        })
}

/// Newest first, without what was said in threads alone. A cursor names the last message shown, so
/// that new ones do not shift the pages.
fn history(workspace: &mut Workspace, session: &Session, params: &Params) -> Answer {
    let limit = params.number("limit", 100)?.clamp(1, 999);
    let before = from_cursor(params)?;
    let channel = workspace.channel(session, &params.need("channel")?)?;
    let mut found = channel.messages.iter().rev().filter(|message| {
        let ts = message["ts"].as_str().unwrap_or_default();
        let in_thread = message["thread_ts"].as_str().is_some_and(|root| root != ts);
        let shown = !in_thread || message["subtype"] == "thread_broadcast";
        shown && before.as_deref().is_none_or(|before| ts < before) && within(params, ts)
    });
    let messages: Vec<&Value> = found.by_ref().take(limit).collect();
    let more = found.next().is_some();
    let mut answer = json!({ "messages": messages, "has_more": more, "pin_count": channel.pins.len() });
    if let (true, Some(last)) = (more, messages.last()) {
        let next = cursor(last["ts"].as_str().unwrap_or_default());
        answer["response_metadata"] = json!({ "next_cursor": next });
    }
    Ok(answer)
}

fn replies(workspace: &mut Workspace, session: &Session, params: &Params) -> Answer {
    let ts = params.need("ts")?;
    let limit = params.number("limit", 100)?.clamp(1, 999);
    let after = from_cursor(params)?;
    let channel = workspace.channel(session, &params.need("channel")?)?;
    channel.message(&ts).ok_or("thread_not_found")?;
    let mut found = channel.messages.iter().filter(|message| {
        let own = message["ts"].as_str().unwrap_or_default();
        let of_thread = own == ts || message["thread_ts"] == ts.as_str();
        of_thread && after.as_deref().is_none_or(|after| own > after) && (own == ts || within(params, own))
    });
    let messages: Vec<&Value> = found.by_ref().take(limit).collect();
    let more = found.next().is_some();
    let mut answer = json!({ "messages": messages, "has_more": more });
    if let (true, Some(last)) = (more, messages.last()) {
        let next = cursor(last["ts"].as_str().unwrap_or_default());
        answer["response_metadata"] = json!({ "next_cursor": next });
    }
    Ok(answer)
}

/// Ids separated by commas, each of them somebody's.
fn people_of(workspace: &Workspace, params: &Params) -> Result<BTreeSet<String>, Refusal> {
    let users = params.need("users")?;
    let ids: BTreeSet<String> = users.split(',').map(|id| id.trim().to_owned()).collect();
    if ids.iter().any(|id| person(workspace, "id", id).is_none()) {
        return Err("user_not_found".into());
    }
    Ok(ids)
}

fn open(workspace: &mut Workspace, session: &Session, params: &Params) -> Answer {
    let mut members = people_of(workspace, params)?;
    let with = members.iter().cloned().collect::<Vec<_>>().join("-");
    members.insert(workspace.actor(session));
    let id = workspace.conversation(members, &with);
    Ok(json!({ "channel": { "id": id } }))
}

fn create(workspace: &mut Workspace, session: &Session, params: &Params) -> Answer {
    let name = params.need("name")?;
    let plain = name.len() <= 80
        && name
            .chars()
            .all(|c| c.is_alphanumeric() && !c.is_uppercase() || c == '-' || c == '_');
    if !plain {
        return Err("invalid_name_specials".into());
    }
    if workspace.channels.values().any(|channel| channel.name == name) {
        return Err("name_taken".into());
    }
    let actor = workspace.actor(session);
    let kind = if params.flag("is_private") {
        "private_channel"
    } else {
        "public_channel"
    };
    let id = workspace.add_channel(&name, kind, BTreeSet::from([actor.clone()]));
    Ok(json!({ "channel": workspace.channel(session, &id)?.seen_by(&actor) }))
}

fn join(workspace: &mut Workspace, session: &Session, params: &Params) -> Answer {
    let actor = workspace.actor(session);
    let channel = workspace.channel(session, &params.need("channel")?)?;
    if channel.archived {
        return Err("is_archived".into());
    }
    if channel.kind != "public_channel" {
        return Err("method_not_supported_for_channel_type".into());
    }
    let is_new = channel.members.insert(actor.clone());
    let mut answer = json!({ "channel": channel.seen_by(&actor) });
    if !is_new {
        answer["warning"] = json!("already_in_channel");
        answer["response_metadata"] = json!({ "warnings": ["already_in_channel"] });
    }
    Ok(answer)
}

fn invite(workspace: &mut Workspace, session: &Session, params: &Params) -> Answer {
    let invited = people_of(workspace, params)?;
    let actor = workspace.actor(session);
    let channel = member_of(workspace, session, params)?;
    if invited.contains(&actor) {
        return Err("cant_invite_self".into());
    }
    if let Some(member) = invited.iter().find(|id| channel.members.contains(*id)) {
        let errors = json!({ "errors": [{ "user": member, "ok": false, "error": "already_in_channel" }] });
        return Err(Refusal::with("already_in_channel", errors));
    }
    channel.members.extend(invited);
    Ok(json!({ "channel": channel.seen_by(&actor) }))
}

fn profile(workspace: &mut Workspace, params: &Params) -> Answer {
    let wanted = params.json("profile").ok().flatten().ok_or("invalid_profile")?;
    let id = user_id(&workspace.user);
    let person = workspace
        .people
        .iter_mut()
        .find(|person| person["id"] == id.as_str());
    let profile = &mut person.ok_or("user_not_found")?["profile"];
    for name in ["status_text", "status_emoji", "status_expiration"] {
        if let Some(value) = wanted.get(name) {
            profile[name] = value.clone();
        }
    }
    Ok(json!({ "profile": profile }))
}

fn user_groups(workspace: &Workspace, params: &Params) -> Value {
    let users: Vec<&Value> = workspace
        .people
        .iter()
        .take(3)
        .map(|person| &person["id"])
        .collect();
    let mut group = json!({
        "id": format!("S{}", &team_id(&workspace.user)[1..]),
        "team_id": team_id(&workspace.user),
        "handle": format!("support-of-{}", workspace.user),
        "name": format!("Support of {}", workspace.user),
        "user_count": users.len(),
    });
    if params.flag("include_users") {
        group["users"] = json!(users);
    }
    json!({ "usergroups": [group] })
}

fn react(workspace: &mut Workspace, session: &Session, params: &Params, add: bool) -> Answer {
    let name = params.need("name")?;
    let plain = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-+'".contains(c));
    if !plain {
        return Err("invalid_name".into());
    }
    let actor = json!(workspace.actor(session));
    let message = message_of(workspace, session, params)?;
    let mut reactions = message["reactions"].as_array().cloned().unwrap_or_default();
    let at = reactions
        .iter()
        .position(|reaction| reaction["name"] == name.as_str());
    let mut users = at
        .and_then(|at| reactions[at]["users"].as_array().cloned())
        .unwrap_or_default();
    match (users.contains(&actor), add) {
        (true, true) => return Err("already_reacted".into()),
        (false, false) => return Err("no_reaction".into()),
        (false, true) => users.push(actor),
        (true, false) => users.retain(|user| *user != actor),
    }
    if let Some(at) = at {
        reactions.remove(at);
    }
    if !users.is_empty() {
        reactions.push(json!({ "name": name, "count": users.len(), "users": users }));
    }
    message["reactions"] = json!(reactions);
    Ok(json!({}))
}

#[cfg(test)]
mod tests;
