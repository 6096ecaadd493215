// Writes src/generated from docs/reference/openapi.json and docs/reference/errors.md: the host's types in
// this language's names, its operations, and a class for each kind of error. `--check` writes nothing and
// fails when a file is not up to date.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import * as prettier from "prettier";
import { Writer, camel } from "./schema.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const reference = (name) => readFile(here(`../../../docs/reference/${name}`), "utf8");

/** Operations that the hand-written surface covers by itself: the token, and what is not JSON. */
const BY_HAND = (id, path) => id === "token" || path.startsWith("/proxy");

const document = JSON.parse(await reference("openapi.json"));
const errors = await reference("errors.md");
const { version } = JSON.parse(await readFile(here("../package.json"), "utf8"));

const header = "// Written by `npm run generate`; not by hand.\n\n";
const files = {
  "types.ts": types(document),
  "operations.ts": operations(document),
  "faults.ts": faults(errors, document),
  "version.ts": `/** Version of this package. */\nexport const VERSION = ${JSON.stringify(version)};\n`,
};

let stale = 0;
for (const [name, body] of Object.entries(files)) {
  const path = here(`../src/generated/${name}`);
  const config = await prettier.resolveConfig(path);
  const text = await prettier.format(header + body, { ...config, parser: "typescript" });
  if (process.argv.includes("--check")) {
    const present = await readFile(path, "utf8").catch(() => "");
    if (present !== text) {
      stale += 1;
      console.error(`src/generated/${name} is not up to date: npm run generate`);
    }
  } else {
    await writeFile(path, text);
  }
}
process.exit(stale === 0 ? 0 : 1);

function types(document) {
  const writer = new Writer(document);
  const out = Object.keys(document.components.schemas).map((name) => writer.declaration(name));
  out.push(
    "/** How each type's members are named on the wire, and which hold types of their own. */\n" +
      `export const shapes = ${JSON.stringify(writer.shapes(), null, 2)} as const;`,
  );
  return out.join("\n\n");
}

function operations(document) {
  const writer = new Writer(document);
  const inputs = [];
  const table = {};
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const id = operation.operationId;
      if (BY_HAND(id, path)) continue;
      const { entry, input, answer } = writer.operation(method.toUpperCase(), path, operation);
      table[id] = entry;
      inputs.push(
        `${writer.comment(operation.summary, operation.description)}${id}: { input: ${input}; answer: ${answer} };`,
      );
    }
  }
  return [
    `import type { ${[...writer.named].sort().join(", ")} } from "./types.js";`,
    `/** What each operation of the host takes and answers. */\nexport interface Operations {\n${inputs.join("\n")}\n}`,
    `/** How each operation goes over the wire. */\nexport const operations = ${JSON.stringify(table, null, 2)} as const;`,
  ].join("\n\n");
}

/** The kinds of the document with the meanings of the reference: one class each. */
function faults(markdown, document) {
  const rows = new Map(
    markdown
      .split("\n")
      .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
      .filter((cells) => cells.length === 8 && /^`[a-z_]+`$/.test(cells[1]) && /^\d{3}$/.test(cells[2]))
      .map(([, kind, , , , meaning, advice]) => [kind.replaceAll("`", ""), { meaning, advice }]),
  );
  const kinds = document.components.schemas.BodyError.properties.kind.enum;
  for (const kind of kinds) if (!rows.has(kind)) throw new Error(`errors.md says nothing of ${kind}`);
  const name = (kind) => `${camel(`_${kind}`)}Error`;
  return [
    'import { ApiError } from "../errors.js";\nimport type { BodyError } from "./types.js";',
    '/** The kinds of errors that a host answers. */\nexport type ErrorKind = BodyError["kind"];',
    ...kinds.map((kind) => {
      const { meaning, advice } = rows.get(kind);
      return `/**\n * ${meaning}\n * ${advice}\n */\nexport class ${name(kind)} extends ApiError {\n  override readonly name = ${JSON.stringify(name(kind))};\n  declare readonly kind: ${JSON.stringify(kind)};\n}`;
    }),
    `/** The class of each kind. */\nexport const faults = {\n${kinds.map((kind) => `${kind}: ${name(kind)},`).join("\n")}\n} as const;`,
    "/** An error of a host, by its kind: a `switch` over `kind` can be exhaustive. */\nexport type Fault = { [K in ErrorKind]: InstanceType<(typeof faults)[K]> }[ErrorKind];",
    `/** What to do next about each kind. */\nexport const advice: Readonly<Record<ErrorKind, string>> = {\n${kinds.map((kind) => `${kind}: ${JSON.stringify(rows.get(kind).advice)},`).join("\n")}\n};`,
  ].join("\n\n");
}
