"""Values of the REST interface. scripts/generate.py wrote this file; change what it was made from."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, TypeAlias

from valetkey._model import Model

AccountState: TypeAlias = Literal["PENDING_AUTH", "PENDING_VERIFICATION", "ACTIVE", "EXPIRED", "DISCONNECTED"] | str
"""Where an account stands."""

McpAccessLevel: TypeAlias = Literal["FULL", "READ_ONLY"] | str
"""What a session may do."""

McpSearchMode: TypeAlias = Literal["auto", "on", "off"] | str
"""Whether a server shows its tools, or four tools by which an agent finds and calls them."""

Reason: TypeAlias = (
    Literal[
        "never_authorized",
        "consent_denied",
        "verification_failed",
        "refresh_rejected",
        "refresh_unreachable",
        "refresh_outcome_unknown",
        "scope_missing",
        "revoked_by_user",
        "disabled_by_operator",
        "credential_check_failed",
    ]
    | str
)
"""Why an account is where it stands."""

Revocation: TypeAlias = Literal["revoked", "not_supported", "pending"] | str
"""What became of a disconnection."""

Side: TypeAlias = Literal["caller", "account", "vendor", "connector", "host"] | str
"""Whose move it is."""

ToolReadiness: TypeAlias = Literal["ready", "scope_missing", "authorization_needed", "not_connected"] | str
"""Whether a user can call a tool on a connection now, and what is missing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Activation(Model):
    """Which version."""

    version: str | None = None
    """A loaded version; absent for the one that was active before."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnthropicTool(Model):
    """A tool of Anthropic's Messages."""

    description: str
    """What it does, when to use it, what comes back."""
    input_schema: dict[str, Any]
    """JSON Schema of `params`."""
    name: str
    """`tool_name` of a call."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BodyError(Model):
    """The members of `Body::error`."""

    kind: (
        Literal[
            "invalid_input",
            "unauthenticated",
            "unknown_tool",
            "not_found",
            "conflict",
            "policy_denied",
            "scope_missing",
            "account_not_found",
            "account_ambiguous",
            "account_not_active",
            "flow_invalid",
            "rate_limited",
            "vendor_rejected",
            "vendor_not_found",
            "vendor_conflict",
            "vendor_forbidden",
            "vendor_unavailable",
            "vendor_timeout",
            "egress_denied",
            "ambiguous_outcome",
            "idempotency_conflict",
            "connector_trapped",
            "connector_limit",
            "connector_output_invalid",
            "overloaded",
            "store_unavailable",
            "internal",
        ]
        | str
    )
    """A code of `Kind`."""
    message: str
    """What happened and what to do next; safe for a model."""
    retryable: bool
    """Whether the same call may succeed later."""
    side: Side
    """Whose move it is."""
    authorization_link: str | None = None
    """Where the account's owner can mend this."""
    execution_id: str | None = None
    """The execution, for the operator's log."""
    fields: list[Problem] | None = None
    """Complaints about the input."""
    reason: str | None = None
    """Tells variants of a kind apart."""
    retry_after_ms: int | None = None
    """After how many milliseconds, when known."""
    vendor: VendorError | None = None
    """What the vendor said."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConnectedAccount(Model):
    """One user's account at a vendor. Never with the credential."""

    account_config: dict[str, str]
    """Configuration beside the credential."""
    connection_name: str
    """Its connection."""
    connector: str
    """The connector of that connection."""
    created_at: str
    """Creation, RFC 3339."""
    credential_kind: str
    """Kind of credential: `oauth2`, `api_key`, `basic`, `bearer` or `none`."""
    id: str
    """`ca_…`."""
    identifier: str
    """The application's key for the user."""
    scopes: list[str]
    """Scopes that the vendor granted."""
    scopes_stated: bool
    """Whether the vendor said which scopes it granted; if not, `scopes` are those asked for."""
    state: AccountState
    """Where it stands."""
    updated_at: str
    """Last change, RFC 3339."""
    label: str | None = None
    """What a person recognises of it."""
    reason: Reason | None = None
    """Why, where there is something to say."""
    subject: str | None = None
    """The vendor's stable id of the account."""
    token_expires_at: str | None = None
    """When the present access token expires, RFC 3339; the host renews it before."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConnectedAccountChange(Model):
    """What changes on an account; what is absent stays."""

    account_config: dict[str, str] | None = None
    """Configuration that is new or has another value."""
    credential: GivenCredential | None = None
    """The credential from now on. It must be of the same account at the vendor."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConnectedAccountList(Model):
    """A page of connected accounts, in order of creation."""

    items: list[ConnectedAccount]

    next_cursor: str | None = None
    """For the next page; absent on the last."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Connection(Model):
    """An operator's configuration of a connector. Never with the client secret."""

    application_name: str
    """Name of the operator's application on hosted pages."""
    auth: str
    """Id of the auth scheme in the connector's manifest."""
    connection_name: str
    """Its name, unique in the environment."""
    connector: str
    """The connector."""
    created_at: str
    """Creation, RFC 3339."""
    credential_kind: str
    """Kind of credential: `oauth2`, `api_key`, `basic`, `bearer`, `keys`, `jwt_bearer`, `client_credentials` or
    `none`.
    """
    development: bool
    """Whether plain http and loopback vendors are allowed, and nothing else."""
    endpoints: dict[str, str]
    """Endpoint URLs instead of the manifest's, by name."""
    proxy: bool
    """Whether raw requests (`/proxy`) may be sent with the credentials of its accounts."""
    scopes: list[str]
    """Scopes that are asked for."""
    user_verify_urls: list[str]
    """The URLs that a link may name as `user_verify_url`."""
    oauth: OAuthApp | None = None
    """For OAuth: the operator's application at the vendor."""
    pinned_version: str | None = None
    """The connector version that serves calls whatever is active."""
    token_url: str | None = None
    """For the kinds `jwt_bearer` and `client_credentials`: the token endpoint that is asked."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConnectionChange(Model):
    """What changes; what is absent stays."""

    pinned_version: str | None = None
    """A loaded version of the connector, or null for whichever is active."""
    proxy: bool | None = None
    """Whether raw requests (`/proxy`) may be sent with the credentials of its accounts."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConnectionList(Model):
    """A page of connections, by name."""

    items: list[Connection]

    next_cursor: str | None = None
    """For the next page; absent on the last."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConnectorList(Model):
    """The installed connectors."""

    items: list[Installed]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Disconnected(Model):
    """What became of the credential at the vendor."""

    revocation: Revocation
    """`revoked`, `not_supported` by the vendor, or `pending` while the vendor is not reachable."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Error(Model):
    """The body of every error answer."""

    error: BodyError
    """The error."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExecuteTool(Model):
    """A tool call."""

    tool_name: str
    """Name of the tool, or an alias."""
    agent_run_id: str | None = None
    """The agent's own name for its run, for the record. At most 255 visible characters."""
    client_capabilities: list[str] | None = None
    """What the caller can ask its user or a model for a tool, in the words of MCP: `elicitation` (a form), `sampling`.
    A tool that asks answers `data.inputRequests` and `data.requestState` instead of a result.
    """
    connected_account_id: str | None = None
    """Or the account itself, `ca_…`."""
    connection_name: str | None = None
    """Tells accounts of one user on several connections apart."""
    deadline_ms: int | None = None
    """How long the caller waits for the answer, in milliseconds. The host's `server.default_deadline_ms` when absent,
    and at most its `server.max_deadline_ms`.
    """
    identifier: str | None = None
    """The application's key for the user whose account is meant."""
    input_responses: dict[str, Any] | None = None
    """The answers to what the tool asked, by the keys of its `inputRequests`: for a form `{"action": "accept",
    "content": {…}}` or `{"action": "decline"}`. With the same `params` as the call that was answered by the
    question.
    """
    params: dict[str, Any] | None = None
    """The tool's input, by its `input_schema`. Null for an optional parameter whose schema does not take null is the
    same as leaving it out.
    """
    request_state: str | None = None
    """The `data.requestState` that came with the question, as it came. Good for ten minutes, for that account, tool
    and `params`.
    """


