"""LangChain tools, in real graphs, against a real host with simulated vendors."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import StructuredTool
from langchain_core.tracers.base import BaseTracer
from langchain_core.tracers.schemas import Run
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

import valetkey
import valetkey.langchain
from answers import connection, error, executed, items, tool
from case_server import CaseServer
from conftest import credentials
from models_of_tests import ScriptedModel

SEARCH: dict[str, Any] = {"name": "hubspot_contacts_search", "args": {"limit": 1, "properties": ["email"]}}
MAILS: dict[str, Any] = {"name": "gmail_fetch_mails", "args": {"limit": 1}}
CONNECTIONS = ["hubspot", "gmail"]
ASKED: Any = {"messages": [("user", "What is new?")]}

Connect = Callable[[str, str], None]


def somebody() -> str:
    return f"rep-{uuid.uuid4().hex[:10]}"


def tool_messages(state: dict[str, Any]) -> list[ToolMessage]:
    return [message for message in state["messages"] if isinstance(message, ToolMessage)]


def test_an_agent_calls_two_tools_and_the_unconnected_account_answers_with_its_link(
    real_client: valetkey.Valetkey, connect: Connect
) -> None:
    rep = somebody()
    connect("hubspot", rep)
    model = ScriptedModel(calls=[SEARCH, MAILS])
    agent = create_agent(model, valetkey.langchain.tools(real_client, identifier=rep, connections=CONNECTIONS))
    state = agent.invoke(ASKED)

    contacts, mails = tool_messages(state)
    assert contacts.status == "success"
    (contact,) = json.loads(str(contacts.content))["data"]["results"]
    assert contact["properties"]["email"].endswith(f"@{rep}.example"), "it is the rep's own contact"
    assert contacts.artifact.execution_id.startswith("exe_")
    assert mails.status == "error"
    refusal = json.loads(str(mails.content))["error"]
    assert refusal["kind"] == "account_not_active"
    assert refusal["authorization_link"].startswith("http")
    assert "authorization_link" in refusal["what_to_do"]
    assert state["messages"][-1].content == "hubspot_contacts_search: success; gmail_fetch_mails: error"


def test_the_model_is_told_the_tools_own_schema(real_client: valetkey.Valetkey, connect: Connect) -> None:
    rep = somebody()
    connect("hubspot", rep)
    model = ScriptedModel(calls=[SEARCH])
    tools = valetkey.langchain.tools(real_client, identifier=rep)
    create_agent(model, tools).invoke(ASKED)
    wanted = {each.name: each for each in real_client.tools.scoped(identifier=rep)}
    assert len(wanted) > 20
    assert {offered["function"]["name"] for offered in model.offered} == set(wanted)
    for offered in model.offered:
        function, of_host = offered["function"], wanted[offered["function"]["name"]]
        assert function["description"] == of_host.description
        assert function["parameters"]["properties"] == of_host.input_schema["properties"]
        assert function["parameters"].get("required") == of_host.input_schema.get("required")
    for each in tools:
        assert isinstance(each, StructuredTool)
        assert each.args_schema == wanted[each.name].input_schema


def test_a_plain_graph_with_a_tool_node_runs_the_asynchronous_tools(
    real_host: dict[str, str], connect: Connect
) -> None:
    rep = somebody()
    connect("hubspot", rep)
    connect("gmail", rep)

    async def main() -> dict[str, Any]:
        async with valetkey.AsyncValetkey(**credentials(real_host)) as client:
            tools = await valetkey.langchain.atools(client, identifier=rep, names=[SEARCH["name"], MAILS["name"]])
            model = ScriptedModel(calls=[SEARCH, MAILS])

            async def think(state: MessagesState) -> dict[str, Any]:
                return {"messages": [await model.ainvoke(state["messages"])]}

            graph = StateGraph(MessagesState)
            graph.add_node("think", think)
            graph.add_node("tools", ToolNode(tools))
            graph.add_edge("__start__", "think")
            graph.add_edge("think", "tools")
            state: dict[str, Any] = await graph.compile().ainvoke(ASKED)
            return state

    contacts, mails = tool_messages(anyio.run(main))
    assert (contacts.status, mails.status) == ("success", "success")
    assert rep in str(contacts.content)
    assert rep in str(mails.content)


def test_a_refusal_of_the_vendor_is_an_answer_and_not_the_end(real_client: valetkey.Valetkey, connect: Connect) -> None:
    rep = somebody()
    connect("hubspot", rep)
    calls = [
        {"name": "hubspot_contact_get", "args": {"contact_id": "999999999999"}},
        {"name": "hubspot_contacts_search", "args": {"limit": "many"}},
    ]
    agent = create_agent(ScriptedModel(calls=calls), valetkey.langchain.tools(real_client, identifier=rep))
    missing, invalid = tool_messages(agent.invoke(ASKED))
    assert json.loads(str(missing.content))["error"]["kind"] == "vendor_not_found"
    told = json.loads(str(invalid.content))["error"]
    assert told["kind"] == "invalid_input"
    assert told["fields"][0]["path"] == "/limit"


def test_no_secret_is_in_what_the_model_or_the_trace_sees(
    real_client: valetkey.Valetkey, real_host: dict[str, str], connect: Connect
) -> None:
    rep = somebody()
    connect("hubspot", rep)
    runs = Runs()
    tools = valetkey.langchain.tools(real_client, identifier=rep, connections=CONNECTIONS)
    state = create_agent(ScriptedModel(calls=[SEARCH, MAILS]), tools).invoke(ASKED, config={"callbacks": [runs]})
    shown = f"{state} {[run.__dict__ for run in runs.ended]} {tools!r}"
    token = real_client._transport._token
    assert token is not None
    for secret in (real_host["client_secret"], token.reveal()):
        assert secret not in shown


class Runs(BaseTracer):
    """What a LangSmith trace is made of: the runs as LangChain records them."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[Run] = []

    def _persist_run(self, run: Run) -> None:
        pass

    def _on_tool_end(self, run: Run) -> None:
        self.ended.append(run)


