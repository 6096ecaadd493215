//! The OAuth client: the authorization URL, the requests to the token and revocation endpoints,
//! and what their answers mean. `oauth2` makes the URL and the PKCE pair; the form requests are
//! ours, because the crate refuses plain-http revocation on loopback, and its parser is both
//! too strict for vendors ([`super::quirks`]) and too lax for hostile ones.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use oauth2::basic::BasicClient;
use oauth2::url::{Url, form_urlencoded};
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use serde_json::{Map, Value};
use valetkey_manifest::auth::{ClientAuth, TokenBody, TokenResponse};

use super::model::Connection;
use super::parts::Parts;
use super::quirks::{self, Grant, Refusal};
use crate::egress::{TokenRequest, TokenTransportError};
use crate::error::{Fault, Kind};
use crate::secret::Secret;

/// Why a token request brought no grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The endpoint answered.
    Refused(Refusal),
    /// Nothing reached the endpoint; why, in egress's words.
    NotSent(String),
    /// The credential itself cannot be used; why, in egress's words. Nothing was sent.
    Unusable(String),
    /// It was sent, and whether the endpoint acted is unknown.
    OutcomeUnknown,
    /// The connector's own code for this conversation failed; whether it had asked before.
    Code { kind: Kind, asked: bool },
}

impl Failure {
    /// The code for journals and faults; never a vendor's text.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::NotSent(_) => "not_sent",
            Self::Unusable(_) => "credential_unusable",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Code { kind, .. } => kind.as_str(),
        }
    }

    /// Whether the endpoint may have acted although we hold no answer to go by.
    pub fn may_have_acted(&self) -> bool {
        match self {
            Self::OutcomeUnknown | Self::Code { asked: true, .. } => true,
            Self::Code { asked: false, .. } => false,
            Self::NotSent(_) | Self::Unusable(_) => false,
            Self::Refused(refusal) => matches!(refusal, Refusal::Busy(_) | Refusal::Unreadable(_)),
        }
    }
}

/// One endpoint and how we identify ourselves there. It is kept, sealed, with revocations that
/// outlive their connection.
#[derive(Serialize, Deserialize)]
pub(super) struct Endpoint {
    pub url: String,
    pub client_auth: ClientAuth,
    #[serde(default)]
    pub body: TokenBody,
    pub client_id: String,
    pub client_secret: Option<String>,
    pub development: bool,
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.client_secret.zeroize();
    }
}

impl Endpoint {
    /// An endpoint of a connection; `url` with the account's configuration filled in.
    pub fn of(connection: &Connection, client_secret: Option<&Secret>, url: String) -> Self {
        let oauth2 = connection.oauth2.as_ref();
        Self {
            url,
            client_auth: oauth2.map_or(ClientAuth::None, |oauth2| oauth2.client_auth),
            body: oauth2.map_or(TokenBody::Form, |oauth2| oauth2.token_body),
            client_id: connection.oauth_client_id.clone().unwrap_or_default(),
            // Goes into token requests alone.
            client_secret: client_secret.map(|secret| secret.expose().to_owned()),
            development: connection.development,
        }
    }

