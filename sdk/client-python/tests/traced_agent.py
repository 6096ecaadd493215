"""An ordinary program with OpenTelemetry set up and nothing of ours in its tracing: prints the spans that it made."""

from __future__ import annotations

import json
import sys
from typing import Any

from langchain.agents import create_agent
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import valetkey
import valetkey.langchain
from models_of_tests import ScriptedModel

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)

calls = [
    {"name": "hubspot_contacts_search", "args": {"limit": 1, "properties": ["email"]}},
    {"name": "gmail_fetch_mails", "args": {"limit": 1}},
]
with valetkey.Valetkey() as client, trace.get_tracer("app").start_as_current_span("agent"):
    tools = valetkey.langchain.tools(client, identifier=sys.argv[1], connections=["hubspot", "gmail"])
    asked: Any = {"messages": [("user", "What is new?")]}
    create_agent(ScriptedModel(calls=calls), tools).invoke(asked)

spans = []
for span in exporter.get_finished_spans():
    context = span.get_span_context()
    assert context is not None
    spans.append(
        {
            "name": span.name,
            "trace_id": f"{context.trace_id:032x}",
            "span_id": f"{context.span_id:016x}",
            "start": span.start_time,
            "end": span.end_time,
            "attributes": dict(span.attributes or {}),
        }
    )
print(json.dumps(spans))
