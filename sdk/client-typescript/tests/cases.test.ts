/** Runs `sdk/cases`: the same files hold of the Python client. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { inspect } from "node:util";
import { after, before, describe, test } from "node:test";

import { TraceFlags, context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { type CallOptions, type Clock, List, Valetkey, ValetkeyError } from "@valetkey/client";

import {
  type Act,
  type Call,
  type Case,
  type CaseFile,
  type Expected,
  type Scripted,
  Values,
} from "./support/cases.js";
import { type RealHost, clientOf, host, open, skip } from "./support/host.js";
import { type Received, closedUrl, serve } from "./support/server.js";

const folder = new URL("../../../cases/", import.meta.url);
const SECRET = `secret-${randomUUID()}`;

/** Time that only waits move. */
class CaseClock implements Clock {
  readonly waits: number[] = [];
  #now = 0;
  readonly #timers = new Set<() => void>();

  now(): number {
    return this.#now;
  }

  after(_ms: number, callback: () => void): () => void {
    this.#timers.add(callback);
    return () => this.#timers.delete(callback);
  }

  sleep(ms: number): Promise<void> {
    this.waits.push(ms);
    this.#now += ms;
    return Promise.resolve();
  }

  /** The time of every call that waits is over. */
  strike(): void {
    for (const timer of this.#timers) timer();
  }
}

/** The side of the wire where the host is: answers what the case says, or hands on to the real one. */
class Wire {
  queue: { readonly request: Expected; readonly answer: Scripted }[] = [];
  /** Whether every request goes to the real host as it is. */
  open = false;
  issued = 0;
  newest = "";
  readonly problems: Error[] = [];

  constructor(
    readonly values: Values,
    readonly clock: CaseClock,
    readonly own: Case,
    readonly real: RealHost | undefined,
  ) {}

  async handle(request: Received, response: ServerResponse): Promise<void> {
    if (request.path === "/oauth/token") {
      await this.#token(request, response);
      return;
    }
    const next = this.open ? undefined : this.queue.shift();
    try {
      if (!this.open) {
        assert.ok(next !== undefined, `a request too many: ${request.method} ${request.path}`);
        this.#compare(next.request, request);
      }
    } catch (problem) {
      this.problems.push(problem as Error);
      response.socket?.destroy();
      return;
    }
    await this.#answer(next?.answer ?? { forward: true }, request, response);
  }

  #compare(expected: Expected, request: Received): void {
    const at = `${expected.method} ${expected.path}`;
    assert.equal(`${request.method} ${request.path}`, at);
    this.values.match(expected.query ?? {}, request.query, true, `${at} query`);
    this.values.match(expected.headers ?? {}, request.headers, false, `${at} headers`);
    if (expected.headers?.["authorization"] === undefined) {
      assert.equal(request.headers.authorization, `Bearer ${this.newest}`, `${at}: its token`);
    }
    if (expected.json === undefined) assert.equal(request.body, "", `${at}: no body`);
    else this.values.match(expected.json, JSON.parse(request.body), true, `${at} body`);
  }

  async #token(request: Received, response: ServerResponse): Promise<void> {
    const scripted = this.own.token_answers?.[this.issued];
    this.issued += 1;
    if (this.real !== undefined) {
      const answer = await forward(this.real, request);
      this.newest = (JSON.parse(answer.text) as { access_token: string }).access_token;
      reply(response, answer);
      return;
    }
    const form = new URLSearchParams(request.body);
    assert.equal(form.get("grant_type"), "client_credentials");
    assert.equal(form.get("client_secret"), SECRET);
    const token = {
      access_token: `token-${String(this.issued)}`,
      token_type: "Bearer",
      expires_in: 3600,
      scope: "",
    };
    const answer = scripted ?? { json: token };
    const issued = answer.json as { access_token?: string } | undefined;
    this.newest = issued?.access_token ?? this.newest;
    await this.#answer(answer, request, response);
  }

  async #answer(answer: Scripted, request: Received, response: ServerResponse): Promise<void> {
    if (answer.late === true) {
      this.clock.strike();
      return;
    }
    const { json, text = json === undefined ? "" : JSON.stringify(json), status = 200 } = answer;
    const headers = { ...(json !== undefined && { "content-type": "application/json" }), ...answer.headers };
    const given =
      answer.forward === true && this.real !== undefined
        ? await forward(this.real, request)
        : { status, headers, text: this.values.fill(text) };
    if (answer.lost === true) response.socket?.destroy();
    else reply(response, given);
  }
}

