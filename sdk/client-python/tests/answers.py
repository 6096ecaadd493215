"""Answers that the scripted host gives in these tests."""

from __future__ import annotations

from typing import Any


def tool(name: str, read_only: bool = True, connector: str = "hubspot", **members: Any) -> dict[str, Any]:
    """A tool as the host lists it."""
    schema = {
        "type": "object",
        "properties": {"query": {"type": "string", "description": "Words."}, "limit": {"type": "integer"}},
        "required": ["query"],
    }
    return {
        "name": name,
        "title": name,
        "description": f"What {name} does.",
        "connector": connector,
        "connector_version": "0.1.0",
        "hints": {"read_only": read_only, "destructive": False, "idempotent": read_only},
        "input_schema": schema,
        **members,
    }


def items(*items: dict[str, Any], next_cursor: str | None = None) -> dict[str, Any]:
    """A page."""
    return {"json": {"items": list(items)} | ({} if next_cursor is None else {"next_cursor": next_cursor})}


def executed(data: Any, **members: Any) -> dict[str, Any]:
    """A result."""
    return {"json": {"data": data, "execution_id": "exe_1", **members}}


def error(status: int, kind: str, **members: Any) -> dict[str, Any]:
    """A refusal."""
    return {
        "status": status,
        "json": {"error": {"kind": kind, "message": f"It is {kind}.", "side": "caller", "retryable": False, **members}},
    }


def connection(name: str, connector: str) -> dict[str, Any]:
    """A connection."""
    return {
        "json": {
            "connection_name": name,
            "connector": connector,
            "auth": "oauth2",
            "credential_kind": "oauth2",
            "scopes": [],
            "endpoints": {},
            "development": False,
            "proxy": False,
            "user_verify_urls": [],
            "application_name": "App",
            "created_at": "2026-01-01T00:00:00Z",
        }
    }


LINK = {
    "json": {
        "authorization_link": "https://keys.example/connect/t",
        "auth_request_id": "ar_1",
        "connected_account_id": "ca_1",
        "expires_at": "2026-01-01T00:10:00Z",
    }
}
