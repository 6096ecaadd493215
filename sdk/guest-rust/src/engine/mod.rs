//! Runs declared tools: template and input → request; answer and declaration → result.
//!
//! Pure: nothing here sends anything, so that the same transformation can be tested and measured
//! natively.

mod answer;
mod template;
#[cfg(test)]
mod tests;

use serde_json::Value;
use valetkey_manifest::tool::{self, BodyFormat, Declaration, KeptFile, Paginator, UnreadErrors};

use crate::fault::Fault;
use crate::http::{Request, Response};
use crate::page::Page;
use crate::{File, Output, Wanted};
use template::Scope;

pub(crate) use answer::without;

/// Fills a declared request in.
///
/// # Errors
/// `invalid_input` when a part of the path has no value.
pub fn request(
    declared: &tool::Request,
    paginator: Option<&Paginator>,
    input: &Value,
    page: &Page,
    config: &dyn Fn(&str) -> Option<String>,
) -> Result<Request, Fault> {
    let scope = Scope::new(input, page, paginator, config);
    let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
    for (name, template) in &declared.headers {
        if let Some(value) = scope.text(template) {
            headers.retain(|(present, _)| present != &name.to_ascii_lowercase());
            headers.push((name.to_ascii_lowercase(), value));
        }
    }
    let body = declared
        .body
        .as_ref()
        .and_then(|body| match declared.body_format {
            BodyFormat::Json => Some(("application/json", scope.json(body).into_bytes())),
            BodyFormat::Form => Some((
                "application/x-www-form-urlencoded",
                scope.form(body, declared.nested),
            )),
            // The host has it: see `file`.
            BodyFormat::File => None,
        });
    let body = body.map(|(content_type, body)| {
        if !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), content_type.to_owned()));
        }
        body
    });
    let by_url = matches!(paginator, Some(Paginator::LinkHeader | Paginator::NextUrl { .. }));
    let url = page.token.clone().filter(|_| by_url);
    let (path, query) = match &url {
        Some(url) if is_beside(url) => (scope.path(&declared.path)?, Vec::new()),
        Some(_) => (String::new(), Vec::new()),
        None => (
            scope.path(&declared.path)?,
            scope.query(&declared.query, declared.query_join.as_deref(), declared.nested),
        ),
    };
    Ok(Request {
        method: declared.method.clone(),
        endpoint: declared.endpoint.clone(),
        path,
        url,
        query,
        headers,
        body,
    })
}

/// Whether a next page's URL is relative to the request itself (`?after=7`), which the host has to know then;
/// what begins with a slash or a scheme is not (RFC 3986 section 4.2).
fn is_beside(url: &str) -> bool {
    let first = url.split(['/', '?', '#']).next().unwrap_or_default();
    !url.starts_with('/') && !first.contains(':')
}

/// The file that a declared request sends as its body; none for requests with other bodies.
///
/// # Errors
/// `invalid_input` when the parameter has no value.
pub fn file(declared: &tool::Request, input: &Value) -> Result<Option<String>, Fault> {
    if declared.body_format != BodyFormat::File {
        return Ok(None);
    }
    let page = Page::default();
    let scope = Scope::new(input, &page, None, &|_| None);
    let template = declared.body.as_ref().and_then(Value::as_str).unwrap_or_default();
    match scope.text(template).filter(|id| !id.is_empty()) {
        Some(id) => Ok(Some(id)),
        None => Err(Fault::new(
            "invalid_input",
            format!("There is no file to send: `{template}` has no value."),
        )),
    }
}

/// How a declared answer is kept.
pub fn wanted(
    declared: &KeptFile,
    input: &Value,
    page: &Page,
    config: &dyn Fn(&str) -> Option<String>,
) -> Wanted {
    let scope = Scope::new(input, page, None, config);
    Wanted {
        name: declared.name.as_deref().and_then(|template| scope.text(template)),
        content_types: declared.content_types.clone(),
        max_bytes: declared.max_bytes,
    }
}

/// The result of a declared answer that was kept.
///
/// # Errors
/// A status that is no success.
pub fn kept(declaration: &Declaration, response: &Response, file: Option<&File>) -> Result<Output, Fault> {
    match file {
        Some(file) => Output::json(&serde_json::json!({ "file": file })),
        None => {
            let errors = declaration.errors.as_ref().and_then(UnreadErrors::read);
            Err(Fault::from_response(response, errors.as_ref()))
        }
    }
}

/// Reads the vendor's answer to a declared request.
///
/// # Errors
/// A status that is no success, or a body that is not what the declaration says.
pub fn output(declaration: &Declaration, page: &Page, response: Response) -> Result<Output, Fault> {
    if !response.is_success() {
        return Err(refused(declaration, &response));
    }
    let nothing = tool::Response::default();
    let declared = declaration.response.as_ref().unwrap_or(&nothing);
    if let Some(failure) = &declared.failure
        && answer::is_there(&response, failure)
    {
        return Err(refused(declaration, &response));
    }
    if response.body.iter().all(u8::is_ascii_whitespace) {
        let data = match &declared.empty {
            Some(empty) => empty.to_string(),
            None => format!(r#"{{"ok":true,"status":{}}}"#, response.status),
        };
        return Ok(Output {
            data,
            next_page_token: None,
        });
    }
    answer::read(declaration, declared, page, response)
}

fn refused(declaration: &Declaration, response: &Response) -> Fault {
    let errors = declaration.errors.as_ref().and_then(UnreadErrors::read);
    Fault::from_response(response, errors.as_ref())
}
