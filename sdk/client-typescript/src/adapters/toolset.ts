/**
 * What every adapter does: the tools of one user, run as a model asks for them, with results and errors as texts
 * that a model can act on. The identifier is the application's; no argument of a model can change it.
 */
import type { Executed } from "../client.js";
import { ValetkeyError } from "../errors.js";
import {
  AccountNotActiveError,
  AccountNotFoundError,
  InvalidInputError,
  UnknownToolError,
  advice,
} from "../generated/faults.js";
import type { Tool } from "../generated/types.js";
import type { ToolFilter, User } from "../user.js";

/** Which of the user's tools a model gets. */
export interface ToolsetOptions extends ToolFilter {
  /**
   * The tools of these connections, also when the user has not connected an account yet: a call answers with the
   * authorization link then. When absent, the tools that the user can call now.
   */
  readonly connections?: readonly string[];
  /** Only tools of these names. */
  readonly names?: readonly string[];
  /** Milliseconds that one tool call may take. The host's own default when absent. */
  readonly timeoutMs?: number;
}

/** What a tool call came to, for the model and for the program. */
export interface ToolOutcome {
  /** For the model, JSON: `data` and perhaps `next_cursor`, or `error`. */
  readonly text: string;
  /** The same as a value. */
  readonly value: object;
  /** The result, when there is one. */
  readonly executed?: Executed;
  /** The error, when there is one. */
  readonly error?: ValetkeyError;
}

/** A tool, and the connection through which it is called when that was said. */
interface BoundTool {
  readonly tool: Tool;
  readonly connectionName?: string;
}

/** Tools of one user for one model. */
export class Toolset {
  readonly #user: User;
  readonly #bound: ReadonlyMap<string, BoundTool>;
  readonly #timeoutMs: number | undefined;

  private constructor(user: User, bound: ReadonlyMap<string, BoundTool>, timeoutMs: number | undefined) {
    this.#user = user;
    this.#bound = bound;
    this.#timeoutMs = timeoutMs;
  }

  /** The tools that `options` ask for. Throws a `TypeError` when they ask for what there is not. */
  static async of(user: User, options: ToolsetOptions): Promise<Toolset> {
    const { connections, names, timeoutMs, ...filter } = options;
    const bound = new Map<string, BoundTool>();
    for (const each of await listed(user, connections, filter)) {
      const { name } = each.tool;
      if (names !== undefined && !names.includes(name)) continue;
      if (bound.has(name))
        throw new TypeError(`Several of the connections offer \`${name}\`: make tools for each.`);
      bound.set(name, each);
    }
    const missing = names?.filter((name) => !bound.has(name)) ?? [];
    if (missing.length > 0) {
      throw new TypeError(
        `The user cannot call ${missing.join(", ")}: no active account, or no such tool. ` +
          "Name `connections` to offer the tools of accounts that are not connected yet.",
      );
    }
    return new Toolset(user, bound, timeoutMs);
  }

  /** The tools by name. */
  get tools(): readonly Tool[] {
    return [...this.#bound.values()].map(({ tool }) => tool);
  }

  /** Runs a tool with the arguments that a model wrote: an object, or its JSON text. */
  async run(name: string, input: unknown, signal?: AbortSignal): Promise<ToolOutcome> {
    const bound = this.#bound.get(name);
    if (bound === undefined) return failed(unknownTool(name, [...this.#bound.keys()]));
    const params = paramsOf(input);
    if (params === undefined) return failed(noObject());
    try {
      return succeeded(await this.#execute(bound, params, signal));
    } catch (error) {
      // Whatever else it is (a cancellation, a defect) is for the program and not for the model.
      if (!(error instanceof ValetkeyError)) throw error;
      return failed(error instanceof AccountNotFoundError ? await this.#withLink(bound, error) : error);
    }
  }

  #execute(bound: BoundTool, params: Params, signal: AbortSignal | undefined): Promise<Executed> {
    const { tool, connectionName } = bound;
    return this.#user.on(connectionName).execute(tool.name, params, {
      readOnly: tool.hints.readOnly,
      ...(this.#timeoutMs !== undefined && { timeoutMs: this.#timeoutMs }),
      ...(signal !== undefined && { signal }),
    });
  }

  /** A user who never had an account on the connection is one who has to connect it. */
  async #withLink({ connectionName }: BoundTool, error: AccountNotFoundError): Promise<ValetkeyError> {
    if (connectionName === undefined) return error;
    const link = await this.#user.link(connectionName).catch(() => undefined);
    if (link === undefined) return error;
    return new AccountNotActiveError({
      kind: "account_not_active",
      message: `No account is connected on ${connectionName}. Its owner connects one by the authorization link.`,
      side: "account",
      retryable: false,
      nextStep: advice.account_not_active,
      reason: "never_authorized",
      authorizationLink: link.authorizationLink,
      ...(error.executionId !== undefined && { executionId: error.executionId }),
    });
  }
}

type Params = Readonly<Record<string, unknown>>;

async function listed(
  user: User,
  connections: readonly string[] | undefined,
  filter: ToolFilter,
): Promise<readonly BoundTool[]> {
  const { connectionName } = user;
  if (connections === undefined) {
    const tools = await user.tools(filter).all();
    // The user's calls go to one connection alone, when that was said: others' tools would fail there.
    const reached = (tool: Tool): boolean =>
      connectionName === undefined || tool.connectionNames?.includes(connectionName) !== false;
    return tools.filter(reached).map((tool) => ({ tool }));
  }
  const bound = await Promise.all(
    connections.map(async (name) => {
      const tools = await user.toolsOf(name, filter);
      return tools.map((tool) => ({ tool, connectionName: name }));
    }),
  );
  return bound.flat();
}

function succeeded(executed: Executed): ToolOutcome {
  const { data, nextCursor } = executed;
  const value = { data, ...(nextCursor !== undefined && { next_cursor: nextCursor }) };
  return { text: JSON.stringify(value), value, executed };
}

function failed(error: ValetkeyError): ToolOutcome {
  const value = error.forModel();
  return { text: JSON.stringify(value), value, error };
}

function unknownTool(name: string, offered: readonly string[]): ValetkeyError {
  return new UnknownToolError({
    kind: "unknown_tool",
    message: `There is no tool \`${name.slice(0, 64)}\` here. Call one of: ${offered.join(", ")}.`,
    side: "caller",
    retryable: false,
    nextStep: advice.unknown_tool,
  });
}

function noObject(): ValetkeyError {
  return new InvalidInputError({
    kind: "invalid_input",
    message: "The arguments are not a JSON object. Write them as JSON, by the tool's schema.",
    side: "caller",
    retryable: false,
    nextStep: advice.invalid_input,
    fields: [{ path: "", problem: "must be a JSON object" }],
  });
}

function paramsOf(input: unknown): Params | undefined {
  let value = input;
  if (typeof input === "string") {
    // Models write nothing at all for a tool without parameters.
    if (input.trim() === "") return {};
    try {
      value = JSON.parse(input);
    } catch {
      return undefined;
    }
  }
  const object = value !== null && typeof value === "object" && !Array.isArray(value);
  return object ? (value as Params) : undefined;
}
