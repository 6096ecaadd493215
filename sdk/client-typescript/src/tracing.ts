/**
 * OpenTelemetry, where it is installed: requests carry the active span's trace context, so that the host's spans join
 * the agent's trace, and a tool call is a span with its arguments, result and latency. Without it nothing happens.
 */
import { ValetkeyError } from "./errors.js";
import type { Executed, ExecuteTool } from "./generated/types.js";
import { VERSION } from "./generated/version.js";

type Api = typeof import("@opentelemetry/api");

/** An attribute is cut to so many characters. */
const LONGEST = 8_192;

let loading: Promise<Api | undefined> | undefined;

function api(): Promise<Api | undefined> {
  loading ??= import("@opentelemetry/api").catch(() => undefined);
  return loading;
}

/** The headers of the active span (W3C Trace Context); none without one. */
export async function traceHeaders(): Promise<Record<string, string>> {
  const otel = await api();
  const span = otel?.trace.getActiveSpan()?.spanContext();
  if (otel === undefined || span === undefined || !otel.isSpanContextValid(span)) return {};
  const flags = span.traceFlags.toString(16).padStart(2, "0");
  const state = span.traceState?.serialize();
  return {
    traceparent: `00-${span.traceId}-${span.spanId}-${flags}`,
    ...(state !== undefined && state !== "" && { tracestate: state }),
  };
}

/**
 * Runs a tool call as a span, named and attributed by the semantic conventions for generative AI. `content` says whether
 * it holds arguments and result.
 */
export async function traced(
  call: ExecuteTool,
  content: boolean,
  run: () => Promise<Executed>,
): Promise<Executed> {
  const otel = await api();
  if (otel === undefined) return run();
  const tracer = otel.trace.getTracer("@valetkey/client", VERSION);
  return tracer.startActiveSpan(`execute_tool ${call.toolName}`, async (span) => {
    span.setAttributes({
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": call.toolName,
      "gen_ai.tool.type": "function",
    });
    const shown = content && span.isRecording();
    try {
      if (shown) span.setAttribute("gen_ai.tool.call.arguments", text(call.params ?? {}));
      const executed = await run();
      span.setAttribute("valetkey.execution_id", executed.executionId);
      if (shown) span.setAttribute("gen_ai.tool.call.result", text(executed.data));
      return executed;
    } catch (error) {
      const fault = error instanceof ValetkeyError ? error : undefined;
      span.setAttribute("error.type", fault?.kind ?? "cancelled");
      if (fault?.executionId !== undefined) span.setAttribute("valetkey.execution_id", fault.executionId);
      span.setStatus({
        code: otel.SpanStatusCode.ERROR,
        ...(fault !== undefined && { message: fault.message }),
      });
      throw error;
    } finally {
      span.end();
    }
  });
}

function text(value: unknown): string {
  return (JSON.stringify(value) as string | undefined)?.slice(0, LONGEST) ?? "";
}
