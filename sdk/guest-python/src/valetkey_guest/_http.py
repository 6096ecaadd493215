"""Requests and answers as a connector sees them."""

from __future__ import annotations

import json as _json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._fault import Fault
from ._json import dump
from ._text import form_encode

Value = str | int | float | bool | None
#: Names and values: a sequence repeats its name, ``None`` is left out.
Pairs = Mapping[str, Value | Sequence[Value]] | Iterable[tuple[str, Value]]


@dataclass
class Part:
    """One part of a ``multipart/form-data`` body; with a file name it is a file."""

    name: str
    value: str | bytes
    filename: str | None = None
    content_type: str | None = None


@dataclass
class Request:
    """One request to an endpoint of the manifest, as it goes to the host."""

    method: str
    endpoint: str
    #: Path below the endpoint, percent-encoded; empty when ``url`` is given.
    path: str
    #: A URL that the vendor handed out, instead of ``path``.
    url: str | None = None
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | None = None


@dataclass
class Response:
    """The vendor's answer."""

    #: The status; a redirect is data.
    status: int
    #: Headers, names in lower case.
    headers: list[tuple[str, str]]
    #: The body, decompressed.
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """The first header of this name (lower case)."""
        return next((value for key, value in self.headers if key == name), None)

    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; a :class:`Fault` when it is something else."""
        try:
            return _json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Fault.not_json(self, error) from None


@dataclass
class File:
    """A file that the host holds: a connector names it and never has its bytes."""

    #: ``file_…``: what a tool answers, and callers download.
    id: str
    #: What it is called, for people.
    name: str
    #: Media type.
    content_type: str
    #: Bytes.
    size: int
    #: SHA-256 of the bytes, hexadecimal.
    sha256: str


@dataclass
class Wanted:
    """How an answer is kept as a file."""

    #: What the file is called; none for the vendor's own name.
    name: str | None = None
    #: Media types that are kept (``image/*``, ``application/pdf``); empty for any.
    content_types: list[str] = field(default_factory=list)
    #: The most that is kept, in bytes; none for what a file may have.
    max_bytes: int | None = None


def build(
    request: Request,
    *,
    random: Callable[[int], bytes],
    query: Pairs | None = None,
    headers: Pairs | None = None,
    json: object = None,
    form: Pairs | None = None,
    multipart: Iterable[Part] | None = None,
    body: str | bytes | None = None,
    content_type: str = "application/octet-stream",
) -> Request:
    """Puts into a request what an author gives. ``random`` makes the boundary of parts."""
    request.query = _pairs(query)
    request.headers = [("accept", "application/json"), *_pairs(headers)]
    if json is not None:
        content_type, body = "application/json", dump(json)
    elif form is not None:
        content_type, body = "application/x-www-form-urlencoded", form_encode(_pairs(form))
    elif multipart is not None:
        boundary = random(16).hex()
        content_type, body = f"multipart/form-data; boundary={boundary}", _encode_parts(multipart, boundary)
    if body is not None:
        request.headers.append(("content-type", content_type))
        request.body = _bytes(body)
    return request


def _pairs(given: Pairs | None) -> list[tuple[str, str]]:
    entries: Iterable[tuple[str, Any]] = given.items() if isinstance(given, Mapping) else given or ()
    pairs = []
    for name, value in entries:
        values = value if isinstance(value, (list, tuple)) else [value]
        pairs += [(name, _plain(one)) for one in values if one is not None]
    return pairs


def _plain(value: object) -> str:
    return value if isinstance(value, str) else dump(value)


def _encode_parts(parts: Iterable[Part], boundary: str) -> bytes:
    """``multipart/form-data`` (RFC 7578)."""
    chunks = []
    for part in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_escape(part.name)}"'
        if part.filename is not None:
            head += f'; filename="{_escape(part.filename)}"'
        if part.content_type is not None:
            head += f"\r\nContent-Type: {part.content_type}"
        chunks += [f"{head}\r\n\r\n".encode(), _bytes(part.value), b"\r\n"]
    return b"".join([*chunks, f"--{boundary}--\r\n".encode()])


def _escape(name: str) -> str:
    """A name in quotation marks, as browsers write it."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
