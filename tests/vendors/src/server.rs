//! The listening side: writes every request down, lets a fault have it, and hands it on.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited, combinators::BoxBody};
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt;

use crate::calendar::Calendar;
use crate::faults::{Effect, Faults, merge};
use crate::gmail::Mailbox;
use crate::googlecalendar::Book;
use crate::graph;
use crate::hubspot::Portal;
use crate::linear::Organization;
use crate::log::{Entry, Log, Side};
use crate::notion::Workspace;
use crate::oauth::Grants;
use crate::options::Options;
use crate::salesforce::Org;
use crate::text::{Pairs, parse_form, sha256_base64url};
use crate::{
    control, github, gmail, googlecalendar, hubspot, jira, linear, notion, oauth, salesforce, slack,
};

const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// What all handlers share.
pub(crate) struct State {
    pub(crate) base_url: String,
    pub(crate) calendar: Calendar,
    pub(crate) log: Log,
    pub(crate) faults: Faults,
    settings: Mutex<Options>,
    grants: Mutex<Grants>,
    portals: Mutex<BTreeMap<String, Portal>>,
    mailboxes: Mutex<BTreeMap<String, Mailbox>>,
    orgs: Mutex<BTreeMap<String, Org>>,
    workspaces: Mutex<BTreeMap<String, Workspace>>,
    githubs: Mutex<BTreeMap<String, github::World>>,
    sites: Mutex<BTreeMap<String, jira::Site>>,
    slack_workspaces: Mutex<BTreeMap<String, slack::Workspace>>,
    linear_organizations: Mutex<BTreeMap<String, Organization>>,
    books: Mutex<BTreeMap<String, Book>>,
    outlooks: Mutex<BTreeMap<String, graph::Outlook>>,
}

