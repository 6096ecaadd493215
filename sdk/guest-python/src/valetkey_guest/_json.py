"""JSON as text: looking into it and taking parts of it without making values of it, so that a number stays as it was
written. Every text here is JSON already."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]

_SPACE = re.compile(r"[ \t\n\r]*")
_INDEX = re.compile(r"[0-9]+")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


# Numbers stay texts: some are longer than Python makes of a text without being told to.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)


def check(text: str) -> None:
    """Raises ``ValueError`` for a text that is not JSON."""
    try:
        _DECODER.decode(text)
    except RecursionError:
        raise ValueError("it nests too deeply") from None


def dump(value: object) -> str:
    """A value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def find(text: str, pointer: str) -> str | None:
    """The text at a JSON pointer (RFC 6901); none when there is nothing."""
    steps = pointer.removeprefix("/").split("/") if pointer else []
    return _follow(text, [step.replace("~1", "/").replace("~0", "~") for step in steps], into_arrays=True)


def member(text: str, names: list[str]) -> str | None:
    """The text at a path of members; none when there is nothing."""
    return _follow(text, names, into_arrays=False)


def elements(text: str) -> list[str] | None:
    """The elements of an array, each as text; none when it is no array."""
    start = _space(text, 0)
    return [text[at:end] for _, at, end in _inside(text, start)] if text[start] == "[" else None


def members(text: str) -> list[tuple[str, str]]:
    """The members of an object as pairs of name and text, sorted by name."""
    return sorted((json.loads(name), text[at:end]) for name, at, end in _inside(text, _space(text, 0)))


def without(text: str, names: list[str]) -> str:
    """A copy without the members of these names at any depth, and without white space."""

    def copy(start: int, end: int) -> str:
        if text[start] not in "{[":
            return text[start:end]
        kept = []
        for name, at, until in _inside(text, start):
            if not name:
                kept.append(copy(at, until))
            elif name[1:-1] not in names:
                kept.append(f"{name}:{copy(at, until)}")
        inner = ",".join(kept)
        return f"{{{inner}}}" if text[start] == "{" else f"[{inner}]"

    start = _space(text, 0)
    return copy(start, _end(text, start))


def _follow(text: str, steps: list[str], *, into_arrays: bool) -> str | None:
    start = _space(text, 0)
    end = _end(text, start)
    for step in steps:
        found = None
        if text[start] == "{":
            for name, at, until in _inside(text, start):
                if json.loads(name) == step:
                    found = (at, until)
        elif text[start] == "[" and into_arrays and _INDEX.fullmatch(step):
            for index, (_, at, until) in enumerate(_inside(text, start)):
                if index == int(step):
                    found = (at, until)
        if found is None:
            return None
        start, end = found
    return text[start:end]


def _inside(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    """What is in the object or array at ``start``: the name as it is written, where its value begins and ends."""
    is_object = text[start] == "{"
    at = _space(text, start + 1)
    while text[at] not in "}]":
        name = ""
        if is_object:
            _, after = scanstring(text, at + 1)
            name = text[at:after]
            at = _space(text, _space(text, after) + 1)
        end = _end(text, at)
        yield name, at, end
        at = _space(text, end)
        if text[at] == ",":
            at = _space(text, at + 1)


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _end(text: str, start: int) -> int:
    _, end = _DECODER.raw_decode(text, start)
    return end
