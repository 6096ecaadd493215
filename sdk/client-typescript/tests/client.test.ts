/** What the client promises beside the shared cases, against real servers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { inspect } from "node:util";
import { test } from "node:test";

import {
  ApiError,
  ConnectionFailedError,
  DeadlineExceededError,
  InvalidAnswerError,
  Valetkey,
  faults,
  isFault,
} from "@valetkey/client";

import { certificate } from "./support/certificate.js";
import { type Received, type Serving, json, promised, serve } from "./support/server.js";

const TOKEN = { access_token: "token-of-the-test", token_type: "Bearer", expires_in: 3600, scope: "" };
const SECRET = "secret-of-the-test";

/** A host that gives tokens and answers the rest as the test says. */
async function hostThat(
  answer: Parameters<typeof serve>[0],
): Promise<Serving & { client: Valetkey; readonly tokens: () => number }> {
  let tokens = 0;
  const server = await serve((request, response) => {
    if (request.path !== "/oauth/token") return answer(request, response);
    tokens += 1;
    json(response, TOKEN);
    return undefined;
  });
  const client = new Valetkey({ baseUrl: server.url, clientId: "vk_1", clientSecret: SECRET });
  return { ...server, client, tokens: () => tokens };
}

test("one token serves a hundred calls that begin at once", async () => {
  const host = await hostThat((_, response) => {
    json(response, { items: [] });
  });
  try {
    await Promise.all(Array.from({ length: 100 }, () => host.client.tools.list().all()));
    assert.equal(host.tokens(), 1);
    await host.client.forRun("run-1").tools.list().all();
    assert.equal(host.tokens(), 1, "a client for a run shares it");
  } finally {
    await host.close();
  }
});

test("a call that is cancelled while it waits for the token leaves the token to the others", async () => {
  const asked = promised<undefined>();
  const release = promised<undefined>();
  let tokens = 0;
  const server = await serve(async (request, response) => {
    if (request.path !== "/oauth/token") {
      json(response, { items: [] });
      return;
    }
    tokens += 1;
    asked.keep(undefined);
    await release.promise;
    json(response, TOKEN);
  });
  try {
    const client = new Valetkey({ baseUrl: server.url, clientId: "vk_1", clientSecret: SECRET });
    const cancel = new AbortController();
    const cancelled = client.tools.list({}, { signal: cancel.signal }).all();
    const other = client.tools.list().all();
    await asked.promise;
    const reason = new Error("the user left");
    cancel.abort(reason);
    await assert.rejects(cancelled, reason);
    release.keep(undefined);
    assert.deepEqual(await other, []);
    assert.equal(tokens, 1);
  } finally {
    await server.close();
  }
});

test("a cancelled call closes its request, so that the host stops the work", async () => {
  const arrived = promised<Received>();
  const host = await hostThat((request) => {
    arrived.keep(request);
  });
  try {
    const cancel = new AbortController();
    const call = host.client.executeTool({ toolName: "x", identifier: "ada" }, { signal: cancel.signal });
    const { socket } = await arrived.promise;
    const closed = once(socket, "close");
    cancel.abort();
    await assert.rejects(call, { name: "AbortError" });
    await closed;
  } finally {
    await host.close();
  }
});

test("a token that does not come in time ends the call in time", async () => {
  const server = await serve(() => undefined);
  try {
    const client = new Valetkey({ baseUrl: server.url, clientId: "vk_1", clientSecret: SECRET });
    await assert.rejects(client.tools.get("x", { timeoutMs: 20 }), DeadlineExceededError);
  } finally {
    await server.close();
  }
});

test("a redirect is not followed, and the token goes nowhere else", async () => {
  const reached: string[] = [];
  const elsewhere = await serve((request, response) => {
    reached.push(request.path);
    json(response, { items: [] });
  });
  const host = await hostThat((_, response) => {
    response.writeHead(307, { location: `${elsewhere.url}/stolen` }).end();
  });
  try {
    await assert.rejects(
      host.client.tools.list().all(),
      (error) => error instanceof InvalidAnswerError && error.status === 307 && !error.retryable,
    );
    assert.deepEqual(reached, []);
  } finally {
    await host.close();
    await elsewhere.close();
  }
});

test("a write that may have happened stays unknown when the host is gone at the second attempt", async () => {
  const host = await hostThat(async (request) => {
    void host.close();
    request.socket.destroy();
    await Promise.resolve();
  });
  const call = host.client.executeTool({ toolName: "x", identifier: "ada" });
  await assert.rejects(
    call,
    (error) => error instanceof faults.ambiguous_outcome && error.reason === "answer_lost",
  );
});

