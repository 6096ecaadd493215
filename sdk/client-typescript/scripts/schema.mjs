// OpenAPI schemas as TypeScript. What it cannot say it refuses, so that nothing is typed wrongly.

/** `next_cursor` as `nextCursor`. */
export const camel = (name) => name.replace(/[_-]+([a-z0-9])/gi, (_, first) => first.toUpperCase());

/** Names that TypeScript has for something else. */
const RENAMED = { Error: "ErrorAnswer" };

/** Types in others' words, to be handed on as they are: they and what they hold keep the names of the wire. */
const FOREIGN = ["ToolForModel"];

export class Writer {
  /** Names of declared types that were written. */
  named = new Set();

  constructor(document) {
    this.schemas = document.components.schemas;
    this.foreign = new Set();
    for (const name of FOREIGN) this.#leave(name);
  }

  #leave(name) {
    if (!(name in this.schemas) || this.foreign.has(name)) return;
    this.foreign.add(name);
    const refs = JSON.stringify(this.schemas[name]).matchAll(/"#\/components\/schemas\/([^"]+)"/g);
    for (const [, within] of refs) this.#leave(within);
  }

  comment(...parts) {
    const text = parts.filter(Boolean).join("\n\n");
    if (!text) return "";
    // Links to items of the host's code lead nowhere from here.
    const plain = text.replaceAll("*/", "* /").replace(/\[(`[^`\]]+`)\](?!\()/g, "$1");
    const lines = plain.split("\n");
    return lines.length === 1
      ? `/** ${lines[0]} */\n`
      : `/**\n${lines.map((it) => ` * ${it}`.trimEnd()).join("\n")}\n */\n`;
  }

  declaration(name) {
    const schema = this.schemas[name];
    const doc = this.comment(schema.description);
    const own = this.name(name);
    return schema.properties && !schema.oneOf && !schema.allOf
      ? `${doc}export interface ${own} ${this.members(schema, this.foreign.has(name))}`
      : `${doc}export type ${own} = ${this.type(schema)};`;
  }

  name(schema) {
    const name = RENAMED[schema] ?? schema;
    this.named.add(name);
    return name;
  }

  members(schema, foreign = false) {
    const required = new Set(schema.required ?? []);
    const lines = Object.entries(schema.properties).map(([wire, member]) => {
      const optional = !required.has(wire);
      const type = this.type(optional ? withoutNull(member) : member);
      return `${this.comment(member.description)}${foreign ? wire : camel(wire)}${optional ? "?" : ""}: ${type};`;
    });
    return `{\n${lines.join("\n")}\n}`;
  }

  type(schema) {
    if (schema.$ref) return this.name(referred(schema));
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    const alternatives = schema.oneOf ?? schema.anyOf;
    if (alternatives) return alternatives.map((it) => this.type(it)).join(" | ");
    if (schema.allOf) return schema.allOf.map((it) => `(${this.type(it)})`).join(" & ");
    if (Array.isArray(schema.type))
      return schema.type.map((type) => this.type({ ...schema, type })).join(" | ");
    switch (schema.type) {
      case undefined:
        return "unknown";
      case "null":
        return "null";
      case "boolean":
        return "boolean";
      case "integer":
      case "number":
        return "number";
      case "string":
        return schema.format === "binary" ? "Blob | ArrayBuffer | Uint8Array<ArrayBuffer>" : "string";
      case "array":
        return `readonly (${this.type(schema.items ?? {})})[]`;
      case "object":
        if (schema.properties) return this.members(schema);
        if (typeof schema.additionalProperties === "object") {
          return `Readonly<Record<string, ${this.type(schema.additionalProperties)}>>`;
        }
        return "Readonly<Record<string, unknown>>";
      default:
        throw new Error(`no TypeScript for ${JSON.stringify(schema)}`);
    }
  }

  /** For each declared object: member by its name here, with its name on the wire and the types within. */
  shapes() {
    const out = {};
    for (const [name, schema] of Object.entries(this.schemas)) {
      const object = membersOf(schema);
      if (!object || this.foreign.has(name)) continue;
      const required = new Set(object.required);
      out[RENAMED[name] ?? name] = Object.fromEntries(
        Object.entries(object.properties).map(([wire, member]) => {
          const entry = { wire };
          Object.assign(entry, this.within(member));
          if (!required.has(wire)) entry.optional = true;
          return [camel(wire), entry];
        }),
      );
    }
    return out;
  }

  /**
   * The declared object that a schema holds: itself, in an array, or as one alternative of a union, which then holds
   * values in others' words too. Nothing when it holds none.
   */
  within(schema) {
    if (schema.$ref) {
      const name = referred(schema);
      if (this.foreign.has(name)) return { alternative: true };
      return membersOf(this.schemas[name])
        ? { shape: RENAMED[name] ?? name }
        : this.within(this.schemas[name]);
    }
    if (schema.items) return this.within(schema.items);
    if (schema.properties) throw new Error(`give this object a name of its own: ${JSON.stringify(schema)}`);
    const alternatives = schema.oneOf ?? schema.anyOf ?? schema.allOf ?? [];
    const within = alternatives.map((it) => this.within(it));
    const shapes = [...new Set(within.map((it) => it.shape).filter(Boolean))];
    if (shapes.length > 1) throw new Error(`no shape for a union of ${shapes.join(" and ")}`);
    return Object.assign({}, ...within);
  }

  /** One operation: its row of the table, the type of its input, the type of its answer. */
  operation(method, path, operation) {
    const entry = { method, path, parameters: {} };
    const members = [];
    for (const parameter of operation.parameters ?? []) {
      // Keys of repetition belong to the options of a call.
      const keyed = parameter.in === "header" && parameter.name.toLowerCase() === "idempotency-key";
      if (keyed) {
        entry.keyed = true;
        continue;
      }
      const name = camel(parameter.name);
      entry.parameters[name] = { in: parameter.in, name: parameter.name };
      const type = this.type(withoutNull(parameter.schema ?? {}));
      members.push(`${this.comment(parameter.description)}${name}${parameter.required ? "" : "?"}: ${type};`);
    }
    const body = operation.requestBody;
    if (body) {
      const [media, { schema }] = Object.entries(body.content)[0];
      entry.body = { media, ...this.within(schema) };
      members.push(`body${body.required ? "" : "?"}: ${this.type(schema)};`);
    }
    const [, success] = Object.entries(operation.responses).find(([status]) => status.startsWith("2"));
    const content = success.content?.["application/json"]?.schema;
    if (content) entry.answer = this.within(content);
    return {
      entry,
      input: members.length === 0 ? "Readonly<Record<never, never>>" : `{\n${members.join("\n")}\n}`,
      answer: content ? this.type(content) : "void",
    };
  }
}

/**
 * The members of an object; of a choice between unnamed objects, those of all of them, each of which may be absent.
 * Nothing for what is no object.
 */
function membersOf(schema) {
  if (schema.properties) return { properties: schema.properties, required: schema.required ?? [] };
  const alternatives = schema.oneOf ?? schema.anyOf ?? [];
  if (alternatives.length === 0 || !alternatives.every((it) => it.properties)) return undefined;
  return { properties: Object.assign({}, ...alternatives.map((it) => it.properties)), required: [] };
}

function referred(schema) {
  return schema.$ref.replace("#/components/schemas/", "");
}

/** An optional member is absent rather than null. */
function withoutNull(schema) {
  if (Array.isArray(schema.type)) {
    const type = schema.type.filter((it) => it !== "null");
    return { ...schema, type: type.length === 1 ? type[0] : type };
  }
  for (const union of ["oneOf", "anyOf"]) {
    if (!schema[union]) continue;
    const rest = schema[union].filter((it) => it.type !== "null");
    if (rest.length === 1) return rest[0];
    return { ...schema, [union]: rest };
  }
  return schema;
}
