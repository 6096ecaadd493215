// Runs declared tools: template and input → request; answer and declaration → result. Sends nothing.

import { Fault } from "./fault.js";
import { elements, find, without } from "./json.js";
import { Scope } from "./template.js";
import { decode, encode, quote } from "./text.js";

/** Fills a declared request in. `declaration` and `input` are texts of JSON. */
export function request(declaration, input, page, config) {
  const { request: declared, paginator } = JSON.parse(declaration);
  const scope = new Scope(input, page, paginator, config);
  let headers = [["accept", "application/json"]];
  for (const name of Object.keys(declared.headers ?? {}).sort()) {
    const value = scope.text(declared.headers[name]);
    if (value === undefined) continue;
    headers = headers.filter(([present]) => present !== name.toLowerCase());
    headers.push([name.toLowerCase(), value]);
  }
  let body;
  const template = find(declaration, "/request/body");
  // The bytes of a file never come here: see `file`.
  if (template !== undefined && template !== "null" && declared.body_format !== "file") {
    const isForm = declared.body_format === "form";
    if (!headers.some(([name]) => name === "content-type")) {
      headers.push(["content-type", isForm ? "application/x-www-form-urlencoded" : "application/json"]);
    }
    body = encode(isForm ? scope.form(template, declared.nested) : scope.json(template));
  }
  const isByUrl = paginator?.kind === "link_header" || paginator?.kind === "next_url";
  const url = isByUrl ? page.token : undefined;
  const query = find(declaration, "/request/query") ?? "{}";
  return {
    method: declared.method,
    endpoint: declared.endpoint,
    path: url === undefined || isBeside(url) ? scope.path(declared.path) : "",
    url,
    query: url === undefined ? scope.pairs(query, { join: declared.query_join, nested: declared.nested }) : [],
    headers,
    body,
  };
}

/**
 * Whether a next page's URL is relative to the request itself (`?after=7`), which the host has to know then; what begins
 * with a slash or a scheme is not (RFC 3986 section 4.2).
 */
