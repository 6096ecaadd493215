"""gRPC, by the public SDK and its LangChain adapter: tools that are bound to one user's accounts."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from google.protobuf.struct_pb2 import Struct
from scalekit.actions.frameworks.langchain import LangChain
from scalekit.actions.models.responses.execute_tool_response import ExecuteToolResponse
from scalekit.client import ScalekitClient
from scalekit.v1.tools.tools_pb2 import ExecuteToolRequest

# Calls at once: each holds a thread, because this SDK waits in it.
THREADS = 100


@asynccontextmanager
async def open_door(orders):
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    client = ScalekitClient(orders["base_url"], orders["client_id"], orders["client_secret"])

    @asynccontextmanager
    async def tools(connection, config):
        run = config["configurable"]

        def execute(tool_input, tool_name, connected_account_id):
            params = Struct()
            params.update(tool_input)
            # The SDK's own method leaves the run's name out, which its message has.
            request = ExecuteToolRequest(
                tool_name=tool_name,
                params=params,
                connected_account_id=connected_account_id,
                agent_run_id=run["agent_run_id"],
            )
            call = client.tools.tool_service.ExecuteTool.with_call
            answer, _ = client.core_client.grpc_exec(call, request, timeout=60, retry_on_unavailable=False)
            return ExecuteToolResponse.from_proto(answer)

        offered = await asyncio.to_thread(
            LangChain(client.tools, execute_callback=execute).get_tools,
            identifier=run["identifier"],
            connection_names=[connection],
            tool_names=orders["tools"][connection],
        )
        # Their coroutines would hold up the event loop; without one they run in threads.
        yield [tool.model_copy(update={"coroutine": None}) for tool in offered]

    yield tools
