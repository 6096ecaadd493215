// Texts of others that want to be more than text.

import assert from "node:assert/strict";
import { EVERY_LOOK } from "../world.mjs";

/** Shows the same pages with honest and with hostile names: only the words may differ. */
export async function names(world, { honest, hostile, words }) {
  for (const kind of EVERY_LOOK) {
    const trees = [];
    for (const link of [honest, hostile]) {
      const window = await world.window({ ...kind, scripts: true });
      await window.open(link);
      await window.check(link === honest ? "names-honest" : "names-hostile");
      trees.push(await window.tree());
      if (link === hostile) {
        const text = await window.page.locator("body").innerText();
        for (const word of words) assert.ok(text.includes(word), `${word} is shown as it is: ${text}`);
      }
      await window.close();
    }
    assert.deepEqual(trees[1], trees[0], "no element more or less");
  }
}

/** What is entered and shown again. */
export async function echoed(world, { links: [link], values }) {
  const window = await world.window({ scheme: "light", width: "narrow", scripts: true });
  await window.open(link);
  const send = () => window.go(() => window.page.getByRole("button").click());
  await window.page.getByLabel("User name").fill("ada");
  await window.page.getByLabel("Site").fill("x");
  await send();
  const tree = await window.tree();
  for (const { entered, shown } of values) {
    await window.page.getByLabel("User name").fill(entered);
    await window.page.getByLabel("Site").fill(entered);
    await send();
    await window.check("echoed", { status: 422, shot: false, snapshot: false });
    assert.equal(await window.page.getByLabel("Site").inputValue(), shown);
    assert.equal(await window.page.getByLabel("User name").inputValue(), shown);
    assert.deepEqual(await window.tree(), tree, "no element more or less");
  }
  await window.close();
}

/** What a vendor says of an account. */
export async function labels(world, { links, labels }) {
  let tree;
  for (const [index, { shown }] of labels.entries()) {
    const window = await world.window({ scheme: "light", width: "narrow", scripts: true });
    await window.open(links[index]);
    await window.page.getByLabel("Access token").fill(`pat-na1-label-${index}`);
    await window.go(() => window.page.getByRole("button").click());
    await window.check(`label-${index}`, { shot: index === 1 });
    assert.equal(await window.page.locator(".account bdi").innerText(), shown);
    tree ??= await window.tree();
    assert.deepEqual(await window.tree(), tree, "no element more or less");
    await window.close();
  }
}

/** Addresses that anybody can send to anybody. */
export async function addresses(world, { urls }) {
  for (const { url, status } of urls) {
    const window = await world.window({ scheme: "light", width: "wide", scripts: true });
    await window.open(url);
    await window.check("address", { status, shot: false, snapshot: false });
    const text = await window.page.content();
    assert.ok(!/canary|onerror|alert/.test(text), `nothing of ${url} is in the page`);
    await window.close();
  }
}

/** A vendor that refuses in its own words, at both of its ends. */
export async function vendor(world, { denies, refuses }) {
  const window = await world.window({ scheme: "light", width: "wide", scripts: true });
  for (const { link, status, title } of [denies, refuses]) {
    await window.open(link);
    await window.page.getByRole("button").click();
    await window.page.waitForURL((url) => url.pathname.startsWith("/oauth/callback"));
    await window.check(`vendor-${status}`, { status, title, shot: false });
    const text = await window.page.content();
    assert.ok(!/canary|onerror|alert\(/.test(text), text);
  }
  await window.close();
}

/** The application's own state, on its way through the page between two others. */
export async function state(world, { links: [link], application, state }) {
  const window = await world.window({ scheme: "light", width: "narrow", scripts: true });
  await window.open(link);
  await window.page.getByLabel("Access token").fill("pat-na1-right-token");
  await window.page.route(`${application}/**`, (route) => route.fulfill({ status: 204 }));
  await window.page.getByRole("button").click();
  await window.page.getByRole("heading", { name: "Going on to" }).waitFor();
  await window.check("going-on", { shot: false });
  const way = new URL(await window.page.getByRole("link", { name: "Continue" }).getAttribute("href"));
  assert.equal(way.searchParams.get("state"), state);
  assert.equal(way.origin, application);
  await window.close();
}
