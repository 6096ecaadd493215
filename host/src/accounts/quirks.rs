//! What token endpoints really answer, made into one strict shape. Every tolerance for a vendor
//! lives here; what is not tolerated is refused without keeping any of the text.
//!
//! | the endpoint answers | we take it as |
//! |---|---|
//! | any 2xx | success, unless the body says otherwise |
//! | 2xx with `error`, or with `ok: false` (GitHub, Slack) | that error |
//! | `text/plain`, `text/javascript`, no content type, a leading BOM | JSON all the same |
//! | `application/x-www-form-urlencoded` (GitHub without `Accept`) | the fields of the form |
//! | HTML, an array, a cut-off text, a field twice | unreadable |
//! | no `access_token`, an empty one, one with control or non-ASCII characters, over 16 KiB | unreadable |
//! | `token_type` missing or any bearer-like word (`bot`, `user` at Slack) | bearer |
//! | `token_type` `mac`, `dpop`, `pop` | unreadable: we cannot use such a token |
//! | `refresh_token` missing, `null` or empty | none: the old one stays |
//! | `expires_in` `3600`, `3600.9`, `"3600"` | 3600 s |
//! | `expires_in` beyond 30 days, up to 1e18 and more | 30 days |
//! | `expires_in` from 1 to 29 | 30 s: the vendor's 401 decides sooner |
//! | `expires_in` missing, 0, negative, not a number | unknown: the manifest's lifetime, else the vendor's 401 |
//! | `scope` as a text (separated by spaces, commas or the vendor's own), or as a list | the scopes granted |
//! | `scope` missing, or an empty text (GitHub Apps, whose tokens have permissions instead) | not stated: what was asked for |
//! | any of these where the manifest's `token_response` says (Slack's `/authed_user`) | the same; a refresh without an access token there is read at the usual places |
//! | 429, 408, 425, 5xx | busy, whatever the body says |
//! | other 4xx | refused, with the error's code when it is a known one |

use std::fmt;
use std::time::Duration;

use oauth2::url::form_urlencoded;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::token_endpoint::Reading;
use crate::egress::TokenAnswer;
use crate::secret::Secret;

/// Longest token that we keep; the largest seen in the wild are signed tokens of some KiB.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// A lifetime is never taken as shorter: a token that dies sooner is renewed by the vendor's 401.
const SHORTEST: Duration = Duration::from_secs(30);
/// A lifetime is never taken as longer.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// A successful token response.
#[derive(Debug)]
pub(super) struct Grant {
    pub access: Secret,
    pub refresh: Option<Secret>,
    pub lifetime: Option<Duration>,
    /// The lifetime before it was clamped, when it was given.
    pub stated: Option<Duration>,
    /// As granted, in the vendor's order; none when the vendor does not say.
    pub scopes: Option<Vec<String>>,
    /// Every other field, for account configuration that the vendor supplies.
    pub extras: Extras,
}

impl Grant {
    /// A grant whose parts a connector's code found in what an endpoint answered.
    pub fn found(
        access: Secret,
        refresh: Option<Secret>,
        stated: Option<Duration>,
        scopes: Option<Vec<String>>,
        about: Value,
    ) -> Self {
        Self {
            access,
            refresh,
            lifetime: stated.map(|stated| stated.clamp(SHORTEST, LONGEST)),
            stated,
            scopes,
            extras: Extras(about),
        }
    }
}

/// The fields of a token response beside the tokens.
pub(super) struct Extras(Value);

impl Extras {
    /// The text or number at a JSON pointer.
    pub fn text(&self, pointer: &str) -> Option<String> {
        scalar(self.0.pointer(pointer)?)
    }
}

impl fmt::Debug for Extras {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Extras")
    }
}

/// A text or a number as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What a token endpoint said instead of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The grant (code or refresh token) is not good: `invalid_grant`.
    Grant,
    /// The client is not good: `invalid_client`, `unauthorized_client`.
    Client,
    /// Another refusal, with its RFC 6749 code when it is a known one.
    Other(Option<&'static str>),
    /// Not now.
    Busy(Option<Duration>),
    /// Nothing that we understand; what was wrong, in our words.
    Unreadable(&'static str),
}

impl Refusal {
    /// The code for journals and faults.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Grant => "invalid_grant",
            Self::Client => "invalid_client",
            Self::Other(code) => code.unwrap_or("refused"),
            Self::Busy(_) => "temporarily_unavailable",
            Self::Unreadable(_) => "unreadable_answer",
        }
    }
}

