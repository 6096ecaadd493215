/** The caller's trace goes on in the host: when OpenTelemetry is there and a span is active, it is the parent. */
type Api = typeof import("@opentelemetry/api");

let loading: Promise<Api | undefined> | undefined;

/** The headers of the active span (W3C Trace Context); none without one. */
export async function traceHeaders(): Promise<Record<string, string>> {
  loading ??= import("@opentelemetry/api").catch(() => undefined);
  const api = await loading;
  const span = api?.trace.getActiveSpan()?.spanContext();
  if (api === undefined || span === undefined || !api.isSpanContextValid(span)) return {};
  const flags = span.traceFlags.toString(16).padStart(2, "0");
  const state = span.traceState?.serialize();
  return {
    traceparent: `00-${span.traceId}-${span.spanId}-${flags}`,
    ...(state !== undefined && state !== "" && { tracestate: state }),
  };
}
