/** What a client is made with and a call is made with. */
import type { Clock } from "./clock.js";

/** How a client finds its host and proves itself. */
export interface ValetkeyOptions {
  /** URL of the host; the environment's `VALETKEY_SERVER` when absent. */
  readonly baseUrl?: string;
  /** API client id; the environment's `VALETKEY_CLIENT_ID` when absent. */
  readonly clientId?: string;
  /** API client secret; the environment's `VALETKEY_CLIENT_SECRET` when absent. */
  readonly clientSecret?: string;
  /** Scopes to ask for, when fewer than the API client has will do. */
  readonly scopes?: readonly string[];
  /** An access token from elsewhere instead of a client, or a function that gives the present one. */
  readonly accessToken?: string | (() => string | Promise<string>);
  /** Milliseconds that a call may take, when it does not say so itself. The host's own default when absent. */
  readonly timeoutMs?: number;
  /** Attempts of one request in all: 3 when absent, 1 for none but the first. */
  readonly maxAttempts?: number;
  /** The agent's own name for its run: every tool call is recorded under it. `forRun` gives a client for another. */
  readonly agentRunId?: string;
  /** Whether spans of tool calls hold arguments and results, where OpenTelemetry is there: true when absent. */
  readonly traceContent?: boolean;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the runtime's `fetch`. */
  readonly fetch?: typeof fetch;
  /** Instead of the machine's time; for tests. */
  readonly clock?: Clock;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call: down to the host's request to the vendor, where one runs. */
  readonly signal?: AbortSignal;
  /** Milliseconds that the whole call may take: token, attempts, waits. */
  readonly timeoutMs?: number;
}

/** What a call of a tool takes. */
export interface ExecuteOptions extends CallOptions {
  /**
   * Names this one call: the same key with the same call answers the first outcome again. Each call has a key of
   * its own making when absent, so that a lost answer is asked for again and the tool does not run twice.
   */
  readonly idempotencyKey?: string;
  /** The tool is known to change nothing: a repetition needs no key, and the host keeps no record of one. */
  readonly readOnly?: boolean;
}
