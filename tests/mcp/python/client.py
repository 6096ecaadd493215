"""Drives a virtual MCP server with the Python SDK; prints what it saw as JSON."""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitResult


async def main() -> None:
    orders = json.loads(sys.argv[1])
    asked: list[str] = []

    async def ask(context, params):
        asked.append(params.url)
        return ElicitResult(action="decline")

    http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {orders['token']}"})
    transport = streamable_http_client(orders["url"], http_client=http)
    async with Client(transport, elicitation_callback=ask) as client:
        tools = (await client.list_tools()).tools
        search = await client.call_tool("hubspot_contacts_search", {"limit": 3})
        wrong = await client.call_tool("hubspot_contacts_search", {"limit": 0})
        unconnected = await client.call_tool("gmail_whoami", {})
    print(json.dumps({
        "tools": [tool.name for tool in tools],
        "search": search.structured_content,
        "wrong": text(wrong),
        "unconnected": text(unconnected),
        "asked": asked[0] if asked else None,
    }))


def text(result) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)


asyncio.run(main())
