/** Raw requests to a vendor with the account's credential: the request as `/proxy` takes it, the answer as the vendor gave it. */
import type { Answer, Request } from "./transport.js";

/** A raw request. The account is named by `identifier` or by `connectedAccountId`. */
export interface ProxyRequest {
  /** The connection, on which the operator has allowed raw requests. */
  readonly connectionName: string;
  /** The application's key for the user whose account is meant. */
  readonly identifier?: string;
  /** Or the account itself, `ca_…`. */
  readonly connectedAccountId?: string;
  /** Endpoint of the connector, where it has several; `api` when absent. */
  readonly endpoint?: string;
  /** `GET` when absent. */
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path below the connector's endpoint, percent-encoded as the vendor wants it. */
  readonly path: string;
  /** Query, beside what `path` has of it. */
  readonly query?: Readonly<Record<string, string>> | URLSearchParams;
  /** Headers for the vendor. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A value to send as JSON, instead of `body`. */
  readonly json?: unknown;
  /** Body, as the vendor wants it. */
  readonly body?: string | Uint8Array<ArrayBuffer> | ArrayBuffer | Blob | URLSearchParams | FormData;
  /** The agent's own name for its run, for the record. */
  readonly agentRunId?: string;
}

/** Says that an answer is the vendor's, with the status that it gave. */
const VENDOR_STATUS = "x-vendor-status";

/** Statuses whose answers have no body, not even an empty one. */
const BODILESS = new Set([101, 204, 205, 304]);

/** The request on the wire. `timeoutMs` is told to the host when the caller named it. */
export function proxied(raw: ProxyRequest, timeoutMs: number | undefined): Request {
  const { method = "GET", json } = raw;
  const body = json === undefined ? raw.body : JSON.stringify(json);
  const named = {
    "connection-name": raw.connectionName,
    identifier: raw.identifier,
    "connected-account-id": raw.connectedAccountId,
    endpoint: raw.endpoint,
    "agent-run-id": raw.agentRunId,
    "deadline-ms": timeoutMs === undefined ? undefined : Math.ceil(timeoutMs).toString(),
  };
  const headers: Record<string, string> = {
    accept: "*/*",
    ...(json !== undefined && { "content-type": "application/json" }),
  };
  for (const [name, value] of Object.entries(raw.headers ?? {})) headers[name.toLowerCase()] = value;
  for (const [name, value] of Object.entries(named)) if (value !== undefined) headers[name] = bytesOf(value);
  const writes = method !== "GET" && method !== "HEAD";
  return {
    method,
    path: pathOf(raw),
    headers,
    ...(body !== undefined && { body: () => body }),
    writes,
    repeatable: !writes,
    accepts: (answer) => answer.headers.has(VENDOR_STATUS),
  };
}

/** The vendor's answer, with the vendor's own status. */
export function vendorsAnswer(answer: Answer): Response {
  const { headers } = answer;
  const status = Number(headers.get(VENDOR_STATUS));
  return new Response(BODILESS.has(status) ? null : answer.body, { status, headers });
}

function pathOf({ path, query }: ProxyRequest): string {
  const [before = "", ...rest] = path.replace(/^\/+/, "").split("?");
  // What a URL parser would take for a step upwards leads out of the vendor's paths and into the host's own.
  const steps = before.split(/[\\/]/).some((segment) => /^(\.|%2e){1,2}$/i.test(segment));
  if (steps || /[\\#\s]/.test(path)) {
    throw new TypeError(
      "`path` is percent-encoded, without `.` and `..` as segments and without a fragment.",
    );
  }
  const more = query instanceof URLSearchParams ? query : new URLSearchParams({ ...query });
  const whole = [rest.join("?"), more.toString()].filter((part) => part !== "").join("&");
  return `/proxy/${before}${whole === "" ? "" : `?${whole}`}`;
}

/** A header's text as UTF-8: `fetch` takes bytes there, one for each character. */
function bytesOf(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
