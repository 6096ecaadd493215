/** The adapters, each with the real package that it is for, against the real host. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";
import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { fakeModel } from "@langchain/core/testing";
import { AccountNotActiveError, type Executed, type User, VendorNotFoundError } from "@valetkey/client";
import { aiSdkTools } from "@valetkey/client/ai-sdk";
import { anthropicTools } from "@valetkey/client/anthropic";
import { langchainTools } from "@valetkey/client/langchain";
import { openaiTools } from "@valetkey/client/openai";
import { generateText, stepCountIs } from "ai";
import { MockLanguageModelV3 } from "ai/test";
import { createAgent } from "langchain";
import OpenAI from "openai";

import { clientOf, open, skip, theHost } from "./support/host.js";
import {
  type Asked,
  chatCalls,
  chatSays,
  messageSays,
  messageUses,
  play,
  responsesCall,
  responsesSay,
} from "./support/models.js";

const EMAIL = `${randomUUID()}@navy.example`;
const CREATE = ["hubspot_contact_create", { properties: { email: EMAIL, firstname: "Grace" } }] as const;
const MISSING = ["hubspot_contact_get", { contact_id: "999999999999" }] as const;
const WHOAMI = ["hubspot_whoami", {}] as const;

let user: User;

before(() => {
  if (skip === false) user = clientOf(theHost()).forUser(theHost().identifier);
});

/** A user of their own who had connected and was disconnected after their tools were listed. */
async function leaving<T>(list: (user: User) => Promise<T>): Promise<T> {
  const client = clientOf(theHost());
  const own = client.forUser(`t${randomUUID()}`);
  const { authorizationLink, connectedAccountId } = await own.link("hubspot");
  assert.equal((await open(authorizationLink)).status, 200);
  const tools = await list(own);
  await client.connectedAccounts.disconnect(connectedAccountId);
  return tools;
}

interface Told {
  data?: unknown;
  error?: { kind: string; message: string; authorization_link?: string; execution_id?: string };
}

const told = (text: unknown): Told => JSON.parse(text as string) as Told;

test(
  "a LangChain tool has the tool's own schema and gives the execution as its artifact",
  { skip },
  async () => {
    const tools = await langchainTools(user, { connector: "hubspot" });
    const [declared] = (await user.tools({ connector: "hubspot" }).all()).filter(
      (it) => it.name === CREATE[0],
    );
    const create = tools.find((tool) => tool.name === CREATE[0]);
    assert.ok(create !== undefined && declared !== undefined);
    assert.deepEqual(create.schema, declared.inputSchema);
    assert.equal(create.description, declared.description);
    assert.equal(create.metadata?.["readOnly"], false);
    const message: unknown = await create.invoke({
      type: "tool_call",
      id: "1",
      name: create.name,
      args: CREATE[1],
    });
    assert.ok(message instanceof ToolMessage);
    const artifact = message.artifact as Executed;
    assert.equal(message.status, "success");
    assert.match(artifact.executionId, /^exe_/);
    assert.deepEqual(told(message.content).data, artifact.data);
  },
);

test("filters narrow what a model gets, and nothing else can be called", { skip }, async () => {
  const readers = await langchainTools(user, { connector: "hubspot", readOnly: true });
  assert.ok(readers.length > 3 && readers.every((tool) => tool.metadata?.["readOnly"] === true));
  const named = await openaiTools(user, { names: [WHOAMI[0]] });
  assert.deepEqual(
    named.chat.map((tool) => tool.function.name),
    [WHOAMI[0]],
  );
  const [refused] = await named.runChat({
    tool_calls: [
      { id: "1", type: "function", function: { name: CREATE[0], arguments: JSON.stringify(CREATE[1]) } },
    ],
  });
  assert.equal(told(refused?.content).error?.kind, "unknown_tool");
  const elsewhere = clientOf(theHost()).forUser(theHost().identifier, { connectionName: "gmail" });
  const ofGmail = await langchainTools(elsewhere);
  assert.ok(ofGmail.length > 3 && ofGmail.every((tool) => tool.metadata?.["connector"] === "gmail"));
});

