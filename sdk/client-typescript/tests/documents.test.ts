/** The programs of the README and the guide do what they say: each `// → text` is printed. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { before, test } from "node:test";

import { AIMessage, ToolMessage } from "@langchain/core/messages";
import { fakeModel } from "@langchain/core/testing";
import { MockLanguageModelV3 } from "ai/test";

import { clientOf, open, skip, theHost } from "./support/host.js";
import { chatCalls, chatSays, messageSays, messageUses, play } from "./support/models.js";

const compiled = new URL("./examples/", import.meta.url);
const sources = new URL("../../tests/examples/", import.meta.url);
const WHOAMI = ["hubspot_whoami", {}] as const;

function environment(): Record<string, string> {
  const { base_url, client_id, client_secret } = theHost();
  return { VALETKEY_SERVER: base_url, VALETKEY_CLIENT_ID: client_id, VALETKEY_CLIENT_SECRET: client_secret };
}

/** Runs a program and looks for what it says that it prints. */
async function runs(name: string, more: Record<string, string> = {}): Promise<void> {
  const promised = [...readFileSync(new URL(name, sources), "utf8").matchAll(/\/\/ → (.+)$/gm)].map(
    ([, text]) => text,
  );
  assert.ok(promised.length > 0, `${name} says what it prints`);
  const program = fileURLToPath(new URL(name.replace(/\.ts$/, ".js"), compiled));
  const env = { PATH: process.env["PATH"], ...environment(), ...more };
  const { stdout } = await promisify(execFile)(process.execPath, [program], { env });
  for (const text of promised) assert.ok(text !== undefined && stdout.includes(text), `${name}: ${stdout}`);
}

before(async () => {
  if (skip !== false) return;
  Object.assign(process.env, environment());
  const { authorizationLink } = await clientOf(theHost()).forUser("user-42").link("hubspot");
  assert.equal((await open(authorizationLink)).status, 200);
});

test("the programs about calls, links and errors run, in the order of the page", { skip }, async () => {
  await runs("call.ts");
  await runs("connect.ts");
  await runs("errors.ts");
});

test("the program for OpenAI runs with a scripted model", { skip }, async () => {
  const model = await play([chatCalls(WHOAMI), chatSays(() => "You are the user.")]);
  try {
    await runs("openai.ts", { OPENAI_BASE_URL: `${model.url}/v1`, OPENAI_API_KEY: "none" });
    assert.equal(model.asked.length, 2);
  } finally {
    await model.close();
  }
});

test("the program for Anthropic runs with a scripted model", { skip }, async () => {
  const model = await play([messageUses(WHOAMI), messageSays(() => "You are the user.")]);
  try {
    await runs("anthropic.ts", { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: "none" });
    assert.equal(model.asked.length, 2);
  } finally {
    await model.close();
  }
});

test("the agents for LangChain run with a scripted model", { skip }, async () => {
  const scripted = () =>
    fakeModel()
      .respondWithTools([{ name: WHOAMI[0], args: {} }])
      .respond(new AIMessage("Done."));
  const { agentOf } = await import("./examples/agent.js");
  const agent = await agentOf("user-42", scripted());
  const first = await agent.invoke({ messages: [{ role: "user", content: "Who am I?" }] });
  const { runFor } = await import("./examples/langchain.js");
  const second = await runFor("user-42", scripted(), "Who am I?");
  for (const { messages } of [first, second]) {
    assert.deepEqual(
      messages.filter((it) => it instanceof ToolMessage).map((it) => it.status),
      ["success"],
    );
  }
});

test("the program for the AI SDK runs with a scripted model", { skip }, async () => {
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 },
  };
  const call = { type: "tool-call" as const, toolCallId: "c1", toolName: WHOAMI[0], input: "{}" };
  const model = new MockLanguageModelV3({
    doGenerate: [
      { content: [call], finishReason: { unified: "tool-calls", raw: "tool_use" }, usage, warnings: [] },
      {
        content: [{ type: "text", text: "Done." }],
        finishReason: { unified: "stop", raw: "stop" },
        usage,
        warnings: [],
      },
    ],
  });
  const { answer } = await import("./examples/ai-sdk.js");
  assert.equal(await answer(model, "user-42", "Who am I?"), "Done.");
  assert.equal(model.doGenerateCalls.length, 2);
});

test("no program of the documents is left out of these tests", () => {
  const run = ["agent", "ai-sdk", "anthropic", "call", "connect", "errors", "langchain", "openai"];
  assert.deepEqual(
    readdirSync(sources).sort(),
    run.map((name) => `${name}.ts`),
  );
});
