"""Tools for models: offered, run and answered in the providers' words."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

import valetkey
from answers import LINK, connection, error, executed, items, tool
from case_server import CaseServer

SCHEMA = tool("x")["input_schema"]


def hubspot(server: CaseServer, client: valetkey.Valetkey) -> valetkey.Toolset:
    server.expect([items(tool("hubspot_search"), tool("hubspot_create", read_only=False))])
    return client.toolset(identifier="ada")


def test_tools_are_offered_in_each_providers_form(server: CaseServer, client: valetkey.Valetkey) -> None:
    kit = hubspot(server, client)
    described = {"name": "hubspot_search", "description": "What hubspot_search does."}
    assert kit.openai()[0] == {"type": "function", "function": {**described, "parameters": SCHEMA}}
    assert kit.openai_responses()[0] == {"type": "function", **described, "parameters": SCHEMA, "strict": False}
    assert kit.anthropic()[0] == {**described, "input_schema": SCHEMA}
    assert len(kit) == len(kit.openai()) == 2


def test_a_models_calls_are_run_in_order_and_answered_by_their_ids(
    server: CaseServer, client: valetkey.Valetkey
) -> None:
    kit = hubspot(server, client)
    server.expect([executed([{"id": "1"}], next_cursor="c1"), executed({"id": "2"})])
    function = SimpleNamespace(name="hubspot_search", arguments='{"query": "acme"}')
    message = SimpleNamespace(
        tool_calls=[
            SimpleNamespace(id="call_1", function=function),
            {"id": "call_2", "function": {"name": "hubspot_create", "arguments": '{"query": "b"}'}},
        ]
    )
    assert kit.run_openai(message) == [
        {"role": "tool", "tool_call_id": "call_1", "content": '{"data":[{"id":"1"}],"next_cursor":"c1"}'},
        {"role": "tool", "tool_call_id": "call_2", "content": '{"data":{"id":"2"}}'},
    ]
    search, create = (seen for seen, _ in server.requests)
    assert search.json == {"tool_name": "hubspot_search", "identifier": "ada", "params": {"query": "acme"}}
    assert "idempotency-key" not in search.headers, "it changes nothing"
    assert "idempotency-key" in create.headers


def test_the_other_forms_of_calls_are_run_too(server: CaseServer, client: valetkey.Valetkey) -> None:
    kit = hubspot(server, client)
    server.expect([executed(1), executed(2)])
    output = [
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "call_id": "c1", "name": "hubspot_search", "arguments": '{"query": "a"}'},
    ]
    assert kit.run_openai_responses(output) == [
        {"type": "function_call_output", "call_id": "c1", "output": '{"data":1}'}
    ]
    content = [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "t1", "name": "hubspot_search", "input": {"query": "a"}},
    ]
    assert kit.run_anthropic(content) == [{"type": "tool_result", "tool_use_id": "t1", "content": '{"data":2}'}]


def test_an_error_is_an_answer_that_says_what_to_do(server: CaseServer, client: valetkey.Valetkey) -> None:
    kit = hubspot(server, client)
    server.expect(
        [
            error(400, "invalid_input", fields=[{"path": "/limit", "problem": "must be 1 to 100"}]),
            error(409, "account_not_active", authorization_link="https://keys.example/c", reason="refresh_rejected"),
        ]
    )
    content = [{"type": "tool_use", "id": f"t{n}", "name": "hubspot_search", "input": {"query": "a"}} for n in range(2)]
    invalid, unconnected = kit.run_anthropic(content)
    assert invalid["is_error"] is True
    told = json.loads(invalid["content"])["error"]
    assert told["fields"] == [{"path": "/limit", "problem": "must be 1 to 100"}]
    assert "Mend" in told["what_to_do"]
    told = json.loads(unconnected["content"])["error"]
    assert told["authorization_link"] == "https://keys.example/c"
    assert (told["kind"], told["reason"]) == ("account_not_active", "refresh_rejected")


def test_a_call_of_a_tool_that_was_not_offered_does_not_reach_the_host(
    server: CaseServer, client: valetkey.Valetkey
) -> None:
    kit = hubspot(server, client)
    server.expect([])
    result = kit.run("gmail_send_mail", {"to": "everybody"})
    assert isinstance(result.error, valetkey.UnknownToolError)
    assert "hubspot_create, hubspot_search" in result.content
    broken = kit.run_openai({"tool_calls": [{"id": "1", "function": {"name": "hubspot_search", "arguments": "{qu"}}]})
    assert json.loads(broken[0]["content"])["error"]["kind"] == "invalid_input"
    assert server.requests == []


def test_tools_of_a_connection_are_offered_before_the_user_connects_and_answered_with_the_link(
    server: CaseServer, client: valetkey.Valetkey
) -> None:
    server.expect(
        [
            connection("hubspot-eu", "hubspot"),
            items(tool("hubspot_search")),
            connection("gmail", "gmail"),
            items(tool("gmail_search", connector="gmail")),
        ]
    )
    kit = client.toolset(identifier="ada", connections=["hubspot-eu", "gmail"])
    assert [each.name for each in kit] == ["hubspot_search", "gmail_search"]
    server.expect([error(404, "account_not_found", execution_id="exe_9"), LINK])
    result = kit.run("gmail_search", {"query": "a"})
    assert isinstance(result.error, valetkey.AccountNotActiveError)
    assert json.loads(result.content)["error"]["authorization_link"] == "https://keys.example/connect/t"
    assert result.error.execution_id == "exe_9"
    call, link = (seen for seen, _ in server.requests)
    assert call.json["connection_name"] == "gmail"
    assert link.json == {"connection_name": "gmail", "identifier": "ada"}


def test_when_no_link_can_be_made_the_first_error_stays(server: CaseServer, client: valetkey.Valetkey) -> None:
    server.expect([connection("gmail", "gmail"), items(tool("gmail_search", connector="gmail"))])
    kit = client.toolset(identifier="ada", connections=["gmail"])
    server.expect([error(404, "account_not_found"), error(403, "policy_denied")])
    assert isinstance(kit.run("gmail_search", {}).error, valetkey.AccountNotFoundError)


def test_one_list_of_tools_serves_many_users(server: CaseServer, client: valetkey.Valetkey) -> None:
    server.expect([connection("hubspot", "hubspot"), items(tool("hubspot_search"))])
    kit = client.toolset(connections=["hubspot"])
    with pytest.raises(ValueError, match="for_identifier"):
        kit.run("hubspot_search", {})
    server.expect([executed(1), executed(2)])
    for identifier in ("ada", "bela"):
        kit.for_identifier(identifier).run("hubspot_search", {"query": "a"})
    assert [seen.json["identifier"] for seen, _ in server.requests] == ["ada", "bela"]
    with pytest.raises(ValueError, match="name the connections"):
        client.toolset()


def test_a_choice_that_leaves_out_a_named_tool_is_refused(server: CaseServer, client: valetkey.Valetkey) -> None:
    server.expect([items(tool("hubspot_search"))])
    with pytest.raises(ValueError, match="cannot call gmail_search"):
        client.toolset(identifier="ada", names=["hubspot_search", "gmail_search"])
    server.expect([connection("one", "hubspot"), items(tool("x")), connection("two", "hubspot"), items(tool("x"))])
    with pytest.raises(ValueError, match="several of the connections offer x"):
        client.toolset(identifier="ada", connections=["one", "two"])
