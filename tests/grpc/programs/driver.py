"""The real Python SDK behind a line protocol: one JSON command a line in, one JSON answer a line out.

A command is {"do": name, ...arguments}. An answer is {"ok": value} or {"error": {...}}.
"""

import concurrent.futures
import datetime
import json
import os
import sys

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from scalekit.actions.models.mcp_config import McpConfigConnectionToolMapping
from scalekit.client import ScalekitClient
from scalekit.v1.connected_accounts.connected_accounts_pb2 import SearchConnectedAccountsRequest
from scalekit.v1.tools.tools_pb2 import Filter, ScopedToolFilter


def plain(value):
    """A value of the SDK as JSON has it."""
    if isinstance(value, tuple):
        return plain(value[0])
    if isinstance(value, Message):
        return MessageToDict(value, preserving_proto_field_name=True)
    if isinstance(value, (list, set)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "args_schema"):
        return {"name": value.name, "description": value.description, "args_schema": value.args_schema}
    if hasattr(value, "__dict__") and type(value).__module__.startswith("scalekit"):
        return {key: plain(item) for key, item in vars(value).items()}
    return value


def failure(error):
    name = type(error).__name__
    code = getattr(error, "error_code", None) or getattr(error, "_error_code", None)
    tool = {}
    for detail in getattr(error, "_unpacked_details", []):
        tool = MessageToDict(detail, preserving_proto_field_name=True)
    return {"type": name, "text": str(error), "error_code": code, "detail": tool}


class Driver:
    def __init__(self):
        self.client = ScalekitClient(
            os.environ["SCALEKIT_ENVIRONMENT_URL"],
            os.environ["SCALEKIT_CLIENT_ID"],
            os.environ["SCALEKIT_CLIENT_SECRET"],
            tool_call_timeout_s=float(os.environ.get("TOOL_TIMEOUT_SECONDS", "60")),
        )
        self.actions = self.client.actions

    def get_or_create(self, times=1, **given):
        with concurrent.futures.ThreadPoolExecutor(times) as pool:
            racers = [pool.submit(self.actions.get_or_create_connected_account, **given) for _ in range(times)]
            return [plain(racer.result()) for racer in racers]

    def get(self, **given):
        return self.actions.get_connected_account(**given)

    def details(self, **given):
        return self.actions.get_connected_account_details(**given)

    def create(self, **given):
        return self.actions.create_connected_account(**given)

    def update(self, **given):
        return self.actions.update_connected_account(**given)

    def delete(self, **given):
        return self.actions.delete_connected_account(**given)

    def list(self, **given):
        return self.client.connected_accounts.list_connected_accounts(**given)

    def search_accounts(self, **given):
        # The service has the method; the SDK's own client has none for it.
        service = self.client.connected_accounts.connected_accounts_service
        search = service.SearchConnectedAccounts.with_call
        return self.client.core_client.grpc_exec(search, SearchConnectedAccountsRequest(**given))

    def link(self, **given):
        return self.actions.get_authorization_link(**given)

    def verify(self, **given):
        return self.actions.verify_connected_account_user(**given)

    def scoped_tools(self, identifier, page_size=None, page_token=None, **given):
        chosen = ScopedToolFilter(**given) if given else None
        return self.client.tools.list_scoped_tools(identifier, chosen, page_size, page_token)

    def list_tools(self, page_size=None, page_token=None, **given):
        chosen = Filter(**given) if given else None
        return self.client.tools.list_tools(chosen, page_size, page_token)

    def search_tools(self, **given):
        return self.client.tools.search_tools(**given)

    def execute(self, tool_name, params, **given):
        return self.actions.execute_tool(tool_input=params, tool_name=tool_name, **given)

    def mcp_create(self, mappings, **given):
        mapped = [McpConfigConnectionToolMapping(**mapping) for mapping in mappings]
        return self.actions.mcp.create_config(connection_tool_mappings=mapped, **given)

    def mcp_update(self, **given):
        return self.actions.mcp.update_config(**given)

    def mcp_list(self, **given):
        return self.actions.mcp.list_configs(**given)

    def mcp_delete(self, **given):
        return self.actions.mcp.delete_config(**given)

    def mcp_accounts(self, **given):
        return self.actions.mcp.list_mcp_connected_accounts(**given)

    def mcp_ensure_instance(self, **given):
        return self.actions.mcp.ensure_instance(**given)

    def mcp_instance(self, **given):
        return self.actions.mcp.get_instance(**given)

    def mcp_instances(self, **given):
        return self.actions.mcp.list_instances(**given)

    def mcp_update_instance(self, **given):
        return self.actions.mcp.update_instance(**given)

    def mcp_delete_instance(self, **given):
        return self.actions.mcp.delete_instance(**given)

    def mcp_instance_state(self, **given):
        return self.actions.mcp.get_instance_auth_state(**given)

    def mcp_token(self, seconds=None, **given):
        expiry = datetime.timedelta(seconds=seconds) if seconds else None
        return self.actions.mcp.create_session_token(expiry=expiry, **given)

    def langchain_tools(self, **given):
        return self.actions.langchain.get_tools(**given)

    def langchain_call(self, tool_name, arguments, **given):
        tools = {tool.name: tool for tool in self.actions.langchain.get_tools(**given)}
        return tools[tool_name].invoke(arguments)


def main():
    driver = None
    for line in sys.stdin:
        command = json.loads(line)
        try:
            driver = driver or Driver()
            answer = {"ok": plain(getattr(driver, command.pop("do"))(**command))}
        except Exception as error:
            answer = {"error": failure(error)}
        print(json.dumps(answer), flush=True)


main()