impl State {
    pub(crate) fn settings(&self) -> MutexGuard<'_, Options> {
        lock(&self.settings)
    }

    pub(crate) fn grants(&self) -> MutexGuard<'_, Grants> {
        lock(&self.grants)
    }

    /// Does something with the portal of a user, which is made on first sight.
    pub(crate) fn portal<T>(&self, user: &str, act: impl FnOnce(&mut Portal) -> T) -> T {
        let contacts = self.settings().contacts;
        let mut portals = lock(&self.portals);
        act(portals
            .entry(user.to_owned())
            .or_insert_with(|| Portal::seeded(user, contacts)))
    }

    /// Does something with the mailbox of a user, which is made on first sight.
    pub(crate) fn mailbox<T>(&self, user: &str, act: impl FnOnce(&mut Mailbox) -> T) -> T {
        let messages = self.settings().messages;
        let mut mailboxes = lock(&self.mailboxes);
        act(mailboxes
            .entry(user.to_owned())
            .or_insert_with(|| Mailbox::seeded(user, messages)))
    }

    /// Does something with the Salesforce org of a user, which is made on first sight.
    pub(crate) fn org<T>(&self, user: &str, act: impl FnOnce(&mut Org) -> T) -> T {
        let opportunities = self.settings().opportunities;
        let mut orgs = lock(&self.orgs);
        act(orgs
            .entry(user.to_owned())
            .or_insert_with(|| Org::seeded(user, opportunities)))
    }

    /// Does something with the Notion workspace of a user, which is made on first sight.
    pub(crate) fn workspace<T>(&self, user: &str, act: impl FnOnce(&mut Workspace) -> T) -> T {
        let rows = self.settings().rows;
        let mut workspaces = lock(&self.workspaces);
        act(workspaces
            .entry(user.to_owned())
            .or_insert_with(|| Workspace::seeded(user, rows)))
    }

    /// Does something with a user's GitHub account, which is made on first sight.
    pub(crate) fn github<T>(&self, user: &str, act: impl FnOnce(&mut github::World) -> T) -> T {
        let issues = self.settings().github_issues;
        let mut githubs = lock(&self.githubs);
        act(githubs
            .entry(user.to_owned())
            .or_insert_with(|| github::World::seeded(user, issues, &format!("{}/github/api", self.base_url))))
    }

    /// Does something with a Jira site, which is made on first sight.
    pub(crate) fn site<T>(&self, reached: &jira::Reached, act: impl FnOnce(&mut jira::Site) -> T) -> T {
        let issues = self.settings().jira_issues;
        let mut sites = lock(&self.sites);
        act(sites
            .entry(reached.site.clone())
            .or_insert_with(|| jira::Site::seeded(&reached.user, &reached.site, issues)))
    }

    /// Does something with the Slack workspace of a user, which is made on first sight.
    pub(crate) fn slack_workspace<T>(&self, user: &str, act: impl FnOnce(&mut slack::Workspace) -> T) -> T {
        let mut workspaces = lock(&self.slack_workspaces);
        act(workspaces
            .entry(user.to_owned())
            .or_insert_with(|| slack::Workspace::seeded(user)))
    }

    /// Does something with the Linear organization of a user, which is made on first sight.
    pub(crate) fn linear_organization<T>(&self, user: &str, act: impl FnOnce(&mut Organization) -> T) -> T {
        let mut organizations = lock(&self.linear_organizations);
        act(organizations
            .entry(user.to_owned())
            .or_insert_with(|| Organization::seeded(user)))
    }

    /// Does something with the calendars of a user, which are made on first sight.
    pub(crate) fn book<T>(&self, user: &str, act: impl FnOnce(&mut Book) -> T) -> T {
        let events = self.settings().events;
        let mut books = lock(&self.books);
        act(books
            .entry(user.to_owned())
            .or_insert_with(|| Book::seeded(user, events)))
    }

    /// Does something with the Outlook of a user, which is made on first sight.
    pub(crate) fn outlook<T>(&self, user: &str, act: impl FnOnce(&mut graph::Outlook) -> T) -> T {
        let (messages, events) = {
            let settings = self.settings();
            (settings.messages, settings.events)
        };
        let mut outlooks = lock(&self.outlooks);
        act(outlooks
            .entry(user.to_owned())
            .or_insert_with(|| graph::Outlook::seeded(user, messages, events)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The accepting task; connections end with it.
pub(crate) struct Server {
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(options: Options) -> std::io::Result<(Self, Arc<State>)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let state = Arc::new(State {
            base_url: format!("http://{}", listener.local_addr()?),
            calendar: Calendar::new(),
            log: Log::new(),
            faults: Faults::default(),
            settings: Mutex::new(options),
            grants: Mutex::new(Grants::default()),
            portals: Mutex::new(BTreeMap::new()),
            mailboxes: Mutex::new(BTreeMap::new()),
            orgs: Mutex::new(BTreeMap::new()),
            workspaces: Mutex::new(BTreeMap::new()),
            githubs: Mutex::new(BTreeMap::new()),
            sites: Mutex::new(BTreeMap::new()),
            slack_workspaces: Mutex::new(BTreeMap::new()),
            linear_organizations: Mutex::new(BTreeMap::new()),
            books: Mutex::new(BTreeMap::new()),
            outlooks: Mutex::new(BTreeMap::new()),
        });
        let router = Router::new()
            .merge(oauth::routes())
            .merge(hubspot::routes(&state))
            .merge(gmail::routes(&state))
            .merge(salesforce::routes(&state))
            .merge(notion::routes(&state))
            .merge(github::routes(&state))
            .merge(jira::routes(&state))
            .merge(slack::routes())
            .merge(linear::routes())
            .merge(googlecalendar::routes(&state))
            .merge(graph::routes(&state))
            .merge(control::routes())
            .fallback(nothing_here)
            .with_state(Arc::clone(&state));
        let accepting = tokio::spawn(accept(listener, router, Arc::clone(&state)));
        Ok((Self { accepting }, state))
    }

    pub(crate) async fn stop(mut self) {
        self.accepting.abort();
        // An aborted task ends with a cancellation, which is what we wanted.
        let _cancelled = (&mut self.accepting).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, router: Router, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, router.clone(), Arc::clone(&state)));
    }
}

async fn serve(stream: TcpStream, router: Router, state: Arc<State>) {
    let _best_effort = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request| {
        let router = router.clone();
        let state = Arc::clone(&state);
        async move { answer(request, router, &state).await }
    });
    // An error here is a client that went away or a fault that closes the connection.
    let _closed = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The connection is closed instead of an answer.
#[derive(Debug)]
struct HungUp;

impl std::fmt::Display for HungUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hung up")
    }
}

