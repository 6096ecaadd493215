//! Parsing: the caller, the query and the body of a request, each with one way of refusing.
//!
//! Handlers take these as arguments in this order, so that nobody learns anything about a body
//! before they are known.

use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Query as UrlQuery, Request};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;

use super::answer::{Refusal, reason};
use crate::access::{Caller, unauthenticated};
use crate::error::{Fault, Kind, Problem};
use crate::id::InvalidId;
use crate::runtime::Runtime;

/// Nesting of a JSON body.
const MAX_DEPTH: usize = 64;
/// Values in a JSON body, members' names not counted.
const MAX_NODES: usize = 10_000;
/// How long an ordinary body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);
/// How long a component may take to arrive.
const UPLOAD_TIME: Duration = Duration::from_secs(300);
/// A form: credentials and OAuth parameters.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// Who calls, and that they may do what `N` says. A handler gets its caller in no other way, so
/// that none forgets to ask.
pub(super) struct Who<N>(pub Arc<Caller>, pub PhantomData<N>);

impl<N: scope::Need> FromRequestParts<Arc<Runtime>> for Who<N> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, host: &Arc<Runtime>) -> Result<Self, Refusal> {
        let bearer = bearer(&parts.headers).ok_or_else(unauthenticated)?;
        let caller = host.access.authenticate(bearer)?;
        caller.require(N::SCOPE)?;
        Ok(Self(caller, PhantomData))
    }
}

/// The scopes as types, for the signatures of handlers.
pub(super) mod scope {
    use crate::access::Scope;

    /// A scope that a handler needs.
    pub trait Need {
        /// Which.
        const SCOPE: Scope;
    }

    macro_rules! needs {
        ($($name:ident),* $(,)?) => {$(
            #[doc = concat!("[`Scope::", stringify!($name), "`].")]
            pub struct $name;

            impl Need for $name {
                const SCOPE: Scope = Scope::$name;
            }
        )*};
    }

    needs!(
        ToolsRead,
        ToolsExecute,
        AccountsRead,
        AccountsWrite,
        AccountsVerify,
        ConnectionsWrite,
        ConnectorsWrite,
        ExecutionsRead,
    );
}

/// The token of the one `Authorization: Bearer` header; the scheme in any case (RFC 9110).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = only(headers, AUTHORIZATION)?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The value of a header that is there exactly once.
pub(super) fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.to_str().ok()).flatten()
}

/// The query, with unknown parameters refused.
pub(super) struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Runtime>> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Runtime>) -> Result<Self, Refusal> {
        match UrlQuery::try_from_uri(&parts.uri) {
            Ok(UrlQuery(query)) => Ok(Self(query)),
            Err(rejection) => {
                let text = rejection.body_text();
                let text = text
                    .rsplit_once("query string: ")
                    .map_or(&*text, |(_, text)| text);
                // `parameter: what is wrong`, or only what is wrong.
                let (path, problem) = match text.split_once(": ") {
                    Some((name, problem)) if !name.contains([' ', '`']) => (format!("/{name}"), problem),
                    _ => (
                        unknown_name(text).map_or(String::new(), |name| format!("/{name}")),
                        text,
                    ),
                };
                let problem = shown(problem);
                Err(Fault::invalid(
                    "The query is not what this path takes; `fields` says where.",
                    vec![Problem { path, problem }],
                )
                .into())
            }
        }
    }
}

/// A JSON body, with unknown members refused. No body is the same as `{}`.
pub(super) struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<Runtime>> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, host: &Arc<Runtime>) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let limit = host.config.server.max_body_bytes;
        let bytes = collect(&parts.headers, body, limit, BODY_TIME).await?;
        if bytes.is_empty() {
            return Ok(Self(parse(b"{}")?));
        }
        media_type(&parts.headers, "application/json")?;
        check_shape(&bytes)?;
        Ok(Self(parse(&bytes)?))
    }
}

/// A form body (`application/x-www-form-urlencoded`), in order.
pub(super) struct Form(pub Vec<(String, String)>);

