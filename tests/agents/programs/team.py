"""Runs the agent for every user of a team, side by side, through one door.

Reads its orders as a line of JSON. Says `evening` and `noon` when everybody is that far, and goes on at a line; then prints
one report for each user, as JSON, a line each.
"""

import asyncio
import importlib
import json
import sys

from agent import build_agent


class Hour:
    """A time of the day at which everybody waits for the others, and then for the word to go on."""

    def __init__(self, name, expected):
        self.name, self.missing, self.over = name, expected, asyncio.Event()

    async def wait(self):
        self.missing -= 1
        if self.missing == 0:
            print(self.name, flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            self.over.set()
        await self.over.wait()


async def main():
    orders = json.loads(sys.stdin.readline())
    assignments = [{"connection": connection} for connection in orders["assignments"]]
    evening, noon = (Hour(name, len(assignments) * len(orders["identifiers"])) for name in ("evening", "noon"))
    door = importlib.import_module(f"door_{orders['door']}")
    async with door.open_door(orders) as tools:
        agent = build_agent(tools, evening.wait, noon.wait)

        async def report(identifier):
            run = {"identifier": identifier, "agent_run_id": f"{orders['door']}.{identifier}"}
            ended = await agent.ainvoke({"assignments": assignments, "findings": []}, {"configurable": run})
            return {**run, "findings": ended["findings"]}

        for each in await asyncio.gather(*map(report, orders["identifiers"])):
            print(json.dumps(each))


asyncio.run(main())