impl std::error::Error for HungUp {}

type Answer = Response<BoxBody<Bytes, HungUp>>;

async fn answer(request: Request<Incoming>, router: Router, state: &State) -> Result<Answer, HungUp> {
    let (mut head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES)
        .collect()
        .await
        .map_err(|_| HungUp)?
        .to_bytes();

    let path = head.uri.path().to_owned();
    let side = side_of(&path);
    let session = match side {
        Side::Api => bearer(&head.headers).and_then(|token| state.grants().session(token)),
        _ => None,
    };
    let number = (!path.starts_with("/_control")).then(|| {
        state.log.begin(Entry {
            number: 0,
            at_ms: state.calendar.elapsed_ms(),
            side,
            method: head.method.to_string(),
            path: path.clone(),
            query: parse_form(head.uri.query().unwrap_or_default()),
            headers: headers_of(&head.headers),
            authorization_sha256: head
                .headers
                .get(header::AUTHORIZATION)
                .map(|value| sha256_base64url(&String::from_utf8_lossy(value.as_bytes()))),
            user: session.as_ref().map(|session| session.user.clone()),
            body: String::from_utf8_lossy(&body).into_owned(),
            status: None,
            faulted: false,
        })
    });
    let effect = number.and_then(|_| state.faults.take(side, head.method.as_str(), &path));
    let faulted = effect.is_some();

    let user = session.as_ref().map(|session| session.user.clone());
    if let Some(session) = session {
        head.extensions.insert(session);
    }
    let usual = router.oneshot(Request::from_parts(head, Body::from(body)));
    let outcome = apply(effect, &path, side, usual).await;

    if let Some(number) = number {
        let status = outcome.as_ref().ok().map(|answer| answer.status().as_u16());
        state.log.finish(number, |entry| {
            entry.status = status;
            entry.faulted = faulted;
        });
    }
    let mut answer = outcome?;
    if let Some(user) = user.and_then(|user| HeaderValue::from_str(&user).ok()) {
        answer.headers_mut().insert("x-simulated-account", user);
    }
    Ok(answer)
}

async fn apply(
    effect: Option<Effect>,
    path: &str,
    side: Side,
    usual: impl Future<Output = Result<Response, std::convert::Infallible>>,
) -> Result<Answer, HungUp> {
    match effect {
        None => whole(infallible(usual.await)).await,
        Some(Effect::Status { status, retry_after }) => {
            let mut response = refusal(path, side, status);
            for value in retry_after {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    response.headers_mut().append(header::RETRY_AFTER, value);
                }
            }
            whole(response).await
        }
        Some(Effect::Answer {
            status,
            headers,
            body,
        }) => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) =
                    (header::HeaderName::try_from(name), HeaderValue::try_from(value))
                {
                    response.headers_mut().append(name, value);
                }
            }
            whole(response).await
        }
        Some(Effect::Patch { patch }) => {
            let (mut head, body) = infallible(usual.await).into_parts();
            let mut json = serde_json::from_slice(&collected(body).await?).unwrap_or_default();
            merge(&mut json, &patch);
            head.headers.remove(header::CONTENT_LENGTH);
            whole(Response::from_parts(head, Body::from(json.to_string()))).await
        }
        Some(Effect::Slow { delay_ms }) => {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            whole(infallible(usual.await)).await
        }
        Some(Effect::HangUp) => Err(HungUp),
        Some(Effect::LoseAnswer) => {
            infallible(usual.await);
            Err(HungUp)
        }
        Some(Effect::CutOff) => {
            let (mut head, body) = infallible(usual.await).into_parts();
            let bytes = collected(body).await?;
            head.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
            let half = bytes.slice(..bytes.len() / 2);
            Ok(Response::from_parts(head, Half::Given(half).boxed()))
        }
    }
}

/// The first half of a body, then an error, which closes the connection.
enum Half {
    Given(Bytes),
    Flushing,
    Broken,
}

impl hyper::body::Body for Half {
    type Data = Bytes;
    type Error = HungUp;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, HungUp>>> {
        match std::mem::replace(&mut *self, Self::Broken) {
            Self::Given(bytes) => {
                *self = Self::Flushing;
                std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(bytes))))
            }
            Self::Flushing => {
                // What was given so far is flushed while there is nothing more to write.
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            }
            Self::Broken => std::task::Poll::Ready(Some(Err(HungUp))),
        }
    }
}