interface Given {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

async function forward(real: RealHost, request: Received): Promise<Given> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (!["host", "connection", "content-length"].includes(name)) headers.set(name, String(value));
  }
  const query = new URLSearchParams(request.query).toString();
  const answer = await fetch(`${real.base_url}${request.path}${query === "" ? "" : `?${query}`}`, {
    method: request.method,
    headers,
    ...(request.body !== "" && { body: request.body }),
  });
  const own = new Headers(answer.headers);
  own.delete("content-length");
  return { status: answer.status, headers: Object.fromEntries(own), text: await answer.text() };
}

function reply(response: ServerResponse, given: Given): void {
  response.writeHead(given.status, { ...given.headers }).end(given.text);
}

/** The methods by their names in the cases. */
const methods: Readonly<
  Record<
    string,
    (
      client: Valetkey,
      given: never,
      options: CallOptions,
    ) => List<unknown> | AsyncIterable<unknown> | Promise<unknown>
  >
> = {
  execute_tool: (client, given, options) => client.executeTool(given, options),
  execute_pages: (client, given, options) => client.executePages(given, options),
  "connected_accounts.list": (client, given, options) => client.connectedAccounts.list(given, options),
  "connected_accounts.get": (client, { id }: { id: string }, options) =>
    client.connectedAccounts.get(id, options),
  "connected_accounts.create": (client, given, options) => client.connectedAccounts.create(given, options),
  "connected_accounts.link": (client, given, options) => client.connectedAccounts.link(given, options),
  "connected_accounts.verify": (client, given, options) => client.connectedAccounts.verify(given, options),
  "connected_accounts.disconnect": (client, { id }: { id: string }, options) =>
    client.connectedAccounts.disconnect(id, options),
  "connected_accounts.delete": (client, { id }: { id: string }, options) =>
    client.connectedAccounts.delete(id, options),
  "tools.list": (client, given, options) => client.tools.list(given, options),
  "tools.scoped": (client, given, options) => client.tools.scoped(given, options),
  "tools.search": (client, given, options) => client.tools.search(given, options),
  "tools.get": (client, { name }: { name: string }, options) => client.tools.get(name, options),
  "executions.list": (client, given, options) => client.executions.list(given, options),
  "executions.get": (client, { id }: { id: string }, options) => client.executions.get(id, options),
};

/** Makes the call of a step and gives its result in the wire's form. */
async function perform(client: Valetkey, step: Call, values: Values): Promise<unknown> {
  const method = methods[step.call];
  assert.ok(method !== undefined, `this runner does not know the call ${step.call}`);
  const options: Record<string, unknown> = {};
  const given: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values.fill(step.arguments ?? {}))) {
    const ofCall = name === "timeout_ms" || name === "idempotency_key";
    const ofOptions = ofCall || (name === "read_only" && step.call.startsWith("execute_"));
    (ofOptions ? options : given)[camel(name)] = value;
  }
  const own = step.agent_run === undefined ? client : client.forRun(values.fill(step.agent_run));
  const result = method(own, given as never, options);
  if (result instanceof Promise) return snake(await result);
  const items: unknown[] = [];
  if (step.take === 0) return items;
  for await (const item of result) {
    items.push(snake(item));
    if (items.length === step.take) break;
  }
  return items;
}

/** Within the span whose context the case names. */
function within<T>(traceparent: string | undefined, run: () => Promise<T>): Promise<T> {
  const [, traceId, spanId, flags] = traceparent?.split("-") ?? [];
  if (traceId === undefined || spanId === undefined) return run();
  const traceFlags = flags === "01" ? TraceFlags.SAMPLED : TraceFlags.NONE;
  const span = trace.wrapSpanContext({ traceId, spanId, traceFlags });
  return context.with(trace.setSpan(context.active(), span), run);
}

async function takeStep(step: Call, client: Valetkey, wire: Wire): Promise<void> {
  wire.queue = [...(step.wire ?? [])];
  wire.open = step.wire === undefined;
  const before = wire.clock.waits.length;
  const outcome = await within(step.traceparent, () => perform(client, step, wire.values)).then(
    (result) => ({ result, error: undefined }),
    (error: unknown) => ({ result: undefined, error }),
  );
  const [problem] = wire.problems;
  if (problem !== undefined) throw problem;
  assert.deepEqual(wire.queue, [], `${step.call}: requests that were not made`);
  if (step.error === undefined) {
    if (outcome.error !== undefined) throw outcome.error as Error;
    wire.values.match(step.result, outcome.result, false, step.call);
  } else {
    assert.ok(
      outcome.error instanceof ValetkeyError,
      `${step.call} fails as it should, not with ${inspect(outcome)}`,
    );
    wire.values.match(step.error, facts(outcome.error), false, `${step.call}: its error`);
    sound(outcome.error, [SECRET, wire.newest, wire.real?.client_secret ?? ""]);
  }
  wire.values.match(step.waits_ms ?? [], wire.clock.waits.slice(before), false, `${step.call}: its waits`);
}

