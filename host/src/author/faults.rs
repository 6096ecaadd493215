//! What vendors do wrong, injected into cases without being written out, and what the host and
//! the connector promise then: no 401 and no 429 reaches an agent, what fails says whose fault it
//! is, and no write is repeated whose outcome is unknown.
//!
//! Called by `run`: `replay` does the misbehaving, [`Injected::judge`] says whether the promise
//! was kept.

use http::Method;
use serde::Serialize;
use valetkey_manifest::{Manifest, Tool};

use super::case::{Case, Exchange, Expected, Response};
use super::replay::{Finding, json_response};
use crate::error::{Fault, Kind};

/// Something that goes wrong at the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Injected {
    /// 429 with `Retry-After: 1`, once.
    Throttled,
    /// 500, every time.
    ServerError,
    /// No answer.
    Slow,
    /// 200 with a body that ends in the middle.
    Malformed,
    /// 401 until the token was refreshed.
    ExpiredToken,
    /// 401 for good, where there is nothing to refresh.
    RefusedCredential,
}

/// What came of a call into which something was injected.
pub struct Outcome<'a> {
    /// The answer's differences from the case's, or the fault.
    pub result: Result<Vec<super::Difference>, &'a Fault>,
    /// How often the vendor got the request.
    pub hits: u32,
}

impl Injected {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::ServerError => "server_error",
            Self::Slow => "slow",
            Self::Malformed => "malformed",
            Self::ExpiredToken => "expired_token",
            Self::RefusedCredential => "refused_credential",
        }
    }

    /// What the vendor answers in place of what is recorded; none for never.
    pub(super) fn response(self, recorded: &Response) -> Option<Response> {
        let said = |status, words: &str| json_response(status, &serde_json::json!({"message": words}));
        Some(match self {
            Self::Throttled => {
                let mut response = said(429, "slow down");
                response.headers.push(("retry-after".to_owned(), "1".to_owned()));
                response
            }
            Self::ServerError => said(500, "something broke"),
            Self::Slow => return None,
            Self::Malformed => Response {
                status: recorded.status,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: br#"{"cut":"of"#.to_vec(),
            },
            Self::ExpiredToken | Self::RefusedCredential => said(401, "unauthorized"),
        })
    }

    /// Whether the promise was kept.
    pub(super) fn judge(self, place: &Place, manifest: &Manifest, outcome: &Outcome) -> Result<(), Finding> {
        let kinds: Vec<Kind> = match self {
            Self::Throttled | Self::ExpiredToken => return self.expect_answer(outcome),
            Self::ServerError => {
                let mapped = manifest.errors.iter().flat_map(|errors| &errors.map);
                mapped
                    .filter(|rule| rule.status == Some(500))
                    .filter_map(|rule| Kind::parse(&rule.kind))
                    .chain([Kind::VendorUnavailable])
                    .collect()
            }
            Self::Slow if place.reads => vec![Kind::VendorTimeout],
            // A change that may be sent again is not sent again when there is no time left.
            Self::Slow if place.repeatable => vec![Kind::VendorTimeout, Kind::AmbiguousOutcome],
            Self::Slow => vec![Kind::AmbiguousOutcome],
            Self::Malformed => vec![Kind::VendorUnavailable, Kind::ConnectorOutputInvalid],
            // Without a check of its own the host cannot tell whether it is the credential.
            Self::RefusedCredential if manifest.verify.is_none() => {
                vec![Kind::AccountNotActive, Kind::VendorRejected]
            }
            Self::RefusedCredential => vec![Kind::AccountNotActive],
        };
        let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        let wanted = names.join(" or ");
        let fault = match &outcome.result {
            Err(fault) => fault,
            Ok(_) => {
                return Err(Finding::new(format!(
                    "{}: the call answered as if nothing had happened; it must fail as {wanted}",
                    self.about()
                )));
            }
        };
        if !kinds.contains(&fault.kind()) {
            return Err(Finding::new(format!(
                "{}: the call failed as {} ({}); it must fail as {wanted}",
                self.about(),
                fault.kind().as_str(),
                fault.public()
            )));
        }
        if !place.repeatable && outcome.hits > 1 {
            return Err(Finding::new(format!(
                "{}: the write was sent {} times; a write whose outcome is unknown is sent once",
                self.about(),
                outcome.hits
            )));
        }
        Ok(())
    }

    /// The call has to come through as if nothing had happened, with one more request.
    fn expect_answer(self, outcome: &Outcome) -> Result<(), Finding> {
        match &outcome.result {
            Err(fault) => Err(Finding::new(format!(
                "{}: it reached the agent as {} ({}); the host deals with it when the connector sends its requests plainly",
                self.about(),
                fault.kind().as_str(),
                fault.public()
            ))),
            Ok(differences) if !differences.is_empty() => Err(Finding {
                line: None,
                problem: format!("{}: the answer is another than without it", self.about()),
                differences: differences.clone(),
            }),
            Ok(_) if outcome.hits != 2 => Err(Finding::new(format!(
                "{}: the request was sent {} times instead of twice",
                self.about(),
                outcome.hits
            ))),
            Ok(_) => Ok(()),
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Throttled => "after 429 with Retry-After",
            Self::ServerError => "after 500",
            Self::Slow => "without an answer in time",
            Self::Malformed => "after a success whose body is broken off",
            Self::ExpiredToken => "after 401 for an expired token",
            Self::RefusedCredential => "after 401 for good",
        }
    }
}