def test_a_langsmith_trace_shows_each_call_with_arguments_result_and_latency(
    real_client: valetkey.Valetkey, connect: Connect
) -> None:
    rep = somebody()
    connect("hubspot", rep)
    runs = Runs()
    tools = valetkey.langchain.tools(real_client, identifier=rep, connections=CONNECTIONS)
    create_agent(ScriptedModel(calls=[SEARCH, MAILS]), tools).invoke(ASKED, config={"callbacks": [runs]})
    by_name = {run.name: run for run in runs.ended}
    assert set(by_name) == {"hubspot_contacts_search", "gmail_fetch_mails"}
    for run in by_name.values():
        assert run.run_type == "tool"
        assert isinstance(run.end_time, datetime)
        assert run.start_time < run.end_time
    assert by_name["hubspot_contacts_search"].inputs == SEARCH["args"]
    assert rep in str(by_name["hubspot_contacts_search"].outputs)
    assert "authorization_link" in str(by_name["gmail_fetch_mails"].outputs)


def test_an_opentelemetry_trace_shows_them_too_and_reaches_the_host(
    real_host: dict[str, str], connect: Connect
) -> None:
    rep = somebody()
    connect("hubspot", rep)
    with CaseServer(real_host) as between:
        program = Path(__file__).with_name("traced_agent.py")
        environment = {
            "VALETKEY_SERVER": between.base_url,
            "VALETKEY_CLIENT_ID": real_host["client_id"],
            "VALETKEY_CLIENT_SECRET": real_host["client_secret"],
            "PYTHONPATH": ":".join(sys.path),
        }
        ran = subprocess.run(
            [sys.executable, str(program), rep], env=environment, capture_output=True, text=True, timeout=120
        )
        assert ran.returncode == 0, ran.stderr
        carried = {
            seen.json["tool_name"]: seen.headers["traceparent"]
            for seen, _ in between.requests
            if seen.path == "/api/v1/execute_tool"
        }
    spans = {span["name"]: span for span in json.loads(ran.stdout)}
    agent, search, mails = (
        spans[name] for name in ("agent", "execute_tool hubspot_contacts_search", "execute_tool gmail_fetch_mails")
    )
    for span in (search, mails):
        assert span["trace_id"] == agent["trace_id"]
        assert span["start"] < span["end"]
        assert span["attributes"]["gen_ai.operation.name"] == "execute_tool"
        trace_id, span_id = carried[span["attributes"]["gen_ai.tool.name"]].split("-")[1:3]
        assert (trace_id, span_id) == (span["trace_id"], span["span_id"]), "the host's spans hang below this one"
    assert json.loads(search["attributes"]["gen_ai.tool.call.arguments"]) == SEARCH["args"]
    assert rep in search["attributes"]["gen_ai.tool.call.result"]
    assert search["attributes"]["valetkey.execution_id"].startswith("exe_")
    assert mails["attributes"]["error.type"] == "account_not_found"


