"""Values of the REST interface. scripts/generate.py wrote this file; change what it was made from."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, TypeAlias

from valetkey._model import Model

AccountState: TypeAlias = Literal["PENDING_AUTH", "PENDING_VERIFICATION", "ACTIVE", "EXPIRED", "DISCONNECTED"] | str
"""Where an account stands."""

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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Activation(Model):
    """Which version."""

    version: str | None = None
    """A loaded version; absent for the one that was active before."""


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
    """Kind of credential: `oauth2`, `api_key`, `basic`, `bearer` or `none`."""
    development: bool
    """Whether plain http and loopback vendors are allowed, and nothing else."""
    endpoints: dict[str, str]
    """Endpoint URLs instead of the manifest's, by name."""
    scopes: list[str]
    """Scopes that are asked for."""
    user_verify_urls: list[str]
    """The URLs that a link may name as `user_verify_url`."""
    oauth: OAuthApp | None = None
    """For OAuth: the operator's application at the vendor."""
    pinned_version: str | None = None
    """The connector version that serves calls whatever is active."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConnectionChange(Model):
    """Which version serves."""

    pinned_version: str | None
    """A loaded version of the connector, or null for whichever is active."""


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
    params: dict[str, Any] | None = None
    """The tool's input, by its `input_schema`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Executed(Model):
    """What a call answers."""

    data: Any
    """The tool's result, in the vendor's own shape."""
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExecutionList(Model):
    """A page of executions, newest first."""

    items: list[Execution]

    next_cursor: str | None = None
    """For the next page; absent on the last."""


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
class NewConnectedAccount(Model):
    """A new account, not connected yet."""

    connection_name: str
    """The connection."""
    identifier: str
    """The application's key for the user."""
    account_config: dict[str, str] | None = None
    """Configuration beside the credential, where the connector wants some."""


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
    scopes: list[str] | None = None
    """Scopes to ask for; none for the manifest's."""
    user_verify_urls: list[str] | None = None
    """The URLs that a link may name as `user_verify_url`, compared exactly."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewLink(Model):
    """What a link is asked for with."""

    connection_name: str
    """The connection."""
    identifier: str
    """The application's key for the user."""
    account_config: dict[str, str] | None = None
    """Configuration beside the credential that the application knows already."""
    state: str | None = None
    """The application's own state, given back to `user_verify_url`. At most 1 KiB."""
    user_verify_url: str | None = None
    """Where the browser goes after consent, so that the application can tell who it is: one of the connection's
    `user_verify_urls`. Then the account becomes usable only after `user/verify`.
    """


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
class Problem(Model):
    """One complaint about the input."""

    path: str
    """JSON pointer to the place; empty for the whole."""
    problem: str
    """What is wrong there and what is wanted."""


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
    """The version of the connector that is active."""
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
    """For one user's tools: the connections on which they have an active account."""
    output_schema: dict[str, Any] | None = None
    """JSON Schema of `data`, where the tool promises one."""
    scopes: list[str] | None = None
    """OAuth scopes that the account must have granted: all of them …"""
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
class ToolList(Model):
    """A page of tools, by name."""

    items: list[Tool]

    next_cursor: str | None = None
    """For the next page; absent on the last."""


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
