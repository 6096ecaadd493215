"""LangChain tools for one user's connected accounts. Needs `pip install valetkey[langchain]`.

```python
tools = valetkey.langchain.tools(client, identifier="user-42")
agent = create_agent(model, tools)
```

Each is a `StructuredTool` with the tool's own JSON Schema as its arguments. A refusal, of the host or of the vendor, is
an answer that the model can act on (`status="error"`), with the authorization link when the account's owner has to do
something; it never ends the run. The result's `artifact` is the whole `valetkey.Executed`.

Without an `identifier` the tools take it from the run, so that one agent serves every user:

```python
agent = create_agent(model, valetkey.langchain.tools(client, connections=["hubspot", "gmail"]))
agent.invoke({"messages": […]}, config={"configurable": {"identifier": "user-42"}})
```
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from valetkey._async.client import AsyncValetkey
from valetkey._async.toolset import AsyncToolset
from valetkey._generated.models import Executed, Tool
from valetkey._render import ToolResult
from valetkey._sync.client import Valetkey
from valetkey._sync.toolset import Toolset

try:
    from langchain_core.messages import BaseMessage, ToolMessage
    from langchain_core.runnables import RunnableConfig
    from langchain_core.tools import StructuredTool, ToolException
except ImportError as missing:  # pragma: no cover - the tests have it
    raise ImportError("valetkey.langchain needs langchain-core: pip install 'valetkey[langchain]'") from missing

__all__ = ["atools", "authorization_links", "from_toolset", "tools"]


def tools(
    client: Valetkey,
    *,
    identifier: str | None = None,
    connections: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    tag: str | None = None,
    read_only: bool | None = None,
) -> list[StructuredTool]:
    """The tools of a user, or of each run's user; takes what `client.toolset` takes. In an asynchronous graph they run
    in threads."""
    return from_toolset(
        client.toolset(identifier=identifier, connections=connections, names=names, tag=tag, read_only=read_only)
    )


async def atools(
    client: AsyncValetkey,
    *,
    identifier: str | None = None,
    connections: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    tag: str | None = None,
    read_only: bool | None = None,
) -> list[StructuredTool]:
    """The same over the asynchronous client; they run by `ainvoke`, in asynchronous graphs."""
    return from_toolset(
        await client.toolset(identifier=identifier, connections=connections, names=names, tag=tag, read_only=read_only)
    )


def from_toolset(toolset: Toolset | AsyncToolset) -> list[StructuredTool]:
    """The tools of a toolset that is there already."""
    return [_structured(toolset, tool) for tool in toolset]


def authorization_links(messages: Iterable[BaseMessage]) -> list[str]:
    """The links in the errors among these messages, each once: what the user has to open before all of it works."""
    links: dict[str, None] = {}
    for message in messages:
        if isinstance(message, ToolMessage) and message.status == "error":
            try:
                link = json.loads(str(message.content))["error"].get("authorization_link")
            # Other tools say what they like.
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
            if link:
                links[link] = None
    return list(links)


class _Tool(StructuredTool):
    """A tool whose arguments go in as one value, whatever they are called: LangChain keeps some names for itself."""

    def _to_args_and_kwargs(
        self, tool_input: str | dict[str, Any], tool_call_id: str | None
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        _, arguments = super()._to_args_and_kwargs(tool_input, tool_call_id)
        return (), {"params": arguments}


def _structured(toolset: Toolset | AsyncToolset, tool: Tool) -> StructuredTool:
    func: Callable[..., Any] | None = None
    coroutine: Callable[..., Awaitable[Any]] | None = None
    if isinstance(toolset, AsyncToolset):

        async def arun(params: dict[str, Any], config: RunnableConfig) -> tuple[str, Executed | None]:
            return _answer(await toolset.for_identifier(_identifier(toolset, config)).run(tool.name, params))

        coroutine = arun
    else:

        def call(params: dict[str, Any], config: RunnableConfig) -> tuple[str, Executed | None]:
            return _answer(toolset.for_identifier(_identifier(toolset, config)).run(tool.name, params))

        func = call
    return _Tool(
        name=tool.name,
        description=tool.description,
        args_schema=tool.input_schema,
        response_format="content_and_artifact",
        handle_tool_error=True,
        tags=["valetkey", tool.connector, *(tool.tags or [])],
        metadata={"connector": tool.connector},
        func=func,
        coroutine=coroutine,
    )


def _identifier(toolset: Toolset | AsyncToolset, config: RunnableConfig) -> str:
    """Whose accounts a call uses: the toolset's own user, or else the run's. Never what a model says."""
    identifier = toolset.identifier or config.get("configurable", {}).get("identifier")
    if not isinstance(identifier, str) or not identifier:
        raise ValueError('say whose tools run: config={"configurable": {"identifier": "…"}}, or tools(identifier="…")')
    return identifier


def _answer(result: ToolResult) -> tuple[str, Executed | None]:
    if result.error is not None:
        raise ToolException(result.content) from result.error
    return result.content, result.executed
