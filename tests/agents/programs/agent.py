"""The one agent: for a user, a sub-agent for each thing there is to look after, side by side.

It is built once and knows of no door and of no user: whose accounts a run uses and what the run is called stand in the
run's configuration, and the sub-agents inherit it. `tools` gives what a sub-agent works with. The model is scripted, and the
day has two hours at which all sub-agents of all runs wait for each other.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Send

Tools = Callable[[str, RunnableConfig], AbstractAsyncContextManager[list[BaseTool]]]
"""The tools of a connection, for the run that the configuration is of."""

Wait = Callable[[], Awaitable[None]]
"""Until everybody is there, and may go on."""

CALLS = 64
"""Calls of one program at once; its other sub-agents wait for their turn, as in any program of many agents."""

ERROR = "Error executing tool"
"""How an adapter that knows no failed results begins the text of one."""


class Assignment(TypedDict):
    """What one sub-agent looks after."""

    connection: str


class Run(TypedDict):
    """One run for one user."""

    assignments: list[Assignment]
    findings: Annotated[list[dict[str, Any]], operator.add]


class ScriptedModel(BaseChatModel):
    """Asks whose account it is, then for one thing in it, and says what came back; at a refusal it stops and says that."""

    offered: list[str] = []

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: list[BaseTool], **_: Any) -> ScriptedModel:
        return ScriptedModel(offered=[tool.name for tool in tools])

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise NotImplementedError("this agent is asynchronous")

    async def _agenerate(self, messages: list[Any], *_: Any, **__: Any) -> ChatResult:
        read = [message for message in messages if isinstance(message, ToolMessage)]
        script = [self._named("_whoami"), self._named("_contacts_search", "_fetch_mails")]
        if read and is_refusal(read[-1]):
            said = AIMessage(f"I could not go on: {text_of(read[-1])}")
        elif len(read) == len(script):
            said = AIMessage("Done.")
        else:
            name = script[len(read)]
            arguments = {} if name.endswith("_whoami") else {"limit": 1}
            said = AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": f"call_{len(read)}"}])
        return ChatResult(generations=[ChatGeneration(message=said)])

    def _named(self, *ends: str) -> str:
        return next(name for name in self.offered if name.endswith(ends))


def build_agent(tools: Tools, evening: Wait, noon: Wait) -> Any:
    """The agent, for every user's runs. In the evening every sub-agent has its tools, at noon its first result."""
    worker = build_worker(noon)

    async def work(assignment: Assignment, config: RunnableConfig) -> dict[str, Any]:
        connection = assignment["connection"]
        async with tools(connection, config) as offered:
            await evening()
            own = {**config, "configurable": {**config["configurable"], "tools": offered}}
            state = await worker.ainvoke({"messages": [HumanMessage(f"Look after {connection}.")]}, own)
        *_, last = state["messages"]
        read = [message for message in state["messages"] if isinstance(message, ToolMessage)]
        results = [{"tool": message.name, "text": text_of(message), "refused": is_refusal(message)} for message in read]
        return {"findings": [{"connection": connection, "results": results, "said": last.content}]}

    graph = StateGraph(Run)
    graph.add_node("work", work)
    graph.add_conditional_edges(START, lambda run: [Send("work", each) for each in run["assignments"]], ["work"])
    graph.add_edge("work", END)
    return graph.compile()


def build_worker(noon: Wait) -> Any:
    """A sub-agent: the model and the tools by turns, until the model has nothing more to call."""

    turns = asyncio.Semaphore(CALLS)

    async def think(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        model = ScriptedModel().bind_tools(config["configurable"]["tools"])
        return {"messages": [await model.ainvoke(state["messages"], config)]}

    async def act(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        tools = {tool.name: tool for tool in config["configurable"]["tools"]}
        results = []
        for call in state["messages"][-1].tool_calls:
            async with turns:
                results.append(await tools[call["name"]].ainvoke({**call, "type": "tool_call"}, config))
        if not any(isinstance(message, ToolMessage) for message in state["messages"]):
            await noon()
        return {"messages": results}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("act", act)
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", lambda state: "act" if state["messages"][-1].tool_calls else END, ["act", END])
    graph.add_edge("act", "think")
    return graph.compile()


def is_refusal(message: ToolMessage) -> bool:
    return message.status == "error" or text_of(message).startswith(ERROR)


def text_of(message: ToolMessage) -> str:
    """The words of a result, which some adapters give in blocks."""
    if isinstance(message.content, str):
        return message.content
    return "\n".join(block if isinstance(block, str) else block.get("text", "") for block in message.content)
