"""One user's tools for a model: offered in its provider's words, run when it calls them, answered in words that it can
act on. Whose account it is stands here and is never an argument of a tool.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from valetkey import _render
from valetkey._errors import ValetkeyError
from valetkey._generated.errors import AccountNotActiveError, AccountNotFoundError
from valetkey._generated.models import Tool
from valetkey._render import ModelCall, ToolResult

if TYPE_CHECKING:
    from valetkey._async.client import AsyncValetkey


@dataclasses.dataclass(frozen=True)
class BoundTool:
    """A tool, and the connection through which it is called when that was said."""

    tool: Tool
    connection_name: str | None = None


class AsyncToolset:
    """The tools of one user. `client.toolset(…)` makes one; iterating gives the tools."""

    def __init__(self, client: AsyncValetkey, identifier: str | None, bound: Sequence[BoundTool]) -> None:
        self._client = client
        self.identifier = identifier
        """Whose accounts the calls use; none when that is said later."""
        self._bound = {each.tool.name: each for each in bound}

    def for_identifier(self, identifier: str) -> AsyncToolset:
        """The same tools for another user, without asking the host again."""
        return AsyncToolset(self._client, identifier, list(self._bound.values()))

    def __iter__(self) -> Iterator[Tool]:
        return iter([each.tool for each in self._bound.values()])

    def __len__(self) -> int:
        return len(self._bound)

    async def run(self, name: str, arguments: Mapping[str, Any] | str) -> ToolResult:
        """Runs one call of the model. What the host or the vendor refuses is a result too, with what to do about it."""
        if self.identifier is None:
            raise ValueError("whose tools are to run? toolset.for_identifier(…) says so")
        bound = self._bound.get(name)
        if bound is None:
            return _render.unknown(name, self._bound)
        if isinstance(arguments, str):
            return _render.not_arguments()
        try:
            return _render.executed(await self._execute(bound, arguments))
        except AccountNotFoundError as error:
            return _render.failed(await self._with_link(bound, error))
        except ValetkeyError as error:
            return _render.failed(error)

    def openai(self) -> list[dict[str, Any]]:
        """`tools` of OpenAI's chat completions."""
        return [_render.openai_tool(tool) for tool in self]

    async def run_openai(self, message: Any) -> list[dict[str, Any]]:
        """Runs the `tool_calls` of a chat completion's message; gives the messages that answer them."""
        calls = _render.openai_calls(message)
        return [_render.openai_message(call, await self._run(call)) for call in calls]

    def openai_responses(self) -> list[dict[str, Any]]:
        """`tools` of OpenAI's responses."""
        return [_render.openai_responses_tool(tool) for tool in self]

    async def run_openai_responses(self, output: Iterable[Any]) -> list[dict[str, Any]]:
        """Runs the function calls of a response's `output`; gives the items that answer them."""
        calls = _render.openai_responses_calls(output)
        return [_render.openai_responses_item(call, await self._run(call)) for call in calls]

    def anthropic(self) -> list[dict[str, Any]]:
        """`tools` of Anthropic's messages."""
        return [_render.anthropic_tool(tool) for tool in self]

    async def run_anthropic(self, content: Iterable[Any]) -> list[dict[str, Any]]:
        """Runs the tool uses of a message's `content`; gives the blocks that answer them, for one user message."""
        calls = _render.anthropic_calls(content)
        return [_render.anthropic_block(call, await self._run(call)) for call in calls]

    async def _run(self, call: ModelCall) -> ToolResult:
        return await self.run(call.name, call.arguments)

    async def _execute(self, bound: BoundTool, arguments: Mapping[str, Any]) -> Any:
        return await self._client.execute_tool(
            bound.tool.name,
            identifier=self.identifier,
            connection_name=bound.connection_name,
            params=arguments,
            read_only=bound.tool.hints.read_only,
        )

    async def _with_link(self, bound: BoundTool, error: AccountNotFoundError) -> ValetkeyError:
        """A user who never had an account on the connection is one who has to connect it."""
        if bound.connection_name is None or self.identifier is None:
            return error
        try:
            link = await self._client.connected_accounts.link(
                connection_name=bound.connection_name, identifier=self.identifier
            )
        except ValetkeyError:
            return error
        return AccountNotActiveError(
            f"No account is connected on {bound.connection_name}. Its owner connects one by the authorization link.",
            side="account",
            reason="never_authorized",
            authorization_link=link.authorization_link,
            execution_id=error.execution_id,
        )


async def bind(
    client: AsyncValetkey,
    identifier: str | None,
    *,
    connections: Sequence[str] | None,
    names: Sequence[str] | None,
    tag: str | None,
    read_only: bool | None,
) -> list[BoundTool]:
    """The tools that were asked for. Raises `ValueError` when one of `names` is not among them."""
    if connections is None:
        if identifier is None:
            raise ValueError("without an identifier, name the connections whose tools are meant")
        scoped = client.tools.scoped(identifier=identifier, tag=tag, read_only=read_only, limit=200)
        bound = [BoundTool(tool) for tool in await scoped.all()]
    else:
        bound = []
        for name in connections:
            connection = await client.connections.get(name)
            listed = client.tools.list(connector=connection.connector, tag=tag, read_only=read_only, limit=200)
            bound += [BoundTool(tool, name) for tool in await listed.all()]
    if names is not None:
        bound = [each for each in bound if each.tool.name in names]
        missing = sorted(set(names) - {each.tool.name for each in bound})
        if missing:
            raise ValueError(
                f"{identifier!r} cannot call {', '.join(missing)}: no active account, or no such tool. "
                "Name `connections` to offer the tools of accounts that are not connected yet."
            )
    twice = sorted({each.tool.name for each in bound if sum(b.tool.name == each.tool.name for b in bound) > 1})
    if twice:
        raise ValueError(f"several of the connections offer {twice[0]}; make a toolset for each")
    return bound
