/**
 * What every adapter does: the tools of one user, run as a model asks for them, with results and errors as texts
 * that a model can act on. The identifier is the application's; no argument of a model can change it.
 */
import { ValetkeyError } from "../errors.js";
import type { Executed } from "../client.js";
import type { Tool } from "../generated/types.js";
import type { ToolFilter, User } from "../user.js";

/** Which of the user's tools a model gets. */
export interface ToolsetOptions extends ToolFilter {
  /** Only tools of these names. */
  readonly names?: readonly string[];
  /** Milliseconds that one tool call may take. The host's own default when absent. */
  readonly timeoutMs?: number;
}

/** What a model is told of one call. */
export interface ToolOutcome {
  /** JSON: `data` with `execution_id` and, where there is more, `next_cursor`; or `error`. */
  readonly text: string;
  /** The same as a value. */
  readonly value: Readonly<Record<string, unknown>>;
  /** What the program gets beside it, when the call succeeded. */
  readonly executed?: Executed;
  /** Why it did not. */
  readonly error?: ValetkeyError;
  readonly isError: boolean;
}

/** Tools of one user for one model. */
export class Toolset {
  readonly #user: User;
  readonly #byName: ReadonlyMap<string, Tool>;
  readonly #timeoutMs: number | undefined;

  constructor(user: User, tools: readonly Tool[], timeoutMs?: number) {
    this.#user = user;
    this.#byName = new Map(tools.map((tool) => [tool.name, tool]));
    this.#timeoutMs = timeoutMs;
  }

  /** The tools that the user can call now. */
  static async of(user: User, options: ToolsetOptions): Promise<Toolset> {
    const { names, timeoutMs, ...filter } = options;
    const { connectionName } = user;
    const tools = await user.tools(filter).all();
    const wanted = tools.filter(
      (tool) =>
        (names === undefined || names.includes(tool.name)) &&
        (connectionName === undefined || tool.connectionNames?.includes(connectionName) !== false),
    );
    return new Toolset(user, wanted, timeoutMs);
  }

  /** The tools by name. */
  get tools(): readonly Tool[] {
    return [...this.#byName.values()];
  }

  /** Runs a tool with the arguments that a model wrote: an object, or its JSON text. */
  async run(name: string, input: unknown, signal?: AbortSignal): Promise<ToolOutcome> {
    const tool = this.#byName.get(name);
    if (tool === undefined) {
      return refused(
        "unknown_tool",
        `There is no tool \`${name}\` here. Call one of those that you were given.`,
      );
    }
    const params = paramsOf(input);
    if (params === undefined) {
      return refused(
        "invalid_input",
        "The arguments are not a JSON object. Call again with an object that fits the schema.",
      );
    }
    try {
      const executed = await this.#user.execute(name, params, {
        readOnly: tool.hints.readOnly,
        ...(this.#timeoutMs !== undefined && { timeoutMs: this.#timeoutMs }),
        ...(signal !== undefined && { signal }),
      });
      const { data, executionId, nextCursor } = executed;
      const value = {
        data,
        execution_id: executionId,
        ...(nextCursor !== undefined && { next_cursor: nextCursor }),
      };
      return { text: JSON.stringify(value), value, executed, isError: false };
    } catch (error) {
      // Whatever else it is (a cancellation, a defect) is for the program and not for the model.
      if (!(error instanceof ValetkeyError)) throw error;
      const value = { ...error.forModel() };
      return { text: JSON.stringify(value), value, error, isError: true };
    }
  }
}

function refused(kind: string, message: string): ToolOutcome {
  const value = { error: { kind, message, retryable: false } };
  return { text: JSON.stringify(value), value, isError: true };
}

function paramsOf(input: unknown): Readonly<Record<string, unknown>> | undefined {
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
  return object ? (value as Record<string, unknown>) : undefined;
}