async fn whole(response: Response) -> Result<Answer, HungUp> {
    let (head, body) = response.into_parts();
    let bytes = collected(body).await?;
    Ok(Response::from_parts(
        head,
        Full::new(bytes).map_err(|never| match never {}).boxed(),
    ))
}

async fn collected(body: Body) -> Result<Bytes, HungUp> {
    Ok(body.collect().await.map_err(|_| HungUp)?.to_bytes())
}

fn infallible<T>(result: Result<T, std::convert::Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

fn refusal(path: &str, side: Side, status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if side != Side::Api {
        return oauth::refusal(status);
    }
    api_of(path).map_or_else(|| gmail::refusal(status), |api| (api.refuse)(status))
}

async fn nothing_here(request: Request<Body>) -> Response {
    let path = request.uri().path();
    let api = api_of(path).and_then(|api| Some((api.refuse)(api.unknown?)));
    api.unwrap_or_else(|| (StatusCode::NOT_FOUND, "no such vendor\n").into_response())
}

/// A vendor's API.
struct Api {
    /// How its paths begin.
    prefix: &'static str,
    /// How it says a status.
    refuse: fn(StatusCode) -> Response,
    /// The status of a path that it does not know; none where the vendor has no say in it.
    unknown: Option<StatusCode>,
}

/// The vendor's API that a path belongs to.
fn api_of(path: &str) -> Option<Api> {
    let api = |prefix, refuse: fn(StatusCode) -> Response, unknown| Api {
        prefix,
        refuse,
        unknown,
    };
    let missing = Some(StatusCode::NOT_FOUND);
    let apis = [
        api("/atlassian/", jira::refusal, missing),
        api("/calendar/", googlecalendar::refusal, missing),
        api("/github/", github::refusal, missing),
        api("/gmail/", gmail::refusal, missing),
        api("/graph/", graph::refusal, missing),
        api("/hubspot/", hubspot::refusal, missing),
        api("/linear/", linear::refusal, None),
        api("/notion/", notion::refusal, Some(StatusCode::BAD_REQUEST)),
        api("/salesforce/", salesforce::refusal, missing),
        api("/slack/", slack::refusal, None),
        api("/upload/gmail/", gmail::refusal, None),
    ];
    apis.into_iter().find(|api| path.starts_with(api.prefix))
}

/// What a request is for: the authorization servers have paths of their own, and all else below a vendor's is its API.
fn side_of(path: &str) -> Side {
    match path {
        "/atlassian/authorize"
        | "/github/login/oauth/authorize"
        | "/google/o/oauth2/v2/auth"
        | "/hubspot/oauth/authorize"
        | "/linear/oauth/authorize"
        | "/notion/v1/oauth/authorize"
        | "/salesforce/services/oauth2/authorize"
        | "/slack/oauth/v2/authorize" => Side::Authorize,
        "/atlassian/oauth/token"
        | "/github/login/oauth/access_token"
        | "/google/token"
        | "/hubspot/oauth/v1/token"
        | "/hubspot/oauth/v3/token"
        | "/linear/oauth/token"
        | "/notion/v1/oauth/token"
        | "/salesforce/services/oauth2/token"
        | "/slack/api/oauth.v2.access" => Side::Token,
        "/google/revoke"
        | "/hubspot/oauth/revoke"
        | "/hubspot/oauth/v3/token/revoke"
        | "/linear/oauth/revoke"
        | "/notion/v1/oauth/revoke"
        | "/salesforce/services/oauth2/revoke" => Side::Revoke,
        // The tenant is in the path.
        _ if path.starts_with("/microsoft/") && path.ends_with("/oauth2/v2.0/authorize") => Side::Authorize,
        _ if path.starts_with("/microsoft/") && path.ends_with("/oauth2/v2.0/token") => Side::Token,
        _ if api_of(path).is_some() => Side::Api,
        _ => Side::Other,
    }
}

fn bearer(headers: &hyper::HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn headers_of(headers: &hyper::HeaderMap) -> Pairs {
    headers
        .iter()
        .filter(|(name, _)| **name != header::AUTHORIZATION)
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}
