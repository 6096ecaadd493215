"""Every case of `sdk/cases`, by the synchronous and by the asynchronous client."""

from __future__ import annotations

import contextlib
import json
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from opentelemetry import context as otel_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import valetkey
from case_server import CLIENT_ID, CLIENT_SECRET, CaseServer, Seen
from matching import Values
from valetkey._async.clock import AsyncClock
from valetkey._model import Model
from valetkey._sync.clock import Clock

CASES = Path(__file__).resolve().parents[2] / "cases"
ALL = [
    pytest.param(case, id=f"{file.stem}-{case['name']}")
    for file in sorted(CASES.glob("*.json"))
    if file.stem != "schema"
    for case in json.loads(file.read_text("utf-8"))["cases"]
]


class TestClock(Clock):
    """Moves by waiting, and takes no time."""

    __test__ = False

    def __init__(self) -> None:
        self.time = 1000.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.waits.append(round(seconds * 1000, 6))
        self.time += seconds


class AsyncTestClock(AsyncClock):
    """The same for the asynchronous client."""

    def __init__(self, clock: TestClock) -> None:
        self.clock = clock

    def now(self) -> float:
        return self.clock.now()

    async def sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)


class Run:
    """One case."""

    def __init__(self, case: dict[str, Any], server: CaseServer, host: dict[str, str] | None) -> None:
        self.case = case
        self.server = server
        self.host = host or {}
        self.clock = TestClock()
        self.values = Values({**self.host, "tag": f"case-{uuid.uuid4().hex[:12]}"})
        server.token_answers = list(case.get("token_answers", []))

    def options(self) -> dict[str, Any]:
        """The arguments of the client."""
        wanted = self.case.get("client", {})
        options: dict[str, Any] = {
            "base_url": closed_port() if wanted.get("base_url") == "closed" else self.server.base_url,
            "client_id": self.host.get("client_id", CLIENT_ID),
            "client_secret": self.host.get("client_secret", CLIENT_SECRET),
        }
        if "max_attempts" in wanted:
            options["max_attempts"] = wanted["max_attempts"]
        if "timeout_ms" in wanted:
            options["timeout"] = wanted["timeout_ms"] / 1000
        return options

    def synchronously(self) -> None:
        with valetkey.Valetkey(**self.options(), _clock=self.clock) as client:
            for step in self.case["steps"]:
                with self.step(step) as found:
                    if "call" in step:
                        found.append(self.called(client, step))
        self.ended()

    def asynchronously(self) -> None:
        anyio.run(self._asynchronously)

    async def _asynchronously(self) -> None:
        async with valetkey.AsyncValetkey(**self.options(), _clock=AsyncTestClock(self.clock)) as client:
            for step in self.case["steps"]:
                with self.step(step) as found:
                    if "call" in step:
                        found.append(await self.acalled(client, step))
        self.ended()

    def called(self, client: valetkey.Valetkey, step: dict[str, Any]) -> Any:
        answer = method(client, step)(**self.arguments(step))
        if not hasattr(answer, "__iter__"):
            return answer
        items = []
        if step.get("take", 1) > 0:
            for item in answer:
                items.append(item)
                if len(items) == step.get("take"):
                    break
        return items

    async def acalled(self, client: valetkey.AsyncValetkey, step: dict[str, Any]) -> Any:
        answer = method(client, step)(**self.arguments(step))
        if not hasattr(answer, "__aiter__"):
            return await answer
        items = []
        if step.get("take", 1) > 0:
            async for item in answer:
                items.append(item)
                if len(items) == step.get("take"):
                    break
        return items

    def arguments(self, step: dict[str, Any]) -> dict[str, Any]:
        arguments: dict[str, Any] = self.values.fill(step.get("arguments", {}))
        if "timeout_ms" in arguments:
            arguments["timeout"] = arguments.pop("timeout_ms") / 1000
        return arguments

    @contextlib.contextmanager
    def step(self, step: dict[str, Any]) -> Iterator[list[Any]]:
        """Around a step: what it is given before, what is held of it after."""
        if "act" in step:
            yield []
            self.check(step.get("result", {}), self.act(step["act"]), "act")
            return
        wire = step.get("wire")
        self.server.expect(None if wire is None else [self.values.fill(each["answer"]) for each in wire])
        self.clock.waits.clear()
        found: list[Any] = []
        error: valetkey.ValetkeyError | None = None
        with contextlib.ExitStack() as around:
            if "agent_run" in step:
                around.enter_context(valetkey.agent_run(self.values.fill(step["agent_run"])))
            if "traceparent" in step:
                around.enter_context(span(step["traceparent"]))
            try:
                yield found
            except valetkey.ValetkeyError as raised:
                error = raised
        # The requests first: what they save, the result may name.
        self.check_requests(wire)
        assert not self.server.problems, self.server.problems
        if "error" in step:
            assert error is not None, f"{step['call']} gave {found}"
            self.check_error(step["error"], error)
        else:
            if error is not None:
                raise error
            self.check(step["result"], plain(found[0]), step["call"])
        self.check(step.get("waits_ms", []), self.clock.waits, "waits_ms")

    def check(self, wanted: Any, found: Any, place: str) -> None:
        problems = self.values.differences(wanted, found, place)
        assert not problems, "\n".join(problems)

    def check_requests(self, wire: list[dict[str, Any]] | None) -> None:
        if wire is None:
            return
        for expected, (seen, _) in zip(wire, self.server.requests, strict=False):
            problems = self.request_differences(expected["request"], seen)
            assert not problems, "\n".join(problems)
        assert len(self.server.requests) == len(wire), f"{len(self.server.requests)} requests, not {len(wire)}"

    def request_differences(self, wanted: dict[str, Any], seen: Seen) -> list[str]:
        place = f"{wanted['method']} {wanted['path']}"
        return [
            *self.values.differences([wanted["method"], wanted["path"]], [seen.method, seen.path], place),
            *self.values.differences(wanted.get("query", {}), seen.query, f"{place} query", whole=True),
            *self.values.differences(wanted.get("headers", {}), seen.headers, f"{place} headers"),
            *self.values.differences(wanted.get("json"), seen.json, f"{place} json", whole=True),
            *self.values.differences(wanted.get("form"), seen.form, f"{place} form", whole=True),
        ]

    def check_error(self, wanted: dict[str, Any], error: valetkey.ValetkeyError) -> None:
        told = {
            "class": type(error).__name__,
            "fields": [field.to_wire() for field in error.fields],
            "vendor": error.vendor.to_wire() if error.vendor else None,
        }
        for name in (
            "kind",
            "status",
            "side",
            "retryable",
            "retry_after_ms",
            "reason",
            "message",
            "authorization_link",
            "execution_id",
        ):
            told[name] = getattr(error, name)
        self.check(wanted, told, "error")
        assert error.next_step
        assert error.message in str(error)
        shown = f"{error} {error!r} {error.__dict__} {error.for_model()} {error.__cause__!r}"
        for secret in (self.host.get("client_secret", CLIENT_SECRET), *self.server.tokens):
            assert secret not in shown

    def act(self, act: dict[str, Any]) -> Any:
        """What the runner does itself."""
        ((kind, what),) = self.values.fill(act).items()
        if kind == "open":
            return follow(what, (self.host["base_url"], self.host["simulator_url"]))
        headers = {}
        if kind == "host":
            form = {"grant_type": "client_credentials"} | {
                name: self.host[name] for name in ("client_id", "client_secret")
            }
            token = httpx.post(f"{self.host['base_url']}/oauth/token", data=form).json()["access_token"]
            headers["authorization"] = f"Bearer {token}"
        base = self.host["base_url" if kind == "host" else "simulator_url"]
        answer = httpx.request(what["method"], f"{base}{what['path']}", json=what.get("json"), headers=headers)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else {}

    def ended(self) -> None:
        assert self.server.token_requests == self.case.get("tokens", 1)


