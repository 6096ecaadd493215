//! What callers give and get: new servers, changes, new sessions, filters of lists.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::model::{AccessLevel, Mapping, SearchMode, Session, Target};
use crate::accounts::Account;
use crate::id::{ConnectionName, ConnectorId, Identifier, ServerId, ServerName, SessionId};
use crate::secret::Secret;

/// The shortest life of a session, in seconds.
pub const MIN_SESSION_SECONDS: u64 = 60;
/// The longest, in seconds.
pub const MAX_SESSION_SECONDS: u64 = 86_400;
/// The life of a session that names none, in seconds.
pub const DEFAULT_SESSION_SECONDS: u64 = 3_600;

/// What an operator gives for a new server.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMcpServer)]
pub struct NewServer {
    /// Its name, unique in the environment: 1 to 100 of a-z, 0-9, `_`, `-`.
    #[schema(value_type = String)]
    pub name: ServerName,
    /// What it is for; agents read it. At most 1,000 characters.
    #[serde(default)]
    pub description: String,
    /// Its connections and which of their tools; none for every connection of the environment.
    #[serde(default)]
    pub mappings: Vec<Mapping>,
    /// Only tools with one of these tags; none for any.
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// Only tools that change nothing (`true`), or only the others (`false`).
    #[serde(default)]
    pub read_only: Option<bool>,
    /// Whether a caller also sends an API access token, in the header `X-Valetkey-Api-Token`.
    #[serde(default)]
    pub require_api_token: bool,
    /// Whether agents see the tools, or four tools by which they find and call them.
    #[serde(default)]
    pub search: SearchMode,
}

/// A change of a server: what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = McpServerChange)]
pub struct ServerChange {
    /// Another description.
    #[serde(default)]
    pub description: Option<String>,
    /// Other connections and tools.
    #[serde(default)]
    pub mappings: Option<Vec<Mapping>>,
    /// Other tags.
    #[serde(default)]
    pub tags: Option<BTreeSet<String>>,
    /// Only tools that change nothing (`true`), only the others (`false`), or both (null).
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<bool>)]
    pub read_only: Option<Option<bool>>,
    /// Whether a caller also sends an API access token.
    #[serde(default)]
    pub require_api_token: Option<bool>,
    /// How it shows its tools.
    #[serde(default)]
    pub search: Option<SearchMode>,
}

/// Tells a null from an absent member.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<bool>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// What a session is asked for with.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// What its token opens.
    pub target: Target,
    /// The user in whose name tools run.
    pub identifier: Identifier,
    /// Seconds of its life; none for an hour.
    pub ttl_seconds: Option<u64>,
    /// What it may do.
    pub access: AccessLevel,
    /// Only these tools; none for all that the server shows.
    pub tools: Option<BTreeSet<String>>,
}

/// A new session with its token, shown once.
pub struct MintedSession {
    /// The session.
    pub session: Arc<Session>,
    /// The bearer token for its URL.
    pub token: Secret,
}

/// Filter and page of a list of servers, which is by id (the order of creation).
#[derive(Debug, Clone, Default)]
pub struct ServerQuery {
    /// Only this one.
    pub id: Option<ServerId>,
    /// Only the one of this name.
    pub name: Option<ServerName>,
    /// Only those with a connection of this connector.
    pub connector: Option<ConnectorId>,
    /// Only those whose name or description has this text, in any case.
    pub search: Option<String>,
    /// After this server.
    pub after: Option<ServerId>,
    /// At most this many.
    pub limit: usize,
}

/// Filter and page of a list of sessions, which is by id (the order of creation).
#[derive(Debug, Clone, Default)]
pub struct SessionQuery {
    /// Only on this.
    pub target: Option<Target>,
    /// Only of this user.
    pub identifier: Option<Identifier>,
    /// After this session.
    pub after: Option<SessionId>,
    /// At most this many.
    pub limit: usize,
}

/// How far a user is on one connection of a server.
#[derive(Debug, Clone)]
pub struct AuthState {
    /// The connection.
    pub connection: ConnectionName,
    /// Its connector.
    pub connector: ConnectorId,
    /// The user's account there, if one was ever made.
    pub account: Option<Arc<Account>>,
    /// Where the user connects or mends it, when that was asked for and is of use.
    pub link: Option<String>,
}
