"""One call: what a tool's function may ask and send."""

from __future__ import annotations

import json as _json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, TypeVar

from . import _engine
from ._fault import Fault
from ._http import File, Pairs, Part, Request, Response, Wanted, build
from ._json import dump, without

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Host(Protocol):
    """The other side of the contract: the component's glue implements it, and a test over canned answers."""

    def send(self, request: Request) -> Response: ...
    def send_all(self, requests: list[Request]) -> list[Response | Fault]: ...
    def describe(self, file: str) -> File: ...
    def send_file(self, request: Request, file: str) -> Response: ...
    def receive(self, request: Request, wanted: Wanted) -> tuple[Response, File | None]: ...
    def now_ms(self) -> int: ...
    def remaining_ms(self) -> int: ...
    def random(self, length: int) -> bytes: ...
    def log(self, level: str, message: str) -> None: ...
    def credential_kind(self) -> str: ...
    def granted_scopes(self) -> list[str]: ...
    def account_config(self, name: str) -> str | None: ...


@dataclass
class Output:
    """What a tool answers, when that is more than a value."""

    #: The result as a text of JSON.
    data: str
    #: The vendor's token of the next page; none on the last.
    next_page_token: str | None = None

    def json(self) -> Any:
        """The result."""
        return _json.loads(self.data)


def page(value: object, next_page_token: str | None = None) -> Output:
    """One page of a result, and the vendor's token of the next (none on the last)."""
    return Output(dump(value), next_page_token)


@dataclass
class Page:
    """The page that a call has to fetch."""

    #: The vendor's token; none for the first page.
    token: str | None = None
    #: How many items it should have at most; none for tools without pages.
    size: int | None = None

    def offset(self) -> int:
        """Where the page begins, for vendors that count items."""
        return self.number(0)

    def next_offset(self, count: int) -> str | None:
        """The token of the page after one of ``count`` items; none when that was the last, being shorter than asked
        for."""
        return str(self.offset() + count) if self._is_full(count) else None

    def number(self, first: int) -> int:
        """The page's number, for vendors that number pages from ``first`` on."""
        return int(self.token) if self.token and self.token.isascii() and self.token.isdigit() else first

    def next_number(self, first: int, count: int) -> str | None:
        """The token of the page after one of ``count`` items; none when that was the last."""
        return str(self.number(first) + 1) if self._is_full(count) else None

    def _is_full(self, count: int) -> bool:
        return count >= max(self.size or 1, 1)


@dataclass
class Answers:
    """What came back to a tool's questions."""

    #: Answers by the questions' keys, as the client gave them: not to be trusted, like any input.
    responses: dict[str, Any] = field(default_factory=dict)
    #: What the tool gave along with its questions, as it was.
    state: str | None = None
    capabilities: list[str] = field(default_factory=list)

    def can_ask(self, means: str) -> bool:
        """Whether the client can ask by this means: ``elicitation`` (a form) or ``sampling``."""
        return means in self.capabilities


class RequestOptions(TypedDict, total=False):
    """What a request carries: at most one of ``json``, ``form``, ``multipart`` and ``body`` (of ``content_type``).

    The host encodes the query. Headers that authenticate or frame belong to it.
    """

    query: Pairs
    headers: Pairs
    json: object
    form: Pairs
    multipart: Iterable[Part]
    body: str | bytes
    content_type: str


