"""The host of the cases: answers what a case says, or hands requests on to a real host, and holds every request against
what the case expects."""

from __future__ import annotations

import dataclasses
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

CLIENT_ID = "vk_case"
CLIENT_SECRET = "secret-of-the-case"


@dataclasses.dataclass
class Seen:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    json: Any = None
    form: dict[str, str] | None = None
    body: bytes = b""


@dataclasses.dataclass
class Answer:
    """An answer to be written, or none at all."""

    status: int = 200
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""
    lost: bool = False
    late: bool = False


class CaseServer:
    """A server on a free port. `serve` answers each request; it is called by one request after the other."""

    def __init__(self, real_host: dict[str, str] | None = None) -> None:
        self.real_host = real_host
        self.requests: list[tuple[Seen, Answer]] = []
        self.tokens: list[str] = []
        self.token_requests = 0
        self.problems: list[str] = []
        self.answers: list[dict[str, Any]] | None = None
        self.token_answers: list[dict[str, Any]] = []
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> CaseServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def expect(self, answers: list[dict[str, Any]] | None) -> None:
        """From here on these answers, in order; none hands everything on to the real host."""
        with self._lock:
            self.requests.clear()
            self.answers = None if answers is None else list(answers)

    def serve(self, seen: Seen) -> Answer:
        """The answer to a request."""
        with self._lock:
            if (seen.method, seen.path) == ("POST", "/oauth/token"):
                return self._token(seen)
            if seen.headers.get("authorization") != f"Bearer {self.tokens[-1] if self.tokens else ''}":
                self.problems.append(f"{seen.method} {seen.path} does not carry the newest token")
            if self.answers is None:
                planned: dict[str, Any] = {"forward": True}
            elif self.answers:
                planned = self.answers.pop(0)
            else:
                self.problems.append(f"one request too many: {seen.method} {seen.path}")
                planned = {"status": 599, "text": "one request too many"}
            answer = self._answer(planned, seen)
            self.requests.append((seen, answer))
            return answer

    def _token(self, seen: Seen) -> Answer:
        self.token_requests += 1
        wanted = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        if self.real_host is not None:
            wanted |= {name: self.real_host[name] for name in ("client_id", "client_secret")}
        if seen.form != wanted or "authorization" in seen.headers:
            self.problems.append("the token is not asked for by client credentials in the form")
        if self.token_answers:
            answer = self._answer(self.token_answers.pop(0), seen)
        elif self.real_host is not None:
            answer = self._forwarded(seen)
        else:
            token = {
                "access_token": f"token-{self.token_requests}",
                "token_type": "Bearer",
                "expires_in": 3600,
                "scope": "all",
            }
            answer = self._answer({"json": token}, seen)
        if answer.status == 200 and not answer.lost:
            self.tokens.append(json.loads(answer.body)["access_token"])
        return answer

    def _answer(self, planned: dict[str, Any], seen: Seen) -> Answer:
        if planned.get("forward"):
            answer = self._forwarded(seen)
        else:
            headers = {"content-type": "application/json"} if "json" in planned else {}
            body = json.dumps(planned["json"]) if "json" in planned else planned.get("text", "")
            answer = Answer(planned.get("status", 200), {**headers, **planned.get("headers", {})}, body.encode())
        answer.lost, answer.late = planned.get("lost", False), planned.get("late", False)
        return answer

    def _forwarded(self, seen: Seen) -> Answer:
        assert self.real_host is not None, "the case needs a real host"
        headers = {
            name: value for name, value in seen.headers.items() if name not in ("host", "connection", "accept-encoding")
        }
        query = f"?{httpx.QueryParams(seen.query)}" if seen.query else ""
        url = f"{self.real_host['base_url']}{seen.path}{query}"
        answer = httpx.request(seen.method, url, headers=headers, content=seen.body, timeout=60)
        kept = {
            name: value
            for name, value in answer.headers.items()
            if name not in ("content-length", "transfer-encoding", "connection", "date")
        }
        return Answer(answer.status_code, kept, answer.content)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                parts = urlsplit(self.path)
                kind = self.headers.get("content-type", "")
                seen = Seen(
                    method=self.command,
                    path=parts.path,
                    query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    json=json.loads(body) if body and kind == "application/json" else None,
                    form=dict(parse_qsl(body.decode())) if kind == "application/x-www-form-urlencoded" else None,
                    body=body,
                )
                self.write(server.serve(seen))

            def write(self, answer: Answer) -> None:
                if answer.late:
                    # Until the client gives up.
                    self.connection.recv(1)
                if answer.late or answer.lost:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler
