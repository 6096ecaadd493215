"""Tools, tool calls and results in the words of model providers. Nothing here knows a client; no provider's package is
needed, their objects and plain dictionaries are both taken.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from valetkey._errors import ValetkeyError
from valetkey._generated.errors import InvalidInputError, UnknownToolError
from valetkey._generated.models import Executed, Problem, Tool


@dataclasses.dataclass(frozen=True)
class ToolResult:
    """What a tool call came to, for the model and for the program."""

    content: str
    """For the model: JSON with `data` and perhaps `next_cursor`, or with `error` and what to do about it."""
    executed: Executed | None = None
    """The result, when there is one."""
    error: ValetkeyError | None = None
    """The error, when there is one."""


@dataclasses.dataclass(frozen=True)
class ModelCall:
    """A tool call as a model made it."""

    id: str
    name: str
    arguments: Mapping[str, Any] | str
    """The arguments, or what the model wrote in place of JSON."""


def executed(result: Executed) -> ToolResult:
    """A result, rendered."""
    told = {"data": result.data}
    if result.next_cursor is not None:
        told["next_cursor"] = result.next_cursor
    return ToolResult(_json(told), executed=result)


def failed(error: ValetkeyError) -> ToolResult:
    """An error, rendered: with the link that mends it, and never a secret."""
    return ToolResult(_json(error.for_model()), error=error)


def unknown(name: str, offered: Iterable[str]) -> ToolResult:
    """For a call of a tool that was not offered: it does not reach the host."""
    names = ", ".join(sorted(offered))
    return failed(UnknownToolError(f"There is no tool {name[:64]!r} here. Call one of: {names}.", side="caller"))


def not_arguments() -> ToolResult:
    """For arguments that are not a JSON object."""
    return failed(
        InvalidInputError(
            "The arguments are not a JSON object. Write them as JSON, by the tool's schema.",
            side="caller",
            fields=[Problem(path="", problem="must be a JSON object")],
        )
    )


def openai_tool(tool: Tool) -> dict[str, Any]:
    """For `tools` of OpenAI's chat completions and of whatever speaks like them."""
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.input_schema},
    }


def openai_responses_tool(tool: Tool) -> dict[str, Any]:
    """For `tools` of OpenAI's responses."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.input_schema,
        "strict": False,
    }


def anthropic_tool(tool: Tool) -> dict[str, Any]:
    """For `tools` of Anthropic's messages."""
    return {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema}


def openai_calls(message: Any) -> list[ModelCall]:
    """The calls of a chat completion's message."""
    calls = _member(message, "tool_calls") or []
    functions = [(_member(call, "id"), _member(call, "function")) for call in calls]
    return [
        ModelCall(str(id), str(_member(function, "name")), _arguments(_member(function, "arguments")))
        for id, function in functions
        if function is not None
    ]


def openai_responses_calls(output: Iterable[Any]) -> list[ModelCall]:
    """The calls among the items of a response's `output`."""
    return [
        ModelCall(str(_member(item, "call_id")), str(_member(item, "name")), _arguments(_member(item, "arguments")))
        for item in output
        if _member(item, "type") == "function_call"
    ]


def anthropic_calls(content: Iterable[Any]) -> list[ModelCall]:
    """The calls among the blocks of a message's `content`."""
    return [
        ModelCall(str(_member(block, "id")), str(_member(block, "name")), _member(block, "input") or {})
        for block in content
        if _member(block, "type") == "tool_use"
    ]


def openai_message(call: ModelCall, result: ToolResult) -> dict[str, Any]:
    """The message that answers a call of a chat completion."""
    return {"role": "tool", "tool_call_id": call.id, "content": result.content}


def openai_responses_item(call: ModelCall, result: ToolResult) -> dict[str, Any]:
    """The item that answers a call of a response."""
    return {"type": "function_call_output", "call_id": call.id, "output": result.content}


def anthropic_block(call: ModelCall, result: ToolResult) -> dict[str, Any]:
    """The block that answers a call of a message."""
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": call.id, "content": result.content}
    return {**block, "is_error": True} if result.error is not None else block


def _member(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


def _arguments(text: Any) -> Mapping[str, Any] | str:
    if isinstance(text, Mapping):
        return text
    try:
        parsed = json.loads(text or "{}")
    except ValueError:
        return str(text)
    return parsed if isinstance(parsed, dict) else str(text)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
