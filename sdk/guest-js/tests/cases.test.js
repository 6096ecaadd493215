// The cases that every language's engine runs (`sdk/guest-cases`).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Call, Fault, Response, page, run as runTool } from "@valetkey/guest";

const { requests, answers } = JSON.parse(readFileSync(new URL("../../guest-cases/declared.json", import.meta.url)));
const NOTHING = new Response(204, [], new Uint8Array());
const text = (bytes) => new TextDecoder().decode(bytes);

/** Runs a case's declared tool over a host that keeps the request and gives `response`. */
function run({ declaration, input = "{}", page = {}, config = {} }, response = NOTHING, tools = {}) {
  let sent;
  const host = {
    send(request) {
      sent = request;
      return response;
    },
    accountConfig: (name) => config[name],
  };
  const context = { declaration: JSON.stringify(declaration), pageToken: page.token, pageSize: page.size };
  try {
    return { output: runTool(tools, new Call(host, context), "a_tool", input), sent };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { fault: error };
  }
}

function assertFault(fault, wanted) {
  assert.ok(fault, "there is no fault");
  const { code, message, status, vendorCode, retryAfterMs, problems } = fault;
  const shown = { code, message, status, vendor_code: vendorCode, retry_after_ms: retryAfterMs, problems };
  assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, shown[name]])), wanted);
}

for (const given of requests) {
  test(`request: ${given.name}`, () => {
    const { fault, sent } = run(given);
    if (given.fault) return assertFault(fault, given.fault);
    assert.equal(fault, undefined);
    const { url, body, ...rest } = sent;
    const shown = { ...rest, ...(url !== undefined && { url }), ...(body !== undefined && { body: text(body) }) };
    assert.deepEqual(shown, given.request);
  });
}

for (const given of answers) {
  test(`answer: ${given.name}`, () => {
    const { status, headers = [], body = "", bytes } = given.response;
    const response = new Response(status, headers, bytes ? Uint8Array.from(bytes) : new TextEncoder().encode(body));
    const { fault, output } = run(given, response);
    if (given.fault) return assertFault(fault, given.fault);
    assert.equal(fault, undefined);
    const next = output.nextPageToken;
    assert.deepEqual({ data: output.data, ...(next !== undefined && { next }) }, given.output);
  });
}

test("what a function answers is shortened as well, and it may ask how long the answer is to be", () => {
  const declaration = { response: { concise: ["avatar"] } };
  const asked = [];
  const tools = {
    a_tool(call, { response_format }) {
      asked.push(response_format);
      return page({ login: "x", avatar: "a" }, "t2");
    },
  };
  const answer = (input) => run({ declaration, input: JSON.stringify(input) }, undefined, tools).output;
  const short = answer({ response_format: "concise" });
  assert.deepEqual([short.data, short.nextPageToken], ['{"login":"x"}', "t2"]);
  assert.equal(answer({ response_format: "detailed" }).data, '{"login":"x","avatar":"a"}');
  assert.deepEqual(asked, ["concise", "detailed"]);
});
