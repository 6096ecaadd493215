"""An agent with OpenTelemetry's own SDK: one span around one tool call.

    agent.py BASE_URL TOKEN TOOL IDENTIFIER

Exports to OTEL_EXPORTER_OTLP_ENDPOINT and prints the span's id and trace id as JSON.
"""

import json
import sys
import urllib.request

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import inject
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

base_url, token, tool, identifier = sys.argv[1:]
provider = TracerProvider(resource=Resource.create({"service.name": "agent"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("agent")

with tracer.start_as_current_span("agent step") as span:
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    inject(headers)
    body = json.dumps({"tool_name": tool, "identifier": identifier, "params": {}}).encode()
    request = urllib.request.Request(f"{base_url}/api/v1/execute_tool", data=body, headers=headers)
    with urllib.request.urlopen(request) as answer:
        result = json.load(answer)
    context = span.get_span_context()

provider.shutdown()
print(
    json.dumps(
        {
            "trace": f"{context.trace_id:032x}",
            "span": f"{context.span_id:016x}",
            "execution_id": result["execution_id"],
        }
    )
)
