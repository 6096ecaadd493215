// Requests and answers as a connector sees them.

import { Fault } from "./fault.js";
import { decode, decodeLossy, encode, formEncode } from "./text.js";

export class Response {
  constructor(status, headers, body) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  get isSuccess() {
    return this.status >= 200 && this.status < 300;
  }

  header(name) {
    return this.headers.find(([key]) => key === name)?.[1];
  }

  text() {
    return decodeLossy(this.body);
  }

  json() {
    const text = decode(this.body);
    if (text === undefined) throw Fault.notJson(this, "it is not UTF-8");
    try {
      return JSON.parse(text);
    } catch (error) {
      throw Fault.notJson(this, error.message);
    }
  }
}

/** A request of the contract from what an author gives. `random` makes the boundary of parts. */
export function build({ method, endpoint, path, query, headers, json, form, multipart, body, contentType }, random) {
  const built = {
    method,
    endpoint,
    path,
    url: undefined,
    query: pairs(query ?? {}),
    headers: [["accept", "application/json"], ...pairs(headers ?? {})],
    body: undefined,
  };
  const carry = (type, bytes) => {
    built.headers.push(["content-type", type]);
    built.body = bytes;
  };
  if (json !== undefined) carry("application/json", encode(JSON.stringify(json)));
  else if (form !== undefined) carry("application/x-www-form-urlencoded", encode(formEncode(pairs(form))));
  else if (multipart !== undefined) {
    const boundary = [...random(16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    carry(`multipart/form-data; boundary=${boundary}`, encodeParts(multipart, boundary));
  } else if (body !== undefined) carry(contentType ?? "application/octet-stream", bytes(body));
  return built;
}

/** Pairs of an object or of a list of pairs: arrays repeat the name, what is undefined or null is left out. */
function pairs(given) {
  const entries = Array.isArray(given) ? given : Object.entries(given);
  return entries.flatMap(([name, value]) =>
    [value]
      .flat()
      .filter((one) => one !== undefined && one !== null)
      .map((one) => [name, String(one)]),
  );
}

/** `multipart/form-data` (RFC 7578). */
function encodeParts(parts, boundary) {
  const chunks = [];
  for (const { name, value, filename, contentType } of parts) {
    let head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"`;
    if (filename !== undefined) head += `; filename="${escapeName(filename)}"`;
    if (contentType !== undefined) head += `\r\nContent-Type: ${contentType}`;
    chunks.push(encode(`${head}\r\n\r\n`), bytes(value), encode("\r\n"));
  }
  chunks.push(encode(`--${boundary}--\r\n`));
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** A name in quotation marks, as browsers write it. */
function escapeName(name) {
  return name.replaceAll('"', "%22").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function bytes(value) {
  return value instanceof Uint8Array ? value : encode(String(value));
}
