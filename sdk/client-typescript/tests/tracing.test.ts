/** A tool call in the agent's trace, with the real OpenTelemetry SDK. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { SpanStatusCode, context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { Valetkey } from "@valetkey/client";

import { type Serving, json, serve } from "./support/server.js";

const exporter = new InMemorySpanExporter();
const parents: (string | undefined)[] = [];
const params = { query: "acme" };
const data = { results: [{ id: "1" }] };

let server: Serving;

before(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  server = await serve((request, response) => {
    parents.push(request.headers["traceparent"] as string | undefined);
    const refused = {
      kind: "overloaded",
      message: "Full.",
      side: "host",
      retryable: false,
      execution_id: "exe_2",
    };
    if (request.body.includes("acme")) json(response, { data, execution_id: "exe_1" });
    else json(response, { error: refused }, 503);
  });
});

beforeEach(() => {
  exporter.reset();
  parents.length = 0;
});

after(async () => {
  await server.close();
  trace.disable();
  context.disable();
});

test("a tool call is a span of the agent's trace, with arguments and result, and the host's parent", async () => {
  const client = new Valetkey({ baseUrl: server.url, accessToken: "t" });
  await trace.getTracer("agent").startActiveSpan("agent", async (agent) => {
    await client.executeTool({ toolName: "crm_search", identifier: "ada", params });
    agent.end();
  });
  const [call, agent] = exporter.getFinishedSpans();
  assert.ok(call !== undefined && agent !== undefined);
  assert.equal(call.name, "execute_tool crm_search");
  assert.equal(call.parentSpanContext?.spanId, agent.spanContext().spanId);
  assert.deepEqual(call.attributes, {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "crm_search",
    "gen_ai.tool.type": "function",
    "gen_ai.tool.call.arguments": JSON.stringify(params),
    "gen_ai.tool.call.result": JSON.stringify(data),
    "valetkey.execution_id": "exe_1",
  });
  const { traceId, spanId } = call.spanContext();
  assert.deepEqual(parents, [`00-${traceId}-${spanId}-01`]);
});

test("a failed call says why in its span, and content stays out of the trace when that is wanted", async () => {
  const client = new Valetkey({ baseUrl: server.url, accessToken: "t", traceContent: false });
  await assert.rejects(client.executeTool({ toolName: "crm_search", identifier: "ada" }));
  await client.executeTool({ toolName: "crm_search", identifier: "ada", params });
  const [failed, done] = exporter.getFinishedSpans();
  assert.equal(failed?.attributes["error.type"], "overloaded");
  assert.equal(failed.attributes["valetkey.execution_id"], "exe_2");
  assert.deepEqual(failed.status, { code: SpanStatusCode.ERROR, message: "Full." });
  assert.ok(done !== undefined);
  assert.ok(!JSON.stringify([failed.attributes, done.attributes]).includes("acme"));
});
