//! The hosted pages: a link that an account's owner opens, the form for credentials that are not
//! OAuth, where the vendor sends the browser back, and every error that a browser may see.
//!
//! They have no script, load a stylesheet and an icon from here and nothing from elsewhere, and
//! show nothing that came in the request but what was entered into the form. Names and other texts
//! of vendors and operators are shown as text ([`view`]). A GET changes nothing; going on is a POST
//! of the page's own, and from then on the attempt belongs to that browser ([`browser`]).

mod browser;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};

use super::answer::{self, Refusal, reason};
use super::ask::Form;
use crate::accounts::Step;
use crate::error::{Fault, Kind};
use crate::grpc;
use crate::runtime::Runtime;
use crate::secret::Secret;
use crate::text::Shown;
use view::{ChoiceView, ConnectView, ConnectedView, ContinueView, ProblemView, Site, WaitingView};

/// A page's own style, icon and form, and nothing else.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
const SVG: HeaderValue = HeaderValue::from_static("image/svg+xml");
/// A vendor's callback has a code, a state and little more.
const MAX_QUERY_BYTES: usize = 16 * 1024;

/// The owner opens a link.
pub(super) async fn open(
    State(host): State<Arc<Runtime>>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
) -> Response {
    let step = if reads_pages(&headers) {
        let browser = browser::of(&host, &headers);
        host.accounts.open_link(&ticket, browser.as_ref()).await
    } else {
        host.accounts.follow_link(&ticket).await
    };
    answer(&host, step)
}

/// The owner goes on, with what the form asked for.
pub(super) async fn submit(
    State(host): State<Arc<Runtime>>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    form: Result<Form, Refusal>,
) -> Response {
    if sent_by_another_site(&headers) {
        return refuse(&host, &flow_invalid());
    }
    let Ok(Form(values)) = form else {
        return refuse(&host, &flow_invalid());
    };
    let values: BTreeMap<String, Secret> = values
        .into_iter()
        .map(|(name, value)| (name, Secret::new(value)))
        .collect();
    let browser = browser::of(&host, &headers).unwrap_or_else(browser::new);
    match host.accounts.submit_form(&ticket, values, &browser).await {
        Ok(Step::Choice(choice)) => {
            let mut response = answer(&host, Ok(Step::Choice(choice)));
            browser::give(&host, &browser, response.headers_mut());
            response
        }
        // `form-action` covers where a form's answer redirects to, so it goes by a page.
        Ok(Step::Redirect(url)) => {
            let mut response = page(StatusCode::OK, &ContinueView::of(Site::of(&host), &url));
            browser::give(&host, &browser, response.headers_mut());
            response
        }
        step => answer(&host, step),
    }
}

/// The vendor sends the browser back. Only by GET: a form of another site is not a vendor.
pub(super) async fn callback(
    State(host): State<Arc<Runtime>>,
    Path((environment, connection)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let query = uri
        .query()
        .filter(|query| query.len() <= MAX_QUERY_BYTES)
        .and_then(|_| Query::<Vec<(String, String)>>::try_from_uri(&uri).ok());
    let (Ok(environment), Ok(connection), Some(Query(query))) =
        (environment.parse(), connection.parse(), query)
    else {
        return refuse(&host, &flow_invalid());
    };
    let browser = browser::of(&host, &headers);
    let step = host
        .accounts
        .callback(&environment, &connection, query, browser.as_ref())
        .await;
    answer(&host, step)
}

/// Any other method on a page.
pub(super) async fn wrong_method(State(host): State<Arc<Runtime>>) -> Response {
    refuse(&host, &flow_invalid())
}

/// No route, for programs and for people.
pub(super) async fn no_such_route(State(host): State<Arc<Runtime>>, request: Request) -> Response {
    if grpc::speaks(request.headers()) {
        return grpc::no_such_method();
    }
    let fault = answer::no_such_route();
    if wants_page(&request) {
        refuse(&host, &fault)
    } else {
        Refusal::from(fault).into_response()
    }
}

/// The stylesheet.
pub(super) async fn stylesheet() -> Response {
    ([(CONTENT_TYPE, CSS)], include_str!("../../templates/page.css")).into_response()
}

/// The icon.
pub(super) async fn icon() -> Response {
    ([(CONTENT_TYPE, SVG)], include_str!("../../templates/page.svg")).into_response()
}

/// Whether whoever asks reads pages, as browsers do.
fn reads_pages(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|accept| accept.to_str().ok())
        .any(|accept| accept.contains("text/html"))
}