@dataclasses.dataclass(frozen=True, kw_only=True)
class Executed(Model):
    """What a call answers."""

    data: Any
    """The tool's result, in the vendor's own shape. Of a tool that has to ask first, an object with `inputRequests`
    and `requestState`.
    """
    execution_id: str
    """The execution, `exe_…`."""
    next_cursor: str | None = None
    """Where there is more: the same call with `params.cursor` set to this answers the next page."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Execution(Model):
    """One call of a tool, finished."""

    bytes_in: int
    """Bytes from the vendor."""
    bytes_out: int
    """Bytes to the vendor."""
    client: str
    """API client."""
    duration_ms: int
    """Milliseconds in all."""
    environment: str
    """Environment."""
    execution_id: str
    """`exe_…`."""
    outcome: str
    """`ok`, or the fault's kind; `cancelled` when the caller went away."""
    pages: int
    """Vendor pages walked."""
    renewals: int
    """Refreshes that the call waited for or caused."""
    requests: int
    """Requests on the wire."""
    retries: int
    """Attempts after the first."""
    started_at: str
    """When it began, RFC 3339 with milliseconds."""
    tool: str
    """Tool as called."""
    vendor_status: int
    """Last status of the vendor; 0 for none."""
    waited_ms: int
    """Milliseconds of those waits."""
    waits: int
    """Waits for budgets or for the vendor."""
    account: str | None = None
    """Connected account id (an id of ours, not the identifier)."""
    agent_run_id: str | None = None
    """The agent's run, as the caller names it."""
    connection: str | None = None
    """Connection."""
    connector: str | None = None
    """Connector id."""
    connector_digest: str | None = None
    """Its digest."""
    connector_version: str | None = None
    """Its version."""
    guest_log: list[str] | None = None
    """The guest's log lines, `level: text`."""
    guest_log_dropped: int | None = None
    """Guest log lines dropped."""
    reason: str | None = None
    """The fault's reason word."""
    replayed: bool | None = None
    """Whether an earlier outcome was answered under its idempotency key."""
    session: str | None = None
    """The session that the call was made in."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExecutionList(Model):
    """A page of executions, newest first."""

    items: list[Execution]

    next_cursor: str | None = None
    """For the next page; absent on the last."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class File(Model):
    """A file that the host holds for a while."""

    content_type: str
    """Media type."""
    created_at: str
    """When it came."""
    expires_at: str
    """Until when it can be used."""
    id: str
    """What calls take and answer, `file_…`."""
    name: str
    """What it is called, for people."""
    sha256: str
    """SHA-256 of the bytes, hexadecimal."""
    size: int
    """Bytes."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GeminiFunctionDeclaration(Model):
    """A function declaration of Gemini."""

    description: str
    """What it does, when to use it, what comes back."""
    name: str
    """`tool_name` of a call."""
    parameters: dict[str, Any] | None = None
    """Schema of `params`; absent for a tool without parameters."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GivenTokens(Model):
    """Tokens that the vendor issued to the OAuth application of the connection."""

    access_token: SecretText
    """The access token."""
    refresh_token: SecretText | None = None
    """The refresh token, without which the account expires with the access token."""
    scopes: list[str] | None = None
    """What was granted; empty when it is not known."""
    token_expires_at: str | None = None
    """When the access token expires, RFC 3339; absent when it is not known."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Health(Model):
    """That the host is there."""

    status: str
    """`ok`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Installed(Model):
    """A connector as operators see it."""

    active_version: str
    """The version that serves calls."""
    connector: str
    """Connector id."""
    title: str
    """The vendor's name."""
    tools: int
    """Number of tools of the active version."""
    versions: list[InstalledVersion]
    """Every installed version with its digest."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class InstalledVersion(Model):
    """One version of an installed connector."""

    digest: str
    """SHA-256 of the component, lower-case hex."""
    installed_at: str
    """When it was installed, RFC 3339."""
    version: str
    """Version text of the manifest."""
    problem: str | None = None
    """Why it is not loaded; none when it is."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LangChainTool(Model):
    """The arguments of a LangChain `StructuredTool`."""

    args_schema: dict[str, Any]
    """JSON Schema of `params`."""
    description: str
    """What it does, when to use it, what comes back."""
    metadata: LangChainToolMetadata
    """What traces show beside a call."""
    name: str
    """`tool_name` of a call."""
    tags: list[str]
    """Words to filter by."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LangChainToolMetadata(Model):
    """What traces of LangChain show beside a call."""

    destructive: bool
    """May remove or overwrite something, or cannot be taken back."""
    idempotent: bool
    """Calling again with the same input changes nothing more."""
    read_only: bool
    """Changes nothing."""
    title: str
    """A few words."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Link(Model):
    """A link for the account's owner to open."""

    auth_request_id: str
    """The attempt."""
    authorization_link: str
    """The URL, on this host. Connects the account once, within ten minutes."""
    connected_account_id: str
    """The account that it will activate."""
    expires_at: str
    """When it expires, RFC 3339."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class McpAuthState(Model):
    """How far a user is on one connection."""

    connection_name: str
    """The connection."""
    connector: str
    """Its connector."""
    authorization_link: str | None = None
    """Where the user connects or mends it."""
    connected_account_id: str | None = None
    """The user's account there, if one was ever made."""
    reason: Reason | None = None
    """Why."""
    state: AccountState | None = None
    """Where that account stands."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class McpAuthStateList(Model):
    """How far a user is on each connection."""

    items: list[McpAuthState]


@dataclasses.dataclass(frozen=True, kw_only=True)
class McpMapping(Model):
    """One connection of a virtual server, and which of its tools the server shows."""

    connection_name: str
    """The connection."""
    tools: list[str] | None = None
    """Names of its tools; none for all of them."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class McpServer(Model):
    """A virtual MCP server."""

    created_at: str
    """Creation, RFC 3339."""
    description: str
    """What it is for; agents read it."""
    id: str
    """Its id, `mcp_…`."""
    mappings: list[McpMapping]
    """Its connections and which of their tools; none for every connection of the environment."""
    name: str
    """Its name, unique in the environment."""
    require_api_token: bool
    """Whether a caller also sends an API access token, in the header `X-Valetkey-Api-Token`."""
    search: McpSearchMode
    """Whether agents see the tools, or four tools by which they find and call them."""
    tags: list[str]
    """Only tools with one of these tags; none for any."""
    updated_at: str
    """Last change, RFC 3339."""
    url: str
    """The URL that agents use, with a session's token."""
    read_only: bool | None = None
    """Only tools that change nothing (`true`), only the others (`false`), or both (null)."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class McpServerChange(Model):
    """A change of a server: what is absent stays."""

    description: str | None = None
    """Another description."""
    mappings: list[McpMapping] | None = None
    """Other connections and tools."""
    read_only: bool | None = None
    """Only tools that change nothing (`true`), only the others (`false`), or both (null)."""
    require_api_token: bool | None = None
    """Whether a caller also sends an API access token."""
    search: McpSearchMode | None = None
    """How it shows its tools."""
    tags: list[str] | None = None
    """Other tags."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class McpServerList(Model):
    """A page of servers, in order of creation."""

    items: list[McpServer]

    next_cursor: str | None = None
    """For the next page; absent on the last."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class McpSession(Model):
    """One user's session, without its token."""

    access_level: McpAccessLevel
    """What it may do."""
    created_at: str
    """Creation, RFC 3339."""
    expires_at: str
    """End, RFC 3339."""
    id: str
    """Its id, `mses_…`."""
    identifier: str
    """The user in whose name tools run."""
    url: str
    """The one URL that its token opens."""
    tools: list[str] | None = None
    """Only these tools; null for all that the server shows."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class McpSessionList(Model):
    """A page of sessions that have not ended, in order of creation."""

    items: list[McpSession]

    next_cursor: str | None = None
    """For the next page; absent on the last."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class McpTool(Model):
    """A tool of the Model Context Protocol."""

    annotations: McpToolAnnotations
    """What a call does to the vendor's data."""
    description: str
    """What it does, when to use it, what comes back."""
    input_schema: dict[str, Any] = dataclasses.field(metadata={"wire": "inputSchema"})
    """JSON Schema of `params`."""
    name: str
    """`tool_name` of a call."""
    title: str
    """A few words."""
    output_schema: dict[str, Any] | None = dataclasses.field(default=None, metadata={"wire": "outputSchema"})
    """JSON Schema of `data`, where the tool promises one; the host checks it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class McpToolAnnotations(Model):
    """What a call does to the vendor's data, in MCP's words. All are said, because their defaults are the worst."""

    destructive_hint: bool = dataclasses.field(metadata={"wire": "destructiveHint"})
    """May remove or overwrite something, or cannot be taken back."""
    idempotent_hint: bool = dataclasses.field(metadata={"wire": "idempotentHint"})
    """Calling again with the same input changes nothing more."""
    open_world_hint: bool = dataclasses.field(metadata={"wire": "openWorldHint"})
    """Whether it meets what others wrote: always, at a vendor."""
    read_only_hint: bool = dataclasses.field(metadata={"wire": "readOnlyHint"})
    """Changes nothing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MintedMcpSession(Model):
    """A new session with its token."""

    session: McpSession
    """The session."""
    token: str
    """The bearer token for the session's URL. Shown here and never again."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NameAndValue(Model):
    """A name and a value."""

    name: str

    value: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewConnectedAccount(Model):
    """A new account."""

    connection_name: str
    """The connection."""
    identifier: str
    """The application's key for the user."""
    account_config: dict[str, str] | None = None
    """Configuration beside the credential, where the connector wants some."""
    credential: GivenCredential | None = None
    """The credential, where the application has it already and no link is needed."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewConnection(Model):
    """What an operator gives for a new connection."""

    connection_name: str
    """Its name, unique in the environment."""
    connector: str
    """The connector, which must be installed."""
    application_name: str | None = None
    """Name of the operator's application on hosted pages."""
    auth: str | None = None
    """Id of the manifest's auth scheme; none for its first."""
    development: bool | None = None
    """Allows plain http and loopback vendors, and nothing else. For development."""
    endpoints: dict[str, str] | None = None
    """Endpoint URLs instead of the manifest's, by name."""
    oauth: NewOAuthApp | None = None
    """For OAuth: the operator's application."""
    pinned_version: str | None = None
    """Serve calls by this version of the connector whatever is active."""
    proxy: bool | None = None
    """Allows raw requests (`/proxy`) with the credentials of its accounts. A raw request may be anything that the
    credential may do; tools are narrower.
    """
    scopes: list[str] | None = None
    """Scopes to ask for; none for the manifest's."""
    token_url: str | None = None
    """For the kinds `jwt_bearer` and `client_credentials`: the token endpoint instead of the manifest's."""
    user_verify_urls: list[str] | None = None
    """The URLs that a link may name as `user_verify_url`, compared exactly."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewLink(Model):
    """What a link is asked for with."""

    account_config: dict[str, str] | None = None
    """Configuration beside the credential that the application knows already."""
    connected_account_id: str | None = None
    """Instead of both: an account that is there, `ca_…`."""
    connection_name: str | None = None
    """The connection."""
    identifier: str | None = None
    """The application's key for the user."""
    state: str | None = None
    """The application's own state, given back to `user_verify_url`. At most 1 KiB."""
    user_verify_url: str | None = None
    """Where the browser goes after consent, so that the application can tell who it is: one of the connection's
    `user_verify_urls`. Then the account becomes usable only after `user/verify`.
    """


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewMcpServer(Model):
    """What an operator gives for a new server."""

    name: str
    """Its name, unique in the environment: 1 to 100 of a-z, 0-9, `_`, `-`."""
    description: str | None = None
    """What it is for; agents read it. At most 1,000 characters."""
    mappings: list[McpMapping] | None = None
    """Its connections and which of their tools; none for every connection of the environment."""
    read_only: bool | None = None
    """Only tools that change nothing (`true`), or only the others (`false`)."""
    require_api_token: bool | None = None
    """Whether a caller also sends an API access token, in the header `X-Valetkey-Api-Token`."""
    search: McpSearchMode | None = None
    """Whether agents see the tools, or four tools by which they find and call them."""
    tags: list[str] | None = None
    """Only tools with one of these tags; none for any."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewMcpSession(Model):
    """What a session is asked for with."""

    identifier: str
    """The application's key for the user in whose name tools run."""
    access_level: McpAccessLevel | None = None
    """Whatever the server shows, or only tools that change nothing."""
    tools: list[str] | None = None
    """Only these tools of those that the server shows."""
    ttl_seconds: int | None = None
    """Seconds until the session ends."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewOAuthApp(Model):
    """The operator's OAuth application at the vendor."""

    client_id: str
    """Client id at the vendor."""
    authorize_url: str | None = None
    """Authorization endpoint instead of the manifest's."""
    client_secret: str | None = None
    """Client secret at the vendor; never answered again. None for a public client."""
    issuer: str | None = None
    """Issuer instead of the manifest's."""
    revoke_url: str | None = None
    """Revocation endpoint instead of the manifest's."""
    token_url: str | None = None
    """Token endpoint instead of the manifest's."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OAuthApp(Model):
    """The operator's OAuth application at the vendor."""

    authorize_url: str
    """Authorization endpoint."""
    has_client_secret: bool
    """Whether a client secret is kept. The secret itself is never answered."""
    token_url: str
    """Token endpoint."""
    client_id: str | None = None
    """Client id at the vendor."""
    issuer: str | None = None
    """Issuer."""
    redirect_uri: str | None = None
    """The redirect URI to register at the vendor."""
    revoke_url: str | None = None
    """Revocation endpoint."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OpenAiFunction(Model):
    """The function of an OpenAI tool."""

    description: str
    """What it does, when to use it, what comes back."""
    name: str
    """`tool_name` of a call."""
    parameters: dict[str, Any]
    """JSON Schema of `params`."""
    strict: bool
    """Whether the model is held to the schema."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OpenAiTool(Model):
    """A function tool of OpenAI's Chat Completions. Its Responses API takes the members of `function` beside `type`."""

    function: OpenAiFunction
    """The function."""
    type: str
    """`function`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Problem(Model):
    """One complaint about the input."""

    path: str
    """JSON pointer to the place; empty for the whole."""
    problem: str
    """What is wrong there and what is wanted."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecordedExchange(Model):
    """A request of the connector and the vendor's answer, without the credential."""

    method: str
    """Method."""
    query: list[NameAndValue]
    """Query parameters."""
    request: RecordedMessage
    """What was sent."""
    url: str
    """URL below the manifest's endpoint, without the query; `{config.NAME}` stands for the account's configuration."""
    fault: str | None = None
    """The kind of error that the connector got instead."""
    response: RecordedMessage | None = None
    """What was answered; absent when nothing was."""
    status: int | None = None
    """The vendor's status; absent when it did not answer."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecordedMessage(Model):
    """Headers and body; the body is there as text or, when it is none, in base64."""

    headers: list[NameAndValue]
    """Headers."""
    body: str | None = None
    """Body that is text."""
    body_base64: str | None = None
    """Body that is not."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recording(Model):
    """A call with its exchanges. Either `data` or `error` is there."""

    exchanges: list[RecordedExchange]
    """What the connector sent and the vendor answered, in the order of sending."""
    execution_id: str
    """The execution, `exe_…`."""
    data: dict[str, Any] | None = None
    """The tool's result."""
    error: BodyError | None = None
    """Why there is no result."""
    next_cursor: str | None = None
    """Where there is more."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenRequest(Model):
    """The form of a token request."""

    grant_type: str
    """`client_credentials`."""
    client_id: str | None = None
    """The client, unless it authenticates by HTTP basic."""
    client_secret: str | None = None
    """Its secret, unless it authenticates by HTTP basic."""
    scope: str | None = None
    """Scopes separated by spaces; absent for all that the client has."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenResponse(Model):
    """An access token (RFC 6749 section 5.1)."""

    access_token: str
    """To be sent as `Authorization: Bearer …`."""
    expires_in: int
    """Seconds until it expires."""
    scope: str
    """Its scopes, separated by spaces."""
    token_type: str
    """`Bearer`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tool(Model):
    """A tool, with all that a model needs to call it."""

    connector: str
    """The connector that it belongs to."""
    connector_version: str
    """The version of the connector that serves it."""
    description: str
    """What it does, when to use it, what comes back."""
    hints: ToolHints
    """What a call does to the vendor's data."""
    input_schema: dict[str, Any]
    """JSON Schema of `params`."""
    name: str
    """`tool_name` of a call."""
    title: str
    """A few words."""
    aliases: list[str] | None = None
    """Other names of the same tool."""
    any_scopes: list[str] | None = None
    """… or any one of these sets (scopes of a set separated by spaces)."""
    connection_names: list[str] | None = None
    """For lists about a user: the connections on which they have an active account."""
    connections: list[ToolPlace] | None = None
    """For lists about a user: where they can call it, or could, and what is missing."""
    output_schema: dict[str, Any] | None = None
    """JSON Schema of `data`, where the tool promises one."""
    scopes: list[str] | None = None
    """OAuth scopes that the account must have granted: all of them …"""
    score: float | None = None
    """How well it fits what was searched for; only the order means something."""
    tags: list[str] | None = None
    """Words to filter by."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToolHints(Model):
    """What a call does to the vendor's data."""

    destructive: bool
    """May remove or overwrite something, or cannot be taken back."""
    idempotent: bool
    """Calling again with the same input changes nothing more."""
    read_only: bool
    """Changes nothing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToolLeftOut(Model):
    """A tool that a format cannot hold."""

    name: str
    """Its name."""
    problems: list[Problem]
    """Why, with the places in its declaration."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToolList(Model):
    """A page of tools."""

    items: list[ToolItem]

    left_out: list[ToolLeftOut] | None = None
    """Tools of this page that the asked-for format cannot hold, with the reasons."""
    next_cursor: str | None = None
    """For the next page; absent on the last."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToolPlace(Model):
    """A connection on which a user could call a tool."""

    connection_name: str
    """The connection."""
    readiness: ToolReadiness
    """What is missing."""
    connected_account_id: str | None = None
    """The user's account on it, `ca_…`; absent when they have none."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class UserVerification(Model):
    """Who completed a link."""

    auth_request_id: str
    """The attempt, as `user_verify_url` received it."""
    identifier: str
    """The user who is signed in at the application in that browser."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class VendorError(Model):
    """What the vendor itself said."""

    code: str | None = None
    """Its own code."""
    message: str | None = None
    """Its own words: untrusted, cut to 2 KiB."""
    status: int | None = None
    """Its HTTP status."""


Component: TypeAlias = bytes
"""The bytes of a WebAssembly component."""

FileBytes: TypeAlias = bytes
"""The bytes of a file."""

SecretText: TypeAlias = str
"""A secret text: taken, never answered."""

GivenCredential: TypeAlias = dict[str, Any]
"""A credential that the application has already. It is tried at the vendor before it is kept."""

Raw: TypeAlias = bytes
"""Whatever the vendor takes."""

ToolForModel: TypeAlias = OpenAiTool | AnthropicTool | GeminiFunctionDeclaration | McpTool | LangChainTool
"""A tool in one of the shapes."""

ToolItem: TypeAlias = Tool | ToolForModel
"""A tool in the shape that was asked for."""