impl FromRequest<Arc<Runtime>> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &Arc<Runtime>) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        media_type(&parts.headers, "application/x-www-form-urlencoded")?;
        let bytes = collect(&parts.headers, body, MAX_FORM_BYTES, BODY_TIME).await?;
        Ok(Self(
            form_urlencoded::parse(&bytes)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        ))
    }
}

/// An uploaded component.
pub(super) struct Upload(pub Vec<u8>);

impl FromRequest<Arc<Runtime>> for Upload {
    type Rejection = Refusal;

    async fn from_request(request: Request, host: &Arc<Runtime>) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        media_type(&parts.headers, "application/wasm")?;
        let limit = host.config.server.max_component_bytes;
        let bytes = collect(&parts.headers, body, limit, UPLOAD_TIME).await?;
        Ok(Self(bytes.into()))
    }
}

/// A name or id in the path. What is not even of the form of one names nothing.
pub(super) fn named<T: FromStr<Err = InvalidId>>(kind: Kind, text: &str) -> Result<T, Fault> {
    text.parse()
        .map_err(|error: InvalidId| Fault::new(kind, format!("There is no such thing: {error}.")))
}

async fn collect(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    time: Duration,
) -> Result<bytes::Bytes, Fault> {
    let announced = only(headers, CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    match tokio::time::timeout(time, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length_limit(&error) => Err(too_large(limit)),
        Ok(Err(error)) => Err(Fault::new(
            Kind::InvalidInput,
            "The body of the request broke off. Send it again, whole.",
        )
        .because(error)),
        Err(_) => Err(Fault::new(
            Kind::InvalidInput,
            format!(
                "The body of the request did not arrive within {} s. Send it again.",
                time.as_secs()
            ),
        )
        .reason(reason::BODY_TOO_SLOW)),
    }
}

fn is_length_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<LengthLimitError>())
}

fn too_large(limit: usize) -> Fault {
    Fault::new(
        Kind::InvalidInput,
        format!("The body of the request is larger than the {limit} bytes that this path takes. Send less."),
    )
    .reason(reason::BODY_TOO_LARGE)
}

fn media_type(headers: &HeaderMap, wanted: &str) -> Result<(), Fault> {
    let is = only(headers, CONTENT_TYPE).unwrap_or_default();
    let essence = is.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(Fault::new(
        Kind::InvalidInput,
        format!("The body must be `{wanted}`; say so in the header `content-type`."),
    )
    .reason(reason::MEDIA_TYPE))
}

/// Refuses JSON that is deeper or has more values than any honest body, before anything is built
/// from it. Well-formedness is the parser's business.
fn check_shape(json: &[u8]) -> Result<(), Fault> {
    let (mut depth, mut nodes) = (0_usize, 1_usize);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => loop {
                match bytes.next() {
                    Some(b'\\') => drop(bytes.next()),
                    Some(b'"') | None => break,
                    Some(_) => {}
                }
            },
            b'{' | b'[' => {
                depth += 1;
                nodes += 1;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => nodes += 1,
            _ => {}
        }
        if depth > MAX_DEPTH || nodes > MAX_NODES {
            return Err(Fault::new(
                Kind::InvalidInput,
                format!("The body is too complicated: at most {MAX_DEPTH} levels and {MAX_NODES} values."),
            )
            .reason("json_too_complex"));
        }
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Fault> {
    // The path is only worth its price when there is something to complain of.
    serde_json::from_slice(json).map_err(|error| complaint::<T>(json, &error))
}

fn complaint<T: DeserializeOwned>(json: &[u8], error: &serde_json::Error) -> Fault {
    if !error.is_data() {
        return Fault::new(Kind::InvalidInput, format!("The body is not JSON: {error}."));
    }
    let mut parser = serde_json::Deserializer::from_slice(json);
    let (mut path, mut problem) = (String::new(), error.to_string());
    if let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut parser) {
        path = pointer(error.path());
        problem = error.inner().to_string();
    }
    if let Some(at) = problem.rfind(" at line ") {
        problem.truncate(at);
    }
    if let Some(name) = unknown_name(&problem)
        && !path.ends_with(&format!("/{name}"))
    {
        path = format!("{path}/{}", escaped(name));
    }
    Fault::invalid(
        "The body is not what this path takes; `fields` says where.",
        vec![Problem {
            path,
            problem: shown(&problem),
        }],
    )
}