/// Where in a case something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The exchange.
    pub index: usize,
    /// Whether its request changes nothing.
    pub reads: bool,
    /// Whether its request may be sent again when nobody knows what became of it.
    pub repeatable: bool,
}

impl Place {
    /// The exchange that matters: the first that changes something, or the first of all.
    pub(super) fn of(case: &Case, tool: &Tool) -> Option<Self> {
        let method = |exchange: &Exchange| Method::from_bytes(exchange.request.method.as_bytes());
        let writes = |exchange: &Exchange| {
            !tool.hints.read_only && method(exchange).is_ok_and(|method| !method.is_safe())
        };
        let index = case.exchanges.iter().position(writes).unwrap_or(0);
        let exchange = case.exchanges.get(index)?;
        let reads = !writes(exchange);
        let repeatable = method(exchange).is_ok_and(|method| method.is_idempotent());
        Some(Self {
            index,
            reads,
            repeatable: repeatable || reads || tool.hints.idempotent,
        })
    }
}

/// What can be injected into a case: nothing where a fault is expected anyway.
/// `refreshes` says whether the account's token can be refreshed; none when the request has no credential.
pub(super) fn of(case: &Case, place: Place, refreshes: Option<bool>) -> Vec<Injected> {
    let recorded = match (&case.expected, case.exchanges.get(place.index)) {
        (Expected::Answer(_), Some(exchange)) => &exchange.response,
        _ => return Vec::new(),
    };
    if !(200..300).contains(&recorded.status) {
        return Vec::new();
    }
    let mut injected = vec![Injected::Throttled, Injected::ServerError, Injected::Slow];
    // A body that the tool does not read cannot be too broken for it.
    if serde_json::from_slice::<serde_json::Value>(&recorded.body).is_ok() {
        injected.push(Injected::Malformed);
    }
    injected.extend(refreshes.map(|refreshes| match refreshes {
        true => Injected::ExpiredToken,
        false => Injected::RefusedCredential,
    }));
    injected
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const READ: Place = Place {
        index: 0,
        reads: true,
        repeatable: true,
    };
    const WRITE: Place = Place {
        index: 0,
        reads: false,
        repeatable: false,
    };

    fn manifest() -> Manifest {
        serde_json::from_value(json!({
            "connector": {"id": "a", "title": "A", "version": "1.0.0", "contract": "0.1", "description": ""},
            "endpoints": {}, "tools": [], "verify": {"endpoint": "api", "path": "/me", "subject": "/id"},
        }))
        .expect("a manifest")
    }

    /// What is said against an outcome; none when the promise was kept.
    fn told(injected: Injected, place: Place, result: Result<(), Kind>, hits: u32) -> Option<String> {
        let fault = result.err().map(|kind| Fault::new(kind, "words"));
        let outcome = Outcome {
            result: fault.as_ref().map_or(Ok(Vec::new()), Err),
            hits,
        };
        let judged = injected.judge(&place, &manifest(), &outcome);
        judged.err().map(|finding| finding.problem)
    }

    #[test]
    fn kept_promises_are_passed() {
        for (injected, place, result, hits) in [
            (Injected::Throttled, READ, Ok(()), 2),
            (Injected::Throttled, WRITE, Ok(()), 2),
            (Injected::ExpiredToken, WRITE, Ok(()), 2),
            (Injected::ServerError, READ, Err(Kind::VendorUnavailable), 1),
            (Injected::Slow, READ, Err(Kind::VendorTimeout), 1),
            (Injected::Slow, WRITE, Err(Kind::AmbiguousOutcome), 1),
            (Injected::Malformed, READ, Err(Kind::VendorUnavailable), 1),
            (Injected::RefusedCredential, READ, Err(Kind::AccountNotActive), 1),
        ] {
            assert_eq!(told(injected, place, result, hits), None, "{injected:?}");
        }
    }

    #[test]
    fn each_broken_promise_is_caught() {
        for (injected, place, result, hits, part) in [
            (
                Injected::Throttled,
                READ,
                Err(Kind::RateLimited),
                1,
                "reached the agent",
            ),
            (Injected::Throttled, READ, Ok(()), 3, "3 times"),
            (
                Injected::ExpiredToken,
                READ,
                Err(Kind::VendorRejected),
                1,
                "reached the agent",
            ),
            (
                Injected::ServerError,
                READ,
                Ok(()),
                1,
                "as if nothing had happened",
            ),
            (
                Injected::ServerError,
                READ,
                Err(Kind::InvalidInput),
                1,
                "must fail as vendor_unavailable",
            ),
            (
                Injected::ServerError,
                WRITE,
                Err(Kind::VendorUnavailable),
                2,
                "sent 2 times",
            ),
            (
                Injected::Slow,
                READ,
                Err(Kind::AmbiguousOutcome),
                1,
                "must fail as vendor_timeout",
            ),
            (
                Injected::Slow,
                WRITE,
                Err(Kind::VendorTimeout),
                1,
                "must fail as ambiguous_outcome",
            ),
            (Injected::Malformed, READ, Ok(()), 1, "as if nothing had happened"),
            (
                Injected::Malformed,
                READ,
                Err(Kind::ConnectorTrapped),
                1,
                "must fail as",
            ),
            (
                Injected::RefusedCredential,
                READ,
                Err(Kind::VendorForbidden),
                1,
                "must fail as account_not_active",
            ),
        ] {
            let told = told(injected, place, result, hits).unwrap_or_default();
            assert!(told.contains(part), "{injected:?}: {told}");
        }
    }
}
