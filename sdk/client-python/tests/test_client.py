"""What the clients promise beside the cases."""

from __future__ import annotations

import json
import logging
import pickle
import threading

import anyio
import pytest

import valetkey
from answers import connection, error, executed, items, tool
from case_server import CLIENT_ID, CLIENT_SECRET, Answer, CaseServer, Seen
from valetkey import operations


def test_many_threads_that_start_together_ask_for_one_token(server: CaseServer, client: valetkey.Valetkey) -> None:
    server.expect([executed(n) for n in range(16)])
    found: list[int] = []
    together = threading.Barrier(16)

    def call() -> None:
        together.wait()
        found.append(client.execute_tool("t", identifier="ada").data)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(16))
    assert server.token_requests == 1
    assert not server.problems


def test_many_tasks_that_start_together_ask_for_one_token(server: CaseServer) -> None:
    server.expect([executed(n) for n in range(16)])
    found: list[int] = []

    async def main() -> None:
        async with (
            valetkey.AsyncValetkey(server.base_url, client_id=CLIENT_ID, client_secret=CLIENT_SECRET) as client,
            anyio.create_task_group() as tasks,
        ):

            async def call() -> None:
                found.append((await client.execute_tool("t", identifier="ada")).data)

            for _ in range(16):
                tasks.start_soon(call)

    anyio.run(main)
    assert sorted(found) == list(range(16))
    assert server.token_requests == 1


