// One call: what a tool's function may ask and send.

import * as engine from "./engine.js";
import { Fault } from "./fault.js";
import { Response, build } from "./http.js";
import { without } from "./json.js";

/** What a tool answers: its result as a text of JSON, and the vendor's token of the next page. */
export class Output {
  constructor(data, nextPageToken) {
    this.data = data;
    this.nextPageToken = nextPageToken;
  }

  json() {
    return JSON.parse(this.data);
  }
}

/** One page of a result, and the vendor's token of the next. */
export function page(value, nextPageToken) {
  return new Output(JSON.stringify(value), nextPageToken ?? undefined);
}

/** The page that a call has to fetch. */
export class Page {
  constructor(token, size) {
    this.token = token;
    this.size = size;
  }

  offset() {
    return this.number(0);
  }

  nextOffset(count) {
    return this.#isFull(count) ? String(this.offset() + count) : undefined;
  }

  number(first) {
    return /^\d+$/.test(this.token ?? "") ? Number(this.token) : first;
  }

  nextNumber(first, count) {
    return this.#isFull(count) ? String(this.number(first) + 1) : undefined;
  }

  #isFull(count) {
    return count >= Math.max(this.size ?? 1, 1);
  }
}

export class Call {
  #host;
  #declaration;

  /** Over `host`, the contract's imports, with `declaration`, a text of JSON. */
  constructor(host, { executionId = "", declaration, pageToken, pageSize, ext = [] } = {}) {
    this.#host = host;
    this.#declaration = declaration;
    this.executionId = executionId;
    this.page = new Page(pageToken, pageSize);
    this.answers = readAnswers(ext);
  }

  declared(input) {
    return this.run(JSON.stringify(input));
  }

  /** Runs the declared request with `input`, a text of JSON. */
  run(input) {
    if (!this.#read().request) {
      const message = "This tool has neither a `request` in connector.toml nor a function in the connector.";
      throw new Fault("unknown_tool", message);
    }
    const request = engine.request(this.#declaration, input, this.page, (name) => this.config(name));
    const wanted = engine.wanted(this.#declaration, input, this.page, (name) => this.config(name));
    if (wanted !== undefined) {
      const { response, file } = this.#host.receive(engine.ofAnyType(request, this.#declaration), wanted);
      if (file === undefined) throw this.fault(response);
      return page({ file });
    }
    const file = engine.file(this.#declaration, input);
    const response = file === undefined ? this.#host.send(request) : this.#host.sendFile(request, file);
    const { data, nextPageToken } = engine.output(this.#declaration, this.page, response);
    return new Output(data, nextPageToken);
  }

  /** A tool's result without what is left out of short ones. */
  shortened(output, input) {
    const concise = this.#read().response?.concise ?? [];
    if (concise.length === 0 || JSON.parse(input).response_format === "detailed") return output;
    return new Output(without(output.data, concise), output.nextPageToken);
  }

  get(endpoint, path, options) {
    return this.send({ ...options, method: "GET", endpoint, path });
  }

  post(endpoint, path, options) {
    return this.send({ ...options, method: "POST", endpoint, path });
  }

  put(endpoint, path, options) {
    return this.send({ ...options, method: "PUT", endpoint, path });
  }

  patch(endpoint, path, options) {
    return this.send({ ...options, method: "PATCH", endpoint, path });
  }

  delete(endpoint, path, options) {
    return this.send({ ...options, method: "DELETE", endpoint, path });
  }

  send(request) {
    return this.#success(this.exchange(request));
  }

  exchange(request) {
    return this.#host.send(this.#build(request));
  }

  sendAll(requests) {
    const answers = this.#host.sendAll(requests.map((request) => this.#build(request)));
    return answers.map((answer) => {
      if (answer instanceof Fault) return answer;
      return answer.isSuccess ? answer : this.fault(answer);
    });
  }

  file(id) {
    return this.#host.describe(id);
  }

  sendFile(request, file) {
    return this.#success(this.#host.sendFile(this.#build(request), file));
  }

  receive(request, wanted = {}) {
    const { response, file } = this.#host.receive(this.#build(request), wanted);
    this.#success(response);
    if (file === undefined) {
      throw new Fault("vendor_unavailable", `The vendor answered ${response.status} without a body to keep.`);
    }
    return file;
  }

  graphql(endpoint, path, query, variables = {}) {
    const response = this.post(endpoint, path, { json: { query, variables } });
    const { data, errors } = response.json() ?? {};
    if (errors?.length > 0) throw this.fault(response);
    if (data === undefined || data === null) throw Fault.notJson(response, "there is no `data`");
    return data;
  }

  fault(response) {
    return Fault.fromResponse(response, this.#read().errors);
  }

  nowMs() {
    return this.#host.nowMs();
  }

  remainingMs() {
    return this.#host.remainingMs();
  }

  random(length) {
    return this.#host.random(length);
  }

  log(level, message) {
    this.#host.log(level, message);
  }

  progress(done, total, words) {
    this.log("progress", `${total === undefined ? done : `${done}/${total}`} ${words}`);
  }

  credentialKind() {
    return this.#host.credentialKind();
  }

  grantedScopes() {
    return this.#host.grantedScopes();
  }

  config(name) {
    return this.#host.accountConfig(name);
  }

  #read() {
    return this.#declaration === undefined ? {} : JSON.parse(this.#declaration);
  }

  #build(request) {
    return build(request, (length) => this.random(length));
  }

  #success(response) {
    if (!response.isSuccess) throw this.fault(response);
    return response;
  }
}

/**
 * Runs one tool: its function when there is one, its declaration otherwise. Of either's result it leaves out what
 * `response.concise` names, unless the input says `response_format: "detailed"`.
 */
export function run(tools, call, tool, input) {
  return call.shortened(result(tools, call, tool, input), input);
}

function result(tools, call, tool, input) {
  if (!Object.hasOwn(tools, tool)) return call.run(input);
  const result = tools[tool](call, JSON.parse(input));
  if (result instanceof Output) return result;
  if (typeof result?.then === "function") {
    throw new TypeError(`\`${tool}\` answered a promise; tools are plain functions, requests return their answers`);
  }
  return page(result ?? null);
}

/** What came back to a tool's questions, from the contract's `context.ext`. */
function readAnswers(ext) {
  const given = Object.fromEntries(ext);
  const capabilities = given.client_capabilities?.split(",") ?? [];
  return {
    responses: JSON.parse(given.input_responses ?? "{}"),
    state: given.request_state,
    canAsk: (means) => capabilities.includes(means),
  };
}

export { Response };
