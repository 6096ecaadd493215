"""Where the host is and as whom to call it: what the program says, or else its environment."""

from __future__ import annotations

import dataclasses
import os
import uuid
from urllib.parse import urlsplit


class Secret:
    """A text that shows itself to nobody who does not ask."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret(…)"

    def reveal(self) -> str:
        """The text itself, for the request that needs it."""
        return self._value


@dataclasses.dataclass(frozen=True)
class Settings:
    """A host and an API client of it."""

    base_url: str
    client_id: str
    client_secret: Secret


def settings(base_url: str | None, client_id: str | None, client_secret: str | None) -> Settings:
    """The settings given, each or else of the environment (`VALETKEY_SERVER`, `VALETKEY_CLIENT_ID`,
    `VALETKEY_CLIENT_SECRET`)."""
    base_url = _given("base_url", base_url, "VALETKEY_SERVER").rstrip("/")
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"base_url must be a URL like https://keys.example.com, not {base_url!r}")
    if parts.username or parts.password:
        raise ValueError("base_url holds a password; give client_id and client_secret instead")
    return Settings(
        base_url,
        _given("client_id", client_id, "VALETKEY_CLIENT_ID"),
        Secret(_given("client_secret", client_secret, "VALETKEY_CLIENT_SECRET")),
    )


def idempotency_key(given: str | None) -> str:
    """The caller's key, or a new one."""
    key = f"py-{uuid.uuid4().hex}" if given is None else given
    if not 1 <= len(key) <= 255 or not all("!" <= letter <= "~" for letter in key):
        raise ValueError("idempotency_key must be 1 to 255 visible ASCII characters")
    return key


def _given(name: str, value: str | None, variable: str) -> str:
    value = value or os.environ.get(variable)
    if not value:
        raise ValueError(f"give {name}, or set {variable}")
    return value
