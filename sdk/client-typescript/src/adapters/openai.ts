/** A user's tools for OpenAI's Chat Completions and Responses, and for everything that speaks like them. */
import type { User } from "../user.js";
import { Toolset, type ToolsetOptions } from "./toolset.js";

export type { ToolsetOptions } from "./toolset.js";

/** A tool as Chat Completions takes it. */
export interface ChatTool {
  type: "function";
  function: { name: string; description: string; parameters: Record<string, unknown> };
}

/** A tool as Responses takes it. */
export interface ResponsesTool {
  type: "function";
  name: string;
  description: string;
  parameters: Record<string, unknown>;
  strict: false;
}

/** What is needed of a message of Chat Completions. */
export interface ChatMessage {
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly type: string;
    readonly function?: { readonly name: string; readonly arguments: string };
  }[];
}

/** The result of a tool call for Chat Completions. */
export interface ChatResult {
  role: "tool";
  tool_call_id: string;
  content: string;
}

/** What is needed of an item of a response's `output`. */
export interface ResponsesItem {
  readonly type: string;
  readonly call_id?: unknown;
  readonly name?: unknown;
  readonly arguments?: unknown;
}

/** The result of a tool call for Responses. */
export interface ResponsesResult {
  type: "function_call_output";
  call_id: string;
  output: string;
}

/** The tools that a user can call now. */
export async function openaiTools(user: User, options: ToolsetOptions = {}): Promise<OpenAITools> {
  return new OpenAITools(await Toolset.of(user, options));
}

/** Tools in OpenAI's formats, and their execution. */
export class OpenAITools {
  readonly #set: Toolset;

  constructor(set: Toolset) {
    this.#set = set;
  }

  /** For `tools` of Chat Completions. */
  get chat(): ChatTool[] {
    return this.#set.tools.map(({ name, description, inputSchema }) => ({
      type: "function",
      function: { name, description, parameters: { ...inputSchema } },
    }));
  }

  /** For `tools` of Responses. */
  get responses(): ResponsesTool[] {
    return this.#set.tools.map(({ name, description, inputSchema }) => ({
      type: "function",
      name,
      description,
      parameters: { ...inputSchema },
      strict: false,
    }));
  }

  /** Runs the tool calls of a model's message, side by side; answers the messages to append, in their order. */
  runChat(message: ChatMessage, signal?: AbortSignal): Promise<ChatResult[]> {
    const calls = message.tool_calls ?? [];
    return Promise.all(
      calls.map(async ({ id, function: called }) => {
        const { text } = await this.#set.run(called?.name ?? "", called?.arguments, signal);
        return { role: "tool", tool_call_id: id, content: text };
      }),
    );
  }

  /** Runs the function calls of a response's `output`, side by side; answers the items to append, in their order. */
  runResponses(output: readonly ResponsesItem[], signal?: AbortSignal): Promise<ResponsesResult[]> {
    const calls = output.filter((item) => item.type === "function_call");
    return Promise.all(
      calls.map(async ({ call_id, name, arguments: input }) => {
        const { text } = await this.#set.run(String(name), input, signal);
        return { type: "function_call_output", call_id: String(call_id), output: text };
      }),
    );
  }
}
