/**
 * One request and its repetitions. A request is repeated when that can do nothing twice: when nothing was sent,
 * when it changes nothing, when it carries an idempotency key, or when the host says so. A write whose answer
 * never came is an `AmbiguousOutcomeError` and is left to the caller.
 */
import { type Clock, Deadline } from "./clock.js";
import {
  ConnectionFailedError,
  DeadlineExceededError,
  InvalidAnswerError,
  type ValetkeyError,
  codeOf,
  isUntrusted,
} from "./errors.js";
import { ambiguous, faultOf, isGateway } from "./faults.js";
import type { TokenSource } from "./tokens.js";
import { traceHeaders } from "./tracing.js";

/** What a request is, beside the token and the trace. */
export interface Request {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body of an attempt that has so many milliseconds left. */
  readonly body?: (remainingMs: number) => BodyInit;
  /** Whether it changes something. */
  readonly writes: boolean;
  /** Whether sending it again can do nothing twice. */
  readonly repeatable: boolean;
  /** Whether an answer is the result, whatever its status; those from 200 to 299 when absent. */
  readonly accepts?: (answer: Answer) => boolean;
}

/** What was answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ArrayBuffer;
}

/** How long, and how often. */
export interface Patience {
  readonly timeoutMs: number;
  /** The longest wait between two attempts. */
  readonly maxWaitMs: number;
  /** Milliseconds beyond `timeoutMs` in which the host may still say why there is no result. */
  readonly graceMs: number;
  readonly maxAttempts: number;
  readonly signal: AbortSignal | undefined;
}

/** What every request of a client has in common. */
export interface Connection {
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly headers: Readonly<Record<string, string>>;
}

/** Why an attempt gave nothing. */
interface Failure {
  readonly error: ValetkeyError;
  /** When it may be repeated: after so many milliseconds, or when the client likes. */
  readonly again?: number | "later";
  /** Whether what was sent may have been carried out. */
  readonly unsettled?: true;
}

const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 8_000;

/** Codes of failures before anything was sent: of Node's sockets and resolver, and of its fetch. */
const NOT_SENT = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Sends a request until it is answered, or throws why it is not. Without `tokens` it carries none. */
export async function send(
  connection: Connection,
  request: Request,
  patience: Patience,
  tokens?: TokenSource,
): Promise<Answer> {
  const { clock } = connection;
  const deadline = new Deadline(clock, patience.timeoutMs, patience.graceMs, patience.signal);
  let unsettled: ValetkeyError | undefined;
  try {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await authorized(connection, request, patience, deadline, tokens);
      if (!("error" in outcome)) return outcome;
      const { error, again } = outcome;
      // Once a write may have been carried out, a later failure does not make that unsaid.
      if (outcome.unsettled === true) unsettled = error;
      const waitMs = again === "later" ? backoffMs(attempt) : again;
      const spent = attempt >= patience.maxAttempts;
      if (waitMs === undefined || spent || waitMs > patience.maxWaitMs || waitMs >= deadline.remainingMs()) {
        throw error.retryable ? (unsettled ?? error) : error;
      }
      await clock.sleep(waitMs, deadline.signal);
      deadline.throwIfCancelled();
    }
  } finally {
    deadline.end();
  }
}

/** One attempt; a second one when the host no longer takes the token, for then it has done nothing. */
async function authorized(
  connection: Connection,
  request: Request,
  patience: Patience,
  deadline: Deadline,
  tokens: TokenSource | undefined,
): Promise<Answer | Failure> {
  if (tokens === undefined) return attempt(connection, request, patience, deadline, undefined);
  for (let renewed = false; ; renewed = true) {
    const token = await tokens.get(deadline);
    deadline.throwIfCancelled();
    if (token === undefined) return { error: new DeadlineExceededError(patience.timeoutMs) };
    const outcome = await attempt(connection, request, patience, deadline, token);
    const refused = "error" in outcome && outcome.error.kind === "unauthenticated";
    if (!refused || renewed || !tokens.refused(token)) return outcome;
  }
}

async function attempt(
  connection: Connection,
  request: Request,
  patience: Patience,
  deadline: Deadline,
  token: string | undefined,
): Promise<Answer | Failure> {
  const { method, path } = request;
  const headers = new Headers(connection.headers);
  const own = { ...(await traceHeaders()), ...request.headers };
  for (const [name, text] of Object.entries(own)) headers.set(name, text);
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  const body = request.body?.(deadline.remainingMs());
  let answer: Answer;
  try {
    // A redirect is never followed: it could lead the token elsewhere, and turn a POST into a GET.
    const init: RequestInit = { method, headers, signal: deadline.signal, redirect: "manual" };
    const response = await connection.fetch(
      `${connection.baseUrl}${path}`,
      body === undefined ? init : { ...init, body },
    );
    answer = {
      status: response.status,
      headers: response.headers,
      body: await response.arrayBuffer(),
    };
  } catch (cause) {
    deadline.throwIfCancelled();
    return deadline.signal.aborted ? late(request, patience) : lost(request, cause);
  }
  const accepted = request.accepts?.(answer) ?? (answer.status >= 200 && answer.status < 300);
  return accepted ? answer : refused(request, answer);
}

function late(request: Request, patience: Patience): Failure {
  if (request.writes) return { error: ambiguous("answer_late"), unsettled: true };
  return { error: new DeadlineExceededError(patience.timeoutMs) };
}

function lost(request: Request, cause: unknown): Failure {
  const code = codeOf(cause);
  if (isUntrusted(code)) return { error: new ConnectionFailedError(cause) };
  if (code !== undefined && NOT_SENT.has(code))
    return { error: new ConnectionFailedError(cause), again: "later" };
  const again = request.repeatable ? ({ again: "later" } as const) : {};
  if (request.writes) return { error: ambiguous("answer_lost", undefined, cause), unsettled: true, ...again };
  return { error: new ConnectionFailedError(cause), ...again };
}

function refused(request: Request, answer: Answer): Failure {
  const { status } = answer;
  const error = faultOf(status, textOf(answer));
  if (!(error instanceof InvalidAnswerError)) {
    // The host's own word: it did not do it, and the same call may succeed later.
    return error.retryable
      ? { error, again: error.retryAfterMs ?? retryAfterMs(answer) ?? "later" }
      : { error };
  }
  const again =
    request.repeatable && isGateway(status) ? { again: retryAfterMs(answer) ?? ("later" as const) } : {};
  // A 429 is given before anything is passed on; of the others nobody knows.
  if (request.writes && status >= 500) {
    return { error: ambiguous("gateway_answered", status, error), unsettled: true, ...again };
  }
  return { error, ...again };
}

/** The answer's body as text. */
export function textOf(answer: Answer): string {
  return new TextDecoder().decode(answer.body);
}

/** `Retry-After` in seconds; the form with a date is not used by hosts, and gateways rarely do. */
function retryAfterMs(answer: Answer): number | undefined {
  const seconds = Number(answer.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}

/** Twice as long each time, and spread, so that many clients do not come back together. */
function backoffMs(attempt: number): number {
  const ceiling = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1));
  return ceiling * (0.5 + Math.random() / 2);
}
