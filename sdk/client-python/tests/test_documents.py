"""The examples of the documents run as they stand, against a real host with simulated vendors."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models_of_tests import ScriptedModel

PACKAGE = Path(__file__).resolve().parents[1]
DOCUMENTS = [PACKAGE / "README.md", PACKAGE.parents[1] / "docs" / "guides" / "langchain.md"]


@pytest.fixture
def surroundings(
    real_host: dict[str, str], connect: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """What the documents take for granted: the environment, a connected user, a model."""
    for name, variable in (
        ("base_url", "VALETKEY_SERVER"),
        ("client_id", "VALETKEY_CLIENT_ID"),
        ("client_secret", "VALETKEY_CLIENT_SECRET"),
    ):
        monkeypatch.setenv(variable, real_host[name])
    connect("hubspot", "user-42")
    return {"model": ScriptedModel(calls=[{"name": "hubspot_contacts_search", "args": {"limit": 1}}])}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_the_examples_run(document: Path, surroundings: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    text = document.read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 3
    for block in blocks:
        line = text[: text.index(block)].count("\n")
        # Padded, so that a failure names the document's own line.
        exec(compile("\n" * line + block, str(document), "exec"), surroundings)
    surroundings["client"].close()
    said = capsys.readouterr().out
    if document.stem == "README":
        assert "Open this: http" in said
        assert "Send the user to http" in said
        assert "True " in said, "the execution knows its run"
    else:
        assert "hubspot_contacts_search: success" in said