def follow(url: str, within: tuple[str, ...]) -> dict[str, Any]:
    """A browser at a link: to the page where it ends, or to where it leaves for another site."""
    with httpx.Client() as browser:
        for _ in range(10):
            if not url.startswith(within):
                return {"left_for": url}
            answer = browser.get(url)
            if not answer.is_redirect:
                return {"status": answer.status_code, "url": url}
            url = str(answer.next_request.url) if answer.next_request else ""
    raise AssertionError("the link leads in a circle")


@contextlib.contextmanager
def span(traceparent: str) -> Iterator[None]:
    token = otel_context.attach(TraceContextTextMapPropagator().extract({"traceparent": traceparent}))
    try:
        yield
    finally:
        otel_context.detach(token)


def method(client: Any, step: dict[str, Any]) -> Any:
    for part in step["call"].split("."):
        client = getattr(client, part)
    return client


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.to_wire() if isinstance(value, Model) else value


def closed_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("way", ["synchronously", "asynchronously"])
@pytest.mark.parametrize("case", ALL)
def test_case(case: dict[str, Any], way: str, request: pytest.FixtureRequest) -> None:
    host = request.getfixturevalue("real_host") if case.get("host") == "real" else None
    with CaseServer(host) as server:
        getattr(Run(case, server, host), way)()