/// Reads a token endpoint's answer.
pub(super) fn read(answer: &TokenAnswer, reading: &Reading<'_>) -> Result<Grant, Refusal> {
    let status = answer.status.as_u16();
    if status >= 500 || matches!(status, 408 | 425 | 429) {
        return Err(Refusal::Busy(answer.retry_after));
    }
    let fields = fields(answer);
    if !(200..300).contains(&status) {
        let code = fields.ok().and_then(|fields| error_code(&fields));
        return Err(match code {
            Some(code) => refusal(&code, reading),
            None if (400..500).contains(&status) => Refusal::Other(None),
            None => Refusal::Unreadable("a status that is neither success nor refusal"),
        });
    }
    let fields = fields.map_err(Refusal::Unreadable)?;
    if let Some(code) = error_code(&fields) {
        return Err(refusal(&code, reading));
    }
    grant(fields, reading).map_err(Refusal::Unreadable)
}

/// Reads an answer that is not a success and should hold no grant.
pub(super) fn read_refusal(answer: &TokenAnswer) -> Refusal {
    match read(answer, &Reading::default()) {
        Err(refusal) => refusal,
        Ok(_) => Refusal::Unreadable("a grant that nobody asked for"),
    }
}

fn grant(fields: Map<String, Value>, reading: &Reading<'_>) -> Result<Grant, &'static str> {
    if let Some(kind) = fields.get("token_type").and_then(Value::as_str)
        && ["mac", "dpop", "pop"].contains(&kind.to_ascii_lowercase().as_str())
    {
        return Err("a token type that needs a proof with every request");
    }
    let mut fields = Value::Object(fields);
    let places = Places::of(&fields, reading);
    // Tokens are taken out, also those that are not ours to use: the rest may become configuration.
    let mut take = |pointer: &str| fields.pointer_mut(pointer).map(Value::take);
    let (access, refresh) = (take(places.access), take(places.refresh));
    for others in ["/access_token", "/refresh_token", "/id_token"] {
        drop(take(others));
    }
    let access = token(access)?.ok_or("no access token")?;
    let refresh = token(refresh)?;
    let stated = fields.pointer(places.lifetime).and_then(stated);
    let lifetime = stated.map(|stated| stated.clamp(SHORTEST, LONGEST));
    let scopes = match fields.pointer(places.scope) {
        Some(Value::String(text)) if text.trim().is_empty() => None,
        Some(Value::String(text)) => Some(split_scopes(text, reading.separator)),
        Some(Value::Array(list)) => Some(
            list.iter()
                .filter_map(|scope| scope.as_str().map(str::to_owned))
                .collect(),
        ),
        _ => None,
    };
    Ok(Grant {
        access,
        refresh,
        lifetime,
        stated,
        scopes,
        extras: Extras(fields),
    })
}

/// Where the fields of one answer are.
struct Places<'r> {
    access: &'r str,
    refresh: &'r str,
    lifetime: &'r str,
    scope: &'r str,
}

impl<'r> Places<'r> {
    fn of(fields: &Value, reading: &Reading<'r>) -> Self {
        let declared = reading.places;
        let place = |pointer: Option<&'r String>, usual: &'r str| pointer.map_or(usual, String::as_str);
        let found = Self {
            access: place(
                declared.and_then(|places| places.access_token.as_ref()),
                "/access_token",
            ),
            refresh: place(
                declared.and_then(|places| places.refresh_token.as_ref()),
                "/refresh_token",
            ),
            lifetime: place(
                declared.and_then(|places| places.expires_in.as_ref()),
                "/expires_in",
            ),
            scope: place(declared.and_then(|places| places.scope.as_ref()), "/scope"),
        };
        let nothing_there = |pointer: &str| fields.pointer(pointer).is_none_or(Value::is_null);
        // All or nothing: what stands elsewhere may belong to another token of the same answer.
        if reading.refreshes && nothing_there(found.access) {
            return Self::usual();
        }
        found
    }

    fn usual() -> Self {
        Self {
            access: "/access_token",
            refresh: "/refresh_token",
            lifetime: "/expires_in",
            scope: "/scope",
        }
    }
}

/// A token that can be kept and sent; none when there is none.
pub(super) fn token(value: Option<Value>) -> Result<Option<Secret>, &'static str> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.len() > MAX_TOKEN_BYTES => Err("a token over 16 KiB"),
        // RFC 6749 appendix A.12: a token is printable ASCII, so it can always be a header.
        Some(Value::String(text)) if !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) => {
            Err("a token with characters that no header carries")
        }
        Some(Value::String(text)) => Ok(Some(Secret::new(text))),
        Some(_) => Err("a token that is not a text"),
    }
}

