"""Texts: quoting them for a model, encoding them for a vendor."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote as _percent
from urllib.parse import quote_plus as _form

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def cut(text: str, limit: int) -> str:
    """At most ``limit`` UTF-8 bytes from a text's beginning, whole characters."""
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= limit else encoded[:limit].decode("utf-8", "ignore")


def quote(text: str, limit: int) -> str:
    """A text in quotation marks, on one line and at most ``limit`` bytes of it."""
    whole = text.strip()
    shown = cut(whole, limit)
    more = "…" if len(shown) < len(whole) else ""
    return f'"{_CONTROL.sub(" ", shown)}{more}"'


def percent_encode(text: str) -> str:
    """Percent-encodes everything but unreserved characters (RFC 3986 section 2.3)."""
    return _percent(text, safe="")


def form_encode(pairs: Iterable[tuple[str, str]]) -> str:
    """Pairs as ``application/x-www-form-urlencoded``."""
    return "&".join(f"{_form(name, safe='')}={_form(value, safe='')}" for name, value in pairs)
