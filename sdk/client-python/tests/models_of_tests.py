"""A chat model that says what a test wrote down, and notes what it was told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field


class ScriptedModel(BaseChatModel):
    """First makes these tool calls, all at once; when they are answered it says so and ends."""

    calls: list[dict[str, Any]]
    offered: list[dict[str, Any]] = Field(default_factory=list)
    """The tools as a provider would be told of them."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **_: Any
    ) -> Runnable[Any, AIMessage]:
        self.offered[:] = [convert_to_openai_tool(tool) for tool in tools]
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> ChatResult:
        answered = [message for message in messages if isinstance(message, ToolMessage)]
        if answered:
            said = AIMessage("; ".join(f"{message.name}: {message.status}" for message in answered))
        else:
            calls = [{**call, "id": f"call_{n}", "type": "tool_call"} for n, call in enumerate(self.calls)]
            said = AIMessage("", tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=said)])
