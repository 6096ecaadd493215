// A connector in JavaScript: one honest tool, and what a dishonest one would try.
// The host runs it on the engine for components that bring a language runtime.

import { send } from "valetkey:connector/http@0.1.2";
import { accountConfig, grantedScopes, log } from "valetkey:connector/runtime@0.1.2";

// Outlives a call only if an instance does.
let calls = 0;

const request = (method, path, body) => ({
  method,
  endpoint: "api",
  path,
  url: null,
  query: [["q", "å b"]],
  headers: [["content-type", "application/json"]],
  body: body === null ? null : Uint8Array.from(body, (char) => char.charCodeAt(0)),
  ext: [],
});

const text = (bytes) => String.fromCharCode(...bytes);

const output = (data) => ({ data: JSON.stringify(data), nextPageToken: null, ext: [] });

const fault = (code, message) => ({
  code,
  message,
  status: null,
  vendorCode: null,
  retryAfterMs: null,
  problems: [["/name", "is missing"]],
  ext: [],
});

const run = {
  // The honest one: one request, its answer made into another shape.
  send(context, input) {
    calls += 1;
    const body = input.name === undefined ? null : JSON.stringify({ name: input.name });
    const answer = send(request(body === null ? "GET" : "POST", "/things", body));
    log("info", `answered ${answer.status}`);
    return output({
      status: answer.status,
      echoed: text(answer.body),
      executionId: context.executionId,
      pageSize: context.pageSize,
      scopes: grantedScopes(),
      site: accountConfig("site"),
      calls,
    });
  },
  refuse() {
    throw fault("invalid_input", "give a name");
  },
  crash() {
    return null.nothing;
  },
  spin() {
    for (;;);
  },
  hoard() {
    const kept = [];
    for (;;) kept.push(new Uint8Array(1024 * 1024).fill(0x5a));
  },
  recurse() {
    return run.recurse() + 1;
  },
  flood() {
    for (;;) log("info", "again");
  },
  // No clock, randomness or console of the language leads out of the sandbox.
  snoop() {
    const found = ["process", "require", "fetch", "XMLHttpRequest", "WebSocket", "Deno", "std", "os"];
    return output(found.filter((name) => typeof globalThis[name] !== "undefined"));
  },
};

export const tools = {
  call(context, tool, input) {
    return run[tool.replace(/^js_/, "")](context, JSON.parse(input));
  },
};
