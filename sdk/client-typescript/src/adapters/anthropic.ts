/** A user's tools for Anthropic's Messages. */
import type { User } from "../user.js";
import { Toolset, type ToolsetOptions } from "./toolset.js";

export type { ToolsetOptions } from "./toolset.js";

/** A tool as Messages takes it. */
export interface AnthropicTool {
  name: string;
  description: string;
  input_schema: { type: "object"; [member: string]: unknown };
}

/** What is needed of a block of a message's content. */
export interface ContentBlock {
  readonly type: string;
  readonly id?: unknown;
  readonly name?: unknown;
  readonly input?: unknown;
}

/** The result of a tool use. */
export interface ToolResultBlock {
  type: "tool_result";
  tool_use_id: string;
  content: string;
  is_error?: true;
}

/** The tools that a user can call now. */
export async function anthropicTools(user: User, options: ToolsetOptions = {}): Promise<AnthropicTools> {
  return new AnthropicTools(await Toolset.of(user, options));
}

/** Tools in Anthropic's format, and their execution. */
export class AnthropicTools {
  readonly #set: Toolset;

  constructor(set: Toolset) {
    this.#set = set;
  }

  /** For `tools` of Messages. */
  get tools(): AnthropicTool[] {
    return this.#set.tools.map(({ name, description, inputSchema }) => ({
      name,
      description,
      input_schema: { ...inputSchema, type: "object" },
    }));
  }

  /** Runs the tool uses of a model's content, side by side; answers the content of the user's next message. */
  run(content: readonly ContentBlock[], signal?: AbortSignal): Promise<ToolResultBlock[]> {
    const uses = content.filter((block) => block.type === "tool_use");
    return Promise.all(
      uses.map(async ({ id, name, input }) => {
        const { text, error } = await this.#set.run(String(name), input, signal);
        const block = { type: "tool_result", tool_use_id: String(id), content: text } as const;
        return error === undefined ? block : { ...block, is_error: true };
      }),
    );
  }
}
