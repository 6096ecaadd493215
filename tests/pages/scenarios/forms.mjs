// Credentials that are typed in.

import assert from "node:assert/strict";
import { EVERY_KIND, EVERY_LOOK } from "../world.mjs";

const send = (window) => window.go(() => window.page.getByRole("button").click());

/** The values and the visible words of the page. */
async function shown(window) {
  const values = await window.page.locator("input").evaluateAll((inputs) => inputs.map((input) => input.value));
  return [...values, await window.page.content()].join("\n");
}

/** What assistive technology reads at a field. */
async function described(field) {
  return await field.evaluate((input) =>
    (input.getAttribute("aria-describedby") ?? "")
      .split(" ")
      .map((id) => document.getElementById(id)?.textContent)
      .join(" "),
  );
}

/** A token: nothing, something else, one that the vendor refuses, the right one. */
export async function token(world, { links }) {
  await world.inEvery(EVERY_KIND, links, async (window, link) => {
    const field = window.page.getByLabel("Access token");
    await window.open(link);
    await window.check("form", { title: "Connect HubSpot to Acme Notes" });
    assert.equal(await field.getAttribute("type"), "password");
    assert.equal(await field.getAttribute("autocomplete"), "off");

    for (const [name, value, problem] of [
      ["form-empty", "", "Access token is missing."],
      ["form-malformed", "canary<b>4711", "Access token does not have the form that HubSpot uses."],
      ["form-refused", "pat-na1-canary-refused", "HubSpot does not accept this."],
    ]) {
      await field.fill(value);
      await send(window);
      await window.check(name, { status: 422, title: "Error: Connect HubSpot to Acme Notes" });
      assert.ok(!(await shown(window)).includes("canary"), "a secret does not come back");
      assert.equal(await field.getAttribute("aria-invalid"), "true");
      assert.ok((await described(field)).includes(problem), await described(field));
      await window.page.getByRole("alert").getByRole("link", { name: problem }).click();
      assert.ok(await field.evaluate((input) => input === document.activeElement), "the summary leads to the field");
    }
    await field.fill("  pat-na1-right-token  ");
    await window.go(() => field.press("Enter"));
    await window.check("form-connected");

    await window.open(link);
    await window.check("dead-link", { status: 400 });
  });
}

/** A credential that opens several sites: another one after all, then a site. */
export async function choice(world, { links }) {
  await world.inEvery(EVERY_KIND, links, async (window, link) => {
    const enter = async () => {
      await window.page.getByLabel("Access token").fill("pat-na1-right-token");
      await window.go(() => window.page.getByRole("button").click());
      await window.check("choice", { title: "Choose a site at HubSpot" });
    };
    await window.open(link);
    await enter();
    await window.go(() => window.page.getByRole("button", { name: "Begin again" }).click());
    await window.check("choice-form", { title: "Connect HubSpot to Acme Notes" });
    await enter();
    // The link leads back to the choice, in this browser.
    await window.open(link);
    await window.check("choice");
    await window.go(() => window.page.getByRole("button", { name: "Acme 2" }).click());
    await window.check("choice-connected");
    await window.open(link);
    await window.check("dead-link", { status: 400 });
  });
}

/** User name and password, with configuration beside them. */
export async function basic(world, { links }) {
  await world.inEvery(EVERY_LOOK, links, async (window, link) => {
    const [user, password, site, region] = ["User name", "Password", "Site", "Region"].map((label) =>
      window.page.getByLabel(label),
    );
    await window.open(link);
    await window.check("basic");
    assert.equal(await user.getAttribute("autocomplete"), "username");
    assert.equal(await password.getAttribute("autocomplete"), "current-password");
    assert.equal(await site.getAttribute("inputmode"), "url");
    await user.fill("ada@example.com");
    await password.fill("canary-password");
    await site.fill("not a site");
    await send(window);
    await window.check("basic-wrong", { status: 422 });
    assert.equal(await user.inputValue(), "ada@example.com", "what is no secret is still there");
    assert.equal(await site.inputValue(), "not a site");
    assert.equal(await password.inputValue(), "");
    assert.ok(!(await shown(window)).includes("canary"));
    assert.ok(await site.evaluate((input) => input === document.activeElement), "the cursor is at the mistake");
    assert.equal(await region.getAttribute("required"), null);

    await password.fill("wrong");
    await site.fill("https://acme.example");
    await send(window);
    await window.check("basic-refused", { status: 422 });
    await password.fill("right");
    await send(window);
    await window.check("basic-connected");
  });
}

/** OAuth at a vendor that has to be told which of its sites it is. */
export async function configured(world, { links }) {
  await world.inEvery(EVERY_LOOK, links, async (window, link) => {
    await window.open(link);
    await window.check("configured");
    await send(window);
    await window.check("configured-empty", { status: 422 });
    await window.page.getByLabel("Site").fill("https://acme.example");
    await window.page.getByRole("button").click();
    await window.page.getByRole("heading", { name: "Simulated HubSpot" }).waitFor();
  });
}

/** A form whose answer goes to the application. */
export async function confirmForm(world, { links: [link], application }) {
  const window = await world.window();
  await window.open(link);
  await window.page.getByLabel("Access token").fill("pat-na1-right-token");
  await window.page.getByRole("button").click();
  await window.page.waitForURL((url) => url.origin === application);
  await window.open(link);
  await window.check("waiting");
  await window.close();
}

/** The vendor is not there. */
export async function unreachable(world, { links: [link] }) {
  const window = await world.window();
  await window.open(link);
  await window.page.getByLabel("Access token").fill("pat-na1-right-token");
  await send(window);
  await window.check("form-unreachable", { status: 422 });
  await window.close();
}
