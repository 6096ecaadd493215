//! Access tokens for what an account's owner gave instead of a consent: a private key that signs an
//! assertion (RFC 7523), or a client of the account's own (RFC 6749 section 4.4).
//!
//! Called when such a credential is tried for the first time and by `refresh`, for which asking
//! again takes the place of a refresh token.

use std::collections::BTreeMap;

use valetkey_manifest::AuthKind;
use valetkey_manifest::auth::{ClientAuth, TokenBody};
use valetkey_manifest::signing::TokenGrant;

use super::entry::KeptInputs;
use super::model::Connection;
use super::parts::Parts;
use super::quirks::Grant;
use super::token_endpoint::{Endpoint, Failure, Reading, fill};
use crate::egress::{self, Inputs};
use crate::secret::Secret;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Asks the connection's token endpoint once.
pub(super) async fn ask(
    parts: &Parts,
    connection: &Connection,
    config: &BTreeMap<String, String>,
    inputs: &KeptInputs,
) -> Result<Grant, Failure> {
    let Some(grant) = &connection.grant else {
        return Err(Failure::NotSent(
            "the connection has no token endpoint".to_owned(),
        ));
    };
    let inputs = inputs.lend();
    let url = fill(&grant.token_url, config).map_err(|fault| Failure::NotSent(fault.public().to_owned()))?;
    let scopes = connection.scopes.join(" ");
    let assertion = assertion(parts, grant, &inputs, config, &url, &scopes)?;
    let params = params(grant, &inputs, config)?;

    let mut form: Vec<(&str, &str)> = Vec::new();
    let mut client = (ClientAuth::None, "", None);
    match (connection.kind, &assertion) {
        (AuthKind::JwtBearer, Some(assertion)) => {
            // Into the form.
            form.extend([("grant_type", JWT_BEARER), ("assertion", assertion.expose())]);
        }
        (_, Some(assertion)) => {
            form.extend([
                ("grant_type", "client_credentials"),
                ("client_assertion_type", CLIENT_ASSERTION),
                // Into the form.
                ("client_assertion", assertion.expose()),
            ]);
            client.1 = inputs.get("client_id").unwrap_or_default();
        }
        (_, None) => {
            form.push(("grant_type", "client_credentials"));
            client = (
                grant.client_auth,
                inputs.get("client_id").unwrap_or_default(),
                inputs.get("client_secret"),
            );
        }
    }
    if grant.scope_in_form && !scopes.is_empty() {
        form.push(("scope", &scopes));
    }
    form.extend(params.iter().map(|(name, value)| (*name, value.expose())));
    let (client_auth, client_id, client_secret) = client;
    let endpoint = Endpoint {
        url,
        client_auth,
        body: TokenBody::Form,
        client_id: client_id.to_owned(),
        // Goes into the token request alone.
        client_secret: client_secret.map(str::to_owned),
        development: connection.development,
    };
    endpoint.ask(parts, &form, &Reading::default()).await
}

fn assertion(
    parts: &Parts,
    grant: &TokenGrant,
    inputs: &Inputs,
    config: &BTreeMap<String, String>,
    token_url: &str,
    scopes: &str,
) -> Result<Option<Secret>, Failure> {
    let Some(declared) = &grant.assertion else {
        return Ok(None);
    };
    let more = [("token_url", token_url), ("scopes", scopes)];
    egress::assertion(declared, inputs, config, &more, parts.clock.now())
        .map(Some)
        .map_err(|problem| Failure::Unusable(problem.to_string()))
}

fn params<'g>(
    grant: &'g TokenGrant,
    inputs: &Inputs,
    config: &BTreeMap<String, String>,
) -> Result<Vec<(&'g str, Secret)>, Failure> {
    let params = grant.params.iter().map(|(name, template)| {
        egress::filled(template, inputs, config)
            .map(|value| (name.as_str(), value))
            .map_err(|problem| Failure::Unusable(problem.to_string()))
    });
    params.collect()
}
