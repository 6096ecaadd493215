//! `/api/v1/files`: bytes that are too big for a call's parameters and results. A file's id is what
//! calls take and answer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, json, no_content};
use super::ask::{Query, UPLOAD_TIME, Who, only, scope};
use super::time;
use crate::error::{Fault, Kind};
use crate::files::Facts;
use crate::runtime::Runtime;

/// Whatever a file holds, a browser that opens it runs nothing of it.
const INERT: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

/// The bytes of a file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(dead_code, reason = "the shape of the document; the bytes are passed on")]
pub(super) struct FileBytes(Vec<u8>);

/// A file that the host holds for a while.
#[derive(Serialize, ToSchema)]
pub(super) struct File {
    /// What calls take and answer, `file_…`.
    id: String,
    /// What it is called, for people.
    name: String,
    /// Media type.
    content_type: String,
    /// Bytes.
    size: u64,
    /// SHA-256 of the bytes, hexadecimal.
    sha256: String,
    /// When it came.
    #[schema(format = DateTime)]
    created_at: String,
    /// Until when it can be used.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl From<&Facts> for File {
    fn from(facts: &Facts) -> Self {
        Self {
            id: facts.id.to_string(),
            name: facts.name.clone(),
            content_type: facts.content_type.clone(),
            size: facts.size,
            sha256: facts.sha256.clone(),
            created_at: time(facts.created_at_ms),
            expires_at: time(facts.expires_at_ms),
        }
    }
}

/// About a file that is uploaded.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Upload {
    /// What it is called, for people.
    #[serde(default)]
    name: Option<String>,
    /// The application's key for the user whose calls alone may use it; absent for every user of
    /// the environment.
    #[serde(default)]
    identifier: Option<String>,
}

/// Upload a file
///
/// The body is the file, of any type and up to `files.max_file_bytes`; it is never whole in the
/// host's memory. Give the answer's `id` where a tool's parameter has the format `valetkey-file`.
/// Files expire; `expires_at` says when.
#[utoipa::path(post, path = "/api/v1/files", tag = "files", operation_id = "uploadFile",
    params(Upload),
    request_body(content = FileBytes, content_type = "*/*", description = "The bytes. `content-type` is kept."),
    responses((status = 201, description = "It is there.", body = File)),
    security(("client" = ["tools:execute"])))]
pub(super) async fn upload(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ToolsExecute>,
    Query(about): Query<Upload>,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let name = about.name.as_deref().unwrap_or_default();
    let content_type = only(&parts.headers, CONTENT_TYPE).unwrap_or_default();
    let mut file = match &about.identifier {
        None => host.files.begin(&caller.environment, None, name, content_type),
        Some(identifier) => {
            let shelf = host.files.shelf(&caller.environment, identifier)?;
            shelf.begin(name, content_type)
        }
    };
    let mut body = body.into_data_stream();
    let receive = async {
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| {
                Fault::new(
                    Kind::InvalidInput,
                    "The body of the request broke off. Send it again, whole.",
                )
                .because(error)
            })?;
            file.push(piece).await?;
        }
        Ok::<_, Fault>(file.finish().await?)
    };
    let facts = tokio::time::timeout(UPLOAD_TIME, receive).await.map_err(|_| {
        Fault::new(
            Kind::InvalidInput,
            format!(
                "The file did not arrive within {} s. Send it again.",
                UPLOAD_TIME.as_secs()
            ),
        )
        .reason(super::answer::reason::BODY_TOO_SLOW)
    })??;
    Ok(json(StatusCode::CREATED, &File::from(&*facts)))
}

/// Download a file
///
/// One that was uploaded, or that a call kept. For the callers of the environment that it belongs
/// to.
#[utoipa::path(get, path = "/api/v1/files/{id}", tag = "files", operation_id = "downloadFile",
    params(("id" = String, Path, description = "The file, `file_…`.")),
    responses((status = 200, description = "Its bytes, with its `content-type` and name.", body = FileBytes, content_type = "*/*")),
    security(("client" = ["tools:execute"])))]
pub(super) async fn download(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ToolsExecute>,
    Path(id): Path<String>,
) -> Answer {
    let facts = host.files.find(&caller.environment, None, &id)?;
    let mut response: Response = Body::from_stream(host.files.read(&facts)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(facts.size));
    if let Ok(content_type) = HeaderValue::from_str(&facts.content_type) {
        headers.insert(CONTENT_TYPE, content_type);
    }
    if let Ok(disposition) = HeaderValue::from_str(&disposition(&facts.name)) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    headers.insert(CONTENT_SECURITY_POLICY, INERT);
    Ok(response)
}

/// Delete a file
#[utoipa::path(delete, path = "/api/v1/files/{id}", tag = "files", operation_id = "deleteFile",
    params(("id" = String, Path, description = "The file, `file_…`.")),
    responses((status = 204, description = "It is gone.")),
    security(("client" = ["tools:execute"])))]
pub(super) async fn delete(
    State(host): State<Arc<Runtime>>,
    Who(caller, ..): Who<scope::ToolsExecute>,
    Path(id): Path<String>,
) -> Answer {
    host.files.remove(&caller.environment, &id)?;
    Ok(no_content())
}

/// The name for saving it, in the form for any text (RFC 6266, RFC 8187).
fn disposition(name: &str) -> String {
    let mut encoded = String::from("attachment; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    #[test]
    fn any_name_can_stand_in_the_header() {
        assert_eq!(
            super::disposition("Größe \"1\".pdf"),
            "attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%221%22.pdf"
        );
    }
}