    /// Exchanges an authorization code.
    pub async fn exchange(
        &self,
        parts: &Parts,
        reading: &Reading<'_>,
        code: &Secret,
        verifier: &Secret,
        redirect_uri: &str,
    ) -> Result<Grant, Failure> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier.expose()),
        ];
        self.ask(parts, &form, reading).await
    }

    /// Presents a refresh token.
    pub async fn refresh(
        &self,
        parts: &Parts,
        reading: &Reading<'_>,
        token: &Secret,
    ) -> Result<Grant, Failure> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.expose())];
        let reading = Reading {
            refreshes: true,
            ..*reading
        };
        self.ask(parts, &form, &reading).await
    }

    /// Asks for a grant with these fields.
    pub async fn ask(
        &self,
        parts: &Parts,
        form: &[(&str, &str)],
        reading: &Reading<'_>,
    ) -> Result<Grant, Failure> {
        let answer = self.send(parts, form).await?;
        quirks::read(&answer, reading).map_err(Failure::Refused)
    }

    /// Revokes a token (RFC 7009). A token that the endpoint no longer knows is revoked.
    pub async fn revoke(&self, parts: &Parts, token: &str, hint: &str) -> Result<(), Failure> {
        // The hint is optional, and endpoints that read JSON are not those of the RFC.
        let fields = [("token", token), ("token_type_hint", hint)];
        let count = if self.body == TokenBody::Json { 1 } else { 2 };
        let answer = self.send(parts, &fields[..count]).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        match quirks::read_refusal(&answer) {
            Refusal::Grant => Ok(()),
            refusal => Err(Failure::Refused(refusal)),
        }
    }

    async fn send(
        &self,
        parts: &Parts,
        form: &[(&str, &str)],
    ) -> Result<crate::egress::TokenAnswer, Failure> {
        let (headers, body) = self.compose(form);
        let request = TokenRequest {
            url: self.url.clone(),
            headers,
            body: body.into(),
            development: self.development,
            max_response_bytes: parts.settings.max_token_response_bytes,
            timeout: parts.token_timeout(),
        };
        parts
            .egress
            .token_request(request)
            .await
            .map_err(|error| match error {
                TokenTransportError::Refused(why) | TokenTransportError::NotSent(why) => {
                    Failure::NotSent(why)
                }
                TokenTransportError::OutcomeUnknown(_) => Failure::OutcomeUnknown,
            })
    }

    fn compose(&self, fields: &[(&str, &str)]) -> (HeaderMap, Vec<u8>) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut fields = fields.to_vec();
        match (self.client_auth, self.client_secret.as_deref()) {
            (ClientAuth::Basic, Some(secret)) => {
                // RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
                let halves: Vec<String> = [self.client_id.as_str(), secret]
                    .iter()
                    .map(|half| form_urlencoded::byte_serialize(half.as_bytes()).collect())
                    .collect();
                let joined = Zeroizing::new(halves.join(":"));
                let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(joined.as_bytes())));
                if let Ok(mut value) = HeaderValue::from_str(&text) {
                    value.set_sensitive(true);
                    headers.insert(AUTHORIZATION, value);
                }
            }
            (ClientAuth::Post, Some(secret)) => {
                fields.extend([("client_id", self.client_id.as_str()), ("client_secret", secret)]);
            }
            // An assertion names its client itself.
            (ClientAuth::None, _) | (_, None) if self.client_id.is_empty() => {}
            (ClientAuth::None, _) | (_, None) => fields.push(("client_id", &self.client_id)),
        }
        let (content_type, body) = match self.body {
            TokenBody::Form => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(fields);
                ("application/x-www-form-urlencoded", form.finish().into_bytes())
            }
            TokenBody::Json => {
                let members = fields
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), Value::from(value)));
                let object = Value::Object(members.collect::<Map<_, _>>());
                ("application/json", object.to_string().into_bytes())
            }
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        (headers, body)
    }
}

/// How the answers of a token endpoint are read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'c> {
    /// What joins scopes.
    pub separator: &'c str,
    /// Where the fields are, if not at their usual places.
    pub places: Option<&'c TokenResponse>,
    /// Whether the answer is to a refresh, which may have them at the usual places all the same.
    pub refreshes: bool,
    /// Codes that say what `invalid_grant` says.
    pub grant_errors: &'c [String],
}

impl Default for Reading<'_> {
    fn default() -> Self {
        Self {
            separator: " ",
            places: None,
            refreshes: false,
            grant_errors: &[],
        }
    }
}

impl<'c> Reading<'c> {
    /// As the connection's vendor answers.
    pub fn of(connection: &'c Connection) -> Self {
        connection
            .oauth2
            .as_ref()
            .map_or_else(Self::default, |oauth2| Self {
                separator: &oauth2.scope_separator,
                places: oauth2.token_response.as_ref(),
                refreshes: false,
                grant_errors: &oauth2.grant_errors,
            })
    }
}

