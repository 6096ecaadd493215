/** The cases that every client language runs, and how their values are compared. See `sdk/cases/README.md`. */
import assert from "node:assert/strict";

/** A file of cases. */
export interface CaseFile {
  readonly cases: readonly Case[];
}

/** Some calls of one client. */
export interface Case {
  readonly name: string;
  readonly host?: "scripted" | "real";
  readonly client?: {
    readonly base_url?: "closed";
    readonly max_attempts?: number;
    readonly timeout_ms?: number;
  };
  readonly tokens?: number;
  readonly token_answers?: readonly Scripted[];
  readonly steps: readonly (Call | Act)[];
}

/** A call of the client. */
export interface Call {
  readonly call: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
  readonly agent_run?: string;
  readonly traceparent?: string;
  readonly take?: number;
  readonly wire?: readonly { readonly request: Expected; readonly answer: Scripted }[];
  readonly waits_ms?: readonly unknown[];
  readonly result?: unknown;
  readonly error?: Readonly<Record<string, unknown>>;
}

/** An act of the runner. */
export interface Act {
  readonly act: { readonly host?: Expected; readonly vendor?: Expected; readonly open?: string };
  readonly result?: unknown;
}

/** A request that must be made. */
export interface Expected {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly json?: unknown;
  readonly form?: unknown;
}

/** What is answered to it. */
export interface Scripted {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  readonly forward?: true;
  readonly lost?: true;
  readonly late?: true;
}

/** Texts that are known by name: the real host's, and what `$save:` kept. */
export class Values {
  readonly #known: Map<string, string>;

  constructor(known: Readonly<Record<string, string>>) {
    this.#known = new Map(Object.entries(known));
  }

  /** A value with every `${name}` in its texts replaced. */
  fill<T>(value: T): T {
    if (typeof value === "string") {
      return value.replace(/\$\{([a-z_]+)\}/g, (_, name: string) => {
        const known = this.#known.get(name);
        assert.ok(known !== undefined, `\${${name}} is not known here`);
        return known;
      }) as T;
    }
    if (Array.isArray(value)) return value.map((item) => this.fill<unknown>(item)) as T;
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(
        Object.entries(value).map(([name, own]) => [name, this.fill<unknown>(own)]),
      ) as T;
    }
    return value;
  }

  /** Compares; `whole` when members that are not named must not be there. */
  match(expected: unknown, actual: unknown, whole: boolean, at: string): void {
    if (typeof expected === "string") {
      this.#text(expected, actual, at);
    } else if (Array.isArray(expected)) {
      assert.ok(Array.isArray(actual), `${at}: ${shown(actual)} is not an array`);
      assert.equal(actual.length, expected.length, `${at}: its length, of ${shown(actual)}`);
      expected.forEach((item, index) => {
        this.match(item, actual[index], whole, `${at}/${String(index)}`);
      });
    } else if (expected !== null && typeof expected === "object") {
      this.#object(expected as Record<string, unknown>, actual, whole, at);
    } else {
      assert.deepEqual(actual, expected, at);
    }
  }

  #text(expected: string, actual: unknown, at: string): void {
    if (expected === "$any") {
      assert.ok(actual !== undefined, `${at} is not there`);
    } else if (expected === "$absent") {
      assert.ok(actual === undefined || actual === null, `${at} is there: ${shown(actual)}`);
    } else if (expected.startsWith("$match:")) {
      assert.ok(typeof actual === "string", `${at}: ${shown(actual)} is not a text`);
      assert.match(actual, new RegExp(this.fill(expected.slice("$match:".length))), at);
    } else if (expected.startsWith("$save:")) {
      assert.ok(actual !== undefined && actual !== null, `${at} is not there`);
      this.#known.set(expected.slice("$save:".length), typeof actual === "string" ? actual : shown(actual));
    } else {
      assert.equal(actual, this.fill(expected), at);
    }
  }

  #object(expected: Record<string, unknown>, actual: unknown, whole: boolean, at: string): void {
    if ("$contains" in expected) {
      assert.ok(Array.isArray(actual), `${at}: ${shown(actual)} is not an array`);
      for (const wanted of expected["$contains"] as unknown[]) {
        assert.ok(
          actual.some((item) => this.#matches(wanted, item)),
          `${at}: ${shown(wanted)} is not in ${shown(actual)}`,
        );
      }
      return;
    }
    assert.ok(actual !== null && typeof actual === "object", `${at}: ${shown(actual)} is not an object`);
    const members = actual as Record<string, unknown>;
    for (const [name, own] of Object.entries(expected))
      this.match(own, members[name], whole, `${at}/${name}`);
    if (whole)
      assert.deepEqual(Object.keys(members).sort(), Object.keys(expected).sort(), `${at}: its members`);
  }

  #matches(wanted: unknown, item: unknown): boolean {
    try {
      this.match(wanted, item, false, "");
      return true;
    } catch {
      return false;
    }
  }
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
