"""The glue between the contract's imports and exports and a connector's functions. It only moves values; everything
that decides something is elsewhere and runs outside of a component as well.

The module that `valetkey_guest.build` makes a component of imports it after the connector's own. The modules of the
contract are there only then.
"""

from __future__ import annotations

import json
import os
import random
import time
import traceback
from typing import Any

from componentize_py_types import Err, Ok  # type: ignore[import-not-found]
from wit_world import exports  # type: ignore[import-not-found]
from wit_world.exports import tools as contract  # type: ignore[import-not-found]
from wit_world.imports import files, http, runtime, types  # type: ignore[import-not-found]

from ._call import Answers, Call, Page, run
from ._fault import Fault
from ._http import File, Request, Response, Wanted


class _Imports:
    """The contract's imports as a `Host`."""

    def send(self, request: Request) -> Response:
        try:
            return _answered(http.send(_lowered(request)))
        except Err as error:
            raise _lifted(error.value) from None

    def send_all(self, requests: list[Request]) -> list[Response | Fault]:
        answers = http.send_all([_lowered(request) for request in requests])
        return [_answered(answer.value) if isinstance(answer, Ok) else _lifted(answer.value) for answer in answers]

    def describe(self, file: str) -> File:
        try:
            return _about(files.describe(file))
        except Err as error:
            raise _lifted(error.value) from None

    def send_file(self, request: Request, file: str) -> Response:
        try:
            return _answered(files.send(_lowered(request), file))
        except Err as error:
            raise _lifted(error.value) from None

    def receive(self, request: Request, wanted: Wanted) -> tuple[Response, File | None]:
        asked = files.Wanted(wanted.name, wanted.content_types, wanted.max_bytes, [])
        try:
            received = files.receive(_lowered(request), asked)
        except Err as error:
            raise _lifted(error.value) from None
        return _answered(received.response), None if received.file is None else _about(received.file)

    now_ms = staticmethod(runtime.now_ms)
    remaining_ms = staticmethod(runtime.remaining_ms)
    random = staticmethod(runtime.random)
    log = staticmethod(runtime.log)
    credential_kind = staticmethod(runtime.credential_kind)
    granted_scopes = staticmethod(runtime.granted_scopes)
    account_config = staticmethod(runtime.account_config)


class Tools(exports.Tools):  # type: ignore[misc]
    """The contract's `tools` over the registered functions."""

    def call(self, context: Any, tool: str, input: str) -> Any:
        _use_the_hosts_clock_and_randomness()
        call = Call(
            _Imports(),
            context.declaration,
            Page(context.page_token, context.page_size),
            execution_id=context.execution_id,
            answers=_answers(dict(context.ext)),
        )
        try:
            output = run(call, tool, input)
        except Fault as fault:
            raise Err(_to_contract(fault)) from None
        except BaseException:
            # Not a refusal but a mistake of the connector: its words are for the author, the call ends as a trap.
            runtime.log("error", f"the connector failed: {traceback.format_exc()}")
            raise
        return contract.Output(output.data, output.next_page_token, [])


def _use_the_hosts_clock_and_randomness() -> None:
    """An instance begins as the component was when it was built, its random generator included, and without the
    system's clock. Whatever asks Python for either is given the host's."""
    time.time = lambda: runtime.now_ms() / 1000
    time.time_ns = lambda: runtime.now_ms() * 1_000_000
    os.urandom = lambda length: b"".join(runtime.random(min(1024, length - at)) for at in range(0, length, 1024))
    random.seed(runtime.random(32))


def _answers(ext: dict[str, str]) -> Answers:
    return Answers(
        responses=json.loads(ext.get("input_responses", "{}")),
        state=ext.get("request_state"),
        capabilities=ext.get("client_capabilities", "").split(","),
    )


def _about(file: Any) -> File:
    return File(file.id, file.name, file.content_type, file.size, file.sha256)


def _lowered(request: Request) -> Any:
    return http.Request(
        request.method,
        request.endpoint,
        request.path,
        request.url,
        request.query,
        request.headers,
        request.body,
        [],
    )


def _answered(response: Any) -> Response:
    return Response(response.status, response.headers, response.body)


def _lifted(fault: Any) -> Fault:
    return Fault(
        fault.code,
        fault.message,
        status=fault.status,
        vendor_code=fault.vendor_code,
        retry_after_ms=fault.retry_after_ms,
        problems=fault.problems,
    )


def _to_contract(fault: Fault) -> Any:
    return types.Fault(
        fault.code,
        fault.message,
        fault.status,
        fault.vendor_code,
        fault.retry_after_ms,
        [tuple(problem) for problem in fault.problems],
        [],
    )
