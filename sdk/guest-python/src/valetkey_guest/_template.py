"""Filling templates of declared requests in. What is left out and what is encoded is said in the manifest's reference
(``sdk/manifest/src/tool.rs``); the cases of ``sdk/guest-cases/declared.json`` hold every language to the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ._fault import Fault
from ._json import dump, elements, member, members
from ._text import form_encode, percent_encode

if TYPE_CHECKING:
    from ._call import Page

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)(\.\.\.)?\}")
_NUMBER = re.compile(r"[0-9]+")


def segment(name: str, value: str) -> str:
    """Percent-encodes one segment of a path; ``name`` is the parameter that the value comes from."""
    if value in ("", ".", ".."):
        raise Fault(
            "invalid_input",
            f'`{name}` is "{value}"; it has to name one thing.',
            problems=[(f"/{name.replace('.', '/')}", "is empty or a dot")],
        )
    return percent_encode(value)


class _Written(NamedTuple):
    """What became of a part of a template: it is a constant, some placeholder in it had a value, or it has
    placeholders and none of them had one."""

    how: Literal["constant", "filled", "dropped"]
    text: str


_DROPPED = _Written("dropped", "")


class Scope:
    """What names stand for in one call, as texts of JSON."""

    def __init__(
        self, input: str, page: Page, paginator: dict[str, Any] | None, config: Callable[[str], str | None]
    ) -> None:
        self._input = input
        self._config = config
        self._page_token = _page_token(page, paginator or {})
        self._page_size = None if page.size is None else str(page.size)

    def value(self, name: str) -> str | None:
        """What a name stands for."""
        if name == "page.token":
            return self._page_token
        if name == "page.size":
            return self._page_size
        if name.startswith("config."):
            value = self._config(name.removeprefix("config."))
            return None if value is None else dump(value)
        return member(self._input, name.split("."))

    def text(self, template: str) -> str | None:
        """A text; none when a placeholder in it has no value."""
        values = [_plain(self.value(found[1])) for found in _PLACEHOLDER.finditer(template)]
        if None in values:
            return None
        filled = iter(values)
        return _PLACEHOLDER.sub(lambda _: next(filled) or "", template)

    def path(self, template: str) -> str:
        """A path: values as one encoded segment each, those of ``{name...}`` as many."""

        def fill(found: re.Match[str]) -> str:
            value = _plain(self.value(found[1])) or ""
            segments = value.lstrip("/").split("/") if found[2] else [value]
            return "/".join(segment(found[1], one) for one in segments)

        return _PLACEHOLDER.sub(fill, template)

    def pairs(self, declared: str, join: str | None, nested: str | None) -> list[tuple[str, str]]:
        """Pairs of a query or a form; ``declared`` is the text of an object, the others are the request's."""
        return [pair for name, template in members(declared) for pair in self._pairs(name, template, join, nested)]

    def _pairs(self, name: str, template: str, join: str | None, nested: str | None) -> list[tuple[str, str]]:
        value: str | None = template
        if template.startswith('"'):
            text = json.loads(template)
            whole = _PLACEHOLDER.fullmatch(text)
            if whole is None:
                filled = self.text(text)
                return [] if filled is None else [(name, filled)]
            value = self.value(whole[1])
        if value is None:
            return []
        if nested == "brackets" and _holds_objects(value):
            return _bracketed(name, value)
        found = elements(value)
        texts = [text for text in map(_plain, [value] if found is None else found) if text is not None]
        if found is not None and join is not None and texts:
            texts = [join.join(texts)]
        return [(name, text) for text in texts]

    def form(self, declared: str, nested: str | None) -> str:
        """A form body."""
        return form_encode(self.pairs(declared, None, nested))

    def json(self, declared: str) -> str:
        """A JSON body; ``declared`` is its text. The outermost object or array is always there."""
        return self._entries(declared).text if declared[0] in "{[" else self._write(declared).text

    def _write(self, template: str) -> _Written:
        """What a template stands for."""
        if template[0] in "{[":
            return self._entries(template)
        if not template.startswith('"'):
            return _Written("constant", template)
        text = json.loads(template)
        whole = _PLACEHOLDER.fullmatch(text)
        if whole is not None:
            value = self.value(whole[1])
            return _DROPPED if value is None else _Written("filled", value)
        complete = self.text(text)
        if complete is None:
            return _DROPPED
        return _Written("constant", template) if complete == text else _Written("filled", dump(complete))

    def _entries(self, template: str) -> _Written:
        """An object or array with those of its entries that have a value."""
        entries: list[tuple[str, _Written]] = []
        if template.startswith("{"):
            entries += [(f"{dump(name)}:", self._write(value)) for name, value in members(template)]
        else:
            for element in elements(template) or []:
                entries += [("", written) for written in self._elements(element)]
        inner = ",".join(name + text for name, (how, text) in entries if how != "dropped")
        all_of = {how for _, (how, _) in entries}
        how: Literal["constant", "filled", "dropped"] = (
            "filled" if "filled" in all_of else "dropped" if "dropped" in all_of else "constant"
        )
        return _Written(how, f"{{{inner}}}" if template.startswith("{") else f"[{inner}]")

    def _elements(self, template: str) -> list[_Written]:
        spread = _PLACEHOLDER.fullmatch(json.loads(template)) if template.startswith('"') else None
        if spread is None or spread[2] is None:
            return [self._write(template)]
        value = self.value(spread[1])
        values = None if value is None else elements(value)
        return [_DROPPED] if values is None else [_Written("filled", value) for value in values]


def _holds_objects(value: str) -> bool:
    """Whether a value is an object or an array that holds one."""
    return value.startswith("{") or any(map(_holds_objects, elements(value) or []))


def _bracketed(name: str, value: str) -> list[tuple[str, str]]:
    """Every text and number inside a value under the path that leads to it: ``a[b]=1``, ``a[0][c]=2``."""
    if value.startswith("{"):
        return [pair for key, inner in members(value) for pair in _bracketed(f"{name}[{key}]", inner)]
    found = elements(value)
    if found is not None:
        return [pair for index, inner in enumerate(found) for pair in _bracketed(f"{name}[{index}]", inner)]
    text = _plain(value)
    return [] if text is None else [(name, text)]


def _plain(value: str | None) -> str | None:
    """A JSON text as plain text; none for null."""
    if value is None or value == "null":
        return None
    return str(json.loads(value)) if value.startswith('"') else value


def _page_token(page: Page, paginator: dict[str, Any]) -> str | None:
    is_number = paginator.get("kind") in ("offset", "page")
    if page.token is None:
        return str(paginator.get("first", 0)) if is_number else None
    return str(int(page.token)) if is_number and _NUMBER.fullmatch(page.token) else dump(page.token)
