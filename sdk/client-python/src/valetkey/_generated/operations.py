"""Every operation of the REST interface as a function that makes its request. scripts/generate.py wrote this file; change what it was made from.

`client.send(operations.get_tool(name="…"))` sends one.
"""

from __future__ import annotations

from typing import Any, Literal

from valetkey._generated import models
from valetkey._operation import UNSET, Operation, Unset, present


def list_connected_accounts(
    *,
    connection_name: list[str] | None = None,
    connector: str | None = None,
    identifier: str | None = None,
    state: Literal["PENDING_AUTH", "PENDING_VERIFICATION", "ACTIVE", "EXPIRED", "DISCONNECTED"] | str | None = None,
    query: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Operation[models.ConnectedAccountList]:
    """List connected accounts.

    Args:
        connection_name: Only of these connections, separated by commas.
        connector: Only of connections of this connector.
        identifier: Only of this user.
        state: Only in this state.
        query: Only with this text in identifier, label or connection, whatever the case of its letters.
        limit: Items at most.
        cursor: `next_cursor` of the page before.
    """
    return Operation(
        name="listConnectedAccounts",
        method="GET",
        path="/api/v1/connected_accounts",
        answer=models.ConnectedAccountList,
        query={
            "connection_name": connection_name,
            "connector": connector,
            "identifier": identifier,
            "state": state,
            "query": query,
            "limit": limit,
            "cursor": cursor,
        },
        changes_nothing=True,
    )


def create_connected_account(
    *,
    connection_name: str,
    identifier: str,
    account_config: dict[str, str] | None = None,
    credential: models.GivenCredential | None = None,
) -> Operation[models.ConnectedAccount]:
    """Make a connected account.

    Makes the account of a user on a connection, or answers the one that is there. Without a `credential` it waits
    for its owner's authorization by a link, which makes it too; this is for configuration, or a credential, that
    the application has beforehand.

    Args:
        connection_name: The connection.
        identifier: The application's key for the user.
        account_config: Configuration beside the credential, where the connector wants some.
    """
    return Operation(
        name="createConnectedAccount",
        method="POST",
        path="/api/v1/connected_accounts",
        answer=models.ConnectedAccount,
        json=present(
            {
                "account_config": account_config,
                "connection_name": connection_name,
                "credential": credential,
                "identifier": identifier,
            }
        ),
    )


def get_connected_account_details(
    *, connection_name: str | None = None, identifier: str | None = None, connected_account_id: str | None = None
) -> Operation[models.ConnectedAccount]:
    """Read a connected account by its user.

    The account of a user on a connection, or by its id.

    Args:
        connection_name: The connection.
        identifier: The application's key for the user.
        connected_account_id: Or the account itself, `ca_…`; when all are given they must agree.
    """
    return Operation(
        name="getConnectedAccountDetails",
        method="GET",
        path="/api/v1/connected_accounts/details",
        answer=models.ConnectedAccount,
        query={
            "connection_name": connection_name,
            "identifier": identifier,
            "connected_account_id": connected_account_id,
        },
        changes_nothing=True,
    )


def create_magic_link(
    *,
    account_config: dict[str, str] | None = None,
    connected_account_id: str | None = None,
    connection_name: str | None = None,
    identifier: str | None = None,
    state: str | None = None,
    user_verify_url: str | None = None,
) -> Operation[models.Link]:
    """Make a link for an account's owner.

    The owner opens it in a browser and consents at the vendor, or fills in a form. It is good once, for ten
    minutes.

    Args:
        account_config: Configuration beside the credential that the application knows already.
        connected_account_id: Instead of both: an account that is there, `ca_…`.
        connection_name: The connection.
        identifier: The application's key for the user.
        state: The application's own state, given back to `user_verify_url`. At most 1 KiB.
        user_verify_url: Where the browser goes after consent, so that the application can tell who it is: one of the
            connection's `user_verify_urls`. Then the account becomes usable only after `user/verify`.
    """
    return Operation(
        name="createMagicLink",
        method="POST",
        path="/api/v1/connected_accounts/magic_link",
        answer=models.Link,
        json=present(
            {
                "account_config": account_config,
                "connected_account_id": connected_account_id,
                "connection_name": connection_name,
                "identifier": identifier,
                "state": state,
                "user_verify_url": user_verify_url,
            }
        ),
    )


def verify_user(*, auth_request_id: str, identifier: str) -> Operation[models.ConnectedAccount]:
    """Confirm who completed a link.

    For links with a `user_verify_url`: only now is the vendor asked for the credential, and the account becomes
    usable.

    Args:
        auth_request_id: The attempt, as `user_verify_url` received it.
        identifier: The user who is signed in at the application in that browser.
    """
    return Operation(
        name="verifyUser",
        method="POST",
        path="/api/v1/connected_accounts/user/verify",
        answer=models.ConnectedAccount,
        json=present({"auth_request_id": auth_request_id, "identifier": identifier}),
    )


def delete_connected_account(*, id: str) -> Operation[models.Disconnected]:
    """Delete a connected account.

    Disconnects it and removes its record.

    Args:
        id: `ca_…`.
    """
    return Operation(
        name="deleteConnectedAccount",
        method="DELETE",
        path="/api/v1/connected_accounts/{id}",
        answer=models.Disconnected,
        path_parameters={"id": id},
    )


def get_connected_account(*, id: str) -> Operation[models.ConnectedAccount]:
    """Read a connected account.

    Args:
        id: `ca_…`.
    """
    return Operation(
        name="getConnectedAccount",
        method="GET",
        path="/api/v1/connected_accounts/{id}",
        answer=models.ConnectedAccount,
        path_parameters={"id": id},
        changes_nothing=True,
    )


def change_connected_account(
    *, id: str, account_config: dict[str, str] | None = None, credential: models.GivenCredential | Unset | None = UNSET
) -> Operation[models.ConnectedAccount]:
    """Change a connected account.

    Gives it configuration or another credential. Another configuration of a connected account wants the credential
    that goes with it, since a credential never follows to another host.

    Args:
        id: `ca_…`.
        account_config: Configuration that is new or has another value.
    """
    return Operation(
        name="changeConnectedAccount",
        method="PATCH",
        path="/api/v1/connected_accounts/{id}",
        answer=models.ConnectedAccount,
        path_parameters={"id": id},
        json=present({"account_config": account_config, "credential": credential}, nullable=frozenset(["credential"])),
    )


def disconnect_account(*, id: str) -> Operation[models.Disconnected]:
    """Disconnect an account.

    It is unusable at once, its credential is revoked at the vendor and destroyed here. The record stays, and a new
    link connects it again.

    Args:
        id: `ca_…`.
    """
    return Operation(
        name="disconnectAccount",
        method="POST",
        path="/api/v1/connected_accounts/{id}/disconnect",
        answer=models.Disconnected,
        path_parameters={"id": id},
    )


def list_connections(
    *, connector: str | None = None, query: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Operation[models.ConnectionList]:
    """List connections.

    The connections of the caller's environment, by name.

    Args:
        connector: Only of this connector.
        query: Only with this text in their name.
        limit: Items at most.
        cursor: `next_cursor` of the page before.
    """
    return Operation(
        name="listConnections",
        method="GET",
        path="/api/v1/connections",
        answer=models.ConnectionList,
        query={"connector": connector, "query": query, "limit": limit, "cursor": cursor},
        changes_nothing=True,
    )


def create_connection(
    *,
    connection_name: str,
    connector: str,
    application_name: str | None = None,
    auth: str | None = None,
    development: bool | None = None,
    endpoints: dict[str, str] | None = None,
    oauth: models.NewOAuthApp | dict[str, Any] | None = None,
    pinned_version: str | None = None,
    proxy: bool | None = None,
    scopes: list[str] | None = None,
    token_url: str | None = None,
    user_verify_urls: list[str] | None = None,
) -> Operation[models.Connection]:
    """Configure a connection.

    Makes a connector usable in the caller's environment, with the operator's own application at the vendor where
    the connector wants OAuth. Register the answer's `oauth.redirect_uri` there.

    Args:
        connection_name: Its name, unique in the environment.
        connector: The connector, which must be installed.
        application_name: Name of the operator's application on hosted pages.
        auth: Id of the manifest's auth scheme; none for its first.
        development: Allows plain http and loopback vendors, and nothing else. For development.
        endpoints: Endpoint URLs instead of the manifest's, by name.
        pinned_version: Serve calls by this version of the connector whatever is active.
        proxy: Allows raw requests (`/proxy`) with the credentials of its accounts. A raw request may be anything that
            the credential may do; tools are narrower.
        scopes: Scopes to ask for; none for the manifest's.
        token_url: For the kinds `jwt_bearer` and `client_credentials`: the token endpoint instead of the manifest's.
        user_verify_urls: The URLs that a link may name as `user_verify_url`, compared exactly.
    """
    return Operation(
        name="createConnection",
        method="POST",
        path="/api/v1/connections",
        answer=models.Connection,
        json=present(
            {
                "application_name": application_name,
                "auth": auth,
                "connection_name": connection_name,
                "connector": connector,
                "development": development,
                "endpoints": endpoints,
                "oauth": oauth,
                "pinned_version": pinned_version,
                "proxy": proxy,
                "scopes": scopes,
                "token_url": token_url,
                "user_verify_urls": user_verify_urls,
            }
        ),
    )


def delete_connection(*, name: str) -> Operation[None]:
    """Remove a connection.

    Only when it has no connected accounts: disconnect and delete those first.

    Args:
        name: Its name.
    """
    return Operation(
        name="deleteConnection",
        method="DELETE",
        path="/api/v1/connections/{name}",
        answer=None,
        path_parameters={"name": name},
    )


def get_connection(*, name: str) -> Operation[models.Connection]:
    """Read a connection.

    Args:
        name: Its name.
    """
    return Operation(
        name="getConnection",
        method="GET",
        path="/api/v1/connections/{name}",
        answer=models.Connection,
        path_parameters={"name": name},
        changes_nothing=True,
    )


def change_connection(
    *, name: str, pinned_version: str | Unset | None = UNSET, proxy: bool | None = None
) -> Operation[models.Connection]:
    """Change a connection.

    Pins it to a connector version, which then serves its calls whatever is active, or unpins it with null; switches
    raw requests on or off.

    Args:
        name: Its name.
        pinned_version: A loaded version of the connector, or null for whichever is active.
        proxy: Whether raw requests (`/proxy`) may be sent with the credentials of its accounts.
    """
    return Operation(
        name="changeConnection",
        method="PATCH",
        path="/api/v1/connections/{name}",
        answer=models.Connection,
        path_parameters={"name": name},
        json=present({"pinned_version": pinned_version, "proxy": proxy}, nullable=frozenset(["pinned_version"])),
    )


def list_connection_sessions(
    *, name: str, identifier: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Operation[models.McpSessionList]:
    """List the sessions on one connection.

    Args:
        name: The connection's name.
        identifier: Only of this user.
        limit: Items at most.
        cursor: `next_cursor` of the page before.
    """
    return Operation(
        name="listConnectionSessions",
        method="GET",
        path="/api/v1/connections/{name}/sessions",
        answer=models.McpSessionList,
        path_parameters={"name": name},
        query={"identifier": identifier, "limit": limit, "cursor": cursor},
        changes_nothing=True,
    )


def create_connection_session(
    *,
    name: str,
    identifier: str,
    access_level: models.McpAccessLevel | None = None,
    tools: list[str] | None = None,
    ttl_seconds: int | None = None,
) -> Operation[models.MintedMcpSession]:
    """Make a session on one connection.

    A short-lived token by which one user's agent reaches the tools of this connection over MCP.

    Args:
        name: The connection's name.
        identifier: The application's key for the user in whose name tools run.
        access_level: Whatever the server shows, or only tools that change nothing.
        tools: Only these tools of those that the server shows.
        ttl_seconds: Seconds until the session ends.
    """
    return Operation(
        name="createConnectionSession",
        method="POST",
        path="/api/v1/connections/{name}/sessions",
        answer=models.MintedMcpSession,
        path_parameters={"name": name},
        json=present(
            {"access_level": access_level, "identifier": identifier, "tools": tools, "ttl_seconds": ttl_seconds}
        ),
    )


def revoke_connection_session(*, name: str, session_id: str) -> Operation[None]:
    """End a session on one connection.

    At once, open streams included.

    Args:
        name: The connection's name.
        session_id: The session's id.
    """
    return Operation(
        name="revokeConnectionSession",
        method="DELETE",
        path="/api/v1/connections/{name}/sessions/{session_id}",
        answer=None,
        path_parameters={"name": name, "session_id": session_id},
    )


def list_connectors() -> Operation[models.ConnectorList]:
    """List connectors."""
    return Operation(
        name="listConnectors",
        method="GET",
        path="/api/v1/connectors",
        answer=models.ConnectorList,
        changes_nothing=True,
    )


def install_connector(*, content: bytes) -> Operation[models.Installed]:
    """Install a connector.

    The body is the component. It is checked, compiled and activated; calls that run go on with the version before,
    which stays loaded. A refused one leaves everything as it was, and `fields` holds every reason.

    Args:
        content: The body.
    """
    return Operation(
        name="installConnector",
        method="POST",
        path="/api/v1/connectors",
        answer=models.Installed,
        headers={"content-type": "application/wasm"},
        content=content,
    )


def remove_connector(*, id: str) -> Operation[None]:
    """Remove a connector.

    All its versions. Running calls finish. Refused while a connection pins one of them.

    Args:
        id: The connector.
    """
    return Operation(
        name="removeConnector", method="DELETE", path="/api/v1/connectors/{id}", answer=None, path_parameters={"id": id}
    )


def activate_connector(*, id: str, version: str | None = None) -> Operation[models.Installed]:
    """Activate a version of a connector.

    Without a `version` it rolls back to the one that was active before.

    Args:
        id: The connector.
        version: A loaded version; absent for the one that was active before.
    """
    return Operation(
        name="activateConnector",
        method="POST",
        path="/api/v1/connectors/{id}/activate",
        answer=models.Installed,
        path_parameters={"id": id},
        json=present({"version": version}),
    )


def remove_connector_version(*, id: str, version: str) -> Operation[None]:
    """Remove a version of a connector.

    Any but the active one, and none that a connection pins.

    Args:
        id: The connector.
        version: The version.
    """
    return Operation(
        name="removeConnectorVersion",
        method="DELETE",
        path="/api/v1/connectors/{id}/versions/{version}",
        answer=None,
        path_parameters={"id": id, "version": version},
    )


def execute_tool(
    *,
    tool_name: str,
    idempotency_key: str | None = None,
    agent_run_id: str | None = None,
    client_capabilities: list[str] | None = None,
    connected_account_id: str | None = None,
    connection_name: str | None = None,
    deadline_ms: int | None = None,
    identifier: str | None = None,
    input_responses: dict[str, Any] | None = None,
    params: dict[str, Any] | None = None,
    request_state: str | None = None,
) -> Operation[models.Executed]:
    """Call a tool.

    Runs one tool with the account of one user. The same `Idempotency-Key` with the same call answers the first
    outcome again instead of calling twice. An error carries the `execution_id` too.

    Args:
        tool_name: Name of the tool, or an alias.
        idempotency_key: Any text of 1 to 255 visible characters, new for each call that may happen once.
        agent_run_id: The agent's own name for its run, for the record. At most 255 visible characters.
        client_capabilities: What the caller can ask its user or a model for a tool, in the words of MCP: `elicitation`
            (a form), `sampling`. A tool that asks answers `data.inputRequests` and `data.requestState` instead of a
            result.
        connected_account_id: Or the account itself, `ca_…`.
        connection_name: Tells accounts of one user on several connections apart.
        deadline_ms: How long the caller waits for the answer, in milliseconds. The host's `server.default_deadline_ms`
            when absent, and at most its `server.max_deadline_ms`.
        identifier: The application's key for the user whose account is meant.
        input_responses: The answers to what the tool asked, by the keys of its `inputRequests`: for a form `{"action":
            "accept", "content": {…}}` or `{"action": "decline"}`. With the same `params` as the call that was answered
            by the question.
        params: The tool's input, by its `input_schema`. Null for an optional parameter whose schema does not take null
            is the same as leaving it out.
        request_state: The `data.requestState` that came with the question, as it came. Good for ten minutes, for that
            account, tool and `params`.
    """
    return Operation(
        name="executeTool",
        method="POST",
        path="/api/v1/execute_tool",
        answer=models.Executed,
        headers={"Idempotency-Key": idempotency_key},
        json=present(
            {
                "agent_run_id": agent_run_id,
                "client_capabilities": client_capabilities,
                "connected_account_id": connected_account_id,
                "connection_name": connection_name,
                "deadline_ms": deadline_ms,
                "identifier": identifier,
                "input_responses": input_responses,
                "params": params,
                "request_state": request_state,
                "tool_name": tool_name,
            }
        ),
    )


def list_executions(*, limit: int | None = None, cursor: str | None = None) -> Operation[models.ExecutionList]:
    """List recent executions.

    Newest first. Older ones are in the journal's files on the host.

    Args:
        limit: Items at most.
        cursor: `next_cursor` of the page before.
    """
    return Operation(
        name="listExecutions",
        method="GET",
        path="/api/v1/executions",
        answer=models.ExecutionList,
        query={"limit": limit, "cursor": cursor},
        changes_nothing=True,
    )


def get_execution(*, id: str) -> Operation[models.Execution]:
    """Read a recent execution.

    Args:
        id: `exe_…`.
    """
    return Operation(
        name="getExecution",
        method="GET",
        path="/api/v1/executions/{id}",
        answer=models.Execution,
        path_parameters={"id": id},
        changes_nothing=True,
    )


def upload_file(*, content: bytes, name: str | None = None, identifier: str | None = None) -> Operation[models.File]:
    """Upload a file.

    The body is the file, of any type and up to `files.max_file_bytes`; it is never whole in the host's memory. Give
    the answer's `id` where a tool's parameter has the format `valetkey-file`. Files expire; `expires_at` says when.

    Args:
        content: The body.
        name: What it is called, for people.
        identifier: The application's key for the user whose calls alone may use it; absent for every user of the
            environment.
    """
    return Operation(
        name="uploadFile",
        method="POST",
        path="/api/v1/files",
        answer=models.File,
        query={"name": name, "identifier": identifier},
        headers={"content-type": "*/*"},
        content=content,
    )


def delete_file(*, id: str) -> Operation[None]:
    """Delete a file.

    Args:
        id: The file, `file_…`.
    """
    return Operation(
        name="deleteFile", method="DELETE", path="/api/v1/files/{id}", answer=None, path_parameters={"id": id}
    )


def download_file(*, id: str) -> Operation[bytes]:
    """Download a file.

    One that was uploaded, or that a call kept. For the callers of the environment that it belongs to.

    Args:
        id: The file, `file_…`.
    """
    return Operation(
        name="downloadFile",
        method="GET",
        path="/api/v1/files/{id}",
        answer=bytes,
        path_parameters={"id": id},
        changes_nothing=True,
    )


def list_mcp_servers(
    *,
    name: str | None = None,
    connector: str | None = None,
    search: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Operation[models.McpServerList]:
    """List MCP servers.

    Args:
        name: Only the one of this name.
        connector: Only those with a connection of this connector.
        search: Only those whose name or description has this text.
        limit: Items at most.
        cursor: `next_cursor` of the page before.
    """
    return Operation(
        name="listMcpServers",
        method="GET",
        path="/api/v1/mcp_servers",
        answer=models.McpServerList,
        query={"name": name, "connector": connector, "search": search, "limit": limit, "cursor": cursor},
        changes_nothing=True,
    )


def create_mcp_server(
    *,
    name: str,
    description: str | None = None,
    mappings: list[models.McpMapping] | None = None,
    read_only: bool | None = None,
    require_api_token: bool | None = None,
    search: models.McpSearchMode | None = None,
    tags: list[str] | None = None,
) -> Operation[models.McpServer]:
    """Make an MCP server.

    A choice of the environment's tools under a URL of its own. Agents reach it with a session's token.

    Args:
        name: Its name, unique in the environment: 1 to 100 of a-z, 0-9, `_`, `-`.
        description: What it is for; agents read it. At most 1,000 characters.
        mappings: Its connections and which of their tools; none for every connection of the environment.
        read_only: Only tools that change nothing (`true`), or only the others (`false`).
        require_api_token: Whether a caller also sends an API access token, in the header `X-Valetkey-Api-Token`.
        search: Whether agents see the tools, or four tools by which they find and call them.
        tags: Only tools with one of these tags; none for any.
    """
    return Operation(
        name="createMcpServer",
        method="POST",
        path="/api/v1/mcp_servers",
        answer=models.McpServer,
        json=present(
            {
                "description": description,
                "mappings": mappings,
                "name": name,
                "read_only": read_only,
                "require_api_token": require_api_token,
                "search": search,
                "tags": tags,
            }
        ),
    )


def delete_mcp_server(*, id: str) -> Operation[None]:
    """Remove an MCP server.

    Ends its sessions.

    Args:
        id: Its id.
    """
    return Operation(
        name="deleteMcpServer",
        method="DELETE",
        path="/api/v1/mcp_servers/{id}",
        answer=None,
        path_parameters={"id": id},
    )


def get_mcp_server(*, id: str) -> Operation[models.McpServer]:
    """Read an MCP server.

    Args:
        id: Its id.
    """
    return Operation(
        name="getMcpServer",
        method="GET",
        path="/api/v1/mcp_servers/{id}",
        answer=models.McpServer,
        path_parameters={"id": id},
        changes_nothing=True,
    )


def change_mcp_server(
    *,
    id: str,
    description: str | Unset | None = UNSET,
    mappings: list[models.McpMapping] | Unset | None = UNSET,
    read_only: bool | Unset | None = UNSET,
    require_api_token: bool | Unset | None = UNSET,
    search: models.McpSearchMode | Unset | None = UNSET,
    tags: list[str] | Unset | None = UNSET,
) -> Operation[models.McpServer]:
    """Change an MCP server.

    What is absent stays. Connected agents see the new list of tools at once.

    Args:
        id: Its id.
        description: Another description.
        mappings: Other connections and tools.
        read_only: Only tools that change nothing (`true`), only the others (`false`), or both (null).
        require_api_token: Whether a caller also sends an API access token.
        tags: Other tags.
    """
    return Operation(
        name="changeMcpServer",
        method="PATCH",
        path="/api/v1/mcp_servers/{id}",
        answer=models.McpServer,
        path_parameters={"id": id},
        json=present(
            {
                "description": description,
                "mappings": mappings,
                "read_only": read_only,
                "require_api_token": require_api_token,
                "search": search,
                "tags": tags,
            },
            nullable=frozenset(["description", "mappings", "read_only", "require_api_token", "search", "tags"]),
        ),
    )


def get_mcp_auth_state(
    *, id: str, identifier: str, include_links: bool | None = None
) -> Operation[models.McpAuthStateList]:
    """Show how far a user is with connecting.

    The user's account on each connection of the server, and on request the link to connect it.

    Args:
        id: The server's id.
        identifier: The application's key for the user.
        include_links: Also make a link for each connection that is not usable yet. Needs `accounts:write` too.
    """
    return Operation(
        name="getMcpAuthState",
        method="GET",
        path="/api/v1/mcp_servers/{id}/auth_state",
        answer=models.McpAuthStateList,
        path_parameters={"id": id},
        query={"identifier": identifier, "include_links": include_links},
        changes_nothing=True,
    )


def list_mcp_sessions(
    *, id: str, identifier: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Operation[models.McpSessionList]:
    """List the sessions on an MCP server.

    Args:
        id: The server's id.
        identifier: Only of this user.
        limit: Items at most.
        cursor: `next_cursor` of the page before.
    """
    return Operation(
        name="listMcpSessions",
        method="GET",
        path="/api/v1/mcp_servers/{id}/sessions",
        answer=models.McpSessionList,
        path_parameters={"id": id},
        query={"identifier": identifier, "limit": limit, "cursor": cursor},
        changes_nothing=True,
    )


def create_mcp_session(
    *,
    id: str,
    identifier: str,
    access_level: models.McpAccessLevel | None = None,
    tools: list[str] | None = None,
    ttl_seconds: int | None = None,
) -> Operation[models.MintedMcpSession]:
    """Make a session on an MCP server.

    A short-lived token by which one user's agent reaches this server and nothing else.

    Args:
        id: The server's id.
        identifier: The application's key for the user in whose name tools run.
        access_level: Whatever the server shows, or only tools that change nothing.
        tools: Only these tools of those that the server shows.
        ttl_seconds: Seconds until the session ends.
    """
    return Operation(
        name="createMcpSession",
        method="POST",
        path="/api/v1/mcp_servers/{id}/sessions",
        answer=models.MintedMcpSession,
        path_parameters={"id": id},
        json=present(
            {"access_level": access_level, "identifier": identifier, "tools": tools, "ttl_seconds": ttl_seconds}
        ),
    )


def revoke_mcp_session(*, id: str, session_id: str) -> Operation[None]:
    """End a session on an MCP server.

    At once, open streams included.

    Args:
        id: The server's id.
        session_id: The session's id.
    """
    return Operation(
        name="revokeMcpSession",
        method="DELETE",
        path="/api/v1/mcp_servers/{id}/sessions/{session_id}",
        answer=None,
        path_parameters={"id": id, "session_id": session_id},
    )


def record_tool(
    *,
    tool_name: str,
    agent_run_id: str | None = None,
    client_capabilities: list[str] | None = None,
    connected_account_id: str | None = None,
    connection_name: str | None = None,
    deadline_ms: int | None = None,
    identifier: str | None = None,
    input_responses: dict[str, Any] | None = None,
    params: dict[str, Any] | None = None,
    request_state: str | None = None,
) -> Operation[models.Recording]:
    """Record a tool call.

    Runs one tool and answers what the connector sent to the vendor and got back, for an author who makes a test
    case of it. The credential is not in it; users' data are. As for raw requests, the operator has to have set the
    connection's `proxy`. A call that failed is answered with 200 too: `error` says how.

    Args:
        tool_name: Name of the tool, or an alias.
        agent_run_id: The agent's own name for its run, for the record. At most 255 visible characters.
        client_capabilities: What the caller can ask its user or a model for a tool, in the words of MCP: `elicitation`
            (a form), `sampling`. A tool that asks answers `data.inputRequests` and `data.requestState` instead of a
            result.
        connected_account_id: Or the account itself, `ca_…`.
        connection_name: Tells accounts of one user on several connections apart.
        deadline_ms: How long the caller waits for the answer, in milliseconds. The host's `server.default_deadline_ms`
            when absent, and at most its `server.max_deadline_ms`.
        identifier: The application's key for the user whose account is meant.
        input_responses: The answers to what the tool asked, by the keys of its `inputRequests`: for a form `{"action":
            "accept", "content": {…}}` or `{"action": "decline"}`. With the same `params` as the call that was answered
            by the question.
        params: The tool's input, by its `input_schema`. Null for an optional parameter whose schema does not take null
            is the same as leaving it out.
        request_state: The `data.requestState` that came with the question, as it came. Good for ten minutes, for that
            account, tool and `params`.
    """
    return Operation(
        name="recordTool",
        method="POST",
        path="/api/v1/recordings",
        answer=models.Recording,
        json=present(
            {
                "agent_run_id": agent_run_id,
                "client_capabilities": client_capabilities,
                "connected_account_id": connected_account_id,
                "connection_name": connection_name,
                "deadline_ms": deadline_ms,
                "identifier": identifier,
                "input_responses": input_responses,
                "params": params,
                "request_state": request_state,
                "tool_name": tool_name,
            }
        ),
    )


def list_tools(
    *,
    limit: int | None = None,
    cursor: str | None = None,
    connector: list[str] | None = None,
    connection_name: list[str] | None = None,
    tool_name: list[str] | None = None,
    tag: list[str] | None = None,
    read_only: bool | None = None,
    format: Literal["openai", "openai-strict", "anthropic", "gemini", "mcp", "langchain"] | str | None = None,
) -> Operation[models.ToolList]:
    """List tools.

    Every tool of every connector that is loaded, by name.

    Args:
        limit: Items at most.
        cursor: `next_cursor` of the page before.
        connector: Only of these connectors, separated by commas.
        connection_name: Only what these connections serve, separated by commas.
        tool_name: Only these, by name or alias, separated by commas.
        tag: Only with one of these tags, separated by commas.
        read_only: Only those that change nothing (`true`), or only the others (`false`).
        format: The shape of the tools; the host's own when absent.
    """
    return Operation(
        name="listTools",
        method="GET",
        path="/api/v1/tools",
        answer=models.ToolList,
        query={
            "limit": limit,
            "cursor": cursor,
            "connector": connector,
            "connection_name": connection_name,
            "tool_name": tool_name,
            "tag": tag,
            "read_only": read_only,
            "format": format,
        },
        changes_nothing=True,
    )


def list_available_tools(
    *,
    identifier: str,
    limit: int | None = None,
    cursor: str | None = None,
    connector: list[str] | None = None,
    connection_name: list[str] | None = None,
    tool_name: list[str] | None = None,
    tag: list[str] | None = None,
    read_only: bool | None = None,
    format: Literal["openai", "openai-strict", "anthropic", "gemini", "mcp", "langchain"] | str | None = None,
) -> Operation[models.ToolList]:
    """List the tools that a user could have.

    The tools of every connection of the environment, by name; `connections` says what the user lacks to call each
    one.

    Args:
        identifier: The application's key for the user.
        limit: Items at most.
        cursor: `next_cursor` of the page before.
        connector: Only of these connectors, separated by commas.
        connection_name: Only what these connections serve, separated by commas.
        tool_name: Only these, by name or alias, separated by commas.
        tag: Only with one of these tags, separated by commas.
        read_only: Only those that change nothing (`true`), or only the others (`false`).
        format: The shape of the tools; the host's own when absent.
    """
    return Operation(
        name="listAvailableTools",
        method="GET",
        path="/api/v1/tools/available",
        answer=models.ToolList,
        query={
            "identifier": identifier,
            "limit": limit,
            "cursor": cursor,
            "connector": connector,
            "connection_name": connection_name,
            "tool_name": tool_name,
            "tag": tag,
            "read_only": read_only,
            "format": format,
        },
        changes_nothing=True,
    )


def list_scoped_tools(
    *,
    identifier: str,
    limit: int | None = None,
    cursor: str | None = None,
    connector: list[str] | None = None,
    connection_name: list[str] | None = None,
    tool_name: list[str] | None = None,
    tag: list[str] | None = None,
    read_only: bool | None = None,
    format: Literal["openai", "openai-strict", "anthropic", "gemini", "mcp", "langchain"] | str | None = None,
) -> Operation[models.ToolList]:
    """List the tools of a user.

    The tools of the connections on which the user has an active account, by name.

    Args:
        identifier: The application's key for the user.
        limit: Items at most.
        cursor: `next_cursor` of the page before.
        connector: Only of these connectors, separated by commas.
        connection_name: Only what these connections serve, separated by commas.
        tool_name: Only these, by name or alias, separated by commas.
        tag: Only with one of these tags, separated by commas.
        read_only: Only those that change nothing (`true`), or only the others (`false`).
        format: The shape of the tools; the host's own when absent.
    """
    return Operation(
        name="listScopedTools",
        method="GET",
        path="/api/v1/tools/scoped",
        answer=models.ToolList,
        query={
            "identifier": identifier,
            "limit": limit,
            "cursor": cursor,
            "connector": connector,
            "connection_name": connection_name,
            "tool_name": tool_name,
            "tag": tag,
            "read_only": read_only,
            "format": format,
        },
        changes_nothing=True,
    )


def search_tools(
    *,
    query: str,
    identifier: str | None = None,
    ready: bool | None = None,
    limit: int | None = None,
    connector: list[str] | None = None,
    connection_name: list[str] | None = None,
    tool_name: list[str] | None = None,
    tag: list[str] | None = None,
    read_only: bool | None = None,
    format: Literal["openai", "openai-strict", "anthropic", "gemini", "mcp", "langchain"] | str | None = None,
) -> Operation[models.ToolList]:
    """Search tools.

    The tools whose name, title, description and tags fit a few words best, best first. With an `identifier`,
    `connections` says what the user lacks to call each one.

    Args:
        query: A few words.
        identifier: Only tools of this environment's connections, each with what this user lacks to call it.
        ready: With `identifier`: only those that the user can call now (`true`).
        limit: Items at most.
        connector: Only of these connectors, separated by commas.
        connection_name: Only what these connections serve, separated by commas.
        tool_name: Only these, by name or alias, separated by commas.
        tag: Only with one of these tags, separated by commas.
        read_only: Only those that change nothing (`true`), or only the others (`false`).
        format: The shape of the tools; the host's own when absent.
    """
    return Operation(
        name="searchTools",
        method="GET",
        path="/api/v1/tools/search",
        answer=models.ToolList,
        query={
            "query": query,
            "identifier": identifier,
            "ready": ready,
            "limit": limit,
            "connector": connector,
            "connection_name": connection_name,
            "tool_name": tool_name,
            "tag": tag,
            "read_only": read_only,
            "format": format,
        },
        changes_nothing=True,
    )


def get_tool(
    *,
    name: str,
    format: Literal["openai", "openai-strict", "anthropic", "gemini", "mcp", "langchain"] | str | None = None,
) -> Operation[models.ToolItem]:
    """Read a tool.

    Args:
        name: Its name or an alias.
        format: The shape of the tool; the host's own when absent.
    """
    return Operation(
        name="getTool",
        method="GET",
        path="/api/v1/tools/{name}",
        answer=models.ToolItem,
        path_parameters={"name": name},
        query={"format": format},
        changes_nothing=True,
    )


def health() -> Operation[models.Health]:
    """Is the host there?.

    Answers as soon as the host takes requests."""
    return Operation(
        name="health", method="GET", path="/healthz", answer=models.Health, public=True, changes_nothing=True
    )


def token(
    *, grant_type: str, client_id: str | None = None, client_secret: str | None = None, scope: str | None = None
) -> Operation[models.TokenResponse]:
    """Get an access token.

    The client credentials grant, the client by HTTP basic or in the form. Parameters that the grant does not know
    are ignored, as OAuth wants it. Errors have the shape of all others here.

    Args:
        grant_type: `client_credentials`.
        client_id: The client, unless it authenticates by HTTP basic.
        client_secret: Its secret, unless it authenticates by HTTP basic.
        scope: Scopes separated by spaces; absent for all that the client has.
    """
    return Operation(
        name="token",
        method="POST",
        path="/oauth/token",
        answer=models.TokenResponse,
        form={"client_id": client_id, "client_secret": client_secret, "grant_type": grant_type, "scope": scope},
        public=True,
    )


def document() -> Operation[dict[str, Any]]:
    """This document."""
    return Operation(
        name="document", method="GET", path="/openapi.json", answer=dict[str, Any], public=True, changes_nothing=True
    )