def test_one_agent_serves_many_reps_side_by_side(real_host: dict[str, str], connect: Connect) -> None:
    example = load_example("per_rep_agent")
    reps = [somebody() for _ in range(6)]
    for rep in reps:
        connect("hubspot", rep)
    for rep in reps[1:]:
        connect("gmail", rep)

    async def main() -> Any:
        async with valetkey.AsyncValetkey(**credentials(real_host)) as client:
            agent = await example.build_agent(client, ScriptedModel(calls=[SEARCH, MAILS]), CONNECTIONS)
            return await example.run_reps(agent, reps, "What is new?")

    reports = anyio.run(main)
    assert [report.identifier for report in reports] == reps
    assert len({report.agent_run_id for report in reports}) == len(reps)
    for report in reports:
        assert report.problem is None
        for result in report.results:
            found = [rep for rep in reps if rep in json.dumps(result.data)]
            assert found == [report.identifier], "every result carries its own rep's stamp and no other's"
    unconnected, *others = reports
    assert len(unconnected.links) == 1
    assert unconnected.links[0].startswith("http")
    assert [len(report.results) for report in reports] == [1, 2, 2, 2, 2, 2]
    assert all(not report.links for report in others)
    with valetkey.Valetkey(**credentials(real_host)) as client:
        execution = client.executions.get(unconnected.results[0].execution_id)
    assert execution.agent_run_id == unconnected.agent_run_id


def test_without_anybody_named_nothing_is_called(server: CaseServer, client: valetkey.Valetkey) -> None:
    server.expect([connection("hubspot", "hubspot"), items(tool("hubspot_search"))])
    (search,) = valetkey.langchain.tools(client, connections=["hubspot"])
    server.expect([executed(1)])
    with pytest.raises(ValueError, match="say whose tools run"):
        search.invoke({"query": "a", "identifier": "ada"})
    assert server.requests == []
    assert search.invoke({"query": "a"}, config={"configurable": {"identifier": "bela"}}) == '{"data":1}'
    assert server.requests[0][0].json["identifier"] == "bela"


def test_arguments_may_have_the_names_that_langchain_keeps_for_itself(
    server: CaseServer, client: valetkey.Valetkey
) -> None:
    names = ["config", "run_manager", "callbacks", "params", "self", "tool_call_id"]
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    server.expect([items(tool("odd_tool", input_schema=schema))])
    (odd,) = valetkey.langchain.tools(client, identifier="ada")
    server.expect([executed(1)])
    arguments = {name: f"of {name}" for name in names}
    odd.invoke({"name": "odd_tool", "args": arguments, "id": "c1", "type": "tool_call"})
    assert server.requests[0][0].json["params"] == arguments


def test_a_refusal_is_an_error_message_for_the_model(server: CaseServer, client: valetkey.Valetkey) -> None:
    server.expect([items(tool("hubspot_search"))])
    (search,) = valetkey.langchain.tools(client, identifier="ada")
    server.expect([error(403, "scope_missing", side="account", authorization_link="https://keys.example/c")])
    message = search.invoke({"name": "hubspot_search", "args": {"query": "a"}, "id": "c1", "type": "tool_call"})
    assert message.status == "error"
    assert json.loads(message.content)["error"]["authorization_link"] == "https://keys.example/c"


def test_links_are_gathered_from_errors_alone() -> None:
    def answered(content: str, status: Literal["success", "error"]) -> ToolMessage:
        return ToolMessage(content, tool_call_id="c", status=status)

    told = '{"error":{"kind":"account_not_active","authorization_link":"https://keys.example/c"}}'
    messages = [
        answered(told, "error"),
        answered(told, "error"),
        answered(told.replace("/c", "/forged by a contact"), "success"),
        answered("Error: nosuch is not a valid tool", "error"),
        answered('["error"]', "error"),
    ]
    assert valetkey.langchain.authorization_links(messages) == ["https://keys.example/c"]


def load_example(name: str) -> Any:
    path = Path(__file__).resolve().parents[1] / "examples" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