/** An error in the wire's form. */
function facts(error: ValetkeyError): Record<string, unknown> {
  const { kind, side, status, retryable, reason, message, fields, vendor } = error;
  const own = { class: error.name, kind, side, status, retryable, reason, message, fields, vendor };
  return {
    ...own,
    retry_after_ms: error.retryAfterMs,
    authorization_link: error.authorizationLink,
    execution_id: error.executionId,
  };
}

/** What holds of every error. */
function sound(error: ValetkeyError, secrets: readonly string[]): void {
  assert.ok(error.nextStep.length > 10, "it says what to do next");
  assert.ok(String(error).includes(error.message), "its text holds its message");
  const logged = [inspect(error, { depth: 9 }), JSON.stringify(error), error.stack ?? ""];
  const told = JSON.stringify(error.forModel());
  for (const secret of secrets.filter((text) => text !== "")) {
    assert.ok(![...logged, told].some((text) => text.includes(secret)), "it holds no secret");
  }
  const link = error.authorizationLink;
  if (link !== undefined) {
    assert.ok(told.includes(link), "a model is told the link");
    assert.ok(!logged.some((text) => text.includes(link)), "a log is not");
  }
}

async function act({ act: wanted, result }: Act, wire: Wire): Promise<void> {
  const real = wire.real;
  assert.ok(real !== undefined, "an act needs the real host");
  const { host: ofHost, vendor, open: link } = wire.values.fill(wanted);
  if (link !== undefined) {
    wire.values.match(result ?? {}, await open(link), false, "open");
    return;
  }
  const request = ofHost ?? vendor;
  assert.ok(request !== undefined, "an act of a kind that this runner knows");
  const headers = new Headers({ "content-type": "application/json" });
  if (ofHost !== undefined) headers.set("authorization", `Bearer ${await operatorToken(real)}`);
  const base = ofHost === undefined ? real.simulator_url : real.base_url;
  const answer = await fetch(`${base}${request.path}`, {
    method: request.method,
    headers,
    ...(request.json !== undefined && { body: JSON.stringify(request.json) }),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${request.method} ${request.path}: ${String(answer.status)} ${text}`);
  if (result !== undefined) wire.values.match(result, JSON.parse(text), false, request.path);
}

async function operatorToken(real: RealHost): Promise<string> {
  const { client_id, client_secret } = real;
  const form = new URLSearchParams({ grant_type: "client_credentials", client_id, client_secret });
  const answer = await fetch(`${real.base_url}/oauth/token`, { method: "POST", body: form });
  return ((await answer.json()) as { access_token: string }).access_token;
}

async function run(own: Case): Promise<void> {
  const real = own.host === "real" ? host : undefined;
  const tag = `t${randomUUID().replaceAll("-", "")}`;
  const { base_url, identifier, simulator_url } = real ?? {};
  const values = new Values({
    tag,
    ...(real !== undefined && { base_url, identifier, simulator_url }),
  } as Record<string, string>);
  const clock = new CaseClock();
  const wire = new Wire(values, clock, own, real);
  const server = await serve((request, response) => wire.handle(request, response));
  try {
    const client = new Valetkey({
      baseUrl: own.client?.base_url === "closed" ? await closedUrl() : server.url,
      clientId: real?.client_id ?? "vk_client",
      clientSecret: real?.client_secret ?? SECRET,
      clock,
      ...(own.client?.max_attempts !== undefined && { maxAttempts: own.client.max_attempts }),
      ...(own.client?.timeout_ms !== undefined && { timeoutMs: own.client.timeout_ms }),
    });
    for (const step of own.steps) await ("act" in step ? act(step, wire) : takeStep(step, client, wire));
    assert.equal(wire.issued, own.tokens ?? 1, "tokens that were fetched");
  } finally {
    await server.close();
  }
}

/** Members whose own members are free-form, with names of the vendor's. */
const FREE = new Set(["data", "inputSchema", "outputSchema", "accountConfig", "params"]);

function snake(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snake);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, own]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      FREE.has(name) ? own : snake(own),
    ]),
  );
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

before(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

after(() => {
  context.disable();
});

for (const file of readdirSync(folder).filter((name) => name.endsWith(".json") && name !== "schema.json")) {
  const { cases } = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as CaseFile;
  describe(file, () => {
    for (const own of cases) test(own.name, { skip: own.host === "real" ? skip : false }, () => run(own));
  });
}

test("the real host is the one that the environment names", { skip }, async () => {
  assert.ok(host !== undefined);
  const accounts = await clientOf(host).forUser(host.identifier).accounts().all();
  const connected = accounts.filter((account) => account.state === "ACTIVE").map((it) => it.connectionName);
  assert.deepEqual(connected.filter((name) => name === "gmail" || name === "hubspot").sort(), [
    "gmail",
    "hubspot",
  ]);
});
