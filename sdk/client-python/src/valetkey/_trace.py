"""OpenTelemetry, where it is installed: requests carry the current span's trace context, so that the host's spans join
the agent's trace, and a tool call is a span with its arguments, result and latency. Without it, nothing happens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from valetkey._version import __version__

try:
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:  # pragma: no cover - the tests have it
    trace = None  # type: ignore[assignment]

# An attribute is cut to so many characters.
_LONGEST = 8 * 1024

Note = Callable[..., None]


def headers() -> dict[str, str]:
    """`traceparent` and `tracestate` of the current span; empty when there is none."""
    carrier: dict[str, str] = {}
    if trace is not None:
        TraceContextTextMapPropagator().inject(carrier)
    return carrier


@contextmanager
def tool_call(name: str, arguments: Any, content: bool) -> Iterator[Note]:
    """The span of a tool call, named and attributed by the semantic conventions for generative AI. `content` says
    whether it holds arguments and result. The yielded function notes what came back."""
    if trace is None:
        yield _nothing
        return
    tracer = trace.get_tracer("valetkey", __version__)
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "gen_ai.tool.type": "function"}
    if content:
        attributes["gen_ai.tool.call.arguments"] = _shown(arguments)
    # An error's text goes with its type; a recorded exception would bring frames along.
    with tracer.start_as_current_span(f"execute_tool {name}", attributes=attributes, record_exception=False) as span:

        def note(execution_id: str | None, result: Any = None, error: str | None = None) -> None:
            if execution_id is not None:
                span.set_attribute("valetkey.execution_id", execution_id)
            if error is not None:
                span.set_attribute("error.type", error)
            elif content:
                span.set_attribute("gen_ai.tool.call.result", _shown(result))

        yield note


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:_LONGEST]


def _nothing(*_: Any, **__: Any) -> None:
    pass
