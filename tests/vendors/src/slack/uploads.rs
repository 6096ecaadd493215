//! Files: the one that a workspace begins with, and those that are uploaded in the vendor's three steps: an address
//! for so many bytes, the bytes to that address without a credential, and the word that shares them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Refusal;
use super::params::Params;
use super::workspace::{Workspace, file_of, team_id, user_id};
use crate::oauth::{Actor, Session};
use crate::server::State;

/// A file on its way, or arrived.
pub(super) struct Upload {
    /// The end of the address for its bytes.
    ticket: String,
    name: String,
    size: usize,
    mimetype: String,
    bytes: Option<Vec<u8>>,
    owner: String,
    /// Its title once it is shared.
    title: Option<String>,
    created: i64,
}

/// `files.getUploadURLExternal`
pub(super) fn begin(workspace: &mut Workspace, session: &Session, params: &Params) -> Result<Value, Refusal> {
    let name = params.need("filename")?;
    params.need("length")?;
    let size = params.number("length", 0)?;
    if size == 0 {
        return Err(Refusal::argument("length"));
    }
    let id = workspace.fresh('F');
    let secret = workspace.fresh('K');
    let ticket = format!("{}-{secret}", workspace.user);
    let upload = Upload {
        ticket: ticket.clone(),
        name,
        size,
        mimetype: String::new(),
        bytes: None,
        owner: workspace.actor(session),
        title: None,
        created: workspace.now_seconds(),
    };
    workspace.uploads.insert(id.clone(), upload);
    let address = &workspace.files_address;
    Ok(json!({ "upload_url": format!("{address}/upload/v1/{ticket}"), "file_id": id }))
}

/// The address that `begin` handed out.
pub(super) async fn take(
    Shared(state): Shared<Arc<State>>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if headers.contains_key(header::AUTHORIZATION) {
        return (StatusCode::FORBIDDEN, "no credential belongs here\n").into_response();
    }
    let user = ticket.rsplit_once('-').map_or("", |(user, _)| user);
    state.slack_workspace(user, |workspace| {
        let mut uploads = workspace.uploads.values_mut();
        let Some(upload) = uploads.find(|upload| upload.ticket == ticket) else {
            return (StatusCode::NOT_FOUND, "no such upload\n").into_response();
        };
        if body.len() != upload.size {
            return (StatusCode::BAD_REQUEST, "not the length that was said\n").into_response();
        }
        let kind = headers.get(header::CONTENT_TYPE);
        upload.mimetype = kind
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        upload.bytes = Some(body.to_vec());
        format!("OK - {}", upload.size).into_response()
    })
}

/// `files.completeUploadExternal`
pub(super) fn complete(
    workspace: &mut Workspace,
    session: &Session,
    params: &Params,
) -> Result<Value, Refusal> {
    let files = params.json("files").map_err(|_| Refusal::argument("files"))?;
    let files = files
        .as_ref()
        .and_then(Value::as_array)
        .ok_or_else(|| Refusal::argument("files"))?;
    let actor = workspace.actor(session);
    let mut shared = Vec::new();
    for file in files {
        let id = file["id"].as_str().unwrap_or_default();
        let upload = workspace.uploads.get(id).ok_or("file_not_found")?;
        if upload.bytes.is_none() || upload.owner != actor || upload.title.is_some() {
            return Err("file_not_found".into());
        }
        let title = file["title"].as_str().unwrap_or(&upload.name);
        shared.push((id.to_owned(), title.to_owned()));
    }
    let place = params.text("channel_id");
    if let Some(channel) = &place {
        let channel = workspace.channel(session, channel)?;
        if !channel.members.contains(&actor) {
            return Err("not_in_channel".into());
        }
        let thread = params.text("thread_ts");
        if thread.is_some_and(|thread| channel.message(&thread).is_none()) {
            return Err("thread_not_found".into());
        }
    }
    for (id, title) in &shared {
        if let Some(upload) = workspace.uploads.get_mut(id) {
            upload.title = Some(title.clone());
        }
    }
    let told: Vec<Value> = shared.iter().filter_map(|(id, _)| told(workspace, id)).collect();
    if let Some(channel) = place {
        let text = params.text("initial_comment").unwrap_or_default();
        let mut message = json!({ "type": "message", "user": actor, "text": text, "files": told });
        if session.actor == Actor::Application {
            message["bot_id"] = json!(workspace.bot_id());
        }
        if let Some(thread) = params.text("thread_ts") {
            message["thread_ts"] = json!(thread);
        }
        workspace.post(&channel, message);
    }
    Ok(json!({ "files": told }))
}

