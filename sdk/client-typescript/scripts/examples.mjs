// Writes the programs of the README and the guide to tests/examples, where the tests compile and run them.
// A block whose first line is a comment with a file's name is a program.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = here("../tests/examples/");

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
for (const page of ["../README.md", "../../../docs/guides/typescript.md"]) {
  const text = await readFile(here(page), "utf8");
  for (const [, name, program] of text.matchAll(/^```ts\n\/\/ ([a-z-]+\.ts)\n(.*?)^```$/gms)) {
    await writeFile(`${folder}${name}`, program);
  }
}
