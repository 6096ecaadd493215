"""The parts of the asynchronous client: accounts, tools, connections, executions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from valetkey._async.pages import AsyncPages
from valetkey._async.transport import AsyncTransport
from valetkey._generated import operations
from valetkey._generated.models import (
    AccountState,
    ConnectedAccount,
    Connection,
    Disconnected,
    Execution,
    Link,
    Tool,
)
from valetkey._operation import Operation, T

OneOrMore: TypeAlias = str | Sequence[str] | None
"""A word to filter by, or several of which one must fit."""

# Within the classes below `list` is a method.
_Found: TypeAlias = list[Tool]


def _several(words: OneOrMore) -> Any:
    """One word goes over the wire like a list of one."""
    return words if words is None or isinstance(words, str) else list(words)


class AsyncResource:
    """What every part has: the way to the host, and the client's own timeout."""

    def __init__(self, transport: AsyncTransport, timeout: float | None) -> None:
        self._transport = transport
        self._timeout = timeout

    async def _send(self, operation: Operation[T], timeout: float | None) -> T:
        return await self._transport.send(operation, timeout=self._timeout if timeout is None else timeout)

    def _pages(self, make: Callable[..., Operation[Any]], timeout: float | None, **query: Any) -> AsyncPages[Any]:
        async def page(cursor: str | None) -> Any:
            return await self._send(make(**query, cursor=cursor), timeout)

        return AsyncPages(page, query.pop("cursor", None))


class AsyncConnectedAccounts(AsyncResource):
    """Users' accounts, and the links by which they connect them."""

    def list(
        self,
        *,
        identifier: str | None = None,
        connection_name: str | None = None,
        state: AccountState | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncPages[ConnectedAccount]:
        """The accounts, in order of creation; `limit` is the size of a page."""
        return self._pages(
            operations.list_connected_accounts,
            timeout,
            identifier=identifier,
            connection_name=connection_name,
            state=state,
            limit=limit,
            cursor=cursor,
        )

    async def get(self, id: str, *, timeout: float | None = None) -> ConnectedAccount:
        """The account of this id, `ca_…`."""
        return await self._send(operations.get_connected_account(id=id), timeout)

    async def create(
        self,
        *,
        connection_name: str,
        identifier: str,
        account_config: dict[str, str] | None = None,
        timeout: float | None = None,
    ) -> ConnectedAccount:
        """Makes a user's account on a connection, without a credential, or gives the one that is there. A link makes it
        too; this is for configuration that the application knows beforehand."""
        operation = operations.create_connected_account(
            connection_name=connection_name, identifier=identifier, account_config=account_config
        )
        return await self._send(operation, timeout)

    async def link(
        self,
        *,
        connection_name: str,
        identifier: str,
        user_verify_url: str | None = None,
        state: str | None = None,
        account_config: dict[str, str] | None = None,
        timeout: float | None = None,
    ) -> Link:
        """A link for the user to open: they consent at the vendor, or fill in a form. Good once, for ten minutes.

        With a `user_verify_url` the browser comes back there with an `auth_request_id`, and the account works only
        after `verify` told who is signed in.
        """
        operation = operations.create_magic_link(
            connection_name=connection_name,
            identifier=identifier,
            user_verify_url=user_verify_url,
            state=state,
            account_config=account_config,
        )
        return await self._send(operation, timeout)

    async def verify(self, *, auth_request_id: str, identifier: str, timeout: float | None = None) -> ConnectedAccount:
        """Confirms that the user who is signed in at the application is the one who completed the link."""
        operation = operations.verify_user(auth_request_id=auth_request_id, identifier=identifier)
        return await self._send(operation, timeout)

    async def disconnect(self, id: str, *, timeout: float | None = None) -> Disconnected:
        """Makes the account unusable at once and revokes its credential; a new link connects it again."""
        return await self._send(operations.disconnect_account(id=id), timeout)

    async def delete(self, id: str, *, timeout: float | None = None) -> Disconnected:
        """Disconnects the account and removes its record."""
        return await self._send(operations.delete_connected_account(id=id), timeout)


class AsyncTools(AsyncResource):
    """What can be called."""

    def list(
        self,
        *,
        connector: OneOrMore = None,
        tag: OneOrMore = None,
        read_only: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncPages[Tool]:
        """Every tool of every connector that is loaded, by name."""
        return self._pages(
            operations.list_tools,
            timeout,
            connector=_several(connector),
            tag=_several(tag),
            read_only=read_only,
            limit=limit,
            cursor=cursor,
        )

    def scoped(
        self,
        *,
        identifier: str,
        connector: OneOrMore = None,
        tag: OneOrMore = None,
        read_only: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncPages[Tool]:
        """The tools that a user can call now: those of the connectors on which they have an active account."""
        return self._pages(
            operations.list_scoped_tools,
            timeout,
            identifier=identifier,
            connector=_several(connector),
            tag=_several(tag),
            read_only=read_only,
            limit=limit,
            cursor=cursor,
        )

    async def search(
        self,
        query: str,
        *,
        identifier: str | None = None,
        connector: OneOrMore = None,
        tag: OneOrMore = None,
        read_only: bool | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> _Found:
        """The tools that fit a few words best, best first; only those that `identifier` can call, when given."""
        operation = operations.search_tools(
            query=query,
            identifier=identifier,
            connector=_several(connector),
            tag=_several(tag),
            read_only=read_only,
            limit=limit,
        )
        found: Any = await self._send(operation, timeout)
        items: _Found = found.items
        return items

    async def get(self, name: str, *, timeout: float | None = None) -> Tool:
        """The tool of this name or alias."""
        # Without a `format` it is of the host's own shape.
        operation: Operation[Any] = operations.get_tool(name=name)
        found: Tool = await self._send(operation, timeout)
        return found


class AsyncConnections(AsyncResource):
    """The operator's configurations of connectors. Making them is `client.send(operations.create_connection(…))`."""

    def list(
        self, *, limit: int | None = None, cursor: str | None = None, timeout: float | None = None
    ) -> AsyncPages[Connection]:
        """The connections, by name."""
        return self._pages(operations.list_connections, timeout, limit=limit, cursor=cursor)

    async def get(self, name: str, *, timeout: float | None = None) -> Connection:
        """The connection of this name."""
        return await self._send(operations.get_connection(name=name), timeout)


class AsyncExecutions(AsyncResource):
    """What was called, lately."""

    def list(
        self, *, limit: int | None = None, cursor: str | None = None, timeout: float | None = None
    ) -> AsyncPages[Execution]:
        """The executions, newest first."""
        return self._pages(operations.list_executions, timeout, limit=limit, cursor=cursor)

    async def get(self, id: str, *, timeout: float | None = None) -> Execution:
        """The execution of this id, `exe_…`."""
        return await self._send(operations.get_execution(id=id), timeout)
