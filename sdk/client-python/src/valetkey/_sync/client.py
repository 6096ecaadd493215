"""The synchronous client: what a program of agents calls.

scripts/generate.py wrote this file; change what it was made from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import httpx
from typing_extensions import Self

from valetkey import _trace
from valetkey._context import current_agent_run
from valetkey._errors import ValetkeyError
from valetkey._generated import operations
from valetkey._generated.models import Executed
from valetkey._operation import Operation, RawAnswer, T
from valetkey._settings import idempotency_key as key_of
from valetkey._settings import settings
from valetkey._sync.clock import Clock
from valetkey._sync.resources import (
    ConnectedAccounts,
    Connections,
    Executions,
    Tools,
)
from valetkey._sync.toolset import Toolset, bind
from valetkey._sync.transport import Transport


class Valetkey:
    """A client of one host, for one API client of it. Safe for many tasks at once; close it, or use it in a `with`.

    ```python
    with Valetkey("https://keys.example.com", client_id="…", client_secret="…") as client:
        found = client.execute_tool("hubspot_contacts_search", identifier="user-42", params={"query": "acme"})
    ```

    Args:
        base_url: The host's URL; else `VALETKEY_SERVER` of the environment.
        client_id: The API client; else `VALETKEY_CLIENT_ID`.
        client_secret: Its secret; else `VALETKEY_CLIENT_SECRET`.
        timeout: Deadline in seconds of each call that names none: attempts, waits and all. Without one the host's own
            default rules.
        max_attempts: How often a call is sent at most, where it may be repeated.
        trace_content: Whether the OpenTelemetry span of a tool call holds its arguments and result.
        http_client: An `httpx` client with your proxies, certificates and limits, which is closed with this one.
    """

    connected_accounts: ConnectedAccounts
    """Users' accounts, and the links by which they connect them."""
    tools: Tools
    """What can be called."""
    connections: Connections
    """The operator's configurations of connectors."""
    executions: Executions
    """What was called, lately."""

    def __init__(
        self,
        base_url: str | None = None,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        timeout: float | None = None,
        max_attempts: int = 3,
        trace_content: bool = True,
        http_client: httpx.Client | None = None,
        _clock: Clock | None = None,
    ) -> None:
        host = settings(base_url, client_id, client_secret)
        if max_attempts < 1:
            raise ValueError("max_attempts must be 1 or more")
        if timeout is not None and timeout <= 0:
            raise ValueError("timeout must be more than 0")
        self._base_url = host.base_url
        self._client_id = host.client_id
        self._timeout = timeout
        self._trace_content = trace_content
        self._transport = Transport(
            host.base_url,
            host.client_id,
            host.client_secret,
            max_attempts=max_attempts,
            http=http_client or httpx.Client(limits=httpx.Limits(max_connections=200)),
            clock=_clock or Clock(),
        )
        self.connected_accounts = ConnectedAccounts(self._transport, timeout)
        self.tools = Tools(self._transport, timeout)
        self.connections = Connections(self._transport, timeout)
        self.executions = Executions(self._transport, timeout)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base_url!r}, client_id={self._client_id!r})"

    def execute_tool(
        self,
        tool_name: str,
        *,
        identifier: str | None = None,
        params: Mapping[str, Any] | None = None,
        connected_account_id: str | None = None,
        connection_name: str | None = None,
        agent_run_id: str | None = None,
        idempotency_key: str | None = None,
        read_only: bool = False,
        client_capabilities: Sequence[str] | None = None,
        input_responses: Mapping[str, Any] | None = None,
        request_state: str | None = None,
        timeout: float | None = None,
    ) -> Executed:
        """Runs one tool with the account of one user.

        A call goes under an idempotency key, a new one when none is given, so that it can be sent again when its answer
        is lost and still happens once.

        Args:
            tool_name: The tool, or an alias of it.
            identifier: The application's key for the user whose account is meant.
            params: The tool's input, by its `input_schema`.
            connected_account_id: The account itself, instead of the user.
            connection_name: Tells accounts of one user on several connections apart.
            agent_run_id: The agent's run, for the record; else that of the `agent_run` around the call.
            idempotency_key: Your own key: the same call under it, also from another process, happens once.
            read_only: The tool changes nothing, as its `hints` say: the call needs no key.
            client_capabilities: What this program can ask its user or a model for a tool: `elicitation`, `sampling`. A
                tool that asks answers `inputRequests` and `requestState` in `data`.
            input_responses: The answers to those, by their keys, with the same `params`.
            request_state: The `requestState` that came with the questions.
            timeout: Deadline in seconds, of which the host is told what is left.
        """
        operation = operations.execute_tool(
            tool_name=tool_name,
            identifier=identifier,
            connected_account_id=connected_account_id,
            connection_name=connection_name,
            params=None if params is None else dict(params),
            agent_run_id=agent_run_id or current_agent_run(),
            client_capabilities=None if client_capabilities is None else list(client_capabilities),
            input_responses=None if input_responses is None else dict(input_responses),
            request_state=request_state,
        )
        key = None if read_only and idempotency_key is None else key_of(idempotency_key)
        with _trace.tool_call(tool_name, params or {}, self._trace_content) as note:
            try:
                done = self._transport.send(
                    operation,
                    timeout=self._timeout if timeout is None else timeout,
                    idempotency_key=key,
                    changes_nothing=read_only,
                )
            except ValetkeyError as error:
                note(error.execution_id, error=error.kind)
                raise
            note(done.execution_id, result=done.data)
        return done

    def execute_pages(
        self,
        tool_name: str,
        *,
        identifier: str | None = None,
        params: Mapping[str, Any] | None = None,
        connected_account_id: str | None = None,
        connection_name: str | None = None,
        agent_run_id: str | None = None,
        read_only: bool = False,
        timeout: float | None = None,
    ) -> Iterator[Executed]:
        """Runs a tool and follows its `next_cursor` as far as somebody reads. Each page is a call of its own, with its
        own timeout; the arguments are those of `execute_tool`."""
        given = dict(params or {})
        while True:
            page = self.execute_tool(
                tool_name,
                identifier=identifier,
                params=given or None,
                connected_account_id=connected_account_id,
                connection_name=connection_name,
                agent_run_id=agent_run_id,
                read_only=read_only,
                timeout=timeout,
            )
            yield page
            if page.next_cursor is None:
                return
            given["cursor"] = page.next_cursor

    def proxy(
        self,
        method: str,
        path: str,
        *,
        connection_name: str,
        identifier: str | None = None,
        connected_account_id: str | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        endpoint: str | None = None,
        agent_run_id: str | None = None,
        timeout: float | None = None,
    ) -> RawAnswer:
        """Sends a raw request to the vendor with the account's credential, for what no tool covers, and gives the
        vendor's answer whatever its status is. The operator allows it by connection.

        Args:
            method: `GET`, `POST`, `PUT`, `PATCH`, `DELETE` or `HEAD`.
            path: Path below the connector's endpoint, escaped as the vendor wants it.
            connection_name: The connection.
            identifier: The application's key for the user whose account is meant.
            connected_account_id: The account itself, instead of the user.
            query: The query, for the vendor.
            headers: Headers for the vendor; credentials are the host's business.
            json: The body, as JSON.
            content: The body as bytes; say its `content-type` in `headers`.
            endpoint: Endpoint of the connector's manifest, where it has several.
            agent_run_id: The agent's run, for the record; else that of the `agent_run` around the call.
            timeout: Deadline in seconds, of which the host is told what is left.
        """
        if not path.startswith("/"):
            raise ValueError(f"path must begin with a slash, not {path!r}")
        operation: Operation[RawAnswer] = Operation(
            name=f"{method.upper()} {path}",
            method=method.upper(),
            path=f"/proxy{path}",
            answer=RawAnswer,
            query=query or {},
            headers={
                **(headers or {}),
                "connection-name": connection_name,
                "identifier": identifier,
                "connected-account-id": connected_account_id,
                "endpoint": endpoint,
                "agent-run-id": agent_run_id or current_agent_run(),
            },
            json=json,
            content=content,
            changes_nothing=method.upper() in ("GET", "HEAD"),
        )
        return self.send(operation, timeout=timeout)

    def toolset(
        self,
        *,
        identifier: str | None = None,
        connections: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        tag: str | None = None,
        read_only: bool | None = None,
    ) -> Toolset:
        """The tools of one user, to hand to a model and to run when it calls them.

        Args:
            identifier: The application's key for the user. A model never says whose account it wants. Without it
                `for_identifier` says so later, for many users with one list of tools.
            connections: The tools of these connections, whether or not the user has connected an account: a call on one
                that they have not is answered with the link. Without, the tools that the user can call now.
            names: Only these tools.
            tag: Only tools with this tag.
            read_only: Only tools that change nothing (`True`), or only the others (`False`).
        """
        bound = bind(self, identifier, connections=connections, names=names, tag=tag, read_only=read_only)
        return Toolset(self, identifier, bound)

    def send(self, operation: Operation[T], *, timeout: float | None = None) -> T:
        """Sends any operation of the REST interface: `client.send(operations.list_connectors())`."""
        return self._transport.send(operation, timeout=self._timeout if timeout is None else timeout)

    def close(self) -> None:
        """Ends its connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