test(
  "a LangChain tool that fails tells the model what to do, with the link where there is one",
  { skip },
  async () => {
    const [whoami] = await leaving((own) => langchainTools(own, { names: [WHOAMI[0]] }));
    assert.ok(whoami !== undefined);
    const message: unknown = await whoami.invoke({ type: "tool_call", id: "1", name: whoami.name, args: {} });
    assert.ok(message instanceof ToolMessage);
    assert.equal(message.status, "error");
    const error = message.artifact as AccountNotActiveError;
    assert.ok(error instanceof AccountNotActiveError);
    assert.match(error.authorizationLink ?? "", /^http/);
    assert.equal(told(message.content).error?.authorization_link, error.authorizationLink);
    const text: unknown = await whoami.invoke({});
    assert.equal(told(text).error?.kind, "account_not_active");
  },
);

test(
  "with named connections a user who never connected gets the tools, and the link with the first call",
  { skip },
  async () => {
    const own = clientOf(theHost()).forUser(`t${randomUUID()}`);
    assert.deepEqual(await langchainTools(own), []);
    const set = await openaiTools(own, { connections: ["hubspot", "gmail"] });
    const call = { id: "1", type: "function", function: { name: WHOAMI[0], arguments: "" } };
    const [message] = await set.runChat({ tool_calls: [call] });
    const { error } = told(message?.content);
    assert.equal(error?.kind, "account_not_active");
    assert.equal((await open(error.authorization_link ?? "")).status, 200);
    const [again] = await set.runChat({ tool_calls: [call] });
    assert.ok(told(again?.content).data !== undefined, "connected by that link, it works");
    await assert.rejects(openaiTools(own, { names: ["gmail_send_mail"] }), /gmail_send_mail.*`connections`/);
  },
);

test("a cancelled LangChain run ends the tool call rather than telling the model", { skip }, async () => {
  const [whoami] = await langchainTools(user, { names: [WHOAMI[0]] });
  const signal = AbortSignal.abort();
  await assert.rejects(async () => whoami?.invoke({}, { signal }), { name: "AbortError" });
});

test("a LangChain agent with a scripted model runs two tools for a user", { skip }, async () => {
  const run = `run-${randomUUID()}`;
  const client = clientOf(theHost()).forRun(run);
  const tools = await langchainTools(client.forUser(theHost().identifier), { connector: "hubspot" });
  const email = `${randomUUID()}@navy.example`;
  const filters = [{ propertyName: "email", operator: "EQ", value: email }];
  const model = fakeModel()
    .respondWithTools([{ name: CREATE[0], args: { properties: { email } }, id: "1" }])
    .respondWithTools([{ name: "hubspot_contacts_search", args: { filters }, id: "2" }])
    .respond(new AIMessage("Grace is there."));
  const agent = createAgent({ model, tools });
  const { messages } = await agent.invoke({ messages: [new HumanMessage("Add Grace and find her.")] });
  const [created, found] = messages.filter((it) => it instanceof ToolMessage).map((it) => told(it.content));
  assert.ok(created !== undefined && found !== undefined);
  const { id } = created.data as { id: string };
  assert.deepEqual(
    (found.data as { results: { id: string }[] }).results.map((it) => it.id),
    [id],
  );
  const executions = await client.executions.list({ limit: 200 }).all(200);
  const own = executions.filter((it) => it.agentRunId === run).map((it) => `${it.tool} ${it.outcome}`);
  assert.deepEqual(own.sort(), ["hubspot_contact_create ok", "hubspot_contacts_search ok"]);
});

test("Chat Completions gets the tools, and its calls are run side by side", { skip }, async () => {
  const lost = ["hubspot_contact_get", "{not json"] as const;
  const model = await play([
    chatCalls(WHOAMI, MISSING, lost),
    chatSays(({ body }: Asked) => JSON.stringify((body as { messages: unknown[] }).messages.slice(-3))),
  ]);
  try {
    const openai = new OpenAI({ apiKey: "none", baseURL: `${model.url}/v1`, maxRetries: 0 });
    const tools = await openaiTools(user, { connector: "hubspot" });
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "Who am I?" }];
    const first = await openai.chat.completions.create({ model: "m", messages, tools: tools.chat });
    const asked = first.choices[0]?.message;
    assert.ok(asked !== undefined);
    messages.push(asked, ...(await tools.runChat(asked)));
    const second = await openai.chat.completions.create({ model: "m", messages, tools: tools.chat });
    const results = JSON.parse(second.choices[0]?.message.content ?? "") as {
      tool_call_id: string;
      content: string;
    }[];
    assert.deepEqual(
      results.map((it) => it.tool_call_id),
      ["call_0", "call_1", "call_2"],
    );
    const [whoami, missing, broken] = results.map((it) => told(it.content));
    assert.ok(whoami?.data !== undefined);
    assert.equal(missing?.error?.kind, "vendor_not_found");
    assert.equal(broken?.error?.kind, "invalid_input");
    const sent = (model.asked[0]?.body as { tools: { function: { name: string; parameters: object } }[] })
      .tools;
    const schema = (await user.tools({ connector: "hubspot" }).all()).find(
      (it) => it.name === CREATE[0],
    )?.inputSchema;
    assert.deepEqual(sent.find((it) => it.function.name === CREATE[0])?.function.parameters, schema);
  } finally {
    await model.close();
  }
});

