"""Drives a virtual MCP server through LangChain's adapter; prints what it saw as JSON."""

import asyncio
import json
import sys

from langchain_core.tools import ToolException
from langchain_mcp_adapters.client import MultiServerMCPClient


async def main() -> None:
    orders = json.loads(sys.argv[1])
    client = MultiServerMCPClient({
        "all": {
            "transport": "streamable_http",
            "url": orders["url"],
            "headers": {"Authorization": f"Bearer {orders['token']}"},
        },
    })
    tools = await client.get_tools()
    named = {tool.name: tool for tool in tools}

    async def call(name: str, arguments: dict) -> str:
        try:
            return words(await named[name].ainvoke(arguments))
        except ToolException as refused:
            return str(refused)

    print(json.dumps({
        "tools": [tool.name for tool in tools],
        "search": json.loads(await call("hubspot_contacts_search", {"limit": 3})),
        "wrong": await call("hubspot_contacts_search", {"limit": 0}),
        "unconnected": await call("gmail_whoami", {}),
    }))


def words(content) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block if isinstance(block, str) else block.get("text", "") for block in content)


asyncio.run(main())
