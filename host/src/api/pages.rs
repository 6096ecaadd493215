//! The hosted pages: a link that an account's owner opens, the form for credentials that are not
//! OAuth, and where the vendor sends the browser back.
//!
//! They work without JavaScript, load one stylesheet from here and nothing from elsewhere, and
//! show nothing that came in the request. Vendors' and operators' names are escaped.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};

use super::answer::{self, Refusal};
use super::ask::Form;
use crate::accounts::{FormPage, Step};
use crate::error::{Fault, Kind};
use crate::runtime::Runtime;
use crate::secret::Secret;

/// A page's own style and form, and nothing else.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
/// A vendor's callback has a code, a state and little more.
const MAX_QUERY_BYTES: usize = 16 * 1024;

#[derive(Template)]
#[template(path = "form.html")]
struct FormTemplate<'a> {
    page: &'a FormPage,
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessageTemplate<'a> {
    title: &'a str,
    text: &'a str,
    label: Option<&'a str>,
    reference: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "continue.html")]
struct ContinueTemplate<'a> {
    url: &'a str,
}

/// The owner opens a link.
pub(super) async fn open(State(host): State<Arc<Runtime>>, Path(ticket): Path<String>) -> Response {
    match host.accounts.open_link(&ticket).await {
        Ok(step) => show(step),
        Err(fault) => refuse(&fault),
    }
}

/// The owner sends the form.
pub(super) async fn submit(
    State(host): State<Arc<Runtime>>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    form: Result<Form, Refusal>,
) -> Response {
    if sent_by_another_site(&headers) {
        return refuse(&flow_invalid());
    }
    let Ok(Form(values)) = form else {
        return refuse(&flow_invalid());
    };
    let values: BTreeMap<String, Secret> = values
        .into_iter()
        .map(|(name, value)| (name, Secret::new(value)))
        .collect();
    match host.accounts.submit_form(&ticket, values).await {
        // `form-action` covers where a form's answer redirects to, so it goes by a page.
        Ok(Step::Redirect(url)) => page(StatusCode::OK, &ContinueTemplate { url: &url }),
        Ok(step) => show(step),
        Err(fault) => refuse(&fault),
    }
}

/// The vendor sends the browser back. Only by GET: a form of another site is not a vendor.
pub(super) async fn callback(
    State(host): State<Arc<Runtime>>,
    Path((environment, connection)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    let query = uri
        .query()
        .filter(|query| query.len() <= MAX_QUERY_BYTES)
        .and_then(|_| Query::<Vec<(String, String)>>::try_from_uri(&uri).ok());
    let (Ok(environment), Ok(connection), Some(Query(query))) =
        (environment.parse(), connection.parse(), query)
    else {
        return refuse(&flow_invalid());
    };
    match host.accounts.callback(&environment, &connection, query).await {
        Ok(step) => show(step),
        Err(fault) => refuse(&fault),
    }
}

/// Any other method on a page.
pub(super) async fn wrong_method(_: Request) -> Response {
    refuse(&flow_invalid())
}

/// The stylesheet.
pub(super) async fn stylesheet() -> Response {
    ([(CONTENT_TYPE, CSS)], include_str!("../../templates/page.css")).into_response()
}

fn show(step: Step) -> Response {
    match step {
        Step::Redirect(url) => Redirect::to(&url).into_response(),
        Step::Form(form) => {
            let status = match form.problem {
                None => StatusCode::OK,
                Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            };
            page(status, &FormTemplate { page: &form })
        }
        Step::Connected(connected) => page(
            StatusCode::OK,
            &MessageTemplate {
                title: "Connected",
                text: &format!(
                    "{} can now use your {} account. You may close this page.",
                    connected.application, connected.vendor
                ),
                label: connected.label.as_deref(),
                reference: None,
            },
        ),
    }
}

fn flow_invalid() -> Fault {
    Fault::new(Kind::FlowInvalid, "This link or answer cannot be used.")
}

/// An error as a page. What a stranger may have typed into a URL is answered by one fixed text.
fn refuse(fault: &Fault) -> Response {
    let status = answer::status(fault);
    let reference = status.is_server_error().then(|| answer::log(fault));
    let text = match fault.kind() {
        Kind::FlowInvalid => {
            "This link has been used, has expired, or was opened in the wrong place. Go back to the application and begin again."
        }
        _ => fault.public(),
    };
    page(
        status,
        &MessageTemplate {
            title: "Not connected",
            text,
            label: None,
            reference: reference.as_deref(),
        },
    )
}

/// Browsers say where a request began; a form of another site is refused.
fn sent_by_another_site(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin" && site != "none")
}

fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (
            status,
            [(CONTENT_TYPE, HTML), (CONTENT_SECURITY_POLICY, PAGE_POLICY)],
            html,
        )
            .into_response(),
        Err(error) => Refusal::from(Fault::internal(error)).into_response(),
    }
}