/// Whether a request is a browser's on its way to a page.
pub(super) fn wants_page(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && reads_pages(request.headers())
}

fn answer(host: &Runtime, step: Result<Step, Fault>) -> Response {
    let site = Site::of(host);
    match step {
        Ok(Step::Redirect(url)) => Redirect::to(&url).into_response(),
        Ok(Step::Form(form)) => {
            let view = ConnectView::of(site, &form);
            let status = if view.failed {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                StatusCode::OK
            };
            page(status, &view)
        }
        Ok(Step::Choice(choice)) => {
            let view = ChoiceView::of(site, &choice);
            let status = if view.problem.is_some() {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                StatusCode::OK
            };
            page(status, &view)
        }
        Ok(Step::Waiting(waiting)) => page(StatusCode::OK, &WaitingView::of(site, &waiting)),
        Ok(Step::Connected(connected)) => page(StatusCode::OK, &ConnectedView::of(site, &connected)),
        Err(fault) => refuse(host, &fault),
    }
}

fn flow_invalid() -> Fault {
    Fault::new(Kind::FlowInvalid, "This link or answer cannot be used.")
}

/// An error as a page. What a stranger may have typed into a URL is answered by one fixed text.
pub(super) fn refuse(host: &Runtime, fault: &Fault) -> Response {
    let status = answer::status(fault);
    let reference = status.is_server_error().then(|| answer::log(fault));
    let Words { title, text, hint } = words(fault);
    page(
        status,
        &ProblemView {
            site: Site::of(host),
            title,
            text: Shown(text),
            hint,
            calm: fault.reason_code() == Some("consent_denied"),
            reference: reference.as_deref(),
        },
    )
}

/// What a page says of a fault.
struct Words<'a> {
    title: &'static str,
    text: &'a str,
    hint: Option<&'static str>,
}

fn words(fault: &Fault) -> Words<'_> {
    let say = |title, text, hint| Words { title, text, hint };
    let again = Some("Nothing was connected. Go back to the application and ask for a new link.");
    match (fault.kind(), fault.reason_code()) {
        (Kind::FlowInvalid, Some("other_browser")) => say(
            "Opened in another browser",
            "This was begun in another browser, or this one does not keep cookies. So that nobody connects an account for somebody else, it has to end where it began.",
            again,
        ),
        (Kind::FlowInvalid, Some("too_many_tries")) => say(
            "Too many attempts",
            "The link was closed because what was entered was wrong too often.",
            again,
        ),
        (Kind::FlowInvalid, _) => say(
            "This link does not work any more",
            "It has been used, has expired, or is not complete. A link connects one account, once, within minutes.",
            Some(
                "If you saw that your account is connected, you are done. Otherwise go back to the application and ask for a new link.",
            ),
        ),
        (_, Some("consent_denied")) => say("Access was not given", fault.public(), None),
        (_, Some("no_site" | "other_site")) => say(
            "There is no site to connect",
            fault.public(),
            Some("Nothing was connected."),
        ),
        (_, Some("subject_changed")) => say("This is a different account", fault.public(), None),
        (_, Some("no_such_route" | "path_not_canonical")) => say(
            "There is nothing here",
            "The address may be mistyped or incomplete.",
            Some("Go back to the application that sent you, and follow its link again."),
        ),
        (_, Some(reason::HOST_NOT_ALLOWED)) => say(
            "Wrong address",
            "This host does not answer to the name in the address.",
            Some("Operator: use the host's public URL, or set server.public_url to the one that you use."),
        ),
        (Kind::VendorUnavailable | Kind::VendorTimeout, _) => {
            say("No answer from the other side", fault.public(), None)
        }
        (Kind::VendorRejected, _) => say("It was refused", fault.public(), None),
        (Kind::Internal | Kind::StoreUnavailable | Kind::Overloaded, _) => say(
            "Something went wrong here",
            "This is not your doing. Try again in a moment.",
            None,
        ),
        _ => say("Not connected", fault.public(), None),
    }
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