class Call:
    """One tool call."""

    def __init__(
        self,
        host: Host,
        declaration: str | None = None,
        page: Page | None = None,
        *,
        execution_id: str = "",
        answers: Answers | None = None,
    ) -> None:
        """Over ``host``, with ``declaration`` as a text of JSON. The component's glue makes it; tests do, too."""
        self._host = host
        self._declaration = declaration
        #: The execution's id, for log lines.
        self.execution_id = execution_id
        #: The page to fetch.
        self.page = page or Page()
        #: What came back to this tool's questions, for a tool whose result is content.
        self.answers = answers or Answers()

    def declared(self, input: object) -> Output:
        """Runs the tool's declared request with ``input``, for functions that only prepare the input or finish the
        answer."""
        return self.run(dump(input))

    def run(self, input: str) -> Output:
        """Runs the declared request with ``input``, a text of JSON."""
        if self._declaration is None or not self._read().get("request"):
            raise Fault(
                "unknown_tool",
                "This tool has neither a `request` in connector.toml nor a function in the connector.",
            )
        request = _engine.request(self._declaration, input, self.page, self.config)
        wanted = _engine.wanted(self._declaration, input, self.page, self.config)
        if wanted is not None:
            _engine.take_any_type(request, self._declaration)
            response, kept = self._host.receive(request, wanted)
            if kept is None:
                raise self.fault(response)
            return page({"file": dict(sorted(asdict(kept).items()))})
        file = _engine.file(self._declaration, input, self.page)
        response = self._host.send(request) if file is None else self._host.send_file(request, file)
        return Output(*_engine.output(self._declaration, self.page, response))

    def shortened(self, output: Output, input: str) -> Output:
        """A tool's result without what is left out of short ones."""
        concise = (self._read().get("response") or {}).get("concise")
        if not concise or _json.loads(input).get("response_format") == "detailed":
            return output
        return Output(without(output.data, concise), output.next_page_token)

    def get(self, endpoint: str, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Sends a ``GET``; a :class:`Fault` when there is no answer, or one that is no success."""
        return self.send("GET", endpoint, path, **options)

    def post(self, endpoint: str, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Sends a ``POST``."""
        return self.send("POST", endpoint, path, **options)

    def put(self, endpoint: str, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Sends a ``PUT``."""
        return self.send("PUT", endpoint, path, **options)

    def patch(self, endpoint: str, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Sends a ``PATCH``."""
        return self.send("PATCH", endpoint, path, **options)

    def delete(self, endpoint: str, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Sends a ``DELETE``."""
        return self.send("DELETE", endpoint, path, **options)

    def send(self, method: str, endpoint: str, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Sends a request by any method. ``path`` is percent-encoded; :func:`segment` does that."""
        return self._success(self.exchange(self.request(method, endpoint, path, **options)))

    def request(self, method: str, endpoint: str, path: str, **options: Unpack[RequestOptions]) -> Request:
        """A request that is not sent yet, for :meth:`exchange` and :meth:`send_all`."""
        return build(Request(method, endpoint, path), random=self.random, **options)

    def exchange(self, request: Request) -> Response:
        """Sends a request; any status is an answer, a :class:`Fault` means that there is none."""
        return self._host.send(request)

    def send_all(self, requests: Iterable[Request]) -> list[Response | Fault]:
        """Sends requests side by side; answers or faults in the order of the requests."""
        answers = self._host.send_all(list(requests))
        return [answer if isinstance(answer, Fault) or answer.is_success else self.fault(answer) for answer in answers]

    def file(self, id: str) -> File:
        """What is known of a file of this user, by an id of the tool's input."""
        return self._host.describe(id)

    def send_file(self, request: Request, file: str) -> Response:
        """Sends a request with the bytes of a file as its body, which never pass through the connector."""
        return self._success(self._host.send_file(request, file))

    def receive(self, request: Request, wanted: Wanted | None = None) -> File:
        """Sends a request and has the answer's body kept as a file."""
        response, kept = self._host.receive(request, wanted or Wanted())
        self._success(response)
        if kept is None:
            raise Fault("vendor_unavailable", f"The vendor answered {response.status} without a body to keep.")
        return kept

    def graphql(self, endpoint: str, path: str, query: str, variables: dict[str, Any] | None = None) -> Any:
        """Sends a GraphQL query and answers its ``data``; a :class:`Fault` with the first of its ``errors``."""
        response = self.post(endpoint, path, json={"query": query, "variables": variables or {}})
        answer = response.json()
        if not isinstance(answer, dict) or answer.get("errors"):
            raise self.fault(response)
        if answer.get("data") is None:
            raise Fault.not_json(response, "there is no `data`")
        return answer["data"]

    def fault(self, response: Response) -> Fault:
        """The fault that an answer means, read as the manifest's ``errors`` say."""
        return Fault.from_response(response, self._read().get("errors"))

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return self._host.now_ms()

    def remaining_ms(self) -> int:
        """Milliseconds left until the deadline."""
        return self._host.remaining_ms()

    def random(self, length: int) -> bytes:
        """Random bytes, at most 1,024."""
        return self._host.random(length)

    def log(self, level: str, message: str) -> None:
        """Writes a line to the execution's record; ``level`` is ``debug``, ``info``, ``warn`` or ``error``."""
        self._host.log(level, message)

    def progress(self, done: float, total: float | None, words: str) -> None:
        """Tells whoever waits for this call how far it is: ``done`` of ``total`` in any unit."""
        self._host.log("progress", f"{done:g} {words}" if total is None else f"{done:g}/{total:g} {words}")

    def credential_kind(self) -> str:
        """``oauth2``, ``api_key``, ``basic``, ``bearer`` or ``none``."""
        return self._host.credential_kind()

    def granted_scopes(self) -> list[str]:
        """The scopes that the vendor granted."""
        return self._host.granted_scopes()

    def config(self, name: str) -> str | None:
        """One value of the account's configuration."""
        return self._host.account_config(name)

    def _read(self) -> dict[str, Any]:
        declaration: dict[str, Any] = _json.loads(self._declaration or "{}")
        return declaration

    def _success(self, response: Response) -> Response:
        if not response.is_success:
            raise self.fault(response)
        return response


_Function = TypeVar("_Function", bound=Callable[[Call, Any], object])
_functions: dict[str, Callable[[Call, Any], object]] = {}


def tool(name: str) -> Callable[[_Function], _Function]:
    """Makes a function the code of a tool: it gets the call and the input, answers a value or an :class:`Output`."""

    def register(function: _Function) -> _Function:
        if name in _functions:
            raise ValueError(f"two functions are the tool {name!r}")
        _functions[name] = function
        return function

    return register


def run(call: Call, tool: str, input: str) -> Output:
    """Runs one tool, its function when there is one, its declaration otherwise: what a component does, and a test.

    Of either's result it leaves out what ``response.concise`` names, unless the input says ``response_format:
    "detailed"``."""
    function = _functions.get(tool)
    if function is None:
        return call.shortened(call.run(input), input)
    result = function(call, _json.loads(input))
    return call.shortened(result if isinstance(result, Output) else page(result), input)
