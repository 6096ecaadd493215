"""Every operation of the REST interface as a function that makes its request. scripts/generate.py wrote this file; change what it was made from.

`client.send(operations.get_tool(name="…"))` sends one.
"""

from __future__ import annotations

from typing import Any, Literal

from valetkey._generated import models
from valetkey._operation import Operation, present


def list_connected_accounts(
    *,
    connection_name: str | None = None,
    identifier: str | None = None,
    state: Literal["PENDING_AUTH", "PENDING_VERIFICATION", "ACTIVE", "EXPIRED", "DISCONNECTED"] | str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Operation[models.ConnectedAccountList]:
    """List connected accounts.

    Args:
        connection_name: Only of this connection.
        identifier: Only of this user.
        state: Only in this state.
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
            "identifier": identifier,
            "state": state,
            "limit": limit,
            "cursor": cursor,
        },
        changes_nothing=True,
    )


def create_connected_account(
    *, connection_name: str, identifier: str, account_config: dict[str, str] | None = None
) -> Operation[models.ConnectedAccount]:
    """Make a connected account.

    Makes the account of a user on a connection, without a credential, or answers the one that is there. A link
    makes it too; this is for configuration that the application knows beforehand.

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
        json=present({"account_config": account_config, "connection_name": connection_name, "identifier": identifier}),
    )


def create_magic_link(
    *,
    connection_name: str,
    identifier: str,
    account_config: dict[str, str] | None = None,
    state: str | None = None,
    user_verify_url: str | None = None,
) -> Operation[models.Link]:
    """Make a link for an account's owner.

    The owner opens it in a browser and consents at the vendor, or fills in a form. It is good once, for ten
    minutes.

    Args:
        connection_name: The connection.
        identifier: The application's key for the user.
        account_config: Configuration beside the credential that the application knows already.
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


def list_connections(*, limit: int | None = None, cursor: str | None = None) -> Operation[models.ConnectionList]:
    """List connections.

    The connections of the caller's environment, by name.

    Args:
        limit: Items at most.
        cursor: `next_cursor` of the page before.
    """
    return Operation(
        name="listConnections",
        method="GET",
        path="/api/v1/connections",
        answer=models.ConnectionList,
        query={"limit": limit, "cursor": cursor},
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
    scopes: list[str] | None = None,
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
        scopes: Scopes to ask for; none for the manifest's.
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
                "scopes": scopes,
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


def change_connection(*, name: str, pinned_version: str | None) -> Operation[models.Connection]:
    """Pin a connection to a connector version.

    Calls through it are served by that version whatever is active, until it is unpinned with null.

    Args:
        name: Its name.
        pinned_version: A loaded version of the connector, or null for whichever is active.
    """
    return Operation(
        name="changeConnection",
        method="PATCH",
        path="/api/v1/connections/{name}",
        answer=models.Connection,
        path_parameters={"name": name},
        json=present({"pinned_version": pinned_version}, nullable=frozenset(["pinned_version"])),
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

    All its versions. Running calls finish.

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

    Any but the active one.

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
    connected_account_id: str | None = None,
    connection_name: str | None = None,
    deadline_ms: int | None = None,
    identifier: str | None = None,
    params: dict[str, Any] | None = None,
) -> Operation[models.Executed]:
    """Call a tool.

    Runs one tool with the account of one user. The same `Idempotency-Key` with the same call answers the first
    outcome again instead of calling twice. An error carries the `execution_id` too.

    Args:
        tool_name: Name of the tool, or an alias.
        idempotency_key: Any text of 1 to 255 visible characters, new for each call that may happen once.
        agent_run_id: The agent's own name for its run, for the record. At most 255 visible characters.
        connected_account_id: Or the account itself, `ca_…`.
        connection_name: Tells accounts of one user on several connections apart.
        deadline_ms: How long the caller waits for the answer, in milliseconds. The host's `server.default_deadline_ms`
            when absent, and at most its `server.max_deadline_ms`.
        identifier: The application's key for the user whose account is meant.
        params: The tool's input, by its `input_schema`.
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
                "connected_account_id": connected_account_id,
                "connection_name": connection_name,
                "deadline_ms": deadline_ms,
                "identifier": identifier,
                "params": params,
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


def list_tools(
    *,
    connector: str | None = None,
    tag: str | None = None,
    read_only: bool | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Operation[models.ToolList]:
    """List tools.

    Every tool of every connector that is loaded, by name.

    Args:
        connector: Only of this connector.
        tag: Only with this tag.
        read_only: Only those that change nothing (`true`), or only the others (`false`).
        limit: Items at most.
        cursor: `next_cursor` of the page before.
    """
    return Operation(
        name="listTools",
        method="GET",
        path="/api/v1/tools",
        answer=models.ToolList,
        query={"connector": connector, "tag": tag, "read_only": read_only, "limit": limit, "cursor": cursor},
        changes_nothing=True,
    )


def list_scoped_tools(
    *,
    identifier: str,
    connector: str | None = None,
    tag: str | None = None,
    read_only: bool | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Operation[models.ToolList]:
    """List the tools of a user.

    The tools that a user can call now: those of the connectors on which they have an active account.

    Args:
        identifier: The application's key for the user.
        connector: Only of this connector.
        tag: Only with this tag.
        read_only: Only those that change nothing (`true`), or only the others (`false`).
        limit: Items at most.
        cursor: `next_cursor` of the page before.
    """
    return Operation(
        name="listScopedTools",
        method="GET",
        path="/api/v1/tools/scoped",
        answer=models.ToolList,
        query={
            "identifier": identifier,
            "connector": connector,
            "tag": tag,
            "read_only": read_only,
            "limit": limit,
            "cursor": cursor,
        },
        changes_nothing=True,
    )


def search_tools(
    *,
    query: str,
    connector: str | None = None,
    tag: str | None = None,
    read_only: bool | None = None,
    identifier: str | None = None,
    limit: int | None = None,
) -> Operation[models.ToolList]:
    """Search tools.

    The tools whose name, title, description and tags fit a few words best, best first.

    Args:
        query: A few words.
        connector: Only of this connector.
        tag: Only with this tag.
        read_only: Only those that change nothing (`true`), or only the others (`false`).
        identifier: Only tools that this user can call now.
        limit: Items at most.
    """
    return Operation(
        name="searchTools",
        method="GET",
        path="/api/v1/tools/search",
        answer=models.ToolList,
        query={
            "query": query,
            "connector": connector,
            "tag": tag,
            "read_only": read_only,
            "identifier": identifier,
            "limit": limit,
        },
        changes_nothing=True,
    )


def get_tool(*, name: str) -> Operation[models.Tool]:
    """Read a tool.

    Args:
        name: Its name or an alias.
    """
    return Operation(
        name="getTool",
        method="GET",
        path="/api/v1/tools/{name}",
        answer=models.Tool,
        path_parameters={"name": name},
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
