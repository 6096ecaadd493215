"""Runs the example pipeline for every representative, side by side, with a scripted model.

Reads its orders as a line of JSON; prints `half` when every representative's first opportunity is to be judged, and goes on at
a line; then prints one report for each representative, as JSON, a line each.
"""

import asyncio
import dataclasses
import datetime
import json
import re
import sys

import sales_pipeline
import valetkey
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableLambda
from sales_pipeline import Pipeline


class Half:
    """The middle of all runs, at which everybody waits for the word to go on."""

    def __init__(self, expected):
        self.missing, self.over = set(expected), asyncio.Event()
        if not expected:
            self.over.set()

    async def wait(self, identifier):
        if identifier in self.missing:
            self.missing.discard(identifier)
            if not self.missing:
                print("half", flush=True)
                await asyncio.to_thread(sys.stdin.readline)
                self.over.set()
        await self.over.wait()


class ScriptedModel(BaseChatModel):
    """Judges by the churn risk, and says whose opportunity it was: a mixed-up one would show."""

    half: Half

    @property
    def _llm_type(self):
        return "scripted"

    def _generate(self, *_, **__):
        raise NotImplementedError("this model only judges")

    def with_structured_output(self, schema, **_):
        async def judge(prompt, config):
            await self.half.wait(config["configurable"]["identifier"])
            name = re.search(r"Opportunity: (.*), stage", prompt)[1]
            risk = float(re.search(r"churn risk ([0-9]+(?:[.][0-9]+)?)", prompt)[1])
            lively = not prompt.endswith(": []")
            return schema(engagement="warm" if lively else "cold", rank=round(risk * 100), why=f"{name} is judged")

        return RunnableLambda(judge)


async def main():
    orders = json.loads(sys.stdin.readline())
    host = {name: orders[name] for name in ("base_url", "client_id", "client_secret")}
    model = ScriptedModel(half=Half(orders["waiting"]))
    async with valetkey.AsyncValetkey(**host) as client:
        pipeline = Pipeline(client, model, orders["team"], orders["channel"], datetime.date.fromisoformat(orders["day"]))
        for report in await sales_pipeline.run_team(pipeline, orders["identifiers"]):
            print(json.dumps(dataclasses.asdict(report)))


if __name__ == "__main__":
    asyncio.run(main())
