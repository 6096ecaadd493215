"""The agent's run that calls belong to, as a context of the program: tasks inherit it, and threads that copy it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_run: ContextVar[str | None] = ContextVar("valetkey_agent_run", default=None)


@contextmanager
def agent_run(agent_run_id: str | None = None) -> Iterator[str]:
    """Every tool call inside carries this `agent_run_id`, a new one when none is given; the host's record of executions
    then tells what a run did.

    ```python
    with valetkey.agent_run() as run_id:
        graph.invoke(…)
    ```
    """
    run = agent_run_id or f"run_{uuid.uuid4().hex}"
    token = _run.set(run)
    try:
        yield run
    finally:
        _run.reset(token)


def current_agent_run() -> str | None:
    """The id of the run that calls made now belong to."""
    return _run.get()
