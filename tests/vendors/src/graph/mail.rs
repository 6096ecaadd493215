//! `/messages`, `/mailFolders`, `/sendMail`.

use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::gate::permit;
use super::outlook::{Folder, Outlook, ROOT, person, text_of};
use super::problem::Problem;
use super::query::{Prefers, list as listed, one};
use crate::calendar::rfc3339;
use crate::faults::merge;
use crate::oauth::Session;
use crate::server::State;
use crate::text::{escape_html, parse_base64};

const READ: [&str; 2] = ["Mail.ReadWrite", "Mail.Read"];
const WRITE: [&str; 1] = ["Mail.ReadWrite"];
const SEND: [&str; 1] = ["Mail.Send"];
/// The most that is attached by one request, in bytes.
const MAX_ATTACHMENT: usize = 3 * 1024 * 1024;

type Answer = Result<Json<Value>, Problem>;

/// Mails of a folder, or of all, the newest first.
fn mails(outlook: &Outlook, folder: Option<&str>, prefers: Prefers) -> Vec<Value> {
    let mut found: Vec<Value> = outlook
        .mails
        .values()
        .filter(|mail| folder.is_none_or(|folder| mail.folder == folder))
        .map(|mail| outlook.shown(mail, prefers))
        .collect();
    found.sort_by_key(|mail| std::cmp::Reverse(mail["receivedDateTime"].to_string()));
    found
}

pub(crate) async fn list_all(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    permit(&session, &READ)?;
    let prefers = Prefers::read(&headers)?;
    let found = state.outlook(&session.user, |outlook| mails(outlook, None, prefers));
    listed(&state.base_url, &full(&uri), "messages", 10, found)
}

pub(crate) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(folder): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    permit(&session, &READ)?;
    let prefers = Prefers::read(&headers)?;
    let found = state.outlook(&session.user, |outlook| {
        let folder = outlook.folder(&folder)?;
        Ok(mails(outlook, Some(&folder), prefers))
    })?;
    listed(&state.base_url, &full(&uri), "messages", 10, found)
}

/// The address as it was asked for: inside a nested router the beginning of the path is gone.
pub(crate) fn full(uri: &Uri) -> Uri {
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    if path.starts_with("/graph") {
        return uri.clone();
    }
    format!("/graph/v1.0/me{path}")
        .parse()
        .unwrap_or_else(|_| uri.clone())
}

pub(crate) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    permit(&session, &READ)?;
    let prefers = Prefers::read(&headers)?;
    state.outlook(&session.user, |outlook| {
        let number = outlook.mail(&id)?.number;
        let shown = outlook.shown(&outlook.mails[&number], prefers);
        Ok(one(&uri, "messages", shown))
    })
}

/// The mail as MIME.
pub(crate) async fn mime(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    permit(&session, &READ)?;
    state.outlook(&session.user, |outlook| {
        let mail = outlook.mail(&id)?;
        let address = |value: &Value| value["emailAddress"]["address"].as_str().unwrap_or_default().to_owned();
        let text = format!(
            "From: {}\r\nTo: {}\r\nSubject: {}\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{}\r\n",
            address(&mail.json["from"]),
            address(&mail.json["toRecipients"][0]),
            mail.json["subject"].as_str().unwrap_or_default(),
            mail.html
        );
        Ok(([(header::CONTENT_TYPE, "text/plain")], text).into_response())
    })
}

pub(crate) async fn attachments(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    uri: Uri,
) -> Answer {
    permit(&session, &READ)?;
    let found = state.outlook(&session.user, |outlook| {
        let mail = outlook.mail(&id)?;
        Ok::<_, Problem>(mail.attachments.iter().map(|file| file.json.clone()).collect())
    })?;
    listed(&state.base_url, &full(&uri), "attachments", 100, found)
}

pub(crate) async fn attachment(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((id, attachment)): Path<(String, String)>,
) -> Result<Response, Problem> {
    permit(&session, &READ)?;
    state.outlook(&session.user, |outlook| {
        let mail = outlook.mail(&id)?;
        let file = mail
            .attachments
            .iter()
            .find(|file| file.json["id"] == attachment)
            .ok_or_else(Problem::not_found)?;
        let kind = file.json["contentType"]
            .as_str()
            .unwrap_or("application/octet-stream");
        Ok(([(header::CONTENT_TYPE, kind.to_owned())], file.content.clone()).into_response())
    })
}