fn stated(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    if !seconds.is_finite() || seconds < 1.0 {
        return None;
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and the cast saturates"
    )]
    let whole = seconds as u64;
    Some(Duration::from_secs(whole))
}

/// The scopes of a text, each once.
pub(super) fn split_scopes(text: &str, separator: &str) -> Vec<String> {
    let mut scopes: Vec<String> = Vec::new();
    let own = separator.trim();
    for part in text.split([' ', ',']) {
        let parts: Vec<&str> = if own.is_empty() {
            vec![part]
        } else {
            part.split(own).collect()
        };
        for scope in parts {
            if !scope.is_empty() && !scopes.iter().any(|known| known == scope) {
                scopes.push(scope.to_owned());
            }
        }
    }
    scopes
}

fn error_code(fields: &Map<String, Value>) -> Option<String> {
    if let Some(error) = fields.get("error") {
        let code = error
            .as_str()
            .or_else(|| error.get("code")?.as_str())
            .or_else(|| error.get("type")?.as_str());
        return Some(code.unwrap_or_default().to_owned());
    }
    let failed = fields.get("ok") == Some(&Value::Bool(false));
    // HubSpot's older token endpoint names its refusals in `status`.
    let status = fields.get("status").and_then(Value::as_str);
    match status {
        Some(status) if status.starts_with("BAD_") => Some(status.to_owned()),
        _ => failed.then(String::new),
    }
}

/// The vendor's code as one of RFC 6749. Its text is never kept: it may quote a token.
fn refusal(code: &str, reading: &Reading<'_>) -> Refusal {
    match code {
        declared if reading.grant_errors.iter().any(|code| code == declared) => Refusal::Grant,
        "invalid_grant"
        // GitHub
        | "bad_refresh_token" | "bad_verification_code"
        // Slack
        | "invalid_refresh_token" | "invalid_code" | "code_already_used" | "token_revoked" | "token_expired"
        // HubSpot
        | "BAD_REFRESH_TOKEN" | "BAD_AUTH_CODE"
        // Google's and others' answer to revoking what is gone already
        | "invalid_token" => Refusal::Grant,
        "invalid_client" | "unauthorized_client"
        // GitHub
        | "incorrect_client_credentials"
        // Slack
        | "bad_client_secret" | "invalid_client_id"
        // HubSpot
        | "BAD_CLIENT_ID" | "BAD_CLIENT_SECRET" => Refusal::Client,
        "temporarily_unavailable" | "server_error" | "slow_down" | "ratelimited" | "internal_error" => {
            Refusal::Busy(None)
        }
        other => Refusal::Other(known_code(other)),
    }
}

/// An OAuth error code of which we know that it is a code and not a vendor's text.
pub(super) fn known_code(code: &str) -> Option<&'static str> {
    [
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
        "invalid_scope",
        "access_denied",
        "server_error",
        "temporarily_unavailable",
        "interaction_required",
        "login_required",
        "consent_required",
        "account_selection_required",
        "redirect_uri_mismatch",
    ]
    .into_iter()
    .find(|known| *known == code)
}

fn fields(answer: &TokenAnswer) -> Result<Map<String, Value>, &'static str> {
    let body = answer.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&answer.body);
    let content_type = answer.content_type.as_deref().unwrap_or_default();
    if content_type.starts_with("text/html") {
        return Err("a page instead of a token response");
    }
    if content_type.starts_with("application/x-www-form-urlencoded") {
        let mut fields = Map::new();
        for (name, value) in form_urlencoded::parse(body) {
            if fields
                .insert(name.into_owned(), Value::String(value.into_owned()))
                .is_some()
            {
                return Err("a field twice");
            }
        }
        return Ok(fields);
    }
    serde_json::from_slice::<Unique>(body)
        .map(|fields| fields.0)
        .map_err(|error| {
            if error.to_string().starts_with(TWICE) {
                TWICE
            } else {
                "not a JSON object"
            }
        })
}

const TWICE: &str = "a field twice";

/// A JSON object none of whose own fields comes twice: parsers disagree about which one counts.
struct Unique(Map<String, Value>);