/// A file that is shared, in the vendor's shape.
fn told(workspace: &Workspace, id: &str) -> Option<Value> {
    let upload = workspace.uploads.get(id)?;
    Some(json!({
        "id": id,
        "name": upload.name,
        "title": upload.title.as_ref()?,
        "mimetype": upload.mimetype,
        "filetype": upload.name.rsplit_once('.').map_or("binary", |(_, ending)| ending),
        "size": upload.size,
        "user": upload.owner,
        "created": upload.created,
        "url_private": format!("https://files.slack.com/files-pri/{}-{id}/{}", team_id(&workspace.user), upload.name),
    }))
}

/// All files, the newest first.
pub(super) fn all(workspace: &Workspace) -> Vec<Value> {
    let (path, text) = file_of(&workspace.user);
    let (id, name) = path.split_once('/').unwrap_or_default();
    let id = id.split_once('-').map_or(id, |(_, id)| id);
    let first = json!({
        "id": id,
        "name": name,
        "title": format!("Handbook of {}", workspace.user),
        "mimetype": "text/plain",
        "filetype": "text",
        "size": text.len(),
        "user": user_id(&workspace.user),
        "created": 0,
        "url_private": format!("https://files.slack.com/files-pri/{path}"),
    });
    let uploaded = workspace.uploads.keys().filter_map(|id| told(workspace, id));
    let mut all: Vec<Value> = uploaded.chain([first]).collect();
    all.sort_by_key(|file| std::cmp::Reverse(file["created"].as_i64()));
    all
}

/// `files.list`
pub(super) fn list(workspace: &Workspace, params: &Params) -> Result<Value, Refusal> {
    let all = all(workspace);
    let count = params.number("count", 100)?.max(1);
    let page = params.number("page", 1)?.max(1);
    let files: Vec<&Value> = all.iter().skip((page - 1) * count).take(count).collect();
    let paging =
        json!({ "count": count, "total": all.len(), "page": page, "pages": all.len().div_ceil(count) });
    Ok(json!({ "files": files, "paging": paging }))
}

/// Type and bytes of a file, by the end of its address.
pub(super) fn content(workspace: &Workspace, path: &str) -> Option<(String, Vec<u8>)> {
    let (first, text) = file_of(&workspace.user);
    if path == first {
        return Some(("text/plain".to_owned(), text.into_bytes()));
    }
    let found = workspace.uploads.iter().find(|(id, upload)| {
        upload.title.is_some() && path == format!("{}-{id}/{}", team_id(&workspace.user), upload.name)
    });
    let (_, upload) = found?;
    Some((upload.mimetype.clone(), upload.bytes.clone()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vendor;

    fn call(
        workspace: &mut Workspace,
        method: fn(&mut Workspace, &Session, &Params) -> Result<Value, Refusal>,
        query: &str,
    ) -> Result<Value, Refusal> {
        let session = Session {
            vendor: Vendor::Slack,
            user: "ada".to_owned(),
            actor: Actor::Person,
            scopes: ["files:write".to_owned()].into_iter().collect(),
        };
        let params = Params::read(&HeaderMap::new(), query, b"").unwrap();
        method(workspace, &session, &params)
    }

    #[test]
    fn a_file_is_shared_once_and_only_when_its_bytes_are_there() {
        let mut workspace = Workspace::seeded("ada");
        assert!(call(&mut workspace, begin, "filename=a.txt&length=0").is_err());
        let begun = call(&mut workspace, begin, "filename=a.txt&length=2").unwrap();
        let id = begun["file_id"].as_str().unwrap().to_owned();
        let query = format!("files=[{{\"id\":\"{id}\",\"title\":\"A\"}}]");
        let early = call(&mut workspace, complete, &query).unwrap_err();
        assert_eq!(early, "file_not_found".into());
        assert_eq!(all(&workspace).len(), 1, "what is not shared is not there");

        workspace.uploads.get_mut(&id).unwrap().bytes = Some(b"hi".to_vec());
        let done = call(&mut workspace, complete, &query).unwrap();
        assert_eq!(done["files"][0]["title"], "A");
        assert!(call(&mut workspace, complete, &query).is_err());
        let path = done["files"][0]["url_private"].as_str().unwrap().to_owned();
        let path = path.strip_prefix("https://files.slack.com/files-pri/").unwrap();
        assert_eq!(content(&workspace, path).unwrap().1, b"hi");
    }
}