/// Where the browser goes for consent, and the verifier that the exchange will show.
pub(super) fn authorization(
    connection: &Connection,
    authorize_url: &str,
    state: &str,
) -> Result<(String, Secret), Fault> {
    let (Some(oauth2), Some(client_id), Some(redirect_uri)) = (
        &connection.oauth2,
        &connection.oauth_client_id,
        &connection.redirect_uri,
    ) else {
        return Err(Fault::internal(
            "an authorization URL was asked of a connection without OAuth",
        ));
    };
    let client = BasicClient::new(ClientId::new(client_id.clone()))
        .set_auth_uri(AuthUrl::new(authorize_url.to_owned()).map_err(Fault::internal)?)
        .set_redirect_uri(RedirectUrl::new(redirect_uri.clone()).map_err(Fault::internal)?);
    let verifier = PkceCodeVerifier::new(crate::random::token());
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    let state = state.to_owned();
    let mut request = client
        .authorize_url(|| CsrfToken::new(state))
        .set_pkce_challenge(challenge);
    // Joined here and not by the crate: some vendors want commas. An empty list sends no
    // parameter at all, which Pipedrive insists on.
    if !connection.scopes.is_empty() {
        request = request.add_extra_param(
            oauth2.scope_param.clone(),
            connection.scopes.join(&oauth2.scope_separator),
        );
    }
    for (name, value) in &oauth2.authorize_params {
        request = request.add_extra_param(name.clone(), value.clone());
    }
    let (url, _) = request.url();
    Ok((url.into(), Secret::new(verifier.into_secret())))
}

/// Fills `{config.NAME}` of an OAuth URL from an account's configuration.
pub(super) fn fill(url: &str, config: &std::collections::BTreeMap<String, String>) -> Result<String, Fault> {
    let mut filled = url.to_owned();
    for (name, value) in config {
        filled = filled.replace(&format!("{{config.{name}}}"), value);
    }
    match filled
        .split_once("{config.")
        .and_then(|(_, rest)| rest.split_once('}'))
    {
        Some((name, _)) => Err(Fault::new(
            Kind::InvalidInput,
            format!(
                "The account's configuration lacks `{name}`. Give it as `account_config` when you make the link."
            ),
        )),
        None => Ok(filled),
    }
}

/// Checks a URL that an operator names: https, or http on loopback in development, and nothing
/// hidden in it. Answers what is wrong.
pub(super) fn check_url(url: &str, development: bool) -> Result<(), String> {
    let filled = plain(url);
    let parsed = Url::parse(&filled).map_err(|_| "is not an absolute URL".to_owned())?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("carries a user name or password".to_owned());
    }
    if parsed.fragment().is_some() {
        return Err("has a fragment".to_owned());
    }
    let loopback = match parsed.host() {
        Some(oauth2::url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(oauth2::url::Host::Ipv4(address)) => address.is_loopback(),
        Some(oauth2::url::Host::Ipv6(address)) => address.is_loopback(),
        None => return Err("names no host".to_owned()),
    };
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if development && loopback => Ok(()),
        "http" if development => {
            Err("is plain http to another machine; development allows loopback alone".to_owned())
        }
        _ => Err("is not https".to_owned()),
    }
}

/// Checks the URL of a vendor's endpoint that an operator names. In development it may be wherever an
/// account's configuration says (`http://{config.instance}`), since such connections reach this
/// machine alone.
pub(super) fn check_endpoint(url: &str, development: bool) -> Result<(), String> {
    let placeholder = url
        .strip_prefix("http://")
        .filter(|rest| development && rest.starts_with("{config."))
        .and_then(|rest| rest.split_once('}'));
    match placeholder {
        Some((_, rest)) if rest.is_empty() || rest.starts_with('/') => {
            check_url(&format!("http://localhost{rest}"), development)
        }
        _ => check_url(url, development),
    }
}

