#!/usr/bin/env node
// Makes a component of a connector's code: `valetkey connector build` calls it in the connector's folder with
// `--wit FOLDER` (the contract) and `--out FILE`, and puts the manifest in afterwards.

import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { componentize } from "componentize-qjs";
import { build } from "esbuild";

const { wit, out } = parseArgs({ options: { wit: { type: "string" }, out: { type: "string" } } }).values;
const entry = ["connector.ts", "connector.js"].find((name) => existsSync(name));
if (!entry) {
  console.error("there is no connector.ts and no connector.js, which exports the connector's `tools`");
  process.exit(1);
}

const folder = await mkdtemp(join(tmpdir(), "valetkey-guest-"));
try {
  // One module of everything, so that nothing is looked up when the component is made.
  const bundle = join(folder, "bundle.js");
  const component = new URL("../src/component.js", import.meta.url).pathname;
  const bundled = await build({
    stdin: {
      contents: `import { component } from ${JSON.stringify(component)};
import { tools as functions } from "./${entry}";
export const tools = component(functions);`,
      resolveDir: process.cwd(),
    },
    bundle: true,
    format: "esm",
    target: "es2023",
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["valetkey:*"],
    write: false,
    logLevel: "error",
  });
  const [{ text }] = bundled.outputFiles;
  await writeFile(bundle, text);
  const { component: bytes } = await componentize({
    witPath: wit,
    world: "connector",
    jsSource: text,
    jsPath: bundle,
    moduleRoot: folder,
    // WASI stays: the host answers it with inert stubs, and `Date` needs its clock.
    stubWasi: false,
    sync: true,
    // An instance lives for one call and within its memory limit: nothing is worth collecting before it ends.
    disableGc: true,
  });
  await writeFile(out, bytes);
} catch (error) {
  // esbuild has said its own errors already.
  if (!error.errors) console.error(error.message ?? String(error));
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
