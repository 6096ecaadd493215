/** The generated operations over the transport: input to request, answer to value. Everything above is names. */
import { type Clock, systemClock } from "./clock.js";
import { InvalidAnswerError, ValetkeyError } from "./errors.js";
import { type Operations, operations } from "./generated/operations.js";
import { VERSION } from "./generated/version.js";
import type { CallOptions, ExecuteOptions, ValetkeyOptions } from "./options.js";
import { type ProxyRequest, proxied, vendorsAnswer } from "./proxy.js";
import { GivenTokens, IssuedTokens, type Issued, type TokenSource } from "./tokens.js";
import { type Answer, type Connection, type Patience, type Request, send, textOf } from "./transport.js";
import { type Place, fromWire, toWire } from "./wire.js";

/** Name of an operation of the host. */
export type OperationId = keyof Operations;

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, { readonly in: string; readonly name: string }>>;
  readonly keyed?: true;
  readonly body?: Place & { readonly media: string };
  readonly answer?: Place;
}

/** Beyond the longest deadline that hosts allow by default: only a host that is gone is silent for so long. */
const SILENCE_MS = 150_000;
/** How much longer than its deadline a tool call is waited for: the host itself then says what became of it. */
const GRACE_MS = 1_000;
/** Without a deadline of its own, no call waits longer than this between two attempts. */
const MAX_WAIT_MS = 30_000;
/** The time that a request for a token has, whichever calls wait for it. */
const TOKEN_TIMEOUT_MS = 30_000;
/** When the host does not say how long a token lives. */
const DEFAULT_TOKEN_MS = 300_000;
const MAX_ATTEMPTS = 3;

/** Writes that may be repeated without a key: the second one finds what the first one made, or makes another link. */
const REPEATABLE: ReadonlySet<OperationId> = new Set(["createConnectedAccount", "createMagicLink"]);

/** One client's way to its host. */
export class Core {
  readonly #connection: Connection;
  readonly #tokens: TokenSource;
  readonly #timeoutMs: number | undefined;
  readonly #maxAttempts: number;

  constructor(options: ValetkeyOptions) {
    const baseUrl = options.baseUrl ?? environment("VALETKEY_SERVER");
    if (baseUrl === undefined) {
      throw new TypeError("Which host? Give `baseUrl`, or set VALETKEY_SERVER.");
    }
    this.#connection = {
      baseUrl: checkedUrl(baseUrl),
      // Called without a receiver: browsers refuse another one than their own.
      fetch: options.fetch ?? ((...request) => fetch(...request)),
      clock: options.clock ?? systemClock,
      headers: {
        accept: "application/json",
        "user-agent": `valetkey-client-typescript/${VERSION}`,
        ...options.headers,
      },
    };
    this.#timeoutMs = options.timeoutMs;
    this.#maxAttempts = options.maxAttempts ?? MAX_ATTEMPTS;
    this.#tokens = this.#source(options, this.#connection.clock);
  }

  /** Calls an operation. A call of a tool carries its idempotency key. */
  async call<Id extends OperationId>(
    id: Id,
    input: Operations[Id]["input"],
    options: ExecuteOptions = {},
  ): Promise<Operations[Id]["answer"]> {
    const operation: Operation = operations[id];
    const given = input as Readonly<Record<string, unknown>>;
    const keyed = operation.keyed === true;
    const writes = operation.method !== "GET" && !(keyed && options.readOnly === true);
    const key = keyed ? (options.idempotencyKey ?? (writes ? newKey() : undefined)) : undefined;
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const request: Request = {
      method: operation.method,
      path: pathOf(operation, given),
      headers: {
        ...(operation.body !== undefined && { "content-type": operation.body.media }),
        ...headersOf(operation, given),
        ...(key !== undefined && { "idempotency-key": key }),
      },
      writes,
      repeatable: !writes || key !== undefined || REPEATABLE.has(id),
      ...(operation.body !== undefined && {
        body: bodyOf(operation, given["body"], keyed && timeoutMs !== undefined),
      }),
    };
    const patience = this.#patience(timeoutMs, options.signal, keyed);
    try {
      const answer = await send(this.#connection, request, patience, this.#tokens);
      return value(answer, operation.answer) as Operations[Id]["answer"];
    } catch (error) {
      if (error instanceof ValetkeyError) error.idempotencyKey = key;
      throw error;
    }
  }

  /** Sends a raw request to a vendor. Answers whatever the vendor answers; throws what the host refuses. */
  async proxy(raw: ProxyRequest, options: CallOptions): Promise<Response> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const patience = this.#patience(timeoutMs, options.signal, true);
    return vendorsAnswer(await send(this.#connection, proxied(raw, timeoutMs), patience, this.#tokens));
  }

  #patience(timeoutMs: number | undefined, signal: AbortSignal | undefined, hostEnds: boolean): Patience {
    if (timeoutMs !== undefined && !(timeoutMs > 0))
      throw new TypeError("`timeoutMs` must be more than zero.");
    return {
      timeoutMs: timeoutMs ?? SILENCE_MS,
      maxWaitMs: timeoutMs === undefined ? MAX_WAIT_MS : Infinity,
      graceMs: hostEnds ? GRACE_MS : 0,
      maxAttempts: this.#maxAttempts,
      signal,
    };
  }

  #source(options: ValetkeyOptions, clock: Clock): TokenSource {
    if (options.accessToken !== undefined) return new GivenTokens(options.accessToken);
    const clientId = options.clientId ?? environment("VALETKEY_CLIENT_ID");
    const clientSecret = options.clientSecret ?? environment("VALETKEY_CLIENT_SECRET");
    if (clientId === undefined || clientSecret === undefined) {
      throw new TypeError(
        "Who is calling? Give `clientId` and `clientSecret`, or set VALETKEY_CLIENT_ID and VALETKEY_CLIENT_SECRET.",
      );
    }
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
    });
    if (options.scopes !== undefined) form.set("scope", options.scopes.join(" "));
    return new IssuedTokens(clock, () => this.#issue(form));
  }

  async #issue(form: URLSearchParams): Promise<Issued> {
    const request: Request = {
      method: "POST",
      path: "/oauth/token",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: () => form.toString(),
      writes: false,
      repeatable: true,
    };
    const answer = await send(this.#connection, request, {
      timeoutMs: TOKEN_TIMEOUT_MS,
      maxWaitMs: MAX_WAIT_MS,
      graceMs: 0,
      maxAttempts: this.#maxAttempts,
      signal: undefined,
    });
    const token = value(answer, { shape: "TokenResponse" });
    if (token === null || typeof token !== "object" || !("accessToken" in token)) {
      throw new InvalidAnswerError(answer.status, "it holds no access token");
    }
    const { accessToken, expiresIn } = token as { accessToken: unknown; expiresIn?: unknown };
    if (typeof accessToken !== "string") {
      throw new InvalidAnswerError(answer.status, "its access token is not a text");
    }
    const seconds = Number(expiresIn);
    return {
      accessToken,
      expiresInMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : DEFAULT_TOKEN_MS,
    };
  }
}

