"""REST, by this project's own Python client and its LangChain adapter: tools that every user's runs share."""

from contextlib import asynccontextmanager

import valetkey
import valetkey.langchain


@asynccontextmanager
async def open_door(orders):
    host = {name: orders[name] for name in ("base_url", "client_id", "client_secret")}
    async with valetkey.AsyncValetkey(**host) as client:
        offered = {}
        for connection, names in orders["tools"].items():
            offered[connection] = await valetkey.langchain.atools(client, connections=[connection], names=names)

        @asynccontextmanager
        async def tools(connection, config):
            # The user they take from the configuration by themselves.
            with valetkey.agent_run(config["configurable"]["agent_run_id"]):
                yield offered[connection]

        yield tools
