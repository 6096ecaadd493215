//! A request before its credential, and the values that templates of credentials may name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderName, HeaderValue};
use http::uri::Authority;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use valetkey_manifest::template::{self, Part};
use zeroize::Zeroizing;

use super::{Inputs, Problem, header_name, hex, parameter, sensitive, unhex};
use crate::egress::client::Payload;
use crate::egress::gate;
use crate::error::Fault;

/// Why a credential was not placed.
pub enum Unplaced {
    /// The guest took its place.
    Taken(Fault),
    /// It cannot be used.
    Unusable(Problem),
}

impl From<Fault> for Unplaced {
    fn from(fault: Fault) -> Self {
        Self::Taken(fault)
    }
}

impl From<Problem> for Unplaced {
    fn from(problem: Problem) -> Self {
        Self::Unusable(problem)
    }
}

/// A request that lacks its credential and nothing else that is signed.
pub struct Draft<'a> {
    pub method: &'a Method,
    pub authority: &'a Authority,
    /// Path and query, encoded.
    pub target: String,
    pub headers: HeaderMap,
    pub body: &'a Payload,
    /// The moment of this attempt.
    pub now: Timestamp,
}

impl Draft<'_> {
    /// The path, and the query without its mark.
    pub fn path_and_query(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((&self.target, ""))
    }

    /// Adds a header that the credential travels in.
    pub fn set_header(&mut self, name: HeaderName, value: HeaderValue) -> Result<(), Fault> {
        if self.headers.contains_key(&name) {
            return Err(gate::denied(
                "header_forbidden",
                format!("The header {name} carries the credential; the connector must not set it."),
            ));
        }
        self.headers.insert(name, value);
        Ok(())
    }

    /// Adds a query parameter that the credential travels in; `encoded` is `name=value`.
    pub fn add_parameter(&mut self, name: &str, encoded: &str) -> Result<(), Fault> {
        if self.has_parameter(name) {
            return Err(gate::denied(
                "header_forbidden",
                format!("The query parameter {name} carries the credential; the connector must not set it."),
            ));
        }
        self.target
            .push(if self.target.contains('?') { '&' } else { '?' });
        self.target.push_str(encoded);
        Ok(())
    }

    /// Adds the headers and parameters whose templates are `wanted`.
    pub fn fill(
        &mut self,
        headers: &BTreeMap<String, String>,
        query: &BTreeMap<String, String>,
        values: &Values<'_>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), Unplaced> {
        for (name, template) in headers.iter().filter(|(_, template)| wanted(template)) {
            let value = sensitive(&values.of_request(self).text(template)?)?;
            self.set_header(header_name(name)?, value)?;
        }
        for (name, template) in query.iter().filter(|(_, template)| wanted(template)) {
            let encoded = parameter(name, &values.of_request(self).text(template)?);
            self.add_parameter(name, &encoded)?;
        }
        Ok(())
    }

    /// The body's SHA-256 in hexadecimal; that of a file is known.
    pub fn body_sha256(&self) -> String {
        match self.body {
            Payload::Nothing => hex(digest(&SHA256, b"").as_ref()),
            Payload::Bytes(bytes) => hex(digest(&SHA256, bytes).as_ref()),
            Payload::File(file) => file.facts.sha256.clone(),
        }
    }

    fn has_parameter(&self, name: &str) -> bool {
        let (_, query) = self.path_and_query();
        query.split(['&', ';']).any(|pair| {
            let raw = pair.split('=').next().unwrap_or_default();
            gate::decode(raw).is_none_or(|decoded| decoded.eq_ignore_ascii_case(name))
        })
    }

    fn value(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let (path, query) = self.path_and_query();
        let owned = |text: String| Some(Cow::Owned(text.into_bytes()));
        match name {
            "method" => Some(self.method.as_str().as_bytes().into()),
            "host" => Some(self.authority.as_str().as_bytes().into()),
            "path" => Some(path.as_bytes().into()),
            "query" => Some(query.as_bytes().into()),
            "target" => Some(self.target.as_bytes().into()),
            "body" => match self.body {
                Payload::Nothing => Some(b""[..].into()),
                Payload::Bytes(bytes) => Some(bytes[..].into()),
                // A vendor that signs whole bodies takes no big ones.
                Payload::File(_) => None,
            },
            "body_sha256" => owned(self.body_sha256()),
            "body_sha256_base64" => owned(STANDARD.encode(unhex(&self.body_sha256())?)),
            // One that is not there is signed as empty, as vendors do.
            _ => name.strip_prefix("header.").map(|header| {
                let value = self.headers.get(header);
                value.map_or(&b""[..], HeaderValue::as_bytes).into()
            }),
        }
    }
}

/// What the templates of a credential may name.
#[derive(Clone)]
pub struct Values<'a> {
    inputs: &'a Inputs,
    config: &'a BTreeMap<String, String>,
    request: Option<&'a Draft<'a>>,
    more: Vec<(&'static str, &'a str)>,
}

impl<'a> Values<'a> {
    pub fn new(inputs: &'a Inputs, config: &'a BTreeMap<String, String>) -> Self {
        Self {
            inputs,
            config,
            request: None,
            more: Vec::new(),
        }
    }

    /// The same, with further names.
    pub fn with(mut self, more: &[(&'static str, &'a str)]) -> Self {
        self.more.extend_from_slice(more);
        self
    }

    /// The same, for a request.
    pub fn of_request<'b>(&self, request: &'b Draft<'b>) -> Values<'b>
    where
        'a: 'b,
    {
        Values {
            request: Some(request),
            ..self.clone()
        }
    }

    /// A template filled in.
    pub fn bytes(&self, template: &str) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let mut out = Zeroizing::new(Vec::new());
        for part in template::parts(template) {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Name(name) | Part::Spread(name) => {
                    let value = self.value(name).ok_or_else(|| {
                        Problem(format!(
                            "it needs `{name}`, which this account or request does not have"
                        ))
                    })?;
                    out.extend_from_slice(&value);
                }
            }
        }
        Ok(out)
    }

    /// A template filled in, as text.
    pub fn text(&self, template: &str) -> Result<Zeroizing<String>, Problem> {
        let bytes = self.bytes(template)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Problem("a part of the request in it is not text".to_owned()))?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    fn value(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        if let Some(input) = name.strip_prefix("inputs.") {
            return self.inputs.get(input).map(|text| text.as_bytes().into());
        }
        if let Some(setting) = name.strip_prefix("config.") {
            return self.config.get(setting).map(|text| text.as_bytes().into());
        }
        let more = self.more.iter().find(|(known, _)| *known == name);
        match more {
            Some((_, text)) => Some(text.as_bytes().into()),
            None => self.request?.value(name),
        }
    }
}