def test_a_refused_token_is_renewed_once_for_all_who_hold_it(server: CaseServer, client: valetkey.Valetkey) -> None:
    """Also for one who hears of it late, when there is a new token already."""
    together = threading.Barrier(2)
    renewed = threading.Event()
    serve_as_usual = server.serve

    def serve(seen: Seen) -> Answer:
        if seen.headers.get("authorization") == "Bearer token-2":
            renewed.set()
        if seen.headers.get("authorization") != "Bearer token-1":
            return serve_as_usual(seen)
        if together.wait() == 0:
            assert renewed.wait(30)
        body = json.dumps(error(401, "unauthenticated")["json"]).encode()
        return Answer(401, {"content-type": "application/json"}, body)

    server.serve = serve  # type: ignore[method-assign]
    server.expect([executed(n) for n in range(2)])
    threads = [threading.Thread(target=lambda: client.execute_tool("t", identifier="ada")) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 2
    assert server.token_requests == 2
    assert not server.problems


def test_a_list_asks_for_no_page_that_nobody_reads(server: CaseServer, client: valetkey.Valetkey) -> None:
    listed = client.tools.list(limit=1)
    assert server.requests == []
    server.expect([items(tool("one"), next_cursor="c1")])
    assert next(iter(listed)).name == "one"
    assert len(server.requests) == 1
    server.expect([items(tool("one"), next_cursor="c1"), items(tool("two"))])
    assert [page.next_cursor for page in listed.pages()] == ["c1", None]


def test_several_words_to_filter_by_go_as_one_parameter(server: CaseServer, client: valetkey.Valetkey) -> None:
    server.expect([items(), items()])
    assert client.tools.list(connector=["hubspot", "gmail"], tag="crm").all() == []
    client.tools.search("mail", connector=["hubspot", "gmail"])
    assert [seen.query for seen, _ in server.requests] == [
        {"connector": "hubspot,gmail", "tag": "crm"},
        {"query": "mail", "connector": "hubspot,gmail"},
    ]


def test_a_list_goes_on_from_a_cursor(server: CaseServer, client: valetkey.Valetkey) -> None:
    server.expect([items(tool("two"))])
    assert [each.name for each in client.tools.list(cursor="c1").all()] == ["two"]
    assert server.requests[0][0].query == {"cursor": "c1"}


def test_every_operation_can_be_sent(server: CaseServer, client: valetkey.Valetkey) -> None:
    server.expect([{"json": {"items": []}}, {"status": 204}, {"json": {"status": "ok"}}])
    assert client.send(operations.list_connectors()).items == []
    assert client.send(operations.delete_connection(name="hub spot")) is None
    assert server.requests[1][0].path == "/api/v1/connections/hub%20spot"


def test_an_id_of_dots_stays_an_id(server: CaseServer, client: valetkey.Valetkey) -> None:
    server.expect([error(404, "unknown_tool")])
    with pytest.raises(valetkey.UnknownToolError):
        client.tools.get("..")
    assert server.requests[0][0].path == "/api/v1/tools/%2E%2E"


def test_a_component_is_uploaded_as_it_is(server: CaseServer, client: valetkey.Valetkey) -> None:
    installed = {"connector": "c", "title": "C", "active_version": "1", "versions": [], "tools": 0}
    server.expect([{"json": installed}])
    client.send(operations.install_connector(content=b"\0asm\x0d\0\1\0"))
    seen, _ = server.requests[0]
    assert (seen.headers["content-type"], seen.body) == ("application/wasm", b"\0asm\x0d\0\1\0")


def test_a_raw_request_goes_to_the_vendor_and_gives_its_answer(server: CaseServer, client: valetkey.Valetkey) -> None:
    said = {"x-vendor-status": "401", "x-execution-id": "exe_7", "content-type": "application/json"}
    server.expect([{"status": 424, "headers": said, "text": '{"message": "no"}'}])
    with valetkey.agent_run("run-1"):
        answer = client.proxy(
            "post",
            "/crm/v3/objects/a%2Fb",
            connection_name="hubspot",
            identifier="zoë@example.com",
            query={"archived": "true"},
            headers={"X-Vendor-Option": "1"},
            json={"a": 1},
            timeout=5,
        )
    assert (answer.status, answer.json(), answer.execution_id) == (401, {"message": "no"}, "exe_7")
    seen, _ = server.requests[0]
    assert (seen.method, seen.path, seen.query) == ("POST", "/proxy/crm/v3/objects/a%2Fb", {"archived": "true"})
    assert seen.json == {"a": 1}
    assert seen.headers["identifier"].encode("latin-1").decode() == "zoë@example.com"
    wanted = {"connection-name": "hubspot", "agent-run-id": "run-1", "x-vendor-option": "1"}
    assert wanted.items() <= seen.headers.items()
    assert 0 < int(seen.headers["deadline-ms"]) <= 5000
    assert server.token_requests == 1, "the vendor's 401 is not ours"


def test_a_raw_write_whose_answer_is_lost_is_not_sent_again_and_a_read_is(
    server: CaseServer, client: valetkey.Valetkey
) -> None:
    server.expect([{"lost": True}])
    with pytest.raises(valetkey.AmbiguousOutcomeError, match="POST /x"):
        client.proxy("POST", "/x", connection_name="hubspot", identifier="ada")
    server.expect([{"lost": True}, {"headers": {"x-vendor-status": "200"}, "text": "ok"}])
    assert client.proxy("GET", "/x", connection_name="hubspot", identifier="ada").content == b"ok"
    server.expect([error(403, "policy_denied")])
    with pytest.raises(valetkey.PolicyDeniedError):
        client.proxy("GET", "/x", connection_name="hubspot", identifier="ada")
    with pytest.raises(ValueError, match="control character"):
        client.proxy("GET", "/x", connection_name="hubspot", identifier="ada\r\nx: y")
    with pytest.raises(ValueError, match="begin with a slash"):
        client.proxy("GET", "x", connection_name="hubspot", identifier="ada")


def test_a_model_may_stand_in_a_body(server: CaseServer, client: valetkey.Valetkey) -> None:
    server.expect([connection("hubspot", "hubspot")])
    app = valetkey.models.NewOAuthApp(client_id="app", token_url="https://vendor.example/token")
    client.send(operations.create_connection(connection_name="hubspot", connector="hubspot", oauth=app))
    assert server.requests[0][0].json == {
        "connection_name": "hubspot",
        "connector": "hubspot",
        "oauth": {"client_id": "app", "token_url": "https://vendor.example/token"},
    }


def test_a_null_that_means_something_is_sent(server: CaseServer, client: valetkey.Valetkey) -> None:
    server.expect([error(404, "not_found")])
    with pytest.raises(valetkey.NotFoundError):
        client.send(operations.change_connection(name="hubspot", pinned_version=None))
    assert server.requests[0][0].json == {"pinned_version": None}
    server.expect([error(404, "not_found")])
    with pytest.raises(valetkey.NotFoundError):
        client.send(operations.change_connection(name="hubspot", proxy=True))
    assert server.requests[0][0].json == {"proxy": True}, "what is not given stays as it is"


def test_an_answer_without_a_promised_member_is_named(server: CaseServer, client: valetkey.Valetkey) -> None:
    for broken in ({"data": 1}, {"data": 1, "execution_id": 7}, [1]):
        server.expect([{"json": broken}])
        with pytest.raises(valetkey.InvalidAnswerError, match="Executed") as caught:
            client.execute_tool("t", identifier="ada")
        assert "succeeded" in caught.value.message


def test_no_secret_is_shown_or_logged(
    server: CaseServer, client: valetkey.Valetkey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.expect([executed(1)])
    client.execute_tool("t", identifier="ada")
    operation = operations.token(grant_type="client_credentials", client_id="a", client_secret=CLIENT_SECRET)
    shown = f"{client!r} {vars(client)} {vars(client._transport)} {operation!r} {caplog.text}"
    assert CLIENT_ID in shown
    for secret in (CLIENT_SECRET, *server.tokens):
        assert secret not in shown


def test_an_error_crosses_processes_whole(server: CaseServer, client: valetkey.Valetkey) -> None:
    server.expect([error(409, "account_not_active", authorization_link="https://keys.example/c", retry_after_ms=5)])
    with pytest.raises(valetkey.AccountNotActiveError) as caught:
        client.execute_tool("t", identifier="ada")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is valetkey.AccountNotActiveError
    assert (again.authorization_link, again.retry_after_ms, str(again)) == (
        "https://keys.example/c",
        5,
        str(caught.value),
    )
    assert "keys.example" not in str(again), "the link is the user's alone, not the log's"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"base_url": None}, "VALETKEY_SERVER"),
        ({"base_url": "keys.example.com"}, "must be a URL"),
        ({"base_url": "https://u:p@keys.example.com"}, "holds a password"),
        ({"client_secret": None}, "VALETKEY_CLIENT_SECRET"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(
    arguments: dict[str, object], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("VALETKEY_SERVER", "VALETKEY_CLIENT_ID", "VALETKEY_CLIENT_SECRET"):
        monkeypatch.delenv(variable, raising=False)
    good: dict[str, object] = {"base_url": "https://keys.example.com", "client_id": "a", "client_secret": "b"}
    with pytest.raises(ValueError, match=complaint):
        valetkey.Valetkey(**(good | arguments))  # type: ignore[arg-type]


def test_the_environment_names_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALETKEY_SERVER", "https://keys.example.com/")
    monkeypatch.setenv("VALETKEY_CLIENT_ID", "vk_1")
    monkeypatch.setenv("VALETKEY_CLIENT_SECRET", "s")
    with valetkey.Valetkey() as client:
        assert repr(client) == "Valetkey('https://keys.example.com', client_id='vk_1')"


def test_a_key_that_no_header_can_carry_is_refused_before_anything_is_sent(
    server: CaseServer, client: valetkey.Valetkey
) -> None:
    for key in ("", "with space", "k" * 256, "schlüssel"):
        with pytest.raises(ValueError, match="visible ASCII"):
            client.execute_tool("t", identifier="ada", idempotency_key=key)
    assert server.requests == []


def test_threads_that_copy_their_context_inherit_the_run(server: CaseServer, client: valetkey.Valetkey) -> None:
    server.expect([executed(1)])

    async def main() -> None:
        with valetkey.agent_run("run-1"):
            await anyio.to_thread.run_sync(lambda: client.execute_tool("t", identifier="ada"))

    anyio.run(main)
    assert server.requests[0][0].json["agent_run_id"] == "run-1"
    assert valetkey.current_agent_run() is None
