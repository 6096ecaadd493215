//! Identifiers as types: an account's id is not an environment's, and what looks alike is not
//! merged. All compare byte for byte.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// Why a text is not an identifier of the wanted sort.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{shown}` is not {wanted}")]
pub struct InvalidId {
    shown: String,
    wanted: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $wanted:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a text that satisfies the rule.
            ///
            /// # Errors
            /// The text does not satisfy the rule.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) {
                    Ok(Self(text))
                } else {
                    let shown = text.chars().take(80).flat_map(char::escape_default).collect();
                    Err(InvalidId { shown, wanted: $wanted })
                }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

fn is_slug(text: &str, longest: usize) -> bool {
    text.len() <= longest
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
}

text_id!(
    /// The isolation unit: dev, prod, a team.
    EnvironmentId,
    "an environment: a lower-case letter, then up to 63 of a-z, 0-9, `_`, `-`",
    |text| is_slug(text, 64)
);
text_id!(
    /// An operator's configuration of a connector within an environment.
    ConnectionName,
    "a connection name: a lower-case letter, then up to 63 of a-z, 0-9, `_`, `-`",
    |text| is_slug(text, 64)
);
text_id!(
    /// A connector's id.
    ConnectorId,
    "a connector id: a lower-case letter, then up to 31 of a-z, 0-9, `_`",
    |text| is_slug(text, 32) && !text.contains('-')
);
text_id!(
    /// The application's opaque key for a user: 1 to 256 bytes without control characters.
    Identifier,
    "an identifier: 1 to 256 bytes without control characters",
    |text| !text.is_empty() && text.len() <= 256 && !text.chars().any(char::is_control)
);

text_id!(
    /// A virtual MCP server's name within an environment.
    ServerName,
    "a server name: 1 to 100 of a-z, 0-9, `_`, `-`",
    |text| {
        (1..=100).contains(&text.len())
            && text
                .bytes()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_' || c == b'-')
    }
);

macro_rules! generated_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $wanted:literal) => {
        text_id!(
            $(#[$doc])*
            $name,
            $wanted,
            |text| {
                text.strip_prefix($prefix).is_some_and(|rest| {
                    rest.len() == 32 && rest.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase())
                })
            }
        );

        impl $name {
            /// A new id, sortable by time of creation.
            #[must_use]
            pub fn generate() -> Self {
                Self(format!(concat!($prefix, "{}"), Uuid::now_v7().simple()))
            }
        }
    };
}

generated_id!(
    /// A connected account.
    AccountId,
    "ca_",
    "a connected account id (`ca_…`)"
);
generated_id!(
    /// A file that the host holds for a while.
    FileId,
    "file_",
    "a file id (`file_…`)"
);
generated_id!(
    /// One call of a tool.
    ExecutionId,
    "exe_",
    "an execution id (`exe_…`)"
);
generated_id!(
    /// One attempt at connecting an account.
    AuthRequestId,
    "arq_",
    "an auth request id (`arq_…`)"
);
generated_id!(
    /// An API client.
    ClientId,
    "vkc_",
    "a client id (`vkc_…`)"
);
generated_id!(
    /// A virtual MCP server.
    ServerId,
    "mcp_",
    "a virtual MCP server id (`mcp_…`)"
);
generated_id!(
    /// A session of one user on a virtual MCP server.
    SessionId,
    "mses_",
    "a session id (`mses_…`)"
);
