"""The hosts of the tests: a real one with simulated vendors, and a scripted one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

import valetkey
from case_server import CLIENT_ID, CLIENT_SECRET, CaseServer


@pytest.fixture(scope="session")
def real_host() -> dict[str, str]:
    """A host with simulated vendors, as the first line of `valetkey demo --json` describes one."""
    line = os.environ.get("VALETKEY_TEST_HOST")
    if not line:
        pytest.skip("VALETKEY_TEST_HOST names no host: cargo nextest run -p valetkey-tests --test clients starts one")
    host: dict[str, str] = json.loads(line)
    return host


@pytest.fixture
def real_client(real_host: dict[str, str]) -> Iterator[valetkey.Valetkey]:
    """A client of the real host."""
    with valetkey.Valetkey(**credentials(real_host)) as client:
        yield client


@pytest.fixture
def connect(real_host: dict[str, str], real_client: valetkey.Valetkey) -> Callable[[str, str], None]:
    """Connects a user's account by the whole flow: link, consent at the vendor, callback."""

    def connect(connection_name: str, identifier: str) -> None:
        httpx.patch(f"{real_host['simulator_url']}/_control/options", json={"user": identifier}).raise_for_status()
        link = real_client.connected_accounts.link(connection_name=connection_name, identifier=identifier)
        httpx.get(link.authorization_link, follow_redirects=True).raise_for_status()
        assert real_client.connected_accounts.get(link.connected_account_id).state == "ACTIVE"

    return connect


@pytest.fixture
def server() -> Iterator[CaseServer]:
    """A scripted host."""
    with CaseServer() as server:
        yield server


@pytest.fixture
def client(server: CaseServer) -> Iterator[valetkey.Valetkey]:
    """A client of the scripted host."""
    with valetkey.Valetkey(server.base_url, client_id=CLIENT_ID, client_secret=CLIENT_SECRET) as client:
        yield client


def credentials(host: dict[str, str]) -> dict[str, Any]:
    """The arguments of a client of the real host."""
    return {name: host[name] for name in ("base_url", "client_id", "client_secret")}
