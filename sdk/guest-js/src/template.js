// Filling templates of declared requests in. What is left out and what is encoded is said in the manifest's
// reference (`sdk/manifest/src/tool.rs`); the cases of `sdk/guest-cases/declared.json` hold every language to the same bytes.

import { Fault } from "./fault.js";
import { elements, member, members } from "./json.js";
import { formEncode, percentEncode } from "./text.js";

const PLACEHOLDER = /\{([A-Za-z_][\w-]*(?:\.[\w-]+)*)(\.\.\.)?\}/g;

/** One percent-encoded segment of a path. `name` is the parameter that the value comes from. */
export function segment(name, value) {
  if (value === "" || value === "." || value === "..") {
    throw new Fault("invalid_input", `\`${name}\` is "${value}"; it has to name one thing.`, {
      problems: [[`/${name.replaceAll(".", "/")}`, "is empty or a dot"]],
    });
  }
  return percentEncode(value);
}

/** What names stand for in one call: texts of JSON by `valueOf(name)`. */
export class Scope {
  /** `input` is a text of JSON. */
  constructor(input, page, paginator, config) {
    this.input = input;
    this.config = config;
    this.pageToken = pageToken(page, paginator);
    this.pageSize = page.size === undefined ? undefined : String(page.size);
  }

  valueOf(name) {
    if (name === "page.token") return this.pageToken;
    if (name === "page.size") return this.pageSize;
    if (name.startsWith("config.")) {
      const value = this.config(name.slice("config.".length));
      return value === undefined ? undefined : JSON.stringify(value);
    }
    return member(this.input, name.split("."));
  }

  /** A text; undefined when a placeholder in it has no value. */
  text(template) {
    let complete = true;
    const filled = template.replace(PLACEHOLDER, (_, name) => {
      const value = plain(this.valueOf(name));
      complete &&= value !== undefined;
      return value;
    });
    return complete ? filled : undefined;
  }

  /** A path: values as one encoded segment each, those of `{name...}` as many. */
  path(template) {
    return template.replace(PLACEHOLDER, (_, name, isSpread) => {
      const value = plain(this.valueOf(name)) ?? "";
      const segments = isSpread ? value.replace(/^\/+/, "").split("/") : [value];
      return segments.map((one) => segment(name, one)).join("/");
    });
  }

  /** Pairs of a query or a form; `declared` is the text of an object, `join` and `nested` are the request's. */
  pairs(declared, { join, nested }) {
    return members(declared).flatMap(([name, template]) => this.#pairs(name, template, join, nested));
  }

  #pairs(name, template, join, nested) {
    let value = template;
    if (template.startsWith('"')) {
      const text = JSON.parse(template);
      const placeholder = whole(text);
      if (placeholder === undefined) {
        const filled = this.text(text);
        return filled === undefined ? [] : [[name, filled]];
      }
      value = this.valueOf(placeholder.name);
      if (value === undefined) return [];
    }
    if (nested === "brackets" && holdsObjects(value)) return bracketed(name, value);
    const list = elements(value);
    const texts = (list ?? [value]).map(plain).filter((text) => text !== undefined);
    const isJoined = list !== undefined && join !== undefined && texts.length > 0;
    return (isJoined ? [texts.join(join)] : texts).map((text) => [name, text]);
  }

  form(declared, nested) {
    return formEncode(this.pairs(declared, { nested }));
  }

  /** A JSON body; `declared` is its text. The outermost object or array is always there. */
  json(declared) {
    return /^[{[]/.test(declared) ? this.#entries(declared).text : this.#write(declared).text;
  }

  /** What a template stands for. */
  #write(template) {
    if (/^[{[]/.test(template)) return this.#entries(template);
    if (!template.startsWith('"')) return constant(template);
    const text = JSON.parse(template);
    const name = whole(text)?.name;
    if (name !== undefined) {
      const value = this.valueOf(name);
      return value === undefined ? DROPPED : filled(value);
    }
    const complete = this.text(text);
    if (complete === undefined) return DROPPED;
    return complete === text ? constant(template) : filled(JSON.stringify(complete));
  }

  /** An object or array with those of its entries that have a value. */
  #entries(template) {
    const isObject = template.startsWith("{");
    const entries = isObject
      ? members(template).map(([name, value]) => ({ name: `${JSON.stringify(name)}:`, ...this.#write(value) }))
      : elements(template).flatMap((element) => this.#elements(element));
    const kept = entries.filter(({ written }) => written !== "dropped");
    const text = kept.map(({ name = "", text }) => name + text).join(",");
    return { written: all(entries), text: isObject ? `{${text}}` : `[${text}]` };
  }

  #elements(template) {
    const spread = template.startsWith('"') ? whole(JSON.parse(template)) : undefined;
    if (!spread?.isSpread) return [this.#write(template)];
    const value = this.valueOf(spread.name);
    const values = value === undefined ? undefined : elements(value);
    return values === undefined ? [DROPPED] : values.map(filled);
  }
}

// What became of a part of a template: it is a constant, some placeholder in it had a value, or it has
// placeholders and none of them had one.
const DROPPED = { written: "dropped", text: "" };
const constant = (text) => ({ written: "constant", text });
const filled = (text) => ({ written: "filled", text });

function all(entries) {
  const has = (what) => entries.some(({ written }) => written === what);
  return has("filled") ? "filled" : has("dropped") ? "dropped" : "constant";
}

/** Whether a value is an object or an array that holds one. */
function holdsObjects(value) {
  return value.startsWith("{") || (elements(value) ?? []).some(holdsObjects);
}

/** Every text and number inside a value under the path that leads to it: `a[b]=1`, `a[0][c]=2`. */
function bracketed(name, value) {
  if (value.startsWith("{")) return members(value).flatMap(([key, inner]) => bracketed(`${name}[${key}]`, inner));
  const list = elements(value);
  if (list !== undefined) return list.flatMap((inner, index) => bracketed(`${name}[${index}]`, inner));
  const text = plain(value);
  return text === undefined ? [] : [[name, text]];
}

/** The placeholder that is all of a template, if it is one. */
function whole(template) {
  const found = [...template.matchAll(PLACEHOLDER)][0];
  return found?.[0].length === template.length ? { name: found[1], isSpread: found[2] !== undefined } : undefined;
}

/** A JSON text as plain text; undefined for null. */
function plain(value) {
  if (value === undefined || value === "null") return undefined;
  return value.startsWith('"') ? JSON.parse(value) : value;
}

function pageToken(page, paginator) {
  const { token } = page;
  const isNumber = paginator?.kind === "offset" || paginator?.kind === "page";
  if (token === undefined) return isNumber ? String(paginator.first ?? 0) : undefined;
  return isNumber && /^\d+$/.test(token) ? String(BigInt(token)) : JSON.stringify(token);
}
