/** A user's tools for the Vercel AI SDK. */
import { type ToolSet, jsonSchema, tool as aiTool } from "ai";
import type { ValetkeyError } from "../errors.js";
import type { User } from "../user.js";
import { Toolset, type ToolsetOptions } from "./toolset.js";

export type { ToolsetOptions } from "./toolset.js";

/**
 * A tool call that failed. The SDK makes it a `tool-error` part and gives its message to the model: JSON that says what
 * to do, with the authorization link where there is one. `cause` is the `ValetkeyError`.
 */
export class ToolCallError extends Error {
  override readonly name = "ToolCallError";
  declare readonly cause: ValetkeyError;
}

/** The tools that a user can call now, by name, for `tools` of `generateText` and its like. */
export async function aiSdkTools(user: User, options: ToolsetOptions = {}): Promise<ToolSet> {
  const set = await Toolset.of(user, options);
  return Object.fromEntries(
    set.tools.map((tool) => [
      tool.name,
      aiTool({
        title: tool.title,
        description: tool.description,
        inputSchema: jsonSchema<Record<string, unknown>>({ ...tool.inputSchema }),
        execute: async (input, { abortSignal }) => {
          const { text, value, error } = await set.run(tool.name, input, abortSignal);
          if (error !== undefined) throw new ToolCallError(text, { cause: error });
          return value;
        },
      }),
    ]),
  );
}
