/** A user's tools for LangChain and LangGraph. */
import { ToolMessage } from "@langchain/core/messages";
import { DynamicStructuredTool } from "@langchain/core/tools";
import type { User } from "../user.js";
import { Toolset, type ToolsetOptions } from "./toolset.js";

export type { ToolsetOptions } from "./toolset.js";

/**
 * The tools that a user can call now, each with its own argument schema.
 *
 * A call that fails gives a message of status `error` whose text tells the model what to do, with the
 * authorization link where there is one. The message's `artifact` is what the program gets: the execution, or the
 * `ValetkeyError`.
 */
export async function langchainTools(
  user: User,
  options: ToolsetOptions = {},
): Promise<DynamicStructuredTool[]> {
  const set = await Toolset.of(user, options);
  return set.tools.map(
    (tool) =>
      new DynamicStructuredTool({
        name: tool.name,
        description: tool.description,
        schema: { ...tool.inputSchema },
        tags: [...(tool.tags ?? [])],
        metadata: { connector: tool.connector, ...tool.hints },
        responseFormat: "content_and_artifact",
        verboseParsingErrors: true,
        func: async (input, _run, config) => {
          const { text, executed, error } = await set.run(tool.name, input, config?.signal);
          const artifact = executed ?? error;
          const id: unknown = (config as { toolCall?: { id?: unknown } } | undefined)?.toolCall?.id;
          if (error === undefined || typeof id !== "string") return [text, artifact];
          const message = { content: text, artifact, tool_call_id: id, name: tool.name };
          return [new ToolMessage({ ...message, status: "error" }), artifact];
        },
      }),
  );
}
