/** From what was answered, or was not, to the error that says so. */
import { ApiError, InvalidAnswerError, type ValetkeyError } from "./errors.js";
import { type ErrorKind, type Fault, advice, faults } from "./generated/faults.js";
import type { BodyError } from "./generated/types.js";
import { fromWire } from "./wire.js";

/** Why the outcome of a write is not known. */
export type Unknown = "answer_lost" | "answer_late" | "gateway_answered";

const what: Readonly<Record<Unknown, string>> = {
  answer_lost: "the connection was lost before the answer",
  answer_late: "no answer came in time",
  gateway_answered: "a gateway before the host answered instead of it",
};

/** Whether this is an error of a kind that this version knows; a `switch` over its `kind` can be exhaustive. */
export function isFault(error: unknown): error is Fault {
  return error instanceof ApiError && isErrorKind(error.kind);
}

/** The error of an answer that is not a success. */
export function faultOf(status: number, text: string): ValetkeyError {
  const body = errorOf(text);
  if (body === undefined) {
    return new InvalidAnswerError(status, "it holds no error of a host", isGateway(status));
  }
  const kind: string = body.kind;
  const facts = { ...body, status };
  if (isErrorKind(kind)) return new faults[kind]({ ...facts, nextStep: advice[kind] });
  // A newer host: the message still says what to do.
  return new ApiError({ ...facts, nextStep: body.message });
}

/** A write was sent, and nobody knows what became of it. */
export function ambiguous(reason: Unknown, status?: number, cause?: unknown): ValetkeyError {
  return new faults.ambiguous_outcome(
    {
      kind: "ambiguous_outcome",
      message: `The request was sent, and ${what[reason]}. Look whether it happened before you call again.`,
      side: "host",
      retryable: false,
      nextStep: advice.ambiguous_outcome,
      reason,
      ...(status !== undefined && { status }),
    },
    { cause },
  );
}

/** Statuses by which gateways say that the host is not there now. */
export function isGateway(status: number): boolean {
  return status === 429 || status === 502 || status === 503 || status === 504;
}

function isErrorKind(kind: string): kind is ErrorKind {
  return Object.hasOwn(faults, kind);
}

function errorOf(text: string): BodyError | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (body === null || typeof body !== "object" || !("error" in body)) return undefined;
  const error = fromWire(body.error, { shape: "BodyError" });
  const whole =
    error !== null &&
    typeof error === "object" &&
    "kind" in error &&
    typeof error.kind === "string" &&
    "message" in error &&
    typeof error.message === "string";
  return whole ? ({ side: "host", retryable: false, ...error } as BodyError) : undefined;
}