function value(answer: Answer, expected: Place | undefined): unknown {
  if (expected === undefined) return undefined;
  try {
    return fromWire(JSON.parse(textOf(answer)), expected);
  } catch {
    throw new InvalidAnswerError(answer.status, "its body is not whole JSON");
  }
}

function pathOf(operation: Operation, input: Readonly<Record<string, unknown>>): string {
  let path = operation.path;
  const query = new URLSearchParams();
  for (const [name, parameter] of Object.entries(operation.parameters)) {
    const given = input[name];
    if (given === undefined) continue;
    const text = textOfParameter(given);
    if (parameter.in === "path") {
      // An empty segment, `.` and `..` would make another path of it.
      if (/^\.{0,2}$/.test(text)) throw new TypeError(`\`${name}\` cannot be ${JSON.stringify(text)}.`);
      const segment = encodeURIComponent(text);
      path = path.replace(`{${parameter.name}}`, () => segment);
    }
    if (parameter.in === "query") query.set(parameter.name, text);
  }
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

function headersOf(operation: Operation, input: Readonly<Record<string, unknown>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, parameter] of Object.entries(operation.parameters)) {
    const given = input[name];
    if (parameter.in === "header" && given !== undefined) headers[parameter.name] = textOfParameter(given);
  }
  return headers;
}

/** Parameters of paths, queries and headers are texts, numbers and truth values, or lists of them with commas between. */
function textOfParameter(given: unknown): string {
  if (Array.isArray(given)) return given.map(textOfParameter).join(",");
  if (typeof given === "string") return given;
  if (typeof given === "number" || typeof given === "boolean") return String(given);
  return JSON.stringify(given);
}

function bodyOf(
  operation: Operation,
  body: unknown,
  tellDeadline: boolean,
): (remainingMs: number) => BodyInit {
  if (operation.body?.media !== "application/json") return () => body as BodyInit;
  const wire = toWire(body, operation.body);
  return (remainingMs) =>
    // A deadline that has just passed is still one: the host refuses zero.
    JSON.stringify(tellDeadline ? { ...(wire as object), deadline_ms: Math.max(1, remainingMs) } : wire);
}

function newKey(): string {
  return crypto.randomUUID();
}

function checkedUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new TypeError("`baseUrl` is not a URL.");
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new TypeError("`baseUrl` must begin with https:// or http://.");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new TypeError(
      "`baseUrl` is a URL without user, query and fragment; secrets have options of their own.",
    );
  }
  return url.href.replace(/\/+$/, "");
}

/** The one place that reads the environment, where the runtime has one. */
function environment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  const text = process?.env?.[name];
  return text === "" ? undefined : text;
}