test("a read from a host that is gone fails without a doubt left", async () => {
  const host = await hostThat(() => undefined);
  await host.close();
  const client = new Valetkey({ baseUrl: host.url, accessToken: "t", maxAttempts: 1 });
  await assert.rejects(
    client.tools.get("x"),
    (error) => error instanceof ConnectionFailedError && error.message.includes("ECONNREFUSED"),
  );
});

test("a certificate that is not trusted is named so, with what to do, and nothing is sent", async () => {
  const seen: string[] = [];
  const server = await serve((request) => seen.push(request.path), certificate);
  try {
    const client = new Valetkey({ baseUrl: server.url, accessToken: "t" });
    await assert.rejects(
      client.executeTool({ toolName: "x", identifier: "ada" }),
      (error) =>
        error instanceof ConnectionFailedError &&
        !error.retryable &&
        error.message.includes("DEPTH_ZERO_SELF_SIGNED_CERT") &&
        error.nextStep.includes("NODE_EXTRA_CA_CERTS"),
    );
    assert.deepEqual(seen, []);
  } finally {
    await server.close();
  }
});

test("a token function is asked again, once, when its token is refused", async () => {
  const seen: (string | undefined)[] = [];
  const server = await serve((request, response) => {
    seen.push(request.headers.authorization);
    const refused = { error: { kind: "unauthenticated", message: "No.", side: "caller", retryable: false } };
    if (seen.length === 1) json(response, refused, 401);
    else json(response, { items: [] });
  });
  try {
    let given = 0;
    const accessToken = (): string => `given-${String((given += 1))}`;
    await new Valetkey({ baseUrl: server.url, accessToken }).tools.list().all();
    assert.deepEqual(seen, ["Bearer given-1", "Bearer given-2"]);
    const fixed = new Valetkey({ baseUrl: server.url, accessToken: "fixed" });
    seen.length = 0;
    await assert.rejects(fixed.tools.list().all(), faults.unauthenticated);
    assert.deepEqual(seen, ["Bearer fixed"], "a fixed token would only be refused again");
  } finally {
    await server.close();
  }
});

test("a list fetches what is read of it and nothing else", async () => {
  const cursors: (string | undefined)[] = [];
  const host = await hostThat((request, response) => {
    cursors.push(request.query["cursor"]);
    const page = cursors.length;
    json(response, {
      items: [{ name: `a${String(page)}` }, { name: `b${String(page)}` }],
      next_cursor: `c${String(page)}`,
    });
  });
  try {
    const list = host.client.tools.list();
    assert.deepEqual(cursors, []);
    const names = (await list.all(3)).map((tool) => tool.name);
    assert.deepEqual(names, ["a1", "b1", "a2"]);
    assert.deepEqual(cursors, [undefined, "c1"]);
    assert.deepEqual(await list.all(0), []);
    assert.equal((await list.page("kept")).nextCursor, "c3");
    assert.deepEqual(cursors, [undefined, "c1", "kept"]);
  } finally {
    await host.close();
  }
});

test("what a newer host says more is kept, and what a vendor names is left alone", async () => {
  const data = { snake_case: [{ next_cursor: null }], camelCase: 1 };
  const host = await hostThat((_, response) => {
    json(response, { data, execution_id: "exe_1", next_cursor: null, grown_later: { own_name: 1 } });
  });
  try {
    const executed = await host.client.executeTool({ toolName: "x", params: { snake_case: 1 } });
    assert.deepEqual(executed, { data, executionId: "exe_1", grownLater: { own_name: 1 } });
  } finally {
    await host.close();
  }
});

test("a client shows no secret, whoever prints it", () => {
  const client = new Valetkey({ baseUrl: "https://keys.example", clientId: "vk_1", clientSecret: SECRET });
  for (const shown of [inspect(client, { depth: 9, showHidden: true }), JSON.stringify(client)]) {
    assert.ok(!shown.includes(SECRET), shown);
  }
});

test("a client that cannot work says at once what is missing", () => {
  const whole = { baseUrl: "https://keys.example", clientId: "vk_1", clientSecret: SECRET };
  assert.throws(() => new Valetkey({ ...whole, baseUrl: "keys.example" }), /`baseUrl`/);
  assert.throws(() => new Valetkey({ ...whole, baseUrl: "ftp://keys.example" }), /`baseUrl`/);
  assert.throws(
    () => new Valetkey({ ...whole, baseUrl: `https://vk_1:${SECRET}@keys.example` }),
    (error: Error) => error.message.includes("`baseUrl`") && !error.message.includes(SECRET),
  );
  assert.throws(() => new Valetkey({ baseUrl: "https://keys.example", clientId: "vk_1" }), /`clientSecret`/);
});

