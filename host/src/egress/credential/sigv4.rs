//! AWS Signature Version 4 in the `Authorization` header. The canonical form of a request is
//! ours, after AWS's "Create a signed AWS API request"; the published test vectors hold it.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use valetkey_manifest::signing::SigV4;
use zeroize::Zeroizing;

use super::draft::{Draft, Unplaced, Values};
use super::{Inputs, Problem, absent, hex, sensitive};
use crate::egress::gate;
use crate::secret::Secret;

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const CONTENT_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// Headers that hops on the way may change, or that are added after signing.
const UNSIGNED: [&str; 6] = [
    "accept-encoding",
    "authorization",
    "content-length",
    "traceparent",
    "tracestate",
    "user-agent",
];

/// A declared service with an account's keys.
pub struct Signer {
    declared: SigV4,
    inputs: Inputs,
}

impl Signer {
    pub fn new(declared: &SigV4, inputs: &Inputs) -> Result<Self, Problem> {
        for needed in ["access_key_id", "secret_access_key"] {
            inputs.get(needed).ok_or_else(|| absent(needed))?;
        }
        Ok(Self {
            declared: declared.clone(),
            inputs: inputs.clone(),
        })
    }

    pub fn sign(&self, draft: &mut Draft<'_>, config: &BTreeMap<String, String>) -> Result<Secret, Unplaced> {
        let input = |name| self.inputs.get(name).ok_or_else(|| absent(name));
        let is_s3 = self.declared.service == "s3";
        let moment = draft.now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let content_hash = draft.body_sha256();
        let mut own = vec![(DATE, sensitive(&moment)?)];
        if let Some(token) = self.inputs.get("session_token") {
            // Into the header's value, marked sensitive.
            own.push((TOKEN, sensitive(token)?));
        }
        if is_s3 {
            own.push((CONTENT_HASH, sensitive(&content_hash)?));
        }
        for (name, value) in own {
            draft.set_header(name, value)?;
        }

        let region = Values::new(&self.inputs, config).text(&self.declared.region)?;
        let (day, service) = (&moment[..8], self.declared.service.as_str());
        let scope = format!("{day}/{}/{service}/aws4_request", region.as_str());
        let headers = canonical_headers(&draft.headers, draft.authority.as_str());
        let names = headers.keys().cloned().collect::<Vec<_>>().join(";");
        let (path, query) = draft.path_and_query();
        let mut canonical = format!(
            "{}\n{}\n{}\n",
            draft.method,
            canonical_path(path, is_s3),
            canonical_query(query)
        );
        for (name, value) in &headers {
            canonical.push_str(&format!("{name}:{value}\n"));
        }
        canonical.push_str(&format!("\n{names}\n{content_hash}"));
        let hashed = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
        let to_sign = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}");

        // Into the first key of the chain.
        let mut key = Zeroizing::new(format!("AWS4{}", input("secret_access_key")?).into_bytes());
        for part in [day, region.as_str(), service, "aws4_request"] {
            key = Zeroizing::new(keyed(&key, part.as_bytes()));
        }
        let signature = hex(&keyed(&key, to_sign.as_bytes()));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            input("access_key_id")?
        );
        draft.set_header(AUTHORIZATION, sensitive(&authorization)?)?;
        Ok(Secret::new(signature))
    }
}

fn keyed(key: &[u8], text: &[u8]) -> Vec<u8> {
    sign(&Key::new(HMAC_SHA256, key), text).as_ref().to_vec()
}

/// Names in order, values of one name joined, runs of blanks as one.
fn canonical_headers(headers: &HeaderMap, host: &str) -> BTreeMap<String, String> {
    let mut canonical = BTreeMap::from([("host".to_owned(), host.to_owned())]);
    for name in headers.keys() {
        if UNSIGNED.contains(&name.as_str()) {
            continue;
        }
        let values = headers.get_all(name).iter();
        let values = values.map(|value: &HeaderValue| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
        });
        canonical.insert(name.as_str().to_owned(), values.collect::<Vec<_>>().join(","));
    }
    canonical
}

/// S3 takes the path's own encoding; every other service encodes what was sent once more.
fn canonical_path(path: &str, is_s3: bool) -> String {
    let segments = path.split('/').map(|segment| {
        let plain = if is_s3 {
            gate::decode(segment).unwrap_or(segment.into())
        } else {
            segment.into()
        };
        let mut encoded = String::new();
        gate::encode_into(&mut encoded, &plain);
        encoded
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Parameters in the order of their encoded names, then values.
fn canonical_query(query: &str) -> String {
    let recoded = |text: &str| {
        let mut encoded = String::new();
        gate::encode_into(&mut encoded, &gate::decode(text).unwrap_or(text.into()));
        encoded
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (recoded(name), recoded(value)))
        .collect();
    pairs.sort_unstable();
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests;
