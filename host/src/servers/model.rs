//! Virtual MCP servers and the sessions of users on them, as everybody but the store sees them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use valetkey_manifest::Tool;

use crate::id::{ClientId, ConnectionName, EnvironmentId, Identifier, ServerId, ServerName, SessionId};

/// One connection of a virtual server, and which of its tools the server shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = McpMapping)]
pub struct Mapping {
    /// The connection.
    #[schema(value_type = String)]
    pub connection_name: ConnectionName,
    /// Names of its tools; none for all of them.
    #[serde(default)]
    pub tools: BTreeSet<String>,
}

/// Whether a server shows its tools, or four tools by which an agent finds and calls them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = McpSearchMode)]
pub enum SearchMode {
    /// The four tools when there are more tools than a model keeps apart.
    #[default]
    Auto,
    /// Always the four.
    On,
    /// Always the tools themselves.
    Off,
}

/// A virtual MCP server: a choice of an environment's tools under a URL of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Its id, part of its URL.
    pub id: ServerId,
    /// Its environment.
    pub environment: EnvironmentId,
    /// Its name, unique in the environment.
    pub name: ServerName,
    /// What it is for, for people and for models.
    pub description: String,
    /// Its connections; none for every connection of the environment.
    pub mappings: Vec<Mapping>,
    /// Only tools with one of these tags; none for any.
    pub tags: BTreeSet<String>,
    /// Only tools that change nothing (true), only the others (false), or both.
    pub read_only: Option<bool>,
    /// Whether a caller proves itself by an API access token beside the session token.
    pub require_api_token: bool,
    /// How it shows its tools.
    pub search: SearchMode,
    /// The API client that made it; tokens of other issuers act in its name.
    pub client: ClientId,
    /// Creation, milliseconds since 1970.
    pub created_at_ms: i64,
    /// Last change, milliseconds since 1970.
    pub updated_at_ms: i64,
    /// Counts its changes.
    pub generation: u64,
}

/// What a session is good for: the one URL that its token opens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A virtual server.
    Server(ServerId),
    /// The tools of one connection, without a server made for it.
    Connection(ConnectionName),
}

impl Target {
    /// Its path on this host.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Server(id) => format!("/mcp/servers/{id}"),
            Self::Connection(name) => format!("/mcp/connections/{name}"),
        }
    }
}

/// What a session may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = McpAccessLevel)]
pub enum AccessLevel {
    /// Whatever its server shows.
    #[default]
    Full,
    /// Only tools that change nothing.
    ReadOnly,
}

/// One user's session on one URL. Its token was shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Its environment.
    pub environment: EnvironmentId,
    /// What its token opens.
    pub target: Target,
    /// The user in whose name tools run.
    pub identifier: Identifier,
    /// What it may do.
    pub access: AccessLevel,
    /// Only these tools; none for all that the server shows.
    pub tools: Option<BTreeSet<String>>,
    /// The API client that made it.
    pub client: ClientId,
    /// Creation, milliseconds since 1970.
    pub created_at_ms: i64,
    /// End, milliseconds since 1970.
    pub expires_at_ms: i64,
    /// SHA-256 of the token, the only form in which it is kept.
    pub token_sha256: [u8; 32],
}

/// Which tools somebody sees on a server: what the server shows, within what the session may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// As of the server.
    pub(super) mappings: Vec<Mapping>,
    /// As of the server.
    pub(super) tags: BTreeSet<String>,
    /// As of the server.
    pub(super) read_only: Option<bool>,
    /// As of the session.
    pub(super) access: AccessLevel,
    /// As of the session.
    pub(super) tools: Option<BTreeSet<String>>,
}

impl Rules {
    pub(super) fn of(server: &Server) -> Self {
        Self {
            mappings: server.mappings.clone(),
            tags: server.tags.clone(),
            read_only: server.read_only,
            access: AccessLevel::Full,
            tools: None,
        }
    }