function isBeside(url) {
  return !url.startsWith("/") && !url.split(/[/?#]/)[0].includes(":");
}

/** The file that a declared request sends as its body; undefined for requests with other bodies. */
export function file(declaration, input) {
  const { request: declared } = JSON.parse(declaration);
  if (declared.body_format !== "file") return undefined;
  const id = new Scope(input, {}, undefined, () => undefined).text(declared.body);
  if (!id) throw new Fault("invalid_input", `There is no file to send: \`${declared.body}\` has no value.`);
  return id;
}

/** How a declared answer is kept as a file; undefined for answers that are not. */
export function wanted(declaration, input, page, config) {
  const kept = JSON.parse(declaration).response?.file;
  if (kept === undefined || kept === null) return undefined;
  const name = kept.name == null ? undefined : new Scope(input, page, undefined, config).text(kept.name);
  return { name, contentTypes: kept.content_types ?? [], maxBytes: kept.max_bytes ?? undefined };
}

/** A declared request whose answer is kept takes any type but what the declaration asks for itself. */
export function ofAnyType(request, declaration) {
  const names = Object.keys(JSON.parse(declaration).request.headers ?? {});
  if (names.some((name) => name.toLowerCase() === "accept")) return request;
  return { ...request, headers: request.headers.filter(([name]) => name !== "accept") };
}

/** Reads the vendor's answer to a declared request: the result as a text of JSON, and the next page's token. */
export function output(declaration, page, response) {
  const { response: declared = {}, paginator, items, errors } = JSON.parse(declaration);
  if (!response.isSuccess) throw Fault.fromResponse(response, errors);
  const body = decode(response.body);
  if (isFailure(body, declared.failure)) throw Fault.fromResponse(response, errors);
  if (body !== undefined && /^[ \t\n\f\r]*$/.test(body)) {
    const empty = find(declaration, "/response/empty") ?? "null";
    return { data: empty === "null" ? `{"ok":true,"status":${response.status}}` : empty };
  }
  check(body, response);

  const result = declared.pointer ? find(body, declared.pointer) : body;
  if (result === undefined) throw missingPart(declared.pointer, response, body);
  const nextPageToken = next(paginator, { body, result, items, page, response });
  let data = declared.drop?.length > 0 ? without(result, declared.drop) : result;
  for (const list of declared.lists ?? []) data = withList(data, list);
  return { data, nextPageToken };
}

/** Whether an answer that is called a success has something where the vendor says what failed. */
function isFailure(body, pointer) {
  if (body === undefined || pointer === undefined || pointer === null) return false;
  try {
    JSON.parse(body);
  } catch {
    return false;
  }
  return !["null", "false", '""', undefined].includes(find(body, pointer));
}

function check(body, response) {
  if (body === undefined) throw Fault.notJson(response, "it is not UTF-8");
  try {
    JSON.parse(body);
  } catch (error) {
    throw Fault.notJson(response, error.message);
  }
}

function next(paginator, { body, result, items, page, response }) {
  switch (paginator?.kind) {
    case "cursor":
      // Some vendors name a cursor on the last page too.
      if (paginator.more && find(body, paginator.more) === "false") return undefined;
      return token(find(body, paginator.next));
    case "next_url":
      return token(find(body, paginator.next));
    case "offset": {
      const count = BigInt(countItems(result, items, response) ?? 0);
      const after = number(page.token, 0) + count;
      const total = counted(body, paginator.total);
      const goesOn = total === undefined ? count >= full(page) : count > 0n && after < total;
      return goesOn ? String(after) : undefined;
    }
    case "page": {
      const count = countItems(result, items, response) ?? 0;
      const after = number(page.token, paginator.first) + 1n;
      const pages = counted(body, paginator.pages);
      const goesOn = paginator.link
        ? nextLink(response.header("link") ?? "") !== undefined
        : pages === undefined
          ? count >= full(page)
          : count > 0 && after - BigInt(paginator.first) < pages;
      return goesOn ? String(after) : undefined;
    }
    case "link_header":
      return nextLink(response.header("link") ?? "");
    default:
      return undefined;
  }
}

/** The number of items of a page; undefined where there are none. */
function countItems(result, items, response) {
  const found = find(result, items ?? "");
  if (found === undefined) return undefined;
  const list = elements(found);
  if (list === undefined) throw Fault.notJson(response, "there is no array of items");
  return list.length;
}

/** So many items has a page that may have a successor, as far as its length tells. */
function full(page) {
  return Math.max(page.size ?? 1, 1);
}

/** What the vendor counted; undefined where it says no number. */
function counted(body, pointer) {
  const found = pointer ? find(body, pointer) : undefined;
  return /^\d+$/.test(found ?? "") ? BigInt(found) : undefined;
}

function number(token, first) {
  return /^\d+$/.test(token ?? "") ? BigInt(token) : BigInt(first);
}

/** A page token: a text or a number; empty texts and anything else mean that there is none. */
function token(found) {
  if (found?.startsWith('"')) return JSON.parse(found) || undefined;
  return /^[-\d]/.test(found ?? "") ? found : undefined;
}

/** The target of `rel="next"` in a `Link` header (RFC 8288 section 3). */
function nextLink(header) {
  for (const [, target, parameters] of header.matchAll(/<([^>]*)>([^<]*)/g)) {
    const relations = parameters.split(/[;,]/).map((parameter) => parameter.trim());
    const isNext = relations.some(
      (parameter) =>
        parameter.startsWith("rel=") &&
        parameter.slice(4).replace(/^"+|"+$/g, "").split(" ").some((relation) => relation.toLowerCase() === "next"),
    );
    if (isNext) return target;
  }
  return undefined;
}

/** Puts an empty list into an object that lacks it. */
function withList(data, name) {
  const pointer = `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  if (!data.trimStart().startsWith("{") || find(data, pointer) !== undefined) return data;
  const before = data.slice(0, data.lastIndexOf("}"));
  const separator = before.trimEnd().endsWith("{") ? "" : ",";
  return `${before}${separator}${JSON.stringify(name)}:[]}`;
}

function missingPart(pointer, response, body) {
  return new Fault(
    "vendor_unavailable",
    `The vendor answered ${response.status} without \`${pointer}\`, where its result should be: ${quote(body, 200)}. ` +
      "The parameters are not the reason; the connector's declaration may need an update.",
  );
}