test("Responses gets the tools, and its calls are run", { skip }, async () => {
  const model = await play([
    responsesCall(...WHOAMI),
    responsesSay(({ body }: Asked) => JSON.stringify((body as { input: unknown[] }).input.at(-1))),
  ]);
  try {
    const openai = new OpenAI({ apiKey: "none", baseURL: `${model.url}/v1`, maxRetries: 0 });
    const set = await openaiTools(user, { connector: "hubspot" });
    const input: OpenAI.Responses.ResponseInput = [{ role: "user", content: "Who am I?" }];
    const { output } = await openai.responses.create({ model: "m", input, tools: set.responses });
    const calls = output.filter((item) => item.type === "function_call");
    input.push(...calls, ...(await set.runResponses(output)));
    const { output_text } = await openai.responses.create({ model: "m", input, tools: set.responses });
    const result = JSON.parse(output_text) as { call_id: string; output: string };
    assert.equal(result.call_id, "call_1");
    assert.ok(told(result.output).data !== undefined);
  } finally {
    await model.close();
  }
});

test("Messages gets the tools, and a use that failed is marked as one", { skip }, async () => {
  const model = await play([
    messageUses(WHOAMI, MISSING),
    messageSays(({ body }: Asked) =>
      JSON.stringify((body as { messages: { content: unknown }[] }).messages.at(-1)?.content),
    ),
  ]);
  try {
    const anthropic = new Anthropic({ apiKey: "none", baseURL: model.url, maxRetries: 0 });
    const set = await anthropicTools(user, { connector: "hubspot" });
    const messages: Anthropic.MessageParam[] = [{ role: "user", content: "Who am I?" }];
    const ask = { model: "m", max_tokens: 100, tools: set.tools };
    const { content } = await anthropic.messages.create({ ...ask, messages });
    messages.push({ role: "assistant", content }, { role: "user", content: await set.run(content) });
    const answer = await anthropic.messages.create({ ...ask, messages });
    const [said] = answer.content;
    assert.ok(said?.type === "text");
    const [whoami, missing] = JSON.parse(said.text) as {
      tool_use_id: string;
      is_error?: true;
      content: string;
    }[];
    assert.deepEqual([whoami?.tool_use_id, whoami?.is_error], ["tu_0", undefined]);
    assert.deepEqual([missing?.tool_use_id, missing?.is_error], ["tu_1", true]);
    assert.equal(told(missing?.content).error?.kind, "vendor_not_found");
  } finally {
    await model.close();
  }
});

test("the AI SDK runs the tools, and gives the model an error that it can act on", { skip }, async () => {
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 },
  };
  const calls = [WHOAMI, MISSING].map(([toolName, input], index) => ({
    type: "tool-call" as const,
    toolCallId: `c${String(index)}`,
    toolName,
    input: JSON.stringify(input),
  }));
  const model = new MockLanguageModelV3({
    doGenerate: [
      { content: calls, finishReason: { unified: "tool-calls", raw: "tool_use" }, usage, warnings: [] },
      {
        content: [{ type: "text", text: "Done." }],
        finishReason: { unified: "stop", raw: "stop" },
        usage,
        warnings: [],
      },
    ],
  });
  const tools = await aiSdkTools(user, { connector: "hubspot" });
  const result = await generateText({ model, tools, prompt: "Who am I?", stopWhen: stepCountIs(3) });
  assert.equal(result.text, "Done.");
  const [failed] = result.steps[0]?.content.filter((part) => part.type === "tool-error") ?? [];
  assert.ok((failed?.error as Error).cause instanceof VendorNotFoundError);
  const last = model.doGenerateCalls[1]?.prompt.at(-1);
  assert.ok(last?.role === "tool");
  const [whoami, missing] = last.content.map((part) =>
    part.type === "tool-result" ? part.output : undefined,
  );
  assert.ok(whoami?.type === "json" && missing?.type === "error-text");
  assert.ok((whoami.value as Told).data !== undefined);
  assert.equal(told(missing.value).error?.kind, "vendor_not_found");
});
