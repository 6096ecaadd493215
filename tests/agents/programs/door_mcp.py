"""MCP, by LangChain's own adapter: the server of a connection, with the session token of one user."""

import asyncio
import ssl
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools

# Clients that open their connections at once: a host leaves one that says nothing for some seconds.
OPENING = 32

# Made once: every client that has none of its own reads all certificates of the machine again.
TRUST = ssl.create_default_context()


@asynccontextmanager
async def open_door(orders):
    opening = asyncio.Semaphore(OPENING)

    @asynccontextmanager
    async def tools(connection, config):
        run = config["configurable"]
        session = orders["sessions"][run["identifier"]][connection]
        server = {
            "transport": "streamable_http",
            "url": session["url"],
            "headers": {"Authorization": f"Bearer {session['token']}", "X-Valetkey-Agent-Run-Id": run["agent_run_id"]},
            "httpx_client_factory": lasting,
        }
        async with AsyncExitStack() as stack:
            async with opening:
                client = MultiServerMCPClient({connection: server})
                opened = await stack.enter_async_context(client.session(connection))
                offered = await load_mcp_tools(opened)
            yield offered

    yield tools


def lasting(headers=None, timeout=None, auth=None):
    """A client whose connection is still there after the night."""
    limits = httpx.Limits(keepalive_expiry=None)
    return httpx.AsyncClient(headers=headers, timeout=timeout, auth=auth, limits=limits, verify=TRUST)
