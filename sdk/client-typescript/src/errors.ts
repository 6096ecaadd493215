/**
 * Errors are part of what this package answers: what happened, whose move it is, what to do next.
 *
 * - {@link ApiError}: what the host answered; one class for each kind, `RateLimitedError` and its like.
 * - {@link ConnectionFailedError}: the host cannot be reached, and nothing was changed.
 * - {@link DeadlineExceededError}: the time that the call was given is over, and nothing was changed.
 * - {@link InvalidAnswerError}: something answered that is not a host.
 *
 * When a write was sent and its answer never came, it is an `AmbiguousOutcomeError`, as when the host says so.
 * A caller's own `AbortSignal` makes a call throw the signal's reason, as everywhere.
 */
import type { BodyError, Problem, VendorError } from "./generated/types.js";

/** What an error says to a model: the same shape from every door of the host. */
export interface ModelError {
  readonly error: {
    readonly kind: string;
    readonly message: string;
    readonly retryable: boolean;
    readonly retry_after_ms?: number;
    readonly reason?: string;
    readonly vendor?: VendorError;
    readonly fields?: readonly Problem[];
    readonly authorization_link?: string;
    readonly execution_id?: string;
  };
}

/** What every error knows. */
export interface ErrorFacts extends Omit<BodyError, "kind" | "side"> {
  readonly kind: string;
  readonly side: string;
  /** The HTTP status, when something answered. */
  readonly status?: number;
  readonly nextStep: string;
}

/** Every error of this package. Its text holds no secret. */
export class ValetkeyError extends Error {
  override readonly name: string = "ValetkeyError";
  /** What went wrong, for programs. */
  readonly kind: string;
  /** Whose move it is: `caller`, `account`, `vendor`, `connector` or `host`. */
  readonly side: string;
  /** Whether the same call may succeed later, without doing anything twice. */
  readonly retryable: boolean;
  /** What to do next about this kind of error, for the developer. `message` says it for the one case. */
  readonly nextStep: string;
  /** The HTTP status, when something answered. */
  readonly status: number | undefined;
  /** A stable word that tells variants of the kind apart. */
  readonly reason: string | undefined;
  /** After how many milliseconds another try makes sense, when that is known. */
  readonly retryAfterMs: number | undefined;
  /** Complaints about the input, by JSON pointer. */
  readonly fields: readonly Problem[];
  /** What the vendor itself said: untrusted text. */
  readonly vendor: VendorError | undefined;
  /** The execution, `exe_…`, or the id of the host's log line; for the operator. */
  readonly executionId: string | undefined;

  /** The key that a tool call went under: the same call under it does nothing twice. */
  idempotencyKey: string | undefined;
  readonly #authorizationLink: string | undefined;

  constructor(facts: ErrorFacts, options?: ErrorOptions) {
    super(facts.message, options);
    this.kind = facts.kind;
    this.side = facts.side;
    this.retryable = facts.retryable;
    this.nextStep = facts.nextStep;
    this.status = facts.status;
    this.reason = facts.reason;
    this.retryAfterMs = facts.retryAfterMs;
    this.fields = facts.fields ?? [];
    this.vendor = facts.vendor;
    this.#authorizationLink = facts.authorizationLink;
    this.executionId = facts.executionId;
  }

  /** Where the account's owner can mend this. The user's alone: it is not shown when an error is logged. */
  get authorizationLink(): string | undefined {
    return this.#authorizationLink;
  }

  /** What a model may see and can act on, with the link by which the account's owner can mend it. */
  forModel(): ModelError {
    const { retryAfterMs, reason, vendor, fields, authorizationLink, executionId } = this;
    return {
      error: {
        kind: this.kind,
        message: this.message,
        retryable: this.retryable,
        ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
        ...(reason !== undefined && { reason }),
        ...(vendor !== undefined && { vendor }),
        ...(fields.length > 0 && { fields }),
        ...(authorizationLink !== undefined && { authorization_link: authorizationLink }),
        ...(executionId !== undefined && { execution_id: executionId }),
      },
    };
  }

  /** For logs: without the authorization link, which is the user's alone. */
  toJSON(): object {
    const { name, kind, message, side, retryable, nextStep, status, reason } = this;
    const { retryAfterMs, fields, vendor, executionId, idempotencyKey } = this;
    const own = { name, kind, message, side, retryable, nextStep, status, reason };
    return { ...own, retryAfterMs, fields, vendor, executionId, idempotencyKey };
  }
}

/** The host answered an error. `instanceof` one of its classes, or `kind`, tells them apart. */
export class ApiError extends ValetkeyError {
  override readonly name: string = "ApiError";
}

/** The host cannot be reached, or a connection was lost on which nothing was to be changed. */
export class ConnectionFailedError extends ValetkeyError {
  override readonly name = "ConnectionFailedError";
  declare readonly kind: "connection_failed";

  constructor(cause: unknown) {
    const code = codeOf(cause);
    const named = code === undefined ? "" : ` (${code})`;
    const common = { kind: "connection_failed", side: "host" };
    super(
      isUntrusted(code)
        ? {
            ...common,
            message: `The host's certificate is not trusted here${named}. Nothing was sent.`,
            retryable: false,
            nextStep: "Trust the host's certificate: in Node, name its file in NODE_EXTRA_CA_CERTS.",
          }
        : {
            ...common,
            message: `The host cannot be reached${named}. Nothing was changed; call again later.`,
            retryable: true,
            nextStep: "Check the host's URL and that it runs, then call again.",
          },
      { cause },
    );
  }
}

/** The time that the call was given is over, and nothing was changed. */
export class DeadlineExceededError extends ValetkeyError {
  override readonly name = "DeadlineExceededError";
  declare readonly kind: "deadline_exceeded";

  constructor(timeoutMs: number) {
    super({
      kind: "deadline_exceeded",
      message: `There was no answer within ${String(timeoutMs)} ms. Nothing was changed; call again with a longer timeout.`,
      side: "caller",
      retryable: true,
      nextStep: "Call again with a longer timeout.",
    });
  }
}

/** Something answered that is not a Valetkey host: a proxy before it, or another server. */
export class InvalidAnswerError extends ValetkeyError {
  override readonly name = "InvalidAnswerError";
  declare readonly kind: "invalid_answer";

  constructor(status: number, detail: string, retryable = false) {
    super({
      kind: "invalid_answer",
      message: `The answer with status ${String(status)} is not a Valetkey host's: ${detail}.`,
      side: "host",
      retryable,
      nextStep: "Check that the URL leads to a Valetkey host, and what a proxy before it answers.",
      status,
    });
  }
}

/** Whether a code says that a certificate is not trusted, for which no connection comes about. */
export function isUntrusted(code: string | undefined): boolean {
  return code !== undefined && /^(CERT_|DEPTH_ZERO_|ERR_TLS_CERT_|SELF_SIGNED_|UNABLE_TO_)/.test(code);
}

/** The system's word for a failed connection, `ECONNREFUSED`. It names no address and no header. */
export function codeOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && typeof cause.code === "string") return cause.code;
    const [first] = cause instanceof AggregateError ? (cause.errors as unknown[]) : [];
    if (first !== undefined) return codeOf(first);
  }
  return undefined;
}
