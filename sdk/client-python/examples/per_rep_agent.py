"""One agent for a whole sales team: every rep's accounts, side by side, each with the rep's own credentials.

The agent is built once. Whose accounts a run uses is said when it starts, by the program and never by the model;
sub-agents of a run inherit it. A rep whose account has to be connected again is reported with the link, and the others
run through.

    export VALETKEY_SERVER=… VALETKEY_CLIENT_ID=… VALETKEY_CLIENT_SECRET=… OPENAI_API_KEY=…
    python per_rep_agent.py --model openai:gpt-5 --connections hubspot gmail -- "What is new today?" rep-1 rep-2 rep-3
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import ToolMessage

import valetkey
import valetkey.langchain
from valetkey import AsyncValetkey, Executed


@dataclasses.dataclass(frozen=True)
class Report:
    """What a rep's run came to."""

    identifier: str
    answer: str
    """The agent's last words."""
    agent_run_id: str
    """Names the run in the host's record of executions."""
    results: list[Executed]
    """What the tools gave."""
    links: list[str]
    """What the rep has to open before all of it works."""
    problem: str | None = None
    """Why the run broke off; none when it ended."""


async def build_agent(client: AsyncValetkey, model: BaseChatModel, connections: Sequence[str], **choice: Any) -> Any:
    """The one agent of all reps: its tools are those of the connections, whoever's account they will use."""
    tools = await valetkey.langchain.atools(client, connections=connections, **choice)
    return create_agent(model, tools)


async def run_rep(agent: Any, identifier: str, task: str) -> Report:
    """Runs the agent for one rep."""
    with valetkey.agent_run() as run_id:
        config = {"configurable": {"identifier": identifier}}
        try:
            state = await agent.ainvoke({"messages": [("user", task)]}, config=config)
        # One rep's trouble must not end the others' runs.
        except Exception as problem:
            return Report(identifier, "", run_id, [], [], problem=str(problem))
    called = [message for message in state["messages"] if isinstance(message, ToolMessage)]
    return Report(
        identifier,
        answer=str(state["messages"][-1].content),
        agent_run_id=run_id,
        results=[message.artifact for message in called if message.artifact is not None],
        links=valetkey.langchain.authorization_links(called),
    )


async def run_reps(agent: Any, identifiers: Iterable[str], task: str, *, at_once: int = 20) -> list[Report]:
    """Runs the agent for every rep, so many side by side; the reports are in the order of the reps."""
    room = asyncio.Semaphore(at_once)

    async def run(identifier: str) -> Report:
        async with room:
            return await run_rep(agent, identifier, task)

    return await asyncio.gather(*(run(identifier) for identifier in identifiers))


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", required=True, help="a chat model, as LangChain names it")
    parser.add_argument("--connections", nargs="+", required=True, help="whose tools the agent has")
    parser.add_argument("task", help="what the agent does for every rep")
    parser.add_argument("identifiers", nargs="+", help="the reps")
    asked = parser.parse_args()
    async with AsyncValetkey() as client:
        agent = await build_agent(client, init_chat_model(asked.model), asked.connections)
        for report in await run_reps(agent, asked.identifiers, asked.task):
            print(f"{report.identifier}: {report.problem or report.answer}")
            for link in report.links:
                print(f"  to connect: {link}")


if __name__ == "__main__":
    asyncio.run(main())
