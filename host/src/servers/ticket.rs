//! The state that a question to the user carries until it is answered. It comes back through the
//! client, so it is sealed: for one user at one URL, for one tool with the same arguments, and not
//! for ever. Coming back twice is no more than asking twice.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{Principal, Servers};
use crate::error::Fault;
use crate::vault::Place;

#[derive(Serialize, Deserialize)]
struct Sealed {
    /// Digest of the arguments.
    arguments: String,
    expires_at_ms: i64,
    state: String,
}

impl Servers {
    /// Seals `state` of a question that `tool` asks `who` when called with `arguments` (a digest).
    ///
    /// # Errors
    /// The vault fails.
    pub fn seal_state(
        &self,
        who: &Principal,
        tool: &str,
        arguments: &str,
        state: &str,
        good_for: Duration,
    ) -> Result<String, Fault> {
        let good_for_ms = i64::try_from(good_for.as_millis()).unwrap_or(i64::MAX);
        let plain = serde_json::to_vec(&Sealed {
            arguments: arguments.to_owned(),
            expires_at_ms: self.now_ms().saturating_add(good_for_ms),
            state: state.to_owned(),
        });
        let path = who.target.path();
        let sealed = self
            .vault
            .seal(place(who, &path, tool), &plain.map_err(Fault::internal)?)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens what [`Servers::seal_state`] sealed for the same; none for anything else.
    #[must_use]
    pub fn open_state(&self, who: &Principal, tool: &str, arguments: &str, sealed: &str) -> Option<String> {
        let path = who.target.path();
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let plain = self.vault.open_sealed(place(who, &path, tool), &sealed).ok()?;
        let opened: Sealed = serde_json::from_slice(plain.expose()).ok()?;
        (opened.arguments == arguments && opened.expires_at_ms > self.now_ms()).then_some(opened.state)
    }
}

fn place<'a>(who: &'a Principal, path: &'a str, tool: &'a str) -> Place<'a> {
    Place {
        record: "mcp_state",
        environment: &who.caller.environment,
        connection: path,
        identifier: who.identifier.as_str(),
        field: tool,
        generation: 0,
    }
}