impl<'de> de::Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Unique;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
                let mut fields = Map::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if fields.insert(name, value).is_some() {
                        return Err(de::Error::custom(TWICE));
                    }
                }
                Ok(Unique(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use valetkey_manifest::auth::TokenResponse;

    fn answer(status: u16, content_type: Option<&str>, body: &str) -> TokenAnswer {
        TokenAnswer {
            status: StatusCode::from_u16(status).unwrap(),
            content_type: content_type.map(str::to_owned),
            retry_after: None,
            body: bytes::Bytes::from(body.to_owned()),
        }
    }

    fn json(body: &str) -> Result<Grant, Refusal> {
        read(&answer(200, Some("application/json"), body), &Reading::default())
    }

    #[test]
    fn lifetimes_are_survived_in_every_spelling() {
        let day = 24 * 3600;
        for (expires_in, expected) in [
            ("3600", Some(3600)),
            ("\"3600\"", Some(3600)),
            ("\" 3600 \"", Some(3600)),
            ("3599.9", Some(3599)),
            ("5", Some(30)),
            ("1e18", Some(30 * day)),
            ("18446744073709551616", Some(30 * day)),
            ("0", None),
            ("-1", None),
            ("\"soon\"", None),
            ("null", None),
            ("[1]", None),
            ("\"NaN\"", None),
            ("\"inf\"", None),
        ] {
            let grant = json(&format!(r#"{{"access_token":"t","expires_in":{expires_in}}}"#)).unwrap();
            assert_eq!(
                grant.lifetime,
                expected.map(Duration::from_secs),
                "expires_in {expires_in}"
            );
        }
        assert_eq!(json(r#"{"access_token":"t"}"#).unwrap().lifetime, None);
    }

    #[test]
    fn what_cannot_be_a_token_response_is_unreadable() {
        let long = format!(r#"{{"access_token":"{}"}}"#, "t".repeat(1024 * 1024));
        for body in [
            "",
            "[]",
            "\"t\"",
            "{",
            r#"{"access_token":""}"#,
            r#"{"access_token":7}"#,
            r#"{"access_token":"a\nb"}"#,
            r#"{"access_token":"a\u0000"}"#,
            r#"{"access_token":"ä"}"#,
            r#"{"refresh_token":"r"}"#,
            r#"{"access_token":"a","access_token":"b"}"#,
            r#"{"access_token":"a","expires_in":1,"expires_in":2}"#,
            r#"{"access_token":"a","token_type":"mac"}"#,
            r#"{"access_token":"a","token_type":"DPoP"}"#,
            r#"{"access_token":"a","refresh_token":"r\r\n"}"#,
            long.as_str(),
        ] {
            let shown: String = body.chars().take(60).collect();
            assert!(matches!(json(body), Err(Refusal::Unreadable(_))), "{shown}");
        }
        let page = read(
            &answer(200, Some("text/html; charset=utf-8"), "<html>"),
            &Reading::default(),
        );
        assert!(matches!(page, Err(Refusal::Unreadable(_))));
        assert!(matches!(
            read(&answer(302, None, ""), &Reading::default()),
            Err(Refusal::Unreadable(_))
        ));
    }

    #[test]
    fn odd_but_meant_answers_are_understood() {
        assert_eq!(
            json("\u{feff}{\"access_token\":\"t\"}").unwrap().access.expose(),
            "t"
        );
        let text = read(
            &answer(
                201,
                Some("text/plain"),
                r#"{"access_token":"t","token_type":"bot"}"#,
            ),
            &Reading::default(),
        );
        assert_eq!(text.unwrap().access.expose(), "t");
        let form = answer(
            200,
            Some("application/x-www-form-urlencoded"),
            "access_token=t&scope=a%2Cb&expires_in=60",
        );
        let commas = Reading {
            separator: ",",
            ..Reading::default()
        };
        let grant = read(&form, &commas).unwrap();
        assert_eq!(grant.scopes.unwrap(), ["a", "b"]);
        assert_eq!(grant.lifetime, Some(Duration::from_secs(60)));
        for absent in [
            r#"{"access_token":"t"}"#,
            r#"{"access_token":"t","refresh_token":""}"#,
            r#"{"access_token":"t","refresh_token":null}"#,
        ] {
            assert!(json(absent).unwrap().refresh.is_none());
        }
    }

    #[test]
    fn tokens_are_read_where_the_vendor_keeps_them() {
        let places = TokenResponse {
            access_token: Some("/authed_user/access_token".to_owned()),
            refresh_token: Some("/authed_user/refresh_token".to_owned()),
            expires_in: Some("/authed_user/expires_in".to_owned()),
            scope: Some("/authed_user/scope".to_owned()),
        };
        let reading = |refreshes| Reading {
            separator: ",",
            places: Some(&places),
            refreshes,
            ..Reading::default()
        };
        let read_as =
            |body: &str, refreshes| read(&answer(200, Some("application/json"), body), &reading(refreshes));
        let both = r#"{"ok":true,"access_token":"bot","refresh_token":"bot-refresh","scope":"chat:write",
            "authed_user":{"id":"U1","access_token":"user","scope":"search:read,users:read","expires_in":43200}}"#;
        for refreshes in [false, true] {
            let grant = read_as(both, refreshes).unwrap();
            assert_eq!(grant.access.expose(), "user");
            assert!(grant.refresh.is_none(), "the bot's is not the user's");
            assert_eq!(grant.lifetime, Some(Duration::from_secs(43200)));
            assert_eq!(grant.scopes.unwrap(), ["search:read", "users:read"]);
            assert_eq!(grant.extras.text("/authed_user/id").as_deref(), Some("U1"));
            for token in ["/access_token", "/refresh_token", "/authed_user/access_token"] {
                assert_eq!(grant.extras.text(token), None, "{token}");
            }
        }
        let top = r#"{"ok":true,"access_token":"new","refresh_token":"next","expires_in":60,"scope":"a,b"}"#;
        assert!(matches!(read_as(top, false), Err(Refusal::Unreadable(_))));
        let grant = read_as(top, true).unwrap();
        assert_eq!(
            (grant.access.expose(), grant.refresh.unwrap().expose()),
            ("new", "next")
        );
        assert_eq!(grant.scopes.unwrap(), ["a", "b"]);
    }

    #[test]
    fn scopes_are_read_in_every_spelling() {
        for (scope, expected) in [
            (r#""b a""#, vec!["b", "a"]),
            (r#""a,b""#, vec!["a", "b"]),
            (r#""a, b,, a""#, vec!["a", "b"]),
            (r#"["a","b"]"#, vec!["a", "b"]),
        ] {
            let grant = json(&format!(r#"{{"access_token":"t","scope":{scope}}}"#)).unwrap();
            assert_eq!(grant.scopes.unwrap(), expected);
        }
        for unstated in [r#"{"access_token":"t"}"#, r#"{"access_token":"t","scope":""}"#] {
            assert_eq!(json(unstated).unwrap().scopes, None);
        }
    }

    #[test]
    fn only_explicit_codes_condemn_a_grant() {
        for (status, body, expected) in [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"secret-canary"}"#,
                Refusal::Grant,
            ),
            (401, r#"{"error":"invalid_client"}"#, Refusal::Client),
            (200, r#"{"error":"bad_refresh_token"}"#, Refusal::Grant),
            (
                200,
                r#"{"ok":false,"error":"invalid_refresh_token"}"#,
                Refusal::Grant,
            ),
            (200, r#"{"ok":false}"#, Refusal::Other(None)),
            (
                400,
                r#"{"status":"BAD_REFRESH_TOKEN","message":"x"}"#,
                Refusal::Grant,
            ),
            (
                400,
                r#"{"error":"invalid_scope"}"#,
                Refusal::Other(Some("invalid_scope")),
            ),
            (
                400,
                r#"{"error":"token secret-canary is bad"}"#,
                Refusal::Other(None),
            ),
            (400, "<html>", Refusal::Other(None)),
            (403, "", Refusal::Other(None)),
            (500, r#"{"error":"invalid_grant"}"#, Refusal::Busy(None)),
            (429, r#"{"error":"invalid_grant"}"#, Refusal::Busy(None)),
            (503, "", Refusal::Busy(None)),
            (400, r#"{"error":"temporarily_unavailable"}"#, Refusal::Busy(None)),
        ] {
            let refusal = read(
                &answer(status, Some("application/json"), body),
                &Reading::default(),
            )
            .unwrap_err();
            assert_eq!(refusal, expected, "{status} {body}");
            assert!(!format!("{refusal:?}").contains("canary"));
        }
    }

    #[test]
    fn a_code_that_the_manifest_declares_ends_the_grant_and_no_other_does() {
        let declared = ["unauthorized_client".to_owned()];
        let reading = Reading {
            grant_errors: &declared,
            ..Reading::default()
        };
        let refused = |body: &str| read(&answer(403, Some("application/json"), body), &reading).unwrap_err();
        assert_eq!(refused(r#"{"error":"unauthorized_client"}"#), Refusal::Grant);
        assert_eq!(refused(r#"{"error":"invalid_client"}"#), Refusal::Client);
    }
}