    pub(super) fn of_connection(connection: &ConnectionName) -> Self {
        let mapping = Mapping {
            connection_name: connection.clone(),
            tools: BTreeSet::new(),
        };
        Self {
            mappings: vec![mapping],
            ..Self::default()
        }
    }

    /// Whether this tool may be seen and called through this connection.
    #[must_use]
    pub fn allow(&self, connection: &ConnectionName, tool: &Tool) -> bool {
        let mapped = self.mappings.is_empty()
            || self.mappings.iter().any(|mapping| {
                mapping.connection_name == *connection
                    && (mapping.tools.is_empty() || mapping.tools.contains(&tool.name))
            });
        let tagged = self.tags.is_empty() || tool.tags.iter().any(|tag| self.tags.contains(tag));
        let reads = tool.hints.read_only;
        mapped
            && tagged
            && self.read_only.is_none_or(|wanted| wanted == reads)
            && (self.access == AccessLevel::Full || reads)
            && self.tools.as_ref().is_none_or(|tools| tools.contains(&tool.name))
    }
}

#[cfg(test)]
mod tests {
    use valetkey_manifest::tool::Hints;

    use super::*;

    fn tool(name: &str, tag: &str, read_only: bool) -> Tool {
        Tool {
            name: name.to_owned(),
            aliases: Vec::new(),
            title: String::new(),
            description: String::new(),
            tags: vec![tag.to_owned()],
            hints: Hints {
                read_only,
                destructive: false,
                idempotent: read_only,
            },
            scopes: Vec::new(),
            any_scopes: Vec::new(),
            input: serde_json::json!({}),
            output: None,
            result: valetkey_manifest::tool::Shape::Data,
            portable: true,
            request: None,
            response: None,
            paging: None,
            allow: Vec::new(),
        }
    }

    fn names(texts: &[&str]) -> BTreeSet<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn every_rule_narrows_and_none_widens() {
        let crm = ConnectionName::new("crm").expect("a name");
        let mail = ConnectionName::new("mail").expect("a name");
        let read = tool("crm_contact_get", "contacts", true);
        let write = tool("crm_contact_create", "contacts", false);
        let open = Rules::default();
        assert!(open.allow(&crm, &read) && open.allow(&mail, &write));

        let one = Rules::of_connection(&crm);
        assert!(one.allow(&crm, &write) && !one.allow(&mail, &read));

        let mut some = one.clone();
        some.mappings[0].tools = names(&["crm_contact_get"]);
        assert!(some.allow(&crm, &read) && !some.allow(&crm, &write));

        for (narrowed, reads, writes) in [
            (
                Rules {
                    tags: names(&["contacts"]),
                    ..open.clone()
                },
                true,
                true,
            ),
            (
                Rules {
                    tags: names(&["Contacts"]),
                    ..open.clone()
                },
                false,
                false,
            ),
            (
                Rules {
                    read_only: Some(true),
                    ..open.clone()
                },
                true,
                false,
            ),
            (
                Rules {
                    read_only: Some(false),
                    ..open.clone()
                },
                false,
                true,
            ),
            (
                Rules {
                    access: AccessLevel::ReadOnly,
                    ..open.clone()
                },
                true,
                false,
            ),
            (
                Rules {
                    access: AccessLevel::ReadOnly,
                    read_only: Some(false),
                    ..open.clone()
                },
                false,
                false,
            ),
            (
                Rules {
                    tools: Some(names(&["crm_contact_create"])),
                    ..open.clone()
                },
                false,
                true,
            ),
            (
                Rules {
                    tools: Some(names(&["CRM_contact_create"])),
                    ..open.clone()
                },
                false,
                false,
            ),
            (
                Rules {
                    tools: Some(names(&[])),
                    ..open
                },
                false,
                false,
            ),
        ] {
            assert_eq!(narrowed.allow(&crm, &read), reads, "{narrowed:?}");
            assert_eq!(narrowed.allow(&crm, &write), writes, "{narrowed:?}");
        }
    }
}