/// The URL with placeholders replaced by something that parses wherever a value may stand: as a label
/// of a host's name, in a path, and as a port.
fn plain(url: &str) -> String {
    let mut out = String::new();
    let mut rest = url;
    while let Some((before, after)) = rest.split_once("{config.") {
        out.push_str(before);
        out.push('1');
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    out + rest
}

/// A transport failure's advice on when to try again.
pub(super) fn retry_after(failure: &Failure) -> Option<Duration> {
    match failure {
        Failure::Refused(Refusal::Busy(wait)) => *wait,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_operators_hide_nothing() {
        for good in [
            "https://vendor.example/oauth",
            "https://{config.subdomain}.vendor.example/token?x=1",
        ] {
            assert_eq!(check_url(good, false), Ok(()), "{good}");
        }
        for bad in [
            "http://vendor.example/",
            "http://127.0.0.1/",
            "ftp://vendor.example/",
            "/token",
            "https://user@vendor.example/",
            "https://:pw@vendor.example/",
            "https://vendor.example/#f",
            "javascript:alert(1)",
            "",
        ] {
            assert!(check_url(bad, false).is_err(), "{bad}");
        }
        for loopback in [
            "http://127.0.0.1:8080/token",
            "http://localhost/token",
            "http://[::1]:1/token",
            "http://127.0.0.1:{config.site}/token",
        ] {
            assert_eq!(check_url(loopback, true), Ok(()), "{loopback}");
        }
        for elsewhere in ["http://vendor.example/", "http://{config.site}.vendor.example/"] {
            assert!(check_url(elsewhere, true).is_err(), "{elsewhere}");
        }
    }

    #[test]
    fn only_development_takes_a_whole_authority_from_configuration() {
        for url in [
            "http://{config.instance}",
            "http://{config.instance}/{config.site}/v1",
        ] {
            assert_eq!(check_endpoint(url, true), Ok(()), "{url}");
            assert!(check_endpoint(url, false).is_err(), "{url}");
            assert!(
                check_url(url, true).is_err(),
                "browsers are not sent there: {url}"
            );
        }
        for url in [
            "http://{config.instance}.evil.example/",
            "http://{config.instance}@evil.example/",
            "http://{config.instance}/#x",
        ] {
            assert!(check_endpoint(url, true).is_err(), "{url}");
        }
    }

    #[test]
    fn basic_authentication_encodes_both_halves() {
        let endpoint = Endpoint {
            url: String::new(),
            client_auth: ClientAuth::Basic,
            body: TokenBody::Form,
            client_id: "a:b".to_owned(),
            client_secret: Some("p&w d".to_owned()),
            development: false,
        };
        let (headers, body) = endpoint.compose(&[("grant_type", "refresh_token")]);
        let value = headers[AUTHORIZATION].to_str().unwrap();
        assert_eq!(
            STANDARD.decode(&value["Basic ".len()..]).unwrap(),
            b"a%3Ab:p%26w+d"
        );
        assert_eq!(body, b"grant_type=refresh_token");
    }

    #[test]
    fn json_bodies_hold_the_same_fields_as_forms() {
        let endpoint = |client_auth| Endpoint {
            url: String::new(),
            client_auth,
            body: TokenBody::Json,
            client_id: "id".to_owned(),
            client_secret: Some("s\"cret".to_owned()),
            development: false,
        };
        let fields = [("grant_type", "authorization_code"), ("code", "a\"b&c")];
        let (headers, body) = endpoint(ClientAuth::Post).compose(&fields);
        assert_eq!(headers[CONTENT_TYPE], "application/json");
        assert!(!headers.contains_key(AUTHORIZATION));
        assert_eq!(
            serde_json::from_slice::<Value>(&body).unwrap(),
            serde_json::json!({"grant_type": "authorization_code", "code": "a\"b&c",
                "client_id": "id", "client_secret": "s\"cret"})
        );
        let (headers, body) = endpoint(ClientAuth::Basic).compose(&fields);
        assert!(headers.contains_key(AUTHORIZATION));
        assert_eq!(
            serde_json::from_slice::<Value>(&body).unwrap(),
            serde_json::json!({"grant_type": "authorization_code", "code": "a\"b&c"})
        );
    }
}
