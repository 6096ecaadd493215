// The glue between the contract's imports and exports and a connector's functions. It only moves values;
// everything that decides something is elsewhere and runs in Node.js as well.

import { describe, receive, send as sendFile } from "valetkey:connector/files@0.1.2";
import { send, sendAll } from "valetkey:connector/http@0.1.2";
import {
  accountConfig,
  credentialKind,
  grantedScopes,
  log,
  nowMs,
  random,
  remainingMs,
} from "valetkey:connector/runtime@0.1.2";
import { Call, run } from "./call.js";
import { Fault } from "./fault.js";
import { Response } from "./http.js";

const host = {
  send: (request) => asked(() => answered(send(lowered(request)))),
  describe: (file) => asked(() => about(describe(file))),
  sendFile: (request, file) => asked(() => answered(sendFile(lowered(request), file))),
  receive(request, { name, contentTypes = [], maxBytes }) {
    const wanted = { name: name ?? null, contentTypes, maxBytes: maxBytes ?? null, ext: [] };
    const { response, file } = asked(() => receive(lowered(request), wanted));
    return { response: answered(response), file: file === null ? undefined : about(file) };
  },
  sendAll(requests) {
    return sendAll(requests.map(lowered)).map(({ tag, val }) => (tag === "ok" ? answered(val) : lifted(val)));
  },
  nowMs: () => Number(nowMs()),
  remainingMs: () => Number(remainingMs()),
  random,
  log,
  credentialKind,
  grantedScopes,
  accountConfig: (name) => accountConfig(name) ?? undefined,
};

// The language's own generator is in the state in which the component was built: every call would begin with
// the same numbers.
let chance = new Uint8Array(0);
let taken = 0;
Math.random = () => {
  if (taken + 7 > chance.length) {
    chance = random(700);
    taken = 0;
  }
  let number = chance[taken] & 31;
  for (let at = taken + 1; at < taken + 7; at++) number = number * 256 + chance[at];
  taken += 7;
  return number / 2 ** 53;
};

/** The contract's `tools` over a connector's functions. */
export function component(tools) {
  return {
    call(context, tool, input) {
      const call = new Call(host, {
        executionId: context.executionId,
        declaration: context.declaration ?? undefined,
        pageToken: context.pageToken ?? undefined,
        pageSize: context.pageSize ?? undefined,
        ext: context.ext,
      });
      try {
        const { data, nextPageToken } = run(tools, call, tool, input);
        return { data, nextPageToken: nextPageToken ?? null, ext: [] };
      } catch (error) {
        if (error instanceof Fault) throw toContract(error);
        // Not a refusal but a mistake of the connector: its words are for the author, the call ends as a trap.
        log("error", `the connector failed: ${error?.message ?? error}\n${error?.stack ?? ""}`);
        throw error;
      }
    },
  };
}

/** What the host answers; its refusal is thrown as ours. */
function asked(question) {
  try {
    return question();
  } catch (fault) {
    throw lifted(fault);
  }
}

/** A file in the words of results. */
function about({ id, name, contentType, size, sha256 }) {
  return { content_type: contentType, id, name, sha256, size: Number(size) };
}

function lowered(request) {
  return { ...request, url: request.url ?? null, body: request.body ?? null, ext: [] };
}

function answered({ status, headers, body }) {
  return new Response(status, headers, body instanceof Uint8Array ? body : Uint8Array.from(body));
}

function lifted(fault) {
  if (typeof fault?.code !== "string") return fault;
  return new Fault(fault.code, fault.message, {
    status: fault.status ?? undefined,
    vendorCode: fault.vendorCode ?? undefined,
    retryAfterMs: fault.retryAfterMs === null ? undefined : Number(fault.retryAfterMs),
    problems: fault.problems,
  });
}

function toContract(fault) {
  return {
    code: fault.code,
    message: fault.message,
    status: fault.status ?? null,
    vendorCode: fault.vendorCode ?? null,
    retryAfterMs: fault.retryAfterMs ?? null,
    problems: fault.problems,
    ext: [],
  };
}
