/** A scripted model behind a model vendor's HTTP API: the vendor's own client talks to it. */
import { type Serving, json, serve } from "./server.js";

/** What a model vendor was asked, and where. */
export interface Asked {
  readonly path: string;
  // The bodies are the vendors', and each test looks at what it needs of them.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

/** Plays a model: each turn is answered by the next of `turns`. */
export async function play(
  turns: readonly ((asked: Asked) => unknown)[],
): Promise<Serving & { readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = await serve((request, response) => {
    const question: Asked = { path: request.path, body: JSON.parse(request.body) as unknown };
    const turn = turns[asked.length];
    asked.push(question);
    if (turn === undefined) json(response, { error: { message: "the script has no further turn" } }, 400);
    else json(response, turn(question));
  });
  return { ...server, asked };
}

/** A turn of Chat Completions that calls tools. */
export function chatCalls(...calls: readonly (readonly [name: string, input: unknown])[]): () => unknown {
  const tool_calls = calls.map(([name, input], index) => ({
    id: `call_${String(index)}`,
    type: "function",
    function: { name, arguments: typeof input === "string" ? input : JSON.stringify(input) },
  }));
  return () => completion({ role: "assistant", content: null, tool_calls }, "tool_calls");
}

/** A turn of Chat Completions that answers. */
export function chatSays(text: (asked: Asked) => string): (asked: Asked) => unknown {
  return (asked) => completion({ role: "assistant", content: text(asked) }, "stop");
}

/** A turn of Responses that calls a function. */
export function responsesCall(name: string, input: unknown): () => unknown {
  const call = {
    type: "function_call",
    id: "fc_1",
    call_id: "call_1",
    name,
    arguments: JSON.stringify(input),
  };
  return () => ({ ...response, output: [{ ...call, status: "completed" }] });
}

/** A turn of Responses that answers. */
export function responsesSay(text: (asked: Asked) => string): (asked: Asked) => unknown {
  return (asked) => {
    const content = [{ type: "output_text", text: text(asked), annotations: [] }];
    return {
      ...response,
      output: [{ type: "message", id: "m_1", role: "assistant", status: "completed", content }],
    };
  };
}

/** A turn of Messages that uses tools. */
export function messageUses(...uses: readonly (readonly [name: string, input: unknown])[]): () => unknown {
  const content = uses.map(([name, input], index) => ({
    type: "tool_use",
    id: `tu_${String(index)}`,
    name,
    input,
  }));
  return () => ({ ...message, content, stop_reason: "tool_use" });
}

/** A turn of Messages that answers. */
export function messageSays(text: (asked: Asked) => string): (asked: Asked) => unknown {
  return (asked) => ({ ...message, content: [{ type: "text", text: text(asked) }], stop_reason: "end_turn" });
}

const usage = { input_tokens: 1, output_tokens: 1 };
const message = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "scripted",
  stop_sequence: null,
  usage,
};
const response = { id: "resp_1", object: "response", created_at: 0, status: "completed", model: "scripted" };

function completion(own: object, finish_reason: string): object {
  const choices = [{ index: 0, message: own, finish_reason }];
  return { id: "c_1", object: "chat.completion", created: 0, model: "scripted", choices };
}