test("a time that is none is refused at once, and a very long one is a time", async () => {
  const host = await hostThat((_, response) => {
    json(response, { items: [] });
  });
  try {
    for (const timeoutMs of [0, -1, Number.NaN]) {
      await assert.rejects(host.client.tools.list({}, { timeoutMs }).all(), TypeError);
    }
    for (const timeoutMs of [2 ** 40, Infinity]) {
      assert.deepEqual(await host.client.tools.list({}, { timeoutMs }).all(), []);
    }
  } finally {
    await host.close();
  }
});

test("a key of the caller's own goes along even with a call that reads", async () => {
  const keys: unknown[] = [];
  const host = await hostThat((request, response) => {
    keys.push(request.headers["idempotency-key"]);
    json(response, { data: null, execution_id: "exe_1" });
  });
  try {
    const call = { toolName: "x", identifier: "ada" };
    await host.client.executeTool(call, { readOnly: true, idempotencyKey: "mine" });
    await host.client.executeTool(call, { readOnly: true });
    assert.deepEqual(keys, ["mine", undefined]);
  } finally {
    await host.close();
  }
});

test("an id that would be another path is refused before anything is sent", async () => {
  const client = new Valetkey({ baseUrl: "https://keys.example", accessToken: "t" });
  for (const id of ["", ".", ".."]) await assert.rejects(client.connectedAccounts.get(id), TypeError);
});

test("a raw request goes as it is, and the answer is the vendor's whatever its status", async () => {
  const seen: Received[] = [];
  const host = await hostThat((request, response) => {
    seen.push(request);
    response.writeHead(424, { "x-vendor-status": "401", "content-type": "text/plain" }).end("no such key");
  });
  try {
    const run = host.client.forRun("run-1").forUser("zoë-42");
    const answer = await run.proxy(
      {
        connectionName: "hubspot",
        method: "POST",
        path: "/crm/v3/a%2Fb?x=1",
        query: { y: "2 3" },
        json: { name: "Ada" },
      },
      { timeoutMs: 5_000 },
    );
    assert.deepEqual([answer.status, await answer.text()], [401, "no such key"]);
    const [request] = seen;
    assert.ok(request !== undefined && seen.length === 1);
    assert.deepEqual(
      [request.method, request.path, request.query],
      ["POST", "/proxy/crm/v3/a%2Fb", { x: "1", y: "2 3" }],
    );
    assert.equal(request.body, '{"name":"Ada"}');
    const { headers } = request;
    assert.equal(headers["content-type"], "application/json");
    assert.equal(headers["connection-name"], "hubspot");
    assert.equal(Buffer.from(String(headers["identifier"]), "latin1").toString(), "zoë-42");
    assert.equal(headers["agent-run-id"], "run-1");
    assert.equal(headers["deadline-ms"], "5000");
  } finally {
    await host.close();
  }
});

test("a raw request is repeated only when it reads, and an error of the host is one", async () => {
  const seen: string[] = [];
  const host = await hostThat((request, response) => {
    seen.push(request.method);
    if (seen.length === 1 || request.method === "POST") {
      request.socket.destroy();
      return;
    }
    const refused = { kind: "policy_denied", message: "Off here.", side: "caller", retryable: false };
    json(response, { error: refused }, 403);
  });
  try {
    const raw = { connectionName: "hubspot", identifier: "ada", path: "crm" };
    await assert.rejects(host.client.proxy(raw), faults.policy_denied);
    await assert.rejects(host.client.proxy({ ...raw, method: "POST" }), faults.ambiguous_outcome);
    assert.deepEqual(seen, ["GET", "GET", "POST"]);
  } finally {
    await host.close();
  }
});

test("a raw path that leads back to the host's own paths is refused before anything is sent", async () => {
  const client = new Valetkey({ baseUrl: "https://keys.example", accessToken: "t" });
  for (const path of ["../api/v1/tools", "crm/%2e%2E/x", "crm\\..\\x", "crm/./x", "crm#x", "a\nb"]) {
    await assert.rejects(client.proxy({ connectionName: "hubspot", path }), TypeError, path);
  }
});

test("every kind of error has a class, and a switch over the kinds can be exhaustive", () => {
  for (const [kind, Class] of Object.entries(faults)) {
    const facts = { kind, message: "m", side: "host", retryable: false, nextStep: "n" };
    const error = new Class(facts);
    assert.ok(error instanceof ApiError && isFault(error));
    assert.equal(error.name, Class.name);
    if (error.kind === "account_not_active")
      assert.equal(error satisfies InstanceType<typeof faults.account_not_active>, error);
  }
  assert.ok(!isFault(new Error("another")));
});