/// A JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer.push('/');
                pointer.push_str(&escaped(key));
            }
            Segment::Unknown => {}
        }
    }
    pointer
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The parser's words, short, with the name that was probably meant.
fn shown(problem: &str) -> String {
    const LONGEST: usize = 400;
    let mut text: String = without_value(problem).chars().take(LONGEST).collect();
    if let Some(meant) = meant(problem) {
        text.push_str(&format!("; did you mean `{meant}`?"));
    }
    text
}

/// The parser quotes a text that it did not expect; in the wrong place it may be a secret.
fn without_value(problem: &str) -> String {
    match (
        problem.split_once(": string \""),
        problem.rsplit_once("\", expected "),
    ) {
        (Some((kind, _)), Some((_, expected))) => format!("{kind}: string, expected {expected}"),
        _ => problem.to_owned(),
    }
}

fn unknown_name(problem: &str) -> Option<&str> {
    problem.strip_prefix("unknown field `")?.split('`').next()
}

/// Of ``unknown field `x`, expected one of `a`, `b` `` the expected name that is nearest to `x`.
fn meant(problem: &str) -> Option<&str> {
    const NEAR: f64 = 0.7;
    let quoted = |text| str::split(text, '`').skip(1).step_by(2);
    if !problem.starts_with("unknown ") {
        return None;
    }
    let wrong = quoted(problem).next()?;
    quoted(problem)
        .skip(1)
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(nearness, _)| *nearness >= NEAR)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape matters")]
    struct Sample {
        tool_name: String,
        #[serde(default)]
        list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape matters")]
    struct Inner {
        number: u32,
    }

    fn field(json: &str) -> (String, String) {
        let fault = parse::<Sample>(json.as_bytes()).expect_err("refused");
        let field = fault.fields().first().expect("a field").clone();
        (field.path, field.problem)
    }

    #[test]
    fn complaints_name_the_place_and_the_name_that_was_meant() {
        let (path, problem) = field(r#"{"tool_nam":"x"}"#);
        assert_eq!(path, "/tool_nam");
        assert!(problem.ends_with("did you mean `tool_name`?"), "{problem}");
        let (path, problem) = field(r#"{"tool_name":"x","list":[{"number":1},{"number":"a"}]}"#);
        assert_eq!(path, "/list/1/number");
        assert!(problem.contains("expected u32"), "{problem}");
        let (path, problem) = field(r#"{"tool_name":"x","list":"a \"secret\", expected"}"#);
        assert_eq!(path, "/list");
        assert_eq!(problem, "invalid type: string, expected a sequence");
        let (path, _) = field(r#"{"tool_name":"x","list":[{"numbr":1}]}"#);
        assert_eq!(path, "/list/0/numbr");
        let (path, problem) = field("{}");
        assert_eq!(
            (path.as_str(), problem.as_str()),
            ("", "missing field `tool_name`")
        );
    }

    #[test]
    fn deep_and_numerous_json_is_refused_and_strings_are_not_counted() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(check_shape(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(check_shape(nested(MAX_DEPTH + 1).as_bytes()).is_err());
        let many = |count: usize| format!("[{}]", vec!["1"; count].join(","));
        assert!(check_shape(many(MAX_NODES - 2).as_bytes()).is_ok());
        assert!(check_shape(many(MAX_NODES + 2).as_bytes()).is_err());
        let text = format!(r#"{{"a":"{}\"{}"}}"#, "[".repeat(200), ",".repeat(20_000));
        assert!(check_shape(text.as_bytes()).is_ok());
        assert!(check_shape(b"\"unterminated [[[").is_ok());
    }
}