pub(crate) async fn attach(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    permit(&session, &WRITE)?;
    let file = Value::Object(object(&body)?);
    if file["@odata.type"] != "#microsoft.graph.fileAttachment" {
        return Err(Problem::invalid(
            "The @odata.type says what kind of attachment it is.",
        ));
    }
    let content = file["contentBytes"]
        .as_str()
        .and_then(parse_base64)
        .filter(|content| content.len() <= MAX_ATTACHMENT)
        .ok_or_else(|| Problem::invalid("The content is base64 of at most 3 MB."))?;
    let name = file["name"]
        .as_str()
        .ok_or_else(|| Problem::invalid("An attachment has a name."))?;
    let kind = file["contentType"].as_str().unwrap_or("application/octet-stream");
    state.outlook(&session.user, |outlook| {
        let number = outlook.mail(&id)?.number;
        let mut made = outlook.attach(number, name, kind, content);
        made["contentBytes"] = file["contentBytes"].clone();
        Ok((StatusCode::CREATED, Json(made)))
    })
}

pub(crate) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    permit(&session, &WRITE)?;
    let prefers = Prefers::read(&headers)?;
    let message = Value::Object(object(&body)?);
    expect_recipients(&message)?;
    let now = state.calendar.now_ms();
    state.outlook(&session.user, |outlook| {
        let number = draft(outlook, &message, now);
        let shown = outlook.shown(&outlook.mails[&number], prefers);
        Ok((StatusCode::CREATED, one(&uri, "messages", shown)))
    })
}

/// Keeps what a client wrote as a draft.
fn draft(outlook: &mut Outlook, message: &Value, now: i64) -> u64 {
    let address = person(&outlook.address);
    let mut json = json!({
        "conversationId": Value::Null, "subject": "", "from": address, "sender": address,
        "toRecipients": [], "ccRecipients": [], "bccRecipients": [], "replyTo": [],
        "receivedDateTime": rfc3339(now), "sentDateTime": rfc3339(now),
        "isRead": true, "isDraft": true, "importance": "normal", "categories": [],
        "flag": { "flagStatus": "notFlagged" },
    });
    let mut members = message.clone();
    let html = take_body(&mut members).unwrap_or_default();
    merge(&mut json, &members);
    if json["conversationId"].is_null() {
        let number = outlook.fresh();
        json["conversationId"] = json!(format!("AAQk{}n{number}", outlook.user));
    }
    outlook.add_mail("drafts", json, html)
}

/// The body of what a client wrote, as HTML, taken out of it.
fn take_body(message: &mut Value) -> Option<String> {
    let body = message.as_object_mut()?.remove("body")?;
    let content = body["content"].as_str().unwrap_or_default();
    let is_html = body["contentType"]
        .as_str()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("html"));
    Some(if is_html {
        content.to_owned()
    } else {
        as_html(content)
    })
}

fn as_html(text: &str) -> String {
    format!("<html><body><p>{}</p></body></html>", escape_html(text))
}

fn expect_recipients(message: &Value) -> Result<(), Problem> {
    let lists = ["toRecipients", "ccRecipients", "bccRecipients"];
    let all = lists
        .iter()
        .filter_map(|name| message[*name].as_array())
        .flatten();
    for recipient in all {
        let address = recipient["emailAddress"]["address"].as_str();
        if !address.is_some_and(|address| address.contains('@')) {
            return Err(Problem::bad_recipient());
        }
    }
    Ok(())
}

