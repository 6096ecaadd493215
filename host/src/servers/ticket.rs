//! The state that the host's own question to a user carries until it is answered: connect the account
//! that this tool needs. It comes back through the client, so it is sealed: for one user at one URL,
//! for one tool with the same arguments, and not for ever. Coming back twice is no more than asking
//! twice.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Principal, Servers};
use crate::error::Fault;
use crate::vault::Place;

#[derive(Serialize, Deserialize)]
struct Sealed {
    /// Digest of the arguments.
    arguments: String,
    expires_at_ms: i64,
}

impl Servers {
    /// Seals that `who` was asked to connect what `tool`, called with `arguments` (a digest), needs.
    ///
    /// # Errors
    /// The vault fails.
    pub fn seal_connecting(
        &self,
        who: &Principal,
        tool: &str,
        arguments: &str,
        good_for: Duration,
    ) -> Result<String, Fault> {
        let good_for_ms = i64::try_from(good_for.as_millis()).unwrap_or(i64::MAX);
        let plain = serde_json::to_vec(&Sealed {
            arguments: arguments.to_owned(),
            expires_at_ms: self.now_ms().saturating_add(good_for_ms),
        });
        let path = who.target.path();
        let plain = plain.map_err(Fault::internal)?;
        Ok(self.vault.seal_text(place(who, &path, tool), &plain)?)
    }

    /// Whether `sealed` is what [`Servers::seal_connecting`] sealed for the same, not too long ago.
    #[must_use]
    pub fn opens_connecting(&self, who: &Principal, tool: &str, arguments: &str, sealed: &str) -> bool {
        let path = who.target.path();
        let opened = self
            .vault
            .open_text(place(who, &path, tool), sealed)
            .and_then(|plain| serde_json::from_slice::<Sealed>(plain.expose()).ok());
        opened.is_some_and(|opened| opened.arguments == arguments && opened.expires_at_ms > self.now_ms())
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
