// Runs one scenario in a real browser: `node driver.mjs SCENARIO`, its input as JSON on stdin, its
// answer as JSON on stdout. Started by `browser.rs`; a failed expectation ends it with its place.

import { chromium } from "playwright-core";
import { text } from "node:stream/consumers";
import * as connecting from "./scenarios/connecting.mjs";
import * as forms from "./scenarios/forms.mjs";
import * as hostile from "./scenarios/hostile.mjs";
import * as refusals from "./scenarios/refusals.mjs";
import { World } from "./world.mjs";

const scenarios = { ...connecting, ...forms, ...hostile, ...refusals };
const { executable, shots, ...input } = JSON.parse(await text(process.stdin));
const browser = await chromium.launch({
  executablePath: executable,
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
try {
  const world = new World(browser, shots, input);
  await scenarios[process.argv[2]](world, input);
  process.stdout.write(JSON.stringify({ snapshots: Object.fromEntries(world.snapshots), shots: world.taken }));
} finally {
  await browser.close();
}