pub(crate) async fn update(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Answer {
    permit(&session, &WRITE)?;
    let prefers = Prefers::read(&headers)?;
    let mut change = Value::Object(object(&body)?);
    expect_recipients(&change)?;
    state.outlook(&session.user, |outlook| {
        let mail = outlook.mail(&id)?;
        let only_of_drafts = ["subject", "body", "toRecipients", "ccRecipients", "bccRecipients"];
        if mail.json["isDraft"] != true && only_of_drafts.iter().any(|name| !change[*name].is_null()) {
            return Err(Problem::invalid(
                "Only a draft's text and recipients can be changed.",
            ));
        }
        if let Some(html) = take_body(&mut change) {
            mail.html = html;
        }
        merge(&mut mail.json, &change);
        let number = mail.number;
        let shown = outlook.shown(&outlook.mails[&number], prefers);
        Ok(one(&uri, "messages", shown))
    })
}

pub(crate) async fn delete(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    permit(&session, &WRITE)?;
    state.outlook(&session.user, |outlook| {
        let number = outlook.mail(&id)?.number;
        outlook.mails.remove(&number);
        Ok(StatusCode::NO_CONTENT)
    })
}

/// Sends a new mail: it is among the sent ones afterwards, unless the request says otherwise.
pub(crate) async fn send(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    permit(&session, &SEND)?;
    let asked = Value::Object(object(&body)?);
    let message = &asked["message"];
    if !message["toRecipients"]
        .as_array()
        .is_some_and(|to| !to.is_empty())
    {
        return Err(Problem::bad_recipient());
    }
    expect_recipients(message)?;
    let now = state.calendar.now_ms();
    state.outlook(&session.user, |outlook| {
        let number = draft(outlook, message, now);
        if asked["saveToSentItems"] == false {
            outlook.mails.remove(&number);
        } else {
            go_out(outlook, number, now)?;
        }
        Ok(StatusCode::ACCEPTED)
    })
}

fn go_out(outlook: &mut Outlook, number: u64, now: i64) -> Result<(), Problem> {
    let sent = outlook.folder_id("sentitems");
    let mail = outlook.mails.get_mut(&number).ok_or_else(Problem::not_found)?;
    if mail.json["isDraft"] != true {
        return Err(Problem::invalid("Only a draft can be sent."));
    }
    mail.json["isDraft"] = json!(false);
    mail.json["sentDateTime"] = json!(rfc3339(now));
    mail.json["receivedDateTime"] = json!(rfc3339(now));
    mail.folder = sent;
    mail.moves += 1;
    Ok(())
}

/// `reply`, `replyAll`, `forward`, `createReply`, `createReplyAll`, `createForward`, `send`, `move`.
pub(crate) async fn act(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path((id, action)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Result<Response, Problem> {
    let prefers = Prefers::read(&headers)?;
    let needed: &[&str] = match action.as_str() {
        "reply" | "replyAll" | "forward" | "send" => &SEND,
        "createReply" | "createReplyAll" | "createForward" | "move" => &WRITE,
        _ => return Err(Problem::not_found()),
    };
    permit(&session, needed)?;
    let asked = if body.is_empty() {
        json!({})
    } else {
        Value::Object(object(&body)?)
    };
    let now = state.calendar.now_ms();
    state.outlook(&session.user, |outlook| {
        let number = outlook.mail(&id)?.number;
        let made = match action.as_str() {
            "send" => {
                go_out(outlook, number, now)?;
                return Ok(StatusCode::ACCEPTED.into_response());
            }
            "move" => {
                let to = asked["destinationId"].as_str().unwrap_or_default();
                let folder = outlook.folder(to)?;
                if let Some(mail) = outlook.mails.get_mut(&number) {
                    mail.folder = folder;
                    mail.moves += 1;
                }
                number
            }
            action => {
                let answer = answer_to(outlook, number, action, &asked)?;
                let made = draft(outlook, &answer, now);
                if !action.starts_with("create") {
                    go_out(outlook, made, now)?;
                    return Ok(StatusCode::ACCEPTED.into_response());
                }
                made
            }
        };
        let shown = outlook.shown(&outlook.mails[&made], prefers);
        Ok((StatusCode::CREATED, one(&uri, "messages", shown)).into_response())
    })
}

/// The mail that answers another or hands it on: recipients, subject and quoted text filled in.
fn answer_to(outlook: &Outlook, number: u64, action: &str, asked: &Value) -> Result<Value, Problem> {
    let mail = &outlook.mails[&number];
    let subject = mail.json["subject"].as_str().unwrap_or_default();
    let forward = action.ends_with("orward");
    let mut to = if forward {
        json!([])
    } else {
        json!([mail.json["from"]])
    };
    if action.ends_with("eplyAll") {
        let others = ["toRecipients", "ccRecipients"]
            .iter()
            .filter_map(|list| mail.json[*list].as_array())
            .flatten()
            .filter(|other| other["emailAddress"]["address"] != outlook.address.as_str());
        if let Some(to) = to.as_array_mut() {
            to.extend(others.cloned());
        }
    }
    let comment = asked["comment"].as_str().unwrap_or_default();
    let quoted = escape_html(&text_of(&mail.html));
    let mut answer = json!({
        "subject": format!("{}{subject}", if forward { "FW: " } else { "RE: " }),
        "toRecipients": to,
        "conversationId": mail.json["conversationId"],
        "body": { "contentType": "html",
                  "content": format!("<html><body><p>{}</p><hr><p>{quoted}</p></body></html>", escape_html(comment)) },
    });
    if !asked["message"].is_null() {
        merge(&mut answer, &asked["message"]);
    }
    if asked["toRecipients"].is_array() {
        answer["toRecipients"] = asked["toRecipients"].clone();
    }
    expect_recipients(&answer)?;
    let nobody = answer["toRecipients"].as_array().is_none_or(Vec::is_empty);
    if nobody && !action.starts_with("create") {
        return Err(Problem::bad_recipient());
    }
    Ok(answer)
}

pub(crate) async fn folders(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(parent): Path<String>,
    uri: Uri,
) -> Answer {
    permit(&session, &READ)?;
    let found = state.outlook(&session.user, |outlook| {
        let parent = outlook.folder(&parent)?;
        let within = outlook
            .folders
            .iter()
            .filter(|(_, folder)| folder.parent == parent);
        Ok::<_, Problem>(
            within
                .map(|(id, folder)| folder_json(outlook, id, folder))
                .collect(),
        )
    })?;
    listed(&state.base_url, &full(&uri), "mailFolders", 10, found)
}

fn folder_json(outlook: &Outlook, id: &str, folder: &Folder) -> Value {
    let here = || outlook.mails.values().filter(|mail| mail.folder == id);
    json!({
        "id": id, "displayName": folder.name, "parentFolderId": folder.parent, "isHidden": false,
        "childFolderCount": outlook.folders.values().filter(|other| other.parent == id).count(),
        "totalItemCount": here().count(),
        "unreadItemCount": here().filter(|mail| mail.json["isRead"] == false).count(),
        "sizeInBytes": here().map(|mail| mail.html.len()).sum::<usize>(),
    })
}

pub(crate) async fn create_folder(
    Shared(state): Shared<Arc<State>>,
    Extension(session): Extension<Session>,
    Path(parent): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    permit(&session, &WRITE)?;
    let asked = Value::Object(object(&body)?);
    let name = asked["displayName"]
        .as_str()
        .filter(|name| !name.is_empty())
        .ok_or_else(|| Problem::invalid("A folder has a name."))?;
    state.outlook(&session.user, |outlook| {
        let parent = outlook.folder(&parent)?;
        let mut others = outlook.folders.values().filter(|folder| folder.parent == parent);
        if others.any(|folder| folder.name == name) {
            return Err(Problem::folder_exists());
        }
        let root = outlook.folder_id(ROOT);
        let id = format!("{}f{}", root.trim_end_matches(ROOT), outlook.fresh());
        let name = name.to_owned();
        outlook.folders.insert(id.clone(), Folder { name, parent });
        let made = folder_json(outlook, &id, &outlook.folders[&id]);
        Ok((StatusCode::CREATED, Json(made)))
    })
}

pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::invalid(format!("The body is not valid: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_all_goes_to_the_others_and_stays_in_its_conversation() {
        let mut outlook = Outlook::seeded("ada", 1, 0);
        if let Some(mail) = outlook.mails.get_mut(&1) {
            mail.json["ccRecipients"] = json!([person("eve@x.example"), person("ada@outlook.example")]);
        }
        let asked = json!({"comment": "Fine & good"});
        let answer = answer_to(&outlook, 1, "replyAll", &asked).expect("an answer");
        let to: Vec<_> = answer["toRecipients"]
            .as_array()
            .expect("recipients")
            .iter()
            .map(|to| to["emailAddress"]["address"].as_str().unwrap_or_default())
            .collect();
        assert_eq!(to.len(), 2, "the sender and Eve: {to:?}");
        assert!(!to.contains(&"ada@outlook.example"));
        let number = draft(&mut outlook, &answer, 0);
        go_out(&mut outlook, number, 0).expect("a draft");
        let (first, sent) = (&outlook.mails[&1], &outlook.mails[&number]);
        assert_eq!(sent.json["conversationId"], first.json["conversationId"]);
        assert_eq!(sent.folder, outlook.folder_id("sentitems"));
        assert!(sent.html.contains("Fine &amp; good"));
        assert!(
            go_out(&mut outlook, number, 0).is_err(),
            "it is no draft any more"
        );
    }

    #[test]
    fn a_mail_to_nobody_is_refused() {
        let outlook = Outlook::seeded("ada", 1, 0);
        let refused = answer_to(&outlook, 1, "forward", &json!({})).expect_err("nobody");
        assert_eq!(refused.code(), "ErrorInvalidRecipients");
        assert!(answer_to(&outlook, 1, "createForward", &json!({})).is_ok());
        let wrong = json!({"toRecipients": [{"emailAddress": {"address": "bob"}}]});
        assert!(expect_recipients(&wrong).is_err());
    }
}
